/* SPDX-License-Identifier: Apache-2.0 */
package com.deskbell;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Between C's table of functions and a Transport. Always true: C is told of a link or exchange only from its open to
 * its one end, and of none after stop.
 */
final class Plug {
        /** A function of the application; its result. */
        private interface Act {
                boolean run();
        }

        private final Core core;
        private final Transport transport;
        private final Map<Long, Link> links = new ConcurrentHashMap<>();
        private final Map<Long, Exchange> exchanges = new ConcurrentHashMap<>();

        Plug(Core core, Transport transport) {
                this.core = core;
                this.transport = transport;
        }

        void forget(long raw, Link link) {
                links.remove(raw, link);
        }

        void forget(long raw, Exchange exchange) {
                exchanges.remove(raw, exchange);
        }

        /** False when it throws. */
        private boolean guarded(Act act) {
                boolean[] result = new boolean[1];
                try {
                        core.giveLocked(() -> result[0] = act.run());
                } catch (Throwable thrown) {
                        core.say(Level.ERROR, "a function of the transport threw " + thrown.getClass().getName());
                }
                return result[0];
        }

        private void guarded(Runnable act) {
                guarded(() -> {
                        act.run();
                        return true;
                });
        }

        /* ---- what C calls ---- */

        boolean open(long raw, byte[] record) {
                Unpacker in = new Unpacker(core, record);
                String url = in.text();
                String subprotocol = in.text();
                long maxMessageBytes = in.number();
                Link link = new Link(this, raw);
                links.put(raw, link);
                if (guarded(() -> transport.open(url, subprotocol, maxMessageBytes, link)))
                        return true;
                links.remove(raw, link);
                return !link.drop(); /* one that was told as closed was under way */
        }

        void send(long raw, byte[] message) {
                Link link = links.get(raw);
                if (link != null)
                        guarded(() -> transport.send(link, message));
        }

        void close(long raw, int code) {
                Link link = links.get(raw);
                if (link != null)
                        guarded(() -> transport.close(link, code));
        }

        void resume(long raw) {
                Link link = links.get(raw);
                if (link != null)
                        guarded(() -> transport.resume(link));
        }

        void stop() {
                guarded(transport::stop);
                for (Link link : links.values())
                        link.drop();
                for (Exchange exchange : exchanges.values())
                        exchange.drop();
        }

        boolean http(long raw, byte[] record) {
                HttpRequest request = new HttpRequest(new Unpacker(core, record));
                Exchange exchange = new Exchange(this, raw);
                exchanges.put(raw, exchange);
                if (guarded(() -> transport.http(request, exchange)))
                        return true;
                exchanges.remove(raw, exchange);
                return !exchange.drop();
        }

        void httpCancel(long raw) {
                Exchange exchange = exchanges.get(raw);
                if (exchange != null)
                        guarded(() -> transport.httpCancel(exchange));
        }
}
