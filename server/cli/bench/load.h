/* SPDX-License-Identifier: Apache-2.0 */
/* Load: pairs of a customer and an agent who write to each other, both ways, and the account of every message. Each
 * side of a pair is a lane with a window of messages in flight; a lane goes through the pair's conversations in turn.
 * Sends carry `after` while their predecessor has no answer, refusals of class retry are sent again under the same
 * cmid, and marks go out once a second, as a client would. Main thread. */
#pragma once

#include <jansson.h>

#include "driver.h"
#include "histogram.h"
#include "target.h"

struct load_plan {
        uint32_t pairs;
        uint32_t conversations; /* in all; a multiple of pairs */
        uint32_t in_flight;     /* per lane */
        uint32_t text_bytes;
        double rate;            /* messages/s in all; 0 = as fast as the windows allow */
        double warm_s, seconds; /* before, and of, the measured window */
        double patience_s;      /* silence after which what is missing counts as lost */
        uint64_t limit;         /* stop after so many messages; 0 = by time. There is no warm-up then */
        bool is_one_sided;      /* only customers write and nobody watches */
};

struct load_result {
        double elapsed_s; /* of the measured window, from here to the histograms */
        uint64_t acks, deliveries;
        uint64_t server_cpu_ns, driver_cpu_ns; /* server_cpu_ns 0 = not known */
        struct histogram ack, delivery;        /* from the moment when it was due to be sent */
        uint64_t sent, acked, delivered;       /* whole run */
        uint64_t expected_deliveries;
        uint64_t retried; /* refused with class retry and sent again */
        uint64_t acked_twice, delivered_twice;
        uint64_t disagreements;   /* ack and delivery, or two of them, name another seq; or two messages one place */
        uint64_t misdelivered;    /* to somebody who is not the partner */
        uint64_t out_of_order;    /* delivered with a seq not above the one before; a client would have to fetch */
        uint64_t most_due;        /* open loop: largest number of messages that waited for a free place */
        char conv[ID_TEXT_BYTES]; /* the first conversation */
        json_t *figures;          /* what the server said of the measured window (scrape.h); NULL = nothing. Owned */
};

/* 0 when the run took place; whether every message is accounted for tells load_is_accounted. */
int load_run(const struct load_plan *plan, const struct target *target, struct load_result *out_result,
             struct bench_error *error);

bool load_is_accounted(const struct load_result *result);

void load_result_done(struct load_result *result);

/* How many connections the plan makes. */
uint32_t load_conns(const struct load_plan *plan, bool is_plain);
