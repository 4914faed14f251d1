/* SPDX-License-Identifier: Apache-2.0 */
package com.deskbell;

/** How far a file of an UPLOADING message is: struct deskbell_progress. */
public final class Progress {
        private final Conversation conversation;
        private final String cmid;
        private final int file;
        private final int files;
        private final long sent;
        private final long total;

        Progress(Unpacker in) {
                conversation = in.conversation();
                cmid = in.text();
                file = (int) in.number();
                files = (int) in.number();
                sent = in.number();
                total = in.number();
        }

        public Conversation getConversation() {
                return conversation;
        }

        /** Of the message. */
        public String getCmid() {
                return cmid;
        }

        /** Which one, from 0. */
        public int getFile() {
                return file;
        }

        /** Of how many. */
        public int getFiles() {
                return files;
        }

        /** Bytes of this file that are on the server's disk. */
        public long getSent() {
                return sent;
        }

        /** Bytes of this file. */
        public long getTotal() {
                return total;
        }
}
