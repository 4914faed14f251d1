/* SPDX-License-Identifier: Apache-2.0 */
/* The layer every caller sees: hands each call to the connection's driver. Holds no state of its own. */
#include "store/db.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "store/db_private.h"

int db_because(char **out_why, int error, const char *format, ...)
{
        if (!out_why || *out_why)
                return error;
        va_list arguments;
        va_start(arguments, format);
        if (vasprintf(out_why, format, arguments) < 0)
                *out_why = NULL;
        va_end(arguments);
        return error;
}

int db_open(const struct db_driver *driver, const char *path, enum db_mode mode, struct db **out_db, char **out_why)
{
        char *why = NULL;
        struct db *db = NULL;
        int rc = driver->open(path, mode, &db, &why);
        if (rc == DB_OK) {
                free(why);
                *out_db = db;
                return DB_OK;
        }
        if (out_why)
                *out_why = why;
        else
                free(why);
        return rc;
}

struct db *db_close(struct db *db)
{
        if (db)
                db->driver->close(db);
        return NULL;
}

struct db *db_abandon(struct db *db)
{
        if (db)
                db->driver->abandon(db);
        return NULL;
}

struct db_stmt *db_stmt(struct db *db, enum sql_id id)
{
        return db->driver->stmt(db, id);
}

struct db_stmt *db_prepare(struct db *db, const char *text)
{
        return db->driver->prepare(db, text);
}

void db_bind_int(struct db_stmt *stmt, int index, int64_t value)
{
        stmt->driver->bind_int(stmt, index, value);
}

void db_bind_null(struct db_stmt *stmt, int index)
{
        stmt->driver->bind_null(stmt, index);
}

void db_bind_text(struct db_stmt *stmt, int index, struct span text)
{
        stmt->driver->bind_text(stmt, index, text);
}

void db_bind_blob(struct db_stmt *stmt, int index, const void *bytes, size_t len)
{
        stmt->driver->bind_blob(stmt, index, bytes, len);
}

int db_step(struct db_stmt *stmt)
{
        return stmt->driver->step(stmt);
}

void db_reset(struct db_stmt *stmt)
{
        stmt->driver->reset(stmt);
}

int db_run(struct db_stmt *stmt)
{
        int rc;
        do {
                rc = stmt->driver->step(stmt);
        } while (rc == DB_ROW);
        return rc;
}

int64_t db_int(struct db_stmt *stmt, int column)
{
        return stmt->driver->column_int(stmt, column);
}

struct span db_text(struct db_stmt *stmt, int column)
{
        return stmt->driver->column_text(stmt, column);
}

struct span db_blob(struct db_stmt *stmt, int column)
{
        return stmt->driver->column_blob(stmt, column);
}

bool db_is_null(struct db_stmt *stmt, int column)
{
        return stmt->driver->column_is_null(stmt, column);
}

int64_t db_changes(const struct db *db)
{
        return db->driver->changes(db);
}

int64_t db_last_id(const struct db *db)
{
        return db->driver->last_id(db);
}

const char *db_message(const struct db *db)
{
        return db->driver->message(db);
}

bool db_was_left_open(const struct db *db)
{
        return db->was_left_open;
}

int db_begin(struct db *db)
{
        return db->driver->control(db, DB_BEGIN);
}

int db_commit(struct db *db)
{
        return db->driver->control(db, DB_COMMIT);
}

void db_rollback(struct db *db)
{
        (void)db->driver->control(db, DB_ROLLBACK);
}

int db_savepoint(struct db *db)
{
        return db->driver->control(db, DB_SAVEPOINT);
}

int db_release(struct db *db)
{
        return db->driver->control(db, DB_RELEASE);
}

void db_rollback_to(struct db *db)
{
        (void)db->driver->control(db, DB_ROLLBACK_TO);
}

int db_snapshot_begin(struct db *db)
{
        return db->driver->control(db, DB_SNAPSHOT_BEGIN);
}

void db_snapshot_end(struct db *db)
{
        (void)db->driver->control(db, DB_SNAPSHOT_END);
}

int db_checkpoint(struct db *db, bool idle)
{
        return db->driver->checkpoint(db, idle ? DB_CHECKPOINT_IDLE : DB_CHECKPOINT_WORK);
}

int db_checkpoint_empty(struct db *db)
{
        return db->driver->checkpoint(db, DB_CHECKPOINT_EMPTY);
}

int db_exec(struct db *db, const char *script)
{
        return db->driver->exec(db, script);
}

int db_backup_begin(struct db *db, const char *path, struct db_backup **out_backup)
{
        return db->driver->backup_begin(db, path, out_backup);
}

int db_backup_step(struct db_backup *backup, int pages, int64_t *out_left, int64_t *out_total)
{
        return backup->driver->backup_step(backup, pages, out_left, out_total);
}

struct db_backup *db_backup_end(struct db_backup *backup)
{
        if (backup)
                backup->driver->backup_end(backup);
        return NULL;
}
