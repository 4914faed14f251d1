/* SPDX-License-Identifier: Apache-2.0 */
/* Automaton: many words looked for in one text at once (Aho and Corasick, CACM 18(6), 1975). What is a hit depends on
 * the script: a word of letters with blanks between must stand whole, or begin a word; a Korean one stands anywhere
 * inside its eojeol, one of Han or kana anywhere. Sealed it never changes. */
#pragma once

#include "bots/text.h"

enum { AUTOMATON_HITS = 2000, AUTOMATON_WORDS = 100000 };

struct automaton;

struct automaton *automaton_new(void);                         /* NULL: out of memory */
struct automaton *automaton_free(struct automaton *automaton); /* NULL is welcome; always returns NULL */

/* The word, normalised as messages are; its number is that of an equal one when there is one. `automaton` NULL: only
 * looks. 0, -1: out of memory or too many words, -2: nothing is left of it. */
int automaton_add(struct automaton *automaton, struct span word, bool is_beginning, uint32_t *out_number);
int automaton_seal(struct automaton *automaton); /* -1: out of memory */
size_t automaton_words(const struct automaton *automaton);

struct automaton_hit {
        uint32_t word;
        uint16_t start, end; /* points of the text; a beginning ends where its token does */
};

/* In the order of where they end in the text; beyond AUTOMATON_HITS none are told. */
size_t automaton_find(const struct automaton *automaton, const struct bot_text *text,
                      struct automaton_hit out[AUTOMATON_HITS]);
