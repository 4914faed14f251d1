/* SPDX-License-Identifier: Apache-2.0 */
package com.deskbell;

/** Which page of a conversation: struct deskbell_history_options. Without before and after: the last entries. */
public final class HistoryOptions {
        private EntryLog log = EntryLog.PUBLIC;
        private long before;
        private long after = -1;
        private int limit = 50;
        private boolean isFromServer;

        public HistoryOptions log(EntryLog value) {
                log = value;
                return this;
        }

        /** The last ones below this number. */
        public HistoryOptions before(long number) {
                before = number;
                return this;
        }

        /** The first ones above this number. */
        public HistoryOptions after(long number) {
                after = number;
                return this;
        }

        /** 1-200. */
        public HistoryOptions limit(int entries) {
                limit = entries;
                return this;
        }

        /** Ask the server even for what is cached; changes nothing in the cache. */
        public HistoryOptions fromServer() {
                isFromServer = true;
                return this;
        }

        void pack(Packer out) {
                out.number(log.getCode()).number(before).number(after).number(limit).flag(isFromServer);
        }
}
