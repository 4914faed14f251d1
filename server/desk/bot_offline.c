/* SPDX-License-Identifier: Apache-2.0 */
/* bot.offline: see bot_offline.h. A piece is cut by the store's own substr, so that no version is held in memory here.
 * A version that is larger than devices take is as if there were none. */
#include "desk/bot_offline.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include "desk/desk_private.h"

enum { PART_TEXT = (BOT_OFFLINE_PART + 2) / 3 * 4 };

struct live {
        int64_t row, size;
        uint8_t hash[SHA256_DIGEST_LENGTH];
};

/* 1 found, 0 none, or a negative db_error. */
static int find_live(struct db *db, int64_t app, struct live *out)
{
        struct db_stmt *stmt = db_stmt(db, SQL_BOT_OFFLINE_LIVE);
        db_bind_int(stmt, 1, app);
        int rc = db_step(stmt);
        if (rc == DB_ROW) {
                struct span hash = db_blob(stmt, 1);
                out->row = db_int(stmt, 0);
                out->size = db_int(stmt, 2);
                bool is_good = hash.len == sizeof out->hash && out->size > 0 && out->size <= PROTOCOL_OFFLINE_BYTES;
                if (is_good)
                        memcpy(out->hash, hash.at, sizeof out->hash);
                rc = is_good ? 1 : 0;
        }
        db_reset(stmt);
        return rc;
}

static void put_part(struct writer *out, struct span part)
{
        unsigned char text[PART_TEXT + 1];
        int len = EVP_EncodeBlock(text, (const unsigned char *)part.at, (int)part.len);
        writer_raw(out, SPAN(",\"part\":\""));
        writer_raw(out, (struct span){(const char *)text, (size_t)len});
        writer_char(out, '"');
}

static int write_part(struct db *db, const struct live *live, int64_t offset, struct writer *out)
{
        struct db_stmt *stmt = db_stmt(db, SQL_BOT_OFFLINE_PART);
        db_bind_int(stmt, 1, live->row);
        db_bind_int(stmt, 2, offset + 1);
        db_bind_int(stmt, 3, BOT_OFFLINE_PART);
        int rc = db_step(stmt);
        struct span part = rc == DB_ROW ? db_blob(stmt, 0) : (struct span){0};
        if (part.len > 0 && part.len <= BOT_OFFLINE_PART) {
                writer_raw(out, SPAN(",\"size\":"));
                writer_int(out, live->size);
                writer_raw(out, SPAN(",\"offset\":"));
                writer_int(out, offset);
                put_part(out, part);
                if (offset + (int64_t)part.len < live->size)
                        writer_raw(out, SPAN(",\"more\":true"));
        }
        db_reset(stmt);
        return rc;
}

int bot_offline_read(struct desk *desk, struct db *db, const struct desk_command *command, struct writer *out)
{
        const struct protocol_bot_offline *params = command->params;
        struct live live = {0};
        int rc = find_live(db, command->caller.app, &live);
        writer_char(out, '{');
        if (rc == 1) {
                bool has_it = params->has_have && memcmp(params->have, live.hash, sizeof live.hash) == 0;
                bool goes_on = params->has_part_of && params->has_offset && params->offset < live.size &&
                               memcmp(params->part_of, live.hash, sizeof live.hash) == 0;
                writer_raw(out, SPAN("\"version\":"));
                writer_hex(out, live.hash, sizeof live.hash);
                if (!has_it)
                        rc = write_part(db, &live, goes_on ? params->offset : 0, out);
        }
        writer_char(out, '}');
        if (rc >= 0)
                return 0;
        log_error(&desk->log, "a read failed", "code", rc, "why", db_message(db));
        return -PROTOCOL_ERR_INTERNAL;
}
