/* SPDX-License-Identifier: Apache-2.0 */
/* Offers: asked, accepted, declined, missed, taken by somebody else. */
#include "unit/routing/scene.h"

static void an_offer_is_told_and_accepted(void **state)
{
        struct scene scene = scene_new(state, ASKS);
        room_forget(scene.room);
        const char *conv = writes(&scene, "ann");
        const struct client *agent = asked(&scene, conv);
        assert_non_null(agent);
        assert_int_equal(TICKET_PENDING, ticket_in(&scene, conv)->status);
        const struct room_note *told = room_told(scene.room, NOTE_AGENTS, "offer", 0);
        assert_non_null(told);
        assert_int_equal(agent->caller.principal, told->customer);
        assert_string_equal(conv, words(told->json, "conv"));
        take_error(room_ask(scene.room, other(&scene, agent), "offer.accept", "{\"ticket\":\"%s\"}",
                            id_of(ticket_in(&scene, conv))),
                   "conflict");
        take_result(room_ask(scene.room, agent, "offer.accept", "{\"ticket\":\"%s\"}", id_of(ticket_in(&scene, conv))));
        assert_ptr_equal(agent, has(&scene, conv));
        assert_int_equal(TICKET_OPEN, ticket_in(&scene, conv)->status);
        told = room_told(scene.room, NOTE_AGENTS, "offer_gone", 0);
        assert_non_null(told);
        assert_string_equal("accepted", words(told->json, "why"));
        take_result(room_ask(scene.room, agent, "offer.accept", "{\"ticket\":\"%s\"}", id_of(ticket_in(&scene, conv))));
        assert_int_equal(1, room_sql(scene.room, "SELECT COUNT(*) FROM routing_given"));
        assert_int_equal(0, room_sql(scene.room, "SELECT COUNT(*) FROM routing_offer"));
        scene_done(&scene);
}

static void what_one_declines_the_next_is_offered(void **state)
{
        struct scene scene = scene_new(state, ASKS);
        const char *conv = writes(&scene, "ann");
        const struct client *first = asked(&scene, conv), *second = other(&scene, first);
        take_result(room_ask(scene.room, first, "offer.decline", "{\"ticket\":\"%s\",\"why\":\"lunch\"}",
                             id_of(ticket_in(&scene, conv))));
        assert_ptr_equal(second, asked(&scene, conv));
        take_result(
                room_ask(scene.room, second, "offer.decline", "{\"ticket\":\"%s\"}", id_of(ticket_in(&scene, conv))));
        assert_null(asked(&scene, conv)); /* both had their chance */
        assert_int_equal(0, load(&scene, first));
        later(&scene, 2 * 60 * 1000 + 1);
        assert_non_null(asked(&scene, conv));
        scene_done(&scene);
}

static void who_misses_an_offer_is_away_and_the_next_is_asked(void **state)
{
        struct scene scene = scene_new(state, ASKS);
        const char *conv = writes(&scene, "ann");
        const struct client *first = asked(&scene, conv);
        later(&scene, ACCEPT_MS - 2000);
        assert_ptr_equal(first, asked(&scene, conv));
        room_forget(scene.room);
        later(&scene, 2001);
        assert_ptr_equal(other(&scene, first), asked(&scene, conv));
        assert_int_equal(AGENT_AWAY, people_agent(scene.room->desk, first->caller.principal)->status);
        assert_string_equal("missed an offer", people_agent(scene.room->desk, first->caller.principal)->reason);
        assert_string_equal("missed", words(room_told(scene.room, NOTE_AGENTS, "offer_gone", 0)->json, "why"));
        take_error(room_ask(scene.room, first, "offer.accept", "{\"ticket\":\"%s\"}", id_of(ticket_in(&scene, conv))),
                   "conflict");
        scene_done(&scene);
}

static void a_miss_sets_nobody_away_where_that_is_not_wished(void **state)
{
        struct scene scene = scene_new(state, ASKS);
        operate(&scene, "routing.set", "\"miss_is_away\":false");
        says(&scene, &scene.bob, "busy");
        const char *conv = writes(&scene, "ann");
        assert_ptr_equal(&scene.eve, asked(&scene, conv));
        later(&scene, ACCEPT_MS + 1);
        assert_int_equal(AGENT_ONLINE, people_agent(scene.room->desk, scene.eve.caller.principal)->status);
        assert_null(asked(&scene, conv)); /* she had her chance, and gets another one in two minutes */
        later(&scene, 2 * 60 * 1000 + 1);
        assert_ptr_equal(&scene.eve, asked(&scene, conv));
        scene_done(&scene);
}

static void an_offer_takes_its_part_of_capacity_and_ends_when_another_takes_the_ticket(void **state)
{
        struct scene scene = scene_new(state, ASKS);
        says(&scene, &scene.bob, "busy");
        writes(&scene, "ann");
        const char *second = writes(&scene, "ben"), *third = writes(&scene, "cat");
        assert_ptr_equal(&scene.eve, asked(&scene, second));
        assert_null(asked(&scene, third)); /* she could have two */
        json_t *list = room_ask(scene.room, &scene.eve, "offer.list", "{}");
        assert_int_equal(2, json_array_size(json_object_get(json_object_get(list, "result"), "offers")));
        json_decref(list);
        take_seq(room_send(scene.room, &scene.bob, second, NULL, "I have this one"));
        assert_ptr_equal(&scene.bob, has(&scene, second));
        assert_string_equal("taken", words(room_told(scene.room, NOTE_AGENTS, "offer_gone", 0)->json, "why"));
        assert_ptr_equal(&scene.eve, asked(&scene, third));
        scene_done(&scene);
}

static void an_offer_goes_on_when_its_agent_goes_away(void **state)
{
        struct scene scene = scene_new(state, ASKS);
        const char *conv = writes(&scene, "ann");
        const struct client *first = asked(&scene, conv);
        says(&scene, first, "away");
        assert_ptr_equal(other(&scene, first), asked(&scene, conv));
        scene_done(&scene);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, room_set_up, room_tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(an_offer_is_told_and_accepted),
                TEST(what_one_declines_the_next_is_offered),
                TEST(who_misses_an_offer_is_away_and_the_next_is_asked),
                TEST(a_miss_sets_nobody_away_where_that_is_not_wished),
                TEST(an_offer_takes_its_part_of_capacity_and_ends_when_another_takes_the_ticket),
                TEST(an_offer_goes_on_when_its_agent_goes_away),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
