/* SPDX-License-Identifier: Apache-2.0 */
/* Reach: which conversations an agent may read. One with the permission read_all reads all of the workspace; another
 * those whose newest ticket belongs to one of his teams or to himself, with read_unassigned those that belong to
 * nobody, and those he was invited to. The same rule in the desk, in a reader and on a network thread: it is asked
 * here.
 *
 * A struct reach is a copy of what counts, made where the agent is known, and good until what he may read is changed:
 * then his connections are closed, and come back with another one. Pure, but for what names a store. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "store/conversations.h"

struct agent_profile;
struct caller;

enum { REACH_TEAMS = 32 };

struct reach {
        int64_t agent;     /* row id */
        int64_t workspace; /* row id */
        int64_t since_rev; /* at which it was last changed; 0 = never */
        bool is_all, has_unassigned;
        uint8_t team_count;
        int64_t teams[REACH_TEAMS];
};

/* Everything of its workspace: bots, the operator, an agent with read_all. */
struct reach reach_of_all(int64_t principal, int64_t workspace);
struct reach reach_of_agent(const struct agent_profile *agent, int64_t workspace);

/* By team and assignee (0 = none); invitations come on top. */
bool reach_covers(const struct reach *reach, int64_t team, int64_t assignee);

/* The caller's, from a view of the store. A customer, and an agent without access, reaches nothing. 0 or a db_error. */
int reach_load(struct db *db, const struct caller *caller, struct reach *out_reach);
/* Whether it holds the conversation, invitations and all. 1, 0 or a negative db_error. */
int reach_holds(const struct reach *reach, struct db *db, const struct conversation_row *row);
/* The same of one that is known by its row id; 0 when there is none. */
int reach_holds_id(const struct reach *reach, struct db *db, int64_t conv);

/* A conversation by its outside id, as conversations_view_staff reads it, if the caller (of the staff) reaches it.
 * DB_ROW; DB_OK: it is not his, or unknown; or a negative db_error. */
int reach_view(struct db *db, const struct caller *caller, uint64_t ext, struct conversation_row *out_row);

/* What a network thread is told of a conversation whose place has changed: note->bytes of NOTE_MOVED. */
enum { REACH_INVITED = 20 };
struct reach_move {
        uint64_t conv_ext;
        int64_t was_team, was_assignee, team, assignee;
        uint32_t invited_count, uninvited_count;
        int64_t invited[REACH_INVITED], uninvited[REACH_INVITED]; /* row ids of agents; uninvited: just now */
};
/* Whether the agent of `reach` could read it before, and cannot now. */
bool reach_loses(const struct reach *reach, const struct reach_move *move);

/* Whose a row of the live feed is. */
struct reach_place {
        int64_t team, assignee;
        uint32_t invited_count;
        int64_t invited[REACH_INVITED];
};
struct reach_place *reach_place_copy(const struct reach_place *place); /* malloc'd; NULL: out of memory */
bool reach_sees(const struct reach *reach, const struct reach_place *place);
