/* SPDX-License-Identifier: Apache-2.0 */
/* deskbell macro: several actions on a ticket under a name. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "cli/named.h"
#include "cli/secrets.h"

/* Which member the value of an action is. */
static const char *member_of(const char *act)
{
        static const char *const members[][2] = {
                {"reply", "text"},    {"note", "text"},      {"subject", "text"},       {"topic", "text"},
                {"status", "status"}, {"add_tag", "tag"},    {"priority", "priority"},  {"remove_tag", "tag"},
                {"team", "team"},     {"assignee", "agent"}, {"snooze", "for_minutes"}, {"canned", "canned"},
                {"survey", "survey"},
        };
        for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
                if (strcmp(members[i][0], act) == 0)
                        return members[i][1];
        return NULL;
}

/* A team or agent may be named. */
static int put_value(struct console *console, json_t *action, const char *member, const char *value)
{
        char id[FOLDER_ID];
        char *end;
        int rc = EX_OK;
        if (strcmp(member, "for_minutes") == 0) {
                long long minutes = strtoll(value, &end, 10);
                if (*end)
                        return cli_fail(EX_USAGE, "snooze=%s: not a number of minutes", value);
                json_object_set_new(action, member, json_integer(minutes));
                return EX_OK;
        }
        if (strcmp(member, "team") == 0 || strcmp(member, "agent") == 0) {
                rc = named_find(console, *member == 't' ? NAMED_TEAM : NAMED_AGENT, value, id);
                value = id;
        }
        if (rc == EX_OK)
                json_object_set_new(action, member, json_string(value));
        return rc;
}

/* "status=solved", "field.color=red", "assignee". *out_action is the caller's. */
static int read_action(struct console *console, const char *said, json_t **out_action)
{
        const char *equals = strchr(said, '=');
        char act[96];
        snprintf(act, sizeof(act), "%.*s", equals ? (int)(equals - said) : (int)strlen(said), said);
        const char *value = equals && equals[1] ? equals + 1 : NULL;
        json_t *action = NULL;
        int rc = EX_OK;
        if (strncmp(act, "field.", 6) == 0) {
                action = json_pack("{s:s, s:s, s:s*}", "act", "field", "name", act + 6, "value", value);
        } else if (member_of(act)) {
                action = json_pack("{s:s}", "act", strcmp(act, "canned") == 0 ? "reply" : act);
                rc = value ? put_value(console, action, member_of(act), value) : EX_OK;
        } else {
                rc = cli_fail(EX_USAGE, "%s: no such action; see: deskbell macro add --help", said);
        }
        if (rc == EX_OK)
                *out_action = action;
        else
                json_decref(action);
        return rc;
}

static int add(const char *dir, const char *name, const char *const *said, bool json)
{
        struct console *console = NULL;
        json_t *actions = json_array(), *result = NULL;
        int rc = console_open(dir, CONSOLE_USE, &console);
        for (int i = 0; rc == EX_OK && said[i]; i++) {
                json_t *action = NULL;
                rc = read_action(console, said[i], &action);
                if (rc == EX_OK)
                        json_array_append_new(actions, action);
        }
        if (rc == EX_OK)
                rc = console_do(console, "macro.add",
                                json_pack("{s:o, s:s, s:O}", "cmid", secret_cmid(), "name", name, "actions", actions),
                                &result);
        console_close(console);
        json_decref(actions);
        return cli_answer_id(rc, json, result, "macro");
}

static int run_add(int argc, char **argv)
{
        const char *data = NULL, *said[CLI_LIST] = {NULL};
        bool json = false;
        const struct cli_option options[] = {
                CLI_DATA(data),
                {.name = "do",
                 .value = "ACTION=VALUE",
                 .list = said,
                 .help = "an action (needed); again for more, in this order"},
                CLI_JSON(json),
        };
        const struct cli_page page = {
                .usage = "macro add NAME --do ACTION=VALUE ... [options]",
                .about =
                        "Makes a macro for everybody. Actions: reply=TEXT, canned=CANNED (a canned reply), note=TEXT, "
                        "status=open,\nwaiting, on_hold or solved, priority=low to urgent, add_tag=TAG, "
                        "remove_tag=TAG, team=NAME, assignee=NAME\n(alone: whoever runs it), subject=TEXT, topic=WORD, "
                        "field.NAME=VALUE, snooze=MINUTES (alone: until the\ncustomer writes), survey=NAME (asks the "
                        "customer; alone: the survey that fits).",
                .examples = "  deskbell macro add 'Refund done' --do 'reply=Refunded, {{customer.name|friend}}.' --do "
                            "add_tag=refund --do status=solved\n",
                CLI_OPTIONS(options),
                .max_free = 1,
        };
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);
        if (first == argc || !said[0])
                return cli_fail(EX_USAGE, "a name and --do are needed; see: deskbell macro add --help");
        return add(cli_data(data), argv[first], said, json);
}

static void print_row(const json_t *row)
{
        json_t *action, *value;
        const char *member;
        size_t i;
        printf("%s  %s  used %lld\n", cli_text(row, "macro"), cli_text(row, "name"),
               (long long)json_integer_value(json_object_get(row, "uses")));
        json_array_foreach(json_object_get(row, "actions"), i, action) {
                printf("    %s", cli_text(action, "act"));
                json_object_foreach(action, member, value) {
                        if (strcmp(member, "act") == 0)
                                continue;
                        if (json_is_string(value))
                                printf(" %s", json_string_value(value));
                        else
                                printf(" %lld", (long long)json_integer_value(value));
                }
                printf("\n");
        }
}

static int run_list(int argc, char **argv)
{
        const char *data = NULL, *after = NULL;
        bool json = false;
        const struct cli_option options[] = {
                CLI_DATA(data),
                {.name = "after", .value = "POSITION", .text = &after, .help = "where the page before ended"},
                CLI_JSON(json),
        };
        const struct cli_page page = {
                .usage = "macro list [options]",
                .about = "Everybody's macros, oldest first.",
                .examples = "  deskbell macro list\n",
                CLI_OPTIONS(options),
        };
        json_t *result = NULL;
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);
        int rc = console_call(cli_data(data), "macro.list", json_pack("{s:s*}", "after", after), &result);
        return cli_answer_page(rc, json, result, "macros", print_row, "--after");
}

static int run_remove(int argc, char **argv)
{
        const char *data = NULL;
        const struct cli_option options[] = {CLI_DATA(data)};
        const struct cli_page page = {
                .usage = "macro remove MACRO [options]",
                .about = "Removes a macro.",
                .examples = "  deskbell macro remove mac_0000000000001\n",
                CLI_OPTIONS(options),
                .max_free = 1,
        };
        int rc, first = cli_parse_named(&page, argc, argv, "which one? (mac_...); see: deskbell macro list", &rc);
        if (first < 0)
                return rc;
        return console_call(cli_data(data), "macro.remove",
                            json_pack("{s:o, s:s}", "cmid", secret_cmid(), "macro", argv[first]), NULL);
}

int cli_macro(int argc, char **argv)
{
        static const struct cli_command commands[] = {
                {"add", "make one", run_add},
                {"list", "those there are", run_list},
                {"remove", "remove one", run_remove},
        };

        return cli_group("macro", commands, sizeof(commands) / sizeof(commands[0]), argc, argv);
}
