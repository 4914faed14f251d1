/* SPDX-License-Identifier: Apache-2.0 */
/* What agents have: the ticket's assignee, what it takes of his capacity, and what becomes of it when he is gone or
 * when it wakes up and he has no room. Only open tickets count, and those whose customer has not answered for long do
 * not. */
#include "desk/routing/routing_private.h"

#include <stdio.h>

int32_t route_weight(const struct ticket_route *route)
{
        const struct routing_settings *settings = &route->routing->settings;
        const struct ticket *ticket = route->ticket;
        for (size_t i = 0; i < settings->weight_count; i++) {
                const struct routing_weight_row *row = &settings->weights[i];
                if ((row->app == 0 || row->app == ticket->app) &&
                    (row->priority == 0 || row->priority == (int)ticket->priority))
                        return row->weight;
        }
        return 1;
}

/* When its customer has been silent for so long that it takes nothing; INT64_MAX = he spoke last, or it always counts.
 */
static int64_t silent_from_ms(const struct ticket_route *route)
{
        const struct ticket *ticket = route->ticket;
        int64_t silent_ms = route->routing->settings.silent_ms;
        if (silent_ms == 0 || ticket->customer_ms != 0 || ticket->last_ms == 0)
                return INT64_MAX;
        int64_t quiet_ms = ticket->last_ms > ticket->status_ms ? ticket->last_ms : ticket->status_ms;
        return quiet_ms + silent_ms;
}

int32_t route_load_now(const struct ticket_route *route)
{
        bool counts = route->ticket->status == TICKET_OPEN && silent_from_ms(route) > route->routing->desk->now_ms;
        return counts ? route_weight(route) : 0;
}

static void set_load(struct ticket_route *route, int32_t load)
{
        if (load == route->load)
                return;
        seat_add_load(route->routing, route->held_by, load - route->load);
        route->load = load;
}

void route_unhold(struct ticket_route *route)
{
        if (!route->held_by)
                return;
        set_load(route, 0);
        *route->held_at = route->held_next;
        if (route->held_next)
                route->held_next->held_at = route->held_at;
        route->held_by = NULL;
}

static void hold(struct ticket_route *route, struct seat *seat)
{
        route->held_by = seat;
        route->held_next = seat->held;
        route->held_at = &seat->held;
        if (seat->held)
                seat->held->held_at = &route->held_next;
        seat->held = route;
}

/* A wait that was one: what was given at once says nothing of how fast the queue moves. */
static int note_given(struct desk *desk, struct ticket_route *route, int64_t agent)
{
        enum { WAITED_MS = 1000 };
        int64_t waited_ms = route->waits_ms > 0 ? desk->now_ms - route->waits_ms : 0;
        if (waited_ms < WAITED_MS)
                route->place = 0;
        int rc = given_put(desk, route, agent, waited_ms > 0 ? waited_ms : 0);
        struct team_queue *queue = team_queue_find(route->routing, route->ticket->team);
        if (queue && route->place > 0)
                pace_add(&queue->pace, waited_ms, route->place);
        route->how = 0;
        return rc;
}

static int change_holder(struct desk *desk, struct ticket_route *route, int64_t agent)
{
        route_unhold(route);
        struct seat *seat = agent ? seat_get(route->routing, agent) : NULL;
        if (!seat)
                return 0;
        hold(route, seat);
        route->sticky_looked = -1;
        return route->is_loaded ? 0 : note_given(desk, route, agent);
}

/* It counts again because its customer wrote, and that is more than its agent may be given by accident. */
static int send_back(struct desk *desk, struct ticket_route *route)
{
        static const struct ticket_by by = {.why = "it woke up, and its agent has no room"};
        struct fault fault = {0};
        route_unhold(route);
        return ticket_apply(desk, route->ticket, &by, TICKET_EVENT_RELEASE, &fault);
}

int route_hold(struct desk *desk, struct ticket_route *route)
{
        const struct ticket *ticket = route->ticket;
        int64_t holder = route->held_by ? route->held_by->agent.id : 0;
        bool is_new = holder != ticket->assignee;
        int rc = is_new ? change_holder(desk, route, ticket->assignee) : 0;
        if (rc < 0 || !route->held_by)
                return rc;
        int32_t load = route_load_now(route);
        bool wakes = load > 0 && !is_new && route->load == 0 && ticket->customer_ms != 0;
        set_load(route, load);
        const struct seat *seat = route->held_by;
        if (wakes && seat->agent.load > seat->agent.capacity + seat->profile->wake_cap)
                return send_back(desk, route);
        return 0;
}

/* ---- what time brings ---- */

/* When it goes back to the queue because its agent is gone; INT64_MAX = it does not. */
static int64_t gone_due_ms(const struct ticket_route *route)
{
        const struct ticket *ticket = route->ticket;
        const struct team *team = ticket->team ? people_team(route->routing->desk, ticket->team) : NULL;
        int64_t gone_ms = ticket->status == TICKET_OPEN ? seat_gone_ms(route->held_by) : 0;
        if (gone_ms == 0 || (team && !team->offline_requeue && !route->held_by->profile->is_gone))
                return INT64_MAX;
        return route->held_by->profile->is_gone || !team ? gone_ms : gone_ms + team->requeue_ms;
}

int64_t route_held_due_ms(const struct ticket_route *route)
{
        if (!route->held_by)
                return INT64_MAX;
        int64_t gone_ms = gone_due_ms(route), silent_ms = route->load > 0 ? silent_from_ms(route) : INT64_MAX;
        return gone_ms < silent_ms ? gone_ms : silent_ms;
}

int route_run_held(struct desk *desk, struct ticket_route *route)
{
        if (!route->held_by)
                return 0;
        if (route->load > 0 && silent_from_ms(route) <= desk->now_ms)
                route_dirty(route);
        if (gone_due_ms(route) > desk->now_ms)
                return 0;
        struct ticket_by by = {.why = route->held_by->profile->status == AGENT_AWAY ? "its agent is away"
                                                                                    : "its agent is gone"};
        struct fault fault = {0};
        return ticket_apply(desk, route->ticket, &by, TICKET_EVENT_RELEASE, &fault);
}
