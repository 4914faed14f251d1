/* SPDX-License-Identifier: Apache-2.0 */
/* A case as it stands in the store, and the lines of its log. */
#include "desk/recovery/recovery_private.h"

/* ---- reading ---- */

static void keep_word(char out[CASE_WORD], struct span text)
{
        size_t len = text.len < CASE_WORD ? text.len : CASE_WORD - 1;
        if (len > 0)
                memcpy(out, text.at, len);
        out[len] = 0;
}

static struct case_score score_read(struct db_stmt *stmt, int column)
{
        return (struct case_score){.metric = (int)db_int(stmt, column),
                                   .has_score = !db_is_null(stmt, column + 1),
                                   .score = (int)db_int(stmt, column + 1),
                                   .top = (int)db_int(stmt, column + 2)};
}

static void read_times(struct db_stmt *stmt, struct recovery_case *out)
{
        out->opened_ms = db_int(stmt, 15);
        out->from_ms = db_int(stmt, 16);
        out->schedule = db_int(stmt, 17);
        out->contact_within_ms = db_int(stmt, 18);
        out->fix_within_ms = db_int(stmt, 19);
        out->contact_due_ms = db_int(stmt, 20);
        out->fix_due_ms = db_int(stmt, 21);
        out->first_ms = db_int(stmt, 22);
        out->is_in_time = db_int(stmt, 23) != 0;
        out->contacted_ms = db_int(stmt, 24);
        out->taken_on_ms = db_int(stmt, 25);
        out->is_fix_in_time = db_int(stmt, 26) != 0;
        out->resolved_ms = db_int(stmt, 27);
}

int case_row_load(struct db *db, int64_t id, struct recovery_case *out_case)
{
        struct db_stmt *stmt = db_stmt(db, SQL_RECOVERY_BY_ID);
        db_bind_int(stmt, 1, id);
        int rc = db_step(stmt);
        if (rc != DB_ROW)
                return rc;
        *out_case = (struct recovery_case){.id = db_int(stmt, 0),
                                           .ext = (uint64_t)db_int(stmt, 1),
                                           .customer = db_int(stmt, 2),
                                           .conv = db_int(stmt, 3),
                                           .conv_ext = (uint64_t)db_int(stmt, 4),
                                           .ticket = db_int(stmt, 5),
                                           .rated = db_int(stmt, 6),
                                           .team = db_int(stmt, 7),
                                           .owner = db_int(stmt, 8),
                                           .is_invited = db_int(stmt, 9) != 0,
                                           .stage = (enum case_stage)db_int(stmt, 10),
                                           .outcome = (enum case_outcome)db_int(stmt, 11),
                                           .contacts = db_int(stmt, 28),
                                           .triggers = db_int(stmt, 29),
                                           .reopens = db_int(stmt, 30),
                                           .escalations = db_int(stmt, 31),
                                           .earlier = db_int(stmt, 32),
                                           .before = score_read(stmt, 33),
                                           .after = score_read(stmt, 36),
                                           .resurvey_ms = db_int(stmt, 39),
                                           .asked_ms = db_int(stmt, 40),
                                           .told = db_int(stmt, 41),
                                           .next_ms = db_int(stmt, 42),
                                           .version = db_int(stmt, 43)};
        keep_word(out_case->reason, db_text(stmt, 12));
        keep_word(out_case->cause, db_text(stmt, 13));
        keep_word(out_case->tier, db_text(stmt, 14));
        read_times(stmt, out_case);
        db_reset(stmt);
        return DB_ROW;
}

int case_row_find(struct db *db, int64_t workspace, uint64_t ext, int64_t *out_id)
{
        struct db_stmt *stmt = db_stmt(db, SQL_RECOVERY_ID_OF_EXT);
        db_bind_int(stmt, 1, (int64_t)ext);
        db_bind_int(stmt, 2, workspace);
        int rc = db_step(stmt);
        if (rc == DB_ROW)
                *out_id = db_int(stmt, 0);
        db_reset(stmt);
        return rc;
}

int case_load(struct desk *desk, int64_t id, struct recovery_case *out_case)
{
        int rc = case_row_load(desk->db, id, out_case);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        return rc == DB_ROW ? 0 : -PROTOCOL_ERR_NOT_FOUND;
}

static bool takes_second(enum sql_id statement)
{
        return statement == SQL_RECOVERY_OWNED_IN || statement == SQL_RECOVERY_OPEN_ALL ||
               statement == SQL_RECOVERY_DUE || statement == SQL_RECOVERY_IS_RATED;
}

int case_ids(struct desk *desk, enum sql_id statement, int64_t first, int64_t second, int64_t *out_ids, int max)
{
        struct db_stmt *stmt = db_stmt(desk->db, statement);
        int count = 0, rc = DB_OK;
        db_bind_int(stmt, 1, first);
        if (takes_second(statement))
                db_bind_int(stmt, 2, second);
        while (count < max && (rc = db_step(stmt)) == DB_ROW)
                out_ids[count++] = db_int(stmt, 0);
        db_reset(stmt);
        return rc < 0 ? desk_db_failed(desk, rc) : count;
}

int case_number(struct desk *desk, enum sql_id statement, int64_t first, int64_t second, int64_t *out_number)
{
        int count = case_ids(desk, statement, first, second, out_number, 1);
        if (count == 0)
                *out_number = 0;
        return count;
}

/* ---- writing ---- */

int64_t case_next_ms(const struct recovery_case *one)
{
        int64_t next_ms = INT64_MAX;
        if (case_is_open(one)) {
                if (one->contacted_ms == 0 && !(one->told & TOLD_CONTACT))
                        next_ms = one->contact_due_ms + 1;
                if (one->taken_on_ms == 0 && !(one->told & TOLD_FIX) && one->fix_due_ms + 1 < next_ms)
                        next_ms = one->fix_due_ms + 1;
        } else if (one->resurvey_ms > 0 && one->asked_ms == 0) {
                next_ms = one->resurvey_ms;
        }
        return next_ms == INT64_MAX ? 0 : next_ms;
}

static void bind_score(struct db_stmt *stmt, int index, const struct case_score *score)
{
        db_bind_int(stmt, index, score->metric);
        if (score->has_score)
                db_bind_int(stmt, index + 1, score->score);
        else
                db_bind_null(stmt, index + 1);
        db_bind_int(stmt, index + 2, score->top);
}

static void bind_times(struct db_stmt *stmt, const struct recovery_case *one)
{
        db_bind_int(stmt, 9, one->from_ms);
        db_bind_int(stmt, 10, one->contact_due_ms);
        db_bind_int(stmt, 11, one->fix_due_ms);
        db_bind_int(stmt, 12, one->first_ms);
        db_bind_int(stmt, 13, one->is_in_time);
        db_bind_int(stmt, 14, one->contacted_ms);
        db_bind_int(stmt, 15, one->taken_on_ms);
        db_bind_int(stmt, 16, one->is_fix_in_time);
        db_bind_int(stmt, 17, one->resolved_ms);
}

int case_save(struct desk *desk, struct recovery_case *one)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_RECOVERY_SAVE);
        one->next_ms = case_next_ms(one);
        db_bind_int(stmt, 1, one->id);
        db_bind_int(stmt, 2, one->rated);
        db_bind_int(stmt, 3, one->owner);
        db_bind_int(stmt, 4, one->is_invited);
        db_bind_int(stmt, 5, one->stage);
        db_bind_int(stmt, 6, one->outcome);
        db_bind_text(stmt, 7, span_of(one->reason));
        db_bind_text(stmt, 8, span_of(one->cause));
        bind_times(stmt, one);
        db_bind_int(stmt, 18, one->contacts);
        db_bind_int(stmt, 19, one->triggers);
        db_bind_int(stmt, 20, one->reopens);
        db_bind_int(stmt, 21, one->escalations);
        bind_score(stmt, 22, &one->before);
        bind_score(stmt, 25, &one->after);
        db_bind_int(stmt, 28, one->resurvey_ms);
        db_bind_int(stmt, 29, one->asked_ms);
        db_bind_int(stmt, 30, one->told);
        db_bind_int(stmt, 31, one->next_ms);
        db_bind_int(stmt, 32, one->version);
        int rc = db_run(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        desk->recovery->is_moved = true;
        reports_case_changed(desk, one->id);
        return desk->db_failure != 0 ? -PROTOCOL_ERR_INTERNAL : 0;
}

int case_log(struct desk *desk, const struct recovery_case *one, int64_t actor, const struct case_line *line)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_RECOVERY_LOG_INSERT);
        db_bind_int(stmt, 1, one->id);
        db_bind_int(stmt, 2, one->version);
        db_bind_int(stmt, 3, desk->now_ms);
        db_bind_int(stmt, 4, actor);
        db_bind_int(stmt, 5, line->what);
        db_bind_text(stmt, 6, line->word ? span_of(line->word) : SPAN(""));
        db_bind_int(stmt, 7, line->number);
        db_bind_int(stmt, 8, line->other);
        db_bind_text(stmt, 9, line->text);
        int rc = db_run(stmt);
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}

int case_changed(struct desk *desk, struct recovery_case *one, int64_t actor, const struct case_line *line)
{
        one->version++;
        int rc = case_log(desk, one, actor, line);
        if (rc == 0)
                rc = case_save(desk, one);
        if (rc == 0)
                case_tell(desk, one, line->what);
        return rc;
}
