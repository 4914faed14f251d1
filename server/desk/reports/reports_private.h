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
        int64_t tickets, offers, conversations;
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
