/* SPDX-License-Identifier: Apache-2.0 */
/* Actions: what a macro or a bulk does to a ticket. First all of them are checked against the ticket as it is and as it
 * will be after each, then all are done: a refusal leaves nothing behind. Desk thread only. */
#pragma once

#include "desk/command.h"

struct desk;
struct protocol_macro_action;
struct ticket;

/* What an action says by itself: which members it needs, variables, custom fields. `place`: its number in the list. 0
 * or a negative protocol error with `fault` naming the member. */
int actions_check_form(struct desk *desk, const struct protocol_macro_action *actions, size_t count,
                       struct fault *fault);
/* Whether the caller may do all of that to that ticket, and the life of tickets has such a way. The same. */
int actions_check(struct desk *desk, const struct desk_command *command, const struct ticket *ticket,
                  const struct protocol_macro_action *actions, size_t count, struct fault *fault);
/* Does what was checked. 0 or a negative protocol error (the store failed). */
int actions_run(struct desk *desk, struct desk_command *command, struct ticket *ticket,
                const struct protocol_macro_action *actions, size_t count, const char *why);
