/* SPDX-License-Identifier: Apache-2.0 */
/* deskbell report overview: all numbers of a period, beside those of as many days before, and their targets. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/plot/plot.h"
#include "cli/report/report.h"

static void print_line(const json_t *column, const json_t *now, const json_t *before)
{
        const char *unit = cli_text(column, "unit");
        char title[64], value[64], change[64], interval[96], target[64] = "", old[64];
        double line = report_number(column, "target", unit);
        report_title(cli_text(column, "metric"), title);
        report_say(now, "value", unit, value);
        report_say(before, "value", unit, old);
        report_say_change(now, before, unit, change);
        report_say_interval(now, unit, interval);
        if (!isnan(line))
                report_say(column, "target", unit, target);
        plot_text_pad(stdout, title, 30);
        printf(" %14s %14s %10s %9lld  %-18s %s\n", value, old, change,
               (long long)json_integer_value(json_object_get(now, "n")), interval, target);
}

static int print_overview(const json_t *answer)
{
        json_t *column;
        size_t i;
        printf("%s to %s (%s)\n\n%-30s %14s %14s %10s %9s  %-18s %s\n", cli_text(answer, "from"),
               cli_text(answer, "to"), cli_text(answer, "zone"), "", "now", "before", "change", "n", "95 % interval",
               "target");
        json_array_foreach(json_object_get(answer, "columns"), i, column)
                print_line(column, json_array_get(json_object_get(answer, "totals"), i),
                           json_array_get(json_object_get(answer, "before"), i));
        if (json_is_true(json_object_get(answer, "building")))
                puts("\nThese numbers are being made again and are not whole yet.");
        return cli_finish();
}

int report_overview(int argc, char **argv)
{
        struct report_said said = {0};
        const struct cli_option options[] = {REPORT_PERIOD(said), CLI_JSON(said.json)};
        const struct cli_page page = {
                .usage = "report overview [options]",
                .about = "Every number of the period, beside the same number of days before it. n: what it stands on; "
                         "'-': there is\n"
                         "nothing, which is not 0. What each means: deskbell report metrics.",
                .examples = "  deskbell report overview --last 30d\n"
                            "  deskbell report overview --from 2026-01-01 --to 2026-03-31 --json\n",
                CLI_OPTIONS(options),
        };
        struct console *console = NULL;
        struct report_period period;
        json_t *answer = NULL;
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);

        int rc = report_open(&said, &console, &period);
        if (rc == EX_OK)
                rc = console_do(console, "report.overview",
                                json_pack("{s:s, s:s}", "from", period.from, "to", period.to), &answer);
        console_close(console);
        if (rc == EX_OK)
                rc = said.json ? cli_print(json_incref(answer)) : print_overview(answer);
        json_decref(answer);
        return rc;
}
