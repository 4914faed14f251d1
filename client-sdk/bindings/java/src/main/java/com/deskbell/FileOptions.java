/* SPDX-License-Identifier: Apache-2.0 */
package com.deskbell;

import java.util.ArrayList;
import java.util.List;

/** A message with files: struct deskbell_file_options. */
public final class FileOptions {
        private final List<FileSource> files = new ArrayList<>();
        private String text;
        private EntryLog log = EntryLog.PUBLIC;
        private long replyTo;
        private String cmid;
        private boolean waitForDisk;

        /** One more file; 1-10 of them. */
        public FileOptions file(FileSource file) {
                files.add(file);
                return this;
        }

        /** The caption. */
        public FileOptions text(String value) {
                text = value;
                return this;
        }

        /** TEAM = in a note; staff only. */
        public FileOptions log(EntryLog value) {
                log = value;
                return this;
        }

        /** The seq it answers. */
        public FileOptions replyTo(long seq) {
                replyTo = seq;
                return this;
        }

        /** An id made by Client.newCmid; without it one is made. */
        public FileOptions cmid(String value) {
                cmid = value;
                return this;
        }

        /** Return when the message is on this device's disk, some ms later. */
        public FileOptions waitForDisk() {
                waitForDisk = true;
                return this;
        }

        Object[] bytes() {
                Object[] all = new Object[files.size()];
                for (int i = 0; i < all.length; i++)
                        all[i] = files.get(i).bytes();
                return all;
        }

        void pack(Packer out) {
                out.number(files.size());
                for (FileSource file : files)
                        file.pack(out);
                out.text(text, ErrorCode.TEXT).number(log.getCode()).number(replyTo).text(cmid).flag(waitForDisk);
        }
}
