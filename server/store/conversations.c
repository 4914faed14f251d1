/* SPDX-License-Identifier: Apache-2.0 */
#include "store/conversations.h"

static void copy_text(char *to, size_t room, size_t *out_len, struct span text)
{
        size_t len = text.len < room ? text.len : room - 1;
        if (len > 0)
                memcpy(to, text.at, len);
        to[len] = 0;
        if (out_len)
                *out_len = len;
}

void conversations_read_row(struct db_stmt *stmt, struct conversation_row *out_row)
{
        struct conversation_row *row = out_row;
        row->id = db_int(stmt, 0);
        row->ext = (uint64_t)db_int(stmt, 1);
        row->workspace = db_int(stmt, 2);
        row->app = db_int(stmt, 3);
        row->customer = db_int(stmt, 4);
        copy_text(row->key, sizeof row->key, NULL, db_text(stmt, 5));
        row->rev = db_int(stmt, 6);
        row->head = db_int(stmt, 7);
        row->ihead = db_int(stmt, 8);
        row->first = db_int(stmt, 9);
        row->last_ts = db_int(stmt, 10);
        row->last_seq = db_int(stmt, 11);
        row->last_author = db_int(stmt, 12);
        row->last_kind = db_int(stmt, 13);
        copy_text(row->preview, sizeof row->preview, &row->preview_len, db_text(stmt, 14));
        row->unread = db_int(stmt, 15);
        row->unanswered = db_int(stmt, 16);
        row->waiting_since = db_int(stmt, 17);
        row->customer_recv = db_int(stmt, 18);
        row->customer_read = db_int(stmt, 19);
        row->staff_recv = db_int(stmt, 20);
        row->staff_read = db_int(stmt, 21);
        row->owner = (int)db_int(stmt, 22);
        row->owner_turn = db_int(stmt, 23);
        row->handed_ms = db_int(stmt, 24);
        row->public_rev = row->rev;
        row->team = row->assignee = row->invited = 0;
        row->has_left = false;
}

void conversations_read_reach(struct db_stmt *stmt, int column, struct conversation_row *row)
{
        row->team = db_int(stmt, column);
        row->assignee = db_int(stmt, column + 1);
        row->invited = db_int(stmt, column + 2);
}

int conversations_load(struct db *db, uint64_t ext, struct conversation_row *out_row)
{
        struct db_stmt *stmt = db_stmt(db, SQL_CONVERSATION_BY_EXT);
        db_bind_int(stmt, 1, (int64_t)ext);
        int rc = db_step(stmt);
        if (rc != DB_ROW)
                return rc;
        conversations_read_row(stmt, out_row);
        out_row->public_rev = db_int(stmt, 25);
        conversations_read_reach(stmt, 26, out_row);
        db_reset(stmt);
        return DB_ROW;
}

int conversations_find_key(struct db *db, int64_t app, int64_t customer, struct span key, uint64_t *out_ext)
{
        struct db_stmt *stmt = db_stmt(db, SQL_CONVERSATION_BY_KEY);
        db_bind_int(stmt, 1, app);
        db_bind_int(stmt, 2, customer);
        db_bind_text(stmt, 3, key);
        int rc = db_step(stmt);
        if (rc != DB_ROW)
                return rc;
        *out_ext = (uint64_t)db_int(stmt, 0);
        db_reset(stmt);
        return DB_ROW;
}

int conversations_count(struct db *db, int64_t app, int64_t customer, int64_t *out_count)
{
        struct db_stmt *stmt = db_stmt(db, SQL_CONVERSATION_COUNT_OF);
        db_bind_int(stmt, 1, customer);
        db_bind_int(stmt, 2, app);
        int rc = db_step(stmt);
        if (rc != DB_ROW)
                return rc < 0 ? rc : DB_DAMAGED;
        *out_count = db_int(stmt, 0);
        db_reset(stmt);
        return DB_OK;
}

int conversations_insert(struct db *db, struct conversation_row *row, int64_t now_ms)
{
        struct db_stmt *stmt = db_stmt(db, SQL_CONVERSATION_INSERT);
        db_bind_int(stmt, 1, row->workspace);
        db_bind_int(stmt, 2, (int64_t)row->ext);
        db_bind_int(stmt, 3, row->app);
        db_bind_int(stmt, 4, row->customer);
        db_bind_text(stmt, 5, span_of(row->key));
        db_bind_int(stmt, 6, now_ms);
        int rc = db_run(stmt);
        if (rc == DB_OK)
                row->id = db_last_id(db);
        return rc;
}

int conversations_remove(struct db *db, int64_t id)
{
        struct db_stmt *stmt = db_stmt(db, SQL_CONVERSATION_REMOVE);
        db_bind_int(stmt, 1, id);
        return db_run(stmt);
}

int conversations_give(struct db *db, int64_t id, int64_t customer, struct span key)
{
        struct db_stmt *stmt = db_stmt(db, SQL_CONVERSATION_GIVE);
        db_bind_int(stmt, 1, id);
        db_bind_int(stmt, 2, customer);
        db_bind_text(stmt, 3, key);
        return db_run(stmt);
}

static int move_scope(struct db *db, const struct conversation_row *row, int64_t new_rev)
{
        int64_t scope = scope_of_workspace(row->workspace);
        if (row->rev != 0) {
                struct db_stmt *gone = db_stmt(db, SQL_SCOPE_REMOVE);
                db_bind_int(gone, 1, scope);
                db_bind_int(gone, 2, row->rev);
                int rc = db_run(gone);
                if (rc < 0)
                        return rc;
        }
        struct db_stmt *put = db_stmt(db, SQL_SCOPE_PUT);
        db_bind_int(put, 1, scope);
        db_bind_int(put, 2, new_rev);
        db_bind_int(put, 3, row->id);
        db_bind_int(put, 4, 0);
        return db_run(put);
}

int conversations_save(struct db *db, struct conversation_row *row, int64_t new_rev, bool is_public)
{
        int rc = move_scope(db, row, new_rev);
        if (rc < 0)
                return rc;
        struct span preview = row->preview_len ? (struct span){row->preview, row->preview_len} : (struct span){0};
        struct db_stmt *stmt = db_stmt(db, SQL_CONVERSATION_SAVE);
        db_bind_int(stmt, 1, row->id);
        db_bind_int(stmt, 2, new_rev);
        db_bind_int(stmt, 3, row->head);
        db_bind_int(stmt, 4, row->ihead);
        db_bind_int(stmt, 5, row->last_ts);
        db_bind_int(stmt, 6, row->last_seq);
        db_bind_int(stmt, 7, row->last_author);
        db_bind_int(stmt, 8, row->last_kind);
        db_bind_text(stmt, 9, preview);
        db_bind_int(stmt, 10, row->unread);
        db_bind_int(stmt, 11, row->unanswered);
        db_bind_int(stmt, 12, row->waiting_since);
        db_bind_int(stmt, 13, row->customer_recv);
        db_bind_int(stmt, 14, row->customer_read);
        db_bind_int(stmt, 15, row->staff_recv);
        db_bind_int(stmt, 16, row->staff_read);
        db_bind_int(stmt, 17, is_public ? new_rev : row->public_rev);
        db_bind_int(stmt, 18, row->owner);
        db_bind_int(stmt, 19, row->owner_turn);
        db_bind_int(stmt, 20, row->handed_ms);
        db_bind_int(stmt, 21, row->team);
        db_bind_int(stmt, 22, row->assignee);
        db_bind_int(stmt, 23, row->invited);
        rc = db_run(stmt);
        if (rc != DB_OK)
                return rc;
        row->rev = new_rev;
        if (is_public)
                row->public_rev = new_rev;
        return rc;
}

int conversations_leave(struct db *db, const struct conversation_row *row, int64_t scope, int64_t rev)
{
        struct db_stmt *again = db_stmt(db, SQL_SCOPE_LEFT_AGAIN);
        db_bind_int(again, 1, scope);
        db_bind_int(again, 2, row->id);
        int rc = db_run(again);
        if (rc < 0)
                return rc;
        struct db_stmt *put = db_stmt(db, SQL_SCOPE_LEFT_PUT);
        db_bind_int(put, 1, scope);
        db_bind_int(put, 2, rev);
        db_bind_int(put, 3, row->id);
        return db_run(put);
}

int conversations_view_staff(struct db *db, uint64_t ext, int64_t workspace, struct conversation_row *out_row)
{
        struct db_stmt *stmt = db_stmt(db, SQL_CONVERSATION_VIEW_STAFF);
        db_bind_int(stmt, 1, (int64_t)ext);
        db_bind_int(stmt, 2, workspace);
        int rc = db_step(stmt);
        if (rc != DB_ROW)
                return rc;
        *out_row = (struct conversation_row){.id = db_int(stmt, 0),
                                             .ext = ext,
                                             .workspace = workspace,
                                             .head = db_int(stmt, 1),
                                             .ihead = db_int(stmt, 2)};
        conversations_read_reach(stmt, 3, out_row);
        db_reset(stmt);
        return DB_ROW;
}

int conversations_view_customer(struct db *db, uint64_t ext, int64_t customer, int64_t *out_id, int64_t *out_head)
{
        struct db_stmt *stmt = db_stmt(db, SQL_CONVERSATION_VIEW_CUSTOMER);
        db_bind_int(stmt, 1, (int64_t)ext);
        db_bind_int(stmt, 2, customer);
        int rc = db_step(stmt);
        if (rc != DB_ROW)
                return rc;
        *out_id = db_int(stmt, 0);
        *out_head = db_int(stmt, 1);
        db_reset(stmt);
        return DB_ROW;
}
