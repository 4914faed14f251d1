/* SPDX-License-Identifier: Apache-2.0 */
/* Conn: slots, input that is not understood yet, output that is not written yet, deadlines, and the end. A slot is
 * given back only when the connection is on no list; its generation counts on, so that an old edge_ref finds nobody. */
#include "edge/edge_private.h"

#include <openssl/err.h>
#include <stdlib.h>

struct bytes *bytes_free(struct bytes *bytes)
{
        free(bytes);
        return NULL;
}

int bytes_append(struct bytes **bytes, const void *from, size_t len)
{
        struct bytes *own = *bytes;
        if (own && own->start && own->cap - own->len < len) {
                memmove(own->at, own->at + own->start, own->len - own->start);
                own->len -= own->start;
                own->start = 0;
        }
        size_t have = own ? own->len : 0, cap = own ? own->cap : 0;
        if (!own || cap - have < len) {
                if (len > UINT32_MAX / 4 - have)
                        return -1;
                cap = cap * 2 > have + len ? cap * 2 : have + len + 52;
                struct bytes *grown = realloc(own, sizeof(*own) + cap);
                if (!grown)
                        return -1;
                if (!own)
                        grown->start = grown->len = 0;
                grown->cap = (uint32_t)cap;
                *bytes = own = grown;
        }
        if (len)
                memcpy(own->at + own->len, from, len);
        own->len += (uint32_t)len;
        return 0;
}

/* --- slots --- */

static int add_chunk(struct edge *edge)
{
        struct edge_conn *chunk = calloc(SLOTS_PER_CHUNK, sizeof(*chunk));
        if (!chunk)
                return -1;
        uint32_t base = edge->chunk_count * SLOTS_PER_CHUNK;
        edge->chunks[edge->chunk_count++] = chunk;
        for (int i = SLOTS_PER_CHUNK - 1; i >= 0; i--) {
                chunk[i].slot = base + (uint32_t)i;
                chunk[i].edge = edge;
                chunk[i].next = edge->free_slots;
                edge->free_slots = &chunk[i];
        }
        return 0;
}

struct edge_conn *conn_take(struct edge *edge, uint64_t address)
{
        if (edge->live >= edge->max_connections || (!edge->free_slots && add_chunk(edge) < 0))
                return NULL;
        struct edge_conn *conn = edge->free_slots;
        edge->free_slots = conn->next;
        uint32_t generation = conn->generation + 1;
        *conn = (struct edge_conn){.edge = edge,
                                   .slot = conn->slot,
                                   .generation = generation ? generation : 1,
                                   .address = address,
                                   .heard_ms = edge_now(edge),
                                   .phase = PHASE_HTTP,
                                   .state = STATE_HEAD,
                                   .head_started = true,
                                   .is_pending = true,
                                   .is_tls = edge->ssl_ctx != NULL,
                                   .max_message = MAX_MESSAGE_BYTES};
        edge->live++;
        edge->pending++;
        atomic_store_explicit(&edge->stats.live, edge->live, memory_order_relaxed);
        conn_due_in(conn, &conn->due, HEAD_SECONDS);
        return conn;
}

static void give_slot(struct edge_conn *conn)
{
        conn->next = conn->edge->free_slots;
        conn->edge->free_slots = conn;
}

void conn_gone(struct edge_conn *conn)
{
        struct edge *edge = conn->edge;
        if (conn->phase == PHASE_FREE)
                return;
        serve_gone(conn);
        conn_prove(conn, false);
        conn->phase = PHASE_FREE;
        conn->wsi = NULL;
        wheel_disarm(&conn->timer);
        conn->in = bytes_free(conn->in);
        conn->message = bytes_free(conn->message);
        conn->out = bytes_free(conn->out);
        edge->live--;
        atomic_store_explicit(&edge->stats.live, edge->live, memory_order_relaxed);
        STAT_ADD(edge, closed, 1);
        void *user = conn->user;
        conn->user = NULL;
        if (user)
                edge->on->on_close(user);
        if (!conn->in_turn)
                give_slot(conn);
}

void conn_prove(struct edge_conn *conn, bool well)
{
        if (!conn->is_pending)
                return;
        conn->is_pending = false;
        conn->edge->pending--;
        limits_leave(conn->edge->limits, conn->address, well, edge_now(conn->edge));
}

struct edge_ref edge_conn_ref(const struct edge_conn *conn)
{
        return (struct edge_ref){conn->slot, conn->generation, conn->edge->options.thread};
}

struct edge_conn *edge_conn_of(struct edge *edge, struct edge_ref ref)
{
        if (ref.generation == 0 || ref.thread != edge->options.thread ||
            ref.slot >= edge->chunk_count * SLOTS_PER_CHUNK)
                return NULL;
        struct edge_conn *conn = &edge->chunks[ref.slot / SLOTS_PER_CHUNK][ref.slot % SLOTS_PER_CHUNK];
        return conn->generation == ref.generation && conn->phase != PHASE_FREE ? conn : NULL;
}

void *edge_conn_user(const struct edge_conn *conn)
{
        return conn->user;
}

/* --- the turn --- */

void conn_touch(struct edge_conn *conn)
{
        if (conn->in_turn)
                return;
        conn->in_turn = true;
        conn->next = NULL;
        *conn->edge->turn_last = conn;
        conn->edge->turn_last = &conn->next;
}

void conn_doom(struct edge_conn *conn, bool reset)
{
        conn->is_doomed = true;
        conn->is_reset |= reset;
        conn_touch(conn);
}

/* Ends it now; conn_gone runs before this returns. Not inside a callback of lws. */
static void kill_now(struct edge_conn *conn)
{
        if (conn->is_reset) {
                struct linger none = {.l_onoff = 1, .l_linger = 0};
                setsockopt(lws_get_socket_fd(conn->wsi), SOL_SOCKET, SO_LINGER, &none, sizeof(none));
        }
        lws_set_timeout(conn->wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_SYNC);
}

void conn_hold(struct edge_conn *conn, uint8_t why, bool on)
{
        uint8_t before = conn->holds;
        conn->holds = on ? before | why : before & (uint8_t)~why;
        if (!before != !conn->holds && conn->wsi)
                lws_rx_flow_control(conn->wsi, !conn->holds);
        if (!on && conn->in) {
                conn->refeed = true;
                conn_touch(conn);
        }
}

/* --- output --- */

int conn_queue(struct edge_conn *conn, const void *bytes, size_t len)
{
        if (bytes_append(&conn->out, bytes, len) < 0) {
                conn_doom(conn, true);
                return -1;
        }
        conn_touch(conn);
        return 0;
}

size_t conn_pending(const struct edge_conn *conn)
{
        return bytes_left(conn->out) + (conn->work ? conn->work->rest.len : 0) + (conn->holds & HOLD_OUTPUT ? 1 : 0);
}

static struct span next_output(const struct edge_conn *conn)
{
        struct span next = {NULL, 0};
        if (bytes_left(conn->out))
                next = (struct span){conn->out->at + conn->out->start, bytes_left(conn->out)};
        else if (conn->work)
                next = conn->work->rest;
        if (next.len > WRITE_BYTES)
                next.len = WRITE_BYTES;
        return next;
}

static void output_done(struct edge_conn *conn, size_t len)
{
        STAT_ADD(conn->edge, bytes_out, len);
        if (conn->state != STATE_BODY)
                conn->window += (uint32_t)len;
        if (!bytes_left(conn->out)) {
                conn->work->rest.at += len;
                conn->work->rest.len -= len;
                return;
        }
        conn->out->start += (uint32_t)len;
        if (!bytes_left(conn->out))
                conn->out = bytes_free(conn->out);
}

/* Writes until all is out, the socket is full or its share of this turn is used up. False: the connection is dead. */
static bool write_out(struct edge_conn *conn)
{
        for (size_t written = 0; !conn->is_blocked;) {
                struct span next = next_output(conn);
                if (!next.len)
                        return true;
                if (written >= TURN_BYTES) {
                        conn->is_blocked = true;
                        lws_callback_on_writable(conn->wsi);
                        return true;
                }
                if (lws_write(conn->wsi, (unsigned char *)(uintptr_t)next.at, next.len, LWS_WRITE_RAW) < 0)
                        return false;
                written += next.len;
                output_done(conn, next.len);
                if (lws_partial_buffered(conn->wsi)) {
                        /* lws would spin on unread input meanwhile */
                        conn->is_blocked = true;
                        conn_hold(conn, HOLD_OUTPUT, true);
                }
        }
        return true;
}

void conn_on_writable(struct edge_conn *conn)
{
        conn->is_blocked = false;
        conn_hold(conn, HOLD_OUTPUT, false);
        conn_touch(conn);
}

static void shut(struct edge_conn *conn)
{
        conn->is_shut = true;
        SSL *ssl = conn->is_tls ? lws_get_ssl(conn->wsi) : NULL;
        if (ssl) {
                SSL_shutdown(ssl);
                ERR_clear_error();
        }
        shutdown(lws_get_socket_fd(conn->wsi), SHUT_WR);
        conn_due_in(conn, &conn->due, CLOSE_SECONDS);
}

void conn_shut_after_flush(struct edge_conn *conn)
{
        if (conn->phase == PHASE_CLOSING)
                return;
        bool is_http = conn->phase == PHASE_HTTP;
        conn->phase = PHASE_CLOSING;
        conn->close_after = is_http;
        conn->window = 0;
        conn->user_due = conn->slow_due = 0;
        conn_due_in(conn, &conn->due, is_http ? RATE_SECONDS : CLOSE_SECONDS);
        conn_hold(conn, HOLD_USER | HOLD_BODY | HOLD_INPUT, false);
        conn_touch(conn);
}

/* The handler, or answers that nobody has read, stand before the next byte. */
static bool is_waiting(const struct edge_conn *conn)
{
        if (conn->holds & (HOLD_USER | HOLD_BODY))
                return true;
        if (conn->phase != PHASE_HTTP)
                return false;
        return conn->state == STATE_AWAIT || conn->state == STATE_PIECES || bytes_left(conn->out) > LOW_WATER_BYTES;
}

static void drained(struct edge_conn *conn)
{
        struct edge *edge = conn->edge;
        if (conn->is_slow) {
                conn->is_slow = false;
                conn->slow_due = 0;
                conn->wants_drained = true;
        }
        if (conn->phase == PHASE_CLOSING && !conn->is_shut)
                shut(conn);
        if (conn->phase == PHASE_HTTP)
                serve_flushed(conn);
        if (conn->holds & HOLD_INPUT && !is_waiting(conn))
                conn_hold(conn, HOLD_INPUT, false);
        if (conn->wants_drained && conn->phase != PHASE_CLOSING) {
                conn->wants_drained = false;
                if (edge->on->on_drained)
                        edge->on->on_drained(edge->options.owner, edge_conn_ref(conn));
        }
}

static void after_write(struct edge_conn *conn)
{
        if (!conn_pending(conn) && !conn->is_blocked) {
                drained(conn);
        } else if (conn->wants_drained && conn->state == STATE_PIECES && conn_pending(conn) < LOW_WATER_BYTES) {
                conn->wants_drained = false;
                if (conn->edge->on->on_drained)
                        conn->edge->on->on_drained(conn->edge->options.owner, edge_conn_ref(conn));
        }
}

/* --- input --- */

static size_t feed(struct edge_conn *conn, char *bytes, size_t len)
{
        size_t used = 0, step = 1;
        while (used < len && step && !conn->is_doomed && !is_waiting(conn)) {
                if (conn->phase == PHASE_HTTP)
                        step = serve_bytes(conn, bytes + used, len - used);
                else if (conn->phase == PHASE_WS)
                        step = talk_bytes(conn, bytes + used, len - used);
                else
                        return len;
                used += step;
        }
        return used;
}

static void feed_kept(struct edge_conn *conn)
{
        struct bytes *in = conn->in;
        in->start += (uint32_t)feed(conn, in->at + in->start, bytes_left(in));
        if (!bytes_left(in))
                conn->in = bytes_free(in);
}

static void keep(struct edge_conn *conn, const char *bytes, size_t len)
{
        if (bytes_left(conn->in) + len > KEPT_INPUT_BYTES || bytes_append(&conn->in, bytes, len) < 0)
                conn_doom(conn, true);
        else if (is_waiting(conn))
                conn_hold(conn, HOLD_INPUT, true);
}

/* Completes the frame that lies unfinished in `in` with just the bytes it needs; the rest is read where it lies. */
static size_t top_up(struct edge_conn *conn, const char *bytes, size_t len)
{
        size_t used = 0;
        while (used < len && conn->in && conn->phase == PHASE_WS && !conn->is_doomed && !is_waiting(conn)) {
                size_t need = talk_need(conn, conn->in->at + conn->in->start, bytes_left(conn->in));
                size_t take = need < len - used ? need : len - used;
                if (bytes_append(&conn->in, bytes + used, take) < 0) {
                        conn_doom(conn, true);
                        return len;
                }
                used += take;
                feed_kept(conn);
        }
        return used;
}

/* An unfinished message may take so long and no longer. */
static void watch_message(struct edge_conn *conn)
{
        if (conn->phase != PHASE_WS)
                return;
        if (!conn->in && !conn->message)
                conn->due = 0;
        else if (!conn->due && !is_waiting(conn))
                conn_due_in(conn, &conn->due, MESSAGE_SECONDS);
}

void conn_on_bytes(struct edge_conn *conn, char *bytes, size_t len)
{
        conn->heard_ms = edge_now(conn->edge);
        STAT_ADD(conn->edge, bytes_in, len);
        if (conn->phase == PHASE_CLOSING || conn->is_doomed)
                return;
        if (conn->refeed || is_waiting(conn)) {
                keep(conn, bytes, len);
                return;
        }
        size_t used = 0;
        if (conn->in && conn->phase == PHASE_WS) {
                used = top_up(conn, bytes, len);
        } else if (conn->in) {
                keep(conn, bytes, len);
                feed_kept(conn);
                used = len;
        }
        if (!conn->in)
                used += feed(conn, bytes + used, len - used);
        if (used < len && conn->phase != PHASE_CLOSING)
                keep(conn, bytes + used, len - used);
        watch_message(conn);
}

void conn_end_turn(struct edge_conn *conn)
{
        conn->in_turn = false;
        if (conn->phase == PHASE_FREE) {
                give_slot(conn);
                return;
        }
        if (conn->refeed && !conn->is_doomed && !is_waiting(conn)) {
                conn->refeed = false;
                if (conn->in && conn->phase != PHASE_CLOSING)
                        feed_kept(conn);
                if (!is_waiting(conn) && conn->holds & HOLD_INPUT)
                        conn_hold(conn, HOLD_INPUT, false);
                watch_message(conn);
        }
        if (conn->phase == PHASE_CLOSING) {
                conn->in = bytes_free(conn->in);
                conn->message = bytes_free(conn->message);
        }
        if (conn->is_doomed || !write_out(conn))
                kill_now(conn);
        else
                after_write(conn);
}

void edge_pause_reading(struct edge_conn *conn, bool paused)
{
        if (conn->phase == PHASE_WS || conn->phase == PHASE_HTTP)
                conn_hold(conn, HOLD_USER, paused);
}

void edge_resume(struct edge_conn *conn)
{
        conn_hold(conn, HOLD_BODY, false);
}

/* --- deadlines --- */

uint32_t edge_tick(const struct edge *edge)
{
        return edge->wheel.now;
}

static void arm(struct edge_conn *conn, uint32_t due)
{
        if (!wheel_is_armed(&conn->timer) || conn->timer.due > due)
                wheel_arm(&conn->edge->wheel, &conn->timer, due);
}

void conn_due_in(struct edge_conn *conn, uint32_t *due, uint32_t seconds)
{
        *due = seconds ? edge_tick(conn->edge) + seconds * TICKS_PER_SECOND + 1 : 0;
        if (*due)
                arm(conn, *due);
}

void edge_set_deadline(struct edge_conn *conn, uint32_t ms)
{
        if (conn->phase != PHASE_WS)
                return;
        conn->user_due = ms ? edge_tick(conn->edge) + (ms + TICK_MS - 1) / TICK_MS + 1 : 0;
        if (conn->user_due)
                arm(conn, conn->user_due);
}

static void own_due(struct edge_conn *conn)
{
        if (conn->phase == PHASE_HTTP) {
                serve_due(conn);
        } else if (conn->phase == PHASE_WS) {
                if (conn->in || conn->message)
                        talk_close(conn, WS_CLOSE_POLICY, "too_slow");
        } else if (conn->close_after && !conn->is_shut && conn->window >= RATE_BYTES) {
                conn->window = 0;
                conn_due_in(conn, &conn->due, RATE_SECONDS);
        } else {
                conn_doom(conn, conn_pending(conn) > 0);
        }
}

static bool is_due(uint32_t *due, uint32_t now)
{
        if (!*due || *due > now)
                return false;
        *due = 0;
        return true;
}

void conn_fire(void *data, struct wheel_node *node)
{
        struct edge *edge = data;
        struct edge_conn *conn = (struct edge_conn *)node; /* its first member */
        uint32_t now = edge_tick(edge);
        if (is_due(&conn->user_due, now) && conn->phase == PHASE_WS && edge->on->on_deadline)
                edge->on->on_deadline(conn->user);
        if (is_due(&conn->slow_due, now) && conn->phase == PHASE_WS && conn->is_slow) {
                STAT_ADD(edge, slow_closed, 1);
                if (edge->on->on_too_slow)
                        edge->on->on_too_slow(conn->user);
                talk_close(conn, 4008, "slow_reader");
        }
        if (is_due(&conn->due, now))
                own_due(conn);

        const uint32_t dues[] = {conn->user_due, conn->slow_due, conn->due};
        for (int i = 0; i < 3; i++)
                if (dues[i])
                        arm(conn, dues[i]);
}

uint64_t edge_last_heard_ms(const struct edge_conn *conn)
{
        return conn->heard_ms;
}

size_t edge_pending_bytes(const struct edge_conn *conn)
{
        return conn_pending(conn);
}

bool edge_is_slow(const struct edge_conn *conn)
{
        return conn->is_slow;
}

void edge_set_max_message(struct edge_conn *conn, size_t bytes)
{
        conn->max_message = bytes < UINT32_MAX / 4 ? (uint32_t)bytes : UINT32_MAX / 4;
}

void edge_conn_trusted(struct edge_conn *conn)
{
        conn_prove(conn, true);
}
