/* SPDX-License-Identifier: Apache-2.0 */
/* Facts and the store: reading what a fact is made from, and the rows that keep it. Everything takes the connection of
 * its thread. Figures are packed: each as eight bytes, the lowest first. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "desk/hours/hours_private.h"
#include "desk/reports/reports_private.h"
#include "protocol/writer.h"
#include "protocol_generated.h"
#include "store/db.h"

void fact_keep_word(char out[FACT_WORD_BYTES], struct span word)
{
        size_t len = word.at && word.len < FACT_WORD_BYTES ? word.len : word.at ? FACT_WORD_BYTES - 1 : 0;
        memset(out, 0, FACT_WORD_BYTES);
        if (len > 0)
                memcpy(out, word.at, len);
}

/* ---- the story of a ticket ---- */

static int read_ticket(struct db *db, struct fact_story *story, int64_t *out_conv)
{
        struct db_stmt *stmt = db_stmt(db, SQL_REPORT_STORY);
        db_bind_int(stmt, 1, story->ticket);
        int rc = db_step(stmt);
        if (rc == DB_ROW) {
                story->app = db_int(stmt, 0);
                story->team = db_int(stmt, 1);
                story->agent = db_int(stmt, 2);
                story->priority = db_int(stmt, 3);
                story->issued_ms = db_int(stmt, 4);
                story->first_reply_ms = db_int(stmt, 5);
                story->solved_ms = db_int(stmt, 6);
                story->last_solved_ms = db_int(stmt, 7);
                story->reopens = db_int(stmt, 8);
                story->transfers = db_int(stmt, 9);
                story->first_seq = db_int(stmt, 10);
                story->status = (enum ticket_status)db_int(stmt, 11);
                story->has_reason = db_text(stmt, 12).len > 0;
                fact_keep_word(story->lang, db_text(stmt, 13));
                fact_keep_word(story->topic, db_text(stmt, 14));
                *out_conv = db_int(stmt, 15);
        }
        db_reset(stmt);
        return rc;
}

/* Room for one more behind `count` of that size, doubling. */
static bool more_room(void **list, size_t count, size_t size)
{
        bool is_full = count == 0 || (count >= 16 && (count & (count - 1)) == 0);
        void *longer = is_full ? realloc(*list, (count ? count * 2 : 16) * size) : *list;
        if (longer)
                *list = longer;
        return longer != NULL;
}

static int read_events(struct db *db, struct fact_story *story)
{
        struct db_stmt *stmt = db_stmt(db, SQL_REPORT_EVENTS);
        int rc;
        db_bind_int(stmt, 1, story->ticket);
        while ((rc = db_step(stmt)) == DB_ROW) {
                if (!more_room((void **)&story->events, story->event_count, sizeof *story->events)) {
                        db_reset(stmt);
                        return DB_NOMEM;
                }
                story->events[story->event_count++] = (struct fact_event){.kind = (enum history_kind)db_int(stmt, 0),
                                                                          .at_ms = db_int(stmt, 1),
                                                                          .status = (enum ticket_status)db_int(stmt, 2),
                                                                          .seq = db_int(stmt, 3)};
                if (db_text(stmt, 4).len > 0)
                        fact_keep_word(story->tier, db_text(stmt, 4));
        }
        return rc;
}

static struct fact_meter meter_of(const struct sla_meter *meter)
{
        return (struct fact_meter){.is_over = meter->phase == SLA_ENDED,
                                   .is_dropped = meter->phase == SLA_DROPPED,
                                   .is_missed = meter->is_missed,
                                   .has_target = meter->target_ms > 0,
                                   .counted_ms = meter->counted_ms};
}

static int read_clock(struct db *db, struct fact_story *story)
{
        struct sla_clock *clock = NULL;
        int rc = clock_read(db, story->ticket, &clock);
        if (rc != DB_ROW)
                return rc;
        story->first = meter_of(&clock->count.meters[SLA_FIRST]);
        story->resolution = meter_of(&clock->count.meters[SLA_RESOLUTION]);
        story->total = meter_of(&clock->count.meters[SLA_TOTAL]);
        free(clock);
        struct db_stmt *stmt = db_stmt(db, SQL_REPORT_NEXT_MISSED);
        db_bind_int(stmt, 1, story->ticket);
        db_bind_int(stmt, 2, story->last_solved_ms);
        rc = db_step(stmt);
        if (rc == DB_ROW)
                story->next_missed = db_int(stmt, 0);
        db_reset(stmt);
        return rc;
}

int report_messages(struct db *db, int64_t conv, int64_t from_seq, int64_t to_seq, message_fn *each, void *data)
{
        struct db_stmt *stmt = db_stmt(db, SQL_REPORT_MESSAGES);
        int rc;
        db_bind_int(stmt, 1, conv);
        db_bind_int(stmt, 2, from_seq);
        db_bind_int(stmt, 3, to_seq);
        db_bind_int(stmt, 4, PROTOCOL_ENTRY_SYSTEM);
        db_bind_int(stmt, 5, PROTOCOL_ENTRY_ERASED);
        db_bind_int(stmt, 6, PROTOCOL_ENTRY_CHOICES);
        while ((rc = db_step(stmt)) == DB_ROW) {
                rc = each(data, db_int(stmt, 0), db_int(stmt, 1) == 1, db_int(stmt, 2));
                if (rc < 0) {
                        db_reset(stmt);
                        return rc;
                }
        }
        return rc;
}

static int hear(void *data, int64_t at_ms, bool is_by_customer, int64_t author)
{
        struct fact_story *story = data;
        (void)author;
        if (!more_room((void **)&story->messages, story->message_count, sizeof *story->messages))
                return DB_NOMEM;
        story->messages[story->message_count++] = (struct fact_message){at_ms, is_by_customer};
        return 0;
}

int fact_make(struct db *db, int64_t ticket, struct ticket_fact *out_fact)
{
        struct fact_story story = {.ticket = ticket};
        int64_t conv = 0;
        memset(out_fact, 0, sizeof *out_fact);
        out_fact->ticket = ticket;
        int rc = read_ticket(db, &story, &conv);
        if (rc == DB_ROW)
                rc = read_events(db, &story);
        else if (rc == DB_OK)
                return DB_OK;
        if (rc >= 0)
                rc = read_clock(db, &story);
        int64_t last_seq = fact_last_seq(&story);
        if (rc >= 0 && last_seq > 0)
                rc = report_messages(db, conv, story.first_seq, last_seq, hear, &story);
        if (rc >= 0)
                fact_of(&story, out_fact);
        free(story.events);
        free(story.messages);
        return rc < 0 ? rc : DB_OK;
}

/* ---- the row of a ticket ---- */

static void write_flow(const struct ticket_fact *fact, struct writer *out)
{
        for (size_t i = 0; i < fact->flow_count; i++) {
                if (i > 0)
                        writer_char(out, ' ');
                writer_int(out, fact->flows[i]);
        }
}

void fact_read_flow(struct span text, struct ticket_fact *fact)
{
        char number[24];
        while (text.len > 0 && fact->flow_count < FACT_FLOWS) {
                const char *end = memchr(text.at, ' ', text.len);
                size_t len = end ? (size_t)(end - text.at) : text.len, step = end ? len + 1 : len;
                snprintf(number, sizeof number, "%.*s", (int)(len < sizeof number ? len : sizeof number - 1), text.at);
                fact->flows[fact->flow_count++] = strtoll(number, NULL, 10);
                text = (struct span){text.at + step, text.len - step};
        }
}

void fact_unpack(struct span figures, int64_t out_figures[FIGURES])
{
        for (size_t i = 0; i < FIGURES; i++) {
                uint64_t value = 0;
                for (size_t j = 0; j < 8; j++)
                        value |= (uint64_t)(i * 8 + j < figures.len ? (uint8_t)figures.at[i * 8 + j]
                                            : j == 7                ? 0x80
                                                                    : 0)
                                 << (8 * j);
                out_figures[i] = (int64_t)value;
        }
}

static void pack(const int64_t figures[FIGURES], uint8_t out[FIGURES * 8])
{
        for (size_t i = 0; i < (size_t)FIGURES * 8; i++)
                out[i] = (uint8_t)((uint64_t)figures[i / 8] >> (8 * (i % 8)));
}

int fact_load(struct db *db, int64_t ticket, struct ticket_fact *out_fact)
{
        struct db_stmt *stmt = db_stmt(db, SQL_REPORT_TICKET_GET);
        memset(out_fact, 0, sizeof *out_fact);
        out_fact->ticket = ticket;
        db_bind_int(stmt, 1, ticket);
        int rc = db_step(stmt);
        if (rc == DB_ROW) {
                out_fact->counts = true;
                out_fact->issued_ms = db_int(stmt, 0);
                out_fact->solved_ms = db_int(stmt, 1);
                out_fact->ended_ms = db_int(stmt, 2);
                out_fact->app = db_int(stmt, 3);
                out_fact->team = db_int(stmt, 4);
                out_fact->agent = db_int(stmt, 5);
                out_fact->priority = db_int(stmt, 6);
                out_fact->by_bot = db_int(stmt, 7) != 0;
                fact_keep_word(out_fact->lang, db_text(stmt, 8));
                fact_keep_word(out_fact->topic, db_text(stmt, 9));
                fact_keep_word(out_fact->tier, db_text(stmt, 10));
                fact_read_flow(db_text(stmt, 11), out_fact);
                fact_unpack(db_blob(stmt, 12), out_fact->figures);
        }
        db_reset(stmt);
        return rc < 0 ? rc : DB_OK;
}

static int remove_row(struct db *db, enum sql_id id, int64_t which)
{
        struct db_stmt *stmt = db_stmt(db, id);
        db_bind_int(stmt, 1, which);
        return db_run(stmt);
}

int fact_save(struct db *db, const struct ticket_fact *fact)
{
        uint8_t figures[FIGURES * 8];
        struct writer flow;
        char first[256];
        if (!fact->counts)
                return remove_row(db, SQL_REPORT_TICKET_REMOVE, fact->ticket);
        struct db_stmt *stmt = db_stmt(db, SQL_REPORT_TICKET_PUT);
        const int64_t numbers[] = {fact->ticket, fact->issued_ms, fact->solved_ms, fact->ended_ms, fact->app,
                                   fact->team,   fact->agent,     fact->priority,  fact->by_bot};
        writer_init(&flow, first, sizeof first);
        write_flow(fact, &flow);
        pack(fact->figures, figures);
        for (int i = 0; i < 9; i++)
                db_bind_int(stmt, i + 1, numbers[i]);
        db_bind_text(stmt, 10, span_of(fact->lang));
        db_bind_text(stmt, 11, span_of(fact->topic));
        db_bind_text(stmt, 12, span_of(fact->tier));
        db_bind_text(stmt, 13, flow.len > 0 ? (struct span){flow.bytes, flow.len} : SPAN(""));
        db_bind_int(stmt, 14, fact->flow_count > 1);
        db_bind_blob(stmt, 15, figures, sizeof figures);
        int rc = flow.failed ? DB_NOMEM : db_run(stmt);
        db_reset(stmt);
        writer_done(&flow);
        return rc;
}

/* ---- askings ---- */

static int metric_of(int64_t survey_metric)
{
        static const int ids[] = {0, METRIC_CSAT, METRIC_NPS, METRIC_CES};
        return survey_metric >= 1 && survey_metric <= 3 ? ids[survey_metric] : 0;
}

int offer_fact_make(struct db *db, int64_t offer, struct offer_fact *out_offer)
{
        enum { WAITING = 2, ANSWERED = 3, EXPIRED = 4 };
        struct db_stmt *stmt = db_stmt(db, SQL_REPORT_OFFER_SOURCE);
        memset(out_offer, 0, sizeof *out_offer);
        out_offer->offer = offer;
        db_bind_int(stmt, 1, offer);
        int rc = db_step(stmt);
        int64_t state = rc == DB_ROW ? db_int(stmt, 2) : 0;
        if (rc == DB_ROW && (state == WAITING || state == ANSWERED || state == EXPIRED) && metric_of(db_int(stmt, 0))) {
                out_offer->counts = true;
                out_offer->metric = metric_of(db_int(stmt, 0));
                out_offer->top = db_int(stmt, 1);
                out_offer->is_answered = state == ANSWERED;
                out_offer->offered_ms = db_int(stmt, 3);
                out_offer->has_score = state == ANSWERED && !db_is_null(stmt, 4);
                out_offer->score = out_offer->has_score ? db_int(stmt, 4) : 0;
                out_offer->app = db_int(stmt, 5);
                out_offer->team = db_int(stmt, 6);
                out_offer->agent = db_int(stmt, 7);
                out_offer->version = db_int(stmt, 8);
                out_offer->by_bot = db_int(stmt, 9) != 0;
                fact_keep_word(out_offer->lang, db_text(stmt, 10));
                fact_keep_word(out_offer->topic, db_text(stmt, 11));
                fact_keep_word(out_offer->tier, db_text(stmt, 12));
        }
        db_reset(stmt);
        return rc < 0 ? rc : DB_OK;
}

int offer_fact_load(struct db *db, int64_t offer, struct offer_fact *out_offer)
{
        struct db_stmt *stmt = db_stmt(db, SQL_REPORT_OFFER_GET);
        memset(out_offer, 0, sizeof *out_offer);
        out_offer->offer = offer;
        db_bind_int(stmt, 1, offer);
        int rc = db_step(stmt);
        if (rc == DB_ROW) {
                out_offer->counts = true;
                out_offer->metric = metric_of(db_int(stmt, 0));
                out_offer->offered_ms = db_int(stmt, 1);
                out_offer->top = db_int(stmt, 2);
                out_offer->has_score = !db_is_null(stmt, 3);
                out_offer->score = out_offer->has_score ? db_int(stmt, 3) : 0;
                out_offer->is_answered = db_int(stmt, 4) != 0;
                out_offer->app = db_int(stmt, 5);
                out_offer->team = db_int(stmt, 6);
                out_offer->agent = db_int(stmt, 7);
                out_offer->by_bot = db_int(stmt, 8) != 0;
                fact_keep_word(out_offer->lang, db_text(stmt, 9));
                fact_keep_word(out_offer->topic, db_text(stmt, 10));
                fact_keep_word(out_offer->tier, db_text(stmt, 11));
                out_offer->version = db_int(stmt, 12);
        }
        db_reset(stmt);
        return rc < 0 ? rc : DB_OK;
}

int offer_fact_save(struct db *db, const struct offer_fact *offer)
{
        if (!offer->counts)
                return remove_row(db, SQL_REPORT_OFFER_REMOVE, offer->offer);
        struct db_stmt *stmt = db_stmt(db, SQL_REPORT_OFFER_PUT);
        int survey_metric = offer->metric - METRIC_CSAT + 1;
        const int64_t numbers[] = {offer->app, offer->team, offer->agent, offer->by_bot};
        db_bind_int(stmt, 1, offer->offer);
        db_bind_int(stmt, 2, survey_metric);
        db_bind_int(stmt, 3, offer->offered_ms);
        db_bind_int(stmt, 4, offer->top);
        if (offer->has_score)
                db_bind_int(stmt, 5, offer->score);
        else
                db_bind_null(stmt, 5);
        db_bind_int(stmt, 6, offer->is_answered);
        for (int i = 0; i < 4; i++)
                db_bind_int(stmt, 7 + i, numbers[i]);
        db_bind_text(stmt, 11, span_of(offer->lang));
        db_bind_text(stmt, 12, span_of(offer->topic));
        db_bind_text(stmt, 13, span_of(offer->tier));
        db_bind_int(stmt, 14, offer->version);
        return db_run(stmt);
}

bool offer_fact_same(const struct offer_fact *a, const struct offer_fact *b)
{
        return a->offer == b->offer && a->counts == b->counts && a->metric == b->metric &&
               a->offered_ms == b->offered_ms && a->top == b->top && a->has_score == b->has_score &&
               a->score == b->score && a->is_answered == b->is_answered && a->by_bot == b->by_bot && a->app == b->app &&
               a->team == b->team && a->agent == b->agent && a->version == b->version &&
               strcmp(a->lang, b->lang) == 0 && strcmp(a->topic, b->topic) == 0 && strcmp(a->tier, b->tier) == 0;
}
