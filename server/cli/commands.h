/* SPDX-License-Identifier: Apache-2.0 */
/* The subcommands, one per file. argv[0] is the command's name; each returns an exit code. */
#pragma once

int cli_init(int argc, char **argv);
int cli_serve(int argc, char **argv);
int cli_seed(int argc, char **argv);
int cli_demo(int argc, char **argv);
int cli_app(int argc, char **argv);
int cli_key(int argc, char **argv);
int cli_agent(int argc, char **argv);
int cli_team(int argc, char **argv);
int cli_role(int argc, char **argv);
int cli_audit(int argc, char **argv);
int cli_customer(int argc, char **argv);
int cli_attribute(int argc, char **argv);
int cli_canned(int argc, char **argv);
int cli_macro(int argc, char **argv);
int cli_ticket(int argc, char **argv);
int cli_report(int argc, char **argv);
int cli_rule(int argc, char **argv);
int cli_schedule(int argc, char **argv);
int cli_sla(int argc, char **argv);
int cli_survey(int argc, char **argv);
int cli_view(int argc, char **argv);
int cli_recovery(int argc, char **argv);
int cli_routing(int argc, char **argv);
int cli_token(int argc, char **argv);
int cli_webhook(int argc, char **argv);
int cli_status(int argc, char **argv);
int cli_check(int argc, char **argv);
int cli_search(int argc, char **argv);
int cli_backup(int argc, char **argv);
int cli_bot(int argc, char **argv);
int cli_restore(int argc, char **argv);
int cli_erase(int argc, char **argv);
int cli_export(int argc, char **argv);
