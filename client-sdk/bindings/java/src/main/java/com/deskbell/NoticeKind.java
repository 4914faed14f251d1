/* SPDX-License-Identifier: Apache-2.0 */
package com.deskbell;

/** What Listener.onNotice is told: enum deskbell_notice. */
public enum NoticeKind {
        /** The server's store was restored: forget what is shown; opened conversations are given anew. */
        RESET(1),
        /** The file of this user was damaged or foreign, and was renamed to the detail. */
        STORE_SET_ASIDE(2),
        /** This device's disk fails; it is tried again. */
        STORE_FAILING(3),
        /** The conversation could not be opened: the detail is the server's tag. */
        CONVERSATION_REFUSED(4),
        /** Staff: what was said in the conversation was erased. Forget what is shown. */
        CONVERSATION_ERASED(5),
        /** The server did not let this user have the visitor. */
        CLAIM_REFUSED(6),
        /** How many queued messages of the file set aside wait in the new one: the detail. */
        OUTBOX_RESCUED(7),
        /** What a newer library tells and this binding does not know. Not to be given to a call. */
        UNKNOWN(Integer.MIN_VALUE);

        private final int code;

        NoticeKind(int code) {
                this.code = code;
        }

        /** The number of enum deskbell_notice in deskbell.h. */
        public int getCode() {
                return code;
        }

        static NoticeKind of(long code) {
                for (NoticeKind one : values())
                        if (one.code == code)
                                return one;
                return UNKNOWN;
        }
}
