/* SPDX-License-Identifier: Apache-2.0 */
/* deskbell report export, check and rebuild: the rows behind all numbers, and whether the numbers are what they say. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/report/report.h"
#include "cli/secrets.h"

static int write_pages(struct console *console, json_t *params, FILE *out)
{
        int rc = EX_OK;
        for (bool more = true; rc == EX_OK && more;) {
                json_t *answer = NULL;
                rc = console_do(console, "report.export", json_deep_copy(params), &answer);
                if (rc == EX_OK && fputs(cli_text(answer, "text"), out) < 0)
                        rc = cli_fail(EX_IOERR, "cannot write");
                more = rc == EX_OK && json_is_true(json_object_get(answer, "more"));
                if (more)
                        json_object_set(params, "after", json_object_get(answer, "next"));
                json_decref(answer);
        }
        json_decref(params);
        return rc;
}

int report_export(int argc, char **argv)
{
        struct report_said said = {0};
        const char *out_name = NULL;
        bool csv = false;
        const struct cli_option options[] = {
                REPORT_PERIOD(said),
                {.name = "csv", .flag = &csv, .help = "CSV instead of NDJSON"},
                {.name = "out", .value = "FILE", .text = &out_name, .help = "into that file; default standard output"},
        };
        const struct cli_page page = {
                .usage = "report export tickets|events|messages|answers|cases|agents|bots [options]",
                .about = "The rows that all numbers are made of, without names and texts: whoever has them can count "
                         "every "
                         "number again\n"
                         "(docs/reports.md has the formulae).",
                .examples = "  deskbell report export tickets --from 2026-01-01 --to 2026-12-31 > tickets.ndjson\n"
                            "  deskbell report export answers --last 90d --csv --out answers.csv\n",
                CLI_OPTIONS(options),
                .max_free = 1,
        };
        struct console *console = NULL;
        struct report_period period;
        FILE *out = stdout;
        int rc, first = cli_parse_named(&page, argc, argv,
                                        "say what: tickets, events, messages, answers, cases, agents or bots", &rc);
        if (first < 0)
                return rc;

        rc = EX_OK;
        if (out_name && !(out = fopen(out_name, "w"))) /* before root acts as the folder's owner */
                rc = cli_fail(EX_CANTCREAT, "cannot write %s", out_name);
        if (rc == EX_OK)
                rc = report_open(&said, &console, &period);
        if (rc == EX_OK)
                rc = write_pages(console,
                                 json_pack("{s:s, s:s, s:s, s:s}", "what", argv[first], "from", period.from, "to",
                                           period.to, "format", csv ? "csv" : "ndjson"),
                                 out);
        console_close(console);
        if (out_name && out && fclose(out) != 0 && rc == EX_OK)
                rc = cli_fail(EX_IOERR, "cannot write %s", out_name);
        return rc == EX_OK ? cli_finish() : rc;
}

int report_check(int argc, char **argv)
{
        const char *data = NULL;
        bool json = false;
        const struct cli_option options[] = {CLI_DATA(data), CLI_JSON(json)};
        const struct cli_page page = {
                .usage = "report check [options]",
                .about =
                        "Counts everything again beside the numbers that are kept, and says whether they are the same. "
                        "Ends with 1 when\n"
                        "they are not; 'deskbell report rebuild' makes them anew.",
                .examples = "  deskbell report check\n",
                CLI_OPTIONS(options),
        };
        json_t *answer = NULL;
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);

        int rc = console_call(cli_data(data), "report.check", NULL, &answer);
        if (rc != EX_OK)
                return rc;
        bool is_same = json_integer_value(json_object_get(answer, "differences")) == 0;
        if (json) {
                rc = cli_print(answer);
                return is_same ? rc : 1;
        }
        printf("%lld tickets, %lld askings, %lld cells compared: %lld differ\n",
               (long long)json_integer_value(json_object_get(answer, "tickets")),
               (long long)json_integer_value(json_object_get(answer, "offers")),
               (long long)json_integer_value(json_object_get(answer, "cells")),
               (long long)json_integer_value(json_object_get(answer, "differences")));
        if (!is_same)
                printf("the first: %s\n", cli_text(answer, "first"));
        json_decref(answer);
        rc = cli_finish();
        return is_same ? rc : 1;
}

/* Until all is made again. Without a server it goes on with each thing that is asked. */
static int wait_for_it(struct console *console)
{
        const struct timespec pause = {.tv_nsec = 200 * 1000 * 1000};
        for (bool goes_on = true; goes_on;) {
                json_t *answer = NULL;
                json_t *params =
                        json_pack("{s:[s], s:s, s:s}", "metrics", "tickets", "from", "2026-01-01", "to", "2026-01-01");
                int rc = console_do(console, "report.query", params, &answer);
                goes_on = json_is_true(json_object_get(answer, "building"));
                json_decref(answer);
                if (rc != EX_OK)
                        return rc;
                if (goes_on && console_is_remote(console))
                        nanosleep(&pause, NULL);
        }
        return EX_OK;
}

int report_rebuild(int argc, char **argv)
{
        const char *data = NULL, *zone = NULL;
        const struct cli_option options[] = {
                CLI_DATA(data),
                {.name = "zone",
                 .value = "ZONE",
                 .text = &zone,
                 .help = "days are those of that zone from now on, as Asia/Seoul"},
        };
        const struct cli_page page = {
                .usage = "report rebuild [options]",
                .about = "Makes all numbers again from what is stored, a little at a time beside other work, and ends "
                         "when "
                         "it is done.",
                .examples = "  deskbell report rebuild --zone Asia/Seoul\n",
                CLI_OPTIONS(options),
        };
        struct console *console = NULL;
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);
        int rc = console_open(cli_data(data), CONSOLE_USE, &console);
        if (rc == EX_OK) {
                json_t *params = json_pack("{s:o}", "cmid", secret_cmid());
                if (zone)
                        json_object_set_new(params, "zone", json_string(zone));
                rc = console_do(console, "report.rebuild", params, NULL);
        }
        if (rc == EX_OK)
                rc = wait_for_it(console);
        console_close(console);
        return rc == EX_OK ? cli_finish() : rc;
}
