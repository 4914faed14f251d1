/* SPDX-License-Identifier: Apache-2.0 */
/* deskbell app: places where customers write. */
#include "cli/app.h"

#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "cli/secrets.h"

static int run_add(int argc, char **argv)
{
        const char *data = NULL, *name = NULL, *origins[CLI_LIST] = {NULL};
        bool json = false;
        const struct cli_option options[] = {
                CLI_DATA(data),
                {.name = "name", .value = "NAME", .text = &name, .help = "its name (needed)"},
                {.name = "origin", .value = "URL", .list = origins, .help = "web origin that may connect"},
                CLI_JSON(json),
        };
        const struct cli_page page = {
                .usage = "app add --name NAME [options]",
                .about = "Makes an app: a place where customers write, such as an iOS app or a site. Give it a key "
                         "with\n"
                         "deskbell key add.",
                .examples = "  deskbell app add --name \"Shop for iOS\"\n"
                            "  deskbell app add --name Site --origin https://shop.example --json\n",
                CLI_OPTIONS(options),
        };
        json_t *result = NULL;
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);
        if (!name)
                return cli_fail(EX_USAGE, "--name is needed; see: deskbell app add --help");

        json_t *params = json_pack("{s:o, s:s}", "cmid", secret_cmid(), "name", name);
        if (origins[0]) {
                json_t *list = json_array();
                for (int i = 0; origins[i]; i++)
                        json_array_append_new(list, json_string(origins[i]));
                json_object_set_new(params, "origins", list);
        }
        int rc = console_call(cli_data(data), "app.add", params, &result);
        return cli_answer_id(rc, json, result, "app");
}

static void print_row(const json_t *row)
{
        char when[32];
        printf("%s  %s  %s\n", cli_text(row, "app"),
               cli_time(json_integer_value(json_object_get(row, "created")), when), cli_text(row, "name"));
}

static int run_list(int argc, char **argv)
{
        const char *data = NULL;
        bool json = false;
        const struct cli_option options[] = {CLI_DATA(data), CLI_JSON(json)};
        const struct cli_page page = {
                .usage = "app list [options]",
                .about = "All apps, oldest first.",
                .examples = "  deskbell app list\n",
                CLI_OPTIONS(options),
        };
        json_t *result = NULL;
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);

        int rc = console_call(cli_data(data), "app.list", NULL, &result);
        return cli_answer_rows(rc, json, result, "apps", print_row);
}

int app_choose(struct console *console, const char *said, char *out_app, size_t room)
{
        json_t *result = NULL;
        if (said) {
                snprintf(out_app, room, "%s", said);
                return EX_OK;
        }
        int rc = console_do(console, "app.list", NULL, &result);
        json_t *apps = json_object_get(result, "apps");

        if (rc == EX_OK && json_array_size(apps) != 1)
                rc = cli_fail(EX_USAGE, "there are %zu apps: say which with --app; see: deskbell app list",
                              json_array_size(apps));
        if (rc == EX_OK)
                snprintf(out_app, room, "%s", cli_text(json_array_get(apps, 0), "app"));
        json_decref(result);
        return rc;
}

int cli_app(int argc, char **argv)
{
        static const struct cli_command commands[] = {
                {"add", "make an app", run_add},
                {"list", "show all apps", run_list},
        };

        return cli_group("app", commands, sizeof(commands) / sizeof(commands[0]), argc, argv);
}
