/* SPDX-License-Identifier: Apache-2.0 */
/* A thousand moves at random: conversations go from team to team and from hand to hand, agents are invited, messages
 * come. Whatever an agent has been told by feed.read from his own cursor on is at every moment exactly what he may
 * read; he is never told of anything else, and `left` only of what he knew. */
#include "unit/people/crew.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEAMS = 3, AGENTS = 5, CONVERSATIONS = 12, STEPS = 1200 };

/* What one agent has put together from his feed. */
struct knower {
        struct client client;
        bool knows[CONVERSATIONS], saw[CONVERSATIONS]; /* saw: could have read it since he looked */
        json_int_t rev;
};

struct world {
        struct room *room;
        char teams[TEAMS][32], roles[2][32];
        struct knower knowers[AGENTS];
        char *convs[CONVERSATIONS];
        bool invited[CONVERSATIONS][AGENTS];
        uint64_t seed;
};

static uint32_t draw(struct world *world, uint32_t below)
{
        world->seed = world->seed * 6364136223846793005u + 1442695040888963407u;
        return (uint32_t)(world->seed >> 33) % below;
}

static void begin(struct world *world, struct room *room)
{
        char name[32];
        *world = (struct world){.room = room, .seed = 20261122};
        crew_role(room, "of a team", CREW_WORK, world->roles[0]);
        crew_role(room, "of a team, and what is nobody's", CREW_WORK ",read_unassigned", world->roles[1]);
        for (int t = 0; t < TEAMS; t++) {
                snprintf(name, sizeof name, "T%d", t);
                crew_team(room, name, world->teams[t]);
        }
        for (int a = 0; a < AGENTS; a++) {
                snprintf(name, sizeof name, "A%d", a);
                world->knowers[a].client = room_agent(room, name, 0);
                take_result(room_ask(room, &world->knowers[a].client, "status.set", "{\"status\":\"busy\"}"));
                crew_join(room, world->teams[a % TEAMS], &world->knowers[a].client);
                if (a == 4)
                        crew_join(room, world->teams[0], &world->knowers[a].client);
                if (a > 0) /* the first reads all */
                        crew_give_role(room, &world->knowers[a].client, world->roles[a % 2]);
        }
        for (int c = 0; c < CONVERSATIONS; c++) {
                snprintf(name, sizeof name, "c%d", c);
                world->convs[c] = crew_conversation(room, name, "hello");
        }
}

static bool may_read(struct world *world, int agent, int conv)
{
        const struct ticket *ticket = ticket_in(world->room, world->convs[conv]);
        const struct agent_profile *profile =
                people_agent(world->room->desk, world->knowers[agent].client.caller.principal);
        bool is_nobodys = ticket->team == 0 && ticket->assignee == 0;
        return agent == 0 || world->invited[conv][agent] || ticket->assignee == profile->id ||
               (ticket->team != 0 && people_is_member(profile, ticket->team)) || (is_nobodys && agent % 2 == 1);
}

static int index_of(const struct world *world, const char *conv)
{
        for (int c = 0; c < CONVERSATIONS; c++)
                if (strcmp(world->convs[c], conv) == 0)
                        return c;
        fail_msg("a conversation nobody made");
        return -1;
}

static void hear(struct world *world, struct knower *knower, int agent, const json_t *row, bool *heard)
{
        int conv = index_of(world, words(row, "conv"));
        bool has_left = json_is_true(json_object_get(row, "left"));
        assert_false(heard[conv]); /* once in one go */
        heard[conv] = true;
        if (has_left != !may_read(world, agent, conv))
                fail_msg("agent %d is told of conversation %d, left %d", agent, conv, has_left);
        if (has_left) {
                assert_int_equal(3, json_object_size(row)); /* its id and the number, nothing else */
                assert_true(knower->knows[conv] || knower->saw[conv]);
        }
        knower->knows[conv] = !has_left;
}

static void catch_up(struct world *world, int agent)
{
        struct knower *knower = &world->knowers[agent];
        bool heard[CONVERSATIONS] = {false}, more = true;
        while (more) {
                json_t *answer = room_read(world->room, &knower->client, "feed.read", "{\"rev\":%lld,\"limit\":%u}",
                                           (long long)knower->rev, 1 + draw(world, 5));
                json_t *row, *result = json_object_get(answer, "result");
                size_t i;
                json_array_foreach(json_object_get(result, "rows"), i, row)
                        hear(world, knower, agent, row, heard);
                more = json_is_true(json_object_get(result, "more"));
                assert_true(number(result, "rev") > knower->rev || !more);
                knower->rev = number(result, "rev");
                json_decref(answer);
        }
        for (int c = 0; c < CONVERSATIONS; c++)
                if (knower->knows[c] != may_read(world, agent, c))
                        fail_msg("agent %d, conversation %d: knows %d", agent, c, knower->knows[c]);
        memset(knower->saw, 0, sizeof knower->saw);
}

static void invite(struct world *world, int conv, int agent, bool is_in)
{
        struct desk *desk = world->room->desk;
        struct conversation *conversation = room_cached(world->room, world->convs[conv]);
        int64_t id = world->knowers[agent].client.caller.principal;
        assert_int_equal(DB_OK, db_begin(desk->db));
        desk->is_in_transaction = true;
        assert_int_equal(0, is_in ? people_invite(desk, conversation, id, 0) : people_uninvite(desk, conversation, id));
        room_turn(world->room);
        world->invited[conv][agent] = is_in;
}

static void step(struct world *world)
{
        int conv = (int)draw(world, CONVERSATIONS), agent = (int)draw(world, AGENTS);
        switch (draw(world, 6)) {
        case 0:
        case 1:
        case 2: {
                const char *team = draw(world, 4) == 0 ? NULL : world->teams[draw(world, TEAMS)];
                crew_assign(world->room, world->convs[conv], team,
                            draw(world, 2) ? &world->knowers[agent].client : NULL);
                break;
        }
        case 3:
                take_seq(room_send(world->room, &world->knowers[0].client, world->convs[conv], NULL, "x"));
                break;
        case 4:
                invite(world, conv, agent, !world->invited[conv][agent]);
                break;
        default:
                catch_up(world, agent);
        }
}

static void what_an_agent_was_told_is_what_he_may_read(void **state)
{
        struct world world;
        begin(&world, *state);
        for (int i = 0; i < STEPS; i++) {
                step(&world);
                for (int a = 0; a < AGENTS; a++)
                        for (int c = 0; c < CONVERSATIONS; c++)
                                world.knowers[a].saw[c] = world.knowers[a].saw[c] || may_read(&world, a, c);
        }
        for (int a = 0; a < AGENTS; a++)
                catch_up(&world, a);
        assert_int_equal(0, room_sql(world.room, "SELECT COUNT(*) FROM (SELECT 1 FROM scope WHERE is_left = 1"
                                                 " GROUP BY scope, conv HAVING COUNT(*) > 1)"));
        room_check(world.room);
        for (int c = 0; c < CONVERSATIONS; c++)
                free(world.convs[c]);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(what_an_agent_was_told_is_what_he_may_read, room_set_up,
                                                room_tear_down),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
