/* SPDX-License-Identifier: Apache-2.0 */
/* Business time against a slow reckoning of its own: every minute is asked of the C library's local time and looked up
 * in the schedule, one after the other. Random schedules in zones whose clocks change in unusual ways; HOURS_ALL=1 for
 * the full count, HOURS_SEED=n for the same ones again. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "desk/hours/calendar.h"
#include "desk/hours/zone.h"
#include "desk/hours/zone_file.h"
#include "unit/ops/cmocka_all.h"

#define MINUTE_MS INT64_C(60000)
#define DAY_MS    INT64_C(86400000)

static const char *const zone_names[] = {
        "Asia/Seoul", "Europe/Berlin",       "America/New_York",  "Asia/Kolkata", "America/St_Johns",
        "Asia/Gaza",  "Australia/Lord_Howe", "Africa/Casablanca", "Etc/UTC",      "America/Havana"};
enum { ZONES = sizeof zone_names / sizeof *zone_names, OWN_DAYS = 12 };

static struct zone *zones[ZONES];
static uint64_t seed;

static uint32_t draw(uint32_t below)
{
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        return (uint32_t)((seed >> 16) % below);
}

/* ---- a schedule ---- */

static struct calendar_day own_days[OWN_DAYS];
static struct calendar calendar;

static struct calendar_hours draw_hours(void)
{
        static const uint16_t steps[] = {1, 15, 30, 60};
        struct calendar_hours hours = {0};
        uint32_t from = draw(4) == 0 ? 0 : draw(900), step = steps[draw(4)];
        while (hours.count < 1 + draw(CALENDAR_INTERVALS) && from < CALENDAR_DAY_MINUTES) {
                uint32_t to = from + step * (1 + draw(12));
                if (to > CALENDAR_DAY_MINUTES || draw(12) == 0)
                        to = CALENDAR_DAY_MINUTES;
                hours.at[hours.count++] = (struct calendar_interval){(uint16_t)from, (uint16_t)to};
                from = to + draw(200);
                if (hours.count == CALENDAR_INTERVALS)
                        break;
        }
        return hours;
}

static void draw_calendar(int zone, int64_t near_ms)
{
        calendar = (struct calendar){.zone = zones[zone], .days = own_days};
        for (int day = 0; day < 7; day++)
                if (draw(4) != 0)
                        calendar.week[day] = draw_hours();
        calendar.week[draw(7)] = draw_hours();
        for (uint32_t i = draw(OWN_DAYS); i > 0; i--) {
                time_t at = (time_t)(near_ms / 1000 + (int64_t)draw(20) * 86400);
                struct tm tm;
                gmtime_r(&at, &tm);
                struct calendar_day *day = &own_days[calendar.day_count++];
                *day = (struct calendar_day){
                        (int16_t)(draw(2) ? tm.tm_year + 1900 : 0), (uint8_t)(tm.tm_mon + 1), (uint8_t)tm.tm_mday, {0}};
                if (draw(2))
                        day->hours = draw_hours();
                if (calendar_sort_days(own_days, calendar.day_count) >= 0)
                        calendar.day_count = 0; /* one twice: none at all, this time */
        }
}

/* ---- the slow way ---- */

struct minute {
        int32_t date; /* yyyymmdd */
        int16_t of_day;
        bool is_open;
};

static const struct calendar_hours *slow_hours(const struct tm *tm)
{
        for (int pass = 0; pass < 2; pass++)
                for (size_t i = 0; i < calendar.day_count; i++)
                        if (own_days[i].year == (pass == 0 ? tm->tm_year + 1900 : 0) &&
                            own_days[i].month == tm->tm_mon + 1 && own_days[i].day == tm->tm_mday)
                                return &own_days[i].hours;
        return &calendar.week[(tm->tm_wday + 6) % 7];
}

static void slow_minutes(int64_t from_ms, size_t count, struct minute *out)
{
        for (size_t i = 0; i < count; i++) {
                time_t at = (time_t)(from_ms / 1000 + (int64_t)i * 60);
                struct tm tm;
                localtime_r(&at, &tm);
                const struct calendar_hours *hours = slow_hours(&tm);
                int of_day = tm.tm_hour * 60 + tm.tm_min;
                out[i] = (struct minute){(tm.tm_year + 1900) * 10000 + (tm.tm_mon + 1) * 100 + tm.tm_mday,
                                         (int16_t)of_day, false};
                for (int k = 0; k < hours->count; k++)
                        out[i].is_open |= of_day >= hours->at[k].from && of_day < hours->at[k].to;
        }
}

/* All times are offsets from the first minute. */
static int64_t slow_between(const struct minute *minutes, int64_t from_ms, int64_t to_ms)
{
        int64_t sum = 0;
        for (int64_t m = from_ms / MINUTE_MS; m * MINUTE_MS < to_ms; m++) {
                int64_t begins = m * MINUTE_MS < from_ms ? from_ms : m * MINUTE_MS;
                int64_t ends = (m + 1) * MINUTE_MS > to_ms ? to_ms : (m + 1) * MINUTE_MS;
                sum += minutes[m].is_open ? ends - begins : 0;
        }
        return sum;
}

/* -1: not within the minutes that were looked at. */
static int64_t slow_add(const struct minute *minutes, size_t count, int64_t at_ms, int64_t open_ms)
{
        for (int64_t m = at_ms / MINUTE_MS; m < (int64_t)count; m++) {
                int64_t begins = m * MINUTE_MS < at_ms ? at_ms : m * MINUTE_MS;
                int64_t here = minutes[m].is_open ? (m + 1) * MINUTE_MS - begins : 0;
                if (here >= open_ms)
                        return begins + open_ms;
                open_ms -= here;
        }
        return -1;
}

static int64_t slow_next(const struct minute *minutes, size_t count, int64_t at_ms, bool is_open)
{
        for (int64_t m = at_ms / MINUTE_MS; m < (int64_t)count; m++)
                if (minutes[m].is_open == is_open)
                        return m * MINUTE_MS < at_ms ? at_ms : m * MINUTE_MS;
        return -1;
}

/* The same time of day on the next date that is open at all; then back over what is closed. */
static int64_t slow_working_day(const struct minute *minutes, size_t count, int64_t at_ms)
{
        int64_t start = slow_next(minutes, count, at_ms, true), end = -1;
        if (start < 0)
                return -1;
        const struct minute *begun = &minutes[start / MINUTE_MS];
        int32_t date = 0;
        for (int64_t m = start / MINUTE_MS; m < (int64_t)count; m++) {
                if (!minutes[m].is_open || minutes[m].date <= begun->date)
                        continue;
                if (date && minutes[m].date != date)
                        break;
                date = minutes[m].date;
                end = (m + 1) * MINUTE_MS;
                if (minutes[m].of_day > begun->of_day)
                        end = m * MINUTE_MS;
                if (minutes[m].of_day == begun->of_day)
                        end = m * MINUTE_MS + start % MINUTE_MS;
                if (minutes[m].of_day >= begun->of_day)
                        break;
        }
        while (end > start && end % MINUTE_MS == 0 && !minutes[end / MINUTE_MS - 1].is_open)
                end -= MINUTE_MS;
        return end;
}

/* ---- both ---- */

static void assert_same(const char *what, int64_t slow, int64_t fast, int64_t origin_ms)
{
        if (slow < 0 || slow == fast - origin_ms)
                return;
        print_error("%s: minute by minute %lld, reckoned %lld, from %lld\n", what, (long long)slow,
                    (long long)(fast - origin_ms), (long long)origin_ms);
        fail();
}

static void compare(int zone, int days)
{
        enum { MARGIN_DAYS = 3 };
        int64_t origin_ms = (INT64_C(300000000) + draw(1000000) * INT64_C(2200)) / 60 * 60 * 1000; /* 1979 to 2049 */
        size_t count = (size_t)(days + MARGIN_DAYS) * 1440;
        struct minute *minutes = malloc(count * sizeof *minutes);
        assert_non_null(minutes);
        draw_calendar(zone, origin_ms);
        slow_minutes(origin_ms, count, minutes);
        int64_t from = (int64_t)draw(1440) * MINUTE_MS + draw(60000);
        int64_t to = from + (int64_t)draw((uint32_t)days * 1440 - 1440) * MINUTE_MS + draw(60000);
        int64_t open_ms = slow_between(minutes, from, to);
        assert_same("between", open_ms, calendar_between(&calendar, origin_ms + from, origin_ms + to), 0);
        if (open_ms > 0)
                assert_same("add", slow_add(minutes, count, from, open_ms),
                            calendar_add(&calendar, origin_ms + from, open_ms), origin_ms);
        assert_same("next open", slow_next(minutes, count, from, true), calendar_next_open(&calendar, origin_ms + from),
                    origin_ms);
        assert_same("next close", slow_next(minutes, count, from, false),
                    calendar_next_close(&calendar, origin_ms + from), origin_ms);
        assert_int_equal(minutes[to / MINUTE_MS].is_open, calendar_is_open(&calendar, origin_ms + to));
        if (days >= 7) /* the day after may be far away */
                assert_same("working day", slow_working_day(minutes, count, from),
                            calendar_add_days(&calendar, origin_ms + from, 1), origin_ms);
        free(minutes);
}

static void in_every_zone(int schedules, int least_days, int most_days)
{
        for (int zone = 0; zone < ZONES; zone++) {
                assert_int_equal(0, setenv("TZ", zone_names[zone], 1));
                tzset();
                for (int i = 0; i < schedules / ZONES; i++)
                        compare(zone, least_days + (int)draw((uint32_t)(most_days - least_days + 1)));
        }
}

static bool is_long(void)
{
        return getenv("HOURS_ALL") != NULL;
}

static void spans_of_up_to_two_weeks_are_what_a_count_of_their_minutes_says(void **state)
{
        (void)state;
        in_every_zone(is_long() ? 100000 : 1000, 2, is_long() ? 14 : 10);
}

static void spans_of_up_to_two_years_are_what_a_count_of_their_minutes_says(void **state)
{
        (void)state;
        in_every_zone(is_long() ? 200 : ZONES, 366, is_long() ? 731 : 400);
}

static int load_zones(void **state)
{
        (void)state;
        const char *said = getenv("HOURS_SEED");
        seed = said ? strtoull(said, NULL, 10) : (uint64_t)time(NULL) * 2654435761u + 1;
        print_message("HOURS_SEED=%llu\n", (unsigned long long)seed);
        for (int i = 0; i < ZONES; i++) {
                char *bytes = NULL;
                size_t len = 0;
                int rc = zone_file_read(span_of(zone_names[i]), &bytes, &len);
                rc = rc < 0 ? rc : zone_parse((struct span){bytes, len}, &zones[i]);
                free(bytes);
                if (rc < 0)
                        return rc;
        }
        return 0;
}

static int free_zones(void **state)
{
        (void)state;
        for (int i = 0; i < ZONES; i++)
                zones[i] = zone_free(zones[i]);
        return 0;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(spans_of_up_to_two_weeks_are_what_a_count_of_their_minutes_says),
                cmocka_unit_test(spans_of_up_to_two_years_are_what_a_count_of_their_minutes_says),
        };
        return cmocka_run_group_tests(tests, load_zones, free_zones);
}
