/* SPDX-License-Identifier: Apache-2.0 */
/* Listed: things that people name and methods want ids of (rules, views, teams): their list, which may come in pages,
 * read whole; one of it by its id or its name; and the commands that are alike for all of them. Functions that return
 * an exit code have printed why. */
#pragma once

#include "cli/cli.h"
#include "cli/console.h"

struct listed {
        const char *method; /* answers {<list>: [{<id>, name, ...}], more} to {after}; its command: what stands before
                               the dot */
        const char *list, *id;
        const char *what; /* "policy" */
};

/* EX_OK with *out_rows, an array of the caller's. */
int listed_read(struct console *console, const struct listed *listed, json_t **out_rows);
/* EX_OK with *out_row, of the caller's, by id or exact name; EX_USAGE: there is none, or several. Who was revoked is
 * not found. */
int listed_find(struct console *console, const struct listed *listed, const char *text, json_t **out_row);

/* cli_parse_named for a command that names one of them. */
int listed_parse(const struct listed *listed, const struct cli_page *page, int argc, char **argv, int *out_rc);
/* Opens, puts the id of what has that id or name into `params` as the member that lists call it, does `method`, closes.
 * Takes `params`. *out_result, when wanted, is the caller's. */
int listed_call(const char *data, const struct listed *listed, const char *text, const char *method, json_t *params,
                json_t **out_result);
/* The same for what changes it: what is built in stays as it is, EX_USAGE. */
int listed_change(const char *data, const struct listed *listed, const char *text, const char *method, json_t *params,
                  json_t **out_result);
/* All of them, shown row by row, or as JSON {<list>: [...]}. */
int listed_answer_all(const char *data, const struct listed *listed, bool json, void (*print_row)(const json_t *row));
/* What the list says of one. */
int listed_answer_one(const char *data, const struct listed *listed, const char *text, bool json,
                      void (*print_row)(const json_t *row));

/* The texts of an array with `between`, on standard output. */
void listed_print_words(const json_t *words, const char *before, const char *between);
