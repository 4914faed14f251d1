/* SPDX-License-Identifier: Apache-2.0 */
/* deskbell bot: writing, checking and measuring what the bot answers. One table of subcommands. */
#include "cli/bot.h"

#include "cli/cli.h"
#include "cli/commands.h"

static const struct cli_command commands[] = {
        {"lint", "check .bot files and say what could be better", bot_run_lint},
        {"test", "run the tests of a bot", bot_run_test},
        {"sim", "talk to a bot in the terminal", bot_run_sim},
        {"why", "what the bot does with a message, and why", bot_run_why},
        {"fmt", "put .bot files into the usual form", bot_run_fmt},
        {"build", "learn from the examples and write a version", bot_run_build},
        {"diff", "what differs between two bots", bot_run_diff},
        {"export", "a bot as .bot, JSON or CSV", bot_run_export},
        {"import", "questions and answers of other programs as .bot", bot_run_import},
        {"eval", "measure the answers on labelled questions", bot_run_eval},
};

int cli_bot(int argc, char **argv)
{
        return cli_group("bot", commands, sizeof(commands) / sizeof(commands[0]), argc, argv);
}
