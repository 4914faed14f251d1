/* SPDX-License-Identifier: Apache-2.0 */
/* The expressions that authors may write. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "match.h"

static struct bot_match *match_of(const char *pattern)
{
        const char *wrong = NULL;
        struct bot_match *match = bot_match_new(span_of(pattern), &wrong);
        if (!match)
                print_error("%s: %s\n", pattern, wrong);
        assert_non_null(match);
        return match;
}

static void each_part_of_the_language_matches_what_it_says(void **state)
{
        static const struct {
                const char *pattern, *text;
                bool is_match;
        } cases[] = {
                {"abc", "abc", true},
                {"abc", "ABC", true},
                {"abc", "ab", false},
                {"abc", "abcd", false},
                {"a.c", "a가c", true},
                {"[A-Z]{2}-?[0-9]{6,10}", "KR-2041987", true},
                {"[A-Z]{2}-?[0-9]{6,10}", "kr2041987", true},
                {"[A-Z]{2}-?[0-9]{6,10}", "KR-20419", false},
                {"[A-Z]{2}-?[0-9]{6,10}", "KR-20419870000", false},
                {"[^0-9]+", "abc", true},
                {"[^0-9]+", "ab3", false},
                {"a*b", "b", true},
                {"a*b", "aaaab", true},
                {"a+b", "b", false},
                {"a?b", "ab", true},
                {"a?b", "aab", false},
                {"(a|bc)+d", "abcad", true},
                {"(a|bc)+d", "abd", false},
                {"(ab){2}", "abab", true},
                {"(ab){2}", "ab", false},
                {"(ab){2,}", "ababab", true},
                {"(a|b|c)x", "cx", true},
                {"(a|b|c)x", "dx", false},
                {"\\d{3}\\.\\d", "123.4", true},
                {"\\w+@x", "a_9@x", true},
                {"[가-힣]+동", "서초동", true},
                {"x{0,2}y", "y", true},
                {"x{0,2}y", "xxxy", false},
                {"(a?){3}a{3}", "aaa", true},
                {"[a\\]]+", "a]a", true},
                {"[a-]+", "a-a", true},
        };
        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct bot_match *match = match_of(cases[i].pattern);
                if (bot_match_whole(match, span_of(cases[i].text)) != cases[i].is_match)
                        fail_msg("%s on %s", cases[i].pattern, cases[i].text);
                bot_match_free(match);
        }
}

static void what_is_wrong_is_named_and_nothing_is_made(void **state)
{
        static const char *const wrong[] = {
                "",         "(",          "(a",  "a)",  "[",     "[]",       "[a",     "[z-a]",
                "*a",       "a**",        "a{",  "a{2", "a{65}", "a{3,2}",   "a{x}",   "^a",
                "a$",       "\\",         "\\q", "a|*", "a{0}",  "\xff\xfe", "[\xff]", "((((((((((((((((((a",
                "a{64}{2}", "(a{64}){64}"};
        (void)state;
        for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
                const char *why = NULL;
                if (bot_match_new(span_of(wrong[i]), &why))
                        fail_msg("taken: %s", wrong[i]);
                assert_non_null(why);
        }
}

static void a_value_is_found_where_words_end(void **state)
{
        static const struct {
                const char *text, *found;
        } cases[] = {
                {"my order is KR-2041987, thanks", "KR-2041987"},
                {"주문번호는KR-2041987이에요", "KR-2041987"},
                {"XKR-2041987", NULL},
                {"KR-204198712345", NULL},
                {"kr2041987 or KR-111111", "kr2041987"},
                {"ＫＲ－２０４１９８７", "ＫＲ－２０４１９８７"},
        };
        struct bot_match *match = match_of("[A-Z]{2}-?[0-9]{6,10}");
        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct span found = {"", 0};
                bool is_found = bot_match_find(match, span_of(cases[i].text), &found);
                if (is_found != (cases[i].found != NULL) || (is_found && !span_equal(found, span_of(cases[i].found))))
                        fail_msg("%s gave %.*s", cases[i].text, (int)found.len, found.at);
        }
        bot_match_free(match);
}

/* What makes backtracking engines stand still: the work stays proportional to the text. */
static void time_grows_with_the_text_and_no_faster(void **state)
{
        struct bot_match *match = match_of("(a+)+b");
        char text[BOT_MATCH_TEXT];
        struct span found;
        (void)state;
        memset(text, 'a', sizeof(text));
        clock_t before = clock();
        for (int i = 0; i < 20; i++)
                assert_false(bot_match_find(match, (struct span){text, sizeof(text)}, &found));
        double each_ms = (double)(clock() - before) * 1000 / CLOCKS_PER_SEC / 20;
        print_message("(a+)+b on %zu letters: %.3f ms\n", sizeof(text), each_ms);
        assert_true(each_ms < 200); /* backtracking would need longer than the universe is old */
        bot_match_free(match);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(each_part_of_the_language_matches_what_it_says),
                cmocka_unit_test(what_is_wrong_is_named_and_nothing_is_made),
                cmocka_unit_test(a_value_is_found_where_words_end),
                cmocka_unit_test(time_grows_with_the_text_and_no_faster),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
