/* SPDX-License-Identifier: Apache-2.0 */
/* sla.explain: the clock of a ticket made again from its events, with the ledger of what counted on the way, and
 * compared with the clock that is kept. */
#include "desk/desk_private.h"
#include "desk/hours/hours_private.h"
#include "desk/people/people.h"
#include "desk/tickets/ticket_rows.h"

#include <stdlib.h>

enum { SPANS = 400, MISSES = 200 };

/* A replay, and the newest lines of its ledger. */
struct replay {
        struct desk *desk;
        struct sla_count count;
        struct protocol_sla_span *spans; /* room for SPANS, a ring */
        size_t span_count;
};

static const struct sla_terms *replay_terms(void *data, int64_t number)
{
        return policies_terms(((struct replay *)data)->desk, number);
}

static void replay_span(void *data, const struct sla_span *span)
{
        struct replay *replay = data;
        replay->spans[replay->span_count++ % SPANS] =
                (struct protocol_sla_span){.metric = (enum protocol_sla_span_metric)(
                                                   PROTOCOL_SLA_SPAN_METRIC_FIRST_RESPONSE + (int)(span->metric)),
                                           .has_seq = span->seq != 0,
                                           .seq = span->seq,
                                           .from = span->from_ms,
                                           .to = span->to_ms,
                                           .counted = span->counted_ms,
                                           .status = (enum protocol_sla_span_status)span->status,
                                           .version = span->version};
}

static struct sla_world world_of(struct replay *replay)
{
        return (struct sla_world){.terms = replay_terms, .span = replay->spans ? replay_span : NULL, .data = replay};
}

static int play(struct replay *replay, int64_t ticket)
{
        struct sla_world world = world_of(replay);
        struct db_stmt *stmt = db_stmt(replay->desk->db, SQL_SLA_EVENTS);
        int rc;
        sla_init(&replay->count);
        db_bind_int(stmt, 1, ticket);
        while ((rc = db_step(stmt)) == DB_ROW) {
                struct sla_event event = clock_event_read(stmt);
                sla_step(&replay->count, &world, &event);
        }
        return rc;
}

/* The kept clock, as it is at that moment; warnings do not count. */
static bool agrees(const struct replay *replay, const struct sla_count *kept, int64_t now_ms)
{
        struct replay quiet = {.desk = replay->desk};
        struct sla_world world = world_of(&quiet);
        struct sla_count copy = *kept, again = replay->count;
        sla_advance(&copy, &world, now_ms);
        sla_advance(&again, &world, now_ms);
        return sla_same(&copy, &again);
}

/* ---- the answer ---- */

static void describe_meter(const struct replay *replay, enum sla_metric metric, int64_t now_ms,
                           struct protocol_sla_meter *out)
{
        static const enum protocol_sla_meter_state states[] = {
                [SLA_RUNNING] = PROTOCOL_SLA_METER_STATE_RUNNING,
                [SLA_PAUSED] = PROTOCOL_SLA_METER_STATE_PAUSED,
                [SLA_ENDED] = PROTOCOL_SLA_METER_STATE_DONE,
                [SLA_DROPPED] = PROTOCOL_SLA_METER_STATE_DROPPED,
        };
        struct replay quiet = {.desk = replay->desk};
        struct sla_world world = world_of(&quiet);
        const struct sla_meter *meter = &replay->count.meters[metric];
        bool is_over = meter->phase == SLA_ENDED || meter->phase == SLA_DROPPED;
        *out = (struct protocol_sla_meter){
                .metric = (enum protocol_sla_meter_metric)(PROTOCOL_SLA_METER_METRIC_FIRST_RESPONSE + (int)metric),
                .state = states[meter->phase],
                .counted = sla_elapsed(&replay->count, metric, &world, now_ms),
                .has_target = meter->target_ms > 0,
                .target = meter->target_ms,
                .has_due = meter->due_ms != CALENDAR_NEVER,
                .due = meter->due_ms,
                .missed = meter->is_missed,
                .begun = meter->begun_ms,
                .has_ended = is_over,
                .ended = meter->ended_ms,
                .has_seq = meter->seq != 0,
                .seq = meter->seq};
}

static struct protocol_sla_span *in_order(struct replay *replay, struct arena *arena, size_t *out_count)
{
        size_t count = replay->span_count < SPANS ? replay->span_count : SPANS;
        size_t first = replay->span_count < SPANS ? 0 : replay->span_count % SPANS;
        struct protocol_sla_span *spans = arena_take(arena, (count + 1) * sizeof *spans);
        for (size_t i = 0; spans && i < count; i++)
                spans[i] = replay->spans[(first + i) % SPANS];
        *out_count = spans ? count : 0;
        return spans;
}

static int read_misses(struct desk *desk, int64_t ticket, struct protocol_sla_explain_result *result)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_SLA_MISSES);
        int rc = DB_OK;
        db_bind_int(stmt, 1, ticket);
        while (result->misses_count < MISSES && (rc = db_step(stmt)) == DB_ROW)
                result->misses[result->misses_count++] = (struct protocol_sla_miss){
                        .metric = (enum protocol_sla_miss_metric)(PROTOCOL_SLA_MISS_METRIC_FIRST_RESPONSE +
                                                                  (int)db_int(stmt, 0)),
                        .has_seq = db_int(stmt, 1) != 0,
                        .seq = db_int(stmt, 1),
                        .due = db_int(stmt, 2)};
        if (rc == DB_ROW)
                db_reset(stmt);
        return rc < 0 ? rc : DB_OK;
}

static const struct policy *policy_of(const struct desk *desk, const struct policy_version *version)
{
        for (size_t i = 0; version && i < desk->hours->policy_count; i++)
                if (desk->hours->policies[i].id == version->policy)
                        return &desk->hours->policies[i];
        return NULL;
}

static int explain(struct desk *desk, struct arena *arena, int64_t ticket, const struct sla_clock *clock,
                   struct protocol_sla_explain_result *result)
{
        struct replay replay = {.desk = desk};
        struct sla_world quiet = world_of(&replay);
        replay.spans = arena_take(arena, SPANS * sizeof *replay.spans);
        result->meters = arena_take(arena, SLA_METRICS * sizeof *result->meters);
        result->misses = arena_take(arena, MISSES * sizeof *result->misses);
        if (!replay.spans || !result->meters || !result->misses)
                return DB_NOMEM;
        struct sla_world world = world_of(&replay);
        int rc = play(&replay, ticket);
        if (rc >= 0)
                rc = read_misses(desk, ticket, result);
        if (rc < 0)
                return rc;
        result->agrees = agrees(&replay, &clock->count, desk->now_ms);
        quiet.span = NULL;
        sla_advance(&replay.count, &quiet, desk->now_ms);
        sla_open_spans(&replay.count, &world, desk->now_ms);
        const struct policy_version *version = policies_version(desk, replay.count.terms);
        const struct policy *policy = policy_of(desk, version);
        result->has_policy = result->has_name = policy != NULL;
        result->policy = policy ? policy->ext : 0;
        result->name = policy ? span_of(version->name) : (struct span){0};
        result->priority = (enum protocol_sla_explain_priority)replay.count.priority;
        result->state = (enum protocol_sla_explain_state)(PROTOCOL_SLA_EXPLAIN_STATE_NONE +
                                                          (int)sla_count_state(&replay.count));
        for (int i = 0; i < SLA_METRICS; i++)
                if (replay.count.meters[i].phase != SLA_IDLE)
                        describe_meter(&replay, (enum sla_metric)i, desk->now_ms,
                                       &result->meters[result->meters_count++]);
        result->spans = in_order(&replay, arena, &result->spans_count);
        return result->spans ? DB_OK : DB_NOMEM;
}

/* A ticket, closed or not, with its clock; what is read from the store for it is freed by forget(). */
static int find(struct desk *desk, const struct caller *caller, uint64_t ext, struct ticket **out_ticket,
                bool *out_is_own)
{
        struct ticket *ticket = tickets_find(desk, ext);
        int rc = ticket ? DB_ROW : ticket_row_by_ext(desk->db, desk->workspace, ext, &ticket);
        *out_is_own = !tickets_find(desk, ext);
        if (rc == DB_ROW && *out_is_own) {
                rc = sla_ticket_load(desk, ticket);
                if (rc < 0)
                        ticket_free(ticket);
                rc = rc < 0 ? rc : DB_ROW;
        }
        if (rc < 0)
                return desk_db_failed(desk, rc);
        if (rc == DB_OK)
                return -PROTOCOL_ERR_NOT_FOUND;
        *out_ticket = ticket;
        return caller->role == ROLE_OPERATOR ||
                               people_may_read(desk, caller, ticket->team, ticket->assignee, ticket->conv)
                       ? 0
                       : -PROTOCOL_ERR_NOT_FOUND;
}

int handle_sla_explain(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)fault;
        const struct protocol_sla_explain *params = command->params;
        struct protocol_sla_explain_result result = {.agrees = true,
                                                     .priority = PROTOCOL_SLA_EXPLAIN_PRIORITY_NORMAL,
                                                     .state = PROTOCOL_SLA_EXPLAIN_STATE_NONE};
        struct ticket *ticket = NULL;
        bool is_own = false;
        int rc = find(desk, &command->caller, params->ticket, &ticket, &is_own);
        if (rc == 0 && ticket && ticket->sla) {
                int db_rc = explain(desk, &command->arena, ticket->id, ticket->sla, &result);
                rc = db_rc < 0 ? desk_db_failed(desk, db_rc) : 0;
        }
        if (rc == 0)
                protocol_sla_explain_result_write(out, &result);
        if (ticket && is_own) {
                sla_ticket_forget(ticket);
                ticket_free(ticket);
        }
        return rc;
}
