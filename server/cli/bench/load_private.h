/* SPDX-License-Identifier: Apache-2.0 */
/* Load, inside: lanes, slots and conversations, shared by setting up (stage.c) and running (load.c). */
#pragma once

#include "load.h"

enum { SIDE_CUSTOMER = 0, SIDE_AGENT = 1 };
enum { SLOT_WAITS_ACK = 1, SLOT_WAITS_DELIVERY = 2, SLOT_REFUSED = 4 };

/* One message that is not finished; free when `state` is 0. */
struct slot {
        uint64_t number, due_ns, made_ms;
        int64_t seq; /* 0 = nobody has said it yet */
        uint32_t state;
};

struct lane {
        struct slot *ring;
        uint32_t in_flight;   /* sent and not answered */
        uint32_t refused;     /* answered with class retry, to be sent again */
        uint64_t next;        /* number of the next new message */
        uint64_t due;         /* open loop: numbers below are due */
        uint64_t resend_from; /* no refused message has a smaller number */
        uint64_t paused_until_ns;
        bool is_dirty;
};

struct talk {
        char id[ID_TEXT_BYTES];
        uint32_t conns[2];            /* by side */
        int64_t received[2], told[2]; /* highest seq delivered to, and marked by, a side */
        int64_t first_seq, last_seq;  /* of our own messages; 0 = none */
        uint64_t count;               /* messages acknowledged */
};

struct load {
        const struct load_plan *plan;
        const struct target *target;
        struct driver *driver;
        struct load_result *result;
        struct bench_error *error;
        uint32_t conn_count, groups; /* agent connections of a pair */
        uint32_t talks_a_pair, talks_a_group;
        uint32_t lane_count, ring_mask;
        struct lane *lanes;   /* 2 * pair + side */
        struct talk *talks;   /* pair * talks_a_pair + index */
        uint32_t *conn_lanes; /* lane of each connection */
        uint32_t *dirty;
        uint32_t dirty_count;
        struct wire_plan plans[2]; /* without and with `after` */
        bool is_measuring, is_sending;
        uint64_t wall_offset_ms; /* wall ms minus monotonic ms */
        uint64_t unanswered, undelivered;
        uint64_t rate_from_ns, rate_count; /* open loop: message i of all lanes is due at rate_from + i / rate */
        uint64_t marks_from_ns, marks_count;
        uint64_t heard_ns; /* last ack or delivery */
};

/* Opens all connections, conversations and watches. */
int stage_open(struct load *load);

/* Number of the agent's connection of a pair that watches its `index`-th conversation. */
uint32_t stage_agent_conn(const struct load *load, uint32_t pair, uint32_t index);
