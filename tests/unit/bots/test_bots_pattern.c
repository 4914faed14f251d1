/* SPDX-License-Identifier: Apache-2.0 */
/* Patterns: words in order, in several scripts; and the words that hold in every bot. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "always.h"
#include "pattern.h"

static bool matches(const char *pattern, const char *text, const json_t *synonyms)
{
        struct bot_patterns *patterns = bot_patterns_new();
        struct bot_text normal;
        struct bot_pattern_hit hit;
        assert_non_null(patterns);
        assert_int_equal(bot_patterns_add(patterns, span_of(pattern), 0, 5, synonyms), 0);
        assert_int_equal(bot_patterns_seal(patterns), 0);
        bot_text_of(span_of(text), &normal);
        bool is_match = bot_patterns_match(patterns, &normal, NULL, &hit, 1) == 1;
        bot_patterns_free(patterns);
        return is_match;
}

static void words_match_in_order_and_in_every_script(void **state)
{
        static const struct {
                const char *pattern, *text;
                bool is_match;
        } cases[] = {
                {"refund", "I want a REFUND!", true},
                {"refund", "refunds", false},
                {"refund*", "refunds", true},
                {"refund*", "prefund", false},
                {"refund .. how", "refund please tell me how", true},
                {"refund .. how", "refund a b c how", true},
                {"refund .. how", "refund a b c d how", false},
                {"refund how", "refund, how?", true},
                {"refund how", "refund me how", false},
                {"how refund", "refund how", false},
                {"refund .. (how | policy | rule*)", "what are the refund rules", true},
                {"refund .. (how | money back)", "refund my money back", true},
                {"^ stop $", "stop!", true},
                {"^ stop $", "don't stop", false},
                {"^ stop $", "stop it", false},
                {"don't", "i don't know", true},
                {"환불", "환불해주세요", true},
                {"환불 방법", "환불하는 방법이 뭐예요", true},
                {"환불 방법", "환불방법", true},
                {"환불 .. 언제", "환불은 돈이 언제 들어와요", true},
                {"상담원 .. 연결", "상담원에게 지금 바로 연결해 주세요", true},
                {"退款", "我想要退款", true},
                {"退款 .. 多久", "退款一般需要多久到账", true},
                {"退款 .. 多久", "退款的事情我问过你们客服好几次了多久", false},
                {"返品 .. 方法", "返品する方法を教えて", true},
                {"オペレーター", "ｵﾍﾟﾚｰﾀｰお願いします", true},
        };
        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                if (matches(cases[i].pattern, cases[i].text, NULL) != cases[i].is_match)
                        fail_msg("%s on %s", cases[i].pattern, cases[i].text);
        }
}

static void a_synonym_stands_for_its_word_and_the_other_way_round(void **state)
{
        json_t *synonyms = json_loads("{\"refund\": [\"money back\", \"reimburse*\"]}", 0, NULL);
        (void)state;
        assert_true(matches("refund .. policy", "money back policy", synonyms));
        assert_true(matches("refund .. policy", "reimbursement policy", synonyms));
        assert_true(matches("(refund | bill) .. policy", "reimbursement policy", synonyms));
        assert_false(matches("refund .. policy", "money policy", synonyms));
        json_decref(synonyms);
}

static void what_cannot_be_read_is_refused_with_a_reason(void **state)
{
        static const char *const wrong[] = {
                "",      "   ",    "..",    "a ..", ".. a",  "a .. .. b", "(",   "(a",
                "(a | ", "(a | )", "a | b", ")",    "((a))", "!",         "a !", "a b c d e f g h i j k l m n o p q"};
        (void)state;
        for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
                if (!bot_pattern_wrong(span_of(wrong[i])))
                        fail_msg("taken: %s", wrong[i]);
        }
        assert_null(bot_pattern_wrong(SPAN("a .. (b c | d*) e")));
}

static void the_best_rule_is_first_by_priority_then_words_then_number(void **state)
{
        struct bot_patterns *patterns = bot_patterns_new();
        struct bot_text text;
        struct bot_pattern_hit hits[8];
        const uint8_t allowed[] = {0x0B};
        (void)state;
        assert_int_equal(bot_patterns_add(patterns, SPAN("order"), 0, 5, NULL), 0);
        assert_int_equal(bot_patterns_add(patterns, SPAN("order .. late"), 1, 5, NULL), 0);
        assert_int_equal(bot_patterns_add(patterns, SPAN("late"), 2, 7, NULL), 0);
        assert_int_equal(bot_patterns_add(patterns, SPAN("my"), 3, 5, NULL), 0);
        assert_int_equal(bot_patterns_seal(patterns), 0);
        bot_text_of(SPAN("my order is late, my order"), &text);
        assert_int_equal(bot_patterns_match(patterns, &text, NULL, hits, 8), 4);
        assert_int_equal(hits[0].rule, 2);
        assert_int_equal(hits[1].rule, 1);
        assert_int_equal(hits[2].rule, 0);
        assert_int_equal(hits[3].rule, 3);
        assert_int_equal(bot_patterns_match(patterns, &text, allowed, hits, 1), 1);
        assert_int_equal(hits[0].rule, 1);
        bot_patterns_free(patterns);
}

static void a_person_can_be_asked_for_in_each_language_and_questions_are_no_such_wish(void **state)
{
        static const struct {
                const char *lang, *text;
                int rule; /* -1 = none */
        } cases[] = {
                {"en", "a person please", ALWAYS_PERSON},
                {"en", "I want to talk to a human", ALWAYS_PERSON},
                {"en", "agent", ALWAYS_PERSON},
                {"en", "can I speak with someone?", ALWAYS_PERSON},
                {"en", "get me a real person", ALWAYS_PERSON},
                {"en", "how do I become an agent of yours", -1},
                {"en", "how many people can use one account", -1},
                {"en", "never mind", ALWAYS_STOP},
                {"en", "how do I cancel my order", -1},
                {"en", "start over", ALWAYS_RESTART},
                {"en", "I want to kill myself", ALWAYS_CARE},
                {"ko", "상담원 연결해 주세요", ALWAYS_PERSON},
                {"ko", "사람이랑 얘기하고 싶어요", ALWAYS_PERSON},
                {"ko", "상담원", ALWAYS_PERSON},
                {"ko", "상담 시간이 언제예요?", -1},
                {"ko", "주문 취소하고 싶어요", -1},
                {"ko", "그만", ALWAYS_STOP},
                {"ko", "처음부터 다시", ALWAYS_RESTART},
                {"zh", "转人工", ALWAYS_PERSON},
                {"zh", "我要找真人客服", ALWAYS_PERSON},
                {"zh", "我想跟人说话", ALWAYS_PERSON},
                {"zh", "怎么取消订单", -1},
                {"zh", "算了", ALWAYS_STOP},
                {"ja", "担当者と話したいです", ALWAYS_PERSON},
                {"ja", "オペレーターにつないでください", ALWAYS_PERSON},
                {"ja", "人と話したい", ALWAYS_PERSON},
                {"ja", "注文をキャンセルしたい", -1},
                {"ja", "やめます", ALWAYS_STOP},
                {"es", "quiero hablar con una persona", ALWAYS_PERSON},
                {"de", "ich möchte mit einem Menschen sprechen", ALWAYS_PERSON},
                {"fr", "je voudrais parler à une personne", ALWAYS_PERSON},
                {"ko", "agent please", ALWAYS_PERSON},
                {"en", "is there anybody real here", ALWAYS_PERSON},
                {"en", "I'd rather chat with an employee", ALWAYS_PERSON},
                {"en", "put me through to customer service", ALWAYS_PERSON},
                {"en", "human agent", ALWAYS_PERSON},
                {"en", "what does your customer service cost", -1},
                {"ko", "상담원 좀", ALWAYS_PERSON},
                {"ko", "상담원과 상담하고 싶습니다", ALWAYS_PERSON},
                {"zh", "有没有活人", ALWAYS_PERSON},
                {"zh", "叫你们客服来", ALWAYS_PERSON},
                {"zh", "能不能换个人来", ALWAYS_PERSON},
                {"zh", "怎么换个颜色", -1},
                {"ja", "担当の人を呼んで", ALWAYS_PERSON},
                {"ja", "係の方をお願いします", ALWAYS_PERSON},
        };
        struct always *always = always_new();
        (void)state;
        assert_non_null(always);
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct bot_text text;
                bot_text_of(span_of(cases[i].text), &text);
                int rule = always_match(always, cases[i].lang, &text);
                if (rule != cases[i].rule)
                        fail_msg("%s: %d", cases[i].text, rule);
        }
        always_free(always);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(words_match_in_order_and_in_every_script),
                cmocka_unit_test(a_synonym_stands_for_its_word_and_the_other_way_round),
                cmocka_unit_test(what_cannot_be_read_is_refused_with_a_reason),
                cmocka_unit_test(the_best_rule_is_first_by_priority_then_words_then_number),
                cmocka_unit_test(a_person_can_be_asked_for_in_each_language_and_questions_are_no_such_wish),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
