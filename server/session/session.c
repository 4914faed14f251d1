/* SPDX-License-Identifier: Apache-2.0 */
/* One connection from its first byte to its last: what it may say in which state, what each refusal costs it, and the
 * way of a request to the thread that answers it. */
#include <arpa/inet.h>
#include <stdlib.h>

#include "edge/limits.h"
#include "session/net_private.h"

enum {
        FIRST_MESSAGE_BYTES = PROTOCOL_BEFORE_AUTH_BYTES + PROTOCOL_TOKEN_BYTES,
        TYPING_SLACK_MS = 500,
        BUSY_RETRY_MS = 1000,
        VISITOR_RETRY_MS = 30000, /* an address has made more visitors than it may */
        FLIGHT_RETRY_MS = 50,
        PAGE_SLACK = 4096, /* of an answer around a page, and for what is pushed meanwhile */
};

static void send_writer(struct session *session, struct writer *writer)
{
        if (!writer->failed)
                edge_send_answer(session->conn, (struct span){writer->bytes, writer->len});
        writer_done(writer);
}

struct span session_address(const struct session *session, char room[INET6_ADDRSTRLEN])
{
        const char *text = inet_ntop(AF_INET6, &session->address, room, INET6_ADDRSTRLEN);
        return span_of(text);
}

void session_denied(const struct session *session, const char *what, int error)
{
        char room[INET6_ADDRSTRLEN];
        denied_say(what, error, session->who, session_address(session, room));
}

void session_refuse(struct session *session, const struct request_id *id, int error, int64_t retry_after_ms,
                    const struct fault *fault)
{
        char first[512];
        struct writer writer;
        writer_init(&writer, first, sizeof first);
        frame_error(&writer, id, (enum protocol_error)error, retry_after_ms, fault);
        send_writer(session, &writer);
}

static void end_http_token(struct session *session, bool at_once)
{
        if (session->has_http_token)
                http_tokens_end(desk_http_tokens(session->net->desk), session->http_hash, clock_mono_ms(), at_once);
        session->has_http_token = false;
}

void session_keep_http_token(struct session *session, uint64_t key_tag)
{
        struct http_bearer bearer = {.caller = session->caller, .who = session->who, .key_tag = key_tag};
        struct span token = span_of(session->http_token);
        memcpy(bearer.device, session->device, sizeof bearer.device);
        http_token_hash(token, session->http_hash);
        session->has_http_token = http_tokens_put(desk_http_tokens(session->net->desk), token, &bearer) == 0;
        explicit_bzero(session->http_token, sizeof session->http_token);
}

void session_close(struct session *session, int code, int64_t retry_after_ms)
{
        if (session->state == SESSION_CLOSING)
                return;
        session->state = SESSION_CLOSING;
        if (code == PROTOCOL_CLOSE_REVOKED)
                end_http_token(session, true);
        const char *tag = protocol_close_tag(code);
        struct protocol_event_session_closing event = {
                .tag = span_of(tag), .has_retry_after_ms = retry_after_ms >= 0, .retry_after_ms = retry_after_ms};
        char first[256];
        struct writer writer;
        writer_init(&writer, first, sizeof first);
        frame_call_begin(&writer, NULL, SPAN("session.closing"));
        protocol_event_session_closing_write(&writer, &event);
        frame_end(&writer);
        send_writer(session, &writer);
        edge_close(session->conn, (uint16_t)code, tag);
}

/* ---- open and close ---- */

void *session_opened(void *owner, struct edge_conn *conn, const struct edge_peer *peer)
{
        struct net *net = owner;
        if (net->is_draining) {
                edge_refuse_with(conn, 503);
                return NULL;
        }
        struct session *session = calloc(1, sizeof *session);
        if (!session)
                return NULL;
        session->net = net;
        session->conn = conn;
        session->address = peer->address.sin6_addr;
        session->older = net->newest;
        *(net->newest ? &net->newest->newer : &net->oldest) = session;
        net->newest = session;
        atomic_fetch_add_explicit(&net->session_count, 1, memory_order_relaxed);
        edge_set_max_message(conn, FIRST_MESSAGE_BYTES);
        edge_set_deadline(conn, net->options.auth_ms);
        return session;
}

static void leave_staff(struct net *net, struct session *session)
{
        struct session **link = &net->staff;
        while (*link && *link != session)
                link = &(*link)->staff_next;
        if (*link)
                *link = session->staff_next;
}

void session_closed(void *user)
{
        struct session *session = user;
        struct net *net = session->net;
        struct desk_command *command = command_new(COMMAND_CLOSED, 0);
        if (command) {
                command->from = edge_conn_ref(session->conn);
                if (desk_post(net->desk, command) < 0)
                        command_free(command);
        }
        end_http_token(session, false);
        watch_remove_all(net, session);
        presence_leave(net, session);
        leave_staff(net, session);
        *(session->newer ? &session->newer->older : &net->newest) = session->older;
        *(session->older ? &session->older->newer : &net->oldest) = session->newer;
        atomic_fetch_sub_explicit(&net->session_count, 1, memory_order_relaxed);
        free(session->reach);
        free(session);
}

void session_too_slow(void *user)
{
        session_close(user, PROTOCOL_CLOSE_SLOW_READER, -1);
}

void session_deadline(void *user)
{
        struct session *session = user;
        if (session->state == SESSION_NEW || session->state == SESSION_OPENING)
                session_close(session, PROTOCOL_CLOSE_AUTH_REQUIRED, -1);
}

/* ---- what comes in ---- */

static void close_denied(struct session *session, int code, int64_t retry_after_ms)
{
        char room[INET6_ADDRSTRLEN];
        denied_close("connection", code, session->who, session_address(session, room));
        session_close(session, code, retry_after_ms);
}

static void strike(struct session *session)
{
        atomic_fetch_add_explicit(&session->net->strikes, 1, memory_order_relaxed);
        if (++session->strikes >= STRIKES)
                close_denied(session, PROTOCOL_CLOSE_TOO_MANY_ERRORS, 30000);
}

/* What is the client's own doing costs it a strike; what is ours (no memory) may be tried again. */
static void refuse_and_strike(struct session *session, const struct request_id *id, const char *what, int error,
                              const struct fault *fault)
{
        bool permanent = protocol_error_info((enum protocol_error)error)->permanent;
        session_refuse(session, id, error, permanent ? -1 : BUSY_RETRY_MS, fault);
        session_denied(session, what, error);
        if (permanent)
                strike(session);
}

static int close_for(int error)
{
        switch (error) {
        case PROTOCOL_ERR_TOKEN_INVALID:
        case PROTOCOL_ERR_TOKEN_EXPIRED:
                return PROTOCOL_CLOSE_TOKEN_INVALID;
        case PROTOCOL_ERR_REVOKED:
                return PROTOCOL_CLOSE_REVOKED;
        case PROTOCOL_ERR_UPGRADE_REQUIRED:
                return PROTOCOL_CLOSE_UPGRADE_REQUIRED;
        case PROTOCOL_ERR_OVERLOADED:
                return PROTOCOL_CLOSE_UNAVAILABLE;
        case PROTOCOL_ERR_RATE_LIMITED:
                return PROTOCOL_CLOSE_RATE_LIMITED;
        default:
                return PROTOCOL_CLOSE_AUTH_REQUIRED;
        }
}

static void refuse_opening(struct session *session, const struct request_id *id, int error, const struct fault *fault)
{
        atomic_fetch_add_explicit(&session->net->refused, 1, memory_order_relaxed);
        bool permanent = protocol_error_info((enum protocol_error)error)->permanent;
        int64_t retry_ms = error == PROTOCOL_ERR_RATE_LIMITED ? VISITOR_RETRY_MS : BUSY_RETRY_MS;
        session_refuse(session, id, error, permanent ? -1 : retry_ms, fault);
        session_denied(session, "session.open", error);
        session_close(session, close_for(error), permanent ? -1 : retry_ms);
}

/* Anybody may become a visitor, but not as often as he likes: each is a row for good. */
static bool may_be_new(struct session *session)
{
        struct net *net = session->net;
        struct sockaddr_in6 address = {.sin6_addr = session->address};
        uint64_t key = limits_key(&address), now_ms = clock_mono_ms();
        if (!net->visitors)
                return true;
        if (!limits_enter(net->visitors, key, now_ms))
                return false;
        limits_leave(net->visitors, key, false, now_ms); /* nothing is pending; the token is spent */
        return true;
}

static void open_session(struct session *session, const struct frame *frame)
{
        struct fault fault = {0};
        struct desk_command *command = NULL;
        net_take_keyring(session->net);
        int rc = command_decode(PROTOCOL_M_SESSION_OPEN, &frame->id, frame->body, ROLE_NONE, &command, &fault);
        if (rc == 0)
                rc = proof_make(session->net, command->params, &command->opening);
        if (rc == 0 && command->opening->how == OPENING_NEW_VISITOR && !may_be_new(session))
                rc = -PROTOCOL_ERR_RATE_LIMITED;
        if (rc < 0) {
                if (rc == -PROTOCOL_ERR_BAD_REQUEST)
                        fault_set(&fault, PROTOCOL_ERR_BAD_REQUEST, "token",
                                  "exactly one of token and visitor; claim with a user's token only");
                command_free(command);
                refuse_opening(session, &frame->id, -rc, &fault);
                return;
        }
        if (command->opening->how == OPENING_USER)
                proof_hash_subject(command->opening->subject, session->subject_hash);
        http_token_make(session->http_token);
        memcpy(command->opening->http_token, session->http_token, sizeof session->http_token);
        memcpy(session->device, ((const struct protocol_session_open *)command->params)->device,
               sizeof session->device);
        command->from = edge_conn_ref(session->conn);
        rc = desk_post(session->net->desk, command);
        if (rc < 0) {
                command_free(command);
                refuse_opening(session, &frame->id, -rc, NULL);
                return;
        }
        session->state = SESSION_OPENING;
        session->in_flight++;
}

static uint32_t who_of(enum principal_role role)
{
        switch (role) {
        case ROLE_CUSTOMER:
                return PROTOCOL_WHO_CUSTOMER;
        case ROLE_AGENT:
                return PROTOCOL_WHO_AGENT;
        case ROLE_BOT:
                return PROTOCOL_WHO_BOT;
        default:
                return 0;
        }
}

static void renew(struct session *session, const struct frame *frame)
{
        struct fault fault = {0};
        struct desk_command *command = NULL;
        int64_t expires_ms = 0;
        int rc = command_decode(PROTOCOL_M_SESSION_RENEW, &frame->id, frame->body, session->caller.role, &command,
                                &fault);
        if (rc == 0) {
                const struct protocol_session_renew *params = command->params;
                rc = proof_renew(session->net, session, params->token, &expires_ms);
        }
        command_free(command);
        if (rc < 0) {
                refuse_and_strike(session, &frame->id, "session.renew", -rc, &fault);
                return;
        }
        session->expires_ms = expires_ms;
        struct protocol_session_renew_result result = {.expires = expires_ms};
        char first[256];
        struct writer writer;
        writer_init(&writer, first, sizeof first);
        frame_result_begin(&writer, &frame->id);
        protocol_session_renew_result_write(&writer, &result);
        frame_end(&writer);
        send_writer(session, &writer);
}

/* True when this typing notice is worth passing on. */
static bool may_type(struct session *session)
{
        uint64_t now_ms = clock_mono_ms();
        if (session->typed_ms != 0 && now_ms - session->typed_ms < PROTOCOL_TYPING_EVERY_MS - TYPING_SLACK_MS)
                return false;
        session->typed_ms = now_ms;
        return true;
}

/* What the budgets say of a request: 0, or a negative error with the time to wait. */
static int check_budget(struct session *session, const struct protocol_method_info *info, int64_t *out_retry_ms)
{
        struct net *net = session->net;
        if (!info->notification && session->in_flight >= net->options.in_flight) {
                *out_retry_ms = FLIGHT_RETRY_MS;
                return -PROTOCOL_ERR_RATE_LIMITED;
        }
        bool is_budgeted = info->keyed != PROTOCOL_KEYED_NO || info == &protocol_methods[PROTOCOL_M_PRESENCE_SET];
        if (!is_budgeted)
                return 0;
        *out_retry_ms = presence_take_message(net, session->presence);
        return *out_retry_ms == 0 ? 0 : -PROTOCOL_ERR_RATE_LIMITED;
}

static void pause_if_crowded(struct session *session)
{
        if (!session->is_paused && desk_is_crowded(session->net->desk)) {
                session->is_paused = true;
                edge_pause_reading(session->conn, true);
        }
}

/* Whether one more page fits into the bound of the output. Nothing is read from a client that is owed more: its
 * requests wait in its own socket, and 1,000 clients that ask and do not read cost no more memory than others. */
static bool has_room_for_page(const struct session *session)
{
        uint32_t cap = session->net->edge_options.output_bytes;
        size_t owed = edge_pending_bytes(session->conn) + (size_t)session->reads * PROTOCOL_PAGE_BYTES;
        return owed + PROTOCOL_PAGE_BYTES + PAGE_SLACK <= cap || owed == 0;
}

void session_look_at_hold(struct session *session)
{
        bool holds = session->reads > 0 || session->held_ms != 0 ? !has_room_for_page(session) : false;
        if (holds == (session->held_ms != 0))
                return;
        session->held_ms = holds ? clock_mono_ms() : 0;
        edge_pause_reading(session->conn, holds || session->is_paused);
}

static void post(struct session *session, enum protocol_method method, const struct frame *frame)
{
        const struct protocol_method_info *info = &protocol_methods[method];
        struct fault fault = {0};
        struct desk_command *command = NULL;
        int rc = command_decode(method, &frame->id, frame->body, session->caller.role, &command, &fault);
        if (rc < 0) {
                refuse_and_strike(session, &frame->id, info->name, -rc, &fault);
                return;
        }
        command->from = edge_conn_ref(session->conn);
        command->caller = session->caller;
        rc = info->runs == PROTOCOL_RUNS_READ ? desk_post_read(session->net->desk, command)
                                              : desk_post(session->net->desk, command);
        if (rc < 0) {
                command_free(command);
                if (!info->notification)
                        session_refuse(session, &frame->id, -rc, BUSY_RETRY_MS, NULL);
        } else if (!info->notification) {
                session->in_flight++;
                session->reads += info->runs == PROTOCOL_RUNS_READ;
        }
        session_look_at_hold(session);
        pause_if_crowded(session);
}

static void dispatch(struct session *session, enum protocol_method method, const struct frame *frame)
{
        const struct protocol_method_info *info = &protocol_methods[method];
        if (info->notification != (frame->kind == FRAME_NOTIFICATION)) {
                refuse_and_strike(session, &frame->id, info->name, PROTOCOL_ERR_INVALID_REQUEST, NULL);
                return;
        }
        if (!(info->who & who_of(session->caller.role))) {
                refuse_and_strike(session, &frame->id, info->name, PROTOCOL_ERR_FORBIDDEN, NULL);
                return;
        }
        int64_t retry_ms = 0;
        int rc = check_budget(session, info, &retry_ms);
        if (rc < 0) {
                atomic_fetch_add_explicit(&session->net->rate_limited, 1, memory_order_relaxed);
                session_refuse(session, &frame->id, -rc, retry_ms, NULL);
                session_denied(session, info->name, -rc);
                return;
        }
        if (method == PROTOCOL_M_SESSION_ALIVE)
                return; /* the byte itself was the news */
        attendance_heard(session);
        if (method == PROTOCOL_M_SESSION_RENEW)
                renew(session, frame);
        else if (method != PROTOCOL_M_TYPING || may_type(session))
                post(session, method, frame);
}

void session_text(void *user, char *bytes, size_t len)
{
        struct session *session = user;
        if (session->state == SESSION_CLOSING)
                return;
        if (session->presence && !presence_take_frame(session->net, session->presence)) {
                close_denied(session, PROTOCOL_CLOSE_RATE_LIMITED, BUSY_RETRY_MS);
                return;
        }
        struct frame frame = {0};
        struct fault fault = {0};
        struct arena arena;
        char first[1024];
        arena_init(&arena, first, sizeof first);
        int rc = frame_read(bytes, len, READER_STRICT, &arena, &frame, &fault);
        if (rc == 0 && frame.kind != FRAME_REQUEST && frame.kind != FRAME_NOTIFICATION)
                rc = -PROTOCOL_ERR_INVALID_REQUEST;
        int method = rc == 0 ? protocol_method_find(frame.name) : -1;
        if (session->state != SESSION_OPEN) {
                if (session->state == SESSION_NEW && method == PROTOCOL_M_SESSION_OPEN && frame.kind == FRAME_REQUEST)
                        open_session(session, &frame);
                else
                        session_close(session, PROTOCOL_CLOSE_AUTH_REQUIRED, -1);
        } else if (rc < 0) {
                refuse_and_strike(session, &frame.id, "frame", -rc, &fault);
        } else if (method < 0 || method == PROTOCOL_M_SESSION_OPEN) {
                refuse_and_strike(session, &frame.id, "frame", PROTOCOL_ERR_UNKNOWN_METHOD, NULL);
        } else {
                dispatch(session, (enum protocol_method)method, &frame);
        }
        arena_done(&arena);
}
