/* SPDX-License-Identifier: Apache-2.0 */
package com.deskbell;

/** The end of Client.fetchFile. */
public final class Fetched {
        private final long fetch;
        private final ErrorCode error;
        private final String path;

        Fetched(long fetch, ErrorCode error, String path) {
                this.fetch = fetch;
                this.error = error;
                this.path = path;
        }

        /** The number that fetchFile returned. */
        public long getFetch() {
                return fetch;
        }

        /**
         * OK: the whole file is at getPath, and it is what its sender sent. Else NOT_FOUND, DAMAGED, STORE, REFUSED,
         * CANCELLED or NOMEM, and nothing is there but perhaps a part, which a new fetch to the same path goes on with.
         */
        public ErrorCode getError() {
                return error;
        }

        public String getPath() {
                return path;
        }
}
