/* SPDX-License-Identifier: Apache-2.0 */
package com.deskbell;

/** How things stand now: struct deskbell_status. */
public final class Status {
        private final long queued;
        private final long queuedBytes;
        private final long failed;
        private final long unread;
        private final boolean isOnline;
        private final boolean isCaughtUp;
        private final boolean hasCallbacksWaiting;

        Status(Unpacker in) {
                queued = in.number();
                queuedBytes = in.number();
                failed = in.number();
                unread = in.number();
                isOnline = in.flag();
                isCaughtUp = in.flag();
                hasCallbacksWaiting = in.flag();
        }

        /** Messages without a final answer. */
        public long getQueued() {
                return queued;
        }

        public long getQueuedBytes() {
                return queuedBytes;
        }

        /** FAILED or EXPIRED and not forgotten. */
        public long getFailed() {
                return failed;
        }

        /** As Listener.onUnread. */
        public long getUnread() {
                return unread;
        }

        public boolean isOnline() {
                return isOnline;
        }

        /** Online, the feed is read to the end and no known entry is missing. */
        public boolean isCaughtUp() {
                return isCaughtUp;
        }

        /** With callbacks by dispatch. */
        public boolean hasCallbacksWaiting() {
                return hasCallbacksWaiting;
        }
}
