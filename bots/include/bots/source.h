/* SPDX-License-Identifier: Apache-2.0 */
/* Source: the two forms of a bot. Authors write .bot files (one topic a file, languages side by side); the program
 * keeps one canonical JSON object, schema "bot/1" (docs/bots.md has both). What is read here is well formed but not yet
 * checked: bot_check does that, for JSON from anywhere. No I/O. Any thread, one call at a time on the same objects.
 *
 * Bounds: 200 files, 1 MiB a file, 16 KiB a line, ids of 64 characters. */
#pragma once

#include <jansson.h>

#include "bots/problem.h"
#include "protocol/span.h"
#include "protocol/writer.h"

struct bot_file {
        const char *name; /* as messages name it; lives as long as the problems do */
        struct span text;
};

/* All files of one bot, in the order given; the language of the first one is the bot's. NULL: problems->errors says
 * why, or memory is short. *out_places (may be NULL) is an object {"faq refund": [index of the file, line]} for
 * bot_place_of. */
json_t *bot_source_read(const struct bot_file *files, size_t count, struct bot_problems *problems, json_t **out_places);

/* Where "faq refund" was written; an empty place when it was not in these files. */
struct bot_place bot_place_of(const json_t *places, const struct bot_file *files, const char *what);

/* The bot as one .bot file: the structure with the texts of its own language, then each other language. Reading that
 * again gives an equal object. The bot must have passed bot_check. Sets out->failed when memory is short. */
void bot_source_write(const json_t *bot, struct writer *out);

/* A file put into the usual form: two blanks for each level, one blank line between blocks, none at the ends; words,
 * comments and the order of lines stay. Formatting twice changes nothing more. */
void bot_source_format(struct span text, struct writer *out);

/* The canonical dump (sorted keys, no blanks, UTF-8) and the 64 hex digits of its SHA-256: the version's name. NULL, or
 * false: out of memory. The text is freed with free(). */
char *bot_canonical(const json_t *bot);
bool bot_version_name(const char *canonical, char out[65]);
