/* SPDX-License-Identifier: Apache-2.0 */
/* The life of an offer until it is answered: planned, asked, reminded, ended. Each step changes row and message in the
 * transaction of what brought it. */
#include <stdio.h>

#include "desk/desk_private.h"
#include "desk/surveys/survey_offer.h"
#include "desk/surveys/surveys_private.h"
#include "desk/tickets/ticket_private.h"
#include "desk/tickets/ticket_rows.h"

static const int64_t LONGEST_MS = 28LL * 24 * 3600 * 1000; /* an offer waits no longer, whatever the survey says */

/* ---- what it belongs to ---- */

int survey_offer_ticket(struct desk *desk, int64_t id, struct ticket **out_ticket, struct ticket **out_keep)
{
        *out_keep = NULL;
        *out_ticket = id ? tickets_by_id(desk, id) : NULL;
        if (*out_ticket || id == 0)
                return 0;
        int rc = ticket_row_by_id(desk->db, id, out_keep);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        *out_ticket = *out_keep;
        return 0;
}

int survey_offer_conversation(struct desk *desk, const struct survey_offer *offer,
                              struct conversation **out_conversation)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_SURVEY_CONVERSATION);
        db_bind_int(stmt, 1, offer->conv);
        int rc = db_step(stmt);
        uint64_t ext = rc == DB_ROW ? (uint64_t)db_int(stmt, 0) : 0;
        db_reset(stmt);
        if (rc != DB_ROW) {
                desk_db_failed(desk, rc < 0 ? rc : DB_DAMAGED);
                return -PROTOCOL_ERR_INTERNAL;
        }
        struct conversation *conversation = NULL;
        rc = conversation_find(desk, ext, &conversation);
        if (rc < 0 && desk->db_failure == 0)
                desk_db_failed(desk, DB_DAMAGED);
        if (rc < 0 || !conversation)
                return -PROTOCOL_ERR_INTERNAL;
        *out_conversation = conversation;
        return 0;
}

int survey_offer_note(struct desk *desk, const struct survey_offer *offer, int64_t agent, const char *text)
{
        struct ticket *ticket = NULL, *keep = NULL;
        struct ticket_by by = {.agent = agent};
        int rc = survey_offer_ticket(desk, offer->ticket, &ticket, &keep);
        if (rc == 0 && ticket)
                rc = ticket_note(desk, ticket, &by, "survey", span_of(text));
        ticket_free(keep);
        return rc;
}

int survey_offer_store(struct desk *desk, const struct survey_offer *offer)
{
        int64_t next_ms = survey_offer_next_ms(offer);
        int rc = survey_offer_save(desk->db, offer);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        if (next_ms > 0 && next_ms < desk->surveys->next_ms)
                desk->surveys->next_ms = next_ms;
        reports_offer_changed(desk, offer->id);
        return desk->db_failure != 0 ? -PROTOCOL_ERR_INTERNAL : 0;
}

/* ---- entries ---- */

static int write_entry(struct desk *desk, struct conversation *conversation, int64_t ticket_id, int kind,
                       const struct protocol_content *content, int64_t *out_seq)
{
        struct ticket *ticket = ticket_id ? tickets_by_id(desk, ticket_id) : NULL;
        struct writer body;
        writer_init(&body, NULL, 0);
        content_store(&body, content);
        struct entry_row entry = {.log = LOG_PUBLIC, .kind = kind, .body = {body.bytes, body.len}};
        int rc = body.failed ? desk_db_failed(desk, DB_NOMEM)
                             : entry_add(desk, conversation, &entry, content, ROLE_NONE);
        writer_done(&body);
        if (ticket)
                ticket->last_ms = conversation->row.last_ts;
        if (out_seq)
                *out_seq = entry.seq;
        return rc < 0 ? rc : 0;
}

static enum protocol_survey_shown_state shown_state(enum offer_state state)
{
        return state == OFFER_ANSWERED    ? PROTOCOL_SURVEY_SHOWN_STATE_ANSWERED
               : state == OFFER_EXPIRED   ? PROTOCOL_SURVEY_SHOWN_STATE_EXPIRED
               : state == OFFER_WITHDRAWN ? PROTOCOL_SURVEY_SHOWN_STATE_WITHDRAWN
                                          : PROTOCOL_SURVEY_SHOWN_STATE_WAITING;
}

int survey_offer_show_state(struct desk *desk, struct conversation *conversation, const struct survey_offer *offer,
                            const struct protocol_survey_shown *answered)
{
        struct arena arena = {0};
        struct protocol_content content = {0};
        struct writer body;
        int kind = 0, rc = entry_content(desk, conversation, offer->seq, &arena, &kind, &content);
        if (rc == 0 && kind == PROTOCOL_ENTRY_SURVEY && content.has_survey) { /* or it was erased */
                if (answered)
                        content.survey = *answered;
                content.survey.state = shown_state(offer->state);
                content.survey.has_locked = content.survey.locked = offer->is_locked;
                writer_init(&body, NULL, 0);
                content_store(&body, &content);
                rc = body.failed ? DB_NOMEM
                                 : entries_replace_content(desk->db, offer->conv, LOG_PUBLIC, offer->seq, 1,
                                                           (struct span){body.bytes, body.len});
                writer_done(&body);
                rc = rc < 0 ? desk_db_failed(desk, rc) : 0;
        }
        arena_done(&arena);
        return rc < 0 && desk->db_failure == 0 ? desk_db_failed(desk, DB_DAMAGED) : rc;
}

/* ---- asking ---- */

static int show(struct desk *desk, const struct survey *survey, struct survey_offer *offer)
{
        struct conversation *conversation = NULL;
        struct arena arena = {0};
        struct protocol_content content = {0};
        struct span lang = survey_lang(survey, span_of(offer->lang));
        int rc = survey_offer_conversation(desk, offer, &conversation);
        if (rc == 0 && survey_show(survey, lang, &arena, &content) < 0)
                rc = desk_db_failed(desk, DB_NOMEM);
        if (rc == 0) {
                content.survey.offer = offer->ext;
                content.survey.state = PROTOCOL_SURVEY_SHOWN_STATE_WAITING;
                content.survey.until = offer->until_ms;
                rc = write_entry(desk, conversation, offer->ticket, PROTOCOL_ENTRY_SURVEY, &content, &offer->seq);
        }
        snprintf(offer->lang, sizeof offer->lang, "%.*s", (int)lang.len, lang.at ? lang.at : "");
        arena_done(&arena);
        return rc;
}

static int ask_now(struct desk *desk, const struct survey *survey, struct survey_offer *offer)
{
        int64_t wait_ms = survey->until_ms < LONGEST_MS ? survey->until_ms : LONGEST_MS;
        offer->state = OFFER_WAITING;
        offer->version = survey->version_id;
        offer->metric = survey->metric;
        offer->top = survey->max;
        offer->offered_ms = desk->now_ms;
        offer->until_ms = desk->now_ms + wait_ms;
        offer->remind_ms = survey->remind_ms > 0 ? desk->now_ms + survey->remind_ms : 0;
        offer->change_ms = survey->change_ms;
        int rc = show(desk, survey, offer);
        return rc == 0 ? survey_offer_store(desk, offer) : rc;
}

static int refuse(struct desk *desk, const struct survey *survey, struct survey_offer *offer, enum offer_reason reason)
{
        char text[400];
        offer->state = OFFER_REFUSED;
        offer->reason = reason;
        offer->ended_ms = desk->now_ms;
        snprintf(text, sizeof text, "not asked how it went (%s): %s", survey->name, offer_reason_text(reason));
        int rc = survey_offer_store(desk, offer);
        return rc == 0 ? survey_offer_note(desk, offer, offer->asked_by, text) : rc;
}

static int64_t due_of(const struct survey *survey, enum survey_cause cause, int64_t now_ms)
{
        if (cause == SURVEY_CAUSE_LATER)
                return now_ms + survey->days_after_ms;
        return cause == SURVEY_CAUSE_SOLVED || cause == SURVEY_CAUSE_CLOSED ? now_ms + survey->delay_ms : now_ms;
}

static bool asks_by_itself(enum survey_cause cause)
{
        return cause == SURVEY_CAUSE_SOLVED || cause == SURVEY_CAUSE_CLOSED || cause == SURVEY_CAUSE_LATER;
}

int survey_offer_begin(struct desk *desk, const struct survey *survey, enum survey_cause cause,
                       const struct offer_subject *subject, struct survey_offer *out)
{
        struct survey_offer offer = {.ext = desk_new_id(desk),
                                     .survey = survey->id,
                                     .version = survey->version_id,
                                     .metric = survey->metric,
                                     .top = survey->max,
                                     .cause = cause,
                                     .ticket = subject->ticket ? subject->ticket->id : 0,
                                     .solving = subject->ticket ? subject->ticket->reopens : 0,
                                     .recovery_case = subject->recovery_case,
                                     .conv = subject->conv,
                                     .customer = subject->customer,
                                     .app = subject->app,
                                     .planned_ms = desk->now_ms,
                                     .due_ms = due_of(survey, cause, desk->now_ms),
                                     .asked_by = subject->asked_by};
        struct offer_facts facts;
        int rc = survey_offer_facts_of(desk, survey, subject, &offer, &facts);
        if (rc < 0)
                return rc;
        enum offer_reason reason = offer_gate(&facts);
        if (reason == OFFER_ASKED_ALREADY && asks_by_itself(cause)) { /* the first asking says it all */
                if (out)
                        *out = offer;
                return 0;
        }
        offer.state = reason == OFFER_YES ? OFFER_PLANNED : OFFER_REFUSED;
        if ((rc = survey_offer_insert(desk->db, desk->workspace, &offer)) < 0)
                return desk_db_failed(desk, rc);
        rc = reason != OFFER_YES            ? refuse(desk, survey, &offer, reason)
             : offer.due_ms <= desk->now_ms ? ask_now(desk, survey, &offer)
                                            : survey_offer_store(desk, &offer);
        if (out)
                *out = offer;
        return rc;
}

/* Its time has come: the survey as it is now, if nothing stands in the way meanwhile. */
int survey_offer_ask(struct desk *desk, struct survey_offer *offer)
{
        const struct survey *survey = survey_by_id(desk, offer->survey);
        struct ticket *ticket = NULL, *keep = NULL;
        struct offer_facts facts;
        if (!survey)
                return desk_db_failed(desk, DB_DAMAGED);
        int rc = survey_offer_ticket(desk, offer->ticket, &ticket, &keep);
        struct offer_subject subject = {.ticket = ticket};
        if (rc == 0)
                rc = survey_offer_facts_of(desk, survey, &subject, offer, &facts);
        ticket_free(keep);
        if (rc < 0)
                return rc;
        enum offer_reason reason = offer_gate(&facts);
        return reason == OFFER_YES ? ask_now(desk, survey, offer) : refuse(desk, survey, offer, reason);
}

/* ---- ending ---- */

static int tell_end(struct desk *desk, struct survey_offer *offer)
{
        struct conversation *conversation = NULL;
        int rc = survey_offer_conversation(desk, offer, &conversation);
        if (rc == 0)
                rc = survey_offer_show_state(desk, conversation, offer, NULL);
        struct protocol_content content = {.has_of = true,
                                           .of = offer->seq,
                                           .has_survey_end = true,
                                           .survey_end.state = offer->state == OFFER_EXPIRED
                                                                       ? PROTOCOL_SURVEY_END_STATE_EXPIRED
                                                                       : PROTOCOL_SURVEY_END_STATE_WITHDRAWN};
        return rc == 0 ? write_entry(desk, conversation, offer->ticket, PROTOCOL_ENTRY_SURVEY_END, &content, NULL) : rc;
}

int survey_offer_end(struct desk *desk, struct survey_offer *offer, enum offer_state state, enum offer_reason reason)
{
        bool was_asked = offer->state == OFFER_WAITING;
        char text[200];
        offer->state = state;
        offer->reason = reason;
        offer->ended_ms = desk->now_ms;
        int rc = survey_offer_store(desk, offer);
        if (rc < 0)
                return rc;
        if (was_asked && reason != OFFER_ERASED && (rc = tell_end(desk, offer)) < 0)
                return rc;
        if (state == OFFER_EXPIRED) /* time alone: nothing that the team has to hear of */
                return 0;
        snprintf(text, sizeof text, "the survey was %s: %s", was_asked ? "taken back" : "not sent",
                 offer_reason_text(reason));
        return reason == OFFER_ERASED ? 0 : survey_offer_note(desk, offer, 0, text);
}

/* ---- the reminder ---- */

/* One line, once, that points at the question above: a second question would be a second prompt, and a mark that nobody
 * is told of reminds nobody. */
int survey_offer_remind(struct desk *desk, struct survey_offer *offer)
{
        static const char *const texts[TICKET_LANGUAGES] = {
                "We would still like to hear how it went. One tap on the question above is enough.",
                "어떠셨는지 아직 듣고 싶어요. 위 질문을 한 번만 눌러 주세요.",
                "我们仍然想知道您的感受。点一下上面的问题就可以了。",
                "ご感想をまだお待ちしています。上の質問を一度タップするだけで結構です。",
        };
        struct conversation *conversation = NULL;
        struct span text = span_of(texts[ticket_language_of(offer->lang)]);
        struct protocol_content content = {
                .has_text = true, .text = text, .has_fallback_text = true, .fallback_text = text};
        int rc = survey_offer_conversation(desk, offer, &conversation);
        if (rc == 0)
                rc = write_entry(desk, conversation, offer->ticket, PROTOCOL_ENTRY_SYSTEM, &content, NULL);
        offer->reminded_ms = desk->now_ms;
        return rc == 0 ? survey_offer_store(desk, offer) : rc;
}
