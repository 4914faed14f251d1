/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "store/tokens.h"

struct list {
        char text[4000];
        int count, stop_after;
};

/* "a|b|+c": c is beside b. */
static int add(void *data, struct span token, bool is_beside)
{
        struct list *list = data;
        size_t len = strlen(list->text);
        snprintf(list->text + len, sizeof list->text - len, "%s%s%.*s", len ? "|" : "", is_beside ? "+" : "",
                 (int)token.len, token.at);
        return ++list->count == list->stop_after ? 7 : 0;
}

static void cuts(const char *text, enum token_purpose purpose, const char *expected)
{
        struct list list = {.text = ""};
        assert_int_equal(0, tokens_cut(span_of(text), purpose, add, &list));
        assert_string_equal(expected, list.text);
}

static void asks(const char *typed, const char *expected)
{
        char *query = NULL;
        int terms = tokens_query(span_of(typed), "{body}", &query);
        assert_int_equal(expected ? 1 : 0, terms > 0);
        if (expected)
                assert_string_equal(expected, query);
        else
                assert_null(query);
        free(query);
}

static void words_are_folded_and_cut_at_everything_else(void **state)
{
        (void)state;
        cuts("Refund my ORDER, please!", TOKENS_TEXT, "refund|my|order|please");
        cuts("Straße ΣΊΣΥΦΟΣ Ａｂｃ１２", TOKENS_TEXT, "strasse|σίσυφοσ|abc12");
        cuts("e\xcc\x81t\xc3\xa9 \xef\xac\x81x", TOKENS_TEXT, "\xc3\xa9t\xc3\xa9|fix");
        cuts("order-4711/b a.b@c.de", TOKENS_TEXT, "order|4711|b|a|b|c|de");
        cuts("  \t\n ...", TOKENS_TEXT, "");
        cuts("", TOKENS_TEXT, "");
}

static void pairs_overlap_and_the_last_character_stands_alone(void **state)
{
        (void)state;
        cuts("환불해주세요", TOKENS_TEXT, "환불|불해|해주|주세|세요|요");
        cuts("我要退款", TOKENS_TEXT, "我要|要退|退款|款");
        cuts("返金してほしい", TOKENS_TEXT, "返金|金し|して|てほ|ほし|しい|い");
        cuts("キャンセル", TOKENS_TEXT, "キャ|ャン|ンセ|セル|ル");
        cuts("ｷｬﾝｾﾙ", TOKENS_TEXT, "キャ|ャン|ンセ|セル|ル");
        cuts("\xf0\xa0\xae\xb7\xe9\x87\x8e", TOKENS_TEXT, "\xf0\xa0\xae\xb7\xe9\x87\x8e|\xe9\x87\x8e");
}

static void decomposed_hangul_is_the_same_as_composed(void **state)
{
        (void)state;
        cuts("\xe1\x84\x92\xe1\x85\xaa\xe1\x86\xab\xe1\x84\x87\xe1\x85\xae\xe1\x86\xaf", TOKENS_TEXT, "환불|불");
}

static void spaces_inside_hangul_have_a_second_form_without_them(void **state)
{
        (void)state;
        cuts("환 불", TOKENS_TEXT, "환|+환불|불");
        cuts("교환 불가", TOKENS_TEXT, "교환|환|+환불|불가|가");
        cuts("환. 불", TOKENS_TEXT, "환|불");
        cuts("退 款", TOKENS_TEXT, "退|款");
        cuts("환 a 불", TOKENS_TEXT, "환|a|불");
        cuts("환 ", TOKENS_TEXT, "환");
}

static void scripts_that_meet_are_parted(void **state)
{
        (void)state;
        cuts("refund해줘 iPhone15を返金", TOKENS_TEXT, "refund|해줘|줘|iphone15|を返|返金|金");
}

static void a_query_has_pairs_only(void **state)
{
        (void)state;
        cuts("환불해", TOKENS_QUERY, "환불|불해");
        cuts("환", TOKENS_QUERY, "환");
        cuts("환 불", TOKENS_QUERY, "환|불");
}

static void the_caller_can_stop(void **state)
{
        (void)state;
        struct list list = {.text = "", .stop_after = 2};
        assert_int_equal(7, tokens_cut(SPAN("a b c d"), TOKENS_TEXT, add, &list));
        assert_string_equal("a|b", list.text);
        struct list pairs = {.text = "", .stop_after = 1};
        assert_int_equal(7, tokens_cut(SPAN("환불해"), TOKENS_TEXT, add, &pairs));
        assert_string_equal("환불", pairs.text);
}

static void long_words_are_cut_at_whole_characters(void **state)
{
        (void)state;
        char text[200], expected[200];
        memset(text, 'x', sizeof text - 1);
        text[sizeof text - 1] = 0;
        snprintf(expected, sizeof expected, "%.64s", text);
        cuts(text, TOKENS_TEXT, expected);
        struct list list = {.text = ""};
        char greek[121];
        for (int i = 0; i < 40; i++)
                memcpy(greek + 3 * i, "\xe1\xbc\x80", 3); /* 3 bytes each: 64 is inside one */
        assert_int_equal(0, tokens_cut((struct span){greek, 120}, TOKENS_TEXT, add, &list));
        assert_int_equal(63, strlen(list.text));
}

static void bytes_that_are_no_text_part_words(void **state)
{
        (void)state;
        cuts("ab\xff"
             "cd\xc3",
             TOKENS_TEXT, "ab|cd");
        cuts("\xed\xa0\x80x\xf4\x90\x80\x80", TOKENS_TEXT, "x");
        struct list list = {.text = ""};
        assert_int_equal(0, tokens_cut((struct span){"a\0b", 3}, TOKENS_TEXT, add, &list));
        assert_string_equal("a|b", list.text);
}

static void a_query_is_all_its_words_in_one_column(void **state)
{
        (void)state;
        asks("refun", "{body} : (\"refun\" *)");
        asks("Refund 환불 退", "{body} : (\"refund\" * AND \"환불\" AND \"退\" *)");
        asks("환 불", "{body} : (\"환\" * AND \"불\" *)");
        asks("?!", NULL);
        asks("", NULL);
}

static void syntax_that_is_typed_is_data(void **state)
{
        (void)state;
        asks("\"a\" OR b", "{body} : (\"a\" * AND \"or\" * AND \"b\" *)");
        asks("scope:x NOT (y*) NEAR/2 ^z {body}", "{body} : (\"scope\" * AND \"x\" * AND \"not\" * AND \"y\" * AND "
                                                  "\"near\" * AND \"2\" * AND \"z\" * AND \"body\" *)");
}

static void a_query_has_an_end(void **state)
{
        (void)state;
        char *query = NULL;
        assert_int_equal(QUERY_MAX_TERMS,
                         tokens_query(SPAN("a b c d e f g h i j k l m n o p q r s t"), "{body}", &query));
        assert_null(strstr(query, "\"q\""));
        free(query);
}

/* Whatever bytes come, tokens are never empty, never too long, and a text's own first token is one of its tokens again.
 */
static int check_token(void *data, struct span token, bool is_beside)
{
        (void)data, (void)is_beside;
        assert_true(token.len > 0 && token.len <= TOKEN_MAX_BYTES);
        return 0;
}

static void random_bytes_are_cut_without_harm(void **state)
{
        (void)state;
        static const char *const bits[] = {"환", "불", " ",    "退",           "か",       "゛", "a",
                                           "Z",  "9",  "\xff", "\xe1\x84",     "\xcc\x81", "\n", "\"",
                                           "𠮷", "ㅋ", "ﷺ",    "\xe2\x80\x8d", "ß",        "İ"};
        unsigned seed = 1;
        for (int round = 0; round < 20000; round++) {
                char text[128] = "";
                int parts = rand_r(&seed) % 12;
                for (int i = 0; i < parts; i++)
                        strcat(text, bits[(size_t)rand_r(&seed) % (sizeof bits / sizeof *bits)]);
                assert_int_equal(0, tokens_cut(span_of(text), TOKENS_TEXT, check_token, NULL));
                assert_int_equal(0, tokens_cut(span_of(text), TOKENS_QUERY, check_token, NULL));
                char *query = NULL;
                assert_true(tokens_query(span_of(text), "{body}", &query) >= 0);
                free(query);
        }
}

/* The hit, or "-" when not all words are there. */
static const char *finds(const char *text, const char *typed)
{
        static char hit[200];
        struct span found = {0};
        if (tokens_find(span_of(text), span_of(typed), &found) != 1)
                return "-";
        snprintf(hit, sizeof hit, "%.*s", (int)found.len, found.at);
        return hit;
}

static void a_hit_is_pointed_at_as_it_stands_in_the_text(void **state)
{
        (void)state;
        assert_string_equal("REFUN", finds("a full REFUND, please", "refun"));
        assert_string_equal("-", finds("a full REFUND, please", "fund"));
        assert_string_equal("Full", finds("Full refund", "refund full"));
        assert_string_equal("-", finds("Full refund", "refund empty"));
        assert_string_equal("환 불", finds("교환 환 불해주세요", "환불"));
        assert_string_equal("환", finds("환불해주세요", "환 불"));
        assert_string_equal("退款", finds("我要退款，谢谢", "退款"));
        assert_string_equal("返", finds("返金をお願いします", "返"));
        assert_string_equal("ｶﾞ", finds("ｶﾞｽ", "ガ"));
        assert_string_equal("e\u0301t", finds("un e\u0301te", "ÉT"));
        assert_string_equal("ﬃ", finds("oﬃce ﬃx", "ffi"));
        assert_string_equal("-", finds("", "x"));
        assert_string_equal("-", finds("x", "?!"));
}

static void whatever_is_looked_for_a_hit_lies_within_its_text(void **state)
{
        (void)state;
        static const char *const bits[] = {"환",       "불",       " ",  "退", "か", "゛", "a", "Z", "\xff",
                                           "\xe1\x84", "\xcc\x81", "\n", "𠮷", "ㅋ", "ﷺ",  "ß", "İ", "ﾞ"};
        unsigned seed = 7;
        for (int round = 0; round < 20000; round++) {
                char text[160] = "", typed[64] = "";
                for (int i = rand_r(&seed) % 14; i > 0; i--)
                        strcat(text, bits[(size_t)rand_r(&seed) % (sizeof bits / sizeof *bits)]);
                for (int i = rand_r(&seed) % 3; i >= 0; i--)
                        strcat(typed, bits[(size_t)rand_r(&seed) % (sizeof bits / sizeof *bits)]);
                struct span hit = {0};
                if (tokens_find(span_of(text), span_of(typed), &hit) != 1)
                        continue;
                assert_true(hit.len > 0 && hit.at >= text && hit.at + hit.len <= text + strlen(text));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(words_are_folded_and_cut_at_everything_else),
                cmocka_unit_test(pairs_overlap_and_the_last_character_stands_alone),
                cmocka_unit_test(decomposed_hangul_is_the_same_as_composed),
                cmocka_unit_test(spaces_inside_hangul_have_a_second_form_without_them),
                cmocka_unit_test(scripts_that_meet_are_parted),
                cmocka_unit_test(a_query_has_pairs_only),
                cmocka_unit_test(the_caller_can_stop),
                cmocka_unit_test(long_words_are_cut_at_whole_characters),
                cmocka_unit_test(bytes_that_are_no_text_part_words),
                cmocka_unit_test(a_query_is_all_its_words_in_one_column),
                cmocka_unit_test(syntax_that_is_typed_is_data),
                cmocka_unit_test(a_query_has_an_end),
                cmocka_unit_test(random_bytes_are_cut_without_harm),
                cmocka_unit_test(a_hit_is_pointed_at_as_it_stands_in_the_text),
                cmocka_unit_test(whatever_is_looked_for_a_hit_lies_within_its_text),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
