/* SPDX-License-Identifier: Apache-2.0 */
package com.deskbell;

/** What an entry is: enum deskbell_kind. Show what you do not know by its text. */
public enum Kind {
        OTHER(0),
        TEXT(1),
        /** Its text is the caption, or a line that names the files. */
        ATTACHMENT(2),
        CHOICES(3),
        CARD(4),
        FORM(5),
        ARTICLE(6),
        /** The customer is asked how it went. */
        SURVEY(8),
        /** His answer to survey `of`. */
        RATING(9),
        /** The message with number `of` now has another version and text. */
        EDIT(20),
        /** The message with number `of` is gone. */
        ERASE(21),
        /** What is left of an erased message. */
        ERASED(22),
        /** Team log: what public message `of` read before it was edited. */
        REVISION(23),
        /** Survey `of` is no longer asked. */
        SURVEY_END(27),
        /** What a newer library tells and this binding does not know. Not to be given to a call. */
        UNKNOWN(Integer.MIN_VALUE);

        private final int code;

        Kind(int code) {
                this.code = code;
        }

        /** The number of enum deskbell_kind in deskbell.h. */
        public int getCode() {
                return code;
        }

        static Kind of(long code) {
                for (Kind one : values())
                        if (one.code == code)
                                return one;
                return UNKNOWN;
        }
}
