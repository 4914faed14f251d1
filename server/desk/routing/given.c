/* SPDX-License-Identifier: Apache-2.0 */
/* What was given to whom: whose turn it is, how fast a queue moves, whom a customer had last. */
#include "desk/routing/routing_private.h"

int given_put(struct desk *desk, struct ticket_route *route, int64_t agent, int64_t waited_ms)
{
        const struct ticket *ticket = route->ticket;
        struct db_stmt *stmt = db_stmt(desk->db, SQL_ROUTING_GIVEN_PUT);
        db_bind_int(stmt, 1, ticket->team);
        db_bind_int(stmt, 2, agent);
        db_bind_int(stmt, 3, ticket->customer);
        db_bind_int(stmt, 4, ticket->id);
        db_bind_int(stmt, 5, desk->now_ms);
        db_bind_int(stmt, 6, route->how ? route->how : ROUTING_BY_HAND);
        db_bind_int(stmt, 7, waited_ms);
        db_bind_int(stmt, 8, route->place);
        int rc = db_run(stmt);
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}

int given_load(struct routing *routing)
{
        struct db_stmt *stmt = db_stmt(routing->desk->db, SQL_ROUTING_GIVEN_OF_AGENTS);
        int rc;
        while ((rc = db_step(stmt)) == DB_ROW) {
                struct seat *seat = seat_get(routing, db_int(stmt, 0));
                int64_t turn = db_int(stmt, 1);
                if (seat)
                        seat->agent.turn = turn;
                routing->turn = turn > routing->turn ? turn : routing->turn;
        }
        return rc;
}

int given_load_pace(struct routing *routing, struct team_queue *queue)
{
        struct {
                int64_t waited_ms, place;
        } rows[PACE_SAMPLES];
        size_t count = 0;
        struct db_stmt *stmt = db_stmt(routing->desk->db, SQL_ROUTING_GIVEN_OF_TEAM);
        db_bind_int(stmt, 1, queue->team);
        db_bind_int(stmt, 2, PACE_SAMPLES);
        int rc;
        while ((rc = db_step(stmt)) == DB_ROW && count < PACE_SAMPLES) {
                rows[count].waited_ms = db_int(stmt, 0);
                rows[count++].place = db_int(stmt, 1);
        }
        if (rc == DB_ROW)
                db_reset(stmt);
        while (rc >= 0 && count-- > 0) /* the oldest first */
                pace_add(&queue->pace, rows[count].waited_ms, rows[count].place);
        return rc < 0 ? rc : DB_OK;
}

int given_sticky(struct desk *desk, struct ticket_route *route, const struct team *team)
{
        if (route->sticky_looked == team->id)
                return 0;
        struct db_stmt *stmt = db_stmt(desk->db, SQL_ROUTING_GIVEN_LAST);
        db_bind_int(stmt, 1, route->ticket->customer);
        int rc = db_step(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        bool is_recent = rc == DB_ROW && (team->sticky_ms == 0 || db_int(stmt, 1) >= desk->now_ms - team->sticky_ms);
        route->item.sticky = is_recent ? db_int(stmt, 0) : 0;
        route->sticky_looked = team->id;
        db_reset(stmt);
        return 0;
}
