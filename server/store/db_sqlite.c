/* SPDX-License-Identifier: Apache-2.0 */
/* The SQLite driver: how a store is opened, transactions, checkpoints, errors.
 *
 * Always true: one connection writes, and the same one checkpoints (SQLite before 3.51.3 may damage a file when one
 * connection commits while another checkpoints); a commit is on disk when it is answered (WAL, synchronous FULL); a
 * transaction that the engine dropped is never continued; after a failed flush the connection answers nothing but
 * DB_UNKNOWN and flushes nothing again. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/db_sqlite_private.h"

enum {
        CHECKPOINT_BUSY_FRAMES = 32000, /* with work waiting */
        CHECKPOINT_IDLE_FRAMES = 1000,
        CHECKPOINT_FULL_FRAMES = 65536, /* readers keep the log from starting again: wait for them a little */
        CHECKPOINT_RETRY_FRAMES = 4096,
        BUSY_MS = 1000,
        RESTART_BUSY_MS = 100,
        APPLICATION_ID = 1147499371, /* "Desk", as in migrations/sqlite/0001_core.sql */
};

/* --- errors --- */

static bool is_no_space(int system_errno)
{
        return system_errno == ENOSPC || system_errno == EDQUOT || system_errno == EROFS;
}

static int io_error_code(int extended, int system_errno)
{
        switch (extended) {
        case SQLITE_IOERR_FSYNC:
        case SQLITE_IOERR_DIR_FSYNC:
                return DB_UNKNOWN;
        case SQLITE_IOERR_NOMEM:
                return DB_NOMEM;
        case SQLITE_IOERR_CORRUPTFS:
        case SQLITE_IOERR_DATA:
                return DB_DAMAGED;
        default:
                return is_no_space(system_errno) ? DB_FULL : DB_IO;
        }
}

int sqlite_error_code(int extended, int system_errno)
{
        switch (extended & 0xff) {
        case SQLITE_OK:
                return DB_OK;
        case SQLITE_FULL:
                return DB_FULL;
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
        case SQLITE_INTERRUPT:
                return DB_BUSY;
        case SQLITE_CONSTRAINT:
                return DB_CONSTRAINT;
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
                return DB_DAMAGED;
        case SQLITE_NOMEM:
                return DB_NOMEM;
        case SQLITE_IOERR:
                return io_error_code(extended, system_errno);
        case SQLITE_CANTOPEN:
        case SQLITE_READONLY:
        case SQLITE_PERM:
        case SQLITE_PROTOCOL:
        case SQLITE_NOLFS:
                return is_no_space(system_errno) ? DB_FULL : DB_IO;
        default:
                return DB_MISUSE;
        }
}

int sqlite_error(struct sqlite_db *db, int rc)
{
        if (rc == SQLITE_OK)
                return DB_OK;
        snprintf(db->message, sizeof db->message, "%s (%d, errno %d)", sqlite3_errmsg(db->handle), rc,
                 sqlite3_system_errno(db->handle));
        return sqlite_error_code(rc, sqlite3_system_errno(db->handle));
}

int sqlite_note_error(struct sqlite_db *db, int error)
{
        if (error == DB_UNKNOWN)
                db->is_dead = true;
        if (db->in_transaction && db->lost == DB_OK && sqlite3_get_autocommit(db->handle))
                db->lost = error;
        return error;
}

/* --- transactions --- */

enum control_text {
        TEXT_BEGIN,
        TEXT_COMMIT,
        TEXT_ROLLBACK,
        TEXT_SAVEPOINT,
        TEXT_RELEASE,
        TEXT_ROLLBACK_TO,
        TEXT_VIEW,
        TEXT_FIX
};

static const char *const control_texts[] = {
        [TEXT_BEGIN] = "BEGIN IMMEDIATE",
        [TEXT_COMMIT] = "COMMIT",
        [TEXT_ROLLBACK] = "ROLLBACK",
        [TEXT_SAVEPOINT] = "SAVEPOINT s",
        [TEXT_RELEASE] = "RELEASE s",
        [TEXT_ROLLBACK_TO] = "ROLLBACK TO s",
        [TEXT_VIEW] = "BEGIN",
        [TEXT_FIX] = "SELECT 1 FROM sqlite_schema LIMIT 1", /* a view begins with its first read */
};

/* The engine's result code. */
static int run_text(struct sqlite_db *db, enum control_text which)
{
        sqlite3_stmt **stmt = &db->controls[which];
        if (!*stmt) {
                int rc =
                        sqlite3_prepare_v3(db->handle, control_texts[which], -1, SQLITE_PREPARE_PERSISTENT, stmt, NULL);
                if (rc != SQLITE_OK)
                        return rc;
        }
        int rc = sqlite3_step(*stmt);
        if (rc == SQLITE_ROW || rc == SQLITE_DONE) {
                sqlite3_reset(*stmt);
                return SQLITE_OK;
        }
        snprintf(db->message, sizeof db->message, "%s (%d, errno %d)", sqlite3_errmsg(db->handle), rc,
                 sqlite3_system_errno(db->handle));
        sqlite3_reset(*stmt);
        return rc;
}

static int forget_transaction(struct sqlite_db *db)
{
        db->in_transaction = false;
        db->lost = DB_OK;
        if (sqlite3_get_autocommit(db->handle))
                return DB_OK;
        run_text(db, TEXT_ROLLBACK);
        if (sqlite3_get_autocommit(db->handle))
                return DB_OK;
        db->is_dead = true;
        return DB_UNKNOWN;
}

static int begin(struct sqlite_db *db)
{
        if (db->in_transaction)
                return DB_MISUSE;
        int rc = sqlite_error_code(run_text(db, TEXT_BEGIN), sqlite3_system_errno(db->handle));
        db->in_transaction = rc == DB_OK;
        return sqlite_note_error(db, rc);
}

/* A2: only a full disk, or a lock met before anything was written, is known to have left nothing behind. Even a failed
 * write may come after the last frame reached the log, so everything else has an unknown outcome. */
static int commit(struct sqlite_db *db)
{
        if (!db->in_transaction)
                return DB_MISUSE;
        int error = db->lost;
        if (error == DB_OK) {
                int rc = run_text(db, TEXT_COMMIT) & 0xff;
                if (rc == SQLITE_OK) {
                        db->in_transaction = false;
                        return DB_OK;
                }
                error = rc == SQLITE_FULL ? DB_FULL : rc == SQLITE_BUSY ? DB_BUSY : DB_UNKNOWN;
        }
        if (error == DB_FULL || error == DB_BUSY)
                return forget_transaction(db) == DB_OK ? error : DB_UNKNOWN;
        db->is_dead = true;
        return DB_UNKNOWN;
}

static int savepoint(struct sqlite_db *db, enum control_text which)
{
        if (!db->in_transaction)
                return DB_MISUSE;
        if (db->lost != DB_OK)
                return db->lost;
        int rc = sqlite_error_code(run_text(db, which), sqlite3_system_errno(db->handle));
        return rc == DB_OK ? DB_OK : sqlite_note_error(db, rc);
}

static int rollback_to(struct sqlite_db *db)
{
        int rc = savepoint(db, TEXT_ROLLBACK_TO);
        if (rc == DB_OK)
                rc = savepoint(db, TEXT_RELEASE);
        if (rc != DB_OK && db->in_transaction && db->lost == DB_OK) {
                run_text(db, TEXT_ROLLBACK); /* what could not be undone alone must not be committed */
                db->lost = rc;
        }
        return rc;
}

static int snapshot_begin(struct sqlite_db *db)
{
        int rc = run_text(db, TEXT_VIEW);
        if (rc == SQLITE_OK) {
                rc = run_text(db, TEXT_FIX);
                if (rc != SQLITE_OK)
                        run_text(db, TEXT_ROLLBACK);
        }
        return sqlite_error_code(rc, sqlite3_system_errno(db->handle));
}

static int control(struct db *base, enum db_control what)
{
        struct sqlite_db *db = (struct sqlite_db *)base;
        if (db->is_dead && what != DB_ROLLBACK)
                return DB_UNKNOWN;
        switch (what) {
        case DB_BEGIN:
                return begin(db);
        case DB_COMMIT:
                return commit(db);
        case DB_ROLLBACK:
                return forget_transaction(db);
        case DB_SAVEPOINT:
                return savepoint(db, TEXT_SAVEPOINT);
        case DB_RELEASE:
                return savepoint(db, TEXT_RELEASE);
        case DB_ROLLBACK_TO:
                return rollback_to(db);
        case DB_SNAPSHOT_BEGIN:
                return snapshot_begin(db);
        case DB_SNAPSHOT_END:
                return forget_transaction(db);
        }
        return DB_MISUSE;
}

/* --- checkpoints --- */

static int on_commit(void *data, sqlite3 *handle, const char *name, int frames)
{
        (void)handle, (void)name;
        struct sqlite_db *db = data;
        if (frames < db->log_frames) { /* the log began again */
                db->moved_frames = 0;
                db->forced_at = 0;
        }
        db->log_frames = frames;
        return SQLITE_OK;
}

/* -1: not worth while. */
static int checkpoint_mode(struct sqlite_db *db, enum db_checkpoint_kind kind)
{
        if (kind == DB_CHECKPOINT_EMPTY)
                return SQLITE_CHECKPOINT_TRUNCATE;
        if (db->log_frames >= CHECKPOINT_FULL_FRAMES && db->log_frames - db->forced_at >= CHECKPOINT_RETRY_FRAMES) {
                db->forced_at = db->log_frames;
                return SQLITE_CHECKPOINT_RESTART;
        }
        int waiting = db->log_frames - db->moved_frames;
        int enough = kind == DB_CHECKPOINT_IDLE ? CHECKPOINT_IDLE_FRAMES : CHECKPOINT_BUSY_FRAMES;
        return waiting >= enough ? SQLITE_CHECKPOINT_PASSIVE : -1;
}

static int checkpoint(struct db *base, enum db_checkpoint_kind kind)
{
        struct sqlite_db *db = (struct sqlite_db *)base;
        if (db->is_dead)
                return DB_UNKNOWN;
        if (base->mode != DB_WRITER || db->in_transaction)
                return DB_MISUSE;
        int mode = checkpoint_mode(db, kind);
        if (mode < 0)
                return DB_OK;
        int frames = 0, moved = 0;
        sqlite3_busy_timeout(db->handle, mode == SQLITE_CHECKPOINT_RESTART ? RESTART_BUSY_MS : BUSY_MS);
        int rc = sqlite3_wal_checkpoint_v2(db->handle, "main", mode, &frames, &moved);
        sqlite3_busy_timeout(db->handle, BUSY_MS);
        if (frames >= 0) {
                db->log_frames = frames;
                db->moved_frames = moved;
        }
        int error = sqlite_error(db, rc);
        if (error == DB_BUSY && kind != DB_CHECKPOINT_EMPTY)
                return DB_OK; /* a reader is in the way: the rest goes next time */
        return sqlite_note_error(db, error);
}

/* --- opening --- */

static int library_rc = SQLITE_OK; /* set once, before any connection */

static void set_up_library(void)
{
        sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); /* no lock and no sum for every allocation */
        library_rc = sqlite3_initialize();
        if (library_rc == SQLITE_OK)
                library_rc = sqlite_vfs_register();
}

/* Makes a missing file with mode 0600, from which the engine copies the mode of its other files; narrows existing ones.
 * Never opens an existing file: closing it would drop the locks that this process holds on it. */
static int prepare_files(const char *path, bool *out_was_left_open, char **out_why)
{
        static const char *const tails[] = {"", "-wal", "-shm"};
        int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd >= 0)
                close(fd);
        else if (errno != EEXIST)
                return db_because(out_why, is_no_space(errno) ? DB_FULL : DB_IO, "%s cannot be made: %s", path,
                                  strerror(errno));
        for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
                char *name = NULL;
                struct stat facts;
                if (asprintf(&name, "%s%s", path, tails[i]) < 0)
                        return DB_NOMEM;
                int rc = stat(name, &facts);
                if (rc == 0 && (facts.st_mode & 077) != 0)
                        rc = chmod(name, 0600);
                if (rc == 0 && i == 1)
                        *out_was_left_open = facts.st_size > 0;
                free(name);
        }
        return DB_OK;
}

static int configure(struct sqlite_db *db, bool is_reader)
{
        static const struct {
                int option, value;
        } options[] = {
                {SQLITE_DBCONFIG_DEFENSIVE, 1},   {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
                {SQLITE_DBCONFIG_ENABLE_FKEY, 1}, {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
                {SQLITE_DBCONFIG_DQS_DML, 0},     {SQLITE_DBCONFIG_DQS_DDL, 0},
        };
        int rc = SQLITE_OK;
        for (size_t i = 0; i < sizeof options / sizeof *options && rc == SQLITE_OK; i++)
                rc = sqlite3_db_config(db->handle, options[i].option, options[i].value, NULL);
        if (rc == SQLITE_OK && is_reader)
                rc = sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
        return rc;
}

static int ask_int(struct sqlite_db *db, const char *text, int64_t *out_value)
{
        sqlite3_stmt *stmt = NULL;
        int rc = sqlite3_prepare_v2(db->handle, text, -1, &stmt, NULL);
        if (rc == SQLITE_OK) {
                rc = sqlite3_step(stmt);
                if (rc == SQLITE_ROW) {
                        *out_value = sqlite3_column_int64(stmt, 0);
                        rc = SQLITE_OK;
                }
        }
        sqlite3_finalize(stmt);
        return rc;
}

#define PRAGMAS_BOTH                                                                                                   \
        "PRAGMA secure_delete = ON; PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0;"                                \
        "PRAGMA temp_store = MEMORY; PRAGMA wal_autocheckpoint = 0;"

enum kind { KIND_WRITER, KIND_THROWAWAY, KIND_READER };

static const char *const pragmas[] = {
        [KIND_WRITER] = "PRAGMA page_size = 4096; PRAGMA synchronous = FULL; PRAGMA journal_mode = WAL;"
                        "PRAGMA cache_size = -65536;" PRAGMAS_BOTH,
        [KIND_THROWAWAY] = "PRAGMA page_size = 4096; PRAGMA synchronous = NORMAL; PRAGMA journal_mode = WAL;"
                           "PRAGMA cache_size = -65536;" PRAGMAS_BOTH,
        [KIND_READER] = "PRAGMA synchronous = FULL; PRAGMA cache_size = -8192; PRAGMA query_only = ON;" PRAGMAS_BOTH,
};

/* The settings that promises rest on are read back: a pragma that cannot be had is no error to the engine. */
static int apply_pragmas(struct sqlite_db *db, enum kind kind)
{
        int64_t tables = 0, synchronous = 0, has_log = 0;
        int rc = sqlite3_exec(db->handle, pragmas[kind], NULL, NULL, NULL);
        if (rc == SQLITE_OK)
                rc = ask_int(db, "SELECT count(*) FROM sqlite_schema", &tables); /* reads page 1, recovers the log */
        if (rc == SQLITE_OK)
                rc = ask_int(db, "PRAGMA synchronous", &synchronous);
        if (rc == SQLITE_OK)
                rc = ask_int(db, "SELECT journal_mode = 'wal' FROM pragma_journal_mode", &has_log);
        if (rc == SQLITE_OK && (synchronous != (kind == KIND_THROWAWAY ? 1 : 2) || (!has_log && kind != KIND_READER)))
                rc = SQLITE_CANTOPEN;
        return rc;
}

static int open_handle(struct sqlite_db *db, const char *path, enum kind kind, char **out_why)
{
        int flags = (kind == KIND_READER ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) | SQLITE_OPEN_NOMUTEX;
        int atomic = 1; /* the engine's own default; gathered writes need that a commit ends with its flush */
        int rc = library_rc;
        if (rc == SQLITE_OK)
                rc = sqlite3_open_v2(path, &db->handle, flags, kind == KIND_WRITER ? SQLITE_WRITER_VFS : NULL);
        if (rc == SQLITE_OK)
                rc = sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_POWERSAFE_OVERWRITE, &atomic);
        if (rc == SQLITE_OK)
                rc = sqlite3_extended_result_codes(db->handle, 1);
        if (rc == SQLITE_OK)
                rc = configure(db, kind == KIND_READER);
        if (rc == SQLITE_OK)
                rc = sqlite3_busy_timeout(db->handle, BUSY_MS);
        if (rc == SQLITE_OK)
                rc = apply_pragmas(db, kind);
        if (rc == SQLITE_OK) {
                sqlite3_wal_hook(db->handle, on_commit, db);
                return DB_OK;
        }
        int error = db->handle ? sqlite_error(db, rc) : DB_NOMEM;
        return db_because(out_why, error, "%s cannot be opened: %s", path, db->handle ? db->message : "out of memory");
}

static void close_db(struct db *base)
{
        struct sqlite_db *db = (struct sqlite_db *)base;
        if (db->is_dead && db->handle) /* the last connection would checkpoint: a flush after a failed one (A2) */
                sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
        sqlite_stmts_done(db);
        sqlite3_close_v2(db->handle);
        free(base->path);
        free(db);
}

static void abandon_db(struct db *base)
{
        ((struct sqlite_db *)base)->is_dead = true;
        close_db(base);
}

int sqlite_db_open(const char *path, enum db_mode mode, bool is_throwaway, struct db **out_db, char **out_why)
{
        static pthread_once_t once = PTHREAD_ONCE_INIT;
        pthread_once(&once, set_up_library);
        bool was_left_open = false;
        if (mode == DB_WRITER) {
                int rc = prepare_files(path, &was_left_open, out_why);
                if (rc != DB_OK)
                        return rc;
        }
        struct sqlite_db *db = calloc(1, sizeof *db);
        if (!db)
                return DB_NOMEM;
        db->base.driver = &db_sqlite;
        db->base.mode = mode;
        db->base.was_left_open = was_left_open;
        db->base.path = strdup(path);
        enum kind kind = mode == DB_READER ? KIND_READER : is_throwaway ? KIND_THROWAWAY : KIND_WRITER;
        int rc = db->base.path ? open_handle(db, path, kind, out_why) : DB_NOMEM;
        if (rc != DB_OK) {
                abandon_db(&db->base); /* what cannot be read stays as it is, its log too */
                return rc;
        }
        *out_db = &db->base;
        return DB_OK;
}

static int open_db(const char *path, enum db_mode mode, struct db **out_db, char **out_why)
{
        return sqlite_db_open(path, mode, false, out_db, out_why);
}

/* --- the rest of the table --- */

static int64_t changes(const struct db *base)
{
        return sqlite3_changes64(((const struct sqlite_db *)base)->handle);
}

static int64_t last_id(const struct db *base)
{
        return sqlite3_last_insert_rowid(((const struct sqlite_db *)base)->handle);
}

static const char *message(const struct db *base)
{
        return ((const struct sqlite_db *)base)->message;
}

static int exec(struct db *base, const char *script)
{
        struct sqlite_db *db = (struct sqlite_db *)base;
        if (db->is_dead)
                return DB_UNKNOWN;
        if (db->lost != DB_OK)
                return db->lost;
        int rc = sqlite3_exec(db->handle, script, NULL, NULL, NULL);
        return rc == SQLITE_OK ? DB_OK : sqlite_note_error(db, sqlite_error(db, rc));
}

static int probe(struct db *base)
{
        struct sqlite_db *db = (struct sqlite_db *)base;
        int64_t tables = 0, ours = 0, id = 0;
        int rc = ask_int(db, "SELECT count(*) FROM sqlite_schema", &tables);
        if (rc == SQLITE_OK)
                rc = ask_int(db, "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'meta'", &ours);
        if (rc == SQLITE_OK)
                rc = ask_int(db, "PRAGMA application_id", &id);
        if (rc != SQLITE_OK)
                return sqlite_error(db, rc);
        if (tables == 0)
                return DB_OK;
        return ours == 1 && id == APPLICATION_ID ? DB_ROW : DB_DAMAGED;
}

struct findings {
        void (*say)(void *data, const char *finding);
        void *data;
        int *count;
};

static void say(struct findings *findings, const char *text)
{
        ++*findings->count;
        findings->say(findings->data, text);
}

static int check_pages(struct sqlite_db *db, bool deep, struct findings *findings)
{
        sqlite3_stmt *stmt = NULL;
        int rc =
                sqlite3_prepare_v2(db->handle, deep ? "PRAGMA integrity_check" : "PRAGMA quick_check", -1, &stmt, NULL);
        while (rc == SQLITE_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
                const char *text = (const char *)sqlite3_column_text(stmt, 0);
                if (text && strcmp(text, "ok") != 0)
                        say(findings, text);
                rc = SQLITE_OK;
        }
        sqlite3_finalize(stmt);
        return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int check_references(struct sqlite_db *db, struct findings *findings)
{
        sqlite3_stmt *stmt = NULL;
        int rc = sqlite3_prepare_v2(db->handle, "PRAGMA foreign_key_check", -1, &stmt, NULL);
        while (rc == SQLITE_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
                char text[200];
                snprintf(text, sizeof text, "row %lld of %s refers to a missing row of %s",
                         (long long)sqlite3_column_int64(stmt, 1), (const char *)sqlite3_column_text(stmt, 0),
                         (const char *)sqlite3_column_text(stmt, 2));
                say(findings, text);
                rc = SQLITE_OK;
        }
        sqlite3_finalize(stmt);
        return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int check(struct db *base, bool deep, void (*say_it)(void *data, const char *finding), void *data, int *count)
{
        struct sqlite_db *db = (struct sqlite_db *)base;
        struct findings findings = {say_it, data, count};
        int rc = check_pages(db, deep, &findings);
        if (rc == SQLITE_OK)
                rc = check_references(db, &findings);
        int error = sqlite_error(db, rc);
        if (error == DB_DAMAGED) {
                say(&findings, db->message);
                error = DB_OK;
        }
        return error;
}

static struct db_migrations migrations(void)
{
        return (struct db_migrations){sql_migrations_sqlite, SQL_MIGRATIONS_SQLITE};
}

const struct db_driver db_sqlite = {
        .name = "sqlite",
        .migrations = migrations,
        .open = open_db,
        .close = close_db,
        .abandon = abandon_db,
        .stmt = sqlite_stmt_of,
        .prepare = sqlite_stmt_new,
        .bind_int = sqlite_stmt_bind_int,
        .bind_null = sqlite_stmt_bind_null,
        .bind_text = sqlite_stmt_bind_text,
        .bind_blob = sqlite_stmt_bind_blob,
        .step = sqlite_stmt_step,
        .reset = sqlite_stmt_reset,
        .column_int = sqlite_stmt_int,
        .column_text = sqlite_stmt_bytes,
        .column_blob = sqlite_stmt_bytes,
        .column_is_null = sqlite_stmt_is_null,
        .changes = changes,
        .last_id = last_id,
        .message = message,
        .control = control,
        .checkpoint = checkpoint,
        .exec = exec,
        .probe = probe,
        .check = check,
        .backup_begin = sqlite_backup_begin,
        .backup_step = sqlite_backup_step,
        .backup_end = sqlite_backup_end,
};
