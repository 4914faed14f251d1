/* SPDX-License-Identifier: Apache-2.0 */
package com.deskbell;

import java.util.Collections;
import java.util.List;

/** A page of a conversation, or the error that there is none. */
public final class HistoryPage {
        private final ErrorCode error;
        private final List<Entry> entries;
        private final long head;
        private final boolean hasMore;

        HistoryPage(Unpacker in) {
                error = ErrorCode.of(in.number());
                entries = in.list(Entry::new);
                head = in.number();
                hasMore = in.flag();
        }

        HistoryPage(ErrorCode error) {
                this.error = error;
                this.entries = Collections.emptyList();
                this.head = 0;
                this.hasMore = false;
        }

        /** OK; else OFFLINE, REFUSED, CANCELLED, STORE or NOMEM, and there are no entries. */
        public ErrorCode getError() {
                return error;
        }

        /** In rising order. */
        public List<Entry> getEntries() {
                return entries;
        }

        /** The log's highest number. */
        public long getHead() {
                return head;
        }

        /** There are more that way. */
        public boolean hasMore() {
                return hasMore;
        }
}
