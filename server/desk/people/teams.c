/* SPDX-License-Identifier: Apache-2.0 */
/* team.*: teams and who belongs to them. */
#include "desk/people/people_private.h"

#include <stdio.h>
#include <stdlib.h>

#include "desk/hours/hours.h"
#include "desk/tickets/tickets.h"

#define STICKY_MS ((int64_t)7 * 24 * 3600 * 1000)

enum { ACCEPT_MS = 30000, REQUEUE_MS = 60000 };

static int check_name(struct desk *desk, struct span name, int64_t except, struct fault *fault)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_TEAM_CLASH);
        db_bind_int(stmt, 1, desk->workspace);
        db_bind_text(stmt, 2, name);
        db_bind_int(stmt, 3, except);
        int rc = db_step(stmt);
        db_reset(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        return rc == DB_ROW ? fault_set(fault, PROTOCOL_ERR_CONFLICT, "name", "a name that no other team has") : 0;
}

static int check_sticky(const struct team *team, struct fault *fault)
{
        if (team->manner == PEOPLE_STICKY && team->sticky_ms == 0)
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "sticky_ms", "above 0 for the manner sticky");
        return 0;
}

static void bind_team(struct db_stmt *stmt, int index, const struct team *team)
{
        db_bind_text(stmt, index, span_of(team->name));
        db_bind_int(stmt, index + 1, team->manner);
        db_bind_int(stmt, index + 2, team->sticky_ms);
        db_bind_int(stmt, index + 3, team->accept_ms);
        db_bind_int(stmt, index + 4, team->schedule);
        db_bind_int(stmt, index + 5, team->requeue_ms);
        db_bind_int(stmt, index + 6, team->wants_consent);
        db_bind_int(stmt, index + 7, team->offline_requeue);
        db_bind_int(stmt, index + 8, team->must_speak_language);
}

/* ---- add, set, remove ---- */

/* What team.add and team.set say alike; what was not said stays as it is. */
#define TAKE(params, team)                                                                                             \
        do {                                                                                                           \
                if ((params)->has_manner)                                                                              \
                        (team)->manner = (enum people_manner)(params)->manner;                                         \
                if ((params)->has_sticky_ms)                                                                           \
                        (team)->sticky_ms = (params)->sticky_ms;                                                       \
                if ((params)->has_accept_ms)                                                                           \
                        (team)->accept_ms = (params)->accept_ms;                                                       \
                if ((params)->has_requeue_ms)                                                                          \
                        (team)->requeue_ms = (params)->requeue_ms;                                                     \
                if ((params)->has_consent)                                                                             \
                        (team)->wants_consent = (params)->consent;                                                     \
                if ((params)->has_requeue)                                                                             \
                        (team)->offline_requeue = (params)->requeue;                                                   \
                if ((params)->has_must_speak)                                                                          \
                        (team)->must_speak_language = (params)->must_speak;                                            \
        } while (0)

int handle_team_add(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_team_add *params = command->params;
        struct team team = {.manner = PEOPLE_LEAST_LOADED,
                            .sticky_ms = STICKY_MS,
                            .accept_ms = ACCEPT_MS,
                            .requeue_ms = REQUEUE_MS,
                            .offline_requeue = true};
        TAKE(params, &team);
        snprintf(team.name, sizeof team.name, "%.*s", (int)params->name.len, params->name.at);
        int rc = check_sticky(&team, fault);
        if (rc == 0 && params->has_schedule)
                rc = people_find_schedule(desk, params->schedule, &team.schedule, fault);
        if (rc == 0)
                rc = check_name(desk, params->name, 0, fault);
        int64_t count = rc == 0 ? people_count(desk, SQL_TEAM_COUNT) : 0;
        if (rc < 0 || count < 0)
                return rc < 0 ? rc : (int)count;
        if (count >= PEOPLE_TEAMS)
                return -PROTOCOL_ERR_TOO_MANY;
        struct protocol_team_add_result result = {.team = desk_new_id(desk)};
        struct db_stmt *stmt = db_stmt(desk->db, SQL_TEAM_INSERT);
        db_bind_int(stmt, 1, desk->workspace);
        db_bind_int(stmt, 2, (int64_t)result.team);
        bind_team(stmt, 3, &team);
        db_bind_int(stmt, 12, desk->now_ms);
        rc = db_run(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        people_changed(desk);
        protocol_team_add_result_write(out, &result);
        return admin_audit(desk, &command->caller, "team.add", "tea", result.team, params->name);
}

static int fill_row(struct desk *desk, const struct team *team, struct protocol_team_row *out)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_TEAM_CREATED);
        db_bind_int(stmt, 1, team->id);
        int rc = db_step(stmt);
        int64_t created = rc == DB_ROW ? db_int(stmt, 0) : 0, members = rc == DB_ROW ? db_int(stmt, 1) : 0;
        db_reset(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        const struct schedule *schedule = hours_schedule(desk, team->schedule);
        *out = (struct protocol_team_row){.team = team->ext,
                                          .name = span_of(team->name),
                                          .manner = (enum protocol_team_row_manner)team->manner,
                                          .sticky_ms = team->sticky_ms,
                                          .accept_ms = team->accept_ms,
                                          .has_schedule = schedule != NULL,
                                          .schedule = schedule ? schedule->ext : 0,
                                          .consent = team->wants_consent,
                                          .requeue = team->offline_requeue,
                                          .requeue_ms = team->requeue_ms,
                                          .must_speak = team->must_speak_language,
                                          .members = members,
                                          .created = created};
        return 0;
}

/* What was, before the arrow, and what is. */
static struct span describe_change(const struct team *was, const struct team *is, char *out, size_t room)
{
        static const char *const manners[] = {"", "least_loaded", "round_robin", "sticky"};
        int len = snprintf(
                out, room,
                "%s, %s, accept %lld ms, requeue %d after %lld ms, consent %d, must_speak %d, schedule %lld -> "
                "%s, %s, accept %lld ms, requeue %d after %lld ms, consent %d, must_speak %d, schedule %lld",
                was->name, manners[was->manner], (long long)was->accept_ms, was->offline_requeue,
                (long long)was->requeue_ms, was->wants_consent, was->must_speak_language, (long long)was->schedule,
                is->name, manners[is->manner], (long long)is->accept_ms, is->offline_requeue, (long long)is->requeue_ms,
                is->wants_consent, is->must_speak_language, (long long)is->schedule);
        return (struct span){out, len > 0 && (size_t)len < room ? (size_t)len : room - 1};
}

int handle_team_set(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_team_set *params = command->params;
        struct team *known = (struct team *)people_team_ext(desk, params->team); /* ours to change */
        if (!known)
                return -PROTOCOL_ERR_NOT_FOUND;
        struct team team = *known;
        char detail[1024];
        int rc = 0;
        TAKE(params, &team);
        if (params->has_name) {
                snprintf(team.name, sizeof team.name, "%.*s", (int)params->name.len, params->name.at);
                rc = check_name(desk, params->name, team.id, fault);
        }
        if (params->has_no_schedule && params->no_schedule)
                team.schedule = 0;
        if (rc == 0 && params->has_schedule)
                rc = people_find_schedule(desk, params->schedule, &team.schedule, fault);
        if (rc == 0)
                rc = check_sticky(&team, fault);
        if (rc < 0)
                return rc;
        struct db_stmt *stmt = db_stmt(desk->db, SQL_TEAM_SAVE);
        db_bind_int(stmt, 1, team.id);
        bind_team(stmt, 2, &team);
        rc = db_run(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        people_changed(desk);
        struct protocol_team_set_result result = {0};
        if ((rc = fill_row(desk, &team, &result.row)) < 0)
                return rc;
        protocol_team_set_result_write(out, &result);
        rc = admin_audit(desk, &command->caller, "team.set", "tea", team.ext,
                         describe_change(known, &team, detail, sizeof detail));
        if (rc == 0)
                *known = team; /* another command of this batch may change it too */
        return rc;
}

struct moving {
        struct desk *desk;
        int rc;
};

static bool move_reach(void *data, struct agent_profile *agent)
{
        struct moving *moving = data;
        moving->rc = people_rights_moved(moving->desk, agent, agent->permissions, agent->permissions);
        return moving->rc == 0;
}

int handle_team_remove(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_team_remove *params = command->params;
        struct team *team = (struct team *)people_team_ext(desk, params->team); /* ours to change */
        const struct ticket *ticket;
        if (!team)
                return -PROTOCOL_ERR_NOT_FOUND;
        tickets_each(desk, at, ticket)
        {
                if (ticket->team == team->id)
                        return fault_set(fault, PROTOCOL_ERR_CONFLICT, "team",
                                         "one without tickets that are not closed");
        }
        struct db_stmt *stmt = db_stmt(desk->db, SQL_TEAM_REMOVE);
        db_bind_int(stmt, 1, team->id);
        db_bind_int(stmt, 2, desk->now_ms);
        int rc = db_run(stmt);
        if (rc >= 0) {
                stmt = db_stmt(desk->db, SQL_TEAM_MEMBERS_END);
                db_bind_int(stmt, 1, team->id);
                rc = db_run(stmt);
        }
        if (rc < 0)
                return desk_db_failed(desk, rc);
        struct moving moving = {.desk = desk};
        people_each_agent(desk, team->id, move_reach, &moving);
        if (moving.rc < 0)
                return moving.rc;
        people_changed(desk);
        struct protocol_team_remove_result result = {0};
        protocol_team_remove_result_write(out, &result);
        team->is_removed = true;
        return admin_audit(desk, &command->caller, "team.remove", "tea", team->ext, span_of(team->name));
}

/* ---- list, members ---- */

static int by_name(const void *a, const void *b)
{
        const struct protocol_team_row *x = a, *y = b;
        size_t len = x->name.len < y->name.len ? x->name.len : y->name.len;
        int order = memcmp(x->name.at, y->name.at, len);
        return order != 0 ? order : (x->name.len > y->name.len) - (x->name.len < y->name.len);
}

int handle_team_list(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)fault;
        struct protocol_team_list_result result = {0};
        result.teams = arena_take(&command->arena, (desk->people->team_count + 1) * sizeof *result.teams);
        if (!result.teams)
                return -PROTOCOL_ERR_INTERNAL;
        for (size_t i = 0; i < desk->people->team_count; i++) {
                if (desk->people->teams[i]->is_removed)
                        continue;
                int rc = fill_row(desk, desk->people->teams[i], &result.teams[result.teams_count++]);
                if (rc < 0)
                        return rc;
        }
        qsort(result.teams, result.teams_count, sizeof *result.teams, by_name);
        protocol_team_list_result_write(out, &result);
        return 0;
}

int handle_team_members(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)fault;
        const struct protocol_team_members *params = command->params;
        const struct team *team = people_team_ext(desk, params->team);
        if (!team)
                return -PROTOCOL_ERR_NOT_FOUND;
        struct protocol_team_members_result result = {0};
        result.agents = arena_take(&command->arena, PEOPLE_AGENTS * sizeof *result.agents);
        if (!result.agents)
                return -PROTOCOL_ERR_INTERNAL;
        struct db_stmt *stmt = db_stmt(desk->db, SQL_TEAM_MEMBERS_OF);
        db_bind_int(stmt, 1, team->id);
        int rc = DB_OK;
        while (result.agents_count < PEOPLE_AGENTS && (rc = db_step(stmt)) == DB_ROW)
                result.agents[result.agents_count++] = (struct principal_id){ROLE_AGENT, (uint64_t)db_int(stmt, 0)};
        db_reset(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        protocol_team_members_result_write(out, &result);
        return 0;
}

/* ---- who belongs to it ---- */

static int find_both(struct desk *desk, uint64_t team_ext, struct principal_id who, const struct team **out_team,
                     struct agent_profile **out_agent, struct fault *fault)
{
        *out_team = people_team_ext(desk, team_ext);
        if (!*out_team)
                return fault_set(fault, PROTOCOL_ERR_NOT_FOUND, "team", "a team of this workspace");
        *out_agent = who.role == ROLE_AGENT ? people_agent_ext(desk, who.id) : NULL;
        if (!*out_agent)
                return fault_set(fault, PROTOCOL_ERR_NOT_FOUND, "agent", "an agent of this workspace");
        return 0;
}

static int change_member(struct desk *desk, struct desk_command *command, const struct team *team,
                         struct agent_profile *agent, bool is_added)
{
        char object[ID_TEXT_BYTES + 1] = "";
        struct db_stmt *stmt = db_stmt(desk->db, is_added ? SQL_TEAM_MEMBER_PUT : SQL_TEAM_MEMBER_REMOVE);
        db_bind_int(stmt, 1, team->id);
        db_bind_int(stmt, 2, agent->id);
        int rc = db_run(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        if (db_changes(desk->db) == 0)
                return 0; /* it was so already */
        if ((rc = people_rights_moved(desk, agent, agent->permissions, agent->permissions)) < 0)
                return rc;
        people_changed(desk);
        if (is_added)
                people_join(agent, team->id);
        else
                people_part(agent, team->id);
        id_write(object, "agt", agent->ext);
        return admin_audit(desk, &command->caller, is_added ? "team.member_add" : "team.member_remove", "tea",
                           team->ext, span_of(object));
}

int handle_team_member_add(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_team_member_add *params = command->params;
        const struct team *team = NULL;
        struct agent_profile *agent = NULL;
        int rc = find_both(desk, params->team, params->agent, &team, &agent, fault);
        if (rc < 0 || !team || !agent)
                return rc;
        if (agent->team_count >= PEOPLE_TEAMS_OF_AGENT && !people_is_member(agent, team->id))
                return -PROTOCOL_ERR_TOO_MANY;
        struct protocol_team_member_add_result result = {0};
        protocol_team_member_add_result_write(out, &result);
        return change_member(desk, command, team, agent, true);
}

int handle_team_member_remove(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_team_member_remove *params = command->params;
        const struct team *team = NULL;
        struct agent_profile *agent = NULL;
        int rc = find_both(desk, params->team, params->agent, &team, &agent, fault);
        if (rc < 0 || !team || !agent)
                return rc;
        struct protocol_team_member_remove_result result = {0};
        protocol_team_member_remove_result_write(out, &result);
        return change_member(desk, command, team, agent, false);
}
