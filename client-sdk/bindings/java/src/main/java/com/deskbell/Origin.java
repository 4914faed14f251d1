/* SPDX-License-Identifier: Apache-2.0 */
package com.deskbell;

/** Where an entry comes from: enum deskbell_origin. */
public enum Origin {
        /** Was in the cache when the conversation was opened. */
        SNAPSHOT(0),
        /** Follows what was given before: each number is one more than the last. */
        FOLLOWING(1),
        /** What a newer library tells and this binding does not know. Not to be given to a call. */
        UNKNOWN(Integer.MIN_VALUE);

        private final int code;

        Origin(int code) {
                this.code = code;
        }

        /** The number of enum deskbell_origin in deskbell.h. */
        public int getCode() {
                return code;
        }

        static Origin of(long code) {
                for (Origin one : values())
                        if (one.code == code)
                                return one;
                return UNKNOWN;
        }
}
