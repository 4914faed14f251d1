/* SPDX-License-Identifier: Apache-2.0 */
#include "desk/surveys/offer_rating.h"

#include <stdio.h>

#include "desk/surveys/survey_branch.h"

enum { ANSWERS_MAX = 5 };

static int refuse(struct fault *fault, const char *field, const char *expected)
{
        return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, field, expected);
}

/* ---- whether it fits what was shown ---- */

const struct protocol_survey_question *rating_question(const struct protocol_survey_shown *shown, struct span id)
{
        for (size_t i = 0; i < shown->questions_count; i++)
                if (span_equal(shown->questions[i].id, id))
                        return &shown->questions[i];
        return NULL;
}

static bool has_choice(const struct protocol_survey_question *question, struct span id)
{
        for (size_t i = 0; i < question->choices_count; i++)
                if (span_equal(question->choices[i].id, id))
                        return true;
        return false;
}

/* These three: what was expected instead; NULL: it fits. */

static const char *wrong_choice(const struct protocol_survey_question *question,
                                const struct protocol_survey_said *said)
{
        if (question->kind == PROTOCOL_SURVEY_QUESTION_KIND_CHOICE && said->chosen_count > 1)
                return "one choice for that question";
        for (size_t i = 0; i < said->chosen_count; i++) {
                if (!has_choice(question, said->chosen[i]))
                        return "only choices of the question";
                for (size_t j = 0; j < i; j++)
                        if (span_equal(said->chosen[i], said->chosen[j]))
                                return "each choice once";
        }
        return NULL;
}

static const char *wrong_kind(const struct protocol_survey_question *question, const struct protocol_survey_said *said)
{
        bool is_choice = question->kind == PROTOCOL_SURVEY_QUESTION_KIND_CHOICE ||
                         question->kind == PROTOCOL_SURVEY_QUESTION_KIND_CHOICES;
        bool is_scale = question->kind == PROTOCOL_SURVEY_QUESTION_KIND_SCALE;
        bool is_text = question->kind == PROTOCOL_SURVEY_QUESTION_KIND_TEXT;
        if (said->has_chosen != is_choice || said->has_number != is_scale || said->has_words != is_text)
                return "chosen, number or words, as the question asks for";
        if (is_scale && (said->number < question->min || said->number > question->max))
                return "a number on the scale of the question";
        return is_choice ? wrong_choice(question, said) : NULL;
}

static const char *wrong_answer(const struct protocol_survey_shown *shown, const struct protocol_rated *rated,
                                size_t index)
{
        const struct protocol_survey_said *said = &rated->answers[index];
        const struct protocol_survey_question *question = rating_question(shown, said->question);
        if (!question)
                return "only questions of the survey";
        if (!survey_asks_at(question, rated->has_score || shown->has_score,
                            rated->has_score ? rated->score : shown->score))
                return "only questions that are asked at that score";
        for (size_t i = 0; i < index; i++)
                if (span_equal(said->question, rated->answers[i].question))
                        return "each question once";
        return wrong_kind(question, said);
}

static int check_answers(const struct protocol_survey_shown *shown, const struct protocol_rated *rated,
                         struct fault *fault)
{
        char field[FAULT_PATH_BYTES];
        for (size_t i = 0; i < rated->answers_count; i++) {
                const char *expected = wrong_answer(shown, rated, i);
                if (!expected)
                        continue;
                snprintf(field, sizeof field, "rated.answers[%zu]", i);
                return refuse(fault, field, expected);
        }
        return 0;
}

static int check_form(const struct protocol_survey_shown *shown, const struct protocol_rated *rated,
                      struct fault *fault)
{
        if (!rated->has_score && !rated->has_said && !rated->has_answers && !rated->has_contact)
                return refuse(fault, "rated.score", "a score, or anything else that was asked");
        if (rated->has_score && (rated->score < shown->min || rated->score > shown->max))
                return refuse(fault, "rated.score", "a score on the scale of the survey");
        if (rated->has_said && !shown->has_comment)
                return refuse(fault, "rated.said", "nothing: the survey takes no comment");
        if (rated->has_contact && !shown->has_contact)
                return refuse(fault, "rated.contact", "nothing: the survey does not offer it");
        return check_answers(shown, rated, fault);
}

/* ---- what is new in it ---- */

static bool same_said(const struct protocol_survey_said *one, const struct protocol_survey_said *other)
{
        bool same = one->has_chosen == other->has_chosen && one->has_number == other->has_number &&
                    one->has_words == other->has_words && one->chosen_count == other->chosen_count &&
                    (!one->has_number || one->number == other->number) &&
                    (!one->has_words || span_equal(one->words, other->words));
        for (size_t i = 0; same && i < one->chosen_count; i++)
                same = span_equal(one->chosen[i], other->chosen[i]);
        return same;
}

/* Something that was answered is answered otherwise. */
static bool changes_something(const struct protocol_survey_shown *shown, const struct protocol_rated *rated)
{
        if (rated->has_score && shown->has_score && rated->score != shown->score)
                return true;
        if (rated->has_contact && shown->has_wants_contact && rated->contact != shown->wants_contact)
                return true;
        for (size_t i = 0; i < rated->answers_count; i++) {
                const struct protocol_survey_said *said = &rated->answers[i];
                const struct protocol_survey_said *old =
                        survey_said_to(shown->answers, shown->answers_count, said->question);
                if (old && !same_said(old, said))
                        return true;
        }
        return false;
}

bool rating_is_new(const struct protocol_survey_shown *shown, const struct protocol_rated *rated)
{
        if (changes_something(shown, rated) || (rated->has_score && !shown->has_score) ||
            (rated->has_said && (!shown->has_said || !span_equal(rated->said, shown->said))) ||
            (rated->has_contact && !shown->has_wants_contact))
                return true;
        for (size_t i = 0; i < rated->answers_count; i++)
                if (!survey_said_to(shown->answers, shown->answers_count, rated->answers[i].question))
                        return true;
        return false;
}

int rating_check(const struct survey_offer *offer, const struct protocol_survey_shown *shown,
                 const struct protocol_rated *rated, int64_t now_ms, struct fault *fault)
{
        int rc = check_form(shown, rated, fault);
        if (rc < 0)
                return rc;
        bool is_open = offer->state == OFFER_WAITING || offer->state == OFFER_ANSWERED;
        if (!is_open || offer->is_locked)
                return -PROTOCOL_ERR_LOCKED;
        if (offer->state == OFFER_ANSWERED && !rating_is_new(shown, rated))
                return 0;
        if (now_ms >= offer->until_ms)
                return -PROTOCOL_ERR_LOCKED;
        bool is_late = offer->state == OFFER_ANSWERED && now_ms - offer->answered_ms >= offer->change_ms;
        return is_late && changes_something(shown, rated) ? -PROTOCOL_ERR_LOCKED : 0;
}

/* ---- taking it ---- */

static bool is_asked(const struct protocol_survey_shown *shown, const struct protocol_survey_said *said)
{
        const struct protocol_survey_question *question = rating_question(shown, said->question);
        return question && survey_asks_at(question, shown->has_score, shown->score);
}

/* What was answered before stays when it is still asked: the score in `shown` is the new one. */
static int take_answers(struct protocol_survey_shown *shown, const struct protocol_rated *rated, struct arena *arena)
{
        struct protocol_survey_said *list = arena_take(arena, ANSWERS_MAX * sizeof *list);
        size_t count = 0;
        if (!list)
                return -PROTOCOL_ERR_INTERNAL;
        for (size_t i = 0; i < shown->answers_count && count < ANSWERS_MAX; i++)
                if (is_asked(shown, &shown->answers[i]) &&
                    !survey_said_to(rated->answers, rated->answers_count, shown->answers[i].question))
                        list[count++] = shown->answers[i];
        for (size_t i = 0; i < rated->answers_count && count < ANSWERS_MAX; i++)
                list[count++] = rated->answers[i];
        shown->has_answers = count > 0;
        shown->answers = list;
        shown->answers_count = count;
        return 0;
}

int rating_take(struct survey_offer *offer, struct protocol_survey_shown *shown, const struct protocol_rated *rated,
                int64_t now_ms, enum offer_way way, struct arena *arena)
{
        if (rated->has_score) {
                shown->has_score = offer->has_score = true;
                shown->score = rated->score;
                offer->score = (int)rated->score;
        }
        if (take_answers(shown, rated, arena) < 0)
                return -PROTOCOL_ERR_INTERNAL;
        if (rated->has_contact) {
                shown->has_wants_contact = true;
                shown->wants_contact = offer->wants_contact = rated->contact;
        }
        if (rated->has_said) {
                shown->has_said = true;
                shown->said = rated->said;
                offer->is_locked = true;
        }
        if (offer->answered_ms == 0)
                offer->answered_ms = now_ms;
        offer->changed_ms = now_ms;
        offer->state = OFFER_ANSWERED;
        offer->way = way;
        return 0;
}
