/* SPDX-License-Identifier: Apache-2.0 */
/* Cases that are over: asking again, what a manager counts, erasure, merged customers, restarts and a failing store. */
#include <stdio.h>
#include <stdlib.h>

#include "unit/recovery/case_scene.h"

/* ---- after it ---- */

static void recovered(struct case_scene *scene, int64_t offer)
{
        case_scores(scene, offer, 1);
        case_do(scene->room, NULL, scene->conv, "recovery.contact", ",\"channel\":\"phone\",\"reached\":true");
        case_do(scene->room, NULL, scene->conv, "recovery.resolve", ",\"outcome\":\"recovered\"");
}

static bool answer_again(struct case_scene *scene, int64_t offer, int score)
{
        struct recovery_case one = case_in(scene->room, scene->conv);
        const struct recovery_answer said = {.offer = offer,
                                             .metric = PROTOCOL_SURVEY_SHOWN_METRIC_CSAT,
                                             .top = 5,
                                             .has_score = true,
                                             .score = score,
                                             .is_resurvey = true,
                                             .case_id = one.id,
                                             .agent = one.owner};
        return case_answer(scene->room, scene->conv, said);
}

static void a_recovered_customer_is_asked_again_and_both_scores_are_kept(void **state)
{
        struct case_scene scene = case_scene_of(state);
        recovered(&scene, 1);
        case_pass(scene.room, 6 * DAY);
        assert_int_equal(0, case_in(scene.room, scene.conv).asked_ms);
        case_pass(scene.room, DAY + HOUR);
        struct recovery_case one = case_in(scene.room, scene.conv);
        assert_int_not_equal(0, one.asked_ms);
        assert_int_equal(1, case_lines(scene.room, one.id, WHAT_ASKED_AGAIN));
        assert_true(answer_again(&scene, 2, 5));
        one = case_in(scene.room, scene.conv);
        assert_int_equal(1, one.before.score);
        assert_int_equal(5, one.after.score);
        assert_int_equal(CASE_RESOLVED, one.stage);
        case_scene_end(&scene);
}

static void a_low_score_when_asked_again_opens_the_case_again_once_for_somebody_else(void **state)
{
        struct case_scene scene = case_scene_of(state);
        recovered(&scene, 1);
        int64_t owner = case_in(scene.room, scene.conv).owner;
        case_pass(scene.room, 8 * DAY);
        assert_true(answer_again(&scene, 2, 2));
        assert_true(answer_again(&scene, 2, 1));
        struct recovery_case one = case_in(scene.room, scene.conv);
        assert_int_equal(1, case_total(&scene));
        assert_int_equal(CASE_REOPENED, one.stage);
        assert_int_equal(1, one.reopens);
        assert_int_not_equal(owner, one.owner); /* it was him who was rated */
        assert_int_equal(1, one.after.score);
        assert_int_equal(0, one.outcome);
        case_scene_end(&scene);
}

static void a_second_case_knows_of_the_first(void **state)
{
        struct case_scene scene = case_scene_of(state);
        recovered(&scene, 1);
        case_scores(&scene, 2, 2);
        assert_int_equal(2, case_total(&scene));
        assert_int_equal(1, case_in(scene.room, scene.conv).earlier);
        case_scene_end(&scene);
}

/* ---- counting ---- */

static int64_t listed(struct room *room, const char *cell)
{
        json_t *list = room_operate(room, "recovery.list", "{\"cell\":\"%s\",\"limit\":200}", cell);
        int64_t count = (int64_t)json_array_size(json_object_get(json_object_get(list, "result"), "cases"));
        json_decref(list);
        return count;
}

static void a_report_counts_what_lies_behind_it(void **state)
{
        struct case_scene scene = case_scene_of(state);
        recovered(&scene, 1);
        case_do(scene.room, NULL, scene.conv, "recovery.cause", ",\"cause\":\"delivery\"");
        assert_true(answer_again(&scene, 9, 3));
        case_scores(&scene, 2, 2); /* the same customer once more */
        char *other = crew_conversation(scene.room, "bea", "hm");
        assert_true(case_csat(scene.room, other, NULL, 3, 1));
        assert_true(case_csat(scene.room, other, NULL, 3, 4)); /* withdrawn: not counted */
        json_t *told = room_operate(scene.room, "recovery.report", "{\"from\":0,\"to\":%lld}",
                                    (long long)clock_wall_ms() + DAY);
        const json_t *total = json_object_get(json_object_get(told, "result"), "total");
        const json_t *rows = json_object_get(json_object_get(told, "result"), "rows");
        assert_int_equal(2, json_array_size(rows)); /* with and without a cause */
        assert_int_equal(2, number(total, "opened"));
        assert_int_equal(1, number(total, "contacted"));
        assert_int_equal(1, number(total, "in_time"));
        assert_int_equal(1, number(total, "recovered"));
        assert_int_equal(1, number(total, "customers"));
        assert_int_equal(1, number(total, "repeat_customers"));
        assert_int_equal(1, number(total, "scored"));
        assert_int_equal(0, number(total, "before_permille"));
        assert_int_equal(500, number(total, "after_permille"));
        assert_int_equal(number(total, "opened"), listed(scene.room, "opened"));
        assert_int_equal(number(total, "contacted"), listed(scene.room, "contacted"));
        assert_int_equal(number(total, "recovered"), listed(scene.room, "recovered"));
        assert_int_equal(number(total, "scored"), listed(scene.room, "scored"));
        assert_int_equal(1, listed(scene.room, "repeated"));
        json_decref(told);
        free(other);
        case_scene_end(&scene);
}

static void without_cases_a_report_has_no_means(void **state)
{
        struct case_scene scene = case_scene_of(state);
        json_t *told = room_operate(scene.room, "recovery.report", "{\"from\":0,\"to\":1}");
        const json_t *total = json_object_get(json_object_get(told, "result"), "total");
        assert_int_equal(0, number(total, "opened"));
        assert_null(json_object_get(total, "median_ms"));
        assert_null(json_object_get(total, "before_permille"));
        json_decref(told);
        take_error(room_operate(scene.room, "recovery.report", "{\"from\":5,\"to\":5}"), "bad_request");
        case_scene_end(&scene);
}

/* ---- erasure, another customer ---- */

static void an_erased_customer_leaves_numbers_and_no_words(void **state)
{
        struct case_scene scene = case_scene_of(state);
        struct client ann = room_customer(scene.room, "ann", 0);
        case_scores(&scene, 1, 1);
        case_do(scene.room, NULL, scene.conv, "recovery.contact",
                ",\"channel\":\"phone\",\"reached\":true,\"note\":\"gloxinia\"");
        case_do(scene.room, NULL, scene.conv, "recovery.action_add", ",\"text\":\"gloxinia\"");
        take_result(room_operate(scene.room, "customer.erase", "{\"cmid\":\"%s\",\"customer\":\"%s\"}",
                                 room_cmid(scene.room), ann.id));
        assert_int_equal(0, room_sql(scene.room, "SELECT COUNT(*) FROM recovery_log WHERE text IS NOT NULL"));
        assert_int_equal(0, room_sql(scene.room, "SELECT COUNT(*) FROM recovery_action WHERE text IS NOT NULL"));
        struct recovery_case one = case_in(scene.room, scene.conv);
        assert_int_equal(CASE_RESOLVED, one.stage);
        assert_int_equal(1, one.contacts);
        assert_int_equal(1, one.before.score);
        assert_int_equal(0, one.next_ms);
        case_refused(scene.room, NULL, scene.conv, "recovery.reopen", "", "conflict");
        cases_check(scene.room);
        room_check(scene.room);
        free(scene.conv);
}

static void two_customers_who_are_one_have_one_open_case(void **state)
{
        struct case_scene scene = case_scene_of(state);
        struct client ann = room_customer(scene.room, "ann", 0);
        struct client guest = known_visitor(scene.room, "guest");
        case_scores(&scene, 1, 1);
        char *conv = room_conversation(scene.room, &guest, "main");
        take_seq(room_send(scene.room, &guest, conv, NULL, "it is me again"));
        assert_true(case_csat(scene.room, conv, &scene.bob, 2, 1));
        assert_int_equal(2, case_count(scene.room, "stage IN (1, 2, 4)"));
        take_result(room_operate(scene.room, "customer.merge", "{\"cmid\":\"%s\",\"from\":\"%s\",\"into\":\"%s\"}",
                                 room_cmid(scene.room), guest.id, ann.id));
        assert_int_equal(1, case_count(scene.room, "stage IN (1, 2, 4)"));
        struct recovery_case gone = case_in(scene.room, conv), one = case_in(scene.room, scene.conv);
        assert_int_equal(CASE_WITHDRAWN, gone.stage);
        assert_string_equal("merged", gone.reason);
        assert_int_equal(2, one.triggers);
        assert_int_equal(scene.mia.caller.principal, one.owner); /* eve and bob were rated */
        case_refused(scene.room, NULL, conv, "recovery.reopen", "", "conflict");
        free(conv);
        case_scene_end(&scene);
}

/* ---- a restart, a failing store ---- */

static void a_restart_knows_it_all(void **state)
{
        struct case_scene scene = case_scene_of(state);
        case_scores(&scene, 1, 1);
        case_settings(scene.room, "{\"csat_low\":3,\"resurvey_ms\":0}");
        struct recovery_case before = case_in(scene.room, scene.conv);
        room_close(scene.room);
        room_open(scene.room);
        struct recovery_case after = case_in(scene.room, scene.conv);
        assert_int_equal(before.owner, after.owner);
        assert_int_equal(3, scene.room->desk->recovery->settings.csat_low);
        case_pass(scene.room, DAY + HOUR);
        assert_int_equal(1, case_in(scene.room, scene.conv).escalations);
        case_scene_end(&scene);
}

static void a_write_that_fails_anywhere_opens_none_and_the_answer_told_again_opens_one(void **state)
{
        bool was_hit = true;
        for (uint64_t nth = 1; was_hit; nth++) {
                struct case_scene scene = case_scene_of(state);
                db_fault_reset(&db_sqlite);
                assert_true(db_fault_add((struct db_fault_rule){
                        .op = DB_FAULT_STEP, .kind = DB_FAULT_FAIL, .mode = DB_WRITER, .nth = nth, .error = DB_IO}));
                bool is_taken = case_says(&scene, PROTOCOL_SURVEY_SHOWN_METRIC_CSAT, 5, 1, false, 1);
                was_hit = db_fault_calls(DB_FAULT_STEP, DB_WRITER) >= nth;
                db_fault_reset(&db_sqlite);
                scene.room->desk->retry_write_ms = 0;
                assert_int_equal(is_taken, case_total(&scene));
                case_scores(&scene, 1, 1);
                assert_int_equal(1, case_total(&scene));
                case_scene_end(&scene);
                room_tear_down(state);
                room_set_up(state);
        }
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, room_set_up, room_tear_down)
        const struct CMUnitTest tests[] = {
                T(a_recovered_customer_is_asked_again_and_both_scores_are_kept),
                T(a_low_score_when_asked_again_opens_the_case_again_once_for_somebody_else),
                T(a_second_case_knows_of_the_first),
                T(a_report_counts_what_lies_behind_it),
                T(without_cases_a_report_has_no_means),
                T(an_erased_customer_leaves_numbers_and_no_words),
                T(two_customers_who_are_one_have_one_open_case),
                T(a_restart_knows_it_all),
                T(a_write_that_fails_anywhere_opens_none_and_the_answer_told_again_opens_one),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
