/* SPDX-License-Identifier: Apache-2.0 */
/* How long somebody at a place has to wait. */
#include "desk/routing/pace.h"
#include "unit/ops/cmocka_all.h"

static void nothing_is_promised_from_too_few(void **state)
{
        (void)state;
        struct pace pace = {0};
        pace_add(&pace, 60000, 1);
        pace_add(&pace, 60000, 1);
        assert_int_equal(-1, pace_wait_s(&pace, 1));
        pace_add(&pace, 60000, 1);
        assert_int_equal(60, pace_wait_s(&pace, 1));
}

static void a_place_further_back_waits_longer(void **state)
{
        (void)state;
        struct pace pace = {0};
        for (int i = 1; i <= 5; i++)
                pace_add(&pace, (int64_t)i * 30000, i); /* half a minute a place */
        assert_int_equal(30, pace_wait_s(&pace, 1));
        assert_int_equal(90, pace_wait_s(&pace, 3));
        assert_int_equal(300, pace_wait_s(&pace, 10));
}

static void it_is_rounded_up_and_never_nothing(void **state)
{
        (void)state;
        struct pace pace = {0};
        for (int i = 0; i < 3; i++)
                pace_add(&pace, 0, 1);
        assert_int_equal(PACE_ROUND_S, pace_wait_s(&pace, 1));
        for (int i = 0; i < PACE_SAMPLES; i++)
                pace_add(&pace, 121000, 1);
        assert_int_equal(180, pace_wait_s(&pace, 1));
}

static void one_that_waited_very_long_does_not_move_the_middle(void **state)
{
        (void)state;
        struct pace pace = {0};
        for (int i = 0; i < 6; i++)
                pace_add(&pace, 20000, 1);
        pace_add(&pace, 3 * 3600 * 1000, 1);
        assert_int_equal(20, pace_wait_s(&pace, 1));
}

static void a_night_does_not_count(void **state)
{
        (void)state;
        struct pace pace = {0};
        for (int i = 0; i < 3; i++)
                pace_add(&pace, 10 * 3600 * 1000, 1);
        assert_int_equal(-1, pace_wait_s(&pace, 1));
}

static void the_newest_ones_count(void **state)
{
        (void)state;
        struct pace pace = {0};
        for (int i = 0; i < 100; i++)
                pace_add(&pace, 100000, 1);
        for (int i = 0; i < PACE_SAMPLES; i++)
                pace_add(&pace, 20000, 1);
        assert_int_equal(20, pace_wait_s(&pace, 1));
}

static void what_would_take_hours_is_not_guessed(void **state)
{
        (void)state;
        struct pace pace = {0};
        for (int i = 0; i < 5; i++)
                pace_add(&pace, 3600 * 1000, 1);
        assert_int_equal(4 * 3600, pace_wait_s(&pace, 4));
        assert_int_equal(-1, pace_wait_s(&pace, 5));
        assert_int_equal(-1, pace_wait_s(&pace, INT64_MAX));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(nothing_is_promised_from_too_few),
                cmocka_unit_test(a_place_further_back_waits_longer),
                cmocka_unit_test(it_is_rounded_up_and_never_nothing),
                cmocka_unit_test(one_that_waited_very_long_does_not_move_the_middle),
                cmocka_unit_test(a_night_does_not_count),
                cmocka_unit_test(the_newest_ones_count),
                cmocka_unit_test(what_would_take_hours_is_not_guessed),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
