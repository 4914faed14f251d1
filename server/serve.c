/* SPDX-License-Identifier: Apache-2.0 */
/* The running server, put together: lock, store, network threads, control socket, ops listener; then the main thread
 * waits for signals, keeps the mark (delivery R5) and, at the end, drains. */
#include "serve.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "config/config.h"
#include "desk/desk.h"
#include "files/file_store.h"
#include "ops/clock.h"
#include "ops/control.h"
#include "ops/lock.h"
#include "ops/log.h"
#include "ops/mark.h"
#include "ops/metrics.h"
#include "ops/ops_http.h"
#include "ops/reserve.h"
#include "ops/sandbox.h"
#include "outbound/outbound.h"
#include "session/net.h"

enum {
        NETS_MAX = 64,
        FILES_THREADS = 2,
        MARK_EVERY_MS = 10000,
        DRAIN_MS = 8000,   /* of the 10 s that a stop may take */
        FAREWELL_MS = 300, /* for close frames to leave before a hard end */
        DRAIN_LOOK_MS = 20,
};

struct server {
        struct config *config;
        const struct serve_reload *reload;
        struct log log;
        int lock_fd;
        struct file_store *files;
        struct desk *desk;
        struct outbound *outbound;
        struct edge_options edge;
        struct net *nets[NETS_MAX];
        pthread_t threads[NETS_MAX];
        uint32_t net_count, running;
        struct control *control;
        struct ops_http *ops;
        sigset_t signals;
        pthread_t main_thread;
        atomic_bool is_fatal, is_stopping;
        int64_t marked_rev;
};

/* ---- start ---- */

static int failed(const struct server *server, int exit_code, const char *what, char *why)
{
        (void)server;
        fprintf(stderr, "deskbell: %s%s%s\n", what, why ? ": " : "", why ? why : "");
        free(why);
        return exit_code;
}

static int take_folder(struct server *server)
{
        char *why = NULL;
        if (sandbox_drop_root(server->config->data, &why) < 0)
                return failed(server, EX_NOPERM, "cannot give up root", why);
        int rc = lock_take(server->config->data, &server->lock_fd, &why);
        if (rc < 0)
                return failed(server, rc == -EWOULDBLOCK ? EX_TEMPFAIL : EX_CANTCREAT, "the data folder cannot be used",
                              why);
        if (reserve_make(server->config->data) < 0)
                log_warn(&server->log, "no space for the reserve of 16 MiB");
        return EX_OK;
}

static int open_desk(struct server *server)
{
        const struct config *config = server->config;
        struct desk_settings settings = {.data_dir = config->data,
                                         .readers = config->readers,
                                         .quick_check_mb = config->quick_check_mb,
                                         .retry_days = config->retry_days,
                                         .key_window_days = config->key_window_days,
                                         .in_flight = config->in_flight,
                                         .heartbeat_ms = config->heartbeat_ms,
                                         .dead_ms = config->dead_ms,
                                         .devices_per_customer = config->devices_per_customer,
                                         .devices_per_agent = config->devices_per_agent,
                                         .webhook_ca = config->webhook_ca,
                                         .webhook_allow = (const char *const *)config->webhook_allow};
        struct file_store_options files = {
                .data_dir = config->data, .threads = FILES_THREADS, .reserve_bytes = FILE_STORE_RESERVE};
        char *why = NULL;
        if (file_store_start(&files, &server->files) < 0)
                return failed(server, EX_OSERR, "the files threads cannot be started", NULL);
        settings.files = server->files;
        settings.attachment_bytes = config->attachment_bytes;
        settings.attachments_per_day = config->attachments_per_day;
        settings.attachment_quota_bytes = (int64_t)config->attachment_quota_mib * 1024 * 1024;
        int rc = desk_open(&settings, false, &server->desk, &why);
        if (rc < 0)
                return failed(server, rc == DB_NEWER || rc == DB_DAMAGED ? EX_DATAERR : EX_CANTCREAT,
                              "the store cannot be opened", why);
        return EX_OK;
}

static int open_nets(struct server *server)
{
        const struct config *config = server->config;
        server->edge = (struct edge_options){
                .listen = (const char *const *)config->listen,
                .cert_path = *config->cert ? config->cert : NULL,
                .key_path = *config->key ? config->key : NULL,
                .hosts = config->hosts && config->hosts[0] ? (const char *const *)config->hosts : NULL,
                .max_connections = config->max_connections,
                .max_handshakes = config->max_handshakes,
                .handshakes_per_minute = config->handshakes_per_minute,
                .pending_per_address = config->pending_per_address,
                .output_bytes = config->output_bytes};
        struct net_options options = {.desk = server->desk,
                                      .files = server->files,
                                      .edge = &server->edge,
                                      .in_flight = config->in_flight,
                                      .rate_messages_per_s = config->rate_messages_per_s,
                                      .rate_burst = config->rate_burst,
                                      .visitors_per_minute = config->visitors_per_minute,
                                      .auth_ms = config->auth_ms,
                                      .heartbeat_ms = config->heartbeat_ms,
                                      .dead_ms = config->dead_ms,
                                      .drain_ms = config->drain_ms};
        uint32_t wanted = config->net_threads < NETS_MAX ? config->net_threads : NETS_MAX;
        for (; server->net_count < wanted; server->net_count++) {
                char *why = NULL;
                options.thread = server->net_count;
                if (net_new(&options, &server->nets[server->net_count], &why) < 0)
                        return failed(server, EX_UNAVAILABLE, "cannot listen", why);
        }
        return EX_OK;
}

/* The desk's thread: the outcome of a commit is unknown (delivery A2). */
static void on_fatal(void *data)
{
        struct server *server = data;
        atomic_store(&server->is_fatal, true);
        /* The signal is blocked in every thread; the main thread waits for it with sigwait. */
        pthread_kill(server->main_thread, SIGTERM); /* NOLINT(bugprone-bad-signal-to-kill-thread): ends no thread */
}

static void *net_main(void *data)
{
        net_run(data);
        return NULL;
}

static int start_outbound(struct server *server)
{
        const struct config *config = server->config;
        struct outbound_options options = {.desk = server->desk,
                                           .data_dir = config->data,
                                           .allow = (const char *const *)config->webhook_allow,
                                           .tries_s = (const char *const *)config->webhook_tries_s,
                                           .ca_path = config->webhook_ca};
        char *why = NULL;
        if (outbound_start(&options, &server->outbound, &why) < 0)
                return failed(server, EX_CONFIG, "webhooks cannot be served", why);
        return EX_OK;
}

static int start_threads(struct server *server)
{
        int rc = start_outbound(server);
        if (rc != EX_OK)
                return rc;
        if (desk_start(server->desk, on_fatal, server) < 0)
                return failed(server, EX_OSERR, "the desk's threads cannot be started", NULL);
        for (; server->running < server->net_count; server->running++)
                if (pthread_create(&server->threads[server->running], NULL, net_main, server->nets[server->running]) !=
                    0)
                        return failed(server, EX_OSERR, "a network thread cannot be started", NULL);
        return EX_OK;
}

static int post_operator(void *data, struct span method, char *params, size_t len,
                         void (*done)(void *data, struct span response), void *done_data)
{
        struct server *server = data;
        return desk_post_operator(server->desk, method, params, len, done, done_data);
}

static bool is_ready(void *data, FILE *out)
{
        struct server *server = data;
        bool read_only = desk_is_read_only(server->desk), stopping = atomic_load(&server->is_stopping);
        bool suspect = desk_is_clock_suspect(server->desk);
        fprintf(out, ",\"read_only\":%s,\"stopping\":%s,\"clock_suspect\":%s", read_only ? "true" : "false",
                stopping ? "true" : "false", suspect ? "true" : "false");
        return !read_only && !stopping;
}

static int start_ops(struct server *server)
{
        char *why = NULL;
        struct control_options control = {.dir = server->config->data, .post = post_operator, .post_data = server};
        if (control_start(&control, &server->control, &why) < 0)
                return failed(server, EX_CANTCREAT, "the control socket cannot be made", why);
        if (!*server->config->ops_listen)
                return EX_OK;
        struct ops_http_options ops = {.listen = server->config->ops_listen, .ready = is_ready, .data = server};
        if (ops_http_start(&ops, &server->ops, &why) < 0) {
                log_warn(&server->log, "no /readyz and /metrics", "why", why);
                free(why);
        }
        return EX_OK;
}

/* ---- metrics ---- */

enum figure {
        FIGURE_LIVE,
        FIGURE_SESSIONS,
        FIGURE_ACCEPTED,
        FIGURE_REFUSED,
        FIGURE_MESSAGES_IN,
        FIGURE_MESSAGES_OUT,
        FIGURE_SLOW,
        FIGURE_OPENED,
        FIGURE_STRIKES,
        FIGURE_LIMITED,
        FIGURE_STORED,
        FIGURE_DUPLICATES,
        FIGURE_BATCHES,
        FIGURE_COMMANDS,
        FIGURE_COMMIT_US,
        FIGURE_FAILURES,
        FIGURE_QUEUED,
        FIGURE_REV,
        FIGURE_HOOK_TRIES,
        FIGURE_HOOK_DELIVERED,
        FIGURE_HOOK_DEAD,
        FIGURE_FILES,
        FIGURE_FILE_BYTES_IN,
        FIGURE_FILE_BYTES_OUT,
        FIGURE_FILES_REMOVED,
        FIGURE_FILE_FAILURES,
        FIGURE_FILES_QUEUED,
        FIGURE_BOT_TURNS,
        FIGURE_BOT_FAILURES,
        FIGURE_BOT_POSTS,
        FIGURE_BOT_POSTS_FAILED,
        FIGURE_BOT_CIRCUITS,
        FIGURES
};

static struct server *measured; /* the one server of the process */

static int64_t read_edge(enum figure figure)
{
        int64_t sum = 0;
        for (uint32_t i = 0; i < measured->net_count; i++) {
                struct edge_stats edge;
                struct net_stats net;
                edge_stats_read(net_edge(measured->nets[i]), &edge);
                net_stats_read(measured->nets[i], &net);
                const int64_t values[] = {[FIGURE_LIVE] = edge.live,
                                          [FIGURE_SESSIONS] = net.sessions,
                                          [FIGURE_ACCEPTED] = (int64_t)edge.accepted,
                                          [FIGURE_REFUSED] = (int64_t)edge.refused,
                                          [FIGURE_MESSAGES_IN] = (int64_t)edge.messages_in,
                                          [FIGURE_MESSAGES_OUT] = (int64_t)edge.messages_out,
                                          [FIGURE_SLOW] = (int64_t)edge.slow_closed,
                                          [FIGURE_OPENED] = (int64_t)net.opened,
                                          [FIGURE_STRIKES] = (int64_t)net.strikes,
                                          [FIGURE_LIMITED] = (int64_t)net.rate_limited};
                sum += values[figure];
        }
        return sum;
}

static int64_t read_figure(void *data)
{
        enum figure figure = (enum figure)(intptr_t)data;
        if (figure <= FIGURE_LIMITED)
                return read_edge(figure);
        struct desk_stats desk;
        struct outbound_stats hooks;
        desk_stats_read(measured->desk, &desk);
        outbound_stats_read(measured->outbound, &hooks);
        struct file_store_stats files;
        file_store_stats_read(measured->files, &files);
        const int64_t values[FIGURES] = {[FIGURE_STORED] = (int64_t)desk.messages,
                                         [FIGURE_DUPLICATES] = (int64_t)desk.duplicates,
                                         [FIGURE_BATCHES] = (int64_t)desk.batches,
                                         [FIGURE_COMMANDS] = (int64_t)desk.commands,
                                         [FIGURE_COMMIT_US] = (int64_t)desk.commit_us,
                                         [FIGURE_FAILURES] = (int64_t)desk.commit_failures,
                                         [FIGURE_QUEUED] = (int64_t)desk.queued,
                                         [FIGURE_REV] = desk_rev(measured->desk),
                                         [FIGURE_HOOK_TRIES] = (int64_t)hooks.tries,
                                         [FIGURE_HOOK_DELIVERED] = (int64_t)hooks.delivered,
                                         [FIGURE_HOOK_DEAD] = (int64_t)hooks.dead,
                                         [FIGURE_FILES] = (int64_t)files.finished,
                                         [FIGURE_FILE_BYTES_IN] = (int64_t)files.bytes_in,
                                         [FIGURE_FILE_BYTES_OUT] = (int64_t)files.bytes_out,
                                         [FIGURE_FILES_REMOVED] = (int64_t)files.removed,
                                         [FIGURE_FILE_FAILURES] = (int64_t)files.failures,
                                         [FIGURE_FILES_QUEUED] = (int64_t)files.waiting,
                                         [FIGURE_BOT_TURNS] = (int64_t)desk.bot_turns,
                                         [FIGURE_BOT_FAILURES] = (int64_t)desk.bot_failures,
                                         [FIGURE_BOT_POSTS] = (int64_t)desk.bot_posts,
                                         [FIGURE_BOT_POSTS_FAILED] = (int64_t)desk.bot_posts_failed,
                                         [FIGURE_BOT_CIRCUITS] = desk.bot_circuits};
        return values[figure];
}

static struct metric metrics[FIGURES] = {
        [FIGURE_LIVE] = METRIC_GAUGE("deskbell_connections", "TCP connections open"),
        [FIGURE_SESSIONS] = METRIC_GAUGE("deskbell_sessions", "WebSockets open, logged in or about to"),
        [FIGURE_ACCEPTED] = METRIC_COUNTER("deskbell_connections_accepted_total", "TCP connections accepted"),
        [FIGURE_REFUSED] = METRIC_COUNTER("deskbell_connections_refused_total", "connections refused by limit or gate"),
        [FIGURE_MESSAGES_IN] = METRIC_COUNTER("deskbell_frames_in_total", "WebSocket messages received"),
        [FIGURE_MESSAGES_OUT] = METRIC_COUNTER("deskbell_frames_out_total", "WebSocket messages sent"),
        [FIGURE_SLOW] = METRIC_COUNTER("deskbell_slow_readers_closed_total", "connections closed with 4008"),
        [FIGURE_OPENED] = METRIC_COUNTER("deskbell_sessions_opened_total", "session.open accepted"),
        [FIGURE_STRIKES] = METRIC_COUNTER("deskbell_strikes_total", "malformed or forbidden requests"),
        [FIGURE_LIMITED] = METRIC_COUNTER("deskbell_rate_limited_total", "requests refused by a rate limit"),
        [FIGURE_STORED] = METRIC_COUNTER("deskbell_messages_total", "messages stored"),
        [FIGURE_DUPLICATES] = METRIC_COUNTER("deskbell_duplicates_total", "repeats recognised"),
        [FIGURE_BATCHES] = METRIC_COUNTER("deskbell_batches_total", "transactions committed"),
        [FIGURE_COMMANDS] = METRIC_COUNTER("deskbell_commands_total", "commands executed by the desk"),
        [FIGURE_COMMIT_US] = METRIC_COUNTER("deskbell_commit_microseconds_total", "time spent in COMMIT"),
        [FIGURE_FAILURES] = METRIC_COUNTER("deskbell_batches_refused_total", "transactions rolled back"),
        [FIGURE_QUEUED] = METRIC_GAUGE("deskbell_desk_queue", "commands waiting for the desk"),
        [FIGURE_REV] = METRIC_GAUGE("deskbell_rev", "change number of the store"),
        [FIGURE_HOOK_TRIES] = METRIC_COUNTER("deskbell_webhook_tries_total", "requests made to webhooks"),
        [FIGURE_HOOK_DELIVERED] = METRIC_COUNTER("deskbell_webhook_delivered_total", "events delivered to webhooks"),
        [FIGURE_HOOK_DEAD] = METRIC_COUNTER("deskbell_webhook_dead_total", "events given up after the last try"),
        [FIGURE_FILES] = METRIC_COUNTER("deskbell_uploads_total", "uploads that came whole"),
        [FIGURE_FILE_BYTES_IN] = METRIC_COUNTER("deskbell_upload_bytes_total", "bytes of uploads written"),
        [FIGURE_FILE_BYTES_OUT] = METRIC_COUNTER("deskbell_download_bytes_total", "bytes of attachments read"),
        [FIGURE_FILES_REMOVED] = METRIC_COUNTER("deskbell_files_removed_total", "attachments removed from the disk"),
        [FIGURE_FILE_FAILURES] = METRIC_COUNTER("deskbell_file_failures_total", "attachments the disk failed on"),
        [FIGURE_FILES_QUEUED] = METRIC_GAUGE("deskbell_files_queue", "jobs waiting for the files threads"),
        [FIGURE_BOT_TURNS] = METRIC_COUNTER("deskbell_bot_turns_total", "turns of bots taken"),
        [FIGURE_BOT_FAILURES] =
                METRIC_COUNTER("deskbell_bot_failures_total", "conversations opened to people because no turn came"),
        [FIGURE_BOT_POSTS] = METRIC_COUNTER("deskbell_bot_posts_total", "requests to webhook bots, and calls"),
        [FIGURE_BOT_POSTS_FAILED] =
                METRIC_COUNTER("deskbell_bot_posts_failed_total", "of these without a usable answer, or not made"),
        [FIGURE_BOT_CIRCUITS] = METRIC_GAUGE("deskbell_bot_circuits_open", "bots not asked because they kept failing"),
};

static void start_metrics(struct server *server)
{
        measured = server;
        for (int i = 0; i < FIGURES; i++) {
                metrics[i].read = read_figure;
                metrics[i].data = (void *)(intptr_t)i;
                metric_register(&metrics[i]);
        }
}

/* ---- running ---- */

static void say_listening(const struct server *server)
{
        for (size_t i = 0; server->config->listen[i]; i++) {
                const char *address = server->config->listen[i];
                const char *colon = strrchr(address, ':');
                printf("listening on %.*s:%u\n", (int)(colon - address), address,
                       edge_port(net_edge(server->nets[0]), i));
        }
        fflush(stdout);
}

static void keep_mark(struct server *server)
{
        int64_t rev = desk_rev(server->desk);
        if (rev == server->marked_rev)
                return;
        uint8_t epoch[8];
        desk_epoch(server->desk, epoch);
        if (mark_write(server->config->data, epoch, rev) == 0)
                server->marked_rev = rev;
}

static void say_changed(void *data, const char *key, bool is_live)
{
        struct server *server = data;
        if (is_live)
                log_info(&server->log, "setting changed", "key", key);
        else
                log_warn(&server->log, "setting takes effect after a restart", "key", key);
}

static void reload(struct server *server)
{
        for (uint32_t i = 0; i < server->net_count && *server->config->cert; i++)
                net_reload_tls(server->nets[i]);
        struct config fresh;
        if (!server->reload || server->reload->load(server->reload->data, &fresh) != 0) {
                if (server->reload)
                        log_error(&server->log, "the settings were not reloaded; the old ones stay");
                return;
        }
        config_compare(server->config, &fresh, say_changed, server);
        if (config_apply_live(server->config, &fresh) == 0) {
                log_set_level(server->config->log_level);
                for (uint32_t i = 0; i < server->net_count; i++)
                        net_set_rate(server->nets[i], server->config->rate_messages_per_s, server->config->rate_burst);
        }
        config_done(&fresh);
}

static void wait_for_stop(struct server *server)
{
        const struct timespec mark_every = {MARK_EVERY_MS / 1000, 0};
        for (;;) {
                int got = sigtimedwait(&server->signals, NULL, &mark_every);
                if (got == SIGTERM || got == SIGINT)
                        return;
                if (got == SIGHUP)
                        reload(server);
                keep_mark(server);
        }
}

static uint32_t sessions_left(const struct server *server)
{
        uint32_t left = 0;
        for (uint32_t i = 0; i < server->net_count; i++) {
                struct net_stats stats;
                net_stats_read(server->nets[i], &stats);
                left += stats.sessions;
        }
        return left;
}

static void drain(struct server *server)
{
        log_info(&server->log, "draining", "sessions", sessions_left(server));
        for (uint32_t i = 0; i < server->net_count; i++)
                edge_set_healthy(net_edge(server->nets[i]), false);
        desk_post_drain(server->desk);
        for (int waited = 0; waited < DRAIN_MS && sessions_left(server) > 0; waited += DRAIN_LOOK_MS)
                usleep(DRAIN_LOOK_MS * 1000);
}

/* ---- end ---- */

static int stop(struct server *server, int exit_code)
{
        bool is_fatal = atomic_load(&server->is_fatal);
        if (is_fatal) {
                for (uint32_t i = 0; i < server->net_count; i++)
                        net_close_all(server->nets[i], PROTOCOL_CLOSE_UNAVAILABLE);
                usleep(FAREWELL_MS * 1000);
                _exit(EX_SOFTWARE); /* nothing of this process's memory is to be trusted further */
        }
        server->control = control_stop(server->control);
        if (server->desk)
                desk_stop(server->desk);
        server->ops = ops_http_stop(server->ops);
        for (int i = 0; i < FIGURES && measured; i++)
                metric_forget(&metrics[i]);
        server->outbound = outbound_stop(server->outbound);
        if (server->files) /* what comes back finds the nets and the desk's mailbox still there */
                file_store_stop(server->files);
        for (uint32_t i = 0; i < server->running; i++)
                net_stop(server->nets[i]);
        for (uint32_t i = 0; i < server->running; i++)
                pthread_join(server->threads[i], NULL);
        for (uint32_t i = 0; i < server->net_count; i++)
                server->nets[i] = net_free(server->nets[i]);
        server->desk = desk_close(server->desk);
        server->files = file_store_free(server->files);
        lock_drop(server->lock_fd);
        return exit_code;
}

int serve_run(struct config *config, const struct serve_reload *reload_by)
{
        struct server server = {.config = config, .reload = reload_by, .log = {.area = "serve"}, .lock_fd = -1};
        server.main_thread = pthread_self();
        sigemptyset(&server.signals);
        sigaddset(&server.signals, SIGTERM);
        sigaddset(&server.signals, SIGINT);
        sigaddset(&server.signals, SIGHUP);
        pthread_sigmask(SIG_BLOCK, &server.signals, NULL); /* before any thread: all of them inherit it */

        int rc = take_folder(&server);
        if (rc == EX_OK)
                rc = open_desk(&server);
        if (rc == EX_OK)
                rc = open_nets(&server);
        if (rc == EX_OK) {
                const char *writable[] = {config->data, NULL};
                if (*config->webhook_ca)
                        sandbox_keep_readable(config->webhook_ca);
                const char *readable[] = {*config->cert ? config->cert : NULL, *config->key ? config->key : NULL, NULL};
                sandbox_enter(&(struct sandbox_paths){.read_write = writable, .read_only = readable});
                rc = start_threads(&server);
        }
        if (rc == EX_OK)
                rc = start_ops(&server);
        if (rc != EX_OK)
                return stop(&server, rc);
        start_metrics(&server);
        for (uint32_t i = 0; i < server.net_count; i++)
                edge_set_healthy(net_edge(server.nets[i]), true);
        say_listening(&server);
        wait_for_stop(&server);
        atomic_store(&server.is_stopping, true);
        if (!atomic_load(&server.is_fatal))
                drain(&server);
        return stop(&server, EX_OK);
}
