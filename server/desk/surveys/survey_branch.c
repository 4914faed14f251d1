/* SPDX-License-Identifier: Apache-2.0 */
#include "desk/surveys/survey_branch.h"

bool survey_is_branch(const struct protocol_survey_question *question)
{
        return question->has_from_score || question->has_to_score;
}

bool survey_asks_at(const struct protocol_survey_question *question, bool has_score, int64_t score)
{
        if (!survey_is_branch(question))
                return true;
        return has_score && (!question->has_from_score || score >= question->from_score) &&
               (!question->has_to_score || score <= question->to_score);
}

const struct protocol_survey_said *survey_said_to(const struct protocol_survey_said *list, size_t count,
                                                  struct span question)
{
        for (size_t i = 0; i < count; i++)
                if (span_equal(list[i].question, question))
                        return &list[i];
        return NULL;
}

const struct protocol_survey_question *survey_missing(const struct protocol_survey_shown *shown)
{
        for (size_t i = 0; i < shown->questions_count; i++) {
                const struct protocol_survey_question *question = &shown->questions[i];
                if (question->has_required && question->required &&
                    survey_asks_at(question, shown->has_score, shown->score) &&
                    !survey_said_to(shown->answers, shown->answers_count, question->id))
                        return question;
        }
        return NULL;
}
