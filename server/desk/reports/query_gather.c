/* SPDX-License-Identifier: Apache-2.0 */
/* Query: gathering, see query.h. Cells for what tickets, answers and episodes of bots add up to; messages, cases
 * and the agents' time straight from their tables. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "desk/hours/civil.h"
#include "desk/people/people.h"
#include "desk/reports/query.h"
#include "ops/clock.h"
#include "store/db.h"

static const uint64_t flows = 1ull << METRIC_TICKETS | 1ull << METRIC_SOLVED | 1ull << METRIC_REOPENED;

static bool wants(const struct query *query, int metric)
{
        return query->wanted >> metric & 1;
}

void query_done(struct query *query)
{
        for (size_t i = 0; i < query->group_count; i++)
                cell_done(&query->groups[i].cell);
        free(query->groups);
        query->groups = NULL;
        query->group_count = query->group_room = 0;
}

/* ---- rows ---- */

static struct query_group *add_group(struct query *query, const char *key, int64_t until)
{
        if (query->group_count == query->group_room) {
                size_t room = query->group_room ? query->group_room * 2 : 64;
                struct query_group *groups = realloc(query->groups, room * sizeof *groups);
                if (!groups)
                        return NULL;
                query->groups = groups;
                query->group_room = room;
        }
        struct query_group *group = &query->groups[query->group_count++];
        *group = (struct query_group){.until = until};
        snprintf(group->key, sizeof group->key, "%s", key);
        return group;
}

/* The last day of the week, month or day that `day` is in. */
static int64_t ends(enum metric_by by, int64_t day)
{
        if (by == METRIC_BY_WEEK)
                return day + 6 - civil_weekday(day);
        if (by != METRIC_BY_MONTH)
                return day;
        struct civil date = civil_from_days(day);
        return day + civil_month_days(date.year, date.month) - date.day;
}

static bool add_times(struct query *query)
{
        char key[11];
        int64_t day = query->period.from;
        while (day <= query->period.to) {
                int64_t until = ends(query->by, day);
                report_day_write(key, query->by == METRIC_BY_WEEK ? until - 6 : day);
                if (query->by == METRIC_BY_MONTH)
                        key[7] = '\0';
                until = until < query->period.to ? until : query->period.to;
                if (!add_group(query, key, until))
                        return false;
                day = until + 1;
        }
        return true;
}

static bool add_rows(struct query *query)
{
        char key[12];
        if (!query->has_by)
                return add_group(query, "", query->period.to) != NULL;
        if (query->by <= METRIC_BY_MONTH)
                return add_times(query);
        for (int hour = 0; query->by == METRIC_BY_HOUR_OF_WEEK && hour < 168; hour++) {
                snprintf(key, sizeof key, "%d", hour);
                if (!add_group(query, key, 0))
                        return false;
        }
        return true;
}

static struct query_group *of_day(struct query *query, int64_t day)
{
        size_t low = 0, high = query->group_count;
        while (low < high) {
                size_t middle = (low + high) / 2;
                if (query->groups[middle].until < day)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low < query->group_count ? &query->groups[low] : NULL;
}

static struct query_group *of_key(struct query *query, const char *key)
{
        for (size_t i = query->group_count; i > 0; i--)
                if (strcmp(query->groups[i - 1].key, key) == 0)
                        return &query->groups[i - 1];
        return add_group(query, key, 0);
}

/* The row of something that happened then, with that key in the dimension of the rows. NULL: out of memory. */
static struct query_group *row_of(struct query *query, int64_t at_ms, const char *key)
{
        if (query->has_by && query->by == METRIC_BY_HOUR_OF_WEEK)
                return &query->groups[report_hour(query->zone, at_ms)];
        return query->dim != DIM_ALL ? of_key(query, key) : of_day(query, report_day(query->zone, at_ms));
}

/* ---- cells ---- */

static void add_backlog(struct query *query, struct query_group *group, int64_t day, struct span body)
{
        struct cell cell = {0};
        cell_read(&cell, body, flows);
        int64_t change = 0;
        for (size_t i = 0; i < cell.count; i++)
                change += cell.parts[i].metric == METRIC_SOLVED ? -cell.parts[i].n : cell.parts[i].n;
        if (day < query->period.from && query->dim == DIM_ALL)
                query->backlog_before += change;
        else
                group->backlog += change;
        cell_done(&cell);
}

static int read_cells(struct query *query, enum report_dim dim, const char *key, struct query_group *row)
{
        struct db_stmt *stmt = db_stmt(query->reading->db, SQL_REPORT_CELLS);
        bool has_backlog = wants(query, METRIC_BACKLOG);
        int rc;
        db_bind_int(stmt, 1, dim);
        db_bind_text(stmt, 2, span_of(key));
        db_bind_int(stmt, 3, has_backlog ? INT64_MIN : query->period.from);
        db_bind_int(stmt, 4, query->period.to);
        while ((rc = db_step(stmt)) == DB_ROW) {
                int64_t day = db_int(stmt, 0);
                struct query_group *group = row ? row : of_day(query, day);
                if (has_backlog)
                        add_backlog(query, group, day, db_blob(stmt, 1));
                if (day >= query->period.from)
                        cell_read(&group->cell, db_blob(stmt, 1), query->wanted);
        }
        return rc;
}

static int next_key(struct db *db, enum report_dim dim, bool is_first, char key[KEY_BYTES])
{
        struct db_stmt *stmt = db_stmt(db, is_first ? SQL_REPORT_KEY_FIRST : SQL_REPORT_KEY_NEXT);
        db_bind_int(stmt, 1, dim);
        if (!is_first)
                db_bind_text(stmt, 2, span_of(key));
        int rc = db_step(stmt);
        if (rc == DB_ROW) {
                char found[KEY_BYTES];
                struct span text = db_text(stmt, 0);
                snprintf(found, sizeof found, "%.*s", (int)text.len, text.at);
                db_reset(stmt); /* what is bound is `key` itself */
                memcpy(key, found, KEY_BYTES);
        }
        return rc;
}

static int read_keys(struct query *query)
{
        char key[KEY_BYTES] = "";
        int rc = next_key(query->reading->db, query->dim, true, key);
        while (rc == DB_ROW) {
                struct query_group *group = of_key(query, key);
                if (!group)
                        return DB_NOMEM;
                rc = read_cells(query, query->dim, key, group);
                if (rc >= 0)
                        rc = next_key(query->reading->db, query->dim, false, key);
        }
        return rc;
}

static int read_hours(struct query *query)
{
        int rc = DB_OK;
        for (size_t i = 0; rc >= 0 && i < query->group_count; i++)
                rc = read_cells(query, DIM_HOUR, query->groups[i].key, &query->groups[i]);
        return rc;
}

/* ---- messages ---- */

static int read_traffic(struct query *query, int kind, int metric)
{
        struct db_stmt *stmt = db_stmt(query->reading->db, SQL_REPORT_TRAFFIC_BETWEEN);
        int rc;
        db_bind_int(stmt, 1, kind);
        db_bind_int(stmt, 2, query->period.from_ms / REPORT_SLOT_MS);
        db_bind_int(stmt, 3, query->period.to_ms / REPORT_SLOT_MS);
        while ((rc = db_step(stmt)) == DB_ROW) {
                char key[KEY_BYTES] = "";
                if (db_int(stmt, 1) != 0)
                        snprintf(key, sizeof key, "%lld", (long long)db_int(stmt, 1));
                if (query->filter_dim == DIM_AGENT && strcmp(query->filter, key) != 0)
                        continue;
                struct query_group *group = row_of(query, db_int(stmt, 0) * REPORT_SLOT_MS, key);
                if (!group) {
                        db_reset(stmt);
                        return DB_NOMEM;
                }
                cell_add(&group->cell, metric, db_int(stmt, 2), 0, -1);
        }
        return rc;
}

/* ---- cases ---- */

static void case_key(struct db_stmt *stmt, enum report_dim dim, char key[KEY_BYTES])
{
        struct span tier = db_text(stmt, 3);
        int64_t id = dim == DIM_TEAM ? db_int(stmt, 1) : dim == DIM_AGENT ? db_int(stmt, 2) : 0;
        key[0] = '\0';
        if (dim == DIM_TIER)
                snprintf(key, KEY_BYTES, "%.*s", (int)tier.len, tier.at);
        else if (id != 0)
                snprintf(key, KEY_BYTES, "%lld", (long long)id);
}

static int read_cases(struct query *query)
{
        enum { RESOLVED = 3, RECOVERED = 1 };
        struct db_stmt *stmt = db_stmt(query->reading->db, SQL_REPORT_CASES_BETWEEN);
        int rc;
        db_bind_int(stmt, 1, query->reading->command->caller.workspace);
        db_bind_int(stmt, 2, query->period.from_ms);
        db_bind_int(stmt, 3, query->period.to_ms);
        while ((rc = db_step(stmt)) == DB_ROW) {
                char key[KEY_BYTES];
                case_key(stmt, query->filter_dim, key);
                if (query->filter_dim != DIM_ALL && strcmp(query->filter, key) != 0)
                        continue;
                case_key(stmt, query->dim, key);
                struct query_group *group = row_of(query, db_int(stmt, 0), key);
                if (!group) {
                        db_reset(stmt);
                        return DB_NOMEM;
                }
                bool is_contacted = db_int(stmt, 4) > 0;
                cell_add(&group->cell, METRIC_CASES, 1, 0, -1);
                if (is_contacted)
                        cell_add(&group->cell, METRIC_CASES_IN_TIME, 1, db_int(stmt, 5) != 0, -1);
                if (is_contacted && db_int(stmt, 6) == RESOLVED)
                        cell_add(&group->cell, METRIC_CASES_RECOVERED, 1, db_int(stmt, 7) == RECOVERED, -1);
        }
        return rc;
}

/* ---- what bots came to ---- */

/* Cells have what episodes come to once they are decided; those that are not yet are open instead. */
static int take_open_apart(struct query *query)
{
        struct db_stmt *stmt = db_stmt(query->reading->db, SQL_REPORT_EPISODES_OPEN);
        int rc;
        db_bind_int(stmt, 1, clock_wall_ms());
        while ((rc = db_step(stmt)) == DB_ROW) {
                struct episode_fact episode = {
                        .began_ms = db_int(stmt, 0), .app = db_int(stmt, 2), .bot = db_int(stmt, 3)};
                char keys[DIMS][KEY_BYTES];
                fact_keep_word(episode.lang, db_text(stmt, 4));
                episode_fact_keys(&episode, keys);
                bool is_within = episode.began_ms >= query->period.from_ms && episode.began_ms < query->period.to_ms &&
                                 (query->filter_dim == DIM_ALL || strcmp(keys[query->filter_dim], query->filter) == 0);
                if (!is_within)
                        continue;
                struct query_group *group = row_of(query, episode.began_ms, keys[query->dim]);
                if (!group) {
                        db_reset(stmt);
                        return DB_NOMEM;
                }
                cell_add(&group->cell, episode_metric((int)db_int(stmt, 1)), 0, -1, -1);
                cell_add(&group->cell, METRIC_BOT_OPEN, 0, 1, -1);
        }
        return rc;
}

/* ---- the agents' time ---- */

static const char *presence_key(const struct presence *presence, enum report_dim dim, char number[KEY_BYTES])
{
        snprintf(number, KEY_BYTES, "%lld", (long long)presence->agent);
        return dim == DIM_REASON ? presence->reason : number;
}

/* Each day gets its part of it. */
static int add_span(struct query *query, int metric, const struct presence *presence, int64_t from_ms, int64_t to_ms)
{
        char number[KEY_BYTES];
        const char *key = presence_key(presence, query->dim, number);
        if (!wants(query, metric))
                return DB_OK;
        from_ms = from_ms > query->period.from_ms ? from_ms : query->period.from_ms;
        to_ms = to_ms < query->period.to_ms ? to_ms : query->period.to_ms;
        while (from_ms < to_ms) {
                int64_t end_ms = report_day_begins_ms(query->zone, report_day(query->zone, from_ms) + 1);
                end_ms = end_ms > from_ms && end_ms < to_ms ? end_ms : to_ms;
                struct query_group *group = row_of(query, from_ms, key);
                if (!group)
                        return DB_NOMEM;
                cell_add(&group->cell, metric, 1, end_ms - from_ms, -1);
                from_ms = end_ms;
        }
        return DB_OK;
}

/* From since_ms to to_ms he was doing that. `past`: of the same agent. */
static int add_presence(struct query *query, struct presence_past *past, const struct presence *presence, int64_t to_ms)
{
        char number[KEY_BYTES];
        bool is_other = query->filter_dim != DIM_ALL &&
                        strcmp(presence_key(presence, query->filter_dim, number), query->filter) != 0;
        if (presence->agent == 0 || is_other)
                return DB_OK;
        if (presence->status == AGENT_ONLINE || presence->status == AGENT_BUSY)
                return add_span(query, METRIC_ONLINE, presence, presence->since_ms, to_ms);
        if (presence->status != AGENT_AWAY)
                return DB_OK;
        int rc = add_span(query, METRIC_AWAY, presence, presence->since_ms, to_ms);
        if (rc < 0 || presence->minutes == 0 || !wants(query, METRIC_AWAY_OVER))
                return rc;
        int64_t used_ms = presence_before(past, presence->reason, presence->since_ms);
        rc = add_span(query, METRIC_AWAY_OVER, presence, presence_over_ms(presence, used_ms), to_ms);
        return rc >= 0 && !presence_keep(past, presence, to_ms) ? DB_NOMEM : rc;
}

static void read_change(struct db_stmt *stmt, struct presence *out)
{
        struct span reason = db_text(stmt, 3);
        *out = (struct presence){.agent = db_int(stmt, 0),
                                 .since_ms = db_int(stmt, 1),
                                 .status = db_int(stmt, 2),
                                 .minutes = db_int(stmt, 4)};
        snprintf(out->reason, sizeof out->reason, "%.*s", (int)reason.len, reason.at ? reason.at : "");
}

static int read_presence(struct query *query)
{
        bool is_one = query->filter_dim == DIM_AGENT;
        int64_t now_ms = clock_wall_ms(), end_ms = now_ms < query->period.to_ms ? now_ms : query->period.to_ms;
        struct db_stmt *stmt = db_stmt(query->reading->db, is_one ? SQL_REPORT_PRESENCE_OF : SQL_REPORT_PRESENCE);
        struct presence before = {0}, now;
        struct presence_past past = {0};
        int rc = DB_OK, added = DB_OK;
        db_bind_int(stmt, 1, end_ms);
        db_bind_int(stmt, 2, query->reading->command->caller.workspace);
        if (is_one)
                db_bind_int(stmt, 3, strtoll(query->filter, NULL, 10));
        while (added >= 0 && (rc = db_step(stmt)) == DB_ROW) {
                read_change(stmt, &now);
                bool is_same = now.agent == before.agent;
                added = add_presence(query, &past, &before, is_same ? now.since_ms : end_ms);
                past.count = is_same ? past.count : 0;
                before = now;
        }
        db_reset(stmt);
        if (rc >= 0 && added >= 0)
                added = add_presence(query, &past, &before, end_ms);
        free(past.parts);
        return rc < 0 ? rc : added;
}

/* ---- all of it ---- */

static bool wants_source(const struct query *query, uint32_t sources)
{
        for (size_t i = 0; i < query->count; i++)
                if (sources >> metrics[query->ids[i]].source & 1)
                        return true;
        return false;
}

static int read_sources(struct query *query)
{
        static const uint32_t in_cells = 1u << METRIC_SOURCE_ISSUED | 1u << METRIC_SOURCE_FLOW |
                                         1u << METRIC_SOURCE_FIGURE | 1u << METRIC_SOURCE_BACKLOG |
                                         1u << METRIC_SOURCE_OFFER | 1u << METRIC_SOURCE_EPISODE;
        int rc = DB_OK;
        bool is_by_hour = query->has_by && query->by == METRIC_BY_HOUR_OF_WEEK;
        if (wants_source(query, in_cells))
                rc = is_by_hour              ? read_hours(query)
                     : query->dim != DIM_ALL ? read_keys(query)
                                             : read_cells(query, query->filter_dim, query->filter, NULL);
        if (rc >= 0 && wants_source(query, 1u << METRIC_SOURCE_EPISODE))
                rc = take_open_apart(query);
        if (rc >= 0 && wants(query, METRIC_CUSTOMER_MESSAGES))
                rc = read_traffic(query, REPORT_CUSTOMERS, METRIC_CUSTOMER_MESSAGES);
        if (rc >= 0 && wants(query, METRIC_STAFF_MESSAGES))
                rc = read_traffic(query, REPORT_STAFF, METRIC_STAFF_MESSAGES);
        if (rc >= 0 && wants_source(query, 1u << METRIC_SOURCE_CASE))
                rc = read_cases(query);
        if (rc >= 0 && wants_source(query, 1u << METRIC_SOURCE_PRESENCE))
                rc = read_presence(query);
        return rc;
}

static int by_key(const void *a, const void *b)
{
        return strcmp(((const struct query_group *)a)->key, ((const struct query_group *)b)->key);
}

int query_gather(struct query *query)
{
        if (!add_rows(query))
                return -PROTOCOL_ERR_INTERNAL;
        int rc = read_sources(query);
        if (rc < 0)
                return reading_failed(query->reading, rc);
        for (size_t i = 0; i < query->group_count; i++)
                if (query->groups[i].cell.has_failed)
                        return -PROTOCOL_ERR_INTERNAL;
        if (query->dim != DIM_ALL && query->group_count > 1)
                qsort(query->groups, query->group_count, sizeof *query->groups, by_key);
        return 0;
}

void query_total(const struct query *query, struct query_group *out_total)
{
        *out_total = (struct query_group){.backlog = query->backlog_before};
        for (size_t i = 0; i < query->group_count; i++) {
                cell_merge(&out_total->cell, &query->groups[i].cell, 1);
                out_total->backlog += query->groups[i].backlog;
        }
}
