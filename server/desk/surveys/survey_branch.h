/* SPDX-License-Identifier: Apache-2.0 */
/* Branching: which further questions a score asks for. The one place where the server says so: the desk takes answers
 * by it, the page of a signed link shows questions by it. Pure; any thread. */
#pragma once

#include "protocol_generated.h"

/* Asked at some scores only. */
bool survey_is_branch(const struct protocol_survey_question *question);
/* Asked of whoever gave that score. Without a score (has_score false) only what is no branch is asked. */
bool survey_asks_at(const struct protocol_survey_question *question, bool has_score, int64_t score);
/* The first question that is asked at the score in `shown`, is required, and has no answer there; NULL: nothing is
 * missing. */
const struct protocol_survey_question *survey_missing(const struct protocol_survey_shown *shown);
/* The answer to that question among `count`; NULL: there is none. */
const struct protocol_survey_said *survey_said_to(const struct protocol_survey_said *list, size_t count,
                                                  struct span question);
