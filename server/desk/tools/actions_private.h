/* SPDX-License-Identifier: Apache-2.0 */
/* What checking and doing an action share. */
#pragma once

#include "desk/tickets/tickets.h"
#include "protocol_generated.h"

struct action_place {
        int64_t team, assignee; /* row ids; 0 = none */
};

/* The place after the action; unchanged unless it is about one. 0 or -PROTOCOL_ERR_NOT_FOUND. */
int action_place(struct desk *desk, const struct desk_command *command, const struct protocol_macro_action *action,
                 struct action_place *place, struct fault *fault);
enum ticket_event action_event(enum protocol_macro_action_status to, enum ticket_status from);
bool action_asks(const struct desk *desk, int64_t team); /* the team wants the customer's consent */
enum ticket_status action_status(enum protocol_macro_action_status to);
