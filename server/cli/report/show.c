/* SPDX-License-Identifier: Apache-2.0 */
/* deskbell report show: one or more numbers, parted by time or by one dimension, as a plot and a table, JSON, CSV or an
 * SVG file. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/plot/plot.h"
#include "cli/report/report.h"

enum { NAME_COLUMNS = 24, CELL_COLUMNS = 14, PLOT_ROWS = 10, WIDE_MIN = 60, WIDE_DEFAULT = 100 };

struct show {
        struct report_said said;
        const char *by, *svg;
        bool csv, compare;
        const char *metrics; /* with commas */
};

static int width_of_terminal(void)
{
        struct winsize size;
        if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
                return WIDE_DEFAULT;
        return size.ws_col < WIDE_MIN ? WIDE_MIN : size.ws_col;
}

static bool is_time(const char *by)
{
        return strcmp(by, "day") == 0 || strcmp(by, "week") == 0 || strcmp(by, "month") == 0;
}

/* ---- a table ---- */

static void print_cells(const char *name, const json_t *columns, const json_t *cells)
{
        size_t i;
        json_t *column;
        char text[64];
        plot_text_pad(stdout, name, NAME_COLUMNS);
        json_array_foreach((json_t *)columns, i, column) {
                report_say(json_array_get(cells, i), "value", cli_text(column, "unit"), text);
                printf(" %*s", CELL_COLUMNS, text);
        }
        putchar('\n');
}

static void print_table(const json_t *answer)
{
        const json_t *columns = json_object_get(answer, "columns");
        json_t *row;
        size_t i;
        char name[128], title[64];
        plot_text_pad(stdout, "", NAME_COLUMNS);
        json_array_foreach((json_t *)columns, i, row) {
                report_title(cli_text(row, "metric"), title);
                printf(" %*.*s", CELL_COLUMNS, CELL_COLUMNS, title);
        }
        putchar('\n');
        json_array_foreach(json_object_get(answer, "rows"), i, row) {
                report_row_name(row, name);
                print_cells(name, columns, json_object_get(row, "values"));
        }
        print_cells("all", columns, json_object_get(answer, "totals"));
        if (json_object_get(answer, "before"))
                print_cells("as long before", columns, json_object_get(answer, "before"));
}

/* ---- one number ---- */

static void print_total(const json_t *answer)
{
        const json_t *column = json_array_get(json_object_get(answer, "columns"), 0);
        const json_t *total = json_array_get(json_object_get(answer, "totals"), 0);
        const json_t *before = json_array_get(json_object_get(answer, "before"), 0);
        const char *unit = cli_text(column, "unit");
        char title[64], value[64], interval[96], change[64], other[64];
        report_title(cli_text(column, "metric"), title);
        report_say(total, "value", unit, value);
        report_say_interval(total, unit, interval);
        report_say_change(total, before, unit, change);
        printf("\n%s, %s to %s: %s", title, cli_text(answer, "from"), cli_text(answer, "to"), value);
        if (*interval)
                printf(" (95 %%: %s)", interval);
        printf(", n %lld", (long long)json_integer_value(json_object_get(total, "n")));
        if (json_object_get(total, "offered")) {
                double asked = report_number(total, "offered", "count"),
                       said = report_number(total, "answered", "count");
                printf(", %.0f of %.0f answered", said, asked);
                if (asked > 0)
                        printf(" (%.1f %%)", 100 * said / asked);
        }
        if (json_object_get(total, "median")) {
                report_say(total, "median", unit, value);
                report_say(total, "p90", unit, other);
                printf(", half within %s, nine in ten within %s", value, other);
        }
        if (*change)
                printf("; against as long before: %s", change);
        putchar('\n');
}

static void fill_heat(const json_t *answer, struct plot_heat *heat)
{
        json_t *row;
        size_t i;
        json_array_foreach(json_object_get(answer, "rows"), i, row) {
                long hour = strtol(cli_text(row, "key"), NULL, 10);
                double value = report_number(json_array_get(json_object_get(row, "values"), 0), "value", "count");
                if (hour >= 0 && hour < 7 * 24 && !isnan(value))
                        heat->values[hour] = value;
        }
}

static int draw(const struct show *show, const json_t *answer, const json_t *before, FILE *svg)
{
        struct report_plot *made = NULL;
        struct plot_heat heat = {.title = "by hour of the week", .unit = "in the hour"};
        bool is_heat = strcmp(show->by, "hour_of_week") == 0;
        int rc = is_heat ? EX_OK : report_plot_make(answer, 0, before, &made);
        if (rc != EX_OK)
                return rc;
        if (is_heat)
                fill_heat(answer, &heat);
        if (svg && is_heat)
                plot_svg_heat(svg, &heat);
        else if (svg && is_time(show->by))
                plot_svg_line(svg, report_plot_of(made));
        else if (svg)
                plot_svg_bars(svg, report_plot_of(made));
        else if (is_heat)
                plot_text_heat(stdout, &heat, width_of_terminal());
        else if (is_time(show->by))
                plot_text_columns(stdout, report_plot_of(made), width_of_terminal(), PLOT_ROWS);
        else
                plot_text_bars(stdout, report_plot_of(made), width_of_terminal());
        report_plot_free(made);
        return EX_OK;
}

static int write_svg(const struct show *show, const json_t *answer, const json_t *before)
{
        char *drawn = NULL;
        size_t len = 0;
        FILE *file = fopen(show->svg, "w"), *text = file ? open_memstream(&drawn, &len) : NULL;
        if (!text) {
                if (file)
                        fclose(file);
                return cli_fail(EX_CANTCREAT, "cannot write %s", show->svg);
        }
        int rc = draw(show, answer, before, text);
        fclose(text);
        const char *inside = drawn ? strchr(drawn, '>') : NULL; /* a drawing alone brings its colours along */
        if (rc == EX_OK && inside)
                fprintf(file,
                        "%.*s>\n<style>svg{" PLOT_LIGHT "}@media(prefers-color-scheme:dark){svg{" PLOT_DARK
                        "}}\n%s</style>%s",
                        (int)(inside - drawn), drawn, plot_svg_style, inside + 1);
        free(drawn);
        if (fclose(file) != 0 && rc == EX_OK)
                rc = cli_fail(EX_IOERR, "cannot write %s", show->svg);
        return rc;
}

/* ---- CSV ---- */

static void csv_text(const char *text)
{
        bool is_plain = !strpbrk(text, ",\"\r\n") && !strchr("=+-@\t", *text);
        if (is_plain) {
                fputs(text, stdout);
                return;
        }
        putchar('"');
        if (*text && strchr("=+-@\t", *text))
                putchar('\''); /* a spreadsheet must not run it */
        for (; *text; text++) {
                if (*text == '"')
                        putchar('"');
                putchar(*text);
        }
        putchar('"');
}

static void csv_number(const json_t *cell, const char *member, const char *unit)
{
        char text[64] = "";
        double value = report_number(cell, member, unit);
        if (!isnan(value))
                plot_number(value, "", 3, text);
        printf(",%s", text);
}

/* A line for each row and metric, so that all of them have the same columns. */
static void print_csv(const json_t *answer)
{
        json_t *row, *column;
        size_t i, c;
        puts("key,name,metric,unit,n,value,low,high,median,p90,offered,answered");
        json_array_foreach(json_object_get(answer, "rows"), i, row) {
                json_array_foreach(json_object_get(answer, "columns"), c, column) {
                        const json_t *cell = json_array_get(json_object_get(row, "values"), c);
                        const char *unit = cli_text(column, "unit");
                        csv_text(cli_text(row, "key"));
                        putchar(',');
                        csv_text(cli_text(row, "name"));
                        printf(",%s,%s", cli_text(column, "metric"), unit);
                        csv_number(cell, "n", "count");
                        csv_number(cell, "value", unit);
                        csv_number(cell, "low", unit);
                        csv_number(cell, "high", unit);
                        csv_number(cell, "median", unit);
                        csv_number(cell, "p90", unit);
                        csv_number(cell, "offered", "count");
                        csv_number(cell, "answered", "count");
                        putchar('\n');
                }
        }
}

/* ---- the command ---- */

static int show_all(const struct show *show, const json_t *answer, const json_t *before)
{
        bool is_one = json_array_size(json_object_get(answer, "columns")) == 1;
        if (show->said.json)
                return cli_print(json_incref((json_t *)answer));
        if (show->csv)
                print_csv(answer);
        else if (show->svg)
                return write_svg(show, answer, before);
        else if (!is_one)
                print_table(answer);
        else if (json_array_size(json_object_get(answer, "rows")) > 0) {
                int rc = draw(show, answer, before, NULL);
                if (rc != EX_OK)
                        return rc;
        }
        if (!show->csv && is_one)
                print_total(answer);
        if (!show->csv && json_is_true(json_object_get(answer, "building")))
                puts("These numbers are being made again and are not whole yet.");
        return cli_finish();
}

static int run(struct show *show)
{
        struct console *console = NULL;
        struct report_period period;
        json_t *params = NULL, *answer = NULL, *before = NULL;
        int rc = report_open(&show->said, &console, &period);
        if (rc != EX_OK)
                return rc;
        if (!show->by)
                show->by = report_period_by(&period);
        rc = report_params(console, &show->said, &period, &params);
        if (rc == EX_OK) {
                json_object_set_new(params, "metrics", report_words_of(show->metrics));
                json_object_set_new(params, "by", json_string(show->by));
                json_t *asked = json_deep_copy(params);
                if (show->compare)
                        json_object_set_new(asked, "compare", json_true());
                rc = report_query(console, asked, &answer);
        }
        if (rc == EX_OK && show->compare && is_time(show->by) && show->svg)
                rc = report_query_before(console, params, &before);
        console_close(console);
        if (rc == EX_OK && !is_time(show->by) && strcmp(show->by, "hour_of_week") != 0)
                report_sort(answer, 0, 0);
        if (rc == EX_OK)
                rc = show_all(show, answer, before);
        json_decref(params);
        json_decref(answer);
        json_decref(before);
        return rc;
}

int report_show(int argc, char **argv)
{
        struct show show = {0};
        const struct cli_option options[] = {
                REPORT_PERIOD(show.said),
                CLI_JSON(show.said.json),
                REPORT_FILTER(show.said),
                {.name = "by",
                 .value = "WHAT",
                 .text = &show.by,
                 .help = "day, week, month, hour_of_week, team, agent, app, language, topic, tier, priority, "
                         "handled_by "
                         "or survey; default day, week or month, as suits the period"},
                {.name = "compare", .flag = &show.compare, .help = "beside the same number of days before"},
                {.name = "csv", .flag = &show.csv, .help = "a line for each row and number"},
                {.name = "svg", .value = "FILE", .text = &show.svg, .help = "draw it into a file"},
        };
        const struct cli_page page = {
                .usage = "report show METRIC[,METRIC...] [options]",
                .about =
                        "One number is drawn, several are a table. 'deskbell report metrics' says what there is. "
                        "Scores "
                        "come with the\n"
                        "number of answers, the share of those asked who answered, and an interval that holds the true "
                        "score 95 times\n"
                        "in 100; where nothing was said there is '-', which is not 0.",
                .examples = "  deskbell report show csat --last 6m --compare\n"
                            "  deskbell report show csat,first_response,solved --by agent --filter team=Returns\n"
                            "  deskbell report show tickets --by hour_of_week --svg week.svg\n",
                CLI_OPTIONS(options),
                .max_free = 1,
        };
        int rc, first = cli_parse_named(&page, argc, argv, "say which number; see: deskbell report metrics", &rc);
        if (first < 0)
                return rc;
        show.metrics = argv[first];
        return run(&show);
}
