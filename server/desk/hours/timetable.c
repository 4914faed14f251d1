/* SPDX-License-Identifier: Apache-2.0 */
/* Timetable: see timetable.h. */
#include "desk/hours/timetable.h"

const struct timetable timetable_always = {&(struct timetable_version){0, 0, &calendar_always}, 1};

static size_t place(const struct timetable *times, int64_t at_ms)
{
        size_t i = times->count - 1;
        while (i > 0 && times->versions[i].from_ms > at_ms)
                i--;
        return i;
}

const struct timetable_version *timetable_at(const struct timetable *times, int64_t at_ms)
{
        return &times->versions[place(times, at_ms)];
}

int64_t timetable_until(const struct timetable *times, int64_t at_ms)
{
        size_t i = place(times, at_ms);
        return i + 1 < times->count ? times->versions[i + 1].from_ms : CALENDAR_NEVER;
}

int64_t timetable_between(const struct timetable *times, int64_t from_ms, int64_t to_ms)
{
        int64_t sum = 0;
        while (from_ms < to_ms) {
                int64_t until_ms = timetable_until(times, from_ms);
                int64_t end_ms = until_ms < to_ms ? until_ms : to_ms;
                sum += calendar_between(timetable_at(times, from_ms)->calendar, from_ms, end_ms);
                from_ms = end_ms;
        }
        return sum;
}

int64_t timetable_add(const struct timetable *times, int64_t at_ms, int64_t open_ms)
{
        for (;;) {
                const struct calendar *calendar = timetable_at(times, at_ms)->calendar;
                int64_t until_ms = timetable_until(times, at_ms), end_ms = calendar_add(calendar, at_ms, open_ms);
                if (end_ms <= until_ms)
                        return end_ms;
                open_ms -= calendar_between(calendar, at_ms, until_ms);
                at_ms = until_ms;
        }
}
