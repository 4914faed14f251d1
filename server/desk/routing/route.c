/* SPDX-License-Identifier: Apache-2.0 */
/* What routing knows of one ticket: in which queue it waits and as what, and that this follows the ticket. */
#include "desk/routing/routing_private.h"

#include <stdlib.h>

/* ---- life ---- */

static struct ticket_route **customer_slot(struct routing *routing, int64_t customer)
{
        return &routing->by_customer[((uint64_t)customer * 0x9e3779b97f4a7c15u >> 40) % ROUTING_CUSTOMER_SLOTS];
}

static void chain(struct ticket_route *route)
{
        struct ticket_route **slot = customer_slot(route->routing, route->ticket->customer);
        route->customer = route->ticket->customer;
        route->customer_next = *slot;
        route->customer_at = slot;
        if (*slot)
                (*slot)->customer_at = &route->customer_next;
        *slot = route;
}

static void unchain(struct ticket_route *route)
{
        *route->customer_at = route->customer_next;
        if (route->customer_next)
                route->customer_next->customer_at = route->customer_at;
}

/* Two were one person, or a visitor is a user now. */
static void follow_customer(struct ticket_route *route)
{
        if (route->customer == route->ticket->customer)
                return;
        unchain(route);
        chain(route);
}

static struct ticket_route *route_new(struct routing *routing, struct ticket *ticket)
{
        struct ticket_route *route = calloc(1, sizeof *route);
        if (!route)
                return NULL;
        route->routing = routing;
        route->ticket = ticket;
        route->sticky_looked = -1;
        chain(route);
        ticket->route = route;
        return route;
}

struct ticket_route *routes_of_customer(struct routing *routing, int64_t customer)
{
        return *customer_slot(routing, customer);
}

void route_dirty(struct ticket_route *route)
{
        struct routing *routing = route->routing;
        routing->wants_run = true;
        if (route->dirty_at)
                return;
        route->dirty_next = routing->dirty;
        route->dirty_at = &routing->dirty;
        if (routing->dirty)
                routing->dirty->dirty_at = &route->dirty_next;
        routing->dirty = route;
}

static void undirty(struct ticket_route *route)
{
        if (!route->dirty_at)
                return;
        *route->dirty_at = route->dirty_next;
        if (route->dirty_next)
                route->dirty_next->dirty_at = route->dirty_at;
        route->dirty_at = NULL;
}

void routing_wants(struct desk *desk, struct ticket *ticket)
{
        struct ticket_route *route = ticket->route ? ticket->route : route_new(desk->routing, ticket);
        if (route)
                route_dirty(route);
        else
                desk_db_failed(desk, DB_NOMEM);
}

static void count_open(struct ticket_route *route, struct team_queue *queue)
{
        if (route->counted)
                route->counted->open--;
        route->counted = queue;
        if (queue)
                queue->open++;
}

void route_leave_lane(struct ticket_route *route)
{
        if (!route->item.lane)
                return;
        queue_remove(&route->in->queue, &route->item);
        waiting_moved(route->routing, route->in);
}

void routing_ticket_forget(struct ticket *ticket)
{
        struct ticket_route *route = ticket->route;
        if (!route)
                return;
        undirty(route);
        offer_forget(route);
        route_leave_lane(route);
        route_unhold(route);
        count_open(route, NULL);
        unchain(route);
        free(route);
        ticket->route = NULL;
}

/* ---- from the store and back ---- */

static int load_offer(struct desk *desk, struct ticket_route *route)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_ROUTING_OFFER_GET);
        db_bind_int(stmt, 1, route->ticket->id);
        int rc = db_step(stmt);
        if (rc != DB_ROW)
                return rc;
        struct seat *seat = seat_get(desk->routing, db_int(stmt, 0));
        int64_t until_ms = db_int(stmt, 1);
        db_reset(stmt);
        if (seat)
                offer_restore(route, seat, until_ms);
        return DB_OK;
}

int routing_ticket_load(struct desk *desk, struct ticket *ticket)
{
        struct ticket_route *route = route_new(desk->routing, ticket);
        if (!route)
                return DB_NOMEM;
        route->is_loaded = true;
        route_dirty(route);
        return ticket->status == TICKET_PENDING ? load_offer(desk, route) : DB_OK;
}

int routing_ticket_save(struct desk *desk, struct ticket *ticket)
{
        struct ticket_route *route = ticket->route;
        if (route)
                follow_customer(route);
        if (!route || !route->is_offer_changed)
                return DB_OK;
        struct db_stmt *stmt = db_stmt(desk->db, route->asked ? SQL_ROUTING_OFFER_PUT : SQL_ROUTING_OFFER_REMOVE);
        db_bind_int(stmt, 1, ticket->id);
        if (route->asked) {
                db_bind_int(stmt, 2, route->asked->agent.id);
                db_bind_int(stmt, 3, route->asked_until_ms);
        }
        int rc = db_run(stmt);
        if (rc >= 0)
                route->is_offer_changed = false;
        return rc;
}

/* ---- what time brings ---- */

static int64_t passed_due_ms(const struct ticket_route *route)
{
        int64_t due_ms = INT64_MAX;
        for (size_t i = 0; i < route->passed_count; i++)
                due_ms = route->passed[i].until_ms < due_ms ? route->passed[i].until_ms : due_ms;
        return due_ms;
}

int64_t routing_due_ms(const struct ticket *ticket)
{
        const struct ticket_route *route = ticket->route;
        if (!route)
                return INT64_MAX;
        if (route->asked)
                return route->asked_until_ms;
        return route->in ? passed_due_ms(route) : route_held_due_ms(route);
}

int routing_run_due(struct desk *desk, struct ticket *ticket)
{
        struct ticket_route *route = ticket->route;
        if (!route)
                return 0;
        if (route->asked)
                return offer_run_due(desk, route);
        if (route->in && passed_due_ms(route) <= desk->now_ms)
                route_dirty(route);
        return route_run_held(desk, route);
}

/* ---- where it waits ---- */

/* The team it belongs to; NULL: none. 0 or a negative protocol error. */
static int find_team(struct desk *desk, struct ticket_route *route, const struct team **out_team)
{
        static const struct ticket_by by = {.why = "no rule gave it to a team"};
        struct ticket *ticket = route->ticket;
        const struct team *team = ticket->team ? people_team(desk, ticket->team) : NULL;
        *out_team = team;
        if (team)
                return 0;
        int64_t other = desk->routing->settings.default_team;
        *out_team = other ? people_team(desk, other) : NULL;
        if (!*out_team)
                return 0;
        int rc = ticket_assign(desk, ticket, &by, other, 0);
        return rc < 0 ? rc : 0;
}

static void put_word(char out[WANT_WORD], const char *word)
{
        size_t len = strnlen(word, WANT_WORD - 1);
        memcpy(out, word, len);
        out[len] = '\0';
}

static void forget_old_passes(struct ticket_route *route, int64_t now_ms)
{
        size_t kept = 0;
        for (size_t i = 0; i < route->passed_count; i++)
                if (route->passed[i].until_ms > now_ms)
                        route->passed[kept++] = route->passed[i];
        route->passed_count = kept;
}

static void fill_want(struct ticket_route *route, const struct team *team, struct want *out)
{
        const struct ticket *ticket = route->ticket;
        *out = (struct want){.weight = route_weight(route), .needs_lang = team && team->must_speak_language};
        for (size_t i = 0; i < ticket->skill_count && i < WANT_SKILLS; i++)
                put_word(out->skills[out->skill_count++], ticket->skills[i]);
        put_word(out->lang, ticket->lang);
        forget_old_passes(route, route->routing->desk->now_ms);
        for (size_t i = 0; i < route->passed_count; i++)
                out->passed[out->passed_count++] = route->passed[i].agent;
        want_settle(out);
}

/* Since when it waits: a customer whom nobody has answered does not lose his place when his ticket comes back. */
static int64_t since_of(const struct ticket *ticket)
{
        int64_t since_ms = ticket->queued_ms > 0 ? ticket->queued_ms : ticket->status_ms;
        return ticket->customer_ms > 0 && ticket->customer_ms < since_ms ? ticket->customer_ms : since_ms;
}

static bool stands_right(const struct ticket_route *route, const struct team_queue *queue,
                         const struct queue_item *wanted, const struct want *want)
{
        return route->item.lane && route->in == queue && route->item.priority == wanted->priority &&
               route->item.since_ms == wanted->since_ms && want_is_same(&route->item.lane->want, want);
}

static int stand(struct desk *desk, struct ticket_route *route, struct team_queue *queue, const struct team *team)
{
        const struct ticket *ticket = route->ticket;
        struct want want;
        struct queue_item wanted = {.priority = (int32_t)ticket->priority, .since_ms = since_of(ticket)};
        fill_want(route, team, &want);
        if (stands_right(route, queue, &wanted, &want))
                return 0;
        route_leave_lane(route);
        int rc = team && team->manner == PEOPLE_STICKY ? given_sticky(desk, route, team) : 0;
        if (rc < 0)
                return rc;
        route->in = queue;
        route->item.priority = wanted.priority;
        route->item.since_ms = wanted.since_ms;
        route->item.id = ticket->id;
        if (queue_add(&queue->queue, &route->item, &want) < 0)
                return desk_db_failed(desk, DB_NOMEM);
        if (route->waits_ms == 0) {
                route->waits_ms = ticket->queued_ms > 0 ? ticket->queued_ms : desk->now_ms;
                route->place =
                        route->is_loaded ? 0 : (int64_t)(queue_place(&queue->queue, &route->item) + queue->offered);
        }
        queue->is_dirty = true;
        waiting_moved(route->routing, queue);
        return 0;
}

/* An offer stands while its agent can answer it and the ticket is his team's. */
static bool is_offer_good(const struct ticket_route *route, const struct team_queue *queue)
{
        const struct agent_profile *profile = route->asked->profile;
        return route->in == queue && !profile->is_gone && profile->status == AGENT_ONLINE;
}

static int wait_for_somebody(struct desk *desk, struct ticket_route *route)
{
        const struct team *team = NULL;
        int rc = find_team(desk, route, &team);
        if (rc < 0)
                return rc;
        struct team_queue *queue = team_queue_get(route->routing, team ? team->id : 0);
        if (!queue)
                return desk_db_failed(desk, DB_NOMEM);
        if (route->asked && !route->in)
                offer_stands_in(route, queue); /* as it was before a restart */
        if (route->asked && is_offer_good(route, queue))
                return 0;
        if (route->asked)
                offer_end(desk, route, PROTOCOL_EVENT_OFFER_GONE_WHY_TAKEN);
        return stand(desk, route, queue, team);
}

static void wait_no_more(struct desk *desk, struct ticket_route *route)
{
        bool is_his = route->asked && route->asked->agent.id == route->ticket->assignee;
        if (route->asked)
                offer_end(desk, route,
                          is_his ? PROTOCOL_EVENT_OFFER_GONE_WHY_ACCEPTED : PROTOCOL_EVENT_OFFER_GONE_WHY_TAKEN);
        route_leave_lane(route);
        waiting_ended(desk, route);
        route->in = NULL;
        route->waits_ms = 0;
        route->passed_count = 0;
}

int route_settle(struct desk *desk, struct ticket_route *route)
{
        const struct ticket *ticket = route->ticket;
        undirty(route);
        int rc = route_hold(desk, route); /* may send it back: then its status is another one */
        if (rc < 0)
                return rc;
        count_open(route, ticket->status == TICKET_OPEN ? team_queue_find(route->routing, ticket->team) : NULL);
        if (ticket->status == TICKET_PENDING)
                rc = wait_for_somebody(desk, route);
        else
                wait_no_more(desk, route);
        route->is_loaded = false;
        ticket_reschedule(desk, route->ticket);
        return rc;
}
