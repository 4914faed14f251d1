/* SPDX-License-Identifier: Apache-2.0 */
package com.deskbell;

import java.util.List;

/** A further question of a survey: struct deskbell_survey_question. Ask it when the score is within its two bounds. */
public final class SurveyQuestion {
        private final String id;
        private final String kind;
        private final String text;
        private final List<Choice> choices;
        private final int min;
        private final int max;
        private final String low;
        private final String high;
        private final boolean isRequired;
        private final int fromScore;
        private final int toScore;

        SurveyQuestion(Unpacker in) {
                id = in.text();
                kind = in.text();
                text = in.text();
                choices = in.list(Choice::new);
                min = (int) in.number();
                max = (int) in.number();
                low = in.text();
                high = in.text();
                isRequired = in.flag();
                fromScore = (int) in.number();
                toScore = (int) in.number();
        }

        void pack(Packer out) {
                out.text(id).text(kind).number(min).number(max).number(choices.size());
                for (Choice choice : choices)
                        out.text(choice.getId());
        }

        public String getId() {
                return id;
        }

        /** "choice", "choices" (several), "scale" or "text"; what you do not know: leave it out. */
        public String getKind() {
                return kind;
        }

        public String getText() {
                return text;
        }

        public List<Choice> getChoices() {
                return choices;
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

        /** Ask once more before it is left out; an answer without it is taken. */
        public boolean isRequired() {
                return isRequired;
        }

        public int getFromScore() {
                return fromScore;
        }

        public int getToScore() {
                return toScore;
        }
}
