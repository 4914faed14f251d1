/* SPDX-License-Identifier: Apache-2.0 */
/* SLA: the clocks of one ticket. Pure: what happens and when are arguments; so is the time now.
 *
 * What is promised is judged when something happens: at that moment everything that was due before it is missed,
 * whoever looked or did not look in between. Timers only warn, and mark early what would be marked anyway. The same
 * events in the same order always give the same clock, so that a clock can be made again from its events, and its
 * ledger with it.
 *
 * First response runs from when people have the ticket (after the bot: from the hand-over) to the first public word of
 * a person, whatever the status. Next response runs from the oldest customer's message that nobody has answered, once
 * the first response is over; a status that pauses ends it. Resolution runs until solved for the first time, and total
 * resolution goes on after a reopening; both stand still in a status that pauses. Time with the bot is counted apart,
 * by the clock on the wall. A target that becomes stricter is never missed before it was set. */
#pragma once

#include <stddef.h>

#include "desk/hours/timetable.h"
#include "ticket_life.h"

enum sla_metric {
        SLA_FIRST, /* the first SLA_TARGETS can have a target */
        SLA_NEXT,
        SLA_RESOLUTION,
        SLA_TARGETS,
        SLA_TOTAL = SLA_TARGETS,
        SLA_BOT,
        SLA_METRICS,
};

enum { SLA_PRIORITIES = 4, SLA_WORKING_DAYS_MAX = 366, SLA_SECONDS_MAX = 366 * 86400 };

enum sla_unit { SLA_UNIT_NONE /* no target */, SLA_UNIT_SECONDS /* of business time */, SLA_UNIT_WORKING_DAYS };

struct sla_target {
        enum sla_unit unit;
        int32_t amount; /* 1 to SLA_SECONDS_MAX or SLA_WORKING_DAYS_MAX */
};

/* What was promised: one version of a policy. */
struct sla_terms {
        int64_t number; /* row id of the version; 0 = no policy */
        const struct timetable *times;
        struct sla_target targets[SLA_PRIORITIES][SLA_TARGETS]; /* [priority - 1] */
        uint32_t pauses;                                        /* 1u << enum ticket_status */
        int32_t warn_percent;                                   /* of the target; 0 = no warning */
};

extern const struct sla_terms sla_terms_none; /* no targets, always open, pauses in waiting, on_hold and snoozed */

/* Numbers are in the store and never change their meaning. */
enum sla_event_kind {
        SLA_EVENT_BOT = 1,      /* the ticket begins with the bot */
        SLA_EVENT_PEOPLE = 2,   /* people have it: it began with them, or the bot handed it over */
        SLA_EVENT_CUSTOMER = 3, /* a public message of the customer; `seq` names it */
        SLA_EVENT_STAFF = 4,    /* a public message of a person of the team */
        SLA_EVENT_STATUS = 5,   /* `status` is the new one */
        SLA_EVENT_TERMS = 6,    /* another priority, or another policy */
};

struct sla_event {
        enum sla_event_kind kind;
        int64_t at_ms; /* not before that of the event before it */
        enum ticket_status status;
        int32_t priority; /* 1 to 4 */
        int64_t seq;
        int64_t terms; /* in force from here on */
};

enum sla_phase {
        SLA_IDLE,    /* has not begun */
        SLA_RUNNING, /* counts */
        SLA_PAUSED,
        SLA_ENDED,   /* what it waited for has happened: in time, or is_missed */
        SLA_DROPPED, /* it ended without that: solved without an answer, closed without being solved, put off */
};

struct sla_meter {
        enum sla_phase phase;
        bool is_missed;
        bool is_warned; /* not part of what is made again from events */
        int64_t begun_ms;
        int64_t ended_ms;   /* SLA_ENDED, SLA_DROPPED */
        int64_t from_ms;    /* SLA_RUNNING: since when it counts */
        int64_t counted_ms; /* business time before from_ms */
        int64_t target_ms;  /* business time; 0 = none */
        int64_t due_ms;     /* SLA_RUNNING, or missed; CALENDAR_NEVER otherwise */
        int64_t warn_ms;    /* the same */
        int64_t seq;        /* SLA_NEXT: the message that waits */
};

struct sla_count {
        struct sla_meter meters[SLA_METRICS];
        enum ticket_status status;
        int32_t priority;
        int64_t terms;
        uint32_t misses;
};

/* One line of a ledger: from when to when a meter counted, in which status, by which version of the schedule. */
struct sla_span {
        enum sla_metric metric;
        int64_t seq; /* SLA_NEXT */
        int64_t from_ms, to_ms;
        int64_t counted_ms;
        enum ticket_status status;
        int64_t version;
};

/* Who knows the terms, and who wants to hear. Each of the three may be NULL. */
struct sla_world {
        const struct sla_terms *(*terms)(void *data, int64_t number); /* NULL, or for an unknown number: none */
        void (*span)(void *data, const struct sla_span *span);
        void (*missed)(void *data, enum sla_metric metric, const struct sla_meter *meter);
        void (*warned)(void *data, enum sla_metric metric, const struct sla_meter *meter);
        void *data;
};

void sla_init(struct sla_count *count);
/* What happened. False: it changed nothing that counts (a further message of a customer who waits already), and need
 * not be remembered. */
bool sla_step(struct sla_count *count, const struct sla_world *world, const struct sla_event *event);
/* The time is `now_ms`: marks what is missed, and warns. True: something was marked. */
bool sla_advance(struct sla_count *count, const struct sla_world *world, int64_t now_ms);
/* The timetable of its terms has got a new version: its deadlines are reckoned again. True: one of them changed. */
bool sla_reschedule(struct sla_count *count, const struct sla_world *world);
/* The lines of what counts now, up to now_ms; the count is left as it is. */
void sla_open_spans(const struct sla_count *count, const struct sla_world *world, int64_t now_ms);

/* What became of the promises, as the words of the fact `sla` (desk/rules/facts.h). */
enum sla_state {
        SLA_NONE,               /* no policy, or nothing promised */
        SLA_ACTIVE,             /* a target runs or is paused, none was missed */
        SLA_HIT,                /* all that ended was in time, nothing runs */
        SLA_ACTIVE_WITH_MISSES, /* a target runs and one was missed */
        SLA_MISSED,             /* nothing runs and one was missed */
};

enum sla_state sla_count_state(const struct sla_count *count);
int64_t sla_timer_ms(const struct sla_count *count); /* when sla_advance has something to do; CALENDAR_NEVER = never */
bool sla_is_promised(const struct sla_meter *meter); /* it has a target, and runs or is paused */
/* Business time that the meter has counted by now_ms. */
int64_t sla_elapsed(const struct sla_count *count, enum sla_metric metric, const struct sla_world *world,
                    int64_t now_ms);
/* Whether two are the same but for warnings given. */
bool sla_same(const struct sla_count *a, const struct sla_count *b);
