/* SPDX-License-Identifier: Apache-2.0 */
/* The gate: each reason by itself, and who is asked for what. */
#include "desk/surveys/offer_gate.h"

#include "unit/ops/cmocka_all.h"

/* Somebody who is to be asked. */
static struct offer_facts fine(enum survey_cause cause)
{
        return (struct offer_facts){.cause = cause,
                                    .has_ticket = true,
                                    .is_solved = true,
                                    .is_enabled = true,
                                    .is_in_audience = true,
                                    .has_person = true,
                                    .text = 250,
                                    .min_text = 250,
                                    .now_ms = 1000000000,
                                    .last_ms = 1000000000 - 7,
                                    .max_age_ms = 7,
                                    .asked_ms = 1000000000 - 90,
                                    .customer_interval_ms = 90,
                                    .draw = 49,
                                    .sample_percent = 50};
}

static const enum survey_cause causes[] = {SURVEY_CAUSE_SOLVED, SURVEY_CAUSE_CLOSED, SURVEY_CAUSE_LATER,
                                           SURVEY_CAUSE_HAND,   SURVEY_CAUSE_APP,    SURVEY_CAUSE_AUTOMATION,
                                           SURVEY_CAUSE_CASE};
enum { AUTOMATIC = 1 << 1 | 1 << 2 | 1 << 3, ALL = AUTOMATIC | 1 << 4 | 1 << 5 | 1 << 6 | 1 << 7 };

/* Only those causes are stopped by it, and only the first time when `is_once`. */
static void stops(void (*set)(struct offer_facts *), enum offer_reason reason, unsigned stopped, bool is_once)
{
        for (size_t i = 0; i < sizeof causes / sizeof *causes; i++) {
                struct offer_facts facts = fine(causes[i]);
                assert_int_equal(OFFER_YES, offer_gate(&facts));
                set(&facts);
                enum offer_reason expected = stopped & 1u << causes[i] ? reason : OFFER_YES;
                assert_int_equal(expected, offer_gate(&facts));
                facts.is_due = true;
                assert_int_equal(is_once ? OFFER_YES : expected, offer_gate(&facts));
        }
}

#define SET(name, what)                                                                                                \
        static void name(struct offer_facts *facts)                                                                    \
        {                                                                                                              \
                facts->what;                                                                                           \
        }
SET(not_solved, is_solved = false)
SET(gone, is_gone = true)
SET(blocked, is_blocked = true)
SET(disabled, is_enabled = false)
SET(removed, is_removed = true)
SET(asked, is_asked = true)
SET(outside, is_in_audience = false)
SET(nobody, has_person = false)
SET(one_less, text--)
SET(one_later, last_ms--)
SET(asked_later, asked_ms++)
SET(not_drawn, draw = 50)

static void each_reason_stops_whom_it_is_for(void **state)
{
        (void)state;
        unsigned worth = AUTOMATIC | 1u << SURVEY_CAUSE_AUTOMATION;
        stops(not_solved, OFFER_NOT_SOLVED, ALL & ~(1u << SURVEY_CAUSE_CASE), false);
        stops(gone, OFFER_GONE, ALL, false);
        stops(blocked, OFFER_BLOCKED, ALL, false);
        stops(disabled, OFFER_DISABLED, AUTOMATIC, false);
        stops(removed, OFFER_DISABLED, ALL, false);
        stops(asked, OFFER_ASKED_ALREADY, ALL, false);
        stops(outside, OFFER_AUDIENCE, worth, true);
        stops(nobody, OFFER_NO_PERSON, worth, true);
        stops(one_less, OFFER_TOO_SHORT, worth, true);
        stops(one_later, OFFER_TOO_OLD, worth, true);
        stops(asked_later, OFFER_ASKED_LATELY, ALL & ~(1u << SURVEY_CAUSE_CASE), false);
        stops(not_drawn, OFFER_NOT_SAMPLED, AUTOMATIC, true);
}

static void limits_that_are_off_stop_nobody(void **state)
{
        (void)state;
        struct offer_facts facts = fine(SURVEY_CAUSE_SOLVED);
        facts.last_ms = facts.asked_ms = 1;
        facts.max_age_ms = facts.customer_interval_ms = 0;
        facts.has_person = false;
        facts.asks_bot = true;
        assert_int_equal(OFFER_YES, offer_gate(&facts));
        facts.has_ticket = facts.is_solved = false; /* in a conversation, about no ticket */
        facts.cause = SURVEY_CAUSE_HAND;
        assert_int_equal(OFFER_YES, offer_gate(&facts));
}

static void never_asked_is_not_asked_lately(void **state)
{
        (void)state;
        struct offer_facts facts = fine(SURVEY_CAUSE_SOLVED);
        facts.asked_ms = 0;
        facts.customer_interval_ms = INT64_MAX;
        assert_int_equal(OFFER_YES, offer_gate(&facts));
}

static void a_draw_is_the_same_again_and_even(void **state)
{
        (void)state;
        int counts[100] = {0};
        for (uint64_t ticket = 0; ticket < 100000; ticket++) {
                int draw = offer_draw(77, ticket << 22 | 5, (int64_t)(ticket % 3));
                assert_in_range(draw, 0, 99);
                assert_int_equal(draw, offer_draw(77, ticket << 22 | 5, (int64_t)(ticket % 3)));
                counts[draw]++;
        }
        for (int i = 0; i < 100; i++) /* 1,000 each; eight deviations */
                assert_in_range(counts[i], 750, 1250);
}

static void each_reason_has_a_word_of_its_own(void **state)
{
        (void)state;
        for (int i = OFFER_YES + 1; i < OFFER_REASONS_COUNT; i++) {
                assert_true(offer_reason_word((enum offer_reason)i)[0] && offer_reason_text((enum offer_reason)i)[0]);
                for (int j = OFFER_YES; j < i; j++)
                        assert_string_not_equal(offer_reason_word((enum offer_reason)i),
                                                offer_reason_word((enum offer_reason)j));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(each_reason_stops_whom_it_is_for), cmocka_unit_test(limits_that_are_off_stop_nobody),
                cmocka_unit_test(never_asked_is_not_asked_lately), cmocka_unit_test(a_draw_is_the_same_again_and_even),
                cmocka_unit_test(each_reason_has_a_word_of_its_own)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
