/* SPDX-License-Identifier: Apache-2.0 */
/* Survey form: what a browser sends from the page of a survey (application/x-www-form-urlencoded), as the params of
 * survey.reply. Fields: score; said; contact; n.<question> (on a scale), t.<question> (words), c.<question> (a choice,
 * once each). Strict: anything else is refused. Pure; any thread. */
#pragma once

#include "protocol/span.h"
#include "protocol/writer.h"

/* Decodes `body` in place and writes the params, for `offer`. 0, or -1: it is no such form. Texts and ids are checked
 * where every call's params are. */
int survey_form_read(char *body, size_t len, uint64_t offer, struct writer *out);
