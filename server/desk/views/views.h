/* SPDX-License-Identifier: Apache-2.0 */
/* Views: saved conditions over tickets, with what is in them and how many, kept up to date at each commit and told to
 * the agents who look (docs/desk.md). What a ticket's change tells the views is in tickets.h (views_committed).
 *
 * Always true between batches: a list holds exactly the tickets that are not closed, fulfil its condition and may be
 * read by those it is made for; it is told to nobody else. Views of the same condition, order and readers are one list.
 * Desk thread only. */
#pragma once

#include "desk/command.h"

struct desk;

struct views; /* desk->views */

int views_init(struct desk *desk); /* after tickets_init; makes the lists of shared views. 0 or a negative db_error */
void views_done(struct desk *desk);
/* After the batch's tickets were told: time that has come, and what is due to be said to connections. */
void views_turn(struct desk *desk);
void views_rolled_back(struct desk *desk);
uint64_t views_due_mono_ms(const struct desk *desk);             /* UINT64_MAX = nothing is due */
void views_session_gone(struct desk *desk, struct edge_ref ref); /* the connection is closed */
/* Within a batch: somebody was invited to that conversation, or is not any more. Looked at when the batch has ended. */
void views_reach_moved(struct desk *desk, int64_t conv);
