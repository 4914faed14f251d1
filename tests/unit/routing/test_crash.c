/* SPDX-License-Identifier: Apache-2.0 */
/* What does not fit is refused; what is not kept, or cut off by a crash, leaves everything as it was on disk. */
#include "unit/routing/scene.h"

static void what_does_not_fit_is_refused_and_changes_nothing(void **state)
{
        struct scene scene = scene_new(state, AT_ONCE);
        struct room *room = scene.room;
        take_error(room_operate(room, "routing.set", "{\"cmid\":\"%s\",\"silent_ms\":-1}", room_cmid(room)),
                   "bad_request");
        take_error(room_operate(room, "routing.set", "{\"cmid\":\"%s\",\"default_team\":\"tea_0000000000001\"}",
                                room_cmid(room)),
                   "not_found");
        take_error(room_operate(room, "routing.set", "{\"cmid\":\"%s\",\"weights\":[{\"weight\":0}]}", room_cmid(room)),
                   "bad_request");
        take_error(room_operate(room, "routing.set",
                                "{\"cmid\":\"%s\",\"default_team\":\"%s\",\"no_default_team\":true}", room_cmid(room),
                                scene.team),
                   "bad_request");
        take_error(room_ask(room, &scene.eve, "routing.set", "{\"cmid\":\"%s\",\"silent_ms\":5}", room_cmid(room)),
                   "forbidden");
        take_error(room_ask(room, &scene.eve, "queue.list", "{}"), "forbidden");
        take_error(room_ask(room, &scene.eve, "offer.accept", "{\"ticket\":\"tkt_0000000000001\"}"), "not_found");
        json_t *answer = room_operate(room, "routing.get", "{}");
        assert_int_equal(SILENT_MS, number(answer, "result.routing.silent_ms"));
        json_decref(answer);
        scene_done(&scene);
}

static void offers_queue_and_loads_are_there_again_after_a_crash(void **state)
{
        struct scene scene = scene_new(state, ASKS);
        struct room *room = scene.room;
        says(&scene, &scene.bob, "busy");
        const char *first = writes(&scene, "ann");
        take_result(room_ask(room, &scene.eve, "offer.accept", "{\"ticket\":\"%s\"}", id_of(ticket_in(&scene, first))));
        const char *second = writes(&scene, "ben"), *third = writes(&scene, "cat"), *fourth = writes(&scene, "dan");
        assert_ptr_equal(&scene.eve, asked(&scene, second));
        int64_t until_ms, again_ms;
        routing_offered_to(ticket_in(&scene, second), &until_ms);
        room_close(room); /* nothing is written on the way out: as after a kill */
        room_open(room);
        struct client bob = room_agent(room, "Bob", 0), eve = room_agent(room, "Eve", 0);
        assert_int_equal(scene.eve.caller.principal, eve.caller.principal);
        room_turn(room);
        assert_int_equal(eve.caller.principal, routing_offered_to(ticket_in(&scene, second), &again_ms));
        assert_int_equal(until_ms, again_ms);
        assert_int_equal(1, load(&scene, &eve));
        assert_true(room_count(room, NOTE_AGENTS, "offer") >= 1); /* told again */
        json_t *answer = room_operate(room, "queue.list", "{}");
        const json_t *row = json_array_get(json_object_get(json_object_get(answer, "result"), "queues"), 0);
        assert_int_equal(3, number(row, "waiting"));
        assert_int_equal(1, number(row, "offered"));
        assert_int_equal(1, number(row, "open"));
        json_decref(answer);
        scene.eve = eve;
        scene.bob = bob;
        says(&scene, &bob, "online");
        assert_ptr_equal(&scene.bob, asked(&scene, third)); /* oldest first */
        assert_ptr_equal(&scene.bob, asked(&scene, fourth));
        scene_done(&scene);
}

/* Whatever write fails: the ticket is given once, to one, when it works again. */
static void a_batch_that_is_not_kept_gives_nothing_and_the_next_one_gives_it_once(void **state)
{
        bool was_hit = true;
        for (uint64_t nth = 1; was_hit; nth += 3) {
                struct scene scene = scene_new(state, ASKS);
                struct client ann = room_customer(scene.room, "ann", 0);
                char *conv = scene.convs[scene.conv_count++] = room_conversation(scene.room, &ann, "main");
                const char *cmid = room_cmid(scene.room);
                db_fault_reset(&db_sqlite);
                assert_true(db_fault_add((struct db_fault_rule){
                        .op = DB_FAULT_STEP, .kind = DB_FAULT_FAIL, .mode = DB_WRITER, .nth = nth, .error = DB_FULL}));
                json_t *answer = room_send(scene.room, &ann, conv, cmid, "where is my order?");
                was_hit = db_fault_calls(DB_FAULT_STEP, DB_WRITER) >= nth;
                db_fault_reset(&db_sqlite);
                json_decref(answer);
                scene.room->desk->retry_write_ms = 0;
                room_turn(scene.room);
                take_seq(room_send(scene.room, &ann, conv, cmid, "where is my order?"));
                clock_shift_mono(1000);
                room_turn(scene.room);
                const struct client *agent = asked(&scene, conv);
                assert_non_null(agent);
                assert_int_equal(1, room_sql(scene.room, "SELECT COUNT(*) FROM ticket"));
                assert_int_equal(1, room_sql(scene.room, "SELECT COUNT(*) FROM routing_offer"));
                take_result(room_ask(scene.room, agent, "offer.accept", "{\"ticket\":\"%s\"}",
                                     id_of(ticket_in(&scene, conv))));
                assert_int_equal(1, load(&scene, agent));
                assert_int_equal(0, load(&scene, other(&scene, agent)));
                scene_done(&scene);
                room_tear_down(state);
                room_set_up(state);
        }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, room_set_up, room_tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(what_does_not_fit_is_refused_and_changes_nothing),
                TEST(offers_queue_and_loads_are_there_again_after_a_crash),
                TEST(a_batch_that_is_not_kept_gives_nothing_and_the_next_one_gives_it_once),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
