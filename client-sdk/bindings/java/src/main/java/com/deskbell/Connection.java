/* SPDX-License-Identifier: Apache-2.0 */
package com.deskbell;

/** How a client stands to the server: enum deskbell_connection. */
public enum Connection {
        /** Client.connect was not called, or Client.disconnect was. */
        DISCONNECTED(0),
        /** Opening a connection and a session. */
        CONNECTING(1),
        /** A session is open. */
        ONLINE(2),
        /** No connection; the next try comes in State.getRetryInMs. */
        WAITING(3),
        /** As WAITING, because the server asked to come back later. */
        DELAYED(4),
        /** The token was refused or is missing; waits for Client.setToken. */
        NEEDS_TOKEN(5),
        /** Will not try again by itself; State.getWhy says why; Client.connect tries again. */
        STOPPED(6),
        /** In the background: connects again in the foreground. */
        PAUSED(7),
        /** What a newer library tells and this binding does not know. Not to be given to a call. */
        UNKNOWN(Integer.MIN_VALUE);

        private final int code;

        Connection(int code) {
                this.code = code;
        }

        /** The number of enum deskbell_connection in deskbell.h. */
        public int getCode() {
                return code;
        }

        static Connection of(long code) {
                for (Connection one : values())
                        if (one.code == code)
                                return one;
                return UNKNOWN;
        }
}
