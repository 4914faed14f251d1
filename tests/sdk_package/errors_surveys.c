/* SPDX-License-Identifier: Apache-2.0 */
/* What can go wrong with an answer to a survey. */
#include "errors_stand.h"

#include <assert.h>

/* ---- what comes before a call ------------------------------------------------------------------------------------ */

static void nothing(struct stand *stand)
{
        stand_begin(stand, CUSTOMER);
}

/* When what was sent behind it is there, so is what was sent. */
static void begin_with(struct stand *stand, const char *text)
{
        stand_begin(stand, CUSTOMER);
        stand_connect(stand);
        stand_send(stand, text, &stand->sent);
        stand_send(stand, "is it there?", &stand->sent);
}

/* Entry 1 is a survey. */
static void asked(struct stand *stand)
{
        begin_with(stand, "how");
}

static void expired(struct stand *stand)
{
        begin_with(stand, "how it was");
}

static void told_only(struct stand *stand)
{
        begin_with(stand, "Hello");
}

static void asked_and_full(struct stand *stand)
{
        asked(stand);
        deskbell_disconnect(stand->client);
        stand_fill(stand);
}

/* ---- calls ------------------------------------------------------------------------------------------------------- */

static int rate(struct stand *stand, int score, const char *comment, const char *cmid, int waits)
{
        struct deskbell_rating rating = DESKBELL_RATING_INIT;

        rating.score = score;
        rating.said = comment;
        rating.cmid = cmid;
        rating.wait_for_disk = waits;
        return deskbell_survey_answer(stand->conversation, 1, &rating, NULL);
}

static int check(int score, const char *comment)
{
        struct deskbell_rating rating = DESKBELL_RATING_INIT;
        struct deskbell_survey survey = {.style = "stars", .min = 1, .max = 5, .comment = "Why?"};

        rating.score = score;
        rating.said = comment;
        return deskbell_survey_check(&survey, &rating, NULL);
}

static int rate_same_twice(struct stand *stand)
{
        int rc = rate(stand, 4, NULL, UNKNOWN, 1);

        assert(rc == 0);
        return rc < 0 ? rc : rate(stand, 4, NULL, UNKNOWN, 1);
}

CALL(bad_answer, deskbell_survey_answer(stand->conversation, 0, NULL, NULL))
CALL(answer_one, rate(stand, 4, NULL, NULL, 0))
CALL(answer_to_disk, rate(stand, 4, NULL, NULL, 1))
CALL(answer_out_of_range, rate(stand, 7, NULL, NULL, 0))
CALL(answer_long, rate(stand, 4, stand_long_text, NULL, 0))
CALL(answer_odd, rate(stand, 4, "\xff", NULL, 0))
CALL(bad_check, (void)stand, check(11, NULL))
CALL(check_out_of_range, (void)stand, check(7, NULL))
CALL(check_long, (void)stand, check(4, stand_long_text))
CALL(check_odd, (void)stand, check(4, "\x01"))

const struct row errors_surveys[] = {
        ROW(survey_check, INVALID, nothing, bad_check, CALLED),
        ROW(survey_check, TOO_LONG, nothing, check_long, CALLED),
        ROW(survey_check, TEXT, nothing, check_odd, CALLED),
        ROW(survey_check, FORM, nothing, check_out_of_range, CALLED),
        ROW(survey_answer, INVALID, nothing, bad_answer, CALLED),
        ROW(survey_answer, INVALID, told_only, answer_one, CALLED),
        ROW(survey_answer, NOMEM, asked, answer_one, WITHOUT_MEMORY),
        ROW(survey_answer, STORE, asked, answer_to_disk, ON_FULL_DISK),
        ROW(survey_answer, OUTBOX_FULL, asked_and_full, answer_one, CALLED),
        ROW(survey_answer, TOO_LONG, asked, answer_long, CALLED),
        ROW(survey_answer, TEXT, asked, answer_odd, CALLED),
        ROW(survey_answer, EXISTS, nothing, rate_same_twice, CALLED),
        ROW(survey_answer, FORM, asked, answer_out_of_range, CALLED),
        ROW(survey_answer, STATE, expired, answer_one, CALLED),
        {0},
};
