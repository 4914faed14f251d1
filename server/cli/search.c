/* SPDX-License-Identifier: Apache-2.0 */
/* deskbell search: care of the full-text index. */
#include "cli/search.h"

#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/console.h"

enum { ASK_EVERY_US = 100 * 1000, REBUILD_S = 4 * 3600 };

int search_settle(struct console *console, int seconds)
{
        json_int_t rev = -1;
        for (int64_t left = (int64_t)seconds * 1000000 / ASK_EVERY_US; left >= 0; left--) {
                json_t *result = NULL;
                json_t *params = rev < 0 ? NULL : json_pack("{s:I}", "rev", rev);
                int rc = console_do(console, "search.settle", params, &result);
                bool is_done = rc == EX_OK && json_is_true(json_object_get(result, "done"));
                if (rc == EX_OK && rev < 0)
                        rev = json_integer_value(json_object_get(result, "rev"));
                json_decref(result);
                if (rc != EX_OK || is_done)
                        return rc;
                usleep(ASK_EVERY_US);
        }
        return cli_fail(EX_TEMPFAIL, "the search index is not up with the log yet; its log lines say why");
}

static int run_rebuild(int argc, char **argv)
{
        const char *data = NULL;
        const struct cli_option options[] = {CLI_DATA(data)};
        const struct cli_page page = {
                .usage = "search rebuild [options]",
                .about = "Empties the search index and builds it again from the log, also while the server runs: until "
                         "it\n"
                         "ends, searches find what is in it so far. Nothing that was said is touched.",
                .examples = "  deskbell search rebuild --data /var/lib/deskbell\n",
                CLI_OPTIONS(options),
        };
        struct console *console = NULL;
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);

        int rc = console_open(cli_data(data), CONSOLE_USE, &console);
        if (rc == EX_OK)
                rc = console_do(console, "search.rebuild", NULL, NULL);
        if (rc == EX_OK)
                rc = search_settle(console, REBUILD_S);
        console_close(console);
        if (rc != EX_OK)
                return rc;
        printf("the search index was built again\n");
        return cli_finish();
}

int cli_search(int argc, char **argv)
{
        static const struct cli_command commands[] = {
                {"rebuild", "build the search index again", run_rebuild},
        };

        return cli_group("search", commands, sizeof(commands) / sizeof(commands[0]), argc, argv);
}
