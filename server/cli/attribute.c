/* SPDX-License-Identifier: Apache-2.0 */
/* deskbell attribute: what the workspace wants to know of customers, custom fields of tickets, loyalty tiers. */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "cli/named.h"
#include "cli/secrets.h"

static int run_add(int argc, char **argv)
{
        const char *data = NULL, *kind = NULL, *label = NULL, *choices[CLI_LIST] = {NULL};
        bool of_tickets = false;
        const struct cli_option options[] = {
                CLI_DATA(data),
                {.name = "ticket", .flag = &of_tickets, .help = "a custom field of tickets; default: of customers"},
                {.name = "kind",
                 .value = "KIND",
                 .text = &kind,
                 .help = "text (default), number, date, bool or choice"},
                {.name = "choice",
                 .value = "WORD",
                 .list = choices,
                 .help = "of a choice: what it may be; again for more"},
                {.name = "label", .value = "TEXT", .text = &label, .help = "what people read"},
        };
        const struct cli_page page = {
                .usage = "attribute add NAME [options]",
                .about = "Defines an attribute of customers, or a custom field of tickets. Rules, views and canned "
                         "replies name\nit customer.NAME or field.NAME.",
                .examples = "  deskbell attribute add plan --kind choice --choice free --choice pro\n"
                            "  deskbell attribute add order --ticket --label 'Order number'\n",
                CLI_OPTIONS(options),
                .max_free = 1,
        };
        int rc, first = cli_parse_named(&page, argc, argv, "which name? see: deskbell attribute add --help", &rc);
        if (first < 0)
                return rc;
        json_t *params = json_pack("{s:o, s:s, s:s, s:s, s:s*}", "cmid", secret_cmid(), "scope",
                                   of_tickets ? "ticket" : "customer", "name", argv[first], "kind",
                                   kind ? kind : "text", "label", label);
        if (choices[0])
                json_object_set_new(params, "choices", named_list(choices));
        return console_call(cli_data(data), "attribute.add", params, NULL);
}

static void print_attribute(const json_t *row)
{
        const json_t *choice;
        size_t i;
        printf("%s.%s  %s  %s", cli_text(row, "scope")[0] == 't' ? "field" : "customer", cli_text(row, "name"),
               cli_text(row, "kind"), cli_text(row, "label"));
        json_array_foreach(json_object_get(row, "choices"), i, choice)
                printf("%s%s", i == 0 ? " (" : ", ", json_string_value(choice));
        printf("%s\n", json_array_size(json_object_get(row, "choices")) > 0 ? ")" : "");
}

static int run_list(int argc, char **argv)
{
        const char *data = NULL;
        bool json = false;
        const struct cli_option options[] = {CLI_DATA(data), CLI_JSON(json)};
        const struct cli_page page = {
                .usage = "attribute list [options]",
                .about = "The attributes that are defined.",
                .examples = "  deskbell attribute list\n",
                CLI_OPTIONS(options),
        };
        json_t *result = NULL;
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);
        int rc = console_call(cli_data(data), "attribute.list", NULL, &result);
        return cli_answer_rows(rc, json, result, "attributes", print_attribute);
}

static int run_remove(int argc, char **argv)
{
        const char *data = NULL;
        bool of_tickets = false;
        const struct cli_option options[] = {
                CLI_DATA(data),
                {.name = "ticket", .flag = &of_tickets, .help = "a custom field of tickets; default: of customers"}};
        const struct cli_page page = {
                .usage = "attribute remove NAME [options]",
                .about = "Ends an attribute: no new value is taken. What was said stays and reads as text.",
                .examples = "  deskbell attribute remove plan\n",
                CLI_OPTIONS(options),
                .max_free = 1,
        };
        int rc, first = cli_parse_named(&page, argc, argv, "which name? see: deskbell attribute list", &rc);
        if (first < 0)
                return rc;
        return console_call(cli_data(data), "attribute.remove",
                            json_pack("{s:o, s:s, s:s}", "cmid", secret_cmid(), "scope",
                                      of_tickets ? "ticket" : "customer", "name", argv[first]),
                            NULL);
}

static void print_tier(const json_t *tier)
{
        printf("%s\n", json_string_value(tier));
}

static int print_tiers(const char *dir, bool json)
{
        json_t *result = NULL;
        int rc = console_call(dir, "tier.list", NULL, &result);
        return cli_answer_rows(rc, json, result, "tiers", print_tier);
}

static int run_tiers(int argc, char **argv)
{
        const char *data = NULL;
        bool json = false;
        const struct cli_option options[] = {CLI_DATA(data), CLI_JSON(json)};
        const struct cli_page page = {
                .usage = "attribute tiers [TIER ...] [options]",
                .about = "The loyalty tiers, the lowest first; with names: those are the tiers from now on.",
                .examples = "  deskbell attribute tiers silver gold platinum\n",
                CLI_OPTIONS(options),
                .max_free = 20,
        };
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);
        if (first == argc)
                return print_tiers(cli_data(data), json);
        json_t *tiers = json_array();
        for (int i = first; i < argc; i++)
                json_array_append_new(tiers, json_string(argv[i]));
        return console_call(cli_data(data), "tier.set", json_pack("{s:o, s:o}", "cmid", secret_cmid(), "tiers", tiers),
                            NULL);
}

int cli_attribute(int argc, char **argv)
{
        static const struct cli_command commands[] = {
                {"add", "define one", run_add},
                {"list", "those that are defined", run_list},
                {"remove", "end one", run_remove},
                {"tiers", "loyalty tiers, the lowest first", run_tiers},
        };

        return cli_group("attribute", commands, sizeof(commands) / sizeof(commands[0]), argc, argv);
}
