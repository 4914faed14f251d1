/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of `deskbell recovery` share. */
#pragma once

#include "cli/cli.h"
#include "cli/console.h"

/* recovery_print.c: on standard output. */
void recovery_print_line(const json_t *row);      /* a case as one line */
void recovery_print_case(const json_t *result);   /* all of recovery.get */
void recovery_print_report(const json_t *result); /* a table */

/* recovery_change.c */
int recovery_run_assign(int argc, char **argv);
int recovery_run_contact(int argc, char **argv);
int recovery_run_action(int argc, char **argv);
int recovery_run_done(int argc, char **argv);
int recovery_run_cause(int argc, char **argv);
int recovery_run_compensate(int argc, char **argv);
int recovery_run_resolve(int argc, char **argv);
int recovery_run_reopen(int argc, char **argv);

/* recovery_rules.c */
int recovery_run_causes(int argc, char **argv);
int recovery_run_settings(int argc, char **argv);
