/* SPDX-License-Identifier: Apache-2.0 */
/* The gate: whether a customer is to be asked now, and if not, why. Pure: facts in, a reason out. The table of reasons
 * is shared with docs/surveys.md (a test compares them) and stands in the store as words. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "desk/surveys/survey_defs.h"

/* X(NAME, word, what it says). Those of the gate first, in the order in which they are looked at; behind NONE of the
 * gate come the reasons why something that was planned or asked has ended. */
#define OFFER_REASONS(X)                                                                                               \
        X(NOT_SOLVED, "not_solved", "its ticket is not solved, or was closed for another reason")                      \
        X(GONE, "gone", "the customer was erased or revoked")                                                          \
        X(BLOCKED, "blocked", "the customer is blocked")                                                               \
        X(DISABLED, "disabled", "the survey is switched off or was removed")                                           \
        X(ASKED_ALREADY, "asked_already", "this solving, or this case, was asked about already")                       \
        X(AUDIENCE, "audience", "the customer or the ticket is not in its audience")                                   \
        X(NO_PERSON, "no_person", "no person of the team has written")                                                 \
        X(TOO_SHORT, "too_short", "the conversation is too short to judge")                                            \
        X(TOO_OLD, "too_old", "the last message is too long ago")                                                      \
        X(ASKED_LATELY, "asked_lately", "the customer was asked the same not long ago")                                \
        X(NOT_SAMPLED, "not_sampled", "only a part is asked, and this one was not drawn")                              \
        X(REOPENED, "reopened", "the ticket was opened again")                                                         \
        X(TICKET_CLOSED, "ticket_closed", "its ticket was closed")                                                     \
        X(TIME, "time", "its time was over")                                                                           \
        X(TAKEN_BACK, "taken_back", "somebody took it back")                                                           \
        X(ERASED, "erased", "the customer was erased")

enum offer_reason {
        OFFER_YES, /* nothing stands in the way */
#define ROW(NAME, word, text) OFFER_##NAME,
        OFFER_REASONS(ROW)
#undef ROW
                OFFER_REASONS_COUNT
};

const char *offer_reason_word(enum offer_reason reason); /* "" for OFFER_YES */
const char *offer_reason_text(enum offer_reason reason);

struct offer_facts {
        enum survey_cause cause;
        bool is_due;     /* it was planned, and its time has come: only what may have changed is asked again */
        bool has_ticket; /* false: about a conversation */
        bool is_solved;  /* solved, or closed without a reason of its own */
        bool is_gone, is_blocked;
        bool is_enabled, is_removed; /* the survey */
        bool is_asked;               /* something is planned, waits or was answered for this solving, or this case */
        bool is_in_audience;
        bool has_person, asks_bot;
        int64_t text, min_text;                 /* code points */
        int64_t now_ms, last_ms, max_age_ms;    /* last_ms: of the newest message; max_age_ms 0 = no limit */
        int64_t asked_ms, customer_interval_ms; /* asked_ms: the same metric, the last time, 0 = never */
        int draw, sample_percent;               /* draw: 0..99 */
};

/* What is asked of whom: everything of a survey that asks by itself; a macro's is asked about the ticket it runs on,
 * whoever is drawn; a person or a back end that asks by name is stopped only by what the customer would mind. */
enum offer_reason offer_gate(const struct offer_facts *facts);

/* A number of 0..99 that is always the same for one survey and one solving of one ticket. */
int offer_draw(uint64_t survey, uint64_t ticket, int64_t solving);
