/* SPDX-License-Identifier: Apache-2.0 */
/* recovery.list and recovery.get. An agent sees the cases he owns and those he has something to do in, with the
 * permission recovery_admin all; and none whose conversation he may not read. */
#include "desk/recovery/case_read.h"

#include "desk/customers/attributes.h"

enum { CASES_DEFAULT = 50 };

/* ---- who sees what ---- */

int case_viewer_init(const struct reading *reading, struct case_viewer *out)
{
        const struct caller *caller = &reading->command->caller;
        *out = (struct case_viewer){.reading = reading, .is_all = caller->role == ROLE_OPERATOR};
        int rc = out->is_all ? DB_OK : reach_load(reading->db, caller, &out->reach);
        if (rc < 0)
                return reading_failed(reading, rc);
        rc = out->is_all ? 0 : people_authorize_read(reading->db, caller, PROTOCOL_MAY_RECOVERY_ADMIN);
        out->is_manager = rc == 0;
        return rc == -PROTOCOL_ERR_FORBIDDEN ? 0 : rc;
}

int case_viewer_reaches(const struct case_viewer *viewer, int64_t conv)
{
        return viewer->is_all ? 1 : reach_holds_id(&viewer->reach, viewer->reading->db, conv);
}

static int has_action(const struct case_viewer *viewer, int64_t id)
{
        struct db_stmt *stmt = db_stmt(viewer->reading->db, SQL_RECOVERY_HAS_ACTION);
        db_bind_int(stmt, 1, id);
        db_bind_int(stmt, 2, viewer->reading->command->caller.principal);
        int rc = db_step(stmt);
        db_reset(stmt);
        return rc;
}

int case_viewer_sees(const struct case_viewer *viewer, const struct recovery_case *one)
{
        int rc = case_viewer_reaches(viewer, one->conv);
        if (rc <= 0 || viewer->is_manager || one->owner == viewer->reading->command->caller.principal)
                return rc;
        return has_action(viewer, one->id);
}

/* ---- a case as it is told ---- */

static bool outside_id(const struct reading *reading, enum sql_id statement, int64_t id, uint64_t *out_ext)
{
        struct db_stmt *stmt = db_stmt(reading->db, statement);
        db_bind_int(stmt, 1, id);
        bool is_there = id != 0 && db_step(stmt) == DB_ROW;
        if (is_there)
                *out_ext = (uint64_t)db_int(stmt, 0);
        db_reset(stmt);
        return is_there;
}

struct span case_team_name(const struct reading *reading, int64_t team, uint64_t *out_ext)
{
        struct db_stmt *stmt = db_stmt(reading->db, SQL_RECOVERY_TEAM_NAME);
        struct span name = {0};
        db_bind_int(stmt, 1, team);
        if (team != 0 && db_step(stmt) == DB_ROW) {
                *out_ext = (uint64_t)db_int(stmt, 0);
                name = reading_copy(reading, db_text(stmt, 1));
        }
        db_reset(stmt);
        return name;
}

/* Name and id of a person; false: nobody. */
static bool person(const struct reading *reading, int64_t id, struct principal_id *out, bool *out_has_name,
                   struct span *out_name)
{
        const struct principal *who = id ? directory_find(reading->directory, id) : NULL;
        if (!who)
                return false;
        *out = (struct principal_id){who->role, who->ext};
        *out_has_name = who->name != NULL;
        if (who->name)
                *out_name = reading_copy(reading, span_of(who->name));
        return true;
}

static void describe_people(const struct reading *reading, const struct recovery_case *one,
                            struct protocol_recovery_row *out)
{
        struct span ignored;
        bool has_name;
        person(reading, one->customer, &out->customer, &out->has_customer_name, &out->customer_name);
        out->has_owner = person(reading, one->owner, &out->owner, &out->has_owner_name, &out->owner_name);
        out->has_rated = person(reading, one->rated, &out->rated, &has_name, &ignored);
        out->team_name = case_team_name(reading, one->team, &out->team);
        out->has_team = out->has_team_name = out->team_name.at != NULL;
        out->has_ticket = outside_id(reading, SQL_RECOVERY_TICKET_EXT, one->ticket, &out->ticket);
}

static void describe_scores(const struct recovery_case *one, struct protocol_recovery_row *out)
{
        out->has_metric_before = out->has_top_before = out->has_score_before = one->before.has_score;
        out->metric_before = (enum protocol_recovery_row_metric_before)one->before.metric;
        out->score_before = one->before.score;
        out->top_before = one->before.top;
        out->has_metric_after = out->has_top_after = out->has_score_after = one->after.has_score;
        out->metric_after = (enum protocol_recovery_row_metric_after)one->after.metric;
        out->score_after = one->after.score;
        out->top_after = one->after.top;
}

static void put_word(const struct reading *reading, const char *word, bool *out_has, struct span *out)
{
        *out_has = word[0] != 0;
        *out = reading_copy(reading, span_of(word));
}

static bool is_overdue(const struct recovery_case *one, int64_t now_ms)
{
        return case_is_open(one) && ((one->contacted_ms == 0 && one->contact_due_ms < now_ms) ||
                                     (one->taken_on_ms == 0 && one->fix_due_ms < now_ms));
}

int case_describe(const struct case_viewer *viewer, const struct recovery_case *one, struct protocol_recovery_row *out)
{
        const struct reading *reading = viewer->reading;
        bool is_overdue_now = is_overdue(one, clock_wall_ms());
        *out = (struct protocol_recovery_row){.recovery = one->ext,
                                              .version = one->version,
                                              .conv = one->conv_ext,
                                              .stage = (enum protocol_recovery_row_stage)one->stage,
                                              .has_outcome = one->outcome != 0,
                                              .outcome = (enum protocol_recovery_row_outcome)one->outcome,
                                              .opened = one->opened_ms,
                                              .contact_due = one->contact_due_ms,
                                              .fix_due = one->fix_due_ms,
                                              .has_contacted = one->contacted_ms != 0,
                                              .contacted = one->contacted_ms,
                                              .has_in_time = one->first_ms != 0,
                                              .in_time = one->is_in_time,
                                              .has_taken_on = one->taken_on_ms != 0,
                                              .taken_on = one->taken_on_ms,
                                              .has_overdue = is_overdue_now,
                                              .overdue = is_overdue_now,
                                              .has_resolved = one->resolved_ms != 0,
                                              .resolved = one->resolved_ms,
                                              .contacts = one->contacts,
                                              .triggers = one->triggers,
                                              .reopens = one->reopens,
                                              .escalations = one->escalations,
                                              .earlier = one->earlier};
        put_word(reading, one->tier, &out->has_tier, &out->tier);
        put_word(reading, one->reason, &out->has_reason, &out->reason);
        put_word(reading, one->cause, &out->has_cause, &out->cause);
        describe_people(reading, one, out);
        describe_scores(one, out);
        return DB_OK;
}

/* ---- recovery.list ---- */

struct bounds {
        int64_t below, from_ms, to_ms, owner, stage, is_open, overdue_ms, team, customer, conv;
        struct span cause;
};

/* Row id of a thing of the workspace by its outside id; -2 = there is none, and nothing is found. */
static int64_t row_of(const struct reading *reading, enum sql_id statement, uint64_t ext)
{
        struct db_stmt *stmt = db_stmt(reading->db, statement);
        db_bind_int(stmt, 1, (int64_t)ext);
        db_bind_int(stmt, 2, reading->command->caller.workspace);
        int64_t id = db_step(stmt) == DB_ROW ? db_int(stmt, 0) : -2;
        db_reset(stmt);
        return id;
}

static int take_bounds(const struct reading *reading, struct bounds *out)
{
        const struct protocol_recovery_list *params = reading->command->params;
        bool is_mine = params->has_mine && params->mine, is_nobody = params->has_nobody && params->nobody;
        *out = (struct bounds){.below = INT64_MAX,
                               .from_ms = params->has_from ? params->from : 0,
                               .to_ms = params->has_to ? params->to : INT64_MAX,
                               .owner = -1,
                               .stage = params->has_stage ? (int64_t)params->stage : 0,
                               .is_open = params->has_open && params->open,
                               .overdue_ms = params->has_overdue && params->overdue ? clock_wall_ms() : 0,
                               .team = params->has_no_team && params->no_team ? 0 : -1,
                               .cause = params->has_cause ? params->cause : SPAN("-")};
        if (is_mine + is_nobody + params->has_owner > 1)
                return fault_set(reading->fault, PROTOCOL_ERR_BAD_REQUEST, "owner", "one of owner, mine and nobody");
        if (is_mine)
                out->owner = reading->command->caller.principal;
        if (is_nobody)
                out->owner = 0;
        if (params->has_owner)
                out->owner = row_of(reading, SQL_RECOVERY_CUSTOMER_ID, params->owner.id);
        if (params->has_team)
                out->team = row_of(reading, SQL_RECOVERY_TEAM_ID, params->team);
        if (params->has_customer)
                out->customer = row_of(reading, SQL_RECOVERY_CUSTOMER_ID, params->customer.id);
        if (params->has_conv)
                out->conv = row_of(reading, SQL_RECOVERY_CONV_ID, params->conv);
        if (!params->has_after)
                return 0;
        int rc = case_row_find(reading->db, reading->command->caller.workspace, params->after, &out->below);
        if (rc < 0)
                return reading_failed(reading, rc);
        return rc == DB_ROW ? 0 : fault_set(reading->fault, PROTOCOL_ERR_NOT_FOUND, "after", "a case");
}

static struct db_stmt *page_statement(const struct reading *reading, const struct bounds *bounds)
{
        struct db_stmt *stmt = db_stmt(reading->db, bounds->conv != 0       ? SQL_RECOVERY_PAGE_CONV
                                                    : bounds->customer != 0 ? SQL_RECOVERY_PAGE_CUSTOMER
                                                    : bounds->owner != -1   ? SQL_RECOVERY_PAGE_OWNER
                                                                            : SQL_RECOVERY_PAGE);
        db_bind_int(stmt, 1, reading->command->caller.workspace);
        db_bind_int(stmt, 2, bounds->below);
        db_bind_int(stmt, 3, bounds->from_ms);
        db_bind_int(stmt, 4, bounds->to_ms);
        db_bind_int(stmt, 5, bounds->owner);
        db_bind_int(stmt, 6, bounds->stage);
        db_bind_int(stmt, 7, bounds->is_open);
        db_bind_int(stmt, 8, bounds->overdue_ms);
        db_bind_int(stmt, 9, bounds->team);
        db_bind_text(stmt, 10, bounds->cause);
        db_bind_int(stmt, 11, bounds->customer);
        db_bind_int(stmt, 12, bounds->conv);
        return stmt;
}

static struct counted_case counted_of(const struct recovery_case *one)
{
        return (struct counted_case){.id = one->id,
                                     .stage = one->stage,
                                     .outcome = one->outcome,
                                     .first_ms = one->first_ms,
                                     .is_in_time = one->is_in_time,
                                     .contact_due_ms = one->contact_due_ms,
                                     .triggers = one->triggers,
                                     .earlier = one->earlier,
                                     .before = one->before,
                                     .after = one->after};
}

/* Whether the caller sees it and the cell holds it: 1, 0 or a negative db_error. */
static int is_wanted(const struct case_viewer *viewer, int64_t id, struct recovery_case *one)
{
        const struct protocol_recovery_list *params = viewer->reading->command->params;
        int rc = case_row_load(viewer->reading->db, id, one);
        if (rc != DB_ROW)
                return rc < 0 ? rc : 0;
        struct counted_case counted = counted_of(one);
        if (params->has_cell && !case_is_in_cell(&counted, params->cell, clock_wall_ms()))
                return 0;
        return case_viewer_sees(viewer, one);
}

static int fill_page(const struct case_viewer *viewer, const struct bounds *bounds, size_t limit,
                     struct protocol_recovery_list_result *result)
{
        enum { ROW_ROOM = 1024 };
        struct db_stmt *stmt = page_statement(viewer->reading, bounds);
        size_t bytes = 0;
        int rc;
        while ((rc = db_step(stmt)) == DB_ROW) {
                struct recovery_case one = {0};
                int wanted = is_wanted(viewer, db_int(stmt, 0), &one);
                if (wanted < 0) {
                        rc = wanted;
                        break;
                }
                if (wanted == 0)
                        continue;
                result->more = result->cases_count == limit || bytes > PROTOCOL_PAGE_BYTES;
                if (result->more)
                        break;
                struct protocol_recovery_row *row = &result->cases[result->cases_count++];
                if ((rc = case_describe(viewer, &one, row)) < 0)
                        break;
                bytes += ROW_ROOM + 2 * (row->customer_name.len + row->owner_name.len + row->team_name.len);
        }
        db_reset(stmt);
        return rc < 0 ? rc : DB_OK;
}

int read_recovery_list(const struct reading *reading)
{
        const struct protocol_recovery_list *params = reading->command->params;
        struct protocol_recovery_list_result result = {0};
        size_t limit = params->has_limit ? (size_t)params->limit : CASES_DEFAULT;
        struct case_viewer viewer = {0};
        struct bounds bounds = {0};
        result.cases = arena_take(&reading->command->arena, (limit + 1) * sizeof *result.cases);
        if (!result.cases)
                return -PROTOCOL_ERR_INTERNAL;
        int rc = take_bounds(reading, &bounds);
        if (rc == 0)
                rc = case_viewer_init(reading, &viewer);
        if (rc != 0)
                return rc;
        rc = fill_page(&viewer, &bounds, limit, &result);
        if (rc < 0)
                return reading_failed(reading, rc);
        protocol_recovery_list_result_write(reading->out, &result);
        return 0;
}
