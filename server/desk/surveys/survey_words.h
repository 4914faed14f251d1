/* SPDX-License-Identifier: Apache-2.0 */
/* Words that customers read and nobody has to write: of surveys without texts of their own, and of the page of a signed
 * link. In en, ko, zh (simplified) and ja. Pure; any thread. */
#pragma once

#include "protocol/span.h"

enum { SURVEY_BUILT_IN = 4 };

/* What is asked, as built-in words tell apart. */
enum survey_asking { SURVEY_ASKS_CSAT, SURVEY_ASKS_THUMBS, SURVEY_ASKS_NPS, SURVEY_ASKS_CES, SURVEY_ASKINGS };

struct survey_words {
        const char *lang; /* en, ko, zh, ja */
        struct {
                const char *question, *low, *high;
        } of[SURVEY_ASKINGS];
        const char *comment, *contact, *thanks;
        /* of the page */
        const char *send, *required_mark, *answered, *change, *ended, *bad_link, *bad_answer, *later;
};

extern const struct survey_words survey_built_in[SURVEY_BUILT_IN]; /* [0] is English */

/* Those of that language or its base language; NULL: there are none. */
const struct survey_words *survey_words_of(struct span lang);

/* Language tags. The base of ko-KR is ko. Compared without regard to case. */
struct span survey_lang_base(struct span lang);
bool survey_lang_equal(struct span one, struct span other);
bool survey_lang_is_valid(struct span lang); /* letters, digits and single dashes, as pt-BR */
