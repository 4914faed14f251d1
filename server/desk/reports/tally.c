/* SPDX-License-Identifier: Apache-2.0 */
/* Tally: see tally.h. */
#include "desk/reports/tally.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "desk/bot_outcomes.h"
#include "desk/hours/civil.h"
#include "desk/hours/zone.h"
#include "protocol/writer.h"
#include "store/db.h"

enum { FIRST_SLOTS = 256, SECONDS_OF_DAY = 86400 };

/* ---- days ---- */

static int64_t local_s(const struct zone *zone, int64_t at_ms)
{
        int64_t utc_s = civil_floor_div(at_ms, 1000);
        return utc_s + zone_at(zone, utc_s).offset_s;
}

int64_t report_day(const struct zone *zone, int64_t at_ms)
{
        return civil_floor_div(local_s(zone, at_ms), SECONDS_OF_DAY);
}

int report_hour(const struct zone *zone, int64_t at_ms)
{
        int64_t at_s = local_s(zone, at_ms), day = civil_floor_div(at_s, SECONDS_OF_DAY);
        return civil_weekday(day) * 24 + (int)((at_s - day * SECONDS_OF_DAY) / 3600);
}

int64_t report_day_begins_ms(const struct zone *zone, int64_t day)
{
        return zone_from_local(zone, day * SECONDS_OF_DAY) * 1000;
}

/* ---- dimensions ---- */

enum report_dim report_dim_of(enum metric_by by)
{
        if (by < METRIC_BY_TEAM)
                return DIM_ALL;
        return by <= METRIC_BY_SURVEY ? (enum report_dim)(DIM_TEAM + (by - METRIC_BY_TEAM))
                                      : (enum report_dim)(DIM_REASON + (by - METRIC_BY_REASON));
}

enum metric_by report_by_of(enum report_dim dim)
{
        if (dim == DIM_HOUR)
                return METRIC_BY_HOUR_OF_WEEK;
        return dim < DIM_HOUR ? (enum metric_by)(METRIC_BY_TEAM + (dim - DIM_TEAM))
                              : (enum metric_by)(METRIC_BY_REASON + (dim - DIM_REASON));
}

/* ---- the table ---- */

static size_t slot_of(const struct tally *tally, enum report_dim dim, const char *key, int64_t day)
{
        uint64_t hash = (uint64_t)dim * 31 + (uint64_t)day;
        for (; *key; key++)
                hash = (hash ^ (uint8_t)*key) * 0x100000001b3u;
        return (hash * 0x9e3779b97f4a7c15u >> 20) & (tally->slot_count - 1);
}

static bool make_slots(struct tally *tally)
{
        if (tally->count < tally->slot_count)
                return true;
        struct tally old = *tally;
        tally->slot_count = old.slot_count ? old.slot_count * 4 : FIRST_SLOTS;
        tally->slots = calloc(tally->slot_count, sizeof(*tally->slots));
        if (!tally->slots) {
                *tally = old;
                return false;
        }
        for (size_t i = 0; i < old.slot_count; i++) {
                for (struct tally_cell *at = old.slots[i], *next; at; at = next) {
                        struct tally_cell **slot = &tally->slots[slot_of(tally, at->dim, at->key, at->day)];
                        next = at->next;
                        at->next = *slot;
                        *slot = at;
                }
        }
        free(old.slots);
        return true;
}

static struct cell *find(struct tally *tally, enum report_dim dim, const char *key, int64_t day)
{
        if (!make_slots(tally)) {
                tally->has_failed = true;
                return NULL;
        }
        struct tally_cell **slot = &tally->slots[slot_of(tally, dim, key, day)], *at = *slot;
        while (at && (at->dim != dim || at->day != day || strcmp(at->key, key) != 0))
                at = at->next;
        if (at)
                return &at->cell;
        at = calloc(1, sizeof *at);
        if (!at) {
                tally->has_failed = true;
                return NULL;
        }
        at->dim = dim;
        at->day = day;
        snprintf(at->key, sizeof at->key, "%s", key);
        at->next = *slot;
        *slot = at;
        tally->count++;
        return &at->cell;
}

void tally_done(struct tally *tally)
{
        for (size_t i = 0; i < tally->slot_count; i++) {
                for (struct tally_cell *at = tally->slots[i], *next; at; at = next) {
                        next = at->next;
                        cell_done(&at->cell);
                        free(at);
                }
        }
        free(tally->slots);
        *tally = (struct tally){.zone = tally->zone};
}

/* ---- what is counted ---- */

struct counting {
        struct tally *tally;
        char keys[DIMS][KEY_BYTES];
        uint32_t dims; /* 1u << enum report_dim: which of the keys there are */
        int sign;
};

#define DIMS_OF_BOTH /* tickets and askings */                                                                         \
        (1u << DIM_ALL | 1u << DIM_TEAM | 1u << DIM_AGENT | 1u << DIM_APP | 1u << DIM_LANGUAGE | 1u << DIM_TOPIC |     \
         1u << DIM_TIER | 1u << DIM_HANDLED_BY)
#define DIMS_OF_EPISODES (1u << DIM_ALL | 1u << DIM_APP | 1u << DIM_LANGUAGE | 1u << DIM_BOT)

/* In every dimension. */
static void count(struct counting *counting, int metric, int64_t at_ms, int64_t n, int64_t sum, int32_t bucket)
{
        int64_t day = report_day(counting->tally->zone, at_ms);
        for (int dim = 0; dim < DIMS; dim++) {
                if (!(counting->dims >> dim & 1))
                        continue;
                struct cell *cell = find(counting->tally, (enum report_dim)dim, counting->keys[dim], day);
                if (cell)
                        cell_add(cell, metric, counting->sign * n, counting->sign * sum, bucket);
        }
}

static void key_of_id(char key[KEY_BYTES], int64_t id)
{
        if (id != 0)
                snprintf(key, KEY_BYTES, "%lld", (long long)id);
        else
                key[0] = '\0';
}

void fact_keys(const struct ticket_fact *fact, char keys[DIMS][KEY_BYTES])
{
        memset(keys, 0, sizeof(char[DIMS][KEY_BYTES]));
        key_of_id(keys[DIM_TEAM], fact->team);
        key_of_id(keys[DIM_AGENT], fact->agent);
        key_of_id(keys[DIM_APP], fact->app);
        memcpy(keys[DIM_LANGUAGE], fact->lang, KEY_BYTES);
        memcpy(keys[DIM_TOPIC], fact->topic, KEY_BYTES);
        memcpy(keys[DIM_TIER], fact->tier, KEY_BYTES);
        key_of_id(keys[DIM_PRIORITY], fact->priority);
        snprintf(keys[DIM_HANDLED_BY], KEY_BYTES, "%s", fact->by_bot ? "bot" : "people");
}

void offer_fact_keys(const struct offer_fact *offer, char keys[DIMS][KEY_BYTES])
{
        memset(keys, 0, sizeof(char[DIMS][KEY_BYTES]));
        key_of_id(keys[DIM_TEAM], offer->team);
        key_of_id(keys[DIM_AGENT], offer->agent);
        key_of_id(keys[DIM_APP], offer->app);
        memcpy(keys[DIM_LANGUAGE], offer->lang, KEY_BYTES);
        memcpy(keys[DIM_TOPIC], offer->topic, KEY_BYTES);
        memcpy(keys[DIM_TIER], offer->tier, KEY_BYTES);
        snprintf(keys[DIM_HANDLED_BY], KEY_BYTES, "%s", offer->by_bot ? "bot" : "people");
        key_of_id(keys[DIM_SURVEY], offer->version);
}

void episode_fact_keys(const struct episode_fact *episode, char keys[DIMS][KEY_BYTES])
{
        memset(keys, 0, sizeof(char[DIMS][KEY_BYTES]));
        key_of_id(keys[DIM_APP], episode->app);
        memcpy(keys[DIM_LANGUAGE], episode->lang, KEY_BYTES);
        key_of_id(keys[DIM_BOT], episode->bot);
}

int episode_metric(int outcome)
{
        _Static_assert(METRIC_BOT_OPEN - METRIC_BOT_CONFIRMED == BOT_OPEN, "in the order of enum bot_outcome");
        return METRIC_BOT_CONFIRMED + outcome;
}

static void count_figure(struct counting *counting, const struct ticket_fact *fact, int id)
{
        const struct metric *metric = &metrics[id];
        int64_t sum = fact->figures[metric->figure];
        int64_t n = metric->weight >= 0 ? fact->figures[metric->weight] : 1;
        bool is_at_issue = metric->day == METRIC_DAY_ISSUED;
        if (sum == FIGURE_NONE || n == FIGURE_NONE || (!is_at_issue && fact->solved_ms == 0))
                return;
        bool has_buckets = metric->kind == METRIC_KIND_TIME && metric->weight < 0;
        count(counting, id, is_at_issue ? fact->issued_ms : fact->solved_ms, n, sum,
              has_buckets ? cell_bucket_of(sum) : -1);
}

void tally_fact(struct tally *tally, const struct ticket_fact *fact, int sign)
{
        struct counting counting = {.tally = tally, .dims = DIMS_OF_BOTH | 1u << DIM_PRIORITY, .sign = sign};
        if (!fact->counts)
                return;
        fact_keys(fact, counting.keys);
        count(&counting, METRIC_TICKETS, fact->issued_ms, 1, 0, -1);
        for (size_t i = 0; i < fact->flow_count; i++) {
                int64_t moment = fact->flows[i];
                count(&counting, moment < 0 ? METRIC_SOLVED : METRIC_REOPENED, moment < 0 ? -moment : moment, 1, 0, -1);
        }
        for (int id = 1; id < METRICS; id++)
                if (metrics[id].source == METRIC_SOURCE_FIGURE)
                        count_figure(&counting, fact, id);
        snprintf(counting.keys[DIM_HOUR], KEY_BYTES, "%d", report_hour(tally->zone, fact->issued_ms));
        counting.dims = 1u << DIM_HOUR;
        count(&counting, METRIC_TICKETS, fact->issued_ms, 1, 0, -1);
}

void tally_offer(struct tally *tally, const struct offer_fact *offer, int sign)
{
        struct counting counting = {.tally = tally, .dims = DIMS_OF_BOTH | 1u << DIM_SURVEY, .sign = sign};
        if (!offer->counts)
                return;
        offer_fact_keys(offer, counting.keys);
        count(&counting, offer->metric, offer->offered_ms, 1, offer->is_answered,
              offer->has_score ? (int32_t)(offer->top * 16 + offer->score) : -1);
}

void tally_episode(struct tally *tally, const struct episode_fact *episode, int sign)
{
        struct counting counting = {.tally = tally, .dims = DIMS_OF_EPISODES, .sign = sign};
        episode_fact_keys(episode, counting.keys);
        count(&counting, METRIC_BOT_EPISODES, episode->began_ms, 1, 0, -1);
        for (int outcome = 0; outcome < BOT_OUTCOMES; outcome++)
                count(&counting, episode_metric(outcome), episode->began_ms, 1, episode->outcome == outcome, -1);
}

/* ---- into the store ---- */

static int load(struct db *db, const struct tally_cell *at, struct cell *cell)
{
        struct db_stmt *stmt = db_stmt(db, SQL_REPORT_CELL_GET);
        db_bind_int(stmt, 1, at->dim);
        db_bind_text(stmt, 2, span_of(at->key));
        db_bind_int(stmt, 3, at->day);
        int rc = db_step(stmt);
        if (rc == DB_ROW)
                cell_read(cell, db_blob(stmt, 0), UINT64_MAX);
        db_reset(stmt);
        return rc < 0 ? rc : DB_OK;
}

static int save(struct db *db, const struct tally_cell *at, struct span body)
{
        struct db_stmt *stmt = db_stmt(db, body.len > 0 ? SQL_REPORT_CELL_PUT : SQL_REPORT_CELL_REMOVE);
        db_bind_int(stmt, 1, at->dim);
        db_bind_text(stmt, 2, span_of(at->key));
        db_bind_int(stmt, 3, at->day);
        if (body.len > 0)
                db_bind_blob(stmt, 4, body.at, body.len);
        return db_run(stmt);
}

static int flush_cell(struct db *db, const struct tally_cell *at, struct writer *out)
{
        struct cell cell = {0};
        out->len = 0;
        cell_write(&at->cell, out);
        if (out->len == 0) /* taken away and added again: nothing */
                return DB_OK;
        int rc = load(db, at, &cell);
        cell_merge(&cell, &at->cell, 1);
        out->len = 0;
        cell_write(&cell, out);
        if (rc >= 0)
                rc = cell.has_failed || out->failed ? DB_NOMEM : save(db, at, (struct span){out->bytes, out->len});
        cell_done(&cell);
        return rc;
}

int tally_flush(struct tally *tally, struct db *db)
{
        struct writer out;
        char first[8192];
        int rc = tally->has_failed ? DB_NOMEM : DB_OK;
        writer_init(&out, first, sizeof first);
        for (size_t i = 0; rc >= 0 && i < tally->slot_count; i++)
                for (struct tally_cell *at = tally->slots[i]; rc >= 0 && at; at = at->next)
                        rc = flush_cell(db, at, &out);
        writer_done(&out);
        return rc < 0 ? rc : DB_OK;
}
