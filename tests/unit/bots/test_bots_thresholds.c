/* SPDX-License-Identifier: Apache-2.0 */
/* From held-back questions to thresholds: the wish holds, off-topic lines stay out, and what is right is not thrown
 * away; and the numbers that training counts with. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "calibrate.h"

enum { QUESTIONS = 1000, LINES = 100, ROW_90 = (90 - BOT_WISH_LEAST) / 2 };

static struct calibrate_asked asked[QUESTIONS + LINES];

/* Questions from the surest to the least sure: one in a hundred of the first tenth is wrong, up to one in ten of the
 * last; scores from 60000 down to 30000. */
static void ask_questions(void)
{
        for (int i = 0; i < QUESTIONS; i++) {
                int wrong_in_100 = 1 + i / 100;
                asked[i] = (struct calibrate_asked){.probability = (uint16_t)(60000 - 40 * i),
                                                    .score = (uint16_t)(60000 - 30 * i),
                                                    .place = i % 100 < wrong_in_100 ? 2 : 1};
        }
}

/* Off-topic lines as sure as the surest, with scores from `highest` down to nothing. */
static void ask_lines(int highest)
{
        for (int i = 0; i < LINES; i++)
                asked[QUESTIONS + i] = (struct calibrate_asked){
                        .probability = 60000, .score = (uint16_t)(highest - i * highest / LINES), .is_off_topic = true};
}

struct passed {
        double questions, lines, right;
};

/* What would be answered alone, as shares of all questions, of all lines, and of those questions. */
static struct passed answered_at(const struct bot_ranker *model, unsigned row)
{
        struct passed passed = {0};

        for (int i = 0; i < QUESTIONS + LINES; i++) {
                if (asked[i].probability < model->wishes[row] || asked[i].score < model->scores[row])
                        continue;
                passed.lines += asked[i].is_off_topic;
                passed.questions += !asked[i].is_off_topic;
                passed.right += asked[i].place == 1;
        }
        return (struct passed){passed.questions / QUESTIONS, passed.lines / LINES, passed.right / passed.questions};
}

static void lines_apart_from_every_question_stay_out_and_cost_nothing(void **state)
{
        struct bot_ranker model = {0};

        (void)state;
        ask_questions();
        ask_lines(29000);
        assert_true(calibrate_thresholds(asked, QUESTIONS + LINES, &model));
        struct passed passed = answered_at(&model, ROW_90);
        assert_true(passed.lines <= 0.04 && passed.questions >= 0.96 && passed.right >= 0.9);
        assert_true(model.floor > 14000 && model.floor <= 31000);
}

static void lines_near_to_some_questions_stay_out_at_a_price(void **state)
{
        struct bot_ranker model = {0};

        (void)state;
        ask_questions();
        ask_lines(32000);
        assert_true(calibrate_thresholds(asked, QUESTIONS + LINES, &model));
        struct passed passed = answered_at(&model, ROW_90);
        assert_true(passed.lines <= 0.04 && passed.questions >= 0.93);
}

static void lines_that_are_on_topic_do_not_silence_the_bot(void **state)
{
        struct bot_ranker model = {0};

        (void)state;
        ask_questions();
        ask_lines(60000);
        assert_true(calibrate_thresholds(asked, QUESTIONS + LINES, &model));
        struct passed passed = answered_at(&model, ROW_90);
        assert_true(passed.questions >= 0.92);
        assert_true(model.floor <= 33100); /* nine in ten right answers are above it */
}

static void a_wish_is_held_with_as_many_answers_as_it_allows(void **state)
{
        struct bot_ranker model = {0};

        (void)state;
        ask_questions();
        for (int i = 0; i < QUESTIONS; i++) /* right until here, then every other one wrong */
                asked[i].place = i < 600 || i % 2 ? 1 : 2;
        assert_true(calibrate_thresholds(asked, QUESTIONS, &model));
        for (unsigned row = (80 - BOT_WISH_LEAST) / 2; row < BOT_WISHES; row++) {
                double wish = (BOT_WISH_LEAST + 2 * row) / 100.0;
                /* 600 right ones, then r right and w wrong with r = w: the share of right ones falls to the wish */
                double possible = fmin(1, 0.6 * 0.5 / (wish - 0.5));
                uint32_t answered = 0, right = 0;
                for (int i = 0; i < QUESTIONS; i++)
                        if (asked[i].probability >= model.wishes[row] && asked[i].score >= model.scores[row]) {
                                answered++;
                                right += asked[i].place == 1;
                        }
                assert_true(right >= wish * answered);
                assert_true(answered >= (possible - 0.06) * QUESTIONS);
        }
}

static void few_questions_reach_no_wish(void **state)
{
        struct bot_ranker model = {0};

        (void)state;
        ask_questions();
        assert_true(calibrate_thresholds(asked, 11, &model));
        for (unsigned row = 0; row < BOT_WISHES; row++)
                assert_int_equal(BOT_SCORE_ONE, model.wishes[row]);
        assert_true(calibrate_thresholds(asked, 0, &model));
        assert_int_equal(0, model.floor);
}

static void a_text_that_looks_like_nobodys_fits_less(void **state)
{
        uint32_t scale[] = {1, 1, 1};
        struct bot_ranker model = {.answers = 2, .scale = scale};
        const int32_t alone[] = {MODEL_ONE / 2, 0, -MODEL_ONE}, doubtful[] = {MODEL_ONE / 2, 0, MODEL_ONE / 2};

        (void)state;
        assert_int_equal(MODEL_ONE / 2, model_fit(&model, alone, 0));
        assert_true(model_fit(&model, doubtful, 0) < MODEL_ONE / 4);
        scale[2] = 0; /* there were no off-topic lines */
        assert_int_equal(MODEL_ONE / 2, model_fit(&model, doubtful, 0));
}

static void numbers_of_training_are_those_of_the_library(void **state)
{
        (void)state;
        for (double x = -690; x < 690; x += 0.137)
                assert_true(fabs(real_exp(x) / exp(x) - 1) < 1e-15);
        for (double x = 1e-9; x < 1e9; x *= 1.0137)
                assert_true(fabs(real_log(x) - log(x)) <= 1e-15 * fmax(1, fabs(log(x))));
        assert_true(real_exp(0) == 1.0 && real_log(1) == 0.0 && real_exp(-1e6) == 0.0);
        assert_true(isfinite(real_exp(1e6)));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(lines_apart_from_every_question_stay_out_and_cost_nothing),
                cmocka_unit_test(lines_near_to_some_questions_stay_out_at_a_price),
                cmocka_unit_test(lines_that_are_on_topic_do_not_silence_the_bot),
                cmocka_unit_test(a_wish_is_held_with_as_many_answers_as_it_allows),
                cmocka_unit_test(few_questions_reach_no_wish),
                cmocka_unit_test(a_text_that_looks_like_nobodys_fits_less),
                cmocka_unit_test(numbers_of_training_are_those_of_the_library),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
