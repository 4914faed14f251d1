/* SPDX-License-Identifier: Apache-2.0 */
/* Answers: what the customer says to a survey, in the chat or by its signed link. All is checked before anything is
 * changed; then the answer's entry, the row, the survey's message, the words it is found by, and who follows it change
 * in one transaction. */
#include <openssl/sha.h>
#include <stdio.h>

#include "desk/customers/words.h"
#include "desk/desk_private.h"
#include "desk/surveys/offer_rating.h"
#include "desk/surveys/survey_offer.h"

/* An answer on its way. */
struct answering {
        struct survey_offer offer;
        struct protocol_survey_shown shown; /* as the message says it */
        struct arena *arena;                /* of what `shown` borrows */
};

/* The survey that was asked at that place: row and message. 0, -PROTOCOL_ERR_NOT_FOUND: there is none. */
static int find(struct desk *desk, const struct conversation *conversation, int64_t seq, struct arena *arena,
                struct answering *out)
{
        struct protocol_content content = {0};
        int kind = 0;
        out->arena = arena;
        int rc = survey_offer_by_seq(desk->db, conversation->row.id, seq, &out->offer);
        if (rc != DB_ROW)
                return rc < 0 ? desk_db_failed(desk, rc) : -PROTOCOL_ERR_NOT_FOUND;
        rc = entry_content(desk, conversation, seq, arena, &kind, &content);
        if (rc == 0 && (kind != PROTOCOL_ENTRY_SURVEY || !content.has_survey))
                rc = -PROTOCOL_ERR_NOT_FOUND; /* erased */
        out->shown = content.survey;
        return rc;
}

int surveys_check_rating(struct desk *desk, const struct conversation *conversation, struct desk_command *command,
                         struct fault *fault)
{
        const struct protocol_rated *rated = &((struct protocol_message_send *)command->params)->content.rated;
        struct answering answering;
        int rc = find(desk, conversation, rated->seq, &command->arena, &answering);
        if (rc == -PROTOCOL_ERR_NOT_FOUND)
                return fault_set(fault, PROTOCOL_ERR_NOT_FOUND, "rated.seq", "the seq of a survey");
        return rc < 0 ? rc : rating_check(&answering.offer, &answering.shown, rated, desk->now_ms, fault);
}

/* ---- keeping it ---- */

static int put_words(struct desk *desk, const struct answering *answering)
{
        struct words words;
        const struct protocol_survey_shown *shown = &answering->shown;
        int rc = words_init(&words, answering->arena, WORDS_MAX);
        if (rc == 0 && shown->has_said)
                rc = words_add(&words, shown->said);
        for (size_t i = 0; rc == 0 && i < shown->answers_count; i++)
                if (shown->answers[i].has_words)
                        rc = words_add(&words, shown->answers[i].words);
        if (rc < 0)
                return desk_db_failed(desk, DB_NOMEM);
        struct db_stmt *stmt = db_stmt(desk->db, SQL_SURVEY_WORDS_DELETE);
        db_bind_int(stmt, 1, answering->offer.id);
        rc = db_run(stmt);
        for (size_t i = 0; rc >= 0 && i < words.count; i++) {
                stmt = db_stmt(desk->db, SQL_SURVEY_WORD_PUT);
                db_bind_int(stmt, 1, desk->workspace);
                db_bind_text(stmt, 2, words.at[i]);
                db_bind_int(stmt, 3, answering->offer.id);
                rc = db_run(stmt);
        }
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}

static void write_answers(struct writer *out, const struct protocol_survey_shown *shown)
{
        writer_char(out, '[');
        for (size_t i = 0; i < shown->answers_count; i++) {
                if (i > 0)
                        writer_char(out, ',');
                protocol_survey_said_write(out, &shown->answers[i]);
        }
        writer_char(out, ']');
}

/* What he said, beside the numbers. */
static int put_said(struct desk *desk, const struct answering *answering)
{
        const struct protocol_survey_shown *shown = &answering->shown;
        struct writer answers;
        writer_init(&answers, NULL, 0);
        write_answers(&answers, shown);
        struct db_stmt *stmt = db_stmt(desk->db, SQL_SURVEY_OFFER_SAID);
        db_bind_int(stmt, 1, answering->offer.id);
        db_bind_text(stmt, 2, shown->has_said ? shown->said : (struct span){0});
        db_bind_text(stmt, 3, shown->answers_count > 0 ? (struct span){answers.bytes, answers.len} : (struct span){0});
        int rc = answers.failed ? DB_NOMEM : db_run(stmt);
        if (answers.failed)
                db_reset(stmt);
        writer_done(&answers);
        return rc < 0 ? desk_db_failed(desk, rc) : put_words(desk, answering);
}

static int tell_recovery(struct desk *desk, const struct survey_offer *offer)
{
        const struct recovery_answer answer = {.offer = offer->id,
                                               .offer_ext = offer->ext,
                                               .metric = offer->metric,
                                               .top = offer->top,
                                               .has_score = offer->has_score,
                                               .score = offer->score,
                                               .wants_contact = offer->wants_contact,
                                               .is_resurvey = offer->recovery_case != 0,
                                               .case_id = offer->recovery_case,
                                               .ticket = offer->ticket,
                                               .conv = offer->conv,
                                               .customer = offer->customer,
                                               .agent = offer->agent,
                                               .team = offer->team};
        return recovery_answered(desk, &answer);
}

/* Whose score it is; what the customer wrote stands in his own entry only. */
static int note(struct desk *desk, const struct survey_offer *offer)
{
        const struct principal *who = offer->agent ? directory_find(desk->directory, offer->agent) : NULL;
        const struct team *team = offer->team ? people_team(desk, offer->team) : NULL;
        char text[1400], score[24] = "no score";
        if (offer->has_score)
                snprintf(score, sizeof score, "%d of %d", offer->score, offer->top);
        snprintf(text, sizeof text, "the customer answered the survey: %s%s; counted for %s%s%s%s", score,
                 offer->wants_contact ? ", wants to be contacted" : "",
                 who && who->name ? who->name
                 : offer->by_bot  ? "the bot"
                                  : "nobody",
                 team ? " (" : "", team ? team->name : "", team ? ")" : "");
        return survey_offer_note(desk, offer, 0, text);
}

static int take(struct desk *desk, struct conversation *conversation, struct answering *answering,
                const struct protocol_rated *rated, enum offer_way way)
{
        struct survey_offer *offer = &answering->offer;
        if (rating_take(offer, &answering->shown, rated, desk->now_ms, way, answering->arena) < 0)
                return desk_db_failed(desk, DB_NOMEM);
        int rc = survey_offer_store(desk, offer);
        if (rc == 0)
                rc = put_said(desk, answering);
        if (rc == 0)
                rc = survey_offer_show_state(desk, conversation, offer, &answering->shown);
        if (rc == 0)
                rc = note(desk, offer);
        if (rc == 0)
                rc = tell_recovery(desk, offer);
        return rc == 0 ? outbound_note_changed(desk, conversation, "survey_answered", offer->seq) : rc;
}

int surveys_rated(struct desk *desk, struct conversation *conversation, const struct entry_row *entry,
                  const struct protocol_content *content)
{
        struct arena arena = {0};
        struct answering answering;
        (void)entry;
        int rc = find(desk, conversation, content->rated.seq, &arena, &answering);
        if (rc == 0 && rating_is_new(&answering.shown, &content->rated))
                rc = take(desk, conversation, &answering, &content->rated, OFFER_BY_CHAT);
        arena_done(&arena);
        return rc < 0 && desk->db_failure == 0 ? desk_db_failed(desk, DB_DAMAGED) : rc;
}

/* ---- by link ---- */

/* The same answer sent again while nothing else was said is the same entry. */
static struct cmid link_cmid(const struct survey_offer *offer, struct span body)
{
        uint8_t digest[SHA256_DIGEST_LENGTH], whole[2 * SHA256_DIGEST_LENGTH];
        struct cmid cmid;
        char head[80];
        int len = snprintf(head, sizeof head, "link %llx %lld", (unsigned long long)offer->ext,
                           (long long)offer->changed_ms);
        SHA256((const uint8_t *)head, (size_t)len, whole);
        SHA256((const uint8_t *)body.at, body.len, whole + SHA256_DIGEST_LENGTH);
        SHA256(whole, sizeof whole, digest);
        memcpy(cmid.bytes, digest, sizeof cmid.bytes);
        return cmid;
}

static void say_rating(const struct protocol_survey_shown *shown, const struct protocol_rated *rated, char *out,
                       size_t room)
{
        if (rated->has_score)
                snprintf(out, room, "%lld/%lld", (long long)rated->score, (long long)shown->max);
        else
                snprintf(out, room, "-");
}

static int append_rating(struct desk *desk, struct conversation *conversation, const struct answering *answering,
                         const struct protocol_rated *rated)
{
        char shown_text[32];
        struct writer body;
        say_rating(&answering->shown, rated, shown_text, sizeof shown_text);
        struct protocol_content content = {
                .has_rated = true, .rated = *rated, .has_fallback_text = true, .fallback_text = span_of(shown_text)};
        content.rated.seq = answering->offer.seq;
        writer_init(&body, NULL, 0);
        content_store(&body, &content);
        struct entry_row entry = {.log = LOG_PUBLIC,
                                  .author = conversation->row.customer,
                                  .kind = PROTOCOL_ENTRY_RATING,
                                  .has_cmid = true,
                                  .body = {body.bytes, body.len}};
        entry.cmid = link_cmid(&answering->offer, entry.body);
        int rc = body.failed ? desk_db_failed(desk, DB_NOMEM)
                             : entry_add(desk, conversation, &entry, &content, ROLE_CUSTOMER);
        writer_done(&body);
        return rc;
}

int surveys_answer_by_link(struct desk *desk, uint64_t offer, const struct protocol_rated *rated, struct arena *arena,
                           struct fault *fault)
{
        struct answering answering = {0};
        struct conversation *conversation = NULL;
        struct survey_offer row;
        int rc = survey_offer_by_ext(desk->db, desk->workspace, offer, &row);
        if (rc != DB_ROW || row.seq == 0)
                return rc < 0 ? desk_db_failed(desk, rc) : -PROTOCOL_ERR_NOT_FOUND;
        rc = survey_offer_conversation(desk, &row, &conversation);
        if (rc == 0)
                rc = find(desk, conversation, row.seq, arena, &answering);
        if (rc < 0)
                return rc;
        if (answering.offer.state == OFFER_ANSWERED && !rating_is_new(&answering.shown, rated))
                return 0; /* the same once more */
        rc = rating_check(&answering.offer, &answering.shown, rated, desk->now_ms, fault);
        if (rc < 0)
                return rc;
        rc = append_rating(desk, conversation, &answering, rated);
        if (rc == 0)
                rc = take(desk, conversation, &answering, rated, OFFER_BY_LINK);
        if (rc < 0 && desk->db_failure == 0)
                rc = desk_db_failed(desk, DB_DAMAGED); /* half of it must not stay */
        return rc < 0 ? rc : 0;
}
