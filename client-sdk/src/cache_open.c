/* SPDX-License-Identifier: Apache-2.0 */
/* The user's file: opening, judging, setting aside, locking, closing. */
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

const char cache_schema[] =
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
const char cache_schema_files[] =
        "CREATE TABLE IF NOT EXISTS recent(conv INTEGER PRIMARY KEY, opened_ms INTEGER);"
        "CREATE TABLE IF NOT EXISTS upload(pos INTEGER, at INTEGER, cmid BLOB, path TEXT, copy INTEGER, name TEXT, "
        "media "
        "TEXT, size INTEGER, mtime INTEGER, sha256 BLOB, file BLOB, complete INTEGER, width INTEGER, height INTEGER, "
        "tries INTEGER, paused INTEGER, secret BLOB, PRIMARY KEY(pos, at)) WITHOUT ROWID;"
        "DROP INDEX IF EXISTS upload_path;"
        "CREATE TRIGGER IF NOT EXISTS outbox_gone AFTER DELETE ON outbox BEGIN DELETE FROM upload WHERE pos = OLD.pos; "
        "END;";

/* The last call failed, and not because of what the file holds: memory, or the disk. */
static bool is_in_trouble(struct cache *cache)
{
        int rc = sqlite3_errcode(cache->db);

        return rc != SQLITE_OK && rc != SQLITE_ROW && rc != SQLITE_DONE && !cache_is_damage(rc);
}

static int64_t ask(struct cache *cache, const char *sql, bool *is_ill)
{
        int64_t number = cache_ask(cache, sql);

        *is_ill |= number < 0 && is_in_trouble(cache);
        return number;
}

static bool passes(struct cache *cache, const char *check, bool *is_ill)
{
        sqlite3_stmt *statement = NULL;
        bool is_ok = sqlite3_prepare_v2(cache->db, check, -1, &statement, NULL) == SQLITE_OK &&
                     sqlite3_step(statement) == SQLITE_ROW;

        const char *found = is_ok ? (const char *)sqlite3_column_text(statement, 0) : NULL;

        *is_ill |= !found && is_in_trouble(cache);
        is_ok = found && strcmp(found, "ok") == 0;
        /* Without memory for all of the check a row says so in words, and the next step in a number. */
        if (found && !is_ok)
                sqlite3_step(statement);
        *is_ill |= !is_ok && is_in_trouble(cache);
        sqlite3_finalize(statement);
        return is_ok;
}

/* A cmid stands in the table and in its index: one that was changed in either is not sent as another message. Newer
 * tables than ours may not be so; they are judged elsewhere. */
static bool are_cmids_whole(struct cache *cache, bool *is_ill)
{
        return ask(cache,
                   "SELECT count(*) FROM outbox o WHERE o.state IN (1, 7) AND NOT EXISTS (SELECT 1 FROM outbox i "
                   "INDEXED BY " CMID_INDEX " WHERE i.cmid = o.cmid)",
                   is_ill) == 0;
}

void cache_close_db(struct cache *cache)
{
        for (int i = 0; i < CACHE_STATEMENT_COUNT; i++) {
                sqlite3_finalize(cache->statements[i]);
                cache->statements[i] = NULL;
        }
        sqlite3_close(cache->db);
        cache->db = NULL;
}

int cache_set_up(struct cache *cache)
{
        static const char pragmas[] =
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; "
                "PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF; PRAGMA mmap_size = 0; "
                "PRAGMA temp_store = MEMORY; PRAGMA wal_autocheckpoint = 1000; "
                "PRAGMA fullfsync = ON;"; /* see platform_flush; nothing on Linux */
        int rc = SQLITE_OK;

        cache->is_durable = true;
        if (cache_ask(cache, "PRAGMA page_count") == 0) /* it would be written again each time */
                rc = cache_exec(cache, "PRAGMA auto_vacuum = INCREMENTAL");
        return rc == SQLITE_OK ? cache_exec(cache, pragmas) : rc;
}

enum verdict { FILE_OURS, FILE_EMPTY, FILE_DAMAGED, FILE_NEWER, FILE_ERROR, FILE_SEALED };

/* Before anything else of it is read. */
static enum verdict judge_key(struct cache *cache)
{
        switch (cache_key_read(cache->db, cache->key, &cache->seal)) {
        case KEY_WRONG:
                return FILE_SEALED;
        case KEY_DAMAGED:
                return FILE_DAMAGED;
        case KEY_ERROR:
                return FILE_ERROR;
        default:
                return FILE_OURS;
        }
}

/* Looks at an open file: whether it is ours and whole. */
static enum verdict judge(struct cache *cache)
{
        int rc = cache_set_up(cache);
        if (rc != SQLITE_OK)
                return cache_is_damage(rc) ? FILE_DAMAGED : FILE_ERROR;

        bool is_ill = false;
        int64_t application = ask(cache, "PRAGMA application_id", &is_ill);
        int64_t version = ask(cache, "PRAGMA user_version", &is_ill);
        int64_t tables = ask(cache, "SELECT count(*) FROM sqlite_schema", &is_ill);
        if (is_ill)
                return FILE_ERROR;
        if (application == 0 && version == 0 && tables == 0)
                return FILE_EMPTY;
        if (application != APPLICATION_ID || version < 1)
                return FILE_DAMAGED;
        enum verdict verdict = judge_key(cache);
        if (verdict != FILE_OURS)
                return verdict;
        if (version > SCHEMA_VERSION && cache_rescue_can_read(cache->db))
                return FILE_DAMAGED;
        if (version > SCHEMA_VERSION) /* a table that is not as we know it is an error too, but of another kind */
                return (sqlite3_errcode(cache->db) & 0xff) == SQLITE_NOMEM ? FILE_ERROR : FILE_NEWER;
        /* A clean close leaves 1; reading every page is worth it only after a crash. -1: damage was met that is not in
         * the pages' form (a value that is not what was sealed). */
        int64_t is_clean = cache_number_get(cache, "is_clean");
        if (is_clean < 0 || (is_clean != 1 && !cache->has_failed && !passes(cache, "PRAGMA quick_check(1)", &is_ill)))
                return is_ill ? FILE_ERROR : FILE_DAMAGED;
        bool is_owner = !cache->has_failed && cache_owner_holds(cache) && are_cmids_whole(cache, &is_ill);
        if (is_ill)
                return FILE_ERROR;
        if (cache->has_failed)
                return cache->is_damaged ? FILE_DAMAGED : FILE_ERROR;
        return is_owner ? FILE_OURS : FILE_DAMAGED;
}

int cache_open_db(struct cache *cache, const char *path, sqlite3 **out_db)
{
        int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
        int rc = sqlite3_open_v2(path ? path : ":memory:", out_db, flags, NULL);

        if (rc == SQLITE_OK)
                rc = cache_key_functions(*out_db, &cache->seal);
        if (rc == SQLITE_OK)
                sqlite3_busy_timeout(*out_db, 1000);
        return rc;
}

char *cache_join(const char *path, const char *more)
{
        char *whole = NULL;

        return asprintf(&whole, "%s%s", path, more) < 0 ? NULL : whole;
}

static int rename_with(const char *path, const char *target, const char *tail)
{
        char *from = cache_join(path, tail), *to = cache_join(target, tail);
        int rc = from && to ? rename(from, to) : -1;

        free(from);
        free(to);
        return rc;
}

static int link_with(const char *path, const char *target, const char *tail)
{
        char *from = cache_join(path, tail), *to = cache_join(target, tail);
        int rc = from && to ? link(from, to) : -1;

        free(from);
        free(to);
        return rc;
}

static void unlink_with(const char *path, const char *tail)
{
        char *whole = cache_join(path, tail);

        if (whole)
                unlink(whole);
        free(whole);
}

/* Both names first, then the old ones go: whenever the process dies, the file and its log are together under one of
 * them. Where there are no links, renaming has to do. */
static int move_with_log(const char *path, const char *target)
{
        char *log = cache_join(path, "-wal");
        bool has_log = log && access(log, F_OK) == 0;

        if (!log)
                return -1;
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

/* Makes the file with our mode, whatever the umask; its log gets the same. */
static int make_file(const char *path)
{
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

        if (fd < 0)
                return DESKBELL_E_STORE;
        close(fd);
        return 0;
}

/* Moves the damaged file and its log away, to be looked at. */
static int set_aside(struct cache *cache, const char *path, int64_t wall_ms)
{
        char tail[48];

        cache_close_db(cache);
        cache->has_failed = false;
        cache->seal = seal_free(cache->seal);
        snprintf(tail, sizeof(tail), ".rescue-%lld", (long long)wall_ms);
        char *target = cache_join(path, tail);
        if (!target)
                return DESKBELL_E_NOMEM;
        int rc = move_with_log(path, target);
        free(target);
        if (rc < 0 || make_file(path) < 0)
                return DESKBELL_E_STORE;
        return cache_open_db(cache, path, &cache->db) == SQLITE_OK && judge(cache) == FILE_EMPTY ? 0 : DESKBELL_E_STORE;
}

static int take_lock(struct cache *cache, const char *path)
{
        char *lock = cache_join(path, ".lock");
        if (!lock)
                return DESKBELL_E_NOMEM;

        cache->lock_fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        free(lock);
        if (cache->lock_fd < 0)
                return DESKBELL_E_STORE;
        if (flock(cache->lock_fd, LOCK_EX | LOCK_NB) < 0)
                return errno == EWOULDBLOCK ? DESKBELL_E_LOCKED : DESKBELL_E_STORE;
        cache_convert_tidy(path);
        return make_file(path);
}

/* What came to the tables later is made in files of before, too. */
static int bring_up(struct cache *cache)
{
        static const char has_secret[] = "SELECT count(*) FROM pragma_table_info('upload') WHERE name = 'secret'";
        int rc = cache_exec(cache, cache_schema_files);

        if (rc == SQLITE_OK && cache_ask(cache, has_secret) == 0)
                rc = cache_exec(cache, "ALTER TABLE upload ADD COLUMN secret BLOB");
        return rc;
}

/* 0, or the error; a damaged file is set aside, and what stands there then is empty. */
static int look_at(struct cache *cache, const char *path, int64_t wall_ms, enum verdict *out_verdict)
{
        enum verdict verdict = judge(cache);
        int rc = verdict == FILE_OURS ? bring_up(cache) : SQLITE_OK;

        if (rc != SQLITE_OK)
                verdict = cache_is_damage(rc) ? FILE_DAMAGED : FILE_ERROR;
        rc = verdict == FILE_OURS && cache->key && !cache->seal ? cache_convert(cache, path) : 0;
        if (rc == DESKBELL_E_DAMAGED)
                verdict = FILE_DAMAGED;
        else if (rc < 0)
                return rc;
        *out_verdict = verdict;
        switch (verdict) {
        case FILE_SEALED:
                return DESKBELL_E_KEY;
        case FILE_NEWER:
                return DESKBELL_E_STORE_NEWER;
        case FILE_ERROR:
                return DESKBELL_E_STORE;
        case FILE_DAMAGED:
                return path ? set_aside(cache, path, wall_ms) : DESKBELL_E_STORE;
        default:
                return 0;
        }
}

/* Of a new file, within a turn. */
static void make_tables(struct cache *cache)
{
        if (cache_exec(cache, cache_schema) != SQLITE_OK || bring_up(cache) != SQLITE_OK)
                cache->has_failed = true;
        if (cache->key)
                cache_key_write(cache, cache->key);
}

static int begin_file(struct cache *cache, const char *path, int64_t wall_ms, char **out_set_aside)
{
        enum verdict verdict;
        int rc = cache_open_db(cache, path, &cache->db) == SQLITE_OK ? 0 : DESKBELL_E_STORE;

        if (rc == 0)
                rc = look_at(cache, path, wall_ms, &verdict);
        if (rc < 0)
                return rc;
        if (verdict != FILE_OURS && cache->key) {
                cache->seal = seal_new();
                if (!cache->seal)
                        return DESKBELL_E_NOMEM;
        }
        cache_begin(cache, true);
        if (verdict != FILE_OURS)
                make_tables(cache);
        cache_number_set(cache, "is_clean", 0);
        if (path)
                cache_rescue(cache, path);
        rc = cache_commit(cache);
        if (rc == 0 && path)
                *out_set_aside = cache_rescue_done(path);
        if (rc == 0 && path && cache->key) {
                cache_convert_finish(cache);
                cache_convert_asides(path, cache->key);
        }
        return rc;
}

/* Moves what is there out of the way, and opens a file without tables. */
static int move_away(struct cache *cache, int64_t wall_ms)
{
        struct seal *seal = cache->seal;
        int rc = 0;

        cache->seal = NULL; /* it outlives the file */
        if (!cache->db && (make_file(cache->path) < 0 || cache_open_db(cache, cache->path, &cache->db) != SQLITE_OK))
                rc = DESKBELL_E_STORE;
        else if (cache_ask(cache, "SELECT count(*) FROM sqlite_schema") != 0) /* else a call of before moved it */
                rc = set_aside(cache, cache->path, wall_ms);
        if (rc == 0 && cache_set_up(cache) != SQLITE_OK)
                rc = DESKBELL_E_STORE;
        if (rc < 0)
                cache_close_db(cache);
        cache->seal = seal;
        return rc;
}

int cache_open_anew(struct cache *cache, int64_t wall_ms, void (*fill)(void *data), void *data, char **out_set_aside)
{
        if (!cache->path)
                return DESKBELL_E_STORE;
        if (cache->seal && cache->db && cache_key_take(cache, cache->wrapped))
                cache->has_wrapped = true;
        if (cache->seal && !cache->has_wrapped)
                return DESKBELL_E_STORE;
        int rc = move_away(cache, wall_ms);
        if (rc < 0)
                return rc;

        cache->is_anew = true;
        cache_begin(cache, true);
        make_tables(cache);
        if (cache->seal)
                cache_key_put(cache, cache->wrapped);
        cache_number_set(cache, "is_clean", 0);
        cache->rescued = 0;
        cache_rescue(cache, cache->path);
        fill(data);
        rc = cache_commit(cache);
        cache->is_anew = false;
        if (rc < 0)
                return rc;
        cache->is_damaged = cache->has_wrapped = false;
        *out_set_aside = cache_rescue_done(cache->path);
        return 0;
}

static struct cache *cache_free(struct cache *cache)
{
        cache_close_db(cache);
        seal_free(cache->seal);
        if (cache->wipe_path)
                *cache->wipe_rc = cache_wipe(cache->wipe_path);
        if (cache->lock_fd >= 0)
                close(cache->lock_fd);
        free(cache->path);
        free(cache);
        return NULL;
}

int cache_open_sealed(const char *path, const uint8_t *key, int64_t wall_ms, struct cache **out_cache,
                      char **out_set_aside)
{
        struct cache *cache = calloc(1, sizeof(*cache));
        char *aside = NULL;
        if (!cache)
                return DESKBELL_E_NOMEM;

        cache->key = key;
        cache->lock_fd = -1;
        cache->rescued = -1;
        cache->path = path ? strdup(path) : NULL;
        int rc = path && !cache->path ? DESKBELL_E_NOMEM : 0;
        if (rc == 0 && path)
                rc = take_lock(cache, path);
        if (rc == 0)
                rc = begin_file(cache, path, wall_ms, &aside);
        cache->key = NULL;
        if (rc < 0) {
                free(aside);
                cache_free(cache);
                return rc;
        }
        *out_cache = cache;
        *out_set_aside = aside;
        return 0;
}

int cache_open(const char *path, int64_t wall_ms, struct cache **out_cache, char **out_set_aside)
{
        return cache_open_sealed(path, NULL, wall_ms, out_cache, out_set_aside);
}

struct cache *cache_close(struct cache *cache)
{
        if (!cache)
                return NULL;
        if (cache->is_in_turn)
                cache_rollback(cache);
        cache_begin(cache, true);
        cache_number_set(cache, "is_clean", cache->is_damaged ? -1 : 1);
        cache_commit(cache);
        return cache_free(cache);
}
