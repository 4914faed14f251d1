/* SPDX-License-Identifier: Apache-2.0 */
/* Always: what a customer may say at any time, in every bot, which no bot file can switch off: that he wants a person,
 * to stop, to begin again; and words at which no bot should go on alone. The patterns lie in packs/always/LANG.txt, a
 * line each, after the word that names the rule. */
#pragma once

#include "pattern.h"

enum always_rule { ALWAYS_CARE, ALWAYS_PERSON, ALWAYS_STOP, ALWAYS_RESTART, ALWAYS_RULES };

struct always;

struct always *always_new(void);                   /* NULL: out of memory */
struct always *always_free(struct always *always); /* NULL is welcome; always returns NULL */

/* Which rule a message of that language, or an English one, meets; -1: none. */
int always_match(const struct always *always, const char *lang, const struct bot_text *text);
