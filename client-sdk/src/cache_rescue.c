/* SPDX-License-Identifier: Apache-2.0 */
/* The user's file: what can be saved from one that was set aside. A message that waited to be sent is taken over, under
 * its old cmid, when it is whole by its own hash and the file's owner is known for certain (his mark): nothing is ever
 * sent in the name of another, or other than it was written. The file set aside stays as it is. It is called *.rescue-*
 * until the new one is on disk, so that a process killed in between begins again. */
#include "cache_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/sha.h>

#include "deskbell/deskbell.h"
#include "protocol/frame.h"
#include "protocol/hot.h"
#include "protocol_generated.h"

enum { PROBES = 100000 };

#define CONV_WANTED                                                                                                    \
        "SELECT id, " UNSEALED("key", "conv.key", "row, id") ", confirmed, " UNSEALED(                                 \
                "feed", "conv.feed", "row, id") " FROM conv WHERE row = ?1"

/* ---- the owner's mark
 * ---------------------------------------------------------------------------------------------------- */

static const char *const marked[] = {"device", "principal", "visitor_secret", "epoch"};
enum { MARKED = sizeof(marked) / sizeof(marked[0]), MARKED_ROOM = 128 };

/* Whose file it is. */
struct owner {
        uint8_t values[MARKED][MARKED_ROOM];
        size_t lens[MARKED];
        uint8_t mark[SHA256_DIGEST_LENGTH];
        size_t mark_len;
};

static void make_mark(const struct owner *owner, uint8_t out_mark[SHA256_DIGEST_LENGTH])
{
        uint8_t bytes[MARKED * (MARKED_ROOM + 1)];
        size_t len = 0;

        for (int i = 0; i < MARKED; i++) {
                bytes[len++] = (uint8_t)owner->lens[i];
                memcpy(bytes + len, owner->values[i], owner->lens[i]);
                len += owner->lens[i];
        }
        SHA256(bytes, len, out_mark);
}

static size_t clip(size_t len)
{
        return len <= MARKED_ROOM ? len : 0;
}

void cache_note_owner(struct cache *cache)
{
        struct owner owner = {0};
        uint8_t mark[SHA256_DIGEST_LENGTH];

        for (int i = 0; i < MARKED; i++)
                owner.lens[i] = clip(cache_value_get(cache, marked[i], owner.values[i], MARKED_ROOM));
        owner.mark_len = cache_value_get(cache, "seal", owner.mark, sizeof(owner.mark));
        make_mark(&owner, mark);
        if (owner.mark_len != sizeof(mark) || memcmp(mark, owner.mark, sizeof(mark)) != 0)
                cache_value_set(cache, "seal", mark, sizeof(mark));
}

bool cache_owner_holds(struct cache *cache)
{
        struct owner owner = {0};
        uint8_t mark[SHA256_DIGEST_LENGTH];

        owner.mark_len = cache_value_get(cache, "seal", owner.mark, sizeof(owner.mark));
        if (owner.mark_len == 0)
                return true;
        for (int i = 0; i < MARKED; i++)
                owner.lens[i] = clip(cache_value_get(cache, marked[i], owner.values[i], MARKED_ROOM));
        make_mark(&owner, mark);
        return owner.mark_len == sizeof(mark) && memcmp(mark, owner.mark, sizeof(mark)) == 0;
}

/* ---- reading the file set aside ---------------------------------------------------------------------------------- */

/* A file that is looked at, and the new one. */
struct rescue {
        sqlite3 *old;
        struct seal *seal; /* of the old one; NULL = it is plain */
        struct cache *cache;
        struct owner owner;
        int64_t conv_from[64], conv_to[64]; /* rows of conversations; 0 = cannot be told */
        size_t conv_count;
        int64_t found;
};

/* Without memory nothing is known of what the file holds: it is looked at another time. */
static void check_memory(struct rescue *rescue, int rc)
{
        if ((rc & 0xff) == SQLITE_NOMEM)
                cache_fail(rescue->cache);
}

/* What is not there or cannot be read has the length 0; false: it cannot be read. */
static bool read_value(sqlite3 *old, const char *name, void *out, size_t room, size_t *out_len)
{
        sqlite3_stmt *statement = NULL;
        int rc = sqlite3_prepare_v2(old, "SELECT " VALUE_COLUMN " FROM meta WHERE name = ?1", -1, &statement, NULL);

        *out_len = 0;
        if (rc == SQLITE_OK) {
                sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
                rc = sqlite3_step(statement);
        }
        if (rc == SQLITE_ROW && (size_t)sqlite3_column_bytes(statement, 0) <= room) {
                *out_len = (size_t)sqlite3_column_bytes(statement, 0);
                if (*out_len)
                        memcpy(out, sqlite3_column_blob(statement, 0), *out_len);
        }
        sqlite3_finalize(statement);
        return rc == SQLITE_ROW || rc == SQLITE_DONE;
}

/* A file that never had a session has no owner yet, and no mark. */
static bool knows_owner(struct rescue *rescue)
{
        struct owner *owner = &rescue->owner;
        uint8_t mark[SHA256_DIGEST_LENGTH];
        bool is_read = read_value(rescue->old, "seal", owner->mark, sizeof(owner->mark), &owner->mark_len);

        for (int i = 0; is_read && i < MARKED; i++)
                is_read = read_value(rescue->old, marked[i], owner->values[i], MARKED_ROOM, &owner->lens[i]);
        if (!is_read) {
                check_memory(rescue, sqlite3_errcode(rescue->old));
                return false;
        }
        bool is_new = owner->mark_len == 0 && owner->lens[1] == 0 && owner->lens[2] == 0 && owner->lens[3] == 0;
        make_mark(owner, mark);
        return is_new || (owner->mark_len == sizeof(mark) && memcmp(mark, owner->mark, sizeof(mark)) == 0);
}

static void keep_owner(struct rescue *rescue)
{
        const struct owner *owner = &rescue->owner;

        for (int i = 0; i < MARKED; i++)
                if (owner->lens[i])
                        cache_value_set(rescue->cache, marked[i], owner->values[i], owner->lens[i]);
        if (owner->mark_len)
                cache_value_set(rescue->cache, "seal", owner->mark, owner->mark_len);
}

/* ---- conversations ----------------------------------------------------------------------------------------------- */

/* The row of the feed says the same, where there is one. */
static bool agrees_with_feed(struct rescue *rescue, const struct cached_conv *conv)
{
        struct protocol_feed_row row;
        struct arena arena;
        struct fault fault = {0};
        struct reader reader;
        bool agrees = true;

        if (!conv->feed.at)
                return true;
        arena_init(&arena, NULL, 0);
        char *copy = arena_take(&arena, conv->feed.len + 1);
        if (copy && conv->feed.len)
                memcpy(copy, conv->feed.at, conv->feed.len);
        if (copy)
                reader_init(&reader, copy, conv->feed.len, READER_TOLERANT, &arena, &fault);
        check_memory(rescue, copy ? SQLITE_OK : SQLITE_NOMEM);
        agrees = copy && protocol_feed_row_read(&reader, &row) == 0 && row.conv == conv->id &&
                 (!row.has_key || conv->key.len == 0 || span_equal(row.key, conv->key));
        arena_done(&arena);
        return agrees;
}

struct lookup {
        const struct cached_conv *wanted;
        int64_t row;
};

static void look(void *data, const struct cached_conv *conv)
{
        struct lookup *lookup = data;
        const struct cached_conv *wanted = lookup->wanted;

        if ((wanted->id && conv->id == wanted->id) || (wanted->key.len && span_equal(wanted->key, conv->key)))
                lookup->row = conv->row;
}

static int64_t take_conv(struct rescue *rescue, int64_t row)
{
        sqlite3_stmt *statement = NULL;
        int64_t taken = 0;

        int rc = sqlite3_prepare_v2(rescue->old, CONV_WANTED, -1, &statement, NULL);
        if (rc == SQLITE_OK) {
                sqlite3_bind_int64(statement, 1, row);
                rc = sqlite3_step(statement);
        }
        check_memory(rescue, rc);
        if (rc == SQLITE_ROW) {
                struct cached_conv conv = {
                        .id = (uint64_t)sqlite3_column_int64(statement, 0),
                        .key = cache_text(statement, 1),
                        .is_confirmed = sqlite3_column_int(statement, 2) == 1,
                        .feed = cache_text(statement, 3),
                };
                struct lookup lookup = {&conv, 0};

                if (conv.key.len <= PROTOCOL_KEY_BYTES && (conv.id || conv.key.len) &&
                    agrees_with_feed(rescue, &conv)) {
                        conv.feed = (struct span){0}; /* the server tells it anew */
                        cache_convs(rescue->cache, look, &lookup);
                        taken = lookup.row ? lookup.row : cache_conv_put(rescue->cache, &conv);
                }
        }
        sqlite3_finalize(statement);
        return taken;
}

/* The row in the new file, 0 = where it belongs cannot be told. */
static int64_t conv_of(struct rescue *rescue, int64_t row)
{
        size_t room = sizeof(rescue->conv_from) / sizeof(rescue->conv_from[0]);

        for (size_t i = 0; i < rescue->conv_count; i++)
                if (rescue->conv_from[i] == row)
                        return rescue->conv_to[i];
        int64_t taken = take_conv(rescue, row);
        if (rescue->conv_count < room) {
                rescue->conv_from[rescue->conv_count] = row;
                rescue->conv_to[rescue->conv_count++] = taken;
        }
        return taken;
}

/* ---- messages ---------------------------------------------------------------------------------------------------- */

static bool has_hash_of(const struct cached_message *message, enum protocol_entry_kind kind)
{
        uint8_t hash[16];

        content_hash((int)kind, message->content, hash);
        return memcmp(hash, message->hash, sizeof(hash)) == 0;
}

bool cache_message_is_whole(const struct cached_message *message)
{
        if (message->op == DESKBELL_OP_ERASE)
                return true;
        if (!message->content.at)
                return false;
        if (message->op == DESKBELL_OP_EDIT)
                return has_hash_of(message, PROTOCOL_ENTRY_EDIT);
        return has_hash_of(message, PROTOCOL_ENTRY_TEXT) || has_hash_of(message, PROTOCOL_ENTRY_ATTACHMENT) ||
               has_hash_of(message, PROTOCOL_ENTRY_RATING);
}

/* What an edit or erasure means is found again by its target. */
static bool can_be_taken(const struct cached_message *message)
{
        bool is_known = message->op >= DESKBELL_OP_SEND && message->op <= DESKBELL_OP_ERASE &&
                        (message->log == 0 || message->log == 1);

        return is_known && (message->op == DESKBELL_OP_SEND || message->has_target) && cache_message_is_whole(message);
}

static bool is_there(void *data, const struct cached_message *row)
{
        (void)row;
        *(bool *)data = true;
        return false;
}

/* A cmid stands twice in the file; where the second one can be read it has to be the same. */
static bool is_cmid_whole(struct rescue *rescue, const struct cmid *cmid)
{
        static const char sql[] = "SELECT 1 FROM outbox INDEXED BY " CMID_INDEX " WHERE cmid = ?1";
        sqlite3_stmt *statement = NULL;
        int rc = sqlite3_prepare_v2(rescue->old, sql, -1, &statement, NULL);

        if (rc == SQLITE_OK) {
                sqlite3_bind_blob(statement, 1, cmid->bytes, sizeof(*cmid), SQLITE_STATIC);
                rc = sqlite3_step(statement);
        }
        sqlite3_finalize(statement);
        check_memory(rescue, rc);
        return rc != SQLITE_DONE;
}

static void take_message(struct rescue *rescue, sqlite3_stmt *statement)
{
        struct cached_message message = cache_read_message(statement);
        bool is_known = false;

        check_memory(rescue, sqlite3_errcode(rescue->old)); /* a column that could not be read is empty */
        if (message.state != DESKBELL_QUEUED || sqlite3_column_bytes(statement, 1) != sizeof(message.cmid) ||
            !can_be_taken(&message) || !is_cmid_whole(rescue, &message.cmid))
                return;
        cache_message_get(rescue->cache, &message.cmid, is_there, &is_known);
        message.conv = is_known ? 0 : conv_of(rescue, message.conv);
        if (!message.conv)
                return;
        if (message.op != DESKBELL_OP_SEND)
                memset(message.epoch, 0, sizeof(message.epoch)); /* its number is looked up by its target */
        cache_message_add(rescue->cache, &message);
        rescue->found++;
}

/* The highest pos there can be. */
static int64_t highest(sqlite3 *old)
{
        static const char *const ways[] = {
                "SELECT seq FROM sqlite_sequence WHERE name = 'outbox'",
                "SELECT pos FROM outbox ORDER BY pos DESC LIMIT 1",
        };
        int64_t found = 0;

        for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
                sqlite3_stmt *statement = NULL;
                if (sqlite3_prepare_v2(old, ways[i], -1, &statement, NULL) == SQLITE_OK &&
                    sqlite3_step(statement) == SQLITE_ROW && sqlite3_column_int64(statement, 0) > found)
                        found = sqlite3_column_int64(statement, 0);
                sqlite3_finalize(statement);
        }
        return found > 0 && found < INT64_MAX / 2 ? found : PROBES;
}

/* In rising order; false at a page that cannot be read. */
static bool scan(struct rescue *rescue, const char *sql, int64_t *out_last)
{
        sqlite3_stmt *statement = NULL;
        int rc = sqlite3_prepare_v2(rescue->old, sql, -1, &statement, NULL);

        if (rc == SQLITE_OK) {
                while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
                        *out_last = sqlite3_column_int64(statement, 0);
                        take_message(rescue, statement);
                }
        }
        sqlite3_finalize(statement);
        check_memory(rescue, rc);
        return rc == SQLITE_DONE;
}

/* Each place by itself: a damaged page loses only what is on it. */
static void probe(struct rescue *rescue, int64_t after)
{
        sqlite3_stmt *statement = NULL;
        int64_t last = highest(rescue->old), first = last - PROBES > after ? last - PROBES : after;

        if (sqlite3_prepare_v2(rescue->old, "SELECT " MESSAGE_COLUMNS " FROM outbox NOT INDEXED WHERE pos = ?1", -1,
                               &statement, NULL) != SQLITE_OK)
                return;
        for (int64_t pos = first + 1; pos <= last; pos++) {
                sqlite3_bind_int64(statement, 1, pos);
                if (sqlite3_step(statement) == SQLITE_ROW)
                        take_message(rescue, statement);
                sqlite3_reset(statement);
        }
        sqlite3_finalize(statement);
}

/* The file is only read: not even its log is moved into it. */
int cache_open_old(const char *path, sqlite3 **out_old)
{
        int rc = sqlite3_open_v2(path, out_old, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);

        if (rc == SQLITE_OK)
                rc = sqlite3_db_config(*out_old, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
        if (rc == SQLITE_OK)
                rc = sqlite3_exec(*out_old,
                                  "PRAGMA query_only = ON; PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF; "
                                  "PRAGMA mmap_size = 0;",
                                  NULL, NULL, NULL);
        return rc;
}

/* A sealed file can be read under the key it was written with. */
static bool has_key(struct rescue *rescue)
{
        if (rescue->cache->is_anew) {
                rescue->seal = rescue->cache->seal;
                return cache_key_functions(rescue->old, &rescue->seal) == SQLITE_OK;
        }
        enum key_verdict verdict = cache_key_read(rescue->old, rescue->cache->key, &rescue->seal);

        check_memory(rescue, verdict == KEY_ERROR ? SQLITE_NOMEM : SQLITE_OK);
        return (verdict == KEY_NONE || verdict == KEY_TAKEN) &&
               cache_key_functions(rescue->old, &rescue->seal) == SQLITE_OK;
}

static int64_t rescue_from(struct cache *cache, const char *path)
{
        struct rescue rescue = {.cache = cache};
        int64_t last = 0;

        int rc = cache_open_old(path, &rescue.old);

        check_memory(&rescue, rc);
        if (rc == SQLITE_OK && has_key(&rescue) && knows_owner(&rescue)) {
                keep_owner(&rescue);
                if (!scan(&rescue, "SELECT " MESSAGE_COLUMNS " FROM outbox NOT INDEXED ORDER BY pos", &last))
                        probe(&rescue, last);
        }
        if (rescue.old)
                check_memory(&rescue, sqlite3_errcode(rescue.old));
        sqlite3_close(rescue.old);
        if (!cache->is_anew)
                seal_free(rescue.seal);
        return rescue.found;
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

/* The caller frees the result. */
bool cache_find_asides(const char *path, const char *what, glob_t *out_found)
{
        static const char tail[] = "-*[0-9]";
        char *pattern = malloc(2 * strlen(path) + strlen(what) + sizeof(tail)), *to = pattern;

        memset(out_found, 0, sizeof(*out_found));
        if (!pattern)
                return false;
        for (const char *from = path; *from; from++) {
                if (strchr("*?[\\", *from))
                        *to++ = '\\';
                *to++ = *from;
        }
        memcpy(to, what, strlen(what));
        memcpy(to + strlen(what), tail, sizeof(tail));
        int rc = glob(pattern, GLOB_NOSORT, NULL, out_found);
        if (rc != 0)
                out_found->gl_pathc = 0;
        free(pattern);
        return rc == 0 || rc == GLOB_NOMATCH;
}

static bool is_log(const char *path)
{
        size_t len = strlen(path);

        return len > 4 && (strcmp(path + len - 4, "-wal") == 0 || strcmp(path + len - 4, "-shm") == 0);
}

void cache_rescue(struct cache *cache, const char *path)
{
        glob_t found;

        if (!cache_find_asides(path, ".rescue", &found))
                cache_fail(cache);
        for (size_t i = 0; i < found.gl_pathc; i++)
                if (!is_log(found.gl_pathv[i]))
                        cache->rescued =
                                (cache->rescued > 0 ? cache->rescued : 0) + rescue_from(cache, found.gl_pathv[i]);
        globfree(&found);
}

char *cache_rescue_done(const char *path)
{
        static const char *const tails[] = {"", "-wal", "-shm"};
        char *last = NULL;
        glob_t found;

        cache_find_asides(path, ".rescue", &found);
        for (size_t i = 0; i < found.gl_pathc; i++) {
                const char *number = strrchr(found.gl_pathv[i], '-');
                char *target = NULL;

                if (is_log(found.gl_pathv[i]) || !number || asprintf(&target, "%s.damaged%s", path, number) < 0)
                        continue;
                for (size_t k = 0; k < sizeof(tails) / sizeof(tails[0]); k++) {
                        char *from = NULL, *to = NULL;
                        if (asprintf(&from, "%s%s", found.gl_pathv[i], tails[k]) >= 0 &&
                            asprintf(&to, "%s%s", target, tails[k]) >= 0)
                                rename(from, to);
                        free(from);
                        free(to);
                }
                free(last);
                last = target;
                if (access(target, F_OK) < 0) { /* it keeps its name until the next start */
                        last = strdup(found.gl_pathv[i]);
                        free(target);
                }
        }
        globfree(&found);
        return last;
}

bool cache_rescue_can_read(sqlite3 *db)
{
        static const char *const needed[] = {
                "SELECT " MESSAGE_COLUMNS " FROM outbox LIMIT 0",
                CONV_WANTED,
                "SELECT " VALUE_COLUMN " FROM meta WHERE name = ''",
        };

        for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
                sqlite3_stmt *statement = NULL;
                int rc = sqlite3_prepare_v2(db, needed[i], -1, &statement, NULL);
                sqlite3_finalize(statement);
                if (rc != SQLITE_OK)
                        return false;
        }
        return true;
}

int64_t cache_rescued(const struct cache *cache)
{
        return cache->rescued;
}

bool cache_is_damaged(const struct cache *cache)
{
        return cache->is_damaged;
}
