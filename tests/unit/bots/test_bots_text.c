/* SPDX-License-Identifier: Apache-2.0 */
/* A message as the bot reads it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "bots/text.h"

static struct bot_text text;

/* The points as UTF-8 below U+10000, for comparing. */
static const char *points_of(const char *utf8, size_t len)
{
        static char out[4 * BOT_TEXT_POINTS + 1];
        char *to = out;

        assert_int_equal(0, bot_text_of((struct span){utf8, len}, &text));
        for (size_t i = 0; i < text.count; i++) {
                uint32_t point = text.points[i];
                if (point < 0x80) {
                        *to++ = (char)point;
                } else if (point < 0x800) {
                        *to++ = (char)(0xc0 | point >> 6);
                        *to++ = (char)(0x80 | (point & 0x3f));
                } else {
                        *to++ = (char)(0xe0 | point >> 12);
                        *to++ = (char)(0x80 | (point >> 6 & 0x3f));
                        *to++ = (char)(0x80 | (point & 0x3f));
                }
        }
        *to = 0;
        return out;
}

static const char *read_text(const char *utf8)
{
        return points_of(utf8, strlen(utf8));
}

static const char *key_of(const char *utf8)
{
        static char key[BOT_TEXT_KEY + 1];

        bot_text_of(span_of(utf8), &text);
        key[bot_text_key(&text, key)] = 0;
        return key;
}

static void case_width_and_blanks_do_not_matter(void **state)
{
        (void)state;
        assert_string_equal("hello world 12", read_text("  HELLO\t\n Ｗｏｒｌｄ　１２ "));
        assert_string_equal("strasse", read_text("Straße"));
        assert_string_equal("カタカナ ガ", read_text("ｶﾀｶﾅ ｶﾞ"));
        assert_string_equal("don't", read_text("Don’t"));
}

static void accents_in_two_points_meet_those_in_one(void **state)
{
        (void)state;
        assert_string_equal("café", read_text("cafe\xcc\x81"));
        assert_string_equal("한글", read_text("\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab글")); /* single letters of 한 */
}

static void invisible_points_are_gone(void **state)
{
        (void)state;
        assert_string_equal("refund", read_text("re\xc2\xad"
                                                "fu\xe2\x80\x8bnd\xef\xbb\xbf"));
}

static void a_letter_stands_at_most_twice_in_a_row_but_digits_stay(void **state)
{
        (void)state;
        assert_string_equal("soo good 1000000", read_text("sooooooo good 1000000"));
        assert_int_equal(2, (bot_text_of(span_of("ㅋㅋㅋㅋㅋㅋ"), &text), text.count));
}

static void any_bytes_are_a_message(void **state)
{
        char bytes[256];

        (void)state;
        for (int i = 0; i < 256; i++)
                bytes[i] = (char)(255 - i);
        points_of(bytes, sizeof(bytes));
        assert_true(text.count > 60); /* the ASCII part is read */
        assert_string_equal("a b", points_of("a\xff\xfe\xc0"
                                             "b",
                                             5));
        assert_string_equal("", points_of("\xff\xff", 2));
        assert_string_equal("", points_of(NULL, 0));
}

static void at_most_a_thousand_points_are_read(void **state)
{
        static char many[30000];

        (void)state;
        for (size_t i = 0; i + 3 <= sizeof(many); i += 3)
                memcpy(many + i, "\xef\xb7\xba", 3); /* one point that becomes eighteen */
        points_of(many, sizeof(many));
        assert_int_equal(BOT_TEXT_POINTS, text.count);
        assert_true(text.is_cut);
        read_text("short");
        assert_false(text.is_cut);
}

static void offsets_lead_back_to_the_message(void **state)
{
        const char *message = "  주문 ＫＲ-2041987 언제?";

        (void)state;
        read_text(message);
        for (size_t i = 0; i < text.count; i++)
                if (text.points[i] == '2')
                        assert_memory_equal(message + text.offsets[i], "2041987", 7);
        assert_memory_equal(message + text.offsets[0], "주문", 6);
        assert_int_equal(strlen(message), text.offsets[text.count]);
}

static void check_token(size_t number, enum bot_script script, size_t len)
{
        assert_true(number < text.token_count);
        assert_int_equal(script, text.tokens[number].script);
        assert_int_equal(len, text.tokens[number].len);
}

static void tokens_are_runs_of_one_script(void **state)
{
        (void)state;
        read_text("don't 환불해줘 iPhone15 返品したい!?");
        check_token(0, BOT_SCRIPT_LATIN, 5);
        check_token(1, BOT_SCRIPT_HANGUL, 4);
        check_token(2, BOT_SCRIPT_LATIN, 6);
        check_token(3, BOT_SCRIPT_DIGIT, 2);
        check_token(4, BOT_SCRIPT_HAN, 2);
        check_token(5, BOT_SCRIPT_KANA, 3);
        check_token(6, BOT_SCRIPT_MARK, 1);
        check_token(7, BOT_SCRIPT_MARK, 1);
        assert_int_equal(8, text.token_count);
}

static void check_language(const char *expected, const char *message, const char *hint)
{
        bot_text_of(span_of(message), &text);
        assert_string_equal(expected, bot_language_of(&text, hint));
}

static void the_script_tells_the_language_before_the_profile(void **state)
{
        (void)state;
        check_language("ko", "아이폰 배송 언제 와요", "en");
        check_language("ja", "返品したいです", NULL);
        check_language("zh", "我想退货", NULL);
        check_language("ja", "返品可能", "ja-JP"); /* Han alone: the profile decides */
        check_language("ko", "iPhone 환불", "en-US");
        check_language("en", "where is my order", "ko");
}

static void small_words_tell_languages_of_latin_letters(void **state)
{
        (void)state;
        check_language("es", "¿dónde está mi pedido?", NULL);
        check_language("de", "wo ist meine Bestellung", NULL);
        check_language("fr", "où est ma commande", NULL);
        check_language("en", "refund", NULL);
        check_language("de", "refund", "de_AT");
        check_language("ko", "12345", "ko");
}

static void the_key_knows_no_blanks_and_no_marks(void **state)
{
        (void)state;
        assert_string_equal("환불해주세요", key_of("환불 해 주세요!!"));
        assert_string_equal(key_of("Where's my order"), key_of("wheres MY order?"));
        assert_string_equal("!?", key_of("! ?")); /* of marks alone they stay */
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(case_width_and_blanks_do_not_matter),
                cmocka_unit_test(accents_in_two_points_meet_those_in_one),
                cmocka_unit_test(invisible_points_are_gone),
                cmocka_unit_test(a_letter_stands_at_most_twice_in_a_row_but_digits_stay),
                cmocka_unit_test(any_bytes_are_a_message),
                cmocka_unit_test(at_most_a_thousand_points_are_read),
                cmocka_unit_test(offsets_lead_back_to_the_message),
                cmocka_unit_test(tokens_are_runs_of_one_script),
                cmocka_unit_test(the_script_tells_the_language_before_the_profile),
                cmocka_unit_test(small_words_tell_languages_of_latin_letters),
                cmocka_unit_test(the_key_knows_no_blanks_and_no_marks),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
