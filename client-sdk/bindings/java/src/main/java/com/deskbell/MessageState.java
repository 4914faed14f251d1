/* SPDX-License-Identifier: Apache-2.0 */
package com.deskbell;

/** What became of a message of this device: enum deskbell_message_state. */
public enum MessageState {
        /** In the outbox, on disk. */
        QUEUED(1),
        /** On the server's disk, at its place, for good. */
        SENT(2),
        /** Stored by a device of the other side. */
        DELIVERED(3),
        /** Read by the other side. */
        READ(4),
        /** Refused for good: Message.getTag says why. */
        FAILED(5),
        /** No answer for 30 days; it may or may not have arrived. */
        EXPIRED(6),
        /** Its files are on their way; QUEUED follows when the last one has arrived. */
        UPLOADING(7),
        /** What a newer library tells and this binding does not know. Not to be given to a call. */
        UNKNOWN(Integer.MIN_VALUE);

        private final int code;

        MessageState(int code) {
                this.code = code;
        }

        /** The number of enum deskbell_message_state in deskbell.h. */
        public int getCode() {
                return code;
        }

        static MessageState of(long code) {
                for (MessageState one : values())
                        if (one.code == code)
                                return one;
                return UNKNOWN;
        }
}
