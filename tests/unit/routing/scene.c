/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/routing/scene.h"

#include <stdio.h>
#include <stdlib.h>

void operate(const struct scene *scene, const char *method, const char *members)
{
        take_result(room_operate(scene->room, method, "{\"cmid\":\"%s\",%s}", room_cmid(scene->room), members));
}

void agent_has(const struct scene *scene, const struct client *agent, const char *members)
{
        take_result(room_operate(scene->room, "agent.set", "{\"cmid\":\"%s\",\"agent\":\"%s\",%s}",
                                 room_cmid(scene->room), agent->id, members));
        room_turn(scene->room);
}

void says(const struct scene *scene, const struct client *agent, const char *status)
{
        take_result(room_ask(scene->room, agent, "status.set", "{\"status\":\"%s\"}", status));
}

void team_has(const struct scene *scene, const char *members)
{
        take_result(room_operate(scene->room, "team.set", "{\"cmid\":\"%s\",\"team\":\"%s\",%s}",
                                 room_cmid(scene->room), scene->team, members));
        room_turn(scene->room);
}

struct scene scene_new(void **state, const char *team)
{
        struct scene scene = {.room = *state};
        struct room *room = scene.room;
        json_t *made = room_operate(room, "team.add",
                                    "{\"cmid\":\"%s\",\"name\":\"Orders\",\"requeue\":true,\"requeue_ms\":%d%s}",
                                    room_cmid(room), GRACE_MS, team);
        snprintf(scene.team, sizeof scene.team, "%s", words(made, "result.team"));
        json_decref(made);
        char member[64];
        snprintf(member, sizeof member, "\"default_team\":\"%s\"", scene.team);
        operate(&scene, "routing.set", member);
        scene.eve = room_agent(room, "Eve", 0);
        scene.bob = room_agent(room, "Bob", 0);
        const struct client *agents[] = {&scene.eve, &scene.bob};
        for (size_t i = 0; i < 2; i++) {
                take_result(room_operate(room, "team.member_add", "{\"cmid\":\"%s\",\"team\":\"%s\",\"agent\":\"%s\"}",
                                         room_cmid(room), scene.team, agents[i]->id));
                agent_has(&scene, agents[i], "\"capacity\":2,\"wake_cap\":0");
                says(&scene, agents[i], "online");
        }
        room_turn(room);
        return scene;
}

void scene_done(struct scene *scene)
{
        room_check(scene->room);
        while (scene->conv_count > 0)
                free(scene->convs[--scene->conv_count]);
}

const char *writes_elsewhere(struct scene *scene, const char *who, const char *key)
{
        struct client client = room_customer(scene->room, who, 0);
        char *conv = room_conversation(scene->room, &client, key);
        take_seq(room_send(scene->room, &client, conv, NULL, "where is my order?"));
        for (size_t i = 0; i < scene->conv_count; i++) {
                if (strcmp(scene->convs[i], conv) == 0) {
                        free(conv);
                        return scene->convs[i];
                }
        }
        assert_true(scene->conv_count < SCENE_CONVERSATIONS);
        return scene->convs[scene->conv_count++] = conv;
}

const char *writes(struct scene *scene, const char *who)
{
        return writes_elsewhere(scene, who, "main");
}

const struct ticket *ticket_in(const struct scene *scene, const char *conv)
{
        const struct desk *desk = scene->room->desk;
        const struct ticket *ticket;
        uint64_t ext;
        assert_int_equal(0, id_read(span_of(conv), "cnv", &ext));
        tickets_each(desk, i, ticket) if (ticket->conv_ext == ext) return ticket;
        fail_msg("%s has no ticket", conv);
        return NULL;
}

const char *id_of(const struct ticket *ticket)
{
        static char id[4][ID_TEXT_BYTES + 1];
        static unsigned turn;
        char *to = id[turn++ % 4];
        id_write(to, "tkt", ticket->ext);
        to[ID_TEXT_BYTES] = '\0';
        return to;
}

const struct client *has(const struct scene *scene, const char *conv)
{
        int64_t agent = ticket_in(scene, conv)->assignee;
        return agent == 0 ? NULL : agent == scene->eve.caller.principal ? &scene->eve : &scene->bob;
}

const struct client *asked(const struct scene *scene, const char *conv)
{
        int64_t until_ms, agent = routing_offered_to(ticket_in(scene, conv), &until_ms);
        return agent == 0 ? NULL : agent == scene->eve.caller.principal ? &scene->eve : &scene->bob;
}

const struct client *other(const struct scene *scene, const struct client *agent)
{
        return agent == &scene->eve ? &scene->bob : &scene->eve;
}

void solves(const struct scene *scene, const struct client *agent, const char *conv)
{
        const struct ticket *ticket = ticket_in(scene, conv);
        take_result(room_ask(scene->room, agent, "ticket.move",
                             "{\"cmid\":\"%s\",\"ticket\":\"%s\",\"version\":%lld,\"to\":\"solved\"}",
                             room_cmid(scene->room), id_of(ticket), (long long)ticket->version));
}

void later(const struct scene *scene, int64_t ms)
{
        clock_shift_wall(ms);
        clock_shift_mono((uint64_t)ms);
        room_turn(scene->room);
        room_turn(scene->room);
}

int32_t load(const struct scene *scene, const struct client *agent)
{
        return routing_load(scene->room->desk, agent->caller.principal);
}
