/* SPDX-License-Identifier: Apache-2.0 */
/* The survey of a message: copied when it comes, changed by each answer and by its end. */
#include <string.h>

#include "item.h"
#include "markup.h"

/* ---- further questions --------------------------------------------------------------------------------------------
 */

static void free_choice(void *data)
{
        struct item_choice *choice = data;

        g_free(choice->id);
        g_free(choice->label);
        g_free(choice);
}

static void free_question(void *data)
{
        struct item_question *question = data;
        char *texts[] = {question->id,   question->text,       question->low,
                         question->high, question->said.words, question->draft.words};

        for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
                g_free(texts[i]);
        g_ptr_array_unref(question->choices);
        g_free(question);
}

static void set_said(struct item_said *said, unsigned picked, int number, const char *words)
{
        g_free(said->words);
        *said = (struct item_said){picked, number, g_utf8_make_valid(words ? words : "", -1)};
}

static void copy_questions(struct item_survey *survey, const struct deskbell_survey *from)
{
        static const char *const kinds[] = {"choice", "choices", "scale", "text"};

        survey->questions = g_ptr_array_new_with_free_func(free_question);
        for (size_t i = 0; i < from->questions_count; i++) {
                const struct deskbell_survey_question *asked = &from->questions[i];
                unsigned kind = 0;
                while (kind < G_N_ELEMENTS(kinds) && strcmp(asked->kind, kinds[kind]) != 0)
                        kind++;
                if (kind == G_N_ELEMENTS(kinds) || asked->choices_count > QUESTION_CHOICES)
                        continue; /* of a newer server: it is left out */
                struct item_question *question = g_new0(struct item_question, 1);
                question->id = g_strdup(asked->id);
                question->text = markup_clean_line(asked->text);
                question->low = markup_clean_line(asked->low);
                question->high = markup_clean_line(asked->high);
                question->kind = kind;
                question->choices = g_ptr_array_new_with_free_func(free_choice);
                for (size_t j = 0; j < asked->choices_count; j++) {
                        struct item_choice *choice = g_new0(struct item_choice, 1);
                        choice->id = g_strdup(asked->choices[j].id);
                        choice->label = markup_clean_line(asked->choices[j].label);
                        g_ptr_array_add(question->choices, choice);
                }
                question->min = asked->min;
                question->max = asked->max;
                question->required = asked->required != 0;
                question->from_score = asked->from_score;
                question->to_score = asked->to_score;
                set_said(&question->said, 0, -1, "");
                set_said(&question->draft, 0, -1, "");
                g_ptr_array_add(survey->questions, question);
        }
}

static bool is_asked_at(const struct item_question *question, int score)
{
        bool is_for_all = question->from_score <= 0 && question->to_score >= 10;

        return is_for_all || (score >= 0 && score >= question->from_score && score <= question->to_score);
}

static unsigned picked_of(const struct item_question *question, const char *const *ids, size_t count)
{
        unsigned picked = 0;

        for (unsigned i = 0; i < question->choices->len; i++) {
                const struct item_choice *choice = question->choices->pdata[i];
                for (size_t j = 0; j < count; j++)
                        if (strcmp(choice->id, ids[j]) == 0)
                                picked |= 1u << i;
        }
        return picked;
}

static void take_answer(struct item_question *question, const struct deskbell_survey_said *from)
{
        unsigned picked = picked_of(question, from->chosen, from->chosen_count);

        set_said(&question->said, picked, from->number, from->words);
        set_said(&question->draft, picked, from->number, from->words);
}

/* What another score no longer asks for is dropped, here as at the server; what was filled in stays, in case it is
 * asked for again. */
static void take_answers(struct item_survey *survey, const struct deskbell_survey *from)
{
        for (unsigned i = 0; i < survey->questions->len; i++) {
                struct item_question *question = survey->questions->pdata[i];
                if (!is_asked_at(question, survey->score)) {
                        set_said(&question->said, 0, -1, "");
                        continue;
                }
                for (size_t j = 0; j < from->answers_count; j++)
                        if (strcmp(from->answers[j].question, question->id) == 0)
                                take_answer(question, &from->answers[j]);
        }
}

bool item_question_is_asked(const struct item_survey *survey, const struct item_question *question)
{
        return is_asked_at(question, item_survey_score(survey));
}

bool item_said_is_empty(const struct item_said *said)
{
        return !said->picked && said->number < 0 && !*said->words;
}

bool item_survey_has_news(const struct item_survey *survey)
{
        g_autofree char *comment = g_strstrip(g_strdup(survey->draft));

        if (*comment)
                return true;
        for (unsigned i = 0; i < survey->questions->len; i++) {
                const struct item_question *question = survey->questions->pdata[i];
                const struct item_said *draft = &question->draft, *said = &question->said;
                if (item_question_is_asked(survey, question) && !item_said_is_empty(draft) &&
                    (draft->picked != said->picked || draft->number != said->number ||
                     strcmp(draft->words, said->words) != 0))
                        return true;
        }
        return false;
}

void item_question_fill(struct item_question *question, const char *text)
{
        g_auto(GStrv) ids = g_strsplit(text, " ", -1);

        if (question->kind == QUESTION_SCALE)
                set_said(&question->draft, 0, (int)g_ascii_strtoll(text, NULL, 10), "");
        else if (question->kind == QUESTION_TEXT)
                set_said(&question->draft, 0, -1, text);
        else
                set_said(&question->draft, picked_of(question, (const char *const *)ids, g_strv_length(ids)), -1, "");
}

/* ---- the survey ---------------------------------------------------------------------------------------------------
 */

void item_drop_survey(ChatItem *item)
{
        struct item_survey *survey = item->survey;

        if (!survey)
                return;
        char *texts[] = {survey->style,   survey->low,    survey->high, survey->comment,
                         survey->contact, survey->thanks, survey->said, survey->draft};
        for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
                g_free(texts[i]);
        g_ptr_array_unref(survey->questions);
        g_free(survey);
        item->survey = NULL;
}

static void take_asked(ChatItem *item, const struct deskbell_survey *from)
{
        struct item_survey *survey = item->survey;

        if (survey)
                return; /* what is asked never changes; what is typed stays */
        item->survey = survey = g_new0(struct item_survey, 1);
        survey->style = g_strdup(from->style);
        survey->low = markup_clean_line(from->low);
        survey->high = markup_clean_line(from->high);
        survey->comment = markup_clean_line(from->comment);
        survey->contact = markup_clean_line(from->contact);
        survey->thanks = markup_clean_line(from->thanks);
        survey->said = g_strdup("");
        survey->draft = g_strdup("");
        survey->min = from->min;
        survey->max = from->max;
        survey->score = survey->tapped = -1;
        copy_questions(survey, from);
}

/* What an answer does not say stays as it was. */
static void take_said(struct item_survey *survey, const struct deskbell_survey *from)
{
        survey->state = from->state;
        survey->is_locked |= from->is_locked != 0;
        if (from->wants_contact >= 0)
                survey->wants_contact = from->wants_contact > 0;
        if (from->score >= 0) {
                survey->score = from->score;
                survey->tapped = -1;
        }
        take_answers(survey, from);
        if (from->answers_count || *from->said)
                survey->is_sending = false;
        if (!*from->said)
                return;
        g_free(survey->said);
        survey->said = g_utf8_make_valid(from->said, -1);
}

void item_take_survey(ChatItem *item, const struct deskbell_survey *survey, enum deskbell_kind kind)
{
        if (kind == DESKBELL_KIND_SURVEY)
                take_asked(item, survey);
        if (item->survey)
                take_said(item->survey, survey);
}

int item_survey_score(const struct item_survey *survey)
{
        return survey->tapped >= 0 ? survey->tapped : survey->score;
}

bool item_survey_is_open(const ChatItem *item)
{
        const struct item_survey *survey = item->survey;

        return survey && !survey->is_locked &&
               (survey->state == DESKBELL_SURVEY_WAITING || survey->state == DESKBELL_SURVEY_ANSWERED);
}
