/* SPDX-License-Identifier: Apache-2.0 */
/* What the store's tests share: a folder of their own that is gone afterwards, and a store in it with one workspace,
 * app and customer (ids 1) and as many conversations as asked for. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "store/db_private.h"

struct place {
        char dir[64];
        char path[96]; /* of the store */
};

void place_make(struct place *place);
void place_remove(struct place *place);
const char *place_path(const struct place *place, const char *name); /* lent until the fourth call after */

struct db *store_open(const struct db_driver *driver, const char *path, enum db_mode mode);
struct db *store_make(const struct db_driver *driver, const char *path, int conversations); /* a migrated writer */

/* Appends an entry with body `text` to the public log and moves the head, within the running transaction. The client
 * message id is made of (conv, seq). The first error, or DB_OK. */
int store_append(struct db *db, int64_t conv, int64_t seq, const char *text);
/* The first column of the first row; -1: no row. Fails the test on an error. */
int64_t ask(struct db *db, const char *text);
int count_findings(struct db *db); /* of a deep check */
void file_read(const char *path, char **out_bytes, size_t *out_len);
bool file_holds(const char *path, const char *words); /* false when there is no such file */
