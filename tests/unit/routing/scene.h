/* SPDX-License-Identifier: Apache-2.0 */
/* A desk with a team of two agents, Eve and Bob, who are there and have room for two tickets each; it gets every ticket
 * that no rule gave to another one. The clock is turned by the tests. */
#pragma once

#include "desk/people/people.h"
#include "unit/desk/room.h"

enum { ACCEPT_MS = 30000, GRACE_MS = 60000, SILENT_MS = 600000, SCENE_CONVERSATIONS = 64 };

struct scene {
        struct room *room;
        struct client eve, bob;
        char team[32];
        char *convs[SCENE_CONVERSATIONS];
        size_t conv_count;
};

/* More members of team.add. */
#define AT_ONCE ",\"accept_ms\":0"
#define ASKS    ",\"accept_ms\":30000"

struct scene scene_new(void **state, const char *team);
void scene_done(struct scene *scene); /* memory equals disk, whatever happened */

void operate(const struct scene *scene, const char *method, const char *members); /* the operator's; a cmid is added */
void agent_has(const struct scene *scene, const struct client *agent, const char *members); /* agent.set */
void team_has(const struct scene *scene, const char *members);                              /* team.set */
void says(const struct scene *scene, const struct client *agent, const char *status);       /* status.set */
void solves(const struct scene *scene, const struct client *agent, const char *conv);
void later(const struct scene *scene, int64_t ms);

/* A customer of that name writes in his conversation `main`, or of that key; its id, lent till scene_done. */
const char *writes(struct scene *scene, const char *who);
const char *writes_elsewhere(struct scene *scene, const char *who, const char *key);

const struct ticket *ticket_in(const struct scene *scene, const char *conv);
const char *id_of(const struct ticket *ticket); /* lent till the fourth call after */
/* Who has the ticket, who is asked to take it; NULL = nobody. */
const struct client *has(const struct scene *scene, const char *conv);
const struct client *asked(const struct scene *scene, const char *conv);
const struct client *other(const struct scene *scene, const struct client *agent);
int32_t load(const struct scene *scene, const struct client *agent);
