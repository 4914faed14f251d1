/* SPDX-License-Identifier: Apache-2.0 */
/* Version: a published bot: its canonical form and what was learned from its examples, in one blob. A blob is data from
 * outside: loading checks all of it. A loaded version never changes and may be used from many threads. */
#pragma once

#include <jansson.h>

#include "bots/check.h"
#include "bots/ranker.h"

enum {
        BOT_VERSION_BLOB = 96 << 20, /* bytes at most */
        BOT_VERSION_NAME = 65,       /* 64 hex digits and a zero */
};

/* What training found in one language. */
struct bot_language_report {
        char lang[36];
        int error; /* 0, or -enum bot_ranker_error: this language has no ranker */
        struct bot_train_report train;
};

struct bot_build_report {
        size_t count;
        struct bot_language_report languages[BOT_LANGUAGES_MAX];
};

/* Checks the bot, trains a ranker for each language that has examples, and appends the blob to `out`. 0; -1: it did not
 * pass the check (see `problems`); -2: out of memory. Takes seconds for tens of thousands of examples. */
int bot_version_build(const json_t *bot, struct bot_problems *problems, struct writer *out,
                      struct bot_build_report *out_report);

struct bot_version;

/* NULL: *out_wrong (may be NULL) says why, one static sentence. Takes what it needs of `blob`. */
struct bot_version *bot_version_load(struct span blob, const char **out_wrong);
struct bot_version *bot_version_free(struct bot_version *version); /* NULL is welcome; always returns NULL */

const char *bot_version_id(const struct bot_version *version);    /* 64 hex digits: SHA-256 of the canonical form */
const json_t *bot_version_bot(const struct bot_version *version); /* the canonical object; borrowed */
size_t bot_version_bytes(const struct bot_version *version);      /* memory held by rankers */

/* The language the bot speaks to one who writes or reads `lang` ("zh-TW": zh-TW, else zh, else the bot's own).
 * Borrowed. */
const char *bot_version_language(const struct bot_version *version, const char *lang);
