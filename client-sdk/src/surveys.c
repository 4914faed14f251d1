/* SPDX-License-Identifier: Apache-2.0 */
/* Surveys: what a customer answers, checked against what was asked; and what an answer or an end changes in the survey
 * that the cache holds, so that it always says its present state. An answer is a message of kind rating, which carries
 * the same in words for clients that know no surveys. Pure but for the look into the cache. */
#include "machine_private.h"

#include <stdio.h>

enum { NO_SCORE = -1 };

/* ---- does it fit ------------------------------------------------------------------------------------------------- */

static bool has_words(const char *text)
{
        return text && *text;
}

static const struct deskbell_survey_question *question_of(const struct deskbell_survey *survey, const char *id)
{
        for (size_t i = 0; survey && i < survey->questions_count; i++)
                if (strcmp(survey->questions[i].id, id) == 0)
                        return &survey->questions[i];
        return NULL;
}

/* Its label; NULL: it was not offered. */
static const char *label_of(const struct deskbell_survey_question *question, const char *id)
{
        for (size_t i = 0; question && i < question->choices_count; i++)
                if (strcmp(question->choices[i].id, id) == 0)
                        return question->choices[i].label;
        return NULL;
}

static bool are_choices(const struct deskbell_survey_question *question, const struct deskbell_survey_said *said)
{
        for (size_t i = 0; i < said->chosen_count; i++) {
                if (!label_of(question, said->chosen[i]))
                        return false;
                for (size_t j = 0; j < i; j++)
                        if (strcmp(said->chosen[i], said->chosen[j]) == 0)
                                return false;
        }
        return said->chosen_count > 0;
}

static bool is_answer(const struct deskbell_survey_question *question, const struct deskbell_survey_said *said)
{
        if (strcmp(question->kind, "choice") == 0)
                return said->chosen_count == 1 && are_choices(question, said);
        if (strcmp(question->kind, "choices") == 0)
                return are_choices(question, said);
        if (said->chosen_count)
                return false;
        if (strcmp(question->kind, "text") == 0)
                return has_words(said->words);
        return !has_words(said->words) && said->number >= question->min && said->number <= question->max;
}

const char *survey_misfit(const struct deskbell_survey *survey, const struct deskbell_rating *rating)
{
        const struct deskbell_survey_said *answers = rating->answers;
        bool has_score = rating->score != NO_SCORE;

        if (!has_score && !has_words(rating->said) && !rating->answers_count && rating->wants_contact < 0)
                return "";
        if (has_score && (rating->score < survey->min || rating->score > survey->max))
                return "score";
        if (has_words(rating->said) && !has_words(survey->comment))
                return "said";
        if (rating->wants_contact >= 0 && !has_words(survey->contact))
                return "contact";
        for (size_t i = 0; i < rating->answers_count; i++) {
                const struct deskbell_survey_question *question = question_of(survey, answers[i].question);

                if (!question || !is_answer(question, &answers[i]))
                        return answers[i].question;
                for (size_t j = 0; j < i; j++)
                        if (strcmp(answers[i].question, answers[j].question) == 0)
                                return answers[i].question;
        }
        return NULL;
}

/* ---- in words ---------------------------------------------------------------------------------------------------- */

struct words {
        char *at; /* room for PROTOCOL_FALLBACK_POINTS */
        size_t len, points;
};

static void add(struct words *out, const char *text)
{
        for (; *text; text++) {
                bool begins = ((unsigned char)*text & 0xc0) != 0x80;

                if (begins && out->points == PROTOCOL_FALLBACK_POINTS)
                        return;
                out->points += begins;
                out->at[out->len++] = *text;
        }
}

static void add_number(struct words *out, int number, int of)
{
        char text[24];

        snprintf(text, sizeof(text), of ? "%d/%d" : "%d", number, of);
        add(out, text);
}

static void add_score(struct words *out, const struct deskbell_survey *survey, int score)
{
        static const char faces[][5] = {"😠", "🙁", "😐", "🙂", "😀"};
        const char *style = survey ? survey->style : "";

        if (strcmp(style, "thumbs") == 0)
                add(out, score > survey->min ? "👍" : "👎");
        else if (strcmp(style, "emoji") == 0 && survey->max > survey->min)
                add(out, faces[(score - survey->min) * 4 / (survey->max - survey->min)]);
        else if (strcmp(style, "stars") == 0)
                for (int i = 1; i <= survey->max; i++)
                        add(out, i <= score ? "★" : "☆");
        else
                add_number(out, score, survey ? survey->max : 0);
}

static void begin_line(struct words *out)
{
        if (out->len)
                add(out, "\n");
}

static void add_said(struct words *out, const struct deskbell_survey *survey, const struct deskbell_survey_said *said)
{
        const struct deskbell_survey_question *question = question_of(survey, said->question);

        begin_line(out);
        for (size_t i = 0; i < said->chosen_count; i++) {
                const char *label = label_of(question, said->chosen[i]);

                add(out, i ? ", " : "");
                add(out, label ? label : said->chosen[i]);
        }
        if (said->chosen_count)
                return;
        if (has_words(said->words))
                add(out, said->words);
        else
                add_number(out, said->number, question ? question->max : 0);
}

/* `survey` NULL = it is not known here. */
static void put_in_words(struct words *out, const struct deskbell_survey *survey, const struct deskbell_rating *rating)
{
        if (rating->score != NO_SCORE)
                add_score(out, survey, rating->score);
        for (size_t i = 0; i < rating->answers_count; i++)
                add_said(out, survey, &rating->answers[i]);
        if (has_words(rating->said)) {
                begin_line(out);
                add(out, rating->said);
        }
        if (rating->wants_contact >= 0) {
                begin_line(out);
                add(out, rating->wants_contact ? "☑ " : "☐ ");
                add(out, survey ? survey->contact : "☎");
        }
}

/* ---- the answer as a message ------------------------------------------------------------------------------------- */

static int fill_answers(struct arena *arena, const struct deskbell_rating *rating, struct protocol_rated *out)
{
        struct protocol_survey_said *answers = arena_take(arena, rating->answers_count * sizeof(*answers));
        if (!answers)
                return DESKBELL_E_NOMEM;

        for (size_t i = 0; i < rating->answers_count; i++) {
                const struct deskbell_survey_said *from = &rating->answers[i];
                struct span *chosen = arena_take(arena, from->chosen_count * sizeof(*chosen));
                if (!chosen)
                        return DESKBELL_E_NOMEM;

                for (size_t j = 0; j < from->chosen_count; j++)
                        chosen[j] = span_of(from->chosen[j]);
                answers[i].question = span_of(from->question);
                answers[i].chosen = chosen;
                answers[i].chosen_count = from->chosen_count;
                answers[i].has_chosen = from->chosen_count > 0;
                answers[i].has_words = !answers[i].has_chosen && has_words(from->words);
                answers[i].words = span_of(from->words);
                answers[i].has_number = !answers[i].has_chosen && !answers[i].has_words;
                answers[i].number = from->number;
        }
        out->has_answers = rating->answers_count > 0;
        out->answers = answers;
        out->answers_count = rating->answers_count;
        return 0;
}

static int fill(struct arena *arena, const struct deskbell_survey *survey, int64_t number,
                const struct deskbell_rating *rating, struct protocol_content *content)
{
        struct words words = {.at = arena_take(arena, (size_t)4 * PROTOCOL_FALLBACK_POINTS)};
        struct protocol_rated *rated = &content->rated;
        if (!words.at)
                return DESKBELL_E_NOMEM;

        put_in_words(&words, survey, rating);
        content->has_fallback_text = content->has_rated = true;
        content->fallback_text = (struct span){words.at, words.len};
        rated->seq = number;
        rated->has_score = rating->score != NO_SCORE;
        rated->score = rating->score;
        rated->has_said = has_words(rating->said);
        rated->said = span_of(rating->said);
        rated->has_contact = rating->wants_contact >= 0;
        rated->contact = rating->wants_contact > 0;
        return fill_answers(arena, rating, rated);
}

struct asked {
        struct event *event; /* its memory */
        bool is_known;       /* the cache can tell what it is */
};

static bool take_survey(void *data, const struct cached_entry *cached)
{
        struct asked *asked = data;
        struct protocol_entry entry;

        if (event_read_entry(asked->event, cached->body, &entry) < 0 || entry.kind == PROTOCOL_ENTRY_OTHER)
                return false; /* an older library wrote it, or as if it were not there: the server knows */
        asked->is_known = true;
        if (entry.kind == PROTOCOL_ENTRY_SURVEY && entry.content.has_survey &&
            event_fill_survey(asked->event, &asked->event->entry, &entry.content) < 0) {
                asked->event->entry.survey = NULL;
                asked->is_known = false;
        }
        return false;
}

static bool is_over(const struct machine *machine, const struct deskbell_survey *survey)
{
        return survey->is_locked || survey->state == DESKBELL_SURVEY_EXPIRED ||
               survey->state == DESKBELL_SURVEY_WITHDRAWN || survey->until_ms <= machine_true_wall(machine);
}

int surveys_answer(struct machine *machine, deskbell_conversation *conv, int64_t number,
                   const struct deskbell_rating *rating, struct arena *arena, struct protocol_content *content)
{
        struct asked asked = {.event = event_new(EVENT_ENTRY)};
        const struct deskbell_survey *survey = NULL;
        int rc = asked.event ? 0 : DESKBELL_E_NOMEM;

        if (rc == 0 && conv->row)
                cache_entries(machine->cache, conv->row, 0, number, number, 1, false, take_survey, &asked);
        if (rc == 0)
                survey = asked.event->entry.survey;
        if (rc == 0 && (machine->set.is_staff || (asked.is_known && !survey)))
                rc = DESKBELL_E_INVALID;
        if (rc == 0 && survey && is_over(machine, survey))
                rc = DESKBELL_E_STATE;
        if (rc == 0 && survey && survey_misfit(survey, rating))
                rc = DESKBELL_E_FORM;
        if (rc == 0)
                rc = fill(arena, survey, number, rating, content);
        event_free(asked.event);
        return rc;
}
