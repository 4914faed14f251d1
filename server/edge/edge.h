/* SPDX-License-Identifier: Apache-2.0 */
/* Edge: one network thread: its loop, listeners and connections. The only user of libwebsockets in the server. Knows
 * HTTP/1.1 and WebSocket, checks every byte of both (handshake gate, framing, UTF-8, sizes, deadlines), and nothing of
 * conversations. Bytes that go out in one turn of the loop leave in one write a connection.
 *
 * Everything here is called and calls back on the edge's own thread, but for what says otherwise. */
#pragma once

#include <netinet/in.h>

#include "protocol/span.h"

struct edge;
struct edge_conn;
struct edge_frame;

/* Names a connection from other threads; never a pointer. A slot is used again with another generation. */
struct edge_ref {
        uint32_t slot;
        uint32_t generation; /* 0 = nobody */
        uint32_t thread;
};

struct edge_peer {
        struct sockaddr_in6 address; /* v4 is mapped */
        bool over_tls;
        struct span origin;                /* Origin header; at NULL when absent; for the call only */
        struct span cookie, authorization; /* the same; of a WebSocket's handshake */
};

/* An HTTP request that is not an upgrade. Spans are for the call only. */
struct edge_request {
        struct edge_conn *conn;
        struct edge_ref ref;
        const struct edge_peer *peer;
        struct span method, path, query; /* raw; the gate has refused %, "..", "//" and backslash */
        struct span authorization, idempotency_key, range, cookie, upload_offset,
                deskbell; /* headers; at NULL = absent */
        struct span content_type, if_none_match, if_range;
        int64_t content_length; /* -1 = no body */
        char *body;             /* whole and mutable, for buffered requests */
        size_t body_len;
};

enum edge_body { EDGE_BODY_BUFFER, EDGE_BODY_STREAM, EDGE_BODY_REFUSE };

struct edge_handlers {
        /* A WebSocket is up. Returns the user pointer that the other calls get; NULL refuses: the client is answered
         * 403, or what edge_refuse_with said during the call. */
        void *(*on_open)(void *owner, struct edge_conn *conn, const struct edge_peer *peer);
        /* One whole text message, UTF-8 checked, at most the limit set by edge_set_max_message. Mutable; for the call
         * only. */
        void (*on_text)(void *user, char *bytes, size_t len);
        /* Gone, for whatever reason; `user` is not used afterwards. */
        void (*on_close)(void *user);
        /* Head of a request is complete and not answered by the edge itself (healthz, static files, redirects): tell
         * what to do with the body. EDGE_BODY_REFUSE: the handler has answered. *out_user is given to the body calls.
         */
        enum edge_body (*on_request)(void *owner, const struct edge_request *request, void **out_user);
        /* Buffered: the whole request. The answer may come later, by edge_reply on its ref. */
        void (*on_request_ready)(void *owner, void *user, struct edge_request *request);
        /* Streamed: some bytes; return false to stop reading until edge_resume. */
        bool (*on_body)(void *user, const char *bytes, size_t len);
        /* Exactly once for each streamed body. complete false: the connection went away, or the handler answered before
         * the end. A buffered body ends so too, instead of in on_request_ready, when it does not come whole and its
         * user is not NULL. */
        void (*on_body_end)(void *user, bool complete);
        /* Somebody called edge_wake, one or more times. */
        void (*on_wake)(void *owner);
        /* Once a second. */
        void (*on_second)(void *owner, uint64_t mono_ms);
        /* The rest may be NULL. The time of edge_set_deadline has come; the deadline is gone. */
        void (*on_deadline)(void *user);
        /* There is room again: a slow WebSocket has drained, or what is left of an answer in pieces is below 64 KiB. */
        void (*on_drained)(void *owner, struct edge_ref ref);
        /* A slow WebSocket has not drained in time and is closed with 4008 after this: for last words. */
        void (*on_too_slow)(void *user);
};

struct edge_options {
        uint32_t thread;                  /* number in edge_ref */
        const char *const *listen;        /* "HOST:PORT", "[v6]:PORT"; NULL-terminated; port 0 = any */
        const char *cert_path, *key_path; /* both or neither: TLS */
        const char *const *hosts; /* Host names accepted besides those listened on; NULL-terminated or NULL = any */
        uint32_t max_connections; /* default 20000, bounded by RLIMIT_NOFILE */
        uint32_t max_handshakes;  /* unfinished at once, default 2000 */
        uint32_t handshakes_per_minute;    /* unfinished or failed ones per address (/64), default 100 */
        uint32_t pending_per_address;      /* unfinished at once per address, default 64 */
        uint32_t output_bytes;             /* cap of buffered output per connection, default 262144 */
        const char *const *websocket_path; /* NULL = "/v1/ws" */
        const struct edge_handlers *handlers;
        void *owner;
        uint32_t body_bytes; /* largest buffered request body, default 65536; above it 413 */
};

/* Creates loop, listeners and context (call for all edges one after the other before any runs). The options and what
 * they point at outlive the edge. 0, or negative errno with *out_why set to a malloc'd sentence naming what and where
 * (NULL: out of memory). */
int edge_new(const struct edge_options *options, struct edge **out_edge, char **out_why);
void edge_run(struct edge *edge);                             /* until edge_stop */
struct edge *edge_free(struct edge *edge);                    /* after edge_run returned */
uint16_t edge_port(const struct edge *edge, size_t listener); /* the port really bound; any thread after edge_new */

void edge_wake(struct edge *edge); /* any thread: on_wake runs soon, once for many calls */
void edge_stop(struct edge *edge); /* any thread: flush, close all that is left, end edge_run */
void edge_pause_accept(struct edge *edge, bool paused);
int edge_reload_tls(struct edge *edge, char **out_why); /* keeps the old pair on failure; *out_why is malloc'd */

struct edge_ref edge_conn_ref(const struct edge_conn *conn);
/* NULL when that connection is gone. */
struct edge_conn *edge_conn_of(struct edge *edge, struct edge_ref ref);
/* What on_open returned; NULL for a connection that is no open WebSocket. */
void *edge_conn_user(const struct edge_conn *conn);

/* One WebSocket text message. Copied, or shared: a frame is framed once and its bytes are appended to each connection.
 * Returns 0, or -1 when the output cap is passed: the message is not sent and the connection is marked slow (on_close
 * follows 30 s later with 4008 unless it drains first; edge_is_slow tells). */
int edge_send(struct edge_conn *conn, struct span json);
/* The same without the cap: for answers, of which a connection can have no more under way than the caller lets it ask
 * for, and none is read while its output is stuck. An answer must not be dropped on a connection that lives. */
void edge_send_answer(struct edge_conn *conn, struct span json);
struct edge_frame *edge_frame_new(struct span json);           /* any thread; count 1; NULL: out of memory */
struct edge_frame *edge_frame_ref(struct edge_frame *frame);   /* any thread */
struct edge_frame *edge_frame_unref(struct edge_frame *frame); /* any thread; returns NULL */
int edge_send_frame(struct edge_conn *conn, struct edge_frame *frame);
bool edge_is_slow(const struct edge_conn *conn);
size_t edge_pending_bytes(const struct edge_conn *conn);

/* Close frame with code and tag as reason, TCP ended within 2 s. on_close still comes. */
void edge_close(struct edge_conn *conn, uint16_t code, const char *tag);

/* Largest message from now on; above it 1009 from the frame's header alone. New connections start with 64 KiB. */
void edge_set_max_message(struct edge_conn *conn, size_t bytes);
/* The handshake has proved itself (logged in): its address gets its token back. */
void edge_conn_trusted(struct edge_conn *conn);
/* Stop and go on reading from this connection (back-pressure). */
void edge_pause_reading(struct edge_conn *conn, bool paused);
/* on_deadline(user) in `ms` milliseconds, up to half a second later; 0 = never. One a connection: the newer counts. */
void edge_set_deadline(struct edge_conn *conn, uint32_t ms);
/* During on_open, before it returns NULL: the status of the refusal (400 to 599). */
void edge_refuse_with(struct edge_conn *conn, int status);
uint64_t edge_last_heard_ms(const struct edge_conn *conn); /* monotonic ms of the last byte received */

/* Answer to an HTTP request; `headers` are further lines "Name: value\r\n" or empty (lines that could split the answer
 * make it a 500). Keep-alive is handled here. 0, or -1: nobody is there to be answered. */
int edge_reply(struct edge *edge, struct edge_ref ref, int status, const char *content_type, struct span headers,
               struct span body);
/* A long answer in pieces, together of exactly `length` bytes, each time on_drained tells, the first time at the end of
 * this turn. Not while the request's body is still coming. -1: the connection is gone, or was refused here; no piece
 * may follow. */
int edge_reply_begin(struct edge *edge, struct edge_ref ref, int status, const char *content_type, struct span headers,
                     int64_t length);
int edge_reply_piece(struct edge *edge, struct edge_ref ref, struct span bytes);
void edge_resume(struct edge_conn *conn);
/* Ends a connection whose answer cannot go on. */
void edge_drop(struct edge *edge, struct edge_ref ref);

/* Files served from memory: GET and HEAD, exact path, strong ETag. Set before edge_run. */
struct edge_static {
        const char *path, *content_type;
        struct span bytes;
        const char *csp; /* Content-Security-Policy; NULL = the strict default */
};
void edge_set_static(struct edge *edge, const struct edge_static *files, size_t count);
void edge_set_healthy(struct edge *edge, bool healthy); /* any thread: /healthz answers 200 or 503 */

/* Figures for metrics; any thread, each a relaxed atomic read. */
struct edge_stats {
        uint64_t accepted, refused, upgraded, closed, messages_in, messages_out, bytes_in, bytes_out, slow_closed;
        uint32_t live;
};
void edge_stats_read(const struct edge *edge, struct edge_stats *out_stats);
