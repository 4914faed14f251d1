/* SPDX-License-Identifier: Apache-2.0 */
/* Who gets a ticket without being asked: load, capacity, priority, skills, agents who go and come. */
#include "unit/routing/scene.h"

#include <stdlib.h>

/* ---- given at once ---- */

static void tickets_go_to_whoever_has_the_least(void **state)
{
        struct scene scene = scene_new(state, AT_ONCE);
        const char *first = writes(&scene, "ann"), *second = writes(&scene, "ben");
        assert_non_null(has(&scene, first));
        assert_ptr_equal(other(&scene, has(&scene, first)), has(&scene, second));
        assert_int_equal(TICKET_OPEN, ticket_in(&scene, first)->status);
        assert_int_equal(1, load(&scene, &scene.eve));
        assert_int_equal(2, room_sql(scene.room, "SELECT COUNT(*) FROM routing_given WHERE how = 1"));
        assert_int_equal(1, room_sql(scene.room, "SELECT COUNT(*) FROM entry WHERE log = 1 AND conv = 1 AND body LIKE "
                                                 "'%\"what\":\"assign\"%routed: has the least%'"));
        scene_done(&scene);
}

static void who_is_full_gets_no_more_until_something_is_solved(void **state)
{
        struct scene scene = scene_new(state, AT_ONCE);
        const char *convs[6];
        static const char *const names[] = {"ann", "ben", "cat", "dan", "eli", "fay"};
        for (size_t i = 0; i < 6; i++)
                convs[i] = writes(&scene, names[i]);
        assert_non_null(has(&scene, convs[3]));
        assert_null(has(&scene, convs[4]));
        assert_null(has(&scene, convs[5]));
        assert_int_equal(TICKET_PENDING, ticket_in(&scene, convs[4])->status);
        const struct client *agent = has(&scene, convs[0]);
        solves(&scene, agent, convs[0]);
        assert_ptr_equal(agent, has(&scene, convs[4])); /* in the same batch */
        assert_null(has(&scene, convs[5]));
        scene_done(&scene);
}

static void an_urgent_one_goes_before_those_that_wait_longer(void **state)
{
        struct scene scene = scene_new(state, AT_ONCE);
        says(&scene, &scene.eve, "busy");
        says(&scene, &scene.bob, "busy");
        const char *first = writes(&scene, "ann"), *second = writes(&scene, "ben");
        const struct ticket *ticket = ticket_in(&scene, second);
        take_result(room_ask(scene.room, &scene.eve, "ticket.set",
                             "{\"cmid\":\"%s\",\"ticket\":\"%s\",\"version\":%lld,\"priority\":\"urgent\"}",
                             room_cmid(scene.room), id_of(ticket), (long long)ticket->version));
        agent_has(&scene, &scene.eve, "\"capacity\":1");
        says(&scene, &scene.eve, "online");
        assert_ptr_equal(&scene.eve, has(&scene, second));
        assert_null(has(&scene, first));
        scene_done(&scene);
}

static void by_hand_an_agent_may_get_more_than_he_can_and_it_is_said(void **state)
{
        struct scene scene = scene_new(state, AT_ONCE);
        says(&scene, &scene.bob, "busy");
        writes(&scene, "ann");
        writes(&scene, "ben");
        const char *third = writes(&scene, "cat");
        assert_null(has(&scene, third));
        const struct ticket *ticket = ticket_in(&scene, third);
        json_t *answer = room_ask(scene.room, &scene.eve, "ticket.assign",
                                  "{\"cmid\":\"%s\",\"ticket\":\"%s\",\"version\":%lld,\"assignee\":\"%s\"}",
                                  room_cmid(scene.room), id_of(ticket), (long long)ticket->version, scene.eve.id);
        assert_true(json_is_true(json_object_get(json_object_get(answer, "result"), "over")));
        json_decref(answer);
        assert_int_equal(3, load(&scene, &scene.eve));
        scene_done(&scene);
}

static void weights_count_against_capacity(void **state)
{
        struct scene scene = scene_new(state, AT_ONCE);
        operate(&scene, "routing.set", "\"weights\":[{\"priority\":\"high\",\"weight\":9},{\"weight\":2}]");
        says(&scene, &scene.bob, "busy");
        writes(&scene, "ann");
        assert_int_equal(2, load(&scene, &scene.eve));
        assert_null(has(&scene, writes(&scene, "ben")));
        json_t *answer = room_operate(scene.room, "routing.get", "{}");
        assert_int_equal(
                9, number(json_array_get(json_object_get(json_object_get(json_object_get(answer, "result"), "routing"),
                                                         "weights"),
                                         0),
                          "weight"));
        json_decref(answer);
        scene_done(&scene);
}

static void what_was_set_is_in_the_audit_trail(void **state)
{
        struct scene scene = scene_new(state, AT_ONCE);
        operate(&scene, "routing.set", "\"silent_ms\":60000,\"miss_is_away\":false");
        assert_int_equal(1, room_sql(scene.room, "SELECT COUNT(*) FROM audit WHERE action = 'routing.set' AND detail = "
                                                 "'team Orders -> Orders; silent_ms 600000 -> 60000; "
                                                 "miss away -> stays; weights 0 -> 0'"));
        scene_done(&scene);
}

static void skills_are_waited_for(void **state)
{
        struct scene scene = scene_new(state, AT_ONCE);
        says(&scene, &scene.eve, "busy");
        says(&scene, &scene.bob, "busy");
        const char *conv = writes(&scene, "ann");
        struct ticket_by by = {0};
        assert_int_equal(0, db_begin(scene.room->desk->db));
        scene.room->desk->is_in_transaction = true;
        assert_int_equal(
                0, ticket_add_skill(scene.room->desk, (struct ticket *)ticket_in(&scene, conv), &by, SPAN("refunds")));
        room_turn(scene.room);
        says(&scene, &scene.eve, "online");
        assert_null(has(&scene, conv));
        agent_has(&scene, &scene.bob, "\"skills\":[\"orders\",\"Refunds\"]");
        says(&scene, &scene.bob, "online");
        assert_ptr_equal(&scene.bob, has(&scene, conv));
        scene_done(&scene);
}

static void the_last_agent_of_a_customer_gets_him_again_where_a_team_says_so(void **state)
{
        struct scene scene = scene_new(state, AT_ONCE ",\"manner\":\"sticky\",\"sticky_ms\":3600000");
        agent_has(&scene, &scene.eve, "\"capacity\":9");
        agent_has(&scene, &scene.bob, "\"capacity\":9");
        const struct client *first = has(&scene, writes(&scene, "ann"));
        assert_ptr_equal(first, has(&scene, writes_elsewhere(&scene, "ann", "second"))); /* though he has more */
        assert_ptr_equal(other(&scene, first), has(&scene, writes(&scene, "ben")));
        later(&scene, 3600001);
        assert_ptr_equal(other(&scene, first), has(&scene, writes_elsewhere(&scene, "ann", "third")));
        scene_done(&scene);
}

static void a_visitor_who_turns_out_to_be_a_user_keeps_his_agent(void **state)
{
        struct scene scene = scene_new(state, AT_ONCE ",\"manner\":\"sticky\",\"sticky_ms\":3600000");
        struct opening opening = {.how = OPENING_NEW_VISITOR,
                                  .workspace = scene.room->desk->workspace,
                                  .app = scene.room->app_row,
                                  .secret = "s1",
                                  .secret_hash = {1}};
        struct client visitor, ann = room_customer(scene.room, "ann", 0);
        agent_has(&scene, &scene.eve, "\"capacity\":9");
        agent_has(&scene, &scene.bob, "\"capacity\":9");
        assert_true(room_enter(scene.room, &opening, 7, NULL, &visitor, NULL));
        char *conv = room_conversation(scene.room, &visitor, "main");
        take_seq(room_send(scene.room, &visitor, conv, NULL, "where is my order?"));
        const struct client *first = has(&scene, conv);
        assert_non_null(first);
        take_result(room_operate(scene.room, "customer.merge", "{\"cmid\":\"%s\",\"from\":\"%s\",\"into\":\"%s\"}",
                                 room_cmid(scene.room), visitor.id, ann.id));
        assert_ptr_equal(first, has(&scene, writes_elsewhere(&scene, "ann", "second"))); /* though he has more */
        free(conv);
        scene_done(&scene);
}

/* ---- silence, waking, going ---- */

static void a_silent_chat_frees_its_place_and_comes_back_to_the_queue_when_there_is_none(void **state)
{
        struct scene scene = scene_new(state, AT_ONCE);
        says(&scene, &scene.bob, "busy");
        agent_has(&scene, &scene.eve, "\"capacity\":1");
        const char *first = writes(&scene, "ann"), *second = writes(&scene, "ben");
        assert_null(has(&scene, second));
        take_seq(room_send(scene.room, &scene.eve, first, NULL, "which order is it?"));
        later(&scene, SILENT_MS - 5000);
        assert_null(has(&scene, second));
        later(&scene, 5001);
        assert_ptr_equal(&scene.eve, has(&scene, second));
        assert_ptr_equal(&scene.eve, has(&scene, first)); /* still hers, but it takes nothing */
        assert_int_equal(1, load(&scene, &scene.eve));
        writes(&scene, "ann");
        assert_null(has(&scene, first));
        assert_int_equal(TICKET_PENDING, ticket_in(&scene, first)->status);
        assert_int_equal(1, load(&scene, &scene.eve));
        scene_done(&scene);
}

static void a_silent_chat_stays_with_its_agent_within_what_he_may_exceed(void **state)
{
        struct scene scene = scene_new(state, AT_ONCE);
        says(&scene, &scene.bob, "busy");
        agent_has(&scene, &scene.eve, "\"capacity\":1,\"wake_cap\":1");
        const char *first = writes(&scene, "ann"), *second = writes(&scene, "ben");
        take_seq(room_send(scene.room, &scene.eve, first, NULL, "which order is it?"));
        later(&scene, SILENT_MS + 1);
        assert_ptr_equal(&scene.eve, has(&scene, second));
        writes(&scene, "ann");
        assert_ptr_equal(&scene.eve, has(&scene, first));
        assert_int_equal(2, load(&scene, &scene.eve));
        scene_done(&scene);
}

static void tickets_of_an_agent_who_goes_come_back_after_the_grace(void **state)
{
        struct scene scene = scene_new(state, AT_ONCE);
        says(&scene, &scene.bob, "busy");
        const char *conv = writes(&scene, "ann");
        assert_ptr_equal(&scene.eve, has(&scene, conv));
        says(&scene, &scene.eve, "away");
        later(&scene, GRACE_MS / 2);
        assert_ptr_equal(&scene.eve, has(&scene, conv));
        says(&scene, &scene.eve, "online"); /* back in time */
        later(&scene, GRACE_MS);
        assert_ptr_equal(&scene.eve, has(&scene, conv));
        says(&scene, &scene.eve, "away");
        says(&scene, &scene.bob, "online");
        later(&scene, GRACE_MS + 1);
        assert_ptr_equal(&scene.bob, has(&scene, conv));
        scene_done(&scene);
}

static void a_team_may_leave_tickets_with_those_who_go(void **state)
{
        struct scene scene = scene_new(state, AT_ONCE);
        team_has(&scene, "\"requeue\":false");
        const char *conv = writes(&scene, "ann");
        const struct client *agent = has(&scene, conv);
        says(&scene, agent, "away");
        later(&scene, 10 * GRACE_MS);
        assert_ptr_equal(agent, has(&scene, conv));
        scene_done(&scene);
}

static void a_solved_ticket_whose_agent_is_gone_waits_for_another_when_it_opens_again(void **state)
{
        struct scene scene = scene_new(state, AT_ONCE);
        const char *conv = writes(&scene, "ann");
        const struct client *agent = has(&scene, conv);
        solves(&scene, agent, conv);
        says(&scene, agent, "away");
        writes(&scene, "ann");
        assert_ptr_equal(other(&scene, agent), has(&scene, conv));
        scene_done(&scene);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, room_set_up, room_tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(tickets_go_to_whoever_has_the_least),
                TEST(who_is_full_gets_no_more_until_something_is_solved),
                TEST(an_urgent_one_goes_before_those_that_wait_longer),
                TEST(by_hand_an_agent_may_get_more_than_he_can_and_it_is_said),
                TEST(weights_count_against_capacity),
                TEST(what_was_set_is_in_the_audit_trail),
                TEST(skills_are_waited_for),
                TEST(the_last_agent_of_a_customer_gets_him_again_where_a_team_says_so),
                TEST(a_visitor_who_turns_out_to_be_a_user_keeps_his_agent),
                TEST(a_silent_chat_frees_its_place_and_comes_back_to_the_queue_when_there_is_none),
                TEST(a_silent_chat_stays_with_its_agent_within_what_he_may_exceed),
                TEST(tickets_of_an_agent_who_goes_come_back_after_the_grace),
                TEST(a_team_may_leave_tickets_with_those_who_go),
                TEST(a_solved_ticket_whose_agent_is_gone_waits_for_another_when_it_opens_again),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
