/* SPDX-License-Identifier: Apache-2.0 */
/* Indexer: the thread that keeps the full-text index (store/search.h, DIR/search.db) up with the log. It follows the
 * change number with a read-only connection of its own, at low priority, a few hundred entries at a time; how far it
 * has come stands in the index itself, in the same transaction as what it put there, so that it goes on there after any
 * end. What the index holds follows from the log alone: an index that is damaged, or belongs to another epoch, is
 * thrown away and built again. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct desk;
struct indexer;

/* NULL: out of memory. Nothing is opened yet. */
struct indexer *indexer_new(struct desk *desk);
struct indexer *indexer_free(struct indexer *indexer); /* stopped; NULL is welcome; returns NULL */

int indexer_start(struct indexer *indexer); /* 0 or a negative db_error */
void indexer_stop(struct indexer *indexer); /* ends the thread, if there is one */

/* One step, in the caller's thread, while the indexer's own does not run. 1: there is more to do, 0: the index is up
 * with the log and as clean as was asked for, or a negative db_error. */
int indexer_turn(struct indexer *indexer);

/* Any thread. */
void indexer_rebuild(struct indexer *indexer);              /* everything anew, soon */
bool indexer_settle(struct indexer *indexer, int64_t rev);  /* whether search.settle may say so; hurries it if not */
int64_t indexer_rev(const struct indexer *indexer);         /* what was accepted up to here is in the index */
uint64_t indexer_generation(const struct indexer *indexer); /* changes when the file is another one */
const char *indexer_path(const struct indexer *indexer);    /* lent */
bool indexer_is_running(const struct indexer *indexer);     /* desk thread */

/* Scopes of the index (design section 5), beside scope_of_workspace. */
static inline int64_t scope_of_customer(int64_t principal)
{
        return principal * 8 + 1;
}

static inline int64_t scope_of_app(int64_t app)
{
        return app * 8 + 4;
}
