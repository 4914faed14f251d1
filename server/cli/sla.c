/* SPDX-License-Identifier: Apache-2.0 */
/* deskbell sla: what is promised, and why a ticket's deadlines are what they are. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/listed.h"
#include "cli/secrets.h"
#include "cli/sla.h"

static const struct listed policies = {.method = "sla.list", .list = "policies", .id = "policy", .what = "policy"};
static const struct listed schedules = {
        .method = "schedule.list", .list = "schedules", .id = "schedule", .what = "schedule"};

/* ---- targets as they are typed ---- */

static bool is_priority(const char *text, size_t len)
{
        static const char *const names[] = {"low", "normal", "high", "urgent"};
        bool is = false;
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
                is |= strlen(names[i]) == len && strncmp(text, names[i], len) == 0;
        return is;
}

/* "30m", "4h", "90s", "1h30m" of business time, or "2wd". *out_days: it was working days. */
static bool read_amount(const char *text, long *out_amount, bool *out_days)
{
        long sum = 0;
        *out_days = false;
        if (!*text)
                return false;
        while (*text) {
                char *unit;
                long number = *text >= '0' && *text <= '9' ? strtol(text, &unit, 10) : -1;
                if (number < 1 || number > 40000000)
                        return false;
                if (strcmp(unit, "wd") == 0 && sum == 0) {
                        *out_days = true;
                        *out_amount = number;
                        return true;
                }
                long seconds = *unit == 's' ? 1 : *unit == 'm' ? 60 : *unit == 'h' ? 3600 : 0;
                if (seconds == 0)
                        return false;
                sum += number * seconds;
                text = unit + 1;
        }
        *out_amount = sum;
        return true;
}

static int add_target(json_t *targets, const char *metric, const char *text)
{
        const char *equals = strchr(text, '='), *amount = equals ? equals + 1 : text;
        json_t *target = json_pack("{s:s}", "metric", metric);
        bool is_days, is_fine = !equals || is_priority(text, (size_t)(equals - text));
        long number = 0;
        is_fine = is_fine && read_amount(amount, &number, &is_days);
        if (is_fine && equals)
                json_object_set_new(target, "priority", json_stringn(text, (size_t)(equals - text)));
        if (is_fine)
                json_object_set_new(target, is_days ? "working_days" : "seconds", json_integer(number));
        json_array_append_new(targets, target);
        return is_fine ? EX_OK
                       : cli_fail(EX_USAGE,
                                  "%s: a target is 30m or 4h of business time, or 2wd (working days), and may have a "
                                  "priority before it: urgent=10m",
                                  text);
}

/* ---- add, set ---- */

struct said {
        const char *data, *name, *when, *schedule, *warn, *first[CLI_LIST], *next[CLI_LIST], *resolve[CLI_LIST],
                *pauses[CLI_LIST];
        bool also_open, new_only, always, no_pauses, json;
};

#define POLICY_OPTIONS(said)                                                                                           \
        CLI_DATA((said).data), {.name = "name", .value = "NAME", .text = &(said).name, .help = "its name"},            \
                {.name = "when",                                                                                       \
                 .value = "EXPRESSION",                                                                                \
                 .text = &(said).when,                                                                                 \
                 .help = "which tickets, such as 'customer.tier = gold'; default all"},                                \
                {.name = "schedule",                                                                                   \
                 .value = "SCHEDULE",                                                                                  \
                 .text = &(said).schedule,                                                                             \
                 .help = "whose hours count; default all the time"},                                                   \
                {.name = "first",                                                                                      \
                 .value = "[PRIORITY=]TIME",                                                                           \
                 .list = (said).first,                                                                                 \
                 .help = "first response: 30m, urgent=10m, 1wd (working day); may be repeated"},                       \
                {.name = "next", .value = "[PRIORITY=]TIME", .list = (said).next, .help = "each further response"},    \
                {.name = "resolve", .value = "[PRIORITY=]TIME", .list = (said).resolve, .help = "resolution"},         \
                {.name = "pause",                                                                                      \
                 .value = "STATUS",                                                                                    \
                 .list = (said).pauses,                                                                                \
                 .help = "stands still in waiting, on_hold, snoozed; default all three"},                              \
                {.name = "no-pause", .flag = &(said).no_pauses, .help = "it never stands still"},                      \
                {.name = "warn",                                                                                       \
                 .value = "PERCENT",                                                                                   \
                 .text = &(said).warn,                                                                                 \
                 .help = "warn when so much of a target has passed; default 80, 0 = never"},                           \
                {.name = "also-open", .flag = &(said).also_open, .help = "for tickets that are open, too"},            \
                CLI_JSON((said).json)

static int add_targets(const struct said *said, json_t *params)
{
        const char *const *lists[] = {said->first, said->next, said->resolve};
        static const char *const metrics[] = {"first_response", "next_response", "resolution"};
        json_t *targets = json_array();
        int rc = EX_OK;
        for (int m = 0; m < 3; m++)
                for (int i = 0; rc == EX_OK && lists[m][i]; i++)
                        rc = add_target(targets, metrics[m], lists[m][i]);
        if (json_array_size(targets) > 0)
                json_object_set(params, "targets", targets);
        json_decref(targets);
        return rc;
}

static int params_of(const struct said *said, json_t **out_params)
{
        json_t *params = json_pack("{s:o, s:s*, s:s*}", "cmid", secret_cmid(), "name", said->name, "when", said->when);
        int rc = params ? add_targets(said, params) : cli_fail(EX_DATAERR, "names are UTF-8");
        if (rc == EX_OK && (said->pauses[0] || said->no_pauses)) {
                json_t *pauses = json_array();
                for (int i = 0; said->pauses[i]; i++)
                        json_array_append_new(pauses, json_string(said->pauses[i]));
                json_object_set_new(params, "pauses", pauses);
        }
        if (rc == EX_OK && said->warn) {
                char *end;
                long percent = strtol(said->warn, &end, 10);
                if (*end || !*said->warn || percent < 0 || percent > 99)
                        rc = cli_fail(EX_USAGE, "--warn is a percentage from 0 to 99");
                json_object_set_new(params, "warn_percent", json_integer(percent));
        }
        if (rc == EX_OK)
                *out_params = params;
        else
                json_decref(params);
        return rc;
}

/* Opens the store, replaces names by ids, calls. `policy` NULL: none is named. Takes params. */
static int call(const struct said *said, const char *policy, const char *method, json_t *params, json_t **out_result)
{
        struct console *console = NULL;
        json_t *row = NULL, *schedule = NULL;
        int rc = console_open(cli_data(said->data), CONSOLE_USE, &console);
        if (rc == EX_OK && policy)
                rc = listed_find(console, &policies, policy, &row);
        if (rc == EX_OK && said->schedule)
                rc = listed_find(console, &schedules, said->schedule, &schedule);
        if (row)
                json_object_set(params, "policy", json_object_get(row, "policy"));
        if (schedule)
                json_object_set(params, "schedule", json_object_get(schedule, "schedule"));
        if (rc == EX_OK)
                rc = console_do(console, method, json_incref(params), out_result);
        json_decref(params);
        json_decref(row);
        json_decref(schedule);
        console_close(console);
        return rc;
}

static int run_add(int argc, char **argv)
{
        struct said said = {0};
        const struct cli_option options[] = {POLICY_OPTIONS(said)};
        const struct cli_page page = {
                .usage = "sla add --name NAME --first|--next|--resolve TIME [options]",
                .about = "Makes a policy, tried after the others, and prints its id. A ticket has the first policy "
                         "that fits.\n"
                         "Times are business time of the schedule; 1wd is a working day. The expressions: "
                         "docs/desk.md.",
                .examples = "  deskbell sla add --name Gold --when 'customer.tier = gold' --schedule Seoul --first 30m "
                            "--resolve 1wd\n"
                            "  deskbell sla add --name Usual --first 4h --first urgent=15m --next 8h --also-open\n",
                CLI_OPTIONS(options),
        };
        json_t *params = NULL, *result = NULL;
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);
        if (!said.name || (!said.first[0] && !said.next[0] && !said.resolve[0]))
                return cli_fail(EX_USAGE,
                                "--name and a target (--first, --next, --resolve) are needed; see: deskbell sla add "
                                "--help");
        int rc = params_of(&said, &params);
        if (rc == EX_OK && said.also_open)
                json_object_set_new(params, "also_open", json_true());
        if (rc == EX_OK)
                rc = call(&said, NULL, "sla.add", params, &result);
        return cli_answer_id(rc, said.json, result, "policy");
}

static int check_asked(const struct said *said)
{
        return said->also_open != said->new_only
                       ? EX_OK
                       : cli_fail(EX_USAGE, "say --also-open (tickets that are open get it too) or --new-only");
}

static int run_set(int argc, char **argv)
{
        struct said said = {0};
        const struct cli_option options[] = {
                POLICY_OPTIONS(said),
                {.name = "new-only", .flag = &said.new_only, .help = "only for tickets that begin from now on"},
                {.name = "always", .flag = &said.always, .help = "all the time counts, no schedule"},
        };
        const struct cli_page page = {
                .usage = "sla set POLICY --also-open|--new-only [options]",
                .about = "Changes a policy. Targets that are said replace all that were there. What was missed stays "
                         "missed,\n"
                         "and a stricter target is never missed before it was set.",
                .examples = "  deskbell sla set Gold --new-only --first 15m --resolve 1wd\n",
                CLI_OPTIONS(options),
                .max_free = 1,
        };
        json_t *params = NULL, *result = NULL;
        int rc, first = listed_parse(&policies, &page, argc, argv, &rc);
        if (first < 0)
                return rc;
        rc = check_asked(&said);
        if (rc == EX_OK)
                rc = params_of(&said, &params);
        if (rc != EX_OK)
                return rc;
        json_object_set_new(params, "also_open", json_boolean(said.also_open));
        if (said.always)
                json_object_set_new(params, "always", json_true());
        rc = call(&said, argv[first], "sla.set", params, &result);
        return cli_answer_id(rc, said.json, result, "policy");
}

static int run_remove(int argc, char **argv)
{
        struct said said = {0};
        const struct cli_option options[] = {
                CLI_DATA(said.data),
                {.name = "also-open", .flag = &said.also_open, .help = "open tickets lose it too"},
                {.name = "new-only", .flag = &said.new_only, .help = "open tickets keep it"},
        };
        const struct cli_page page = {
                .usage = "sla remove POLICY --also-open|--new-only [options]",
                .about = "Removes a policy.",
                .examples = "  deskbell sla remove Gold --new-only\n",
                CLI_OPTIONS(options),
                .max_free = 1,
        };
        int rc, first = listed_parse(&policies, &page, argc, argv, &rc);
        if (first < 0)
                return rc;
        rc = check_asked(&said);
        return rc != EX_OK ? rc
                           : call(&said, argv[first], "sla.remove",
                                  json_pack("{s:o, s:b}", "cmid", secret_cmid(), "also_open", said.also_open), NULL);
}

/* ---- order ---- */

static int find_all(struct console *console, char **names, int count, json_t *params)
{
        json_t *ids = json_array();
        int rc = EX_OK;
        for (int i = 0; rc == EX_OK && i < count; i++) {
                json_t *row = NULL;
                rc = listed_find(console, &policies, names[i], &row);
                if (rc == EX_OK)
                        json_array_append(ids, json_object_get(row, "policy"));
                json_decref(row);
        }
        json_object_set_new(params, "policies", ids);
        return rc;
}

static int run_order(int argc, char **argv)
{
        const char *data = NULL;
        const struct cli_option options[] = {CLI_DATA(data)};
        const struct cli_page page = {
                .usage = "sla order POLICY POLICY ... [options]",
                .about = "The order in which policies are tried: all of them, first to last.",
                .examples = "  deskbell sla order Gold Usual\n",
                CLI_OPTIONS(options),
                .max_free = 100,
        };
        struct console *console = NULL;
        int rc, first = listed_parse(&policies, &page, argc, argv, &rc);
        if (first < 0)
                return rc;
        json_t *params = json_pack("{s:o}", "cmid", secret_cmid());
        rc = console_open(cli_data(data), CONSOLE_USE, &console);
        if (rc == EX_OK)
                rc = find_all(console, argv + first, argc - first, params);
        if (rc == EX_OK)
                rc = console_do(console, "sla.order", json_incref(params), NULL);
        json_decref(params);
        console_close(console);
        return rc;
}

/* ---- list, show, explain ---- */

static int run_list(int argc, char **argv)
{
        const char *data = NULL;
        bool json = false;
        const struct cli_option options[] = {CLI_DATA(data), CLI_JSON(json)};
        const struct cli_page page = {
                .usage = "sla list [options]",
                .about = "All policies, in the order in which they are tried.",
                .examples = "  deskbell sla list\n",
                CLI_OPTIONS(options),
        };
        int first = cli_parse(&page, argc, argv);
        return first < 0 ? cli_parsed(first) : listed_answer_all(data, &policies, json, sla_print_policy);
}

static int run_show(int argc, char **argv)
{
        const char *data = NULL;
        bool json = false;
        const struct cli_option options[] = {CLI_DATA(data), CLI_JSON(json)};
        const struct cli_page page = {
                .usage = "sla show POLICY [options]",
                .about = "One policy.",
                .examples = "  deskbell sla show Gold\n",
                CLI_OPTIONS(options),
                .max_free = 1,
        };
        int rc, first = listed_parse(&policies, &page, argc, argv, &rc);
        return first < 0 ? rc : listed_answer_one(data, &policies, argv[first], json, sla_print_policy);
}

static int run_explain(int argc, char **argv)
{
        const char *data = NULL;
        bool json = false;
        const struct cli_option options[] = {CLI_DATA(data), CLI_JSON(json)};
        const struct cli_page page = {
                .usage = "sla explain TICKET [options]",
                .about = "Why a ticket's deadlines are what they are: its clock made again from what happened, with "
                         "the\n"
                         "ledger of what counted, and whether that is what the server has kept.",
                .examples = "  deskbell sla explain tkt_01h8x9example0\n",
                CLI_OPTIONS(options),
                .max_free = 1,
        };
        json_t *result = NULL;
        int rc, first = cli_parse_named(&page, argc, argv, "which ticket? (tkt_...)", &rc);
        if (first < 0)
                return rc;
        rc = console_call(cli_data(data), "sla.explain", json_pack("{s:s}", "ticket", argv[first]), &result);
        return cli_answer(rc, json, result, sla_print_explanation);
}

int cli_sla(int argc, char **argv)
{
        static const struct cli_command commands[] = {
                {"add", "make a policy", run_add},
                {"set", "change a policy", run_set},
                {"list", "show all policies in their order", run_list},
                {"show", "show one policy", run_show},
                {"order", "put the policies in order", run_order},
                {"remove", "remove a policy", run_remove},
                {"explain", "why a ticket's deadlines are what they are", run_explain},
        };
        return cli_group("sla", commands, sizeof(commands) / sizeof(commands[0]), argc, argv);
}
