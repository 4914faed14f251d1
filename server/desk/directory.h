/* SPDX-License-Identifier: Apache-2.0 */
/* Directory: what one thread knows of principals and apps by their row ids, read through that thread's connection and
 * kept. Names can change: `directory_forget` is called when the shared version has moved. One thread. */
#pragma once

#include "store/principals.h"

struct desk_session;

struct principal {
        int64_t id, workspace, app, revoked_ms, valid_from_s;
        uint64_t ext;
        enum principal_role role;
        int64_t alias_of; /* a claimed visitor: its user; 0 otherwise */
        bool has_aliases;
        bool is_fresh; /* made in the running transaction: see directory_made */
        uint32_t refs; /* sessions that hold it */
        char *name;    /* NULL = none */
        struct principal *hash_next;
        struct desk_session *sessions; /* desk thread only */
};

struct directory;

struct directory *directory_new(struct db *db);
struct directory *directory_free(struct directory *directory); /* NULL is welcome; returns NULL */

/* Lent until directory_forget, or as long as `refs` is above 0. NULL: no such principal, or the store failed. */
struct principal *directory_find(struct directory *directory, int64_t id);
/* Puts a row that was just read or inserted; returns the kept one. NULL: out of memory. */
struct principal *directory_put(struct directory *directory, const struct principal_row *row);

/* Author ids of entries: 0 is the system. */
struct principal_id directory_author(struct directory *directory, int64_t id);

/* The outside id of an app; 0 when there is none. */
uint64_t directory_app(struct directory *directory, int64_t id);

void directory_made(struct directory *directory, struct principal *principal); /* in the running transaction */
void directory_drop_fresh(struct directory *directory); /* the transaction that made them was rolled back */
void directory_settle(struct directory *directory);     /* it was committed */
void directory_forget(struct directory *directory);     /* all that nobody holds */
void directory_reread(struct directory *directory);     /* forgets, and reads again what is held */
