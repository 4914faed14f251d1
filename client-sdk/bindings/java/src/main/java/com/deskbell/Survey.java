/* SPDX-License-Identifier: Apache-2.0 */
package com.deskbell;

import java.util.List;

/** A survey, and what has become of it: struct deskbell_survey. */
public final class Survey {
        private final String offer;
        private final String survey;
        private final long version;
        private final String metric;
        private final String style;
        private final int min;
        private final int max;
        private final String low;
        private final String high;
        private final List<SurveyQuestion> questions;
        private final String comment;
        private final String contact;
        private final String thanks;
        private final String colour;
        private final String brand;
        private final SurveyState state;
        private final long untilMs;
        private final int score;
        private final String said;
        private final List<SurveySaid> answers;
        private final int wantsContact;
        private final boolean isLocked;

        Survey(Unpacker in) {
                offer = in.text();
                survey = in.text();
                version = in.number();
                metric = in.text();
                style = in.text();
                min = (int) in.number();
                max = (int) in.number();
                low = in.text();
                high = in.text();
                questions = in.list(SurveyQuestion::new);
                comment = in.text();
                contact = in.text();
                thanks = in.text();
                colour = in.text();
                brand = in.text();
                state = SurveyState.of(in.number());
                untilMs = in.number();
                score = (int) in.number();
                said = in.text();
                answers = in.list(SurveySaid::new);
                wantsContact = (int) in.number();
                isLocked = in.flag();
        }

        /**
         * Looks whether `answer` answers this survey, as Conversation.answer does; pure. What does not fit first:
         * "score", "said", "contact", the id of a question, "" when nothing is said; null when all does.
         */
        public String check(Rating answer) {
                Packer in = new Packer().number(min).number(max).text(comment).text(contact).number(questions.size());
                for (SurveyQuestion question : questions)
                        question.pack(in);
                answer.pack(in);
                byte[][] wrong = new byte[1][];
                int rc = Native.surveyCheck(in.bytes(), wrong);
                if (rc == ErrorCode.FORM.getCode())
                        return new Unpacker(null, wrong[0]).text();
                DeskbellException.check(rc);
                return null;
        }

        /** "off_...": this asking. */
        public String getOffer() {
                return offer;
        }

        /** "sur_...": what is asked. */
        public String getSurvey() {
                return survey;
        }

        public long getVersion() {
                return version;
        }

        /** "csat", "nps" or "ces". */
        public String getMetric() {
                return metric;
        }

        /** How to draw the scale: "stars", "emoji", "numbers" or "thumbs". */
        public String getStyle() {
                return style;
        }

        public int getMin() {
                return min;
        }

        public int getMax() {
                return max;
        }

        /** What min means; "" = not said. */
        public String getLow() {
                return low;
        }

        /** What max means; "" = not said. */
        public String getHigh() {
                return high;
        }

        public List<SurveyQuestion> getQuestions() {
                return questions;
        }

        /** The question for a comment; "" = no comment is taken. */
        public String getComment() {
                return comment;
        }

        /** The words beside the tick "please contact me"; "" = it is not offered. */
        public String getContact() {
                return contact;
        }

        /** To show when it was answered. */
        public String getThanks() {
                return thanks;
        }

        /** Of the brand, "#rrggbb"; "" = yours. */
        public String getColour() {
                return colour;
        }

        /** Whose survey it is; "" = not said. */
        public String getBrand() {
                return brand;
        }

        public SurveyState getState() {
                return state;
        }

        /** Answers are taken until then at the latest. */
        public long getUntilMs() {
                return untilMs;
        }

        /** As answered; -1 = none. */
        public int getScore() {
                return score;
        }

        /** The comment, as answered; "" = none. */
        public String getSaid() {
                return said;
        }

        /** To the further questions, as answered. */
        public List<SurveySaid> getAnswers() {
                return answers;
        }

        /** The tick, as answered: 1, 0; -1 = not said. */
        public int getWantsContact() {
                return wantsContact;
        }

        /** The answer can no longer be changed. */
        public boolean isLocked() {
                return isLocked;
        }
}
