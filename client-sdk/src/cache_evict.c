/* SPDX-License-Identifier: Apache-2.0 */
/* The user's file: its size, which conversations were opened when, and letting go of old entries. */
#include "cache_private.h"

int64_t cache_used_bytes(struct cache *cache)
{
        int64_t pages = cache_one_number(cache, CACHE_PAGE_COUNT) - cache_one_number(cache, CACHE_FREE_COUNT);

        return pages * cache_one_number(cache, CACHE_PAGE_SIZE);
}

void cache_opened_put(struct cache *cache, int64_t conv, int64_t wall_ms)
{
        sqlite3_stmt *statement = cache_statement(cache, CACHE_OPENED_PUT);
        if (!statement)
                return;

        sqlite3_bind_int64(statement, 1, conv);
        sqlite3_bind_int64(statement, 2, wall_ms);
        cache_run(cache, statement);
}

void cache_by_opening(struct cache *cache, void (*each)(void *data, int64_t conv), void *data)
{
        sqlite3_stmt *statement = cache_statement(cache, CACHE_BY_OPENING);

        while (cache_step(cache, statement))
                each(data, sqlite3_column_int64(statement, 0));
}

void cache_entries_drop(struct cache *cache, int64_t conv, int log, int64_t upto)
{
        sqlite3_stmt *statement = cache_statement(cache, CACHE_ENTRIES_DROP);
        if (!statement)
                return;

        sqlite3_bind_int64(statement, 1, conv);
        sqlite3_bind_int(statement, 2, log);
        sqlite3_bind_int64(statement, 3, upto);
        cache_run(cache, statement);
}

void cache_shrink(struct cache *cache)
{
        if (sqlite3_exec(cache->db, "PRAGMA incremental_vacuum(512)", NULL, NULL, NULL) != SQLITE_OK)
                cache->has_failed = true;
}
