/* SPDX-License-Identifier: Apache-2.0 */
package com.deskbell;

/** Whose presence is told: enum deskbell_presence_of. */
public enum PresenceOf {
        /** To customers: whether somebody of the team is there, never who. */
        TEAM(1),
        /** To agents: the customer of a conversation that is open here. */
        CUSTOMER(2),
        /** What a newer library tells and this binding does not know. Not to be given to a call. */
        UNKNOWN(Integer.MIN_VALUE);

        private final int code;

        PresenceOf(int code) {
                this.code = code;
        }

        /** The number of enum deskbell_presence_of in deskbell.h. */
        public int getCode() {
                return code;
        }

        static PresenceOf of(long code) {
                for (PresenceOf one : values())
                        if (one.code == code)
                                return one;
                return UNKNOWN;
        }
}
