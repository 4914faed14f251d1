/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of `deskbell survey` share. One thread. */
#pragma once

#include "cli/cli.h"
#include "cli/listed.h"

extern const struct listed survey_listed; /* survey.list */

/* survey_options.c: what is said of a survey on the command line. */
enum survey_number {
        SURVEY_TOP,
        SURVEY_DELAY,
        SURVEY_DAYS_AFTER,
        SURVEY_REMIND,
        SURVEY_UNTIL,
        SURVEY_CHANGE,
        SURVEY_INTERVAL,
        SURVEY_SAMPLE,
        SURVEY_MIN_TEXT,
        SURVEY_MAX_AGE,
        SURVEY_NUMBERS
};
struct survey_said {
        const char *data, *file, *name, *metric, *style, *when, *brand, *colour, *lang;
        const char *numbers[SURVEY_NUMBERS];
        const char *on[CLI_LIST], *questions[CLI_LIST], *thanks[CLI_LIST], *comments[CLI_LIST];
        bool enable, disable, asks_bot, no_bot, comment, no_comment, contact, no_contact, json;
};
enum { SURVEY_OPTIONS = 32 };
/* Fills the options; returns how many. */
size_t survey_options(struct survey_said *said, struct cli_option options[SURVEY_OPTIONS]);
/* The form that was said: what the file says, and over it the options. `known`: the texts that --question and the like
 * change, NULL = none. An exit code; *out_form is the caller's. */
int survey_form_of(const struct survey_said *said, const json_t *known, json_t **out_form);

/* survey_print.c: on standard output. */
void survey_print_row(const json_t *row);        /* of survey.list */
void survey_print_form(const json_t *result);    /* of survey.get */
void survey_print_preview(const json_t *result); /* of survey.preview */
void survey_print_offer(const json_t *offer);    /* a row of survey.offers and .answers */

/* survey_offers.c */
int survey_run_offer(int argc, char **argv);
int survey_run_withdraw(int argc, char **argv);
int survey_run_link(int argc, char **argv);
int survey_run_offers(int argc, char **argv);
int survey_run_answers(int argc, char **argv);
