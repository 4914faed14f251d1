/* SPDX-License-Identifier: Apache-2.0 */
/* Db: a thin layer over one connection to a database; drivers db_sqlite.c, db_fault.c (wraps another and makes it fail)
 * and, later, db_postgres.c. One thread at a time per connection. Errors are negative protocol-independent codes. */
#pragma once

#include "protocol/span.h"
#include "sql_generated.h" /* enum sql_id and its texts, from store/sql/ */

struct db;
struct db_stmt;
struct db_driver;

enum db_error {
        DB_OK = 0,
        DB_ROW = 1,
        DB_FULL = -1, /* no space: roll back, read-only until it returns (A2) */
        DB_BUSY = -2, /* locked by somebody else before COMMIT was called */
        DB_CONSTRAINT = -3,
        DB_UNKNOWN = -4, /* COMMIT or fsync failed: outcome unknown; the process must end (A2) */
        DB_DAMAGED = -5, /* not a database, or its pages do not fit together */
        DB_NEWER = -6,   /* made by a newer program */
        DB_NOMEM = -7,
        DB_IO = -8, /* read error, or a write error before COMMIT */
        DB_MISUSE = -9,
};

enum db_mode {
        DB_WRITER, /* the one connection that writes and checkpoints */
        DB_READER, /* read-only, never checkpoints */
};

extern const struct db_driver db_sqlite;

/* `out_why`: malloc'd sentence naming what and where, on failure only; may be NULL. A writer makes a missing store (an
 * empty file, 0600); a reader does not. */
int db_open(const struct db_driver *driver, const char *path, enum db_mode mode, struct db **out_db, char **out_why);
struct db *db_close(struct db *db);         /* NULL is welcome */
bool db_was_left_open(const struct db *db); /* writer: the last one did not end in order; a quick check is due */

/* The statement of that id, prepared on first use, ready to be bound. Never NULL after a successful db_open: a
 * statement that cannot be prepared makes every bind and step on it answer the error. Valid until db_close. */
struct db_stmt *db_stmt(struct db *db, enum sql_id id);

/* Parameters count from 1 ($1). Text and blobs are borrowed until the next db_reset. A span with at NULL binds NULL. */
void db_bind_int(struct db_stmt *stmt, int index, int64_t value);
void db_bind_null(struct db_stmt *stmt, int index);
void db_bind_text(struct db_stmt *stmt, int index, struct span text);
void db_bind_blob(struct db_stmt *stmt, int index, const void *bytes, size_t len);
int db_step(struct db_stmt *stmt);   /* DB_ROW, DB_OK when done (already reset), or an error (already reset) */
void db_reset(struct db_stmt *stmt); /* ends a read before its last row; forgets bindings */
int db_run(struct db_stmt *stmt);    /* step to the end: DB_OK or an error */

/* Columns count from 0. Spans live until the next step or reset. */
int64_t db_int(struct db_stmt *stmt, int column);
struct span db_text(struct db_stmt *stmt, int column); /* at NULL for NULL */
struct span db_blob(struct db_stmt *stmt, int column);
bool db_is_null(struct db_stmt *stmt, int column);

int64_t db_changes(const struct db *db);     /* rows changed by the last statement */
int64_t db_last_id(const struct db *db);     /* key of the last inserted row */
const char *db_message(const struct db *db); /* the driver's own words for the last error, for the log */

int db_begin(struct db *db);
int db_commit(struct db *db); /* DB_OK, DB_FULL or DB_BUSY (rolled back), anything else DB_UNKNOWN */
void db_rollback(struct db *db);
/* An error that made the engine drop the whole transaction is answered again by every step, savepoint and commit until
 * db_rollback: nothing of a lost batch can be committed alone. */
int db_savepoint(struct db *db);
int db_release(struct db *db);
void db_rollback_to(struct db *db); /* undoes and forgets the savepoint; no db_release after it */

/* From begin to end, both between transactions, a writer's commits reach the disk some thousand at a time: only for
 * making a store that nobody uses yet. End: DB_OK, or an error: what was committed last may be lost. */
void db_gather_begin(struct db *db);
int db_gather_end(struct db *db);

/* Readers: one consistent view from begin to end. */
int db_snapshot_begin(struct db *db);
void db_snapshot_end(struct db *db);

/* Writer, between transactions: moves the log into the file as far as readers allow. `idle`: nothing else to do now.
 * Decides by itself whether it is worth while. */
int db_checkpoint(struct db *db, bool idle);
/* After an erasure: all of the log into the file, and the log emptied, so that no old copy of a page is left. DB_BUSY
 * while a reader is in the way (waits for it up to 1 s): try again later. */
int db_checkpoint_empty(struct db *db);

/* Applies migrations up to the newest; refuses a newer schema (DB_NEWER). A new store gets its rows in `meta`: schema,
 * epoch (8 random bytes), made_ms, last_ts. Before a store that is not new is changed, it is copied to
 * PATH.schema-<n>; no room for that: DB_FULL, and *out_why says how many bytes are missing. */
int db_migrate(struct db *db, char **out_why);
/* Count of findings, each said as one sentence without content; negative when the check could not be made. Reads every
 * page of the file (about a second a GB when it is in memory); `deep`: also every entry, and indexes against tables. */
int db_check(struct db *db, bool deep, void (*say)(void *data, const char *finding), void *data);

/* The engine's part of it alone, for a start after an unclean end. */
int db_quick_check(struct db *db, void (*say)(void *data, const char *finding), void *data);

/* A new epoch, written and committed: after a restore, or when a store is behind its mark (R5). Not within a
 * transaction. */
int db_epoch_renew(struct db *db, uint8_t out_epoch[8]);

/* Copies a running store, `pages` at a time, from the writer's thread. The file must not exist; it is 0600, on disk
 * when the last step answered DB_OK, and removed by db_backup_end when that was never reached. */
struct db_backup;
int db_backup_begin(struct db *db, const char *path, struct db_backup **out_backup);
int db_backup_step(struct db_backup *backup, int pages, int64_t *out_left, int64_t *out_total); /* DB_ROW = more */
struct db_backup *db_backup_end(struct db_backup *backup);
