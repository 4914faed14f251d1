/* SPDX-License-Identifier: Apache-2.0 */
/* Names: texts that come often, as numbers from 1. Bounded: what comes when the table is full has the number 0, like
 * the empty text. One thread at a time. */
#pragma once

#include "protocol/span.h"

enum { BOT_NAMES_MAX = 20000 };

struct bot_names {
        char **texts;         /* by number; [0] is "" */
        uint32_t count, room; /* the highest number */
        uint32_t *slots, slot_count;
        bool is_full; /* something was turned away */
};

int bot_names_init(struct bot_names *names); /* 0, or -1: out of memory */
void bot_names_done(struct bot_names *names);

/* The number of that text; *out_is_new (may be NULL) that it had none before. -1: out of memory. */
int64_t bot_names_number(struct bot_names *names, struct span text, bool *out_is_new);
