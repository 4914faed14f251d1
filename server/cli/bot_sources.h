/* SPDX-License-Identifier: Apache-2.0 */
/* Bot sources: what the subcommands of `deskbell bot` are given: .bot files, folders of them, a canonical .json, or a
 * built version. Problems go to standard error, one a line, as compilers write them. */
#pragma once

#include "bots/source.h"
#include "bots/version.h"

struct bot_sources {
        struct bot_file *files; /* with zero-terminated names and texts of our own */
        size_t count;
        json_t *bot, *places;
        struct bot_problems *problems;
};

/* Reads and checks; `paths` ends with NULL. An exit code; what was wrong is printed. */
int bot_sources_read(struct bot_sources *sources, char *const *paths);
void bot_sources_done(struct bot_sources *sources);

/* Prints problems that came since `*shown` and moves it: "FILE:LINE:COLUMN: error: what. advice". */
void bot_sources_print(const struct bot_problems *problems, size_t *shown);
/* The same, warnings under another word: "note". */
void bot_sources_print_as(const char *word, const struct bot_problems *problems, size_t *shown);

/* A version of these paths: loaded when it is a built one, else built in memory. An exit code. *out_report (may be
 * NULL) is empty for a built one. */
int bot_version_of(char *const *paths, struct bot_version **out_version, struct bot_build_report *out_report);

/* The checked object of these paths, with nothing learned; members in the order of the canonical form. An exit code. */
int bot_object_of(char *const *paths, json_t **out_bot);

/* Calls `each` with the path of every .bot file of a folder, in the order in which they are read, or with `path` itself
 * when it is no folder. An exit code: the first one that is not EX_OK. */
int bot_each_file(const char *path, int (*each)(const char *path, void *data), void *data);

/* A whole file, zero-terminated; NULL: it was printed why. At most `most` bytes. */
char *bot_read_file(const char *path, size_t most, size_t *out_len);
