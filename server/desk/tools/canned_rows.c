/* SPDX-License-Identifier: Apache-2.0 */
#include "desk/tools/canned.h"

#include <strings.h>

#include "desk/desk_private.h"
#include "desk/people/people.h"

static void copy_text(char *to, size_t room, struct span text)
{
        size_t len = text.len < room ? text.len : room - 1;
        if (len > 0)
                memcpy(to, text.at, len);
        to[len] = 0;
}

void canned_read_row(struct db_stmt *stmt, struct canned_row *out_row)
{
        *out_row = (struct canned_row){.id = db_int(stmt, 0),
                                       .ext = (uint64_t)db_int(stmt, 1),
                                       .owner = db_int(stmt, 2),
                                       .version = db_int(stmt, 7),
                                       .uses = db_int(stmt, 8),
                                       .used_ms = db_int(stmt, 9)};
        copy_text(out_row->shortcut, sizeof out_row->shortcut, db_text(stmt, 3));
        copy_text(out_row->name, sizeof out_row->name, db_text(stmt, 4));
        copy_text(out_row->folder, sizeof out_row->folder, db_text(stmt, 5));
        copy_text(out_row->lang, sizeof out_row->lang, db_text(stmt, 6));
}

static int take_row(struct db_stmt *stmt, struct canned_row *out_row)
{
        int rc = db_step(stmt);
        if (rc == DB_ROW)
                canned_read_row(stmt, out_row);
        db_reset(stmt);
        return rc;
}

int canned_by_ext(struct db *db, int64_t workspace, int64_t viewer, uint64_t ext, struct canned_row *out_row)
{
        struct db_stmt *stmt = db_stmt(db, SQL_CANNED_BY_EXT);
        db_bind_int(stmt, 1, workspace);
        db_bind_int(stmt, 2, (int64_t)ext);
        int rc = take_row(stmt, out_row);
        return rc == DB_ROW && out_row->owner != 0 && out_row->owner != viewer ? DB_OK : rc;
}

int canned_by_shortcut(struct db *db, int64_t workspace, int64_t viewer, struct span shortcut,
                       struct canned_row *out_row)
{
        int rc = DB_OK;
        for (int i = viewer != 0 ? 0 : 1; i < 2 && rc == DB_OK; i++) {
                struct db_stmt *stmt = db_stmt(db, SQL_CANNED_BY_SHORTCUT);
                db_bind_int(stmt, 1, workspace);
                db_bind_int(stmt, 2, i == 0 ? viewer : 0);
                db_bind_text(stmt, 3, shortcut);
                rc = take_row(stmt, out_row);
        }
        return rc;
}

/* 3: the same language and region; 2: the same language; 1: its own; 0: another. */
static int nearness(struct span lang, struct span wanted, const char *own)
{
        size_t main_len = 0;
        while (main_len < wanted.len && wanted.at[main_len] != '-')
                main_len++;
        if (wanted.len > 0 && lang.len == wanted.len && strncasecmp(lang.at, wanted.at, lang.len) == 0)
                return 3;
        bool is_near = main_len > 0 && lang.len >= main_len && strncasecmp(lang.at, wanted.at, main_len) == 0 &&
                       (lang.len == main_len || lang.at[main_len] == '-');
        return is_near ? 2 : span_equal(lang, span_of(own)) ? 1 : 0;
}

static bool copy_into(struct arena *arena, struct span text, struct span *out)
{
        char *copy = arena_take(arena, text.len + 1);
        if (copy && text.len > 0)
                memcpy(copy, text.at, text.len);
        *out = (struct span){copy, copy ? text.len : 0};
        return copy != NULL;
}

int canned_text_in(struct db *db, const struct canned_row *row, struct span lang, struct arena *arena,
                   struct span *out_lang, struct span *out_text)
{
        struct db_stmt *stmt = db_stmt(db, SQL_CANNED_TEXTS);
        db_bind_int(stmt, 1, row->id);
        int best = -1, rc;
        while ((rc = db_step(stmt)) == DB_ROW) {
                int near = nearness(db_text(stmt, 0), lang, row->lang);
                if (near <= best)
                        continue;
                best = near;
                if (!copy_into(arena, db_text(stmt, 0), out_lang) || !copy_into(arena, db_text(stmt, 1), out_text)) {
                        rc = DB_NOMEM;
                        break;
                }
        }
        db_reset(stmt);
        return rc < 0 ? rc : best < 0 ? DB_DAMAGED : DB_ROW;
}

int canned_may_change(const struct desk *desk, const struct caller *caller, int64_t owner)
{
        return owner != 0 && owner == caller->principal && caller->role == ROLE_AGENT
                       ? 0
                       : people_authorize(desk, caller, PROTOCOL_MAY_CANNED_SHARED);
}

int canned_count_use(struct desk *desk, int64_t id)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_CANNED_USED);
        db_bind_int(stmt, 1, id);
        db_bind_int(stmt, 2, desk->now_ms);
        int rc = db_run(stmt);
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}
