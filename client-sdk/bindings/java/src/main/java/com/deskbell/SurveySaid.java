/* SPDX-License-Identifier: Apache-2.0 */
package com.deskbell;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** The answer to one further question of a survey: struct deskbell_survey_said. */
public final class SurveySaid {
        private final String question;
        private final List<String> chosen;
        private final int number;
        private final String words;

        private SurveySaid(String question, List<String> chosen, int number, String words) {
                this.question = question;
                this.chosen = chosen;
                this.number = number;
                this.words = words;
        }

        SurveySaid(Unpacker in) {
                this(in.text(), in.list(Unpacker::text), (int) in.number(), in.text());
        }

        /** choice, choices: ids of what was chosen. */
        public static SurveySaid chosen(String question, List<String> ids) {
                return new SurveySaid(question, Collections.unmodifiableList(new ArrayList<>(ids)), -1, "");
        }

        /** scale. */
        public static SurveySaid number(String question, int number) {
                return new SurveySaid(question, Collections.emptyList(), number, "");
        }

        /** text. */
        public static SurveySaid words(String question, String words) {
                return new SurveySaid(question, Collections.emptyList(), -1, words);
        }

        void pack(Packer out) {
                out.text(question).number(chosen.size());
                for (String id : chosen)
                        out.text(id);
                out.number(number).text(words, ErrorCode.TEXT);
        }

        public String getQuestion() {
                return question;
        }

        public List<String> getChosen() {
                return chosen;
        }

        /** -1 = none. */
        public int getNumber() {
                return number;
        }

        /** "" = none. */
        public String getWords() {
                return words;
        }
}
