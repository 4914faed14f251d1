/* SPDX-License-Identifier: Apache-2.0 */
package com.deskbell;

/** What a call refused, or why an answer has nothing: enum deskbell_error. */
public enum ErrorCode {
        OK(0),
        /** An argument is missing, malformed or out of its range. */
        INVALID(-1),
        /** Out of memory. */
        NOMEM(-2),
        /** Another client, perhaps another process, has this user's file open. */
        LOCKED(-3),
        /** This device's disk failed or is full; nothing was queued. */
        STORE(-4),
        /** The file is a newer library's; it is left alone. */
        STORE_NEWER(-5),
        /** 500 messages or 50 MiB wait already. */
        OUTBOX_FULL(-6),
        /** A text above 10,000 code points or 40,000 bytes. */
        TOO_LONG(-7),
        /** Not Unicode, or a control character other than tab and newline, or empty. */
        TEXT(-8),
        /** No such message or conversation here. */
        NOT_FOUND(-9),
        /** That cmid is queued or was sent already; nothing was done. */
        EXISTS(-10),
        /** Not possible in this state: see the function. */
        STATE(-11),
        /** Needs the server, and there is no session now. */
        OFFLINE(-12),
        /** The server said no. */
        REFUSED(-13),
        /** Not possible inside a callback, or inside a function of the log or the transport. */
        WRONG_THREAD(-14),
        /** The transport could not be started. */
        TRANSPORT(-15),
        /** The client is being closed, or the connection went away meanwhile. */
        CANCELLED(-16),
        /** The token names another user than this file belongs to. */
        OTHER_USER(-17),
        /** The bytes that came are not those of the file: size or SHA-256 differ. */
        DAMAGED(-18),
        /** Messages wait to be sent and would be lost. */
        UNSENT(-19),
        /** What was filled in does not fit the form or survey: FormField.check and Survey.check tell where. */
        FORM(-20),
        /** The file is sealed under another key than storeKey, or no key was given. */
        KEY(-21),
        /** What a newer library tells and this binding does not know. Not to be given to a call. */
        UNKNOWN(Integer.MIN_VALUE);

        private final int code;

        ErrorCode(int code) {
                this.code = code;
        }

        /** The number of enum deskbell_error in deskbell.h. */
        public int getCode() {
                return code;
        }

        static ErrorCode of(long code) {
                for (ErrorCode one : values())
                        if (one.code == code)
                                return one;
                return UNKNOWN;
        }
}
