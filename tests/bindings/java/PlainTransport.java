/* SPDX-License-Identifier: Apache-2.0 */
import com.deskbell.Exchange;
import com.deskbell.HttpRequest;
import com.deskbell.Link;
import com.deskbell.Transport;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/** A transport in Java, as an Android app would have one over OkHttp: sockets, and the JDK's client for HTTP. */
final class PlainTransport implements Transport {
        private final HttpClient http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        private final Map<Link, WireSocket> wires = new ConcurrentHashMap<>();
        private final Map<Exchange, CompletableFuture<?>> requests = new ConcurrentHashMap<>();
        final AtomicInteger received = new AtomicInteger();
        final AtomicInteger exchanges = new AtomicInteger();
        volatile boolean isStopped;

        @Override
        public boolean open(String url, String subprotocol, long maxMessageBytes, Link link) {
                WireSocket wire = new WireSocket(link, received::incrementAndGet);
                wires.put(link, wire);
                wire.start(URI.create(url), subprotocol);
                return true;
        }

        @Override
        public void send(Link link, byte[] message) {
                wires.get(link).send(message);
        }

        @Override
        public void close(Link link, int code) {
                wires.get(link).close(code);
        }

        @Override
        public void resume(Link link) {
                wires.get(link).resume();
        }

        @Override
        public void stop() {
                isStopped = true;
                wires.values().forEach(WireSocket::abort);
                requests.values().forEach(r -> r.cancel(true));
        }

        @Override
        public boolean hasHttp() {
                return true;
        }

        @Override
        public boolean http(HttpRequest request, Exchange exchange) {
                java.net.http.HttpRequest.Builder made =
                                java.net.http.HttpRequest.newBuilder(URI.create(request.getUrl()))
                                                .method(request.getMethod(),
                                                                java.net.http.HttpRequest.BodyPublishers.ofByteArray(
                                                                                request.getBody()));
                for (String header : request.getHeaders()) {
                        String name = header.substring(0, header.indexOf(':'));
                        if (!name.equalsIgnoreCase("content-length")) /* the client makes its own */
                                made.header(name, header.substring(name.length() + 1).trim());
                }
                exchanges.incrementAndGet();
                CompletableFuture<HttpResponse<byte[]>> answer =
                                http.sendAsync(made.build(), HttpResponse.BodyHandlers.ofByteArray());
                requests.put(exchange, answer);
                answer.whenComplete((got, error) -> end(exchange, got));
                return true;
        }

        private void end(Exchange exchange, HttpResponse<byte[]> answer) {
                requests.remove(exchange);
                if (answer == null) {
                        exchange.failed();
                        return;
                }
                List<String> headers = new ArrayList<>();
                answer.headers().map().forEach((name, values) -> values.forEach(v -> headers.add(name + ": " + v)));
                exchange.done(answer.statusCode(), headers, answer.body());
                exchange.done(500, headers, new byte[0]); /* dropped */
        }

        @Override
        public void httpCancel(Exchange exchange) {
                CompletableFuture<?> request = requests.get(exchange);
                if (request != null)
                        request.cancel(true);
        }
}
