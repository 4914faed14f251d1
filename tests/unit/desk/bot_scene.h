/* SPDX-License-Identifier: Apache-2.0 */
/* A room with an app whose built-in bot has a live version, and a customer's conversation. The threads of a server run
 * when the test says so; what they have for the desk is taken by the test. What is logged from INFO on is kept. */
#pragma once

#include "unit/desk/room.h"

struct scene {
        struct room *room;
        struct client ann;
        char *conv;
        char bot[32];
        int64_t live; /* row id */
};

struct scene scene_new(void **state, const char *text); /* of a .bot file */
void scene_done(struct scene *scene);
/* The threads of a server, and what it does at start; the same after an end and a start on the same folder. */
void scene_serve(struct scene *scene);
void scene_restart(struct scene *scene);
int scene_logged(const char *words); /* how often they stand in the log */

/* The operator. Takes `params`; the result is the caller's. */
json_t *scene_operate(struct scene *scene, const char *method, json_t *params);
char *scene_source(const char *text);                     /* canonical form; free it */
char *scene_draft(struct scene *scene, const char *text); /* its 64 digits; free them */
void scene_publish(struct scene *scene, const char *version);
void scene_publish_text(struct scene *scene, const char *text);

/* On disk, behind the desk's back: a blob of which nothing can be made; one as a program would have written it whose
 * ranker sees other features; another source. */
void scene_spoil(const struct scene *scene, int64_t version);
void scene_give_other_recipe(const struct scene *scene, int64_t version);
void scene_put_source(const struct scene *scene, int64_t version, const char *source);
bool scene_can_be_loaded(const struct scene *scene, int64_t version);

/* The next thing that the threads have for the desk. */
void scene_take_next(const struct scene *scene);
void scene_until_loadable(const struct scene *scene, int64_t version);
void scene_settle(const struct scene *scene); /* until the bot has said all it has to say */
void scene_say(const struct scene *scene, const char *text);

int64_t scene_said(const struct scene *scene, const char *part); /* to the customer */
int64_t scene_failures(const struct scene *scene);               /* times that the bot gave no turn */
const struct conversation_row *scene_row(const struct scene *scene);
