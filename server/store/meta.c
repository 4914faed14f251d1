/* SPDX-License-Identifier: Apache-2.0 */
#include "store/meta.h"

int meta_get_int(struct db *db, const char *name, int64_t *out_value)
{
        struct db_stmt *stmt = db_stmt(db, SQL_META_GET);
        db_bind_text(stmt, 1, span_of(name));
        int rc = db_step(stmt);
        if (rc != DB_ROW)
                return rc;
        *out_value = db_int(stmt, 0);
        db_reset(stmt);
        return DB_ROW;
}

int meta_put_int(struct db *db, const char *name, int64_t value)
{
        struct db_stmt *stmt = db_stmt(db, SQL_META_PUT);
        db_bind_text(stmt, 1, span_of(name));
        db_bind_int(stmt, 2, value);
        return db_run(stmt);
}

int meta_get_blob(struct db *db, const char *name, uint8_t *out_bytes, size_t len)
{
        struct db_stmt *stmt = db_stmt(db, SQL_META_GET);
        db_bind_text(stmt, 1, span_of(name));
        int rc = db_step(stmt);
        if (rc != DB_ROW)
                return rc;
        struct span blob = db_blob(stmt, 0);
        bool fits = blob.len == len;
        if (fits)
                memcpy(out_bytes, blob.at, len);
        db_reset(stmt);
        return fits ? DB_ROW : DB_OK;
}

int meta_put_blob(struct db *db, const char *name, const uint8_t *bytes, size_t len)
{
        struct db_stmt *stmt = db_stmt(db, SQL_META_PUT);
        db_bind_text(stmt, 1, span_of(name));
        db_bind_blob(stmt, 2, bytes, len);
        return db_run(stmt);
}

int done_find(struct db *db, int64_t author, const struct cmid *cmid, int *out_method, uint8_t out_hash[16],
              struct span *out_result, struct db_stmt **out_stmt)
{
        struct db_stmt *stmt = db_stmt(db, SQL_DONE_GET);
        db_bind_int(stmt, 1, author);
        db_bind_blob(stmt, 2, cmid->bytes, sizeof cmid->bytes);
        int rc = db_step(stmt);
        if (rc != DB_ROW)
                return rc;
        *out_method = (int)db_int(stmt, 0);
        struct span hash = db_blob(stmt, 1);
        memset(out_hash, 0, 16);
        if (hash.len == 16)
                memcpy(out_hash, hash.at, 16);
        *out_result = db_text(stmt, 2);
        *out_stmt = stmt;
        return DB_ROW;
}

int done_put(struct db *db, int64_t author, const struct cmid *cmid, int method, const uint8_t hash[16],
             struct span result, int64_t now_ms)
{
        struct db_stmt *stmt = db_stmt(db, SQL_DONE_PUT);
        db_bind_int(stmt, 1, author);
        db_bind_blob(stmt, 2, cmid->bytes, sizeof cmid->bytes);
        db_bind_int(stmt, 3, method);
        db_bind_blob(stmt, 4, hash, 16);
        db_bind_text(stmt, 5, result);
        db_bind_int(stmt, 6, now_ms);
        return db_run(stmt);
}

int done_sweep(struct db *db, int64_t before_ms)
{
        struct db_stmt *stmt = db_stmt(db, SQL_DONE_SWEEP);
        db_bind_int(stmt, 1, before_ms);
        return db_run(stmt);
}

int audit_put(struct db *db, int64_t now_ms, int64_t actor, enum principal_role role, const char *action,
              struct span object, struct span detail)
{
        struct db_stmt *stmt = db_stmt(db, SQL_AUDIT_PUT);
        db_bind_int(stmt, 1, now_ms);
        db_bind_int(stmt, 2, actor);
        db_bind_int(stmt, 3, role);
        db_bind_text(stmt, 4, span_of(action));
        db_bind_text(stmt, 5, object);
        db_bind_text(stmt, 6, detail);
        return db_run(stmt);
}
