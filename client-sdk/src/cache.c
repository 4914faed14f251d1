/* SPDX-License-Identifier: Apache-2.0 */
/* The user's file: opening, setting aside, locking, turns, single values and conversations. */
#include "cache_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "deskbell/deskbell.h"

enum { APPLICATION_ID = 0x4442454c, SCHEMA_VERSION = 1 };

static const char *const texts[CACHE_STATEMENT_COUNT] = {
#define X(name, text) text,
        CACHE_STATEMENTS(X)
#undef X
};

static const char schema[] =
        "PRAGMA application_id = 1145193804; PRAGMA user_version = 1;"
        "CREATE TABLE meta(name TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID;"
        "CREATE TABLE conv(row INTEGER PRIMARY KEY, id INTEGER, key TEXT, confirmed INTEGER, gone INTEGER, low0 "
        "INTEGER, "
        "cursor0 INTEGER, head0 INTEGER, done0 INTEGER, low1 INTEGER, cursor1 INTEGER, head1 INTEGER, done1 INTEGER, "
        "my_read INTEGER, feed TEXT);"
        "CREATE TABLE entry(conv INTEGER, log INTEGER, number INTEGER, kind INTEGER, of INTEGER, counts INTEGER, cmid "
        "BLOB, "
        "body TEXT, PRIMARY KEY(conv, log, number)) WITHOUT ROWID;"
        "CREATE INDEX entry_cmid ON entry(cmid) WHERE cmid IS NOT NULL;"
        "CREATE INDEX entry_of ON entry(of) WHERE of > 0;"
        "CREATE TABLE outbox(pos INTEGER PRIMARY KEY AUTOINCREMENT, cmid BLOB UNIQUE NOT NULL, conv INTEGER, op "
        "INTEGER, "
        "log INTEGER, content TEXT, hash BLOB, target BLOB, of INTEGER, version INTEGER, epoch BLOB, queued_ms "
        "INTEGER, "
        "first_ms INTEGER, state INTEGER, tag TEXT, number INTEGER DEFAULT 0, at_seq INTEGER DEFAULT 0, ts INTEGER "
        "DEFAULT 0, "
        "dup INTEGER DEFAULT 0, told INTEGER DEFAULT 0);"
        "CREATE INDEX outbox_number ON outbox(conv, number) WHERE number > 0;"
        "CREATE INDEX outbox_state ON outbox(state, pos);";

/* Came later: made in files of before, too. */
static const char schema_files[] =
        "CREATE TABLE IF NOT EXISTS recent(conv INTEGER PRIMARY KEY, opened_ms INTEGER);"
        "CREATE TABLE IF NOT EXISTS upload(pos INTEGER, at INTEGER, cmid BLOB, path TEXT, copy INTEGER, name TEXT, "
        "media "
        "TEXT, size INTEGER, mtime INTEGER, sha256 BLOB, file BLOB, complete INTEGER, width INTEGER, height INTEGER, "
        "tries INTEGER, paused INTEGER, PRIMARY KEY(pos, at)) WITHOUT ROWID;"
        "CREATE INDEX IF NOT EXISTS upload_path ON upload(path);"
        "CREATE TRIGGER IF NOT EXISTS outbox_gone AFTER DELETE ON outbox BEGIN DELETE FROM upload WHERE pos = OLD.pos; "
        "END;";

sqlite3_stmt *cache_statement(struct cache *cache, enum cache_statement which)
{
        if (!cache->statements[which] && sqlite3_prepare_v3(cache->db, texts[which], -1, SQLITE_PREPARE_PERSISTENT,
                                                            &cache->statements[which], NULL) != SQLITE_OK)
                cache->has_failed = true;
        return cache->statements[which];
}

static bool is_damage(int rc)
{
        return (rc & 0xff) == SQLITE_NOTADB || (rc & 0xff) == SQLITE_CORRUPT;
}

bool cache_step(struct cache *cache, sqlite3_stmt *statement)
{
        if (!statement)
                return false;

        int rc = sqlite3_step(statement);
        if (rc == SQLITE_ROW)
                return true;
        if (rc != SQLITE_DONE)
                cache->has_failed = true;
        cache->is_damaged |= is_damage(rc);
        sqlite3_reset(statement);
        sqlite3_clear_bindings(statement);
        return false;
}

void cache_run(struct cache *cache, sqlite3_stmt *statement)
{
        while (cache_step(cache, statement))
                ;
}

int64_t cache_one_number(struct cache *cache, enum cache_statement which)
{
        sqlite3_stmt *statement = cache_statement(cache, which);
        int64_t number = 0;

        while (cache_step(cache, statement))
                number = sqlite3_column_int64(statement, 0);
        return number;
}

struct span cache_text(sqlite3_stmt *statement, int column)
{
        const char *at = (const char *)sqlite3_column_text(statement, column);

        return (struct span){at, at ? (size_t)sqlite3_column_bytes(statement, column) : 0};
}

void cache_bind_text(sqlite3_stmt *statement, int index, struct span text)
{
        if (text.at)
                sqlite3_bind_text(statement, index, text.at, (int)text.len, SQLITE_STATIC);
        else
                sqlite3_bind_null(statement, index);
}

static int run(struct cache *cache, const char *sql)
{
        return sqlite3_exec(cache->db, sql, NULL, NULL, NULL);
}

static int64_t pragma_number(struct cache *cache, const char *sql)
{
        sqlite3_stmt *statement = NULL;
        int64_t value = -1;

        if (sqlite3_prepare_v2(cache->db, sql, -1, &statement, NULL) == SQLITE_OK &&
            sqlite3_step(statement) == SQLITE_ROW)
                value = sqlite3_column_int64(statement, 0);
        sqlite3_finalize(statement);
        return value;
}

static bool passes_quick_check(struct cache *cache)
{
        sqlite3_stmt *statement = NULL;
        bool is_ok = sqlite3_prepare_v2(cache->db, "PRAGMA quick_check(1)", -1, &statement, NULL) == SQLITE_OK &&
                     sqlite3_step(statement) == SQLITE_ROW &&
                     strcmp((const char *)sqlite3_column_text(statement, 0), "ok") == 0;

        sqlite3_finalize(statement);
        return is_ok;
}

static void close_db(struct cache *cache)
{
        for (int i = 0; i < CACHE_STATEMENT_COUNT; i++) {
                sqlite3_finalize(cache->statements[i]);
                cache->statements[i] = NULL;
        }
        sqlite3_close(cache->db);
        cache->db = NULL;
}

static int set_up(struct cache *cache)
{
        static const char pragmas[] = "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous "
                                      "= FULL; PRAGMA secure_delete = ON; "
                                      "PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF; PRAGMA mmap_size = 0; "
                                      "PRAGMA temp_store = MEMORY; PRAGMA wal_autocheckpoint = 1000;";

        cache->is_durable = true;
        return run(cache, pragmas);
}

enum verdict { FILE_OURS, FILE_EMPTY, FILE_DAMAGED, FILE_NEWER, FILE_ERROR };

/* Looks at an open file: whether it is ours and whole. */
static enum verdict judge(struct cache *cache)
{
        int rc = set_up(cache);
        if (rc != SQLITE_OK)
                return is_damage(rc) ? FILE_DAMAGED : FILE_ERROR;

        int64_t application = pragma_number(cache, "PRAGMA application_id");
        int64_t version = pragma_number(cache, "PRAGMA user_version");
        int64_t tables = pragma_number(cache, "SELECT count(*) FROM sqlite_schema");
        if (application == 0 && version == 0 && tables == 0)
                return FILE_EMPTY;
        if (application != APPLICATION_ID || version < 1)
                return FILE_DAMAGED;
        if (version > SCHEMA_VERSION)
                return cache_rescue_can_read(cache->db) ? FILE_DAMAGED : FILE_NEWER;
        /* A clean close leaves this value; reading every page is worth it only after a crash. */
        if (cache_number_get(cache, "is_clean") != 1 && !passes_quick_check(cache))
                return FILE_DAMAGED;
        return cache->has_failed || !cache_seal_holds(cache) ? FILE_DAMAGED : FILE_OURS;
}

static int open_db(struct cache *cache, const char *path)
{
        int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
        int rc = sqlite3_open_v2(path ? path : ":memory:", &cache->db, flags, NULL);

        if (rc == SQLITE_OK)
                sqlite3_busy_timeout(cache->db, 1000);
        return rc;
}

static char *join(const char *path, const char *more)
{
        char *whole = NULL;

        return asprintf(&whole, "%s%s", path, more) < 0 ? NULL : whole;
}

static int rename_with(const char *path, const char *target, const char *tail)
{
        char *from = join(path, tail), *to = join(target, tail);
        int rc = from && to ? rename(from, to) : -1;

        free(from);
        free(to);
        return rc;
}

static int link_with(const char *path, const char *target, const char *tail)
{
        char *from = join(path, tail), *to = join(target, tail);
        int rc = from && to ? link(from, to) : -1;

        free(from);
        free(to);
        return rc;
}

static void unlink_with(const char *path, const char *tail)
{
        char *whole = join(path, tail);

        if (whole)
                unlink(whole);
        free(whole);
}

/* Both names first, then the old ones go: whenever the process dies, the file and its log are together under one of
 * them. Where there are no links, renaming has to do. */
static int move_with_log(const char *path, const char *target)
{
        char *log = join(path, "-wal");
        bool has_log = log && access(log, F_OK) == 0;

        free(log);
        if (link_with(path, target, "") < 0) {
                if (has_log)
                        rename_with(path, target, "-wal");
                return rename_with(path, target, "");
        }
        if (has_log && link_with(path, target, "-wal") < 0)
                return -1;
        unlink_with(path, "-wal");
        unlink_with(path, "-shm");
        unlink_with(path, "");
        return 0;
}

/* Moves the damaged file and its log away, to be looked at. */
static int set_aside(struct cache *cache, const char *path, int64_t wall_ms)
{
        char tail[48];

        close_db(cache);
        cache->has_failed = false;
        snprintf(tail, sizeof(tail), ".rescue-%lld", (long long)wall_ms);
        char *target = join(path, tail);
        if (!target)
                return DESKBELL_E_NOMEM;
        int rc = move_with_log(path, target);
        free(target);
        if (rc < 0)
                return DESKBELL_E_STORE;
        return open_db(cache, path) == SQLITE_OK && judge(cache) == FILE_EMPTY ? 0 : DESKBELL_E_STORE;
}

static int take_lock(struct cache *cache, const char *path)
{
        char *lock = join(path, ".lock");
        if (!lock)
                return DESKBELL_E_NOMEM;

        cache->lock_fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        free(lock);
        if (cache->lock_fd < 0)
                return DESKBELL_E_STORE;
        if (flock(cache->lock_fd, LOCK_EX | LOCK_NB) < 0)
                return errno == EWOULDBLOCK ? DESKBELL_E_LOCKED : DESKBELL_E_STORE;
        /* Makes the file with our mode, whatever the umask; its log gets the same. */
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (fd < 0)
                return DESKBELL_E_STORE;
        close(fd);
        return 0;
}

static int begin_file(struct cache *cache, const char *path, int64_t wall_ms, char **out_set_aside)
{
        if (open_db(cache, path) != SQLITE_OK)
                return DESKBELL_E_STORE;

        enum verdict verdict = judge(cache);
        if (verdict == FILE_NEWER)
                return DESKBELL_E_STORE_NEWER;
        if (verdict == FILE_ERROR)
                return DESKBELL_E_STORE;
        if (verdict == FILE_DAMAGED) {
                int rc = path ? set_aside(cache, path, wall_ms) : DESKBELL_E_STORE;
                if (rc < 0)
                        return rc;
        }
        cache_begin(cache, true);
        if (verdict != FILE_OURS && run(cache, schema) != SQLITE_OK)
                cache->has_failed = true;
        if (run(cache, schema_files) != SQLITE_OK)
                cache->has_failed = true;
        cache_number_set(cache, "is_clean", 0);
        if (path)
                cache_rescue(cache, path);
        int rc = cache_commit(cache);
        if (rc == 0 && path)
                *out_set_aside = cache_rescue_done(path);
        return rc;
}

int cache_open(const char *path, int64_t wall_ms, struct cache **out_cache, char **out_set_aside)
{
        struct cache *cache = calloc(1, sizeof(*cache));
        char *aside = NULL;
        if (!cache)
                return DESKBELL_E_NOMEM;

        cache->lock_fd = -1;
        cache->rescued = -1;
        int rc = path ? take_lock(cache, path) : 0;
        if (rc == 0)
                rc = begin_file(cache, path, wall_ms, &aside);
        if (rc < 0) {
                free(aside);
                close_db(cache);
                if (cache->lock_fd >= 0)
                        close(cache->lock_fd);
                free(cache);
                return rc;
        }
        *out_cache = cache;
        *out_set_aside = aside;
        return 0;
}

struct cache *cache_close(struct cache *cache)
{
        if (!cache)
                return NULL;
        if (cache->is_in_turn)
                cache_rollback(cache);
        cache_begin(cache, true);
        cache_number_set(cache, "is_clean", !cache->is_damaged);
        cache_commit(cache);
        close_db(cache);
        if (cache->wipe_path)
                *cache->wipe_rc = cache_wipe(cache->wipe_path);
        if (cache->lock_fd >= 0)
                close(cache->lock_fd);
        free(cache);
        return NULL;
}

void cache_begin(struct cache *cache, bool durable)
{
        cache->has_failed = false;
        if (durable != cache->is_durable) {
                if (run(cache, durable ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL") != SQLITE_OK)
                        cache->has_failed = true;
                cache->is_durable = durable;
        }
        if (run(cache, "BEGIN IMMEDIATE") != SQLITE_OK)
                cache->has_failed = true;
        cache->is_in_turn = true;
}

int cache_commit(struct cache *cache)
{
        if (cache->has_failed || run(cache, "COMMIT") != SQLITE_OK) {
                cache_rollback(cache);
                return DESKBELL_E_STORE;
        }
        cache->is_in_turn = false;
        return 0;
}

void cache_rollback(struct cache *cache)
{
        if (!sqlite3_get_autocommit(cache->db))
                run(cache, "ROLLBACK");
        cache->is_in_turn = false;
        cache->has_failed = false;
}

void cache_fail(struct cache *cache)
{
        cache->has_failed = true;
}

size_t cache_value_get(struct cache *cache, const char *name, void *out, size_t room)
{
        sqlite3_stmt *statement = cache_statement(cache, CACHE_VALUE_GET);
        size_t len = 0;
        if (!statement)
                return 0;

        sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
        if (cache_step(cache, statement)) {
                const void *at = sqlite3_column_blob(statement, 0);
                len = (size_t)sqlite3_column_bytes(statement, 0);
                if (at && len)
                        memcpy(out, at, len < room ? len : room);
                cache_run(cache, statement);
        }
        return len;
}

void cache_value_set(struct cache *cache, const char *name, const void *bytes, size_t len)
{
        sqlite3_stmt *statement = cache_statement(cache, CACHE_VALUE_SET);
        if (!statement)
                return;

        sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
        sqlite3_bind_blob(statement, 2, len ? bytes : "", (int)len, SQLITE_STATIC);
        cache_run(cache, statement);
}

int64_t cache_number_get(struct cache *cache, const char *name)
{
        int64_t value = 0;

        return cache_value_get(cache, name, &value, sizeof(value)) == sizeof(value) ? value : 0;
}

void cache_number_set(struct cache *cache, const char *name, int64_t value)
{
        cache_value_set(cache, name, &value, sizeof(value));
}

static struct cached_conv read_conv(sqlite3_stmt *statement)
{
        struct cached_conv conv = {
                .row = sqlite3_column_int64(statement, 0),
                .id = (uint64_t)sqlite3_column_int64(statement, 1),
                .key = cache_text(statement, 2),
                .is_confirmed = sqlite3_column_int(statement, 3) != 0,
                .has_left = sqlite3_column_int(statement, 4) != 0,
                .my_read = sqlite3_column_int64(statement, 13),
                .feed = cache_text(statement, 14),
        };

        for (int log = 0; log < 2; log++) {
                conv.place[log].low = sqlite3_column_int64(statement, 5 + 4 * log);
                conv.place[log].cursor = sqlite3_column_int64(statement, 6 + 4 * log);
                conv.place[log].head = sqlite3_column_int64(statement, 7 + 4 * log);
                conv.place[log].done = sqlite3_column_int64(statement, 8 + 4 * log);
        }
        return conv;
}

void cache_convs(struct cache *cache, void (*each)(void *data, const struct cached_conv *conv), void *data)
{
        sqlite3_stmt *statement = cache_statement(cache, CACHE_CONVS);

        while (cache_step(cache, statement)) {
                struct cached_conv conv = read_conv(statement);
                each(data, &conv);
        }
}

bool cache_conv_get(struct cache *cache, int64_t row, void (*each)(void *data, const struct cached_conv *conv),
                    void *data)
{
        sqlite3_stmt *statement = cache_statement(cache, CACHE_CONV_GET);
        if (!statement)
                return false;

        sqlite3_bind_int64(statement, 1, row);
        if (!cache_step(cache, statement))
                return false;
        struct cached_conv conv = read_conv(statement);
        each(data, &conv);
        cache_run(cache, statement);
        return true;
}

int64_t cache_conv_put(struct cache *cache, const struct cached_conv *conv)
{
        sqlite3_stmt *statement = cache_statement(cache, CACHE_CONV_PUT);
        if (!statement)
                return conv->row;

        if (conv->row)
                sqlite3_bind_int64(statement, 1, conv->row);
        sqlite3_bind_int64(statement, 2, (int64_t)conv->id);
        cache_bind_text(statement, 3, conv->key);
        sqlite3_bind_int(statement, 4, conv->is_confirmed);
        sqlite3_bind_int(statement, 5, conv->has_left);
        for (int log = 0; log < 2; log++) {
                sqlite3_bind_int64(statement, 6 + 4 * log, conv->place[log].low);
                sqlite3_bind_int64(statement, 7 + 4 * log, conv->place[log].cursor);
                sqlite3_bind_int64(statement, 8 + 4 * log, conv->place[log].head);
                sqlite3_bind_int64(statement, 9 + 4 * log, conv->place[log].done);
        }
        sqlite3_bind_int64(statement, 14, conv->my_read);
        cache_bind_text(statement, 15, conv->feed);
        cache_run(cache, statement);
        return conv->row ? conv->row : sqlite3_last_insert_rowid(cache->db);
}
