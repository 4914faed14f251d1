/* SPDX-License-Identifier: Apache-2.0 */
/* away.*: the reasons to be away, and status.history: what agents were doing. */
#include "desk/people/people_private.h"
#include "desk/reading.h"

#include <stdio.h>

#define DAY_MS ((int64_t)24 * 3600 * 1000)

enum { HISTORY_DEFAULT = 100 };

static const struct away_reason *find_reason(const struct desk *desk, struct span name)
{
        for (size_t i = 0; i < desk->people->reason_count; i++)
                if (span_equal(span_of(desk->people->reasons[i].reason), name))
                        return &desk->people->reasons[i];
        return NULL;
}

int handle_away_set(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)fault;
        const struct protocol_away_set *params = command->params;
        const struct away_reason *known = find_reason(desk, params->reason);
        char detail[128];
        if (!known && desk->people->reason_count >= AWAY_REASONS)
                return -PROTOCOL_ERR_TOO_MANY;
        int64_t minutes = params->has_minutes ? params->minutes : 0, was = known ? known->minutes : 0;
        struct db_stmt *stmt = db_stmt(desk->db, SQL_AWAY_REASON_PUT);
        db_bind_int(stmt, 1, desk->workspace);
        db_bind_text(stmt, 2, params->reason);
        db_bind_int(stmt, 3, minutes);
        int rc = db_run(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        people_changed(desk);
        struct protocol_away_set_result result = {0};
        protocol_away_set_result_write(out, &result);
        int len = snprintf(detail, sizeof detail, "%.*s: %lld -> %lld min", (int)params->reason.len, params->reason.at,
                           (long long)was, (long long)minutes);
        return admin_audit(desk, &command->caller, "away.set", "", 0, (struct span){detail, (size_t)len});
}

int handle_away_remove(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)fault;
        const struct protocol_away_remove *params = command->params;
        struct db_stmt *stmt = db_stmt(desk->db, SQL_AWAY_REASON_REMOVE);
        db_bind_int(stmt, 1, desk->workspace);
        db_bind_text(stmt, 2, params->reason);
        int rc = db_run(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        if (db_changes(desk->db) == 0)
                return -PROTOCOL_ERR_NOT_FOUND;
        people_changed(desk);
        struct protocol_away_remove_result result = {0};
        protocol_away_remove_result_write(out, &result);
        return admin_audit(desk, &command->caller, "away.remove", "", 0, params->reason);
}

int handle_away_list(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)command;
        (void)fault;
        struct protocol_away_reason rows[AWAY_REASONS];
        struct protocol_away_list_result result = {.reasons = rows, .reasons_count = desk->people->reason_count};
        for (size_t i = 0; i < desk->people->reason_count; i++) {
                const struct away_reason *reason = &desk->people->reasons[i];
                rows[i] = (struct protocol_away_reason){.reason = span_of(reason->reason),
                                                        .has_minutes = reason->minutes > 0,
                                                        .minutes = reason->minutes};
        }
        protocol_away_list_result_write(out, &result);
        return 0;
}

/* ---- status.history ---- */

static int find_agent(const struct reading *reading, struct principal_id who, int64_t *out_id)
{
        struct principal_row row;
        int rc = principals_load_ext(reading->db, who.id, &row);
        if (rc < 0)
                return reading_failed(reading, rc);
        bool is_his = rc == DB_ROW && row.role == ROLE_AGENT && who.role == ROLE_AGENT &&
                      row.workspace == reading->command->caller.workspace;
        if (!is_his)
                return fault_set(reading->fault, PROTOCOL_ERR_NOT_FOUND, "agent", "an agent of this workspace");
        *out_id = row.id;
        return 0;
}

static struct db_stmt *history_statement(const struct reading *reading, int64_t agent, int64_t limit)
{
        const struct protocol_status_history *params = reading->command->params;
        struct db_stmt *stmt = db_stmt(reading->db, agent ? SQL_AGENT_STATUS_ONE : SQL_AGENT_STATUS_ALL);
        db_bind_int(stmt, 1, reading->command->caller.workspace);
        db_bind_int(stmt, 2, params->has_from ? params->from : clock_wall_ms() - DAY_MS);
        db_bind_int(stmt, 3, params->has_after ? params->after : 0);
        db_bind_int(stmt, 4, limit + 1);
        if (agent)
                db_bind_int(stmt, 5, agent);
        return stmt;
}

int read_status_history(const struct reading *reading)
{
        const struct protocol_status_history *params = reading->command->params;
        int64_t agent = 0, limit = params->has_limit ? params->limit : HISTORY_DEFAULT;
        int rc = params->has_agent ? find_agent(reading, params->agent, &agent) : 0;
        if (rc < 0)
                return rc;
        struct db_stmt *stmt = history_statement(reading, agent, limit);
        int64_t count = 0;
        bool more = false;
        writer_raw(reading->out, SPAN("{\"rows\":["));
        while ((rc = db_step(stmt)) == DB_ROW && !(more = count == limit)) {
                int64_t by = db_int(stmt, 5);
                struct span reason = db_text(stmt, 3);
                struct protocol_status_change row = {.id = db_int(stmt, 0),
                                                     .agent = {ROLE_AGENT, (uint64_t)db_int(stmt, 1)},
                                                     .status = (enum protocol_status_change_status)db_int(stmt, 2),
                                                     .has_reason = reason.len > 0,
                                                     .reason = reason,
                                                     .at = db_int(stmt, 4),
                                                     .by = directory_author(reading->directory, by)};
                if (count++ > 0)
                        writer_char(reading->out, ',');
                protocol_status_change_write(reading->out, &row);
        }
        db_reset(stmt);
        if (rc < 0)
                return reading_failed(reading, rc);
        writer_raw(reading->out, more ? SPAN("],\"more\":true}") : SPAN("]}"));
        return 0;
}
