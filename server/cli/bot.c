/* SPDX-License-Identifier: Apache-2.0 */
/* deskbell bot: writing, checking and measuring what the bot answers. One table of subcommands. */
#include "cli/bot.h"

#include "cli/cli.h"
#include "cli/commands.h"

static const struct cli_command commands[] = {
        {"new", "write the files of a ready-made bot into a folder", bot_run_new},
        {"lint", "check .bot files and say what could be better", bot_run_lint},
        {"test", "run the tests of a bot", bot_run_test},
        {"sim", "talk to a bot in the terminal", bot_run_sim},
        {"why", "what the bot does with a message, and why", bot_run_why},
        {"fmt", "put .bot files into the usual form", bot_run_fmt},
        {"build", "learn from the examples and write a version", bot_run_build},
        {"add", "give an app of the server a bot", bot_run_add},
        {"list", "show the server's bots", bot_run_list},
        {"set", "switch a bot on or off, and its other settings", bot_run_set},
        {"remove", "take a bot away", bot_run_remove},
        {"push", "check and test .bot files and keep them in the server", bot_run_push},
        {"publish", "make a version live, or try it out", bot_run_publish},
        {"rollback", "back to what was live before", bot_run_rollback},
        {"versions", "show the versions of a bot", bot_run_versions},
        {"pull", "print the live version as a .bot file", bot_run_pull},
        {"report", "what became of the conversations that a bot touched", bot_run_report},
        {"questions", "what customers asked that a bot was not sure of", bot_run_questions},
        {"learn", "make such questions examples of an answer", bot_run_learn},
        {"settle", "put such questions away", bot_run_settle},
        {"diff", "what differs between two bots", bot_run_diff},
        {"export", "a bot as .bot, JSON or CSV", bot_run_export},
        {"import", "questions and answers of other programs as .bot", bot_run_import},
        {"eval", "measure the answers on labelled questions", bot_run_eval},
};

int cli_bot(int argc, char **argv)
{
        return cli_group("bot", commands, sizeof(commands) / sizeof(commands[0]), argc, argv);
}
