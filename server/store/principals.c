/* SPDX-License-Identifier: Apache-2.0 */
#include "store/principals.h"

enum { DEVICE_SEEN_EVERY_MS = 24 * 3600 * 1000, DEVICES_KEPT = 64 };

static void copy_text(char *to, size_t room, struct span text)
{
        size_t len = text.len < room ? text.len : room - 1;
        if (len > 0)
                memcpy(to, text.at, len);
        to[len] = 0;
}

/* Takes the one row of `stmt`, if there is one. */
static int take_row(struct db_stmt *stmt, struct principal_row *out_row)
{
        int rc = db_step(stmt);
        if (rc != DB_ROW)
                return rc;
        out_row->id = db_int(stmt, 0);
        out_row->workspace = db_int(stmt, 1);
        out_row->ext = (uint64_t)db_int(stmt, 2);
        out_row->role = (enum principal_role)db_int(stmt, 3);
        out_row->app = db_int(stmt, 4);
        copy_text(out_row->external_id, sizeof out_row->external_id, db_text(stmt, 5));
        copy_text(out_row->name, sizeof out_row->name, db_text(stmt, 6));
        copy_text(out_row->email, sizeof out_row->email, db_text(stmt, 7));
        copy_text(out_row->locale, sizeof out_row->locale, db_text(stmt, 8));
        out_row->revoked_ms = db_int(stmt, 9);
        out_row->valid_from_s = db_int(stmt, 10);
        out_row->alias_of = db_int(stmt, 11);
        out_row->has_aliases = db_int(stmt, 12) > 0;
        db_reset(stmt);
        return DB_ROW;
}

int principals_load(struct db *db, int64_t id, struct principal_row *out_row)
{
        struct db_stmt *stmt = db_stmt(db, SQL_PRINCIPAL_BY_ID);
        db_bind_int(stmt, 1, id);
        return take_row(stmt, out_row);
}

int principals_load_ext(struct db *db, uint64_t ext, struct principal_row *out_row)
{
        struct db_stmt *stmt = db_stmt(db, SQL_PRINCIPAL_BY_EXT);
        db_bind_int(stmt, 1, (int64_t)ext);
        return take_row(stmt, out_row);
}

int principals_find_external(struct db *db, int64_t workspace, struct span external_id, struct principal_row *out_row)
{
        struct db_stmt *stmt = db_stmt(db, SQL_PRINCIPAL_BY_EXTERNAL);
        db_bind_int(stmt, 1, workspace);
        db_bind_text(stmt, 2, external_id);
        return take_row(stmt, out_row);
}

int principals_find_secret(struct db *db, const uint8_t secret_hash[32], struct principal_row *out_row)
{
        struct db_stmt *stmt = db_stmt(db, SQL_PRINCIPAL_BY_SECRET);
        db_bind_blob(stmt, 1, secret_hash, 32);
        return take_row(stmt, out_row);
}

static void bind_text_or_null(struct db_stmt *stmt, int index, const char *text)
{
        db_bind_text(stmt, index, text[0] ? span_of(text) : (struct span){0});
}

static void bind_hash_or_null(struct db_stmt *stmt, int index, const uint8_t *hash)
{
        if (hash)
                db_bind_blob(stmt, index, hash, 32);
        else
                db_bind_null(stmt, index);
}

int principals_insert(struct db *db, struct principal_row *row, const uint8_t *secret_hash, const uint8_t *invite_hash,
                      int64_t invite_until_ms, int64_t now_ms)
{
        struct db_stmt *stmt = db_stmt(db, SQL_PRINCIPAL_INSERT);
        db_bind_int(stmt, 1, row->workspace);
        db_bind_int(stmt, 2, (int64_t)row->ext);
        db_bind_int(stmt, 3, row->role);
        db_bind_int(stmt, 4, row->app);
        bind_text_or_null(stmt, 5, row->external_id);
        bind_hash_or_null(stmt, 6, secret_hash);
        bind_text_or_null(stmt, 7, row->name);
        bind_text_or_null(stmt, 8, row->email);
        bind_text_or_null(stmt, 9, row->locale);
        bind_hash_or_null(stmt, 10, invite_hash);
        db_bind_int(stmt, 11, invite_until_ms);
        db_bind_int(stmt, 12, now_ms);
        int rc = db_run(stmt);
        if (rc == DB_OK)
                row->id = db_last_id(db);
        return rc;
}

int principals_describe(struct db *db, const struct principal_row *row)
{
        struct db_stmt *stmt = db_stmt(db, SQL_PRINCIPAL_DESCRIBE);
        db_bind_int(stmt, 1, row->id);
        bind_text_or_null(stmt, 2, row->name);
        bind_text_or_null(stmt, 3, row->email);
        bind_text_or_null(stmt, 4, row->locale);
        return db_run(stmt);
}

int principals_become(struct db *db, int64_t id, struct span external_id)
{
        struct db_stmt *stmt = db_stmt(db, SQL_PRINCIPAL_BECOME);
        db_bind_int(stmt, 1, id);
        db_bind_text(stmt, 2, external_id);
        return db_run(stmt);
}

int principals_alias(struct db *db, int64_t id, int64_t alias_of)
{
        struct db_stmt *stmt = db_stmt(db, SQL_PRINCIPAL_ALIAS);
        db_bind_int(stmt, 1, id);
        db_bind_int(stmt, 2, alias_of);
        return db_run(stmt);
}

int principals_revoke(struct db *db, int64_t id, int64_t revoked_ms, int64_t valid_from_s)
{
        struct db_stmt *stmt = db_stmt(db, SQL_PRINCIPAL_REVOKE);
        db_bind_int(stmt, 1, id);
        db_bind_int(stmt, 2, revoked_ms);
        db_bind_int(stmt, 3, valid_from_s);
        return db_run(stmt);
}

int devices_seen(struct db *db, int64_t principal, const uint8_t device[16], struct span locale, struct span client,
                 int64_t now_ms)
{
        struct db_stmt *get = db_stmt(db, SQL_DEVICE_GET);
        db_bind_int(get, 1, principal);
        db_bind_blob(get, 2, device, 16);
        int rc = db_step(get);
        if (rc < 0)
                return rc;
        if (rc == DB_ROW) {
                int64_t seen_ms = db_int(get, 0);
                db_reset(get);
                if (now_ms - seen_ms < DEVICE_SEEN_EVERY_MS)
                        return DB_OK;
        }
        struct db_stmt *put = db_stmt(db, SQL_DEVICE_PUT);
        db_bind_int(put, 1, principal);
        db_bind_blob(put, 2, device, 16);
        db_bind_text(put, 3, locale);
        db_bind_text(put, 4, client);
        db_bind_int(put, 5, now_ms);
        int put_rc = db_run(put);
        if (put_rc < 0 || rc == DB_ROW)
                return put_rc;
        struct db_stmt *prune = db_stmt(db, SQL_DEVICE_PRUNE);
        db_bind_int(prune, 1, principal);
        db_bind_int(prune, 2, DEVICES_KEPT);
        return db_run(prune);
}

int devices_push_get(struct db *db, int64_t principal, const uint8_t device[16], struct device_push *out_push)
{
        struct db_stmt *stmt = db_stmt(db, SQL_DEVICE_PUSH_GET);
        db_bind_int(stmt, 1, principal);
        db_bind_blob(stmt, 2, device, 16);
        *out_push = (struct device_push){0};
        int rc = db_step(stmt);
        if (rc != DB_ROW)
                return rc;
        copy_text(out_push->service, sizeof out_push->service, db_text(stmt, 0));
        copy_text(out_push->token, sizeof out_push->token, db_text(stmt, 1));
        out_push->changed_ms = db_int(stmt, 2);
        db_reset(stmt);
        return DB_ROW;
}

int devices_push_put(struct db *db, int64_t principal, const uint8_t device[16], struct span service, struct span token,
                     int64_t now_ms)
{
        struct db_stmt *put = db_stmt(db, SQL_DEVICE_PUSH_PUT);
        db_bind_int(put, 1, principal);
        db_bind_blob(put, 2, device, 16);
        db_bind_int(put, 3, now_ms);
        db_bind_text(put, 4, service);
        db_bind_text(put, 5, token);
        int rc = db_run(put);
        if (rc < 0)
                return rc;
        struct db_stmt *take = db_stmt(db, SQL_DEVICE_PUSH_TAKE);
        db_bind_int(take, 1, principal);
        db_bind_blob(take, 2, device, 16);
        db_bind_text(take, 3, service);
        db_bind_text(take, 4, token);
        return db_run(take);
}

int devices_push_remove(struct db *db, int64_t principal, const uint8_t device[16])
{
        struct db_stmt *stmt = db_stmt(db, SQL_DEVICE_PUSH_END);
        db_bind_int(stmt, 1, principal);
        db_bind_blob(stmt, 2, device, 16);
        return db_run(stmt);
}

int devices_push_end(struct db *db, int64_t principal)
{
        struct db_stmt *stmt = db_stmt(db, SQL_DEVICES_PUSH_END);
        db_bind_int(stmt, 1, principal);
        return db_run(stmt);
}

int devices_push_move(struct db *db, int64_t visitor, int64_t user)
{
        struct db_stmt *stmt = db_stmt(db, SQL_DEVICES_PUSH_MOVE);
        db_bind_int(stmt, 1, visitor);
        db_bind_int(stmt, 2, user);
        return db_run(stmt);
}

int staff_sessions_find(struct db *db, const uint8_t token_hash[32], struct staff_session_row *out_row)
{
        struct db_stmt *stmt = db_stmt(db, SQL_STAFF_SESSION_GET);
        db_bind_blob(stmt, 1, token_hash, 32);
        int rc = db_step(stmt);
        if (rc != DB_ROW)
                return rc;
        *out_row = (struct staff_session_row){db_int(stmt, 0), db_int(stmt, 1), db_int(stmt, 2)};
        db_reset(stmt);
        return DB_ROW;
}

int staff_sessions_put(struct db *db, const uint8_t token_hash[32], int64_t principal, struct span label,
                       int64_t now_ms, int64_t expires_ms)
{
        struct db_stmt *stmt = db_stmt(db, SQL_STAFF_SESSION_PUT);
        db_bind_blob(stmt, 1, token_hash, 32);
        db_bind_int(stmt, 2, principal);
        db_bind_text(stmt, 3, label);
        db_bind_int(stmt, 4, now_ms);
        db_bind_int(stmt, 5, expires_ms);
        return db_run(stmt);
}

int staff_sessions_seen(struct db *db, const uint8_t token_hash[32], int64_t now_ms)
{
        struct db_stmt *stmt = db_stmt(db, SQL_STAFF_SESSION_SEEN);
        db_bind_blob(stmt, 1, token_hash, 32);
        db_bind_int(stmt, 2, now_ms);
        return db_run(stmt);
}

int staff_sessions_end(struct db *db, int64_t principal)
{
        struct db_stmt *stmt = db_stmt(db, SQL_STAFF_SESSIONS_END);
        db_bind_int(stmt, 1, principal);
        return db_run(stmt);
}
