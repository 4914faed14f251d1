/* SPDX-License-Identifier: Apache-2.0 */
/* The clocks of a ticket, as sentences. The schedule is Mon-Fri 9-17 UTC unless a test says otherwise; a test begins on
 * Monday 2 November 2026, 10:00. Random histories: test_sla_random.c. */
#include "desk/hours/sla.h"
#include "unit/ops/cmocka_all.h"

#define MINUTE INT64_C(60000)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)
#define MONDAY INT64_C(1793613600000) /* 2026-11-02 10:00 UTC */

enum { LOW = 1, NORMAL, HIGH, URGENT };

static struct calendar office, shorter;
static struct timetable_version versions[2];
static struct timetable times;
static struct sla_terms terms[3]; /* [number] */
static struct sla_count count;
static int64_t now_ms;

static struct {
        int missed, warned;
        enum sla_metric metric;
        int64_t seq, due_ms;
        struct sla_span spans[64];
        size_t span_count;
} told;

static const struct sla_terms *find_terms(void *data, int64_t number)
{
        (void)data;
        return number > 0 && number < 3 ? &terms[number] : NULL;
}

static void on_missed(void *data, enum sla_metric metric, const struct sla_meter *meter)
{
        (void)data;
        told.missed++;
        told.metric = metric;
        told.seq = meter->seq;
        told.due_ms = meter->due_ms;
}

static void on_warned(void *data, enum sla_metric metric, const struct sla_meter *meter)
{
        (void)data;
        (void)meter;
        told.warned++;
        told.metric = metric;
}

static void on_span(void *data, const struct sla_span *span)
{
        (void)data;
        told.spans[told.span_count++] = *span;
}

static const struct sla_world world = {find_terms, on_span, on_missed, on_warned, NULL};

static void week(struct calendar *calendar, const char *text)
{
        struct calendar_error error;
        *calendar = (struct calendar){0};
        assert_int_equal(0, calendar_read_week(span_of(text), calendar->week, &error));
}

static void promise(int64_t number, enum sla_metric metric, enum sla_unit unit, int32_t amount)
{
        for (int p = 0; p < SLA_PRIORITIES; p++)
                terms[number].targets[p][metric] = (struct sla_target){unit, amount};
}

static int begin(void **state)
{
        (void)state;
        week(&office, "mon-fri 09:00-17:00");
        week(&shorter, "mon-fri 09:00-12:00");
        versions[0] = (struct timetable_version){7, 0, &office};
        times = (struct timetable){versions, 1};
        for (int i = 1; i < 3; i++)
                terms[i] = (struct sla_terms){
                        .number = i, .times = &times, .pauses = sla_terms_none.pauses, .warn_percent = 80};
        promise(1, SLA_FIRST, SLA_UNIT_SECONDS, 3600);
        promise(1, SLA_NEXT, SLA_UNIT_SECONDS, 1800);
        promise(1, SLA_RESOLUTION, SLA_UNIT_SECONDS, 8 * 3600);
        sla_init(&count);
        now_ms = MONDAY;
        memset(&told, 0, sizeof told);
        return 0;
}

static bool event(enum sla_event_kind kind, enum ticket_status status, int priority, int64_t number, int64_t seq)
{
        struct sla_event said = {kind, now_ms, status, priority, seq, number};
        return sla_step(&count, &world, &said);
}

static void people_have_it(void)
{
        event(SLA_EVENT_PEOPLE, TICKET_PENDING, NORMAL, 1, 0);
}

static void status(enum ticket_status to)
{
        event(SLA_EVENT_STATUS, to, NORMAL, 1, 0);
}

static bool customer_writes(int64_t seq)
{
        return event(SLA_EVENT_CUSTOMER, count.status, NORMAL, 1, seq);
}

static void staff_writes(void)
{
        event(SLA_EVENT_STAFF, count.status, NORMAL, 1, 0);
}

static void after(int64_t ms)
{
        now_ms += ms;
}

static const struct sla_meter *meter(enum sla_metric metric)
{
        return &count.meters[metric];
}

/* ---- first response ---- */

static void an_answer_in_time_is_a_hit(void **state)
{
        (void)state;
        people_have_it();
        assert_int_equal(MONDAY + HOUR, meter(SLA_FIRST)->due_ms);
        assert_int_equal(SLA_ACTIVE, sla_count_state(&count));
        after(HOUR);
        staff_writes();
        assert_int_equal(SLA_ENDED, meter(SLA_FIRST)->phase);
        assert_false(meter(SLA_FIRST)->is_missed);
        assert_int_equal(HOUR, meter(SLA_FIRST)->counted_ms);
        assert_int_equal(0, told.missed);
}

static void a_late_answer_is_missed_though_no_timer_ran(void **state)
{
        (void)state;
        people_have_it();
        after(HOUR + 1);
        staff_writes();
        assert_true(meter(SLA_FIRST)->is_missed);
        assert_int_equal(1, told.missed);
        assert_int_equal(MONDAY + HOUR, told.due_ms);
        assert_int_equal(SLA_ACTIVE_WITH_MISSES, sla_count_state(&count));
}

static void a_timer_marks_the_same_miss_once(void **state)
{
        (void)state;
        people_have_it();
        assert_int_equal(MONDAY + 48 * MINUTE, sla_timer_ms(&count));
        assert_true(sla_advance(&count, &world, MONDAY + 48 * MINUTE));
        assert_int_equal(1, told.warned);
        assert_int_equal(MONDAY + HOUR + 1, sla_timer_ms(&count));
        assert_false(sla_advance(&count, &world, MONDAY + HOUR));
        assert_true(sla_advance(&count, &world, MONDAY + HOUR + 1));
        assert_false(sla_advance(&count, &world, MONDAY + 2 * HOUR));
        after(3 * HOUR);
        staff_writes();
        assert_int_equal(1, told.missed);
        assert_int_equal(1, told.warned);
        assert_int_equal(1, count.misses);
}

static void a_status_that_pauses_does_not_stop_the_first_response(void **state)
{
        (void)state;
        people_have_it();
        status(TICKET_SNOOZED);
        after(2 * HOUR);
        status(TICKET_OPEN);
        assert_true(meter(SLA_FIRST)->is_missed);
}

static void solved_without_an_answer_is_neither_hit_nor_missed(void **state)
{
        (void)state;
        people_have_it();
        after(HOUR / 2);
        status(TICKET_SOLVED);
        assert_int_equal(SLA_DROPPED, meter(SLA_FIRST)->phase);
        assert_int_equal(SLA_ENDED, meter(SLA_RESOLUTION)->phase);
        assert_int_equal(SLA_HIT, sla_count_state(&count));
}

static void time_with_the_bot_is_counted_apart(void **state)
{
        (void)state;
        event(SLA_EVENT_BOT, TICKET_BOT, NORMAL, 1, 0);
        after(20 * HOUR); /* over night, by the clock on the wall */
        status(TICKET_PENDING);
        assert_int_equal(20 * HOUR, meter(SLA_BOT)->counted_ms);
        assert_int_equal(SLA_ENDED, meter(SLA_BOT)->phase);
        assert_int_equal(now_ms, meter(SLA_FIRST)->begun_ms);
        assert_int_equal(0, told.missed);
        event(SLA_EVENT_PEOPLE, TICKET_PENDING, NORMAL, 1, 0); /* the hand-over, told after the status */
        assert_int_equal(now_ms, meter(SLA_FIRST)->begun_ms);
}

static void a_person_who_speaks_while_the_bot_has_it_has_answered_at_once(void **state)
{
        (void)state;
        event(SLA_EVENT_BOT, TICKET_BOT, NORMAL, 1, 0);
        after(5 * HOUR);
        staff_writes();
        assert_int_equal(SLA_ENDED, meter(SLA_FIRST)->phase);
        assert_int_equal(0, meter(SLA_FIRST)->counted_ms);
        assert_false(meter(SLA_FIRST)->is_missed);
}

static void what_the_bot_solved_promises_nothing(void **state)
{
        (void)state;
        event(SLA_EVENT_BOT, TICKET_BOT, NORMAL, 1, 0);
        after(DAY);
        status(TICKET_SOLVED);
        assert_int_equal(SLA_IDLE, meter(SLA_FIRST)->phase);
        assert_int_equal(SLA_NONE, sla_count_state(&count));
        status(TICKET_OPEN); /* it is people's after all */
        assert_int_equal(now_ms, meter(SLA_FIRST)->begun_ms);
}

/* ---- next response ---- */

static void answered(void)
{
        people_have_it();
        staff_writes();
}

static void the_oldest_unanswered_message_counts_not_the_newest(void **state)
{
        (void)state;
        answered();
        assert_true(customer_writes(5));
        after(20 * MINUTE);
        assert_false(customer_writes(6));
        assert_int_equal(5, meter(SLA_NEXT)->seq);
        assert_int_equal(MONDAY + 30 * MINUTE, meter(SLA_NEXT)->due_ms);
        after(11 * MINUTE);
        staff_writes();
        assert_int_equal(1, told.missed);
        assert_int_equal(SLA_NEXT, told.metric);
        assert_int_equal(5, told.seq);
        assert_true(customer_writes(8));
        assert_int_equal(8, meter(SLA_NEXT)->seq);
        assert_false(meter(SLA_NEXT)->is_missed);
}

static void messages_before_the_first_answer_begin_no_next_response(void **state)
{
        (void)state;
        people_have_it();
        assert_false(customer_writes(2));
        assert_int_equal(SLA_IDLE, meter(SLA_NEXT)->phase);
}

static void a_status_that_pauses_puts_the_next_response_off(void **state)
{
        (void)state;
        answered();
        customer_writes(5);
        after(10 * MINUTE);
        status(TICKET_ON_HOLD);
        assert_int_equal(SLA_DROPPED, meter(SLA_NEXT)->phase);
        after(5 * HOUR);
        customer_writes(7);
        status(TICKET_OPEN);
        assert_int_equal(SLA_RUNNING, meter(SLA_NEXT)->phase);
        assert_int_equal(7, meter(SLA_NEXT)->seq);
        assert_int_equal(now_ms, meter(SLA_NEXT)->begun_ms);
        assert_int_equal(0, told.missed);
}

static void putting_off_after_the_deadline_does_not_undo_the_miss(void **state)
{
        (void)state;
        answered();
        customer_writes(5);
        after(31 * MINUTE);
        status(TICKET_WAITING);
        assert_int_equal(1, told.missed);
        assert_int_equal(5, told.seq);
}

/* ---- resolution ---- */

static void the_resolution_stands_still_in_a_status_that_pauses(void **state)
{
        (void)state;
        answered();
        after(2 * HOUR); /* 12:00 */
        status(TICKET_WAITING);
        assert_int_equal(CALENDAR_NEVER, meter(SLA_RESOLUTION)->due_ms);
        after(DAY); /* Tuesday 12:00 */
        status(TICKET_OPEN);
        assert_int_equal(now_ms + 5 * HOUR + 16 * HOUR + HOUR, meter(SLA_RESOLUTION)->due_ms); /* Wednesday 10:00 */
        after(5 * HOUR);
        status(TICKET_SOLVED);
        assert_int_equal(7 * HOUR, meter(SLA_RESOLUTION)->counted_ms);
        assert_int_equal(SLA_HIT, sla_count_state(&count));
}

static void a_policy_says_which_statuses_pause(void **state)
{
        (void)state;
        terms[1].pauses = 1u << TICKET_WAITING;
        answered();
        status(TICKET_ON_HOLD);
        assert_int_equal(SLA_RUNNING, meter(SLA_RESOLUTION)->phase);
        status(TICKET_WAITING);
        assert_int_equal(SLA_PAUSED, meter(SLA_RESOLUTION)->phase);
}

static void the_first_resolution_stops_and_the_total_goes_on_after_a_reopening(void **state)
{
        (void)state;
        answered();
        after(HOUR);
        status(TICKET_SOLVED);
        after(2 * HOUR);
        status(TICKET_OPEN);
        after(3 * HOUR);
        status(TICKET_SOLVED);
        assert_int_equal(HOUR, meter(SLA_RESOLUTION)->counted_ms);
        assert_int_equal(4 * HOUR, meter(SLA_TOTAL)->counted_ms);
        status(TICKET_CLOSED);
        assert_int_equal(SLA_ENDED, meter(SLA_TOTAL)->phase);
}

static void closed_without_being_solved_is_no_resolution(void **state)
{
        (void)state;
        answered();
        status(TICKET_CLOSED);
        assert_int_equal(SLA_DROPPED, meter(SLA_RESOLUTION)->phase);
}

/* ---- other terms ---- */

static void a_higher_priority_has_its_own_deadline_from_the_beginning(void **state)
{
        (void)state;
        terms[1].targets[URGENT - 1][SLA_FIRST].amount = 30 * 60;
        people_have_it();
        after(10 * MINUTE);
        event(SLA_EVENT_TERMS, TICKET_PENDING, URGENT, 1, 0);
        assert_int_equal(MONDAY + 30 * MINUTE, meter(SLA_FIRST)->due_ms);
}

static void a_stricter_target_is_not_missed_before_it_was_set(void **state)
{
        (void)state;
        terms[1].targets[URGENT - 1][SLA_FIRST].amount = 5 * 60;
        people_have_it();
        after(10 * MINUTE);
        event(SLA_EVENT_TERMS, TICKET_PENDING, URGENT, 1, 0);
        assert_int_equal(now_ms, meter(SLA_FIRST)->due_ms);
        assert_int_equal(0, told.missed);
        sla_advance(&count, &world, now_ms + 1);
        assert_int_equal(1, told.missed);
}

static void a_policy_without_a_target_takes_the_deadline_away(void **state)
{
        (void)state;
        people_have_it();
        event(SLA_EVENT_TERMS, TICKET_PENDING, NORMAL, 2, 0);
        assert_int_equal(CALENDAR_NEVER, meter(SLA_FIRST)->due_ms);
        assert_int_equal(SLA_NONE, sla_count_state(&count));
        after(5 * HOUR);
        staff_writes();
        assert_int_equal(5 * HOUR, meter(SLA_FIRST)->counted_ms); /* it is measured all the same */
}

static void what_was_missed_stays_missed_whatever_is_promised_later(void **state)
{
        (void)state;
        people_have_it();
        after(2 * HOUR);
        event(SLA_EVENT_TERMS, TICKET_PENDING, NORMAL, 2, 0);
        assert_int_equal(1, told.missed);
        assert_int_equal(1, count.misses);
        assert_true(meter(SLA_FIRST)->is_missed);
}

static void a_working_day_becomes_business_time_so_that_it_can_stand_still(void **state)
{
        (void)state;
        promise(1, SLA_RESOLUTION, SLA_UNIT_WORKING_DAYS, 2);
        people_have_it(); /* Monday 10:00, so Wednesday 10:00 */
        assert_int_equal(MONDAY + 2 * DAY, meter(SLA_RESOLUTION)->due_ms);
        after(DAY);
        status(TICKET_WAITING);
        after(2 * DAY); /* Thursday 10:00 */
        status(TICKET_OPEN);
        assert_int_equal(MONDAY + 4 * DAY, meter(SLA_RESOLUTION)->due_ms); /* Friday 10:00 */
}

static void a_schedule_that_changes_moves_what_is_still_to_come(void **state)
{
        (void)state;
        promise(1, SLA_FIRST, SLA_UNIT_SECONDS, 6 * 3600);
        people_have_it();
        assert_int_equal(MONDAY + 6 * HOUR, meter(SLA_FIRST)->due_ms);
        versions[1] = (struct timetable_version){9, MONDAY + HOUR, &shorter};
        times.count = 2;
        assert_true(sla_reschedule(&count, &world));
        assert_false(sla_reschedule(&count, &world));
        assert_int_equal(MONDAY + 2 * DAY, meter(SLA_FIRST)->due_ms); /* 1 h + 1 h, 3 h, 1 h */
}

/* ---- the ledger ---- */

static void the_ledger_says_when_in_which_status_and_by_which_schedule_it_counted(void **state)
{
        (void)state;
        people_have_it();
        after(HOUR); /* 11:00 */
        versions[1] = (struct timetable_version){9, MONDAY + 90 * MINUTE, &shorter};
        times.count = 2;
        sla_reschedule(&count, &world);
        status(TICKET_OPEN);
        after(2 * HOUR); /* 13:00 */
        staff_writes();
        struct sla_span first[8];
        size_t lines = 0;
        int64_t sum = 0;
        for (size_t i = 0; i < told.span_count; i++)
                if (told.spans[i].metric == SLA_FIRST) {
                        first[lines++] = told.spans[i];
                        sum += told.spans[i].counted_ms;
                }
        assert_int_equal(3, lines);
        assert_int_equal(TICKET_PENDING, first[0].status);
        assert_int_equal(HOUR, first[0].counted_ms);
        assert_int_equal(TICKET_OPEN, first[1].status);
        assert_int_equal(7, first[1].version);
        assert_int_equal(9, first[2].version);
        assert_int_equal(MONDAY + 90 * MINUTE, first[2].from_ms);
        assert_int_equal(30 * MINUTE, first[2].counted_ms); /* until 12:00 */
        assert_int_equal(sum, meter(SLA_FIRST)->counted_ms);
}

static void what_still_counts_is_in_the_ledger_too(void **state)
{
        (void)state;
        people_have_it();
        after(30 * MINUTE);
        told.span_count = 0;
        sla_open_spans(&count, &world, now_ms);
        assert_int_equal(3, told.span_count); /* first response, resolution, total */
        assert_int_equal(30 * MINUTE, told.spans[0].counted_ms);
        assert_int_equal(30 * MINUTE, sla_elapsed(&count, SLA_FIRST, &world, now_ms));
        assert_int_equal(MONDAY, meter(SLA_FIRST)->from_ms);
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(an_answer_in_time_is_a_hit),
                TEST(a_late_answer_is_missed_though_no_timer_ran),
                TEST(a_timer_marks_the_same_miss_once),
                TEST(a_status_that_pauses_does_not_stop_the_first_response),
                TEST(solved_without_an_answer_is_neither_hit_nor_missed),
                TEST(time_with_the_bot_is_counted_apart),
                TEST(a_person_who_speaks_while_the_bot_has_it_has_answered_at_once),
                TEST(what_the_bot_solved_promises_nothing),
                TEST(the_oldest_unanswered_message_counts_not_the_newest),
                TEST(messages_before_the_first_answer_begin_no_next_response),
                TEST(a_status_that_pauses_puts_the_next_response_off),
                TEST(putting_off_after_the_deadline_does_not_undo_the_miss),
                TEST(the_resolution_stands_still_in_a_status_that_pauses),
                TEST(a_policy_says_which_statuses_pause),
                TEST(the_first_resolution_stops_and_the_total_goes_on_after_a_reopening),
                TEST(closed_without_being_solved_is_no_resolution),
                TEST(a_higher_priority_has_its_own_deadline_from_the_beginning),
                TEST(a_stricter_target_is_not_missed_before_it_was_set),
                TEST(a_policy_without_a_target_takes_the_deadline_away),
                TEST(what_was_missed_stays_missed_whatever_is_promised_later),
                TEST(a_working_day_becomes_business_time_so_that_it_can_stand_still),
                TEST(a_schedule_that_changes_moves_what_is_still_to_come),
                TEST(the_ledger_says_when_in_which_status_and_by_which_schedule_it_counted),
                TEST(what_still_counts_is_in_the_ledger_too),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
