/* SPDX-License-Identifier: Apache-2.0 */
/* Ranges of bytes, by RFC 9110. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "files/range.h"

struct range_case {
        const char *said;
        int64_t size;
        enum range_kind kind;
        int64_t from, len;
};

static void each_form_says_what_it_says(void **state)
{
        static const struct range_case cases[] = {
                {NULL, 10, RANGE_WHOLE, 0, 10},
                {"bytes=0-0", 10, RANGE_PART, 0, 1},
                {"bytes=2-5", 10, RANGE_PART, 2, 4},
                {"bytes=2-", 10, RANGE_PART, 2, 8},
                {"bytes=9-99", 10, RANGE_PART, 9, 1},
                {"bytes=-3", 10, RANGE_PART, 7, 3},
                {"bytes=-30", 10, RANGE_PART, 0, 10},
                {"bytes=0-99999999999999999999999", 10, RANGE_PART, 0, 10},
                {"bytes=-99999999999999999999999", 10, RANGE_PART, 0, 10},
                {"Bytes=1-1", 10, RANGE_PART, 1, 1},
                {"bytes=10-", 10, RANGE_REFUSED, 0, 0},
                {"bytes=99999999999999999999999-", 10, RANGE_REFUSED, 0, 0},
                {"bytes=-0", 10, RANGE_REFUSED, 0, 0},
                {"bytes=0-1,3-4", 10, RANGE_REFUSED, 0, 0},
                {"bytes=,", 10, RANGE_REFUSED, 0, 0},
                {"bytes=5-2", 10, RANGE_WHOLE, 0, 10},
                {"bytes=", 10, RANGE_WHOLE, 0, 10},
                {"bytes=-", 10, RANGE_WHOLE, 0, 10},
                {"bytes=x", 10, RANGE_WHOLE, 0, 10},
                {"bytes=1-2x", 10, RANGE_WHOLE, 0, 10},
                {"bytes= 1-2", 10, RANGE_WHOLE, 0, 10},
                {"bytes=+1-2", 10, RANGE_WHOLE, 0, 10},
                {"rows=1-2", 10, RANGE_WHOLE, 0, 10},
                {"", 10, RANGE_WHOLE, 0, 10},
        };
        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                int64_t from = -1, len = -1;
                assert_int_equal(cases[i].kind, range_read(span_of(cases[i].said), cases[i].size, &from, &len));
                if (cases[i].kind == RANGE_REFUSED)
                        continue;
                assert_int_equal(cases[i].from, from);
                assert_int_equal(cases[i].len, len);
        }
}

static void no_range_ever_reaches_beyond_the_file(void **state)
{
        static const char *const numbers[] = {
                "", "0", "1", "7", "8", "9", "9223372036854775807", "18446744073709551616"};
        enum { COUNT = sizeof numbers / sizeof *numbers };
        (void)state;
        for (size_t i = 0; i < (size_t)COUNT * COUNT; i++) {
                char said[64] = "bytes=";
                strcat(said, numbers[i % COUNT]);
                strcat(said, "-");
                strcat(said, numbers[i / COUNT]);
                int64_t from = 0, len = 0;
                if (range_read(span_of(said), 8, &from, &len) != RANGE_REFUSED)
                        assert_true(from >= 0 && len >= 1 && from + len <= 8);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(each_form_says_what_it_says),
                cmocka_unit_test(no_range_ever_reaches_beyond_the_file),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
