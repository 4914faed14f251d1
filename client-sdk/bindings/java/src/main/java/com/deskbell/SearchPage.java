/* SPDX-License-Identifier: Apache-2.0 */
package com.deskbell;

import java.util.Collections;
import java.util.List;

/** What was found, newest first, or the error that nothing could be looked for. */
public final class SearchPage {
        private final ErrorCode error;
        private final List<Found> found;
        private final String next;
        private final boolean isCut;

        SearchPage(Unpacker in) {
                error = ErrorCode.of(in.number());
                found = in.list(Found::new);
                next = in.text();
                isCut = in.flag();
        }

        SearchPage(ErrorCode error) {
                this.error = error;
                this.found = Collections.emptyList();
                this.next = "";
                this.isCut = false;
        }

        /** OK; else REFUSED, CANCELLED or NOMEM, and nothing was found. */
        public ErrorCode getError() {
                return error;
        }

        public List<Found> getFound() {
                return found;
        }

        /** For SearchOptions.before of the next page, "" on the last one. */
        public String getNext() {
                return next;
        }

        /** The server's time for one search was over: there may be more. */
        public boolean isCut() {
                return isCut;
        }
}
