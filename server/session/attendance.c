/* SPDX-License-Identifier: Apache-2.0 */
/* Presence on a network thread: what the desk says of customers goes to the agents who watch them, what it says of the
 * team to customers, and whether an agent still says something to the desk. The team's word concerns every customer: it
 * is told to a bounded number of them a second. No connection is told that has much waiting: presence is the first
 * thing to be left out. */
#include "session/net_private.h"

enum { TEAM_TOLD_AT_ONCE = 1000, ROOM_PARTS = 4 };

/* A fraction of the output's bound is left for what must arrive. */
static bool has_room(const struct session *session)
{
        return session->state == SESSION_OPEN && !edge_is_slow(session->conn) &&
               edge_pending_bytes(session->conn) <= session->net->edge_options.output_bytes / ROOM_PARTS;
}

static struct edge_frame *frame_new(const struct protocol_event_presence *event)
{
        char first[256];
        struct writer writer;
        writer_init(&writer, first, sizeof first);
        frame_call_begin(&writer, NULL, SPAN("presence"));
        protocol_event_presence_write(&writer, event);
        frame_end(&writer);
        struct edge_frame *frame = writer.failed ? NULL : edge_frame_new((struct span){writer.bytes, writer.len});
        writer_done(&writer);
        return frame;
}

/* ---- customers, to agents ---- */

static void tell_watch(const struct watch *watch, const struct attendance_change *change)
{
        struct session *session = watch->session;
        if (session->caller.role != ROLE_AGENT || !has_room(session))
                return;
        struct protocol_event_presence event = {.has_conv = true,
                                                .conv = watch->conv_ext,
                                                .has_customer = true,
                                                .customer = {ROLE_CUSTOMER, change->ext},
                                                .has_online = true,
                                                .online = change->is_online,
                                                .has_last_seen = change->seen_ms > 0,
                                                .last_seen = change->seen_ms};
        struct edge_frame *frame = frame_new(&event);
        if (!frame)
                return;
        edge_send_frame(session->conn, frame);
        edge_frame_unref(frame);
}

void attendance_take(struct net *net, const struct desk_note *note)
{
        struct attendance_change change;
        for (size_t at = 0; at + sizeof change <= note->len; at += sizeof change) {
                memcpy(&change, note->bytes + at, sizeof change);
                const struct watch *watch = watches_of_customer(net, change.customer);
                for (; watch; watch = watch->customer_next)
                        if (watch->customer == change.customer)
                                tell_watch(watch, &change);
        }
}

void attendance_given(struct net *net, const struct desk_note *note)
{
        struct attendance_change change;
        watches_give(net, note->conv, note->customer);
        if (note->len != sizeof change)
                return;
        memcpy(&change, note->bytes, sizeof change);
        const struct watch *watch = watches_of_customer(net, note->customer);
        for (; watch; watch = watch->customer_next)
                if (watch->conv == note->conv)
                        tell_watch(watch, &change);
}

/* ---- the team, to customers ---- */

void attendance_opened(struct session *session)
{
        session->active_ms = clock_mono_ms();
        session->knows_here = session->net->is_team_here; /* its answer has said so */
}

void attendance_team(struct net *net, const struct desk_note *note)
{
        net->is_team_here = note->is_here;
        net->is_team_untold = true;
}

void attendance_second(struct net *net)
{
        struct edge_frame *frame = NULL;
        size_t told = 0;
        bool is_left_out = false;
        for (struct session *session = net->is_team_untold ? net->newest : NULL; session; session = session->older) {
                bool is_customer = session->state == SESSION_OPEN && session->caller.role == ROLE_CUSTOMER;
                if (!is_customer || session->knows_here == net->is_team_here)
                        continue;
                if (!has_room(session) || told == TEAM_TOLD_AT_ONCE) {
                        is_left_out = true; /* in one of the next seconds */
                        continue;
                }
                struct protocol_event_presence event = {.has_team = true,
                                                        .team = net->is_team_here ? PROTOCOL_EVENT_PRESENCE_TEAM_HERE
                                                                                  : PROTOCOL_EVENT_PRESENCE_TEAM_AWAY};
                if (!frame && !(frame = frame_new(&event)))
                        return;
                session->knows_here = net->is_team_here;
                edge_send_frame(session->conn, frame);
                told++;
        }
        net->is_team_untold = is_left_out;
        if (frame)
                edge_frame_unref(frame);
}

/* ---- agents, to the desk ---- */

static void tell_desk(struct session *session, bool is_idle)
{
        struct desk_command *command = command_new(COMMAND_IDLE, 0);
        if (!command)
                return; /* looked at again in a second, or with the next word */
        command->from = edge_conn_ref(session->conn);
        command->is_idle = is_idle;
        if (desk_post(session->net->desk, command) < 0) {
                command_free(command);
                return;
        }
        session->is_idle = is_idle;
}

void attendance_heard(struct session *session)
{
        if (session->caller.role != ROLE_AGENT)
                return;
        session->active_ms = clock_mono_ms();
        if (session->is_idle)
                tell_desk(session, false);
}

void attendance_look(struct session *session, uint64_t mono_ms)
{
        bool is_silent = mono_ms > session->active_ms && mono_ms - session->active_ms >= PROTOCOL_AGENT_IDLE_MS;
        if (session->caller.role == ROLE_AGENT && is_silent && !session->is_idle)
                tell_desk(session, true);
}
