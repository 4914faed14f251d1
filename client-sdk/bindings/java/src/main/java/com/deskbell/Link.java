/* SPDX-License-Identifier: Apache-2.0 */
package com.deskbell;

import java.nio.charset.StandardCharsets;

/**
 * One connection of a Transport: the same object from open to closed. Any thread, also inside the functions of the
 * transport. What comes out of order, twice or after the end is dropped.
 */
public final class Link {
        private final Plug plug;
        private long raw; /* 0 = over */
        private boolean isOpen;

        Link(Plug plug, long raw) {
                this.plug = plug;
                this.raw = raw;
        }

        /** It is open: Transport.send may be called. */
        public synchronized void opened() {
                if (raw == 0 || isOpen)
                        return;
                isOpen = true;
                Native.linkOpened(raw);
        }

        /**
         * One whole text message as UTF-8. True: stop reading until Transport.resume; this one was taken all the same.
         */
        public synchronized boolean text(byte[] message) {
                return raw != 0 && isOpen && Native.linkText(raw, message);
        }

        public boolean text(String message) {
                return text(message.getBytes(StandardCharsets.UTF_8));
        }

        /** Gone, for whatever reason; `code` is the close code received, 1006 when none came. */
        public synchronized void closed(int code) {
                long gone = raw;
                if (gone == 0)
                        return;
                raw = 0;
                plug.forget(gone, this);
                Native.linkClosed(gone, code);
        }

        /**
         * Instead of closed, with a reason: `why` is what State.getWhy tells, one of "network", "tls", "tls_pin",
         * "proxy", "proxy_auth" and "handshake". `detail` goes to the log and must hold no secrets; null = none.
         * `retryAfterMs`: how long the other side wants to be left alone, -1 = it did not say.
         */
        public synchronized void failed(String why, String detail, long retryAfterMs) {
                long gone = raw;
                byte[] both = new Packer().text(why).text(detail).bytes();
                if (gone == 0)
                        return;
                raw = 0;
                plug.forget(gone, this);
                Native.linkFailed(gone, both, retryAfterMs);
        }

        /** No call follows. Whether closed had not been told before. */
        synchronized boolean drop() {
                boolean wasThere = raw != 0;
                raw = 0;
                return wasThere;
        }
}
