/* SPDX-License-Identifier: Apache-2.0 */
/* survey.link, and what the page of a signed link asks the desk: survey.page and survey.reply. Who calls these two was
 * proved by the link: they answer for the customer of the offer, and for nobody else. */
#include "desk/desk_private.h"
#include "desk/surveys/offer_rating.h"
#include "desk/surveys/survey_branch.h"
#include "desk/surveys/survey_defs_private.h"
#include "desk/surveys/survey_link.h"
#include "desk/surveys/survey_offer.h"
#include "desk/surveys/surveys_private.h"

int survey_link_check(const struct desk *desk, struct span path, uint64_t *out_offer)
{
        struct survey_link link;
        if (survey_link_read(path, &link) < 0 || !survey_link_is_made(&link, desk->uploads.link_key))
                return -PROTOCOL_ERR_NOT_FOUND;
        if (clock_wall_ms() >= link.expires_ms)
                return -PROTOCOL_ERR_LOCKED;
        *out_offer = link.offer;
        return 0;
}

static int find_offer(struct desk *desk, uint64_t ext, struct survey_offer *out_offer)
{
        int rc = survey_offer_by_ext(desk->db, desk->workspace, ext, out_offer);
        return rc < 0 ? desk_db_failed(desk, rc) : rc == DB_OK ? -PROTOCOL_ERR_NOT_FOUND : 0;
}

/* ---- survey.link ---- */

/* Not his and unknown are one path. */
static int check_reach(struct desk *desk, const struct caller *caller, const struct survey_offer *offer)
{
        struct conversation *conversation = NULL;
        int rc = survey_offer_conversation(desk, offer, &conversation);
        if (rc < 0 || caller->principal == 0)
                return rc;
        return conversation_for(desk, caller, conversation->row.ext, &conversation);
}

int handle_survey_link(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)fault;
        const struct protocol_survey_link *params = command->params;
        struct survey_offer offer;
        char path[SURVEY_LINK_TEXT];
        int rc = find_offer(desk, params->offer, &offer);
        if (rc == 0)
                rc = check_reach(desk, &command->caller, &offer);
        if (rc < 0)
                return rc;
        if (offer.state != OFFER_WAITING && offer.state != OFFER_ANSWERED)
                return -PROTOCOL_ERR_LOCKED;
        size_t len = survey_link_write(path, desk->uploads.link_key, offer.ext, offer.until_ms);
        if (len == 0)
                return -PROTOCOL_ERR_INTERNAL;
        struct protocol_survey_link_result result = {.path = {path, len}, .until = offer.until_ms};
        protocol_survey_link_result_write(out, &result);
        return 0;
}

/* ---- what the page shows ---- */

struct page {
        struct survey_offer offer;
        struct protocol_content content;
        struct span lang;
};

/* As it is now: the message of the offer says so. */
static int page_read(struct desk *desk, uint64_t ext, struct arena *arena, struct page *out_page)
{
        struct conversation *conversation = NULL;
        int kind = 0, rc = find_offer(desk, ext, &out_page->offer);
        if (rc == 0 && out_page->offer.seq == 0)
                rc = -PROTOCOL_ERR_NOT_FOUND;
        if (rc == 0)
                rc = survey_offer_conversation(desk, &out_page->offer, &conversation);
        if (rc == 0)
                rc = entry_content(desk, conversation, out_page->offer.seq, arena, &kind, &out_page->content);
        if (rc == 0 && (kind != PROTOCOL_ENTRY_SURVEY || !out_page->content.has_survey))
                rc = -PROTOCOL_ERR_NOT_FOUND; /* erased */
        if (rc < 0)
                return rc;
        const struct survey *survey = survey_by_id(desk, out_page->offer.survey);
        struct span wanted = span_of(out_page->offer.lang);
        out_page->lang = survey ? survey_lang(survey, wanted) : wanted.len > 0 ? wanted : SPAN("en");
        return 0;
}

int handle_survey_page(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)fault;
        const struct protocol_survey_page *params = command->params;
        struct page page = {0};
        int rc = page_read(desk, params->offer, &command->arena, &page);
        if (rc < 0)
                return rc;
        struct protocol_survey_page_result result = {
                .lang = page.lang, .text = page.content.text, .shown = page.content.survey};
        protocol_survey_page_result_write(out, &result);
        return 0;
}

/* ---- an answer from it ---- */

/* A page without a script sends fields of questions that are not asked at that score: they are left out. What the
 * survey does not know is kept, and refused as everywhere. */
static struct protocol_rated rated_of(const struct protocol_survey_reply *params, const struct page *page)
{
        struct protocol_rated rated = {.seq = page->offer.seq,
                                       .has_score = params->has_score,
                                       .score = params->score,
                                       .has_said = params->has_said,
                                       .said = params->said,
                                       .answers = params->answers,
                                       .has_contact = page->content.survey.has_contact, /* a tick taken away */
                                       .contact = params->has_contact && params->contact};
        for (size_t i = 0; i < params->answers_count; i++) {
                const struct protocol_survey_question *question =
                        rating_question(&page->content.survey, params->answers[i].question);
                if (!question || survey_asks_at(question, rated.has_score, rated.score))
                        rated.answers[rated.answers_count++] = params->answers[i];
        }
        rated.has_answers = rated.answers_count > 0;
        return rated;
}

static bool says_something(const struct protocol_rated *rated)
{
        return rated->has_score || rated->has_said || rated->has_answers || rated->contact;
}

/* Refused for what it says, or because none is taken any more: the page shows which. */
static bool is_refusal(int rc)
{
        return rc == -PROTOCOL_ERR_BAD_REQUEST || rc == -PROTOCOL_ERR_LOCKED;
}

/* The survey as it would be with that answer. 0 or -PROTOCOL_ERR_INTERNAL (out of memory). */
static int would_be(const struct page *page, const struct protocol_rated *rated, struct arena *arena,
                    struct protocol_survey_shown *out_shown)
{
        struct survey_offer offer = page->offer;
        *out_shown = page->content.survey;
        return rating_take(&offer, out_shown, rated, 0, OFFER_BY_LINK, arena);
}

/* The page is drawn here, so here it holds its reader to what is required, where no script can. */
static int take_reply(struct desk *desk, const struct page *page, const struct protocol_rated *rated,
                      struct arena *arena, struct fault *fault)
{
        struct protocol_survey_shown shown;
        if (!says_something(rated))
                return -PROTOCOL_ERR_BAD_REQUEST;
        if (would_be(page, rated, arena, &shown) < 0)
                return -PROTOCOL_ERR_INTERNAL;
        int rc = rating_check(&page->offer, &page->content.survey, rated, desk->now_ms, fault);
        if (rc == 0 && survey_missing(&shown))
                return -PROTOCOL_ERR_BAD_REQUEST;
        return surveys_answer_by_link(desk, page->offer.ext, rated, arena, fault);
}

int handle_survey_reply(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_survey_reply *params = command->params;
        struct page page = {0}, now = {0};
        int rc = page_read(desk, params->offer, &command->arena, &page);
        if (rc < 0)
                return rc;
        struct protocol_rated rated = rated_of(params, &page);
        int taken = take_reply(desk, &page, &rated, &command->arena, fault);
        if (taken < 0 && (!is_refusal(taken) || desk->db_failure != 0))
                return taken;
        fault_clear(fault);
        rc = page_read(desk, params->offer, &command->arena, &now);
        if (rc < 0)
                return desk->db_failure != 0 || taken < 0 ? rc : desk_db_failed(desk, DB_DAMAGED);
        bool is_again = taken == -PROTOCOL_ERR_BAD_REQUEST;
        struct protocol_survey_reply_result result = {.taken = taken >= 0,
                                                      .has_again = is_again,
                                                      .again = is_again,
                                                      .lang = now.lang,
                                                      .text = now.content.text,
                                                      .shown = now.content.survey};
        if (is_again && would_be(&now, &rated, &command->arena, &result.shown) < 0)
                return -PROTOCOL_ERR_INTERNAL;
        protocol_survey_reply_result_write(out, &result);
        return 0;
}
