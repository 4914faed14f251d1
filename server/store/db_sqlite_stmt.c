/* SPDX-License-Identifier: Apache-2.0 */
/* Statements of the SQLite driver: prepared once, bound without a copy, reset as soon as they are done. No call here
 * allocates but the first one of a statement. */
#include <ctype.h>
#include <stdlib.h>

#include "store/db_sqlite_private.h"

static struct sqlite_stmt *stmt_of(struct db_stmt *base)
{
        return (struct sqlite_stmt *)base;
}

/* $n becomes ?n: SQLite takes $n for a name and numbers names by first appearance, so that "$2, $1" would be swapped.
 */
static char *text_for_sqlite(const char *text)
{
        char *out = strdup(text);
        bool in_quotes = false;
        for (char *at = out; out && *at; at++) {
                if (*at == '\'')
                        in_quotes = !in_quotes;
                else if (*at == '$' && !in_quotes && isdigit((unsigned char)at[1]))
                        *at = '?';
        }
        return out;
}

static void stmt_prepare(struct sqlite_stmt *stmt, const char *text)
{
        char *own = text_for_sqlite(text);
        if (!own) {
                stmt->error = DB_NOMEM;
                return;
        }
        int rc = sqlite3_prepare_v3(stmt->db->handle, own, -1, SQLITE_PREPARE_PERSISTENT, &stmt->handle, NULL);
        stmt->error = sqlite_error(stmt->db, rc);
        if (stmt->error == DB_OK && !stmt->handle)
                stmt->error = DB_MISUSE;
        free(own);
}

static void stmt_clear(struct sqlite_stmt *stmt)
{
        sqlite3_reset(stmt->handle);
        sqlite3_clear_bindings(stmt->handle);
        stmt->error = DB_OK;
        stmt->is_used = false;
}

struct db_stmt *sqlite_stmt_of(struct db *base, enum sql_id id)
{
        struct sqlite_db *db = (struct sqlite_db *)base;
        struct sqlite_stmt *stmt = &db->stmts[id];
        if (!stmt->handle) {
                stmt->base.driver = base->driver;
                stmt->db = db;
                stmt_prepare(stmt, sql_texts[id]);
        } else if (stmt->is_used) {
                stmt_clear(stmt);
        }
        return &stmt->base;
}

struct db_stmt *sqlite_stmt_new(struct db *base, const char *text)
{
        struct sqlite_db *db = (struct sqlite_db *)base;
        struct sqlite_stmt *stmt = calloc(1, sizeof *stmt);
        if (!stmt)
                return NULL;
        stmt->base.driver = base->driver;
        stmt->db = db;
        stmt->next = db->loose;
        db->loose = stmt;
        stmt_prepare(stmt, text);
        return &stmt->base;
}

static void bound(struct sqlite_stmt *stmt, int rc)
{
        stmt->is_used = true;
        if (rc != SQLITE_OK && stmt->error == DB_OK)
                stmt->error = sqlite_error(stmt->db, rc);
}

void sqlite_stmt_bind_int(struct db_stmt *base, int index, int64_t value)
{
        struct sqlite_stmt *stmt = stmt_of(base);
        if (stmt->handle)
                bound(stmt, sqlite3_bind_int64(stmt->handle, index, value));
}

void sqlite_stmt_bind_null(struct db_stmt *base, int index)
{
        struct sqlite_stmt *stmt = stmt_of(base);
        if (stmt->handle)
                bound(stmt, sqlite3_bind_null(stmt->handle, index));
}

void sqlite_stmt_bind_text(struct db_stmt *base, int index, struct span text)
{
        struct sqlite_stmt *stmt = stmt_of(base);
        if (stmt->handle)
                bound(stmt, sqlite3_bind_text64(stmt->handle, index, text.at, text.len, SQLITE_STATIC, SQLITE_UTF8));
}

void sqlite_stmt_bind_blob(struct db_stmt *base, int index, const void *bytes, size_t len)
{
        struct sqlite_stmt *stmt = stmt_of(base);
        if (stmt->handle)
                bound(stmt, sqlite3_bind_blob64(stmt->handle, index, bytes, len, SQLITE_STATIC));
}

int sqlite_stmt_step(struct db_stmt *base)
{
        struct sqlite_stmt *stmt = stmt_of(base);
        struct sqlite_db *db = stmt->db;
        int error = db->is_dead ? DB_UNKNOWN : db->lost ? db->lost : stmt->error;
        if (error == DB_OK && !stmt->handle)
                error = DB_MISUSE;
        if (error == DB_OK) {
                stmt->is_used = true;
                int rc = sqlite3_step(stmt->handle);
                if (rc == SQLITE_ROW)
                        return DB_ROW;
                if (rc != SQLITE_DONE)
                        error = sqlite_note_error(db, sqlite_error(db, rc));
        }
        if (stmt->handle)
                stmt_clear(stmt);
        return error;
}

void sqlite_stmt_reset(struct db_stmt *base)
{
        struct sqlite_stmt *stmt = stmt_of(base);
        if (stmt->handle)
                stmt_clear(stmt);
}

int64_t sqlite_stmt_int(struct db_stmt *base, int column)
{
        return sqlite3_column_int64(stmt_of(base)->handle, column);
}

/* Serves text too: sqlite3_column_text would copy the value to put a NUL behind it. */
struct span sqlite_stmt_bytes(struct db_stmt *base, int column)
{
        sqlite3_stmt *handle = stmt_of(base)->handle;
        const char *at = sqlite3_column_blob(handle, column);
        if (at)
                return (struct span){at, (size_t)sqlite3_column_bytes(handle, column)};
        if (sqlite3_column_type(handle, column) == SQLITE_NULL)
                return (struct span){NULL, 0};
        return (struct span){"", 0};
}

bool sqlite_stmt_is_null(struct db_stmt *base, int column)
{
        return sqlite3_column_type(stmt_of(base)->handle, column) == SQLITE_NULL;
}

void sqlite_stmts_done(struct sqlite_db *db)
{
        for (int id = 0; id < SQL_COUNT; id++)
                sqlite3_finalize(db->stmts[id].handle);
        for (int i = 0; i < SQLITE_CONTROLS; i++)
                sqlite3_finalize(db->controls[i]);
        while (db->loose) {
                struct sqlite_stmt *next = db->loose->next;
                sqlite3_finalize(db->loose->handle);
                free(db->loose);
                db->loose = next;
        }
}
