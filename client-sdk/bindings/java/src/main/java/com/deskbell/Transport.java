/* SPDX-License-Identifier: Apache-2.0 */
package com.deskbell;

/**
 * WebSockets of the application's own (OkHttp on Android): struct deskbell_transport. Its functions are called on
 * threads of the library and must neither wait for the network nor call into the client. What they throw is a
 * connection that failed, or is dropped after a line to the log that names its type.
 */
public interface Transport {
        /**
         * Makes a connection with that subprotocol and the largest message accepted. True: it is under way, and
         * link.closed is owed exactly once, whether or not link.opened came. False: failed at once, no call follows.
         */
        boolean open(String url, String subprotocol, long maxMessageBytes, Link link);

        /** One text message, as UTF-8; `message` is the application's to keep. */
        void send(Link link, byte[] message);

        /** Close with that code; link.closed is still owed, within 5 s. */
        void close(Link link, int code);

        /** Go on reading after link.text returned true. */
        default void resume(Link link) {
        }

        /** Last call: ends all threads. What a link or an exchange is told afterwards is dropped. */
        default void stop() {
        }

        /** Whether http works; without it there are no attachments. Asked once, when the client is opened. */
        default boolean hasHttp() {
                return false;
        }

        /**
         * Makes one HTTP request, without redirects and cookies. True: exchange.done is owed exactly once. False:
         * failed at once, no call follows.
         */
        default boolean http(HttpRequest request, Exchange exchange) {
                return false;
        }

        /** Nobody waits for this answer any more; exchange.done is still owed, soon. */
        default void httpCancel(Exchange exchange) {
        }
}
