/* SPDX-License-Identifier: Apache-2.0 */
/* Who asks, who reads, and whose an offer is when two turn out to be one. */
#include <stdio.h>
#include <stdlib.h>

#include "unit/customers/people_known.h"
#include "unit/offers/offer_scene.h"

static json_t *ask_by(const struct scene *scene, const struct client *who)
{
        return room_ask(scene->room, who, "survey.offer", "{\"cmid\":\"%s\",\"conv\":\"%s\",\"survey\":\"How was it\"}",
                        room_cmid(scene->room), scene->conv);
}

static void a_back_end_asks_its_own_user(void **state)
{
        struct scene scene = scene_open(state, ",\"on\":[\"case\"]");
        struct client bob = room_customer(scene.room, "bob", 0), app = known_by_app(&scene.ann),
                      other = known_by_app(&bob);
        solve(&scene, scene.conv);
        refused(ask_by(&scene, &other), "not_found", NULL);
        json_t *answer = ask_by(&scene, &app);
        assert_string_equal("waiting", words(answer, "result.state"));
        assert_int_equal(offer_int(&scene, "seq"), number(answer, "result.seq"));
        json_decref(answer);
        assert_int_equal(1, offer_int(&scene, "cause = 5 AND asked_by = 0"));
        take_seq(rate_as(&scene, &app, NULL, ",\"score\":4")); /* and answers for him */
        offer_is(&scene, "answered", "");
        scene_close(&scene);
}

static void a_conversation_without_a_ticket_can_be_asked_in(void **state)
{
        struct scene scene = scene_open(state, ",\"on\":[\"case\"]");
        char *old = scene.conv;
        scene.conv = room_conversation(scene.room, &scene.ann, "empty");
        json_decref(ask_by(&scene, &scene.eve));
        offer_is(&scene, "waiting", "");
        assert_int_equal(1, offer_int(&scene, "ticket = 0 AND team = 0"));
        take_seq(rate(&scene, ",\"score\":4"));
        offer_is(&scene, "answered", "");
        json_t *again = ask_by(&scene, &scene.eve);
        assert_string_equal("asked_lately", words(again, "result.reason"));
        json_decref(again);
        assert_int_equal(2, room_sql(scene.room, "SELECT count(*) FROM survey_offer"));
        free(scene.conv);
        scene.conv = old;
        scene_close(&scene);
}

static void a_visitor_takes_along_what_he_was_asked(void **state)
{
        struct scene scene = scene_open(state, "");
        struct client eve = known_agent(scene.room, "Max"), visitor = known_visitor(scene.room, "s1");
        char *old = scene.conv;
        scene.conv = talk(&scene, &visitor, "main");
        solve(&scene, scene.conv);
        offer_is(&scene, "waiting", "");
        take_result(room_ask(scene.room, &eve, "customer.merge", "{\"cmid\":\"%s\",\"from\":\"%s\",\"into\":\"%s\"}",
                             room_cmid(scene.room), visitor.id, scene.ann.id));
        assert_int_equal(scene.ann.caller.principal, offer_int(&scene, "customer"));
        take_seq(rate(&scene, ",\"score\":3"));
        offer_is(&scene, "answered", "");
        assert_int_equal(0, room_sql(scene.room, "SELECT count(*) FROM survey_offer o JOIN conversation c ON"
                                                 " c.id = o.conv WHERE c.customer <> o.customer"));
        free(scene.conv);
        scene.conv = old;
        scene_close(&scene);
}

static void the_time_line_tells_what_was_answered(void **state)
{
        struct scene scene = scene_open(state, "");
        solve(&scene, scene.conv);
        take_seq(rate(&scene, ",\"score\":2"));
        json_t *answer = room_operate(scene.room, "timeline.read", "{\"customer\":\"%s\"}", scene.ann.id), *row;
        size_t i, seen = 0;
        json_array_foreach(json_object_get(json_object_get(answer, "result"), "rows"), i, row) {
                if (strcmp(words(row, "kind"), "survey") != 0)
                        continue;
                seen++;
                assert_string_equal("answered", words(row, "state"));
                assert_int_equal(2, number(row, "score"));
                assert_int_equal(5, number(row, "top"));
                assert_string_equal(scene.conv, words(row, "conv"));
        }
        assert_int_equal(1, seen);
        json_decref(answer);
        scene_close(&scene);
}

/* Of the newest offer. */
static int ask_about_case(const struct scene *scene)
{
        struct desk *desk = scene->room->desk;
        desk->now_ms = clock_wall_ms();
        int64_t conv = room_cached(scene->room, scene->conv)->row.id;
        assert_int_equal(0, db_begin(desk->db));
        desk->is_in_transaction = true;
        int rc = surveys_ask_about_case(desk, conv, scene->ann.caller.principal, 77, scene->eve.caller.principal, 0);
        room_turn(scene->room); /* commits */
        return rc;
}

static void a_case_is_asked_about_beside_its_ticket(void **state)
{
        struct scene scene = scene_open(state, "");
        solve(&scene, scene.conv);
        take_seq(rate(&scene, ",\"score\":1"));
        later(&scene, HOURS(1));
        assert_int_equal(1, ask_about_case(&scene)); /* asked lately is no reason here */
        offer_is(&scene, "waiting", "");
        assert_int_equal(1, offer_int(&scene, "cause = 7 AND recovery_case = 77"));
        assert_int_equal(0, ask_about_case(&scene));
        offer_is(&scene, "refused", "asked_already");
        assert_int_equal(1, room_sql(scene.room, "SELECT count(*) FROM survey_offer WHERE state = 2"));
        reopen(&scene, scene.conv); /* the case goes on whatever the ticket does */
        assert_int_equal(1, room_sql(scene.room, "SELECT count(*) FROM survey_offer WHERE state = 2"));
        room_check(scene.room);
        free(scene.conv);
}

static size_t rows_of(struct scene *scene, const struct client *who, const char *method)
{
        json_t *answer = room_read(scene->room, who, method, "{}");
        size_t count = json_array_size(json_object_get(json_object_get(answer, "result"), "offers"));
        if (!json_object_get(answer, "result"))
                fail_msg("%s: %s", method, json_dumps(answer, 0));
        json_decref(answer);
        return count;
}

static void an_agent_reads_what_is_about_him(void **state)
{
        struct scene scene = scene_open(state, "");
        struct client max = room_agent(scene.room, "Max", 0), zoe = known_agent(scene.room, "Zoe");
        solve(&scene, scene.conv);
        take_seq(rate(&scene, ",\"score\":1,\"said\":\"no\""));
        assert_int_equal(0, readers_start(scene.room->desk));
        assert_int_equal(1, rows_of(&scene, &scene.eve, "survey.answers"));
        assert_int_equal(0, rows_of(&scene, &max, "survey.answers"));
        assert_int_equal(1, rows_of(&scene, &zoe, "survey.answers")); /* a supervisor reads reports */
        assert_int_equal(1, rows_of(&scene, &scene.eve, "survey.offers"));
        scene_close(&scene);
}

static void a_webhook_hears_of_an_answer(void **state)
{
        struct scene scene = scene_open(state, "");
        json_t *made = room_operate(scene.room, "webhook.add",
                                    "{\"cmid\":\"%s\",\"url\":\"https://example.com/h\",\"events\":["
                                    "\"conversation.changed\"],\"secret\":\"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"}",
                                    room_cmid(scene.room));
        if (!json_object_get(made, "result"))
                fail_msg("%s", json_dumps(made, 0));
        json_decref(made);
        solve(&scene, scene.conv);
        take_seq(rate(&scene, ",\"score\":5"));
        take_seq(rate(&scene, ",\"score\":5"));
        assert_int_equal(1, room_sql(scene.room, "SELECT count(*) FROM outbound WHERE body LIKE"
                                                 " '%\"what\":\"survey_answered\"%'"));
        scene_close(&scene);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, room_set_up, room_tear_down)
        const struct CMUnitTest tests[] = {T(a_back_end_asks_its_own_user),
                                           T(a_conversation_without_a_ticket_can_be_asked_in),
                                           T(a_visitor_takes_along_what_he_was_asked),
                                           T(the_time_line_tells_what_was_answered),
                                           T(a_case_is_asked_about_beside_its_ticket),
                                           T(an_agent_reads_what_is_about_him),
                                           T(a_webhook_hears_of_an_answer)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
