/* SPDX-License-Identifier: Apache-2.0 */
package com.deskbell;

/** A conversation for a list: struct deskbell_conversation_info. */
public final class ConversationInfo {
        private final Conversation conversation;
        private final String id;
        private final String key;
        private final String customer;
        private final String customerName;
        private final boolean hasLeft;
        private final long head;
        private final long ihead;
        private final long rev;
        private final Marks marks;
        private final long unread;
        private final long unanswered;
        private final long waitingSinceMs;
        private final long lastTsMs;
        private final String lastAuthor;
        private final String lastPreview;

        ConversationInfo(Unpacker in) {
                conversation = in.conversation();
                id = in.text();
                key = in.text();
                customer = in.text();
                customerName = in.text();
                hasLeft = in.flag();
                head = in.number();
                ihead = in.number();
                rev = in.number();
                marks = new Marks(in);
                unread = in.number();
                unanswered = in.number();
                waitingSinceMs = in.number();
                lastTsMs = in.number();
                lastAuthor = in.text();
                lastPreview = in.text();
        }

        public Conversation getConversation() {
                return conversation;
        }

        /** "cnv_...", "" while the server has not made it. */
        public String getId() {
                return id;
        }

        /** "" = not known. */
        public String getKey() {
                return key;
        }

        /** Staff only; else "". */
        public String getCustomer() {
                return customer;
        }

        /** Staff only; else "". */
        public String getCustomerName() {
                return customerName;
        }

        /** Can no longer be seen; the rest is as it was. */
        public boolean hasLeft() {
                return hasLeft;
        }

        /** Highest seq the server told. */
        public long getHead() {
                return head;
        }

        /** Highest iseq (staff); else 0. */
        public long getIhead() {
                return ihead;
        }

        /** Change number of the row this was read from. */
        public long getRev() {
                return rev;
        }

        public Marks getMarks() {
                return marks;
        }

        /** Customers: entries by others not read. */
        public long getUnread() {
                return unread;
        }

        /** Staff: customer messages since the last public staff reply. */
        public long getUnanswered() {
                return unanswered;
        }

        /** Staff: time of the oldest of them, 0 = none. */
        public long getWaitingSinceMs() {
                return waitingSinceMs;
        }

        /** Of the last message, 0 = none. */
        public long getLastTsMs() {
                return lastTsMs;
        }

        public String getLastAuthor() {
                return lastAuthor;
        }

        public String getLastPreview() {
                return lastPreview;
        }
}
