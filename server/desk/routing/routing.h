/* SPDX-License-Identifier: Apache-2.0 */
/* Routing: who gets a ticket (docs/desk.md). Tickets that nobody has wait in the queue of their team; whenever one
 * comes or an agent becomes free, those that can be given are given or offered, at the end of that batch. What tickets
 * tell routing is in tickets.h (routing_wants and the others).
 *
 * Everything here follows from the rows of tickets, offers and what was given: after a crash, or when a batch is not
 * kept, it is made again from them. Desk thread only. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct agent_profile;
struct desk;
struct principal;
struct protocol_feed_row;
struct ticket;

/* After people_load, before tickets_init. 0 or a negative db_error. */
int routing_init(struct desk *desk);
void routing_done(struct desk *desk); /* after tickets_done */

/* people/: something of that agent has changed: status, connections. */
void routing_agent_changed(struct desk *desk, const struct agent_profile *agent);
/* people/: teams or profiles were read again. */
void routing_people_changed(struct desk *desk);
/* sessions.c: a connection of his was opened: he is told what concerns him. */
void routing_came(struct desk *desk, const struct principal *who);

/* Whether the desk should begin a batch for routing's sake; when, in monotonic ms (UINT64_MAX = never). */
bool routing_is_due(const struct desk *desk);
uint64_t routing_due_mono_ms(const struct desk *desk);
/* After a batch: tells customers their places, when that is due. */
void routing_commit(struct desk *desk);

/* Weight of what he works on; whether that is more than his capacity, as only a hand can bring about. */
int32_t routing_load(const struct desk *desk, int64_t agent);
bool routing_is_over(const struct desk *desk, int64_t agent);
/* Whom the ticket is offered to, and until when (wall ms); 0 = nobody. */
int64_t routing_offered_to(const struct ticket *ticket, int64_t *out_until_ms);
/* The team that a ticket gets to which no rule gave one (row id); 0 = none. */
int64_t routing_default_team(const struct desk *desk);
/* Somebody of the team is at work, even if he can take no more. */
bool routing_is_staffed(const struct desk *desk, int64_t team);
/* Seconds that whoever comes to the end of the team's queue now waits; -1: not known, or somebody is free. */
int64_t routing_wait_s(const struct desk *desk, int64_t team);
/* What the customer of a conversation (row id) is told with it: the member `queue` of a row for customers. */
void routing_fill_row(struct desk *desk, int64_t conv, struct protocol_feed_row *row);
