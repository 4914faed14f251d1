/* SPDX-License-Identifier: Apache-2.0 */
package com.deskbell;

import java.nio.charset.StandardCharsets;
import java.util.List;

/** One HTTP request under way of a Transport. Any thread. */
public final class Exchange {
        private final Plug plug;
        private long raw; /* 0 = over */

        Exchange(Plug plug, long raw) {
                this.plug = plug;
                this.raw = raw;
        }

        /** Its answer: `headers` are "Name: value". Once; the second is dropped. */
        public synchronized void done(int status, List<String> headers, byte[] body) {
                Packer head = new Packer().number(status).number(headers.size());
                for (String header : headers) {
                        byte[] bytes = header.getBytes(StandardCharsets.ISO_8859_1);
                        head.number(bytes.length).raw(bytes).raw(new byte[1]);
                }
                end(head, body);
        }

        /** There was no answer. */
        public synchronized void failed() {
                end(new Packer().number(0).number(0), new byte[0]);
        }

        private void end(Packer head, byte[] body) {
                long gone = raw;
                if (gone == 0)
                        return;
                raw = 0;
                plug.forget(gone, this);
                Native.httpDone(gone, head.bytes(), body);
        }

        /** No call follows. Whether done had not been told before. */
        synchronized boolean drop() {
                boolean wasThere = raw != 0;
                raw = 0;
                return wasThere;
        }
}
