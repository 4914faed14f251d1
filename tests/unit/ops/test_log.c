/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/ops/cmocka_all.h"

#include <jansson.h>
#include <string.h>

#include "ops/log.h"

static char last[LOG_LINE_BYTES + 2];
static int lines;

static void keep(void *data, const char *line, size_t len)
{
        (void)data;
        assert_true(len < sizeof(last));
        memcpy(last, line, len);
        last[len] = '\0';
        lines++;
}

static int set_up(void **state)
{
        (void)state;
        lines = 0;
        *last = '\0';
        log_set_level(LOG_INFO);
        log_set_sink(keep, NULL);
        return 0;
}

static json_t *parsed(void)
{
        json_t *json = json_loads(last, JSON_REJECT_DUPLICATES, NULL);

        assert_non_null(json);
        assert_non_null(strchr(last, '\n'));
        assert_ptr_equal(strchr(last, '\n'), last + strlen(last) - 1);
        return json;
}

static void a_line_is_one_json_object_with_typed_values(void **state)
{
        struct log log = {.area = "edge"};
        const char *absent = NULL;
        uint64_t big = INT64_MAX;
        (void)state;

        log_context(&log, "conn", log_of_uint(7));
        log_warn(&log, "resume refused", "after", -3, "big", big, "is", (bool)true, "ratio", 0.5, "text", "x", "none",
                 absent, "span", SPAN("ab"));
        json_t *json = parsed();
        assert_string_equal(json_string_value(json_object_get(json, "level")), "warn");
        assert_string_equal(json_string_value(json_object_get(json, "area")), "edge");
        assert_string_equal(json_string_value(json_object_get(json, "what")), "resume refused");
        assert_int_equal(json_integer_value(json_object_get(json, "conn")), 7);
        assert_int_equal(json_integer_value(json_object_get(json, "after")), -3);
        assert_non_null(strstr(last, "\"big\":9223372036854775807"));
        assert_true(json_is_true(json_object_get(json, "is")));
        assert_true(json_real_value(json_object_get(json, "ratio")) == 0.5);
        assert_true(json_is_null(json_object_get(json, "none")));
        assert_string_equal(json_string_value(json_object_get(json, "span")), "ab");
        json_decref(json);
}

static void a_value_cannot_forge_a_line_or_reach_a_terminal(void **state)
{
        (void)state;
        log_info(NULL, "seen", "agent", "a\r\n{\"level\":\"error\"}\x1b[31m\x7f\" \\ \xc2\x9b \xe2\x80\xae");
        for (const char *at = last; at[1]; at++)
                assert_in_range((unsigned char)*at, 0x20, 0x7e);
        json_t *json = parsed();
        assert_string_equal(json_string_value(json_object_get(json, "agent")),
                            "a\r\n{\"level\":\"error\"}\x1b[31m\x7f\" \\ \xc2\x9b \xe2\x80\xae");
        json_decref(json);
}

static void bytes_that_are_no_utf8_become_replacement_characters(void **state)
{
        (void)state;
        log_info(NULL, "seen", "bytes", "\xff\xc0\xaf\xed\xa0\x80\xf0\x9f\x98\x80\xe2\x82");
        json_t *json = parsed();
        assert_string_equal(json_string_value(json_object_get(json, "bytes")),
                            "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xf0\x9f\x98\x80"
                            "\xef\xbf\xbd\xef\xbf\xbd");
        json_decref(json);
}

static void a_long_line_is_cut_at_one_kibibyte_and_says_so(void **state)
{
        char text[4096];
        (void)state;

        for (size_t len = 800; len < 1400; len++) {
                memset(text, 'x', len);
                text[len] = '\0';
                log_info(NULL, "long", "text", text, "after", 1, "more", "\n\n\n\n\n\n");
                assert_true(strlen(last) <= LOG_LINE_BYTES + 1);
                json_t *json = parsed();
                bool is_cut = json_is_true(json_object_get(json, "cut"));
                assert_int_equal(is_cut, !json_object_get(json, "more") ||
                                                 json_string_length(json_object_get(json, "more")) != 6);
                json_decref(json);
        }
}

static void lines_below_the_level_are_not_written(void **state)
{
        (void)state;
        log_debug(NULL, "quiet");
        assert_int_equal(lines, 0);
        log_set_level(LOG_DEBUG);
        log_debug(NULL, "loud");
        assert_int_equal(lines, 1);
        log_set_level(LOG_ERROR);
        log_warn(NULL, "quiet again");
        assert_int_equal(lines, 1);
}

static void numbers_that_json_does_not_know_become_null(void **state)
{
        (void)state;
        log_info(NULL, "odd", "nan", __builtin_nan(""), "inf", __builtin_inf());
        json_t *json = parsed();
        assert_true(json_is_null(json_object_get(json, "nan")));
        assert_true(json_is_null(json_object_get(json, "inf")));
        json_decref(json);
}

static void times_are_utc_with_milliseconds(void **state)
{
        char line[LOG_LINE_BYTES + 1];
        (void)state;

        size_t len = log_format(line, NULL, LOG_ERROR, 1735689600042, "now", NULL, 0);
        line[len] = '\0';
        assert_string_equal(line, "{\"ts\":\"2025-01-01T00:00:00.042Z\",\"level\":\"error\",\"what\":\"now\"}");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup(a_line_is_one_json_object_with_typed_values, set_up),
                cmocka_unit_test_setup(a_value_cannot_forge_a_line_or_reach_a_terminal, set_up),
                cmocka_unit_test_setup(bytes_that_are_no_utf8_become_replacement_characters, set_up),
                cmocka_unit_test_setup(a_long_line_is_cut_at_one_kibibyte_and_says_so, set_up),
                cmocka_unit_test_setup(lines_below_the_level_are_not_written, set_up),
                cmocka_unit_test_setup(numbers_that_json_does_not_know_become_null, set_up),
                cmocka_unit_test_setup(times_are_utc_with_milliseconds, set_up),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
