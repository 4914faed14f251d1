/* SPDX-License-Identifier: Apache-2.0 */
/* The matcher: at the end of a batch, the tickets that changed are put where they belong, and the queues in which
 * something changed are given to whoever can take it (choose.h). It costs what has changed, not what waits. */
#include "desk/routing/routing_private.h"

#include <stdlib.h>

enum {
        GIVEN_AT_ONCE = 200, /* in one batch; the rest in the next */
        ROUNDS = 8,          /* of settling and giving: each of them may bring the other about */
        AGAIN_MS = 200,      /* after a batch that was not kept */
        LOOK_MS = 30 * 1000, /* while somebody waits: hours of agents begin and end without an event */
};

/* ---- life ---- */

int routing_init(struct desk *desk)
{
        struct routing *routing = calloc(1, sizeof *routing);
        if (!routing)
                return DB_NOMEM;
        routing->desk = desk;
        routing->are_people_new = routing->wants_run = true;
        desk->routing = routing;
        int rc = routing_settings_load(routing);
        if (rc >= 0)
                rc = given_load(routing);
        return rc < 0 ? rc : DB_OK;
}

void routing_done(struct desk *desk)
{
        if (!desk->routing)
                return;
        seats_done(desk->routing);
        free(desk->routing);
        desk->routing = NULL;
}

void routing_committed(struct desk *desk)
{
        struct routing *routing = desk->routing;
        if (!routing->are_settings_changed)
                return;
        int rc = routing_settings_load(routing);
        if (rc < 0) { /* tried again after the next commit */
                log_error(&desk->log, "how tickets are routed could not be read again", "code", rc);
                return;
        }
        routing->are_settings_changed = false;
        routing->are_people_new = routing->wants_run = true;
}

/* The tickets that had changed were read again, and wait to be settled; the agents are as people/ says. */
void routing_rolled_back(struct desk *desk)
{
        struct routing *routing = desk->routing;
        if (routing->are_settings_changed && routing_settings_load(routing) < 0)
                log_error(&desk->log, "how tickets are routed could not be read again");
        routing->are_settings_changed = false;
        routing->are_people_new = routing->wants_run = true;
        routing->again_ms = clock_mono_ms() + AGAIN_MS;
}

/* ---- what others tell ---- */

void routing_people_changed(struct desk *desk)
{
        if (!desk->routing)
                return; /* it begins later */
        desk->routing->are_people_new = desk->routing->wants_run = true;
}

void routing_agent_changed(struct desk *desk, const struct agent_profile *agent)
{
        struct seat *seat = desk->routing ? seat_get(desk->routing, agent->id) : NULL;
        if (!seat)
                return;
        seat_dirty(desk->routing, seat);
        for (const struct ticket_route *route = seat->held; route; route = route->held_next)
                ticket_reschedule(desk, route->ticket); /* gone: it goes back in time; here again: it stays */
        for (struct ticket_route *route = seat->asked; route; route = route->asked_next)
                route_dirty(route);
}

/* ---- giving ---- */

struct run {
        struct desk *desk;
        int rc;
};

static const char *why_him(const struct choose_team *team, const struct queue_item *item,
                           const struct choose_agent *agent)
{
        if (team->manner == CHOOSE_STICKY && item->sticky == agent->id)
                return "routed: had this customer last";
        return team->manner == CHOOSE_ROUND_ROBIN ? "routed: next in turn" : "routed: has the least";
}

static int assign(struct desk *desk, struct ticket_route *route, const struct seat *seat, const char *why)
{
        struct ticket_by by = {.why = why};
        route->how = ROUTING_ROUTED;
        int rc = ticket_assign(desk, route->ticket, &by, route->in->team, seat->agent.id);
        return rc < 0 ? rc : route_settle(desk, route);
}

static bool give(void *data, const struct choose_team *choice, struct queue_item *item, struct choose_agent *agent)
{
        struct run *run = data;
        struct ticket_route *route = (struct ticket_route *)item;
        struct seat *seat = (struct seat *)agent;
        const struct team *team = people_team(run->desk, route->in->team);
        const char *why = why_him(choice, item, agent);
        agent->turn = ++run->desk->routing->turn;
        route_leave_lane(route);
        run->rc = team->accept_ms > 0 ? offer_make(run->desk, route, seat, team, why)
                                      : assign(run->desk, route, seat, why);
        ticket_reschedule(run->desk, route->ticket);
        return run->rc >= 0;
}

static enum choose_manner manner_of(const struct team *team)
{
        return team->manner == PEOPLE_ROUND_ROBIN ? CHOOSE_ROUND_ROBIN
               : team->manner == PEOPLE_STICKY    ? CHOOSE_STICKY
                                                  : CHOOSE_LEAST_LOADED;
}

/* The dirty ones in which somebody waits. */
static size_t collect(struct desk *desk, struct choose_team out[PEOPLE_TEAMS + 1])
{
        const struct routing *routing = desk->routing;
        size_t count = 0;
        for (size_t i = 0; i < routing->queue_count && count < PEOPLE_TEAMS; i++) {
                struct team_queue *queue = routing->queues[i];
                const struct team *team =
                        queue->is_dirty && queue->queue.count > 0 ? people_team(desk, queue->team) : NULL;
                if (team)
                        out[count++] = (struct choose_team){.queue = &queue->queue,
                                                            .manner = manner_of(team),
                                                            .agents = queue->members,
                                                            .agent_count = queue->member_count};
        }
        return count;
}

static int give_all(struct desk *desk)
{
        struct routing *routing = desk->routing;
        struct choose_team teams[PEOPLE_TEAMS + 1];
        struct run run = {.desk = desk};
        size_t count = collect(desk, teams);
        if (count > 0)
                seats_refresh(routing);
        for (size_t i = 0; i < routing->queue_count; i++)
                routing->queues[i]->is_dirty = false;
        size_t given = choose_run(teams, count, GIVEN_AT_ONCE, give, &run);
        for (size_t i = 0; i < routing->queue_count && given == GIVEN_AT_ONCE; i++)
                routing->queues[i]->is_dirty = true;
        return run.rc;
}

static int settle_all(struct desk *desk)
{
        int rc = 0;
        while (desk->routing->dirty && rc >= 0)
                rc = route_settle(desk, desk->routing->dirty);
        return rc;
}

static bool is_anything_dirty(const struct routing *routing)
{
        for (size_t i = 0; i < routing->queue_count; i++)
                if (routing->queues[i]->is_dirty && routing->queues[i]->queue.count > 0)
                        return true;
        return routing->dirty != NULL;
}

/* Teams and agents are other ones: each ticket is looked at again. */
static int begin_anew(struct desk *desk)
{
        struct ticket *ticket;
        desk->routing->are_people_new = false;
        if (teams_refresh(desk->routing) < 0)
                return desk_db_failed(desk, DB_NOMEM);
        tickets_each(desk, i, ticket) if (ticket->route) route_dirty(ticket->route);
        return 0;
}

static bool does_somebody_wait(const struct routing *routing)
{
        for (size_t i = 0; i < routing->queue_count; i++)
                if (routing->queues[i]->queue.count > 0)
                        return true;
        return false;
}

static void look_at_hours(struct routing *routing)
{
        uint64_t now_ms = clock_mono_ms();
        if (routing->look_ms != 0 && now_ms >= routing->look_ms) {
                for (size_t i = 0; i < routing->queue_count; i++)
                        routing->queues[i]->is_dirty = true;
                routing->look_ms = 0;
        }
}

int routing_run(struct desk *desk)
{
        struct routing *routing = desk->routing;
        int rc = routing->are_people_new ? begin_anew(desk) : 0;
        look_at_hours(routing);
        routing->wants_run = false;
        for (int round = 0; round < ROUNDS && rc >= 0; round++) {
                rc = settle_all(desk);
                if (rc < 0 || !is_anything_dirty(routing))
                        break;
                rc = give_all(desk);
        }
        routing->wants_run = rc >= 0 && is_anything_dirty(routing);
        if (routing->look_ms == 0 && does_somebody_wait(routing))
                routing->look_ms = clock_mono_ms() + LOOK_MS;
        return rc;
}

/* ---- when ---- */

bool routing_is_due(const struct desk *desk)
{
        const struct routing *routing = desk->routing;
        uint64_t now_ms = clock_mono_ms();
        bool is_wanted = routing->wants_run && now_ms >= routing->again_ms;
        return is_wanted || (routing->look_ms != 0 && now_ms >= routing->look_ms);
}

uint64_t routing_due_mono_ms(const struct desk *desk)
{
        const struct routing *routing = desk->routing;
        if (routing->came_count > 0)
                return 0;
        if (routing->wants_run)
                return routing->again_ms;
        uint64_t look_ms = routing->look_ms ? routing->look_ms : UINT64_MAX;
        uint64_t tell_ms = routing->tell_ms ? routing->tell_ms : UINT64_MAX;
        return look_ms < tell_ms ? look_ms : tell_ms;
}

/* ---- what others ask ---- */

/* What he works on, with the changes of this batch that have not been settled yet. */
static int32_t load_of(const struct routing *routing, const struct seat *seat)
{
        int32_t load = seat->agent.load - seat->offered;
        for (const struct ticket_route *route = routing->dirty; route; route = route->dirty_next) {
                if (route->held_by == seat)
                        load -= route->load;
                if (route->ticket->assignee == seat->agent.id)
                        load += route_load_now(route);
        }
        return load;
}

int32_t routing_load(const struct desk *desk, int64_t agent)
{
        const struct seat *seat = seat_find(desk->routing, agent);
        return seat ? load_of(desk->routing, seat) : 0;
}

bool routing_is_over(const struct desk *desk, int64_t agent)
{
        struct seat *seat = seat_get(desk->routing, agent);
        return seat && load_of(desk->routing, seat) > seat->profile->capacity;
}
