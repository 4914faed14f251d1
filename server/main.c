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
        {"seed", "fill a new store with people and their past", cli_seed},
        {"app", "places where customers write", cli_app},
        {"key", "keys that sign user tokens", cli_key},
        {"agent", "the people who answer", cli_agent},
        {"team", "who answers together", cli_team},
        {"role", "what agents may do", cli_role},
        {"audit", "who did what", cli_audit},
        {"customer", "the people who ask", cli_customer},
        {"attribute", "what is known of customers and tickets beside what is said", cli_attribute},
        {"canned", "replies that are written once", cli_canned},
        {"macro", "several actions on a ticket at once", cli_macro},
        {"ticket", "what waits for people", cli_ticket},
        {"rule", "what gives a new ticket its team and priority", cli_rule},
        {"schedule", "business hours", cli_schedule},
        {"sla", "what is promised, and whether it was kept", cli_sla},
        {"survey", "what customers are asked, and what they answered", cli_survey},
        {"recovery", "cases of unhappy customers", cli_recovery},
        {"view", "lists of tickets that every agent sees", cli_view},
        {"report", "numbers of the desk", cli_report},
        {"routing", "how tickets get to agents", cli_routing},
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
