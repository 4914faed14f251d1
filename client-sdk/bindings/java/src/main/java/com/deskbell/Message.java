/* SPDX-License-Identifier: Apache-2.0 */
package com.deskbell;

import java.util.List;

/**
 * A message, edit or erasure of this device: struct deskbell_message. Exactly one of SENT, FAILED and EXPIRED is told
 * for each.
 */
public final class Message {
        private final Conversation conversation;
        private final String cmid;
        private final Operation operation;
        private final MessageState state;
        private final boolean isAgain;
        private final EntryLog log;
        private final long number;
        private final long atSeq;
        private final long tsMs;
        private final String epoch;
        private final boolean isDuplicate;
        private final String tag;
        private final String text;
        private final long of;
        private final byte[] hash;
        private final List<Attachment> files;
        private final boolean isPaused;
        private final long pressedSeq;
        private final long filledSeq;
        private final long ratedSeq;

        Message(Unpacker in) {
                conversation = in.conversation();
                cmid = in.text();
                operation = Operation.of(in.number());
                state = MessageState.of(in.number());
                isAgain = in.flag();
                log = EntryLog.of(in.number());
                number = in.number();
                atSeq = in.number();
                tsMs = in.number();
                epoch = in.text();
                isDuplicate = in.flag();
                tag = in.text();
                text = in.text();
                of = in.number();
                hash = in.bytes(16);
                files = in.list(Attachment::new);
                isPaused = in.flag();
                pressedSeq = in.number();
                filledSeq = in.number();
                ratedSeq = in.number();
        }

        public Conversation getConversation() {
                return conversation;
        }

        public String getCmid() {
                return cmid;
        }

        public Operation getOperation() {
                return operation;
        }

        public MessageState getState() {
                return state;
        }

        /** Told before, or perhaps told before. */
        public boolean isAgain() {
                return isAgain;
        }

        public EntryLog getLog() {
                return log;
        }

        /** From SENT on: its place; else 0. */
        public long getNumber() {
                return number;
        }

        /** From SENT on, team log; else 0. */
        public long getAtSeq() {
                return atSeq;
        }

        /** From SENT on: the server's time; before: when it was queued. */
        public long getTsMs() {
                return tsMs;
        }

        /** From SENT on; else "". */
        public String getEpoch() {
                return epoch;
        }

        /** SENT: the server had it already from an earlier try. */
        public boolean isDuplicate() {
                return isDuplicate;
        }

        /** FAILED: why; else "". */
        public String getTag() {
                return tag;
        }

        /** SEND, EDIT: its text. */
        public String getText() {
                return text;
        }

        /** EDIT, ERASE: number of the message meant; else 0. */
        public long getOf() {
                return of;
        }

        /** SEND: of kind and content; else zero. */
        public byte[] getHash() {
                return hash.clone();
        }

        /** Of an attachment; else empty. */
        public List<Attachment> getFiles() {
                return files;
        }

        /** UPLOADING: by Client.uploadPause. */
        public boolean isPaused() {
                return isPaused;
        }

        /** SEND: the choices entry it answers, 0 = none. */
        public long getPressedSeq() {
                return pressedSeq;
        }

        /** SEND: the form entry it answers, 0 = none. */
        public long getFilledSeq() {
                return filledSeq;
        }

        /** SEND: the survey it answers, 0 = none; show it there, not as a message. */
        public long getRatedSeq() {
                return ratedSeq;
        }
}
