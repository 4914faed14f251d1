/* SPDX-License-Identifier: Apache-2.0 */
/* Edge echo: the smallest server on the edge: it echoes texts, and does what a few command words ask, so that scripts
 * can bring the edge into any state. Prints "port N" when it listens. SIGHUP reloads the certificate, SIGTERM ends it.
 *
 * Texts: anything is echoed, but
 *      !close CODE TAG   !max BYTES   !deadline MS (answers "deadline")   !flood COUNT BYTES   !trust   !pause (1 s)
 * HTTP:
 *      POST /echo        the body           PUT /stream   "bytes N", streamed; X-Deskbell: slow pauses after each piece
 *      POST /later       the body, answered from another thread
 *      GET  /pieces?N    N bytes in pieces  GET /refuse   403      GET /split  a handler that forges a header line
 *      GET  /stats       counters, CPU microseconds and memory     GET /sick, /well   what /healthz says */
#include <getopt.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "edge/edge.h"

struct session {
        struct edge_conn *conn;
        bool is_paused;
};

struct upload {
        struct edge_ref ref;
        struct edge_conn *conn;
        size_t bytes;
        bool is_slow;
};

struct later {
        struct edge_ref ref;
        size_t len;
        char *body;
};

static struct edge *edge;
static int trust = 1;
static atomic_bool reload_asked;
static struct session *paused[16]; /* resumed each second */
static struct upload *slow_uploads[16];

static struct {
        pthread_mutex_t lock;
        struct later items[64];
        int count;
} laters = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct {
        struct edge_ref ref;
        size_t left;
} pieces[16];

/* --- texts --- */

static void *on_open(void *owner, struct edge_conn *conn, const struct edge_peer *peer)
{
        (void)owner;
        if (peer->origin.at && span_equal(peer->origin, SPAN("https://foreign.example")))
                return NULL;
        if (peer->origin.at && span_equal(peer->origin, SPAN("https://busy.example"))) {
                edge_refuse_with(conn, 503);
                edge_send(conn, SPAN("never seen"));
                return NULL;
        }
        struct session *session = calloc(1, sizeof(*session));
        if (session)
                session->conn = conn;
        if (trust)
                edge_conn_trusted(conn);
        return session;
}

static void forget(struct session *session)
{
        for (int i = 0; i < 16; i++)
                if (paused[i] == session)
                        paused[i] = NULL;
}

static void on_close(void *user)
{
        forget(user);
        free(user);
}

static void flood(struct session *session, unsigned count, unsigned bytes)
{
        char *text = malloc(bytes + 1);
        if (!text)
                return;
        memset(text, 'f', bytes);
        struct edge_frame *frame = edge_frame_new((struct span){text, bytes});
        unsigned sent = 0;
        while (frame && sent < count && edge_send_frame(session->conn, frame) == 0)
                sent++;
        edge_frame_unref(frame);
        free(text);
}

static void pause_reading(struct session *session)
{
        for (int i = 0; i < 16; i++) {
                if (!paused[i]) {
                        paused[i] = session;
                        edge_pause_reading(session->conn, true);
                        return;
                }
        }
}

static void obey(struct session *session, const char *order)
{
        unsigned a = 0, b = 0;
        char tag[64] = "";
        if (sscanf(order, "!close %u %60s", &a, tag) >= 1)
                edge_close(session->conn, (uint16_t)a, tag);
        else if (sscanf(order, "!max %u", &a) == 1)
                edge_set_max_message(session->conn, a);
        else if (sscanf(order, "!deadline %u", &a) == 1)
                edge_set_deadline(session->conn, a);
        else if (sscanf(order, "!flood %u %u", &a, &b) == 2)
                flood(session, a, b);
        else if (strcmp(order, "!trust") == 0)
                edge_conn_trusted(session->conn);
        else if (strcmp(order, "!pause") == 0)
                pause_reading(session);
}

static void on_text(void *user, char *bytes, size_t len)
{
        struct session *session = user;
        if (len == 0 || len > 100 || bytes[0] != '!') {
                edge_send(session->conn, (struct span){bytes, len});
                return;
        }
        char order[128];
        memcpy(order, bytes, len);
        order[len] = '\0';
        obey(session, order);
}

static void on_deadline(void *user)
{
        struct session *session = user;
        edge_send(session->conn, SPAN("deadline"));
}

/* --- HTTP --- */

static void answer(struct edge_ref ref, int status, struct span body)
{
        edge_reply(edge, ref, status, "text/plain", SPAN(""), body);
}

static void answer_stats(struct edge_ref ref)
{
        struct edge_stats stats;
        struct rusage usage;
        char text[512];
        long resident = 0, shared = 0;
        FILE *statm = fopen("/proc/self/statm", "r");
        if (statm) {
                if (fscanf(statm, "%*d %ld %ld", &resident, &shared) != 2)
                        resident = shared = 0;
                fclose(statm);
        }
        getrusage(RUSAGE_SELF, &usage);
        edge_stats_read(edge, &stats);
        long long cpu = (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000LL + usage.ru_utime.tv_usec +
                        usage.ru_stime.tv_usec;
        int len = snprintf(text, sizeof(text),
                           "{\"accepted\":%llu,\"refused\":%llu,\"upgraded\":%llu,\"closed\":%llu,\"in\":%llu,"
                           "\"out\":%llu,\"live\":%u,\"slow_closed\":%llu,\"cpu_us\":%lld,\"anon_bytes\":%lld}\n",
                           (unsigned long long)stats.accepted, (unsigned long long)stats.refused,
                           (unsigned long long)stats.upgraded, (unsigned long long)stats.closed,
                           (unsigned long long)stats.messages_in, (unsigned long long)stats.messages_out, stats.live,
                           (unsigned long long)stats.slow_closed, cpu,
                           (long long)(resident - shared) * sysconf(_SC_PAGESIZE));
        answer(ref, 200, (struct span){text, (size_t)len});
}

static void begin_pieces(struct edge_ref ref, struct span query)
{
        size_t bytes = 0;
        for (size_t i = 0; i < query.len; i++)
                bytes = bytes * 10 + (size_t)(query.at[i] - '0');
        for (int i = 0; i < 16; i++) {
                if (pieces[i].left == 0) {
                        pieces[i].ref = ref;
                        pieces[i].left = bytes;
                        edge_reply_begin(edge, ref, 200, "application/octet-stream", SPAN(""), (int64_t)bytes);
                        return;
                }
        }
        answer(ref, 503, SPAN(""));
}

static void on_drained(void *owner, struct edge_ref ref)
{
        static const char piece[65536];
        (void)owner;
        for (int i = 0; i < 16; i++) {
                if (pieces[i].left == 0 || memcmp(&pieces[i].ref, &ref, sizeof(ref)) != 0)
                        continue;
                size_t len = pieces[i].left < sizeof(piece) ? pieces[i].left : sizeof(piece);
                if (edge_reply_piece(edge, ref, (struct span){piece, len}) < 0)
                        len = pieces[i].left;
                pieces[i].left -= len;
        }
}

static enum edge_body begin_upload(const struct edge_request *request, void **out_user)
{
        struct upload *upload = calloc(1, sizeof(*upload));
        if (!upload)
                return EDGE_BODY_REFUSE;
        upload->ref = request->ref;
        upload->conn = request->conn;
        upload->is_slow = request->deskbell.at && span_equal(request->deskbell, SPAN("slow"));
        *out_user = upload;
        return EDGE_BODY_STREAM;
}

static bool path_is(const struct edge_request *request, const char *path)
{
        return span_equal(request->path, span_of(path));
}

static enum edge_body on_request(void *owner, const struct edge_request *request, void **out_user)
{
        (void)owner;
        if (path_is(request, "/stats"))
                answer_stats(request->ref);
        else if (path_is(request, "/stream"))
                return begin_upload(request, out_user);
        else if (path_is(request, "/pieces"))
                begin_pieces(request->ref, request->query);
        else if (path_is(request, "/refuse"))
                answer(request->ref, 403, SPAN("no\n"));
        else if (path_is(request, "/split"))
                edge_reply(edge, request->ref, 200, "text/plain", SPAN("X-A: b\r\n\r\nforged"), SPAN("x"));
        else if (path_is(request, "/sick") || path_is(request, "/well"))
                edge_set_healthy(edge, path_is(request, "/well")), answer(request->ref, 204, SPAN(""));
        else if (path_is(request, "/echo") || path_is(request, "/later") || path_is(request, "/peer"))
                return EDGE_BODY_BUFFER;
        else
                answer(request->ref, 404, SPAN(""));
        return EDGE_BODY_REFUSE;
}

static void *answer_later(void *data)
{
        (void)data;
        usleep(20000);
        edge_wake(edge);
        return NULL;
}

static void keep_for_later(struct edge_request *request)
{
        pthread_t thread;
        struct later later = {.ref = request->ref, .len = request->body_len, .body = malloc(request->body_len + 1)};
        if (later.body)
                memcpy(later.body, request->body, request->body_len);
        pthread_mutex_lock(&laters.lock);
        if (laters.count < 64)
                laters.items[laters.count++] = later;
        pthread_mutex_unlock(&laters.lock);
        if (pthread_create(&thread, NULL, answer_later, NULL) == 0)
                pthread_detach(thread);
}

static void on_request_ready(void *owner, void *user, struct edge_request *request)
{
        (void)owner;
        (void)user;
        if (path_is(request, "/later"))
                keep_for_later(request);
        else
                answer(request->ref, 200, (struct span){request->body, request->body_len});
}

static bool on_body(void *user, const char *bytes, size_t len)
{
        struct upload *upload = user;
        (void)bytes;
        upload->bytes += len;
        if (!upload->is_slow)
                return true;
        for (int i = 0; i < 16; i++) {
                if (!slow_uploads[i]) {
                        slow_uploads[i] = upload;
                        return false;
                }
        }
        return true;
}

static void on_body_end(void *user, bool complete)
{
        struct upload *upload = user;
        char text[64];
        for (int i = 0; i < 16; i++)
                if (slow_uploads[i] == upload)
                        slow_uploads[i] = NULL;
        int len = snprintf(text, sizeof(text), "bytes %zu\n", upload->bytes);
        if (complete)
                answer(upload->ref, 200, (struct span){text, (size_t)len});
        free(upload);
}

/* --- the loop's calls --- */

static void on_wake(void *owner)
{
        (void)owner;
        pthread_mutex_lock(&laters.lock);
        int count = laters.count;
        struct later items[64];
        memcpy(items, laters.items, sizeof(items));
        laters.count = 0;
        pthread_mutex_unlock(&laters.lock);
        for (int i = 0; i < count; i++) {
                answer(items[i].ref, 200, (struct span){items[i].body, items[i].len});
                free(items[i].body);
        }
        if (atomic_exchange(&reload_asked, false)) {
                char *why = NULL;
                int rc = edge_reload_tls(edge, &why);
                printf("reload %s\n", rc < 0 ? "refused" : "done");
                fflush(stdout);
                free(why);
        }
}

static void on_second(void *owner, uint64_t mono_ms)
{
        (void)owner;
        (void)mono_ms;
        for (int i = 0; i < 16; i++) {
                struct session *session = paused[i];
                struct upload *upload = slow_uploads[i];
                paused[i] = NULL;
                slow_uploads[i] = NULL;
                if (session)
                        edge_pause_reading(session->conn, false);
                if (upload)
                        edge_resume(upload->conn);
        }
}

static void on_signal(int number)
{
        if (number == SIGHUP) {
                atomic_store(&reload_asked, true);
                edge_wake(edge);
        } else {
                edge_stop(edge);
        }
}

static struct edge_options options = {
        .handlers = &(const struct edge_handlers){.on_open = on_open,
                                                  .on_text = on_text,
                                                  .on_close = on_close,
                                                  .on_request = on_request,
                                                  .on_request_ready = on_request_ready,
                                                  .on_body = on_body,
                                                  .on_body_end = on_body_end,
                                                  .on_wake = on_wake,
                                                  .on_second = on_second,
                                                  .on_deadline = on_deadline,
                                                  .on_drained = on_drained},
        .handshakes_per_minute = 1000000,
        .pending_per_address = 1000000,
        .max_handshakes = 1000000,
};

static void read_options(int argc, char **argv)
{
        static const struct option names[] = {
                {"cert", 1, NULL, 'c'},   {"key", 1, NULL, 'k'},     {"connections", 1, NULL, 'n'},
                {"minute", 1, NULL, 'm'}, {"pending", 1, NULL, 'p'}, {"handshakes", 1, NULL, 'h'},
                {"host", 1, NULL, 'H'},   {"listen", 1, NULL, 'l'},  {"distrust", 0, NULL, 'd'},
                {"output", 1, NULL, 'o'}, {NULL, 0, NULL, 0},
        };
        static const char *hosts[2], *listen[2] = {"127.0.0.1:0"};
        options.listen = listen;
        for (int c; (c = getopt_long(argc, argv, "", names, NULL)) != -1;) {
                uint32_t number = optarg ? (uint32_t)strtoul(optarg, NULL, 10) : 0;
                switch (c) {
                case 'c':
                        options.cert_path = optarg;
                        break;
                case 'k':
                        options.key_path = optarg;
                        break;
                case 'n':
                        options.max_connections = number;
                        break;
                case 'm':
                        options.handshakes_per_minute = number;
                        break;
                case 'p':
                        options.pending_per_address = number;
                        break;
                case 'h':
                        options.max_handshakes = number;
                        break;
                case 'H':
                        hosts[0] = optarg;
                        options.hosts = hosts;
                        break;
                case 'l':
                        listen[0] = optarg;
                        break;
                case 'd':
                        trust = 0;
                        break;
                case 'o':
                        options.output_bytes = number;
                        break;
                default:
                        exit(64);
                }
        }
}

static char script[300000];

static void set_files(void)
{
        memset(script, 's', sizeof(script));
        const struct edge_static files[] = {
                {"/", "text/html; charset=utf-8", SPAN("<!doctype html><title>echo</title>"), NULL},
                {"/a.js", "text/javascript", {script, sizeof(script)}, NULL},
                {"/widget.js", "text/javascript", SPAN("1"), "default-src 'self'"},
        };
        edge_set_static(edge, files, sizeof(files) / sizeof(files[0]));
}

int main(int argc, char **argv)
{
        struct rlimit limit;
        if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && !getenv("EDGE_ECHO_KEEP_LIMIT")) {
                limit.rlim_cur = limit.rlim_max;
                setrlimit(RLIMIT_NOFILE, &limit);
        }
        read_options(argc, argv);
        char *why = NULL;
        if (edge_new(&options, &edge, &why) < 0) {
                fprintf(stderr, "%s\n", why ? why : "out of memory");
                free(why);
                return 1;
        }
        set_files();
        edge_set_healthy(edge, true);
        signal(SIGHUP, on_signal);
        signal(SIGTERM, on_signal);
        signal(SIGINT, on_signal);
        printf("port %u\n", edge_port(edge, 0));
        fflush(stdout);
        edge_run(edge);
        edge_free(edge);
        return 0;
}
