/* SPDX-License-Identifier: Apache-2.0 */
package com.deskbell;

import java.nio.ByteBuffer;

/** A file to be sent, a local path or bytes: struct deskbell_file_source. */
public final class FileSource {
        private final String path;
        private final Object bytes;
        private String name;
        private String media;

        private FileSource(String path, Object bytes) {
                this.path = path;
                this.bytes = bytes;
        }

        /** A local file that stays as it is until the message is SENT. */
        public static FileSource ofPath(String path) {
                return new FileSource(path, null);
        }

        /** Read by Conversation.sendFile, which copies them into a file of its own. */
        public static FileSource ofBytes(byte[] bytes) {
                return new FileSource(null, bytes);
        }

        /** What remains in the buffer now; a direct one is read in its place by Conversation.sendFile. */
        public static FileSource ofBytes(ByteBuffer buffer) {
                if (buffer.isDirect())
                        return new FileSource(null, buffer.slice());
                byte[] bytes = new byte[buffer.remaining()];
                buffer.duplicate().get(bytes);
                return new FileSource(null, bytes);
        }

        /** Shown to the others, 1-255 characters; without it the last part of the path, or "file". */
        public FileSource name(String value) {
                name = value;
                return this;
        }

        /** "image/png"; without it guessed from the end of the name. */
        public FileSource media(String value) {
                media = value;
                return this;
        }

        Object bytes() {
                return bytes;
        }

        void pack(Packer out) {
                out.text(path).text(name).text(media);
        }
}
