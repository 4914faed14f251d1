/* SPDX-License-Identifier: Apache-2.0 */
/* What customers are told while they wait, and what stays in sight when nobody can take it. */
#include <stdio.h>

#include "unit/routing/scene.h"

static const json_t *queue_told(const struct scene *scene, const char *conv)
{
        const json_t *last = NULL;
        const struct room_note *told;
        for (size_t i = 0; (told = room_told(scene->room, NOTE_EVENT, "queue", i)) != NULL; i++)
                if (strcmp(words(told->json, "conv"), conv) == 0)
                        last = told->json;
        return last;
}

static void customers_are_told_their_place_as_it_changes(void **state)
{
        struct scene scene = scene_new(state, AT_ONCE);
        says(&scene, &scene.eve, "busy");
        says(&scene, &scene.bob, "busy");
        const char *first = writes(&scene, "ann"), *second = writes(&scene, "ben");
        later(&scene, 2001);
        assert_int_equal(1, number(queue_told(&scene, first), "queue.position"));
        assert_int_equal(2, number(queue_told(&scene, second), "queue.position"));
        room_forget(scene.room);
        later(&scene, 2001);
        assert_int_equal(0, room_count(scene.room, NOTE_EVENT, "queue")); /* nothing has changed */
        agent_has(&scene, &scene.eve, "\"capacity\":1");
        says(&scene, &scene.eve, "online");
        later(&scene, 2001);
        assert_null(json_object_get(queue_told(&scene, first), "queue")); /* it waits no more */
        assert_int_equal(1, number(queue_told(&scene, second), "queue.position"));
        scene_done(&scene);
}

static void a_customer_who_comes_back_is_told_at_once(void **state)
{
        struct scene scene = scene_new(state, AT_ONCE);
        says(&scene, &scene.eve, "busy");
        says(&scene, &scene.bob, "busy");
        writes(&scene, "ann");
        const char *second = writes(&scene, "ben");
        later(&scene, 2001);
        room_forget(scene.room);
        struct client again = room_customer(scene.room, "ben", 1);
        assert_int_equal(2, number(queue_told(&scene, second), "queue.position"));
        assert_int_equal(1, room_count(scene.room, NOTE_EVENT, "queue"));
        json_t *answer = room_ask(scene.room, &again, "conversation.open", "{}");
        assert_int_equal(2, number(answer, "result.row.queue.position"));
        json_decref(answer);
        scene_done(&scene);
}

/* As a claim or a merge of two customers does. */
static void becomes(const struct scene *scene, const char *conv, int64_t customer)
{
        struct ticket *ticket = (struct ticket *)ticket_in(scene, conv);
        assert_int_equal(0, db_begin(scene->room->desk->db));
        scene->room->desk->is_in_transaction = true;
        ticket->customer = customer;
        ticket_touch(scene->room->desk, ticket);
        room_turn(scene->room);
}

static void a_ticket_that_became_another_customers_is_told_to_him(void **state)
{
        struct scene scene = scene_new(state, AT_ONCE);
        says(&scene, &scene.eve, "busy");
        says(&scene, &scene.bob, "busy");
        const char *conv = writes(&scene, "ann");
        struct client joe = room_customer(scene.room, "joe", 0);
        int64_t ann = ticket_in(&scene, conv)->customer;
        becomes(&scene, conv, joe.caller.principal);
        room_forget(scene.room);
        room_customer(scene.room, "joe", 1);
        assert_int_equal(1, number(queue_told(&scene, conv), "queue.position"));
        becomes(&scene, conv, ann);
        scene_done(&scene);
}

static void whose_ticket_is_offered_is_the_next(void **state)
{
        struct scene scene = scene_new(state, ASKS);
        agent_has(&scene, &scene.eve, "\"capacity\":1");
        says(&scene, &scene.bob, "busy");
        const char *first = writes(&scene, "ann"), *second = writes(&scene, "ben");
        assert_ptr_equal(&scene.eve, asked(&scene, first));
        later(&scene, 2001);
        assert_int_equal(1, number(queue_told(&scene, first), "queue.position"));
        assert_int_equal(2, number(queue_told(&scene, second), "queue.position"));
        scene_done(&scene);
}

static void the_wait_is_told_from_what_others_waited(void **state)
{
        struct scene scene = scene_new(state, AT_ONCE);
        static const char *const names[] = {"ann", "ben", "cat", "dan"};
        for (size_t i = 0; i < 3; i++) {
                says(&scene, &scene.eve, "busy");
                says(&scene, &scene.bob, "busy");
                const char *conv = writes(&scene, names[i]);
                later(&scene, 60000);
                says(&scene, &scene.eve, "online");
                solves(&scene, has(&scene, conv), conv);
        }
        says(&scene, &scene.eve, "busy");
        const char *conv = writes(&scene, names[3]);
        later(&scene, 2001);
        assert_in_range(number(queue_told(&scene, conv), "queue.wait_s"), 60, 70);
        json_t *answer = room_operate(scene.room, "queue.list", "{}");
        const json_t *row = json_array_get(json_object_get(json_object_get(answer, "result"), "queues"), 0);
        assert_string_equal("Orders", words(row, "name"));
        assert_int_equal(1, number(row, "waiting"));
        assert_int_equal(2, number(row, "busy"));
        assert_int_equal(0, number(row, "free"));
        assert_int_equal(180, number(row, "wait_s")); /* of the one after, rounded up to a minute */
        json_decref(answer);
        scene_done(&scene);
}

/* Open for an hour a day, six hours from now; its id, and when it opens. */
static const char *schedule_of_later(const struct scene *scene, int64_t *out_opens_ms)
{
        enum { HOUR_MS = 3600 * 1000, DAY_MS = 24 * HOUR_MS };
        static char id[32];
        int64_t opens_ms = (clock_wall_ms() + 6 * (int64_t)HOUR_MS) / HOUR_MS * HOUR_MS;
        int hour = (int)(opens_ms % DAY_MS / HOUR_MS);
        json_t *made = room_operate(scene->room, "schedule.add",
                                    "{\"cmid\":\"%s\",\"name\":\"Later\",\"zone\":\"UTC\","
                                    "\"hours\":\"mon-sun %02d:00-%02d:00\"}",
                                    room_cmid(scene->room), hour, hour + 1);
        snprintf(id, sizeof id, "%s", words(made, "result.schedule"));
        json_decref(made);
        *out_opens_ms = opens_ms;
        return id;
}

static void when_nobody_is_there_the_next_opening_is_told(void **state)
{
        struct scene scene = scene_new(state, AT_ONCE);
        char member[64];
        int64_t opens_ms;
        snprintf(member, sizeof member, "\"schedule\":\"%s\"", schedule_of_later(&scene, &opens_ms));
        team_has(&scene, member);
        room_leave(scene.room, &scene.eve);
        room_leave(scene.room, &scene.bob);
        const char *conv = writes(&scene, "ann");
        later(&scene, 2001);
        const json_t *told = queue_told(&scene, conv);
        assert_int_equal(1, number(told, "queue.position"));
        assert_int_equal(opens_ms, number(told, "queue.answer_by"));
        assert_int_equal(-1, number(told, "queue.wait_s"));
        scene_done(&scene);
}

static void an_agent_whose_hours_begin_gets_what_waits_without_anything_happening(void **state)
{
        struct scene scene = scene_new(state, AT_ONCE);
        char member[64];
        int64_t opens_ms;
        snprintf(member, sizeof member, "\"schedule\":\"%s\"", schedule_of_later(&scene, &opens_ms));
        agent_has(&scene, &scene.eve, member);
        room_leave(scene.room, &scene.bob);
        const char *conv = writes(&scene, "ann");
        later(&scene, opens_ms - clock_wall_ms() - 60000);
        assert_null(has(&scene, conv));
        later(&scene, 61000);
        assert_ptr_equal(&scene.eve, has(&scene, conv));
        scene_done(&scene);
}

static void nobody_and_no_team_means_waiting_in_sight(void **state)
{
        struct scene scene = scene_new(state, AT_ONCE);
        operate(&scene, "routing.set", "\"no_default_team\":true");
        const char *conv = writes(&scene, "ann");
        assert_null(has(&scene, conv));
        json_t *answer = room_operate(scene.room, "queue.list", "{}");
        const json_t *rows = json_object_get(json_object_get(answer, "result"), "queues");
        const json_t *last = json_array_get(rows, json_array_size(rows) - 1);
        assert_null(json_object_get(last, "team"));
        assert_int_equal(1, number(last, "waiting"));
        assert_true(number(last, "oldest") > 0);
        json_decref(answer);
        char member[64];
        snprintf(member, sizeof member, "\"default_team\":\"%s\"", scene.team);
        operate(&scene, "routing.set", member);
        room_turn(scene.room);
        assert_non_null(has(&scene, conv)); /* found without anything happening to it */
        scene_done(&scene);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, room_set_up, room_tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(customers_are_told_their_place_as_it_changes),
                TEST(a_customer_who_comes_back_is_told_at_once),
                TEST(a_ticket_that_became_another_customers_is_told_to_him),
                TEST(whose_ticket_is_offered_is_the_next),
                TEST(the_wait_is_told_from_what_others_waited),
                TEST(when_nobody_is_there_the_next_opening_is_told),
                TEST(an_agent_whose_hours_begin_gets_what_waits_without_anything_happening),
                TEST(nobody_and_no_team_means_waiting_in_sight),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
