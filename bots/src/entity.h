/* SPDX-License-Identifier: Apache-2.0 */
/* Entity: what a flow asks for, found in the customer's words. Those of the author are a list of values with their
 * words or a regular expression (match.h); built in are text, number, date, email, phone and yesno, in en, ko, zh, ja,
 * es, de and fr. Compiled ones never change; any thread. */
#pragma once

#include <jansson.h>

#include "bots/text.h"

enum { BOT_ENTITY_VALUE = 256 };

bool bot_entity_is_builtin(const char *name);

struct bot_entity;

/* Of one entity of a checked bot. NULL: out of memory. */
struct bot_entity *bot_entity_new(const json_t *entity);
struct bot_entity *bot_entity_free(struct bot_entity *entity); /* NULL is welcome; always returns NULL */

/* One message, and what is needed to read it. */
struct bot_words {
        struct span original;
        const struct bot_text *text;
        const char *lang;
        int64_t now_ms;         /* for "tomorrow" */
        int utc_offset_minutes; /* where the customer is */
};

/* Writes the value, zero-terminated: of a list its value, of a date YYYY-MM-DD, of a number its digits with a point, of
 * a phone its digits, of yesno "yes" or "no", else what stands in the message. false: there is none. */
bool bot_entity_find(const struct bot_entity *entity, const struct bot_words *words, char out[BOT_ENTITY_VALUE]);
bool bot_builtin_find(const char *name, const struct bot_words *words, char out[BOT_ENTITY_VALUE]);
