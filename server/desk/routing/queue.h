/* SPDX-License-Identifier: Apache-2.0 */
/* A queue of tickets that wait for an agent: urgent ones first, then whoever waits longest. Tickets that ask the same
 * of an agent stand in one lane, so that who can have nothing of a lane is seen at its head, however long it is: a
 * change costs the number of lanes and a binary search, never the length of the queue.
 *
 * Always true: within a lane the order is priority, then time, then id; a lane that is empty does not exist. Pure: no
 * store, no clock. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
        WANT_SKILLS = 10,
        WANT_PASSED = 8,
        WANT_WORD = 65, /* bytes of a skill or a language, with the end */
};

/* What a ticket asks of whoever gets it. Words end with 0; skills are in the order of strcmp (want_settle sees to it).
 */
struct want {
        char skills[WANT_SKILLS][WANT_WORD]; /* all of them must be there */
        uint32_t skill_count;
        char lang[WANT_WORD];        /* "" = any */
        bool needs_lang;             /* who does not speak it cannot have it; otherwise those who do come first */
        int32_t weight;              /* at least 1 */
        int64_t passed[WANT_PASSED]; /* agents who had their chance; in order */
        uint32_t passed_count;
};

/* Brings skills and passed into order, each once, so that alike wants are equal. */
void want_settle(struct want *want);
bool want_is_same(const struct want *a, const struct want *b); /* both settled */

struct queue_lane;

/* One place in a queue; part of what it stands for. */
struct queue_item {
        struct queue_lane *lane; /* NULL = in no queue */
        int32_t priority;        /* higher comes first */
        int64_t since_ms;        /* then whoever waits since earlier */
        int64_t id;              /* then the smaller one */
        int64_t sticky;          /* agent whom the customer had last; 0 = none */
};

struct queue_lane {
        struct want want;
        uint64_t hash;
        struct queue_item **items; /* in order */
        size_t count, room;
        size_t at;        /* within queue_each */
        bool is_hopeless; /* choose.c, within one run: nobody can take its head */
};

struct queue {
        struct queue_lane **lanes; /* no order */
        size_t lane_count, lane_room;
        size_t count; /* of all lanes */
};

void queue_done(struct queue *queue); /* the items are the caller's */
/* `item` is in no queue, its priority, time and id are set; `want` is settled and copied. 0, or -1: out of memory. */
int queue_add(struct queue *queue, struct queue_item *item, const struct want *want);
void queue_remove(struct queue *queue, struct queue_item *item); /* it is in this queue */
/* How many come before it, of all lanes, and itself: 1 = the next. */
size_t queue_place(const struct queue *queue, const struct queue_item *item);
/* Whether a comes before b. */
bool queue_is_before(const struct queue_item *a, const struct queue_item *b);
/* Each item in order, with its place. `each` does not change the queue. */
void queue_each(struct queue *queue, void (*each)(void *data, struct queue_item *item, size_t place), void *data);
/* The longest wait in it; NULL: nobody waits. */
const struct queue_item *queue_oldest(const struct queue *queue);
