/* SPDX-License-Identifier: Apache-2.0 */
package com.deskbell;

/** How a client stands to the server: struct deskbell_state. */
public final class State {
        private final Connection connection;
        private final long retryInMs;
        private final String why;
        private final boolean isCaughtUp;
        private final String principal;
        private final String name;
        private final String epoch;

        State(Unpacker in) {
                connection = Connection.of(in.number());
                retryInMs = in.number();
                why = in.text();
                isCaughtUp = in.flag();
                principal = in.text();
                name = in.text();
                epoch = in.text();
        }

        public Connection getConnection() {
                return connection;
        }

        /** WAITING and DELAYED: when the next try comes; else 0. */
        public long getRetryInMs() {
                return retryInMs;
        }

        /** A tag of the protocol's tables, "network", "silent", "other_user", "store", or "". */
        public String getWhy() {
                return why;
        }

        /** ONLINE: everything the server had when asked last is in the cache. */
        public boolean isCaughtUp() {
                return isCaughtUp;
        }

        /** Who this client is, "" before the first session. */
        public String getPrincipal() {
                return principal;
        }

        /** Own display name, "" = none told. */
        public String getName() {
                return name;
        }

        /** 16 hex digits, "" before the first session. */
        public String getEpoch() {
                return epoch;
        }
}
