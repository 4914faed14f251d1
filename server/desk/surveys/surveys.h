/* SPDX-License-Identifier: Apache-2.0 */
/* Surveys: what is asked (definitions, each edit a new version), and the asking (offers: one message each, with a state
 * of its own).
 *
 * Always true: an offer is asked once, in one message; it is waiting, answered, expired or withdrawn, and its message
 * always says which; an answer belongs to the version of the survey that was shown, and to the person, team, channel
 * and language as they were when it was offered. The rules: docs/surveys.md.
 * Desk thread only, but for what says otherwise. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "desk/command.h"

struct arena;
struct conversation;
struct desk;
struct entry_row;
struct survey;
struct ticket;

/* ---- life of the module ---- */

int surveys_init(struct desk *desk); /* after tickets_init; 0 or a negative db_error */
void surveys_done(struct desk *desk);
void surveys_committed(struct desk *desk);
void surveys_rolled_back(struct desk *desk);
int64_t surveys_due_ms(const struct desk *desk); /* wall ms of the next surveys_run_due; INT64_MAX = never */
int surveys_run_due(struct desk *desk);          /* in a batch; 0 or a negative protocol error (the store failed) */

/* ---- what the desk tells ---- */

/* The ticket has another status (ticket->was_status says which it had): it may be time to ask, or to take back what was
 * asked. In the transaction of that change. 0 or a negative protocol error (the store failed). */
int surveys_ticket_moved(struct desk *desk, struct ticket *ticket);
/* Whether this answer can be taken, before anything is changed. 0, -PROTOCOL_ERR_NOT_FOUND, _LOCKED, or
 * _BAD_REQUEST with the field. */
int surveys_check_rating(struct desk *desk, const struct conversation *conversation, struct desk_command *command,
                         struct fault *fault);
/* It is in the log. 0 or a negative protocol error (the store failed). */
int surveys_rated(struct desk *desk, struct conversation *conversation, const struct entry_row *entry,
                  const struct protocol_content *content);
/* The person is erased: what he said goes, the numbers stay. The same. */
int surveys_erase(struct desk *desk, int64_t customer);
/* Two customers are one person now, or a conversation has another customer. The same. */
int surveys_given(struct desk *desk, int64_t conv, int64_t customer);

/* ---- what the other parts ask for ---- */

/* An answer by the signed link of offer `offer` (outside id): an entry of the customer's, as if he had written it;
 * rated->seq is not looked at. The same answer once more changes nothing and is welcome, locked or not. `arena`: of the
 * running command. 0, -PROTOCOL_ERR_NOT_FOUND, _LOCKED, _BAD_REQUEST with the field, or a failure of the store. */
int surveys_answer_by_link(struct desk *desk, uint64_t offer, const struct protocol_rated *rated, struct arena *arena,
                           struct fault *fault);
/* The customer of a recovery case is asked how it is now: about `agent` and `team` (row ids, 0 = none), in
 * conversation `conv` (row id). 1: asked. 0: not asked (no survey, blocked, erased, asked already; a row says why). Or
 * a negative protocol error. */
int surveys_ask_about_case(struct desk *desk, int64_t conv, int64_t customer, int64_t case_id, int64_t agent,
                           int64_t team);
/* A macro asks about that ticket; `survey` NULL = the one whose audience fits. What stands in the way is kept and
 * noted, and is no error. 0 or a negative protocol error. */
int surveys_ask_by_macro(struct desk *desk, struct ticket *ticket, const struct survey *survey, int64_t agent);
/* The newest asking about that ticket. 1, 0: none, or a negative protocol error. Spans are lent by `arena`. */
int surveys_brief_of(struct desk *desk, int64_t ticket, struct arena *arena,
                     struct protocol_survey_offer_brief *out_brief);
