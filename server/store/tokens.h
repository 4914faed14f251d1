/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens: what the full-text index keeps of a text, and what it looks for. Text is folded (NFKC, case) and cut into
 * runs: words of letters and digits; and runs of Han, kana and Hangul, which become overlapping pairs of characters.
 * Between two Hangul runs parted by spaces alone the pair across the gap is kept too, as if there were no space, so
 * that 환불 finds 환 불. The last character of a run is a token of its own, so that a one-character query finds it by
 * prefix. Pure; any thread. */
#pragma once

#include "protocol/span.h"

enum { TOKEN_MAX_BYTES = 64 }; /* longer words are cut here, in texts and in queries alike */

enum token_purpose {
        TOKENS_TEXT,  /* all forms */
        TOKENS_QUERY, /* pairs only; a run of one character is itself */
};

/* `is_beside`: at the same place as the token before it. Not 0: stop, and tokens_cut answers that. */
typedef int tokens_each(void *data, struct span token, bool is_beside);

/* Calls `each` for every token in order. 0, what `each` said, or -1: out of memory. Bytes that are not UTF-8 part
 * words. */
int tokens_cut(struct span text, enum token_purpose purpose, tokens_each *each, void *data);

enum { QUERY_MAX_TERMS = 16 }; /* what comes after is ignored */

/* The query of the index's engine for what a person typed: all of its words, in any order, words of letters by their
 * beginning, in column `column`. What was typed is data, never syntax. *out_query is malloc'd. Returns the number of
 * terms; 0: nothing that could be looked for, *out_query untouched; -1: out of memory. */
int tokens_query(struct span typed, const char *column, char **out_query);

/* Where what a person typed stands in a text: *out_hit is the first place, in `text` itself, of any of its words. 1:
 * all of them are there; 0: not all, or nothing could be looked for; -1: out of memory. */
int tokens_find(struct span text, struct span typed, struct span *out_hit);
