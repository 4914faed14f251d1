/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this folder share. Desk thread only, but for what takes a `db`: that belongs to its thread. */
#pragma once

#include "desk/reports/tally.h"

struct arena;
struct db;
struct desk;
struct reading;
struct zone;

#define REPORT_WHOLE INT64_MAX /* all there is, now and later */
enum { REPORT_SLOT_MS = 15 * 60 * 1000, REPORT_CUSTOMERS = 1, REPORT_STAFF = 2 };

/* How far the numbers are made, and the zone of their days. */
struct report_state {
        char zone_name[65];
        struct zone *zone; /* NULL = UTC */
        int64_t tickets, offers, conversations, episodes;
};

struct reports {
        struct report_state state;
        struct report_mark {
                int64_t ticket;
                bool is_sure; /* false: it may be that nothing that counts has changed */
        } * marks;            /* of this batch */
        size_t mark_count, mark_room;
        int64_t *offers;
        size_t offer_count, offer_room;
        struct report_met { /* what a bot did in a conversation */
                int64_t conv, bot;
        } * met;
        size_t met_count, met_room;
        struct report_traffic { /* messages of this batch */
                int64_t kind, slot, agent, n;
        } * traffic;
        size_t traffic_count, traffic_room;
};

/* fact_store.c: what the store has. Each: 0 or a negative db_error. */
int fact_make(struct db *db, int64_t ticket, struct ticket_fact *out_fact); /* from what is stored of the ticket */
int fact_load(struct db *db, int64_t ticket,
              struct ticket_fact *out_fact); /* as it was made; counts: false when there is none */
int fact_save(struct db *db, const struct ticket_fact *fact);
void fact_unpack(struct span figures, int64_t out_figures[FIGURES]);
void fact_read_flow(struct span text, struct ticket_fact *fact);
int offer_fact_make(struct db *db, int64_t offer, struct offer_fact *out_offer);
int offer_fact_load(struct db *db, int64_t offer, struct offer_fact *out_offer);
int offer_fact_save(struct db *db, const struct offer_fact *offer);
bool offer_fact_same(const struct offer_fact *a, const struct offer_fact *b);
/* Messages of a conversation by customers and people, from and to those numbers. `each` may end it with a value below
 * 0. */
typedef int message_fn(void *data, int64_t at_ms, bool is_by_customer, int64_t author);
int report_messages(struct db *db, int64_t conv, int64_t from_seq, int64_t to_seq, message_fn *each, void *data);

void fact_keep_word(char out[FACT_WORD_BYTES], struct span word);

/* episodes.c: what a bot and a customer had with each other, from that row of bot_event on, which begins an episode
 * (0: from the first on). Made from what happened, or as it was kept. Each: 0 or a negative db_error. */
struct episode_list {
        struct episode_fact *facts; /* by `episode` */
        size_t count, room;
};
int episodes_make(struct db *db, int64_t conv, int64_t bot, int64_t from, struct episode_list *out_list);
int episodes_load(struct db *db, int64_t conv, int64_t bot, int64_t from, struct episode_list *out_list);
bool episode_same(const struct episode_fact *a, const struct episode_fact *b);
void episodes_done(struct episode_list *list);
/* Those bots that did something there; at most REPORT_BOTS are told. Their number or a negative db_error. */
enum { REPORT_BOTS = 256 };
int episodes_bots(struct db *db, int64_t conv, int64_t out_bots[REPORT_BOTS]);
/* Puts right what is counted of a conversation that is in the numbers, after something has happened. */
int reports_count_met(struct desk *desk, struct tally *tally, int64_t conv, int64_t bot);
/* Counts one that is not in them. */
int reports_count_episodes(struct desk *desk, struct tally *tally, int64_t conv);

/* presence.c: what agents were doing. */
struct presence {
        int64_t agent, since_ms, status; /* enum agent_status */
        int64_t minutes;                 /* that its reason allows in 24 hours; 0 = no bound */
        char reason[65];
};
/* Stretches of one agent that may count for what comes. */
struct presence_past {
        struct presence_part {
                int64_t from_ms, to_ms;
                char reason[65];
        } * parts;
        size_t count, room;
};
/* How long he was away for that reason in the 24 h before `before_ms`; forgets what lies further back. */
int64_t presence_before(struct presence_past *past, const char *reason, int64_t before_ms);
bool presence_keep(struct presence_past *past, const struct presence *stretch,
                   int64_t to_ms); /* false: out of memory */
/* From when on a stretch is longer than is allowed; INT64_MAX: never. `used_ms`: of the reason in the 24 h before it.
 */
int64_t presence_over_ms(const struct presence *stretch, int64_t used_ms);
/* The same from the store, of the change with that row id. 0 or a negative db_error. */
int presence_used(struct db *db, const struct presence *stretch, int64_t row, int64_t *out_used_ms);

/* build.c */
int report_state_load(struct db *db, int64_t workspace, struct report_state *out_state); /* DB_ROW, DB_OK: none, ... */
void report_state_done(struct report_state *state);
bool report_state_is_whole(const struct report_state *state);
/* Takes what it counted away and adds what it counts now. 0 or a negative db_error. */
int reports_count_ticket(struct desk *desk, struct tally *tally, int64_t ticket, bool was_counted);
int reports_count_offer(struct desk *desk, struct tally *tally, int64_t offer, bool was_counted);
int reports_build_init(struct desk *desk);
/* A job: makes a part of what is to be made again. */
int reports_build_run(struct desk *desk, int64_t subject, struct span body);

/* query_params.c: what reads share */
struct report_period {
        int64_t from, to;       /* days, both counted */
        int64_t from_ms, to_ms; /* the first moment, and that behind the last */
};
/* `report_read`, or an agent's own numbers alone: then *out_agent is his row id, else 0. A negative protocol error. */
int report_reader(const struct reading *reading, int64_t *out_agent);
int report_period_read(const struct reading *reading, const struct zone *zone, struct span from, struct span to,
                       int most_days, struct report_period *out_period);
/* Loads the state or answers with an error; report_state_done when done. */
int report_state_for(const struct reading *reading, struct report_state *out_state);
/* The number of a metric by its name; 0: none, and the fault is set. */
int report_metric_named(const struct reading *reading, struct span name, const char *field);
/* Whole numbers with points between, as places in lists are said. False: it is none. */
bool report_place_read(struct span text, int64_t *out_numbers, int count);
void report_day_write(char out[11], int64_t day);
/* Inside key of an outside one, and back with its name. */
int report_key_inside(const struct reading *reading, enum report_dim dim, struct span outside, char out[KEY_BYTES]);
int report_key_outside(const struct reading *reading, enum report_dim dim, const char *inside, struct span *out_key,
                       struct span *out_name);
struct span report_keep(const struct reading *reading, struct span text); /* a copy that lives as long as the answer */
