/* SPDX-License-Identifier: Apache-2.0 */
/* Serve: HTTP on a connection: one request after the other, bodies whole or streamed, keep-alive and pipelining. A
 * request that lies whole in what was received is handled where it lies; only unfinished ones are copied. */
#include "edge/edge_private.h"

#include <stdlib.h>

static void work_end(struct edge_conn *conn)
{
        if (!conn->work)
                return;
        bytes_free(conn->work->body);
        free(conn->work);
        conn->work = NULL;
}

/* A body that will not come whole is told when the connection ends, never from inside a call of the handler. */
void serve_gone(struct edge_conn *conn)
{
        struct http_work *work = conn->work;
        if (work && work->request.conn && conn->edge->on->on_body_end && (work->is_streamed || work->user))
                conn->edge->on->on_body_end(work->user, false);
        work_end(conn);
}

void serve_next(struct edge_conn *conn)
{
        if (conn->state == STATE_BODY)
                conn->keep_alive = false; /* answered too early: what is left of the body is thrown away */
        else
                work_end(conn);
        conn->state = STATE_HEAD;
        if (!conn->keep_alive) {
                conn_shut_after_flush(conn);
                return;
        }
        conn->head_started = false;
        conn->window = 0;
        conn_due_in(conn, &conn->due, RATE_SECONDS);
        conn_hold(conn, HOLD_BODY | HOLD_INPUT, false);
}

void serve_flushed(struct edge_conn *conn)
{
        struct http_work *work = conn->work;
        if (conn->state == STATE_PIECES && work && work->rest.at && work->pieces_left == 0)
                serve_next(conn);
}

/* True while bytes move fast enough; what nobody waits for does not count. */
static bool is_fast_enough(struct edge_conn *conn, bool peer_owes)
{
        if (peer_owes && conn->window < RATE_BYTES)
                return false;
        conn->window = 0;
        conn_due_in(conn, &conn->due, RATE_SECONDS);
        return true;
}

void serve_due(struct edge_conn *conn)
{
        bool is_pending = conn_pending(conn) > 0;
        bool ok = false;
        if (conn->state == STATE_BODY) {
                bool is_overdue = !conn->work->is_streamed && edge_tick(conn->edge) >= conn->work->body_due;
                ok = !is_overdue && is_fast_enough(conn, !(conn->holds & (HOLD_USER | HOLD_BODY)));
        } else if (conn->state == STATE_PIECES || (conn->state == STATE_HEAD && is_pending)) {
                ok = is_fast_enough(conn, is_pending);
        } else if (conn->state == STATE_HEAD && !conn->head_started && conn->window) {
                conn->window = 0; /* an answer has gone out meanwhile: now it is idle */
                conn_due_in(conn, &conn->due, IDLE_SECONDS - RATE_SECONDS);
                ok = true;
        }
        if (!ok)
                conn_doom(conn, is_pending);
}

/* --- a request --- */

static void rebase(struct span *span, const char *from, char *to)
{
        if (span->at)
                span->at = to + (span->at - from);
}

/* Keeps the head of a request whose body is not here yet. NULL: out of memory, the connection is doomed. */
static struct http_work *work_begin(struct edge_conn *conn, const struct edge_request *request, const char *head,
                                    size_t head_len)
{
        struct http_work *work = calloc(1, sizeof(*work) + head_len);
        if (!work) {
                conn_doom(conn, true);
                return NULL;
        }
        memcpy(work->head, head, head_len);
        work->request = *request;
        work->peer = *request->peer;
        work->request.peer = &work->peer;
        struct edge_request *own = &work->request;
        struct span *spans[] = {&own->method,
                                &own->path,
                                &own->query,
                                &own->authorization,
                                &own->range,
                                &own->cookie,
                                &own->deskbell,
                                &own->idempotency_key,
                                &own->content_type,
                                &own->upload_offset,
                                &own->if_none_match,
                                &own->if_range,
                                &work->peer.origin,
                                &work->peer.cookie,
                                &work->peer.authorization};
        for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++)
                rebase(spans[i], head, work->head);
        work->body_left = request->content_length;
        work->body_due = edge_tick(conn->edge) + BODY_SECONDS * TICKS_PER_SECOND;
        conn->work = work;
        conn->state = STATE_BODY;
        conn->window = 0;
        conn_due_in(conn, &conn->due, RATE_SECONDS);
        return work;
}

static void await_answer(struct edge_conn *conn)
{
        conn->state = STATE_AWAIT;
        conn->due = 0;
}

/* The whole request goes to the handler, which answers now or later. */
static void ready(struct edge_conn *conn, void *user, struct edge_request *request, char *body, size_t len)
{
        await_answer(conn);
        request->body = body;
        request->body_len = len;
        conn->edge->on->on_request_ready(conn->edge->options.owner, user, request);
}

static void body_complete(struct edge_conn *conn)
{
        struct http_work *work = conn->work;
        conn->work = NULL; /* an answer given now starts from nothing */
        if (work->is_streamed) {
                await_answer(conn);
                conn->edge->on->on_body_end(work->user, true);
        } else {
                ready(conn, work->user, &work->request, work->body->at, work->body->len);
        }
        bytes_free(work->body);
        free(work);
}

/* The handler has answered before the body's end: nothing more of it is wanted. */
static size_t body_bytes(struct edge_conn *conn, char *bytes, size_t len)
{
        struct http_work *work = conn->work;
        size_t take = (int64_t)len < work->body_left ? len : (size_t)work->body_left;
        work->body_left -= (int64_t)take;
        conn->window += (uint32_t)take;
        bool is_last = work->body_left == 0;
        if (!work->is_streamed) {
                if (bytes_append(&work->body, bytes, take) < 0) {
                        conn_doom(conn, true);
                        return take;
                }
        } else if (!conn->edge->on->on_body(work->user, bytes, take) && !is_last && conn->phase == PHASE_HTTP) {
                conn_hold(conn, HOLD_BODY, true);
        }
        if (is_last && conn->phase == PHASE_HTTP && conn->state == STATE_BODY && !conn->is_doomed)
                body_complete(conn);
        return take;
}

static void refuse(struct edge_conn *conn, int status)
{
        conn->keep_alive = false;
        reply_status(conn, status, SPAN(""));
}

/* Body wanted: here already, to come, or none. Returns the bytes of it that were used up. */
static size_t take_body(struct edge_conn *conn, enum edge_body how, void *user, struct edge_request *request,
                        const struct http_head *head, char *bytes, size_t len)
{
        size_t here = len - head->head_len;
        int64_t length = request->content_length;
        if (length <= 0 && how == EDGE_BODY_STREAM) {
                await_answer(conn);
                conn->edge->on->on_body_end(user, true);
                return 0;
        }
        if (length <= 0 || (how == EDGE_BODY_BUFFER && (int64_t)here >= length)) {
                ready(conn, user, request, bytes + head->head_len, length > 0 ? (size_t)length : 0);
                return length > 0 ? (size_t)length : 0;
        }
        struct http_work *work = work_begin(conn, request, bytes, head->head_len);
        if (!work) {
                if (conn->edge->on->on_body_end && (how == EDGE_BODY_STREAM || user))
                        conn->edge->on->on_body_end(user, false);
                return 0;
        }
        work->user = user;
        work->is_streamed = how == EDGE_BODY_STREAM;
        if (!here && head->expects_continue)
                conn_queue(conn, "HTTP/1.1 100 Continue\r\n\r\n", 25);
        return 0;
}

/* Asks the handler. Returns the bytes of the body that were used up. */
static size_t ask(struct edge_conn *conn, const struct http_head *head, struct edge_peer *peer, char *bytes, size_t len)
{
        struct edge *edge = conn->edge;
        struct edge_request request = {
                .conn = conn,
                .ref = edge_conn_ref(conn),
                .peer = peer,
                .method = head->method_name,
                .path = head->path,
                .query = head->query,
                .authorization = head->authorization,
                .idempotency_key = head->idempotency_key,
                .range = head->range,
                .cookie = head->cookie,
                .upload_offset = head->upload_offset,
                .deskbell = head->deskbell,
                .content_type = head->content_type,
                .if_none_match = head->if_none_match,
                .if_range = head->if_range,
                .content_length = head->content_length,
        };
        bool keep_alive = conn->keep_alive;
        if (head->content_length > 0)
                conn->keep_alive = false; /* an answer given at once leaves the body unread */
        void *user = NULL;
        enum edge_body how = edge->on->on_request(edge->options.owner, &request, &user);
        if (conn->has_replied || conn->phase != PHASE_HTTP || conn->is_doomed)
                return 0;
        if (how == EDGE_BODY_REFUSE) {
                refuse(conn, 500);
                return 0;
        }
        if (how == EDGE_BODY_BUFFER && head->content_length > (int64_t)edge->options.body_bytes) {
                if (user && edge->on->on_body_end)
                        edge->on->on_body_end(user, false);
                refuse(conn, 413);
                return 0;
        }
        conn->keep_alive = keep_alive;
        return take_body(conn, how, user, &request, head, bytes, len);
}

static void answer_health(struct edge_conn *conn)
{
        bool is_healthy = atomic_load_explicit(&conn->edge->is_healthy, memory_order_relaxed);
        reply_status(conn, is_healthy ? 200 : 503, SPAN(""));
}

static void answer_file(struct edge_conn *conn, const struct statics_entry *entry, const struct http_head *head)
{
        bool not_modified = head->if_none_match.at && http_etag_matches(head->if_none_match, span_of(entry->etag));
        reply_file(conn, entry, not_modified);
}

/* What the edge answers by itself. */
static bool answer_itself(struct edge_conn *conn, const struct http_head *head)
{
        const struct statics_entry *entry = statics_find(conn->edge, head->path);
        bool is_health = span_equal(head->path, SPAN("/healthz"));
        if (!entry && !is_health)
                return false;
        if (head->content_length > 0)
                conn->keep_alive = false;
        if (head->method != HTTP_GET && head->method != HTTP_HEAD)
                reply_status(conn, 405, SPAN("Allow: GET, HEAD\r\n"));
        else if (entry)
                answer_file(conn, entry, head);
        else
                answer_health(conn);
        return true;
}

/* Returns the bytes of the body that were used up. */
static size_t dispatch(struct edge_conn *conn, const struct http_head *head, char *bytes, size_t len)
{
        conn->state = STATE_DISPATCH;
        conn->has_replied = false;
        conn->due = 0;
        conn->keep_alive = !head->connection_close && !conn->edge->stop_due;
        conn->is_head_request = head->method == HTTP_HEAD;
        struct edge_peer peer = {.over_tls = conn->is_tls,
                                 .origin = head->origin,
                                 .cookie = head->cookie,
                                 .authorization = head->authorization};
        if (!accept_host_ok(conn->edge, head->host)) {
                refuse(conn, 400);
                return 0;
        }
        if (!span_equal(head->path, conn->edge->ws_path) && answer_itself(conn, head))
                return 0;
        accept_peer(conn, &peer);
        if (span_equal(head->path, conn->edge->ws_path)) {
                talk_open(conn, head, &peer);
                return 0;
        }
        if (head->upgrade_websocket || !conn->edge->on->on_request) {
                refuse(conn, 404);
                return 0;
        }
        return ask(conn, head, &peer, bytes, len);
}

static size_t head_bytes(struct edge_conn *conn, char *bytes, size_t len)
{
        struct http_head head;
        int rc = http_head_read(bytes, len, &head);
        if (rc == 0) {
                if (!conn->head_started)
                        conn_due_in(conn, &conn->due, HEAD_SECONDS);
                conn->head_started = true;
                return 0;
        }
        if (rc != 1) {
                conn->state = STATE_DISPATCH;
                conn->has_replied = conn->is_head_request = false;
                refuse(conn, rc);
                return len;
        }
        return head.head_len + dispatch(conn, &head, bytes, len);
}

size_t serve_bytes(struct edge_conn *conn, char *bytes, size_t len)
{
        if (conn->state == STATE_BODY)
                return body_bytes(conn, bytes, len);
        return head_bytes(conn, bytes, len);
}
