/* SPDX-License-Identifier: Apache-2.0 */
/* The survey of a message: copied when it comes, changed by each answer and by its end. */
#include "item.h"
#include "markup.h"

void item_drop_survey(ChatItem *item)
{
        struct item_survey *survey = item->survey;

        if (!survey)
                return;
        char *texts[] = {survey->style,   survey->low,    survey->high, survey->comment,
                         survey->contact, survey->thanks, survey->said, survey->draft};
        for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
                g_free(texts[i]);
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

bool item_survey_is_open(const ChatItem *item)
{
        const struct item_survey *survey = item->survey;

        return survey && !survey->is_locked &&
               (survey->state == DESKBELL_SURVEY_WAITING || survey->state == DESKBELL_SURVEY_ANSWERED);
}
