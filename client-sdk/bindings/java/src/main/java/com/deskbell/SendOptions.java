/* SPDX-License-Identifier: Apache-2.0 */
package com.deskbell;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** How a text is sent: struct deskbell_send_options. */
public final class SendOptions {
        private EntryLog log = EntryLog.PUBLIC;
        private long replyTo;
        private long pressedSeq;
        private String pressedId;
        private String cmid;
        private long filledSeq;
        private List<FormValue> filled = Collections.emptyList();
        private boolean waitForDisk;

        /** TEAM = a note; staff only. */
        public SendOptions log(EntryLog value) {
                log = value;
                return this;
        }

        /** The seq it answers. */
        public SendOptions replyTo(long seq) {
                replyTo = seq;
                return this;
        }

        /** A tap on a choice: the entry, and the choice. */
        public SendOptions pressed(long seq, String choiceId) {
                pressedSeq = seq;
                pressedId = choiceId;
                return this;
        }

        /** An id made by Client.newCmid; without it one is made. */
        public SendOptions cmid(String value) {
                cmid = value;
                return this;
        }

        /** A form that was filled in: the entry, and 1-20 values; fields without one may be left out. */
        public SendOptions filled(long seq, List<FormValue> values) {
                filledSeq = seq;
                filled = new ArrayList<>(values);
                return this;
        }

        /** Return when the message is on this device's disk, some ms later. */
        public SendOptions waitForDisk() {
                waitForDisk = true;
                return this;
        }

        void pack(Packer out) {
                out.number(log.getCode()).number(replyTo).number(pressedSeq).text(pressedId).text(cmid);
                out.number(filledSeq).number(filled.size());
                for (FormValue value : filled)
                        value.pack(out);
                out.flag(waitForDisk);
        }
}
