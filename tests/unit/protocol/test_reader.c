/* SPDX-License-Identifier: Apache-2.0 */
/* The reader against another JSON reader: on thousands of damaged texts both accept and refuse the same, and where both
 * accept they see the same values. Where our limits are narrower by design, the fault says so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "protocol_generated.h"
#include "random_value.h"
#include "utf8.h"

enum { MUTATIONS = 60000, TEXT_BYTES = 512 };

static const char *const seeds[] = {
        "{}",
        "[]",
        "null",
        "true",
        "false",
        "\"\"",
        "0",
        "-0",
        "-12.5e+10",
        "1E5",
        "9223372036854775807",
        "-9223372036854775808",
        "9223372036854775808",
        " [ 1 , 2.5 , \"x\" , null , { \"a\" : [ ] } ] ",
        "{\"a\":1,\"b\":{\"a\":2},\"c\":[{\"a\":3},{\"a\":4}]}",
        "{\"a\":1,\"\\u0061\":2}",
        "{\"\":0,\"b\\n\":1,\"b\\u000a2\":2}",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e9\\uD55C\\ud83d\\ude00\"",
        "\"é한글語€😀🇰🇷\xef\xbf\xbf\xf4\x8f\xbf\xbf\"",
        "\"\\ud800\"",
        "\"\\udc00\\ud800\"",
        "\"\\u0000\"",
        "{\"jsonrpc\":\"2.0\",\"id\":17,\"method\":\"m\",\"params\":{\"text\":\"안녕 \\\"there\\\"\\n\"}}",
        "[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]",
};

enum { SEEDS = sizeof(seeds) / sizeof(seeds[0]) };

static int check(char *bytes, size_t len, struct fault *fault)
{
        struct reader reader;
        struct arena arena;
        int rc;

        arena_init(&arena, NULL, 0);
        reader_init(&reader, bytes, len, READER_STRICT, &arena, fault);
        rc = reader_skip(&reader);
        if (rc == 0)
                rc = reader_end(&reader);
        arena_done(&arena);
        return rc;
}

/* Decodes the same value as `json` and compares. */
static void same_value(struct reader *reader, const json_t *json);

static void same_object(struct reader *reader, const json_t *json)
{
        struct span name;
        size_t count = 0;

        assert_int_equal(0, reader_object(reader, ""));
        for (bool first = true; reader_member(reader, first, &name) > 0; first = false) {
                char key[TEXT_BYTES];

                memcpy(key, name.at, name.len);
                key[name.len] = '\0';
                assert_non_null(json_object_get(json, key));
                same_value(reader, json_object_get(json, key));
                count++;
        }
        assert_int_equal(json_object_size(json), count);
}

static void same_text(struct reader *reader, const json_t *json)
{
        struct reader_text text;

        assert_int_equal(0, reader_text(reader, "", &text));
        assert_int_equal(json_string_length(json), text.span.len);
        assert_memory_equal(json_string_value(json), text.span.at, text.span.len);
        assert_int_equal(utf8_count(text.span.at, text.span.len), text.points);
}

static void same_array(struct reader *reader, const json_t *json)
{
        size_t count = 0;

        assert_int_equal(0, reader_array(reader, ""));
        for (bool first = true; reader_item(reader, first) > 0; first = false)
                same_value(reader, json_array_get(json, count++));
        assert_int_equal(json_array_size(json), count);
}

static void same_value(struct reader *reader, const json_t *json)
{
        int64_t number;
        bool truth;

        switch (json_typeof(json)) {
        case JSON_OBJECT:
                same_object(reader, json);
                break;
        case JSON_ARRAY:
                same_array(reader, json);
                break;
        case JSON_STRING:
                same_text(reader, json);
                break;
        case JSON_INTEGER:
                assert_int_equal(0, reader_int(reader, "", &number));
                assert_true(json_integer_value(json) == number);
                break;
        case JSON_TRUE:
        case JSON_FALSE:
                assert_int_equal(0, reader_bool(reader, "", &truth));
                assert_int_equal(json_is_true(json), truth);
                break;
        default:
                assert_int_equal(0, reader_skip(reader));
                break;
        }
}

static bool is_own_limit(const struct fault *fault)
{
        return strcmp(fault->expected, "less nesting") == 0 ||
               strcmp(fault->expected, "fewer members in one object") == 0 ||
               strcmp(fault->expected, "a shorter number") == 0;
}

static void agrees(const char *text, size_t len)
{
        char bytes[TEXT_BYTES], untouched[TEXT_BYTES];
        struct fault fault = {0};
        json_error_t error;
        json_t *json = json_loadb(text, len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &error);
        int rc;

        memcpy(bytes, text, len);
        memcpy(untouched, text, len);
        rc = check(bytes, len, &fault);
        assert_memory_equal(untouched, bytes, len); /* the checking pass changes nothing */
        if (rc == 0 && json) {
                struct reader reader;
                struct arena arena;

                arena_init(&arena, NULL, 0);
                reader_init(&reader, bytes, len, READER_STRICT, &arena, &fault);
                same_value(&reader, json);
                arena_done(&arena);
        } else if ((rc == 0) != !!json && !is_own_limit(&fault) &&
                   !memchr(text, '\0', len) && /* it drops some of them */
                   !(!json && json_error_code(&error) == json_error_numeric_overflow)) {
                fail_msg("%s accepts: %.*s (%s / %s)", json ? "the other" : "ours", (int)len, text, fault.expected,
                         error.text);
        }
        json_decref(json);
}

static size_t mutate(struct random *random, char *text, size_t len)
{
        static const char *const pieces[] = {"{",        "}",
                                             "[",        "]",
                                             ",",        ":",
                                             "\"",       "\\",
                                             "\\u",      "\\ud83d",
                                             "\\u0000",  "0",
                                             "-",        "1e9",
                                             "null",     "\xed\xa0\x80",
                                             "\xc0\x80", "\xf0\x9f\x98\x80",
                                             " ",        "\n",
                                             "\x01",     "\"a\":",
                                             "\"a\":1,", ".5",
                                             "\xff"};
        const char *piece = pieces[random_below(random, sizeof(pieces) / sizeof(pieces[0]))];
        size_t at = random_below(random, len + 1), bytes = strlen(piece);

        switch (random_below(random, 4)) {
        case 0: /* put a piece in */
                if (len + bytes >= TEXT_BYTES)
                        return len;
                memmove(text + at + bytes, text + at, len - at);
                memcpy(text + at, piece, bytes);
                return len + bytes;
        case 1: /* cut a byte out */
                if (at == len)
                        return len;
                memmove(text + at, text + at + 1, len - at - 1);
                return len - 1;
        case 2: /* change a bit */
                if (at < len)
                        text[at] = (char)(text[at] ^ (1 << random_below(random, 8)));
                return len;
        default: /* end early */
                return random_below(random, 8) ? len : at;
        }
}

static void damaged_texts_are_judged_like_another_reader_does(void **state)
{
        struct random random = {1};

        (void)state;
        for (int i = 0; i < SEEDS; i++)
                agrees(seeds[i], strlen(seeds[i]));
        for (int i = 0; i < MUTATIONS; i++) {
                const char *seed = seeds[random_below(&random, SEEDS)];
                size_t len = strlen(seed);
                char text[TEXT_BYTES];

                memcpy(text, seed, len);
                for (uint64_t steps = 1 + random_below(&random, 4); steps; steps--) {
                        len = mutate(&random, text, len);
                        agrees(text, len);
                }
        }
}

static int judge(const char *text, struct fault *fault)
{
        char *bytes = strdup(text);
        int rc = check(bytes, strlen(bytes), fault);

        free(bytes);
        return rc;
}

static void a_zero_byte_is_refused_wherever_it_stands(void **state)
{
        static const char text[] = "{\"a\":[1,\"b\"]}";

        (void)state;
        for (size_t at = 0; at < sizeof(text) - 1; at++) {
                struct fault fault = {0};
                char bytes[sizeof(text)];

                memcpy(bytes, text, at);
                bytes[at] = '\0';
                memcpy(bytes + at + 1, text + at, sizeof(text) - 1 - at);
                assert_int_equal(-PROTOCOL_ERR_PARSE, check(bytes, sizeof(text), &fault));
        }
}

static void depth_16_is_the_last(void **state)
{
        struct fault fault = {0};

        (void)state;
        assert_int_equal(0, judge("[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]", &fault));
        assert_int_equal(-PROTOCOL_ERR_BAD_REQUEST, judge("[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]", &fault));
        assert_int_equal(-PROTOCOL_ERR_BAD_REQUEST, judge("{\"a\":[[[[[[[[[[[[[[[{\"b\":1}]]]]]]]]]]]]]]]}", &fault));
}

static char *object_of(int members)
{
        char *text = malloc((size_t)members * 16 + 3), *at = text;

        *at++ = '{';
        for (int i = 0; i < members; i++)
                at += sprintf(at, "%s\"k%d\":%d", i ? "," : "", i, i);
        *at++ = '}';
        *at = '\0';
        return text;
}

static void an_object_has_at_most_128_members(void **state)
{
        char *most = object_of(PROTOCOL_KEYS), *more = object_of(1000);
        struct fault fault = {0};

        (void)state;
        assert_int_equal(0, judge(most, &fault));
        assert_int_equal(-PROTOCOL_ERR_BAD_REQUEST, judge(more, &fault));
        free(most);
        free(more);
}

static void a_member_may_not_stand_twice_at_any_depth(void **state)
{
        struct fault fault = {0};

        (void)state;
        assert_int_equal(0, judge("{\"a\":{\"a\":{\"a\":1}},\"b\":{\"a\":1}}", &fault));
        assert_int_equal(-PROTOCOL_ERR_BAD_REQUEST, judge("[0,{\"x\":{\"deep\":1,\"deep\":2}}]", &fault));
        assert_string_equal("deep", fault.field);
        assert_int_equal(-PROTOCOL_ERR_BAD_REQUEST, judge("{\"ab\":1,\"\\u0061b\":2}", &fault));
        assert_int_equal(-PROTOCOL_ERR_BAD_REQUEST, judge("{\"\":1,\"\":2}", &fault));
}

static void numbers_that_no_64_bits_hold_are_refused(void **state)
{
        static const struct {
                const char *text;
                int rc;
                int64_t value;
        } cases[] = {
                {"9223372036854775807", 0, INT64_MAX},
                {"-9223372036854775808", 0, INT64_MIN},
                {"-0", 0, 0},
                {"9223372036854775808", -PROTOCOL_ERR_BAD_REQUEST, 0},
                {"-9223372036854775809", -PROTOCOL_ERR_BAD_REQUEST, 0},
                {"99999999999999999999999999", -PROTOCOL_ERR_BAD_REQUEST, 0},
                {"1.0", -PROTOCOL_ERR_BAD_REQUEST, 0},
                {"1e3", -PROTOCOL_ERR_BAD_REQUEST, 0},
                {"1.", -PROTOCOL_ERR_PARSE, 0},
                {"-", -PROTOCOL_ERR_PARSE, 0},
                {"NaN", -PROTOCOL_ERR_PARSE, 0},
                {"Infinity", -PROTOCOL_ERR_PARSE, 0},
                {"\"1\"", -PROTOCOL_ERR_BAD_REQUEST, 0},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                char bytes[64];
                int64_t value = 0;
                struct fault fault = {0};
                struct reader reader;

                strcpy(bytes, cases[i].text);
                reader_init(&reader, bytes, strlen(bytes), READER_STRICT, NULL, &fault);
                assert_int_equal(cases[i].rc, reader_int(&reader, "a number", &value));
                if (cases[i].rc == 0)
                        assert_true(value == cases[i].value);
        }
}

static void a_name_with_escapes_is_read_with_an_arena_and_refused_without(void **state)
{
        struct arena arena;
        struct fault fault = {0};
        struct reader reader;

        (void)state;
        for (int has_arena = 0; has_arena < 2; has_arena++) {
                char bytes[] = "{\"\\u0061\":[{\"b\\n\":1}]}";

                arena_init(&arena, NULL, 0);
                reader_init(&reader, bytes, strlen(bytes), READER_STRICT, has_arena ? &arena : NULL, &fault);
                assert_int_equal(has_arena ? 0 : -PROTOCOL_ERR_INTERNAL, reader_skip(&reader));
                arena_done(&arena);
        }
}

static void a_number_of_ten_thousand_digits_is_refused(void **state)
{
        char *text = malloc(10001);
        struct fault fault = {0};

        (void)state;
        memset(text, '7', 10000);
        text[10000] = '\0';
        assert_int_equal(-PROTOCOL_ERR_BAD_REQUEST, judge(text, &fault));
        free(text);
}

static void a_special_byte_is_found_wherever_it_stands(void **state)
{
        static const char specials[] = {'"', '\\', '\n', '\x1f', '\0'};

        (void)state;
        for (size_t len = 0; len < 40; len++) {
                for (size_t at = 0; at < len; at++) {
                        for (size_t s = 0; s < sizeof(specials); s++) {
                                struct fault fault = {0};
                                char text[64];

                                text[0] = '"';
                                memset(text + 1, 'x', len);
                                text[len + 1] = '"';
                                assert_int_equal(0, check(text, len + 2, &fault));
                                text[1 + at] = specials[s];
                                assert_true(check(text, len + 2, &fault) < 0);
                        }
                }
        }
}

static void the_first_fault_is_kept_and_cut_to_fit(void **state)
{
        struct fault fault = {0};
        char wide[400];

        (void)state;
        for (size_t i = 0; i < sizeof(wide) - 1; i++)
                wide[i] = "\xed\x95\x9c"[i % 3]; /* three bytes a code point */
        wide[sizeof(wide) - 1] = '\0';
        assert_int_equal(-PROTOCOL_ERR_BAD_REQUEST, fault_set(&fault, PROTOCOL_ERR_BAD_REQUEST, "a", wide));
        assert_int_equal(-PROTOCOL_ERR_PARSE, fault_set(&fault, PROTOCOL_ERR_PARSE, "b", "x"));
        assert_int_equal(PROTOCOL_ERR_BAD_REQUEST, fault.code);
        assert_string_equal("a", fault.field);
        assert_int_equal(93, strlen(fault.expected)); /* 31 whole code points */
        for (int i = 0; i < 100; i++)
                fault_at_member(&fault, "member", 6);
        assert_true(strlen(fault.field) < sizeof(fault.field));
        assert_int_equal(-PROTOCOL_ERR_PARSE, fault_set(NULL, PROTOCOL_ERR_PARSE, "", ""));
        fault_at_item(NULL, 1);
        fault_at_member(NULL, "a", 1);
}

static void only_valid_utf8_is_a_text(void **state)
{
        static const char *const bad[] = {
                "\x80",
                "\xbf",
                "\xc0\x80",
                "\xc1\xbf",
                "\xc2",
                "\xe0\x80\x80",
                "\xe0\x9f\xbf",
                "\xed\xa0\x80",
                "\xed\xbf\xbf",
                "\xe1\x80",
                "\xf0\x80\x80\x80",
                "\xf0\x8f\xbf\xbf",
                "\xf4\x90\x80\x80",
                "\xf5\x80\x80\x80",
                "\xf1\x80\x80",
                "\xff",
                "\xfe",
        };
        static const char *const good[] = {"\x7f",         "\xc2\x80",         "\xdf\xbf",
                                           "\xe0\xa0\x80", "\xed\x9f\xbf",     "\xee\x80\x80",
                                           "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"};

        (void)state;
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                struct fault fault = {0};
                char text[16];

                sprintf(text, "\"%s\"", bad[i]);
                assert_int_equal(-PROTOCOL_ERR_PARSE, judge(text, &fault));
                assert_string_equal("valid UTF-8", fault.expected);
        }
        for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
                struct fault fault = {0};
                char text[16];

                sprintf(text, "\"%s\"", good[i]);
                assert_int_equal(0, judge(text, &fault));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(damaged_texts_are_judged_like_another_reader_does),
                cmocka_unit_test(a_zero_byte_is_refused_wherever_it_stands),
                cmocka_unit_test(depth_16_is_the_last),
                cmocka_unit_test(an_object_has_at_most_128_members),
                cmocka_unit_test(a_member_may_not_stand_twice_at_any_depth),
                cmocka_unit_test(numbers_that_no_64_bits_hold_are_refused),
                cmocka_unit_test(a_name_with_escapes_is_read_with_an_arena_and_refused_without),
                cmocka_unit_test(a_number_of_ten_thousand_digits_is_refused),
                cmocka_unit_test(a_special_byte_is_found_wherever_it_stands),
                cmocka_unit_test(the_first_fault_is_kept_and_cut_to_fit),
                cmocka_unit_test(only_valid_utf8_is_a_text),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
