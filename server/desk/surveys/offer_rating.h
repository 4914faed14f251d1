/* SPDX-License-Identifier: Apache-2.0 */
/* Rating: what a customer's answer makes of a survey that was shown to him. Pure: no store, no clock. */
#pragma once

#include "desk/surveys/survey_offer.h"
#include "protocol/arena.h"

/* The further question of that id; NULL: it was not shown. */
const struct protocol_survey_question *rating_question(const struct protocol_survey_shown *shown, struct span id);
/* Whether it can be taken at `now_ms`: of those questions, choices and scores, only what its score (or, without one,
 * the score in `shown`) asks for, in its window, not locked. A required question may be left out: a tap is a whole
 * answer, and whoever draws the form asks for the rest. Whoever says again what he has said is welcome for as long as
 * it is not locked. 0, -PROTOCOL_ERR_LOCKED, or -PROTOCOL_ERR_BAD_REQUEST with the member of `rated`. */
int rating_check(const struct survey_offer *offer, const struct protocol_survey_shown *shown,
                 const struct protocol_rated *rated, int64_t now_ms, struct fault *fault);
/* Whether it says anything that `shown` does not say yet. */
bool rating_is_new(const struct protocol_survey_shown *shown, const struct protocol_rated *rated);
/* `shown` and `offer` as they are with that answer; what is absent in `rated` stays, but for answers that another score
 * no longer asks for: they are dropped. Borrows from both; a list of answers comes
 * from `arena`. 0 or -PROTOCOL_ERR_INTERNAL (out of memory). */
int rating_take(struct survey_offer *offer, struct protocol_survey_shown *shown, const struct protocol_rated *rated,
                int64_t now_ms, enum offer_way way, struct arena *arena);
