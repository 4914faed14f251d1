/* SPDX-License-Identifier: Apache-2.0 */
/* Service recovery: a case for each unhappy customer, which somebody owns until he is won back (docs/recovery.md).
 *
 * Always true: a case that is open has an owner or says that nobody could be found; the owner is never an agent whom it
 * is about; a customer has at most one open case, and an answer stands at one case at most; whether something was done
 * in time is judged when it is done. What happened to a case is in its log, which only grows.
 * Desk thread only. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "desk/command.h"

struct conversation;
struct desk;
struct entry_row;
struct ticket;

int recovery_init(struct desk *desk); /* after surveys_init; 0 or a negative db_error */
void recovery_done(struct desk *desk);
void recovery_committed(struct desk *desk);
void recovery_rolled_back(struct desk *desk);
int64_t recovery_due_ms(const struct desk *desk); /* wall ms of the next recovery_run_due; INT64_MAX = never */
int recovery_run_due(struct desk *desk);          /* in a batch; 0 or a negative protocol error (the store failed) */

/* What a customer has answered, as a case needs it. */
struct recovery_answer {
        int64_t offer; /* row id in survey_offer: one answer opens one case at most, however often it changes */
        uint64_t offer_ext;
        int metric; /* enum protocol_survey_shown_metric */
        int top;    /* highest score of its scale; 0 = the usual one of the metric: 5, 10, 7 */
        bool has_score;
        int score;
        bool wants_contact; /* the tick */
        bool is_resurvey;   /* asked about a case: `case_id` */
        int64_t case_id;
        int64_t ticket, conv, customer; /* row ids; ticket 0 = none */
        int64_t agent, team;            /* who was rated; 0 = nobody */
};

/* In the transaction of the answer, and of each change of it. 0 or a negative protocol error (the store failed). */
int recovery_answered(struct desk *desk, const struct recovery_answer *answer);
/* A target of its SLA was missed, once a miss. The same. */
int recovery_sla_missed(struct desk *desk, struct ticket *ticket, int metric, int64_t due_ms);
/* A person of the team has written to the customer: when he owns a case there, he has tried to contact him. The same.
 */
int recovery_staff_wrote(struct desk *desk, const struct conversation *conversation, const struct entry_row *entry);
/* The person is erased: notes of his cases go, the numbers stay. The same. */
int recovery_erase(struct desk *desk, int64_t customer);
/* Two customers are one person now, or a conversation has another customer. The same. */
int recovery_given(struct desk *desk, int64_t conv, int64_t customer);
/* Agents, teams or roles have changed, or a schedule has: owners and deadlines are looked at again with the next
 * recovery_run_due. */
void recovery_look_again(struct desk *desk);
