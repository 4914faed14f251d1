/* SPDX-License-Identifier: Apache-2.0 */
/* The user's file: what is known of the local files of messages that wait for their upload, or may need it again. The
 * rows of a message go with its row in the outbox (a trigger sees to that). */
#include "cache_private.h"

static void copy_blob(sqlite3_stmt *statement, int column, void *out, size_t len, bool *out_has)
{
        *out_has = (size_t)sqlite3_column_bytes(statement, column) == len;
        if (*out_has)
                memcpy(out, sqlite3_column_blob(statement, column), len);
}

static struct cached_upload read_upload(sqlite3_stmt *statement)
{
        bool has_cmid; /* the others say it themselves */
        struct cached_upload upload = {
                .pos = sqlite3_column_int64(statement, 0),
                .at = sqlite3_column_int(statement, 1),
                .path = cache_text(statement, 3),
                .is_copy = sqlite3_column_int(statement, 4) != 0,
                .name = cache_text(statement, 5),
                .media = cache_text(statement, 6),
                .size = sqlite3_column_int64(statement, 7),
                .mtime_ns = sqlite3_column_int64(statement, 8),
                .is_complete = sqlite3_column_int(statement, 11) != 0,
                .width = sqlite3_column_int(statement, 12),
                .height = sqlite3_column_int(statement, 13),
                .tries = sqlite3_column_int(statement, 14),
                .is_paused = sqlite3_column_int(statement, 15) != 0,
        };

        copy_blob(statement, 2, upload.cmid.bytes, sizeof(upload.cmid), &has_cmid);
        copy_blob(statement, 9, upload.sha256, sizeof(upload.sha256), &upload.has_sha256);
        copy_blob(statement, 10, upload.file, sizeof(upload.file), &upload.has_file);
        copy_blob(statement, 16, upload.secret, sizeof(upload.secret), &upload.has_secret);
        return upload;
}

void cache_upload_put(struct cache *cache, const struct cached_upload *upload)
{
        sqlite3_stmt *statement = cache_statement(cache, CACHE_UPLOAD_PUT);
        if (!statement)
                return;

        sqlite3_bind_int64(statement, 1, upload->pos);
        sqlite3_bind_int(statement, 2, upload->at);
        sqlite3_bind_blob(statement, 3, upload->cmid.bytes, sizeof(upload->cmid), SQLITE_STATIC);
        cache_bind_text(statement, 4, upload->path);
        sqlite3_bind_int(statement, 5, upload->is_copy);
        cache_bind_text(statement, 6, upload->name);
        cache_bind_text(statement, 7, upload->media);
        sqlite3_bind_int64(statement, 8, upload->size);
        sqlite3_bind_int64(statement, 9, upload->mtime_ns);
        if (upload->has_sha256)
                sqlite3_bind_blob(statement, 10, upload->sha256, sizeof(upload->sha256), SQLITE_STATIC);
        if (upload->has_file)
                sqlite3_bind_blob(statement, 11, upload->file, sizeof(upload->file), SQLITE_STATIC);
        sqlite3_bind_int(statement, 12, upload->is_complete);
        sqlite3_bind_int(statement, 13, upload->width);
        sqlite3_bind_int(statement, 14, upload->height);
        sqlite3_bind_int(statement, 15, upload->tries);
        sqlite3_bind_int(statement, 16, upload->is_paused);
        if (upload->has_secret)
                sqlite3_bind_blob(statement, 17, upload->secret, sizeof(upload->secret), SQLITE_STATIC);
        cache_run(cache, statement);
}

void cache_uploads(struct cache *cache, int64_t pos, bool (*each)(void *data, const struct cached_upload *upload),
                   void *data)
{
        sqlite3_stmt *statement = cache_statement(cache, CACHE_UPLOADS);
        if (!statement)
                return;

        sqlite3_bind_int64(statement, 1, pos);
        while (cache_step(cache, statement)) {
                struct cached_upload upload = read_upload(statement);

                if (!each(data, &upload)) {
                        sqlite3_reset(statement);
                        return;
                }
        }
}

struct move {
        struct cache *cache;
        int64_t to;
};

static bool move_one(void *data, const struct cached_upload *upload)
{
        const struct move *move = data;
        struct cached_upload copy = *upload;

        copy.pos = move->to;
        cache_upload_put(move->cache, &copy);
        return true;
}

/* Written anew: what is sealed is bound to its place. */
void cache_uploads_move(struct cache *cache, int64_t from, int64_t to)
{
        struct move move = {cache, to};

        cache_uploads(cache, from, move_one, &move);
        cache_uploads_drop(cache, from);
}

int64_t cache_copy_next(struct cache *cache, int64_t after)
{
        sqlite3_stmt *statement = cache_statement(cache, CACHE_COPY_NEXT);
        int64_t pos = 0;
        if (!statement)
                return 0;

        sqlite3_bind_int64(statement, 1, after);
        while (cache_step(cache, statement))
                pos = sqlite3_column_int64(statement, 0);
        return pos;
}

void cache_uploads_drop(struct cache *cache, int64_t pos)
{
        sqlite3_stmt *statement = cache_statement(cache, CACHE_UPLOADS_DROP);
        if (!statement)
                return;

        sqlite3_bind_int64(statement, 1, pos);
        cache_run(cache, statement);
}

bool cache_upload_knows(struct cache *cache, struct span path)
{
        sqlite3_stmt *statement = cache_statement(cache, CACHE_UPLOAD_KNOWS);
        bool knows = false;
        if (!statement)
                return true;

        cache_bind_text(statement, 1, path);
        while (cache_step(cache, statement))
                knows = sqlite3_column_int64(statement, 0) > 0;
        return knows || cache->is_damaged; /* a row that cannot be read may be the one */
}
