/* SPDX-License-Identifier: Apache-2.0 */
/* Match: the regular expressions that authors may write, in time linear in the text: classes [A-Z0-9_] [^x], a dot, ? *
 * + {m} {m,} {m,n} with n <= 64, ( | ), \ before a sign, \d for a digit, \w for a letter of a-z, a digit or _. No
 * back-references, no looking around, no anchors: where it must begin and end the caller says. Case does not matter for
 * a-z. A Pike machine over code points, after Thompson's construction: Russ Cox, "Regular Expression Matching: the
 * Virtual Machine Approach" (2009). Any thread; a match never changes. */
#pragma once

#include <stdbool.h>

#include "protocol/span.h"

enum { BOT_MATCH_PROGRAM = 600, BOT_MATCH_TEXT = 1000 };

struct bot_match;

/* NULL: *out_wrong says why, in words that go on after "match: "; static. `out_wrong` may be NULL. */
struct bot_match *bot_match_new(struct span pattern, const char **out_wrong);
struct bot_match *bot_match_free(struct bot_match *match); /* NULL is welcome; always returns NULL */

/* All of it. */
bool bot_match_whole(const struct bot_match *match, struct span text);

/* The first place, and there the longest, that neither begins nor ends inside a run of digits or of letters of a-z.
 * At most BOT_MATCH_TEXT code points are read. *out_found is a part of `text`. */
bool bot_match_find(const struct bot_match *match, struct span text, struct span *out_found);
