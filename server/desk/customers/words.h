/* SPDX-License-Identifier: Apache-2.0 */
/* Words: what people and canned replies are found by without the full-text index: folded words, each as a row of its
 * own, looked for by their beginning. Pure; any thread. */
#pragma once

#include "protocol/arena.h"
#include "protocol/span.h"

enum { WORDS_MAX = 400, WORD_TERMS = 8 };

struct words {
        struct arena *arena; /* of the copies */
        struct span *at;     /* no word twice */
        size_t count, most;  /* what comes behind `most` is left out */
};

/* `most` at most WORDS_MAX. 0, or -1: out of memory. */
int words_init(struct words *words, struct arena *arena, size_t most);
int words_add(struct words *words, struct span text);

/* A term of a query: words from `low` on and below `high` begin with it. */
struct word_range {
        struct span low, high;
};
/* What a person typed as terms, the longest first: all have to be there. Returns how many; -1: out of memory. */
int words_query(struct span typed, struct arena *arena, struct word_range out_terms[WORD_TERMS]);
