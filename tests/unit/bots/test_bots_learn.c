/* SPDX-License-Identifier: Apache-2.0 */
/* Questions become examples. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "bots/check.h"
#include "bots/learn.h"

static const char files[] = "bot 1\n"
                            "lang en\n"
                            "faq opening\n"
                            "  ? When are you open?\n"
                            "  = We are open from 9 to 18.\n"
                            "flow return.start\n"
                            "  ? I want to return an item\n"
                            "  say \"Thank you.\"\n"
                            "lang zh\n"
                            "faq opening\n"
                            "  ? 几点开门\n"
                            "  = 九点\n";

static json_t *bot;

static int read_bot(void **state)
{
        struct bot_file file = {"shop.bot", SPAN(files)};
        struct bot_problems *problems = bot_problems_new();
        (void)state;
        bot = bot_source_read(&file, 1, problems, NULL);
        assert_non_null(bot);
        assert_true(bot_check(bot, NULL, NULL, problems));
        bot_problems_free(problems);
        return 0;
}

static int drop_bot(void **state)
{
        (void)state;
        json_decref(bot);
        return 0;
}

static json_t *learn(const char *answer, const char *lang, const char *text, size_t *out_added)
{
        struct bot_lesson lesson = {span_of(text), lang};
        return bot_learn(bot, answer, &lesson, 1, out_added);
}

/* The last example of an answer. */
static const char *last_of(const json_t *learned, const char *group, const char *name, const char *member,
                           const char *lang)
{
        const json_t *answer = json_object_get(json_object_get(learned, group), name);
        const json_t *list = json_object_get(json_object_get(json_object_get(answer, member), lang), "examples");
        return json_string_value(json_array_get(list, json_array_size(list) - 1));
}

static void a_question_becomes_the_last_example_and_the_bot_still_passes_its_check(void **state)
{
        size_t added = 9;
        struct bot_problems *problems = bot_problems_new();
        (void)state;
        json_t *learned = learn("faq opening", "en", "  until when\nmay I  come? ", &added);
        assert_int_equal(1, added);
        assert_string_equal("until when may I come?", last_of(learned, "faqs", "opening", "texts", "en"));
        assert_true(bot_check(learned, NULL, NULL, problems));
        bot_problems_free(problems);
        json_decref(learned);
}

static void a_question_that_begins_a_flow_becomes_a_trigger(void **state)
{
        size_t added = 0;
        (void)state;
        json_t *learned = learn("flow return.start", "en", "send it back", &added);
        assert_string_equal("send it back", last_of(learned, "flows", "return.start", "triggers", "en"));
        json_decref(learned);
}

static void the_bot_that_was_given_does_not_change(void **state)
{
        size_t added = 0;
        char *before = bot_canonical(bot);
        (void)state;
        json_decref(learn("faq opening", "en", "until when?", &added));
        char *after = bot_canonical(bot);
        assert_string_equal(before, after);
        free(before);
        free(after);
}

static void what_reads_like_an_example_is_there_already(void **state)
{
        size_t added = 9;
        char *before = bot_canonical(bot);
        (void)state;
        json_t *learned = learn("faq opening", "en", "WHEN are you, open", &added);
        assert_int_equal(0, added);
        char *after = bot_canonical(learned);
        assert_string_equal(before, after);
        free(before);
        free(after);
        json_decref(learned);
}

static void a_language_falls_back_as_the_bot_does(void **state)
{
        size_t added = 0;
        (void)state;
        json_t *learned = learn("faq opening", "zh-TW", "星期天开门吗", &added);
        assert_string_equal("星期天开门吗", last_of(learned, "faqs", "opening", "texts", "zh"));
        json_decref(learned);
        learned = learn("faq opening", "ko", "몇 시에 열어요", &added);
        assert_string_equal("몇 시에 열어요", last_of(learned, "faqs", "opening", "texts", "en"));
        json_decref(learned);
        learned = learn("flow return.start", "zh", "我要退货", &added); /* spoken elsewhere in the bot */
        assert_string_equal("我要退货", last_of(learned, "flows", "return.start", "triggers", "zh"));
        json_decref(learned);
}

static void an_answer_that_is_not_there_learns_nothing(void **state)
{
        static const char *const names[] = {"faq closing", "opening", "flow opening", "faq ", "", "handoff default"};
        (void)state;
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
                size_t added = 9;
                assert_null(learn(names[i], "en", "until when?", &added));
                assert_int_equal(0, added);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_question_becomes_the_last_example_and_the_bot_still_passes_its_check),
                cmocka_unit_test(a_question_that_begins_a_flow_becomes_a_trigger),
                cmocka_unit_test(the_bot_that_was_given_does_not_change),
                cmocka_unit_test(what_reads_like_an_example_is_there_already),
                cmocka_unit_test(a_language_falls_back_as_the_bot_does),
                cmocka_unit_test(an_answer_that_is_not_there_learns_nothing),
        };
        return cmocka_run_group_tests(tests, read_bot, drop_bot);
}
