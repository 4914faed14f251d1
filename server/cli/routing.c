/* SPDX-License-Identifier: Apache-2.0 */
/* deskbell routing: how tickets get to agents, beside what rules and teams say. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "cli/secrets.h"

enum { WORD_BYTES = 64, MINUTE_MS = 60000 };

/* ---- show ---- */

static void print_weights(const json_t *weights)
{
        size_t i;
        const json_t *row;
        json_array_foreach(weights, i, row) {
                const char *app = cli_text(row, "app"), *priority = cli_text(row, "priority");
                printf("weight      %" JSON_INTEGER_FORMAT " of %s tickets%s%s\n",
                       json_integer_value(json_object_get(row, "weight")), *priority ? priority : "all",
                       *app ? " of " : "", app);
        }
        printf("weight      1 of %s tickets\n", json_array_size(weights) > 0 ? "all other" : "all");
}

static int print_routing(json_t *result, bool json)
{
        const json_t *routing = json_object_get(result, "routing");
        json_int_t silent_ms = json_integer_value(json_object_get(routing, "silent_ms"));
        const char *team = cli_text(routing, "default_team");
        if (json)
                return cli_print(json_incref(json_object_get(result, "routing")));
        printf("team        %s\n", *team ? team : "none: a ticket that no rule gives to a team waits to be taken");
        if (silent_ms > 0)
                printf("silent      %g minutes without an answer, and a chat takes no place\n",
                       (double)silent_ms / MINUTE_MS);
        else
                printf("silent      a chat takes its place until it is solved\n");
        printf("miss        who misses an offer %s\n",
               json_is_true(json_object_get(routing, "miss_is_away")) ? "is set away" : "stays as he is");
        print_weights(json_object_get(routing, "weights"));
        return cli_finish();
}

static int run_show(int argc, char **argv)
{
        const char *data = NULL;
        bool json = false;
        const struct cli_option options[] = {CLI_DATA(data), CLI_JSON(json)};
        const struct cli_page page = {.usage = "routing show [options]",
                                      .about = "How tickets get to agents.",
                                      .examples = "  deskbell routing show\n",
                                      .options = options,
                                      .count = sizeof(options) / sizeof(options[0])};
        json_t *result = NULL;
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);
        int rc = console_call(cli_data(data), "routing.get", NULL, &result);
        if (rc == EX_OK)
                rc = print_routing(result, json);
        json_decref(result);
        return rc;
}

/* ---- set ---- */

/* A number in all of `text`, or -1. */
static long whole(const char *text, long most)
{
        char *end = NULL;
        errno = 0;
        long value = strtol(text, &end, 10);
        return errno == 0 && end != text && *end == '\0' && value >= 0 && value <= most ? value : -1;
}

static int add_minutes(json_t *params, const char *said)
{
        long minutes = said ? whole(said, 24 * 60) : -1;
        if (said && minutes < 0)
                return cli_fail(EX_USAGE, "--silent %s: expected minutes from 0 to 1440", said);
        if (said)
                json_object_set_new(params, "silent_ms", json_integer((json_int_t)minutes * MINUTE_MS));
        return EX_OK;
}

static int add_miss(json_t *params, const char *said)
{
        if (said && strcmp(said, "away") != 0 && strcmp(said, "stays") != 0)
                return cli_fail(EX_USAGE, "--miss %s: expected away or stays", said);
        if (said)
                json_object_set_new(params, "miss_is_away", json_boolean(strcmp(said, "away") == 0));
        return EX_OK;
}

/* "urgent=3", "app_...=2", "app_.../high=2" or "2". */
static int add_weight(json_t *weights, const char *said)
{
        const char *equals = strchr(said, '='), *number = equals ? equals + 1 : said;
        char word[WORD_BYTES] = "";
        long weight = whole(number, 100);
        size_t len = equals ? (size_t)(equals - said) : 0;
        if (weight < 1 || len >= sizeof(word))
                return cli_fail(EX_USAGE, "--weight %s: expected [APP/][PRIORITY=]NUMBER, the number from 1 to 100",
                                said);
        memcpy(word, said, len);
        char *slash = strchr(word, '/'), *priority = slash ? slash + 1 : strncmp(word, "app_", 4) == 0 ? NULL : word;
        if (slash)
                *slash = '\0';
        bool has_app = word[0] != '\0' && word != priority;
        bool has_priority = priority && *priority;
        json_array_append_new(weights, json_pack("{s:i, s:s*, s:s*}", "weight", (int)weight, "app",
                                                 has_app ? word : NULL, "priority", has_priority ? priority : NULL));
        return EX_OK;
}

static int add_weights(json_t *params, const char *const *said)
{
        if (!said[0])
                return EX_OK;
        json_t *weights = json_array();
        int rc = EX_OK;
        bool is_none = strcmp(said[0], "none") == 0;
        for (size_t i = 0; said[i] && !is_none && rc == EX_OK; i++)
                rc = add_weight(weights, said[i]);
        json_object_set_new(params, "weights", weights);
        return rc;
}

/* By its id, its name, or "none". */
static int add_team(struct console *console, json_t *params, const char *said)
{
        if (strcmp(said, "none") == 0) {
                json_object_set_new(params, "no_default_team", json_true());
                return EX_OK;
        }
        json_t *result = NULL;
        int rc = console_do(console, "team.list", NULL, &result);
        size_t i;
        const json_t *row;
        json_array_foreach(json_object_get(result, "teams"), i, row) {
                if (strcmp(cli_text(row, "name"), said) == 0 || strcmp(cli_text(row, "team"), said) == 0)
                        json_object_set_new(params, "default_team", json_string(cli_text(row, "team")));
        }
        json_decref(result);
        if (rc == EX_OK && !json_object_get(params, "default_team"))
                rc = cli_fail(EX_DATAERR, "no team %s; see: deskbell team list", said);
        return rc;
}

static int set(const char *data, const char *team, json_t *params)
{
        struct console *console = NULL;
        int rc = console_open(data, CONSOLE_USE, &console);
        if (rc == EX_OK && team)
                rc = add_team(console, params, team);
        if (rc == EX_OK)
                rc = console_do(console, "routing.set", json_incref(params), NULL);
        console_close(console);
        return rc;
}

static int run_set(int argc, char **argv)
{
        const char *data = NULL, *team = NULL, *silent = NULL, *miss = NULL, *weights[CLI_LIST + 1] = {NULL};
        const struct cli_option options[] = {
                CLI_DATA(data),
                {.name = "team",
                 .value = "TEAM",
                 .text = &team,
                 .help = "gets tickets that no rule gives to a team; none: they wait to be taken"},
                {.name = "silent",
                 .value = "MINUTES",
                 .text = &silent,
                 .help = "a customer silent for so long takes no place of his agent; 0: he always does"},
                {.name = "miss", .value = "away|stays", .text = &miss, .help = "what becomes of who misses an offer"},
                {.name = "weight",
                 .value = "[APP/][PRIORITY=]N",
                 .list = weights,
                 .help = "what a ticket takes of its agent's capacity, the first that fits; none: 1 for all"},
        };
        const struct cli_page page = {
                .usage = "routing set [options]",
                .about = "Changes how tickets get to agents: only what is said; all weights at once.",
                .examples = "  deskbell routing set --team \"First line\"\n"
                            "  deskbell routing set --silent 10 --miss away --weight urgent=2 --weight 1\n",
                CLI_OPTIONS(options),
        };
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);
        json_t *params = json_pack("{s:o}", "cmid", secret_cmid());
        int rc = add_minutes(params, silent);
        if (rc == EX_OK)
                rc = add_miss(params, miss);
        if (rc == EX_OK)
                rc = add_weights(params, weights);
        if (rc == EX_OK)
                rc = set(cli_data(data), team, params);
        json_decref(params);
        return rc;
}

int cli_routing(int argc, char **argv)
{
        static const struct cli_command commands[] = {
                {"show", "how tickets get to agents", run_show},
                {"set", "change it", run_set},
        };

        return cli_group("routing", commands, sizeof(commands) / sizeof(commands[0]), argc, argv);
}
