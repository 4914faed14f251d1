/* SPDX-License-Identifier: Apache-2.0 */
package com.deskbell;

/** Which of the two logs of a conversation: enum deskbell_log. */
public enum EntryLog {
        /** What customer and staff see; its numbers are `seq`. */
        PUBLIC(0),
        /** Notes, staff only; its numbers are `iseq`. */
        TEAM(1),
        /** What a newer library tells and this binding does not know. Not to be given to a call. */
        UNKNOWN(Integer.MIN_VALUE);

        private final int code;

        EntryLog(int code) {
                this.code = code;
        }

        /** The number of enum deskbell_log in deskbell.h. */
        public int getCode() {
                return code;
        }

        static EntryLog of(long code) {
                for (EntryLog one : values())
                        if (one.code == code)
                                return one;
                return UNKNOWN;
        }
}
