/* SPDX-License-Identifier: Apache-2.0 */
/* Talk: WebSocket on a connection: the upgrade, frames in, messages and closes out. A frame is read and unmasked where
 * it lies; only unfinished frames and fragments are copied. */
#include "edge/edge_private.h"

#include <stdio.h>
#include <stdlib.h>

#define SUBPROTOCOL "deskbell.v1"

void edge_refuse_with(struct edge_conn *conn, int status)
{
        conn->refuse_status = (uint16_t)(status >= 400 && status <= 599 ? status : 403);
}

static void refuse(struct edge_conn *conn, int status)
{
        conn->keep_alive = false;
        if (status == 426)
                reply_status(conn, status, SPAN("Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"));
        else if (status == 405)
                reply_status(conn, status, SPAN("Allow: GET\r\n"));
        else if (status == 503 || status == 429)
                reply_status(conn, status, SPAN("Retry-After: 5\r\n"));
        else
                reply_status(conn, status, SPAN(""));
}

static int queue_101(struct edge_conn *conn, struct span key)
{
        char accept[WS_ACCEPT_BYTES], text[256];
        ws_accept(key, accept);
        int len = snprintf(text, sizeof(text),
                           "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                           "Sec-WebSocket-Accept: %.*s\r\nSec-WebSocket-Protocol: " SUBPROTOCOL "\r\n\r\n",
                           WS_ACCEPT_BYTES, accept);
        return conn_queue(conn, text, (size_t)len);
}

/* Takes back what was queued behind `kept` bytes; a refused handler may have sent something. */
static void unqueue(struct edge_conn *conn, size_t kept)
{
        if (!kept)
                conn->out = bytes_free(conn->out);
        else if (conn->out)
                conn->out->len = conn->out->start + (uint32_t)kept;
}

void talk_open(struct edge_conn *conn, const struct http_head *head, struct edge_peer *peer)
{
        struct edge *edge = conn->edge;
        int status = http_gate(head, SPAN(SUBPROTOCOL));
        if (status == 101 && !edge->on->on_open)
                status = 404;
        if (status == 101 && edge->stop_due)
                status = 503;
        if (status != 101) {
                refuse(conn, status);
                return;
        }
        size_t before = bytes_left(conn->out);
        if (queue_101(conn, head->ws_key) < 0)
                return;
        conn->phase = PHASE_WS;
        conn->refuse_status = 0;
        conn->user = edge->on->on_open(edge->options.owner, conn, peer);
        if (conn->user) {
                STAT_ADD(edge, upgraded, 1);
                return;
        }
        unqueue(conn, before);
        conn->phase = PHASE_HTTP;
        conn->user_due = 0;
        refuse(conn, conn->refuse_status ? conn->refuse_status : 403);
}

/* --- frames in --- */

void talk_close(struct edge_conn *conn, unsigned code, const char *tag)
{
        if (conn->phase != PHASE_WS)
                return;
        uint8_t frame[2 + WS_CONTROL_BYTES];
        size_t len = 0;
        if (code != WS_CLOSE_EMPTY) {
                size_t tag_len = tag ? strlen(tag) : 0;
                if (tag_len > WS_CONTROL_BYTES - 2)
                        tag_len = WS_CONTROL_BYTES - 2;
                frame[2] = (uint8_t)(code >> 8);
                frame[3] = (uint8_t)code;
                if (tag_len)
                        memcpy(frame + 4, tag, tag_len);
                len = 2 + tag_len;
        }
        ws_header_write(frame, WS_CLOSE, len);
        conn_queue(conn, frame, 2 + len);
        conn_shut_after_flush(conn);
}

void edge_close(struct edge_conn *conn, uint16_t code, const char *tag)
{
        talk_close(conn, code, tag);
}

static void fail(struct edge_conn *conn, int code)
{
        const char *tag = code == WS_CLOSE_TOO_BIG    ? "too_big"
                          : code == WS_CLOSE_NOT_TEXT ? "text_only"
                          : code == WS_CLOSE_BAD_UTF8 ? "bad_utf8"
                                                      : "protocol_error";
        talk_close(conn, (unsigned)code, tag);
}

/* Frames that carry no text are free for the sender, so there are only so many of them in a second. */
static bool is_within_rate(struct edge_conn *conn)
{
        uint16_t second = (uint16_t)((edge_now(conn->edge) - conn->edge->start_ms) / 1000);
        if (conn->control_second != second) {
                conn->control_second = second;
                conn->control_count = 0;
        }
        if (conn->control_count >= PINGS_PER_SECOND) {
                talk_close(conn, 4029, "rate_limited");
                return false;
        }
        conn->control_count++;
        return true;
}

static void on_control(struct edge_conn *conn, uint8_t opcode, const uint8_t *payload, size_t len)
{
        if (opcode == WS_CLOSE) {
                int code = ws_close_read(payload, len);
                talk_close(conn, code < 0 ? (unsigned)-code : (unsigned)code, code < 0 ? "protocol_error" : NULL);
                return;
        }
        if (!is_within_rate(conn) || opcode != WS_PING)
                return;
        uint8_t pong[2 + WS_CONTROL_BYTES];
        size_t header_len = ws_header_write(pong, WS_PONG, len);
        memcpy(pong + header_len, payload, len);
        conn_queue(conn, pong, header_len + len);
}

static void deliver(struct edge_conn *conn, char *bytes, size_t len)
{
        if (!ws_utf8_ok((const uint8_t *)bytes, len)) {
                fail(conn, WS_CLOSE_BAD_UTF8);
                return;
        }
        STAT_ADD(conn->edge, messages_in, 1);
        conn->edge->on->on_text(conn->user, bytes, len);
}

static void on_fragment(struct edge_conn *conn, bool is_final, const uint8_t *payload, size_t len)
{
        if (len == 0 && !is_within_rate(conn))
                return;
        if (bytes_append(&conn->message, payload, len) < 0) {
                conn_doom(conn, true);
                return;
        }
        conn->in_message = !is_final;
        if (!is_final)
                return;
        struct bytes *message = conn->message;
        conn->message = NULL;
        deliver(conn, message->at, message->len);
        bytes_free(message);
}

static void on_frame(struct edge_conn *conn, const struct ws_header *header, uint8_t *payload)
{
        size_t len = (size_t)header->payload_len;
        ws_unmask(payload, len, header->mask);
        if (ws_is_control(header->opcode))
                on_control(conn, header->opcode, payload, len);
        else if (header->is_final && !conn->in_message)
                deliver(conn, (char *)payload, len);
        else
                on_fragment(conn, header->is_final, payload, len);
}

static bool is_too_big(const struct edge_conn *conn, const struct ws_header *header)
{
        if (ws_is_control(header->opcode))
                return false;
        size_t have = bytes_left(conn->message);
        return have > conn->max_message || header->payload_len > conn->max_message - have;
}

size_t talk_need(const struct edge_conn *conn, const char *bytes, size_t len)
{
        struct ws_header header;
        size_t need = 0;
        int rc = ws_header_read((const uint8_t *)bytes, len, conn->in_message, &header, &need);
        if (rc > 0)
                need = (size_t)header.header_len + (size_t)header.payload_len;
        return need > len ? need - len : 1;
}

size_t talk_bytes(struct edge_conn *conn, char *bytes, size_t len)
{
        struct ws_header header;
        size_t need;
        int rc = ws_header_read((const uint8_t *)bytes, len, conn->in_message, &header, &need);
        if (rc > 0 && is_too_big(conn, &header))
                rc = -WS_CLOSE_TOO_BIG;
        if (rc < 0) {
                fail(conn, -rc);
                return len;
        }
        if (rc == 0 || len - (size_t)rc < header.payload_len)
                return 0;
        on_frame(conn, &header, (uint8_t *)bytes + rc);
        return (size_t)rc + (size_t)header.payload_len;
}

/* --- messages out --- */

enum { BURST_FACTOR = 4 };

/* True when `len` more bytes fit; else the connection is slow from now on. The cap is for what a reader leaves lying; a
 * socket that takes everything may be given more within one turn of the loop. */
static bool has_room(struct edge_conn *conn, size_t len)
{
        size_t cap = (size_t)conn->edge->options.output_bytes * (conn->is_blocked ? 1 : BURST_FACTOR);
        if (!conn->is_slow && bytes_left(conn->out) + len <= cap)
                return true;
        if (!conn->is_slow) {
                conn->is_slow = true;
                conn_due_in(conn, &conn->slow_due, SLOW_SECONDS);
        }
        return false;
}

static void queue_text(struct edge_conn *conn, struct span json)
{
        uint8_t header[WS_SERVER_HEADER_BYTES];
        size_t header_len = ws_header_write(header, WS_TEXT, json.len);
        if (conn_queue(conn, header, header_len) == 0)
                conn_queue(conn, json.at, json.len);
        STAT_ADD(conn->edge, messages_out, 1);
}

int edge_send(struct edge_conn *conn, struct span json)
{
        if (conn->phase != PHASE_WS)
                return 0;
        if (!has_room(conn, WS_SERVER_HEADER_BYTES + json.len))
                return -1;
        queue_text(conn, json);
        return 0;
}

void edge_send_answer(struct edge_conn *conn, struct span json)
{
        if (conn->phase == PHASE_WS)
                queue_text(conn, json);
}

struct edge_frame *edge_frame_new(struct span json)
{
        struct edge_frame *frame = malloc(sizeof(*frame) + WS_SERVER_HEADER_BYTES + json.len);
        if (!frame)
                return NULL;
        size_t header_len = ws_header_write((uint8_t *)frame->at, WS_TEXT, json.len);
        if (json.len)
                memcpy(frame->at + header_len, json.at, json.len);
        frame->len = (uint32_t)(header_len + json.len);
        atomic_init(&frame->count, 1);
        return frame;
}

struct edge_frame *edge_frame_ref(struct edge_frame *frame)
{
        atomic_fetch_add_explicit(&frame->count, 1, memory_order_relaxed);
        return frame;
}

struct edge_frame *edge_frame_unref(struct edge_frame *frame)
{
        if (frame && atomic_fetch_sub_explicit(&frame->count, 1, memory_order_acq_rel) == 1)
                free(frame);
        return NULL;
}

int edge_send_frame(struct edge_conn *conn, struct edge_frame *frame)
{
        if (conn->phase != PHASE_WS)
                return 0;
        if (!has_room(conn, frame->len))
                return -1;
        conn_queue(conn, frame->at, frame->len);
        STAT_ADD(conn->edge, messages_out, 1);
        return 0;
}
