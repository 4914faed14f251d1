/* SPDX-License-Identifier: Apache-2.0 */
package com.deskbell;

/** Whether customers may count on an agent: enum deskbell_availability. */
public enum Availability {
        AWAY(1),
        HERE(2),
        /** What a newer library tells and this binding does not know. Not to be given to a call. */
        UNKNOWN(Integer.MIN_VALUE);

        private final int code;

        Availability(int code) {
                this.code = code;
        }

        /** The number of enum deskbell_availability in deskbell.h. */
        public int getCode() {
                return code;
        }

        static Availability of(long code) {
                for (Availability one : values())
                        if (one.code == code)
                                return one;
                return UNKNOWN;
        }
}
