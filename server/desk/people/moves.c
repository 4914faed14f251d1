/* SPDX-License-Identifier: Apache-2.0 */
/* What happens when a conversation comes to others, or an agent's reach changes: rows of the scopes that it has left,
 * and the word to connections that they may not see it any more. Within the batch, before its commit. */
#include "desk/people/people_private.h"
#include "desk/tickets/tickets.h"

/* ---- invitations ---- */

int people_invited(struct desk *desk, const struct conversation *conversation, int64_t out_agents[PEOPLE_INVITED])
{
        int count = 0, rc;
        if (conversation->row.invited == 0)
                return 0;
        struct db_stmt *stmt = db_stmt(desk->db, SQL_INVITES_OF);
        db_bind_int(stmt, 1, conversation->row.id);
        while ((rc = db_step(stmt)) == DB_ROW)
                if (count < PEOPLE_INVITED)
                        out_agents[count++] = db_int(stmt, 0);
        return rc < 0 ? desk_db_failed(desk, rc) : count;
}

int people_invite(struct desk *desk, struct conversation *conversation, int64_t agent, int64_t by)
{
        int64_t invited[PEOPLE_INVITED];
        int count = people_invited(desk, conversation, invited);
        for (int i = 0; i < count; i++)
                if (invited[i] == agent)
                        return 0;
        if (count < 0 || count >= PEOPLE_INVITED)
                return count < 0 ? count : -PROTOCOL_ERR_TOO_MANY;
        struct db_stmt *stmt = db_stmt(desk->db, SQL_CONVERSATION_INVITE_PUT);
        db_bind_int(stmt, 1, conversation->row.id);
        db_bind_int(stmt, 2, agent);
        db_bind_int(stmt, 3, by);
        db_bind_int(stmt, 4, desk->now_ms);
        int rc = db_run(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        conversation->row.invited = count + 1;
        views_reach_moved(desk, conversation->row.id);
        conversation_changed(desk, conversation, false);
        return 0;
}

int people_uninvite(struct desk *desk, struct conversation *conversation, int64_t agent)
{
        struct people *people = desk->people;
        if (people->uninvited_count == UNINVITED)
                return -PROTOCOL_ERR_OVERLOADED; /* so many in one batch: the next one has room */
        struct db_stmt *stmt = db_stmt(desk->db, SQL_INVITE_REMOVE);
        db_bind_int(stmt, 1, conversation->row.id);
        db_bind_int(stmt, 2, agent);
        int rc = db_run(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        if (db_changes(desk->db) == 0)
                return 0;
        conversation->row.invited--;
        views_reach_moved(desk, conversation->row.id);
        people->uninvited[people->uninvited_count++] = (struct uninvited){conversation->row.id, agent};
        conversation_changed(desk, conversation, false);
        return 0;
}

/* ---- a conversation that comes to others ---- */

static void tell_move(struct desk *desk, const struct conversation *conversation, const struct reach_move *move,
                      int64_t rev)
{
        for (uint32_t i = 0; i < desk->sink_count; i++) {
                struct desk_note *note =
                        note_new(NOTE_MOVED, (struct edge_ref){0}, (struct span){(const char *)move, sizeof *move});
                if (!note)
                        continue; /* R3: it shows with the next feed.read */
                note->conv = conversation->row.id;
                note->workspace = conversation->row.workspace;
                note->rev = rev;
                desk_leave(desk, i, note);
        }
}

static int leave_scopes(struct desk *desk, const struct conversation *conversation, const struct reach_move *move,
                        int64_t rev)
{
        const struct conversation_row *row = &conversation->row;
        int rc = DB_OK;
        if (move->was_team != 0 && move->was_team != move->team)
                rc = conversations_leave(desk->db, row, scope_of_team(move->was_team), rev);
        if (rc >= 0 && move->was_assignee != 0 && move->was_assignee != move->assignee)
                rc = conversations_leave(desk->db, row, scope_of_agent(move->was_assignee), rev);
        bool was_nobodys = move->was_team == 0 && move->was_assignee == 0;
        if (rc >= 0 && was_nobodys && (move->team != 0 || move->assignee != 0))
                rc = conversations_leave(desk->db, row, scope_of_nobody(row->workspace), rev);
        for (uint32_t i = 0; rc >= 0 && i < move->uninvited_count; i++)
                rc = conversations_leave(desk->db, row, scope_of_agent(move->uninvited[i]), rev);
        return rc;
}

static bool is_uninvited(const struct people *people, int64_t conv)
{
        for (size_t i = 0; i < people->uninvited_count; i++)
                if (people->uninvited[i].conv == conv)
                        return true;
        return false;
}

static void fill_uninvited(const struct people *people, int64_t conv, struct reach_move *move)
{
        for (size_t i = 0; i < people->uninvited_count && move->uninvited_count < REACH_INVITED; i++)
                if (people->uninvited[i].conv == conv)
                        move->uninvited[move->uninvited_count++] = people->uninvited[i].agent;
}

int people_flush_conversation(struct desk *desk, struct conversation *conversation, int64_t rev)
{
        struct conversation_row *row = &conversation->row;
        const struct ticket *ticket = tickets_of_conversation(desk, row->id);
        if (ticket) {
                row->team = ticket->team;
                row->assignee = ticket->assignee;
        }
        bool is_moved = row->team != conversation->was_team || row->assignee != conversation->was_assignee;
        if (!is_moved && !is_uninvited(desk->people, row->id))
                return DB_OK;
        struct reach_move move = {.conv_ext = row->ext,
                                  .was_team = conversation->was_team,
                                  .was_assignee = conversation->was_assignee,
                                  .team = row->team,
                                  .assignee = row->assignee};
        fill_uninvited(desk->people, row->id, &move);
        int count = people_invited(desk, conversation, move.invited);
        if (count < 0)
                return DB_IO;
        move.invited_count = (uint32_t)count;
        conversation->was_team = row->team;
        conversation->was_assignee = row->assignee;
        if (row->rev == 0)
                return DB_OK; /* it is new: nobody has seen it */
        int rc = leave_scopes(desk, conversation, &move, rev);
        if (rc >= 0)
                tell_move(desk, conversation, &move, rev);
        return rc;
}

/* ---- an agent whose reach has changed ---- */

/* Whoever knew an older rev reads all again. */
static int save_reach(struct desk *desk, struct agent_profile *agent)
{
        int rc = agent->is_reach_moved ? meta_put_int(desk->db, "rev", ++desk->rev) : DB_OK;
        if (rc < 0 || !agent->is_reach_moved)
                return rc;
        struct db_stmt *stmt = db_stmt(desk->db, SQL_AGENT_REACH_MOVED);
        db_bind_int(stmt, 1, agent->id);
        db_bind_int(stmt, 2, desk->rev);
        agent->reach_rev = desk->rev;
        agent->is_reach_moved = false;
        return db_run(stmt);
}

static int flush_agent(struct desk *desk, struct agent_profile *agent)
{
        int rc = save_reach(desk, agent);
        struct principal *who = directory_find(desk->directory, agent->id);
        agent->is_closing = false;
        if (who)
                sessions_close_principal(desk, who, PROTOCOL_CLOSE_UNAVAILABLE);
        return rc;
}

int people_flush(struct desk *desk)
{
        struct people *people = desk->people;
        int rc = DB_OK;
        for (size_t i = 0; people->is_closing && rc >= 0 && i < people->agent_count; i++)
                if (people->agents[i]->is_closing)
                        rc = flush_agent(desk, people->agents[i]);
        return rc < 0 ? rc : DB_OK;
}
