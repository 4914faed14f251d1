/* SPDX-License-Identifier: Apache-2.0 */
package com.deskbell;

/** Who is there: struct deskbell_presence. */
public final class Presence {
        private final PresenceOf of;
        private final boolean isHere;
        private final Conversation conversation;
        private final String customer;
        private final long lastSeenMs;

        Presence(Unpacker in) {
                of = PresenceOf.of(in.number());
                isHere = in.flag();
                conversation = in.conversation();
                customer = in.text();
                lastSeenMs = in.number();
        }

        public PresenceOf getOf() {
                return of;
        }

        /** TEAM: somebody is; CUSTOMER: a device of his is connected. */
        public boolean isHere() {
                return isHere;
        }

        /** CUSTOMER; else null. */
        public Conversation getConversation() {
                return conversation;
        }

        /** CUSTOMER: "usr_..."; else "". */
        public String getCustomer() {
                return customer;
        }

        /** CUSTOMER who is not here: when he was, to the minute; 0 = not known. */
        public long getLastSeenMs() {
                return lastSeenMs;
        }
}
