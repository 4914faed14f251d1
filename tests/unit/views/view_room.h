/* SPDX-License-Identifier: Apache-2.0 */
/* Views of a room: what always holds of them, and a client that keeps what it was told. */
#pragma once

#include "unit/tickets/ticket_room.h"

/* Each list holds exactly the tickets that are not closed, fulfil its condition and may be read by those it is for, in
 * order; every ticket is in every order. The test fails otherwise. */
void views_check(struct room *room);

/* Turns until nothing is left to be said, the clock going on as it has to. */
void views_settle(struct room *room);

/* What a connection has of one view: rows by their tickets. */
struct mirror {
        struct client *client;
        const char *view;
        json_t *rows;
        json_int_t turn, count;
        size_t resets;
};

/* Reads the view whole. */
void mirror_open(struct room *room, struct mirror *mirror);
/* Applies every event of the view that the room has heard since room_forget; opens again when it has to. */
void mirror_follow(struct room *room, struct mirror *mirror);
/* Says what the view says now. The test fails when the mirror differs in rows, order or count. */
void mirror_check(struct room *room, struct mirror *mirror);
void mirror_done(struct mirror *mirror);

/* An agent with a role of those permissions. */
struct client view_agent(struct room *room, const char *name, const char *permissions);
char *view_team(struct room *room, const char *name); /* its id; free it */
void view_join(struct room *room, const char *team, const struct client *agent);
