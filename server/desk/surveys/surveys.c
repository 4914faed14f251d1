/* SPDX-License-Identifier: Apache-2.0 */
/* What the desk tells of its surveys, and what time does to them. */
#include "desk/surveys/surveys.h"

#include <stdlib.h>

#include "desk/desk_private.h"
#include "desk/surveys/survey_offer.h"
#include "desk/surveys/surveys_private.h"
#include "desk/tickets/ticket_rows.h"

enum { LIVE_OF_TICKET = 32, DUE_AT_ONCE = 100, ERASED_AT_ONCE = 256 };

/* ---- life of the module ---- */

/* When time does something next. A db_error, or 0. */
static int read_next(struct desk *desk)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_SURVEY_OFFER_NEXT);
        int rc = db_step(stmt);
        desk->surveys->next_ms = rc == DB_ROW ? db_int(stmt, 0) : rc < 0 ? desk->now_ms : INT64_MAX;
        if (rc == DB_ROW)
                db_reset(stmt);
        return rc < 0 ? rc : DB_OK;
}

int surveys_init(struct desk *desk)
{
        desk->surveys = calloc(1, sizeof *desk->surveys);
        if (!desk->surveys)
                return DB_NOMEM;
        int rc = survey_defs_init(desk, &desk->surveys->defs);
        return rc < 0 ? rc : read_next(desk);
}

void surveys_done(struct desk *desk)
{
        if (!desk->surveys)
                return;
        survey_defs_free(desk->surveys->defs);
        free(desk->surveys);
        desk->surveys = NULL;
}

void surveys_committed(struct desk *desk)
{
        survey_defs_committed(desk);
}

void surveys_rolled_back(struct desk *desk)
{
        survey_defs_rolled_back(desk);
        read_next(desk); /* a failure: looked at again at once, in a transaction that says so */
}

int64_t surveys_due_ms(const struct desk *desk)
{
        return desk->surveys ? desk->surveys->next_ms : INT64_MAX;
}

/* ---- time ---- */

static int run_one(struct desk *desk, int64_t id)
{
        struct survey_offer offer;
        int rc = survey_offer_by_id(desk->db, id, &offer);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        int64_t next_ms = rc == DB_ROW ? survey_offer_next_ms(&offer) : 0;
        if (next_ms == 0 || next_ms > desk->now_ms)
                return 0;
        if (offer.state == OFFER_PLANNED)
                return survey_offer_ask(desk, &offer);
        return offer.until_ms <= desk->now_ms ? survey_offer_end(desk, &offer, OFFER_EXPIRED, OFFER_TIME)
                                              : survey_offer_remind(desk, &offer);
}

int surveys_run_due(struct desk *desk)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_SURVEY_OFFERS_DUE);
        int64_t due[DUE_AT_ONCE];
        int count = 0, rc;
        db_bind_int(stmt, 1, desk->now_ms);
        db_bind_int(stmt, 2, DUE_AT_ONCE);
        while ((rc = db_step(stmt)) == DB_ROW)
                if (count < DUE_AT_ONCE)
                        due[count++] = db_int(stmt, 0);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        for (int i = 0; i < count; i++)
                if ((rc = run_one(desk, due[i])) < 0)
                        return desk->db_failure != 0 ? rc : desk_db_failed(desk, DB_DAMAGED);
        rc = read_next(desk);
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}

/* ---- tickets ---- */

static struct offer_subject subject_of(const struct ticket *ticket)
{
        return (struct offer_subject){.ticket = (struct ticket *)ticket,
                                      .conv = ticket->conv,
                                      .customer = ticket->customer,
                                      .app = ticket->app};
}

/* Whether something is planned or was asked. */
static int begin_for(struct desk *desk, struct ticket *ticket, enum survey_cause cause, bool *out_begun)
{
        const struct survey *survey = survey_for(desk, ticket, cause);
        struct offer_subject subject = subject_of(ticket);
        struct survey_offer offer = {0};
        int rc = survey ? survey_offer_begin(desk, survey, cause, &subject, &offer) : 0;
        *out_begun = offer.state == OFFER_PLANNED || offer.state == OFFER_WAITING;
        return rc;
}

static int end_live(struct desk *desk, const struct ticket *ticket, bool is_final)
{
        int64_t live[LIVE_OF_TICKET];
        int count = survey_offers_live(desk->db, ticket->id, 0, live, LIVE_OF_TICKET), rc = 0;
        if (count < 0)
                return desk_db_failed(desk, count);
        bool is_discarded = is_final && ticket->close_reason[0];
        for (int i = 0; i < count && rc == 0; i++) {
                struct survey_offer offer;
                if ((rc = survey_offer_by_id(desk->db, live[i], &offer)) != DB_ROW)
                        return desk_db_failed(desk, rc < 0 ? rc : DB_DAMAGED);
                rc = 0;
                if (!is_final)
                        rc = survey_offer_end(desk, &offer, OFFER_WITHDRAWN, OFFER_REOPENED);
                else if (is_discarded)
                        rc = survey_offer_end(desk, &offer, OFFER_WITHDRAWN, OFFER_TICKET_CLOSED);
                else if (offer.state == OFFER_WAITING)
                        rc = survey_offer_end(desk, &offer, OFFER_EXPIRED, OFFER_TICKET_CLOSED);
                /* what is planned for days after is asked about a closed one too */
        }
        return rc;
}

/* An answer is taken until its ticket closes. */
static int settle_answered(struct desk *desk, const struct ticket *ticket)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_SURVEY_OFFERS_ANSWERED_OF_TICKET);
        int64_t ids[LIVE_OF_TICKET];
        int count = 0, rc;
        db_bind_int(stmt, 1, ticket->id);
        db_bind_int(stmt, 2, desk->now_ms);
        while ((rc = db_step(stmt)) == DB_ROW)
                if (count < LIVE_OF_TICKET)
                        ids[count++] = db_int(stmt, 0);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        for (int i = 0; i < count; i++) {
                struct survey_offer offer;
                if ((rc = survey_offer_by_id(desk->db, ids[i], &offer)) != DB_ROW)
                        return desk_db_failed(desk, rc < 0 ? rc : DB_DAMAGED);
                offer.until_ms = desk->now_ms;
                if ((rc = survey_offer_store(desk, &offer)) < 0)
                        return rc;
        }
        return 0;
}

static int closed(struct desk *desk, struct ticket *ticket)
{
        bool is_begun;
        int rc = end_live(desk, ticket, true);
        if (rc == 0)
                rc = settle_answered(desk, ticket);
        if (rc == 0 && !ticket->close_reason[0])
                rc = begin_for(desk, ticket, SURVEY_CAUSE_CLOSED, &is_begun);
        return rc;
}

int surveys_ticket_moved(struct desk *desk, struct ticket *ticket)
{
        bool is_begun = false;
        if (ticket->status == ticket->was_status)
                return 0;
        if (ticket->status == TICKET_CLOSED)
                return closed(desk, ticket);
        if (ticket->was_status == TICKET_SOLVED)
                return end_live(desk, ticket, false);
        if (ticket->status != TICKET_SOLVED)
                return 0;
        int rc = begin_for(desk, ticket, SURVEY_CAUSE_SOLVED, &is_begun);
        return rc == 0 && !is_begun ? begin_for(desk, ticket, SURVEY_CAUSE_LATER, &is_begun) : rc;
}

/* ---- asked for by others ---- */

int surveys_ask_by_macro(struct desk *desk, struct ticket *ticket, const struct survey *survey, int64_t agent)
{
        struct offer_subject subject = subject_of(ticket);
        subject.asked_by = agent;
        if (!survey)
                survey = survey_for(desk, ticket, SURVEY_CAUSE_SOLVED);
        return survey ? survey_offer_begin(desk, survey, SURVEY_CAUSE_AUTOMATION, &subject, NULL) : 0;
}

int surveys_ask_about_case(struct desk *desk, int64_t conv, int64_t customer, int64_t case_id, int64_t agent,
                           int64_t team)
{
        struct ticket *ticket = tickets_of_conversation(desk, conv), *keep = NULL;
        struct survey_offer offer = {0};
        int rc = ticket ? DB_ROW : ticket_row_newest(desk->db, conv, &keep);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        ticket = ticket ? ticket : keep;
        const struct survey *survey = ticket ? survey_for(desk, ticket, SURVEY_CAUSE_CASE) : NULL;
        struct offer_subject subject = {.ticket = ticket,
                                        .conv = conv,
                                        .customer = customer,
                                        .app = ticket ? ticket->app : 0,
                                        .recovery_case = case_id,
                                        .agent = agent,
                                        .team = team};
        rc = survey ? survey_offer_begin(desk, survey, SURVEY_CAUSE_CASE, &subject, &offer) : 0;
        ticket_free(keep);
        return rc < 0 ? rc : offer.state == OFFER_WAITING;
}

int surveys_brief_of(struct desk *desk, int64_t ticket, struct arena *arena,
                     struct protocol_survey_offer_brief *out_brief)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_SURVEY_OFFER_BRIEF);
        db_bind_int(stmt, 1, ticket);
        int rc = db_step(stmt);
        if (rc != DB_ROW)
                return rc < 0 ? desk_db_failed(desk, rc) : 0;
        struct span reason = db_text(stmt, 4);
        char *copy = reason.len > 0 ? arena_take(arena, reason.len) : NULL;
        if (copy)
                memcpy(copy, reason.at, reason.len);
        *out_brief =
                (struct protocol_survey_offer_brief){.offer = (uint64_t)db_int(stmt, 0),
                                                     .state = (enum protocol_survey_offer_brief_state)db_int(stmt, 1),
                                                     .metric = (enum protocol_survey_offer_brief_metric)db_int(stmt, 2),
                                                     .top = db_int(stmt, 3),
                                                     .has_reason = copy != NULL,
                                                     .reason = {copy, copy ? reason.len : 0},
                                                     .has_score = !db_is_null(stmt, 5),
                                                     .score = db_int(stmt, 5),
                                                     .has_commented = db_int(stmt, 6) != 0,
                                                     .commented = db_int(stmt, 6) != 0};
        db_reset(stmt);
        return 1;
}

/* ---- people ---- */

int surveys_given(struct desk *desk, int64_t conv, int64_t customer)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_SURVEY_OFFERS_GIVE);
        db_bind_int(stmt, 1, conv);
        db_bind_int(stmt, 2, customer);
        int rc = db_run(stmt);
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}

/* What waits is asked no more; the log of an erased person says nothing of it. */
static int end_all(struct desk *desk, int64_t customer)
{
        for (;;) {
                int64_t live[ERASED_AT_ONCE];
                int count = survey_offers_live(desk->db, 0, customer, live, ERASED_AT_ONCE), rc;
                if (count < 0)
                        return desk_db_failed(desk, count);
                for (int i = 0; i < count; i++) {
                        struct survey_offer offer;
                        if ((rc = survey_offer_by_id(desk->db, live[i], &offer)) != DB_ROW)
                                return desk_db_failed(desk, rc < 0 ? rc : DB_DAMAGED);
                        if ((rc = survey_offer_end(desk, &offer, OFFER_WITHDRAWN, OFFER_ERASED)) < 0)
                                return rc;
                }
                if (count == 0)
                        return 0;
        }
}

/* Reports keep no words, but may follow whose they were. */
static int tell_reports(struct desk *desk, int64_t customer)
{
        for (int64_t above = 0;;) {
                struct db_stmt *stmt = db_stmt(desk->db, SQL_SURVEY_OFFERS_OF_CUSTOMER);
                int64_t ids[ERASED_AT_ONCE];
                int count = 0, rc;
                db_bind_int(stmt, 1, customer);
                db_bind_int(stmt, 2, above);
                db_bind_int(stmt, 3, ERASED_AT_ONCE);
                while ((rc = db_step(stmt)) == DB_ROW)
                        if (count < ERASED_AT_ONCE)
                                ids[count++] = db_int(stmt, 0);
                if (rc < 0)
                        return desk_db_failed(desk, rc);
                for (int i = 0; i < count; i++)
                        reports_offer_changed(desk, above = ids[i]);
                if (desk->db_failure != 0)
                        return -PROTOCOL_ERR_INTERNAL;
                if (count < ERASED_AT_ONCE)
                        return 0;
        }
}

int surveys_erase(struct desk *desk, int64_t customer)
{
        static const enum sql_id ids[] = {SQL_SURVEY_WORDS_ERASE, SQL_SURVEY_OFFERS_ERASE};
        int rc = end_all(desk, customer);
        for (size_t i = 0; rc == 0 && i < sizeof ids / sizeof *ids; i++) {
                struct db_stmt *stmt = db_stmt(desk->db, ids[i]);
                db_bind_int(stmt, 1, customer);
                if ((rc = db_run(stmt)) < 0)
                        return desk_db_failed(desk, rc);
        }
        return rc == 0 ? tell_reports(desk, customer) : rc;
}
