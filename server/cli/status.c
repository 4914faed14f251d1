/* SPDX-License-Identifier: Apache-2.0 */
/* deskbell status: what is in a store and how it is. */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/console.h"

static void print_row(const char *name, const json_t *value)
{
        if (json_is_string(value))
                printf("%-14s %s\n", name, json_string_value(value));
        else if (json_is_integer(value))
                printf("%-14s %" JSON_INTEGER_FORMAT "\n", name, json_integer_value(value));
        else if (json_is_boolean(value))
                printf("%-14s %s\n", name, json_is_true(value) ? "yes" : "no");
}

int cli_status(int argc, char **argv)
{
        const char *data = NULL;
        bool json = false;
        const struct cli_option options[] = {CLI_DATA(data), CLI_JSON(json)};
        const struct cli_page page = {
                .usage = "status [options]",
                .about = "What is in a store, whether a server is running on it, and whether it can be written.",
                .examples = "  deskbell status --data /var/lib/deskbell\n",
                CLI_OPTIONS(options),
        };
        struct console *console = NULL;
        json_t *result = NULL, *value;
        const char *name;
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);

        int rc = console_open(cli_data(data), CONSOLE_USE, &console);
        if (rc == EX_OK)
                rc = console_do(console, "store.status", NULL, &result);
        if (rc == EX_OK)
                json_object_set_new(result, "running", json_boolean(console_is_remote(console)));
        console_close(console);
        if (rc == EX_OK && json) {
                rc = cli_print(json_incref(result));
        } else if (rc == EX_OK) {
                json_object_foreach(result, name, value)
                        print_row(name, value);
                rc = cli_finish();
        }
        json_decref(result);
        return rc;
}
