/* SPDX-License-Identifier: Apache-2.0 */
/* When a customer is asked, when not, and what becomes of it. */
#include "unit/offers/offer_scene.h"

#include <stdio.h>
#include <stdlib.h>

enum { SURVEY = 8, SYSTEM = 7, SURVEY_END = 27 };

static void a_solved_ticket_is_asked_about_at_once(void **state)
{
        struct scene scene = scene_open(state, "");
        char team[32];
        crew_team(scene.room, "Orders", team);
        crew_assign(scene.room, scene.conv, team, &scene.eve);
        ticket_do(scene.room, &scene.eve, scene.conv, "ticket.set", ",\"topic\":\"parcel\",\"lang\":\"ko\"");
        int64_t unread = room_cached(scene.room, scene.conv)->row.unread;
        room_forget(scene.room);
        solve(&scene, scene.conv);
        offer_is(&scene, "waiting", "");
        assert_int_equal(1, count_kind(&scene, SURVEY));
        assert_int_equal(unread + 1, room_cached(scene.room, scene.conv)->row.unread);
        assert_int_equal(scene.eve.caller.principal, offer_int(&scene, "agent"));
        assert_int_equal(1, offer_int(&scene, "team = (SELECT id FROM team WHERE name = 'Orders')"));
        assert_int_equal(1, offer_int(&scene, "lang = 'ko' AND topic = 'parcel' AND by_bot = 0 AND cause = 1"));
        assert_int_equal(DAYS(4), offer_int(&scene, "until_ms - offered_ms"));
        assert_int_equal(0, offer_int(&scene, "offered_ms - (SELECT status_ms FROM ticket WHERE id = o.ticket)"));
        assert_true(room_count(scene.room, NOTE_EVENT, "entry") > 0);
        scene_close(&scene);
}

static void one_who_was_not_helped_by_a_person_is_not_asked(void **state)
{
        struct scene scene = scene_open(state, "");
        char *conv = crew_conversation(scene.room, "bob", "hello");
        int64_t notes = room_sql(scene.room, "SELECT count(*) FROM entry WHERE log = 1");
        solve(&scene, conv);
        offer_is(&scene, "refused", "no_person");
        assert_int_equal(1, offer_int(&scene, "by_bot = 1 AND agent = 0 AND seq = 0"));
        assert_int_equal(0, count_kind(&scene, SURVEY));
        /* the move itself, and why nobody was asked */
        assert_int_equal(notes + 2, room_sql(scene.room, "SELECT count(*) FROM entry WHERE log = 1"));
        assert_int_equal(1, room_sql(scene.room, "SELECT count(*) FROM entry WHERE log = 1 AND body LIKE"
                                                 " '%not asked how it went%no person of the team has written%'"));
        free(conv);
        scene_close(&scene);
}

static void a_talk_of_a_few_words_is_not_worth_asking_about(void **state)
{
        struct scene scene = scene_open(state, ",\"min_text\":25");
        solve(&scene, scene.conv); /* "where is it?" and "on its way": 22 */
        offer_is(&scene, "refused", "too_short");
        reopen(&scene, scene.conv);
        take_seq(room_send(scene.room, &scene.ann, scene.conv, NULL, "그렇군")); /* characters, not bytes */
        solve(&scene, scene.conv);
        offer_is(&scene, "waiting", "");
        scene_close(&scene);
}

static void an_old_story_is_not_asked_about(void **state)
{
        struct scene scene = scene_open(state, ",\"max_age_days\":7");
        ticket_do(scene.room, &scene.eve, scene.conv, "ticket.set", ",\"exempt\":true");
        later(&scene, DAYS(7) + 1000);
        solve(&scene, scene.conv);
        offer_is(&scene, "refused", "too_old");
        scene_close(&scene);
}

static void nobody_is_asked_twice_within_its_interval(void **state)
{
        struct scene scene = scene_open(state, ",\"interval_days\":7");
        char *second = talk(&scene, &scene.ann, "second"), *third = talk(&scene, &scene.ann, "third");
        solve(&scene, scene.conv);
        offer_is(&scene, "waiting", "");
        solve(&scene, second);
        offer_is(&scene, "refused", "asked_lately");
        ticket_do(scene.room, &scene.eve, third, "ticket.set", ",\"exempt\":true");
        later(&scene, DAYS(7) + 1000);
        take_seq(room_send(scene.room, &scene.eve, third, NULL, "still there?"));
        solve(&scene, third);
        offer_is(&scene, "waiting", "");
        free(second);
        free(third);
        scene_close(&scene);
}

static void only_its_audience_is_asked(void **state)
{
        struct scene scene = scene_open(state, ",\"when\":\"tag = vip\"");
        solve(&scene, scene.conv);
        assert_int_equal(0, room_sql(scene.room, "SELECT count(*) FROM survey_offer"));
        reopen(&scene, scene.conv);
        ticket_do(scene.room, &scene.eve, scene.conv, "ticket.set", ",\"tags\":[\"vip\"]");
        solve(&scene, scene.conv);
        offer_is(&scene, "waiting", "");
        scene_close(&scene);
}

static void a_delay_is_waited_for_even_over_a_restart(void **state)
{
        struct scene scene = scene_open(state, ",\"delay_minutes\":60");
        solve(&scene, scene.conv);
        offer_is(&scene, "planned", "");
        later(&scene, HOURS(1) - 5000);
        assert_int_equal(0, count_kind(&scene, SURVEY));
        scene_again(&scene);
        later(&scene, 6000);
        offer_is(&scene, "waiting", "");
        later(&scene, HOURS(1));
        scene_again(&scene);
        assert_int_equal(1, count_kind(&scene, SURVEY));
        scene_close(&scene);
}

static void what_was_planned_is_dropped_when_the_ticket_is_opened_again(void **state)
{
        struct scene scene = scene_open(state, ",\"delay_minutes\":60");
        solve(&scene, scene.conv);
        take_seq(room_send(scene.room, &scene.ann, scene.conv, NULL, "it broke again"));
        offer_is(&scene, "withdrawn", "reopened");
        later(&scene, HOURS(2));
        assert_int_equal(0, count_kind(&scene, SURVEY) + count_kind(&scene, SURVEY_END));
        take_seq(room_send(scene.room, &scene.eve, scene.conv, NULL, "sorry"));
        solve(&scene, scene.conv);
        later(&scene, HOURS(1));
        offer_is(&scene, "waiting", "");
        assert_int_equal(1, offer_int(&scene, "solving"));
        scene_close(&scene);
}

static void what_was_asked_is_taken_back_when_the_ticket_is_opened_again(void **state)
{
        struct scene scene = scene_open(state, "");
        solve(&scene, scene.conv);
        take_seq(room_send(scene.room, &scene.ann, scene.conv, NULL, "not yet"));
        offer_is(&scene, "withdrawn", "reopened");
        assert_int_equal(1, room_sql(scene.room, "SELECT count(*) FROM entry e JOIN survey_offer o ON o.conv = e.conv"
                                                 " WHERE e.kind = 27 AND json_extract(e.body, '$.of') = o.seq AND"
                                                 " json_extract(e.body, '$.survey_end.state') = 'withdrawn'"));
        refused(rate(&scene, ",\"score\":1"), "locked", NULL);
        solve(&scene, scene.conv);
        offer_is(&scene, "waiting", "");
        assert_int_equal(2, count_kind(&scene, SURVEY));
        scene_close(&scene);
}

static void it_expires_when_the_ticket_closes(void **state)
{
        struct scene scene = scene_open(state, ",\"until_hours\":672");
        solve(&scene, scene.conv);
        later(&scene, DAYS(4) + 1000);
        assert_string_equal("closed", ticket_status_in(scene.room, scene.conv));
        offer_is(&scene, "expired", "ticket_closed");
        assert_int_equal(1, count_kind(&scene, SURVEY_END));
        scene_close(&scene);
}

static void it_expires_when_its_time_is_over(void **state)
{
        struct scene scene = scene_open(state, ",\"until_hours\":24");
        solve(&scene, scene.conv);
        later(&scene, HOURS(24) - 5000);
        offer_is(&scene, "waiting", "");
        later(&scene, 6000);
        offer_is(&scene, "expired", "time");
        refused(rate(&scene, ",\"score\":5"), "locked", NULL);
        assert_string_equal("solved", ticket_status_in(scene.room, scene.conv));
        scene_close(&scene);
}

static void a_reminder_comes_once(void **state)
{
        struct scene scene = scene_open(state, ",\"remind_hours\":24");
        solve(&scene, scene.conv);
        int64_t before = count_kind(&scene, SYSTEM);
        later(&scene, HOURS(23));
        assert_int_equal(before, count_kind(&scene, SYSTEM));
        scene_again(&scene);
        later(&scene, HOURS(2));
        assert_int_equal(before + 1, count_kind(&scene, SYSTEM));
        scene_again(&scene);
        later(&scene, HOURS(30));
        assert_int_equal(before + 1, count_kind(&scene, SYSTEM));
        assert_int_equal(1, count_kind(&scene, SURVEY));
        offer_is(&scene, "waiting", "");
        take_seq(rate(&scene, ",\"score\":4"));
        scene_close(&scene);
}

static void nobody_who_answered_is_reminded(void **state)
{
        struct scene scene = scene_open(state, ",\"remind_hours\":24");
        solve(&scene, scene.conv);
        int64_t before = count_kind(&scene, SYSTEM);
        take_seq(rate(&scene, ",\"score\":4"));
        later(&scene, DAYS(2));
        assert_int_equal(before, count_kind(&scene, SYSTEM));
        scene_close(&scene);
}

static void days_after_comes_about_a_closed_ticket_too(void **state)
{
        struct scene scene = scene_open(state, ",\"on\":[\"later\"],\"days_after\":10");
        solve(&scene, scene.conv);
        offer_is(&scene, "planned", "");
        later(&scene, DAYS(4) + 1000);
        assert_string_equal("closed", ticket_status_in(scene.room, scene.conv));
        offer_is(&scene, "planned", "");
        later(&scene, DAYS(6));
        offer_is(&scene, "waiting", "");
        assert_int_equal(scene.eve.caller.principal, offer_int(&scene, "agent"));
        take_seq(rate(&scene, ",\"score\":4"));
        offer_is(&scene, "answered", "");
        scene_close(&scene);
}

static void a_closed_ticket_is_asked_about(void **state)
{
        struct scene scene = scene_open(state, ",\"on\":[\"closed\"],\"max_age_days\":7");
        solve(&scene, scene.conv);
        assert_int_equal(0, room_sql(scene.room, "SELECT count(*) FROM survey_offer"));
        later(&scene, DAYS(4) + 1000);
        offer_is(&scene, "waiting", "");
        assert_int_equal(2, offer_int(&scene, "cause"));
        scene_close(&scene);
}

static void spam_is_not_asked_about(void **state)
{
        struct scene scene = scene_open(state, ",\"on\":[\"solved\",\"closed\"]");
        solve(&scene, scene.conv);
        offer_is(&scene, "waiting", "");
        ticket_do(scene.room, &scene.eve, scene.conv, "ticket.move", ",\"to\":\"closed\",\"reason\":\"spam\"");
        offer_is(&scene, "withdrawn", "ticket_closed");
        assert_int_equal(1, room_sql(scene.room, "SELECT count(*) FROM survey_offer"));
        scene_close(&scene);
}

static void a_survey_that_was_switched_off_meanwhile_asks_nobody(void **state)
{
        struct scene scene = scene_open(state, ",\"delay_minutes\":60");
        solve(&scene, scene.conv);
        json_decref(room_operate(scene.room, "survey.set",
                                 "{\"cmid\":\"%s\",\"survey\":\"%s\",\"version\":1,\"form\":{\"enabled\":false}}",
                                 room_cmid(scene.room), scene.survey));
        later(&scene, HOURS(1));
        offer_is(&scene, "refused", "disabled");
        assert_int_equal(0, count_kind(&scene, SURVEY));
        scene_close(&scene);
}

/* ---- by hand ---- */

static json_t *ask(const struct scene *scene, const struct client *who, const char *survey)
{
        char id[32];
        id_write(id, "tkt", ticket_in(scene->room, scene->conv)->ext);
        id[ID_TEXT_BYTES] = 0;
        return room_ask(scene->room, who, "survey.offer", "{\"cmid\":\"%s\",\"ticket\":\"%s\"%s}",
                        room_cmid(scene->room), id, survey);
}

static void says(json_t *answer, const char *state, const char *reason)
{
        if (!words(answer, "result.state"))
                fail_msg("%s", json_dumps(answer, 0));
        assert_string_equal(state, words(answer, "result.state"));
        if (reason)
                assert_string_equal(reason, words(answer, "result.reason"));
        json_decref(answer);
}

static void an_agent_asks_and_takes_it_back(void **state)
{
        struct scene scene = scene_open(state, ",\"on\":[\"case\"],\"min_text\":10000");
        char id[32];
        says(ask(&scene, &scene.eve, ",\"survey\":\"How was it\""), "refused", "not_solved");
        solve(&scene, scene.conv);
        refused(ask(&scene, &scene.eve, ",\"survey\":\"No such\""), "not_found", "survey");
        says(ask(&scene, &scene.eve, ",\"survey\":\"How was it\""), "waiting", NULL);
        assert_int_equal(scene.eve.caller.principal, offer_int(&scene, "asked_by"));
        offer_id(&scene, id);
        says(ask(&scene, &scene.eve, ",\"survey\":\"How was it\""), "refused", "asked_already");
        says(room_ask(scene.room, &scene.eve, "survey.withdraw", "{\"cmid\":\"%s\",\"offer\":\"%s\"}",
                      room_cmid(scene.room), id),
             "withdrawn", "taken_back");
        says(room_ask(scene.room, &scene.eve, "survey.withdraw", "{\"cmid\":\"%s\",\"offer\":\"%s\"}",
                      room_cmid(scene.room), id),
             "withdrawn", "taken_back");
        says(ask(&scene, &scene.eve, ",\"survey\":\"How was it\""), "waiting", NULL);
        take_seq(rate(&scene, ",\"score\":5"));
        offer_id(&scene, id);
        refused(room_ask(scene.room, &scene.eve, "survey.withdraw", "{\"cmid\":\"%s\",\"offer\":\"%s\"}",
                         room_cmid(scene.room), id),
                "locked", NULL);
        scene_close(&scene);
}

static void who_may_not_reply_may_not_ask(void **state)
{
        struct scene scene = scene_open(state, ",\"on\":[\"case\"]");
        char role[32];
        struct client max = room_agent(scene.room, "Max", 0);
        crew_role(scene.room, "Reader", "read_all", role);
        crew_give_role(scene.room, &max, role);
        max = room_agent(scene.room, "Max", 1);
        solve(&scene, scene.conv);
        refused(ask(&scene, &max, ",\"survey\":\"How was it\""), "forbidden", NULL);
        refused(room_ask(scene.room, &scene.ann, "survey.offer", "{\"cmid\":\"%s\",\"conv\":\"%s\"}",
                         room_cmid(scene.room), scene.conv),
                "forbidden", NULL);
        assert_int_equal(0, room_sql(scene.room, "SELECT count(*) FROM survey_offer"));
        scene_close(&scene);
}

static void a_macro_asks(void **state)
{
        struct scene scene = scene_open(state, ",\"on\":[\"case\"]");
        json_t *made = room_operate(scene.room, "macro.add",
                                    "{\"cmid\":\"%s\",\"name\":\"Done\",\"actions\":[{\"act\":\"status\",\"status\":"
                                    "\"solved\"},{\"act\":\"survey\",\"survey\":\"How was it\"}]}",
                                    room_cmid(scene.room));
        char more[64];
        snprintf(more, sizeof more, ",\"macro\":\"%s\"", words(made, "result.macro"));
        json_decref(made);
        ticket_do(scene.room, &scene.eve, scene.conv, "macro.run", more);
        offer_is(&scene, "waiting", "");
        assert_int_equal(6, offer_int(&scene, "cause"));
        scene_close(&scene);
}

static void what_was_asked_shows_at_the_ticket(void **state)
{
        struct scene scene = scene_open(state, "");
        solve(&scene, scene.conv);
        take_seq(rate(&scene, ",\"score\":2,\"said\":\"slow\""));
        json_t *answer = room_ask(scene.room, &scene.eve, "ticket.get", "{\"conv\":\"%s\"}", scene.conv);
        assert_string_equal("answered", words(answer, "result.ticket.survey.state"));
        assert_int_equal(2, number(answer, "result.ticket.survey.score"));
        assert_true(json_is_true(json_object_get(
                json_object_get(json_object_get(json_object_get(answer, "result"), "ticket"), "survey"), "commented")));
        json_decref(answer);
        scene_close(&scene);
}

/* ---- people ---- */

static void an_erasure_takes_the_words_and_leaves_the_numbers(void **state)
{
        struct scene scene = scene_open(state, ",\"interval_days\":0");
        char *second = talk(&scene, &scene.ann, "second");
        solve(&scene, scene.conv);
        take_seq(rate(&scene, ",\"score\":1,\"said\":\"Terrible gloxinia\""));
        solve(&scene, second);
        assert_true(room_sql(scene.room, "SELECT count(*) FROM survey_word") > 0);
        json_decref(room_operate(scene.room, "customer.erase", "{\"cmid\":\"%s\",\"customer\":\"%s\"}",
                                 room_cmid(scene.room), scene.ann.id));
        assert_int_equal(0, room_sql(scene.room, "SELECT count(*) FROM survey_word"));
        assert_int_equal(0, room_sql(scene.room, "SELECT count(*) FROM survey_offer WHERE comment IS NOT NULL OR"
                                                 " answers IS NOT NULL"));
        assert_int_equal(1, room_sql(scene.room, "SELECT count(*) FROM survey_offer WHERE state = 3 AND score = 1"));
        assert_int_equal(1, room_sql(scene.room, "SELECT count(*) FROM survey_offer WHERE state = 5 AND reason ="
                                                 " 'erased'"));
        assert_int_equal(0, room_sql(scene.room, "SELECT count(*) FROM entry WHERE body LIKE '%gloxinia%'"));
        free(second);
        room_check(scene.room);
        free(scene.conv);
}

/* ---- a store that fails ---- */

static bool is_solved_whole(const struct scene *scene)
{
        int64_t solved = room_sql(scene->room, "SELECT count(*) FROM ticket WHERE status = 8");
        int64_t asked = room_sql(scene->room, "SELECT count(*) FROM survey_offer WHERE state = 2");
        assert_int_equal(solved, asked);
        assert_int_equal(asked, count_kind(scene, SURVEY));
        return solved == 1;
}

static void solved_and_asked_are_one(void **state)
{
        struct scene scene = scene_open(state, "");
        int nth = 1;
        for (; !is_solved_whole(&scene); nth++) {
                assert_in_range(nth, 1, 200);
                db_fault_reset(&db_sqlite);
                db_fault_add((struct db_fault_rule){.op = DB_FAULT_STEP,
                                                    .kind = DB_FAULT_FAIL,
                                                    .mode = DB_WRITER,
                                                    .nth = (unsigned)nth,
                                                    .error = DB_IO});
                json_decref(ticket_ask_for(scene.room, &scene.eve, scene.conv, "ticket.move", ",\"to\":\"solved\""));
                db_fault_reset(&db_sqlite);
                room_turn(scene.room);
        }
        assert_true(nth > 10);
        scene_close(&scene);
}

static void due_and_asked_are_one(void **state)
{
        struct scene scene = scene_open(state, ",\"delay_minutes\":60");
        solve(&scene, scene.conv);
        clock_shift_wall(HOURS(1));
        clock_shift_mono((uint64_t)HOURS(1));
        for (int nth = 1; count_kind(&scene, SURVEY) == 0; nth++) {
                assert_in_range(nth, 1, 200);
                offer_is(&scene, "planned", "");
                db_fault_reset(&db_sqlite);
                db_fault_add((struct db_fault_rule){.op = DB_FAULT_STEP,
                                                    .kind = DB_FAULT_FAIL,
                                                    .mode = DB_WRITER,
                                                    .nth = (unsigned)nth,
                                                    .error = DB_IO});
                room_turn(scene.room);
                db_fault_reset(&db_sqlite);
        }
        for (int i = 0; i < 3; i++)
                room_turn(scene.room);
        offer_is(&scene, "waiting", "");
        assert_int_equal(1, count_kind(&scene, SURVEY));
        scene_close(&scene);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, room_set_up, room_tear_down)
        const struct CMUnitTest tests[] = {T(a_solved_ticket_is_asked_about_at_once),
                                           T(one_who_was_not_helped_by_a_person_is_not_asked),
                                           T(a_talk_of_a_few_words_is_not_worth_asking_about),
                                           T(an_old_story_is_not_asked_about),
                                           T(nobody_is_asked_twice_within_its_interval),
                                           T(only_its_audience_is_asked),
                                           T(a_delay_is_waited_for_even_over_a_restart),
                                           T(what_was_planned_is_dropped_when_the_ticket_is_opened_again),
                                           T(what_was_asked_is_taken_back_when_the_ticket_is_opened_again),
                                           T(it_expires_when_the_ticket_closes),
                                           T(it_expires_when_its_time_is_over),
                                           T(a_reminder_comes_once),
                                           T(nobody_who_answered_is_reminded),
                                           T(days_after_comes_about_a_closed_ticket_too),
                                           T(a_closed_ticket_is_asked_about),
                                           T(spam_is_not_asked_about),
                                           T(a_survey_that_was_switched_off_meanwhile_asks_nobody),
                                           T(an_agent_asks_and_takes_it_back),
                                           T(who_may_not_reply_may_not_ask),
                                           T(a_macro_asks),
                                           T(what_was_asked_shows_at_the_ticket),
                                           T(an_erasure_takes_the_words_and_leaves_the_numbers),
                                           T(solved_and_asked_are_one),
                                           T(due_and_asked_are_one)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
