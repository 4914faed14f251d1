/* SPDX-License-Identifier: Apache-2.0 */
package com.deskbell;

/** An entry that was found: struct deskbell_found. */
public final class Found {
        private final String conversation;
        private final String customer;
        private final EntryLog log;
        private final long number;
        private final long tsMs;
        private final String author;
        private final String kind;
        private final String before;
        private final String hit;
        private final String after;

        Found(Unpacker in) {
                conversation = in.text();
                customer = in.text();
                log = EntryLog.of(in.number());
                number = in.number();
                tsMs = in.number();
                author = in.text();
                kind = in.text();
                before = in.text();
                hit = in.text();
                after = in.text();
        }

        /** "cnv_...", for Client.openConversationId. */
        public String getConversation() {
                return conversation;
        }

        /** Staff only; else "". */
        public String getCustomer() {
                return customer;
        }

        public EntryLog getLog() {
                return log;
        }

        /** Its place in that log. */
        public long getNumber() {
                return number;
        }

        public long getTsMs() {
                return tsMs;
        }

        public String getAuthor() {
                return author;
        }

        /** "text", "attachment", ... */
        public String getKind() {
                return kind;
        }

        /** What it says before the first of the words. */
        public String getBefore() {
                return before;
        }

        /** The word; "" when it cannot be pointed at. */
        public String getHit() {
                return hit;
        }

        /** What follows. */
        public String getAfter() {
                return after;
        }
}
