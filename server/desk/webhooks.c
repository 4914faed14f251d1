/* SPDX-License-Identifier: Apache-2.0 */
/* The table of webhooks in memory, and what comes of tries. */
#include "desk/webhooks_private.h"

#include <stdlib.h>

enum {
        PAUSE_AFTER = 20, /* failures in a row */
        PAUSE_MIN_MS = 60 * 1000,
        PAUSE_MAX_MS = 15 * 60 * 1000,
        PAUSE_STEP = 4, /* failures between two doublings: what is tried at once */
        SWEEP_EVERY_MS = 3600 * 1000,
};
#define DAY_MS       ((int64_t)24 * 3600 * 1000)
#define SUSPEND_MS   (7 * DAY_MS)
#define KEPT_DONE_MS (3 * DAY_MS)
#define KEPT_DEAD_MS (30 * DAY_MS)

/* ---- the table in memory ---- */

static int read_target(struct webhooks *webhooks, struct db_stmt *stmt)
{
        struct webhook_target *more = realloc(webhooks->targets, (webhooks->count + 1) * sizeof *more);
        if (!more)
                return DB_NOMEM;
        webhooks->targets = more;
        more[webhooks->count++] = (struct webhook_target){.id = db_int(stmt, 0),
                                                          .ext = (uint64_t)db_int(stmt, 1),
                                                          .app = db_int(stmt, 2),
                                                          .events = (unsigned)db_int(stmt, 3),
                                                          .bot = db_int(stmt, 4),
                                                          .state = (enum webhook_state)db_int(stmt, 5),
                                                          .failures = db_int(stmt, 6),
                                                          .failing_since_ms = db_int(stmt, 7),
                                                          .paused_until_ms = db_int(stmt, 8)};
        return DB_OK;
}

int webhooks_load(struct desk *desk)
{
        struct webhooks *webhooks = &desk->webhooks;
        struct db_stmt *stmt = db_stmt(desk->db, SQL_WEBHOOKS_ALL);
        int rc, kept = DB_OK;
        webhooks->count = 0;
        webhooks->wanted = 0;
        while (kept == DB_OK && (rc = db_step(stmt)) == DB_ROW)
                kept = read_target(webhooks, stmt);
        if (kept < 0) {
                db_reset(stmt);
                return kept;
        }
        for (size_t i = 0; i < webhooks->count; i++)
                if (webhooks->targets[i].state == WEBHOOK_ACTIVE)
                        webhooks->wanted |= webhooks->targets[i].events;
        return rc < 0 ? rc : DB_OK;
}

void webhooks_done(struct desk *desk)
{
        free(desk->webhooks.targets);
        desk->webhooks.targets = NULL;
        desk->webhooks.count = 0;
}

void webhooks_committed(struct desk *desk)
{
        struct webhooks *webhooks = &desk->webhooks;
        if (webhooks->is_changed && webhooks->kick)
                webhooks->kick(webhooks->kick_data);
        webhooks->is_changed = false;
}

void webhooks_rolled_back(struct desk *desk)
{
        struct webhooks *webhooks = &desk->webhooks;
        if (webhooks->is_changed && webhooks_load(desk) < 0)
                log_error(&desk->log, "the webhooks could not be read again");
        webhooks->is_changed = false;
}

int webhooks_run(struct desk *desk, struct db_stmt *stmt)
{
        int rc = db_run(stmt);
        desk->webhooks.is_changed = true;
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}

int webhooks_load_again(struct desk *desk)
{
        int rc = webhooks_load(desk);
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}

int webhooks_save_since(struct desk *desk, int64_t id, int64_t since_ms)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_WEBHOOK_SINCE);
        db_bind_int(stmt, 1, id);
        db_bind_int(stmt, 2, since_ms);
        return db_run(stmt);
}

static int sweep(struct desk *desk, enum outbound_state state, int64_t before_ms)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_OUTBOUND_SWEEP);
        db_bind_int(stmt, 1, state);
        db_bind_int(stmt, 2, before_ms);
        int rc = db_run(stmt);
        return rc < 0 || db_changes(desk->db) == 0 ? rc : webhooks_save_since(desk, 0, before_ms);
}

int webhooks_sweep(struct desk *desk)
{
        uint64_t now_ms = clock_mono_ms();
        if (now_ms < desk->webhooks.sweep_due_ms || desk_is_clock_suspect(desk))
                return DB_OK;
        desk->webhooks.sweep_due_ms = now_ms + SWEEP_EVERY_MS;
        int rc = sweep(desk, OUTBOUND_DELIVERED, desk->now_ms - KEPT_DONE_MS);
        return rc < 0 ? rc : sweep(desk, OUTBOUND_DEAD, desk->now_ms - KEPT_DEAD_MS);
}

int webhooks_audit(struct desk *desk, const char *action, enum principal_role role, uint64_t ext)
{
        char object[ID_TEXT_BYTES];
        id_write(object, "whk", ext);
        int rc = audit_put(desk->db, desk->now_ms, 0, role, action, (struct span){object, sizeof object},
                           (struct span){0});
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}

/* ---- what comes of tries ---- */

int webhooks_save_progress(struct desk *desk, const struct webhook_target *target)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_WEBHOOK_PROGRESS);
        db_bind_int(stmt, 1, target->id);
        db_bind_int(stmt, 2, target->state);
        db_bind_int(stmt, 3, target->failures);
        db_bind_int(stmt, 4, target->failing_since_ms);
        db_bind_int(stmt, 5, target->paused_until_ms);
        return webhooks_run(desk, stmt);
}

/* What waits becomes a dead letter, which can be replayed. */
static int suspend(struct desk *desk, struct webhook_target *target)
{
        target->state = WEBHOOK_SUSPENDED;
        struct db_stmt *stmt = db_stmt(desk->db, SQL_OUTBOUND_GIVE_UP);
        db_bind_int(stmt, 1, target->id);
        db_bind_int(stmt, 2, desk->now_ms);
        int rc = webhooks_run(desk, stmt);
        if (rc == 0)
                rc = webhooks_audit(desk, "webhook.suspend", ROLE_SYSTEM, target->ext);
        log_warn(&desk->log, "a webhook has failed for 7 days and is suspended", "failures", target->failures);
        return rc;
}

static int count_failure(struct desk *desk, struct webhook_target *target)
{
        int rc = 0;
        if (target->failures++ == 0)
                target->failing_since_ms = desk->now_ms;
        if (target->failures >= PAUSE_AFTER) {
                int64_t doublings = (target->failures - PAUSE_AFTER) / PAUSE_STEP;
                int64_t pause_ms = doublings > 4 ? PAUSE_MAX_MS : (int64_t)PAUSE_MIN_MS << doublings;
                target->paused_until_ms = desk->now_ms + (pause_ms < PAUSE_MAX_MS ? pause_ms : PAUSE_MAX_MS);
        }
        if (desk->now_ms - target->failing_since_ms >= SUSPEND_MS)
                rc = suspend(desk, target);
        if (rc == 0)
                rc = webhooks_save_progress(desk, target);
        if (rc == 0 && target->state == WEBHOOK_SUSPENDED)
                rc = webhooks_load_again(desk); /* for what is wanted now */
        return rc;
}

static int count_success(struct desk *desk, struct webhook_target *target)
{
        if (target->failures == 0)
                return 0;
        target->failures = target->failing_since_ms = target->paused_until_ms = 0;
        return webhooks_save_progress(desk, target);
}

struct webhook_target *webhooks_find_id(struct desk *desk, int64_t id)
{
        for (size_t i = 0; i < desk->webhooks.count; i++)
                if (desk->webhooks.targets[i].id == id)
                        return &desk->webhooks.targets[i];
        return NULL;
}

static int settle_one(struct desk *desk, const struct outbound_result *result)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_OUTBOUND_SETTLE);
        db_bind_int(stmt, 1, result->id);
        db_bind_int(stmt, 2, result->state);
        db_bind_int(stmt, 3, result->tries);
        db_bind_int(stmt, 4, result->due_ms);
        db_bind_int(stmt, 5, result->status);
        db_bind_text(stmt, 6, span_of(result->answer));
        db_bind_int(stmt, 7, result->state == OUTBOUND_WAITING ? 0 : desk->now_ms);
        int rc = webhooks_run(desk, stmt);
        struct webhook_target *target = webhooks_find_id(desk, result->target);
        if (rc < 0 || !target || db_changes(desk->db) == 0) /* removed meanwhile, or said before */
                return rc;
        return result->state == OUTBOUND_DELIVERED ? count_success(desk, target) : count_failure(desk, target);
}

int outbound_settle(struct desk *desk, const struct outbound_result *results, size_t count)
{
        int rc = 0;
        for (size_t i = 0; rc == 0 && i < count; i++)
                rc = settle_one(desk, &results[i]);
        return rc;
}

int desk_post_outbound(struct desk *desk, const struct outbound_result *results, size_t count)
{
        struct desk_command *command = command_new(COMMAND_OUTBOUND, count * sizeof *results + 64);
        if (!command)
                return -PROTOCOL_ERR_INTERNAL;
        struct span kept = {arena_take(&command->arena, count * sizeof *results), count};
        int rc = -PROTOCOL_ERR_INTERNAL;
        if (kept.at) {
                memcpy((void *)(uintptr_t)kept.at, results, count * sizeof *results);
                command->params = (void *)(uintptr_t)kept.at;
                command->result_count = count;
                rc = desk_post(desk, command);
        }
        if (rc < 0)
                command_free(command);
        return rc;
}

void desk_on_outbound(struct desk *desk, void (*kick)(void *data), void *data)
{
        desk->webhooks.kick = kick;
        desk->webhooks.kick_data = data;
}

struct webhook_target *webhooks_find(struct desk *desk, uint64_t ext)
{
        for (size_t i = 0; i < desk->webhooks.count; i++)
                if (desk->webhooks.targets[i].ext == ext)
                        return &desk->webhooks.targets[i];
        return NULL;
}
