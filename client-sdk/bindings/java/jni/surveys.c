/* SPDX-License-Identifier: Apache-2.0 */
/* Surveys: what is asked as a record, in the order of com.deskbell.Survey, and the native methods that answer. */
#include "bridge.h"

#include <stdlib.h>

enum { CMID_ROOM = 33 };

/* ---- to Java ----------------------------------------------------------------------------------------------------- */

static void pack_questions(struct record *record, const struct deskbell_survey *survey)
{
        record_number(record, (int64_t)survey->questions_count);
        for (size_t i = 0; i < survey->questions_count; i++) {
                const struct deskbell_survey_question *question = &survey->questions[i];

                record_text(record, question->id);
                record_text(record, question->kind);
                record_text(record, question->text);
                pack_choices(record, question->choices, question->choices_count);
                record_number(record, question->min);
                record_number(record, question->max);
                record_text(record, question->low);
                record_text(record, question->high);
                record_number(record, question->required);
                record_number(record, question->from_score);
                record_number(record, question->to_score);
        }
}

static void pack_answers(struct record *record, const struct deskbell_survey *survey)
{
        record_number(record, (int64_t)survey->answers_count);
        for (size_t i = 0; i < survey->answers_count; i++) {
                const struct deskbell_survey_said *said = &survey->answers[i];

                record_text(record, said->question);
                record_number(record, (int64_t)said->chosen_count);
                for (size_t j = 0; j < said->chosen_count; j++)
                        record_text(record, said->chosen[j]);
                record_number(record, said->number);
                record_text(record, said->words);
        }
}

void pack_survey(struct record *record, const struct deskbell_survey *survey)
{
        record_number(record, survey != NULL);
        if (!survey)
                return;
        record_text(record, survey->offer);
        record_text(record, survey->survey);
        record_number(record, survey->version);
        record_text(record, survey->metric);
        record_text(record, survey->style);
        record_number(record, survey->min);
        record_number(record, survey->max);
        record_text(record, survey->low);
        record_text(record, survey->high);
        pack_questions(record, survey);
        record_text(record, survey->comment);
        record_text(record, survey->contact);
        record_text(record, survey->thanks);
        record_text(record, survey->colour);
        record_text(record, survey->brand);
        record_number(record, survey->state);
        record_number(record, survey->until_ms);
        record_number(record, survey->score);
        record_text(record, survey->said);
        pack_answers(record, survey);
        record_number(record, survey->wants_contact);
        record_number(record, survey->is_locked);
}

/* ---- to C -------------------------------------------------------------------------------------------------------- */

/* What Rating.pack wrote; ended by rating_done. */
static void read_rating(struct input *in, struct deskbell_rating *out)
{
        *out = (struct deskbell_rating)DESKBELL_RATING_INIT;
        out->score = (int)input_number(in);
        out->said = input_text(in);
        struct deskbell_survey_said *answers = rows_of(in, sizeof(*answers), &out->answers_count);
        for (size_t i = 0; i < out->answers_count; i++) {
                answers[i].question = input_text(in);
                const char **chosen = rows_of(in, sizeof(*chosen), &answers[i].chosen_count);
                for (size_t j = 0; j < answers[i].chosen_count; j++)
                        chosen[j] = input_text(in);
                answers[i].chosen = chosen;
                answers[i].number = (int)input_number(in);
                answers[i].words = input_text(in);
        }
        out->answers = answers;
        out->wants_contact = (int)input_number(in);
        out->cmid = input_text(in);
        out->wait_for_disk = (int)input_number(in);
}

static void rating_done(struct deskbell_rating *rating)
{
        for (size_t i = 0; i < rating->answers_count; i++)
                free((void *)rating->answers[i].chosen);
        free((void *)rating->answers);
}

/* What of a survey an answer is checked against; ended by survey_done. */
static void read_survey(struct input *in, struct deskbell_survey *out)
{
        *out = (struct deskbell_survey){.style = ""};
        out->min = (int)input_number(in);
        out->max = (int)input_number(in);
        out->comment = input_text(in);
        out->contact = input_text(in);
        struct deskbell_survey_question *questions = rows_of(in, sizeof(*questions), &out->questions_count);
        for (size_t i = 0; i < out->questions_count; i++) {
                questions[i].id = input_text(in);
                questions[i].kind = input_text(in);
                questions[i].min = (int)input_number(in);
                questions[i].max = (int)input_number(in);
                struct deskbell_choice *choices = rows_of(in, sizeof(*choices), &questions[i].choices_count);
                for (size_t j = 0; j < questions[i].choices_count; j++)
                        choices[j] = (struct deskbell_choice){input_text(in), ""};
                questions[i].choices = choices;
        }
        out->questions = questions;
}

static void survey_done(struct deskbell_survey *survey)
{
        for (size_t i = 0; i < survey->questions_count; i++)
                free((void *)survey->questions[i].choices);
        free((void *)survey->questions);
}

jint JNICALL survey_answer(JNIEnv *env, jclass unused, jlong conversation, jbyteArray what, jobjectArray out)
{
        struct deskbell_rating rating;
        char cmid[CMID_ROOM] = "";
        struct input in;

        (void)unused;
        input_begin(env, what, &in);
        int64_t number = input_number(&in);
        read_rating(&in, &rating);
        int rc = in.is_bad ? DESKBELL_E_NOMEM
                           : deskbell_survey_answer(conversation_of(conversation), number, &rating, cmid);
        rating_done(&rating);
        input_done(&in);
        return give_ascii(env, rc, cmid, out);
}

/* out[0]: a record of what does not fit first. */
jint JNICALL survey_check(JNIEnv *env, jclass unused, jbyteArray both, jobjectArray out)
{
        struct deskbell_survey survey;
        struct deskbell_rating rating;
        const char *wrong = NULL;
        struct record record = {0};
        struct input in;

        (void)unused;
        input_begin(env, both, &in);
        read_survey(&in, &survey);
        read_rating(&in, &rating);
        int rc = in.is_bad ? DESKBELL_E_NOMEM : deskbell_survey_check(&survey, &rating, &wrong);
        if (rc == DESKBELL_E_FORM) {
                record_text(&record, wrong);
                jbyteArray array = record_take(env, &record);
                if (array)
                        (*env)->SetObjectArrayElement(env, out, 0, array);
        }
        rating_done(&rating);
        survey_done(&survey);
        input_done(&in);
        return rc;
}
