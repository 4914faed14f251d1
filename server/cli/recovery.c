/* SPDX-License-Identifier: Apache-2.0 */
/* deskbell recovery: cases of unhappy customers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/commands.h"
#include "cli/named.h"
#include "cli/recovery.h"
#include "cli/secrets.h"
#include "ops/clock.h"

enum { CASES_MOST = 100000 };

#define COUNT(options) (sizeof(options) / sizeof((options)[0]))

/* ---- list ---- */

/* Prints pages until `wanted`; takes params. */
static int list_pages(struct console *console, json_t *params, long long wanted, bool json)
{
        long long shown = 0;
        bool more = true;
        int rc = EX_OK;
        while (rc == EX_OK && more && shown < wanted) {
                json_t *result = NULL, *row;
                size_t i;
                json_object_set_new(params, "limit", json_integer(wanted - shown < 100 ? wanted - shown : 100));
                rc = console_do(console, "recovery.list", json_deep_copy(params), &result);
                json_array_foreach(json_object_get(result, "cases"), i, row) {
                        if (json)
                                cli_print(json_incref(row));
                        else
                                recovery_print_line(row);
                        json_object_set(params, "after", json_object_get(row, "recovery"));
                        shown++;
                }
                more = json_is_true(json_object_get(result, "more"));
                json_decref(result);
        }
        json_decref(params);
        return rc == EX_OK ? cli_finish() : rc;
}

/* Midnight of that date, UTC; -1: it is none. */
static json_int_t date_of(const char *text)
{
        struct tm tm = {0};
        const char *end = strptime(text, "%Y-%m-%d", &tm);
        return end && !*end ? (json_int_t)timegm(&tm) * 1000 : -1;
}

static int put_date(json_t *params, const char *member, const char *text)
{
        json_int_t at_ms = text ? date_of(text) : 0;
        if (at_ms < 0)
                return cli_fail(EX_USAGE, "--%s: a date such as 2026-01-31", member);
        if (text)
                json_object_set_new(params, member, json_integer(at_ms));
        return EX_OK;
}

static int run_list(int argc, char **argv)
{
        const char *data = NULL, *who = NULL, *team = NULL, *stage = NULL, *cause = NULL, *from = NULL, *to = NULL;
        const char *cell = NULL, *limit = NULL;
        bool json = false, late = false, is_open = false, nobody = false, no_team = false;
        const struct cli_option options[] = {
                CLI_DATA(data),
                {.name = "owner", .value = "AGENT", .text = &who, .help = "those he owns"},
                {.name = "nobody", .flag = &nobody, .help = "those nobody owns"},
                {.name = "team", .value = "TEAM", .text = &team, .help = "those of that team"},
                {.name = "no-team", .flag = &no_team, .help = "those of no team"},
                {.name = "open", .flag = &is_open, .help = "those that are not over"},
                {.name = "overdue", .flag = &late, .help = "those with a deadline that has passed"},
                {.name = "stage",
                 .value = "WORD",
                 .text = &stage,
                 .help = "open, contacted, resolved, reopened, withdrawn"},
                {.name = "cause", .value = "WORD", .text = &cause, .help = "with that cause; '' = with none"},
                {.name = "from", .value = "DATE", .text = &from, .help = "opened then or later"},
                {.name = "to", .value = "DATE", .text = &to, .help = "opened before then"},
                {.name = "cell",
                 .value = "WORD",
                 .text = &cell,
                 .help = "behind a number of the report: opened, contacted, in_time, due, recovered, repeated, scored"},
                {.name = "limit", .value = "N", .text = &limit, .help = "at most so many; default 50"},
                {.name = "json", .flag = &json, .help = "each as one JSON object on a line"},
        };
        const struct cli_page page = {
                .usage = "recovery list [options]",
                .about = "Cases, the newest first.",
                .examples = "  deskbell recovery list --open\n  deskbell recovery list --overdue --json\n",
                CLI_OPTIONS(options),
        };
        struct console *console = NULL;
        char id[FOLDER_ID];
        long long wanted = 50;
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);
        json_t *params = json_pack("{s:s*, s:s*, s:s*}", "stage", stage, "cause", cause, "cell", cell);
        if (nobody)
                json_object_set_new(params, "nobody", json_true());
        if (no_team)
                json_object_set_new(params, "no_team", json_true());
        if (is_open)
                json_object_set_new(params, "open", json_true());
        if (late)
                json_object_set_new(params, "overdue", json_true());
        int rc = put_date(params, "from", from);
        if (rc == EX_OK)
                rc = put_date(params, "to", to);
        if (rc == EX_OK && limit)
                rc = named_number("limit", limit, CASES_MOST, &wanted);
        if (rc == EX_OK)
                rc = console_open(cli_data(data), CONSOLE_USE, &console);
        if (rc == EX_OK && who && (rc = named_find(console, NAMED_AGENT, who, id)) == EX_OK)
                json_object_set_new(params, "owner", json_string(id));
        if (rc == EX_OK && team && (rc = named_find(console, NAMED_TEAM, team, id)) == EX_OK)
                json_object_set_new(params, "team", json_string(id));
        if (rc == EX_OK)
                rc = list_pages(console, json_incref(params), wanted, json);
        console_close(console);
        json_decref(params);
        return rc;
}

/* ---- show, open ---- */

static int run_show(int argc, char **argv)
{
        const char *data = NULL, *after = NULL;
        bool json = false;
        const struct cli_option options[] = {
                CLI_DATA(data),
                {.name = "after", .value = "LINE", .text = &after, .help = "lines of the log behind that one"},
                CLI_JSON(json),
        };
        const struct cli_page page = {
                .usage = "recovery show CASE [options]",
                .about = "All that is known of a case: why it was opened, what is to be done, what was done.",
                .examples = "  deskbell recovery show rec_01h8x9example0\n",
                CLI_OPTIONS(options),
                .max_free = 1,
        };
        json_t *result = NULL, *params;
        long long line = 0;
        int rc, first = cli_parse_named(&page, argc, argv, "which case? see: deskbell recovery list", &rc);
        if (first < 0)
                return rc;
        if (after && named_number("after", after, 1LL << 50, &line) != EX_OK)
                return EX_USAGE;
        params = json_pack("{s:s, s:I}", "recovery", argv[first], "after", (json_int_t)line);
        rc = console_call(cli_data(data), "recovery.get", params, &result);
        return cli_answer(rc, json, result, recovery_print_case);
}

static int run_open(int argc, char **argv)
{
        const char *data = NULL, *note = NULL;
        const struct cli_option options[] = {
                CLI_DATA(data),
                {.name = "note", .value = "TEXT", .text = &note, .help = "why"},
        };
        const struct cli_page page = {
                .usage = "recovery open CONVERSATION [options]",
                .about = "Opens a case by hand, and prints its id; a customer with an open one gets no second one.",
                .examples = "  deskbell recovery open cnv_01h8x9example0 --note 'complained on the phone'\n",
                CLI_OPTIONS(options),
                .max_free = 1,
        };
        json_t *result = NULL;
        int rc, first = cli_parse_named(&page, argc, argv, "in which conversation (cnv_...)?", &rc);
        if (first < 0)
                return rc;
        rc = console_call(cli_data(data), "recovery.open",
                          json_pack("{s:o, s:s, s:s*}", "cmid", secret_cmid(), "conv", argv[first], "note", note),
                          &result);
        if (rc == EX_OK) {
                printf("%s%s\n", cli_text(result, "recovery"),
                       json_is_true(json_object_get(result, "repeated")) ? " (it was open already)" : "");
                rc = cli_finish();
        }
        json_decref(result);
        return rc;
}

/* ---- report ---- */

static int run_report(int argc, char **argv)
{
        const char *data = NULL, *from = NULL, *to = NULL;
        bool json = false;
        const struct cli_option options[] = {
                CLI_DATA(data),
                {.name = "from", .value = "DATE", .text = &from, .help = "opened then or later; default a year ago"},
                {.name = "to", .value = "DATE", .text = &to, .help = "opened before then; default now"},
                CLI_JSON(json),
        };
        const struct cli_page page = {
                .usage = "recovery report [options]",
                .about = "Cases by month, team and cause: how many were contacted in time and recovered, and the score "
                         "before and\nafter. `recovery list --cell` with the same bounds has those behind a number.",
                .examples = "  deskbell recovery report --from 2026-01-01\n",
                CLI_OPTIONS(options),
        };
        json_t *result = NULL, *params;
        json_int_t now_ms = clock_wall_ms();
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);
        params = json_pack("{s:I, s:I}", "from", now_ms - (json_int_t)365 * 86400000, "to", now_ms + 1);
        int rc = put_date(params, "from", from);
        if (rc == EX_OK)
                rc = put_date(params, "to", to);
        if (rc == EX_OK)
                rc = console_call(cli_data(data), "recovery.report", json_incref(params), &result);
        json_decref(params);
        return cli_answer(rc, json, result, recovery_print_report);
}

int cli_recovery(int argc, char **argv)
{
        static const struct cli_command commands[] = {
                {"list", "show cases", run_list},
                {"show", "show all of one", run_show},
                {"open", "open one by hand", run_open},
                {"assign", "give it to an agent", recovery_run_assign},
                {"contact", "the customer was spoken to", recovery_run_contact},
                {"action", "something is to be done", recovery_run_action},
                {"done", "it was done", recovery_run_done},
                {"cause", "say what was the matter", recovery_run_cause},
                {"compensate", "the customer was given something", recovery_run_compensate},
                {"resolve", "it is over", recovery_run_resolve},
                {"reopen", "it is not over after all", recovery_run_reopen},
                {"causes", "the words for what was the matter", recovery_run_causes},
                {"settings", "when one is opened, and deadlines", recovery_run_settings},
                {"report", "counts by month, team and cause", run_report},
        };

        return cli_group("recovery", commands, COUNT(commands), argc, argv);
}
