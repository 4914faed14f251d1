/* SPDX-License-Identifier: Apache-2.0 */
/* webhook.add and its sisters: the methods of the operator. Each change leaves a line in the audit trail. */
#include "desk/webhooks_private.h"

#include "outbound/egress.h"
#include "protocol/webhook.h"

enum { WEBHOOKS_MAX = 100, EVENTS = 3, PAGE_DEFAULT = 50 };
#define OLD_SECRET_MS ((int64_t)24 * 3600 * 1000)

static const char *const event_names[EVENTS] = {"message.created", "conversation.changed", "push.wanted"};

static int read_events(const struct protocol_webhook_add *params, unsigned *out_events, struct fault *fault)
{
        *out_events = 0;
        for (size_t i = 0; i < params->events_count; i++) {
                size_t e = 0;
                while (e < EVENTS && !span_equal(params->events[i], span_of(event_names[e])))
                        e++;
                if (e == EVENTS)
                        return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "events",
                                         "message.created, conversation.changed or push.wanted");
                *out_events |= 1u << e;
        }
        return 0;
}

int webhooks_read_secret(struct span text, uint8_t secret[WEBHOOK_SECRET_MAX], struct fault *fault)
{
        int len = webhook_secret_read(text, secret);
        return len > 0 ? len
                       : fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "secret", "whsec_ and base64 of 24 to 64 bytes");
}

int webhooks_check_url(const struct desk *desk, struct span url, struct fault *fault)
{
        struct egress *egress = NULL;
        struct egress_url taken_apart;
        if (egress_new(desk->settings.webhook_allow, &egress, NULL) < 0)
                return -PROTOCOL_ERR_INTERNAL;
        const char *wrong = egress_url_read(egress, url, &taken_apart);
        egress_free(egress);
        return wrong ? fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "url", wrong) : 0;
}

static int find_app(struct desk *desk, uint64_t ext, int64_t *out_id)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_APP_BY_EXT);
        db_bind_int(stmt, 1, (int64_t)ext);
        int rc = db_step(stmt);
        if (rc != DB_ROW)
                return rc < 0 ? desk_db_failed(desk, rc) : -PROTOCOL_ERR_NOT_FOUND;
        *out_id = db_int(stmt, 0);
        db_reset(stmt);
        return 0;
}

static int find_bot(struct desk *desk, struct principal_id who, int64_t *out_id)
{
        struct principal_row row;
        int rc = principals_load_ext(desk->db, who.id, &row);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        if (rc == DB_OK || row.role != ROLE_BOT || who.role != ROLE_BOT)
                return -PROTOCOL_ERR_NOT_FOUND;
        *out_id = row.id;
        return 0;
}

static int insert(struct desk *desk, const struct protocol_webhook_add *params, uint64_t ext, unsigned events,
                  struct span secret)
{
        int64_t app = 0, bot = 0;
        int rc = params->has_app ? find_app(desk, params->app, &app) : 0;
        if (rc == 0 && params->has_bot)
                rc = find_bot(desk, params->bot, &bot);
        if (rc < 0)
                return rc;
        struct db_stmt *stmt = db_stmt(desk->db, SQL_WEBHOOK_INSERT);
        db_bind_int(stmt, 1, desk->workspace);
        db_bind_int(stmt, 2, app);
        db_bind_int(stmt, 3, (int64_t)ext);
        db_bind_text(stmt, 4, params->url);
        db_bind_int(stmt, 5, events);
        db_bind_int(stmt, 6, bot);
        db_bind_blob(stmt, 7, secret.at, secret.len);
        db_bind_int(stmt, 8, desk->now_ms);
        rc = webhooks_run(desk, stmt);
        return rc < 0 ? rc : webhooks_load_again(desk);
}

int handle_webhook_add(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_webhook_add *params = command->params;
        struct protocol_webhook_add_result result = {.webhook = desk_new_id(desk)};
        uint8_t secret[WEBHOOK_SECRET_MAX];
        unsigned events = 0;
        if (desk->webhooks.count >= WEBHOOKS_MAX)
                return -PROTOCOL_ERR_TOO_MANY;
        int rc = webhooks_check_url(desk, params->url, fault);
        if (rc == 0)
                rc = read_events(params, &events, fault);
        int len = rc < 0 ? rc : webhooks_read_secret(params->secret, secret, fault);
        if (len < 0)
                return len;
        rc = insert(desk, params, result.webhook, events, (struct span){(char *)secret, (size_t)len});
        if (rc < 0)
                return rc;
        protocol_webhook_add_result_write(out, &result);
        return webhooks_audit(desk, "webhook.add", ROLE_OPERATOR, result.webhook);
}

static int64_t count_rows(struct desk *desk, int64_t target, enum outbound_state state)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_OUTBOUND_COUNT);
        db_bind_int(stmt, 1, target);
        db_bind_int(stmt, 2, state);
        int rc = db_step(stmt);
        int64_t count = rc == DB_ROW ? db_int(stmt, 0) : 0;
        if (rc < 0)
                desk_db_failed(desk, rc);
        else
                db_reset(stmt);
        return count;
}

static struct span keep_text(struct desk_command *command, struct span text)
{
        char *copy = arena_take(&command->arena, text.len + 1);
        if (copy && text.len > 0)
                memcpy(copy, text.at, text.len);
        return (struct span){copy, copy ? text.len : 0};
}

static void describe(struct desk *desk, struct desk_command *command, struct db_stmt *stmt,
                     struct protocol_webhook_row *out)
{
        const struct webhook_target *target = webhooks_find_id(desk, db_int(stmt, 0));
        *out = (struct protocol_webhook_row){.webhook = (uint64_t)db_int(stmt, 1),
                                             .url = keep_text(command, db_text(stmt, 9)),
                                             .state = db_int(stmt, 5) == WEBHOOK_SUSPENDED
                                                              ? PROTOCOL_WEBHOOK_ROW_STATE_SUSPENDED
                                                              : PROTOCOL_WEBHOOK_ROW_STATE_ACTIVE,
                                             .failures = db_int(stmt, 6),
                                             .has_paused_until = db_int(stmt, 8) > desk->now_ms,
                                             .paused_until = db_int(stmt, 8),
                                             .created = db_int(stmt, 10)};
        out->events = arena_take(&command->arena, EVENTS * sizeof *out->events);
        for (size_t e = 0; out->events && e < EVENTS; e++)
                if (db_int(stmt, 3) & (1 << e))
                        out->events[out->events_count++] = span_of(event_names[e]);
        if (!target)
                return;
        out->app = target->app ? directory_app(desk->directory, target->app) : 0;
        out->has_app = out->app != 0;
        out->bot = target->bot ? directory_author(desk->directory, target->bot) : (struct principal_id){0};
        out->has_bot = target->bot != 0;
        out->waiting = count_rows(desk, target->id, OUTBOUND_WAITING);
        out->dead = count_rows(desk, target->id, OUTBOUND_DEAD);
}

int handle_webhook_list(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)fault;
        struct protocol_webhook_list_result result = {0};
        result.webhooks = arena_take(&command->arena, WEBHOOKS_MAX * sizeof *result.webhooks);
        if (!result.webhooks)
                return -PROTOCOL_ERR_INTERNAL;
        struct db_stmt *stmt = db_stmt(desk->db, SQL_WEBHOOKS_ALL);
        int rc = DB_OK;
        while (result.webhooks_count < WEBHOOKS_MAX && (rc = db_step(stmt)) == DB_ROW)
                describe(desk, command, stmt, &result.webhooks[result.webhooks_count++]);
        if (rc == DB_ROW)
                db_reset(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        protocol_webhook_list_result_write(out, &result);
        return 0;
}

int handle_webhook_remove(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)fault;
        const struct protocol_webhook_remove *params = command->params;
        const struct webhook_target *target = webhooks_find(desk, params->webhook);
        if (!target)
                return -PROTOCOL_ERR_NOT_FOUND;
        struct db_stmt *stmt = db_stmt(desk->db, SQL_OUTBOUND_REMOVE);
        db_bind_int(stmt, 1, target->id);
        int rc = webhooks_run(desk, stmt);
        if (rc == 0) {
                stmt = db_stmt(desk->db, SQL_WEBHOOK_REMOVE);
                db_bind_int(stmt, 1, target->id);
                rc = webhooks_run(desk, stmt);
        }
        if (rc == 0)
                rc = webhooks_load_again(desk);
        if (rc < 0)
                return rc;
        struct protocol_webhook_remove_result result = {0};
        protocol_webhook_remove_result_write(out, &result);
        return webhooks_audit(desk, "webhook.remove", ROLE_OPERATOR, params->webhook);
}

int handle_webhook_rotate(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_webhook_rotate *params = command->params;
        struct protocol_webhook_rotate_result result = {.old_until = desk->now_ms + OLD_SECRET_MS};
        uint8_t secret[WEBHOOK_SECRET_MAX];
        const struct webhook_target *target = webhooks_find(desk, params->webhook);
        if (!target)
                return -PROTOCOL_ERR_NOT_FOUND;
        int len = webhooks_read_secret(params->secret, secret, fault);
        if (len < 0)
                return len;
        struct db_stmt *stmt = db_stmt(desk->db, SQL_WEBHOOK_ROTATE);
        db_bind_int(stmt, 1, target->id);
        db_bind_int(stmt, 2, result.old_until);
        db_bind_blob(stmt, 3, secret, (size_t)len);
        int rc = webhooks_run(desk, stmt);
        if (rc < 0)
                return rc;
        protocol_webhook_rotate_result_write(out, &result);
        return webhooks_audit(desk, "webhook.rotate", ROLE_OPERATOR, params->webhook);
}

int handle_webhook_resume(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)fault;
        const struct protocol_webhook_resume *params = command->params;
        struct webhook_target *target = webhooks_find(desk, params->webhook);
        if (!target)
                return -PROTOCOL_ERR_NOT_FOUND;
        bool was_suspended = target->state == WEBHOOK_SUSPENDED;
        target->state = WEBHOOK_ACTIVE;
        target->failures = target->failing_since_ms = target->paused_until_ms = 0;
        int rc = webhooks_save_progress(desk, target);
        if (rc == 0 && was_suspended && (rc = webhooks_save_since(desk, target->id, desk->now_ms)) < 0)
                rc = desk_db_failed(desk, rc);
        if (rc == 0)
                rc = webhooks_load_again(desk);
        if (rc < 0)
                return rc;
        struct protocol_webhook_resume_result result = {0};
        protocol_webhook_resume_result_write(out, &result);
        return webhooks_audit(desk, "webhook.resume", ROLE_OPERATOR, params->webhook);
}

int handle_webhook_test(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)fault;
        const struct protocol_webhook_test *params = command->params;
        struct protocol_webhook_test_result result = {0};
        const struct webhook_target *target = webhooks_find(desk, params->webhook);
        if (!target)
                return -PROTOCOL_ERR_NOT_FOUND;
        if (target->state == WEBHOOK_SUSPENDED)
                return -PROTOCOL_ERR_LOCKED;
        int rc = outbound_note_test(desk, target, &result.event);
        if (rc == 0)
                protocol_webhook_test_result_write(out, &result);
        return rc;
}

int handle_webhook_replay(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)fault;
        const struct protocol_webhook_replay *params = command->params;
        const struct webhook_target *target = webhooks_find(desk, params->webhook);
        if (!target)
                return -PROTOCOL_ERR_NOT_FOUND;
        if (target->state == WEBHOOK_SUSPENDED)
                return -PROTOCOL_ERR_LOCKED;
        struct db_stmt *stmt = db_stmt(desk->db, params->has_event ? SQL_OUTBOUND_REPLAY_ONE : SQL_OUTBOUND_REPLAY_ALL);
        db_bind_int(stmt, 1, target->id);
        db_bind_int(stmt, 2, desk->now_ms);
        if (params->has_event)
                db_bind_int(stmt, 3, (int64_t)params->event);
        int rc = webhooks_run(desk, stmt);
        struct protocol_webhook_replay_result result = {.count = rc < 0 ? 0 : db_changes(desk->db)};
        if (rc < 0)
                return rc;
        if (params->has_event && result.count == 0)
                return -PROTOCOL_ERR_NOT_FOUND;
        protocol_webhook_replay_result_write(out, &result);
        return webhooks_audit(desk, "webhook.replay", ROLE_OPERATOR, params->webhook);
}

static void read_delivery(struct desk_command *command, struct db_stmt *stmt, struct protocol_delivery_row *out)
{
        int64_t state = db_int(stmt, 4);
        struct span answer = db_text(stmt, 7);
        *out = (struct protocol_delivery_row){.number = db_int(stmt, 0),
                                              .event = (uint64_t)db_int(stmt, 1),
                                              .webhook = (uint64_t)db_int(stmt, 2),
                                              .type = keep_text(command, db_text(stmt, 3)),
                                              .state = (enum protocol_delivery_row_state)(state + 1),
                                              .tries = db_int(stmt, 5),
                                              .has_status = db_int(stmt, 6) != 0,
                                              .status = db_int(stmt, 6),
                                              .has_answer = answer.len > 0,
                                              .answer = keep_text(command, answer),
                                              .has_due = state == OUTBOUND_WAITING,
                                              .due = db_int(stmt, 9),
                                              .created = db_int(stmt, 10)};
        out->erased = out->has_erased = state != OUTBOUND_DELIVERED && db_int(stmt, 8) != 0;
}

int handle_webhook_deliveries(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)fault;
        const struct protocol_webhook_deliveries *params = command->params;
        const struct webhook_target *target = params->has_webhook ? webhooks_find(desk, params->webhook) : NULL;
        struct protocol_webhook_deliveries_result result = {0};
        int64_t limit = params->has_limit ? params->limit : PAGE_DEFAULT;
        if (params->has_webhook && !target)
                return -PROTOCOL_ERR_NOT_FOUND;
        result.deliveries = arena_take(&command->arena, (size_t)limit * sizeof *result.deliveries);
        if (!result.deliveries)
                return -PROTOCOL_ERR_INTERNAL;
        struct db_stmt *stmt = db_stmt(desk->db, SQL_OUTBOUND_LIST);
        db_bind_int(stmt, 1, target ? target->id : 0);
        db_bind_int(stmt, 2, params->has_state ? (int64_t)params->state - 1 : -1);
        db_bind_int(stmt, 3, params->has_event ? (int64_t)params->event : 0);
        db_bind_int(stmt, 4, params->has_before ? params->before : INT64_MAX);
        db_bind_int(stmt, 5, limit);
        int rc = DB_OK;
        while ((int64_t)result.deliveries_count < limit && (rc = db_step(stmt)) == DB_ROW)
                read_delivery(command, stmt, &result.deliveries[result.deliveries_count++]);
        if (rc == DB_ROW)
                db_reset(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        protocol_webhook_deliveries_result_write(out, &result);
        return 0;
}
