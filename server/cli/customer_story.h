/* SPDX-License-Identifier: Apache-2.0 */
/* The subcommands of `deskbell customer` that show: one, a list, what happened. Exit codes, printed when not 0. */
#pragma once

int customer_run_show(int argc, char **argv);
int customer_run_list(int argc, char **argv);
int customer_run_timeline(int argc, char **argv);
