/* SPDX-License-Identifier: Apache-2.0 */
/* deskbell customer show, list, timeline. */
#include "cli/customer_story.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/console.h"

static json_int_t number_of(const json_t *object, const char *member)
{
        return json_integer_value(json_object_get(object, member));
}

static void print_row(const json_t *row)
{
        const char *external = cli_text(row, "external_id"), *tier = cli_text(row, "tier");
        printf("%s  %s%s%s%s%s%s%s\n", cli_text(row, "customer"),
               *cli_text(row, "name") ? cli_text(row, "name") : "(no name)", *cli_text(row, "email") ? "  " : "",
               cli_text(row, "email"), *external ? "  id " : "  visitor", external, *tier ? "  tier " : "", tier);
        if (number_of(row, "blocked") > 0)
                printf("    blocked\n");
}

static void print_one(const json_t *result)
{
        const json_t *row;
        size_t i;
        char when[32];
        print_row(json_object_get(result, "customer"));
        json_array_foreach(json_object_get(result, "attributes"), i, row)
                printf("    %s = %s  (%s, %s)\n", cli_text(row, "name"), cli_text(row, "value"),
                       cli_text(row, "origin"), cli_time(number_of(row, "at"), when));
        json_array_foreach(json_object_get(result, "tags"), i, row)
                printf("    tag %s\n", json_string_value(row));
        json_array_foreach(json_object_get(result, "aliases"), i, row)
                printf("    also %s\n", json_string_value(row));
        if (*cli_text(result, "block_reason"))
                printf("    blocked: %s\n", cli_text(result, "block_reason"));
}

int customer_run_show(int argc, char **argv)
{
        const char *data = NULL;
        bool json = false;
        const struct cli_option options[] = {CLI_DATA(data), CLI_JSON(json)};
        const struct cli_page page = {
                .usage = "customer show ID [options]",
                .about = "What is known of a customer, and who said so.",
                .examples = "  deskbell customer show usr_0000000000001\n",
                CLI_OPTIONS(options),
                .max_free = 1,
        };
        json_t *result = NULL;
        int rc, first = cli_parse_named(&page, argc, argv, "which customer? (usr_...); see: deskbell customer list",
                                        &rc);
        if (first < 0)
                return rc;
        rc = console_call(cli_data(data), "customer.get", json_pack("{s:s}", "customer", argv[first]), &result);
        return cli_answer(rc, json, result, print_one);
}

static void print_list(const json_t *result)
{
        const json_t *row;
        size_t i;
        json_array_foreach(json_object_get(result, "customers"), i, row)
                print_row(row);
        if (*cli_text(result, "next"))
                printf("more: --after %s\n", cli_text(result, "next"));
}

int customer_run_list(int argc, char **argv)
{
        const char *data = NULL, *query = NULL, *tier = NULL, *tag = NULL, *after = NULL;
        bool json = false, blocked = false;
        const struct cli_option options[] = {
                CLI_DATA(data),
                {.name = "query",
                 .value = "WORDS",
                 .text = &query,
                 .help = "words of name, address, id or attributes begin so"},
                {.name = "tier", .value = "TIER", .text = &tier, .help = "only of this tier"},
                {.name = "tag", .value = "TAG", .text = &tag, .help = "only with this tag"},
                {.name = "blocked", .flag = &blocked, .help = "only blocked ones"},
                {.name = "after", .value = "POSITION", .text = &after, .help = "where the page before ended"},
                CLI_JSON(json),
        };
        const struct cli_page page = {
                .usage = "customer list [options]",
                .about = "Customers, newest first, 100 at a time.",
                .examples = "  deskbell customer list --query 'ann lee'\n"
                            "  deskbell customer list --tier gold --json\n",
                CLI_OPTIONS(options),
        };
        json_t *result = NULL;
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);
        json_t *params = json_pack("{s:s*, s:s*, s:s*, s:s*, s:i}", "query", query, "tier", tier, "tag", tag, "after",
                                   after, "limit", 100);
        if (blocked)
                json_object_set_new(params, "blocked", json_true());
        int rc = console_call(cli_data(data), "customer.list", params, &result);
        return cli_answer(rc, json, result, print_list);
}

static void print_timeline(const json_t *result)
{
        const json_t *row, *value;
        size_t i, v;
        char when[32];
        json_array_foreach(json_object_get(result, "rows"), i, row) {
                printf("%s  %-12s", cli_time(number_of(row, "at"), when), cli_text(row, "kind"));
                if (number_of(row, "number") > 0)
                        printf(" #%lld", (long long)number_of(row, "number"));
                const char *const members[] = {"name", "title", "text", "url", "state", "conv", "by"};
                for (size_t m = 0; m < sizeof(members) / sizeof(members[0]); m++)
                        if (*cli_text(row, members[m]))
                                printf("  %s", cli_text(row, members[m]));
                json_array_foreach(json_object_get(row, "data"), v, value)
                        printf("  %s=%s", cli_text(value, "name"), cli_text(value, "value"));
                if (json_object_get(row, "score"))
                        printf("  %lld of %lld", (long long)number_of(row, "score"), (long long)number_of(row, "top"));
                printf("\n");
        }
        if (*cli_text(result, "next"))
                printf("more: --before %s\n", cli_text(result, "next"));
}

int customer_run_timeline(int argc, char **argv)
{
        const char *data = NULL, *before = NULL;
        bool json = false;
        const struct cli_option options[] = {
                CLI_DATA(data),
                {.name = "before", .value = "POSITION", .text = &before, .help = "where the page before ended"},
                CLI_JSON(json),
        };
        const struct cli_page page = {
                .usage = "customer timeline ID [options]",
                .about = "Everything that happened with a customer, newest first.",
                .examples = "  deskbell customer timeline usr_0000000000001\n",
                CLI_OPTIONS(options),
                .max_free = 1,
        };
        json_t *result = NULL;
        int rc, first = cli_parse_named(&page, argc, argv, "which customer? (usr_...); see: deskbell customer list",
                                        &rc);
        if (first < 0)
                return rc;
        json_t *params = json_pack("{s:s, s:s*, s:i}", "customer", argv[first], "before", before, "limit", 100);
        rc = console_call(cli_data(data), "timeline.read", params, &result);
        return cli_answer(rc, json, result, print_timeline);
}
