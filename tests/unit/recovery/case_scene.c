/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/recovery/case_scene.h"

#include <stdlib.h>

struct case_scene case_scene_of(void **state)
{
        struct case_scene scene = {.room = *state};
        scene.eve = room_agent(scene.room, "Eve", 0);
        scene.bob = room_agent(scene.room, "Bob", 0);
        scene.mia = room_agent(scene.room, "Mia", 0);
        crew_give_role(scene.room, &scene.mia, SUPERVISOR);
        scene.mia = room_agent(scene.room, "Mia", 0); /* what he may do has changed: a new connection */
        crew_team(scene.room, "Orders", scene.team);
        crew_join(scene.room, scene.team, &scene.eve);
        crew_join(scene.room, scene.team, &scene.bob);
        crew_join(scene.room, scene.team, &scene.mia);
        scene.conv = crew_conversation(scene.room, "ann", "where is it?");
        crew_assign(scene.room, scene.conv, scene.team, &scene.eve);
        room_forget(scene.room);
        return scene;
}

void case_scene_end(struct case_scene *scene)
{
        room_turn(scene->room);
        cases_check(scene->room);
        tickets_check(scene->room);
        room_check(scene->room);
        free(scene->conv);
}

static int64_t scene_team(const struct case_scene *scene)
{
        return room_sql(scene->room, "SELECT id FROM team");
}

bool case_says(struct case_scene *scene, int metric, int top, int score, bool tick, int64_t offer)
{
        const struct recovery_answer said = {.offer = offer,
                                             .metric = metric,
                                             .top = top,
                                             .has_score = score != NO_SCORE,
                                             .score = score != NO_SCORE ? score : 0,
                                             .wants_contact = tick,
                                             .agent = scene->eve.caller.principal,
                                             .team = scene_team(scene)};
        return case_answer(scene->room, scene->conv, said);
}

void case_scores(struct case_scene *scene, int64_t offer, int score)
{
        assert_true(case_says(scene, PROTOCOL_SURVEY_SHOWN_METRIC_CSAT, 5, score, false, offer));
}

int64_t case_total(struct case_scene *scene)
{
        return case_count(scene->room, "1");
}
