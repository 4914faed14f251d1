/* SPDX-License-Identifier: Apache-2.0 */
/* A team of three and a customer whose ticket one of them has: where cases begin. */
#pragma once

#include "unit/customers/people_known.h"
#include "unit/recovery/case_room.h"

struct case_scene {
        struct room *room;
        struct client eve, bob, mia; /* eve is rated, bob is her colleague, mia is the manager */
        char team[32], *conv;
};

struct case_scene case_scene_of(void **state);
void case_scene_end(struct case_scene *scene); /* all that always holds, holds */
/* The customer answers about Eve. False: the store failed. */
bool case_says(struct case_scene *scene, int metric, int top, int score, bool tick, int64_t offer);
void case_scores(struct case_scene *scene, int64_t offer, int score); /* satisfaction of five */
int64_t case_total(struct case_scene *scene);
