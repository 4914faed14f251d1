/* SPDX-License-Identifier: Apache-2.0 */
/* Reports as things happen: the short history of tickets is written at once; messages are counted, tickets and askings
 * that may count otherwise are marked, and what they count is put right before the commit, once each.
 *
 * Always true after a commit: report_ticket, report_offer and report_episode have, of every row that the state says is
 * in the numbers, what fact_make, offer_fact_make and episodes_make say of it, and report_cell is the sum of them. */
#include "desk/reports/reports.h"

#include <stdlib.h>

#include "desk/desk_private.h"
#include "desk/reports/reports_private.h"

/* ---- marks ---- */

static int mark(struct desk *desk, int64_t ticket, bool is_sure)
{
        struct reports *reports = desk->reports;
        struct report_mark *last = reports->mark_count ? &reports->marks[reports->mark_count - 1] : NULL;
        if (last && last->ticket == ticket) {
                last->is_sure = last->is_sure || is_sure;
                return DB_OK;
        }
        if (reports->mark_count == reports->mark_room) {
                size_t room = reports->mark_room ? reports->mark_room * 2 : 64;
                struct report_mark *marks = realloc(reports->marks, room * sizeof *marks);
                if (!marks)
                        return DB_NOMEM;
                reports->marks = marks;
                reports->mark_room = room;
        }
        if (reports->marks)
                reports->marks[reports->mark_count++] = (struct report_mark){ticket, is_sure};
        return DB_OK;
}

void reports_offer_changed(struct desk *desk, int64_t offer)
{
        struct reports *reports = desk->reports;
        if (reports->offer_count == reports->offer_room) {
                size_t room = reports->offer_room ? reports->offer_room * 2 : 64;
                int64_t *offers = realloc(reports->offers, room * sizeof *offers);
                if (!offers) {
                        desk_db_failed(desk, DB_NOMEM);
                        return;
                }
                reports->offers = offers;
                reports->offer_room = room;
        }
        reports->offers[reports->offer_count++] = offer;
}

void reports_bot_happened(struct desk *desk, int64_t conv, int64_t bot)
{
        struct reports *reports = desk->reports;
        for (size_t i = 0; i < reports->met_count; i++)
                if (reports->met[i].conv == conv && reports->met[i].bot == bot)
                        return;
        if (reports->met_count == reports->met_room) {
                size_t room = reports->met_room ? reports->met_room * 2 : 64;
                struct report_met *met = realloc(reports->met, room * sizeof *met);
                if (!met) {
                        desk_db_failed(desk, DB_NOMEM);
                        return;
                }
                reports->met = met;
                reports->met_room = room;
        }
        reports->met[reports->met_count++] = (struct report_met){conv, bot};
}

void reports_case_changed(struct desk *desk, int64_t case_id)
{
        (void)desk; /* cases are few: they are counted when they are asked for */
        (void)case_id;
}

/* ---- the history ---- */

static int put_event(struct desk *desk, struct ticket *ticket, enum history_kind kind, int64_t at_ms)
{
        struct conversation *conversation = NULL;
        struct span tier = {0};
        int rc = ticket_conversation(desk, ticket, &conversation);
        if (rc == 0 && kind == HISTORY_MADE)
                rc = customers_value(desk, ticket->customer, SPAN("tier"), &tier);
        if (rc < 0)
                return desk->db_failure != 0 ? desk->db_failure : DB_DAMAGED;
        struct db_stmt *stmt = db_stmt(desk->db, SQL_TICKET_EVENT_PUT);
        db_bind_int(stmt, 1, ticket->id);
        db_bind_int(stmt, 2, kind);
        db_bind_int(stmt, 3, at_ms);
        db_bind_int(stmt, 4, ticket->status);
        db_bind_int(stmt, 5, ticket->team);
        db_bind_int(stmt, 6, ticket->assignee);
        db_bind_int(stmt, 7, conversation->row.head);
        db_bind_text(stmt, 8, tier.len > 0 ? tier : (struct span){0});
        return db_run(stmt);
}

/* ---- messages ---- */

/* Who wrote it: mostly the conversation has just been told. */
static int find_author(struct desk *desk, const struct ticket *ticket, int64_t seq, int64_t *out_author)
{
        struct conversation *conversation = NULL;
        if (ticket_conversation(desk, ticket, &conversation) == 0 && conversation->row.last_seq == seq) {
                *out_author = conversation->row.last_author;
                return DB_OK;
        }
        struct db_stmt *stmt = db_stmt(desk->db, SQL_REPORT_AUTHOR);
        db_bind_int(stmt, 1, ticket->conv);
        db_bind_int(stmt, 2, seq);
        int rc = db_step(stmt);
        *out_author = rc == DB_ROW ? db_int(stmt, 0) : 0;
        db_reset(stmt);
        return rc < 0 ? rc : DB_OK;
}

static int add_traffic(struct reports *reports, int64_t kind, int64_t slot, int64_t agent)
{
        for (size_t i = reports->traffic_count; i > 0; i--) {
                struct report_traffic *at = &reports->traffic[i - 1];
                if (at->kind == kind && at->slot == slot && at->agent == agent) {
                        at->n++;
                        return DB_OK;
                }
        }
        if (reports->traffic_count == reports->traffic_room) {
                size_t room = reports->traffic_room ? reports->traffic_room * 2 : 64;
                struct report_traffic *traffic = realloc(reports->traffic, room * sizeof *traffic);
                if (!traffic)
                        return DB_NOMEM;
                reports->traffic = traffic;
                reports->traffic_room = room;
        }
        reports->traffic[reports->traffic_count++] = (struct report_traffic){kind, slot, agent, 1};
        return DB_OK;
}

static int count_message(struct desk *desk, const struct ticket *ticket, bool is_by_customer, int64_t at_ms,
                         int64_t seq)
{
        int64_t agent = 0;
        if (ticket->conv > desk->reports->state.conversations) /* it is counted when its turn comes */
                return DB_OK;
        int rc = is_by_customer ? DB_OK : find_author(desk, ticket, seq, &agent);
        return rc < 0 ? rc
                      : add_traffic(desk->reports, is_by_customer ? REPORT_CUSTOMERS : REPORT_STAFF,
                                    at_ms / REPORT_SLOT_MS, agent);
}

/* ---- what the ticket core tells ---- */

static bool is_over(enum ticket_status status)
{
        return status == TICKET_SOLVED || status == TICKET_CLOSED;
}

static bool counts_otherwise(const struct ticket *ticket)
{
        return is_over(ticket->status) || is_over(ticket->was_status) || ticket->was_status <= TICKET_NEW ||
               ticket->was_status == TICKET_BOT;
}

static int take(struct desk *desk, struct ticket *ticket, enum ticket_happening what, int64_t at_ms, int64_t seq)
{
        int rc = DB_OK;
        switch (what) {
        case TICKET_MADE:
                rc = put_event(desk, ticket, HISTORY_MADE, at_ms);
                return rc < 0 ? rc : mark(desk, ticket->id, true);
        case TICKET_STATUS:
                rc = put_event(desk, ticket, HISTORY_STATUS, at_ms);
                return rc < 0 || !counts_otherwise(ticket) ? rc : mark(desk, ticket->id, true);
        case TICKET_PLACE:
                rc = put_event(desk, ticket, HISTORY_PLACE, at_ms);
                return rc < 0 ? rc : mark(desk, ticket->id, true);
        case TICKET_DETAILS:
                return mark(desk, ticket->id, false);
        case TICKET_CUSTOMER_WROTE:
                return count_message(desk, ticket, true, at_ms, seq);
        case TICKET_STAFF_WROTE:
                rc = count_message(desk, ticket, false, at_ms, seq);
                return rc < 0 || ticket->first_reply_ms > 0 ? rc : mark(desk, ticket->id, true);
        case TICKET_HANDED: /* its status has said it */
                return DB_OK;
        }
        return DB_OK;
}

void reports_happened(struct desk *desk, struct ticket *ticket, enum ticket_happening what, int64_t at_ms, int64_t seq)
{
        int rc = desk->db_failure == 0 ? take(desk, ticket, what, at_ms, seq) : DB_OK;
        if (rc < 0)
                desk_db_failed(desk, rc);
}

/* ---- before the commit ---- */

static int by_ticket(const void *a, const void *b)
{
        const struct report_mark *x = a, *y = b;
        return x->ticket != y->ticket ? (x->ticket > y->ticket) - (x->ticket < y->ticket) : y->is_sure - x->is_sure;
}

static bool has_word(const char *kept, const char *now)
{
        return strncmp(kept, now ? now : "", FACT_WORD_BYTES - 1) == 0;
}

/* Whether one of the details that are counted by is another one. 1, 0 or a negative db_error. */
static int is_elsewhere(struct desk *desk, int64_t id)
{
        struct ticket_fact kept;
        const struct ticket *ticket = NULL;
        for (struct ticket *at = desk->tickets.changed_first; at && !ticket; at = at->changed_next)
                ticket = at->id == id ? at : NULL;
        if (!ticket)
                return 1;
        int rc = fact_load(desk->db, id, &kept);
        if (rc < 0)
                return rc;
        return !kept.counts || kept.priority != ticket->priority || !has_word(kept.lang, ticket->lang) ||
               !has_word(kept.topic, ticket->topic);
}

static int flush_tickets(struct desk *desk, struct tally *tally)
{
        struct reports *reports = desk->reports;
        int64_t done = 0;
        if (reports->mark_count > 1)
                qsort(reports->marks, reports->mark_count, sizeof *reports->marks, by_ticket);
        for (size_t i = 0; i < reports->mark_count; i++) {
                const struct report_mark *at = &reports->marks[i];
                if (at->ticket == done || at->ticket > reports->state.tickets)
                        continue;
                done = at->ticket;
                int rc = at->is_sure ? 1 : is_elsewhere(desk, at->ticket);
                if (rc > 0)
                        rc = reports_count_ticket(desk, tally, at->ticket, true);
                if (rc < 0)
                        return rc;
        }
        return DB_OK;
}

static int flush_offers(struct desk *desk, struct tally *tally)
{
        struct reports *reports = desk->reports;
        for (size_t i = 0; i < reports->offer_count; i++) {
                int rc = reports->offers[i] <= reports->state.offers
                                 ? reports_count_offer(desk, tally, reports->offers[i], true)
                                 : DB_OK;
                if (rc < 0)
                        return rc;
        }
        return DB_OK;
}

static int flush_met(struct desk *desk, struct tally *tally)
{
        struct reports *reports = desk->reports;
        for (size_t i = 0; i < reports->met_count; i++) {
                const struct report_met *met = &reports->met[i];
                int rc = met->conv <= reports->state.episodes ? reports_count_met(desk, tally, met->conv, met->bot)
                                                              : DB_OK;
                if (rc < 0)
                        return rc;
        }
        return DB_OK;
}

static int flush_traffic(struct desk *desk)
{
        struct reports *reports = desk->reports;
        int rc = DB_OK;
        for (size_t i = 0; rc >= 0 && i < reports->traffic_count; i++) {
                struct db_stmt *stmt = db_stmt(desk->db, SQL_REPORT_TRAFFIC_ADD);
                db_bind_int(stmt, 1, reports->traffic[i].kind);
                db_bind_int(stmt, 2, reports->traffic[i].slot);
                db_bind_int(stmt, 3, reports->traffic[i].agent);
                db_bind_int(stmt, 4, reports->traffic[i].n);
                rc = db_run(stmt);
        }
        return rc;
}

static void forget_batch(struct reports *reports)
{
        reports->mark_count = reports->offer_count = reports->traffic_count = reports->met_count = 0;
}

int reports_flush(struct desk *desk)
{
        struct reports *reports = desk->reports;
        struct tally tally = {.zone = reports->state.zone};
        int rc = flush_traffic(desk);
        if (rc >= 0 && reports->mark_count > 0)
                rc = flush_tickets(desk, &tally);
        if (rc >= 0 && reports->offer_count > 0)
                rc = flush_offers(desk, &tally);
        if (rc >= 0 && reports->met_count > 0)
                rc = flush_met(desk, &tally);
        if (rc >= 0 && tally.count > 0)
                rc = tally_flush(&tally, desk->db);
        rc = rc >= 0 && tally.has_failed ? DB_NOMEM : rc;
        tally_done(&tally);
        forget_batch(reports);
        return rc < 0 ? rc : DB_OK;
}

/* ---- life ---- */

int reports_init(struct desk *desk)
{
        desk->reports = calloc(1, sizeof *desk->reports);
        return desk->reports ? reports_build_init(desk) : DB_NOMEM;
}

void reports_done(struct desk *desk)
{
        struct reports *reports = desk->reports;
        if (!reports)
                return;
        report_state_done(&reports->state);
        free(reports->marks);
        free(reports->offers);
        free(reports->traffic);
        free(reports->met);
        free(reports);
        desk->reports = NULL;
}

void reports_committed(struct desk *desk)
{
        (void)desk;
}

void reports_rolled_back(struct desk *desk)
{
        struct reports *reports = desk->reports;
        struct report_state state = {0};
        forget_batch(reports);
        if (report_state_load(desk->db, desk->workspace, &state) != DB_ROW) {
                report_state_done(&state);
                log_error(&desk->log, "how far the reports are made could not be read again");
                return;
        }
        report_state_done(&reports->state);
        reports->state = state;
}
