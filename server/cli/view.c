/* SPDX-License-Identifier: Apache-2.0 */
/* deskbell view: saved views that every agent sees. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/listed.h"
#include "cli/secrets.h"

static const struct listed views = {.method = "view.list", .list = "views", .id = "view", .what = "view"};

#define SORTS "activity (default), waiting, due, priority, created"

/* ---- add, set ---- */

static int run_add(int argc, char **argv)
{
        const char *data = NULL, *name = NULL, *when = NULL, *sort = "activity";
        bool json = false;
        const struct cli_option options[] = {
                CLI_DATA(data),
                {.name = "name", .value = "NAME", .text = &name, .help = "its name"},
                {.name = "when",
                 .value = "EXPRESSION",
                 .text = &when,
                 .help = "which tickets, such as 'status = open and waiting > 30m'; default all"},
                {.name = "sort", .value = "WORD", .text = &sort, .help = SORTS},
                CLI_JSON(json),
        };
        const struct cli_page page = {
                .usage = "view add --name NAME [--when EXPRESSION] [options]",
                .about =
                        "Saves a view that every agent sees, and prints its id. `assignee = me` and `team = mine` mean "
                        "whoever\nlooks. The expressions: docs/desk.md.",
                .examples =
                        "  deskbell view add --name 'VIP waits' --when 'customer.tier = gold and waiting > 10m' --sort "
                        "waiting\n",
                CLI_OPTIONS(options),
        };
        json_t *result = NULL;
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);
        if (!name)
                return cli_fail(EX_USAGE, "--name is needed; see: deskbell view add --help");
        int rc = console_call(cli_data(data), "view.add",
                              json_pack("{s:o, s:s, s:s, s:s, s:b}", "cmid", secret_cmid(), "name", name, "when",
                                        when ? when : "", "sort", sort, "shared", 1),
                              &result);
        return cli_answer_id(rc, json, result, "view");
}

static int run_set(int argc, char **argv)
{
        const char *data = NULL, *name = NULL, *when = NULL, *sort = NULL;
        const struct cli_option options[] = {
                CLI_DATA(data),
                {.name = "name", .value = "NAME", .text = &name, .help = "its name"},
                {.name = "when", .value = "EXPRESSION", .text = &when, .help = "which tickets"},
                {.name = "sort", .value = "WORD", .text = &sort, .help = SORTS},
        };
        const struct cli_page page = {
                .usage = "view set VIEW [options]",
                .about = "Changes a saved view; what is not said stays. VIEW is its id or its name.",
                .examples = "  deskbell view set 'VIP waits' --sort due\n",
                CLI_OPTIONS(options),
                .max_free = 1,
        };
        int rc, first = listed_parse(&views, &page, argc, argv, &rc);
        if (first < 0)
                return rc;
        return listed_change(
                data, &views, argv[first], "view.set",
                json_pack("{s:o, s:s*, s:s*, s:s*}", "cmid", secret_cmid(), "name", name, "when", when, "sort", sort),
                NULL);
}

/* ---- list, show, count, remove ---- */

static void print_row(const json_t *row)
{
        json_t *count = json_object_get(row, "count");
        char number[24] = "-";
        if (count)
                snprintf(number, sizeof number, "%lld", (long long)json_integer_value(count));
        printf("%-17s  %6s  %s  by %s  when %s\n", cli_text(row, "view"), number, cli_text(row, "name"),
               cli_text(row, "sort"), *cli_text(row, "shown") ? cli_text(row, "shown") : "always");
}

static int run_list(int argc, char **argv)
{
        const char *data = NULL;
        bool json = false;
        const struct cli_option options[] = {CLI_DATA(data), CLI_JSON(json)};
        const struct cli_page page = {
                .usage = "view list [options]",
                .about =
                        "The built-in views and the saved ones that everybody sees, with how many tickets are in them.",
                .examples = "  deskbell view list\n",
                CLI_OPTIONS(options),
        };
        int first = cli_parse(&page, argc, argv);
        return first < 0 ? cli_parsed(first) : listed_answer_all(data, &views, json, print_row);
}

static void print_tickets(const json_t *result)
{
        json_t *row;
        size_t i;
        json_array_foreach(json_object_get(result, "rows"), i, row) {
                const json_t *ticket = json_object_get(row, "ticket");
                char when[32];
                printf("#%-6lld %-8s %-7s %s  %s  %s\n",
                       (long long)json_integer_value(json_object_get(ticket, "number")), cli_text(ticket, "status"),
                       cli_text(ticket, "priority"),
                       cli_time(json_integer_value(json_object_get(row, "activity")), when), cli_text(ticket, "ticket"),
                       cli_text(ticket, "subject"));
        }
        printf("%lld in all\n", (long long)json_integer_value(json_object_get(result, "count")));
}

static int run_show(int argc, char **argv)
{
        const char *data = NULL;
        bool json = false;
        const struct cli_option options[] = {CLI_DATA(data), CLI_JSON(json)};
        const struct cli_page page = {
                .usage = "view show VIEW [options]",
                .about = "The first tickets of a view, in its order.",
                .examples = "  deskbell view show overdue\n",
                CLI_OPTIONS(options),
                .max_free = 1,
        };
        json_t *result = NULL;
        int rc, first = listed_parse(&views, &page, argc, argv, &rc);
        if (first < 0)
                return rc;
        rc = listed_call(data, &views, argv[first], "view.open", json_object(), &result);
        return cli_answer(rc, json, result, print_tickets);
}

static int run_count(int argc, char **argv)
{
        const char *data = NULL;
        const struct cli_option options[] = {CLI_DATA(data)};
        const struct cli_page page = {
                .usage = "view count VIEW [options]",
                .about = "How many tickets are in a view.",
                .examples = "  deskbell view count unassigned\n",
                CLI_OPTIONS(options),
                .max_free = 1,
        };
        json_t *result = NULL;
        int rc, first = listed_parse(&views, &page, argc, argv, &rc);
        if (first < 0)
                return rc;
        rc = listed_call(data, &views, argv[first], "view.open", json_pack("{s:i}", "limit", 1), &result);
        if (rc == EX_OK) {
                printf("%lld\n", (long long)json_integer_value(json_object_get(result, "count")));
                rc = cli_finish();
        }
        json_decref(result);
        return rc;
}

static int run_remove(int argc, char **argv)
{
        const char *data = NULL;
        const struct cli_option options[] = {CLI_DATA(data)};
        const struct cli_page page = {
                .usage = "view remove VIEW [options]",
                .about = "Removes a saved view.",
                .examples = "  deskbell view remove 'VIP waits'\n",
                CLI_OPTIONS(options),
                .max_free = 1,
        };
        int rc, first = listed_parse(&views, &page, argc, argv, &rc);
        if (first < 0)
                return rc;
        return listed_change(data, &views, argv[first], "view.remove", json_pack("{s:o}", "cmid", secret_cmid()), NULL);
}

int cli_view(int argc, char **argv)
{
        static const struct cli_command commands[] = {
                {"add", "save a view", run_add},
                {"set", "change a view", run_set},
                {"list", "show all views", run_list},
                {"show", "show the tickets of a view", run_show},
                {"count", "count a view's tickets", run_count},
                {"remove", "remove a view", run_remove},
        };

        return cli_group("view", commands, sizeof(commands) / sizeof(commands[0]), argc, argv);
}
