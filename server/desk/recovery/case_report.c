/* SPDX-License-Identifier: Apache-2.0 */
/* recovery.report: cases counted by month, team and cause. What each number counts is said once, in case_is_in_cell;
 * recovery.list asks it too, so that a number and the list behind it cannot part ways. */
#include "desk/recovery/case_read.h"

#include "desk/customers/attributes.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { GROUPS_MAX = 400, CASES_MAX = 200000 };

bool case_is_in_cell(const struct counted_case *one, enum protocol_recovery_list_cell cell, int64_t now_ms)
{
        bool is_contacted = one->first_ms != 0;
        if (one->stage == CASE_WITHDRAWN)
                return false;
        switch (cell) {
        case PROTOCOL_RECOVERY_LIST_CELL_CONTACTED:
                return is_contacted;
        case PROTOCOL_RECOVERY_LIST_CELL_IN_TIME:
                return is_contacted && one->is_in_time;
        case PROTOCOL_RECOVERY_LIST_CELL_DUE:
                return is_contacted || one->contact_due_ms < now_ms;
        case PROTOCOL_RECOVERY_LIST_CELL_RECOVERED:
                return is_contacted && one->outcome == CASE_RECOVERED;
        case PROTOCOL_RECOVERY_LIST_CELL_REPEATED:
                return one->earlier > 0 || one->triggers > 1;
        case PROTOCOL_RECOVERY_LIST_CELL_SCORED:
                return one->before.has_score && one->after.has_score;
        default:
                return true;
        }
}

/* ---- reading ---- */

struct counting {
        const struct case_viewer *viewer;
        struct counted_case *cases;
        size_t count, room;
        int64_t now_ms;
};

static struct case_score score_at(struct db_stmt *stmt, int column)
{
        return (struct case_score){(int)db_int(stmt, column), !db_is_null(stmt, column + 1),
                                   (int)db_int(stmt, column + 1), (int)db_int(stmt, column + 2)};
}

static struct counted_case read_case(struct db_stmt *stmt)
{
        struct counted_case one = {.id = db_int(stmt, 0),
                                   .conv = db_int(stmt, 1),
                                   .opened_ms = db_int(stmt, 2),
                                   .team = db_int(stmt, 3),
                                   .customer = db_int(stmt, 5),
                                   .stage = (enum case_stage)db_int(stmt, 6),
                                   .outcome = (enum case_outcome)db_int(stmt, 7),
                                   .first_ms = db_int(stmt, 8),
                                   .is_in_time = db_int(stmt, 9) != 0,
                                   .contact_due_ms = db_int(stmt, 10),
                                   .triggers = db_int(stmt, 11),
                                   .earlier = db_int(stmt, 12),
                                   .before = score_at(stmt, 13),
                                   .after = score_at(stmt, 16)};
        struct span cause = db_text(stmt, 4);
        snprintf(one.cause, sizeof one.cause, "%.*s", (int)cause.len, cause.at ? cause.at : "");
        return one;
}

static int keep(struct counting *counting, const struct counted_case *one)
{
        if (counting->count == counting->room) {
                size_t room = counting->room ? 2 * counting->room : 256;
                struct counted_case *more = realloc(counting->cases, room * sizeof *more);
                if (!more)
                        return DB_NOMEM;
                counting->cases = more;
                counting->room = room;
        }
        counting->cases[counting->count++] = *one;
        return DB_OK;
}

static int read_all(struct counting *counting)
{
        const struct reading *reading = counting->viewer->reading;
        const struct protocol_recovery_report *params = reading->command->params;
        struct db_stmt *stmt = db_stmt(reading->db, SQL_RECOVERY_PERIOD);
        int rc;
        db_bind_int(stmt, 1, reading->command->caller.workspace);
        db_bind_int(stmt, 2, params->from);
        db_bind_int(stmt, 3, params->to);
        while ((rc = db_step(stmt)) == DB_ROW) {
                struct counted_case one = read_case(stmt);
                int is_his = case_viewer_reaches(counting->viewer, one.conv);
                if (is_his > 0)
                        is_his = keep(counting, &one);
                if (is_his < 0 || counting->count > CASES_MAX) {
                        rc = is_his < 0 ? is_his : DB_ROW;
                        break;
                }
        }
        db_reset(stmt);
        return rc;
}

/* ---- counting ---- */

static int month_of(int64_t at_ms)
{
        time_t at = (time_t)(at_ms / 1000);
        struct tm utc = {0};
        gmtime_r(&at, &utc);
        return (utc.tm_year + 1900) * 12 + utc.tm_mon;
}

static int compare_numbers(const void *a, const void *b)
{
        int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
        return (left > right) - (left < right);
}

static int compare_groups(const void *a, const void *b)
{
        const struct counted_case *left = a, *right = b;
        int by_month = month_of(left->opened_ms) - month_of(right->opened_ms);
        if (by_month != 0)
                return by_month;
        if (left->team != right->team)
                return left->team < right->team ? -1 : 1;
        return strcmp(left->cause, right->cause);
}

static int64_t permille(const struct case_score *score)
{
        int lowest = score->metric == PROTOCOL_SURVEY_SHOWN_METRIC_NPS || score->top == 1 ? 0 : 1;
        int span = score->top - lowest;
        return span > 0 ? (int64_t)(score->score - lowest) * 1000 / span : 0;
}

static void count_scores(const struct counted_case *cases, size_t count, struct protocol_recovery_count *out)
{
        int64_t before = 0, after = 0;
        for (size_t i = 0; i < count; i++) {
                if (!case_is_in_cell(&cases[i], PROTOCOL_RECOVERY_LIST_CELL_SCORED, 0))
                        continue;
                out->scored++;
                before += permille(&cases[i].before);
                after += permille(&cases[i].after);
        }
        out->has_before_permille = out->has_after_permille = out->scored > 0;
        if (out->scored == 0)
                return;
        out->before_permille = (2 * before + out->scored) / (2 * out->scored);
        out->after_permille = (2 * after + out->scored) / (2 * out->scored);
}

/* Of an even count: the mean of the two in the middle, without the half. */
static void count_median(const struct counted_case *cases, size_t count, int64_t *room,
                         struct protocol_recovery_count *out)
{
        size_t n = 0;
        for (size_t i = 0; i < count; i++)
                if (cases[i].first_ms != 0)
                        room[n++] = cases[i].first_ms - cases[i].opened_ms;
        qsort(room, n, sizeof *room, compare_numbers);
        out->has_median_ms = n > 0;
        if (n > 0)
                out->median_ms = (room[(n - 1) / 2] + room[n / 2]) / 2;
}

static void count_customers(const struct counted_case *cases, size_t count, int64_t *room,
                            struct protocol_recovery_count *out)
{
        size_t n = 0;
        for (size_t i = 0; i < count; i++) /* twice the id, and one more when he came again */
                room[n++] = 2 * cases[i].customer + case_is_in_cell(&cases[i], PROTOCOL_RECOVERY_LIST_CELL_REPEATED, 0);
        qsort(room, n, sizeof *room, compare_numbers);
        for (size_t i = 0; i < n; i++)
                if (i + 1 == n || room[i] / 2 != room[i + 1] / 2) { /* his last, which is odd when any is */
                        out->customers++;
                        out->repeat_customers += room[i] % 2;
                }
}

static void count_group(const struct counting *counting, const struct counted_case *cases, size_t count, int64_t *room,
                        struct protocol_recovery_count *out)
{
        static const enum protocol_recovery_list_cell cells[] = {
                PROTOCOL_RECOVERY_LIST_CELL_CONTACTED, PROTOCOL_RECOVERY_LIST_CELL_IN_TIME,
                PROTOCOL_RECOVERY_LIST_CELL_DUE, PROTOCOL_RECOVERY_LIST_CELL_RECOVERED};
        int64_t *const counts[] = {&out->contacted, &out->in_time, &out->due, &out->recovered};
        out->opened = (int64_t)count;
        for (size_t i = 0; i < count; i++)
                for (size_t c = 0; c < sizeof cells / sizeof *cells; c++)
                        *counts[c] += case_is_in_cell(&cases[i], cells[c], counting->now_ms);
        count_median(cases, count, room, out);
        count_customers(cases, count, room, out);
        count_scores(cases, count, out);
}

static struct span month_text(const struct reading *reading, int month)
{
        char text[16];
        snprintf(text, sizeof text, "%04d-%02d", month / 12 % 10000, month % 12 + 1);
        return reading_copy(reading, (struct span){text, 7});
}

static void name_group(const struct reading *reading, const struct counted_case *first,
                       struct protocol_recovery_count *out)
{
        out->month = month_text(reading, month_of(first->opened_ms));
        out->team_name = case_team_name(reading, first->team, &out->team);
        out->has_team = out->has_team_name = out->team_name.at != NULL;
        out->has_cause = first->cause[0] != 0;
        out->cause = reading_copy(reading, span_of(first->cause));
}

static int count_groups(struct counting *counting, int64_t *room, struct protocol_recovery_report_result *result)
{
        const struct reading *reading = counting->viewer->reading;
        struct counted_case *cases = counting->cases;
        if (counting->count > 0)
                qsort(cases, counting->count, sizeof *cases, compare_groups);
        for (size_t at = 0, next; at < counting->count; at = next) {
                for (next = at + 1; next < counting->count && compare_groups(&cases[at], &cases[next]) == 0; next++)
                        ;
                if (result->rows_count == GROUPS_MAX)
                        return fault_set(reading->fault, PROTOCOL_ERR_TOO_LARGE, "to", "a shorter time");
                struct protocol_recovery_count *row = &result->rows[result->rows_count++];
                name_group(reading, &cases[at], row);
                count_group(counting, &cases[at], next - at, room, row);
        }
        count_group(counting, cases, counting->count, room, &result->total);
        return 0;
}

int read_recovery_report(const struct reading *reading)
{
        const struct protocol_recovery_report *params = reading->command->params;
        struct protocol_recovery_report_result result = {0};
        struct case_viewer viewer = {0};
        struct counting counting = {.viewer = &viewer, .now_ms = clock_wall_ms()};
        if (params->to <= params->from)
                return fault_set(reading->fault, PROTOCOL_ERR_BAD_REQUEST, "to", "later than from");
        int rc = case_viewer_init(reading, &viewer);
        if (rc < 0)
                return rc;
        rc = read_all(&counting);
        int64_t *room = rc == DB_OK ? calloc(counting.count + 1, sizeof *room) : NULL;
        result.rows = arena_take(&reading->command->arena, GROUPS_MAX * sizeof *result.rows);
        result.total.month = month_text(reading, month_of(params->from));
        if (rc < 0)
                rc = reading_failed(reading, rc);
        else if (rc == DB_ROW)
                rc = fault_set(reading->fault, PROTOCOL_ERR_TOO_LARGE, "to", "a shorter time");
        else if (!room || !result.rows)
                rc = -PROTOCOL_ERR_INTERNAL;
        else
                rc = count_groups(&counting, room, &result);
        free(counting.cases);
        free(room);
        if (rc == 0)
                protocol_recovery_report_result_write(reading->out, &result);
        return rc;
}
