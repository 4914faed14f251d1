/* SPDX-License-Identifier: Apache-2.0 */
/* report.list: what is behind a cell, in pages. Rows are walked in the order of an index on their moment and looked at
 * one by one, at most LOOKED_AT a call, so that no page takes long. A walk can have two stages: `solved` lists first
 * solvings and then those of tickets that were opened again, `backlog` what is open now and then what was solved
 * later, and the agents' time what was going on when the period began and then what began in it. A place in a walk is
 * "stage.moment.row.third". */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "desk/reports/list.h"
#include "ops/clock.h"

enum { LIMIT = 100, LOOKED_AT = 2000, PLACE_BYTES = 81 };

static bool is_full(const struct list *list)
{
        return list->count == list->limit;
}

void list_add(struct list *list, struct protocol_report_item item)
{
        if (!list->has_value || (item.has_value && item.value == list->value))
                list->items[list->count++] = item;
}

/* ---- tickets ---- */

static void read_fact(struct db_stmt *stmt, struct ticket_fact *fact)
{
        memset(fact, 0, sizeof *fact);
        fact->counts = true;
        fact->app = db_int(stmt, 5);
        fact->team = db_int(stmt, 6);
        fact->agent = db_int(stmt, 7);
        fact->priority = db_int(stmt, 8);
        fact->by_bot = db_int(stmt, 9) != 0;
        fact_keep_word(fact->lang, db_text(stmt, 10));
        fact_keep_word(fact->topic, db_text(stmt, 11));
        fact_keep_word(fact->tier, db_text(stmt, 12));
        fact_read_flow(db_text(stmt, 13), fact);
        fact_unpack(db_blob(stmt, 14), fact->figures);
        fact->issued_ms = db_int(stmt, 15);
        fact->solved_ms = db_int(stmt, 16);
        fact->ended_ms = db_int(stmt, 17);
}

bool list_is_filtered(const struct list *list, char keys[DIMS][KEY_BYTES])
{
        return list->dim != DIM_ALL && strcmp(keys[list->dim], list->filter) != 0;
}

static struct protocol_report_item item_of(struct db_stmt *stmt, int64_t at_ms)
{
        return (struct protocol_report_item){.has_ticket = true,
                                             .ticket = (uint64_t)db_int(stmt, 2),
                                             .has_number = true,
                                             .number = db_int(stmt, 3),
                                             .has_conv = true,
                                             .conv = (uint64_t)db_int(stmt, 4),
                                             .at = at_ms};
}

/* False: it is filtered out. */
static bool take_fact(struct list *list, struct db_stmt *stmt, struct ticket_fact *fact)
{
        char keys[DIMS][KEY_BYTES];
        read_fact(stmt, fact);
        fact_keys(fact, keys);
        return !list_is_filtered(list, keys);
}

static int take_ticket(struct list *list, struct db_stmt *stmt)
{
        struct ticket_fact fact;
        const struct metric *metric = &metrics[list->metric];
        struct protocol_report_item item = item_of(stmt, db_int(stmt, 0));
        if (!take_fact(list, stmt, &fact) || (list->hour >= 0 && report_hour(list->zone, fact.issued_ms) != list->hour))
                return 0;
        if (metric->source == METRIC_SOURCE_FIGURE) {
                if (fact.figures[metric->figure] == FIGURE_NONE)
                        return 0;
                item.has_value = true;
                item.value = fact.figures[metric->figure];
        }
        list_add(list, item);
        return 0;
}

/* First solvings alone, in the first stage. */
static int take_solved(struct list *list, struct db_stmt *stmt)
{
        struct ticket_fact fact;
        if (take_fact(list, stmt, &fact))
                list_add(list, item_of(stmt, db_int(stmt, 0)));
        return 0;
}

/* One that was opened again: it is told once, with the first of its moments that belong here. */
static int take_again(struct list *list, struct db_stmt *stmt)
{
        struct ticket_fact fact;
        int64_t n = 0, first_ms = 0;
        bool is_solving = list->metric == METRIC_SOLVED;
        if (!take_fact(list, stmt, &fact))
                return 0;
        for (size_t i = 0; i < fact.flow_count; i++) {
                int64_t moment = fact.flows[i], at_ms = moment < 0 ? -moment : moment;
                if (i == 0 || (moment < 0) != is_solving || at_ms < list->period.from_ms || at_ms >= list->period.to_ms)
                        continue;
                first_ms = n++ == 0 ? at_ms : first_ms;
        }
        if (n > 0) {
                struct protocol_report_item item = item_of(stmt, first_ms);
                item.has_value = true;
                item.value = n;
                list_add(list, item);
        }
        return 0;
}

/* Whether it was not solved at the end of the period. */
static int take_open(struct list *list, struct db_stmt *stmt)
{
        struct ticket_fact fact;
        bool is_open = take_fact(list, stmt, &fact) && fact.issued_ms < list->period.to_ms;
        for (size_t i = 0; i < fact.flow_count && is_open; i++) {
                int64_t at_ms = fact.flows[i] < 0 ? -fact.flows[i] : fact.flows[i];
                if (at_ms >= list->period.to_ms)
                        break;
                is_open = fact.flows[i] > 0 ||
                          (i + 1 < fact.flow_count && fact.flows[i + 1] > 0 && fact.flows[i + 1] < list->period.to_ms);
        }
        if (is_open)
                list_add(list, item_of(stmt, fact.issued_ms));
        return 0;
}

/* ---- askings and cases ---- */

static struct protocol_report_item item_about(struct db_stmt *stmt)
{
        return (struct protocol_report_item){.has_ticket = db_int(stmt, 3) != 0,
                                             .ticket = (uint64_t)db_int(stmt, 3),
                                             .has_number = db_int(stmt, 4) != 0,
                                             .number = db_int(stmt, 4),
                                             .has_conv = true,
                                             .conv = (uint64_t)db_int(stmt, 5),
                                             .at = db_int(stmt, 0)};
}

static int take_offer(struct list *list, struct db_stmt *stmt)
{
        struct offer_fact offer = {.app = db_int(stmt, 7),
                                   .team = db_int(stmt, 8),
                                   .agent = db_int(stmt, 9),
                                   .by_bot = db_int(stmt, 10) != 0,
                                   .version = db_int(stmt, 14)};
        char keys[DIMS][KEY_BYTES];
        fact_keep_word(offer.lang, db_text(stmt, 11));
        fact_keep_word(offer.topic, db_text(stmt, 12));
        fact_keep_word(offer.tier, db_text(stmt, 13));
        offer_fact_keys(&offer, keys);
        if (list_is_filtered(list, keys))
                return 0;
        struct protocol_report_item item = item_about(stmt);
        item.has_offer = true;
        item.offer = (uint64_t)db_int(stmt, 2);
        item.has_value = !db_is_null(stmt, 6);
        item.value = item.has_value ? db_int(stmt, 6) : 0;
        list_add(list, item);
        return 0;
}

static int take_case(struct list *list, struct db_stmt *stmt)
{
        enum { RESOLVED = 3, RECOVERED = 1 };
        char keys[DIMS][KEY_BYTES] = {{0}};
        bool is_contacted = db_int(stmt, 9) > 0;
        snprintf(keys[DIM_TEAM], KEY_BYTES, "%.0" PRId64, db_int(stmt, 6));
        snprintf(keys[DIM_AGENT], KEY_BYTES, "%.0" PRId64, db_int(stmt, 7));
        fact_keep_word(keys[DIM_TIER], db_text(stmt, 8));
        bool counts = list->metric == METRIC_CASES ||
                      (is_contacted && (list->metric == METRIC_CASES_IN_TIME || db_int(stmt, 11) == RESOLVED));
        if (!counts || list_is_filtered(list, keys))
                return 0;
        struct protocol_report_item item = item_about(stmt);
        item.has_recovery = true;
        item.recovery = (uint64_t)db_int(stmt, 2);
        item.has_value = list->metric != METRIC_CASES;
        item.value = list->metric == METRIC_CASES_IN_TIME ? db_int(stmt, 10) != 0 : db_int(stmt, 12) == RECOVERED;
        list_add(list, item);
        return 0;
}

/* ---- walking ---- */

/* The ways of the metric. */
static int plan(const struct list *list, struct walk walks[LIST_STAGES])
{
        const struct metric *metric = &metrics[list->metric];
        const struct report_period *period = &list->period;
        struct walk within = {.from_ms = period->from_ms, .to_ms = period->to_ms};
        walks[0] = walks[1] = within;
        walks[1].sql = SQL_REPORT_LIST_AGAIN;
        walks[1].from_ms = 0;
        walks[1].to_ms = INT64_MAX;
        walks[1].take = take_again;
        switch (metric->source) {
        case METRIC_SOURCE_ISSUED:
        case METRIC_SOURCE_FIGURE:
                walks[0].sql = metric->day == METRIC_DAY_SOLVED ? SQL_REPORT_LIST_SOLVED : SQL_REPORT_LIST_ISSUED;
                walks[0].take = take_ticket;
                if (list->dim == DIM_AGENT && metric->day == METRIC_DAY_ISSUED) {
                        walks[0].sql = SQL_REPORT_LIST_AGENT;
                        walks[0].has_fifth = true;
                        walks[0].fifth = strtoll(list->filter, NULL, 10);
                }
                return 1;
        case METRIC_SOURCE_FLOW:
                walks[0].sql = SQL_REPORT_LIST_SOLVED;
                walks[0].take = take_solved;
                if (list->metric == METRIC_REOPENED)
                        walks[0] = walks[1];
                return list->metric == METRIC_REOPENED ? 1 : 2;
        case METRIC_SOURCE_BACKLOG:
                walks[0] = (struct walk){.sql = SQL_REPORT_LIST_ENDED, .from_ms = 0, .to_ms = 1, .take = take_open};
                walks[1] = (struct walk){
                        .sql = SQL_REPORT_LIST_ENDED, .from_ms = period->to_ms, .to_ms = INT64_MAX, .take = take_open};
                return 2;
        case METRIC_SOURCE_OFFER:
                walks[0].sql = SQL_REPORT_LIST_OFFERS;
                walks[0].take = take_offer;
                walks[0].has_fifth = true;
                walks[0].fifth = list->metric - METRIC_CSAT + 1;
                return 1;
        case METRIC_SOURCE_CASE:
                walks[0].sql = SQL_REPORT_LIST_CASES;
                walks[0].take = take_case;
                walks[0].has_fifth = true;
                walks[0].fifth = list->reading->command->caller.workspace;
                return 1;
        default:
                return list_plan_more(list, walks);
        }
}

/* From the place that `list` has. */
static int go(struct list *list, const struct walk *walk)
{
        struct db_stmt *stmt = db_stmt(list->reading->db, walk->sql);
        int rc;
        db_bind_int(stmt, 1, list->at_ms);
        db_bind_int(stmt, 2, list->row);
        db_bind_int(stmt, 3, walk->to_ms);
        db_bind_int(stmt, 4, LOOKED_AT + 1);
        if (walk->has_fifth || walk->has_third)
                db_bind_int(stmt, 5, walk->has_third ? list->third : walk->fifth);
        while ((rc = db_step(stmt)) == DB_ROW) {
                list->more = is_full(list) || list->looked_at == LOOKED_AT;
                if (list->more)
                        break;
                list->at_ms = db_int(stmt, 0);
                list->row = db_int(stmt, 1);
                list->third = walk->has_third ? db_int(stmt, 2) : 0;
                list->looked_at++;
                rc = walk->take(list, stmt);
                if (rc < 0)
                        break;
        }
        db_reset(stmt);
        return rc < 0 ? rc : DB_OK;
}

static void begin_stage(struct list *list, int stage, const struct walk *walk)
{
        list->stage = stage;
        list->at_ms = walk->from_ms - 1;
        list->row = list->third = INT64_MAX;
}

static int go_all(struct list *list, int stages, const struct walk walks[LIST_STAGES], bool has_place)
{
        for (int stage = list->stage; stage < stages && !list->more; stage++) {
                if (!has_place || stage != list->stage)
                        begin_stage(list, stage, &walks[stage]);
                has_place = false;
                int rc = go(list, &walks[stage]);
                if (rc < 0)
                        return reading_failed(list->reading, rc);
                if (!list->more && stage + 1 < stages && (is_full(list) || list->looked_at == LOOKED_AT)) {
                        list->more = true;
                        begin_stage(list, stage + 1, &walks[stage + 1]);
                }
        }
        return 0;
}

/* ---- the method ---- */

static int read_place(struct list *list, struct span after)
{
        int64_t numbers[4];
        if (!report_place_read(after, numbers, 4) || numbers[0] < 0 || numbers[0] >= LIST_STAGES)
                return fault_set(list->reading->fault, PROTOCOL_ERR_BAD_REQUEST, "after", "`next` of the page before");
        list->stage = (int)numbers[0];
        list->at_ms = numbers[1];
        list->row = numbers[2];
        list->third = numbers[3];
        return 0;
}

static int bind_agent(struct list *list, int64_t agent)
{
        char own[KEY_BYTES];
        snprintf(own, sizeof own, "%lld", (long long)agent);
        if (list->dim != DIM_ALL && (list->dim != DIM_AGENT || strcmp(list->filter, own) != 0))
                return -PROTOCOL_ERR_FORBIDDEN;
        list->dim = DIM_AGENT;
        snprintf(list->filter, sizeof list->filter, "%s", own);
        return 0;
}

static int check_filter(const struct list *list)
{
        uint32_t by = metrics[list->metric].by;
        if (list->dim != DIM_ALL && !(by >> report_by_of(list->dim) & 1))
                return fault_set(list->reading->fault, PROTOCOL_ERR_BAD_REQUEST, "filter_by",
                                 "a dimension of the metric: see report.metrics");
        if (list->hour >= 0 && !(by >> METRIC_BY_HOUR_OF_WEEK & 1))
                return fault_set(list->reading->fault, PROTOCOL_ERR_BAD_REQUEST, "hour",
                                 "nothing, or a metric that can be parted by hour_of_week");
        return 0;
}

static int read_params(struct list *list)
{
        const struct protocol_report_list *params = list->reading->command->params;
        int64_t agent = 0;
        list->metric = report_metric_named(list->reading, params->metric, "metric");
        list->hour = params->has_hour ? (int)params->hour : -1;
        list->has_value = params->has_value;
        list->value = params->has_value ? params->value : 0;
        if (list->metric == 0)
                return -PROTOCOL_ERR_BAD_REQUEST;
        if (params->has_filter_by != params->has_filter)
                return fault_set(list->reading->fault, PROTOCOL_ERR_BAD_REQUEST, "filter", "together with filter_by");
        int rc = report_period_read(list->reading, list->zone, params->from, params->to, 3660, &list->period);
        if (rc == 0 && params->has_filter) {
                list->dim = report_dim_of((enum metric_by)(METRIC_BY_TEAM + ((int)params->filter_by - 1)));
                rc = report_key_inside(list->reading, list->dim, params->filter, list->filter);
        }
        if (rc == 0)
                rc = report_reader(list->reading, &agent);
        if (rc == 0 && agent != 0)
                rc = bind_agent(list, agent);
        if (rc == 0)
                rc = check_filter(list);
        return rc == 0 && params->has_after ? read_place(list, params->after) : rc;
}

static int answer_list(struct list *list)
{
        const struct protocol_report_list *params = list->reading->command->params;
        struct walk walks[LIST_STAGES];
        char next[PLACE_BYTES];
        int rc = read_params(list), stages = rc == 0 ? plan(list, walks) : 0;
        if (rc < 0)
                return rc;
        list->limit = params->has_limit ? (size_t)params->limit : LIMIT;
        list->items = arena_take(&list->reading->command->arena, list->limit * sizeof *list->items);
        if (!list->items)
                return -PROTOCOL_ERR_INTERNAL;
        rc = list->stage < stages ? go_all(list, stages, walks, params->has_after) : 0;
        if (rc < 0)
                return rc;
        snprintf(next, sizeof next, "%d.%" PRId64 ".%" PRId64 ".%" PRId64, list->stage, list->at_ms, list->row,
                 list->third);
        struct protocol_report_list_result result = {.items = list->items,
                                                     .items_count = list->count,
                                                     .more = list->more,
                                                     .has_next = list->more,
                                                     .next = span_of(next)};
        protocol_report_list_result_write(list->reading->out, &result);
        return 0;
}

int read_report_list(const struct reading *reading)
{
        struct report_state state = {0};
        int rc = report_state_for(reading, &state);
        struct list list = {.reading = reading, .zone = state.zone, .now_ms = clock_wall_ms()};
        if (rc == 0)
                rc = answer_list(&list);
        report_state_done(&state);
        return rc;
}
