/* SPDX-License-Identifier: Apache-2.0 */
/* What a score says about few answers, and about none. The arithmetic at large: scores.py. */
#include <math.h>

#include "desk/reports/scores.h"
#include "unit/ops/cmocka_all.h"

#define assert_near(wanted, got) assert_true(fabs((wanted) - (got)) < 0.005)

static void no_answers_are_no_score_and_not_zero(void **state)
{
        (void)state;
        const int64_t none[SCORE_HIGHEST + 1] = {0};
        for (enum score_kind kind = SCORE_SHARE; kind <= SCORE_NPS; kind++) {
                struct score score = score_of(kind, 10, none);
                assert_int_equal(0, score.n);
                assert_false(score.has_value);
                assert_false(score.has_interval);
        }
        assert_false(score_share(0, 0).has_value);
}

static void a_zero_is_an_answer(void **state)
{
        (void)state;
        const int64_t counts[SCORE_HIGHEST + 1] = {[0] = 1};
        struct score score = score_of(SCORE_NPS, 10, counts);
        assert_int_equal(1, score.n);
        assert_near(-100, score.value);
        assert_near(100, score_of(SCORE_SHARE, 1, (int64_t[SCORE_HIGHEST + 1]){[1] = 3}).value);
        assert_near(75, score_of(SCORE_SHARE, 1, (int64_t[SCORE_HIGHEST + 1]){[0] = 1, [1] = 3}).value);
}

static void each_scale_has_its_own_good_answers(void **state)
{
        (void)state;
        const int64_t counts[SCORE_HIGHEST + 1] = {0, 1, 1, 1, 1, 1, 1, 1};
        assert_near(40, score_of(SCORE_SHARE, 5, counts).value);        /* 4 and 5 */
        assert_near(100.0 / 3, score_of(SCORE_SHARE, 3, counts).value); /* 3 */
        assert_near(300.0 / 7, score_of(SCORE_SHARE, 7, counts).value); /* 5, 6, 7 */
        assert_near(4, score_of(SCORE_MEAN, 7, counts).value);
}

static void sevens_and_eights_count_in_the_base_of_nps(void **state)
{
        (void)state;
        const int64_t counts[SCORE_HIGHEST + 1] = {[3] = 1, [7] = 1, [8] = 1, [9] = 1, [10] = 1};
        struct score score = score_of(SCORE_NPS, 10, counts);
        assert_int_equal(5, score.n);
        assert_near(20, score.value);
}

/* Newcombe 1998, Statistics in Medicine 17, 857-872, table I: 81 of 263 and 15 of 148, Wilson without correction. */
static void the_interval_of_a_share_is_wilsons(void **state)
{
        (void)state;
        struct score many = score_share(81, 263), few = score_share(15, 148);
        assert_near(25.53, many.low);
        assert_near(36.62, many.high);
        assert_near(6.24, few.low);
        assert_near(16.05, few.high);
}

static void one_answer_has_no_interval_of_its_mean(void **state)
{
        (void)state;
        const int64_t one[SCORE_HIGHEST + 1] = {[4] = 1}, two[SCORE_HIGHEST + 1] = {[4] = 1, [5] = 1};
        assert_false(score_of(SCORE_MEAN, 5, one).has_interval);
        assert_near(4, score_of(SCORE_MEAN, 5, one).value);
        assert_true(score_of(SCORE_MEAN, 5, two).has_interval);
}

/* The delta method would say that ten promoters prove that there is nobody else. */
static void a_few_answers_of_one_mind_do_not_prove_it(void **state)
{
        (void)state;
        struct score promoters = score_of(SCORE_NPS, 10, (int64_t[SCORE_HIGHEST + 1]){[10] = 10});
        struct score detractors = score_of(SCORE_NPS, 10, (int64_t[SCORE_HIGHEST + 1]){[2] = 10});
        struct score passives = score_of(SCORE_NPS, 10, (int64_t[SCORE_HIGHEST + 1]){[8] = 10});
        assert_near(100, promoters.high);
        assert_near(44.49, promoters.low); /* Wilson: 10 of 10 is 72.25 % at least */
        assert_near(-100, detractors.low);
        assert_near(-44.49, detractors.high);
        assert_near(-27.75, passives.low);
        assert_near(27.75, passives.high);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(no_answers_are_no_score_and_not_zero),
                cmocka_unit_test(a_zero_is_an_answer),
                cmocka_unit_test(each_scale_has_its_own_good_answers),
                cmocka_unit_test(sevens_and_eights_count_in_the_base_of_nps),
                cmocka_unit_test(the_interval_of_a_share_is_wilsons),
                cmocka_unit_test(one_answer_has_no_interval_of_its_mean),
                cmocka_unit_test(a_few_answers_of_one_mind_do_not_prove_it),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
