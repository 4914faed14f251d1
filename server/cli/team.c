/* SPDX-License-Identifier: Apache-2.0 */
/* deskbell team: who answers together. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/named.h"
#include "cli/secrets.h"

static const struct listed *const teams = &named_lists[NAMED_TEAM];

/* ---- add, set ---- */

struct said {
        const char *data, *name, *manner, *sticky, *accept, *schedule, *requeue;
        bool consent, no_consent, no_schedule, no_requeue, must_speak, any_language, json;
};

#define TEAM_OPTIONS(said)                                                                                             \
        CLI_DATA((said).data), {.name = "name", .value = "NAME", .text = &(said).name, .help = "its name"},            \
                {.name = "manner",                                                                                     \
                 .value = "HOW",                                                                                       \
                 .text = &(said).manner,                                                                               \
                 .help = "least_loaded (default), round_robin or sticky"},                                             \
                {.name = "sticky-days",                                                                                \
                 .value = "N",                                                                                         \
                 .text = &(said).sticky,                                                                               \
                 .help = "manner sticky: how long the last agent is asked first; default 7"},                          \
                {.name = "accept",                                                                                     \
                 .value = "SECONDS",                                                                                   \
                 .text = &(said).accept,                                                                               \
                 .help = "to accept an offer; 0 = tickets are assigned without asking; default 30"},                   \
                {.name = "schedule", .value = "ID", .text = &(said).schedule, .help = "its hours"},                    \
                {.name = "no-schedule", .flag = &(said).no_schedule, .help = "always open"},                           \
                {.name = "requeue",                                                                                    \
                 .value = "SECONDS",                                                                                   \
                 .text = &(said).requeue,                                                                              \
                 .help = "after which tickets of an agent who has gone wait for another; default 60"},                 \
                {.name = "no-requeue", .flag = &(said).no_requeue, .help = "they stay his"},                           \
                {.name = "consent", .flag = &(said).consent, .help = "the customer confirms that it is solved"},       \
                {.name = "no-consent", .flag = &(said).no_consent, .help = "he is not asked (default)"},               \
                {.name = "must-speak", .flag = &(said).must_speak, .help = "only who speaks the ticket's language"},   \
                {.name = "any-language", .flag = &(said).any_language, .help = "they are only asked first (default)"}, \
                CLI_JSON((said).json)

static int put_number(json_t *params, const char *option, const char *text, const char *member, long long unit_ms,
                      long long max)
{
        long long number = 0;
        if (!text)
                return EX_OK;
        int rc = named_number(option, text, max, &number);
        if (rc == EX_OK)
                json_object_set_new(params, member, json_integer(number * unit_ms));
        return rc;
}

static int put_both(json_t *params, bool yes, bool no, const char *member)
{
        if (yes && no)
                return cli_fail(EX_USAGE, "both %s and its opposite were said", member);
        if (yes || no)
                json_object_set_new(params, member, json_boolean(yes));
        return EX_OK;
}

/* A new object with what was said, or NULL: printed why. */
static json_t *params_of(const struct said *said)
{
        json_t *params = json_pack("{s:o, s:s*, s:s*, s:s*}", "cmid", secret_cmid(), "name", said->name, "manner",
                                   said->manner, "schedule", said->schedule);
        int rc = put_number(params, "sticky-days", said->sticky, "sticky_ms", 86400000, 365);
        if (rc == EX_OK)
                rc = put_number(params, "accept", said->accept, "accept_ms", 1000, 600);
        if (rc == EX_OK)
                rc = put_number(params, "requeue", said->requeue, "requeue_ms", 1000, 86400);
        if (rc == EX_OK)
                rc = put_both(params, said->consent, said->no_consent, "consent");
        if (rc == EX_OK)
                rc = put_both(params, said->must_speak, said->any_language, "must_speak");
        if (rc == EX_OK)
                rc = put_both(params, said->requeue != NULL, said->no_requeue, "requeue");
        if (rc == EX_OK && said->no_schedule)
                json_object_set_new(params, "no_schedule", json_true());
        if (rc == EX_OK)
                return params;
        json_decref(params);
        return NULL;
}

static int run_add(int argc, char **argv)
{
        struct said said = {0};
        const struct cli_option options[] = {TEAM_OPTIONS(said)};
        const struct cli_page page = {
                .usage = "team add --name NAME [options]",
                .about = "Makes a team and prints its id.",
                .examples = "  deskbell team add --name Billing\n"
                            "  deskbell team add --name Seoul --manner round_robin --accept 20 --must-speak\n",
                CLI_OPTIONS(options),
        };
        json_t *result = NULL, *params;
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);
        if (!said.name)
                return cli_fail(EX_USAGE, "--name is needed; see: deskbell team add --help");
        if (said.no_schedule)
                return cli_fail(EX_USAGE, "a new team has no schedule unless one is said");
        if (!(params = params_of(&said)))
                return EX_USAGE;
        int rc = console_call(cli_data(said.data), "team.add", params, &result);
        return cli_answer_id(rc, said.json, result, "team");
}

static void print_row(const json_t *row)
{
        printf("%s  %-12s  agents %lld  accept %lld s%s%s%s%s  %s\n", cli_text(row, "team"), cli_text(row, "manner"),
               json_integer_value(json_object_get(row, "members")),
               json_integer_value(json_object_get(row, "accept_ms")) / 1000,
               json_is_true(json_object_get(row, "consent")) ? "  consent" : "",
               json_is_true(json_object_get(row, "must_speak")) ? "  must speak" : "",
               json_is_true(json_object_get(row, "requeue")) ? "" : "  no requeue",
               json_object_get(row, "schedule") ? "  hours" : "", cli_text(row, "name"));
}

static int run_set(int argc, char **argv)
{
        struct said said = {0};
        const struct cli_option options[] = {TEAM_OPTIONS(said)};
        const struct cli_page page = {
                .usage = "team set TEAM [options]",
                .about = "Changes a team; what is not said stays. TEAM is its id or its name.",
                .examples = "  deskbell team set Billing --accept 0\n"
                            "  deskbell team set Billing --consent --schedule sch_01h8x9example0\n",
                CLI_OPTIONS(options),
                .max_free = 1,
        };
        json_t *result = NULL, *params;
        int rc, first = listed_parse(teams, &page, argc, argv, &rc);
        if (first < 0)
                return rc;
        if (!(params = params_of(&said)))
                return EX_USAGE;
        rc = listed_change(said.data, teams, argv[first], "team.set", params, &result);
        return cli_answer_rows(rc, said.json, result, "row", print_row);
}

/* ---- list, show, remove ---- */

static int run_list(int argc, char **argv)
{
        const char *data = NULL;
        bool json = false;
        const struct cli_option options[] = {CLI_DATA(data), CLI_JSON(json)};
        const struct cli_page page = {
                .usage = "team list [options]",
                .about = "All teams, by name.",
                .examples = "  deskbell team list\n",
                CLI_OPTIONS(options),
        };
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);
        return listed_answer_all(data, teams, json, print_row);
}

static void print_agent(const json_t *agent)
{
        printf("%s\n", json_string_value(agent));
}

static int run_show(int argc, char **argv)
{
        const char *data = NULL;
        bool json = false;
        const struct cli_option options[] = {CLI_DATA(data), CLI_JSON(json)};
        const struct cli_page page = {
                .usage = "team show TEAM [options]",
                .about = "The agents of a team, oldest first.",
                .examples = "  deskbell team show Billing\n",
                CLI_OPTIONS(options),
                .max_free = 1,
        };
        json_t *result = NULL;
        int rc, first = listed_parse(teams, &page, argc, argv, &rc);
        if (first < 0)
                return rc;
        rc = listed_call(data, teams, argv[first], "team.members", json_object(), &result);
        return cli_answer_rows(rc, json, result, "agents", print_agent);
}

static int run_remove(int argc, char **argv)
{
        const char *data = NULL;
        const struct cli_option options[] = {CLI_DATA(data)};
        const struct cli_page page = {
                .usage = "team remove TEAM [options]",
                .about = "Removes a team. Its tickets that are not closed have to be given to others before.",
                .examples = "  deskbell team remove Billing\n",
                CLI_OPTIONS(options),
                .max_free = 1,
        };
        int rc, first = listed_parse(teams, &page, argc, argv, &rc);
        if (first < 0)
                return rc;
        return listed_change(data, teams, argv[first], "team.remove", json_pack("{s:o}", "cmid", secret_cmid()), NULL);
}

/* ---- member ---- */

static int run_member(int argc, char **argv)
{
        const char *data = NULL;
        const struct cli_option options[] = {CLI_DATA(data)};
        const struct cli_page page = {
                .usage = "team member add|remove TEAM AGENT [options]",
                .about = "An agent belongs to a team, or does not any more. Both are an id or a name. What the agent "
                         "may read\nchanges at once.",
                .examples = "  deskbell team member add Billing Ada\n"
                            "  deskbell team member remove Billing agt_0000000000001\n",
                CLI_OPTIONS(options),
                .max_free = 3,
        };
        struct console *console = NULL;
        char team[FOLDER_ID], agent[FOLDER_ID];
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);
        bool is_add = first < argc && strcmp(argv[first], "add") == 0;
        if (argc - first != 3 || (!is_add && strcmp(argv[first], "remove") != 0))
                return cli_fail(EX_USAGE, "add or remove, a team, an agent; see: deskbell team member --help");
        int rc = console_open(cli_data(data), CONSOLE_USE, &console);
        if (rc == EX_OK)
                rc = named_find(console, NAMED_TEAM, argv[first + 1], team);
        if (rc == EX_OK)
                rc = named_find(console, NAMED_AGENT, argv[first + 2], agent);
        if (rc == EX_OK)
                rc = console_do(console, is_add ? "team.member_add" : "team.member_remove",
                                json_pack("{s:o, s:s, s:s}", "cmid", secret_cmid(), "team", team, "agent", agent),
                                NULL);
        console_close(console);
        return rc;
}

int cli_team(int argc, char **argv)
{
        static const struct cli_command commands[] = {
                {"add", "make a team", run_add},         {"set", "change a team", run_set},
                {"list", "show all teams", run_list},    {"show", "show the agents of a team", run_show},
                {"remove", "remove a team", run_remove}, {"member", "say who belongs to a team", run_member},
        };

        return cli_group("team", commands, sizeof(commands) / sizeof(commands[0]), argc, argv);
}
