/* SPDX-License-Identifier: Apache-2.0 */
/* Hours: the schedules of a workspace, and the SLA policies and clocks that use them (docs/desk.md).
 *
 * A schedule that is changed gets a new version from that moment on: what was counted before stays counted. Row id 0 is
 * the schedule that is always open, and so is one that was removed. What is changed by an administrator is in memory at
 * once, and read again when its batch is not kept. Desk thread only. */
#pragma once

#include "desk/command.h"
#include "desk/hours/sla.h"
#include "desk/tickets/tickets.h"

struct desk;
struct schedule_version;

enum {
        HOURS_SCHEDULES = 200,
        HOURS_POLICIES = 100,
};

struct schedule {
        int64_t id;     /* row id */
        uint64_t ext;   /* sch_... */
        char name[801]; /* at most 200 code points */
        char zone[65];  /* Area/Place, of the newest version */
        struct timetable times;
        bool is_removed;
        struct schedule_version **kept; /* what the versions of `times` are made from */
};

/* ---- life of the module ---- */

int hours_init(struct desk *desk); /* before tickets_init; 0 or a negative db_error */
void hours_done(struct desk *desk);
void hours_rolled_back(struct desk *desk); /* reads again what an administrator changed in a batch that is not kept */
void hours_committed(struct desk *desk);

/* ---- schedules ---- */

const struct schedule *hours_schedule(const struct desk *desk, int64_t id); /* NULL: 0, unknown or removed */
const struct schedule *hours_schedule_ext(const struct desk *desk, uint64_t ext);
const struct schedule *hours_schedule_named(const struct desk *desk, struct span name); /* ASCII case does not count */
bool hours_is_open(const struct desk *desk, int64_t schedule, int64_t at_ms);
/* The first open moment from at_ms on. CALENDAR_NEVER: none in 20 years. */
int64_t hours_next_open(const struct desk *desk, int64_t schedule, int64_t at_ms);
/* Seconds that the schedule's clocks are ahead of UTC then. */
int32_t hours_offset_s(const struct desk *desk, int64_t schedule, int64_t at_ms);

/* ---- what a ticket's clocks say; the hooks that move them are in tickets.h ---- */

enum sla_state sla_state(const struct ticket *ticket);
int64_t sla_misses(const struct ticket *ticket); /* deadlines that were missed */
/* The earliest deadline that runs, one that has passed included. CALENDAR_NEVER: none runs. */
int64_t sla_deadline_ms(const struct ticket *ticket);
/* By when the customer was promised an answer: of the first or the next response. CALENDAR_NEVER: no promise runs. */
int64_t sla_answer_by_ms(const struct ticket *ticket);
