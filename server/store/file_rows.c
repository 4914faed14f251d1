/* SPDX-License-Identifier: Apache-2.0 */
#include "store/file_rows.h"

static void copy_text(struct span text, char *out, size_t room)
{
        size_t len = text.len < room ? text.len : room - 1;
        if (text.at)
                memcpy(out, text.at, len);
        out[text.at ? len : 0] = 0;
}

static bool copy_blob(struct span blob, uint8_t *out, size_t len)
{
        if (blob.at && blob.len == len)
                memcpy(out, blob.at, len);
        return blob.at && blob.len == len;
}

void file_row_read(struct db_stmt *stmt, struct file_row *out_row)
{
        *out_row = (struct file_row){.id = db_int(stmt, 0),
                                     .owner = db_int(stmt, 2),
                                     .size = db_int(stmt, 5),
                                     .width = (uint32_t)db_int(stmt, 7),
                                     .height = (uint32_t)db_int(stmt, 8),
                                     .state = (enum file_state)db_int(stmt, 9),
                                     .conv = db_int(stmt, 10),
                                     .log = (int)db_int(stmt, 11),
                                     .seq = db_int(stmt, 12),
                                     .touched_ms = db_int(stmt, 13)};
        copy_blob(db_blob(stmt, 1), out_row->ext, sizeof out_row->ext);
        copy_text(db_text(stmt, 3), out_row->name, sizeof out_row->name);
        copy_text(db_text(stmt, 4), out_row->media, sizeof out_row->media);
        out_row->has_sha256 = copy_blob(db_blob(stmt, 6), out_row->sha256, sizeof out_row->sha256);
        copy_blob(db_blob(stmt, 14), out_row->asked, sizeof out_row->asked);
}

static int read_one(struct db_stmt *stmt, struct file_row *out_row)
{
        int rc = db_step(stmt);
        if (rc != DB_ROW)
                return rc;
        file_row_read(stmt, out_row);
        db_reset(stmt);
        return DB_ROW;
}

int file_rows_by_cmid(struct db *db, int64_t owner, const struct cmid *cmid, struct file_row *out_row)
{
        struct db_stmt *stmt = db_stmt(db, SQL_FILE_BY_CMID);
        db_bind_int(stmt, 1, owner);
        db_bind_blob(stmt, 2, cmid->bytes, sizeof cmid->bytes);
        return read_one(stmt, out_row);
}

int file_rows_by_ext(struct db *db, const uint8_t ext[16], struct file_row *out_row)
{
        struct db_stmt *stmt = db_stmt(db, SQL_FILE_BY_EXT);
        db_bind_blob(stmt, 1, ext, 16);
        return read_one(stmt, out_row);
}

int file_rows_own(struct db *db, const uint8_t ext[16], int64_t owner, struct file_row *out_row)
{
        struct db_stmt *stmt = db_stmt(db, SQL_FILE_OWN);
        db_bind_blob(stmt, 1, ext, 16);
        db_bind_int(stmt, 2, owner);
        return read_one(stmt, out_row);
}

int file_rows_view(struct db *db, const uint8_t ext[16], const struct file_viewer *viewer, struct file_row *out_row)
{
        bool is_customer = viewer->role == ROLE_CUSTOMER;
        struct db_stmt *stmt = db_stmt(db, is_customer ? SQL_FILE_VIEW_CUSTOMER : SQL_FILE_VIEW_STAFF);
        db_bind_blob(stmt, 1, ext, 16);
        db_bind_int(stmt, 2, viewer->principal);
        if (!is_customer) {
                db_bind_int(stmt, 3, viewer->workspace);
                db_bind_int(stmt, 4, viewer->role == ROLE_AGENT);
        }
        return read_one(stmt, out_row);
}

int file_rows_insert(struct db *db, struct file_row *row, int64_t workspace, const struct cmid *cmid, int64_t now_ms)
{
        struct db_stmt *stmt = db_stmt(db, SQL_FILE_INSERT);
        db_bind_blob(stmt, 1, row->ext, sizeof row->ext);
        db_bind_int(stmt, 2, workspace);
        db_bind_int(stmt, 3, row->owner);
        db_bind_blob(stmt, 4, cmid->bytes, sizeof cmid->bytes);
        db_bind_blob(stmt, 5, row->asked, sizeof row->asked);
        db_bind_text(stmt, 6, span_of(row->name));
        db_bind_text(stmt, 7, span_of(row->media));
        db_bind_int(stmt, 8, row->size);
        db_bind_int(stmt, 9, now_ms);
        int rc = db_run(stmt);
        if (rc == DB_OK)
                row->id = db_last_id(db);
        return rc;
}

int file_rows_touch(struct db *db, int64_t id, int64_t now_ms)
{
        struct db_stmt *stmt = db_stmt(db, SQL_FILE_TOUCH);
        db_bind_int(stmt, 1, id);
        db_bind_int(stmt, 2, now_ms);
        return db_run(stmt);
}

int file_rows_whole(struct db *db, const struct file_row *row, int64_t now_ms)
{
        struct db_stmt *stmt = db_stmt(db, SQL_FILE_WHOLE);
        db_bind_int(stmt, 1, row->id);
        db_bind_text(stmt, 2, span_of(row->media));
        db_bind_blob(stmt, 3, row->sha256, sizeof row->sha256);
        db_bind_int(stmt, 4, row->width);
        db_bind_int(stmt, 5, row->height);
        db_bind_int(stmt, 6, now_ms);
        return db_run(stmt);
}

int file_rows_attach(struct db *db, int64_t id, int64_t conv, int log, int64_t seq)
{
        struct db_stmt *stmt = db_stmt(db, SQL_FILE_ATTACH);
        db_bind_int(stmt, 1, id);
        db_bind_int(stmt, 2, conv);
        db_bind_int(stmt, 3, log);
        db_bind_int(stmt, 4, seq);
        int rc = db_run(stmt);
        return rc == DB_OK && db_changes(db) == 1 ? DB_ROW : rc;
}

static int run_counted(struct db *db, struct db_stmt *stmt, int64_t *out_count)
{
        int rc = db_run(stmt);
        if (rc == DB_OK && out_count)
                *out_count += db_changes(db);
        return rc;
}

int file_rows_let_go(struct db *db, int64_t id)
{
        struct db_stmt *stmt = db_stmt(db, SQL_FILE_LET_GO);
        db_bind_int(stmt, 1, id);
        return db_run(stmt);
}

int file_rows_let_go_at(struct db *db, int64_t conv, int log, int64_t seq, int64_t *out_count)
{
        struct db_stmt *stmt = db_stmt(db, SQL_FILES_LET_GO_AT);
        db_bind_int(stmt, 1, conv);
        db_bind_int(stmt, 2, log);
        db_bind_int(stmt, 3, seq);
        return run_counted(db, stmt, out_count);
}

int file_rows_let_go_conversation(struct db *db, int64_t conv, int64_t *out_count)
{
        struct db_stmt *stmt = db_stmt(db, SQL_FILES_LET_GO_CONVERSATION);
        db_bind_int(stmt, 1, conv);
        return run_counted(db, stmt, out_count);
}

int file_rows_let_go_owner(struct db *db, int64_t owner, int64_t *out_count)
{
        struct db_stmt *stmt = db_stmt(db, SQL_FILES_LET_GO_OWNER);
        db_bind_int(stmt, 1, owner);
        return run_counted(db, stmt, out_count);
}

int file_rows_let_go_loose(struct db *db, int64_t until_ms, int64_t *out_count)
{
        struct db_stmt *stmt = db_stmt(db, SQL_FILES_LET_GO_LOOSE);
        db_bind_int(stmt, 1, until_ms);
        return run_counted(db, stmt, out_count);
}

int file_rows_next_loose(struct db *db, int64_t *out_ms)
{
        struct db_stmt *stmt = db_stmt(db, SQL_FILES_NEXT_LOOSE);
        int rc = db_step(stmt);
        if (rc < 0)
                return rc;
        *out_ms = rc == DB_ROW && !db_is_null(stmt, 0) ? db_int(stmt, 0) : INT64_MAX;
        db_reset(stmt);
        return DB_OK;
}

int file_rows_gone(struct db *db, int64_t above, int64_t *out_ids, uint8_t (*out_exts)[16], int room)
{
        struct db_stmt *stmt = db_stmt(db, SQL_FILES_GONE);
        db_bind_int(stmt, 1, above);
        db_bind_int(stmt, 2, room);
        int count = 0, rc = DB_OK;
        while (count < room && (rc = db_step(stmt)) == DB_ROW) {
                out_ids[count] = db_int(stmt, 0);
                if (copy_blob(db_blob(stmt, 1), out_exts[count], 16))
                        count++;
        }
        db_reset(stmt);
        return rc < 0 ? rc : count;
}

int file_rows_removed(struct db *db, int64_t id)
{
        struct db_stmt *stmt = db_stmt(db, SQL_FILE_REMOVED);
        db_bind_int(stmt, 1, id);
        return db_run(stmt);
}

int file_rows_forget(struct db *db, int64_t until_ms)
{
        struct db_stmt *stmt = db_stmt(db, SQL_FILES_FORGET);
        db_bind_int(stmt, 1, until_ms);
        return db_run(stmt);
}

int file_rows_since(struct db *db, int64_t owner, int64_t since_ms, int64_t *out_count, int64_t *out_first_ms)
{
        struct db_stmt *stmt = db_stmt(db, SQL_FILES_SINCE);
        db_bind_int(stmt, 1, owner);
        db_bind_int(stmt, 2, since_ms);
        int rc = db_step(stmt);
        if (rc < 0)
                return rc;
        *out_count = rc == DB_ROW ? db_int(stmt, 0) : 0;
        *out_first_ms = *out_count > 0 ? db_int(stmt, 1) : 0;
        db_reset(stmt);
        return DB_OK;
}

int file_rows_bytes(struct db *db, int64_t *out_bytes)
{
        struct db_stmt *stmt = db_stmt(db, SQL_FILES_BYTES);
        int rc = db_step(stmt);
        if (rc < 0)
                return rc;
        *out_bytes = rc == DB_ROW ? db_int(stmt, 0) : 0;
        db_reset(stmt);
        return DB_OK;
}
