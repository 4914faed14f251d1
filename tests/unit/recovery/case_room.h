/* SPDX-License-Identifier: Apache-2.0 */
/* Recovery cases of a room: what always holds of them, and answers of customers as the surveys tell them. */
#pragma once

#include "desk/recovery/recovery_private.h"
#include "unit/people/crew.h"

#define HOUR INT64_C(3600000)
#define DAY  (24 * HOUR)

enum { NO_SCORE = -1 };

/* The operator asks for the settings, and in the same transaction the customer of `conv` answers; what `said` leaves
 * out is looked up. True: it was taken and committed. */
bool case_answer(struct room *room, const char *conv, struct recovery_answer said);
/* The usual: satisfaction of five about that agent (NULL = nobody). */
bool case_csat(struct room *room, const char *conv, const struct client *rated, int64_t offer, int score);

struct recovery_case case_in(struct room *room, const char *conv); /* the newest; the test fails when there is none */
int64_t case_count(struct room *room, const char *where);          /* on disk */
int64_t case_lines(struct room *room, int64_t id, enum case_what what);
/* A method about the newest case of that conversation as it is now; the whole response. NULL client: the operator. */
json_t *case_ask(struct room *room, const struct client *client, const char *conv, const char *method,
                 const char *more);
void case_do(struct room *room, const struct client *client, const char *conv, const char *method, const char *more);
void case_refused(struct room *room, const struct client *client, const char *conv, const char *method,
                  const char *more, const char *tag);
void case_settings(struct room *room, const char *settings); /* {"csat_low":2} */
void case_pass(struct room *room, int64_t ms);               /* time goes on, and the desk does what is due */

/* An open case has an owner who may own it and reads the conversation, or its log says that nobody could be found; it
 * is about nobody who owns it; a customer has one at most; deadlines are what the schedule says; each counter is what
 * the log counts to; memory is what the disk says. The test fails otherwise. */
void cases_check(struct room *room);
