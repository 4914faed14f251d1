/* SPDX-License-Identifier: Apache-2.0 */
package com.deskbell;

/** What has become of a survey: enum deskbell_survey_state. */
public enum SurveyState {
        OTHER(0),
        /** For an answer. */
        WAITING(1),
        /** May be changed until it is locked. */
        ANSWERED(2),
        /** Its time is over. */
        EXPIRED(3),
        /** It was taken back. */
        WITHDRAWN(4),
        /** What a newer library tells and this binding does not know. */
        UNKNOWN(Integer.MIN_VALUE);

        private final int code;

        SurveyState(int code) {
                this.code = code;
        }

        /** The number of enum deskbell_survey_state in deskbell.h. */
        public int getCode() {
                return code;
        }

        static SurveyState of(long code) {
                for (SurveyState one : values())
                        if (one.code == code)
                                return one;
                return UNKNOWN;
        }
}
