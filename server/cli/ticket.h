/* SPDX-License-Identifier: Apache-2.0 */
/* Ticket: shared between the files of `deskbell ticket`. */
#pragma once

#include "cli/console.h"

void ticket_print(const json_t *ticket); /* on a line */
/* "12" or "#12" of those that are not closed, or "tkt_...". EX_OK with *out_ticket, the caller's, or printed why. */
int ticket_find(struct console *console, const char *said, json_t **out_ticket);

int ticket_run_set(int argc, char **argv);
int ticket_run_assign(int argc, char **argv);
int ticket_run_move(int argc, char **argv);
int ticket_run_merge(int argc, char **argv);
int ticket_run_split(int argc, char **argv);
