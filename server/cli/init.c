/* SPDX-License-Identifier: Apache-2.0 */
/* deskbell init: a fresh data folder. What it prints is printed once and kept nowhere else. */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/folder.h"

static int print_text(const char *dir, const struct folder *folder)
{
        printf("%s is ready. Keep what follows: it is shown only now.\n\n"
               "  app           %s\n"
               "  signing key   %s  (id %s, HS256, base64; for your back end, which signs user tokens)\n"
               "  first agent   %s\n"
               "  its token     %s\n"
               "  its invitation (once, 72 h)  %s\n\n"
               "Start the server:      deskbell serve --data %s\n"
               "A token for a test:    deskbell token --data %s --user alice\n",
               dir, folder->app, folder->signing_key, folder->kid, folder->agent, folder->agent_token,
               folder->invite_link, dir, dir);
        return cli_finish();
}

static int print_json(const struct folder *folder)
{
        return cli_print(json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "workspace", folder->workspace, "app",
                                   folder->app, "kid", folder->kid, "signing_key", folder->signing_key, "agent",
                                   folder->agent, "agent_token", folder->agent_token, "invite_link",
                                   folder->invite_link));
}

int cli_init(int argc, char **argv)
{
        const char *data = NULL, *name = "Main", *agent = "Admin", *url = NULL;
        bool json = false;
        const struct cli_option options[] = {
                CLI_DATA(data),
                {.name = "app-name", .value = "NAME", .text = &name, .help = "name of the first app; default Main"},
                {.name = "agent-name",
                 .value = "NAME",
                 .text = &agent,
                 .help = "display name of the first agent; default Admin"},
                {.name = "public-url",
                 .value = "URL",
                 .text = &url,
                 .help = "base of the invitation link; default as configured"},
                CLI_JSON(json),
        };
        const struct cli_page page = {
                .usage = "init [options]",
                .about = "Makes a data folder: the store, an app with a signing key, and the first agent. Prints the\n"
                         "secrets once. A folder that holds a store is refused.",
                .examples = "  deskbell init --data /var/lib/deskbell\n"
                            "  deskbell init --data ./test --json | python3 -m json.tool\n",
                CLI_OPTIONS(options),
        };
        struct folder folder;
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);

        data = cli_data(data);
        int rc = folder_make(
                &(struct folder_options){.dir = data, .app_name = name, .agent_name = agent, .public_url = url},
                &folder);
        if (rc == EX_OK)
                rc = json ? print_json(&folder) : print_text(data, &folder);
        folder_forget(&folder);
        return rc;
}
