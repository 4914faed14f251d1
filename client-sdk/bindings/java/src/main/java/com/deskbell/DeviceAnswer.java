/* SPDX-License-Identifier: Apache-2.0 */
package com.deskbell;

/** What this device has found for a message of its own without a session: struct deskbell_device_answer. */
public final class DeviceAnswer {
        private final Conversation conversation;
        private final String cmid;
        private final String text;
        private final String rule;
        private final String version;
        private final long tsMs;
        private final boolean isAgain;
        private final boolean isTakenBack;

        DeviceAnswer(Unpacker in) {
                conversation = in.conversation();
                cmid = in.text();
                text = in.text();
                rule = in.text();
                version = in.text();
                tsMs = in.number();
                isAgain = in.flag();
                isTakenBack = in.flag();
        }

        public Conversation getConversation() {
                return conversation;
        }

        /** Of the message that it answers. */
        public String getCmid() {
                return cmid;
        }

        /** To be shown below that message, marked as found on this device. */
        public String getText() {
                return text;
        }

        /** What answered: "faq refund.policy". */
        public String getRule() {
                return rule;
        }

        /** Of the bot that it is from: 64 hex digits. */
        public String getVersion() {
                return version;
        }

        public long getTsMs() {
                return tsMs;
        }

        /** Was told before. */
        public boolean isAgain() {
                return isAgain;
        }

        /** Not to be shown any more. */
        public boolean isTakenBack() {
                return isTakenBack;
        }
}
