/* SPDX-License-Identifier: Apache-2.0 */
/* Life of a network thread, what it does with the desk's notes, and what happens once a second. */
#include <arpa/inet.h>

#include "edge/limits.h"
#include "session/http.h"
#include "session/net_private.h"
#include "session/transfers.h"

#include <errno.h>
#include <stdlib.h>

/* ---- notes ---- */

static struct session *session_of(struct net *net, struct edge_ref ref)
{
        struct edge_conn *conn = edge_conn_of(net->edge, ref);
        return conn ? edge_conn_user(conn) : NULL;
}

static void send_note(struct session *session, const struct desk_note *note)
{
        if (session->in_flight > 0)
                session->in_flight--;
        if (note->is_page && session->reads > 0)
                session->reads--;
        if (note->len > 0)
                edge_send_answer(session->conn, (struct span){note->bytes, note->len});
        session_look_at_hold(session);
}

static void take_opened(struct net *net, struct session *session, struct desk_note *note)
{
        session->caller = note->caller;
        session->reach = note->reach;
        note->reach = NULL;
        session->who = note->who;
        session->expires_ms = note->expires_ms;
        if (!presence_enter(net, session)) {
                session_close(session, PROTOCOL_CLOSE_UNAVAILABLE, 1000);
                return;
        }
        session->state = SESSION_OPEN;
        session->beat_ms = clock_mono_ms();
        attendance_opened(session);
        session_keep_http_token(session, note->key_tag);
        if (session->caller.role == ROLE_AGENT || session->caller.role == ROLE_BOT) {
                session->staff_next = net->staff;
                net->staff = session;
                session->fed_rev = net->feed.newest ? net->feed.newest->rev : 0; /* the rest is feed.read's */
        }
        atomic_fetch_add_explicit(&net->opened, 1, memory_order_relaxed);
        edge_set_deadline(session->conn, 0);
        edge_set_max_message(session->conn, PROTOCOL_CLIENT_FRAME_BYTES);
        edge_conn_trusted(session->conn);
        send_note(session, note);
}

static void take_watch(struct net *net, struct session *session, const struct desk_note *note)
{
        struct watch seen = {.conv = note->conv, .customer = note->customer, .conv_ext = note->conv_ext};
        int rc = watch_add(net, session, &seen);
        if (rc == 0) {
                send_note(session, note);
                return;
        }
        /* The answer carries the id of the request; refuse under the same one. */
        struct frame frame;
        struct fault fault = {0};
        struct arena arena;
        char first[512];
        arena_init(&arena, first, sizeof first);
        char *copy = malloc(note->len);
        if (session->in_flight > 0)
                session->in_flight--;
        if (copy) {
                memcpy(copy, note->bytes, note->len);
                bool permanent = protocol_error_info((enum protocol_error) - rc)->permanent;
                if (frame_read(copy, note->len, READER_TOLERANT, &arena, &frame, &fault) == 0)
                        session_refuse(session, &frame.id, -rc, permanent ? -1 : 1000, NULL);
                session_denied(session, "conversation.watch", -rc);
        }
        free(copy);
        arena_done(&arena);
}

static int64_t retry_of(int code)
{
        return code == PROTOCOL_CLOSE_RATE_LIMITED || code == PROTOCOL_CLOSE_UNAVAILABLE ? 5000 : -1;
}

static void drain(struct net *net, int close_code)
{
        net->is_draining = true;
        struct session *session = net->newest;
        while (session) {
                struct session *older = session->older;
                uint32_t spread = net->options.drain_ms > 0 ? net->options.drain_ms : 1;
                session_close(session, close_code, random_u32() % spread);
                session = older;
        }
}

static void take_to_session(struct net *net, struct desk_note *note)
{
        if (note->is_http) {
                http_answer(net, note);
                return;
        }
        struct session *session = session_of(net, note->to);
        char address[INET6_ADDRSTRLEN];
        if (!session || session->state == SESSION_CLOSING)
                return;
        switch (note->kind) {
        case NOTE_OPENED:
                take_opened(net, session, note);
                break;
        case NOTE_REFUSED:
                atomic_fetch_add_explicit(&net->refused, 1, memory_order_relaxed);
                send_note(session, note);
                denied_close("session.open", note->close_code, session->who, session_address(session, address));
                session_close(session, note->close_code, retry_of(note->close_code));
                break;
        case NOTE_WATCH:
                take_watch(net, session, note);
                break;
        case NOTE_UNWATCH:
                watch_remove(net, session, note->conv);
                send_note(session, note);
                break;
        case NOTE_CLOSE:
                session_close(session, note->close_code, -1);
                break;
        default:
                send_note(session, note);
                if (session->state == SESSION_OPENING) /* session.open failed in the store: it may be tried again */
                        session_close(session, PROTOCOL_CLOSE_UNAVAILABLE, 1000);
        }
}

/* What views have to say to some agents. Rows are left out of what is slow: the next one shows the gap. */
static void take_view(struct net *net, const struct desk_note *note)
{
        struct edge_ref ref;
        for (size_t at = 0; at + sizeof ref <= note->len; at += sizeof ref) {
                memcpy(&ref, note->bytes + at, sizeof ref);
                struct session *session = session_of(net, ref);
                bool is_told = session && session->state == SESSION_OPEN &&
                               (note->kind == NOTE_VIEW_COUNTS || !edge_is_slow(session->conn));
                if (is_told)
                        edge_send_frame(session->conn, note->frame);
        }
}

static void take_note(struct net *net, struct desk_note *note)
{
        switch (note->kind) {
        case NOTE_EVENT:
                subscribers_tell(net, note);
                break;
        case NOTE_FEED:
                feed_take(net, note);
                break;
        case NOTE_MOVED:
                feed_moved(net, note);
                break;
        case NOTE_AGENTS:
                subscribers_tell_agents(net, note);
                break;
        case NOTE_VIEW:
        case NOTE_VIEW_COUNTS:
                take_view(net, note);
                break;
        case NOTE_ATTENDANCE:
                attendance_take(net, note);
                break;
        case NOTE_GIVEN:
                attendance_given(net, note);
                break;
        case NOTE_TEAM:
                attendance_team(net, note);
                break;
        case NOTE_DRAIN:
                drain(net, note->close_code);
                break;
        case NOTE_FILE:
                transfers_take_grant(net, note);
                break;
        default:
                take_to_session(net, note);
        }
}

static void reload_tls(struct net *net)
{
        char *why = NULL;
        if (edge_reload_tls(net->edge, &why) < 0)
                log_error(&net->log, "the certificate was not reloaded; the old one stays", "why", why);
        free(why);
}

static void on_wake(void *owner)
{
        struct net *net = owner;
        bool has_feed = false;
        struct mailbox_item *item = mailbox_take(&net->notes);
        while (item) {
                struct desk_note *note = note_of(item);
                item = item->next;
                has_feed = has_feed || note->kind == NOTE_FEED;
                take_note(net, note);
                note_free(note);
        }
        if (has_feed)
                feed_send(net);
        transfers_take_jobs(net);
        if (atomic_exchange(&net->wants_tls, false))
                reload_tls(net);
}

/* ---- once a second ---- */

static struct edge_frame *heartbeat_new(const struct net *net)
{
        char first[128];
        struct writer writer;
        writer_init(&writer, first, sizeof first);
        hot_heartbeat(&writer, desk_rev(net->desk), clock_wall_ms());
        struct edge_frame *frame = writer.failed ? NULL : edge_frame_new((struct span){writer.bytes, writer.len});
        writer_done(&writer);
        return frame;
}

void net_take_keyring(struct net *net)
{
        uint64_t version = desk_keyring_version(net->desk);
        if (version == net->keyring_version)
                return;
        keyring_unref(net->keyring);
        net->keyring = desk_keyring(net->desk);
        net->keyring_version = version;
}

/* The loop's time may be a little behind a moment taken within its turn. */
static uint64_t since(uint64_t then_ms, uint64_t now_ms)
{
        return now_ms > then_ms ? now_ms - then_ms : 0;
}

static void look_after(struct net *net, struct session *session, uint64_t mono_ms, int64_t wall_ms,
                       struct edge_frame **frame)
{
        if (session->state != SESSION_OPEN)
                return;
        if (session->expires_ms > 0 && wall_ms > session->expires_ms) {
                session_close(session, PROTOCOL_CLOSE_TOKEN_INVALID, -1);
                return;
        }
        attendance_look(session, mono_ms);
        if (session->held_ms != 0)
                session_look_at_hold(session);
        if (session->held_ms != 0 && since(session->held_ms, mono_ms) > HELD_MS) {
                session_close(session, PROTOCOL_CLOSE_SLOW_READER, -1);
                return;
        }
        bool is_read_from = !session->is_paused && session->held_ms == 0;
        if (is_read_from && since(edge_last_heard_ms(session->conn), mono_ms) > net->options.dead_ms) {
                edge_close(session->conn, 1001, "silent");
                session->state = SESSION_CLOSING;
                return;
        }
        if (since(session->beat_ms, mono_ms) < net->options.heartbeat_ms)
                return;
        session->beat_ms = mono_ms;
        if (!*frame)
                *frame = heartbeat_new(net);
        if (*frame)
                edge_send_frame(session->conn, *frame);
}

static void resume_reading(struct net *net)
{
        if (desk_is_crowded(net->desk))
                return;
        for (struct session *session = net->newest; session; session = session->older) {
                if (session->is_paused) {
                        session->is_paused = false;
                        edge_pause_reading(session->conn, session->held_ms != 0);
                }
        }
}

static void on_second(void *owner, uint64_t mono_ms)
{
        struct net *net = owner;
        int64_t wall_ms = clock_wall_ms();
        struct edge_frame *frame = NULL;
        net_take_keyring(net);
        http_second(net, mono_ms);
        transfers_second(net, mono_ms);
        struct session *session = net->newest;
        while (session) {
                struct session *older = session->older;
                look_after(net, session, mono_ms, wall_ms, &frame);
                session = older;
        }
        if (frame)
                edge_frame_unref(frame);
        resume_reading(net);
        presences_sweep(net);
        attendance_second(net);
        if (net->visitors)
                limits_sweep(net->visitors, mono_ms);
        feed_send(net);
}

/* A slow reader has caught up: what it was not sent shows by the rev. */
static void on_drained(void *owner, struct edge_ref ref)
{
        struct net *net = owner;
        if (transfers_drained(net, ref))
                return;
        struct session *session = session_of(net, ref);
        if (!session || session->state != SESSION_OPEN)
                return;
        struct edge_frame *frame = heartbeat_new(net);
        if (!frame)
                return;
        edge_send_frame(session->conn, frame);
        edge_frame_unref(frame);
        session_look_at_hold(session);
}

/* ---- life ---- */

static const struct edge_handlers handlers = {
        .on_open = session_opened,
        .on_text = session_text,
        .on_close = session_closed,
        .on_request = http_request,
        .on_request_ready = http_request_ready,
        .on_body = upload_body,
        .on_body_end = upload_body_end,
        .on_wake = on_wake,
        .on_second = on_second,
        .on_deadline = session_deadline,
        .on_drained = on_drained,
        .on_too_slow = session_too_slow,
};

static void wake(void *data)
{
        struct net *net = data;
        edge_wake(net->edge);
}

int net_new(const struct net_options *options, struct net **out_net, char **out_why)
{
        *out_why = NULL;
        struct net *net = calloc(1, sizeof *net);
        if (!net)
                return -ENOMEM;
        net->options = *options;
        net->desk = options->desk;
        net->log.area = "session";
        atomic_init(&net->rate_messages_per_s, options->rate_messages_per_s);
        atomic_init(&net->rate_burst, options->rate_burst);
        net->keyring_version = desk_keyring_version(options->desk);
        net->keyring = desk_keyring(options->desk);
        mailbox_init(&net->notes, MAX_NOTES, SIZE_MAX / 2, wake, net);
        mailbox_init(&net->file_jobs, MAX_NOTES, SIZE_MAX / 2, wake, net);
        if (options->visitors_per_minute > 0)
                net->visitors = limits_new(options->visitors_per_minute, UINT32_MAX);
        if (subscribers_init(net) < 0 || http_init(net) < 0 || transfers_init(net) < 0 ||
            (options->visitors_per_minute > 0 && !net->visitors)) {
                net_free(net);
                return -ENOMEM;
        }
        struct edge_options *edge = &net->edge_options;
        *edge = *options->edge;
        edge->thread = options->thread;
        edge->handlers = &handlers;
        edge->owner = net;
        int rc = edge_new(edge, &net->edge, out_why);
        if (rc < 0) {
                net_free(net);
                return rc;
        }
        desk_add_sink(options->desk, options->thread, &net->notes);
        *out_net = net;
        return 0;
}

struct net *net_free(struct net *net)
{
        if (!net)
                return NULL;
        if (net->edge)
                edge_free(net->edge);
        mailbox_close(&net->notes);
        struct mailbox_item *item = mailbox_take(&net->notes);
        while (item) {
                struct mailbox_item *next = item->next;
                note_free(note_of(item));
                item = next;
        }
        mailbox_close(&net->file_jobs);
        item = mailbox_take(&net->file_jobs);
        while (item) {
                struct mailbox_item *next = item->next;
                file_job_free((struct file_job *)item);
                item = next;
        }
        feed_done(&net->feed);
        subscribers_done(net);
        http_done(net);
        transfers_done(net);
        limits_free(net->visitors);
        mailbox_done(&net->file_jobs);
        keyring_unref(net->keyring);
        mailbox_done(&net->notes);
        free(net);
        return NULL;
}

void net_run(struct net *net)
{
        edge_run(net->edge);
}

void net_stop(struct net *net)
{
        edge_stop(net->edge);
}

void net_close_all(struct net *net, int close_code)
{
        struct desk_note *note = note_new(NOTE_DRAIN, (struct edge_ref){0}, (struct span){0});
        if (!note)
                return;
        note->close_code = close_code;
        if (mailbox_force(&net->notes, &note->item, sizeof *note) < 0)
                note_free(note);
}

void net_reload_tls(struct net *net)
{
        atomic_store(&net->wants_tls, true);
        edge_wake(net->edge);
}

struct edge *net_edge(struct net *net)
{
        return net->edge;
}

void net_set_rate(struct net *net, uint32_t messages_per_s, uint32_t burst)
{
        atomic_store_explicit(&net->rate_messages_per_s, messages_per_s, memory_order_relaxed);
        atomic_store_explicit(&net->rate_burst, burst, memory_order_relaxed);
}

void net_stats_read(const struct net *net, struct net_stats *out_stats)
{
        *out_stats = (struct net_stats){
                .opened = atomic_load_explicit(&net->opened, memory_order_relaxed),
                .refused = atomic_load_explicit(&net->refused, memory_order_relaxed),
                .strikes = atomic_load_explicit(&net->strikes, memory_order_relaxed),
                .rate_limited = atomic_load_explicit(&net->rate_limited, memory_order_relaxed),
                .sessions = atomic_load_explicit(&net->session_count, memory_order_relaxed),
        };
}
