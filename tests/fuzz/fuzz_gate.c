/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz gate: what strangers send before anybody knows them. The first byte of an input chooses:
 *   even  the pure parts: a head, a frame header, UTF-8, a close body; their verdicts may not depend on how much of the
 *         rest has come yet
 *   odd   a whole connection (conn.c, serve.c, talk.c, reply.c) over a socket that is played here: what it answers may
 *         not depend on how the bytes were cut, and the second byte says how they are. From 128 on, memory runs out at
 *         some allocation instead: the connection may end, and all it had has to be given back */
#include <stdio.h>
#include <stdlib.h>

#include "edge/edge_private.h"
#include "fuzz.h"

static void check(bool claim, const char *what)
{
        if (claim)
                return;
        fprintf(stderr, "fuzz_gate: %s\n", what);
        abort();
}

/* --- memory that runs out; the linker leads every allocation of the edge here --- */

void *__real_malloc(size_t len);
void *__real_calloc(size_t count, size_t len);
void *__real_realloc(void *old, size_t len);
void *__wrap_malloc(size_t len);
void *__wrap_calloc(size_t count, size_t len);
void *__wrap_realloc(void *old, size_t len);

static int allocations_left = -1; /* -1: no end */

static bool has_run_out(void)
{
        if (allocations_left < 0)
                return false;
        if (allocations_left == 0)
                return true;
        allocations_left--;
        return false;
}

void *__wrap_malloc(size_t len)
{
        return has_run_out() ? NULL : __real_malloc(len);
}

void *__wrap_calloc(size_t count, size_t len)
{
        return has_run_out() ? NULL : __real_calloc(count, len);
}

void *__wrap_realloc(void *old, size_t len)
{
        return has_run_out() ? NULL : __real_realloc(old, len);
}

/* A copy that ends where its memory ends. */
static char *exact_copy(const void *bytes, size_t len)
{
        char *copy = __real_malloc(len ? len : 1);
        check(copy != NULL, "memory");
        memcpy(copy, bytes, len);
        return copy;
}

/* --- pure parts --- */

static void fuzz_head(const char *bytes, size_t len, size_t cut)
{
        struct http_head whole = {0}, part = {0};
        char *copy = exact_copy(bytes, len), *prefix = exact_copy(bytes, cut);
        int verdict = http_head_read(copy, len, &whole), early = http_head_read(prefix, cut, &part);
        if (early)
                check(early == verdict, "a verdict changed when bytes were added");
        if (verdict == 1) {
                check(whole.head_len <= len && whole.head_len <= HTTP_HEAD_BYTES, "longer than it is");
                check(whole.path.at >= copy && whole.path.at + whole.path.len <= copy + len, "path outside");
                check(whole.path.at[0] == '/' && !memchr(whole.path.at, '%', whole.path.len), "path let through");
                check(whole.host.at && whole.host.len, "no host");
                check(!whole.upgrade_h2c, "HTTP/2 let through");
                if (http_gate(&whole, SPAN("deskbell.v1")) == 101)
                        check(whole.ws_key.len == WS_KEY_BYTES && whole.content_length < 0, "gate");
                http_host_is(whole.host, SPAN("[::1]"));
                http_etag_matches(whole.if_none_match, SPAN("\"a\""));
        }
        struct span lines = {copy, len};
        if (http_lines_ok(lines))
                check(!len || memcmp(copy + len - 2, "\r\n", 2) == 0, "unfinished line let through");
        http_lines_have(lines, SPAN("etag"));
        free(copy);
        free(prefix);
}

static void fuzz_frame(const char *bytes, size_t len, size_t cut)
{
        struct ws_header whole = {0}, part = {0};
        size_t need, early_need;
        uint8_t *copy = (uint8_t *)exact_copy(bytes, len), *prefix = (uint8_t *)exact_copy(bytes, cut);
        bool in_message = len & 1;
        int verdict = ws_header_read(copy, len, in_message, &whole, &need);
        int early = ws_header_read(prefix, cut, in_message, &part, &early_need);
        check(!early || early == verdict, "a verdict on a frame changed when bytes were added");
        check(early || early_need > cut, "nothing is missing and yet it waits");
        if (verdict > 0) {
                uint8_t header[WS_SERVER_HEADER_BYTES];
                size_t written = ws_header_write(header, whole.opcode, (size_t)whole.payload_len);
                check(written + 4 == (size_t)verdict, "a length that is not the shortest was let through");
        }
        bool was_ok = ws_utf8_ok(copy, len);
        ws_unmask(copy, len, (const uint8_t *)"\1\2\3\4");
        ws_unmask(copy, len, (const uint8_t *)"\1\2\3\4");
        check(ws_utf8_ok(copy, len) == was_ok, "the mask did not come off");
        int code = ws_close_read(copy, len);
        check(code == WS_CLOSE_EMPTY || code == -WS_CLOSE_PROTOCOL || ws_close_code_ok((unsigned)code), "close code");
        ws_key_ok((struct span){(char *)copy, len});
        free(copy);
        free(prefix);
}

/* --- a socket that is played: it takes every write --- */

struct record {
        char *bytes;
        size_t len, room;
};

static struct {
        struct record out;    /* what the peer gets */
        struct record events; /* what the handler is told */
        bool is_dead;
} wire;

static void add(struct record *record, const void *bytes, size_t len)
{
        if (record->len + len > record->room) {
                record->room = (record->len + len) * 2;
                record->bytes = __real_realloc(record->bytes, record->room);
                check(record->bytes != NULL, "memory");
        }
        if (len)
                memcpy(record->bytes + record->len, bytes, len);
        record->len += len;
}

static void check_same(const struct record *a, const struct record *b, const char *what)
{
        check(a->len == b->len && (!a->len || memcmp(a->bytes, b->bytes, a->len) == 0), what);
}

int lws_write(struct lws *wsi, unsigned char *buf, size_t len, enum lws_write_protocol protocol)
{
        (void)wsi;
        (void)protocol;
        add(&wire.out, buf, len);
        return (int)len;
}

int lws_partial_buffered(struct lws *wsi)
{
        (void)wsi;
        return 0;
}

int lws_callback_on_writable(struct lws *wsi)
{
        (void)wsi;
        return 0;
}

int lws_rx_flow_control(struct lws *wsi, int enable)
{
        (void)wsi;
        (void)enable;
        return 0;
}

lws_sockfd_type lws_get_socket_fd(struct lws *wsi)
{
        (void)wsi;
        return -1;
}

SSL *lws_get_ssl(struct lws *wsi)
{
        (void)wsi;
        return NULL;
}

void lws_set_timeout(struct lws *wsi, enum pending_timeout reason, int secs)
{
        (void)reason;
        (void)secs;
        wire.is_dead = true;
        conn_gone((struct edge_conn *)wsi);
}

void accept_peer(const struct edge_conn *conn, struct edge_peer *out_peer)
{
        (void)conn;
        memset(&out_peer->address, 0, sizeof(out_peer->address));
}

bool accept_host_ok(const struct edge *edge, struct span host)
{
        (void)edge;
        return !http_host_is(host, SPAN("foreign"));
}

/* --- a handler that writes down what it is told --- */

static struct edge fuzz_edge;
static int uploads;

static void *on_open(void *owner, struct edge_conn *conn, const struct edge_peer *peer)
{
        (void)owner;
        if (peer->origin.at && span_equal(peer->origin, SPAN("no")))
                return NULL;
        edge_set_max_message(conn, 1000);
        edge_send(conn, SPAN("hello"));
        return conn;
}

static void on_text(void *user, char *bytes, size_t len)
{
        check(len <= 1000 && ws_utf8_ok((uint8_t *)bytes, len), "a message was let through");
        add(&wire.events, bytes, len);
        if (len == 1 && bytes[0] == 'q')
                edge_close(user, 4001, "quit");
        edge_send(user, (struct span){bytes, len});
}

static void on_close(void *user)
{
        (void)user;
}

static enum edge_body on_request(void *owner, const struct edge_request *request, void **out_user)
{
        (void)owner;
        add(&wire.events, request->path.at, request->path.len);
        if (span_equal(request->path, SPAN("/s"))) {
                uploads++;
                *out_user = request->conn;
                return EDGE_BODY_STREAM;
        }
        if (!span_equal(request->path, SPAN("/n")))
                return EDGE_BODY_BUFFER;
        edge_reply(&fuzz_edge, request->ref, 403, NULL, SPAN(""), SPAN("no"));
        return EDGE_BODY_REFUSE;
}

static void on_request_ready(void *owner, void *user, struct edge_request *request)
{
        (void)owner;
        (void)user;
        check(request->body_len <= 500, "a body above the limit");
        if (span_equal(request->path, SPAN("/p"))) {
                edge_reply_begin(&fuzz_edge, request->ref, 200, "a/b", SPAN(""), 3);
                edge_reply_piece(&fuzz_edge, request->ref, SPAN("xyz"));
                return;
        }
        edge_reply(&fuzz_edge, request->ref, 200, "a/b", SPAN("X-A: b\r\n"),
                   (struct span){request->body, request->body_len});
}

static bool on_body(void *user, const char *bytes, size_t len)
{
        (void)user;
        add(&wire.events, bytes, len);
        return true;
}

static void on_body_end(void *user, bool complete)
{
        uploads--;
        if (complete)
                edge_reply(&fuzz_edge, edge_conn_ref(user), 200, NULL, SPAN(""), SPAN("end"));
}

static void set_up(void)
{
        static const struct edge_handlers handlers = {.on_open = on_open,
                                                      .on_text = on_text,
                                                      .on_close = on_close,
                                                      .on_request = on_request,
                                                      .on_request_ready = on_request_ready,
                                                      .on_body = on_body,
                                                      .on_body_end = on_body_end};
        static struct edge_conn *chunks[1];
        if (fuzz_edge.limits)
                return;
        fuzz_edge.on = &handlers;
        fuzz_edge.options.output_bytes = 1 << 20;
        fuzz_edge.options.body_bytes = 500;
        fuzz_edge.ws_path = SPAN("/v1/ws");
        fuzz_edge.turn_last = &fuzz_edge.turn_first;
        fuzz_edge.chunks = chunks;
        fuzz_edge.max_connections = 1;
        fuzz_edge.limits = limits_new(1000000, 1000000);
        wheel_init(&fuzz_edge.wheel);
        static const struct edge_static files[] = {{"/f", "a/b", SPAN("file"), NULL}};
        edge_set_static(&fuzz_edge, files, 1);
}

static void end_turn(void)
{
        while (fuzz_edge.turn_first) {
                struct edge_conn *conn = fuzz_edge.turn_first;
                fuzz_edge.turn_first = conn->next;
                if (!fuzz_edge.turn_first)
                        fuzz_edge.turn_last = &fuzz_edge.turn_first;
                conn_end_turn(conn);
        }
}

/* The second of an answer is not the connection's doing, and whether a 100 is sent does depend on the cutting. */
static void blank_what_may_differ(struct record *record)
{
        static const char again[] = "HTTP/1.1 100 Continue\r\n\r\n";
        for (size_t i = 0; i + 37 <= record->len; i++)
                if (memcmp(record->bytes + i, "\r\nDate: ", 8) == 0)
                        memset(record->bytes + i + 8, '.', 29);
        for (size_t i = 0, len = sizeof(again) - 1; i + len <= record->len;) {
                if (memcmp(record->bytes + i, again, len) != 0) {
                        i++;
                        continue;
                }
                memmove(record->bytes + i, record->bytes + i + len, record->len - i - len);
                record->len -= len;
        }
}

/* A connection from its first byte to its end, `step` bytes at a time. */
static void play(const char *bytes, size_t len, size_t step)
{
        memset(&wire, 0, sizeof(wire));
        struct edge_conn *conn = conn_take(&fuzz_edge, 1);
        check(conn != NULL, "the slot was not given back");
        conn->wsi = (struct lws *)(void *)conn;
        for (size_t at = 0; at < len && !wire.is_dead; at += step) {
                size_t take = len - at < step ? len - at : step;
                char *copy = exact_copy(bytes + at, take);
                conn_on_bytes(conn, copy, take);
                free(copy);
                end_turn();
        }
        if (!wire.is_dead)
                conn_gone(conn);
        end_turn();
        check(fuzz_edge.live == 0 && fuzz_edge.pending == 0 && uploads == 0, "something was not given back");
        blank_what_may_differ(&wire.out);
}

static void fuzz_connection(const char *bytes, size_t len, size_t step)
{
        set_up();
        play(bytes, len, len ? len : 1);
        struct record out = wire.out, events = wire.events;
        play(bytes, len, step);
        check_same(&out, &wire.out, "the answer depends on how the bytes were cut");
        check_same(&events, &wire.events, "what the handler is told depends on how the bytes were cut");
        free(out.bytes);
        free(events.bytes);
        free(wire.out.bytes);
        free(wire.events.bytes);
}

static void fuzz_shortage(const char *bytes, size_t len, int allocations)
{
        set_up();
        play(bytes, 0, 1); /* its slot is there */
        allocations_left = allocations;
        play(bytes, len, 64);
        allocations_left = -1;
        free(wire.out.bytes);
        free(wire.events.bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        if (size < 2)
                return 0;
        const char *bytes = (const char *)data + 2;
        size_t len = size - 2, cut = len ? data[1] % (len + 1) : 0;
        if (data[0] & 0x80) {
                fuzz_shortage(bytes, len, data[1] % 32);
                return 0;
        }
        if (data[0] & 1) {
                fuzz_connection(bytes, len, data[1] ? data[1] : 1);
                return 0;
        }
        fuzz_head(bytes, len, cut);
        fuzz_frame(bytes, len, cut);
        return 0;
}
