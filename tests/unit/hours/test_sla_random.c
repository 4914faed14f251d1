/* SPDX-License-Identifier: Apache-2.0 */
/* Random histories of 10,000 events: whenever timers ran or did not, and whichever events were worth remembering, the
 * clock that was kept is the one made again from what was remembered. Schedules get new versions on the way.
 * HOURS_SEED=n for the same ones again. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "desk/hours/sla.h"
#include "unit/ops/cmocka_all.h"

#define MINUTE INT64_C(60000)
#define BEGIN  INT64_C(1793613600000)

enum { HISTORIES = 6, EVENTS = 10000, TERMS = 4, VERSIONS = 40, SCHEDULES = 2 };

static uint64_t seed;
static struct calendar calendars[SCHEDULES][VERSIONS];
static struct timetable_version versions[SCHEDULES][VERSIONS];
static struct timetable schedules[SCHEDULES];
static struct sla_terms terms[TERMS + 1];

static struct sla_event remembered[EVENTS];
static size_t remembered_count;

static uint32_t draw(uint32_t below)
{
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        return (uint32_t)((seed >> 16) % below);
}

static const struct sla_terms *find_terms(void *data, int64_t number)
{
        (void)data;
        return number > 0 && number <= TERMS ? &terms[number] : NULL;
}

/* ---- the ledger of a replay ---- */

struct ledger {
        int64_t sums[SLA_METRICS], last_to_ms[SLA_METRICS];
        bool is_wrong;
};

static void on_span(void *data, const struct sla_span *span)
{
        struct ledger *ledger = data;
        ledger->is_wrong |= span->to_ms <= span->from_ms || span->counted_ms < 0 ||
                            span->counted_ms > span->to_ms - span->from_ms ||
                            span->from_ms < ledger->last_to_ms[span->metric];
        ledger->last_to_ms[span->metric] = span->to_ms;
        ledger->sums[span->metric] += span->counted_ms;
}

/* ---- drawing ---- */

static struct calendar draw_calendar(void)
{
        struct calendar calendar = {0};
        for (int day = 0; day < 7; day++) {
                uint16_t from = (uint16_t)draw(1000), to = (uint16_t)(from + 1 + draw(400));
                if (draw(4) != 0 || day == 2)
                        calendar.week[day] = (struct calendar_hours){1, {{from, to}}};
        }
        return calendar;
}

static void add_version(int schedule, int64_t from_ms)
{
        struct timetable *times = &schedules[schedule];
        size_t n = times->count;
        if (n == VERSIONS)
                return;
        calendars[schedule][n] = draw_calendar();
        versions[schedule][n] = (struct timetable_version){(int64_t)n + 1, from_ms, &calendars[schedule][n]};
        times->versions = versions[schedule];
        times->count++;
}

static void draw_terms(void)
{
        for (int s = 0; s < SCHEDULES; s++) {
                schedules[s].count = 0;
                add_version(s, 0);
        }
        for (int t = 1; t <= TERMS; t++) {
                terms[t] = (struct sla_terms){.number = t,
                                              .times = t == 1 ? &timetable_always : &schedules[t % SCHEDULES],
                                              .pauses = draw(512) & sla_terms_none.pauses,
                                              .warn_percent = (int32_t)draw(100)};
                for (int i = 0; i < SLA_PRIORITIES * SLA_TARGETS; i++) {
                        enum sla_unit unit = (enum sla_unit)draw(3);
                        int32_t amount = (int32_t)(1 + draw(unit == SLA_UNIT_WORKING_DAYS ? 3 : 30000));
                        terms[t].targets[i / SLA_TARGETS][i % SLA_TARGETS] = (struct sla_target){unit, amount};
                }
        }
}

static struct sla_event draw_event(const struct sla_count *count, int64_t at_ms, int64_t seq)
{
        static const enum ticket_status statuses[] = {TICKET_PENDING, TICKET_OPEN,    TICKET_WAITING,
                                                      TICKET_ON_HOLD, TICKET_SNOOZED, TICKET_SOLVED};
        struct sla_event event = {
                .at_ms = at_ms, .status = count->status, .priority = count->priority, .terms = count->terms};
        uint32_t what = draw(10);
        if (what < 4) {
                event.kind = SLA_EVENT_CUSTOMER;
                event.seq = seq;
        } else if (what < 6) {
                event.kind = SLA_EVENT_STAFF;
        } else if (what < 9) {
                event.kind = SLA_EVENT_STATUS;
                event.status = statuses[draw(sizeof statuses / sizeof *statuses)];
        } else {
                event.kind = SLA_EVENT_TERMS;
                event.priority = (int32_t)(1 + draw(SLA_PRIORITIES));
                event.terms = draw(TERMS + 1);
        }
        return event;
}

/* ---- kept and made again ---- */

static struct sla_count make_again(int64_t now_ms, struct ledger *ledger)
{
        struct sla_world world = {.terms = find_terms, .span = on_span, .data = ledger};
        struct sla_count count;
        sla_init(&count);
        for (size_t i = 0; i < remembered_count; i++)
                sla_step(&count, &world, &remembered[i]);
        sla_advance(&count, &world, now_ms);
        return count;
}

static void assert_made_again(const struct sla_count *kept, int64_t now_ms)
{
        struct ledger ledger = {0};
        struct sla_world world = {.terms = find_terms};
        struct sla_count again = make_again(now_ms, &ledger), now = *kept;
        sla_advance(&now, &world, now_ms);
        assert_true(sla_same(&now, &again));
        assert_false(ledger.is_wrong);
        for (int i = 0; i < SLA_METRICS; i++)
                if (i != SLA_NEXT) /* of which there are many */
                        assert_int_equal(again.meters[i].counted_ms, ledger.sums[i]);
}

/* What was missed has taken at least its target, what was kept at most, as long as the promise was not changed. */
static void assert_judged(const struct sla_count *count, int64_t changed_ms)
{
        for (int i = 0; i < SLA_TARGETS; i++) {
                const struct sla_meter *meter = &count->meters[i];
                if (meter->phase != SLA_ENDED || meter->target_ms == 0 || meter->begun_ms <= changed_ms)
                        continue;
                assert_true(meter->is_missed ? meter->counted_ms >= meter->target_ms
                                             : meter->counted_ms <= meter->target_ms);
        }
}

struct heard {
        int64_t last_seq;
        int misses;
};

static void on_missed(void *data, enum sla_metric metric, const struct sla_meter *meter)
{
        struct heard *heard = data;
        heard->misses++;
        if (metric != SLA_NEXT)
                return;
        assert_true(meter->seq > heard->last_seq); /* each message once */
        heard->last_seq = meter->seq;
}

static const struct sla_terms *find_terms_too(void *data, int64_t number)
{
        (void)data;
        return find_terms(NULL, number);
}

static void live(bool with_bot)
{
        struct heard heard = {0};
        struct sla_world world = {.terms = find_terms_too, .missed = on_missed, .data = &heard};
        struct sla_count count;
        int64_t now_ms = BEGIN, changed_ms = 0;
        draw_terms();
        sla_init(&count);
        remembered_count = 0;
        for (int i = 0; i < EVENTS; i++) {
                struct sla_event event = draw_event(&count, now_ms, i + 1);
                if (i == 0)
                        event = (struct sla_event){with_bot ? SLA_EVENT_BOT : SLA_EVENT_PEOPLE,
                                                   now_ms,
                                                   with_bot ? TICKET_BOT : TICKET_PENDING,
                                                   2,
                                                   0,
                                                   1 + draw(TERMS)};
                if (sla_step(&count, &world, &event))
                        remembered[remembered_count++] = event;
                if (event.kind == SLA_EVENT_TERMS)
                        changed_ms = now_ms;
                assert_judged(&count, changed_ms);
                if (draw(400) == 0) {
                        add_version((int)draw(SCHEDULES), now_ms + 1);
                        sla_reschedule(&count, &world);
                        changed_ms = now_ms;
                }
                now_ms += draw(3) == 0 ? 0 : (int64_t)draw(400) * MINUTE + draw(60000);
                int64_t timer_ms = sla_timer_ms(&count);
                if (draw(2) == 0 && timer_ms <= now_ms) /* some timers run, at their time or late */
                        sla_advance(&count, &world, draw(2) ? timer_ms : now_ms);
                if (i % 1000 == 999)
                        assert_made_again(&count, now_ms);
        }
        assert_int_equal(heard.misses, count.misses);
        assert_true(heard.misses > 10);
        assert_true(remembered_count < EVENTS);
}

static void a_clock_is_what_its_events_make_again(void **state)
{
        (void)state;
        for (int i = 0; i < HISTORIES; i++)
                live(i % 2 == 1);
}

int main(void)
{
        const char *said = getenv("HOURS_SEED");
        seed = said ? strtoull(said, NULL, 10) : (uint64_t)time(NULL) * 2654435761u + 1;
        print_message("HOURS_SEED=%llu\n", (unsigned long long)seed);
        const struct CMUnitTest tests[] = {cmocka_unit_test(a_clock_is_what_its_events_make_again)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
