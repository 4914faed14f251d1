/* SPDX-License-Identifier: Apache-2.0 */
package com.deskbell;

/** How important a line of the log is: enum deskbell_level. */
public enum Level {
        ERROR(0),
        WARN(1),
        INFO(2),
        DEBUG(3),
        /** What a newer library tells and this binding does not know. Not to be given to a call. */
        UNKNOWN(Integer.MIN_VALUE);

        private final int code;

        Level(int code) {
                this.code = code;
        }

        /** The number of enum deskbell_level in deskbell.h. */
        public int getCode() {
                return code;
        }

        static Level of(long code) {
                for (Level one : values())
                        if (one.code == code)
                                return one;
                return UNKNOWN;
        }
}
