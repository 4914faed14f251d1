/* SPDX-License-Identifier: Apache-2.0 */
/* deskbell role: what agents may do; and deskbell audit: who did what. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/named.h"
#include "cli/secrets.h"

/* ---- role ---- */

static void print_role(const json_t *row)
{
        json_t *permission;
        size_t i;
        printf("%s  agents %lld%s  %s:", cli_text(row, "role"), json_integer_value(json_object_get(row, "agents")),
               json_is_true(json_object_get(row, "built_in")) ? "  built in" : "", cli_text(row, "name"));
        json_array_foreach(json_object_get(row, "permissions"), i, permission)
                printf(" %s", json_string_value(permission));
        printf("\n");
}

static int run_add(int argc, char **argv)
{
        const char *data = NULL, *name = NULL, *may[CLI_LIST] = {NULL};
        bool json = false;
        const struct cli_option options[] = {
                CLI_DATA(data),
                {.name = "name", .value = "NAME", .text = &name, .help = "its name (needed)"},
                {.name = "may", .value = "PERMISSION", .list = may, .help = "what it allows; commas, or said again"},
                CLI_JSON(json),
        };
        const struct cli_page page = {
                .usage = "role add --name NAME [--may PERMISSION]... [options]",
                .about = "Makes a role and prints its id. The permissions are in docs/desk.md; see also: deskbell role "
                         "list.",
                .examples = "  deskbell role add --name outside --may reply,note,ticket_edit\n",
                CLI_OPTIONS(options),
        };
        json_t *result = NULL;
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);
        if (!name)
                return cli_fail(EX_USAGE, "--name is needed; see: deskbell role add --help");
        int rc = console_call(
                cli_data(data), "role.add",
                json_pack("{s:o, s:s, s:o}", "cmid", secret_cmid(), "name", name, "permissions", named_list(may)),
                &result);
        return cli_answer_id(rc, json, result, "role");
}

static int run_set(int argc, char **argv)
{
        const char *data = NULL, *name = NULL, *may[CLI_LIST] = {NULL};
        bool json = false, nothing = false;
        const struct cli_option options[] = {
                CLI_DATA(data),
                {.name = "name", .value = "NAME", .text = &name, .help = "another name"},
                {.name = "may", .value = "PERMISSION", .list = may, .help = "all that it allows from now on"},
                {.name = "may-nothing", .flag = &nothing, .help = "it allows nothing from now on"},
                CLI_JSON(json),
        };
        const struct cli_page page = {
                .usage = "role set ROLE [options]",
                .about = "Changes a role that is not built in. Agents who have it are disconnected once and come back "
                         "with\nwhat it allows now.",
                .examples = "  deskbell role set outside --may reply,note\n",
                CLI_OPTIONS(options),
                .max_free = 1,
        };
        json_t *result = NULL;
        int rc, first = listed_parse(&named_lists[NAMED_ROLE], &page, argc, argv, &rc);
        if (first < 0)
                return rc;
        if (nothing && may[0])
                return cli_fail(EX_USAGE, "--may or --may-nothing");
        json_t *params = json_pack("{s:o, s:s*}", "cmid", secret_cmid(), "name", name);
        if (may[0] || nothing)
                json_object_set_new(params, "permissions", named_list(may));
        rc = listed_change(data, &named_lists[NAMED_ROLE], argv[first], "role.set", params, &result);
        return cli_answer_rows(rc, json, result, "row", print_role);
}

static int run_list(int argc, char **argv)
{
        const char *data = NULL;
        bool json = false;
        const struct cli_option options[] = {CLI_DATA(data), CLI_JSON(json)};
        const struct cli_page page = {
                .usage = "role list [options]",
                .about = "All roles and what they allow, the built-in ones first.",
                .examples = "  deskbell role list\n",
                CLI_OPTIONS(options),
        };
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);
        return listed_answer_all(data, &named_lists[NAMED_ROLE], json, print_role);
}

static int run_remove(int argc, char **argv)
{
        const char *data = NULL;
        const struct cli_option options[] = {CLI_DATA(data)};
        const struct cli_page page = {
                .usage = "role remove ROLE [options]",
                .about = "Removes a role that nobody has.",
                .examples = "  deskbell role remove outside\n",
                CLI_OPTIONS(options),
                .max_free = 1,
        };
        int rc, first = listed_parse(&named_lists[NAMED_ROLE], &page, argc, argv, &rc);
        if (first < 0)
                return rc;
        return listed_change(data, &named_lists[NAMED_ROLE], argv[first], "role.remove",
                             json_pack("{s:o}", "cmid", secret_cmid()), NULL);
}

int cli_role(int argc, char **argv)
{
        static const struct cli_command commands[] = {
                {"add", "make a role", run_add},
                {"set", "change a role", run_set},
                {"list", "show all roles", run_list},
                {"remove", "remove a role", run_remove},
        };

        return cli_group("role", commands, sizeof(commands) / sizeof(commands[0]), argc, argv);
}

/* ---- audit ---- */

static void print_audit(const json_t *row)
{
        char when[32];
        printf("%lld  %s  %s  %s  %s  %s\n", json_integer_value(json_object_get(row, "id")),
               cli_time(json_integer_value(json_object_get(row, "at")), when), cli_text(row, "actor"),
               cli_text(row, "action"), cli_text(row, "object"), cli_text(row, "detail"));
}

int cli_audit(int argc, char **argv)
{
        const char *data = NULL, *actor = NULL, *action = NULL, *limit = NULL, *after = NULL;
        bool json = false;
        const struct cli_option options[] = {
                CLI_DATA(data),
                {.name = "actor", .value = "ID", .text = &actor, .help = "only by this agent, or `opr`"},
                {.name = "action", .value = "NAME", .text = &action, .help = "only this: team.add"},
                {.name = "limit", .value = "N", .text = &limit, .help = "lines, default 100"},
                {.name = "after", .value = "N", .text = &after, .help = "oldest first, from behind this line on"},
                CLI_JSON(json),
        };
        const struct cli_page page = {
                .usage = "audit [options]",
                .about = "Who did what: the newest lines of the audit trail, newest first.",
                .examples = "  deskbell audit --action agent.set --limit 20\n"
                            "  deskbell audit --after 0 --json\n",
                CLI_OPTIONS(options),
        };
        json_t *result = NULL;
        long long number = 0;
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);
        json_t *params = json_pack("{s:s*, s:s*}", "actor", actor, "action", action);
        int rc = limit ? named_number("limit", limit, 200, &number) : EX_OK;
        if (rc == EX_OK && limit)
                json_object_set_new(params, "limit", json_integer(number));
        if (rc == EX_OK && after && (rc = named_number("after", after, 1LL << 53, &number)) == EX_OK)
                json_object_set_new(params, "after", json_integer(number));
        if (rc == EX_OK)
                rc = console_call(cli_data(data), "audit.list", json_incref(params), &result);
        json_decref(params);
        return cli_answer_rows(rc, json, result, "rows", print_audit);
}
