/* SPDX-License-Identifier: Apache-2.0 */
/* report.query and report.overview: what was asked for is checked, gathered (query_gather.c) and told. */
#include <stdio.h>
#include <string.h>

#include "desk/reports/query.h"
#include "store/db.h"

enum { VALUE_ROOM = 96, ROW_ROOM = 160 }; /* bytes of an answer, about */

/* ---- what was asked for ---- */

static bool can_be(int metric, enum metric_by by)
{
        return metrics[metric].by >> by & 1;
}

/* An agent without report_read gets his own numbers. */
static int bind_agent(struct query *query, int64_t agent)
{
        char own[KEY_BYTES];
        snprintf(own, sizeof own, "%lld", (long long)agent);
        bool is_own =
                query->filter_dim == DIM_ALL || (query->filter_dim == DIM_AGENT && strcmp(query->filter, own) == 0);
        if (!is_own || (query->has_by && query->by > METRIC_BY_MONTH && query->by != METRIC_BY_REASON))
                return -PROTOCOL_ERR_FORBIDDEN;
        query->filter_dim = DIM_AGENT;
        snprintf(query->filter, sizeof query->filter, "%s", own);
        return 0;
}

static int check_metric(const struct query *query, int metric)
{
        char expected[FAULT_EXPECTED_BYTES];
        const struct reading *reading = query->reading;
        snprintf(expected, sizeof expected, "a dimension of %s: see report.metrics", metrics[metric].name);
        if (query->has_by && !can_be(metric, query->by))
                return fault_set(reading->fault, PROTOCOL_ERR_BAD_REQUEST, "by", expected);
        if (query->filter_dim == DIM_ALL)
                return 0;
        if (!can_be(metric, report_by_of(query->filter_dim)))
                return fault_set(reading->fault, PROTOCOL_ERR_BAD_REQUEST, "filter_by", expected);
        if (query->dim != DIM_ALL && metrics[metric].source != METRIC_SOURCE_PRESENCE)
                return fault_set(reading->fault, PROTOCOL_ERR_BAD_REQUEST, "filter",
                                 "nothing, or rows by day, week or month: one dimension at a time");
        return 0;
}

static int read_filter(struct query *query, const struct protocol_report_query *params)
{
        if (params->has_filter_by != params->has_filter)
                return fault_set(query->reading->fault, PROTOCOL_ERR_BAD_REQUEST, "filter", "together with filter_by");
        if (!params->has_filter)
                return 0;
        query->filter_dim = report_dim_of((enum metric_by)(METRIC_BY_TEAM + ((int)params->filter_by - 1)));
        return report_key_inside(query->reading, query->filter_dim, params->filter, query->filter);
}

static int read_params(struct query *query, const struct protocol_report_query *params)
{
        int64_t agent = 0;
        query->has_by = params->has_by;
        query->by = params->has_by ? (enum metric_by)((int)params->by - 1) : METRIC_BY_DAY;
        query->dim = query->has_by ? report_dim_of(query->by) : DIM_ALL;
        int rc = report_period_read(query->reading, query->zone, params->from, params->to, QUERY_DAYS, &query->period);
        if (rc == 0)
                rc = read_filter(query, params);
        if (rc == 0)
                rc = report_reader(query->reading, &agent);
        if (rc == 0 && agent != 0)
                rc = bind_agent(query, agent);
        for (size_t i = 0; rc == 0 && i < params->metrics_count; i++) {
                int id = report_metric_named(query->reading, params->metrics[i], "metrics");
                rc = id ? check_metric(query, id) : -PROTOCOL_ERR_BAD_REQUEST;
                query->ids[query->count++] = id;
                query->wanted |= 1ull << id;
        }
        return rc;
}

/* ---- telling ---- */

static int find_targets(const struct reading *reading, int64_t values[METRICS], bool has[METRICS])
{
        struct db_stmt *stmt = db_stmt(reading->db, SQL_REPORT_TARGETS);
        int rc;
        db_bind_int(stmt, 1, reading->command->caller.workspace);
        while ((rc = db_step(stmt)) == DB_ROW) {
                for (int id = 1; id < METRICS; id++) {
                        if (span_equal(db_text(stmt, 0), span_of(metrics[id].name))) {
                                has[id] = true;
                                values[id] = db_int(stmt, 1);
                        }
                }
        }
        return rc < 0 ? reading_failed(reading, rc) : 0;
}

static int tell_columns(const struct query *query, struct protocol_report_column **out_columns)
{
        int64_t targets[METRICS] = {0};
        bool has[METRICS] = {false};
        struct protocol_report_column *columns =
                arena_take(&query->reading->command->arena, (query->count + 1) * sizeof *columns);
        if (!columns)
                return -PROTOCOL_ERR_INTERNAL;
        int rc = find_targets(query->reading, targets, has);
        for (size_t i = 0; i < query->count; i++) {
                const struct metric *metric = &metrics[query->ids[i]];
                bool has_band = metric->band_high != 0;
                columns[i] = (struct protocol_report_column){
                        .metric = span_of(metric->name),
                        .unit = (enum protocol_report_column_unit)((int)metric->unit + 1),
                        .has_target = has[query->ids[i]],
                        .target = targets[query->ids[i]],
                        .has_band_low = has_band,
                        .band_low = metric->band_low,
                        .has_band_high = has_band,
                        .band_high = metric->band_high};
        }
        *out_columns = columns;
        return rc;
}

/* NULL: out of memory. */
static struct protocol_report_value *tell_values(const struct query *query, const struct query_group *group,
                                                 int64_t backlog)
{
        struct protocol_report_value *values =
                arena_take(&query->reading->command->arena, (query->count + 1) * sizeof *values);
        for (size_t i = 0; values && i < query->count; i++)
                values[i] = query_value(query->ids[i], &group->cell, backlog);
        return values;
}

/* Everything together. NULL: out of memory. */
static struct protocol_report_value *tell_total(const struct query *query)
{
        struct query_group total;
        query_total(query, &total);
        struct protocol_report_value *values = total.cell.has_failed ? NULL : tell_values(query, &total, total.backlog);
        cell_done(&total.cell);
        return values;
}

/* The same of as many days before. 0 or a negative protocol error. */
static int tell_before(const struct query *query, struct protocol_report_value **out_values)
{
        struct query before = *query;
        int64_t days = query->period.to - query->period.from + 1;
        before.groups = NULL;
        before.group_count = before.group_room = 0;
        before.backlog_before = 0;
        before.has_by = false;
        before.dim = DIM_ALL;
        before.period.from -= days;
        before.period.to = query->period.from - 1;
        before.period.to_ms = query->period.from_ms;
        before.period.from_ms = report_day_begins_ms(query->zone, before.period.from);
        int rc = query_gather(&before);
        *out_values = rc == 0 ? tell_total(&before) : NULL;
        query_done(&before);
        return rc == 0 && !*out_values ? -PROTOCOL_ERR_INTERNAL : rc;
}

static int tell_row(const struct query *query, const struct query_group *group, int64_t backlog,
                    struct protocol_report_row *row)
{
        *row = (struct protocol_report_row){.values_count = query->count};
        row->values = tell_values(query, group, backlog);
        if (!row->values)
                return -PROTOCOL_ERR_INTERNAL;
        int rc = report_key_outside(query->reading, query->dim, group->key, &row->key, &row->name);
        row->has_name = row->name.len > 0;
        return rc;
}

/* Where the page begins: behind the row of that key. */
static size_t find_start(const struct query *query, struct span after)
{
        for (size_t i = 0; i < query->group_count; i++)
                if (span_equal(after, span_of(query->groups[i].key)))
                        return i + 1;
        return 0;
}

static int tell_rows(const struct query *query, const struct protocol_report_query *params,
                     struct protocol_report_query_result *result)
{
        size_t limit = params->has_limit ? (size_t)params->limit : QUERY_ROWS, bytes = 0;
        size_t start = params->has_after ? find_start(query, params->after) : 0;
        int64_t backlog = query->backlog_before;
        if (limit > query->group_count)
                limit = query->group_count;
        result->rows = arena_take(&query->reading->command->arena, (limit + 1) * sizeof *result->rows);
        if (!result->rows)
                return -PROTOCOL_ERR_INTERNAL;
        for (size_t i = 0; query->has_by && i < query->group_count; i++) {
                const struct query_group *group = &query->groups[i];
                backlog += group->backlog;
                if (i < start)
                        continue;
                if (result->rows_count == limit || (bytes > PROTOCOL_PAGE_BYTES - 16384 && result->rows_count > 0)) {
                        result->has_more = result->more = result->has_next = true;
                        result->next = report_keep(query->reading, span_of(query->groups[i - 1].key));
                        break;
                }
                int rc = tell_row(query, group, query->dim == DIM_ALL ? backlog : group->backlog,
                                  &result->rows[result->rows_count++]);
                if (rc < 0)
                        return rc;
                bytes += ROW_ROOM + query->count * VALUE_ROOM;
        }
        return 0;
}

static void say_state(const struct reading *reading, const struct report_state *state, struct span *out_zone,
                      bool *out_is_building)
{
        *out_zone = report_keep(reading, span_of(state->zone_name));
        *out_is_building = !report_state_is_whole(state);
}

static int answer_query(struct query *query, const struct report_state *state)
{
        const struct protocol_report_query *params = query->reading->command->params;
        struct protocol_report_query_result result = {.from = params->from, .to = params->to};
        int rc = read_params(query, params);
        if (rc == 0)
                rc = query_gather(query);
        if (rc == 0)
                rc = tell_columns(query, &result.columns);
        if (rc == 0)
                rc = tell_rows(query, params, &result);
        if (rc == 0 && params->has_compare && params->compare) {
                rc = tell_before(query, &result.before);
                result.has_before = true;
                result.before_count = query->count;
        }
        result.totals = rc == 0 ? tell_total(query) : NULL;
        if (rc < 0 || !result.totals)
                return rc < 0 ? rc : -PROTOCOL_ERR_INTERNAL;
        result.columns_count = result.totals_count = query->count;
        say_state(query->reading, state, &result.zone, &result.building);
        result.has_building = result.building;
        protocol_report_query_result_write(query->reading->out, &result);
        return 0;
}

int read_report_query(const struct reading *reading)
{
        struct report_state state = {0};
        int rc = report_state_for(reading, &state);
        struct query query = {.reading = reading, .zone = state.zone};
        if (rc == 0)
                rc = answer_query(&query, &state);
        query_done(&query);
        report_state_done(&state);
        return rc;
}

/* ---- report.overview ---- */

static int tell_months(struct query *query, struct protocol_report_overview_result *result)
{
        enum { MONTHS = 13 };
        size_t skip = query->group_count > MONTHS ? query->group_count - MONTHS : 0;
        int64_t backlog = query->backlog_before;
        result->months = arena_take(&query->reading->command->arena, MONTHS * sizeof *result->months);
        if (!result->months)
                return -PROTOCOL_ERR_INTERNAL;
        for (size_t i = 0; i < query->group_count; i++) {
                backlog += query->groups[i].backlog;
                if (i < skip)
                        continue;
                int rc = tell_row(query, &query->groups[i], backlog, &result->months[result->months_count++]);
                if (rc < 0)
                        return rc;
        }
        return 0;
}

static int answer_overview(struct query *query, const struct report_state *state)
{
        const struct protocol_report_overview *params = query->reading->command->params;
        struct protocol_report_overview_result result = {.from = params->from, .to = params->to};
        int64_t agent = 0;
        int rc = report_period_read(query->reading, query->zone, params->from, params->to, QUERY_DAYS, &query->period);
        if (rc == 0)
                rc = report_reader(query->reading, &agent);
        query->has_by = true;
        query->by = METRIC_BY_MONTH;
        if (rc == 0 && agent != 0)
                rc = bind_agent(query, agent);
        for (int id = 1; id < METRICS; id++) {
                if (agent != 0 && !can_be(id, METRIC_BY_AGENT))
                        continue;
                query->ids[query->count++] = id;
                query->wanted |= 1ull << id;
        }
        if (rc == 0)
                rc = query_gather(query);
        if (rc == 0)
                rc = tell_columns(query, &result.columns);
        if (rc == 0)
                rc = tell_months(query, &result);
        if (rc == 0)
                rc = tell_before(query, &result.before);
        result.totals = rc == 0 ? tell_total(query) : NULL;
        if (rc < 0 || !result.totals)
                return rc < 0 ? rc : -PROTOCOL_ERR_INTERNAL;
        result.columns_count = result.totals_count = result.before_count = query->count;
        say_state(query->reading, state, &result.zone, &result.building);
        result.has_building = result.building;
        protocol_report_overview_result_write(query->reading->out, &result);
        return 0;
}

int read_report_overview(const struct reading *reading)
{
        struct report_state state = {0};
        int rc = report_state_for(reading, &state);
        struct query query = {.reading = reading, .zone = state.zone};
        if (rc == 0)
                rc = answer_overview(&query, &state);
        query_done(&query);
        report_state_done(&state);
        return rc;
}
