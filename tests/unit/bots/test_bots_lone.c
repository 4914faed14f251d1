/* SPDX-License-Identifier: Apache-2.0 */
/* The lone answer: what a device says without the server is what a step would say first, and only where nothing depends
 * on the server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bots/lone.h"
#include "shop.h"

static struct bot_version *bot;

static void open_bot(const char *text)
{
        bot = shop_build(&text, 1);
}

static int close_bot(void **state)
{
        (void)state;
        bot = bot_version_free(bot);
        return 0;
}

/* The rule; "" = none. */
static const char *rule_for(const char *text, const char *locale)
{
        static char rule[BOT_LONE_RULE];
        struct bot_lone found;
        int rc = bot_lone_answer(bot, span_of(text), locale, &found);
        assert_in_range(rc, 0, 1);
        if (rc == 0)
                return "";
        snprintf(rule, sizeof(rule), "%s", found.rule);
        free(found.text);
        return rule;
}

static void a_sure_answer_is_said_in_the_customers_language(void **state)
{
        (void)state;
        struct bot_lone found;
        bot = shop_open();
        assert_int_equal(1, bot_lone_answer(bot, SPAN("When are you open?"), NULL, &found));
        assert_string_equal("We are open from 9 to 18.", found.text);
        assert_string_equal("faq opening", found.rule);
        free(found.text);
        assert_int_equal(1, bot_lone_answer(bot, SPAN("영업 시간이 어떻게 되나요"), "ko-KR", &found));
        assert_string_equal("9시부터 18시까지예요.", found.text);
        free(found.text);
        /* A pattern, with buttons: without the server only the text is of use. */
        assert_int_equal(1, bot_lone_answer(bot, SPAN("your refund policy"), "en", &found));
        assert_string_equal("You can return items within 30 days.", found.text);
        free(found.text);
}

static void dialogues_misses_and_empty_messages_are_left_to_the_server(void **state)
{
        (void)state;
        bot = shop_open();
        assert_string_equal("", rule_for("I want to return an item", NULL)); /* a flow */
        assert_string_equal("", rule_for("qwertz uiop", NULL));
        assert_string_equal("", rule_for("", NULL));
        assert_string_equal("", rule_for("  \n ", NULL));
        assert_string_equal("", rule_for("\xff\xfe", NULL));
}

static void words_that_always_hold_are_never_answered_here(void **state)
{
        (void)state;
        open_bot("bot 1\nlang en\nfaq people\n  ? I want to talk to a person\n  ? 사람과 상담하고 싶어요\n"
                 "  ? 转人工\n  ? 人と話したい\n  = Everybody is asleep.\n");
        assert_string_equal("", rule_for("I want to talk to a person", "en"));
        assert_string_equal("", rule_for("상담원 연결해 주세요", "ko"));
        assert_string_equal("", rule_for("转人工", "zh"));
        assert_string_equal("", rule_for("人と話したい", "ja"));
}

static void an_answer_with_a_condition_is_none_and_makes_no_room_for_the_next_best(void **state)
{
        (void)state;
        open_bot("bot 1\nlang en\n"
                 "faq gold when plan == \"gold\"\n  ? what is my bonus\n  ? how much bonus do I get\n  = 5 %.\n"
                 "faq silver\n  ? what is my discount\n  ? how much discount do I get\n  = None.\n");
        assert_string_equal("", rule_for("what is my bonus", NULL));
        assert_string_equal("", rule_for("how much bonus do I get", NULL));
        assert_string_equal("faq silver", rule_for("what is my discount", NULL));
}

static void what_goes_on_elsewhere_or_needs_the_server_to_say_it_is_none(void **state)
{
        (void)state;
        open_bot("bot 1\nlang en\n"
                 "faq wait\n  ? how long do I wait\n  = About $wait.\n"
                 "faq page\n  ? where is the manual\n  article manual/start\n"
                 "faq on\n  ? can you start it for me\n  = Yes.\n  goto flow do\n"
                 "faq both\n  ? where is the price list\n  = It is on our pages.\n  article prices\n"
                 "flow do\n  ? do it\n  say \"Done.\"\n");
        assert_string_equal("", rule_for("how long do I wait", NULL));
        assert_string_equal("", rule_for("where is the manual", NULL));
        assert_string_equal("", rule_for("can you start it for me", NULL));
        assert_string_equal("faq both", rule_for("where is the price list", NULL));
}

/* The first thing a step says of a new conversation, and from which answer; NULL: something else than an answer. */
static void check_as_a_step(const char *question, const char *lang, int *found_count)
{
        struct bot_event event = {.kind = BOT_EVENT_MESSAGE, .text = span_of(question), .locale = lang};
        struct bot_turn turn;
        struct bot_lone found;
        if (bot_lone_answer(bot, span_of(question), lang, &found) != 1)
                return;
        ++*found_count;
        assert_int_equal(0, bot_step(bot, SPAN(""), &event, 0, &turn));
        const json_t *first = json_array_get(turn.actions, 0);
        assert_string_equal(json_string_value(json_object_get(first, "rule")), found.rule);
        /* Variants are chosen by conversation and turn: the same text, or another of the same answer. */
        assert_non_null(json_string_value(json_object_get(first, "text")));
        bot_turn_done(&turn);
        free(found.text);
}

static void every_answer_is_the_one_that_a_step_gives(void **state)
{
        (void)state;
        int found = 0, asked = 0;
        bot = shop_open();
        const char *name, *lang;
        json_t *faq, *texts, *question;
        json_object_foreach((json_t *)json_object_get(bot_version_bot(bot), "faqs"), name, faq) {
                json_object_foreach(json_object_get(faq, "texts"), lang, texts) {
                        size_t i;
                        json_array_foreach(json_object_get(texts, "examples"), i, question) {
                                asked++;
                                check_as_a_step(json_string_value(question), lang, &found);
                        }
                }
        }
        assert_int_equal(5, asked);
        assert_int_equal(4, found); /* all but the one with a condition */
}

int main(void)
{
#define T(name) cmocka_unit_test_teardown(name, close_bot)
        const struct CMUnitTest tests[] = {
                T(a_sure_answer_is_said_in_the_customers_language),
                T(dialogues_misses_and_empty_messages_are_left_to_the_server),
                T(words_that_always_hold_are_never_answered_here),
                T(an_answer_with_a_condition_is_none_and_makes_no_room_for_the_next_best),
                T(what_goes_on_elsewhere_or_needs_the_server_to_say_it_is_none),
                T(every_answer_is_the_one_that_a_step_gives),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
