/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the definitions share. Desk thread only, but for what is pure. */
#pragma once

#include "desk/surveys/survey_defs.h"
#include "protocol/reader.h"

struct writer;

/* All surveys, by row id; removed ones too. */
struct survey_defs {
        struct survey **all;
        size_t count;
        bool is_changed; /* in this batch */
};

int survey_defs_read_again(struct desk *desk); /* after a change in the store; 0 or a negative protocol error */
size_t surveys_there(const struct desk *desk); /* that are not removed */

/* A stored form, which the arena keeps. DB_OK or a negative db_error. Pure. */
int survey_form_decode(struct span stored, struct arena *arena, const struct protocol_survey_form **out_form);

/* survey_check.c, pure: the whole form that `patch` makes of `base` (NULL: of nothing, with all defaults). Borrows from
 * both. */
void survey_form_merge(const struct protocol_survey_form *base, const struct protocol_survey_form *patch,
                       struct protocol_survey_form *out_whole);
/* Whether a whole form holds together. 0, or -PROTOCOL_ERR_BAD_REQUEST with the field. `base`: as in merge. */
int survey_form_check(const struct protocol_survey_form *base, const struct protocol_survey_form *whole,
                      struct fault *fault);
int survey_lowest(int metric, int style);  /* lowest score */
enum survey_cause survey_cause_of(int on); /* enum protocol_survey_form_on */

/* survey_show.c, pure. The language that is taken for `lang` of what the form speaks, see survey_show. */
struct span survey_form_lang(const struct protocol_survey_form *form, struct span lang);
/* Languages it speaks, its own first; at most SURVEY_LANGUAGES + SURVEY_BUILT_IN. Returns how many. */
size_t survey_form_langs(const struct protocol_survey_form *form, struct span *out_langs);
/* Of any version. 0 or -PROTOCOL_ERR_INTERNAL (out of memory). */
int survey_form_show(const struct protocol_survey_form *form, struct span lang, struct arena *arena,
                     struct protocol_content *out_content);
