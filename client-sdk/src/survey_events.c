/* SPDX-License-Identifier: Apache-2.0 */
/* Surveys as the application is told of them: what is asked, what has become of it, and what an answer or an end says
 * of one that was told before. Pure. */
#include "events.h"

/* A copy that remembers in `failed` that there was no memory. */
static const char *copy(struct event *event, struct span text, bool *failed)
{
        const char *made = event_text(event, text);

        *failed |= !made;
        return made;
}

static const char *copy_id(struct event *event, const char *prefix, uint64_t id, bool *failed)
{
        char text[ID_TEXT_BYTES];

        if (!id)
                return "";
        id_write(text, prefix, id);
        return copy(event, (struct span){text, sizeof(text)}, failed);
}

static bool is_among(const struct protocol_survey_said *said, size_t count, struct span question)
{
        for (size_t i = 0; i < count; i++)
                if (span_equal(said[i].question, question))
                        return true;
        return false;
}

/* The server does it in the same order: what was answered before and is not answered anew, then what is new. */
static void merge_answers(struct protocol_survey_shown *shown, const struct protocol_rated *rated,
                          struct protocol_survey_said *room)
{
        size_t count = 0;

        for (size_t i = 0; i < shown->answers_count && count < SURVEY_ANSWERS; i++)
                if (!is_among(rated->answers, rated->answers_count, shown->answers[i].question))
                        room[count++] = shown->answers[i];
        for (size_t i = 0; i < rated->answers_count && count < SURVEY_ANSWERS; i++)
                room[count++] = rated->answers[i];
        shown->has_answers = count > 0;
        shown->answers = room;
        shown->answers_count = count;
}

void survey_merge(struct protocol_survey_shown *shown, const struct protocol_content *content,
                  struct protocol_survey_said room[SURVEY_ANSWERS])
{
        const struct protocol_rated *rated = &content->rated;

        if (content->has_survey_end && content->survey_end.state == PROTOCOL_SURVEY_END_STATE_EXPIRED)
                shown->state = PROTOCOL_SURVEY_SHOWN_STATE_EXPIRED;
        if (content->has_survey_end && content->survey_end.state == PROTOCOL_SURVEY_END_STATE_WITHDRAWN)
                shown->state = PROTOCOL_SURVEY_SHOWN_STATE_WITHDRAWN;
        if (!content->has_rated)
                return;
        shown->state = PROTOCOL_SURVEY_SHOWN_STATE_ANSWERED;
        if (rated->has_score) {
                shown->has_score = true;
                shown->score = rated->score;
        }
        if (rated->has_said) {
                shown->has_said = shown->has_locked = shown->locked = true;
                shown->said = rated->said;
        }
        if (rated->has_answers)
                merge_answers(shown, rated, room);
        if (rated->has_contact) {
                shown->has_wants_contact = true;
                shown->wants_contact = rated->contact;
        }
}

static void fill_questions(struct event *event, struct deskbell_survey *out, const struct protocol_survey_shown *shown,
                           bool *failed)
{
        struct deskbell_survey_question *questions =
                arena_take(&event->arena, shown->questions_count * sizeof(*questions));

        *failed |= !questions;
        for (size_t i = 0; questions && i < shown->questions_count; i++) {
                const struct protocol_survey_question *from = &shown->questions[i];
                struct deskbell_survey_question *to = &questions[i];
                struct deskbell_choice *choices = arena_take(&event->arena, from->choices_count * sizeof(*choices));

                *failed |= !choices;
                for (size_t j = 0; choices && j < from->choices_count; j++) {
                        choices[j].id = copy(event, from->choices[j].id, failed);
                        choices[j].label = copy(event, from->choices[j].label, failed);
                }
                to->choices = choices;
                to->choices_count = from->choices_count;
                to->id = copy(event, from->id, failed);
                to->kind = protocol_survey_question_kind_text(from->kind);
                to->text = copy(event, from->text, failed);
                to->min = (int)from->min;
                to->max = (int)from->max;
                to->low = copy(event, from->low, failed);
                to->high = copy(event, from->high, failed);
                to->required = from->required;
                to->from_score = (int)from->from_score;
                to->to_score = from->has_to_score ? (int)from->to_score : 10;
        }
        out->questions = questions;
        out->questions_count = shown->questions_count;
}

static void fill_answers(struct event *event, struct deskbell_survey *out, const struct protocol_survey_shown *shown,
                         bool *failed)
{
        struct deskbell_survey_said *answers = arena_take(&event->arena, shown->answers_count * sizeof(*answers));

        *failed |= !answers;
        for (size_t i = 0; answers && i < shown->answers_count; i++) {
                const struct protocol_survey_said *from = &shown->answers[i];
                const char **chosen = arena_take(&event->arena, from->chosen_count * sizeof(*chosen));

                *failed |= !chosen;
                for (size_t j = 0; chosen && j < from->chosen_count; j++)
                        chosen[j] = copy(event, from->chosen[j], failed);
                answers[i].question = copy(event, from->question, failed);
                answers[i].chosen = chosen;
                answers[i].chosen_count = from->chosen_count;
                answers[i].number = from->has_number ? (int)from->number : -1;
                answers[i].words = copy(event, from->words, failed);
        }
        out->answers = answers;
        out->answers_count = shown->answers_count;
}

static void fill_asked(struct event *event, struct deskbell_survey *out, const struct protocol_survey_shown *shown,
                       bool *failed)
{
        out->offer = copy_id(event, "off", shown->offer, failed);
        out->survey = copy_id(event, "sur", shown->survey, failed);
        out->version = shown->version;
        bool is_asked = shown->version > 0; /* else it is an answer, or an end */
        out->metric = is_asked ? protocol_survey_shown_metric_text(shown->metric) : "";
        out->style = is_asked ? protocol_survey_shown_style_text(shown->style) : "";
        out->min = (int)shown->min;
        out->max = (int)shown->max;
        out->low = copy(event, shown->low, failed);
        out->high = copy(event, shown->high, failed);
        out->comment = copy(event, shown->comment, failed);
        out->contact = copy(event, shown->contact, failed);
        out->thanks = copy(event, shown->thanks, failed);
        out->colour = copy(event, shown->colour, failed);
        out->brand = copy(event, shown->brand, failed);
        out->until_ms = shown->until;
        fill_questions(event, out, shown, failed);
}

int event_fill_survey(struct event *event, struct deskbell_entry *out, const struct protocol_content *content)
{
        struct protocol_survey_said room[SURVEY_ANSWERS];
        struct protocol_survey_shown shown = content->survey;
        struct deskbell_survey *survey = arena_take(&event->arena, sizeof(*survey));
        bool failed = false;
        if (!survey)
                return DESKBELL_E_NOMEM;

        survey_merge(&shown, content, room);
        fill_asked(event, survey, &shown, &failed);
        fill_answers(event, survey, &shown, &failed);
        survey->state = (enum deskbell_survey_state)shown.state;
        survey->score = shown.has_score ? (int)shown.score : -1;
        survey->said = copy(event, shown.said, &failed);
        survey->wants_contact = shown.has_wants_contact ? shown.wants_contact : -1;
        survey->is_locked = shown.locked;
        out->survey = survey;
        if (content->has_rated)
                out->of = content->rated.seq;
        return failed ? DESKBELL_E_NOMEM : 0;
}
