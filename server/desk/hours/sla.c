/* SPDX-License-Identifier: Apache-2.0 */
/* SLA: see sla.h. A meter's time is cut into spans wherever the status, the terms or the phase changes; a deadline is
 * always what is left of the target, added to where the running span began. */
#include "desk/hours/sla.h"

#include <string.h>

#define PAUSES_USUALLY (1u << TICKET_WAITING | 1u << TICKET_ON_HOLD | 1u << TICKET_SNOOZED)

const struct sla_terms sla_terms_none = {.times = &timetable_always, .pauses = PAUSES_USUALLY};

static const struct sla_terms *terms_of(const struct sla_world *world, int64_t number)
{
        const struct sla_terms *terms = world && world->terms && number ? world->terms(world->data, number) : NULL;
        return terms ? terms : &sla_terms_none;
}

static const struct timetable *times_of(const struct sla_terms *terms, enum sla_metric metric)
{
        return metric == SLA_BOT ? &timetable_always : terms->times;
}

static bool is_over(enum ticket_status status)
{
        return status == TICKET_SOLVED || status == TICKET_CLOSED;
}

static bool is_with_people(enum ticket_status status)
{
        return status == TICKET_PENDING || status == TICKET_OPEN || status == TICKET_WAITING ||
               status == TICKET_ON_HOLD || status == TICKET_SNOOZED;
}

static bool pauses_in(const struct sla_terms *terms, enum ticket_status status)
{
        return terms->pauses & 1u << status;
}

void sla_init(struct sla_count *count)
{
        *count = (struct sla_count){.priority = 1};
        for (int i = 0; i < SLA_METRICS; i++)
                count->meters[i].due_ms = count->meters[i].warn_ms = CALENDAR_NEVER;
}

/* ---- one meter ---- */

static void reckon(struct sla_meter *meter, const struct sla_terms *terms)
{
        if (meter->is_missed)
                return;
        meter->due_ms = meter->warn_ms = CALENDAR_NEVER;
        if (meter->phase != SLA_RUNNING || meter->target_ms <= 0)
                return;
        meter->due_ms = timetable_add(terms->times, meter->from_ms, meter->target_ms - meter->counted_ms);
        int64_t warn_after_ms = meter->target_ms / 100 * terms->warn_percent;
        if (terms->warn_percent > 0)
                meter->warn_ms = timetable_add(terms->times, meter->from_ms, warn_after_ms - meter->counted_ms);
}

/* A span for each version of the schedule within the time. */
static void tell_spans(const struct sla_count *count, enum sla_metric metric, const struct sla_world *world,
                       const struct timetable *times, int64_t to_ms)
{
        const struct sla_meter *meter = &count->meters[metric];
        struct sla_span span = {.metric = metric, .seq = meter->seq, .status = count->status};
        for (span.from_ms = meter->from_ms; span.from_ms < to_ms; span.from_ms = span.to_ms) {
                const struct timetable_version *version = timetable_at(times, span.from_ms);
                int64_t until_ms = timetable_until(times, span.from_ms);
                span.to_ms = until_ms < to_ms ? until_ms : to_ms;
                span.counted_ms = calendar_between(version->calendar, span.from_ms, span.to_ms);
                span.version = version->number;
                world->span(world->data, &span);
        }
}

/* Counts what has run until then; it runs on from there. */
static void cut(struct sla_count *count, enum sla_metric metric, const struct sla_world *world,
                const struct sla_terms *terms, int64_t at_ms)
{
        struct sla_meter *meter = &count->meters[metric];
        const struct timetable *times = times_of(terms, metric);
        if (meter->phase != SLA_RUNNING)
                return;
        if (world && world->span)
                tell_spans(count, metric, world, times, at_ms);
        meter->counted_ms += timetable_between(times, meter->from_ms, at_ms);
        if (at_ms > meter->from_ms)
                meter->from_ms = at_ms;
}

static void set_target(struct sla_count *count, enum sla_metric metric, const struct sla_terms *terms)
{
        struct sla_meter *meter = &count->meters[metric];
        if (metric >= SLA_TARGETS || meter->is_missed)
                return;
        const struct sla_target *target = &terms->targets[count->priority - 1][metric];
        int64_t was_ms = meter->target_ms;
        meter->target_ms = (int64_t)target->amount * 1000;
        if (target->unit == SLA_UNIT_NONE)
                meter->target_ms = 0;
        if (target->unit == SLA_UNIT_WORKING_DAYS) { /* as business time, so that it can stand still and go on */
                const struct calendar *calendar = timetable_at(terms->times, meter->begun_ms)->calendar;
                int64_t end_ms = calendar_add_days(calendar, meter->begun_ms, target->amount);
                meter->target_ms = end_ms == CALENDAR_NEVER ? 0 : calendar_between(calendar, meter->begun_ms, end_ms);
        }
        meter->is_warned = meter->is_warned && was_ms == meter->target_ms;
}

static void begin(struct sla_count *count, enum sla_metric metric, const struct sla_terms *terms, int64_t at_ms,
                  int64_t seq)
{
        struct sla_meter *meter = &count->meters[metric];
        *meter = (struct sla_meter){.phase = SLA_RUNNING, .begun_ms = at_ms, .from_ms = at_ms, .seq = seq};
        set_target(count, metric, terms);
        reckon(meter, terms);
}

static bool end(struct sla_count *count, enum sla_metric metric, const struct sla_world *world,
                const struct sla_terms *terms, int64_t at_ms, enum sla_phase phase)
{
        struct sla_meter *meter = &count->meters[metric];
        if (meter->phase != SLA_RUNNING && meter->phase != SLA_PAUSED)
                return false;
        cut(count, metric, world, terms, at_ms);
        meter->phase = phase;
        meter->ended_ms = at_ms;
        reckon(meter, terms);
        return true;
}

static void pause_or_go_on(struct sla_count *count, enum sla_metric metric, const struct sla_world *world,
                           const struct sla_terms *terms, int64_t at_ms, bool pauses)
{
        struct sla_meter *meter = &count->meters[metric];
        if (pauses && meter->phase == SLA_RUNNING) {
                cut(count, metric, world, terms, at_ms);
                meter->phase = SLA_PAUSED;
                reckon(meter, terms);
        } else if (!pauses && meter->phase == SLA_PAUSED) {
                meter->phase = SLA_RUNNING;
                meter->from_ms = at_ms;
                reckon(meter, terms);
        }
}

/* ---- what happens ---- */

static bool judge(struct sla_count *count, const struct sla_world *world, int64_t now_ms)
{
        bool changed = false;
        for (int i = 0; i < SLA_TARGETS; i++) {
                struct sla_meter *meter = &count->meters[i];
                if (meter->phase != SLA_RUNNING || meter->is_missed || now_ms <= meter->due_ms)
                        continue;
                meter->is_missed = changed = true;
                count->misses++;
                if (world && world->missed)
                        world->missed(world->data, (enum sla_metric)i, meter);
        }
        return changed;
}

static bool people_have_it(struct sla_count *count, const struct sla_world *world, const struct sla_terms *terms,
                           int64_t at_ms)
{
        end(count, SLA_BOT, world, terms, at_ms, SLA_ENDED);
        if (count->meters[SLA_FIRST].phase != SLA_IDLE)
                return false;
        begin(count, SLA_FIRST, terms, at_ms, 0);
        begin(count, SLA_RESOLUTION, terms, at_ms, 0);
        begin(count, SLA_TOTAL, terms, at_ms, 0);
        return true;
}

static bool customer_wrote(struct sla_count *count, const struct sla_terms *terms, const struct sla_event *event)
{
        enum sla_phase first = count->meters[SLA_FIRST].phase;
        if (first == SLA_IDLE || first == SLA_RUNNING || count->meters[SLA_NEXT].phase == SLA_RUNNING)
                return false;
        begin(count, SLA_NEXT, terms, event->at_ms, event->seq);
        return true;
}

static bool staff_wrote(struct sla_count *count, const struct sla_world *world, const struct sla_terms *terms,
                        int64_t at_ms)
{
        bool begins = people_have_it(count, world, terms, at_ms); /* he spoke while it was the bot's */
        bool first = end(count, SLA_FIRST, world, terms, at_ms, SLA_ENDED);
        return end(count, SLA_NEXT, world, terms, at_ms, SLA_ENDED) || first || begins;
}

static void solved(struct sla_count *count, const struct sla_world *world, const struct sla_terms *terms,
                   const struct sla_event *event)
{
        bool is_closed = event->status == TICKET_CLOSED;
        end(count, SLA_FIRST, world, terms, event->at_ms, SLA_DROPPED);
        end(count, SLA_NEXT, world, terms, event->at_ms, SLA_DROPPED);
        end(count, SLA_RESOLUTION, world, terms, event->at_ms, is_closed ? SLA_DROPPED : SLA_ENDED);
        if (is_closed)
                end(count, SLA_TOTAL, world, terms, event->at_ms, SLA_ENDED);
        end(count, SLA_BOT, world, terms, event->at_ms, SLA_ENDED);
}

static bool status_changed(struct sla_count *count, const struct sla_world *world, const struct sla_terms *terms,
                           const struct sla_event *event)
{
        for (int i = 0; i < SLA_METRICS; i++)
                cut(count, (enum sla_metric)i, world, terms, event->at_ms);
        bool was_pausing = pauses_in(terms, count->status), pauses = pauses_in(terms, event->status);
        count->status = event->status;
        if (is_over(event->status))
                solved(count, world, terms, event);
        else if (is_with_people(event->status))
                people_have_it(count, world, terms, event->at_ms);
        if (pauses && !was_pausing)
                end(count, SLA_NEXT, world, terms, event->at_ms, SLA_DROPPED);
        pause_or_go_on(count, SLA_RESOLUTION, world, terms, event->at_ms, pauses);
        pause_or_go_on(count, SLA_TOTAL, world, terms, event->at_ms, pauses || is_over(event->status));
        return true;
}

static bool terms_changed(struct sla_count *count, const struct sla_world *world, const struct sla_terms *terms,
                          const struct sla_event *event)
{
        if (event->terms == count->terms && event->priority == count->priority)
                return false;
        for (int i = 0; i < SLA_METRICS; i++)
                cut(count, (enum sla_metric)i, world, terms, event->at_ms);
        count->terms = event->terms;
        count->priority = event->priority;
        terms = terms_of(world, event->terms);
        for (int i = 0; i < SLA_TARGETS; i++) {
                struct sla_meter *meter = &count->meters[i];
                if (meter->phase != SLA_RUNNING && meter->phase != SLA_PAUSED)
                        continue;
                set_target(count, (enum sla_metric)i, terms);
                reckon(meter, terms);
        }
        bool pauses = pauses_in(terms, count->status);
        pause_or_go_on(count, SLA_RESOLUTION, world, terms, event->at_ms, pauses);
        pause_or_go_on(count, SLA_TOTAL, world, terms, event->at_ms, pauses || is_over(count->status));
        return true;
}

bool sla_step(struct sla_count *count, const struct sla_world *world, const struct sla_event *event)
{
        judge(count, world, event->at_ms);
        const struct sla_terms *terms = terms_of(world, count->terms);
        switch (event->kind) {
        case SLA_EVENT_BOT:
                count->status = event->status;
                terms_changed(count, world, terms, event);
                begin(count, SLA_BOT, terms, event->at_ms, 0);
                return true;
        case SLA_EVENT_PEOPLE:
                count->status = event->status;
                terms_changed(count, world, terms, event);
                return people_have_it(count, world, terms_of(world, count->terms), event->at_ms);
        case SLA_EVENT_CUSTOMER:
                return customer_wrote(count, terms, event);
        case SLA_EVENT_STAFF:
                return staff_wrote(count, world, terms, event->at_ms);
        case SLA_EVENT_STATUS:
                return status_changed(count, world, terms, event);
        case SLA_EVENT_TERMS:
                return terms_changed(count, world, terms, event);
        }
        return false;
}

/* ---- time ---- */

bool sla_advance(struct sla_count *count, const struct sla_world *world, int64_t now_ms)
{
        bool changed = judge(count, world, now_ms);
        for (int i = 0; i < SLA_TARGETS; i++) {
                struct sla_meter *meter = &count->meters[i];
                if (meter->phase != SLA_RUNNING || meter->is_missed || meter->is_warned || now_ms < meter->warn_ms)
                        continue;
                meter->is_warned = changed = true;
                if (world && world->warned)
                        world->warned(world->data, (enum sla_metric)i, meter);
        }
        return changed;
}

bool sla_reschedule(struct sla_count *count, const struct sla_world *world)
{
        const struct sla_terms *terms = terms_of(world, count->terms);
        bool changed = false;
        for (int i = 0; i < SLA_TARGETS; i++) {
                struct sla_meter *meter = &count->meters[i];
                int64_t due_ms = meter->due_ms, warn_ms = meter->warn_ms;
                reckon(meter, terms);
                changed |= due_ms != meter->due_ms || warn_ms != meter->warn_ms;
        }
        return changed;
}

void sla_open_spans(const struct sla_count *count, const struct sla_world *world, int64_t now_ms)
{
        const struct sla_terms *terms = terms_of(world, count->terms);
        for (int i = 0; i < SLA_METRICS; i++)
                if (count->meters[i].phase == SLA_RUNNING)
                        tell_spans(count, (enum sla_metric)i, world, times_of(terms, (enum sla_metric)i), now_ms);
}

int64_t sla_timer_ms(const struct sla_count *count)
{
        int64_t next_ms = CALENDAR_NEVER;
        for (int i = 0; i < SLA_TARGETS; i++) {
                const struct sla_meter *meter = &count->meters[i];
                if (meter->phase != SLA_RUNNING || meter->is_missed || meter->due_ms == CALENDAR_NEVER)
                        continue;
                int64_t at_ms = meter->due_ms + 1;
                if (!meter->is_warned && meter->warn_ms < at_ms)
                        at_ms = meter->warn_ms;
                if (at_ms < next_ms)
                        next_ms = at_ms;
        }
        return next_ms;
}

bool sla_is_promised(const struct sla_meter *meter)
{
        return meter->target_ms > 0 && (meter->phase == SLA_RUNNING || meter->phase == SLA_PAUSED);
}

enum sla_state sla_count_state(const struct sla_count *count)
{
        bool is_promised = false, is_kept = false;
        for (int i = 0; i < SLA_TARGETS; i++) {
                const struct sla_meter *meter = &count->meters[i];
                is_promised |= sla_is_promised(meter);
                is_kept |= meter->target_ms > 0 && meter->phase == SLA_ENDED;
        }
        if (is_promised)
                return count->misses > 0 ? SLA_ACTIVE_WITH_MISSES : SLA_ACTIVE;
        if (count->misses > 0)
                return SLA_MISSED;
        return is_kept ? SLA_HIT : SLA_NONE;
}

int64_t sla_elapsed(const struct sla_count *count, enum sla_metric metric, const struct sla_world *world,
                    int64_t now_ms)
{
        const struct sla_meter *meter = &count->meters[metric];
        const struct timetable *times = times_of(terms_of(world, count->terms), metric);
        return meter->counted_ms + (meter->phase == SLA_RUNNING ? timetable_between(times, meter->from_ms, now_ms) : 0);
}

static bool same_meter(const struct sla_meter *a, const struct sla_meter *b)
{
        return a->phase == b->phase && a->is_missed == b->is_missed && a->begun_ms == b->begun_ms &&
               a->ended_ms == b->ended_ms && a->from_ms == b->from_ms && a->counted_ms == b->counted_ms &&
               a->target_ms == b->target_ms && a->due_ms == b->due_ms && a->warn_ms == b->warn_ms && a->seq == b->seq;
}

bool sla_same(const struct sla_count *a, const struct sla_count *b)
{
        bool same =
                a->status == b->status && a->priority == b->priority && a->terms == b->terms && a->misses == b->misses;
        for (int i = 0; same && i < SLA_METRICS; i++)
                same = same_meter(&a->meters[i], &b->meters[i]);
        return same;
}
