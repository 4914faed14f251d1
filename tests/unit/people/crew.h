/* SPDX-License-Identifier: Apache-2.0 */
/* Teams, roles and agents of a room, made by the operator. */
#pragma once

#include "unit/tickets/ticket_room.h"

void crew_team(struct room *room, const char *name, char out_team[32]);
/* `permissions`: names with commas between. */
void crew_role(struct room *room, const char *name, const char *permissions, char out_role[32]);
void crew_join(struct room *room, const char *team, const struct client *agent);
void crew_part(struct room *room, const char *team, const struct client *agent);
/* agent.set; `more` stands behind the agent: ",\"capacity\":3". */
void crew_set(struct room *room, const struct client *agent, const char *more);
void crew_give_role(struct room *room, const struct client *agent, const char *role);
/* A conversation of a new customer with one message; its ticket is nobody's. Its id: free it. */
char *crew_conversation(struct room *room, const char *subject, const char *text);
/* Operator: to that team and agent, either NULL = none. */
void crew_assign(struct room *room, const char *conv, const char *team, const struct client *agent);

/* What the roles of the tests allow, but for what they read. */
#define CREW_WORK "reply,note,ticket_edit,assign,merge,customer_edit,recovery"
