/* SPDX-License-Identifier: Apache-2.0 */
package com.deskbell;

/** A file of a message: struct deskbell_file. */
public final class Attachment {
        private final String id;
        private final String name;
        private final String media;
        private final long size;
        private final int width;
        private final int height;
        private final byte[] sha256;

        /** A file that is known from elsewhere; id, size and sha256 (32 bytes) are what Client.fetchFile needs. */
        public Attachment(String id, String name, String media, long size, int width, int height, byte[] sha256) {
                if (sha256.length != 32)
                        throw new DeskbellException(ErrorCode.INVALID);
                this.id = id;
                this.name = name;
                this.media = media;
                this.size = size;
                this.width = width;
                this.height = height;
                this.sha256 = sha256.clone();
        }

        Attachment(Unpacker in) {
                id = in.text();
                name = in.text();
                media = in.text();
                size = in.number();
                width = (int) in.number();
                height = (int) in.number();
                sha256 = in.bytes(32);
        }

        /** 32 hex digits; "" = not on the server yet. */
        public String getId() {
                return id;
        }

        /** As the sender named it: show it, never use it as a path. */
        public String getName() {
                return name;
        }

        /** "image/png"; of a received file what the server found it to be. */
        public String getMedia() {
                return media;
        }

        /** Bytes; -1 = not known yet. */
        public long getSize() {
                return size;
        }

        /** Of an image; 0 = not known. */
        public int getWidth() {
                return width;
        }

        /** Of an image; 0 = not known. */
        public int getHeight() {
                return height;
        }

        public byte[] getSha256() {
                return sha256.clone();
        }
}
