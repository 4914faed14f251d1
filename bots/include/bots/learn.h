/* SPDX-License-Identifier: Apache-2.0 */
/* Learn: questions that customers asked become examples of an answer: canonical form in, canonical form out. What comes
 * out still has to pass bot_check, like everything that an author wrote. No I/O. Any thread. */
#pragma once

#include <jansson.h>

#include "protocol/span.h"

struct bot_lesson {
        struct span text; /* UTF-8; runs of white space become one blank */
        const char *lang; /* in which it was asked; "" = the bot's own */
};

/* A copy of `bot` (a canonical object that passed bot_check) with the texts as further examples of `answer` ("faq NAME"
 * or "flow NAME"), each in its language where the bot speaks it ("zh-TW": else zh), else in the bot's own. A text that
 * reads like an example of that answer and language (bot_text_key) is there already: it is left out, and not counted in
 * *out_added. NULL: the bot has no such answer (*out_added = 0), or out of memory (*out_added = SIZE_MAX). */
json_t *bot_learn(const json_t *bot, const char *answer, const struct bot_lesson *lessons, size_t count,
                  size_t *out_added);
