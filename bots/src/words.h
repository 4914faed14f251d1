/* SPDX-License-Identifier: Apache-2.0 */
/* Words: the words of a text in Latin letters, with what the ranker knows about them: accents folded, English short
 * forms written out, stems, word classes. Integers only, no memory taken. */
#pragma once

#include "bots/text.h"

enum { BOT_WORDS = 250, BOT_WORD_POINTS = 30, BOT_WORD_CLASSES = 4 };

struct bot_word {
        uint32_t points[BOT_WORD_POINTS]; /* a longer word is cut */
        uint8_t len, stem_len;            /* the stem is the beginning of the word */
        uint8_t class_count;
        bool is_small; /* says little by itself: "the", "of" */
        uint16_t classes[BOT_WORD_CLASSES];
};

struct bot_words {
        struct bot_word at[BOT_WORDS];
        size_t count;
};

void bot_words_of(const struct bot_text *text, bool is_english, struct bot_words *out);
