/* SPDX-License-Identifier: Apache-2.0 */
/* deskbell: one program, one table of subcommands. */
#include "cli/bench/bench.h"
#include "cli/cli.h"
#include "cli/commands.h"

int cli_chat(int argc, char **argv);

static const struct cli_command commands[] = {
        {"serve", "run the server", cli_serve},
        {"demo", "run a server with something in it, to try", cli_demo},
        {"init", "make a data folder", cli_init},
        {"app", "places where customers write", cli_app},
        {"key", "keys that sign user tokens", cli_key},
        {"agent", "the people who answer", cli_agent},
        {"customer", "the people who ask", cli_customer},
        {"token", "make a user token for a test", cli_token},
        {"bot", "write and measure what the bot answers", cli_bot},
        {"webhook", "who is told of events, and what became of them", cli_webhook},
        {"status", "what is in a store and how it is", cli_status},
        {"check", "check a store", cli_check},
        {"search", "care of the full-text index", cli_search},
        {"backup", "copy a store, also while it is written", cli_backup},
        {"restore", "put a backup in its place", cli_restore},
        {"export", "write out what is held about a person", cli_export},
        {"erase", "erase a person for good", cli_erase},
        {"chat", "talk in a terminal, as a customer or an agent", cli_chat},
        {"bench", "measure a server", cli_bench},
};

int main(int argc, char **argv)
{
        return cli_main(commands, sizeof(commands) / sizeof(commands[0]), argc, argv);
}
