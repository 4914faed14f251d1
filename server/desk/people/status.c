/* SPDX-License-Identifier: Apache-2.0 */
/* What agents are doing. `chosen` is what an agent said and is kept for good; `status` is what others see: the same
 * while he is connected, offline once his last connection has been gone for PEOPLE_GRACE_MS. Each change of `status` is
 * a line of agent_status_log. */
#include "desk/people/people_private.h"

#include <stdio.h>

#include "desk/routing/routing.h"

#define DAY_MS ((int64_t)24 * 3600 * 1000)

/* ---- changing ---- */

static void moved(struct desk *desk, struct agent_profile *agent)
{
        agent->is_untold = desk->people->has_untold = true;
        desk->people->is_status_moved = true;
        routing_agent_changed(desk, agent);
}

static int save(struct desk *desk, const struct agent_profile *agent)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_AGENT_STATUS_SAVE);
        db_bind_int(stmt, 1, agent->id);
        db_bind_int(stmt, 2, agent->status);
        db_bind_int(stmt, 3, agent->chosen);
        db_bind_text(stmt, 4, span_of(agent->reason));
        db_bind_int(stmt, 5, agent->since_ms);
        int rc = db_run(stmt);
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}

static int note(struct desk *desk, const struct agent_profile *agent, int64_t by)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_AGENT_STATUS_NOTE);
        db_bind_int(stmt, 1, agent->id);
        db_bind_int(stmt, 2, desk->now_ms);
        db_bind_int(stmt, 3, agent->status);
        db_bind_text(stmt, 4, agent->status == AGENT_AWAY ? span_of(agent->reason) : SPAN(""));
        db_bind_int(stmt, 5, by);
        int rc = db_run(stmt);
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}

/* What others see, from `chosen`, the reason and whether he is there. Writes nothing when that is what they saw. */
static int settle(struct desk *desk, struct agent_profile *agent, bool is_there, bool is_reason_new, int64_t by)
{
        enum agent_status status = is_there ? agent->chosen : AGENT_OFFLINE;
        bool is_seen = status != agent->status || (status == AGENT_AWAY && is_reason_new);
        if (is_seen) {
                agent->status = status;
                agent->since_ms = desk->now_ms;
                agent->away_before_ms = -1;
                moved(desk, agent);
        }
        desk->people->is_status_moved = true;
        int rc = people_make_profile(desk, agent);
        if (rc == 0)
                rc = save(desk, agent);
        return rc == 0 && is_seen ? note(desk, agent, by) : rc;
}

int people_set_status(struct desk *desk, struct agent_profile *agent, enum agent_status status, struct span reason,
                      int64_t by)
{
        struct span kept = status == AGENT_AWAY ? reason : SPAN("");
        bool is_reason_new = !span_equal(span_of(agent->reason), kept);
        if (agent->chosen == status && !is_reason_new && (agent->status == status || agent->connections == 0))
                return 0;
        agent->chosen = status;
        snprintf(agent->reason, sizeof agent->reason, "%.*s", (int)kept.len, kept.at ? kept.at : "");
        bool is_there = agent->connections > 0 || agent->status != AGENT_OFFLINE;
        return settle(desk, agent, is_there, is_reason_new, by);
}

/* ---- coming and going ---- */

void people_connected(struct desk *desk, int64_t id)
{
        struct agent_profile *agent = people_agent(desk, id);
        if (!agent)
                return;
        agent->connections++;
        agent->gone_ms = 0;
        if (agent->status == AGENT_OFFLINE && agent->chosen != AGENT_OFFLINE)
                desk->people->has_come = true;
        if (agent->connections == 1)
                routing_agent_changed(desk, agent);
}

static void goes_at(struct people *people, const struct agent_profile *agent)
{
        uint64_t due_ms = agent->gone_ms + PEOPLE_GRACE_MS;
        if (due_ms < people->gone_due_ms)
                people->gone_due_ms = due_ms;
}

void people_disconnected(struct desk *desk, int64_t id)
{
        struct agent_profile *agent = people_agent(desk, id);
        if (!agent || agent->connections == 0 || --agent->connections > 0)
                return;
        if (agent->status != AGENT_OFFLINE) {
                agent->gone_ms = clock_mono_ms();
                goes_at(desk->people, agent);
        }
        routing_agent_changed(desk, agent);
}

void people_status_loaded(struct desk *desk)
{
        struct people *people = desk->people;
        people->gone_due_ms = UINT64_MAX;
        for (size_t i = 0; i < people->agent_count; i++) {
                struct agent_profile *agent = people->agents[i];
                if (agent->connections > 0) {
                        people->has_come =
                                people->has_come || (agent->status == AGENT_OFFLINE && agent->chosen != AGENT_OFFLINE);
                } else if (agent->status != AGENT_OFFLINE) { /* the server has just started, or he has just gone */
                        if (agent->gone_ms == 0)
                                agent->gone_ms = clock_mono_ms();
                        goes_at(people, agent);
                }
        }
}

bool people_are_due(const struct desk *desk)
{
        return desk->people->has_come || clock_mono_ms() >= desk->people->gone_due_ms;
}

void people_run_due(struct desk *desk)
{
        struct people *people = desk->people;
        uint64_t now_ms = clock_mono_ms();
        people->has_come = false;
        people->gone_due_ms = UINT64_MAX;
        for (size_t i = 0; i < people->agent_count && desk->db_failure == 0; i++) {
                struct agent_profile *agent = people->agents[i];
                if (agent->connections > 0 && agent->status == AGENT_OFFLINE && agent->chosen != AGENT_OFFLINE) {
                        settle(desk, agent, true, false, 0);
                } else if (agent->connections == 0 && agent->gone_ms != 0) {
                        if (now_ms < agent->gone_ms + PEOPLE_GRACE_MS) {
                                goes_at(people, agent);
                                continue;
                        }
                        agent->gone_ms = 0;
                        settle(desk, agent, false, false, 0);
                }
        }
}

/* ---- telling ---- */

uint64_t people_due_ms(const struct desk *desk)
{
        const struct people *people = desk->people;
        if (people->has_come)
                return 0;
        uint64_t told_ms = people->has_untold ? people->told_ms + TOLD_EVERY_MS : UINT64_MAX;
        return people->gone_due_ms < told_ms ? people->gone_due_ms : told_ms;
}

/* How long he was away for that reason in the 24 h before it began this time. */
static int64_t away_before(struct desk *desk, struct agent_profile *agent)
{
        if (agent->away_before_ms >= 0)
                return agent->away_before_ms;
        struct db_stmt *stmt = db_stmt(desk->db, SQL_AGENT_STATUS_SINCE);
        db_bind_int(stmt, 1, agent->id);
        int64_t end_ms = agent->since_ms, from_ms = end_ms - DAY_MS, sum_ms = 0;
        while (end_ms > from_ms && db_step(stmt) == DB_ROW) {
                int64_t at_ms = db_int(stmt, 0);
                if (at_ms >= agent->since_ms)
                        continue; /* this time */
                bool is_it = db_int(stmt, 1) == AGENT_AWAY && span_equal(db_text(stmt, 2), span_of(agent->reason));
                if (is_it)
                        sum_ms += end_ms - (at_ms > from_ms ? at_ms : from_ms);
                end_ms = at_ms;
        }
        db_reset(stmt);
        agent->away_before_ms = sum_ms;
        return sum_ms;
}

static bool is_over(struct desk *desk, struct agent_profile *agent)
{
        if (agent->status != AGENT_AWAY)
                return false;
        for (size_t i = 0; i < desk->people->reason_count; i++) {
                const struct away_reason *reason = &desk->people->reasons[i];
                if (strcmp(reason->reason, agent->reason) != 0 || reason->minutes == 0)
                        continue;
                int64_t used_ms = away_before(desk, agent) + desk->now_ms - agent->since_ms;
                return used_ms > reason->minutes * 60000;
        }
        return false;
}

static void fill_row(struct desk *desk, struct agent_profile *agent, bool with_load, struct protocol_status_row *out)
{
        *out = (struct protocol_status_row){.agent = {ROLE_AGENT, agent->ext},
                                            .status = (enum protocol_status_row_status)agent->status,
                                            .has_reason = agent->status == AGENT_AWAY && agent->reason[0] != 0,
                                            .reason = span_of(agent->reason),
                                            .since = agent->since_ms,
                                            .connected = agent->connections > 0};
        if (!with_load)
                return;
        out->has_load = out->has_capacity = out->has_over = true;
        out->load = routing_load(desk, agent->id);
        out->capacity = agent->capacity;
        out->over = is_over(desk, agent);
}

void people_tell(struct desk *desk, int64_t agent, struct edge_frame *frame)
{
        for (uint32_t i = 0; i < desk->sink_count; i++) {
                struct desk_note *note_ = note_new(NOTE_AGENTS, (struct edge_ref){0}, (struct span){0});
                if (!note_)
                        continue; /* a push is a hint (R3) */
                note_->customer = agent;
                note_->workspace = desk->workspace;
                note_->frame = edge_frame_ref(frame);
                desk_leave(desk, i, note_);
        }
}

static void tell_rows(struct desk *desk, struct protocol_status_row *rows, size_t count)
{
        struct protocol_event_status event = {.agents = rows, .agents_count = count};
        struct writer writer;
        writer_init(&writer, NULL, 0);
        frame_call_begin(&writer, NULL, SPAN("status"));
        protocol_event_status_write(&writer, &event);
        frame_end(&writer);
        struct edge_frame *frame = writer.failed ? NULL : edge_frame_new((struct span){writer.bytes, writer.len});
        writer_done(&writer);
        if (!frame)
                return;
        people_tell(desk, 0, frame);
        edge_frame_unref(frame);
}

void people_commit(struct desk *desk)
{
        struct people *people = desk->people;
        uint64_t now_ms = clock_mono_ms();
        if (!people->has_untold || now_ms < people->told_ms + TOLD_EVERY_MS)
                return;
        struct protocol_status_row rows[TOLD_AT_ONCE];
        size_t count = 0;
        people->told_ms = now_ms;
        people->has_untold = false;
        for (size_t i = 0; i < people->agent_count; i++) {
                if (!people->agents[i]->is_untold)
                        continue;
                people->agents[i]->is_untold = false;
                fill_row(desk, people->agents[i], false, &rows[count++]);
                if (count == TOLD_AT_ONCE) {
                        tell_rows(desk, rows, count);
                        count = 0;
                }
        }
        if (count > 0)
                tell_rows(desk, rows, count);
}

/* ---- methods ---- */

static bool is_reason_known(const struct desk *desk, struct span reason)
{
        for (size_t i = 0; i < desk->people->reason_count; i++)
                if (span_equal(span_of(desk->people->reasons[i].reason), reason))
                        return true;
        return desk->people->reason_count == 0;
}

static int find_agent(struct desk *desk, const struct desk_command *command, struct agent_profile **out_agent,
                      struct fault *fault)
{
        const struct protocol_status_set *params = command->params;
        const struct caller *caller = &command->caller;
        bool is_other = params->has_agent;
        *out_agent = !is_other                          ? people_agent(desk, caller->principal)
                     : params->agent.role == ROLE_AGENT ? people_agent_ext(desk, params->agent.id)
                                                        : NULL;
        if (!*out_agent)
                return fault_set(fault, PROTOCOL_ERR_NOT_FOUND, "agent", "an agent of this workspace");
        return (*out_agent)->id == caller->principal ? 0 : people_authorize(desk, caller, PROTOCOL_MAY_LIVE);
}

static int audit_other(struct desk *desk, const struct desk_command *command, const struct agent_profile *agent,
                       enum agent_status was)
{
        static const char *const names[] = {"", "online", "busy", "away", "offline"};
        char detail[64];
        if (agent->id == command->caller.principal)
                return 0; /* his own: that is in the history of his status */
        int len = snprintf(detail, sizeof detail, "%s -> %s", names[was], names[agent->chosen]);
        return admin_audit(desk, &command->caller, "status.set", "agt", agent->ext, (struct span){detail, (size_t)len});
}

int handle_status_set(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_status_set *params = command->params;
        struct agent_profile *agent = NULL;
        struct span reason = params->has_reason ? params->reason : SPAN("");
        bool is_away = params->status == PROTOCOL_STATUS_SET_STATUS_AWAY;
        int rc = find_agent(desk, command, &agent, fault);
        if (rc < 0 || !agent)
                return rc;
        if (params->has_reason && !is_away)
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "reason", "only with the status away");
        if (is_away && !(params->has_reason ? is_reason_known(desk, reason) : desk->people->reason_count == 0))
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "reason", "one of away.list");
        enum agent_status was = agent->chosen;
        rc = people_set_status(desk, agent, (enum agent_status)params->status, reason, command->caller.principal);
        if (rc == 0)
                rc = audit_other(desk, command, agent, was);
        if (rc < 0)
                return rc;
        struct protocol_status_set_result result = {0};
        fill_row(desk, agent, true, &result.row);
        protocol_status_set_result_write(out, &result);
        return 0;
}

int handle_status_list(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        enum { ROWS = 400 }; /* a page of an agent's connection */
        const struct protocol_status_list *params = command->params;
        const struct people *people = desk->people;
        bool is_board = people_authorize(desk, &command->caller, PROTOCOL_MAY_LIVE) == 0;
        size_t at = 0, limit = command->caller.role == ROLE_OPERATOR ? PEOPLE_AGENTS : ROWS;
        if (params->has_after) {
                const struct agent_profile *last =
                        params->after.role == ROLE_AGENT ? people_agent_ext(desk, params->after.id) : NULL;
                if (!last)
                        return fault_set(fault, PROTOCOL_ERR_NOT_FOUND, "after", "an agent of this workspace");
                while (at < people->agent_count && people->agents[at]->id <= last->id)
                        at++;
        }
        struct protocol_status_list_result result = {0};
        result.agents = arena_take(&command->arena, limit * sizeof *result.agents);
        if (!result.agents)
                return -PROTOCOL_ERR_INTERNAL;
        for (; at < people->agent_count; at++) {
                struct agent_profile *agent = people->agents[at];
                if (agent->is_gone)
                        continue;
                if (result.agents_count == limit) {
                        result.has_more = result.more = true;
                        break;
                }
                fill_row(desk, agent, is_board || agent->id == command->caller.principal,
                         &result.agents[result.agents_count++]);
        }
        protocol_status_list_result_write(out, &result);
        return 0;
}
