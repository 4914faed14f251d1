/* SPDX-License-Identifier: Apache-2.0 */
/* The user's file: received entries. The entries of a log are whole from its low to its cursor. */
#include "cache_private.h"

static struct cached_entry read_entry(sqlite3_stmt *statement, struct cmid *room)
{
        struct cached_entry entry = {
                .conv = sqlite3_column_int64(statement, 0),
                .log = sqlite3_column_int(statement, 1),
                .number = sqlite3_column_int64(statement, 2),
                .kind = sqlite3_column_int(statement, 3),
                .of = sqlite3_column_int64(statement, 4),
                .counts = sqlite3_column_int(statement, 5) != 0,
                .body = cache_text(statement, 7),
        };

        if (sqlite3_column_bytes(statement, 6) == sizeof(*room)) {
                memcpy(room->bytes, sqlite3_column_blob(statement, 6), sizeof(*room));
                entry.cmid = room;
        }
        return entry;
}

void cache_entry_put(struct cache *cache, const struct cached_entry *entry)
{
        sqlite3_stmt *statement = cache_statement(cache, CACHE_ENTRY_PUT);
        if (!statement)
                return;

        sqlite3_bind_int64(statement, 1, entry->conv);
        sqlite3_bind_int(statement, 2, entry->log);
        sqlite3_bind_int64(statement, 3, entry->number);
        sqlite3_bind_int(statement, 4, entry->kind);
        sqlite3_bind_int64(statement, 5, entry->of);
        sqlite3_bind_int(statement, 6, entry->counts);
        if (entry->cmid)
                sqlite3_bind_blob(statement, 7, entry->cmid->bytes, sizeof(*entry->cmid), SQLITE_STATIC);
        cache_bind_text(statement, 8, entry->body);
        cache_run(cache, statement);
}

static void give(struct cache *cache, sqlite3_stmt *statement,
                 bool (*each)(void *data, const struct cached_entry *entry), void *data)
{
        while (cache_step(cache, statement)) {
                struct cmid cmid;
                struct cached_entry entry = read_entry(statement, &cmid);

                if (!each(data, &entry)) {
                        sqlite3_reset(statement);
                        return;
                }
        }
}

void cache_entries(struct cache *cache, int64_t conv, int log, int64_t low, int64_t high, int64_t limit, bool from_end,
                   bool (*each)(void *data, const struct cached_entry *entry), void *data)
{
        sqlite3_stmt *statement = cache_statement(cache, from_end ? CACHE_ENTRIES_END : CACHE_ENTRIES_UP);
        if (!statement)
                return;

        sqlite3_bind_int64(statement, 1, conv);
        sqlite3_bind_int(statement, 2, log);
        sqlite3_bind_int64(statement, 3, low);
        sqlite3_bind_int64(statement, 4, high);
        sqlite3_bind_int64(statement, 5, limit);
        give(cache, statement, each, data);
}

void cache_entries_about(struct cache *cache, int64_t conv, int log, int kind, int64_t of, int64_t above,
                         bool (*each)(void *data, const struct cached_entry *entry), void *data)
{
        sqlite3_stmt *statement = cache_statement(cache, CACHE_ABOUT);
        if (!statement)
                return;

        sqlite3_bind_int64(statement, 1, conv);
        sqlite3_bind_int(statement, 2, log);
        sqlite3_bind_int64(statement, 3, of);
        sqlite3_bind_int64(statement, 4, above);
        sqlite3_bind_int(statement, 5, kind);
        give(cache, statement, each, data);
}

int64_t cache_entry_find(struct cache *cache, int64_t conv, int log, const struct cmid *cmid)
{
        sqlite3_stmt *statement = cache_statement(cache, CACHE_ENTRY_FIND);
        int64_t number = 0;
        if (!statement)
                return 0;

        sqlite3_bind_int64(statement, 1, conv);
        sqlite3_bind_int(statement, 2, log);
        sqlite3_bind_blob(statement, 3, cmid->bytes, sizeof(*cmid), SQLITE_STATIC);
        while (cache_step(cache, statement))
                number = sqlite3_column_int64(statement, 0);
        return number;
}

int64_t cache_unread(struct cache *cache, int64_t conv, int64_t above)
{
        sqlite3_stmt *statement = cache_statement(cache, CACHE_UNREAD);
        int64_t count = 0;
        if (!statement)
                return 0;

        sqlite3_bind_int64(statement, 1, conv);
        sqlite3_bind_int64(statement, 2, above);
        while (cache_step(cache, statement))
                count = sqlite3_column_int64(statement, 0);
        return count;
}

void cache_entries_wipe(struct cache *cache, int64_t conv)
{
        sqlite3_stmt *statement = cache_statement(cache, CACHE_WIPE);
        if (!statement)
                return;

        sqlite3_bind_int64(statement, 1, conv);
        cache_run(cache, statement);
}
