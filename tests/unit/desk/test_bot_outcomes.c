/* SPDX-License-Identifier: Apache-2.0 */
/* What became of what the bot did: each rule of docs/bots.md, "Is it any good", as a sentence. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "desk/bot_names.h"
#include "desk/bot_outcomes.h"
#include "unit/ops/cmocka_all.h"

enum { ROWS = 64, OPENING = 1, REFUND = 2 };
#define HOUR       ((int64_t)3600 * 1000)
#define MINUTE     ((int64_t)60 * 1000)
#define BEGINNING  ((int64_t)1700000000000)
#define MUCH_LATER (BEGINNING + 1000 * HOUR)

/* A conversation that is being told, row by row. */
static struct bot_happened rows[ROWS];
static struct bot_episode episodes[ROWS];
static size_t count;

static int begin(void **state)
{
        (void)state;
        count = 0;
        return 0;
}

/* So long after the row before. */
static void after(int64_t ms, enum bot_happening kind, uint32_t rule)
{
        int64_t at_ms = count ? rows[count - 1].at_ms + ms : BEGINNING;
        rows[count++] = (struct bot_happened){.at_ms = at_ms, .silent_ms = ms, .kind = kind, .rule = rule};
}

static size_t judged_at(int64_t now_ms)
{
        return bot_episodes(rows, count, now_ms, episodes);
}

static void assert_outcomes(size_t wanted, const enum bot_outcome *outcomes)
{
        assert_int_equal(wanted, judged_at(MUCH_LATER));
        for (size_t i = 0; i < wanted; i++)
                assert_int_equal(outcomes[i], episodes[i].outcome);
}
#define BECOMES(...)                                                                                                   \
        do {                                                                                                           \
                const enum bot_outcome wanted[] = {__VA_ARGS__};                                                       \
                assert_outcomes(sizeof wanted / sizeof *wanted, wanted);                                               \
        } while (0)

static void an_answer_that_the_customer_called_helpful_is_confirmed(void **state)
{
        (void)state;
        after(0, BOT_ANSWERED, OPENING);
        after(MINUTE, BOT_HELPED, OPENING);
        BECOMES(BOT_CONFIRMED);
}

static void an_answer_without_a_word_is_assumed_and_only_after_72_hours(void **state)
{
        (void)state;
        after(0, BOT_ANSWERED, OPENING);
        judged_at(BEGINNING + BOT_DECIDED_AFTER_MS - 1);
        assert_int_equal(BOT_OPEN, episodes[0].outcome);
        judged_at(BEGINNING + BOT_DECIDED_AFTER_MS);
        assert_int_equal(BOT_ASSUMED, episodes[0].outcome);
}

static void a_flow_that_ran_to_its_end_is_like_an_answer_and_one_that_did_not_was_left(void **state)
{
        (void)state;
        after(0, BOT_IN_FLOW, REFUND);
        after(MINUTE, BOT_CLOSED, REFUND);
        BECOMES(BOT_ASSUMED);
        count--;
        BECOMES(BOT_LEFT);
}

static void what_ends_at_choices_a_miss_or_a_no_was_left(void **state)
{
        static const enum bot_happening lasts[] = {BOT_OFFERED, BOT_MISSED, BOT_IN_FLOW, BOT_NOT_HELPED};
        (void)state;
        for (size_t i = 0; i < sizeof lasts / sizeof *lasts; i++) {
                count = 0;
                after(0, BOT_ANSWERED, OPENING);
                after(MINUTE, lasts[i], OPENING);
                BECOMES(BOT_LEFT);
        }
        count = 0;
        after(0, BOT_SILENT, 0);
        BECOMES(BOT_LEFT);
}

static void a_yes_does_not_outlive_a_question_that_was_left_open(void **state)
{
        (void)state;
        after(0, BOT_ANSWERED, OPENING);
        after(MINUTE, BOT_HELPED, OPENING);
        after(MINUTE, BOT_MISSED, 0);
        BECOMES(BOT_LEFT);
        after(MINUTE, BOT_ANSWERED, REFUND);
        BECOMES(BOT_CONFIRMED);
}

static void the_last_word_counts(void **state)
{
        (void)state;
        after(0, BOT_ANSWERED, OPENING);
        after(MINUTE, BOT_NOT_HELPED, OPENING);
        after(MINUTE, BOT_ANSWERED, REFUND);
        BECOMES(BOT_ASSUMED);
        after(MINUTE, BOT_HELPED, REFUND);
        BECOMES(BOT_CONFIRMED);
}

static void silence_and_tags_of_the_bot_change_nothing(void **state)
{
        (void)state;
        after(0, BOT_ANSWERED, OPENING);
        after(MINUTE, BOT_HELPED, OPENING);
        after(MINUTE, BOT_SILENT, 0);
        after(MINUTE, BOT_TAGGED, 5);
        BECOMES(BOT_CONFIRMED);
}

static void whoever_needed_a_person_was_handed_off_at_once_whatever_else_was_said(void **state)
{
        static const enum bot_happening people[] = {BOT_HANDED, BOT_TICKET, BOT_FAILED, BOT_PERSON};
        (void)state;
        for (size_t i = 0; i < sizeof people / sizeof *people; i++) {
                count = 0;
                after(0, BOT_ANSWERED, OPENING);
                after(MINUTE, BOT_HELPED, OPENING);
                after(MINUTE, people[i], 0);
                BECOMES(BOT_HANDED_OFF);
                judged_at(rows[count - 1].at_ms);
                assert_int_equal(BOT_HANDED_OFF, episodes[0].outcome);
        }
}

static void half_an_hour_of_silence_begins_an_episode_and_less_does_not(void **state)
{
        (void)state;
        after(0, BOT_ANSWERED, OPENING);
        after(BOT_EPISODE_SILENT_MS - 1, BOT_ANSWERED, REFUND);
        BECOMES(BOT_ASSUMED);
        after(BOT_EPISODE_SILENT_MS, BOT_ANSWERED, 7);
        BECOMES(BOT_ASSUMED, BOT_ASSUMED);
        assert_int_equal(0, episodes[0].first);
        assert_int_equal(1, episodes[0].last);
        assert_int_equal(2, episodes[1].first);
}

static void people_who_talked_in_between_keep_an_episode_together(void **state)
{
        (void)state;
        after(0, BOT_HANDED, 0);
        after(MINUTE, BOT_PERSON, 0);
        after(2 * HOUR, BOT_GIVEN_BACK, 0);
        after(0, BOT_ANSWERED, OPENING);
        rows[3].silent_ms = MINUTE; /* the person wrote a minute before */
        BECOMES(BOT_HANDED_OFF);
        rows[3].silent_ms = 2 * HOUR;
        BECOMES(BOT_HANDED_OFF, BOT_ASSUMED);
}

static void coming_back_within_72_hours_with_the_same_rule_counts_against_the_bot(void **state)
{
        (void)state;
        after(0, BOT_ANSWERED, OPENING);
        after(BOT_DECIDED_AFTER_MS - 1, BOT_ANSWERED, OPENING);
        BECOMES(BOT_RETURNED, BOT_ASSUMED);
        rows[1].at_ms++;
        BECOMES(BOT_ASSUMED, BOT_ASSUMED);
}

static void coming_back_for_something_else_does_not_count_against_it(void **state)
{
        (void)state;
        after(0, BOT_ANSWERED, OPENING);
        after(HOUR, BOT_ANSWERED, REFUND);
        BECOMES(BOT_ASSUMED, BOT_ASSUMED);
        after(HOUR, BOT_MISSED, 0); /* no rule is nobody's rule */
        BECOMES(BOT_ASSUMED, BOT_ASSUMED, BOT_LEFT);
}

static void coming_back_and_needing_a_person_counts_against_it_whatever_it_was_about(void **state)
{
        (void)state;
        after(0, BOT_ANSWERED, OPENING);
        after(HOUR, BOT_ANSWERED, REFUND);
        after(MINUTE, BOT_HANDED, 0);
        BECOMES(BOT_RETURNED, BOT_HANDED_OFF);
}

static void the_customers_yes_stands_when_he_comes_back(void **state)
{
        (void)state;
        after(0, BOT_ANSWERED, OPENING);
        after(MINUTE, BOT_HELPED, OPENING);
        after(HOUR, BOT_ANSWERED, OPENING);
        BECOMES(BOT_CONFIRMED, BOT_ASSUMED);
}

static void a_late_word_belongs_to_the_episode_before_until_that_is_decided(void **state)
{
        (void)state;
        after(0, BOT_ANSWERED, OPENING);
        after(BOT_DECIDED_AFTER_MS - 1, BOT_HELPED, OPENING);
        BECOMES(BOT_CONFIRMED);
        rows[1].at_ms++;
        BECOMES(BOT_ASSUMED);
        rows[1].kind = BOT_PERSON;
        BECOMES(BOT_ASSUMED);
        rows[1].at_ms--;
        BECOMES(BOT_HANDED_OFF);
}

static void a_conversation_that_is_held_out_has_no_episode(void **state)
{
        (void)state;
        after(0, BOT_HELD_OUT, 0);
        after(MINUTE, BOT_PERSON, 0);
        assert_int_equal(0, judged_at(MUCH_LATER));
        count = 0;
        after(0, BOT_ANSWERED, OPENING);
        after(HOUR, BOT_HELD_OUT, 0);
        after(MINUTE, BOT_PERSON, 0); /* came for what was held out */
        BECOMES(BOT_ASSUMED);
}

static void people_alone_have_no_episode(void **state)
{
        (void)state;
        after(0, BOT_PERSON, 0);
        after(MINUTE, BOT_GIVEN_BACK, 0);
        after(MINUTE, BOT_HELPED, OPENING);
        assert_int_equal(0, judged_at(MUCH_LATER));
}

/* ---- properties ---- */

static uint32_t seed;

static uint32_t draw(uint32_t below)
{
        seed = seed * 1664525u + 1013904223u;
        return (seed >> 8) % below;
}

static void make_rows(void)
{
        static const int64_t gaps[] = {0, MINUTE, 29 * MINUTE, 31 * MINUTE, 71 * HOUR, 73 * HOUR};
        count = 0;
        for (size_t i = 1 + draw(ROWS - 1); i > 0; i--)
                after(gaps[draw(6)], (enum bot_happening)(1 + draw(15)), draw(4));
}

static void each_turn_lies_in_one_episode_and_each_episode_has_one_outcome(void **state)
{
        (void)state;
        for (seed = 1; seed < 20000; seed += 7) {
                uint32_t kept = seed;
                make_rows();
                size_t made = judged_at(rows[count - 1].at_ms + (int64_t)draw(200) * HOUR), turns = 0, inside = 0;
                for (size_t i = 0; i < count; i++)
                        turns += bot_happening_is_turn(rows[i].kind);
                for (size_t e = 0; e < made; e++) {
                        assert_true(episodes[e].outcome < BOT_OUTCOMES);
                        assert_true(episodes[e].first <= episodes[e].last);
                        assert_true(e == 0 || episodes[e].first > episodes[e - 1].last);
                        assert_true(bot_happening_is_turn(rows[episodes[e].first].kind));
                        for (size_t i = episodes[e].first; i <= episodes[e].last; i++)
                                inside += bot_happening_is_turn(rows[i].kind);
                }
                assert_int_equal(turns, inside);
                seed = kept;
        }
}

/* What is decided stays decided, whatever happens later. */
static void an_outcome_that_is_decided_never_changes(void **state)
{
        (void)state;
        for (seed = 1; seed < 20000; seed += 7) {
                uint32_t kept = seed;
                make_rows();
                size_t all = count, part = 1 + draw((uint32_t)all);
                struct bot_episode before[ROWS];
                size_t made = bot_episodes(rows, part, rows[part - 1].at_ms, before);
                judged_at(rows[part - 1].at_ms);
                bot_episodes(rows, all, MUCH_LATER + 100000 * HOUR, episodes);
                for (size_t e = 0; e < made; e++)
                        if (before[e].outcome != BOT_OPEN)
                                assert_int_equal(before[e].outcome, episodes[e].outcome);
                seed = kept;
        }
}

/* ---- two shares ---- */

static void assert_difference(int64_t a, int64_t m, int64_t b, int64_t n, double low, double high)
{
        struct bot_difference found;
        assert_true(bot_difference_of(a, m, b, n, &found));
        assert_true(fabs(found.low - low) < 0.00005);
        assert_true(fabs(found.high - high) < 0.00005);
        assert_true(fabs(found.difference - ((double)a / (double)m - (double)b / (double)n)) < 1e-12);
}

/* Newcombe 1998, table II, method 10. */
static void the_interval_is_the_published_one(void **state)
{
        struct bot_difference none;
        (void)state;
        assert_difference(56, 70, 48, 80, 0.0524, 0.3339);
        assert_difference(9, 10, 3, 10, 0.1705, 0.8090);
        assert_difference(5, 56, 0, 29, -0.0381, 0.1926);
        assert_difference(0, 10, 0, 20, -0.1611, 0.2775);
        assert_difference(10, 10, 0, 20, 0.6791, 1.0000);
        assert_false(bot_difference_of(0, 0, 1, 2, &none));
        assert_false(bot_difference_of(1, 2, 0, 0, &none));
}

/* ---- names ---- */

static void a_name_keeps_its_number_and_the_table_is_bounded(void **state)
{
        struct bot_names names;
        char text[24];
        bool is_new;
        (void)state;
        assert_int_equal(0, bot_names_init(&names));
        assert_int_equal(0, bot_names_number(&names, SPAN(""), &is_new));
        for (int again = 0; again < 2; again++)
                for (int i = 1; i <= BOT_NAMES_MAX; i++) {
                        snprintf(text, sizeof text, "name %d", i);
                        assert_int_equal(i, bot_names_number(&names, span_of(text), &is_new));
                        assert_int_equal(again == 0, is_new);
                        assert_string_equal(text, names.texts[i]);
                }
        assert_false(names.is_full);
        assert_int_equal(0, bot_names_number(&names, SPAN("one more"), &is_new));
        assert_true(names.is_full);
        bot_names_done(&names);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup(an_answer_that_the_customer_called_helpful_is_confirmed, begin),
                cmocka_unit_test_setup(an_answer_without_a_word_is_assumed_and_only_after_72_hours, begin),
                cmocka_unit_test_setup(a_flow_that_ran_to_its_end_is_like_an_answer_and_one_that_did_not_was_left,
                                       begin),
                cmocka_unit_test_setup(what_ends_at_choices_a_miss_or_a_no_was_left, begin),
                cmocka_unit_test_setup(a_yes_does_not_outlive_a_question_that_was_left_open, begin),
                cmocka_unit_test_setup(the_last_word_counts, begin),
                cmocka_unit_test_setup(silence_and_tags_of_the_bot_change_nothing, begin),
                cmocka_unit_test_setup(whoever_needed_a_person_was_handed_off_at_once_whatever_else_was_said, begin),
                cmocka_unit_test_setup(half_an_hour_of_silence_begins_an_episode_and_less_does_not, begin),
                cmocka_unit_test_setup(people_who_talked_in_between_keep_an_episode_together, begin),
                cmocka_unit_test_setup(coming_back_within_72_hours_with_the_same_rule_counts_against_the_bot, begin),
                cmocka_unit_test_setup(coming_back_for_something_else_does_not_count_against_it, begin),
                cmocka_unit_test_setup(coming_back_and_needing_a_person_counts_against_it_whatever_it_was_about, begin),
                cmocka_unit_test_setup(the_customers_yes_stands_when_he_comes_back, begin),
                cmocka_unit_test_setup(a_late_word_belongs_to_the_episode_before_until_that_is_decided, begin),
                cmocka_unit_test_setup(a_conversation_that_is_held_out_has_no_episode, begin),
                cmocka_unit_test_setup(people_alone_have_no_episode, begin),
                cmocka_unit_test_setup(each_turn_lies_in_one_episode_and_each_episode_has_one_outcome, begin),
                cmocka_unit_test_setup(an_outcome_that_is_decided_never_changes, begin),
                cmocka_unit_test(the_interval_is_the_published_one),
                cmocka_unit_test(a_name_keeps_its_number_and_the_table_is_bounded),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
