/* SPDX-License-Identifier: Apache-2.0 */
/* Timetable: the versions that a schedule has had, each in force from its moment until the next one's, and the
 * arithmetic of business time across them. Pure. A version never changes once it is there. */
#pragma once

#include "desk/hours/calendar.h"

struct timetable {
        struct timetable_version {
                int64_t number; /* row id of the version, for the ledger */
                int64_t from_ms;
                const struct calendar *calendar; /* borrowed */
        } * versions;                            /* by from_ms; the first is also what was before it */
        size_t count;                            /* at least 1 */
};

extern const struct timetable timetable_always; /* open all the time; its version is number 0 */

const struct timetable_version *timetable_at(const struct timetable *times, int64_t at_ms);
/* When the version in force at that moment ends. CALENDAR_NEVER: it is the newest. */
int64_t timetable_until(const struct timetable *times, int64_t at_ms);
int64_t timetable_between(const struct timetable *times, int64_t from_ms, int64_t to_ms); /* as calendar_between */
int64_t timetable_add(const struct timetable *times, int64_t at_ms, int64_t open_ms);     /* as calendar_add */
