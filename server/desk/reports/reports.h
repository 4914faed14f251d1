/* SPDX-License-Identifier: Apache-2.0 */
/* Reports: numbers about tickets, answers, cases and agents, kept up to date as things happen, each of which can be
 * counted again from what is stored and opened down to the tickets behind it. Formulae: docs/reports.md.
 * Desk thread only, but for what says otherwise. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "desk/command.h"
#include "desk/tickets/tickets.h"

struct desk;

int reports_init(struct desk *desk); /* last of the parts; 0 or a negative db_error */
void reports_done(struct desk *desk);
int reports_flush(struct desk *desk); /* before a commit, after tickets_flush: 0 or a negative db_error */
void reports_committed(struct desk *desk);
void reports_rolled_back(struct desk *desk);

/* Something has happened to a ticket, in the transaction of it. A failure of the store is kept in desk->db_failure. */
void reports_happened(struct desk *desk, struct ticket *ticket, enum ticket_happening what, int64_t at_ms, int64_t seq);
/* An offer was made, answered, changed, ended (row id in survey_offer). The same. */
void reports_offer_changed(struct desk *desk, int64_t offer);
/* A bot did something in a conversation, or something was done about it: a row of bot_event. The same. */
void reports_bot_happened(struct desk *desk, int64_t conv, int64_t bot);
/* A case was opened or changed (row id in recovery_case). The same. */
void reports_case_changed(struct desk *desk, int64_t case_id);
