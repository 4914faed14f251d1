/* SPDX-License-Identifier: Apache-2.0 */
/* Tally: what facts add up to: cells by dimension, key and day. In memory; written into the store when a batch ends, or
 * compared with it. One thread. */
#pragma once

#include "desk/reports/cell.h"
#include "desk/reports/fact.h"
#include "report_metrics.h"

struct db;
struct zone;

/* What numbers are kept by. Their order is in the store. */
enum report_dim {
        DIM_ALL,
        DIM_TEAM,
        DIM_AGENT,
        DIM_APP,
        DIM_LANGUAGE,
        DIM_TOPIC,
        DIM_TIER,
        DIM_PRIORITY,
        DIM_HANDLED_BY,
        DIM_SURVEY,
        DIM_HOUR,
        DIM_REASON, /* of the agents' time, which is not in cells */
        DIM_BOT,
        DIMS
};

enum { KEY_BYTES = FACT_WORD_BYTES };

struct tally_cell {
        struct tally_cell *next; /* of its slot */
        enum report_dim dim;
        char key[KEY_BYTES]; /* of ids their row id; "" = none */
        int64_t day;
        struct cell cell;
};

struct tally {
        const struct zone *zone; /* borrowed; NULL = UTC */
        struct tally_cell **slots;
        size_t slot_count, count;
        bool has_failed; /* out of memory */
};

/* What is counted of one asking. */
struct offer_fact {
        int64_t offer;
        bool counts;
        int metric; /* enum metric_id */
        int64_t offered_ms, top;
        bool has_score, is_answered, by_bot;
        int64_t score, app, team, agent, version;
        char lang[FACT_WORD_BYTES], topic[FACT_WORD_BYTES], tier[FACT_WORD_BYTES];
};

/* What is counted of an episode of a bot. outcome: enum bot_outcome as it is once it is decided. */
struct episode_fact {
        int64_t episode; /* row of bot_event that begins it */
        int64_t conv, bot, app, began_ms;
        int64_t open_ms; /* before it, it is open; 0 = it is decided */
        int outcome;
        char lang[FACT_WORD_BYTES];
};

void tally_done(struct tally *tally); /* empty again; the zone stays */
void tally_fact(struct tally *tally, const struct ticket_fact *fact, int sign);
void tally_offer(struct tally *tally, const struct offer_fact *offer, int sign);
void tally_episode(struct tally *tally, const struct episode_fact *episode, int sign);
/* Adds all of it to the cells of the store. 0 or a negative db_error. */
int tally_flush(struct tally *tally, struct db *db);

/* Days since 1970 of the zone, and the hour of the week (0 = Monday 0:00). */
int64_t report_day(const struct zone *zone, int64_t at_ms);
int report_hour(const struct zone *zone, int64_t at_ms);
int64_t report_day_begins_ms(const struct zone *zone, int64_t day);

/* The dimensions of a ticket and their keys, written into `keys`. */
void fact_keys(const struct ticket_fact *fact, char keys[DIMS][KEY_BYTES]);
void offer_fact_keys(const struct offer_fact *offer, char keys[DIMS][KEY_BYTES]);
void episode_fact_keys(const struct episode_fact *episode, char keys[DIMS][KEY_BYTES]);
/* The share of episodes that came to that (enum bot_outcome): an enum metric_id. */
int episode_metric(int outcome);

/* DIM_ALL: of time. */
enum report_dim report_dim_of(enum metric_by by);
/* Not of DIM_ALL. */
enum metric_by report_by_of(enum report_dim dim);
