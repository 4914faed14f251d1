/* SPDX-License-Identifier: Apache-2.0 */
/* How a workspace's tickets are routed (routing.get, routing.set), and its queues as they are now (queue.list). */
#include "desk/routing/routing_private.h"

#include <stdio.h>

/* ---- from the store ---- */

static int load_row(struct desk *desk, struct routing_settings *out)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_ROUTING_SETTING_GET);
        db_bind_int(stmt, 1, desk->workspace);
        int rc = db_step(stmt);
        if (rc != DB_ROW)
                return rc;
        out->silent_ms = db_int(stmt, 0);
        out->default_team = db_int(stmt, 1);
        out->miss_is_away = db_int(stmt, 2) != 0;
        db_reset(stmt);
        return DB_OK;
}

int routing_settings_load(struct routing *routing)
{
        struct desk *desk = routing->desk;
        struct routing_settings fresh = {.silent_ms = ROUTING_SILENT_MS, .miss_is_away = true};
        int rc = load_row(desk, &fresh);
        if (rc < 0)
                return rc;
        struct db_stmt *stmt = db_stmt(desk->db, SQL_ROUTING_WEIGHTS);
        db_bind_int(stmt, 1, desk->workspace);
        while ((rc = db_step(stmt)) == DB_ROW && fresh.weight_count < ROUTING_WEIGHTS)
                fresh.weights[fresh.weight_count++] = (struct routing_weight_row){
                        .app = db_int(stmt, 0), .priority = (int)db_int(stmt, 1), .weight = (int32_t)db_int(stmt, 2)};
        if (rc == DB_ROW)
                db_reset(stmt);
        if (rc < 0)
                return rc;
        routing->settings = fresh;
        return DB_OK;
}

int64_t routing_default_team(const struct desk *desk)
{
        return desk->routing->settings.default_team;
}

/* ---- routing.get ---- */

int handle_routing_get(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)command, (void)fault;
        const struct routing_settings *settings = &desk->routing->settings;
        struct protocol_routing_weight weights[ROUTING_WEIGHTS];
        const struct team *team = people_team(desk, settings->default_team);
        struct protocol_routing_get_result result = {.routing = {.silent_ms = settings->silent_ms,
                                                                 .has_default_team = team != NULL,
                                                                 .default_team = team ? team->ext : 0,
                                                                 .miss_is_away = settings->miss_is_away,
                                                                 .weights = weights,
                                                                 .weights_count = settings->weight_count}};
        for (size_t i = 0; i < settings->weight_count; i++) {
                const struct routing_weight_row *row = &settings->weights[i];
                weights[i] = (struct protocol_routing_weight){
                        .has_app = row->app != 0,
                        .app = row->app ? directory_app(desk->directory, row->app) : 0,
                        .has_priority = row->priority != 0,
                        .priority = (enum protocol_routing_weight_priority)((int)PROTOCOL_ROUTING_WEIGHT_PRIORITY_LOW +
                                                                            row->priority - (int)PRIORITY_LOW),
                        .weight = row->weight};
                if (row->priority == 0)
                        weights[i].priority = PROTOCOL_ROUTING_WEIGHT_PRIORITY_LOW;
        }
        protocol_routing_get_result_write(out, &result);
        return 0;
}

/* ---- routing.set ---- */

static int read_weights(struct desk *desk, const struct protocol_routing_set *params, struct routing_settings *out,
                        struct fault *fault)
{
        out->weight_count = 0;
        for (size_t i = 0; i < params->weights_count; i++) {
                const struct protocol_routing_weight *row = &params->weights[i];
                struct routing_weight_row *to = &out->weights[out->weight_count++];
                *to = (struct routing_weight_row){.weight = (int32_t)row->weight};
                if (row->has_app && operator_find_app(desk, row->app, &to->app) < 0)
                        return fault_set(fault, PROTOCOL_ERR_NOT_FOUND, "weights", "an app of this workspace");
                if (row->has_priority)
                        to->priority =
                                (int)row->priority - (int)PROTOCOL_ROUTING_WEIGHT_PRIORITY_LOW + (int)PRIORITY_LOW;
        }
        return 0;
}

static int read_wishes(struct desk *desk, const struct protocol_routing_set *params, struct routing_settings *out,
                       struct fault *fault)
{
        if (params->has_default_team && params->has_no_default_team && params->no_default_team)
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "no_default_team", "not beside default_team");
        const struct team *team = params->has_default_team ? people_team_ext(desk, params->default_team) : NULL;
        if (params->has_default_team && !team)
                return fault_set(fault, PROTOCOL_ERR_NOT_FOUND, "default_team", "a team of this workspace");
        if (team)
                out->default_team = team->id;
        if (params->has_no_default_team && params->no_default_team)
                out->default_team = 0;
        if (params->has_silent_ms)
                out->silent_ms = params->silent_ms;
        if (params->has_miss_is_away)
                out->miss_is_away = params->miss_is_away;
        return params->has_weights ? read_weights(desk, params, out, fault) : 0;
}

static int save(struct desk *desk, const struct routing_settings *settings)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_ROUTING_SETTING_PUT);
        db_bind_int(stmt, 1, desk->workspace);
        db_bind_int(stmt, 2, settings->silent_ms);
        db_bind_int(stmt, 3, settings->default_team);
        db_bind_int(stmt, 4, settings->miss_is_away);
        int rc = db_run(stmt);
        stmt = db_stmt(desk->db, SQL_ROUTING_WEIGHTS_REMOVE);
        db_bind_int(stmt, 1, desk->workspace);
        rc = rc < 0 ? rc : db_run(stmt);
        for (size_t i = 0; i < settings->weight_count && rc >= 0; i++) {
                stmt = db_stmt(desk->db, SQL_ROUTING_WEIGHT_PUT);
                db_bind_int(stmt, 1, desk->workspace);
                db_bind_int(stmt, 2, (int64_t)i);
                db_bind_int(stmt, 3, settings->weights[i].app);
                db_bind_int(stmt, 4, settings->weights[i].priority);
                db_bind_int(stmt, 5, settings->weights[i].weight);
                rc = db_run(stmt);
        }
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}

/* What was and what is, for the audit. */
static int audit(struct desk *desk, const struct caller *caller, const struct routing_settings *old,
                 const struct routing_settings *now)
{
        const struct team *before = people_team(desk, old->default_team), *after = people_team(desk, now->default_team);
        char detail[1024];
        snprintf(detail, sizeof detail, "team %s -> %s; silent_ms %lld -> %lld; miss %s -> %s; weights %zu -> %zu",
                 before ? before->name : "none", after ? after->name : "none", (long long)old->silent_ms,
                 (long long)now->silent_ms, old->miss_is_away ? "away" : "stays", now->miss_is_away ? "away" : "stays",
                 old->weight_count, now->weight_count);
        return admin_audit(desk, caller, "routing.set", "", 0, span_of(detail));
}

int handle_routing_set(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        struct protocol_routing_set_result result = {0};
        struct routing_settings wished;
        if (desk->routing->are_settings_changed) { /* by another call of this batch, that is not on disk yet */
                int read = routing_settings_load(desk->routing);
                if (read < 0)
                        return desk_db_failed(desk, read);
        }
        wished = desk->routing->settings;
        int rc = read_wishes(desk, command->params, &wished, fault);
        if (rc == 0)
                rc = save(desk, &wished);
        if (rc == 0)
                rc = audit(desk, &command->caller, &desk->routing->settings, &wished);
        if (rc < 0)
                return rc;
        desk->routing->are_settings_changed = true;
        protocol_routing_set_result_write(out, &result);
        return 0;
}

/* ---- queue.list ---- */

static void count_agent(const struct desk *desk, const struct seat *seat, struct protocol_queue_row *row)
{
        const struct agent_profile *profile = seat->profile;
        bool can = people_is_available(desk, profile);
        if (profile->is_gone || profile->status == AGENT_OFFLINE || profile->connections == 0)
                row->offline++;
        else if (profile->status == AGENT_AWAY)
                row->away++;
        else if (!can)
                row->busy++;
        else if (seat->agent.load < profile->capacity)
                row->free++;
        else
                row->full++;
}

static void fill_row(const struct desk *desk, const struct team_queue *queue, const struct team *team,
                     struct protocol_queue_row *row)
{
        const struct queue_item *oldest = queue_oldest(&queue->queue);
        *row = (struct protocol_queue_row){.waiting = (int64_t)(queue->queue.count + queue->offered),
                                           .offered = (int64_t)queue->offered,
                                           .has_oldest = oldest != NULL,
                                           .oldest = oldest ? oldest->since_ms : 0,
                                           .open = (int64_t)queue->open};
        if (team) {
                row->has_team = row->has_name = true;
                row->team = team->ext;
                row->name = span_of(team->name);
        }
        for (size_t i = 0; i < queue->member_count; i++)
                count_agent(desk, (const struct seat *)queue->members[i], row);
        int64_t wait_s = row->free > 0 ? -1 : pace_wait_s(&queue->pace, row->waiting + 1);
        row->has_wait_s = wait_s > 0;
        row->wait_s = wait_s;
}

int handle_queue_list(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)command, (void)fault;
        struct protocol_queue_row rows[PEOPLE_TEAMS + 1];
        struct protocol_queue_list_result result = {.queues = rows};
        const struct routing *routing = desk->routing;
        for (size_t i = 0; i < routing->queue_count && result.queues_count < PEOPLE_TEAMS; i++) {
                const struct team_queue *queue = routing->queues[i];
                const struct team *team = queue->team ? people_team(desk, queue->team) : NULL;
                if (team)
                        fill_row(desk, queue, team, &rows[result.queues_count++]);
        }
        const struct team_queue *rest = team_queue_find(routing, 0);
        if (rest)
                fill_row(desk, rest, NULL, &rows[result.queues_count++]);
        protocol_queue_list_result_write(out, &result);
        return 0;
}
