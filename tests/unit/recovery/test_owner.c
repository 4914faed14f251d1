/* SPDX-License-Identifier: Apache-2.0 */
/* Who owns a case, who may touch it, and who learns of it. */
#include <stdio.h>
#include <stdlib.h>

#include "unit/customers/people_known.h"
#include "unit/recovery/case_room.h"

#define WORKS   "reply,note,recovery"
#define MANAGES "reply,note,recovery,recovery_admin"

struct scene {
        struct room *room;
        char orders[32], bills[32], works[32], manages[32], plain[32];
        char *conv;
        struct client eve; /* is rated; of Orders */
};

static struct client hire(struct scene *scene, const char *name, const char *role, const char *team)
{
        struct client agent = room_agent(scene->room, name, 0);
        crew_give_role(scene->room, &agent, role);
        if (team)
                crew_join(scene->room, team, &agent);
        room_leave(scene->room, &agent);
        return room_agent(scene->room, name, 0);
}

static struct scene scene_of(void **state)
{
        struct scene scene = {.room = *state};
        crew_team(scene.room, "Orders", scene.orders);
        crew_team(scene.room, "Bills", scene.bills);
        crew_role(scene.room, "works", WORKS, scene.works);
        crew_role(scene.room, "manages", MANAGES, scene.manages);
        crew_role(scene.room, "plain", "reply,note", scene.plain);
        scene.eve = hire(&scene, "Eve", scene.works, scene.orders);
        scene.conv = crew_conversation(scene.room, "ann", "hello");
        crew_assign(scene.room, scene.conv, scene.orders, &scene.eve);
        room_forget(scene.room);
        return scene;
}

static void scene_end(struct scene *scene)
{
        room_turn(scene->room);
        cases_check(scene->room);
        room_check(scene->room);
        free(scene->conv);
}

static bool rate(struct scene *scene, const char *conv, int64_t offer)
{
        const struct recovery_answer said = {.offer = offer,
                                             .metric = PROTOCOL_SURVEY_SHOWN_METRIC_CSAT,
                                             .has_score = true,
                                             .score = 1,
                                             .agent = scene->eve.caller.principal,
                                             .team = room_sql(scene->room, "SELECT MIN(id) FROM team")};
        return case_answer(scene->room, conv, said);
}

static int64_t owner_of(struct scene *scene)
{
        return case_in(scene->room, scene->conv).owner;
}

/* ---- who gets it ---- */

static void nobody_is_said_and_whoever_comes_gets_it(void **state)
{
        struct scene scene = scene_of(state);
        struct client other = hire(&scene, "Pat", scene.plain, scene.orders); /* may not */
        assert_true(rate(&scene, scene.conv, 1));
        assert_int_equal(0, owner_of(&scene)); /* Eve was rated */
        assert_int_equal(1, case_lines(scene.room, case_in(scene.room, scene.conv).id, WHAT_UNASSIGNED));
        cases_check(scene.room);
        crew_give_role(scene.room, &other, scene.works);
        room_turn(scene.room);
        room_turn(scene.room);
        assert_int_equal(other.caller.principal, owner_of(&scene));
        scene_end(&scene);
}

static void those_of_the_team_come_first_then_who_is_there_then_who_has_least(void **state)
{
        struct scene scene = scene_of(state);
        char reads[32];
        crew_role(scene.room, "reads", WORKS ",read_all", reads);
        struct client far = hire(&scene, "Far", reads, scene.bills);
        struct client one = hire(&scene, "One", scene.works, scene.orders);
        struct client two = hire(&scene, "Two", scene.works, scene.orders);
        take_result(room_ask(scene.room, &one, "status.set", "{\"status\":\"away\"}"));
        take_result(room_ask(scene.room, &two, "status.set", "{\"status\":\"online\"}"));
        take_result(room_ask(scene.room, &far, "status.set", "{\"status\":\"online\"}"));
        assert_true(rate(&scene, scene.conv, 1));
        assert_int_equal(two.caller.principal, owner_of(&scene)); /* there, of the team */
        take_result(room_ask(scene.room, &one, "status.set", "{\"status\":\"online\"}"));
        char *second = crew_conversation(scene.room, "bea", "hello");
        crew_assign(scene.room, second, scene.orders, &scene.eve);
        assert_true(rate(&scene, second, 2));
        assert_int_equal(one.caller.principal, case_in(scene.room, second).owner); /* Two has one already */
        char *third = crew_conversation(scene.room, "cy", "hello");
        crew_assign(scene.room, third, scene.orders, &scene.eve);
        assert_true(rate(&scene, third, 3));
        assert_int_equal(one.caller.principal, case_in(scene.room, third).owner); /* one each: the older account */
        free(second);
        free(third);
        scene_end(&scene);
}

static void who_leaves_or_loses_the_permission_hands_his_cases_on(void **state)
{
        struct scene scene = scene_of(state);
        struct client one = hire(&scene, "One", scene.works, scene.orders);
        struct client two = hire(&scene, "Two", scene.works, scene.orders);
        assert_true(rate(&scene, scene.conv, 1));
        assert_int_equal(one.caller.principal, owner_of(&scene));
        crew_give_role(scene.room, &one, scene.plain);
        room_turn(scene.room);
        room_turn(scene.room);
        assert_int_equal(two.caller.principal, owner_of(&scene));
        take_result(room_operate(scene.room, "agent.revoke", "{\"cmid\":\"%s\",\"agent\":\"%s\"}",
                                 room_cmid(scene.room), two.id));
        room_turn(scene.room);
        room_turn(scene.room);
        assert_int_equal(0, owner_of(&scene));
        scene_end(&scene);
}

static void the_owner_can_read_the_conversation_wherever_it_goes_until_the_case_is_over(void **state)
{
        struct scene scene = scene_of(state);
        struct client one = hire(&scene, "One", scene.works, scene.orders);
        assert_true(rate(&scene, scene.conv, 1));
        crew_assign(scene.room, scene.conv, scene.bills, &scene.eve);
        take_seq(room_send(scene.room, &one, scene.conv, NULL, "sorry about that"));
        assert_int_equal(1, case_in(scene.room, scene.conv).contacts);
        cases_check(scene.room);
        case_do(scene.room, &one, scene.conv, "recovery.resolve", ",\"outcome\":\"recovered\"");
        take_error(room_send(scene.room, &one, scene.conv, NULL, "and bye"), "not_found");
        scene_end(&scene);
}

static void the_rated_agent_never_owns_it_whoever_says_so(void **state)
{
        struct scene scene = scene_of(state);
        struct client one = hire(&scene, "One", scene.works, scene.orders);
        char more[64];
        assert_true(rate(&scene, scene.conv, 1));
        snprintf(more, sizeof more, ",\"owner\":\"%s\"", scene.eve.id);
        case_refused(scene.room, NULL, scene.conv, "recovery.assign", more, "bad_request");
        assert_true(case_csat(scene.room, scene.conv, &one, 2, 1)); /* now the owner is rated himself */
        assert_int_equal(0, owner_of(&scene));
        scene_end(&scene);
}

static void a_manager_gives_it_to_another_who_then_can_read_it(void **state)
{
        struct scene scene = scene_of(state);
        struct client mia = hire(&scene, "Mia", scene.manages, scene.orders);
        struct client far = hire(&scene, "Far", scene.works, scene.bills);
        char more[64];
        assert_true(rate(&scene, scene.conv, 1));
        assert_int_equal(mia.caller.principal, owner_of(&scene));
        snprintf(more, sizeof more, ",\"owner\":\"%s\"", far.id);
        case_refused(scene.room, &far, scene.conv, "recovery.assign", more, "forbidden");
        case_do(scene.room, &mia, scene.conv, "recovery.assign", more);
        assert_int_equal(far.caller.principal, owner_of(&scene));
        case_do(scene.room, &far, scene.conv, "recovery.contact", ",\"channel\":\"mail\",\"reached\":true");
        snprintf(more, sizeof more, ",\"owner\":\"%s\"", mia.id);
        case_do(scene.room, &mia, scene.conv, "recovery.assign", more);
        take_error(room_send(scene.room, &far, scene.conv, NULL, "me again"), "not_found"); /* no longer his */
        scene_end(&scene);
}

/* ---- who learns of it ---- */

static size_t listed(struct scene *scene, const struct client *who, const char *params)
{
        json_t *list = room_read(scene->room, who, "recovery.list", "%s", params);
        if (!json_object_get(list, "result"))
                fail_msg("%s", json_dumps(list, 0));
        size_t count = json_array_size(json_object_get(json_object_get(list, "result"), "cases"));
        json_decref(list);
        return count;
}

static void a_case_is_seen_by_its_owner_and_by_managers_who_may_read_the_conversation(void **state)
{
        struct scene scene = scene_of(state);
        struct client one = hire(&scene, "One", scene.works, scene.orders);
        struct client two = hire(&scene, "Two", scene.works, scene.orders);
        struct client mia = hire(&scene, "Mia", scene.manages, scene.orders);
        struct client far = hire(&scene, "Far", scene.manages, scene.bills);
        struct client pat = hire(&scene, "Pat", scene.plain, scene.orders);
        assert_int_equal(0, readers_start(scene.room->desk));
        assert_true(rate(&scene, scene.conv, 1));
        assert_int_equal(one.caller.principal, owner_of(&scene));
        assert_int_equal(1, listed(&scene, &one, "{\"mine\":true}"));
        assert_int_equal(0, listed(&scene, &two, "{}"));
        assert_int_equal(0, listed(&scene, &scene.eve, "{}")); /* he is told nothing of a case about himself */
        assert_int_equal(1, listed(&scene, &mia, "{}"));
        assert_int_equal(0, listed(&scene, &far, "{}"));
        take_error(room_read(scene.room, &pat, "recovery.list", "{}"), "forbidden");
        char id[ID_TEXT_BYTES + 1] = "";
        id_write(id, "rec", case_in(scene.room, scene.conv).ext);
        take_error(room_read(scene.room, &two, "recovery.get", "{\"recovery\":\"%s\"}", id), "not_found");
        take_error(room_read(scene.room, &far, "recovery.get", "{\"recovery\":\"%s\"}", id), "not_found");
        take_result(room_read(scene.room, &one, "recovery.get", "{\"recovery\":\"%s\"}", id));
        json_t *told = room_read(scene.room, &far, "recovery.report", "{\"from\":0,\"to\":9000000000000}");
        assert_int_equal(0, number(told, "result.total.opened"));
        json_decref(told);
        told = room_read(scene.room, &mia, "recovery.report", "{\"from\":0,\"to\":9000000000000}");
        assert_int_equal(1, number(told, "result.total.opened"));
        json_decref(told);
        case_refused(scene.room, &two, scene.conv, "recovery.contact", ",\"channel\":\"mail\",\"reached\":true",
                     "not_found");
        case_refused(scene.room, &far, scene.conv, "recovery.resolve", ",\"outcome\":\"declined\"", "not_found");
        scene_end(&scene);
}

static void who_has_something_to_do_sees_the_case_and_may_say_that_it_is_done(void **state)
{
        struct scene scene = scene_of(state);
        struct client one = hire(&scene, "One", scene.works, scene.orders);
        struct client two = hire(&scene, "Two", scene.works, scene.orders);
        char more[96];
        assert_int_equal(0, readers_start(scene.room->desk));
        assert_true(rate(&scene, scene.conv, 1));
        snprintf(more, sizeof more, ",\"text\":\"refund\",\"owner\":\"%s\"", two.id);
        case_do(scene.room, &one, scene.conv, "recovery.action_add", more);
        assert_int_equal(1, listed(&scene, &two, "{}"));
        case_refused(scene.room, &two, scene.conv, "recovery.resolve", ",\"outcome\":\"declined\"", "not_found");
        case_do(scene.room, &two, scene.conv, "recovery.action_done", ",\"action\":1");
        scene_end(&scene);
}

static void the_owner_and_the_managers_hear_of_it_and_nobody_else(void **state)
{
        struct scene scene = scene_of(state);
        struct client one = hire(&scene, "One", scene.works, scene.orders);
        struct client mia = hire(&scene, "Mia", scene.manages, scene.orders);
        struct client far = hire(&scene, "Far", scene.manages, scene.bills);
        room_forget(scene.room);
        assert_true(rate(&scene, scene.conv, 1));
        size_t to_one = 0, to_mia = 0, count = room_count(scene.room, NOTE_AGENTS, "recovery");
        assert_true(count >= 2);
        for (size_t i = 0; i < count; i++) {
                const struct room_note *note = room_told(scene.room, NOTE_AGENTS, "recovery", i);
                assert_int_not_equal(0, note->customer);
                assert_int_not_equal(far.caller.principal, note->customer);
                assert_int_not_equal(scene.eve.caller.principal, note->customer);
                to_one += note->customer == one.caller.principal && json_is_true(json_object_get(note->json, "mine"));
                to_mia += note->customer == mia.caller.principal && !json_object_get(note->json, "mine");
        }
        assert_true(to_one > 0 && to_mia > 0);
        scene_end(&scene);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, room_set_up, room_tear_down)
        const struct CMUnitTest tests[] = {
                T(nobody_is_said_and_whoever_comes_gets_it),
                T(those_of_the_team_come_first_then_who_is_there_then_who_has_least),
                T(who_leaves_or_loses_the_permission_hands_his_cases_on),
                T(the_owner_can_read_the_conversation_wherever_it_goes_until_the_case_is_over),
                T(the_rated_agent_never_owns_it_whoever_says_so),
                T(a_manager_gives_it_to_another_who_then_can_read_it),
                T(a_case_is_seen_by_its_owner_and_by_managers_who_may_read_the_conversation),
                T(who_has_something_to_do_sees_the_case_and_may_say_that_it_is_done),
                T(the_owner_and_the_managers_hear_of_it_and_nobody_else),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
