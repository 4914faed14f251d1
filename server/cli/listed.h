/* SPDX-License-Identifier: Apache-2.0 */
/* Listed: lists that come in pages (rules, views), read whole; and a thing of such a list by its id or its name. */
#pragma once

#include "cli/operator.h"

struct listed {
        const char *method; /* answers {<list>: [{<id>, name, ...}], more} to {after} */
        const char *list, *id;
        const char *what; /* "rule" */
};

/* EX_OK with *out_rows, an array of the caller's; else printed why. */
int listed_read(struct operator* operator, const struct listed * listed, json_t **out_rows);
/* EX_OK with *out_row, of the caller's, by id or exact name; EX_USAGE: there is none, or several. */
int listed_find(struct operator* operator, const struct listed * listed, const char *text, json_t **out_row);
/* The texts of an array with `between`, on standard output. */
void listed_print_words(const json_t *words, const char *before, const char *between);
