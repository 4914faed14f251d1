/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the SQLite driver share. The thread is the connection's. */
#pragma once

#include <sqlite3.h>

#include "store/db_private.h"

struct sqlite_db;

struct sqlite_stmt {
        struct db_stmt base;
        struct sqlite_db *db;
        sqlite3_stmt *handle;     /* NULL: not prepared, or it could not be */
        struct sqlite_stmt *next; /* of db->loose */
        int error;                /* of prepare or a bind; answered by the next step */
        bool is_used;             /* bound or stepped since the last reset */
};

enum { SQLITE_CONTROLS = 16 };

struct sqlite_db {
        struct db base;
        sqlite3 *handle;
        sqlite3_stmt *controls[SQLITE_CONTROLS];
        struct sqlite_stmt *loose; /* from db_prepare */
        int lost;                  /* why the engine dropped the running transaction; DB_OK: it did not */
        bool is_dead;              /* a flush failed: no answer but DB_UNKNOWN any more (A2) */
        bool in_transaction;
        int log_frames;   /* in the write-ahead log after the last commit */
        int moved_frames; /* of these, already in the file */
        int forced_at;    /* log_frames at the last try to restart a full log */
        char message[256];
        struct sqlite_stmt stmts[SQL_COUNT];
};

/* Translates the result code of a call on `db`; keeps the engine's message when it is an error. */
int sqlite_error(struct sqlite_db *db, int rc);
/* The same, without a connection. */
int sqlite_error_code(int extended, int system_errno);
/* An error while a statement ran: notes a lost transaction or a failed flush. Returns `error`. */
int sqlite_note_error(struct sqlite_db *db, int error);

/* A connection. `is_throwaway`: a writer whose file can be made again from elsewhere; a power cut may lose its last
 * commits, but never damages it (synchronous = NORMAL). */
int sqlite_db_open(const char *path, enum db_mode mode, bool is_throwaway, struct db **out_db, char **out_why);

/* db_sqlite_vfs.c: gathers the writes of a log that is flushed at each commit. Once, before the first connection. */
#define SQLITE_WRITER_VFS "deskbell-writer"
int sqlite_vfs_register(void);

/* db_sqlite_stmt.c */
struct db_stmt *sqlite_stmt_of(struct db *base, enum sql_id id);
struct db_stmt *sqlite_stmt_new(struct db *base, const char *text);
void sqlite_stmt_bind_int(struct db_stmt *base, int index, int64_t value);
void sqlite_stmt_bind_null(struct db_stmt *base, int index);
void sqlite_stmt_bind_text(struct db_stmt *base, int index, struct span text);
void sqlite_stmt_bind_blob(struct db_stmt *base, int index, const void *bytes, size_t len);
int sqlite_stmt_step(struct db_stmt *base);
void sqlite_stmt_reset(struct db_stmt *base);
int64_t sqlite_stmt_int(struct db_stmt *base, int column);
struct span sqlite_stmt_bytes(struct db_stmt *base, int column);
bool sqlite_stmt_is_null(struct db_stmt *base, int column);
void sqlite_stmts_done(struct sqlite_db *db);

/* db_sqlite_backup.c */
int sqlite_backup_begin(struct db *base, const char *path, struct db_backup **out_backup);
int sqlite_backup_step(struct db_backup *base, int pages, int64_t *out_left, int64_t *out_total);
void sqlite_backup_end(struct db_backup *base);
