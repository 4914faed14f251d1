/* SPDX-License-Identifier: Apache-2.0 */
/* Calendar: when somebody is there: weekly hours, holidays and special days in a time zone, and the arithmetic of
 * business time over them. Pure: times are arguments, wall milliseconds since 1970.
 *
 * A moment is open when the clocks of the zone show, on that date, a time within that date's hours: from the minute an
 * interval begins, up to but not including the minute it ends. So an hour that the clocks leave out is nobody's, and
 * one that they show twice counts twice. A date's own hours stand for those of its weekday: those of a full date before
 * those of a month and day of every year. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/span.h"
#include "protocol/writer.h"

struct zone;

enum {
        CALENDAR_INTERVALS = 6, /* of a day */
        CALENDAR_DAYS = 400,    /* dates with their own hours */
        CALENDAR_DAY_MINUTES = 1440,
        CALENDAR_TEXT_BYTES = 512, /* of the week's hours as text */
        CALENDAR_DAY_BYTES = 96,   /* of a date with its hours as text */
};
#define CALENDAR_NEVER       INT64_MAX
#define CALENDAR_MS_MAX      INT64_C(100000000000000)           /* instants beyond it (year 5138) are not looked at */
#define CALENDAR_HORIZON_MS  (INT64_C(20) * 366 * 86400 * 1000) /* how far ahead business time is looked for */
#define CALENDAR_HAS_OPEN_MS (INT64_C(5) * 366 * 86400 * 1000)  /* a schedule has to open within that */

struct calendar_hours {
        uint8_t count; /* 0 = closed */
        struct calendar_interval {
                uint16_t from, to; /* minutes of the day; from < to <= 1440, in order, not overlapping */
        } at[CALENDAR_INTERVALS];
};

struct calendar_day {
        int16_t year; /* 0 = every year */
        uint8_t month, day;
        struct calendar_hours hours;
};

struct calendar {
        const struct zone *zone;         /* borrowed; NULL = UTC */
        struct calendar_hours week[7];   /* [0] is Monday */
        const struct calendar_day *days; /* borrowed; by year, month, day, none twice */
        size_t day_count;
};

extern const struct calendar calendar_always; /* open all the time */

bool calendar_is_open(const struct calendar *calendar, int64_t at_ms);
/* The first open moment from at_ms on, at_ms itself included. CALENDAR_NEVER: none within the horizon. */
int64_t calendar_next_open(const struct calendar *calendar, int64_t at_ms);
/* The first moment from at_ms on that is not open. CALENDAR_NEVER: none within the horizon. */
int64_t calendar_next_close(const struct calendar *calendar, int64_t at_ms);
/* Open milliseconds from one moment to a later one; 0 when it is not later. */
int64_t calendar_between(const struct calendar *calendar, int64_t from_ms, int64_t to_ms);
/* The first moment at which `open_ms` of open time have passed since at_ms: at the end of a day that is its closing,
 * not the next opening. 0 or less: at_ms. CALENDAR_NEVER: not within the horizon. */
int64_t calendar_add(const struct calendar *calendar, int64_t at_ms, int64_t open_ms);
/* `count` (at least 1) working days later, a working day being a date with open time. A moment that is not open counts
 * as the next opening. It ends at the same time of day; where that is closed, at the next opening on that date, or
 * after its last closing at that. An end that falls on an opening is said as the closing before it: nothing is open
 * between the two. CALENDAR_NEVER: not within the horizon. */
int64_t calendar_add_days(const struct calendar *calendar, int64_t at_ms, int count);

/* ---- as text (calendar_text.c) ---- */

/* "mon-fri 09:00-12:00,13:00-18:00; sat 10:00-14:00": days, their intervals; a day that is not named is closed. Each
 * of the following answers 0 or -EINVAL, with what was expected and the byte it was expected at. */
struct calendar_error {
        size_t at; /* byte, from 0 */
        const char *expected;
};
int calendar_read_week(struct span text, struct calendar_hours week[7], struct calendar_error *error);
/* "2026-10-05" or "01-01" (of every year), closed all day, or with hours of its own: "12-24 09:00-12:00". */
int calendar_read_day(struct span text, struct calendar_day *out_day, struct calendar_error *error);
/* Puts them in order. The index of one that is there twice, or -1. */
int calendar_sort_days(struct calendar_day *days, size_t count);
void calendar_write_week(const struct calendar_hours week[7], struct writer *out);
void calendar_write_day(const struct calendar_day *day, struct writer *out);
