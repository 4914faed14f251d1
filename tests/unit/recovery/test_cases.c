/* SPDX-License-Identifier: Apache-2.0 */
/* Cases on a turned clock: what opens one, what becomes of it, what time brings. */
#include <stdio.h>
#include <stdlib.h>

#include "unit/recovery/case_scene.h"

/* ---- what opens one ---- */

static void a_low_score_opens_a_case_with_an_owner_and_deadlines(void **state)
{
        struct case_scene scene = case_scene_of(state);
        case_scores(&scene, 1, 1);
        struct recovery_case one = case_in(scene.room, scene.conv);
        assert_int_equal(CASE_OPEN, one.stage);
        assert_true(one.owner == scene.bob.caller.principal || one.owner == scene.mia.caller.principal);
        assert_int_equal(scene.eve.caller.principal, one.rated);
        assert_int_equal(one.opened_ms + DAY, one.contact_due_ms);
        assert_int_equal(one.opened_ms + 2 * DAY, one.fix_due_ms);
        assert_int_equal(1, one.before.score);
        const struct room_note *told = room_told(scene.room, NOTE_AGENTS, "recovery", 0);
        assert_non_null(told);
        assert_int_equal(1,
                         room_sql(scene.room, "SELECT COUNT(*) FROM entry WHERE body LIKE '%was opened: low score%'"));
        case_scene_end(&scene);
}

static void thresholds_decide_and_each_scale_has_its_own(void **state)
{
        static const struct {
                int metric, top, score;
                bool opens;
        } rows[] = {{PROTOCOL_SURVEY_SHOWN_METRIC_CSAT, 5, 2, true},
                    {PROTOCOL_SURVEY_SHOWN_METRIC_CSAT, 5, 3, false},
                    {PROTOCOL_SURVEY_SHOWN_METRIC_CSAT, 3, 1, true},
                    {PROTOCOL_SURVEY_SHOWN_METRIC_CSAT, 3, 2, false},
                    {PROTOCOL_SURVEY_SHOWN_METRIC_CSAT, 1, 0, true},
                    {PROTOCOL_SURVEY_SHOWN_METRIC_CSAT, 1, 1, false},
                    {PROTOCOL_SURVEY_SHOWN_METRIC_NPS, 10, 6, true},
                    {PROTOCOL_SURVEY_SHOWN_METRIC_NPS, 10, 7, false},
                    {PROTOCOL_SURVEY_SHOWN_METRIC_NPS, 10, 0, true},
                    {PROTOCOL_SURVEY_SHOWN_METRIC_CES, 7, 3, true},
                    {PROTOCOL_SURVEY_SHOWN_METRIC_CES, 7, 4, false},
                    {PROTOCOL_SURVEY_SHOWN_METRIC_CES, 5, 2, true},
                    {PROTOCOL_SURVEY_SHOWN_METRIC_CES, 5, 3, false},
                    {PROTOCOL_SURVEY_SHOWN_METRIC_CSAT, 5, NO_SCORE, false}};
        struct case_scene scene = case_scene_of(state);
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
                int64_t before = room_sql(scene.room, "SELECT COUNT(*) FROM recovery_trigger");
                assert_true(case_says(&scene, rows[i].metric, rows[i].top, rows[i].score, false, (int64_t)i + 1));
                assert_int_equal(before + rows[i].opens, room_sql(scene.room, "SELECT COUNT(*) FROM recovery_trigger"));
        }
        assert_int_equal(1, case_total(&scene)); /* one customer, one case */
        case_settings(scene.room, "{\"csat_low\":0,\"nps_low\":-1,\"ces_low\":0}");
        int64_t before = room_sql(scene.room, "SELECT COUNT(*) FROM recovery_trigger");
        assert_true(case_says(&scene, PROTOCOL_SURVEY_SHOWN_METRIC_NPS, 10, 0, false, 50));
        case_scores(&scene, 51, 1);
        assert_true(case_says(&scene, PROTOCOL_SURVEY_SHOWN_METRIC_CSAT, 1, 0, false, 52));
        assert_true(case_says(&scene, PROTOCOL_SURVEY_SHOWN_METRIC_CES, 7, 1, false, 53));
        assert_int_equal(before, room_sql(scene.room, "SELECT COUNT(*) FROM recovery_trigger"));
        case_scene_end(&scene);
}

static void the_tick_opens_one_with_the_best_score_unless_that_is_switched_off(void **state)
{
        struct case_scene scene = case_scene_of(state);
        case_settings(scene.room, "{\"contact_tick\":false}");
        assert_true(case_says(&scene, PROTOCOL_SURVEY_SHOWN_METRIC_CSAT, 5, 5, true, 1));
        assert_int_equal(0, case_total(&scene));
        case_settings(scene.room, "{\"contact_tick\":true}");
        assert_true(case_says(&scene, PROTOCOL_SURVEY_SHOWN_METRIC_CSAT, 5, 5, true, 1));
        assert_int_equal(1, case_total(&scene));
        assert_int_equal(5, case_in(scene.room, scene.conv).before.score);
        assert_int_equal(1, room_sql(scene.room, "SELECT COUNT(*) FROM recovery_trigger WHERE kind = 2"));
        case_scene_end(&scene);
}

static void one_answer_opens_one_case_however_often_it_changes(void **state)
{
        struct case_scene scene = case_scene_of(state);
        case_scores(&scene, 1, 1);
        case_scores(&scene, 1, 1);
        case_scores(&scene, 1, 2);
        case_scores(&scene, 1, 1);
        struct recovery_case one = case_in(scene.room, scene.conv);
        assert_int_equal(1, case_total(&scene));
        assert_int_equal(1, one.triggers);
        assert_int_equal(2, case_lines(scene.room, one.id, WHAT_ANSWER_CHANGED));
        assert_int_equal(1, one.before.score);
        case_scene_end(&scene);
}

static void an_answer_that_gets_better_in_time_takes_the_case_back_and_a_worse_one_brings_it_again(void **state)
{
        struct case_scene scene = case_scene_of(state);
        case_scores(&scene, 1, 1);
        case_scores(&scene, 1, 5);
        struct recovery_case one = case_in(scene.room, scene.conv);
        assert_int_equal(CASE_WITHDRAWN, one.stage);
        assert_string_equal("answer_changed", one.reason);
        case_refused(scene.room, NULL, scene.conv, "recovery.contact", ",\"channel\":\"phone\",\"reached\":true",
                     "locked");
        case_pass(scene.room, HOUR);
        case_scores(&scene, 1, 2);
        one = case_in(scene.room, scene.conv);
        assert_int_equal(1, case_total(&scene));
        assert_int_equal(CASE_OPEN, one.stage);
        assert_int_equal(one.from_ms + DAY, one.contact_due_ms);
        assert_true(one.from_ms >= one.opened_ms + HOUR);
        assert_int_not_equal(0, one.owner);
        case_scene_end(&scene);
}

static void after_the_first_contact_a_better_answer_is_only_noted(void **state)
{
        struct case_scene scene = case_scene_of(state);
        case_scores(&scene, 1, 1);
        case_do(scene.room, NULL, scene.conv, "recovery.contact", ",\"channel\":\"phone\",\"reached\":false");
        case_scores(&scene, 1, 5);
        struct recovery_case one = case_in(scene.room, scene.conv);
        assert_int_equal(CASE_CONTACTED, one.stage);
        assert_int_equal(1, case_lines(scene.room, one.id, WHAT_ANSWER_CHANGED));
        assert_int_equal(5, one.before.score);
        case_scene_end(&scene);
}

static void a_customer_with_an_open_case_gets_no_second_one(void **state)
{
        struct case_scene scene = case_scene_of(state);
        struct client ann = room_customer(scene.room, "ann", 0);
        char *other = room_conversation(scene.room, &ann, "other");
        take_seq(room_send(scene.room, &ann, other, NULL, "and this"));
        case_scores(&scene, 1, 1);
        assert_true(case_csat(scene.room, other, NULL, 2, 2));
        take_result(room_operate(scene.room, "recovery.open", "{\"cmid\":\"%s\",\"conv\":\"%s\"}",
                                 room_cmid(scene.room), other));
        assert_int_equal(1, case_total(&scene));
        struct recovery_case one = case_in(scene.room, scene.conv);
        assert_int_equal(3, one.triggers);
        assert_int_equal(2, case_lines(scene.room, one.id, WHAT_REPEATED));
        case_scores(&scene, 1, 5); /* one reason less: the others stand */
        assert_int_equal(CASE_OPEN, case_in(scene.room, scene.conv).stage);
        free(other);
        case_scene_end(&scene);
}

static void a_missed_target_opens_one_for_the_tiers_that_were_named(void **state)
{
        struct case_scene scene = case_scene_of(state);
        take_result(room_operate(scene.room, "sla.add",
                                 "{\"cmid\":\"%s\",\"name\":\"Fast\",\"targets\":[{\"metric\":\"first_response\","
                                 "\"seconds\":60}]}",
                                 room_cmid(scene.room)));
        take_result(
                room_operate(scene.room, "tier.set", "{\"cmid\":\"%s\",\"tiers\":[\"gold\"]}", room_cmid(scene.room)));
        char *late = crew_conversation(scene.room, "cy", "hello?");
        case_pass(scene.room, 2 * 60000);
        assert_int_equal(0, case_total(&scene)); /* nobody was named */
        case_settings(scene.room, "{\"tiers\":[\"gold\"]}");
        struct client dan = room_customer(scene.room, "dan", 0);
        take_result(room_operate(scene.room, "customer.set", "{\"cmid\":\"%s\",\"customer\":\"%s\",\"tier\":\"gold\"}",
                                 room_cmid(scene.room), dan.id));
        char *conv = room_conversation(scene.room, &dan, "main");
        take_seq(room_send(scene.room, &dan, conv, NULL, "hello?"));
        case_pass(scene.room, 2 * 60000);
        assert_int_equal(1, case_total(&scene));
        struct recovery_case one = case_in(scene.room, conv);
        assert_string_equal("gold", one.tier);
        assert_int_equal(1, room_sql(scene.room, "SELECT COUNT(*) FROM recovery_trigger WHERE kind = 3"));
        assert_false(one.before.has_score);
        free(late);
        free(conv);
        case_scene_end(&scene);
}

/* ---- working on it ---- */

static void a_case_goes_from_open_to_recovered_and_each_step_is_in_its_log(void **state)
{
        struct case_scene scene = case_scene_of(state);
        case_scores(&scene, 1, 1);
        case_refused(scene.room, NULL, scene.conv, "recovery.resolve", ",\"outcome\":\"recovered\"", "conflict");
        case_pass(scene.room, 2 * HOUR);
        case_do(scene.room, NULL, scene.conv, "recovery.contact",
                ",\"channel\":\"phone\",\"reached\":true,\"note\":\"the parcel came broken\"");
        char more[160];
        snprintf(more, sizeof more, ",\"text\":\"send a new one\",\"owner\":\"%s\",\"due\":%lld", scene.bob.id,
                 (long long)clock_wall_ms() + DAY);
        case_do(scene.room, NULL, scene.conv, "recovery.action_add", more);
        case_do(scene.room, &scene.bob, scene.conv, "recovery.action_done", ",\"action\":1");
        case_refused(scene.room, NULL, scene.conv, "recovery.action_done", ",\"action\":1", "conflict");
        case_refused(scene.room, NULL, scene.conv, "recovery.action_done", ",\"action\":2", "not_found");
        case_do(scene.room, NULL, scene.conv, "recovery.cause", ",\"cause\":\"product_defect\"");
        case_do(scene.room, NULL, scene.conv, "recovery.compensate",
                ",\"gave\":\"voucher\",\"amount\":1500,\"currency\":\"EUR\",\"note\":\"sorry\"");
        case_do(scene.room, NULL, scene.conv, "recovery.resolve", ",\"outcome\":\"recovered\"");
        struct recovery_case one = case_in(scene.room, scene.conv);
        assert_int_equal(CASE_RESOLVED, one.stage);
        assert_int_equal(CASE_RECOVERED, one.outcome);
        assert_true(one.is_in_time && one.is_fix_in_time);
        assert_string_equal("product_defect", one.cause);
        assert_int_equal(one.resolved_ms + 7 * DAY, one.resurvey_ms);
        char id[ID_TEXT_BYTES + 1] = "";
        id_write(id, "rec", one.ext);
        json_t *shown = room_operate(scene.room, "recovery.get", "{\"recovery\":\"%s\"}", id);
        const json_t *log = json_object_get(json_object_get(shown, "result"), "log");
        assert_int_equal(8, json_array_size(log)); /* opened, its owner, and the six */
        const json_t *gave = json_array_get(log, 6);
        assert_string_equal("compensation", words(gave, "what"));
        assert_string_equal("voucher", words(gave, "gave"));
        assert_string_equal("EUR", words(gave, "currency"));
        assert_int_equal(1500, number(gave, "amount"));
        assert_string_equal("the parcel came broken", words(json_array_get(log, 2), "text"));
        assert_string_equal(
                "send a new one",
                words(json_array_get(json_object_get(json_object_get(shown, "result"), "actions"), 0), "text"));
        json_decref(shown);
        case_scene_end(&scene);
}

static void a_message_of_the_owner_is_a_contact_and_one_of_others_is_none(void **state)
{
        struct case_scene scene = case_scene_of(state);
        case_scores(&scene, 1, 1);
        char more[64];
        snprintf(more, sizeof more, ",\"owner\":\"%s\"", scene.bob.id);
        case_do(scene.room, NULL, scene.conv, "recovery.assign", more);
        take_seq(room_send(scene.room, &scene.eve, scene.conv, NULL, "anything else?"));
        take_result(room_note(scene.room, &scene.bob, scene.conv, "I will write to him"));
        assert_int_equal(0, case_in(scene.room, scene.conv).contacts);
        take_seq(room_send(scene.room, &scene.bob, scene.conv, NULL, "I am sorry about that"));
        take_seq(room_send(scene.room, &scene.bob, scene.conv, NULL, "what happened?"));
        struct recovery_case one = case_in(scene.room, scene.conv);
        assert_int_equal(1, one.contacts);
        assert_int_equal(CASE_CONTACTED, one.stage);
        assert_true(one.is_in_time);
        case_pass(scene.room, 2 * HOUR);
        take_seq(room_send(scene.room, &scene.bob, scene.conv, NULL, "any news?"));
        assert_int_equal(2, case_in(scene.room, scene.conv).contacts);
        case_scene_end(&scene);
}

static void who_knows_an_older_version_changes_nothing(void **state)
{
        struct case_scene scene = case_scene_of(state);
        case_scores(&scene, 1, 1);
        struct recovery_case one = case_in(scene.room, scene.conv);
        char id[ID_TEXT_BYTES + 1] = "";
        id_write(id, "rec", one.ext);
        take_error(room_operate(scene.room, "recovery.contact",
                                "{\"cmid\":\"%s\",\"recovery\":\"%s\",\"version\":%lld,\"channel\":\"mail\","
                                "\"reached\":true}",
                                room_cmid(scene.room), id, (long long)one.version - 1),
                   "stale");
        const char *cmid = room_cmid(scene.room);
        for (int i = 0; i < 2; i++) /* a repeat is answered, and done once */
                take_result(room_operate(scene.room, "recovery.contact",
                                         "{\"cmid\":\"%s\",\"recovery\":\"%s\",\"version\":%lld,\"channel\":\"mail\","
                                         "\"reached\":true}",
                                         cmid, id, (long long)one.version));
        assert_int_equal(1, case_in(scene.room, scene.conv).contacts);
        case_scene_end(&scene);
}

static void what_is_said_wrongly_is_refused_with_the_field(void **state)
{
        static const struct {
                const char *method, *more, *tag;
        } rows[] = {
                {"recovery.contact", ",\"channel\":\"pigeon\",\"reached\":true", "bad_request"},
                {"recovery.contact", ",\"channel\":\"phone\"", "bad_request"},
                {"recovery.cause", ",\"cause\":\"weather\"", "bad_request"},
                {"recovery.compensate", ",\"gave\":\"x\",\"amount\":1,\"currency\":\"eur\"", "bad_request"},
                {"recovery.compensate", ",\"gave\":\"x\",\"amount\":-1,\"currency\":\"EUR\"", "bad_request"},
                {"recovery.resolve", ",\"outcome\":\"happy\"", "bad_request"},
                {"recovery.action_add", ",\"text\":\"x\",\"due\":5", "bad_request"},
                {"recovery.action_add", ",\"text\":\"\"", "bad_request"},
                {"recovery.assign", ",\"owner\":\"usr_0000000000001\"", "bad_request"},
                {"recovery.reopen", "", "conflict"},
        };
        struct case_scene scene = case_scene_of(state);
        case_scores(&scene, 1, 1);
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
                case_refused(scene.room, NULL, scene.conv, rows[i].method, rows[i].more, rows[i].tag);
        take_error(room_operate(scene.room, "recovery.get", "{\"recovery\":\"rec_0000000000001\"}"), "not_found");
        take_error(room_operate(scene.room, "recovery.settings_set",
                                "{\"cmid\":\"%s\",\"settings\":{\"fix_ms\":60000}}", room_cmid(scene.room)),
                   "bad_request");
        case_scene_end(&scene);
}

static void causes_are_the_workspaces_own(void **state)
{
        struct case_scene scene = case_scene_of(state);
        case_scores(&scene, 1, 1);
        take_error(room_operate(scene.room, "recovery.cause_add", "{\"cmid\":\"%s\",\"cause\":\"Bad Weather\"}",
                                room_cmid(scene.room)),
                   "bad_request");
        take_error(room_operate(scene.room, "recovery.cause_add", "{\"cmid\":\"%s\",\"cause\":\"price\"}",
                                room_cmid(scene.room)),
                   "conflict");
        take_result(room_operate(scene.room, "recovery.cause_add", "{\"cmid\":\"%s\",\"cause\":\"weather\"}",
                                 room_cmid(scene.room)));
        case_do(scene.room, NULL, scene.conv, "recovery.cause", ",\"cause\":\"weather\"");
        take_result(room_operate(scene.room, "recovery.cause_remove", "{\"cmid\":\"%s\",\"cause\":\"weather\"}",
                                 room_cmid(scene.room)));
        take_result(room_operate(scene.room, "recovery.cause_remove", "{\"cmid\":\"%s\",\"cause\":\"price\"}",
                                 room_cmid(scene.room)));
        case_refused(scene.room, NULL, scene.conv, "recovery.cause", ",\"cause\":\"price\"", "bad_request");
        json_t *list = room_operate(scene.room, "recovery.cause_list", "{}");
        assert_int_equal(7, json_array_size(json_object_get(json_object_get(list, "result"), "causes")));
        json_decref(list);
        assert_string_equal("weather", case_in(scene.room, scene.conv).cause); /* it keeps what it was given */
        case_scene_end(&scene);
}

/* ---- time ---- */

static void a_passed_deadline_is_told_once_and_judged_when_it_is_met(void **state)
{
        struct case_scene scene = case_scene_of(state);
        case_scores(&scene, 1, 1);
        case_pass(scene.room, DAY - 60000);
        assert_int_equal(0, case_in(scene.room, scene.conv).escalations);
        room_forget(scene.room);
        case_pass(scene.room, 120000);
        struct recovery_case one = case_in(scene.room, scene.conv);
        assert_int_equal(1, one.escalations);
        assert_true(room_count(scene.room, NOTE_AGENTS, "recovery") >= 2); /* owner and manager */
        case_pass(scene.room, HOUR);
        assert_int_equal(1, case_in(scene.room, scene.conv).escalations);
        json_t *late = room_operate(scene.room, "recovery.list", "{\"overdue\":true}");
        assert_int_equal(1, json_array_size(json_object_get(json_object_get(late, "result"), "cases")));
        json_decref(late);
        case_do(scene.room, NULL, scene.conv, "recovery.contact", ",\"channel\":\"phone\",\"reached\":true");
        assert_false(case_in(scene.room, scene.conv).is_in_time);
        case_pass(scene.room, DAY);
        assert_int_equal(2, case_in(scene.room, scene.conv).escalations); /* not fixed, not taken on */
        assert_int_equal(2, room_sql(scene.room, "SELECT COUNT(*) FROM entry WHERE body LIKE '%is late%'"));
        case_scene_end(&scene);
}

static void a_contact_at_the_last_moment_is_in_time_even_when_the_timer_comes_late(void **state)
{
        struct case_scene scene = case_scene_of(state);
        case_settings(scene.room, "{\"contact_ms\":3600000}");
        case_scores(&scene, 1, 1);
        clock_shift_wall(HOUR + 1000); /* nothing was looked at meanwhile */
        case_do(scene.room, NULL, scene.conv, "recovery.contact", ",\"channel\":\"phone\",\"reached\":true");
        struct recovery_case one = case_in(scene.room, scene.conv);
        assert_false(one.is_in_time); /* a second late is late */
        case_do(scene.room, NULL, scene.conv, "recovery.action_add", ",\"text\":\"call again\"");
        assert_int_equal(0, case_in(scene.room, scene.conv).taken_on_ms); /* no date: nobody has taken it on */
        case_scene_end(&scene);
}

static void deadlines_count_the_opening_hours_of_the_team(void **state)
{
        struct case_scene scene = case_scene_of(state);
        json_t *made = room_operate(scene.room, "schedule.add",
                                    "{\"cmid\":\"%s\",\"name\":\"Office\",\"zone\":\"UTC\",\"hours\":\"mon-sun "
                                    "09:00-17:00\"}",
                                    room_cmid(scene.room));
        take_result(room_operate(scene.room, "team.set", "{\"cmid\":\"%s\",\"team\":\"%s\",\"schedule\":\"%s\"}",
                                 room_cmid(scene.room), scene.team, words(made, "result.schedule")));
        case_scores(&scene, 1, 1);
        struct recovery_case one = case_in(scene.room, scene.conv);
        assert_true(one.contact_due_ms > one.opened_ms + 2 * DAY); /* 24 h at 8 h a day */
        assert_true(one.contact_due_ms < one.opened_ms + 4 * DAY);
        take_result(room_operate(scene.room, "schedule.set",
                                 "{\"cmid\":\"%s\",\"schedule\":\"%s\",\"hours\":\"mon-sun 00:00-24:00\"}",
                                 room_cmid(scene.room), words(made, "result.schedule")));
        room_turn(scene.room);
        room_turn(scene.room);
        assert_int_equal(one.opened_ms / HOUR, (case_in(scene.room, scene.conv).contact_due_ms - DAY) / HOUR);
        json_decref(made);
        case_scene_end(&scene);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, room_set_up, room_tear_down)
        const struct CMUnitTest tests[] = {
                T(a_low_score_opens_a_case_with_an_owner_and_deadlines),
                T(thresholds_decide_and_each_scale_has_its_own),
                T(the_tick_opens_one_with_the_best_score_unless_that_is_switched_off),
                T(one_answer_opens_one_case_however_often_it_changes),
                T(an_answer_that_gets_better_in_time_takes_the_case_back_and_a_worse_one_brings_it_again),
                T(after_the_first_contact_a_better_answer_is_only_noted),
                T(a_customer_with_an_open_case_gets_no_second_one),
                T(a_missed_target_opens_one_for_the_tiers_that_were_named),
                T(a_case_goes_from_open_to_recovered_and_each_step_is_in_its_log),
                T(a_message_of_the_owner_is_a_contact_and_one_of_others_is_none),
                T(who_knows_an_older_version_changes_nothing),
                T(what_is_said_wrongly_is_refused_with_the_field),
                T(causes_are_the_workspaces_own),
                T(a_passed_deadline_is_told_once_and_judged_when_it_is_met),
                T(a_contact_at_the_last_moment_is_in_time_even_when_the_timer_comes_late),
                T(deadlines_count_the_opening_hours_of_the_team),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
