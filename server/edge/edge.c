/* SPDX-License-Identifier: Apache-2.0 */
/* Edge: life and loop. lws gives sockets and TLS on our libuv loop through its raw role; every byte on them is ours.
 * All work of a turn is done in edge_turn, before the loop waits and after it has waited, outside any callback of lws.
 */
#include "edge/edge_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

enum { SPARE_DESCRIPTORS = 64 };

static _Thread_local char lws_said[200]; /* its last complaint, for out_why */

static void on_lws_line(int level, const char *line)
{
        (void)level;
        snprintf(lws_said, sizeof(lws_said), "%.*s", (int)strcspn(line, "\r\n"), line);
}

/* --- callbacks of lws: translations only --- */

static int on_lws(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
        struct edge_conn *conn;
        switch (reason) {
        case LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS:
                tls_harden(lws_context_user(lws_get_context(wsi)), user);
                return 0;
        case LWS_CALLBACK_RAW_ADOPT:
                conn = lws_get_opaque_user_data(wsi);
                conn->wsi = wsi;
                return 0;
        case LWS_CALLBACK_RAW_RX:
                conn = lws_get_opaque_user_data(wsi);
                if (conn)
                        conn_on_bytes(conn, in, len);
                return 0;
        case LWS_CALLBACK_RAW_WRITEABLE:
                conn = lws_get_opaque_user_data(wsi);
                if (conn)
                        conn_on_writable(conn);
                return 0;
        case LWS_CALLBACK_RAW_CLOSE:
                conn = lws_get_opaque_user_data(wsi);
                lws_set_opaque_user_data(wsi, NULL);
                if (conn)
                        conn_gone(conn);
                return 0;
        default:
                return 0;
        }
}

/* --- the turn --- */

static void edge_turn(struct edge *edge)
{
        while (edge->turn_first) {
                struct edge_conn *conn = edge->turn_first;
                edge->turn_first = conn->next;
                if (!edge->turn_first)
                        edge->turn_last = &edge->turn_first;
                conn_end_turn(conn);
        }
        accept_update(edge);
}

static void on_prepare(uv_prepare_t *handle)
{
        edge_turn(handle->data);
}

static void on_check(uv_check_t *handle)
{
        struct edge *edge = handle->data;
        edge_turn(edge);
}

static void for_all(struct edge *edge, void (*each)(struct edge_conn *conn))
{
        for (uint32_t i = 0; i < edge->chunk_count; i++)
                for (uint32_t j = 0; j < SLOTS_PER_CHUNK; j++)
                        if (edge->chunks[i][j].phase != PHASE_FREE)
                                each(&edge->chunks[i][j]);
}

static void say_goodbye(struct edge_conn *conn)
{
        if (conn->phase == PHASE_WS)
                talk_close(conn, 4012, "drain");
        else if (conn->phase == PHASE_HTTP && conn->state == STATE_HEAD)
                conn_shut_after_flush(conn);
        else
                conn->keep_alive = false;
}

static void doom(struct edge_conn *conn)
{
        conn_doom(conn, true);
}

static void begin_stop(struct edge *edge)
{
        edge->stop_due = edge_tick(edge) + STOP_SECONDS * TICKS_PER_SECOND;
        for_all(edge, say_goodbye);
}

static void go_on_stopping(struct edge *edge)
{
        if (edge->live && edge_tick(edge) >= edge->stop_due)
                for_all(edge, doom);
        edge_turn(edge);
        if (!edge->live)
                uv_stop(&edge->loop);
}

static void on_async(uv_async_t *handle)
{
        struct edge *edge = handle->data;
        if (atomic_exchange(&edge->wake_asked, false) && edge->on->on_wake)
                edge->on->on_wake(edge->options.owner);
        if (atomic_load(&edge->stop_asked) && !edge->stop_due)
                begin_stop(edge);
}

static void on_timer(uv_timer_t *handle)
{
        struct edge *edge = handle->data;
        uint32_t tick = (uint32_t)((edge_now(edge) - edge->start_ms) / TICK_MS), before = edge_tick(edge);
        wheel_advance(&edge->wheel, tick, conn_fire, edge);
        if (tick / TICKS_PER_SECOND != before / TICKS_PER_SECOND) {
                limits_sweep(edge->limits, edge_now(edge));
                if (edge->on->on_second)
                        edge->on->on_second(edge->options.owner, edge_now(edge));
        }
        if (edge->stop_due)
                go_on_stopping(edge);
}

/* --- life --- */

static void take_options(struct edge *edge, const struct edge_options *options)
{
        edge->options = *options;
        struct edge_options *own = &edge->options;
        own->max_connections = own->max_connections ? own->max_connections : 20000;
        own->max_handshakes = own->max_handshakes ? own->max_handshakes : 2000;
        own->handshakes_per_minute = own->handshakes_per_minute ? own->handshakes_per_minute : 100;
        own->pending_per_address = own->pending_per_address ? own->pending_per_address : 64;
        own->output_bytes = own->output_bytes ? own->output_bytes : 262144;
        own->body_bytes = own->body_bytes ? own->body_bytes : 65536;
        edge->on = own->handlers;
        edge->ws_path = own->websocket_path ? span_of(*own->websocket_path) : SPAN("/v1/ws");

        struct rlimit limit;
        edge->max_connections = own->max_connections;
        if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < (rlim_t)own->max_connections + SPARE_DESCRIPTORS)
                edge->max_connections = limit.rlim_cur > 2 * SPARE_DESCRIPTORS
                                                ? (uint32_t)limit.rlim_cur - SPARE_DESCRIPTORS
                                                : (uint32_t)limit.rlim_cur;
}

static int make_memory(struct edge *edge)
{
        uint32_t chunks = edge->max_connections / SLOTS_PER_CHUNK + 1;
        edge->chunks = calloc(chunks, sizeof(*edge->chunks));
        edge->limits = limits_new(edge->options.handshakes_per_minute, edge->options.pending_per_address);
        return edge->chunks && edge->limits ? 0 : -ENOMEM;
}

static int make_loop(struct edge *edge)
{
        int rc = uv_loop_init(&edge->loop);
        if (rc < 0)
                return rc;
        rc = uv_async_init(&edge->loop, &edge->async, on_async);
        if (rc < 0) {
                uv_loop_close(&edge->loop);
                return rc;
        }
        edge->start_ms = edge_now(edge);
        uv_timer_init(&edge->loop, &edge->timer);
        uv_prepare_init(&edge->loop, &edge->prepare);
        uv_check_init(&edge->loop, &edge->check);
        edge->async.data = edge->timer.data = edge->prepare.data = edge->check.data = edge;
        return 0;
}

static int make_context(struct edge *edge, char **out_why)
{
        edge->protocols[0] = (struct lws_protocols){
                .name = "raw", .callback = on_lws, .rx_buffer_size = SERVICE_BYTES, .tx_packet_size = SERVICE_BYTES};
        edge->loop_of_lws[0] = &edge->loop;
        struct lws_context_creation_info info = {0};
        info.port = CONTEXT_PORT_NO_LISTEN_SERVER;
        info.protocols = edge->protocols;
        info.options = LWS_SERVER_OPTION_LIBUV;
        info.foreign_loops = edge->loop_of_lws;
        info.retry_and_idle_policy = &edge->no_retry;
        info.pt_serv_buf_size = SERVICE_BYTES;
        info.vhost_name = "edge";
        info.timeout_secs = HEAD_SECONDS;
        info.user = edge;
        info.pcontext = &edge->context; /* set to NULL when it is really gone */
        info.gid = (gid_t)-1;
        info.uid = (uid_t)-1;
        tls_set_up(edge, &info);
        lws_set_log_level(LLL_ERR, on_lws_line);
        edge->context = lws_create_context(&info);
        if (edge->context)
                edge->vhost = lws_get_vhost_by_name(edge->context, "edge");
        if (edge->vhost)
                return 0;
        if (asprintf(out_why, "cannot set up the network: %s", lws_said) < 0)
                *out_why = NULL;
        return -EIO;
}

static int build(struct edge *edge, char **out_why)
{
        int rc = make_memory(edge);
        if (rc == 0 && edge->options.cert_path)
                rc = tls_check_pair(edge->options.cert_path, edge->options.key_path, out_why);
        if (rc == 0)
                rc = make_context(edge, out_why);
        if (rc == 0)
                rc = accept_listen(edge, out_why);
        return rc;
}

int edge_new(const struct edge_options *options, struct edge **out_edge, char **out_why)
{
        *out_why = NULL;
        struct edge *edge = calloc(1, sizeof(*edge));
        if (!edge)
                return -ENOMEM;
        take_options(edge, options);
        wheel_init(&edge->wheel);
        edge->turn_last = &edge->turn_first;
        int rc = make_loop(edge);
        if (rc < 0) {
                free(edge);
                return rc;
        }
        rc = build(edge, out_why);
        if (rc < 0) {
                edge_free(edge);
                return rc;
        }
        *out_edge = edge;
        return 0;
}

void edge_run(struct edge *edge)
{
        uv_timer_start(&edge->timer, on_timer, TICK_MS, TICK_MS);
        uv_prepare_start(&edge->prepare, on_prepare);
        uv_check_start(&edge->check, on_check);
        accept_update(edge);
        uv_run(&edge->loop, UV_RUN_DEFAULT);
}

/* On a foreign loop the context goes in two steps, with the loop closing its handles in between. */
static void close_context(struct edge *edge)
{
        for (int i = 0; i < 2; i++) {
                if (edge->context)
                        lws_context_destroy(edge->context);
                uv_run(&edge->loop, UV_RUN_DEFAULT);
        }
}

struct edge *edge_free(struct edge *edge)
{
        if (!edge)
                return NULL;
        accept_close(edge);
        uv_handle_t *own[] = {(uv_handle_t *)&edge->async, (uv_handle_t *)&edge->timer, (uv_handle_t *)&edge->prepare,
                              (uv_handle_t *)&edge->check};
        for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
                uv_close(own[i], NULL);
        close_context(edge);
        uv_loop_close(&edge->loop);
        limits_free(edge->limits);
        statics_free(edge);
        for (uint32_t i = 0; i < edge->chunk_count; i++)
                free(edge->chunks[i]);
        free(edge->chunks);
        free(edge->listeners);
        free(edge);
        return NULL;
}

void edge_wake(struct edge *edge)
{
        if (!atomic_exchange(&edge->wake_asked, true))
                uv_async_send(&edge->async);
}

void edge_stop(struct edge *edge)
{
        atomic_store(&edge->stop_asked, true);
        uv_async_send(&edge->async);
}

void edge_set_healthy(struct edge *edge, bool healthy)
{
        atomic_store_explicit(&edge->is_healthy, healthy, memory_order_relaxed);
}

void edge_stats_read(const struct edge *edge, struct edge_stats *out_stats)
{
        const struct stats_cells *from = &edge->stats;
#define READ(cell) out_stats->cell = atomic_load_explicit(&from->cell, memory_order_relaxed)
        READ(accepted);
        READ(refused);
        READ(upgraded);
        READ(closed);
        READ(messages_in);
        READ(messages_out);
        READ(bytes_in);
        READ(bytes_out);
        READ(slow_closed);
        READ(live);
#undef READ
}
