/* SPDX-License-Identifier: Apache-2.0 */
/* The clock of a ticket as the store has it: one row that is written when it changes, and a row for each event that
 * moved it. Meters are packed: numbers of eight bytes, the lowest first, a meter after the other. */
#include <stdlib.h>

#include "desk/hours/hours_private.h"
#include "store/db.h"

enum { METER_NUMBERS = 8, METER_BYTES = 2 + METER_NUMBERS * 8, METERS_BYTES = SLA_METRICS * METER_BYTES };
enum { IS_MISSED = 1, IS_WARNED = 2 };

static void put_number(uint8_t *at, int64_t value)
{
        for (int i = 0; i < 8; i++)
                at[i] = (uint8_t)((uint64_t)value >> (8 * i));
}

static int64_t get_number(const uint8_t *at)
{
        uint64_t value = 0;
        for (int i = 0; i < 8; i++)
                value |= (uint64_t)at[i] << (8 * i);
        return (int64_t)value;
}

static void pack(const struct sla_meter *meter, uint8_t *at)
{
        const int64_t numbers[METER_NUMBERS] = {meter->begun_ms,  meter->ended_ms, meter->from_ms, meter->counted_ms,
                                                meter->target_ms, meter->due_ms,   meter->warn_ms, meter->seq};
        at[0] = (uint8_t)meter->phase;
        at[1] = (uint8_t)((meter->is_missed ? IS_MISSED : 0) | (meter->is_warned ? IS_WARNED : 0));
        for (int i = 0; i < METER_NUMBERS; i++)
                put_number(at + 2 + 8 * i, numbers[i]);
}

static bool unpack(const uint8_t *at, struct sla_meter *out)
{
        int64_t numbers[METER_NUMBERS];
        for (int i = 0; i < METER_NUMBERS; i++)
                numbers[i] = get_number(at + 2 + 8 * i);
        *out = (struct sla_meter){.phase = (enum sla_phase)at[0],
                                  .is_missed = at[1] & IS_MISSED,
                                  .is_warned = at[1] & IS_WARNED,
                                  .begun_ms = numbers[0],
                                  .ended_ms = numbers[1],
                                  .from_ms = numbers[2],
                                  .counted_ms = numbers[3],
                                  .target_ms = numbers[4],
                                  .due_ms = numbers[5],
                                  .warn_ms = numbers[6],
                                  .seq = numbers[7]};
        return at[0] <= SLA_DROPPED;
}

static bool is_priority(int64_t number)
{
        return number >= 1 && number <= SLA_PRIORITIES;
}

static struct sla_clock *read_row(struct db_stmt *stmt, int *out_rc)
{
        struct sla_clock *clock = calloc(1, sizeof *clock);
        struct span meters = db_blob(stmt, 6);
        *out_rc = DB_NOMEM;
        if (!clock)
                return NULL;
        clock->count = (struct sla_count){.terms = db_int(stmt, 0),
                                          .status = (enum ticket_status)db_int(stmt, 1),
                                          .priority = (int32_t)db_int(stmt, 2),
                                          .misses = (uint32_t)db_int(stmt, 3)};
        clock->events = db_int(stmt, 4);
        clock->last_ms = db_int(stmt, 5);
        bool is_whole = meters.len == METERS_BYTES && is_priority(db_int(stmt, 2));
        for (int i = 0; is_whole && i < SLA_METRICS; i++)
                is_whole = unpack((const uint8_t *)meters.at + i * METER_BYTES, &clock->count.meters[i]);
        *out_rc = is_whole ? DB_ROW : DB_DAMAGED;
        if (is_whole)
                return clock;
        free(clock);
        return NULL;
}

int clock_read(struct db *db, int64_t ticket, struct sla_clock **out_clock)
{
        struct db_stmt *stmt = db_stmt(db, SQL_SLA_CLOCK);
        db_bind_int(stmt, 1, ticket);
        int rc = db_step(stmt);
        if (rc != DB_ROW)
                return rc;
        struct sla_clock *clock = read_row(stmt, &rc);
        db_reset(stmt);
        if (rc == DB_ROW)
                *out_clock = clock;
        return rc;
}

int clock_write(struct db *db, int64_t ticket, const struct sla_clock *clock, const struct sla_world *world)
{
        uint8_t meters[METERS_BYTES];
        const struct sla_count *count = &clock->count;
        for (int i = 0; i < SLA_METRICS; i++)
                pack(&count->meters[i], meters + i * METER_BYTES);
        struct db_stmt *stmt = db_stmt(db, SQL_SLA_CLOCK_SAVE);
        db_bind_int(stmt, 1, ticket);
        db_bind_int(stmt, 2, count->terms);
        db_bind_int(stmt, 3, count->status);
        db_bind_int(stmt, 4, count->priority);
        db_bind_int(stmt, 5, count->misses);
        db_bind_int(stmt, 6, clock->events);
        db_bind_int(stmt, 7, clock->last_ms);
        db_bind_blob(stmt, 8, meters, sizeof meters);
        db_bind_int(stmt, 9, count->meters[SLA_FIRST].phase);
        db_bind_int(stmt, 10, sla_elapsed(count, SLA_FIRST, world, clock->last_ms));
        db_bind_int(stmt, 11, count->meters[SLA_RESOLUTION].phase);
        db_bind_int(stmt, 12, sla_elapsed(count, SLA_RESOLUTION, world, clock->last_ms));
        db_bind_int(stmt, 13, sla_elapsed(count, SLA_TOTAL, world, clock->last_ms));
        db_bind_int(stmt, 14, sla_elapsed(count, SLA_BOT, world, clock->last_ms));
        return db_run(stmt);
}

int clock_event_put(struct db *db, int64_t ticket, int64_t number, const struct sla_event *event)
{
        struct db_stmt *stmt = db_stmt(db, SQL_SLA_EVENT_PUT);
        db_bind_int(stmt, 1, ticket);
        db_bind_int(stmt, 2, number);
        db_bind_int(stmt, 3, event->kind);
        db_bind_int(stmt, 4, event->at_ms);
        db_bind_int(stmt, 5, event->status);
        db_bind_int(stmt, 6, event->priority);
        db_bind_int(stmt, 7, event->seq);
        db_bind_int(stmt, 8, event->terms);
        return db_run(stmt);
}

struct sla_event clock_event_read(struct db_stmt *stmt)
{
        int64_t priority = db_int(stmt, 3);
        return (struct sla_event){.kind = (enum sla_event_kind)db_int(stmt, 0),
                                  .at_ms = db_int(stmt, 1),
                                  .status = (enum ticket_status)db_int(stmt, 2),
                                  .priority = is_priority(priority) ? (int32_t)priority : 1,
                                  .seq = db_int(stmt, 4),
                                  .terms = db_int(stmt, 5)};
}
