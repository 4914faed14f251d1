/* SPDX-License-Identifier: Apache-2.0 */
import com.deskbell.Link;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;

/** One WebSocket over a plain socket, with a thread that reads and one that writes. */
final class WireSocket {
        private static final int TEXT = 1;
        private static final int CLOSE = 8;
        private static final int PING = 9;
        private static final int PONG = 10;

        private final Link link;
        private final Runnable onText;
        private final Random random = new Random();
        private final ExecutorService writer = Executors.newSingleThreadExecutor();
        private final Semaphore mayRead = new Semaphore(0);
        private volatile Socket socket;

        WireSocket(Link link, Runnable onText) {
                this.link = link;
                this.onText = onText;
        }

        void start(URI url, String subprotocol) {
                Thread thread = new Thread(() -> {
                        int code = 1006;
                        try (Socket made = new Socket(url.getHost(), url.getPort())) {
                                socket = made;
                                DataInputStream in = new DataInputStream(made.getInputStream());
                                shakeHands(url, subprotocol, in, made.getOutputStream());
                                link.opened();
                                code = read(in);
                        } catch (IOException e) {
                                code = 1006;
                        }
                        writer.shutdownNow();
                        link.closed(code);
                }, "test-wire");
                thread.setDaemon(true);
                thread.start();
        }

        private void shakeHands(URI url, String subprotocol, DataInputStream in, OutputStream out) throws IOException {
                byte[] key = new byte[16];
                random.nextBytes(key);
                String head = "GET " + url.getPath() + " HTTP/1.1\r\nHost: " + url.getAuthority()
                                + "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13"
                                + "\r\nSec-WebSocket-Key: " + Base64.getEncoder().encodeToString(key)
                                + "\r\nSec-WebSocket-Protocol: " + subprotocol
                                + "\r\n\r\n";
                out.write(head.getBytes(StandardCharsets.US_ASCII));
                StringBuilder answer = new StringBuilder();
                while (!answer.toString().endsWith("\r\n\r\n"))
                        answer.append((char) in.readUnsignedByte());
                if (!answer.toString().startsWith("HTTP/1.1 101 "))
                        throw new IOException("no handshake");
        }

        /** Until the end; the close code. */
        private int read(DataInputStream in) throws IOException {
                ByteArrayOutputStream message = new ByteArrayOutputStream();
                while (true) {
                        int first = in.readUnsignedByte();
                        long length = in.readUnsignedByte();
                        length = length == 126 ? in.readUnsignedShort() : length == 127 ? in.readLong() : length;
                        byte[] body = new byte[(int) length];
                        in.readFully(body);
                        int kind = first & 15;
                        if (kind == CLOSE) {
                                return body.length < 2 ? 1006 : (body[0] & 255) << 8 | body[1] & 255;
                        } else if (kind == PING) {
                                write(PONG, body);
                        } else if (kind != PONG) {
                                message.write(body);
                                if ((first & 128) != 0)
                                        give(message);
                        }
                }
        }

        private void give(ByteArrayOutputStream message) {
                boolean isFull = link.text(message.toByteArray());
                message.reset();
                onText.run();
                if (isFull)
                        mayRead.acquireUninterruptibly();
        }

        void resume() {
                mayRead.release();
        }

        private void write(int kind, byte[] body) {
                try {
                        writer.execute(() -> {
                                try {
                                        socket.getOutputStream().write(masked(kind, body));
                                } catch (IOException e) {
                                        abort();
                                }
                        });
                } catch (RejectedExecutionException e) {
                        return; /* it is over, and link.closed tells */
                }
        }

        private byte[] masked(int kind, byte[] body) throws IOException {
                ByteArrayOutputStream frame = new ByteArrayOutputStream();
                byte[] mask = new byte[4];
                random.nextBytes(mask);
                frame.write(128 | kind);
                int shift = body.length < 126 ? -8 : body.length < 65536 ? 8 : 56; /* the shortest form is the law */
                frame.write(128 | (shift < 0 ? body.length : shift == 8 ? 126 : 127));
                for (; shift >= 0; shift -= 8)
                        frame.write((int) ((long) body.length >> shift));
                frame.write(mask);
                for (int i = 0; i < body.length; i++)
                        frame.write(body[i] ^ mask[i % 4]);
                return frame.toByteArray();
        }

        void send(byte[] message) {
                write(TEXT, message);
        }

        void close(int code) {
                write(CLOSE, new byte[] {(byte) (code >> 8), (byte) code});
                if (socket == null)
                        link.closed(1006);
        }

        void abort() {
                mayRead.release();
                try {
                        if (socket != null)
                                socket.close();
                } catch (IOException e) {
                        return; /* it is over all the same */
                }
        }
}
