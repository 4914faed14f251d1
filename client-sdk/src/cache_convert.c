/* SPDX-License-Identifier: Apache-2.0 */
/* The user's file: from plain to sealed. A sealed file is built beside the plain one, whole and through to the disk,
 * and then takes its name at once, so that a process killed anywhere leaves the one or the other. What was plain is
 * overwritten afterwards; a second name keeps it findable until that is done.
 *
 *     PATH            the user's file, plain until the rename, sealed from then on
 *     PATH.sealing    being built: of no worth after a crash
 *     PATH.plain      what PATH was: to be overwritten, unless it still is PATH */
#include "cache_private.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "deskbell/deskbell.h"
#include "folder.h"
#include "platform.h"

/* ---- one file takes the place of another ------------------------------------------------------------------------- */

static bool is_same_file(const char *a, const char *b)
{
        struct stat left, right;

        return stat(a, &left) == 0 && stat(b, &right) == 0 && left.st_dev == right.st_dev &&
               left.st_ino == right.st_ino;
}

void cache_convert_tidy(const char *path)
{
        char *half = cache_join(path, ".sealing"), *plain = cache_join(path, ".plain");

        if (half)
                unlink(half);
        if (plain && is_same_file(path, plain))
                unlink(plain);
        else if (plain && access(plain, F_OK) == 0)
                cache_wipe_file(AT_FDCWD, plain);
        free(half);
        free(plain);
}

/* PATH.sealing, which is whole and on the disk, is PATH from now on. */
static bool take_place(const char *path)
{
        char *half = cache_join(path, ".sealing"), *plain = cache_join(path, ".plain");
        int fd = half && plain ? open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
        bool has_name = fd >= 0 && link(path, plain) == 0; /* there are file systems without links */
        bool is_done = fd >= 0 && rename(half, path) == 0;

        if (is_done) {
                folder_sync_of(path);
                cache_overwrite(fd);
        }
        if (has_name)
                unlink(plain);
        if (fd >= 0)
                close(fd);
        free(half);
        free(plain);
        return is_done;
}

/* ---- copies of bytes to be sent ---------------------------------------------------------------------------------- */

/* A sealed file that is being made. */
struct conversion {
        struct cache *to;
        char *plain; /* paths of copies, each with its zero byte */
        size_t plain_len;
};

static bool remember(struct conversion *conversion, const char *path)
{
        size_t len = strlen(path) + 1;
        char *more = realloc(conversion->plain, conversion->plain_len + len);
        if (!more)
                return false;

        memcpy(more + conversion->plain_len, path, len);
        conversion->plain = more;
        conversion->plain_len += len;
        return true;
}

/* Writes the sealed copy; false when it cannot be on the disk. */
static bool seal_copy(int from, const char *path, struct cached_upload *upload)
{
        struct stat plain, sealed;
        int to = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
        bool is_done = to >= 0 && fstat(from, &plain) == 0 && seal_file_key(upload->secret) == 0 &&
                       seal_file_copy(to, upload->secret, from, plain.st_size) == 0 && platform_flush(to) == 0 &&
                       fstat(to, &sealed) == 0 && folder_sync_of(path);

        if (is_done) {
                /* What was not the same any more stays so. */
                bool is_unchanged = plain.st_size == upload->size && platform_mtime_ns(&plain) == upload->mtime_ns;
                upload->mtime_ns = is_unchanged ? platform_mtime_ns(&sealed) : 0;
                upload->has_secret = true;
        }
        if (to >= 0)
                close(to);
        return is_done;
}

static bool convert_copy(void *data, const struct cached_upload *row)
{
        struct conversion *conversion = data;
        struct cached_upload copy = *row;

        if (!row->is_copy || row->has_secret)
                return true;
        char *plain = strndup(row->path.at, row->path.len), *sealed = plain ? cache_join(plain, ".sealed") : NULL;
        int from = plain ? open(plain, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
        bool is_gone = plain && from < 0 && errno == ENOENT; /* that is told when it is its turn */

        if (sealed && from >= 0 && remember(conversion, plain) && seal_copy(from, sealed, &copy)) {
                copy.path = span_of(sealed);
                cache_upload_put(conversion->to, &copy);
        } else if (!is_gone) {
                cache_fail(conversion->to);
        }
        OPENSSL_cleanse(copy.secret, sizeof(copy.secret));
        if (from >= 0)
                close(from);
        free(plain);
        free(sealed);
        return true;
}

static void convert_copies(struct conversion *conversion)
{
        for (int64_t pos = cache_copy_next(conversion->to, INT64_MIN); pos; pos = cache_copy_next(conversion->to, pos))
                cache_uploads(conversion->to, pos, convert_copy, conversion);
        if (conversion->plain_len)
                cache_value_set(conversion->to, "plain_copies", conversion->plain, conversion->plain_len);
}

void cache_convert_finish(struct cache *cache)
{
        char none;
        size_t len = cache_value_get(cache, "plain_copies", &none, 0);
        char *paths = len ? malloc(len) : NULL;
        bool is_left = false;

        if (!paths || cache_value_get(cache, "plain_copies", paths, len) != len || paths[len - 1] != '\0') {
                free(paths);
                return;
        }
        for (const char *path = paths; path < paths + len; path += strlen(path) + 1) {
                cache_wipe_file(AT_FDCWD, path);
                is_left |= access(path, F_OK) == 0;
        }
        free(paths);
        if (is_left)
                return; /* the next opening tries again */
        cache_begin(cache, true);
        cache_value_drop(cache, "plain_copies");
        cache_commit(cache);
}

/* ---- the tables -------------------------------------------------------------------------------------------------- */

static const char building[] =
        "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = OFF; PRAGMA synchronous = FULL; "
        "PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF; PRAGMA mmap_size = 0; "
        "PRAGMA temp_store = MEMORY; PRAGMA fullfsync = ON;";

/* Numbers among the values stay readable. */
static const char copying[] =
        "INSERT INTO main.meta SELECT name, CASE typeof(value) WHEN 'integer' THEN value ELSE " SEALED(
                "value", "meta.value",
                "name") " END FROM plain.meta;"
                        "INSERT INTO main.conv(" CONV_LIST(NAMED) ") SELECT " CONV_LIST(
                                SEALED) " FROM plain.conv;"
                                        "INSERT INTO main.entry(" ENTRY_LIST(NAMED) ") SELECT " ENTRY_LIST(
                                                SEALED) " FROM plain.entry;"
                                                        "INSERT INTO main.outbox(" MESSAGE_LIST(
                                                                NAMED) ") SELECT " MESSAGE_LIST(SEALED) " FROM "
                                                                                                        "plain.outbox;"
                                                                                                        "INSERT INTO "
                                                                                                        "main."
                                                                                                        "upload"
                                                                                                        "(" UPLOAD_LIST(NAMED) ") SELECT " UPLOAD_LIST(
                                                                                                                SEALED) " FROM plain.upload;"
                                                                                                                        "INSERT INTO main.recent SELECT conv, opened_ms FROM plain.recent;"
                                                                                                                        "DELETE FROM main.sqlite_sequence;"
                                                                                                                        "INSERT INTO main.sqlite_sequence SELECT name, seq FROM plain.sqlite_sequence;";

static int attach(struct cache *to, const char *path)
{
        sqlite3_stmt *statement = NULL;
        int rc = sqlite3_prepare_v2(to->db, "ATTACH ?1 AS plain", -1, &statement, NULL);

        if (rc == SQLITE_OK) {
                sqlite3_bind_text(statement, 1, path, -1, SQLITE_STATIC);
                rc = sqlite3_step(statement);
        }
        sqlite3_finalize(statement);
        return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int fill(struct cache *to, const char *path, const uint8_t *key)
{
        struct conversion conversion = {.to = to};
        int rc = cache_exec(to, building);

        if (rc == SQLITE_OK)
                rc = attach(to, path);
        if (rc == SQLITE_OK)
                rc = cache_exec(to, "BEGIN");
        if (rc == SQLITE_OK)
                rc = cache_exec(to, cache_schema);
        if (rc == SQLITE_OK)
                rc = cache_exec(to, cache_schema_files);
        if (rc == SQLITE_OK)
                rc = cache_exec(to, copying);
        if (rc != SQLITE_OK)
                return rc;
        to->is_in_turn = true;
        cache_key_write(to, key);
        convert_copies(&conversion);
        free(conversion.plain);
        return cache_commit(to) < 0 ? SQLITE_FULL : SQLITE_OK;
}

/* PATH.sealing is there, whole and on the disk, when this returns 0. */
static int build(struct cache *to, const char *path, const uint8_t *key)
{
        char *half = cache_join(path, ".sealing");
        int fd = half ? open(half, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;
        int rc = fd >= 0 ? cache_open_db(to, half, &to->db) : SQLITE_CANTOPEN;

        if (rc == SQLITE_OK)
                rc = fill(to, path, key);
        cache_close_db(to);
        if (rc == SQLITE_OK && platform_flush(fd) < 0)
                rc = SQLITE_IOERR;
        if (fd >= 0)
                close(fd);
        if (rc != SQLITE_OK && half)
                unlink(half);
        free(half);
        if (rc == SQLITE_OK)
                return 0;
        return cache_is_damage(rc) ? DESKBELL_E_DAMAGED : DESKBELL_E_STORE;
}

/* The log of the plain file has to be within it and gone. */
static bool has_log(const char *path)
{
        char *log = cache_join(path, "-wal");
        bool has = !log || access(log, F_OK) == 0;

        free(log);
        return has;
}

static int reopen(struct cache *cache, const char *path)
{
        return cache_open_db(cache, path, &cache->db) == SQLITE_OK && cache_set_up(cache) == SQLITE_OK
                       ? 0
                       : DESKBELL_E_STORE;
}

int cache_convert(struct cache *cache, const char *path)
{
        struct cache *to = calloc(1, sizeof(*to));
        if (!to)
                return DESKBELL_E_NOMEM;

        to->seal = seal_new();
        int rc = to->seal ? build(to, path, cache->key) : DESKBELL_E_NOMEM;
        if (rc == 0) {
                cache_exec(cache, "PRAGMA wal_checkpoint(TRUNCATE)");
                cache_close_db(cache);
                if (!has_log(path) && take_place(path)) {
                        cache->seal = to->seal;
                        to->seal = NULL;
                } else {
                        rc = DESKBELL_E_STORE;
                }
                int opened = reopen(cache, path);
                rc = rc < 0 ? rc : opened;
        }
        if (rc < 0)
                cache_convert_tidy(path);
        seal_free(to->seal);
        free(to);
        return rc;
}

/* ---- files set aside --------------------------------------------------------------------------------------------- */

/* Under a key of the application's: only that one opens it. */
static bool is_sealed(const char *path, const uint8_t *key)
{
        struct seal *seal = NULL;
        sqlite3 *db = NULL;
        enum key_verdict verdict = KEY_DAMAGED;

        if (cache_open_old(path, &db) == SQLITE_OK)
                verdict = cache_key_read(db, key, &seal);
        sqlite3_close(db);
        seal_free(seal);
        return verdict == KEY_TAKEN || verdict == KEY_WRONG;
}

static bool is_whole_sealed(const char *path, const uint8_t *key)
{
        uint8_t head[SEAL_ASIDE_BYTES], secret[SEAL_KEY_BYTES];
        int64_t size;
        int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        bool is = fd >= 0 && read(fd, head, sizeof(head)) == sizeof(head) && seal_aside_look(key, head, &size, secret);

        OPENSSL_cleanse(secret, sizeof(secret));
        if (fd >= 0)
                close(fd);
        return is;
}

static void seal_whole(const char *path, const uint8_t *key)
{
        uint8_t head[SEAL_ASIDE_BYTES], secret[SEAL_KEY_BYTES] = {0};
        struct stat info;
        char *half = cache_join(path, ".sealing");
        int from = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        int to = half && from >= 0 ? open(half, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;
        bool is_done = to >= 0 && fstat(from, &info) == 0 && seal_aside_begin(key, info.st_size, head, secret) == 0 &&
                       write(to, head, sizeof(head)) == sizeof(head) &&
                       seal_file_copy(to, secret, from, info.st_size) == 0 && platform_flush(to) == 0;

        OPENSSL_cleanse(secret, sizeof(secret));
        if (from >= 0)
                close(from);
        if (to >= 0)
                close(to);
        if (is_done)
                take_place(path);
        else if (half)
                unlink(half); /* the next opening tries again */
        free(half);
}

/* The file itself last: until it is sealed the next opening begins with it again. */
static void seal_aside(const char *path, const uint8_t *key)
{
        char *log = cache_join(path, "-wal"), *shm = cache_join(path, "-shm");

        cache_convert_tidy(path);
        if (log && shm && !is_whole_sealed(path, key) && !is_sealed(path, key)) {
                cache_convert_tidy(log);
                if (access(log, F_OK) == 0 && !is_whole_sealed(log, key))
                        seal_whole(log, key);
                if (access(shm, F_OK) == 0)
                        cache_wipe_file(AT_FDCWD, shm);
                seal_whole(path, key);
        }
        free(log);
        free(shm);
}

void cache_convert_asides(const char *path, const uint8_t key[SEAL_KEY_BYTES])
{
        glob_t found;

        cache_find_asides(path, ".damaged", &found);
        for (size_t i = 0; i < found.gl_pathc; i++)
                seal_aside(found.gl_pathv[i], key);
        globfree(&found);
}
