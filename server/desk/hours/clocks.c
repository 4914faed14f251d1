/* SPDX-License-Identifier: Apache-2.0 */
/* The clocks of tickets: what the ticket core tells becomes an event of the pure clock, and is kept when it moved it.
 * What was missed or is due soon becomes a note in the team's log, and the ticket is told to feed and views. */
#include "desk/desk_private.h"
#include "desk/hours/hours_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* What one step brought up. */
struct news {
        struct desk *desk;
        struct ticket *ticket;
        bool missed[SLA_TARGETS], warned[SLA_TARGETS];
        int64_t due_ms[SLA_TARGETS];
};

static const struct sla_terms *news_terms(void *data, int64_t number)
{
        return policies_terms(((struct news *)data)->desk, number);
}

static void put_miss(struct news *news, enum sla_metric metric, const struct sla_meter *meter)
{
        const struct ticket *ticket = news->ticket;
        struct db_stmt *stmt = db_stmt(news->desk->db, SQL_SLA_MISS_PUT);
        db_bind_int(stmt, 1, ticket->id);
        db_bind_int(stmt, 2, metric);
        db_bind_int(stmt, 3, meter->seq);
        db_bind_int(stmt, 4, meter->due_ms);
        db_bind_int(stmt, 5, news->desk->now_ms);
        db_bind_int(stmt, 6, ticket->sla->count.terms);
        db_bind_int(stmt, 7, ticket->team);
        db_bind_int(stmt, 8, ticket->assignee);
        int rc = db_run(stmt);
        if (rc < 0)
                desk_db_failed(news->desk, rc);
}

static void news_missed(void *data, enum sla_metric metric, const struct sla_meter *meter)
{
        struct news *news = data;
        news->missed[metric] = true;
        news->due_ms[metric] = meter->due_ms;
        put_miss(news, metric, meter);
}

static void news_warned(void *data, enum sla_metric metric, const struct sla_meter *meter)
{
        struct news *news = data;
        news->warned[metric] = true;
        news->due_ms[metric] = meter->due_ms;
}

static struct sla_world world_of(struct news *news)
{
        return (struct sla_world){.terms = news_terms, .missed = news_missed, .warned = news_warned, .data = news};
}

static void tell(struct news *news, enum sla_metric metric, bool is_missed)
{
        static const char *const names[SLA_TARGETS] = {"first response", "next response", "resolution"};
        const struct policy_version *version = policies_version(news->desk, news->ticket->sla->count.terms);
        struct ticket_by by = {.why = version ? version->name : NULL};
        char text[128], when[32];
        time_t due_s = (time_t)(news->due_ms[metric] / 1000);
        struct tm tm;
        gmtime_r(&due_s, &tm);
        strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", &tm);
        snprintf(text, sizeof text, "%s %s %s UTC", names[metric],
                 is_missed ? "was missed: it was due at" : "is due soon, at", when);
        if (news->desk->db_failure == 0)
                ticket_note(news->desk, news->ticket, &by, is_missed ? "sla_missed" : "sla_due_soon", span_of(text));
        if (is_missed && news->desk->db_failure == 0)
                recovery_sla_missed(news->desk, news->ticket, (int)metric, news->due_ms[metric]);
}

/* After a clock was moved by an event, or by time. */
static void settle(struct news *news, bool is_moved)
{
        bool is_news = is_moved;
        for (int i = 0; i < SLA_TARGETS; i++)
                is_news |= news->missed[i] || news->warned[i];
        if (!is_news)
                return;
        news->ticket->sla->is_changed = true;
        ticket_touch(news->desk, news->ticket);
        for (int i = 0; i < SLA_TARGETS; i++)
                if (news->missed[i] || news->warned[i])
                        tell(news, (enum sla_metric)i, news->missed[i]);
}

static void step(struct desk *desk, struct ticket *ticket, struct sla_event event)
{
        struct news news = {.desk = desk, .ticket = ticket};
        struct sla_world world = world_of(&news);
        struct sla_clock *clock = ticket->sla;
        if (event.at_ms < clock->last_ms) /* the clock on the wall was put back */
                event.at_ms = clock->last_ms;
        bool is_moved = sla_step(&clock->count, &world, &event);
        if (is_moved) {
                clock->last_ms = event.at_ms;
                int rc = clock_event_put(desk->db, ticket->id, ++clock->events, &event);
                if (rc < 0)
                        desk_db_failed(desk, rc);
        }
        settle(&news, is_moved);
}

/* ---- what the ticket core tells ---- */

static bool is_with_people(enum ticket_status status)
{
        return status >= TICKET_PENDING && status <= TICKET_SNOOZED && status != TICKET_BOT;
}

/* The terms that fit now; those it has when the store failed, which ends the batch anyway. */
static int64_t match(struct desk *desk, const struct ticket *ticket, int64_t now_has)
{
        int64_t number = policies_match(desk, ticket);
        return number < 0 ? now_has : number;
}

/* The first status that people or the bot see: the clock begins with the customer's message. */
static void begin(struct desk *desk, struct ticket *ticket, int64_t at_ms)
{
        bool is_bots = ticket->status == TICKET_BOT;
        if (!is_bots && !is_with_people(ticket->status))
                return;
        ticket->sla = calloc(1, sizeof *ticket->sla);
        if (!ticket->sla) {
                desk_db_failed(desk, DB_NOMEM);
                return;
        }
        sla_init(&ticket->sla->count);
        step(desk, ticket,
             (struct sla_event){.kind = is_bots ? SLA_EVENT_BOT : SLA_EVENT_PEOPLE,
                                .at_ms = ticket->was_status == TICKET_NEW && ticket->issued_ms > 0 ? ticket->issued_ms
                                                                                                   : at_ms,
                                .status = ticket->status,
                                .priority = (int32_t)ticket->priority,
                                .terms = match(desk, ticket, 0)});
}

static void rematch(struct desk *desk, struct ticket *ticket, int64_t at_ms)
{
        const struct sla_count *count = &ticket->sla->count;
        step(desk, ticket,
             (struct sla_event){.kind = SLA_EVENT_TERMS,
                                .at_ms = at_ms,
                                .status = ticket->status,
                                .priority = (int32_t)ticket->priority,
                                .terms = match(desk, ticket, count->terms)});
}

void sla_happened(struct desk *desk, struct ticket *ticket, enum ticket_happening what, int64_t at_ms, int64_t seq)
{
        struct sla_event event = {.at_ms = at_ms, .status = ticket->status, .priority = (int32_t)ticket->priority};
        if (!ticket->sla && what == TICKET_STATUS)
                begin(desk, ticket, at_ms);
        else if (ticket->sla && (what == TICKET_PLACE || what == TICKET_DETAILS))
                rematch(desk, ticket, at_ms);
        if (!ticket->sla || ticket->sla->events == 0)
                return;
        event.terms = ticket->sla->count.terms;
        event.seq = what == TICKET_CUSTOMER_WROTE ? seq : 0;
        if (what == TICKET_CUSTOMER_WROTE)
                event.kind = SLA_EVENT_CUSTOMER;
        else if (what == TICKET_STAFF_WROTE)
                event.kind = SLA_EVENT_STAFF;
        else if (what == TICKET_STATUS && ticket->sla->count.status != ticket->status)
                event.kind = SLA_EVENT_STATUS;
        else
                return;
        step(desk, ticket, event);
}

int64_t sla_due_ms(const struct ticket *ticket)
{
        return ticket->sla ? sla_timer_ms(&ticket->sla->count) : CALENDAR_NEVER;
}

int sla_run_due(struct desk *desk, struct ticket *ticket)
{
        if (sla_due_ms(ticket) > desk->now_ms)
                return 0;
        struct news news = {.desk = desk, .ticket = ticket};
        struct sla_world world = world_of(&news);
        sla_advance(&ticket->sla->count, &world, desk->now_ms);
        settle(&news, false);
        return desk->db_failure != 0 ? -PROTOCOL_ERR_INTERNAL : 0;
}

/* ---- store ---- */

int sla_ticket_load(struct desk *desk, struct ticket *ticket)
{
        struct news news = {.desk = desk, .ticket = ticket};
        struct sla_world world = world_of(&news);
        int rc = clock_read(desk->db, ticket->id, &ticket->sla);
        if (rc == DB_ROW && desk->hours->are_news)
                ticket->sla->is_changed = sla_reschedule(&ticket->sla->count, &world);
        return rc < 0 ? rc : DB_OK;
}

int sla_ticket_save(struct desk *desk, struct ticket *ticket)
{
        struct news news = {.desk = desk, .ticket = ticket};
        struct sla_world world = world_of(&news);
        if (!ticket->sla || !ticket->sla->is_changed)
                return DB_OK;
        ticket->sla->is_changed = false;
        return clock_write(desk->db, ticket->id, ticket->sla, &world);
}

void sla_ticket_forget(struct ticket *ticket)
{
        free(ticket->sla);
        ticket->sla = NULL;
}

/* ---- after an administrator changed something ---- */

void clocks_reckon(struct desk *desk, int64_t schedule)
{
        struct ticket *ticket;
        tickets_each(desk, i, ticket)
        {
                struct news news = {.desk = desk, .ticket = ticket};
                struct sla_world world = world_of(&news);
                const struct policy_version *version =
                        ticket->sla ? policies_version(desk, ticket->sla->count.terms) : NULL;
                if (!version || version->schedule != schedule || !sla_reschedule(&ticket->sla->count, &world))
                        continue;
                ticket->sla->is_changed = true;
                ticket_touch(desk, ticket);
        }
        recovery_look_again(desk);
}

int clocks_match(struct desk *desk)
{
        struct ticket *ticket;
        tickets_each(desk, i, ticket) if (ticket->sla) rematch(desk, ticket, desk->now_ms);
        return desk->db_failure != 0 ? -PROTOCOL_ERR_INTERNAL : 0;
}

/* ---- what a ticket's clocks say ---- */

enum sla_state sla_state(const struct ticket *ticket)
{
        return ticket->sla ? sla_count_state(&ticket->sla->count) : SLA_NONE;
}

int64_t sla_misses(const struct ticket *ticket)
{
        return ticket->sla ? ticket->sla->count.misses : 0;
}

static int64_t earliest(const struct ticket *ticket, int metrics)
{
        int64_t due_ms = CALENDAR_NEVER;
        for (int i = 0; ticket->sla && i < metrics; i++) {
                const struct sla_meter *meter = &ticket->sla->count.meters[i];
                if (meter->phase == SLA_RUNNING && meter->due_ms < due_ms)
                        due_ms = meter->due_ms;
        }
        return due_ms;
}

int64_t sla_deadline_ms(const struct ticket *ticket)
{
        return earliest(ticket, SLA_TARGETS);
}

int64_t sla_answer_by_ms(const struct ticket *ticket)
{
        return earliest(ticket, SLA_RESOLUTION);
}
