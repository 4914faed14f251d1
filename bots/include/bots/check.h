/* SPDX-License-Identifier: Apache-2.0 */
/* Check: whether a canonical object, from wherever it came, is a bot: every member known and of its type, every name
 * that is used defined, every bound kept, every pattern readable. What passes can be built and printed. Any thread. */
#pragma once

#include "bots/source.h"

enum {
        BOT_ANSWERS_MAX = 2000, /* faqs and flows together */
        BOT_STEPS_MAX = 5000,   /* of all flows and handoffs */
        BOT_EXAMPLES_MAX = 50000,
        BOT_EXAMPLE_CHARACTERS = 1000,
        BOT_TEXT_CHARACTERS = 4000, /* of a text that the bot says */
        BOT_LABEL_CHARACTERS = 80,
        BOT_BUTTONS_MAX = 8,
        BOT_LANGUAGES_MAX = 20,
        BOT_NESTING_MAX = 8,
};

/* Adds what is wrong to `problems`; true: nothing is (warnings apart). `places` and `files` as bot_source_read gave and
 * took them, or NULL. */
bool bot_check(const json_t *bot, const json_t *places, const struct bot_file *files, struct bot_problems *problems);

/* What a bot that passed bot_check should still be told: texts that a language lacks, answers with too few examples, an
 * example that stands under two answers or that another answer's pattern takes, steps that are never reached, names in
 * a text that nothing sets, entities that nothing asks for, hand-offs without a word for closed hours, a ladder of
 * misses that never ends with a person. All are warnings. */
void bot_lint(const json_t *bot, const json_t *places, const struct bot_file *files, struct bot_problems *problems);

/* Answers whose examples do not find each other: fewer than half of those of a language come first when each is asked
 * of the others. What stands in one example alone cannot be learned. Each is a warning in `notes`; languages with more
 * than BOT_HELD_BACK_MOST examples are left out. Learns: a second for a thousand examples. 0, or -1: out of memory. */
int bot_lint_thin(const json_t *bot, const json_t *places, const struct bot_file *files, struct bot_problems *notes);
