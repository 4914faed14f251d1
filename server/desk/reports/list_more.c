/* SPDX-License-Identifier: Apache-2.0 */
/* report.list of messages, of what agents were doing, and of what bots came to: see list.h. Messages are found by the
 * index on when they were said, stretches by the one on when a status changed; what is counted of each is what
 * query_gather.c counts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "desk/bot_outcomes.h"
#include "desk/people/people.h"
#include "desk/reports/list.h"
#include "protocol_generated.h"

/* ---- messages ---- */

/* Whether it counts; then with its conversation. 1, 0 or a negative db_error. */
static int find_message(struct list *list, int64_t conv, int64_t seq, uint64_t *out_conv)
{
        struct db_stmt *stmt = db_stmt(list->reading->db, SQL_REPORT_MESSAGE_AT);
        db_bind_int(stmt, 1, conv);
        db_bind_int(stmt, 2, seq);
        db_bind_int(stmt, 3, PROTOCOL_ENTRY_SYSTEM);
        db_bind_int(stmt, 4, PROTOCOL_ENTRY_ERASED);
        db_bind_int(stmt, 5, PROTOCOL_ENTRY_CHOICES);
        int rc = db_step(stmt);
        *out_conv = rc == DB_ROW ? (uint64_t)db_int(stmt, 0) : 0;
        db_reset(stmt);
        return rc < 0 ? rc : rc == DB_ROW;
}

static int take_message(struct list *list, struct db_stmt *stmt)
{
        char keys[DIMS][KEY_BYTES] = {{0}};
        int64_t at_ms = db_int(stmt, 0), seq = db_int(stmt, 1), role = db_int(stmt, 4);
        int64_t wanted = list->metric == METRIC_CUSTOMER_MESSAGES ? ROLE_CUSTOMER : ROLE_AGENT;
        uint64_t conv = 0;
        snprintf(keys[DIM_AGENT], KEY_BYTES, "%lld", (long long)db_int(stmt, 3));
        if (role != wanted || list_is_filtered(list, keys) ||
            (list->hour >= 0 && report_hour(list->zone, at_ms) != list->hour))
                return 0;
        int rc = find_message(list, db_int(stmt, 2), seq, &conv);
        if (rc <= 0)
                return rc;
        list_add(list, (struct protocol_report_item){.has_conv = true,
                                                     .conv = conv,
                                                     .has_seq = true,
                                                     .seq = seq,
                                                     .has_agent = role == ROLE_AGENT,
                                                     .agent = {ROLE_AGENT, (uint64_t)db_int(stmt, 5)},
                                                     .at = at_ms});
        return 0;
}

/* ---- what agents were doing ---- */

/* When it ended; -1: it goes on. */
static int find_end(struct list *list, int64_t agent, int64_t row, int64_t *out_end_ms)
{
        struct db_stmt *stmt = db_stmt(list->reading->db, SQL_REPORT_STATUS_NEXT);
        db_bind_int(stmt, 1, agent);
        db_bind_int(stmt, 2, row);
        int rc = db_step(stmt);
        *out_end_ms = rc == DB_ROW ? db_int(stmt, 0) : -1;
        db_reset(stmt);
        return rc < 0 ? rc : DB_OK;
}

/* From when on it is beyond what the reason allows; INT64_MAX: never. */
static int find_over(struct list *list, struct presence *stretch, int64_t row, int64_t *out_over_ms)
{
        struct db_stmt *stmt = db_stmt(list->reading->db, SQL_REPORT_AWAY_MINUTES);
        int64_t used_ms = 0;
        db_bind_int(stmt, 1, list->reading->command->caller.workspace);
        db_bind_text(stmt, 2, span_of(stretch->reason));
        int rc = db_step(stmt);
        stretch->minutes = rc == DB_ROW ? db_int(stmt, 0) : 0;
        db_reset(stmt);
        if (rc >= 0 && stretch->minutes > 0)
                rc = presence_used(list->reading->db, stretch, row, &used_ms);
        *out_over_ms = presence_over_ms(stretch, used_ms);
        return rc < 0 ? rc : DB_OK;
}

static bool is_of_metric(const struct list *list, const struct presence *stretch)
{
        if (list->metric == METRIC_ONLINE)
                return stretch->status == AGENT_ONLINE || stretch->status == AGENT_BUSY;
        return stretch->status == AGENT_AWAY;
}

static void tell_stretch(struct list *list, const struct presence *stretch, int64_t until_ms, int64_t counted_ms)
{
        struct principal_id who = directory_author(list->reading->directory, stretch->agent);
        bool is_away = stretch->status == AGENT_AWAY;
        list_add(list, (struct protocol_report_item){.has_agent = true,
                                                     .agent = who,
                                                     .at = stretch->since_ms,
                                                     .has_until = until_ms >= 0,
                                                     .until = until_ms,
                                                     .has_status = true,
                                                     .status = (enum protocol_report_item_status)stretch->status,
                                                     .has_reason = is_away && stretch->reason[0] != '\0',
                                                     .reason = report_keep(list->reading, span_of(stretch->reason)),
                                                     .has_value = true,
                                                     .value = counted_ms});
}

static int take_stretch(struct list *list, struct db_stmt *stmt)
{
        char keys[DIMS][KEY_BYTES] = {{0}};
        int64_t row = db_int(stmt, 1), until_ms = -1, over_ms = 0;
        struct span reason = db_text(stmt, 5);
        struct presence stretch = {.agent = db_int(stmt, 2), .since_ms = db_int(stmt, 3), .status = db_int(stmt, 4)};
        snprintf(stretch.reason, sizeof stretch.reason, "%.*s", (int)reason.len, reason.at ? reason.at : "");
        snprintf(keys[DIM_AGENT], KEY_BYTES, "%lld", (long long)stretch.agent);
        snprintf(keys[DIM_REASON], KEY_BYTES, "%s", stretch.reason);
        if (!is_of_metric(list, &stretch) || list_is_filtered(list, keys))
                return 0;
        int rc = find_end(list, stretch.agent, row, &until_ms);
        if (rc >= 0 && list->metric == METRIC_AWAY_OVER)
                rc = find_over(list, &stretch, row, &over_ms);
        if (rc < 0)
                return rc;
        int64_t to_ms = until_ms >= 0 ? until_ms : list->now_ms, from_ms = stretch.since_ms;
        to_ms = to_ms < list->now_ms ? to_ms : list->now_ms;
        to_ms = to_ms < list->period.to_ms ? to_ms : list->period.to_ms;
        from_ms = from_ms > list->period.from_ms ? from_ms : list->period.from_ms;
        from_ms = from_ms > over_ms ? from_ms : over_ms;
        if (from_ms < to_ms)
                tell_stretch(list, &stretch, until_ms, to_ms - from_ms);
        return 0;
}

/* ---- what bots came to ---- */

static int take_episode(struct list *list, struct db_stmt *stmt)
{
        struct episode_fact episode = {.began_ms = db_int(stmt, 0), .app = db_int(stmt, 6), .bot = db_int(stmt, 7)};
        int outcome = list->now_ms < db_int(stmt, 4) ? BOT_OPEN : (int)db_int(stmt, 5);
        bool is_share = list->metric != METRIC_BOT_EPISODES;
        char keys[DIMS][KEY_BYTES];
        fact_keep_word(episode.lang, db_text(stmt, 8));
        episode_fact_keys(&episode, keys);
        if (list_is_filtered(list, keys))
                return 0;
        list_add(list, (struct protocol_report_item){.has_conv = db_int(stmt, 3) != 0,
                                                     .conv = (uint64_t)db_int(stmt, 3),
                                                     .has_seq = db_int(stmt, 2) != 0,
                                                     .seq = db_int(stmt, 2),
                                                     .has_bot = true,
                                                     .bot = {ROLE_BOT, (uint64_t)db_int(stmt, 9)},
                                                     .has_outcome = true,
                                                     .outcome = (enum protocol_report_item_outcome)(outcome + 1),
                                                     .at = episode.began_ms,
                                                     .has_value = is_share,
                                                     .value = is_share && episode_metric(outcome) == list->metric});
        return 0;
}

/* ---- the ways ---- */

static int plan_stretches(const struct list *list, struct walk walks[LIST_STAGES])
{
        walks[0].sql = SQL_REPORT_LIST_STATUS_BEFORE;
        walks[0].from_ms = 0;
        walks[0].to_ms = list->period.from_ms;
        walks[1] = (struct walk){.sql = SQL_REPORT_LIST_STATUS,
                                 .from_ms = list->period.from_ms,
                                 .to_ms = list->period.to_ms < list->now_ms ? list->period.to_ms : list->now_ms};
        if (list->dim == DIM_AGENT) {
                walks[1].sql = SQL_REPORT_LIST_STATUS_OF;
                walks[1].has_fifth = true;
                walks[1].fifth = strtoll(list->filter, NULL, 10);
        }
        walks[0].take = walks[1].take = take_stretch;
        return 2;
}

int list_plan_more(const struct list *list, struct walk walks[LIST_STAGES])
{
        switch (metrics[list->metric].source) {
        case METRIC_SOURCE_TRAFFIC:
                walks[0].sql = SQL_REPORT_LIST_SAID;
                walks[0].has_third = true;
                walks[0].take = take_message;
                return 1;
        case METRIC_SOURCE_PRESENCE:
                return plan_stretches(list, walks);
        case METRIC_SOURCE_EPISODE:
                walks[0].sql = SQL_REPORT_LIST_EPISODES;
                walks[0].take = take_episode;
                if (list->dim == DIM_BOT) {
                        walks[0].sql = SQL_REPORT_LIST_EPISODES_OF;
                        walks[0].has_fifth = true;
                        walks[0].fifth = strtoll(list->filter, NULL, 10);
                }
                return 1;
        default:
                return 0;
        }
}
