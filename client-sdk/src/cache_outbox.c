/* SPDX-License-Identifier: Apache-2.0 */
/* The user's file: the outbox. A message leaves it only by being dropped on purpose: what is sent stays for 30 days, to
 * be offered again to a server that was restored. */
#include "cache_private.h"

#include "deskbell/deskbell.h"

static void copy_blob(sqlite3_stmt *statement, int column, void *out, size_t len)
{
        if ((size_t)sqlite3_column_bytes(statement, column) == len)
                memcpy(out, sqlite3_column_blob(statement, column), len);
}

struct cached_message cache_read_message(sqlite3_stmt *statement)
{
        struct cached_message message = {
                .pos = sqlite3_column_int64(statement, 0),
                .conv = sqlite3_column_int64(statement, 2),
                .op = sqlite3_column_int(statement, 3),
                .log = sqlite3_column_int(statement, 4),
                .content = cache_text(statement, 5),
                .has_target = sqlite3_column_bytes(statement, 7) == sizeof(message.target),
                .of = sqlite3_column_int64(statement, 8),
                .version = sqlite3_column_int64(statement, 9),
                .queued_ms = sqlite3_column_int64(statement, 11),
                .first_ms = sqlite3_column_int64(statement, 12),
                .state = sqlite3_column_int(statement, 13),
                .tag = cache_text(statement, 14),
                .number = sqlite3_column_int64(statement, 15),
                .at_seq = sqlite3_column_int64(statement, 16),
                .ts_ms = sqlite3_column_int64(statement, 17),
                .is_duplicate = sqlite3_column_int(statement, 18) != 0,
                .is_told = sqlite3_column_int(statement, 19) != 0,
        };

        copy_blob(statement, 1, message.cmid.bytes, sizeof(message.cmid));
        copy_blob(statement, 6, message.hash, sizeof(message.hash));
        copy_blob(statement, 7, message.target.bytes, sizeof(message.target));
        copy_blob(statement, 10, message.epoch, sizeof(message.epoch));
        return message;
}

void cache_message_add(struct cache *cache, struct cached_message *message)
{
        sqlite3_stmt *statement = cache_statement(cache, CACHE_MESSAGE_ADD);
        if (!statement)
                return;

        sqlite3_bind_blob(statement, 1, message->cmid.bytes, sizeof(message->cmid), SQLITE_STATIC);
        sqlite3_bind_int64(statement, 2, message->conv);
        sqlite3_bind_int(statement, 3, message->op);
        sqlite3_bind_int(statement, 4, message->log);
        cache_bind_text(statement, 5, message->content);
        sqlite3_bind_blob(statement, 6, message->hash, sizeof(message->hash), SQLITE_STATIC);
        if (message->has_target)
                sqlite3_bind_blob(statement, 7, message->target.bytes, sizeof(message->target), SQLITE_STATIC);
        sqlite3_bind_int64(statement, 8, message->of);
        sqlite3_bind_int64(statement, 9, message->version);
        sqlite3_bind_blob(statement, 10, message->epoch, sizeof(message->epoch), SQLITE_STATIC);
        sqlite3_bind_int64(statement, 11, message->queued_ms);
        sqlite3_bind_int64(statement, 12, message->first_ms);
        sqlite3_bind_int(statement, 13, message->state);
        cache_run(cache, statement);
        message->pos = sqlite3_last_insert_rowid(cache->db);
}

void cache_message_save(struct cache *cache, const struct cached_message *message)
{
        sqlite3_stmt *statement = cache_statement(cache, CACHE_MESSAGE_SAVE);
        if (!statement)
                return;

        sqlite3_bind_int64(statement, 1, message->pos);
        sqlite3_bind_int(statement, 2, message->state);
        cache_bind_text(statement, 3, message->tag);
        sqlite3_bind_int64(statement, 4, message->number);
        sqlite3_bind_int64(statement, 5, message->at_seq);
        sqlite3_bind_int64(statement, 6, message->ts_ms);
        sqlite3_bind_blob(statement, 7, message->epoch, sizeof(message->epoch), SQLITE_STATIC);
        sqlite3_bind_int(statement, 8, message->is_duplicate);
        sqlite3_bind_int(statement, 9, message->is_told);
        sqlite3_bind_int64(statement, 10, message->queued_ms);
        sqlite3_bind_int64(statement, 11, message->first_ms);
        sqlite3_bind_int64(statement, 12, message->of);
        cache_run(cache, statement);
}

static void run_with_number(struct cache *cache, enum cache_statement which, int64_t number)
{
        sqlite3_stmt *statement = cache_statement(cache, which);
        if (!statement)
                return;

        sqlite3_bind_int64(statement, 1, number);
        cache_run(cache, statement);
}

void cache_message_told(struct cache *cache, int64_t pos)
{
        run_with_number(cache, CACHE_MESSAGE_TOLD, pos);
}

void cache_message_drop(struct cache *cache, int64_t pos)
{
        run_with_number(cache, CACHE_MESSAGE_DROP, pos);
}

void cache_messages_sweep(struct cache *cache, int64_t before_ms)
{
        run_with_number(cache, CACHE_SWEEP, before_ms);
}

void cache_messages_offer_again(struct cache *cache)
{
        cache_run(cache, cache_statement(cache, CACHE_OFFER_AGAIN));
}

void cache_message_erase(struct cache *cache, const struct cmid *cmid)
{
        sqlite3_stmt *statement = cache_statement(cache, CACHE_MESSAGE_ERASE);
        if (!statement)
                return;

        sqlite3_bind_blob(statement, 1, cmid->bytes, sizeof(*cmid), SQLITE_STATIC);
        cache_run(cache, statement);
}

static bool give(struct cache *cache, sqlite3_stmt *statement,
                 bool (*each)(void *data, const struct cached_message *message), void *data)
{
        bool found = false;

        while (cache_step(cache, statement)) {
                struct cached_message message = cache_read_message(statement);

                found = true;
                if (!each(data, &message)) {
                        sqlite3_reset(statement);
                        break;
                }
        }
        return found;
}

void cache_messages(struct cache *cache, enum cached_which which, int64_t conv,
                    bool (*each)(void *data, const struct cached_message *message), void *data)
{
        static const enum cache_statement statements[] = {
                [MESSAGES_UNSENT] = CACHE_UNSENT,
                [MESSAGES_UNTOLD] = CACHE_UNTOLD,
                [MESSAGES_SHOWN] = CACHE_SHOWN,
                [MESSAGES_UPLOADING] = CACHE_UPLOADING,
        };
        sqlite3_stmt *statement = cache_statement(cache, statements[which]);
        if (!statement)
                return;

        sqlite3_bind_int64(statement, 1, conv);
        give(cache, statement, each, data);
}

static bool stop(void *data, const struct cached_message *message)
{
        (void)data;
        (void)message;
        return false;
}

bool cache_message_get(struct cache *cache, const struct cmid *cmid,
                       bool (*each)(void *data, const struct cached_message *message), void *data)
{
        sqlite3_stmt *statement = cache_statement(cache, CACHE_MESSAGE_GET);
        if (!statement)
                return false;

        sqlite3_bind_blob(statement, 1, cmid->bytes, sizeof(*cmid), SQLITE_TRANSIENT);
        return give(cache, statement, each, data);
}

int cache_message_find(struct cache *cache, const struct cmid *cmid,
                       bool (*each)(void *data, const struct cached_message *message), void *data)
{
        bool had_failed = cache->has_failed;

        cache->has_failed = false;
        bool is_found = cache_message_get(cache, cmid, each ? each : stop, data);
        bool has_failed = cache->has_failed;
        cache->has_failed = had_failed || has_failed;
        if (has_failed)
                return DESKBELL_E_STORE;
        return is_found;
}

void cache_messages_below(struct cache *cache, int64_t conv, int64_t upto, int state,
                          bool (*each)(void *data, const struct cached_message *message), void *data)
{
        sqlite3_stmt *statement = cache_statement(cache, CACHE_BELOW);
        if (!statement)
                return;

        sqlite3_bind_int64(statement, 1, conv);
        sqlite3_bind_int64(statement, 2, upto);
        sqlite3_bind_int(statement, 3, state);
        give(cache, statement, each, data);
}

int64_t cache_failed_count(struct cache *cache)
{
        return cache_one_number(cache, CACHE_FAILED_COUNT);
}

int64_t cache_message_last(struct cache *cache)
{
        return cache_one_number(cache, CACHE_LAST);
}
