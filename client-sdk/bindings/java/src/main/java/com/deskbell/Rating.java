/* SPDX-License-Identifier: Apache-2.0 */
package com.deskbell;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** An answer to a survey, or more of one: struct deskbell_rating. What is not set stays as it was answered before. */
public final class Rating {
        private int score = -1;
        private String said;
        private List<SurveySaid> answers = Collections.emptyList();
        private int wantsContact = -1;
        private String cmid;
        private boolean waitForDisk;

        /** Within min and max of the survey. */
        public Rating score(int value) {
                score = value;
                return this;
        }

        /** The comment, at most 2,000 characters; the answer cannot be changed after it. */
        public Rating said(String comment) {
                said = comment;
                return this;
        }

        /** To further questions, each at most once. */
        public Rating answers(List<SurveySaid> values) {
                answers = new ArrayList<>(values);
                return this;
        }

        /** The tick "please contact me". */
        public Rating wantsContact(boolean isTicked) {
                wantsContact = isTicked ? 1 : 0;
                return this;
        }

        /** An id made by Client.newCmid; without it one is made. */
        public Rating cmid(String value) {
                cmid = value;
                return this;
        }

        /** Return when the answer is on this device's disk, some ms later. */
        public Rating waitForDisk() {
                waitForDisk = true;
                return this;
        }

        void pack(Packer out) {
                out.number(score).text(said, ErrorCode.TEXT).number(answers.size());
                for (SurveySaid one : answers)
                        one.pack(out);
                out.number(wantsContact).text(cmid).flag(waitForDisk);
        }
}
