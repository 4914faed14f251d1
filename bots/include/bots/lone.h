/* SPDX-License-Identifier: Apache-2.0 */
/* Lone: the one answer that a bot is sure of, for a question out of any conversation, of a customer of whom nothing is
 * known: what a device may say while it cannot reach the server. Pure, as a step is. */
#pragma once

#include "bots/version.h"

enum { BOT_LONE_RULE = 80 };

struct bot_lone {
        char *text;               /* as docs/bots.md writes texts; free() it */
        char rule[BOT_LONE_RULE]; /* "faq refund.policy" */
};

/* 1 and *out; 0: there is none; -1: out of memory. None for a message that a step would not simply answer: words that
 * always hold, dialogues, choices, and answers whose condition, text or end is for the server to say. The thresholds
 * are those of a step. */
int bot_lone_answer(const struct bot_version *version, struct span text, const char *locale, struct bot_lone *out);
