/* SPDX-License-Identifier: Apache-2.0 */
/* deskbell report: what it asks of the desk, and figures in words. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/report/report.h"
#include "tests/unit/cli/fake_console.h"
#include "tests/unit/ops/cmocka_all.h"

static int begin(void **state)
{
        (void)state;
        fake_reset();
        return 0;
}

static int end(void **state)
{
        (void)state;
        fake_reset();
        return 0;
}

/* ---- the period ---- */

static const char *period_of(const char *last, const char *from, const char *to)
{
        static char text[32];
        struct report_said said = {.last = last, .from = from, .to = to};
        struct report_period period;
        if (report_period(&said, "2026-11-22", &period) != EX_OK)
                return "refused";
        snprintf(text, sizeof text, "%s/%s", period.from, period.to);
        return text;
}

static void the_last_days_end_with_the_day_that_is_said(void **state)
{
        (void)state;
        assert_string_equal("2026-10-02/2026-10-31", period_of("30d", NULL, "2026-10-31"));
        assert_string_equal("2026-10-31/2026-10-31", period_of("1d", NULL, "2026-10-31"));
        assert_string_equal("2028-02-26/2028-03-03", period_of("1w", NULL, "2028-03-03")); /* a leap year */
        assert_string_equal("2026-10-02/2026-10-31", period_of(NULL, NULL, "2026-10-31"));
}

static void months_are_whole_from_their_first_day(void **state)
{
        (void)state;
        assert_string_equal("2026-10-01/2026-10-31", period_of("1m", NULL, "2026-10-31"));
        assert_string_equal("2025-11-01/2026-10-05", period_of("12m", NULL, "2026-10-05"));
}

static void what_is_no_day_or_no_period_is_refused(void **state)
{
        (void)state;
        assert_string_equal("refused", period_of(NULL, "2026-02-30", NULL));
        assert_string_equal("refused", period_of(NULL, "2026-2-3", NULL));
        assert_string_equal("refused", period_of(NULL, "2026-02-03x", NULL));
        assert_string_equal("refused", period_of(NULL, "2026-03-01", "2026-02-01"));
        assert_string_equal("refused", period_of("30", NULL, NULL));
        assert_string_equal("refused", period_of("0d", NULL, NULL));
        assert_string_equal("refused", period_of("5y", NULL, NULL));
        assert_string_equal("refused", period_of("30d", "2026-02-01", NULL));
}

static void a_line_is_made_of_what_suits_the_period(void **state)
{
        (void)state;
        const struct report_period month = {"2026-10-01", "2026-10-31"}, quarter = {"2026-08-01", "2026-10-31"},
                                   year = {"2026-01-01", "2026-12-31"};
        assert_string_equal("day", report_period_by(&month));
        assert_string_equal("week", report_period_by(&quarter));
        assert_string_equal("month", report_period_by(&year));
        assert_int_equal(365, report_period_days(&year));
}

/* ---- pages, filters ---- */

static void a_filter_finds_a_team_by_its_name(void **state)
{
        (void)state;
        struct console *console = NULL;
        json_t *params = NULL;
        struct report_said said = {.filter = "team=Returns"};
        const struct report_period period = {"2026-10-01", "2026-10-31"};
        fake_answer("team.list", 0, "{\"teams\":[{\"team\":\"tea_0000000000007\",\"name\":\"Returns\"}]}");
        assert_int_equal(EX_OK, console_open("x", CONSOLE_USE, &console));
        assert_int_equal(EX_OK, report_params(console, &said, &period, &params));
        assert_string_equal("team", cli_text(params, "filter_by"));
        assert_string_equal("tea_0000000000007", cli_text(params, "filter"));
        json_decref(params);
        said.filter = "topic=";
        assert_int_equal(EX_OK, report_params(console, &said, &period, &params));
        assert_string_equal("topic", cli_text(params, "filter_by"));
        assert_string_equal("", cli_text(params, "filter"));
        json_decref(params);
        said.filter = "Returns";
        assert_int_equal(EX_USAGE, report_params(console, &said, &period, &params));
        console_close(console);
}

static void pages_are_put_together(void **state)
{
        (void)state;
        struct console *console = NULL;
        json_t *answer = NULL;
        fake_answer("report.query", 0, "{\"rows\":[{\"key\":\"a\"}],\"more\":true,\"next\":\"a\"}");
        fake_answer("report.query", 0, "{\"rows\":[{\"key\":\"b\"}]}");
        assert_int_equal(EX_OK, console_open("x", CONSOLE_USE, &console));
        assert_int_equal(EX_OK, report_query(console, json_pack("{s:[s]}", "metrics", "csat"), &answer));
        assert_int_equal(2, json_array_size(json_object_get(answer, "rows")));
        assert_null(json_object_get(answer, "next"));
        assert_int_equal(2, fake_count);
        assert_string_equal("a", cli_text(fake_calls[1].params, "after"));
        json_decref(answer);
        console_close(console);
}

static void today_is_the_day_where_the_reports_are(void **state)
{
        (void)state;
        struct console *console = NULL;
        struct report_period east, west;
        struct report_said last_day = {.last = "1d"};
        fake_answer("report.query", 0, "{\"zone\":\"Pacific/Kiritimati\"}"); /* 26 hours apart */
        fake_answer("report.query", 0, "{\"zone\":\"Etc/GMT+12\"}");
        assert_int_equal(EX_OK, report_open(&last_day, &console, &east));
        assert_int_equal(EX_OK, report_open(&last_day, &console, &west));
        assert_true(strcmp(east.to, west.to) > 0);
        assert_string_equal(east.from, east.to);
        console_close(console);
}

static void the_period_before_is_as_long_and_ends_the_day_before(void **state)
{
        (void)state;
        struct console *console = NULL;
        json_t *rows = NULL, *params = json_pack("{s:s, s:s}", "from", "2026-03-01", "to", "2026-03-10");
        fake_answer("report.query", 0, "{\"rows\":[]}");
        assert_int_equal(EX_OK, console_open("x", CONSOLE_USE, &console));
        assert_int_equal(EX_OK, report_query_before(console, params, &rows));
        assert_string_equal("2026-02-19", cli_text(fake_calls[0].params, "from"));
        assert_string_equal("2026-02-28", cli_text(fake_calls[0].params, "to"));
        json_decref(rows);
        json_decref(params);
        console_close(console);
}

static void rows_are_ordered_by_figure_and_those_without_come_last(void **state)
{
        (void)state;
        json_t *answer = json_loads(
                "{\"columns\":[{\"unit\":\"percent\"}],\"rows\":["
                "{\"key\":\"a\",\"values\":[{\"n\":0}]},{\"key\":\"b\",\"values\":[{\"value\":5000}]},"
                "{\"key\":\"c\",\"values\":[{\"value\":9000}]},{\"key\":\"d\",\"values\":[{\"value\":5000}]}]}",
                0, NULL);
        report_sort(answer, 0, 0);
        const char *order[] = {"c", "b", "d", "a"};
        for (size_t i = 0; i < 4; i++)
                assert_string_equal(order[i], cli_text(json_array_get(json_object_get(answer, "rows"), i), "key"));
        report_sort(answer, 0, 1);
        assert_int_equal(1, json_array_size(json_object_get(answer, "rows")));
        json_decref(answer);
}

/* ---- words ---- */

static const char *said(const char *cell, const char *unit)
{
        static char text[64];
        json_t *json = json_loads(cell, 0, NULL);
        report_say(json, "value", unit, text);
        json_decref(json);
        return text;
}

static void figures_are_said_in_their_unit(void **state)
{
        (void)state;
        assert_string_equal("87.5 %", said("{\"value\":8750}", "percent"));
        assert_string_equal("-12", said("{\"value\":-1200}", "points"));
        assert_string_equal("4.25", said("{\"value\":4250}", "mean"));
        assert_string_equal("1,234,567", said("{\"value\":1234567}", "count"));
        assert_string_equal("999", said("{\"value\":999}", "count"));
        assert_string_equal("0.5 s", said("{\"value\":500}", "ms"));
        assert_string_equal("2 min 05 s", said("{\"value\":125000}", "ms"));
        assert_string_equal("3 h 12 min", said("{\"value\":11520000}", "ms"));
        assert_string_equal("2 d 06 h", said("{\"value\":194400000}", "ms"));
        assert_string_equal("0", said("{\"value\":0}", "count"));
        assert_string_equal("-", said("{\"n\":0}", "percent")); /* nothing is not 0 */
}

static void a_change_is_points_of_scores_and_a_share_of_times_and_counts(void **state)
{
        (void)state;
        char text[64];
        json_t *now = json_pack("{s:i}", "value", 9000), *before = json_pack("{s:i}", "value", 8000),
               *none = json_object(), *zero = json_pack("{s:i}", "value", 0);
        report_say_change(now, before, "percent", text);
        assert_string_equal("+10", text);
        report_say_change(before, now, "percent", text);
        assert_string_equal("-10", text);
        report_say_change(now, before, "ms", text);
        assert_string_equal("+12.5 %", text);
        report_say_change(now, none, "percent", text);
        assert_string_equal("", text);
        report_say_change(now, zero, "count", text); /* no share of nothing */
        assert_string_equal("", text);
        report_say_change(now, now, "count", text);
        assert_string_equal("0 %", text);
        json_decref(now);
        json_decref(before);
        json_decref(none);
        json_decref(zero);
}

static void metrics_have_titles(void **state)
{
        (void)state;
        char text[64];
        report_title("first_response", text);
        assert_string_equal("First response", text);
        report_title("csat", text);
        assert_string_equal("CSAT", text);
        report_title("sla_first", text);
        assert_string_equal("First response in time", text);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_last_days_end_with_the_day_that_is_said),
                cmocka_unit_test(months_are_whole_from_their_first_day),
                cmocka_unit_test(what_is_no_day_or_no_period_is_refused),
                cmocka_unit_test(a_line_is_made_of_what_suits_the_period),
                cmocka_unit_test_setup_teardown(a_filter_finds_a_team_by_its_name, begin, end),
                cmocka_unit_test_setup_teardown(pages_are_put_together, begin, end),
                cmocka_unit_test_setup_teardown(today_is_the_day_where_the_reports_are, begin, end),
                cmocka_unit_test_setup_teardown(the_period_before_is_as_long_and_ends_the_day_before, begin, end),
                cmocka_unit_test(rows_are_ordered_by_figure_and_those_without_come_last),
                cmocka_unit_test(figures_are_said_in_their_unit),
                cmocka_unit_test(a_change_is_points_of_scores_and_a_share_of_times_and_counts),
                cmocka_unit_test(metrics_have_titles),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
