/* SPDX-License-Identifier: Apache-2.0 */
/* deskbell customer: the people who ask. */
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/operator.h"
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
                .options = options,
                .count = sizeof(options) / sizeof(options[0]),
                .max_free = 1,
        };
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);
        if (first == argc)
                return cli_fail(EX_USAGE, "which customer? see: deskbell customer revoke --help");
        return operator_call(cli_data(data), "customer.revoke",
                             json_pack("{s:o, s:s}", "cmid", secret_cmid(), "customer", argv[first]), NULL);
}

int cli_customer(int argc, char **argv)
{
        static const struct cli_command commands[] = {
                {"revoke", "end a customer's sessions", run_revoke},
        };

        return cli_group("customer", commands, sizeof(commands) / sizeof(commands[0]), argc, argv);
}
