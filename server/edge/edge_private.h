/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the edge share: the edge itself, a connection, and who calls whom.
 *
 *      edge.c      life, loop, the end of a turn      accept.c   listeners
 *      conn.c      slots, input, output, deadlines    serve.c    HTTP on a connection
 *      talk.c      WebSocket on a connection          reply.c    HTTP answers
 *      statics.c   files from memory                  tls.c      certificate and ciphers
 *      http.c, ws.c, wheel.c, limits.c: pure
 *
 * A connection is touched on its edge's thread only. Nothing is written when it is queued: a connection with something
 * to do is put on the list of the turn, and edge_turn, run before and after the loop waits, does it. So a callback of
 * libwebsockets never closes or writes, and no function here may find its connection gone when one returns. */
#pragma once

#include <libwebsockets.h>
#include <openssl/ssl.h>
#include <stdatomic.h>
#include <uv.h>

#include "edge/edge.h"
#include "edge/http.h"
#include "edge/limits.h"
#include "edge/wheel.h"
#include "edge/ws.h"

enum {
        TICK_MS = 250,
        TICKS_PER_SECOND = 1000 / TICK_MS,
        SLOTS_PER_CHUNK = 256,
        WRITE_BYTES = 16384,       /* one write; what the kernel did not take is copied by lws */
        TURN_BYTES = 256 * 1024,   /* one connection in one turn */
        LOW_WATER_BYTES = 65536,   /* of an answer in pieces */
        MAX_MESSAGE_BYTES = 65536, /* of a new connection */
        SERVICE_BYTES = 65536,     /* largest read */
        KEPT_INPUT_BYTES = SERVICE_BYTES * 2,
        PINGS_PER_SECOND = 20,

        HEAD_SECONDS = 10, /* from the first byte, or from accept */
        IDLE_SECONDS = 30, /* between two requests */
        BODY_SECONDS = 30, /* a buffered body */
        RATE_SECONDS = 10, /* window of the rate floor */
        RATE_BYTES = RATE_SECONDS * 1024,
        CLOSE_SECONDS = 2,
        SLOW_SECONDS = 30,
        MESSAGE_SECONDS = 30, /* an unfinished WebSocket message */
        STOP_SECONDS = 3,
        USER_TIMEOUT_MS = 35000,
};

/* Bytes that wait, one allocation; exists only while there are some. */
struct bytes {
        uint32_t start, len, cap; /* waiting are [start, len) */
        char at[];
};

/* 0, or -1: out of memory, nothing changed. */
int bytes_append(struct bytes **bytes, const void *from, size_t len);
struct bytes *bytes_free(struct bytes *bytes); /* NULL is welcome; always returns NULL */
static inline size_t bytes_left(const struct bytes *bytes)
{
        return bytes ? bytes->len - bytes->start : 0;
}

enum phase {
        PHASE_FREE, /* a slot that nobody has, or that waits for the end of the turn */
        PHASE_HTTP,
        PHASE_WS,
        PHASE_CLOSING, /* output is flushed, then our half is shut; input is thrown away; ends by peer or deadline */
};

enum http_state {
        STATE_HEAD,     /* a request is awaited or unfinished */
        STATE_DISPATCH, /* the handler is being asked */
        STATE_BODY,
        STATE_AWAIT,  /* the handler owes the answer */
        STATE_PIECES, /* an answer in pieces is under way */
};

/* Why reading stops. */
enum hold { HOLD_USER = 1, HOLD_BODY = 2, HOLD_OUTPUT = 4, HOLD_INPUT = 8 };

/* A request whose body is unfinished, or an answer longer than what is queued. */
struct http_work {
        struct edge_request request;
        struct edge_peer peer;
        void *user;
        int64_t body_left;
        int64_t pieces_left;
        uint32_t body_due; /* tick */
        struct span rest;  /* of a static file */
        struct bytes *body;
        bool is_streamed;
        char head[];
};

struct edge_conn {
        struct wheel_node timer;
        struct edge *edge;
        struct lws *wsi; /* NULL: not adopted yet, or gone */
        void *user;
        struct edge_conn *next; /* on the list of the turn, or of free slots */
        struct bytes *in;       /* received and not yet understood */
        struct bytes *message;  /* fragments so far */
        struct bytes *out;
        struct http_work *work;
        uint64_t address; /* limits_key */
        uint64_t heard_ms;
        uint32_t slot, generation;
        uint32_t due, slow_due, user_due; /* ticks; 0 = none */
        uint32_t max_message;
        uint32_t window; /* bytes moved in this window of the rate floor */
        uint16_t refuse_status;
        uint16_t control_second; /* second in which control_count was counted */
        uint8_t control_count;
        uint8_t phase, state, holds;
        bool in_turn : 1;    /* on the list of the turn */
        bool is_pending : 1; /* has not proved itself */
        bool is_blocked : 1; /* waits for POLLOUT */
        bool is_doomed : 1;  /* to be killed at the end of the turn */
        bool is_reset : 1;   /* and with RST */
        bool is_shut : 1;    /* our half is closed */
        bool is_slow : 1;
        bool is_tls : 1;
        bool in_message : 1; /* a fragmented message is unfinished */
        bool has_replied : 1;
        bool keep_alive : 1;
        bool is_head_request : 1;
        bool head_started : 1;
        bool close_after : 1; /* when the output is flushed */
        bool wants_drained : 1;
        bool refeed : 1; /* `in` is to be looked at again */
        bool is_feeding : 1;
};

struct listener {
        uv_poll_t poll;
        struct edge *edge;
        int fd;
        uint16_t port;
        bool is_polled;
        char host[HTTP_HOST_BYTES + 1];
};

struct statics_entry {
        struct edge_static file;
        char etag[36]; /* with quotes */
};

struct stats_cells {
        _Atomic uint64_t accepted, refused, upgraded, closed, messages_in, messages_out, bytes_in, bytes_out,
                slow_closed;
        _Atomic uint32_t live;
};

struct edge {
        struct edge_options options;
        const struct edge_handlers *on;
        struct span ws_path;
        uv_loop_t loop;
        uv_async_t async;
        uv_timer_t timer;
        uv_prepare_t prepare;
        uv_check_t check;
        struct lws_context *context;
        struct lws_vhost *vhost;
        struct lws_protocols protocols[2];
        lws_retry_bo_t no_retry;
        SSL_CTX *ssl_ctx; /* lws' own; NULL = no TLS */
        void *loop_of_lws[1];

        struct listener *listeners;
        size_t listener_count;
        bool is_paused;        /* edge_pause_accept */
        uint32_t accept_again; /* tick; 0: not out of descriptors */
        uint32_t pending;      /* connections that have not proved themselves */

        struct edge_conn **chunks;
        uint32_t chunk_count, live, max_connections;
        struct edge_conn *free_slots;
        struct edge_conn *turn_first, **turn_last;

        struct wheel wheel;
        struct limits *limits;
        struct statics_entry *statics;
        size_t statics_count;

        uint64_t start_ms; /* monotonic */
        uint32_t stop_due; /* tick; 0: not stopping */
        char date[32];     /* of this second, for answers */
        time_t date_second;
        bool is_running;

        atomic_bool wake_asked, stop_asked;
        atomic_bool is_healthy;
        struct stats_cells stats;
};

struct edge_frame {
        atomic_uint count;
        uint32_t len;
        char at[]; /* framed */
};

/* Only the edge's thread writes: no locked instruction is needed. */
#define STAT_ADD(edge, cell, n)                                                                                        \
        atomic_store_explicit(&(edge)->stats.cell,                                                                     \
                              atomic_load_explicit(&(edge)->stats.cell, memory_order_relaxed) + (n),                   \
                              memory_order_relaxed)

/* Monotonic milliseconds, as of when the loop last woke up. */
static inline uint64_t edge_now(const struct edge *edge)
{
        return uv_now(&edge->loop);
}

/* conn.c */
struct edge_conn *conn_take(struct edge *edge, uint64_t address); /* NULL: no room */
void conn_gone(struct edge_conn *conn);                           /* lws has closed it, or never adopted it */
void conn_touch(struct edge_conn *conn);                          /* puts it on the list of the turn */
void conn_doom(struct edge_conn *conn, bool reset);
void conn_on_bytes(struct edge_conn *conn, char *bytes, size_t len);
void conn_on_writable(struct edge_conn *conn);
void conn_end_turn(struct edge_conn *conn); /* may free its slot */
int conn_queue(struct edge_conn *conn, const void *bytes,
               size_t len); /* 0, or -1: out of memory, the connection is doomed */
size_t conn_pending(const struct edge_conn *conn);
void conn_hold(struct edge_conn *conn, uint8_t why, bool on);
void conn_prove(struct edge_conn *conn, bool well);
void conn_due_in(struct edge_conn *conn, uint32_t *due, uint32_t seconds); /* 0 = never */
void conn_fire(void *edge, struct wheel_node *node);
void conn_shut_after_flush(struct edge_conn *conn); /* to PHASE_CLOSING */
uint32_t edge_tick(const struct edge *edge);

/* serve.c; bytes understood, the rest is given again with more */
size_t serve_bytes(struct edge_conn *conn, char *bytes, size_t len);
void serve_gone(struct edge_conn *conn);
void serve_due(struct edge_conn *conn);
void serve_flushed(struct edge_conn *conn); /* output is written as far as it went */
void serve_next(struct edge_conn *conn);    /* the answer is complete */

/* reply.c */
int reply_status(struct edge_conn *conn, int status, struct span headers); /* without a body; from the edge itself */
int reply_head(struct edge_conn *conn, int status, const char *content_type, struct span headers, int64_t length);
/* `file` outlives the edge. */
void reply_file(struct edge_conn *conn, const struct statics_entry *entry, bool not_modified);

/* talk.c */
void talk_open(struct edge_conn *conn, const struct http_head *head, struct edge_peer *peer);
size_t talk_bytes(struct edge_conn *conn, char *bytes, size_t len);
/* Bytes still missing until the next frame goes on; at least 1. */
size_t talk_need(const struct edge_conn *conn, const char *bytes, size_t len);
void talk_close(struct edge_conn *conn, unsigned code, const char *tag); /* WS_CLOSE_EMPTY: without a code */

/* statics.c */
const struct statics_entry *statics_find(const struct edge *edge, struct span path); /* NULL: none */
void statics_free(struct edge *edge);

/* accept.c */
int accept_listen(struct edge *edge, char **out_why);
void accept_update(struct edge *edge); /* starts or stops polling, as the state asks */
void accept_close(struct edge *edge);
bool accept_host_ok(const struct edge *edge, struct span host);
void accept_peer(const struct edge_conn *conn, struct edge_peer *out_peer); /* address of the other side */

/* tls.c */
void tls_set_up(struct edge *edge, struct lws_context_creation_info *info);
void tls_harden(struct edge *edge, SSL_CTX *ctx);
int tls_check_pair(const char *cert_path, const char *key_path, char **out_why);
