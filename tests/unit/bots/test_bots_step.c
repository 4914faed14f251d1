/* SPDX-License-Identifier: Apache-2.0 */
/* Turns: what the bot does with an event. The shop is in shop.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "shop.h"

static struct bot_version *shop;

static int open_shop(void **state)
{
        (void)state;
        shop = shop_open();
        return 0;
}

static int close_shop(void **state)
{
        (void)state;
        shop = bot_version_free(shop);
        return 0;
}

static struct trial talk(const char *locale)
{
        struct trial trial;
        assert_int_equal(trial_init(&trial, shop, locale, 1795222800000), 0);
        return trial;
}

static const json_t *action(const struct trial *trial, size_t at)
{
        return json_array_get(trial->turn.actions, at);
}

static const char *member(const struct trial *trial, size_t at, const char *name)
{
        const char *text = json_string_value(json_object_get(action(trial, at), name));
        return text ? text : "";
}

static size_t actions(const struct trial *trial)
{
        return json_array_size(trial->turn.actions);
}

static void says(struct trial *trial, const char *text)
{
        assert_int_equal(trial_says(trial, span_of(text)), 0);
}

static void taps(struct trial *trial, const char *what)
{
        assert_int_equal(trial_taps(trial, span_of(what)), 0);
}

static void a_question_is_answered_and_asked_whether_that_helped(void **state)
{
        struct trial trial = talk("en");
        (void)state;
        says(&trial, "When are you open?");
        assert_int_equal(actions(&trial), 2);
        assert_string_equal(member(&trial, 0, "text"), "We are open from 9 to 18.");
        assert_string_equal(member(&trial, 0, "rule"), "faq opening");
        assert_string_equal(member(&trial, 1, "do"), "choices");
        taps(&trial, "helped=yes");
        assert_string_equal(member(&trial, 0, "do"), "helped");
        assert_true(json_is_true(json_object_get(action(&trial, 0), "helped")));
        trial_done(&trial);
}

static void not_helped_goes_where_the_author_says_and_else_offers_a_person(void **state)
{
        struct trial trial = talk("en");
        (void)state;
        says(&trial, "refund policy");
        taps(&trial, "helped=no");
        assert_string_equal(member(&trial, 2, "do"), "handoff");
        assert_string_equal(member(&trial, 2, "to"), "billing");
        assert_string_equal(member(&trial, 2, "team"), "billing");
        assert_string_equal(member(&trial, 2, "priority"), "high");
        assert_string_equal(member(&trial, 2, "why"), "not_helped");
        trial_done(&trial);
        trial = talk("en");
        says(&trial, "when are you open");
        says(&trial, "no");
        taps(&trial, "Talk to a person");
        assert_string_equal(member(&trial, 1, "do"), "handoff");
        trial_done(&trial);
}

static void after_a_hand_off_the_bot_is_silent_for_good(void **state)
{
        struct trial trial = talk("en");
        (void)state;
        says(&trial, "a person please");
        assert_string_equal(member(&trial, 1, "do"), "handoff");
        assert_string_equal(member(&trial, 1, "why"), "asked");
        says(&trial, "When are you open?");
        assert_int_equal(actions(&trial), 0);
        assert_int_equal(trial_taps(&trial, SPAN("helped=yes")), 1);
        trial_done(&trial);
}

static void a_person_is_one_sentence_away_inside_a_flow_too(void **state)
{
        static const char *const wishes[][2] = {{"en", "I want to talk to a human"},
                                                {"ko", "상담원 연결해 주세요"},
                                                {"zh", "转人工"},
                                                {"ja", "担当者と話したいです"}};
        (void)state;
        for (size_t i = 0; i < 4; i++) {
                struct trial trial = talk(wishes[i][0]);
                says(&trial, i == 1 ? "반품하고 싶어요" : "I want to return an item");
                says(&trial, wishes[i][1]);
                assert_string_equal(member(&trial, actions(&trial) - 1, "do"), "handoff");
                trial_done(&trial);
        }
}

static void a_flow_asks_calls_branches_and_carries_what_it_learned(void **state)
{
        struct trial trial = talk("en");
        json_t *result = json_pack("{s:s,s:i}", "status", "lost", "age_days", 40);
        (void)state;
        says(&trial, "I want to return an item");
        assert_string_equal(member(&trial, 0, "text"), "What is your order number?");
        says(&trial, "it is kr-2041987");
        assert_string_equal(member(&trial, 0, "do"), "call");
        assert_string_equal(json_string_value(json_object_get(json_object_get(action(&trial, 0), "args"), "id")),
                            "kr-2041987");
        says(&trial, "are you there?");
        assert_int_equal(actions(&trial), 0);
        assert_int_equal(trial_call(&trial, result), 0);
        assert_string_equal(member(&trial, 0, "text"), "That is too old.");
        assert_string_equal(member(&trial, 1, "do"), "choices");
        says(&trial, "phone");
        assert_string_equal(member(&trial, 0, "text"), "It was a phone.");
        json_decref(result);
        trial_done(&trial);
}

static void an_order_number_in_the_first_sentence_is_not_asked_for_again(void **state)
{
        struct trial trial = talk("en");
        (void)state;
        says(&trial, "I want to return an item");
        says(&trial, "stop");
        assert_false(json_object_get(trial.turn.state, "flow"));
        trial_done(&trial);
        trial = talk("en");
        assert_int_equal(trial_says(&trial, SPAN("refund policy how")), 0);
        taps(&trial, "Start a return");
        assert_string_equal(member(&trial, 0, "text"), "What is your order number?");
        trial_done(&trial);
}

static void a_question_inside_a_flow_is_answered_once_then_the_flow_goes_on(void **state)
{
        struct trial trial = talk("en");
        (void)state;
        says(&trial, "I want to return an item");
        says(&trial, "when are you open");
        assert_string_equal(member(&trial, 0, "rule"), "faq opening");
        assert_string_equal(member(&trial, 1, "text"), "What is your order number?");
        says(&trial, "when are you open");
        assert_string_equal(member(&trial, 1, "text"), "It looks like KR-2041987");
        says(&trial, "no idea");
        assert_string_equal(member(&trial, actions(&trial) - 1, "do"), "handoff");
        trial_done(&trial);
}

static void outside_of_hours_the_other_branch_asks_for_an_address(void **state)
{
        struct trial trial = talk("en");
        (void)state;
        json_object_set_new(trial.facts, "open", json_false());
        says(&trial, "refund policy");
        taps(&trial, "Billing");
        assert_string_equal(member(&trial, 0, "text"), "Where can we write to you?");
        says(&trial, "to a@b.example");
        assert_string_equal(member(&trial, 0, "do"), "ticket");
        assert_string_equal(json_string_value(json_object_get(json_object_get(action(&trial, 0), "carry"), "mail")),
                            "a@b.example");
        trial_done(&trial);
}

static void misses_climb_the_ladder_to_a_person(void **state)
{
        struct trial trial = talk("en");
        (void)state;
        says(&trial, "qwzx plonk vrrm");
        assert_string_equal(member(&trial, 0, "text"), "Other words, please.");
        says(&trial, "grmpf hmpf");
        assert_string_equal(member(&trial, 0, "do"), "choices");
        says(&trial, "zzrk brrt");
        assert_string_equal(member(&trial, actions(&trial) - 1, "do"), "handoff");
        assert_string_equal(member(&trial, actions(&trial) - 1, "why"), "misses");
        trial_done(&trial);
}

static void the_same_answer_twice_comes_with_a_person(void **state)
{
        struct trial trial = talk("en");
        (void)state;
        says(&trial, "when are you open");
        says(&trial, "when are you open");
        assert_string_equal(member(&trial, 0, "rule"), "faq opening");
        assert_string_equal(json_string_value(json_object_get(
                                    json_array_get(json_object_get(action(&trial, 1), "options"), 0), "id")),
                            "person");
        trial_done(&trial);
}

static void the_customer_is_answered_in_the_language_he_writes(void **state)
{
        struct trial trial = talk("en");
        (void)state;
        says(&trial, "영업 시간이 어떻게 되나요");
        assert_string_equal(member(&trial, 0, "text"), "9시부터 18시까지예요.");
        assert_string_equal(json_string_value(json_object_get(trial.turn.state, "lang")), "ko");
        trial_done(&trial);
}

static void an_answer_with_a_condition_is_only_for_whom_it_holds(void **state)
{
        struct trial trial = talk("en");
        (void)state;
        says(&trial, "what is my gold bonus");
        assert_string_not_equal(member(&trial, 0, "rule"), "faq gold");
        trial_done(&trial);
        trial = talk("en");
        json_object_set_new(trial.facts, "plan", json_string("gold"));
        says(&trial, "what is my gold bonus");
        assert_string_equal(member(&trial, 0, "rule"), "faq gold");
        assert_int_equal(actions(&trial), 1);
        trial_done(&trial);
}

static void a_circle_of_flows_ends_with_a_person_and_much_talk_loses_no_word(void **state)
{
        struct trial trial = talk("en");
        (void)state;
        says(&trial, "run in circles");
        assert_string_equal(member(&trial, actions(&trial) - 1, "do"), "handoff");
        assert_string_equal(member(&trial, actions(&trial) - 1, "why"), "error");
        trial_done(&trial);
        trial = talk("en");
        says(&trial, "talk a lot");
        assert_int_equal(actions(&trial), BOT_TURN_ACTIONS);
        assert_string_equal(member(&trial, 3, "text"), "4\n\n5\n\n6\n\n7\n\nA person comes. Usual wait .");
        assert_string_equal(member(&trial, 4, "do"), "handoff");
        trial_done(&trial);
}

static void what_comes_from_outside_is_no_markup_in_a_text(void **state)
{
        struct trial trial = talk("en");
        json_t *result = json_pack("{s:s,s:s}", "status", "shipped", "tracking", "[x](http://evil) *b*");
        (void)state;
        says(&trial, "I want to return an item");
        says(&trial, "KR-2041987");
        assert_int_equal(trial_call(&trial, result), 0);
        assert_string_equal(member(&trial, 0, "text"), "On its way: \\[x\\](http://evil) \\*b\\*");
        json_decref(result);
        trial_done(&trial);
}

static void a_damaged_state_begins_anew(void **state)
{
        static const char *const damaged[] = {
                "",
                "{",
                "[]",
                "{\"v\":2}",
                "{\"v\":1}",
                "{\"v\":1,\"slots\":[]}",
                "{\"v\":1,\"slots\":{},\"at\":[-5]}",
                "{\"v\":1,\"slots\":{},\"turn\":-1}",
                "{\"v\":1,\"slots\":{},\"flow\":\"flow lost\",\"at\":[0]}",
                "{\"v\":1,\"slots\":{},\"flow\":\"flow return.start\",\"part\":\"steps\",\"at\":[99]}",
                "{\"v\":1,\"slots\":{},\"flow\":\"flow return.start\",\"part\":\"texts\",\"at\":[0,0,0]}"};
        const struct bot_event event = {.text = SPAN("when are you open")};
        (void)state;
        for (size_t i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++) {
                struct bot_turn turn;
                assert_int_equal(bot_step(shop, span_of(damaged[i]), &event, 0, &turn), 0);
                assert_true(json_array_size(turn.actions) > 0);
                bot_turn_done(&turn);
        }
}

static void a_changed_blob_is_refused_or_answers_but_never_breaks(void **state)
{
        struct bot_problems *problems = bot_problems_new();
        struct writer blob;
        const struct bot_event event = {.text = SPAN("when are you open")};
        (void)state;
        writer_init(&blob, NULL, 0);
        assert_int_equal(bot_version_build(bot_version_bot(shop), problems, &blob, NULL), 0);
        for (size_t at = 0; at < blob.len; at += 1 + blob.len / 600) {
                const char *wrong = NULL;
                struct bot_turn turn;
                blob.bytes[at] ^= 0x41;
                struct bot_version *version = bot_version_load((struct span){blob.bytes, blob.len}, &wrong);
                if (version && bot_step(version, SPAN(""), &event, 0, &turn) == 0)
                        bot_turn_done(&turn);
                assert_true(version || wrong);
                bot_version_free(version);
                assert_null(bot_version_load((struct span){blob.bytes, at}, &wrong));
                blob.bytes[at] ^= 0x41;
        }
        writer_done(&blob);
        bot_problems_free(problems);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_question_is_answered_and_asked_whether_that_helped),
                cmocka_unit_test(not_helped_goes_where_the_author_says_and_else_offers_a_person),
                cmocka_unit_test(after_a_hand_off_the_bot_is_silent_for_good),
                cmocka_unit_test(a_person_is_one_sentence_away_inside_a_flow_too),
                cmocka_unit_test(a_flow_asks_calls_branches_and_carries_what_it_learned),
                cmocka_unit_test(an_order_number_in_the_first_sentence_is_not_asked_for_again),
                cmocka_unit_test(a_question_inside_a_flow_is_answered_once_then_the_flow_goes_on),
                cmocka_unit_test(outside_of_hours_the_other_branch_asks_for_an_address),
                cmocka_unit_test(misses_climb_the_ladder_to_a_person),
                cmocka_unit_test(the_same_answer_twice_comes_with_a_person),
                cmocka_unit_test(the_customer_is_answered_in_the_language_he_writes),
                cmocka_unit_test(an_answer_with_a_condition_is_only_for_whom_it_holds),
                cmocka_unit_test(a_circle_of_flows_ends_with_a_person_and_much_talk_loses_no_word),
                cmocka_unit_test(what_comes_from_outside_is_no_markup_in_a_text),
                cmocka_unit_test(a_damaged_state_begins_anew),
                cmocka_unit_test(a_changed_blob_is_refused_or_answers_but_never_breaks),
        };
        return cmocka_run_group_tests(tests, open_shop, close_shop);
}
