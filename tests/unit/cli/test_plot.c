/* SPDX-License-Identifier: Apache-2.0 */
/* Plots: axes that a person can read, figures that are left out when they are not there, and texts that cannot break
 * out of the page. */
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/plot/plot.h"
#include "unit/ops/cmocka_all.h"

static char *drawn;
static size_t drawn_len;
static FILE *out;

static int begin(void **state)
{
        (void)state;
        setlocale(LC_CTYPE, "C.UTF-8");
        out = open_memstream(&drawn, &drawn_len);
        return out ? 0 : -1;
}

static int end(void **state)
{
        (void)state;
        fclose(out);
        free(drawn);
        drawn = NULL;
        return 0;
}

static const char *so_far(void)
{
        fflush(out);
        return drawn;
}

static int count_of(const char *text, const char *part)
{
        int count = 0;
        for (const char *at = text; (at = strstr(at, part)); at += strlen(part))
                count++;
        return count;
}

/* Three months of CSAT; the second has no answers. */
static const char *const months[] = {"2026-09", "2026-10", "2026-11"};
static const double values[] = {80, NAN, 60}, low[] = {70, NAN, 40}, high[] = {90, NAN, 80}, weights[] = {40, 0, 12};
static const struct plot_series series = {"now", values, low, high, weights};
static const struct plot csat = {.title = "CSAT",
                                 .unit = "%",
                                 .labels = months,
                                 .label_count = 3,
                                 .series = &series,
                                 .series_count = 1,
                                 .target = 75,
                                 .band_low = NAN,
                                 .band_high = NAN,
                                 .floor = NAN,
                                 .ceiling = NAN};

static void an_axis_covers_its_figures_in_even_steps(void **state)
{
        (void)state;
        static const double ranges[][2] = {{0, 100},    {61.3, 79.9}, {-100, 100},    {0, 1},      {0.001, 0.0042},
                                           {3, 3},      {0, 0},       {NAN, NAN},     {-7, -2},    {0, 123456},
                                           {99.9, 100}, {1, 86400},   {12.5, 13.125}, {0, 2500000}};
        for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
                struct plot_axis axis = plot_axis_of(ranges[i][0], ranges[i][1]);
                assert_in_range(axis.ticks, 2, 8);
                assert_true(isnan(ranges[i][0]) || axis.from <= ranges[i][0] + axis.step * 1e-6);
                assert_true(isnan(ranges[i][1]) || axis.to >= ranges[i][1] - axis.step * 1e-6);
                double steps = (axis.to - axis.from) / axis.step;
                assert_true(fabs(steps - round(steps)) < 1e-6);
                char tick[64];
                plot_number(axis.from + axis.step, "", axis.decimals, tick); /* the label says the tick, not near it */
                assert_true(fabs(atof(tick) - (axis.from + axis.step)) < axis.step * 1e-3);
        }
}

static void a_figure_has_no_digits_that_say_nothing(void **state)
{
        (void)state;
        char text[64];
        plot_number(80, "%", 1, text);
        assert_string_equal("80 %", text);
        plot_number(79.96, "", 1, text);
        assert_string_equal("80", text);
        plot_number(-0.01, "", 1, text);
        assert_string_equal("0", text);
        plot_number(NAN, "%", 1, text);
        assert_string_equal("-", text);
        plot_number(12.345, "min", 2, text);
        assert_true(strcmp(text, "12.35 min") == 0 || strcmp(text, "12.34 min") == 0);
}

static void a_month_without_answers_is_a_gap_and_not_a_zero(void **state)
{
        (void)state;
        plot_svg_line(out, &csat);
        assert_int_equal(2, count_of(so_far(), "<circle"));
        assert_int_equal(2, count_of(so_far(), "<polyline")); /* broken between */
        assert_null(strstr(so_far(), "nan"));
        assert_non_null(strstr(so_far(), "2026-09: 80 % (70 to 90), n 40"));
        assert_non_null(strstr(so_far(), "target 75 %"));
}

static void bars_say_figure_interval_and_n(void **state)
{
        (void)state;
        plot_svg_bars(out, &csat);
        assert_int_equal(2, count_of(so_far(), "class=\"bar\""));
        assert_int_equal(2, count_of(so_far(), "class=\"whisker\""));
        assert_non_null(strstr(so_far(), ">n 40<"));
        assert_null(strstr(so_far(), "nan"));
        plot_text_bars(out, &csat, 100);
        assert_non_null(strstr(so_far(), "70 to 90"));
        assert_non_null(strstr(so_far(), "n 12"));
        assert_null(strstr(so_far(), "nan"));
}

static void what_others_have_written_stays_text(void **state)
{
        (void)state;
        static const char *const names[] = {"<script>\"&", "b", "c"};
        struct plot plot = csat;
        plot.labels = names;
        plot.title = "\"><svg onload=x>";
        plot_svg_bars(out, &plot);
        plot_svg_line(out, &plot);
        assert_null(strstr(so_far(), "<script"));
        assert_null(strstr(so_far(), "onload=x>"));
        assert_non_null(strstr(so_far(), "&lt;script&gt;&quot;&amp;"));
}

static void columns_stand_over_their_labels(void **state)
{
        (void)state;
        char *line, *rest;
        plot_text_columns(out, &csat, 60, 6);
        assert_non_null(strstr(so_far(), "CSAT (%)"));
        assert_non_null(strstr(so_far(), "target"));
        assert_int_equal(1, count_of(so_far(), "2026-09"));
        char *copy = strdup(so_far());
        for (line = strtok_r(copy, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
                assert_in_range(plot_text_width(line), 0, 60);
        free(copy);
}

static void more_than_fits_shows_the_newest_and_says_so(void **state)
{
        (void)state;
        static double many[200];
        static const char *labels[200];
        for (int i = 0; i < 200; i++) {
                many[i] = i;
                labels[i] = i == 199 ? "last" : "x";
        }
        struct plot_series one = {.name = "n", .values = many};
        struct plot plot = csat;
        plot.labels = labels;
        plot.label_count = 200;
        plot.series = &one;
        plot_text_columns(out, &plot, 60, 4);
        assert_non_null(strstr(so_far(), " of 200)"));
        assert_non_null(strstr(so_far(), "last"));
}

static void a_heat_map_marks_the_fullest_hour(void **state)
{
        (void)state;
        struct plot_heat heat = {.title = "Incoming", .unit = "tickets"};
        heat.values[2 * 24 + 9] = 8;
        heat.values[4 * 24 + 9] = 1;
        plot_text_heat(out, &heat, 80);
        assert_int_equal(1, count_of(so_far(), "██")); /* a cell; the legend has a single one */
        assert_non_null(strstr(so_far(), "to 8 tickets"));
        plot_svg_heat(out, &heat);
        assert_int_equal(168, count_of(so_far(), "<rect"));
        assert_non_null(strstr(so_far(), "Wed 09:00: 8 tickets"));
}

static void wide_characters_keep_their_columns(void **state)
{
        (void)state;
        plot_text_pad(out, "김하나", 8);
        assert_string_equal("김하나  ", so_far());
        plot_text_pad(out, "반품과 환불", 8);
        assert_int_equal(16, plot_text_width(so_far()));
        assert_non_null(strstr(so_far(), "…"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_axis_covers_its_figures_in_even_steps),
                cmocka_unit_test(a_figure_has_no_digits_that_say_nothing),
                cmocka_unit_test_setup_teardown(a_month_without_answers_is_a_gap_and_not_a_zero, begin, end),
                cmocka_unit_test_setup_teardown(bars_say_figure_interval_and_n, begin, end),
                cmocka_unit_test_setup_teardown(what_others_have_written_stays_text, begin, end),
                cmocka_unit_test_setup_teardown(columns_stand_over_their_labels, begin, end),
                cmocka_unit_test_setup_teardown(more_than_fits_shows_the_newest_and_says_so, begin, end),
                cmocka_unit_test_setup_teardown(a_heat_map_marks_the_fullest_hour, begin, end),
                cmocka_unit_test_setup_teardown(wide_characters_keep_their_columns, begin, end),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
