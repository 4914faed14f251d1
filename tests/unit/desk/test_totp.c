/* SPDX-License-Identifier: Apache-2.0 */
/* The test vectors of RFC 6238 and 4226, and when a code is good. */
#include "desk/totp.h"

#include <stdio.h>

#include "unit/ops/cmocka_all.h"

static const uint8_t secret[] = "12345678901234567890";

static void codes_are_those_of_rfc_6238(void **state)
{
        (void)state;
        static const struct {
                int64_t time_s;
                uint32_t code;
        } vectors[] = {{59, 94287082},         {1111111109, 7081804},  {1111111111, 14050471},
                       {1234567890, 89005924}, {2000000000, 69279037}, {20000000000, 65353130}};
        for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++)
                assert_int_equal(vectors[i].code, totp_code(secret, 20, vectors[i].time_s / 30, 100000000));
}

static void codes_are_those_of_rfc_4226(void **state)
{
        (void)state;
        static const uint32_t codes[] = {755224, 287082, 359152, 969429, 338314,
                                         254676, 287922, 162583, 399871, 520489};
        for (int i = 0; i < 10; i++)
                assert_int_equal(codes[i], totp_code(secret, 20, i, 1000000));
}

static int64_t step_of(int64_t made_s, int64_t now_s, int64_t last_step)
{
        char text[16];
        snprintf(text, sizeof text, "%06u", totp_code(secret, 20, made_s / 30, 1000000));
        return totp_step_of(secret, span_of(text), now_s, last_step);
}

static void a_code_is_good_for_its_step_and_one_to_each_side(void **state)
{
        (void)state;
        assert_int_equal(1000, step_of(30000, 30000, 0));
        assert_int_equal(1000, step_of(30000, 30000 + 59, 0));
        assert_int_equal(1000, step_of(30000, 30000 - 30, 0));
        assert_int_equal(0, step_of(30000, 30000 + 60, 0));
        assert_int_equal(0, step_of(30000, 30000 - 31, 0));
}

static void a_code_is_good_once(void **state)
{
        (void)state;
        int64_t step = step_of(30000, 30000, 0);
        assert_int_equal(0, step_of(30000, 30001, step));
        assert_int_equal(0, step_of(30000 - 30, 30001, step)); /* nor an older one after it */
        assert_int_equal(step + 1, step_of(30030, 30031, step));
}

static void what_is_no_code_is_none(void **state)
{
        (void)state;
        assert_int_equal(0, totp_step_of(secret, SPAN(""), 59, 0));
        assert_int_equal(0, totp_step_of(secret, SPAN("28708"), 59, 0));
        assert_int_equal(0, totp_step_of(secret, SPAN("2870820"), 59, 0));
        assert_int_equal(1, totp_step_of(secret, SPAN("287082"), 59, 0));
}

static void the_secret_is_written_as_apps_read_it(void **state)
{
        (void)state;
        char text[TOTP_BASE32];
        totp_base32(secret, text);
        assert_string_equal("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", text);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(codes_are_those_of_rfc_6238),
                cmocka_unit_test(codes_are_those_of_rfc_4226),
                cmocka_unit_test(a_code_is_good_for_its_step_and_one_to_each_side),
                cmocka_unit_test(a_code_is_good_once),
                cmocka_unit_test(what_is_no_code_is_none),
                cmocka_unit_test(the_secret_is_written_as_apps_read_it),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
