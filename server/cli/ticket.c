/* SPDX-License-Identifier: Apache-2.0 */
/* deskbell ticket: what waits for people. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "cli/named.h"
#include "cli/ticket.h"

enum { TICKETS_MOST = 1000000 };

void ticket_print(const json_t *ticket)
{
        const char *team = cli_text(ticket, "team_name"), *who = cli_text(ticket, "assignee_name");
        json_int_t due = json_integer_value(json_object_get(ticket, "due"));
        json_int_t missed = json_integer_value(json_object_get(ticket, "missed"));
        char when[32];

        printf("#%-6" JSON_INTEGER_FORMAT " %s  %-8s %-7s %s%s%s",
               json_integer_value(json_object_get(ticket, "number")), cli_text(ticket, "ticket"),
               cli_text(ticket, "status"), cli_text(ticket, "priority"), *team ? team : "-", *who ? ", " : "", who);
        if (due)
                printf("  due %s", cli_time(due, when));
        if (missed)
                printf("  missed %" JSON_INTEGER_FORMAT, missed);
        if (*cli_text(ticket, "subject"))
                printf("  %s", cli_text(ticket, "subject"));
        putchar('\n');
}

int ticket_find(struct console *console, const char *said, json_t **out_ticket)
{
        const char *digits = said + (*said == '#'), *id = said;
        json_t *list = NULL, *result = NULL;
        char when[40];
        int rc = EX_OK;

        if (isdigit((unsigned char)*digits)) {
                snprintf(when, sizeof(when), "number = %.20s", digits);
                rc = console_do(console, "ticket.list", json_pack("{s:s, s:i}", "when", when, "limit", 1), &list);
                id = cli_text(json_object_get(json_array_get(json_object_get(list, "rows"), 0), "ticket"), "ticket");
                if (rc == EX_OK && !*id)
                        rc = cli_fail(EX_DATAERR, "no ticket %s that is not closed; closed ones by their id", digits);
        }
        if (rc == EX_OK)
                rc = console_do(console, "ticket.get", json_pack("{s:s}", "ticket", id), &result);
        if (rc == EX_OK)
                *out_ticket = json_incref(json_object_get(result, "ticket"));
        json_decref(result);
        json_decref(list);
        return rc;
}

/* ---- list, show -------------------------------------------------------------------------------------------------- */

static int list_page(struct console *console, const char *method, json_t *params, long long wanted, bool json)
{
        long long shown = 0;
        int rc = EX_OK;
        bool more = true;

        while (rc == EX_OK && more && shown < wanted) {
                json_t *result = NULL, *row;
                size_t i;

                json_object_set_new(params, "limit", json_integer(wanted - shown < 50 ? wanted - shown : 50));
                rc = console_do(console, method, json_deep_copy(params), &result);
                json_array_foreach(json_object_get(result, "rows"), i, row) {
                        if (json)
                                cli_print(json_incref(row));
                        else
                                ticket_print(json_object_get(row, "ticket"));
                        shown++;
                }
                more = json_is_true(json_object_get(result, "more")) && *cli_text(result, "next");
                if (more)
                        json_object_set(params, "after", json_object_get(result, "next"));
                json_decref(result);
        }
        json_decref(params);
        return rc == EX_OK ? cli_finish() : rc;
}

static int run_list(int argc, char **argv)
{
        const char *data = NULL, *when = NULL, *sort = NULL, *limit = NULL;
        bool json = false, closed = false;
        const struct cli_option options[] = {
                CLI_DATA(data),
                {.name = "when", .value = "EXPR", .text = &when, .help = "a condition (docs/desk.md); default all"},
                {.name = "sort",
                 .value = "WORD",
                 .text = &sort,
                 .help = "activity (default), waiting, due, priority or created"},
                {.name = "limit", .value = "N", .text = &limit, .help = "at most so many; default 50"},
                {.name = "closed", .flag = &closed, .help = "those that are closed, newest first"},
                {.name = "json", .flag = &json, .help = "each as one JSON object on a line"},
        };
        const struct cli_page page = {
                .usage = "ticket list [options]",
                .about = "Tickets, by condition and in order.",
                .examples = "  deskbell ticket list --when 'status = open and priority >= high' --sort due\n"
                            "  deskbell ticket list --closed --limit 200 --json\n",
                CLI_OPTIONS(options),
        };
        struct console *console = NULL;
        json_t *params = json_object();
        long long wanted = 50;
        int first = cli_parse(&page, argc, argv);
        if (first < 0) {
                json_decref(params);
                return cli_parsed(first);
        }
        if (closed && (when || sort)) {
                json_decref(params);
                return cli_fail(EX_USAGE, "--closed takes no condition and no order");
        }
        if (limit && named_number("limit", limit, TICKETS_MOST, &wanted) != EX_OK) {
                json_decref(params);
                return EX_USAGE;
        }
        if (when)
                json_object_set_new(params, "when", json_string(when));
        if (sort)
                json_object_set_new(params, "sort", json_string(sort));
        int rc = console_open(cli_data(data), CONSOLE_USE, &console);
        if (rc == EX_OK)
                rc = list_page(console, closed ? "ticket.closed" : "ticket.list", params, wanted, json);
        else
                json_decref(params);
        console_close(console);
        return rc;
}

static int run_show(int argc, char **argv)
{
        const char *data = NULL;
        bool json = false;
        const struct cli_option options[] = {CLI_DATA(data), CLI_JSON(json)};
        const struct cli_page page = {
                .usage = "ticket show TICKET [options]",
                .about = "All that is known of a ticket: its number while it is not closed, or tkt_...",
                .examples = "  deskbell ticket show 12\n",
                CLI_OPTIONS(options),
                .max_free = 1,
        };
        struct console *console = NULL;
        const char *name;
        json_t *ticket = NULL, *value;
        int rc, first = cli_parse_named(&page, argc, argv, "which ticket? see: deskbell ticket list", &rc);
        if (first < 0)
                return rc;

        rc = console_open(cli_data(data), CONSOLE_USE, &console);
        if (rc == EX_OK)
                rc = ticket_find(console, argv[first], &ticket);
        if (rc == EX_OK && json) {
                rc = cli_print(json_incref(ticket));
        } else if (rc == EX_OK) {
                json_object_foreach(ticket, name, value) {
                        char *text = json_is_string(value) ? NULL : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
                        printf("%-14s %s\n", name, text ? text : json_string_value(value));
                        free(text);
                }
                rc = cli_finish();
        }
        console_close(console);
        json_decref(ticket);
        return rc;
}

int cli_ticket(int argc, char **argv)
{
        static const struct cli_command commands[] = {
                {"list", "show tickets", run_list},
                {"show", "show all of one", run_show},
                {"set", "priority, subject, tags, fields", ticket_run_set},
                {"assign", "give it to a team or an agent", ticket_run_assign},
                {"move", "along its life", ticket_run_move},
                {"merge", "two into one", ticket_run_merge},
                {"split", "one into two", ticket_run_split},
        };

        return cli_group("ticket", commands, sizeof(commands) / sizeof(commands[0]), argc, argv);
}
