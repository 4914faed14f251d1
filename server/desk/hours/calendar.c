/* SPDX-License-Identifier: Apache-2.0 */
/* Calendar: see calendar.h. Everything is one walk over open stretches: for each stretch of one offset of the zone, for
 * each local date in it, for each interval of that date. */
#include "desk/hours/calendar.h"

#include "desk/hours/civil.h"
#include "desk/hours/zone.h"

enum { DAY_MS = 86400000, MINUTE_MS = 60000 };

#define ALL_DAY                                                                                                        \
        {                                                                                                              \
                1,                                                                                                     \
                {                                                                                                      \
                        {                                                                                              \
                                0, CALENDAR_DAY_MINUTES                                                                \
                        }                                                                                              \
                }                                                                                                      \
        }
const struct calendar calendar_always = {.week = {ALL_DAY, ALL_DAY, ALL_DAY, ALL_DAY, ALL_DAY, ALL_DAY, ALL_DAY}};

/* Open stretches in order of time. Two may touch: at midnight, or where the clocks change. */
struct walk {
        const struct calendar *calendar;
        int64_t until_ms;                   /* none that begins there or later */
        int64_t from_ms, to_ms, offset_ms;  /* of the zone's stretch */
        int64_t day;                        /* local date looked at */
        const struct calendar_hours *hours; /* of that date */
        int next;                           /* interval */
};

struct stretch {
        int64_t from_ms, to_ms;
        int64_t day, offset_ms; /* the local date it is in, and how far local time is from UTC */
};

static int64_t place(const struct calendar_day *day, int64_t year, int month, int of_month)
{
        if (day->year != year)
                return day->year - year;
        return day->month != month ? day->month - month : day->day - of_month;
}

static const struct calendar_day *find_day(const struct calendar *calendar, int64_t year, int month, int of_month)
{
        size_t low = 0, high = calendar->day_count;
        while (low < high) {
                size_t middle = low + (high - low) / 2;
                int64_t order = place(&calendar->days[middle], year, month, of_month);
                if (order == 0)
                        return &calendar->days[middle];
                if (order < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return NULL;
}

static const struct calendar_hours *hours_of(const struct calendar *calendar, int64_t day)
{
        if (calendar->day_count > 0) {
                struct civil date = civil_from_days(day);
                const struct calendar_day *own = find_day(calendar, date.year, date.month, date.day);
                if (!own)
                        own = find_day(calendar, 0, date.month, date.day);
                if (own)
                        return &own->hours;
        }
        return &calendar->week[civil_weekday(day)];
}

static void walk_day(struct walk *walk, int64_t day)
{
        walk->day = day;
        walk->hours = hours_of(walk->calendar, day);
        walk->next = 0;
}

static void walk_stretch(struct walk *walk, int64_t at_ms)
{
        struct zone_stretch stretch = zone_at(walk->calendar->zone, civil_floor_div(at_ms, 1000));
        walk->from_ms = stretch.from_s * 1000;
        walk->to_ms = stretch.to_s * 1000;
        walk->offset_ms = (int64_t)stretch.offset_s * 1000;
        walk_day(walk, civil_floor_div(at_ms + walk->offset_ms, DAY_MS));
}

static int64_t bounded(int64_t at_ms)
{
        if (at_ms < -CALENDAR_MS_MAX)
                return -CALENDAR_MS_MAX;
        return at_ms > CALENDAR_MS_MAX ? CALENDAR_MS_MAX : at_ms;
}

static struct walk walk_begin(const struct calendar *calendar, int64_t at_ms, int64_t until_ms)
{
        struct walk walk = {.calendar = calendar, .until_ms = bounded(until_ms)};
        walk_stretch(&walk, bounded(at_ms));
        return walk;
}

/* The next interval of the day that is within the zone's stretch, whole or in part. */
static bool walk_interval(struct walk *walk, struct stretch *out)
{
        while (walk->next < walk->hours->count) {
                const struct calendar_interval *at = &walk->hours->at[walk->next++];
                int64_t midnight = walk->day * DAY_MS - walk->offset_ms;
                int64_t from = midnight + (int64_t)at->from * MINUTE_MS, to = midnight + (int64_t)at->to * MINUTE_MS;
                if (from < walk->from_ms)
                        from = walk->from_ms;
                if (to > walk->to_ms)
                        to = walk->to_ms;
                if (from < to) {
                        *out = (struct stretch){from, to, walk->day, walk->offset_ms};
                        return true;
                }
        }
        return false;
}

/* False: there is none before until_ms. What ends before the walk's beginning may come too. */
static bool walk_next(struct walk *walk, struct stretch *out)
{
        while (!walk_interval(walk, out)) {
                int64_t midnight = (walk->day + 1) * DAY_MS - walk->offset_ms;
                if (midnight >= walk->until_ms && walk->to_ms >= walk->until_ms)
                        return false;
                if (midnight < walk->to_ms)
                        walk_day(walk, walk->day + 1);
                else
                        walk_stretch(walk, walk->to_ms);
        }
        return out->from_ms < walk->until_ms;
}

int64_t calendar_next_open(const struct calendar *calendar, int64_t at_ms)
{
        struct walk walk = walk_begin(calendar, at_ms, at_ms + CALENDAR_HORIZON_MS);
        struct stretch open;
        while (walk_next(&walk, &open))
                if (open.to_ms > at_ms)
                        return open.from_ms > at_ms ? open.from_ms : at_ms;
        return CALENDAR_NEVER;
}

bool calendar_is_open(const struct calendar *calendar, int64_t at_ms)
{
        struct walk walk = walk_begin(calendar, at_ms, at_ms + 1);
        struct stretch open;
        while (walk_next(&walk, &open))
                if (open.to_ms > at_ms)
                        return true;
        return false;
}

int64_t calendar_next_close(const struct calendar *calendar, int64_t at_ms)
{
        struct walk walk = walk_begin(calendar, at_ms, at_ms + CALENDAR_HORIZON_MS);
        struct stretch open;
        int64_t close_ms = at_ms;
        while (walk_next(&walk, &open)) {
                if (open.from_ms > close_ms)
                        return close_ms;
                if (open.to_ms > close_ms)
                        close_ms = open.to_ms;
        }
        return close_ms >= walk.until_ms ? CALENDAR_NEVER : close_ms;
}

int64_t calendar_between(const struct calendar *calendar, int64_t from_ms, int64_t to_ms)
{
        if (to_ms <= from_ms)
                return 0;
        if (calendar == &calendar_always)
                return to_ms - from_ms;
        struct walk walk = walk_begin(calendar, from_ms, to_ms);
        struct stretch open;
        int64_t sum = 0;
        while (walk_next(&walk, &open)) {
                int64_t begins = open.from_ms > from_ms ? open.from_ms : from_ms;
                int64_t ends = open.to_ms < to_ms ? open.to_ms : to_ms;
                if (ends > begins)
                        sum += ends - begins;
        }
        return sum;
}

int64_t calendar_add(const struct calendar *calendar, int64_t at_ms, int64_t open_ms)
{
        if (open_ms <= 0)
                return at_ms;
        if (open_ms > CALENDAR_HORIZON_MS)
                return CALENDAR_NEVER;
        if (calendar == &calendar_always)
                return at_ms + open_ms;
        struct walk walk = walk_begin(calendar, at_ms, at_ms + CALENDAR_HORIZON_MS);
        struct stretch open;
        while (walk_next(&walk, &open)) {
                int64_t begins = open.from_ms > at_ms ? open.from_ms : at_ms;
                if (open.to_ms <= begins)
                        continue;
                if (open.to_ms - begins >= open_ms)
                        return begins + open_ms;
                open_ms -= open.to_ms - begins;
        }
        return CALENDAR_NEVER;
}

/* ---- working days ---- */

/* Where that time of day falls within the open stretches of one date: `first` is the earliest of them. The date's last
 * one is followed by one of another date, or by none. */
static int64_t place_in_day(struct walk *walk, struct stretch open, int64_t of_day_ms)
{
        int64_t day = open.day, end_ms;
        bool is_more;
        do {
                int64_t opens = open.from_ms + open.offset_ms - day * DAY_MS;
                int64_t closes = open.to_ms + open.offset_ms - day * DAY_MS;
                if (of_day_ms < opens)
                        return open.from_ms;
                if (of_day_ms < closes)
                        return open.from_ms + of_day_ms - opens;
                end_ms = open.to_ms;
                is_more = walk_next(walk, &open);
        } while (is_more && open.day == day);
        return end_ms;
}

int64_t calendar_add_days(const struct calendar *calendar, int64_t at_ms, int count)
{
        int64_t start_ms = calendar_next_open(calendar, at_ms);
        if (start_ms == CALENDAR_NEVER)
                return CALENDAR_NEVER;
        struct walk walk = walk_begin(calendar, start_ms, start_ms + CALENDAR_HORIZON_MS);
        int64_t day = walk.day, of_day_ms = start_ms + walk.offset_ms - day * DAY_MS;
        struct stretch open;
        while (walk_next(&walk, &open)) {
                if (open.day <= day)
                        continue;
                day = open.day;
                if (--count > 0)
                        continue;
                int64_t end_ms = place_in_day(&walk, open, of_day_ms);
                return calendar_add(calendar, start_ms, calendar_between(calendar, start_ms, end_ms));
        }
        return CALENDAR_NEVER;
}
