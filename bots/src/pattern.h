/* SPDX-License-Identifier: Apache-2.0 */
/* Patterns: rules by words in order, as authors write them behind ~:
 *
 *     refund .. (how | policy | rule*)
 *
 * Words follow each other; `..` lets up to three words stand between; ( | ) are alternatives of one or more words; a
 * word that ends in * is a beginning; ^ at the front and $ at the end hold it to the message's ends. Case, marks and
 * width do not matter. A Korean word is found inside its eojeol ("환불" in "환불해주세요"), one of Han or kana
 * anywhere. A synonym stands for its word and the other way round.
 *
 * All words of a set are in one Aho-Corasick automaton (CACM 18(6), 1975); the rules whose words all occur are then
 * tried one by one. Work is bounded by the message and the rules that have a word in it. A sealed set never changes and
 * may be used from many threads. */
#pragma once

#include <jansson.h>

#include "bots/text.h"

enum { BOT_PATTERN_PARTS = 16, BOT_PATTERN_WAYS = 24, BOT_PATTERN_WORDS = 8 };

/* NULL, or what is wrong, in words that go on after "the pattern: "; static. */
const char *bot_pattern_wrong(struct span pattern);

struct bot_patterns;

struct bot_patterns *bot_patterns_new(void);                           /* NULL: out of memory */
struct bot_patterns *bot_patterns_free(struct bot_patterns *patterns); /* NULL is welcome; always returns NULL */

/* `synonyms` = {"refund": ["money back", "reimburse*"]}, or NULL. 0, or -1: out of memory, or bot_pattern_wrong. A rule
 * may have several patterns; a higher priority wins. */
int bot_patterns_add(struct bot_patterns *patterns, struct span pattern, uint32_t rule, unsigned priority,
                     const json_t *synonyms);

/* After the last one was added; -1: out of memory. */
int bot_patterns_seal(struct bot_patterns *patterns);

struct bot_pattern_hit {
        uint32_t rule;
        uint16_t priority, words; /* words that the pattern asked for */
        uint16_t start, end;      /* points of the text */
};

/* The best first: by priority, words, length of what was matched, then the lower rule; at most `room`, each rule once.
 * Rules with a bit in `allowed` only (NULL = all). */
size_t bot_patterns_match(const struct bot_patterns *patterns, const struct bot_text *text, const uint8_t *allowed,
                          struct bot_pattern_hit *out, size_t room);
