/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of conversations, their scopes and marks. Each function works on the connection it is given, in that
 * connection's thread; errors are db_error. */
#pragma once

#include "protocol_generated.h"
#include "store/db.h"

/* Who answers the customer. */
enum conversation_owner { OWNER_OPEN, OWNER_BOT, OWNER_PEOPLE };

struct conversation_row {
        int64_t id;
        uint64_t ext;
        int64_t workspace, app, customer; /* row ids */
        char key[PROTOCOL_KEY_BYTES + 1];
        int64_t rev;                              /* of its last change */
        int64_t public_rev;                       /* of its last change that its customer may know of */
        int64_t head, ihead;                      /* highest seq and iseq; 0 = none */
        int64_t first;                            /* lowest seq still kept */
        int64_t last_ts;                          /* of the newest public entry, never falls */
        int64_t last_seq, last_author, last_kind; /* last public message; 0 = none */
        char preview[PROTOCOL_PREVIEW_POINTS * 4 + 1];
        size_t preview_len;
        int64_t unread;        /* public entries that count, not by the customer, above customer_read */
        int64_t unanswered;    /* customer messages since the last public staff reply */
        int64_t waiting_since; /* ts of the oldest of them; 0 = none */
        int64_t customer_recv, customer_read, staff_recv, staff_read;
        int owner;              /* enum conversation_owner */
        int64_t owner_turn;     /* grows with each turn of the bot and each change of owner */
        int64_t handed_ms;      /* since when it waits for people after the bot; 0 = it does not */
        int64_t team, assignee; /* whose its newest ticket is; 0 = nobody's */
        int64_t invited;        /* how many agents were invited to it */
        bool has_left;          /* feed of a scope: it can no longer be seen */
};

/* Numbers of scopes (design section 4). What is in one now stands in the workspace's only; in the others, what has
 * left them. */
static inline int64_t scope_of_workspace(int64_t workspace)
{
        return workspace * 8;
}

static inline int64_t scope_of_agent(int64_t principal)
{
        return principal * 8 + 2;
}

static inline int64_t scope_of_team(int64_t team)
{
        return team * 8 + 3;
}

static inline int64_t scope_of_nobody(int64_t workspace) /* what belongs to no team and to nobody */
{
        return workspace * 8 + 4;
}

/* DB_ROW when found, DB_OK when there is none. */
int conversations_load(struct db *db, uint64_t ext, struct conversation_row *out_row);
int conversations_find_key(struct db *db, int64_t app, int64_t customer, struct span key, uint64_t *out_ext);
int conversations_count(struct db *db, int64_t app, int64_t customer, int64_t *out_count);

/* Inserts; row->id is set. */
int conversations_insert(struct db *db, struct conversation_row *row, int64_t now_ms);
/* Takes back an insert of the same transaction; nothing refers to the row yet. */
int conversations_remove(struct db *db, int64_t id);
/* Another customer's, under that key, from now on. */
int conversations_give(struct db *db, int64_t id, int64_t customer, struct span key);
/* Writes what changes over time, under a new rev; moves the scope row of the workspace's staff to that rev.
 * `is_public`: its customer may know of the change. */
int conversations_save(struct db *db, struct conversation_row *row, int64_t new_rev, bool is_public);

/* A conversation left that scope with that change. */
int conversations_leave(struct db *db, const struct conversation_row *row, int64_t scope, int64_t rev);

/* What the caller may see of a conversation: staff of a workspace as far as their reach goes (desk/people/reach.h), or
 * one customer. Of staff: id, head, ihead and what reach asks for. DB_ROW, or DB_OK: not his or unknown. */
int conversations_view_staff(struct db *db, uint64_t ext, int64_t workspace, struct conversation_row *out_row);
int conversations_view_customer(struct db *db, uint64_t ext, int64_t customer, int64_t *out_id, int64_t *out_head);

/* Reads one row of a running feed or list statement. */
void conversations_read_row(struct db_stmt *stmt, struct conversation_row *out_row);
/* Team, assignee and invited, from that column on. */
void conversations_read_reach(struct db_stmt *stmt, int column, struct conversation_row *row);
