/* SPDX-License-Identifier: Apache-2.0 */
/* Who fails is left alone for a minute, and gets one chance then. The clock is a number. */
#include "outbound/breaker.h"
#include "unit/ops/cmocka_all.h"

static void fail_until_open(struct breaker *breaker, uint64_t now_ms)
{
        for (int i = 0; i < BREAKER_ERRORS; i++) {
                assert_true(breaker_lets(breaker, now_ms));
                breaker_said(breaker, false, now_ms);
        }
        assert_true(breaker->is_open);
}

static void three_errors_in_a_row_open_it(void **state)
{
        struct breaker breaker = {0};
        (void)state;
        for (int i = 0; i < 10; i++) { /* never three in a row */
                breaker_said(&breaker, false, 0);
                breaker_said(&breaker, false, 0);
                assert_true(breaker_lets(&breaker, 0));
                breaker_said(&breaker, true, 0);
        }
        fail_until_open(&breaker, 1000);
        assert_false(breaker_lets(&breaker, 1000));
        assert_false(breaker_lets(&breaker, 1000 + BREAKER_OPEN_MS - 1));
}

static void after_a_minute_one_may_try(void **state)
{
        struct breaker breaker = {0};
        (void)state;
        fail_until_open(&breaker, 1000);
        assert_true(breaker_lets(&breaker, 1000 + BREAKER_OPEN_MS));
        assert_false(breaker_lets(&breaker, 1000 + BREAKER_OPEN_MS)); /* one, not all */
        breaker_said(&breaker, true, 1000 + BREAKER_OPEN_MS + 50);
        assert_false(breaker.is_open);
        assert_true(breaker_lets(&breaker, 1000 + BREAKER_OPEN_MS + 50));
        assert_true(breaker_lets(&breaker, 1000 + BREAKER_OPEN_MS + 50));
}

static void a_trial_that_fails_costs_another_minute(void **state)
{
        struct breaker breaker = {0};
        uint64_t trial_ms = 1000 + BREAKER_OPEN_MS + 7;
        (void)state;
        fail_until_open(&breaker, 1000);
        assert_true(breaker_lets(&breaker, trial_ms));
        breaker_said(&breaker, false, trial_ms + 5);
        assert_false(breaker_lets(&breaker, trial_ms + 5 + BREAKER_OPEN_MS - 1));
        assert_true(breaker_lets(&breaker, trial_ms + 5 + BREAKER_OPEN_MS));
}

static void errors_of_those_asked_before_do_not_keep_it_open(void **state)
{
        struct breaker breaker = {0};
        (void)state;
        fail_until_open(&breaker, 1000);
        breaker_said(&breaker, false, 5000); /* asked before it opened, slow to fail */
        assert_true(breaker_lets(&breaker, 1000 + BREAKER_OPEN_MS));
}

static void a_good_answer_of_before_closes_it(void **state)
{
        struct breaker breaker = {0};
        (void)state;
        fail_until_open(&breaker, 1000);
        breaker_said(&breaker, true, 1500);
        assert_true(breaker_lets(&breaker, 1501));
}

static void a_trial_that_was_not_made_leaves_the_chance(void **state)
{
        struct breaker breaker = {0};
        (void)state;
        fail_until_open(&breaker, 1000);
        assert_true(breaker_lets(&breaker, 1000 + BREAKER_OPEN_MS));
        breaker_unasked(&breaker);
        assert_true(breaker_lets(&breaker, 1000 + BREAKER_OPEN_MS));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(three_errors_in_a_row_open_it),
                cmocka_unit_test(after_a_minute_one_may_try),
                cmocka_unit_test(a_trial_that_fails_costs_another_minute),
                cmocka_unit_test(errors_of_those_asked_before_do_not_keep_it_open),
                cmocka_unit_test(a_good_answer_of_before_closes_it),
                cmocka_unit_test(a_trial_that_was_not_made_leaves_the_chance),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
