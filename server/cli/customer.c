/* SPDX-License-Identifier: Apache-2.0 */
/* deskbell customer: the people who ask. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "cli/customer_story.h"
#include "cli/named.h"
#include "cli/secrets.h"

static int run_revoke(int argc, char **argv)
{
        const char *data = NULL;
        const struct cli_option options[] = {CLI_DATA(data)};
        const struct cli_page page = {
                .usage = "customer revoke ID [options]",
                .about = "Ends a customer's sessions within 5 s; tokens issued before now are refused. Nothing is "
                         "erased,\n"
                         "and a newer token lets the customer in again.",
                .examples = "  deskbell customer revoke usr_0000000000001\n",
                CLI_OPTIONS(options),
                .max_free = 1,
        };
        int rc, first = cli_parse_named(&page, argc, argv, "which customer? see: deskbell customer revoke --help", &rc);
        if (first < 0)
                return rc;
        return console_call(cli_data(data), "customer.revoke",
                            json_pack("{s:o, s:s}", "cmid", secret_cmid(), "customer", argv[first]), NULL);
}

/* "name=value" and "name=" (taken away) as attributes. EX_OK, or EX_USAGE. */
static int put_attributes(json_t *params, const char *const *said)
{
        json_t *list = json_array();
        for (int i = 0; said[i]; i++) {
                const char *equals = strchr(said[i], '=');
                if (!equals || equals == said[i]) {
                        json_decref(list);
                        return cli_fail(EX_USAGE, "%s: not NAME=VALUE", said[i]);
                }
                json_t *one = json_pack("{s:o}", "name", json_stringn(said[i], (size_t)(equals - said[i])));
                if (equals[1])
                        json_object_set_new(one, "value", json_string(equals + 1));
                json_array_append_new(list, one);
        }
        if (json_array_size(list) > 0)
                json_object_set_new(params, "attributes", list);
        else
                json_decref(list);
        return EX_OK;
}

static int run_set(int argc, char **argv)
{
        const char *data = NULL, *tier = NULL, *said[CLI_LIST] = {NULL}, *tags[CLI_LIST] = {NULL},
                   *untags[CLI_LIST] = {NULL};
        const struct cli_option options[] = {
                CLI_DATA(data),
                {.name = "attr",
                 .value = "NAME=VALUE",
                 .list = said,
                 .help = "name, email, phone, company, locale or one that is defined; NAME= takes it away"},
                {.name = "tier", .value = "TIER", .text = &tier, .help = "loyalty tier; empty: none"},
                {.name = "tag", .value = "TAG", .list = tags, .help = "a tag to put on"},
                {.name = "untag", .value = "TAG", .list = untags, .help = "a tag to take off"},
        };
        const struct cli_page page = {
                .usage = "customer set ID [options]",
                .about = "Changes what the team knows of a customer. What the app vouches for stays as it is.",
                .examples = "  deskbell customer set usr_0000000000001 --attr phone=555-0100 --tier gold --tag beta\n",
                CLI_OPTIONS(options),
                .max_free = 1,
        };
        int rc, first = cli_parse_named(&page, argc, argv, "which customer? (usr_...); see: deskbell customer list",
                                        &rc);
        if (first < 0)
                return rc;
        json_t *params = json_pack("{s:o, s:s, s:s*}", "cmid", secret_cmid(), "customer", argv[first], "tier", tier);
        if (tags[0])
                json_object_set_new(params, "add_tags", named_list(tags));
        if (untags[0])
                json_object_set_new(params, "remove_tags", named_list(untags));
        rc = put_attributes(params, said);
        if (rc == EX_OK)
                return console_call(cli_data(data), "customer.set", params, NULL);
        json_decref(params);
        return rc;
}

/* The commands that take a customer and perhaps one text more. */
static int run_plain(int argc, char **argv, const char *method, const char *member, const struct cli_page *say)
{
        const char *data = NULL, *text = NULL;
        const struct cli_option options[] = {
                CLI_DATA(data), {.name = member ? member : "", .value = "TEXT", .text = &text, .help = "in words"}};
        struct cli_page page = *say;
        page.options = options;
        page.count = member ? 2 : 1;
        page.max_free = 1;
        int rc, first = cli_parse_named(&page, argc, argv, "which customer? (usr_...); see: deskbell customer list",
                                        &rc);
        if (first < 0)
                return rc;
        return console_call(cli_data(data), method,
                            json_pack("{s:o, s:s, s:s*}", "cmid", secret_cmid(), "customer", argv[first],
                                      member ? member : "-", text),
                            NULL);
}

static int run_note(int argc, char **argv)
{
        static const struct cli_page page = {
                .usage = "customer note ID --text TEXT [options]",
                .about = "Writes down something about a customer, for the team. It stays.",
                .examples = "  deskbell customer note usr_0000000000001 --text 'prefers the phone'\n",
        };
        return run_plain(argc, argv, "customer.note", "text", &page);
}

static int run_block(int argc, char **argv)
{
        static const struct cli_page page = {
                .usage = "customer block ID [options]",
                .about = "Blocks a customer: his tickets are closed and what he writes reaches nobody. He is not told.",
                .examples = "  deskbell customer block usr_0000000000001 --reason spam\n",
        };
        return run_plain(argc, argv, "customer.block", "reason", &page);
}

static int run_unblock(int argc, char **argv)
{
        static const struct cli_page page = {
                .usage = "customer unblock ID [options]",
                .about = "Ends a block. Tickets that it closed stay closed.",
                .examples = "  deskbell customer unblock usr_0000000000001\n",
        };
        return run_plain(argc, argv, "customer.unblock", NULL, &page);
}

static int run_merge(int argc, char **argv)
{
        const char *data = NULL;
        const struct cli_option options[] = {CLI_DATA(data)};
        const struct cli_page page = {
                .usage = "customer merge VISITOR INTO [options]",
                .about = "Two that are one person: the visitor becomes another name of the other one. Nothing is lost, "
                         "and it\ncannot be undone. The visitor's devices are signed out.",
                .examples = "  deskbell customer merge usr_0000000000002 usr_0000000000001\n",
                CLI_OPTIONS(options),
                .max_free = 2,
        };
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);
        if (argc - first != 2)
                return cli_fail(EX_USAGE, "which two? see: deskbell customer merge --help");
        return console_call(
                cli_data(data), "customer.merge",
                json_pack("{s:o, s:s, s:s}", "cmid", secret_cmid(), "from", argv[first], "into", argv[first + 1]),
                NULL);
}

int cli_customer(int argc, char **argv)
{
        static const struct cli_command commands[] = {
                {"show", "what is known of one", customer_run_show},
                {"list", "who there is", customer_run_list},
                {"timeline", "what happened with one", customer_run_timeline},
                {"set", "change what is known", run_set},
                {"note", "write something down", run_note},
                {"block", "close the door", run_block},
                {"unblock", "open it again", run_unblock},
                {"merge", "two that are one person", run_merge},
                {"revoke", "end a customer's sessions", run_revoke},
        };

        return cli_group("customer", commands, sizeof(commands) / sizeof(commands[0]), argc, argv);
}
