/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this folder share: the schedules and policies in memory. Desk thread only.
 *
 * All of it is read from the store as a whole, at the start, after each change within its transaction, and after a
 * rollback; nothing is changed in place but conditions, which are compiled when they are first asked. */
#pragma once

#include "desk/hours/hours.h"
#include "desk/hours/sla.h"
#include "desk/hours/zone_file.h"

struct condition;
struct zone;

/* One version of a schedule, and what it was made from. */
struct schedule_version {
        int64_t id, from_ms;
        char zone_name[65];
        char tzdata[ZONE_VERSION_BYTES];
        struct zone *zone;
        char *zone_data; /* the file's bytes */
        size_t zone_len;
        struct calendar calendar; /* points to zone and days */
        struct calendar_day *days;
};

/* One version of a policy. */
struct policy_version {
        struct sla_terms terms; /* number: its row id */
        int64_t policy;         /* row id */
        int64_t from_ms;        /* for tickets issued since then; 0 = for all */
        int64_t schedule;       /* row id, 0 = always open */
        char *name, *when;
        struct condition *condition; /* NULL: not compiled yet, or damaged */
        bool is_compiled;
};

struct policy {
        int64_t id;
        uint64_t ext;
        bool is_removed;
        int64_t removed_from_ms;          /* tickets issued before keep it */
        struct policy_version **versions; /* borrowed from hours, oldest first; at least one */
        size_t version_count;
};

struct hours {
        struct schedule **schedules; /* by row id; removed ones too */
        size_t schedule_count;
        struct policy *policies; /* in the order in which they are tried; removed ones too */
        size_t policy_count;
        struct policy_version **versions; /* of all policies, by policy and row id */
        size_t version_count;
        bool is_changed; /* in this batch */
        bool are_news;   /* the system's time zones have changed: deadlines have to be reckoned again */
};

/* Reads everything; *out_hours is the caller's. 0 or a negative db_error. */
int hours_read(struct desk *desk, struct hours **out_hours);
struct hours *hours_free(struct hours *hours); /* NULL is welcome; returns NULL */
/* After a change in the store: reads again. 0 or a negative protocol error. */
int hours_read_again(struct desk *desk);

/* schedules.c: what hours_read consists of. 0 or a negative db_error. */
int schedules_read(struct desk *desk, struct hours *hours);
void schedules_free(struct hours *hours);
const struct schedule_version *schedule_newest(const struct schedule *schedule);
struct schedule *schedules_find(const struct hours *hours, int64_t id); /* removed ones too */
/* Writes a version that begins now. 0 or a negative db_error. */
struct schedule_draft;
int schedule_version_put(struct desk *desk, int64_t schedule, int64_t from_ms, const struct schedule_draft *draft);
/* At the start: a schedule whose time zone has changed in the system gets a new version. 0 or a negative db_error. */
int schedules_follow_zones(struct desk *desk);

/* A schedule that is being made. */
struct schedule_draft {
        char zone_name[65];
        struct zone *zone;
        char *zone_data;
        size_t zone_len;
        struct calendar calendar; /* points to zone and days */
        struct calendar_day days[CALENDAR_DAYS];
};
void schedule_draft_done(struct schedule_draft *draft);

/* policies.c */
int policies_read(struct desk *desk, struct hours *hours);
void policies_free(struct hours *hours);
const struct policy_version *policy_newest(const struct policy *policy);
struct policy *policies_ext(struct desk *desk, uint64_t ext); /* NULL: unknown or removed */
size_t policies_there(const struct desk *desk);
/* An sla_world's answer; `data` is the desk. NULL: there is no such version. */
const struct sla_terms *policies_terms(void *data, int64_t number);
const struct policy_version *policies_version(const struct desk *desk, int64_t number);
/* The terms of a ticket as it is: of the first policy that fits. 0: none does. A negative protocol error. */
int64_t policies_match(struct desk *desk, const struct ticket *ticket);
enum { TARGETS_TEXT_BYTES = 256 };
void policy_targets_write(const struct sla_terms *terms, char out[TARGETS_TEXT_BYTES]);
bool policy_targets_read(struct span text, struct sla_terms *terms);

/* clocks.c */
/* Open tickets whose terms use that schedule (0 = any): their deadlines are reckoned again. */
void clocks_reckon(struct desk *desk, int64_t schedule);
/* Open tickets get the terms that fit them now. 0 or a negative protocol error. */
int clocks_match(struct desk *desk);

/* clock_row.c: the clock of a ticket. */
struct sla_clock {
        struct sla_count count;
        int64_t events;  /* how many there have been */
        int64_t last_ms; /* of the newest */
        bool is_changed; /* has to be written */
};
int clock_read(struct db *db, int64_t ticket, struct sla_clock **out_clock); /* DB_ROW, DB_OK (none), or a db_error */
int clock_write(struct db *db, int64_t ticket, const struct sla_clock *clock, const struct sla_world *world);
int clock_event_put(struct db *db, int64_t ticket, int64_t number, const struct sla_event *event);
/* Reads the row that a statement of sla_events stands at. */
struct db_stmt;
struct sla_event clock_event_read(struct db_stmt *stmt);
