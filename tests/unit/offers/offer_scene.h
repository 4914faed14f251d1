/* SPDX-License-Identifier: Apache-2.0 */
/* A customer, an agent, a conversation and a survey, on a clock that the test turns. */
#pragma once

#include "unit/people/crew.h"

#define HOURS(n) ((int64_t)(n)*3600 * 1000)
#define DAYS(n)  HOURS((n)*24)

struct scene {
        struct room *room;
        struct client ann, eve;
        char *conv;
        char survey[32];
};

/* `form`: what the survey says beside its name and min_text 0, as ",\"delay_minutes\":60". The customer has written and
 * the agent replied. */
struct scene scene_open(void **state, const char *form);
void scene_close(struct scene *scene);
void scene_survey(struct scene *scene, const char *name, const char *form, char out_survey[32]); /* one more */
void scene_again(struct scene *scene); /* the server ends and comes back */

void later(const struct scene *scene, int64_t ms);
void solve(const struct scene *scene, const char *conv);
void reopen(const struct scene *scene, const char *conv);
char *talk(struct scene *scene, const struct client *customer, const char *key); /* another conversation; free it */

/* Of the newest offer. */
int64_t offer_int(const struct scene *scene, const char *expression);
void offer_is(const struct scene *scene, const char *state, const char *reason); /* row and message */
void offer_id(const struct scene *scene, char out[32]);
int64_t count_kind(const struct scene *scene, int kind); /* public entries */
/* Rates the newest offer: `what` stands behind its seq, as ",\"score\":5". The whole response, the caller's. */
json_t *rate_as(const struct scene *scene, const struct client *who, const char *cmid, const char *what);
json_t *rate(const struct scene *scene, const char *what);
void refused(json_t *answer, const char *tag, const char *field); /* consumes it */
