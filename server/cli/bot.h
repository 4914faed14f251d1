/* SPDX-License-Identifier: Apache-2.0 */
/* The subcommands of `deskbell bot`, by their file's noun. argv[0] is the command's name; each returns an exit code. */
#pragma once

int bot_run_add(int argc, char **argv);
int bot_run_build(int argc, char **argv);
int bot_run_diff(int argc, char **argv);
int bot_run_eval(int argc, char **argv);
int bot_run_export(int argc, char **argv);
int bot_run_fmt(int argc, char **argv);
int bot_run_import(int argc, char **argv);
int bot_run_learn(int argc, char **argv);
int bot_run_lint(int argc, char **argv);
int bot_run_list(int argc, char **argv);
int bot_run_new(int argc, char **argv);
int bot_run_publish(int argc, char **argv);
int bot_run_pull(int argc, char **argv);
int bot_run_push(int argc, char **argv);
int bot_run_questions(int argc, char **argv);
int bot_run_remove(int argc, char **argv);
int bot_run_report(int argc, char **argv);
int bot_run_rollback(int argc, char **argv);
int bot_run_set(int argc, char **argv);
int bot_run_settle(int argc, char **argv);
int bot_run_sim(int argc, char **argv);
int bot_run_test(int argc, char **argv);
int bot_run_versions(int argc, char **argv);
int bot_run_why(int argc, char **argv);
