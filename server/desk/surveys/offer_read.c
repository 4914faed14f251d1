/* SPDX-License-Identifier: Apache-2.0 */
/* survey.offers and survey.answers: pages, newest first, of what the caller may read. On the readers' threads. */
#include <stdio.h>
#include <stdlib.h>

#include "desk/customers/customers.h"
#include "desk/customers/profile.h"
#include "desk/customers/words.h"
#include "desk/desk_private.h"
#include "desk/people/reach.h"
#include "desk/reading.h"
#include "desk/surveys/survey_offer.h"
#include "desk/tickets/ticket_rows.h"

enum { ROWS_DEFAULT = 50, LOOKED_AT_MAX = 1000, PAGE_SLACK = 16384 };

struct page {
        const struct reading *reading;
        struct db_stmt *stmt;
        struct reach reach;
        bool (*is_wanted)(const struct page *page, const struct protocol_survey_offer_row *row);
        struct word_range terms[WORD_TERMS]; /* all but the first, which the statement looks for */
        int term_count;
        int64_t agent; /* row id: only about him; 0 = all */
        int64_t limit;
        int64_t last_ms, last_id;
        bool by_answer; /* the order: of the first answer, else of the row */
        bool has_next;
};

/* ---- where a page begins ---- */

static bool read_position(struct span text, int64_t *out_ms, int64_t *out_id)
{
        char copy[65], *end;
        snprintf(copy, sizeof copy, "%.*s", (int)text.len, text.at);
        *out_ms = strtoll(copy, &end, 10);
        if (end == copy || *end != '.' || *out_ms < 0)
                return false;
        char *second = end + 1;
        *out_id = strtoll(second, &end, 10);
        return end != second && *end == '\0' && *out_id >= 0;
}

static int begin(struct page *page, const struct reading *reading, bool has_before, struct span before, bool has_limit,
                 int64_t limit)
{
        *page = (struct page){.reading = reading,
                              .limit = has_limit ? limit : ROWS_DEFAULT,
                              .last_ms = INT64_MAX,
                              .last_id = INT64_MAX};
        if (has_before && !read_position(before, &page->last_ms, &page->last_id))
                return fault_set(reading->fault, PROTOCOL_ERR_BAD_REQUEST, "before", "`next` of a page before");
        int rc = customers_reach(reading->db, &reading->command->caller, &page->reach);
        return rc < 0 ? reading_failed(reading, rc) : 0;
}

/* ---- its rows ---- */

/* Whether the caller may read that row, and all words are in it. 1, 0 or a db_error. */
static int is_his(const struct page *page, int64_t offer, int64_t conv, int64_t agent)
{
        struct db *db = page->reading->db;
        if (page->agent != 0 && page->agent != agent)
                return 0;
        for (int i = 1; i < page->term_count; i++) {
                struct db_stmt *stmt = db_stmt(db, SQL_SURVEY_OFFER_HAS_WORD);
                db_bind_int(stmt, 1, offer);
                db_bind_text(stmt, 2, page->terms[i].low);
                db_bind_text(stmt, 3, page->terms[i].high);
                int rc = db_step(stmt);
                if (rc != DB_ROW)
                        return rc;
                db_reset(stmt);
        }
        return page->reach.is_all ? 1 : reach_holds_id(&page->reach, db, conv);
}

/* 1: written, 0: not wanted, or a db_error. */
static int write_row(struct page *page, bool is_first)
{
        struct protocol_survey_offer_row row;
        struct writer *out = page->reading->out;
        int rc = is_his(page, db_int(page->stmt, 0), db_int(page->stmt, 10), db_int(page->stmt, 30));
        if (rc != 1)
                return rc;
        if (survey_offer_row_fill(page->stmt, page->reading->directory, &page->reading->command->arena, &row) < 0)
                return DB_NOMEM;
        if (!page->is_wanted(page, &row))
                return 0;
        if (!is_first)
                writer_char(out, ',');
        protocol_survey_offer_row_write(out, &row);
        return 1;
}

static int write_rows(struct page *page)
{
        struct writer *out = page->reading->out;
        size_t start = out->len;
        int64_t count = 0, looked_at = 0;
        int rc;
        while ((rc = db_step(page->stmt)) == DB_ROW) {
                bool is_full = count == page->limit || out->len - start > PROTOCOL_PAGE_BYTES - PAGE_SLACK;
                page->has_next = (count > 0 && is_full) || ++looked_at > LOOKED_AT_MAX;
                if (page->has_next)
                        break;
                int64_t at_ms = page->by_answer ? db_int(page->stmt, 24) : 0, id = db_int(page->stmt, 0);
                if ((rc = write_row(page, count == 0)) < 0)
                        break;
                count += rc;
                page->last_ms = at_ms;
                page->last_id = id;
        }
        if (rc != DB_OK)
                db_reset(page->stmt);
        return rc < 0 ? rc : 0;
}

static int tell(struct page *page)
{
        struct writer *out = page->reading->out;
        writer_raw(out, SPAN("{\"offers\":["));
        int rc = write_rows(page);
        if (rc < 0)
                return reading_failed(page->reading, rc);
        writer_char(out, ']');
        if (page->has_next) {
                char next[48];
                snprintf(next, sizeof next, "%lld.%lld", (long long)page->last_ms, (long long)page->last_id);
                writer_raw(out, SPAN(",\"next\":"));
                writer_string(out, span_of(next));
        }
        writer_char(out, '}');
        return 0;
}

/* ---- survey.offers ---- */

static bool is_wanted_offer(const struct page *page, const struct protocol_survey_offer_row *row)
{
        const struct protocol_survey_offers *params = page->reading->command->params;
        return (!params->has_survey || params->survey == row->survey) &&
               (!params->has_state || (int)params->state == (int)row->state) &&
               (!params->has_from || row->planned >= params->from) && (!params->has_to || row->planned < params->to);
}

static int find_ticket(const struct reading *reading, uint64_t ext, int64_t *out_id)
{
        struct ticket *ticket = NULL;
        int rc = ticket_row_by_ext(reading->db, reading->command->caller.workspace, ext, &ticket);
        *out_id = rc == DB_ROW ? ticket->id : 0;
        ticket_free(ticket);
        return rc;
}

static int find_conversation(const struct reading *reading, uint64_t ext, int64_t *out_id)
{
        struct conversation_row row;
        int rc = reading->command->caller.role == ROLE_OPERATOR
                         ? conversations_load(reading->db, ext, &row)
                         : reach_view(reading->db, &reading->command->caller, ext, &row);
        *out_id = rc == DB_ROW ? row.id : 0;
        return rc;
}

static int find_customer(const struct reading *reading, struct principal_id customer, int64_t *out_id)
{
        struct principal_row row;
        int rc = customers_look(reading->db, &reading->command->caller, customer, &row);
        *out_id = rc == DB_ROW ? row.id : 0;
        return rc;
}

/* The narrowest of what is named; 0, or a negative protocol error. */
static int choose(const struct reading *reading, enum sql_id *out_statement, int64_t *out_subject)
{
        const struct protocol_survey_offers *params = reading->command->params;
        int rc = DB_ROW;
        if (params->has_ticket + params->has_conv + params->has_customer > 1)
                return fault_set(reading->fault, PROTOCOL_ERR_BAD_REQUEST, "ticket",
                                 "at most one of ticket, conv and customer");
        *out_statement = SQL_SURVEY_OFFERS_PAGE;
        *out_subject = reading->command->caller.workspace;
        if (params->has_ticket) {
                *out_statement = SQL_SURVEY_OFFERS_PAGE_TICKET;
                rc = find_ticket(reading, params->ticket, out_subject);
        } else if (params->has_conv) {
                *out_statement = SQL_SURVEY_OFFERS_PAGE_CONV;
                rc = find_conversation(reading, params->conv, out_subject);
        } else if (params->has_customer) {
                *out_statement = SQL_SURVEY_OFFERS_PAGE_CUSTOMER;
                rc = find_customer(reading, params->customer, out_subject);
        }
        return rc < 0 ? reading_failed(reading, rc) : rc == DB_ROW ? 0 : -PROTOCOL_ERR_NOT_FOUND;
}

int read_survey_offers(const struct reading *reading)
{
        const struct protocol_survey_offers *params = reading->command->params;
        struct page page;
        enum sql_id statement = SQL_SURVEY_OFFERS_PAGE;
        int64_t subject = 0;
        int rc = begin(&page, reading, params->has_before, params->before, params->has_limit, params->limit);
        if (rc == 0)
                rc = choose(reading, &statement, &subject);
        if (rc < 0)
                return rc;
        page.is_wanted = is_wanted_offer;
        page.stmt = db_stmt(reading->db, statement);
        db_bind_int(page.stmt, 1, subject);
        db_bind_int(page.stmt, 2, page.last_id);
        db_bind_int(page.stmt, 3, LOOKED_AT_MAX + 1);
        return tell(&page);
}

/* ---- survey.answers ---- */

static bool is_wanted_answer(const struct page *page, const struct protocol_survey_offer_row *row)
{
        const struct protocol_survey_answers *params = page->reading->command->params;
        bool fits_score = (!params->has_min_score || (row->has_score && row->score >= params->min_score)) &&
                          (!params->has_max_score || (row->has_score && row->score <= params->max_score));
        bool fits_people = (!params->has_agent || (row->has_agent && row->agent.id == params->agent.id)) &&
                           (!params->has_team || (row->has_team && row->team == params->team));
        return fits_score && fits_people && (!params->has_survey || params->survey == row->survey) &&
               (!params->has_metric || (int)params->metric == (int)row->metric) &&
               (!params->has_commented || params->commented == row->has_comment) &&
               (!params->has_from || row->answered >= params->from) && (!params->has_to || row->answered < params->to);
}

static int read_words(struct page *page, struct span query)
{
        int count = words_query(query, &page->reading->command->arena, page->terms);
        if (count < 0)
                return -PROTOCOL_ERR_INTERNAL;
        page->term_count = count;
        return count > 0 ? 0 : fault_set(page->reading->fault, PROTOCOL_ERR_BAD_REQUEST, "query", "a word to look for");
}

/* Without report_read only what is about the caller himself. */
static int narrow(struct page *page)
{
        const struct caller *caller = &page->reading->command->caller;
        if (caller->role == ROLE_OPERATOR)
                return 0;
        int rc = people_authorize_read(page->reading->db, caller, PROTOCOL_MAY_REPORT_READ);
        if (rc == -PROTOCOL_ERR_FORBIDDEN)
                page->agent = caller->principal;
        return rc == -PROTOCOL_ERR_FORBIDDEN ? 0 : rc;
}

int read_survey_answers(const struct reading *reading)
{
        const struct protocol_survey_answers *params = reading->command->params;
        struct page page;
        int rc = begin(&page, reading, params->has_before, params->before, params->has_limit, params->limit);
        if (rc == 0)
                rc = narrow(&page);
        if (rc == 0 && params->has_query)
                rc = read_words(&page, params->query);
        if (rc < 0)
                return rc;
        page.by_answer = true;
        page.is_wanted = is_wanted_answer;
        if (params->has_to && page.last_ms > params->to) { /* the page begins there */
                page.last_ms = params->to;
                page.last_id = 0;
        }
        page.stmt = db_stmt(reading->db, params->has_query ? SQL_SURVEY_ANSWERS_FOUND : SQL_SURVEY_ANSWERS_PAGE);
        db_bind_int(page.stmt, 1, reading->command->caller.workspace);
        db_bind_int(page.stmt, 2, page.last_ms);
        db_bind_int(page.stmt, 3, page.last_id);
        db_bind_int(page.stmt, 4, LOOKED_AT_MAX + 1);
        if (params->has_query) {
                db_bind_text(page.stmt, 5, page.terms[0].low);
                db_bind_text(page.stmt, 6, page.terms[0].high);
        }
        return tell(&page);
}
