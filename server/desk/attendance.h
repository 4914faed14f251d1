/* SPDX-License-Identifier: Apache-2.0 */
/* Attendance: who is there, derived from the desk's table of sessions and never stored. Customers: online while a
 * device is connected and for ten seconds after, so that a reconnect does not flicker; a change is told at most once in
 * five seconds. Agents: only whether anybody of the team is here, never who. All of it is lost with the process, and
 * nothing is told before the batch that caused it has ended. Desk thread only. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/frame.h"

enum { ATTENDANCE_WHEEL = 64 };

struct desk;
struct desk_session;
struct edge_ref;
struct principal;
struct attendant;

struct attendant_list {
        struct attendant *first, *last;
        size_t count;
};

struct attendance {
        struct attendant **slots; /* by principal */
        size_t slot_count, count;
        struct attendant_list wheel[ATTENDANCE_WHEEL]; /* by the tick at which something is due */
        struct attendant_list ready;                   /* something is due now */
        struct attendant_list gone;                    /* customers who are not there; the longest gone first */
        uint64_t ticked;                               /* ticks up to this one have been looked at */
        size_t agents_here;
        bool is_team_here;                          /* as told */
        uint64_t team_told_ms, team_empty_since_ms; /* monotonic; 0 = never */
};

/* 0 or DB_NOMEM. */
int attendance_init(struct attendance *attendance);
void attendance_done(struct attendance *attendance);

/* A session of `who` was added, or was removed: `who->sessions` is as it is now. */
void attendance_arrived(struct desk *desk, const struct principal *who);
void attendance_left(struct desk *desk, const struct principal *who);
/* The session (of an agent) has been silent for long, or speaks again. */
void attendance_idle(struct desk *desk, struct edge_ref session, bool is_idle);
/* That customer was erased: nothing is told of him any more. */
void attendance_forget(struct desk *desk, int64_t principal);

/* What staff may know of a customer. False: nothing. */
bool attendance_of(const struct desk *desk, int64_t principal, struct protocol_customer_presence *out_presence);

/* After a batch: tells what is due, a bounded number of changes at a time. */
void attendance_commit(struct desk *desk);
uint64_t attendance_due_ms(const struct desk *desk); /* monotonic ms of the next attendance_commit; UINT64_MAX: none */
