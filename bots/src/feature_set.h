/* SPDX-License-Identifier: Apache-2.0 */
/* Features: what the ranker sees of a text: keys with a weight, by script. Integers only, no memory taken; the same for
 * training and answering. Whatever changes what comes out is a new BOT_RANKER_RECIPE. */
#pragma once

#include "bots/text.h"

enum {
        BOT_FEATURES = 4000, /* of one text at most; what comes later in the text is left out */
};

enum bot_family {
        BOT_FAMILY_WORD,
        BOT_FAMILY_STEM,
        BOT_FAMILY_BIGRAM,     /* of stems, with the start and the end of the text */
        BOT_FAMILY_CLASS,      /* what kind of word: packs/words */
        BOT_FAMILY_CLASS_PAIR, /* neighbours, at least one of them known by its class */
        BOT_FAMILY_GRAM2,      /* letters inside a word, with its borders */
        BOT_FAMILY_GRAM3,
        BOT_FAMILY_GRAM4,
        BOT_FAMILY_POINT1, /* points of the text, a blank is one */
        BOT_FAMILY_POINT2,
        BOT_FAMILY_TIGHT2, /* points of the text without its blanks */
        BOT_FAMILY_TIGHT3,
        BOT_FAMILY_TIGHT4,
        BOT_FAMILY_JAMO3, /* letters of Korean syllables, without blanks */
        BOT_FAMILIES
};

enum bot_writing {
        BOT_WRITING_ENGLISH,
        BOT_WRITING_WORDS,     /* Spanish, German, French and all others with blanks */
        BOT_WRITING_SYLLABLES, /* Korean */
        BOT_WRITING_POINTS,    /* Chinese, Japanese */
        BOT_WRITINGS
};

enum bot_writing bot_writing_of(const char *lang); /* a language tag */

struct bot_feature {
        uint32_t key;
        uint16_t weight; /* of its family, damped by how often it stands in the text */
        uint8_t family, times;
};

struct bot_features {
        struct bot_feature at[BOT_FEATURES]; /* in order of first appearance, each key once */
        uint32_t count;
};

void bot_features_of(const struct bot_text *text, enum bot_writing writing, struct bot_features *out);
