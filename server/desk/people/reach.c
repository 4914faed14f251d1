/* SPDX-License-Identifier: Apache-2.0 */
/* Reach: see reach.h. */
#include "desk/people/reach.h"

#include <stdlib.h>
#include <string.h>

#include "desk/command.h"
#include "desk/people/people.h"
#include "desk/people/people_private.h"

_Static_assert((int)REACH_TEAMS == (int)PEOPLE_TEAMS_OF_AGENT, "all his teams");
_Static_assert((int)REACH_INVITED == (int)PEOPLE_INVITED, "all who are invited");

struct reach reach_of_all(int64_t principal, int64_t workspace)
{
        return (struct reach){.agent = principal, .workspace = workspace, .is_all = true};
}

static void take_permissions(struct reach *reach, uint32_t permissions)
{
        reach->is_all = (permissions & 1u << PROTOCOL_MAY_READ_ALL) != 0;
        reach->has_unassigned = (permissions & 1u << PROTOCOL_MAY_READ_UNASSIGNED) != 0;
}

struct reach reach_of_agent(const struct agent_profile *agent, int64_t workspace)
{
        struct reach reach = {.agent = agent->id, .workspace = workspace, .since_rev = agent->reach_rev};
        if (agent->is_gone)
                return reach;
        take_permissions(&reach, agent->permissions);
        reach.team_count = agent->team_count;
        memcpy(reach.teams, agent->teams, agent->team_count * sizeof *agent->teams);
        return reach;
}

bool reach_covers(const struct reach *reach, int64_t team, int64_t assignee)
{
        if (reach->is_all || (assignee != 0 && assignee == reach->agent))
                return true;
        if (team == 0 && assignee == 0)
                return reach->has_unassigned;
        for (uint8_t i = 0; team != 0 && i < reach->team_count; i++)
                if (reach->teams[i] == team)
                        return true;
        return false;
}

/* ---- from a view of the store ---- */

static int load_teams(struct db *db, struct reach *reach)
{
        struct db_stmt *stmt = db_stmt(db, SQL_TEAMS_OF_AGENT);
        db_bind_int(stmt, 1, reach->agent);
        int rc;
        while ((rc = db_step(stmt)) == DB_ROW)
                if (reach->team_count < REACH_TEAMS)
                        reach->teams[reach->team_count++] = db_int(stmt, 0);
        return rc;
}

int reach_load(struct db *db, const struct caller *caller, struct reach *out_reach)
{
        *out_reach = reach_of_all(caller->principal, caller->workspace);
        if (caller->role == ROLE_BOT || caller->role == ROLE_OPERATOR)
                return DB_OK;
        out_reach->is_all = false;
        if (caller->role != ROLE_AGENT)
                return DB_OK;
        struct db_stmt *stmt = db_stmt(db, SQL_AGENT_ROLE);
        db_bind_int(stmt, 1, caller->principal);
        int rc = db_step(stmt);
        if (rc != DB_ROW)
                return rc;
        take_permissions(out_reach, permissions_of_role(db_int(stmt, 0), db_text(stmt, 1)));
        out_reach->since_rev = db_int(stmt, 2);
        db_reset(stmt);
        return out_reach->is_all ? DB_OK : load_teams(db, out_reach);
}

static int is_invited(struct db *db, int64_t conv, int64_t agent)
{
        struct db_stmt *stmt = db_stmt(db, SQL_INVITE_GET);
        db_bind_int(stmt, 1, conv);
        db_bind_int(stmt, 2, agent);
        int rc = db_step(stmt);
        db_reset(stmt);
        return rc == DB_ROW ? 1 : rc;
}

int reach_holds(const struct reach *reach, struct db *db, const struct conversation_row *row)
{
        if (reach->workspace != row->workspace)
                return 0;
        if (reach_covers(reach, row->team, row->assignee))
                return 1;
        return row->invited > 0 && reach->agent > 0 ? is_invited(db, row->id, reach->agent) : 0;
}

int reach_holds_id(const struct reach *reach, struct db *db, int64_t conv)
{
        if (reach->is_all)
                return 1;
        struct conversation_row row = {.id = conv};
        struct db_stmt *stmt = db_stmt(db, SQL_CONVERSATION_REACH);
        db_bind_int(stmt, 1, conv);
        int rc = db_step(stmt);
        if (rc != DB_ROW)
                return rc;
        conversations_read_reach(stmt, 0, &row);
        row.workspace = db_int(stmt, 3);
        db_reset(stmt);
        return reach_holds(reach, db, &row);
}

int reach_view(struct db *db, const struct caller *caller, uint64_t ext, struct conversation_row *out_row)
{
        struct reach reach;
        struct conversation_row row;
        int rc = conversations_view_staff(db, ext, caller->workspace, &row);
        if (rc != DB_ROW)
                return rc;
        if ((rc = reach_load(db, caller, &reach)) < 0 || (rc = reach_holds(&reach, db, &row)) < 0)
                return rc;
        if (rc == 0)
                return DB_OK;
        *out_row = row;
        return DB_ROW;
}

/* ---- on a network thread ---- */

static bool is_among(const int64_t *agents, size_t count, int64_t agent)
{
        for (size_t i = 0; i < count; i++)
                if (agents[i] == agent)
                        return true;
        return false;
}

bool reach_loses(const struct reach *reach, const struct reach_move *move)
{
        if (reach_covers(reach, move->team, move->assignee) ||
            is_among(move->invited, move->invited_count, reach->agent))
                return false;
        return reach_covers(reach, move->was_team, move->was_assignee) ||
               is_among(move->uninvited, move->uninvited_count, reach->agent);
}

struct reach_place *reach_place_copy(const struct reach_place *place)
{
        struct reach_place *copy = malloc(sizeof *copy);
        if (copy)
                *copy = *place;
        return copy;
}

bool reach_sees(const struct reach *reach, const struct reach_place *place)
{
        return reach_covers(reach, place->team, place->assignee) ||
               is_among(place->invited, place->invited_count, reach->agent);
}

/* ---- in the desk ---- */

struct reach people_reach_of(const struct desk *desk, const struct caller *caller)
{
        const struct agent_profile *agent;
        if (caller->role != ROLE_AGENT || !(agent = people_agent(desk, caller->principal)))
                return reach_of_all(caller->principal, caller->workspace); /* the newest agents have the first role */
        return reach_of_agent(agent, caller->workspace);
}

bool people_reaches(const struct agent_profile *agent, int64_t team, int64_t assignee)
{
        struct reach reach = reach_of_agent(agent, 0);
        return reach_covers(&reach, team, assignee);
}

bool people_may_read(struct desk *desk, const struct caller *caller, int64_t team, int64_t assignee, int64_t conv)
{
        if (caller->role == ROLE_OPERATOR || caller->role == ROLE_BOT)
                return true;
        if (caller->role != ROLE_AGENT)
                return false;
        const struct agent_profile *agent = people_agent(desk, caller->principal);
        if (!agent || people_reaches(agent, team, assignee))
                return true;
        int rc = conv > 0 ? is_invited(desk->db, conv, agent->id) : 0;
        if (rc < 0)
                desk_db_failed(desk, rc);
        return rc == 1;
}

void people_belongs(struct desk *desk, struct conversation *conversation, int64_t team, int64_t assignee)
{
        if (conversation->row.team == team && conversation->row.assignee == assignee)
                return;
        conversation->row.team = team;
        conversation->row.assignee = assignee;
        conversation_changed(desk, conversation, false);
}
