/* SPDX-License-Identifier: Apache-2.0 */
/* The user's file: statements, turns, single values and conversations. */
#include "cache_private.h"

#include "deskbell/deskbell.h"

static const char *const texts[CACHE_STATEMENT_COUNT] = {
#define X(name, text) text,
        CACHE_STATEMENTS(X)
#undef X
};

sqlite3_stmt *cache_statement(struct cache *cache, enum cache_statement which)
{
        if (!cache->db) { /* neither the old file nor a new one could be opened */
                cache->has_failed = cache->is_damaged = true;
                return NULL;
        }
        int rc = cache->statements[which] ? SQLITE_OK
                                          : sqlite3_prepare_v3(cache->db, texts[which], -1, SQLITE_PREPARE_PERSISTENT,
                                                               &cache->statements[which], NULL);
        cache->has_failed |= rc != SQLITE_OK;
        cache->is_damaged |= rc == SQLITE_ERROR || cache_is_damage(rc); /* the tables are not as they were made */
        return cache->statements[which];
}

/* SQLite has ended the turn by itself, or could not begin it: what is written now would stay alone. */
static bool is_too_late(const struct cache *cache, sqlite3_stmt *statement)
{
        return cache->is_in_turn && cache->has_failed && sqlite3_get_autocommit(cache->db) &&
               !sqlite3_stmt_readonly(statement);
}

bool cache_is_damage(int rc)
{
        return (rc & 0xff) == SQLITE_NOTADB || (rc & 0xff) == SQLITE_CORRUPT;
}

bool cache_step(struct cache *cache, sqlite3_stmt *statement)
{
        if (!statement)
                return false;

        int rc = is_too_late(cache, statement) ? SQLITE_ABORT : sqlite3_step(statement);
        if (rc == SQLITE_ROW)
                return true;
        if (rc != SQLITE_DONE)
                cache->has_failed = true;
        cache->is_damaged |= cache_is_damage(rc);
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

int cache_exec(struct cache *cache, const char *sql)
{
        return sqlite3_exec(cache->db, sql, NULL, NULL, NULL);
}

int64_t cache_ask(struct cache *cache, const char *sql)
{
        sqlite3_stmt *statement = NULL;
        int64_t value = -1;

        if (sqlite3_prepare_v2(cache->db, sql, -1, &statement, NULL) == SQLITE_OK &&
            sqlite3_step(statement) == SQLITE_ROW)
                value = sqlite3_column_int64(statement, 0);
        sqlite3_finalize(statement);
        return value;
}

void cache_begin(struct cache *cache, bool durable)
{
        cache->has_failed = false;
        if (durable != cache->is_durable) {
                if (cache_exec(cache, durable ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL") !=
                    SQLITE_OK)
                        cache->has_failed = true;
                cache->is_durable = durable;
        }
        cache->is_in_turn = true;
        cache_run(cache, cache_statement(cache, CACHE_BEGIN));
}

int cache_commit(struct cache *cache)
{
        if (!cache->has_failed)
                cache_run(cache, cache_statement(cache, CACHE_COMMIT));
        if (cache->has_failed) {
                cache_rollback(cache);
                return DESKBELL_E_STORE;
        }
        cache->is_in_turn = false;
        return 0;
}

void cache_rollback(struct cache *cache)
{
        if (cache->db && !sqlite3_get_autocommit(cache->db))
                cache_exec(cache, "ROLLBACK");
        cache->is_in_turn = false;
        cache->has_failed = false;
}

void cache_fail(struct cache *cache)
{
        cache->has_failed = true;
}

bool cache_has_failed(const struct cache *cache)
{
        return cache->has_failed;
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
        sqlite3_stmt *statement = cache_statement(cache, CACHE_NUMBER_GET);
        int64_t value = 0;
        if (!statement)
                return 0;

        sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
        if (cache_step(cache, statement)) {
                if (sqlite3_column_type(statement, 0) == SQLITE_INTEGER)
                        value = sqlite3_column_int64(statement, 0);
                else if (sqlite3_column_bytes(statement, 0) == sizeof(value)) /* as they were written once */
                        memcpy(&value, sqlite3_column_blob(statement, 0), sizeof(value));
                cache_run(cache, statement);
        }
        return value;
}

void cache_number_set(struct cache *cache, const char *name, int64_t value)
{
        sqlite3_stmt *statement = cache_statement(cache, CACHE_NUMBER_SET);
        if (!statement)
                return;

        sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
        sqlite3_bind_int64(statement, 2, value);
        cache_run(cache, statement);
}

void cache_value_drop(struct cache *cache, const char *name)
{
        sqlite3_stmt *statement = cache_statement(cache, CACHE_VALUE_DROP);
        if (!statement)
                return;

        sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
        cache_run(cache, statement);
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
        int64_t row = conv->row ? conv->row : cache_one_number(cache, CACHE_CONV_NEXT);
        if (!statement)
                return conv->row;

        sqlite3_bind_int64(statement, 1, row);
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
        return row;
}
