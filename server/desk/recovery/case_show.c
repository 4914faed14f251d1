/* SPDX-License-Identifier: Apache-2.0 */
/* recovery.get: a case with its reasons, its actions and a page of its log. */
#include "desk/recovery/case_read.h"

#include "desk/customers/attributes.h"

enum { LINES = 100 };

static int fill_reasons(const struct reading *reading, int64_t id, struct protocol_recovery_get_result *result)
{
        struct db_stmt *stmt = db_stmt(reading->db, SQL_RECOVERY_TRIGGERS_OF);
        int rc;
        db_bind_int(stmt, 1, id);
        while ((rc = db_step(stmt)) == DB_ROW) {
                bool has_score = !db_is_null(stmt, 5);
                result->reasons[result->reasons_count++] = (struct protocol_recovery_trigger){
                        .kind = (enum protocol_recovery_trigger_kind)db_int(stmt, 0),
                        .at = db_int(stmt, 1),
                        .has_offer = db_int(stmt, 2) != 0,
                        .offer = (uint64_t)db_int(stmt, 2),
                        .has_ticket = !db_is_null(stmt, 3),
                        .ticket = (uint64_t)db_int(stmt, 3),
                        .has_metric = has_score,
                        .metric = (enum protocol_recovery_trigger_metric)db_int(stmt, 4),
                        .has_score = has_score,
                        .score = db_int(stmt, 5),
                        .has_top = has_score,
                        .top = db_int(stmt, 6),
                        .has_comment = db_text(stmt, 7).len > 0,
                        .comment = reading_copy(reading, db_text(stmt, 7)),
                        .standing = db_int(stmt, 8) != 0};
        }
        return rc;
}

static int fill_actions(const struct reading *reading, int64_t id, struct protocol_recovery_get_result *result)
{
        struct db_stmt *stmt = db_stmt(reading->db, SQL_RECOVERY_ACTIONS_OF);
        int rc = DB_OK;
        db_bind_int(stmt, 1, id);
        while (result->actions_count < CASE_ACTIONS && (rc = db_step(stmt)) == DB_ROW) {
                struct span text = db_text(stmt, 1);
                bool is_done = db_int(stmt, 4) != 0;
                result->actions[result->actions_count++] = (struct protocol_recovery_step){
                        .action = db_int(stmt, 0),
                        .has_text = text.len > 0,
                        .text = reading_copy(reading, text),
                        .owner = directory_author(reading->directory, db_int(stmt, 2)),
                        .has_due = db_int(stmt, 3) != 0,
                        .due = db_int(stmt, 3),
                        .has_done = is_done,
                        .done = db_int(stmt, 4),
                        .has_done_by = is_done,
                        .done_by = directory_author(reading->directory, db_int(stmt, 5))};
        }
        db_reset(stmt);
        return rc;
}

/* What the columns say, by the kind of the line (recovery_private.h). */
static void say_line(const struct reading *reading, struct span word, int64_t number, int64_t other,
                     struct protocol_recovery_line *line)
{
        switch ((enum case_what)line->what) {
        case WHAT_ASSIGNED:
                line->has_owner = true;
                line->owner = directory_author(reading->directory, number);
                break;
        case WHAT_CONTACT:
                line->has_channel = line->has_reached = true;
                line->channel = (enum protocol_recovery_line_channel)(number % CONTACT_REACHED);
                line->reached = number >= CONTACT_REACHED;
                line->has_seq = other > 0;
                line->seq = other;
                break;
        case WHAT_ACTION:
                line->has_owner = true;
                line->owner = directory_author(reading->directory, other);
                line->has_action = true;
                line->action = number;
                break;
        case WHAT_ACTION_DONE:
                line->has_action = true;
                line->action = number;
                break;
        case WHAT_CAUSE:
                line->has_cause = true;
                line->cause = word;
                break;
        case WHAT_COMPENSATION:
                line->has_amount = line->has_currency = line->has_gave = true;
                line->amount = number;
                line->currency = (struct span){word.at, 3};
                line->gave = (struct span){word.at + 4, word.len - 4};
                break;
        case WHAT_RESOLVED:
                line->has_outcome = true;
                line->outcome = (enum protocol_recovery_line_outcome)number;
                break;
        default:
                line->has_score = line->what != PROTOCOL_RECOVERY_LINE_WHAT_MERGED && number > 0;
                line->score = number - 1;
        }
        if (line->what != PROTOCOL_RECOVERY_LINE_WHAT_CAUSE && line->what != PROTOCOL_RECOVERY_LINE_WHAT_COMPENSATION) {
                line->has_reason = word.len > 0;
                line->reason = word;
        }
}

static int fill_log(const struct reading *reading, int64_t id, int64_t after,
                    struct protocol_recovery_get_result *result)
{
        struct db_stmt *stmt = db_stmt(reading->db, SQL_RECOVERY_LOG_AFTER);
        size_t bytes = 0;
        int rc;
        db_bind_int(stmt, 1, id);
        db_bind_int(stmt, 2, after);
        db_bind_int(stmt, 3, LINES + 1);
        while ((rc = db_step(stmt)) == DB_ROW) {
                struct span text = db_text(stmt, 8);
                bytes += 300 + 2 * text.len;
                result->more = result->log_count == LINES || (result->log_count > 0 && bytes > PROTOCOL_PAGE_BYTES / 2);
                if (result->more)
                        break;
                struct protocol_recovery_line *line = &result->log[result->log_count++];
                *line = (struct protocol_recovery_line){.line = db_int(stmt, 0),
                                                        .at = db_int(stmt, 1),
                                                        .by = directory_author(reading->directory, db_int(stmt, 2)),
                                                        .version = db_int(stmt, 3),
                                                        .what = (enum protocol_recovery_line_what)db_int(stmt, 4),
                                                        .has_text = text.len > 0,
                                                        .text = reading_copy(reading, text)};
                say_line(reading, reading_copy(reading, db_text(stmt, 5)), db_int(stmt, 6), db_int(stmt, 7), line);
        }
        db_reset(stmt);
        return rc < 0 ? rc : DB_OK;
}

static int fill_all(const struct case_viewer *viewer, const struct recovery_case *one, int64_t after,
                    struct protocol_recovery_get_result *result)
{
        const struct reading *reading = viewer->reading;
        int rc = case_describe(viewer, one, &result->row);
        if (rc >= 0)
                rc = fill_reasons(reading, one->id, result);
        if (rc >= 0)
                rc = fill_actions(reading, one->id, result);
        return rc < 0 ? rc : fill_log(reading, one->id, after, result);
}

int read_recovery_get(const struct reading *reading)
{
        const struct protocol_recovery_get *params = reading->command->params;
        struct protocol_recovery_get_result result = {0};
        struct arena *arena = &reading->command->arena;
        struct recovery_case one = {0};
        struct case_viewer viewer = {0};
        int64_t id = 0;
        result.reasons = arena_take(arena, CASE_REASONS * sizeof *result.reasons);
        result.actions = arena_take(arena, CASE_ACTIONS * sizeof *result.actions);
        result.log = arena_take(arena, LINES * sizeof *result.log);
        if (!result.reasons || !result.actions || !result.log)
                return -PROTOCOL_ERR_INTERNAL;
        int rc = case_viewer_init(reading, &viewer);
        if (rc < 0)
                return rc;
        rc = case_row_find(reading->db, reading->command->caller.workspace, params->recovery, &id);
        if (rc == DB_ROW)
                rc = case_row_load(reading->db, id, &one);
        if (rc == DB_ROW)
                rc = case_viewer_sees(&viewer, &one);
        if (rc == DB_OK)
                return -PROTOCOL_ERR_NOT_FOUND;
        if (rc == 1)
                rc = fill_all(&viewer, &one, params->has_after ? params->after : 0, &result);
        if (rc < 0)
                return reading_failed(reading, rc);
        protocol_recovery_get_result_write(reading->out, &result);
        return 0;
}
