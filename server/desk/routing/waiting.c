/* SPDX-License-Identifier: Apache-2.0 */
/* What customers are told while they wait: their place, how long it takes, and when nobody is there, by when an answer
 * comes. Told when it changes, at most every two seconds, and when the customer comes back; to connections only, never
 * stored. */
#include "desk/hours/calendar.h"
#include "desk/hours/hours.h"
#include "desk/routing/routing_private.h"

enum {
        TELL_EVERY_MS = 2000,
        EXACT_PLACES = 20, /* from here on in steps of TENS, from MANY_PLACES on of HUNDREDS: rounded up */
        TENS = 10,
        MANY_PLACES = 100,
        HUNDREDS = 100,
};

/* ---- what there is to tell ---- */

static int64_t told_place(size_t place)
{
        size_t step = place <= EXACT_PLACES ? 1 : place <= MANY_PLACES ? TENS : HUNDREDS;
        return (int64_t)((place + step - 1) / step * step);
}

/* Somebody of the team is at work, even if he can take no more. */
static bool is_staffed(const struct team_queue *queue)
{
        for (size_t i = 0; i < queue->member_count; i++) {
                const struct agent_profile *profile = ((const struct seat *)queue->members[i])->profile;
                bool is_at_work = profile->status == AGENT_ONLINE || profile->status == AGENT_BUSY;
                if (is_at_work && profile->connections > 0 && !profile->is_gone)
                        return true;
        }
        return false;
}

bool routing_is_staffed(const struct desk *desk, int64_t team)
{
        const struct team_queue *queue = team_queue_find(desk->routing, team);
        return queue && is_staffed(queue);
}

int64_t routing_wait_s(const struct desk *desk, int64_t team)
{
        const struct team_queue *queue = team_queue_find(desk->routing, team);
        if (!queue || !is_staffed(queue))
                return -1;
        for (size_t i = 0; i < queue->member_count; i++) {
                const struct seat *seat = (const struct seat *)queue->members[i];
                if (people_is_available(desk, seat->profile) && seat->agent.load < seat->profile->capacity)
                        return -1;
        }
        return pace_wait_s(&queue->pace, (int64_t)(queue->queue.count + queue->offered) + 1);
}

/* What was promised, else when the team opens; 0 = neither. */
static int64_t answer_by_ms(struct desk *desk, const struct ticket *ticket)
{
        int64_t now_ms = clock_wall_ms(), promised_ms = sla_answer_by_ms(ticket);
        const struct team *team = people_team(desk, ticket->team);
        if (promised_ms != CALENDAR_NEVER && promised_ms > now_ms)
                return promised_ms;
        int64_t open_ms = team && team->schedule ? hours_next_open(desk, team->schedule, now_ms) : now_ms;
        return open_ms > now_ms && open_ms != CALENDAR_NEVER ? open_ms : 0;
}

/* Whoever takes one without a team, takes it in any order: nothing is told there. */
static bool is_told(const struct ticket_route *route)
{
        return route->in && route->in->team != 0 && (route->item.lane || route->asked);
}

/* Those that are offered come first. */
static size_t place_of(const struct ticket_route *route)
{
        return route->asked ? 1 : queue_place(&route->in->queue, &route->item) + route->in->offered;
}

static void fill(struct desk *desk, const struct ticket_route *route, size_t place, bool is_anybody_there,
                 struct protocol_queue_told *out)
{
        const struct team_queue *queue = route->in;
        *out = (struct protocol_queue_told){.position = told_place(place)};
        if (is_anybody_there) {
                out->wait_s = pace_wait_s(&queue->pace, (int64_t)place);
                out->has_wait_s = out->wait_s > 0;
        } else {
                out->answer_by = answer_by_ms(desk, route->ticket);
                out->has_answer_by = out->answer_by > 0;
        }
}

void routing_fill_row(struct desk *desk, int64_t conv, struct protocol_feed_row *row)
{
        const struct ticket *ticket = tickets_of_conversation(desk, conv);
        const struct ticket_route *route = ticket ? ticket->route : NULL;
        row->has_queue = route && is_told(route);
        if (row->has_queue)
                fill(desk, route, place_of(route), is_staffed(route->in), &row->queue);
}

/* ---- telling ---- */

static bool is_connected(const struct desk *desk, int64_t customer)
{
        struct protocol_customer_presence presence = {0};
        return attendance_of(desk, customer, &presence) && presence.online;
}

/* To the connections of that customer; `told` NULL: it waits no more. */
static void tell(struct desk *desk, const struct ticket *ticket, const struct protocol_queue_told *told)
{
        struct protocol_event_queue event = {.conv = ticket->conv_ext, .has_queue = told != NULL};
        char first[256];
        struct writer writer;
        if (told)
                event.queue = *told;
        writer_init(&writer, first, sizeof first);
        frame_call_begin(&writer, NULL, SPAN("queue"));
        protocol_event_queue_write(&writer, &event);
        frame_end(&writer);
        struct edge_frame *frame = writer.failed ? NULL : edge_frame_new((struct span){writer.bytes, writer.len});
        writer_done(&writer);
        for (uint32_t i = 0; frame && i < desk->sink_count; i++) {
                struct desk_note *note = note_new(NOTE_EVENT, (struct edge_ref){0}, (struct span){0});
                if (!note)
                        continue;
                note->customer = ticket->customer; /* whose connections hear it; no conversation: nobody who watches */
                note->frame = edge_frame_ref(frame);
                desk_leave(desk, i, note);
        }
        if (frame)
                edge_frame_unref(frame);
}

static bool is_news(const struct protocol_queue_told *old, const struct protocol_queue_told *now)
{
        return old->position != now->position || old->has_wait_s != now->has_wait_s || old->wait_s != now->wait_s ||
               old->has_answer_by != now->has_answer_by || old->answer_by != now->answer_by;
}

static void tell_one(struct desk *desk, struct ticket_route *route, size_t place, bool is_anybody_there)
{
        struct protocol_queue_told now;
        if (!is_connected(desk, route->ticket->customer))
                return;
        fill(desk, route, place, is_anybody_there, &now);
        if (!is_news(&route->told, &now))
                return;
        route->told = now;
        tell(desk, route->ticket, &now);
}

/* He has just come: what he was told before, another device of his was. */
static void tell_again(struct desk *desk, struct ticket_route *route)
{
        if (!is_told(route))
                return;
        route->told = (struct protocol_queue_told){0};
        tell_one(desk, route, place_of(route), is_staffed(route->in));
}

void waiting_moved(struct routing *routing, struct team_queue *queue)
{
        queue->has_moved = true;
        if (routing->tell_ms == 0)
                routing->tell_ms = routing->told_ms + TELL_EVERY_MS;
}

void waiting_ended(struct desk *desk, struct ticket_route *route)
{
        if (route->told.position != 0 && is_connected(desk, route->ticket->customer))
                tell(desk, route->ticket, NULL);
        route->told = (struct protocol_queue_told){0};
}

/* ---- when ---- */

void routing_came(struct desk *desk, const struct principal *who)
{
        struct routing *routing = desk->routing;
        bool is_told = who->role == ROLE_CUSTOMER || who->role == ROLE_AGENT;
        if (!is_told || !routing)
                return;
        if (routing->came_count < sizeof routing->came / sizeof routing->came[0])
                routing->came[routing->came_count++] = who->id;
        else
                routing->have_many_come = true;
}

static void tell_everybody(struct desk *desk)
{
        const struct routing *routing = desk->routing;
        for (size_t i = 0; i < ROUTING_SEAT_SLOTS; i++)
                for (const struct seat *seat = routing->seats[i]; seat; seat = seat->hash_next)
                        offers_tell_again(desk, seat->agent.id);
        for (size_t i = 0; i < ROUTING_CUSTOMER_SLOTS; i++)
                for (struct ticket_route *route = routing->by_customer[i]; route; route = route->customer_next)
                        tell_again(desk, route);
}

static void tell_those_who_came(struct desk *desk)
{
        struct routing *routing = desk->routing;
        if (routing->have_many_come)
                tell_everybody(desk);
        routing->came_count = routing->have_many_come ? 0 : routing->came_count;
        routing->have_many_come = false;
        for (size_t i = 0; i < routing->came_count; i++) {
                int64_t who = routing->came[i];
                for (struct ticket_route *route = routes_of_customer(routing, who); route; route = route->customer_next)
                        if (route->ticket->customer == who)
                                tell_again(desk, route);
                offers_tell_again(desk, who);
        }
        routing->came_count = 0;
}

struct telling {
        struct desk *desk;
        size_t offered;
        bool is_anybody_there;
};

static void tell_next(void *data, struct queue_item *item, size_t place)
{
        const struct telling *telling = data;
        tell_one(telling->desk, (struct ticket_route *)item, place + telling->offered, telling->is_anybody_there);
}

static void tell_queue(struct desk *desk, struct team_queue *queue)
{
        struct telling telling = {.desk = desk, .offered = queue->offered, .is_anybody_there = is_staffed(queue)};
        queue->has_moved = false;
        if (queue->team == 0)
                return;
        for (size_t i = 0; i < queue->member_count; i++) {
                struct ticket_route *route = ((const struct seat *)queue->members[i])->asked;
                for (; route; route = route->asked_next)
                        if (route->in == queue)
                                tell_one(desk, route, place_of(route), telling.is_anybody_there);
        }
        queue_each(&queue->queue, tell_next, &telling);
}

void routing_commit(struct desk *desk)
{
        struct routing *routing = desk->routing;
        uint64_t now_ms = clock_mono_ms();
        if (routing->came_count > 0)
                tell_those_who_came(desk);
        if (routing->tell_ms == 0 || now_ms < routing->tell_ms)
                return;
        routing->tell_ms = 0;
        routing->told_ms = now_ms;
        for (size_t i = 0; i < routing->queue_count; i++)
                if (routing->queues[i]->has_moved)
                        tell_queue(desk, routing->queues[i]);
}
