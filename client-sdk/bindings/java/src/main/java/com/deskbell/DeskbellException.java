/* SPDX-License-Identifier: Apache-2.0 */
package com.deskbell;

/**
 * A call was refused, and nothing was changed: the program's mistake, or a failing device. What the network and the
 * server do is never thrown; the listener is told.
 */
public final class DeskbellException extends RuntimeException {
        private static final long serialVersionUID = 1L;
        private final ErrorCode error;
        private final int code;

        DeskbellException(int code) {
                super(Native.errorText(code));
                this.code = code;
                this.error = ErrorCode.of(code);
        }

        DeskbellException(ErrorCode error) {
                this(error.getCode());
        }

        public ErrorCode getError() {
                return error;
        }

        /** The number of enum deskbell_error, also of one that this binding does not know. */
        public int getCode() {
                return code;
        }

        static int check(int rc) {
                if (rc < 0)
                        throw new DeskbellException(rc);
                return rc;
        }
}
