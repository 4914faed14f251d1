/* SPDX-License-Identifier: Apache-2.0 */
/* deskbell agent set, status, away: what an agent may, knows and does. */
#include <stdio.h>
#include <string.h>

#include "cli/agent.h"
#include "cli/cli.h"
#include "cli/named.h"
#include "cli/secrets.h"

struct said {
        const char *data, *name, *role, *capacity, *wake_cap, *schedule, *languages[CLI_LIST], *skills[CLI_LIST];
        bool no_schedule, no_languages, no_skills, json;
};

static int put_number(json_t *params, const char *option, const char *text, const char *member)
{
        long long number = 0;
        int rc = text ? named_number(option, text, 1000, &number) : EX_OK;
        if (rc == EX_OK && text)
                json_object_set_new(params, member, json_integer(number));
        return rc;
}

static int put_list(json_t *params, const char *const *texts, bool none, const char *member)
{
        if (texts[0] && none)
                return cli_fail(EX_USAGE, "both %s and none of them were said", member);
        if (texts[0] || none)
                json_object_set_new(params, member, named_list(texts));
        return EX_OK;
}

static int fill(const struct said *said, json_t *params)
{
        int rc = put_number(params, "capacity", said->capacity, "capacity");
        if (rc == EX_OK)
                rc = put_number(params, "wake-cap", said->wake_cap, "wake_cap");
        if (rc == EX_OK)
                rc = put_list(params, said->languages, said->no_languages, "languages");
        if (rc == EX_OK)
                rc = put_list(params, said->skills, said->no_skills, "skills");
        if (rc == EX_OK && said->no_schedule)
                json_object_set_new(params, "no_schedule", json_true());
        return rc;
}

static int set(const struct said *said, const char *who, json_t *params, json_t **out_result)
{
        struct console *console = NULL;
        char agent[FOLDER_ID], role[FOLDER_ID];
        int rc = console_open(cli_data(said->data), CONSOLE_USE, &console);
        if (rc == EX_OK)
                rc = named_find(console, NAMED_AGENT, who, agent);
        if (rc == EX_OK && said->role && (rc = named_find(console, NAMED_ROLE, said->role, role)) == EX_OK)
                json_object_set_new(params, "role", json_string(role));
        if (rc == EX_OK) {
                json_object_set_new(params, "agent", json_string(agent));
                rc = console_do(console, "agent.set", json_incref(params), out_result);
        }
        console_close(console);
        return rc;
}

static void print_texts(const char *what, const json_t *list)
{
        if (json_array_size(list) == 0)
                return;
        printf("%-10s", what);
        for (size_t i = 0; i < json_array_size(list); i++)
                printf(" %s", json_string_value(json_array_get(list, i)));
        printf("\n");
}

static void print_agent(const json_t *row)
{
        printf("agent      %s\nname       %s\nrole       %s\ncapacity   %lld (+%lld when silent ones wake)\n",
               cli_text(row, "agent"), cli_text(row, "name"), cli_text(row, "role_name"),
               json_integer_value(json_object_get(row, "capacity")),
               json_integer_value(json_object_get(row, "wake_cap")));
        print_texts("languages", json_object_get(row, "languages"));
        print_texts("skills", json_object_get(row, "skills"));
        print_texts("teams", json_object_get(row, "teams"));
        if (json_object_get(row, "schedule"))
                printf("schedule   %s\n", cli_text(row, "schedule"));
}

int agent_run_set(int argc, char **argv)
{
        struct said said = {0};
        const struct cli_option options[] = {
                CLI_DATA(said.data),
                {.name = "name", .value = "NAME", .text = &said.name, .help = "another display name"},
                {.name = "role", .value = "ROLE", .text = &said.role, .help = "agent, supervisor, admin, or another"},
                {.name = "capacity", .value = "N", .text = &said.capacity, .help = "weight of tickets at once"},
                {.name = "wake-cap", .value = "N", .text = &said.wake_cap, .help = "how far above it when they wake"},
                {.name = "language", .value = "TAG", .list = said.languages, .help = "all of them: ko,en"},
                {.name = "no-languages", .flag = &said.no_languages, .help = "none"},
                {.name = "skill", .value = "WORD", .list = said.skills, .help = "all of them: refunds,invoices"},
                {.name = "no-skills", .flag = &said.no_skills, .help = "none"},
                {.name = "schedule", .value = "ID", .text = &said.schedule, .help = "working hours"},
                {.name = "no-schedule", .flag = &said.no_schedule, .help = "no working hours"},
                CLI_JSON(said.json),
        };
        const struct cli_page page = {
                .usage = "agent set AGENT [options]",
                .about = "Changes what is said of an agent; what is not said stays. AGENT is an id or a name. Another "
                         "role\ntakes effect at once: the agent is disconnected once and comes back with it.",
                .examples = "  deskbell agent set Ada --role supervisor --language ko,en --skill refunds\n"
                            "  deskbell agent set agt_0000000000001 --capacity 8\n",
                CLI_OPTIONS(options),
                .max_free = 1,
        };
        json_t *result = NULL;
        int rc, first = cli_parse_named(&page, argc, argv, "which agent? see: deskbell agent list", &rc);
        if (first < 0)
                return rc;
        json_t *params =
                json_pack("{s:o, s:s*, s:s*}", "cmid", secret_cmid(), "name", said.name, "schedule", said.schedule);
        rc = fill(&said, params);
        if (rc == EX_OK)
                rc = set(&said, argv[first], params, &result);
        json_decref(params);
        return cli_answer_rows(rc, said.json, result, "row", print_agent);
}

/* ---- status, away ---- */

static void print_status(const json_t *row)
{
        char when[32];
        printf("%s  %-7s  since %s  load %lld of %lld%s  %s\n", cli_text(row, "agent"), cli_text(row, "status"),
               cli_time(json_integer_value(json_object_get(row, "since")), when),
               json_integer_value(json_object_get(row, "load")), json_integer_value(json_object_get(row, "capacity")),
               json_is_true(json_object_get(row, "over")) ? "  away too long" : "", cli_text(row, "reason"));
}

int agent_run_status(int argc, char **argv)
{
        const char *data = NULL;
        bool json = false;
        const struct cli_option options[] = {CLI_DATA(data), CLI_JSON(json)};
        const struct cli_page page = {
                .usage = "agent status [options]",
                .about = "What the agents are doing now.",
                .examples = "  deskbell agent status\n",
                CLI_OPTIONS(options),
        };
        json_t *result = NULL;
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);
        int rc = console_call(cli_data(data), "status.list", NULL, &result);
        return cli_answer_rows(rc, json, result, "agents", print_status);
}

static void print_reason(const json_t *row)
{
        printf("%-20s %lld min in 24 h\n", cli_text(row, "reason"),
               json_integer_value(json_object_get(row, "minutes")));
}

static int list_reasons(const char *data, bool json)
{
        json_t *result = NULL;
        int rc = console_call(cli_data(data), "away.list", NULL, &result);
        return cli_answer_rows(rc, json, result, "reasons", print_reason);
}

int agent_run_away(int argc, char **argv)
{
        const char *data = NULL, *minutes = NULL;
        bool json = false;
        const struct cli_option options[] = {
                CLI_DATA(data),
                {.name = "minutes", .value = "N", .text = &minutes, .help = "how long in any 24 h; default no bound"},
                CLI_JSON(json),
        };
        const struct cli_page page = {
                .usage = "agent away [add REASON|remove REASON] [options]",
                .about = "The reasons to be away, and how long each may take. Whoever is away for longer is marked on "
                         "the board.",
                .examples = "  deskbell agent away add lunch --minutes 60\n"
                            "  deskbell agent away\n",
                CLI_OPTIONS(options),
                .max_free = 2,
        };
        long long number = 0;
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);
        if (first == argc)
                return list_reasons(data, json);
        bool is_add = strcmp(argv[first], "add") == 0;
        if (argc - first != 2 || (!is_add && strcmp(argv[first], "remove") != 0))
                return cli_fail(EX_USAGE, "add or remove, and a reason; see: deskbell agent away --help");
        int rc = minutes ? named_number("minutes", minutes, 1440, &number) : EX_OK;
        if (rc != EX_OK)
                return rc;
        json_t *params = json_pack("{s:o, s:s}", "cmid", secret_cmid(), "reason", argv[first + 1]);
        if (is_add && number > 0)
                json_object_set_new(params, "minutes", json_integer(number));
        return console_call(cli_data(data), is_add ? "away.set" : "away.remove", params, NULL);
}
