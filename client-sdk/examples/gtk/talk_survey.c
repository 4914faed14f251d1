/* SPDX-License-Identifier: Apache-2.0 */
/* Answers to surveys: a tap at once, and what was filled in besides. */
#include "talk.h"

int talk_rate(struct talk *talk, ChatItem *item, int score, const char *comment, int contact)
{
        struct deskbell_rating rating = DESKBELL_RATING_INIT;

        rating.score = score;
        rating.said = comment;
        rating.wants_contact = contact;
        int rc = deskbell_survey_answer(talk_conversation(talk), item->number, &rating, NULL);
        if (rc == DESKBELL_OK && score >= 0 && item->survey) {
                item->survey->tapped = score;
                item_changed(item);
        }
        return rc;
}

/* What the SDK takes, of what is filled in; `chosen` keeps the lists of ids. The count. */
static size_t drafts_of(const struct item_survey *survey, struct deskbell_survey_said *out, GPtrArray *chosen)
{
        size_t count = 0;

        for (unsigned i = 0; i < survey->questions->len; i++) {
                const struct item_question *question = survey->questions->pdata[i];
                const struct item_said *draft = &question->draft;
                if (!item_question_is_asked(survey, question) || item_said_is_empty(draft))
                        continue;
                GPtrArray *ids = g_ptr_array_new();
                for (unsigned j = 0; j < question->choices->len; j++)
                        if (draft->picked & 1u << j)
                                g_ptr_array_add(ids, ((struct item_choice *)question->choices->pdata[j])->id);
                g_ptr_array_add(chosen, ids);
                out[count++] = (struct deskbell_survey_said){question->id, (const char *const *)ids->pdata, ids->len,
                                                             draft->number, draft->words};
        }
        return count;
}

int talk_say(struct talk *talk, ChatItem *item)
{
        struct deskbell_rating rating = DESKBELL_RATING_INIT;
        struct item_survey *survey = item->survey;
        g_autofree char *comment = NULL;
        g_autofree struct deskbell_survey_said *answers = NULL;
        g_autoptr(GPtrArray) chosen = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);

        if (!survey)
                return DESKBELL_E_NOT_FOUND;
        comment = g_strstrip(g_strdup(survey->draft));
        answers = g_new0(struct deskbell_survey_said, survey->questions->len + 1);
        rating.said = comment;
        rating.answers = answers;
        rating.answers_count = drafts_of(survey, answers, chosen);
        int rc = deskbell_survey_answer(talk_conversation(talk), item->number, &rating, NULL);
        if (rc == DESKBELL_OK) {
                survey->is_sending = true;
                survey->was_reminded = false;
                item_changed(item);
        }
        return rc;
}
