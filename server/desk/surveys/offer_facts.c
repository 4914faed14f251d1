/* SPDX-License-Identifier: Apache-2.0 */
/* What the gate is asked with: who wrote, how much and when since the ticket began, whom and what was asked before. */
#include <stdio.h>

#include "desk/customers/customers.h"
#include "desk/desk_private.h"
#include "desk/surveys/survey_offer.h"

enum { TALK_MAX = 2000 }; /* of a longer one the newest part is looked at */

struct talk {
        int64_t text; /* code points that the customer and people wrote */
        int64_t last_ms, agent;
};

static int64_t points_of(struct span text)
{
        int64_t points = 0;
        for (size_t i = 0; i < text.len; i++)
                points += ((uint8_t)text.at[i] & 0xc0) != 0x80;
        return points;
}

static int64_t points_in(struct span body, struct arena *arena)
{
        struct protocol_content content = {0};
        struct reader reader;
        struct fault ignored = {0};
        char *copy = body.at ? arena_take(arena, body.len) : NULL;
        if (!copy)
                return 0;
        memcpy(copy, body.at, body.len);
        reader_init(&reader, copy, body.len, READER_TOLERANT, arena, &ignored);
        return protocol_content_read(&reader, &content) == 0 && content.has_text ? points_of(content.text) : 0;
}

/* No more is read than the answer needs. */
static int hear(struct desk *desk, int64_t conv, int64_t from_seq, int64_t enough, struct talk *talk)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_SURVEY_TALK);
        struct arena arena = {0};
        int rc;
        db_bind_int(stmt, 1, conv);
        db_bind_int(stmt, 2, from_seq);
        db_bind_int(stmt, 3, PROTOCOL_ENTRY_EDIT);
        db_bind_int(stmt, 4, TALK_MAX);
        while ((rc = db_step(stmt)) == DB_ROW) {
                int64_t author = db_int(stmt, 1), role = db_int(stmt, 2);
                if (author != 0 && talk->last_ms == 0)
                        talk->last_ms = db_int(stmt, 0);
                if (role == ROLE_AGENT && talk->agent == 0)
                        talk->agent = author;
                if ((role == ROLE_CUSTOMER || role == ROLE_AGENT) && talk->text < enough) {
                        talk->text += points_in(db_text(stmt, 3), &arena);
                        arena_done(&arena);
                        arena = (struct arena){0};
                }
                if (talk->text >= enough && talk->agent != 0 && talk->last_ms != 0)
                        break;
        }
        if (rc == DB_ROW)
                db_reset(stmt);
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}

static int look_at_customer(struct desk *desk, const struct ticket *ticket, struct survey_offer *offer,
                            struct offer_facts *facts)
{
        struct principal_row row;
        struct span tier = {0};
        int rc = principals_load(desk->db, offer->customer, &row);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        facts->is_gone = rc == DB_OK || row.revoked_ms != 0;
        facts->is_blocked = customers_is_blocked(desk, offer->customer);
        snprintf(offer->lang, sizeof offer->lang, "%s",
                 ticket && ticket->lang[0] ? ticket->lang
                 : rc == DB_ROW            ? row.locale
                                           : "");
        if ((rc = customers_value(desk, offer->customer, SPAN("tier"), &tier)) < 0)
                return rc;
        snprintf(offer->tier, sizeof offer->tier, "%.*s", (int)tier.len, tier.at ? tier.at : "");
        return 0;
}

static int first_int(struct desk *desk, struct db_stmt *stmt, int64_t *out_value)
{
        int rc = db_step(stmt);
        if (rc == DB_ROW) {
                *out_value = db_int(stmt, 0);
                db_reset(stmt);
        }
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}

/* Whether this was asked already, and when he was last asked anything like it. */
static int look_back(struct desk *desk, const struct survey_offer *offer, struct offer_facts *facts)
{
        int64_t live = 0;
        struct survey_offer other;
        int rc = 0;
        if (offer->ticket != 0 && offer->recovery_case == 0) {
                rc = survey_offer_of_solving(desk->db, offer->ticket, offer->solving, &other);
                if (rc < 0)
                        return desk_db_failed(desk, rc);
                facts->is_asked = rc == DB_ROW && other.id != offer->id;
        } else if (offer->id == 0) {
                struct db_stmt *stmt = db_stmt(desk->db, SQL_SURVEY_OFFERS_LIVE_ABOUT);
                db_bind_int(stmt, 1, offer->recovery_case);
                db_bind_int(stmt, 2, offer->conv);
                if ((rc = first_int(desk, stmt, &live)) < 0)
                        return rc;
                facts->is_asked = live != 0;
        }
        struct db_stmt *stmt = db_stmt(desk->db, SQL_SURVEY_OFFER_ASKED_LAST);
        db_bind_int(stmt, 1, offer->customer);
        db_bind_int(stmt, 2, offer->metric);
        return first_int(desk, stmt, &facts->asked_ms);
}

static bool is_solved(const struct ticket *ticket)
{
        return ticket->status == TICKET_SOLVED || (ticket->status == TICKET_CLOSED && !ticket->close_reason[0]);
}

static void look_at_ticket(struct desk *desk, const struct survey *survey, const struct ticket *ticket,
                           struct survey_offer *offer, struct offer_facts *facts)
{
        facts->has_ticket = true;
        facts->is_solved = is_solved(ticket);
        facts->is_in_audience = facts->is_due || survey_asks_ticket(desk, survey, ticket);
        facts->draw = offer_draw(survey->ext, ticket->ext, offer->solving);
        snprintf(offer->topic, sizeof offer->topic, "%s", ticket->topic ? ticket->topic : "");
}

int survey_offer_facts_of(struct desk *desk, const struct survey *survey, const struct offer_subject *subject,
                          struct survey_offer *offer, struct offer_facts *facts)
{
        const struct ticket *ticket = subject->ticket;
        struct talk talk = {0};
        *facts = (struct offer_facts){.cause = offer->cause,
                                      .is_due = offer->id != 0,
                                      .is_in_audience = true,
                                      .is_enabled = survey->is_enabled,
                                      .is_removed = survey->is_removed,
                                      .asks_bot = survey->asks_bot,
                                      .min_text = survey->min_text,
                                      .max_age_ms = survey->max_age_ms,
                                      .customer_interval_ms = survey->customer_interval_ms,
                                      .sample_percent = survey->sample_percent,
                                      .now_ms = desk->now_ms};
        if (ticket)
                look_at_ticket(desk, survey, ticket, offer, facts);
        int rc = look_at_customer(desk, ticket, offer, facts);
        if (rc == 0)
                rc = look_back(desk, offer, facts);
        if (rc < 0 || offer->id != 0) /* who wrote is known since it was planned */
                return rc;
        rc = hear(desk, offer->conv, ticket ? ticket->first_seq : 0, survey->min_text, &talk);
        facts->has_person = talk.agent != 0;
        facts->text = ticket && ticket->first_seq == 0 ? 0 : talk.text; /* the customer has not written */
        facts->last_ms = talk.last_ms;
        offer->agent = subject->agent ? subject->agent : talk.agent;
        offer->team = subject->team ? subject->team : ticket ? ticket->team : 0;
        offer->by_bot = talk.agent == 0;
        return rc;
}
