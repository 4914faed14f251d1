/* SPDX-License-Identifier: Apache-2.0 */
/* Offers: a ticket that one agent is asked to take, for as long as his team says. It is in no queue meanwhile, and
 * takes its part of his capacity. Accepting is an assignment like any other; declining or missing it gives it on to the
 * next.
 */
#include "desk/routing/routing_private.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- memory ---- */

static void ask(struct ticket_route *route, struct seat *seat, int64_t until_ms)
{
        route->asked = seat;
        route->asked_until_ms = until_ms;
        route->asked_load = route_weight(route);
        route->asked_next = seat->asked;
        route->asked_at = &seat->asked;
        if (seat->asked)
                seat->asked->asked_at = &route->asked_next;
        seat->asked = route;
        seat->offered += route->asked_load;
        seat_add_load(route->routing, seat, route->asked_load);
}

void offer_forget(struct ticket_route *route)
{
        struct seat *seat = route->asked;
        if (!seat)
                return;
        *route->asked_at = route->asked_next;
        if (route->asked_next)
                route->asked_next->asked_at = route->asked_at;
        route->asked = NULL;
        seat->offered -= route->asked_load;
        seat_add_load(route->routing, seat, -route->asked_load);
        if (route->in) {
                route->in->offered--;
                waiting_moved(route->routing, route->in);
        }
}

void offer_stands_in(struct ticket_route *route, struct team_queue *queue)
{
        route->in = queue;
        route->waits_ms = route->ticket->queued_ms;
        queue->offered++;
}

void offer_restore(struct ticket_route *route, struct seat *seat, int64_t until_ms)
{
        ask(route, seat, until_ms);
}

void offer_pass(struct ticket_route *route, int64_t agent, int64_t until_ms)
{
        size_t at = 0;
        while (at < route->passed_count && route->passed[at].agent != agent)
                at++;
        if (at == WANT_PASSED) { /* the first to pass is asked again first */
                memmove(route->passed, route->passed + 1, (WANT_PASSED - 1) * sizeof route->passed[0]);
                at = WANT_PASSED - 1;
        }
        if (at >= route->passed_count)
                route->passed_count = at + 1;
        route->passed[at].agent = agent;
        route->passed[at].until_ms = until_ms;
}

/* ---- telling ---- */

static void fill_row(const struct ticket_route *route, struct protocol_offer_row *out)
{
        const struct ticket *ticket = route->ticket;
        const struct team *team = people_team(route->routing->desk, ticket->team);
        *out = (struct protocol_offer_row){
                .ticket = ticket->ext,
                .number = ticket->number,
                .conv = ticket->conv_ext,
                .until = route->asked_until_ms,
                .has_team = team != NULL,
                .team = team ? team->ext : 0,
                .priority = (enum protocol_offer_row_priority)((int)PROTOCOL_OFFER_ROW_PRIORITY_LOW +
                                                               (int)ticket->priority - (int)PRIORITY_LOW),
                .has_subject = ticket->subject && *ticket->subject,
                .waiting_since = route->waits_ms > 0 ? route->waits_ms : ticket->queued_ms,
        };
        if (out->has_subject)
                out->subject = span_of(ticket->subject);
}

static void tell(struct desk *desk, int64_t agent, struct writer *writer)
{
        frame_end(writer);
        struct edge_frame *frame = writer->failed ? NULL : edge_frame_new((struct span){writer->bytes, writer->len});
        writer_done(writer);
        if (!frame)
                return; /* offer.list says it too */
        people_tell(desk, agent, frame);
        edge_frame_unref(frame);
}

static void tell_offer(struct desk *desk, const struct ticket_route *route)
{
        struct protocol_event_offer event;
        char first[512];
        struct writer writer;
        fill_row(route, &event.offer_row);
        writer_init(&writer, first, sizeof first);
        frame_call_begin(&writer, NULL, SPAN("offer"));
        protocol_event_offer_write(&writer, &event);
        tell(desk, route->asked->agent.id, &writer);
}

void offers_tell_again(struct desk *desk, int64_t agent)
{
        const struct seat *seat = seat_find(desk->routing, agent);
        for (const struct ticket_route *route = seat ? seat->asked : NULL; route; route = route->asked_next)
                tell_offer(desk, route);
}

static void tell_gone(struct desk *desk, const struct ticket_route *route, enum protocol_event_offer_gone_why why)
{
        struct protocol_event_offer_gone event = {
                .ticket = route->ticket->ext, .conv = route->ticket->conv_ext, .why = why};
        char first[256];
        struct writer writer;
        writer_init(&writer, first, sizeof first);
        frame_call_begin(&writer, NULL, SPAN("offer_gone"));
        protocol_event_offer_gone_write(&writer, &event);
        tell(desk, route->asked->agent.id, &writer);
}

/* "offered to Eve": `words` and his name. */
static int note(struct desk *desk, struct ticket_route *route, const struct ticket_by *by, const char *what,
                const char *words, const struct seat *seat)
{
        const struct principal *who = directory_find(desk->directory, seat->agent.id);
        char text[512];
        snprintf(text, sizeof text, "%s %s", words, who && who->name ? who->name : "an agent");
        return ticket_note(desk, route->ticket, by, what, span_of(text));
}

/* ---- making and ending ---- */

int offer_make(struct desk *desk, struct ticket_route *route, struct seat *seat, const struct team *team,
               const char *why)
{
        struct ticket_by by = {.why = why};
        ask(route, seat, desk->now_ms + team->accept_ms);
        route->in->offered++;
        route->is_offer_changed = true;
        ticket_touch(desk, route->ticket);
        int rc = note(desk, route, &by, "offer", "offered to", seat);
        if (rc < 0)
                return rc;
        tell_offer(desk, route);
        return 0;
}

void offer_end(struct desk *desk, struct ticket_route *route, enum protocol_event_offer_gone_why why)
{
        tell_gone(desk, route, why);
        offer_forget(route);
        route->is_offer_changed = true;
        ticket_touch(desk, route->ticket);
        route_dirty(route);
}

static int missed(struct desk *desk, struct ticket_route *route)
{
        static const struct ticket_by by = {.why = "no answer in time"};
        struct seat *seat = route->asked;
        struct agent_profile *profile = seat->profile;
        int rc = note(desk, route, &by, "offer_missed", "the offer was missed by", seat);
        if (rc < 0)
                return rc;
        offer_pass(route, seat->agent.id, desk->now_ms + ROUTING_PASSED_MS);
        offer_end(desk, route, PROTOCOL_EVENT_OFFER_GONE_WHY_MISSED);
        if (!desk->routing->settings.miss_is_away || profile->status != AGENT_ONLINE)
                return 0;
        return people_set_status(desk, profile, AGENT_AWAY, SPAN("missed an offer"), 0);
}

int offer_run_due(struct desk *desk, struct ticket_route *route)
{
        return route->asked_until_ms <= desk->now_ms ? missed(desk, route) : 0;
}

int64_t routing_offered_to(const struct ticket *ticket, int64_t *out_until_ms)
{
        const struct ticket_route *route = ticket->route;
        if (!route || !route->asked)
                return 0;
        *out_until_ms = route->asked_until_ms;
        return route->asked->agent.id;
}

/* ---- methods ---- */

static bool is_asked(const struct ticket *ticket, int64_t agent)
{
        int64_t until_ms;
        return routing_offered_to(ticket, &until_ms) == agent;
}

int handle_offer_accept(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_offer_accept *params = command->params;
        struct ticket_by by = {.agent = command->caller.principal, .why = "accepted the offer"};
        struct ticket *ticket = NULL;
        int rc = ticket_for(desk, &command->caller, params->ticket, -1, &ticket, fault);
        if (rc < 0)
                return rc;
        if (is_asked(ticket, by.agent)) {
                ticket->route->how = ROUTING_ACCEPTED;
                rc = ticket_assign(desk, ticket, &by, ticket->team, by.agent);
                if (rc < 0)
                        return rc;
        } else if (ticket->assignee != by.agent) {
                return fault_set(fault, PROTOCOL_ERR_CONFLICT, "ticket", "a ticket that is offered to you");
        }
        struct protocol_offer_accept_result result = {.version = ticket->version};
        protocol_offer_accept_result_write(out, &result);
        return 0;
}

int handle_offer_decline(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_offer_decline *params = command->params;
        struct protocol_offer_decline_result result = {0};
        struct ticket *ticket = NULL;
        int64_t agent = command->caller.principal;
        int rc = ticket_for(desk, &command->caller, params->ticket, -1, &ticket, fault);
        if (rc < 0)
                return rc;
        if (is_asked(ticket, agent)) {
                char why[1024] = "";
                if (params->has_why)
                        snprintf(why, sizeof why, "%.*s", (int)params->why.len, params->why.at);
                struct ticket_by by = {.agent = agent, .why = why};
                rc = note(desk, ticket->route, &by, "offer_declined", "declined by", ticket->route->asked);
                if (rc < 0)
                        return rc;
                offer_pass(ticket->route, agent, desk->now_ms + ROUTING_PASSED_MS);
                offer_end(desk, ticket->route, PROTOCOL_EVENT_OFFER_GONE_WHY_DECLINED);
        }
        protocol_offer_decline_result_write(out, &result);
        return 0;
}

static int by_end(const void *a, const void *b)
{
        int64_t left = ((const struct protocol_offer_row *)a)->until,
                right = ((const struct protocol_offer_row *)b)->until;
        return (left > right) - (left < right);
}

int handle_offer_list(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)fault;
        enum { ROWS = 200 };
        struct protocol_offer_row rows[ROWS];
        struct protocol_offer_list_result result = {.offers = rows};
        const struct seat *seat = seat_find(desk->routing, command->caller.principal);
        const struct ticket_route *route = seat ? seat->asked : NULL;
        for (; route && result.offers_count < ROWS; route = route->asked_next)
                fill_row(route, &rows[result.offers_count++]);
        qsort(rows, result.offers_count, sizeof rows[0], by_end);
        protocol_offer_list_result_write(out, &result);
        return 0;
}
