/* SPDX-License-Identifier: Apache-2.0 */
/* Answers to surveys, as the application hands them over: bounded here, once. Any thread; what the cache holds of the
 * survey is looked at under the client's lock. */
#include "client_private.h"

/* Words that may lack. */
static int check_words(const char *text)
{
        size_t points;
        int rc = text && *text ? client_check_text(text) : 0;

        if (rc == 0 && text && client_is_utf8(text, &points) && points > PROTOCOL_COMMENT_POINTS)
                rc = DESKBELL_E_TOO_LONG;
        return rc;
}

static int check_said(const struct deskbell_survey_said *said)
{
        if (!client_is_id(said->question) || said->chosen_count > PROTOCOL_CHOICES ||
            (said->chosen_count && !said->chosen))
                return DESKBELL_E_INVALID;
        for (size_t i = 0; i < said->chosen_count; i++)
                if (!client_is_id(said->chosen[i]))
                        return DESKBELL_E_INVALID;
        bool is_number = !said->chosen_count && !(said->words && *said->words);
        if (is_number && (said->number < 0 || said->number > 10))
                return DESKBELL_E_INVALID;
        return check_words(said->words);
}

static int take(const struct deskbell_rating *given, struct deskbell_rating *out)
{
        if (!given || !client_take_struct(out, sizeof(*out), given, sizeof(*given)) || out->score < -1 ||
            out->score > 10 || out->wants_contact < -1 || out->wants_contact > 1 ||
            (out->wait_for_disk != 0 && out->wait_for_disk != 1) || out->answers_count > SURVEY_ANSWERS ||
            (out->answers_count && !out->answers))
                return DESKBELL_E_INVALID;
        int rc = check_words(out->said);
        for (size_t i = 0; rc != DESKBELL_E_INVALID && i < out->answers_count; i++) {
                int wrong = check_said(&out->answers[i]);
                rc = wrong < 0 ? wrong : rc;
        }
        return rc;
}

int deskbell_survey_check(const struct deskbell_survey *survey, const struct deskbell_rating *given,
                          const char **out_field)
{
        struct deskbell_rating rating;
        int rc = survey ? take(given, &rating) : DESKBELL_E_INVALID;
        const char *wrong = rc == 0 ? survey_misfit(survey, &rating) : NULL;

        if (!wrong)
                return rc;
        if (out_field)
                *out_field = wrong;
        return DESKBELL_E_FORM;
}

int deskbell_survey_answer(deskbell_conversation *conversation, int64_t number, const struct deskbell_rating *given,
                           char *out_cmid)
{
        struct message_options how = {0};
        struct deskbell_rating rating;
        struct handed *handed = NULL;

        if (!conversation || number < 1 || number > PROTOCOL_SAFE_INTEGER)
                return DESKBELL_E_INVALID;
        deskbell_client *client = machine_conv_client(conversation);
        int rc = take(given, &rating);
        if (rc == 0)
                rc = client_take_cmid(client, rating.cmid, &how);
        if (rc < 0)
                return rc;
        pthread_mutex_lock(&client->lock);
        rc = handed_rating(conversation, number, &rating, &how, &handed);
        pthread_mutex_unlock(&client->lock);
        return rc < 0 ? rc : client_hand_over(client, handed, rating.wait_for_disk != 0, out_cmid);
}
