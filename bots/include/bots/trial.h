/* SPDX-License-Identifier: Apache-2.0 */
/* Trial: a conversation with a bot that is not in a server: what `deskbell bot test` and `deskbell bot sim` talk to. It
 * keeps state, facts, time and what was offered last, as the server would. One thread. */
#pragma once

#include "bots/step.h"

struct trial {
        const struct bot_version *version;
        char *state;  /* canonical text; NULL = new */
        char *locale; /* NULL = none */
        json_t *facts;
        int64_t now_ms;
        struct bot_turn turn; /* the last one */
        json_t *offers;       /* options of the last turns that offered any: id and label */
        char call[64];        /* the id waited for; "" = none */
};

/* 0, or -1: out of memory. The bot counts as open until a fact says otherwise. */
int trial_init(struct trial *trial, const struct bot_version *version, const char *locale, int64_t now_ms);
void trial_done(struct trial *trial);

/* 0, or -1: out of memory. A tap names what was offered: its label, its id, its number from 1, or helped=yes and
 * helped=no. 1: nothing like that was offered. */
int trial_says(struct trial *trial, struct span text);
int trial_taps(struct trial *trial, struct span what);
int trial_call(struct trial *trial, const json_t *result); /* 1: no call is waited for */

/* Runs a test of a checked bot. The number of turns in which something else came than was expected; what did is
 * appended to `problems` under the test's name. -1: out of memory. */
int trial_run(const struct bot_version *version, const json_t *test, struct bot_problems *problems);
