/* SPDX-License-Identifier: Apache-2.0 */
/* deskbell rule: what gives a new ticket its team, priority, skills and tags. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/listed.h"
#include "cli/named.h"
#include "cli/secrets.h"

static const struct listed rules = {.method = "rule.list", .list = "rules", .id = "rule", .what = "rule"};

/* ---- add, set ---- */

struct said {
        const char *data, *name, *when, *team, *priority, *before, *skills[CLI_LIST], *tags[CLI_LIST];
        bool no_team, no_priority, no_skills, no_tags, on, off, stop, go_on, json;
};

#define RULE_OPTIONS(said)                                                                                             \
        CLI_DATA((said).data), {.name = "name", .value = "NAME", .text = &(said).name, .help = "its name"},            \
                {.name = "when",                                                                                       \
                 .value = "EXPRESSION",                                                                                \
                 .text = &(said).when,                                                                                 \
                 .help = "which tickets, such as 'tag = refund and customer.tier = gold'; default all"},               \
                {.name = "team", .value = "TEAM", .text = &(said).team, .help = "they go to it"},                      \
                {.name = "priority",                                                                                   \
                 .value = "WORD",                                                                                      \
                 .text = &(said).priority,                                                                             \
                 .help = "they get it: low, normal, high, urgent"},                                                    \
                {.name = "skill", .value = "WORD", .list = (said).skills, .help = "they need it; may be repeated"},    \
                {.name = "tag", .value = "WORD", .list = (said).tags, .help = "they get it; may be repeated"},         \
                {.name = "off", .flag = &(said).off, .help = "it is not looked at"},                                   \
                {.name = "stop", .flag = &(said).stop, .help = "when it matches, later rules are not looked at"},      \
                CLI_JSON((said).json)

/* What both say, but for the team, which is looked up. */
static json_t *params_of(const struct said *said)
{
        json_t *params = json_pack("{s:o, s:s*, s:s*, s:s*}", "cmid", secret_cmid(), "name", said->name, "when",
                                   said->when, "priority", said->priority);
        if (said->skills[0] || said->no_skills)
                json_object_set_new(params, "skills", named_list(said->skills));
        if (said->tags[0] || said->no_tags)
                json_object_set_new(params, "tags", named_list(said->tags));
        return params;
}

static int put_team(struct console *console, const char *team, json_t *params)
{
        char id[FOLDER_ID];
        int rc = team ? named_find(console, NAMED_TEAM, team, id) : EX_OK;
        if (rc == EX_OK && team)
                json_object_set_new(params, "team", json_string(id));
        return rc;
}

/* The rule of that id or name as the member `member`. */
static int put_rule(struct console *console, const char *text, const char *member, json_t *params)
{
        json_t *row = NULL;
        int rc = listed_find(console, &rules, text, &row);
        if (rc == EX_OK)
                json_object_set(params, member, json_object_get(row, "rule"));
        json_decref(row);
        return rc;
}

static int add(const struct said *said)
{
        struct console *console = NULL;
        json_t *params = params_of(said), *result = NULL;
        if (!said->when)
                json_object_set_new(params, "when", json_string(""));
        if (said->off)
                json_object_set_new(params, "off", json_true());
        if (said->stop)
                json_object_set_new(params, "stop", json_true());
        int rc = console_open(cli_data(said->data), CONSOLE_USE, &console);
        if (rc == EX_OK)
                rc = put_team(console, said->team, params);
        if (rc == EX_OK && said->before)
                rc = put_rule(console, said->before, "before", params);
        if (rc == EX_OK)
                rc = console_do(console, "rule.add", json_incref(params), &result);
        console_close(console);
        json_decref(params);
        return cli_answer_id(rc, said->json, result, "rule");
}

static int run_add(int argc, char **argv)
{
        struct said said = {0};
        const struct cli_option options[] = {
                RULE_OPTIONS(said),
                {.name = "before", .value = "RULE", .text = &said.before, .help = "its place; default the last"},
        };
        const struct cli_page page = {
                .usage = "rule add --name NAME [--when EXPRESSION] [options]",
                .about = "Makes a rule and prints its id. Rules are looked at once, in order, when a ticket begins to "
                         "need\n"
                         "people. The first that says a team gives the team, the first that says a priority the "
                         "priority;\n"
                         "skills and tags add up. The expressions: docs/desk.md.",
                .examples =
                        "  deskbell rule add --name Refunds --when 'message has refund' --team Billing --tag refund\n"
                        "  deskbell rule add --name VIP --when 'customer.tier in (gold, platinum)' --priority urgent\n",
                CLI_OPTIONS(options),
        };
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);
        if (!said.name)
                return cli_fail(EX_USAGE, "--name is needed; see: deskbell rule add --help");
        return add(&said);
}

static void put_flag(json_t *params, bool is_said, const char *member, bool value)
{
        if (is_said)
                json_object_set_new(params, member, json_boolean(value));
}

static int set(const struct said *said, const char *rule, json_t *params)
{
        struct console *console = NULL;
        int rc = console_open(cli_data(said->data), CONSOLE_USE, &console);
        if (rc == EX_OK)
                rc = put_rule(console, rule, "rule", params);
        if (rc == EX_OK)
                rc = put_team(console, said->team, params);
        if (rc == EX_OK)
                rc = console_do(console, "rule.set", json_incref(params), NULL);
        console_close(console);
        json_decref(params);
        return rc;
}

static int run_set(int argc, char **argv)
{
        struct said said = {0};
        const struct cli_option options[] = {
                RULE_OPTIONS(said),
                {.name = "no-team", .flag = &said.no_team, .help = "it says no team any more"},
                {.name = "no-priority", .flag = &said.no_priority, .help = "it says no priority any more"},
                {.name = "no-skills", .flag = &said.no_skills, .help = "it says no skills any more"},
                {.name = "no-tags", .flag = &said.no_tags, .help = "it says no tags any more"},
                {.name = "on", .flag = &said.on, .help = "it is looked at"},
                {.name = "go-on", .flag = &said.go_on, .help = "later rules are looked at too"},
        };
        const struct cli_page page = {
                .usage = "rule set RULE [options]",
                .about = "Changes a rule; what is not said stays. RULE is its id or its name.",
                .examples = "  deskbell rule set Refunds --when 'message has refund or tag = refund'\n"
                            "  deskbell rule set VIP --off\n",
                CLI_OPTIONS(options),
                .max_free = 1,
        };
        int rc, first = listed_parse(&rules, &page, argc, argv, &rc);
        if (first < 0)
                return rc;
        json_t *params = params_of(&said);
        put_flag(params, said.no_team, "no_team", true);
        put_flag(params, said.no_priority, "no_priority", true);
        put_flag(params, said.on || said.off, "on", said.on);
        put_flag(params, said.stop || said.go_on, "stop", said.stop);
        return set(&said, argv[first], params);
}

/* ---- list, show, remove, order ---- */

static void print_row(const json_t *row)
{
        const char *team = cli_text(row, "team_name"), *priority = cli_text(row, "priority");
        printf("%s  %s%s%s  when %s", cli_text(row, "rule"), cli_text(row, "name"),
               json_is_true(json_object_get(row, "on")) ? "" : " (off)",
               json_is_true(json_object_get(row, "stop")) ? " (stops)" : "",
               *cli_text(row, "shown") ? cli_text(row, "shown") : "always");
        printf("%s%s%s%s", *team ? "  team " : "", team, *priority ? "  priority " : "", priority);
        listed_print_words(json_object_get(row, "skills"), "  skills ", ", ");
        listed_print_words(json_object_get(row, "tags"), "  tags ", ", ");
        printf("\n");
}

static int run_list(int argc, char **argv)
{
        const char *data = NULL;
        bool json = false;
        const struct cli_option options[] = {CLI_DATA(data), CLI_JSON(json)};
        const struct cli_page page = {
                .usage = "rule list [options]",
                .about = "All rules, in the order in which they are looked at.",
                .examples = "  deskbell rule list\n",
                CLI_OPTIONS(options),
        };
        int first = cli_parse(&page, argc, argv);
        return first < 0 ? cli_parsed(first) : listed_answer_all(data, &rules, json, print_row);
}

static int run_show(int argc, char **argv)
{
        const char *data = NULL;
        bool json = false;
        const struct cli_option options[] = {CLI_DATA(data), CLI_JSON(json)};
        const struct cli_page page = {
                .usage = "rule show RULE [options]",
                .about = "One rule.",
                .examples = "  deskbell rule show Refunds\n",
                CLI_OPTIONS(options),
                .max_free = 1,
        };
        int rc, first = listed_parse(&rules, &page, argc, argv, &rc);
        return first < 0 ? rc : listed_answer_one(data, &rules, argv[first], json, print_row);
}

static int run_remove(int argc, char **argv)
{
        const char *data = NULL;
        const struct cli_option options[] = {CLI_DATA(data)};
        const struct cli_page page = {
                .usage = "rule remove RULE [options]",
                .about = "Removes a rule. What it did stays.",
                .examples = "  deskbell rule remove Refunds\n",
                CLI_OPTIONS(options),
                .max_free = 1,
        };
        int rc, first = listed_parse(&rules, &page, argc, argv, &rc);
        if (first < 0)
                return rc;
        return listed_change(data, &rules, argv[first], "rule.remove", json_pack("{s:o}", "cmid", secret_cmid()), NULL);
}

/* Those that were named first, then the others as they stand. */
static int order(struct console *console, char **names, int count)
{
        json_t *rows = NULL, *row, *ids = json_array();
        size_t i;
        int rc = EX_OK;
        for (int n = 0; rc == EX_OK && n < count; n++) {
                rc = listed_find(console, &rules, names[n], &row);
                if (rc != EX_OK)
                        break;
                json_array_append(ids, json_object_get(row, "rule"));
                json_decref(row);
        }
        if (rc == EX_OK)
                rc = listed_read(console, &rules, &rows);
        json_array_foreach(rows, i, row) {
                json_t *id = json_object_get(row, "rule"), *named;
                size_t at;
                bool is_named = false;
                json_array_foreach(ids, at, named)
                        is_named = is_named || json_equal(named, id);
                if (!is_named)
                        json_array_append(ids, id);
        }
        json_decref(rows);
        if (rc == EX_OK)
                rc = console_do(console, "rule.order", json_pack("{s:o, s:O}", "cmid", secret_cmid(), "rules", ids),
                                NULL);
        json_decref(ids);
        return rc;
}

static int run_order(int argc, char **argv)
{
        const char *data = NULL;
        const struct cli_option options[] = {CLI_DATA(data)};
        const struct cli_page page = {
                .usage = "rule order RULE... [options]",
                .about = "Puts rules first, in that order; the others follow as they stood.",
                .examples = "  deskbell rule order VIP Refunds\n",
                CLI_OPTIONS(options),
                .max_free = 200,
        };
        struct console *console = NULL;
        int rc, first = cli_parse_named(&page, argc, argv, "which rules? see: deskbell rule list", &rc);
        if (first < 0)
                return rc;
        rc = console_open(cli_data(data), CONSOLE_USE, &console);
        if (rc == EX_OK)
                rc = order(console, argv + first, argc - first);
        console_close(console);
        return rc;
}

/* ---- test ---- */

static void print_findings(const json_t *result)
{
        json_t *row;
        size_t i;
        json_array_foreach(json_object_get(result, "findings"), i, row) {
                const char *why = cli_text(row, "why");
                printf("%-9s %s%s%s\n", json_is_true(json_object_get(row, "matches")) ? "matches" : "no",
                       cli_text(row, "name"), *why ? ": " : "", why);
        }
        const char *team = cli_text(result, "team"), *priority = cli_text(result, "priority");
        printf("would set%s%s%s%s", *team ? "  team " : "", team, *priority ? "  priority " : "", priority);
        listed_print_words(json_object_get(result, "skills"), "  skills ", ", ");
        listed_print_words(json_object_get(result, "tags"), "  tags ", ", ");
        printf("\n");
}

static int run_test(int argc, char **argv)
{
        const char *data = NULL;
        bool json = false;
        const struct cli_option options[] = {CLI_DATA(data), CLI_JSON(json)};
        const struct cli_page page = {
                .usage = "rule test TICKET [options]",
                .about = "What the rules would do with a ticket as it is now, and why those that do not match do not.\n"
                         "Nothing is changed.",
                .examples = "  deskbell rule test tkt_01h8x9example0\n",
                CLI_OPTIONS(options),
                .max_free = 1,
        };
        json_t *result = NULL;
        int rc, first = cli_parse_named(&page, argc, argv, "which ticket? (tkt_...)", &rc);
        if (first < 0)
                return rc;
        rc = console_call(cli_data(data), "rule.test", json_pack("{s:s}", "ticket", argv[first]), &result);
        return cli_answer(rc, json, result, print_findings);
}

int cli_rule(int argc, char **argv)
{
        static const struct cli_command commands[] = {
                {"add", "make a rule", run_add},
                {"set", "change a rule", run_set},
                {"list", "show all rules", run_list},
                {"show", "show a rule", run_show},
                {"remove", "remove a rule", run_remove},
                {"order", "say which come first", run_order},
                {"test", "try the rules on a ticket", run_test},
        };

        return cli_group("rule", commands, sizeof(commands) / sizeof(commands[0]), argc, argv);
}
