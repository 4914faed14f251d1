/* SPDX-License-Identifier: Apache-2.0 */
package com.deskbell;

/** What a message of the outbox does: enum deskbell_operation. */
public enum Operation {
        SEND(1),
        EDIT(2),
        ERASE(3),
        /** What a newer library tells and this binding does not know. Not to be given to a call. */
        UNKNOWN(Integer.MIN_VALUE);

        private final int code;

        Operation(int code) {
                this.code = code;
        }

        /** The number of enum deskbell_operation in deskbell.h. */
        public int getCode() {
                return code;
        }

        static Operation of(long code) {
                for (Operation one : values())
                        if (one.code == code)
                                return one;
                return UNKNOWN;
        }
}
