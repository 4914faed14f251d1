/* SPDX-License-Identifier: Apache-2.0 */
/* Business time, as sentences: the vectors that other help desks got wrong, daylight saving both ways, leap days, two
 * intervals, midnight, and what a schedule may say. Random ones against a slow count: test_minutes.c. */
#include <stdlib.h>
#include <time.h>

#include "desk/hours/calendar.h"
#include "desk/hours/timetable.h"
#include "desk/hours/zone.h"
#include "desk/hours/zone_file.h"
#include "unit/ops/cmocka_all.h"

#define MINUTE INT64_C(60000)
#define HOUR   (60 * MINUTE)

static struct calendar_day days[8];
static struct calendar calendar;
static struct zone *zone;

static void open_in(const char *zone_name, const char *week)
{
        struct calendar_error error = {0, ""};
        char *bytes = NULL;
        size_t len = 0;
        zone = zone_free(zone);
        assert_int_equal(0, zone_file_read(span_of(zone_name), &bytes, &len));
        assert_int_equal(0, zone_parse((struct span){bytes, len}, &zone));
        free(bytes);
        calendar = (struct calendar){.zone = zone, .days = days};
        if (calendar_read_week(span_of(week), calendar.week, &error) < 0)
                fail_msg("%s, character %zu: %s", week, error.at + 1, error.expected);
}

static void and_on(const char *day)
{
        struct calendar_error error = {0, ""};
        if (calendar_read_day(span_of(day), &days[calendar.day_count], &error) < 0)
                fail_msg("%s, character %zu: %s", day, error.at + 1, error.expected);
        calendar.day_count++;
        assert_int_equal(-1, calendar_sort_days(days, calendar.day_count));
}

/* "2026-11-20 16:30" as the clocks of the calendar's zone show it. */
static int64_t at(const char *text)
{
        struct tm tm = {0};
        assert_non_null(strptime(text, "%Y-%m-%d %H:%M", &tm));
        return zone_from_local(zone, timegm(&tm)) * 1000;
}

static void assert_time(const char *local, int64_t ms)
{
        char shown[32];
        time_t local_s = (time_t)(ms / 1000 + zone_at(zone, ms / 1000).offset_s);
        struct tm tm;
        gmtime_r(&local_s, &tm);
        strftime(shown, sizeof shown, "%Y-%m-%d %H:%M", &tm);
        assert_string_equal(local, shown);
        assert_int_equal(0, ms % MINUTE);
}

/* ---- vectors ---- */

static void an_hour_from_friday_half_past_four_is_monday_half_past_nine(void **state)
{
        (void)state;
        open_in("Europe/Berlin", "mon-fri 09:00-17:00");
        assert_time("2026-11-23 09:30", calendar_add(&calendar, at("2026-11-20 16:30"), HOUR));
        assert_int_equal(HOUR, calendar_between(&calendar, at("2026-11-20 16:30"), at("2026-11-23 09:30")));
}

static void what_ends_with_the_day_ends_at_its_closing(void **state)
{
        (void)state;
        open_in("Europe/Berlin", "mon-fri 09:00-17:00");
        assert_time("2026-11-20 17:00", calendar_add(&calendar, at("2026-11-20 16:00"), HOUR));
        assert_time("2026-11-23 10:00", calendar_add(&calendar, at("2026-11-21 12:00"), HOUR)); /* a Saturday */
}

static void twenty_four_office_hours_are_three_days_and_a_working_day_is_one(void **state)
{
        (void)state;
        open_in("Europe/Berlin", "mon-fri 09:00-17:00");
        assert_time("2026-11-25 16:55", calendar_add(&calendar, at("2026-11-20 16:55"), 24 * HOUR));
        assert_time("2026-11-23 16:55", calendar_add_days(&calendar, at("2026-11-20 16:55"), 1));
        assert_time("2026-11-25 16:55", calendar_add_days(&calendar, at("2026-11-20 16:55"), 3));
}

static void a_working_day_from_a_weekend_is_all_of_monday(void **state)
{
        (void)state;
        open_in("Europe/Berlin", "mon-fri 09:00-17:00");
        assert_time("2026-11-23 17:00", calendar_add_days(&calendar, at("2026-11-21 12:00"), 1));
        assert_time("2026-11-23 17:00", calendar_add_days(&calendar, at("2026-11-23 09:00"), 1));
}

static void a_working_day_ends_within_a_shorter_day_and_after_its_pause(void **state)
{
        (void)state;
        open_in("Europe/Berlin", "mon 09:00-17:00; tue 09:00-12:00,14:00-15:00");
        assert_time("2026-11-24 15:00", calendar_add_days(&calendar, at("2026-11-23 16:00"), 1));
        assert_time("2026-11-24 12:00", calendar_add_days(&calendar, at("2026-11-23 13:00"), 1)); /* nothing until 14 */
        assert_time("2026-11-24 14:30", calendar_add_days(&calendar, at("2026-11-23 14:30"), 1));
}

static void lunch_is_not_counted(void **state)
{
        (void)state;
        open_in("Asia/Seoul", "mon-fri 09:00-12:00,13:00-18:00");
        assert_time("2026-11-23 13:30", calendar_add(&calendar, at("2026-11-23 11:30"), HOUR));
        assert_time("2026-11-23 12:00", calendar_add(&calendar, at("2026-11-23 11:30"), HOUR / 2));
        assert_int_equal(8 * HOUR, calendar_between(&calendar, at("2026-11-23 00:00"), at("2026-11-24 00:00")));
        assert_false(calendar_is_open(&calendar, at("2026-11-23 12:00")));
        assert_true(calendar_is_open(&calendar, at("2026-11-23 13:00")));
        assert_false(calendar_is_open(&calendar, at("2026-11-23 18:00")));
        assert_true(calendar_is_open(&calendar, at("2026-11-23 18:00") - 1));
}

static void holidays_of_a_year_and_of_every_year_are_skipped(void **state)
{
        (void)state;
        open_in("Asia/Seoul", "mon-fri 09:00-18:00");
        and_on("01-01");
        and_on("2026-10-05");
        assert_time("2027-01-04 10:00",
                    calendar_add(&calendar, at("2026-12-31 17:00"), 2 * HOUR)); /* Friday is the first */
        assert_time("2026-10-06 10:00", calendar_add(&calendar, at("2026-10-02 17:00"), 2 * HOUR));
        assert_time("2027-10-05 09:00", calendar_next_open(&calendar, at("2027-10-05 00:00")));
}

static void a_day_with_hours_of_its_own_has_those(void **state)
{
        (void)state;
        open_in("Europe/Berlin", "mon-fri 09:00-17:00");
        and_on("12-24 09:00-12:00");
        and_on("2026-12-24");
        and_on("2026-12-26 10:00-11:00"); /* a Saturday */
        assert_time("2026-12-25 09:00", calendar_next_open(&calendar, at("2026-12-23 17:00")));
        assert_int_equal(HOUR, calendar_between(&calendar, at("2026-12-26 00:00"), at("2026-12-27 00:00")));
        assert_int_equal(3 * HOUR, calendar_between(&calendar, at("2027-12-24 00:00"), at("2027-12-25 00:00")));
}

static void the_leap_day_is_a_day_and_its_holiday_comes_every_four_years(void **state)
{
        (void)state;
        open_in("Europe/Berlin", "mon-sun 09:00-17:00");
        assert_int_equal(3 * 8 * HOUR, calendar_between(&calendar, at("2028-02-28 00:00"), at("2028-03-02 00:00")));
        assert_int_equal(2 * 8 * HOUR, calendar_between(&calendar, at("2027-02-28 00:00"), at("2027-03-02 00:00")));
        and_on("02-29");
        assert_int_equal(2 * 8 * HOUR, calendar_between(&calendar, at("2028-02-28 00:00"), at("2028-03-02 00:00")));
        assert_int_equal(2 * 8 * HOUR, calendar_between(&calendar, at("2027-02-28 00:00"), at("2027-03-02 00:00")));
}

static void the_hour_that_clocks_leave_out_is_nobodys(void **state)
{
        (void)state;
        open_in("Europe/Berlin", "mon-sun 01:00-05:00");
        int64_t midnight = at("2026-03-29 00:00"), next = at("2026-03-30 00:00");
        assert_int_equal(23 * HOUR, next - midnight);
        assert_int_equal(3 * HOUR, calendar_between(&calendar, midnight, next));
        assert_time("2026-03-29 03:30", calendar_add(&calendar, at("2026-03-29 01:00"), HOUR + HOUR / 2));
        open_in("Europe/Berlin", "sun 02:00-03:00");
        assert_time("2026-04-05 02:00", calendar_next_open(&calendar, midnight)); /* a week later */
}

static void the_hour_that_clocks_show_twice_counts_twice(void **state)
{
        (void)state;
        open_in("Europe/Berlin", "mon-sun 01:00-05:00");
        assert_int_equal(5 * HOUR, calendar_between(&calendar, at("2026-10-25 00:00"), at("2026-10-26 00:00")));
        open_in("Europe/Berlin", "sun 02:00-02:30");
        int64_t first = at("2026-10-25 02:00");
        assert_true(calendar_is_open(&calendar, first));
        assert_false(calendar_is_open(&calendar, first + HOUR / 2));
        assert_true(calendar_is_open(&calendar, first + HOUR));
        assert_int_equal(HOUR, calendar_between(&calendar, first, first + 2 * HOUR));
}

static void nights_touch_at_midnight(void **state)
{
        (void)state;
        open_in("America/New_York", "mon 22:00-24:00; tue 00:00-06:00");
        assert_time("2026-11-24 06:00", calendar_next_close(&calendar, at("2026-11-23 22:30")));
        assert_time("2026-11-24 01:00", calendar_add(&calendar, at("2026-11-23 22:00"), 3 * HOUR));
        assert_true(calendar_is_open(&calendar, at("2026-11-24 00:00")));
        assert_int_equal(8 * HOUR, calendar_between(&calendar, at("2026-11-23 00:00"), at("2026-11-25 00:00")));
}

static void always_open_is_the_clock_on_the_wall(void **state)
{
        (void)state;
        open_in("Etc/UTC", "mon-sun 00:00-24:00");
        int64_t from = at("2026-11-20 16:30");
        assert_int_equal(from + 50 * HOUR, calendar_add(&calendar, from, 50 * HOUR));
        assert_int_equal(from + 50 * HOUR, calendar_add(&calendar_always, from, 50 * HOUR));
        assert_int_equal(50 * HOUR, calendar_between(&calendar_always, from, from + 50 * HOUR));
        assert_int_equal(CALENDAR_NEVER, calendar_next_close(&calendar, from));
        assert_time("2026-11-21 16:30", calendar_add_days(&calendar_always, from, 1));
}

static void what_never_opens_ends_never_and_soon(void **state)
{
        (void)state;
        open_in("Asia/Seoul", "mon 09:00-10:00");
        memset(calendar.week, 0, sizeof calendar.week);
        and_on("2020-02-03 09:00-10:00");
        int64_t now = at("2026-11-20 16:30");
        assert_int_equal(CALENDAR_NEVER, calendar_next_open(&calendar, now));
        assert_int_equal(CALENDAR_NEVER, calendar_add(&calendar, now, 1));
        assert_int_equal(CALENDAR_NEVER, calendar_add_days(&calendar, now, 1));
        assert_int_equal(0, calendar_between(&calendar, now, now + 365 * 24 * HOUR));
        assert_int_equal(now, calendar_next_close(&calendar, now));
        assert_time("2020-02-03 09:00", calendar_next_open(&calendar, at("2020-01-01 00:00")));
}

static void nothing_is_added_by_nothing(void **state)
{
        (void)state;
        open_in("Asia/Seoul", "mon 09:00-10:00");
        int64_t now = at("2026-11-20 16:30");
        assert_int_equal(now, calendar_add(&calendar, now, 0));
        assert_int_equal(0, calendar_between(&calendar, now, now));
        assert_int_equal(0, calendar_between(&calendar, now, now - HOUR));
}

/* ---- versions ---- */

static void a_new_version_counts_from_its_moment_on(void **state)
{
        (void)state;
        open_in("Asia/Seoul", "mon-fri 09:00-18:00");
        struct calendar later = calendar;
        struct calendar_error error;
        assert_int_equal(0, calendar_read_week(SPAN("mon-fri 09:00-12:00"), later.week, &error));
        struct timetable_version versions[] = {{1, 0, &calendar}, {2, at("2026-11-24 10:00"), &later}};
        struct timetable times = {versions, 2};
        int64_t from = at("2026-11-23 17:00");
        assert_int_equal(4 * HOUR, timetable_between(&times, from, at("2026-11-24 18:00"))); /* 1 + 1 + 2 */
        assert_time("2026-11-25 10:00", timetable_add(&times, from, 5 * HOUR));
        assert_int_equal(1, timetable_at(&times, versions[1].from_ms - 1)->number);
        assert_int_equal(2, timetable_at(&times, versions[1].from_ms)->number);
        assert_int_equal(1, timetable_at(&times, -HOUR)->number);
}

/* ---- text ---- */

static void what_is_printed_is_the_shortest_and_read_again_as_the_same(void **state)
{
        (void)state;
        static const char *const pairs[][2] = {
                {"mon-fri 09:00-17:00", "mon-fri 09:00-17:00"},
                {"Fri,Mon 09:00-12:00, 12:00-13:00 ; tue-thu 09:00-13:00;", "mon-fri 09:00-13:00"},
                {"sat-mon 10:00-14:00", "mon 10:00-14:00; sat-sun 10:00-14:00"},
                {"wed 00:00-24:00", "wed 00:00-24:00"},
                {"mon 01:00-02:00,03:00-04:00,05:00-06:00,07:00-08:00,09:00-10:00,11:00-12:00",
                 "mon 01:00-02:00,03:00-04:00,05:00-06:00,07:00-08:00,09:00-10:00,11:00-12:00"},
        };
        for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
                struct calendar_hours week[7], again[7];
                struct calendar_error error;
                struct writer out;
                writer_init(&out, NULL, 0);
                assert_int_equal(0, calendar_read_week(span_of(pairs[i][0]), week, &error));
                calendar_write_week(week, &out);
                assert_true(span_equal(span_of(pairs[i][1]), (struct span){out.bytes, out.len}));
                assert_int_equal(0, calendar_read_week((struct span){out.bytes, out.len}, again, &error));
                assert_memory_equal(week, again, sizeof week);
                writer_done(&out);
        }
}

static void a_week_that_is_wrong_is_refused_at_its_place(void **state)
{
        (void)state;
        static const struct {
                const char *text;
                size_t at;
        } bad[] = {
                {"", 0},
                {"mo 09:00-17:00", 0},
                {"mon", 3},
                {"mon 9:00-17:00", 4},
                {"mon 09:00", 9},
                {"mon 09:00-24:01", 10},
                {"mon 09:60-10:00", 4},
                {"mon 17:00-09:00", 4},
                {"mon 09:00-09:00", 4},
                {"mon 09:00-12:00,11:00-13:00", 16},
                {"mon 09:00-17:00; mon 18:00-19:00", 17},
                {"mon-fri 09:00-17:00; wed-sat 09:00-10:00", 21},
                {"mon 09:00-17:00 tue 09:00-17:00", 16},
                {"mon 01:00-02:00,03:00-04:00,05:00-06:00,07:00-08:00,09:00-10:00,11:00-12:00,13:00-14:00", 76},
        };
        struct calendar_hours week[7];
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
                struct calendar_error error = {999, NULL};
                if (calendar_read_week(span_of(bad[i].text), week, &error) == 0)
                        fail_msg("taken: %s", bad[i].text);
                if (error.at != bad[i].at)
                        fail_msg("%s: at %zu, not %zu: %s", bad[i].text, bad[i].at, error.at, error.expected);
        }
}

static void a_date_is_one_of_the_calendar(void **state)
{
        (void)state;
        static const char *const bad[] = {
                "",           "2026-02-29",  "02-30",       "13-01",      "2026-1-1",          "26-01-01",
                "0000-01-01", "2026-10-05x", "2026-10-05 ", "12-24 9-12", "12-24 09:00-08:00", "00-10"};
        struct calendar_error error;
        struct calendar_day day;
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
                if (calendar_read_day(span_of(bad[i]), &day, &error) == 0)
                        fail_msg("taken: %s", bad[i]);
        assert_int_equal(0, calendar_read_day(SPAN("2028-02-29"), &day, &error));
        assert_int_equal(0, calendar_read_day(SPAN("02-29"), &day, &error));
        struct calendar_day twice[] = {{2026, 10, 5, {0}}, {0, 10, 5, {0}}, {2026, 10, 5, {0}}};
        assert_true(calendar_sort_days(twice, 3) > 0);
}

static int forget(void **state)
{
        (void)state;
        zone = zone_free(zone);
        return 0;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_hour_from_friday_half_past_four_is_monday_half_past_nine),
                cmocka_unit_test(what_ends_with_the_day_ends_at_its_closing),
                cmocka_unit_test(twenty_four_office_hours_are_three_days_and_a_working_day_is_one),
                cmocka_unit_test(a_working_day_from_a_weekend_is_all_of_monday),
                cmocka_unit_test(a_working_day_ends_within_a_shorter_day_and_after_its_pause),
                cmocka_unit_test(lunch_is_not_counted),
                cmocka_unit_test(holidays_of_a_year_and_of_every_year_are_skipped),
                cmocka_unit_test(a_day_with_hours_of_its_own_has_those),
                cmocka_unit_test(the_leap_day_is_a_day_and_its_holiday_comes_every_four_years),
                cmocka_unit_test(the_hour_that_clocks_leave_out_is_nobodys),
                cmocka_unit_test(the_hour_that_clocks_show_twice_counts_twice),
                cmocka_unit_test(nights_touch_at_midnight),
                cmocka_unit_test(always_open_is_the_clock_on_the_wall),
                cmocka_unit_test(what_never_opens_ends_never_and_soon),
                cmocka_unit_test(nothing_is_added_by_nothing),
                cmocka_unit_test(a_new_version_counts_from_its_moment_on),
                cmocka_unit_test(what_is_printed_is_the_shortest_and_read_again_as_the_same),
                cmocka_unit_test(a_week_that_is_wrong_is_refused_at_its_place),
                cmocka_unit_test(a_date_is_one_of_the_calendar),
        };
        return cmocka_run_group_tests(tests, NULL, forget);
}
