/* SPDX-License-Identifier: Apache-2.0 */
/* Bot tests: what a bot says of itself: its test blocks, and questions that must not go to an answer. One thread. */
#pragma once

#include "bots/version.h"

/* Whether there is anything to run. */
bool bot_tests_any(const json_t *bot);

/* Runs all of it; what failed is printed on standard error, and unless `is_quiet` a line for each test block on
 * standard output. An exit code: EX_OSERR, or EX_OK with both numbers set. */
int bot_tests_run(const struct bot_version *version, bool is_quiet, size_t *out_passed, size_t *out_failed);

/* After a failure: says on standard error in which languages nothing is answered alone, however good the match. */
void bot_tests_explain(const struct bot_build_report *report);
