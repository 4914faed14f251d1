/* SPDX-License-Identifier: Apache-2.0 */
/* Offer: one asking of one customer, a row of survey_offer. Nothing of it is kept in memory but the moment at which
 * time does something next: what is planned or waits is read from the store, so a restart forgets nothing.
 *
 * Always true: the row and its message change in one transaction; a solving of a ticket has at most one offer that is
 * planned, waits, was answered or has expired (an index of the store says so too); an offer has at most one message.
 * Desk thread only, but for what says otherwise. Functions that return int: 0 or a negative protocol error (the store
 * failed) unless they say more. */
#pragma once

#include "desk/surveys/offer_gate.h"
#include "desk/surveys/survey_defs.h"
#include "desk/surveys/surveys.h"
#include "store/db.h"

struct conversation;
struct ticket;

/* In the store; a number never changes its meaning. */
enum offer_state {
        OFFER_PLANNED = 1,
        OFFER_WAITING = 2,
        OFFER_ANSWERED = 3,
        OFFER_EXPIRED = 4,
        OFFER_WITHDRAWN = 5,
        OFFER_REFUSED = 6
};
enum offer_way { OFFER_BY_CHAT = 1, OFFER_BY_LINK = 2 };

struct survey_offer {
        int64_t id;
        uint64_t ext;
        int64_t survey, version; /* row ids */
        int metric, top;
        enum survey_cause cause;
        int64_t ticket, solving, recovery_case;
        int64_t conv, customer, app;
        enum offer_state state;
        enum offer_reason reason;
        int64_t planned_ms, due_ms, seq, offered_ms, remind_ms, reminded_ms, until_ms, change_ms, ended_ms;
        int64_t answered_ms, changed_ms;
        bool has_score, wants_contact, is_locked, by_bot;
        int score;
        enum offer_way way; /* 0 = not answered */
        int64_t agent, team, asked_by;
        char lang[36], topic[65], tier[65]; /* "" = none */
};

/* ---- rows (offer_rows.c); errors are db_error; DB_ROW when found ---- */

int survey_offer_by_id(struct db *db, int64_t id, struct survey_offer *out);
int survey_offer_by_ext(struct db *db, int64_t workspace, uint64_t ext, struct survey_offer *out);
int survey_offer_by_seq(struct db *db, int64_t conv, int64_t seq, struct survey_offer *out);
/* Of that solving: the one that is planned, waits, was answered or has expired. */
int survey_offer_of_solving(struct db *db, int64_t ticket, int64_t solving, struct survey_offer *out);
int survey_offer_insert(struct db *db, int64_t workspace, struct survey_offer *offer); /* fills offer->id */
int survey_offer_save(struct db *db, const struct survey_offer *offer);
/* When time does something to it; 0 = never. Pure. */
int64_t survey_offer_next_ms(const struct survey_offer *offer);
/* Row ids of those that are planned or wait, at most `room`; ticket 0: of the customer. A count or a db_error. */
int survey_offers_live(struct db *db, int64_t ticket, int64_t customer, int64_t *out_ids, int room);

/* ---- what is known (offer_facts.c) ---- */

/* Whom and what is to be asked about. */
struct offer_subject {
        struct ticket *ticket; /* NULL = none; may be one that is not in memory */
        int64_t conv, customer, app;
        int64_t recovery_case;
        int64_t agent, team; /* of a case: whom and whose it is about */
        int64_t asked_by;
};
/* Fills `facts`, and in `offer` the snapshot of who wrote, whose ticket, language, topic, tier. */
int survey_offer_facts_of(struct desk *desk, const struct survey *survey, const struct offer_subject *subject,
                          struct survey_offer *offer, struct offer_facts *facts);

/* ---- asking (offer_ask.c) ---- */

/* Plans it, and asks at once when nothing has to be waited for; or keeps why not. `out` (may be NULL) is then as it is
 * in the store; out->id 0: nothing was kept, because what asks by itself had been asked already. */
int survey_offer_begin(struct desk *desk, const struct survey *survey, enum survey_cause cause,
                       const struct offer_subject *subject, struct survey_offer *out);
int survey_offer_ask(struct desk *desk, struct survey_offer *offer); /* a planned one: now */
int survey_offer_end(struct desk *desk, struct survey_offer *offer, enum offer_state state, enum offer_reason reason);
int survey_offer_remind(struct desk *desk, struct survey_offer *offer);
/* The row is written, reports are told, and the clock is set. */
int survey_offer_store(struct desk *desk, const struct survey_offer *offer);
/* The message says what the offer is now; what `rated` says is put into it (NULL: nothing new). */
int survey_offer_show_state(struct desk *desk, struct conversation *conversation, const struct survey_offer *offer,
                            const struct protocol_survey_shown *answered);
/* A line about it in the team's log. A ticket that is there no more has no line. */
int survey_offer_note(struct desk *desk, const struct survey_offer *offer, int64_t agent, const char *text);
/* Its conversation. 0 or a negative protocol error. */
int survey_offer_conversation(struct desk *desk, const struct survey_offer *offer,
                              struct conversation **out_conversation);
/* The ticket by its row id: from memory, or (then *out_keep is the caller's to free) from the store; NULL: none. */
int survey_offer_ticket(struct desk *desk, int64_t id, struct ticket **out_ticket, struct ticket **out_keep);

/* ---- for the wire (offer_row.c, any thread) ---- */

struct directory;
/* One row of a running SQL_SURVEY_OFFERS_PAGE..., which all have the same columns. Borrows from `arena`. 0 or -1: out
 * of memory. */
int survey_offer_row_fill(struct db_stmt *stmt, struct directory *directory, struct arena *arena,
                          struct protocol_survey_offer_row *out_row);
