/* SPDX-License-Identifier: Apache-2.0 */
/* The transport over libwebsockets, the only user of that library here. A thread of its own runs the context; everybody
 * else leaves commands and wakes it, since no other call of the library may be made from another thread. Resolving a
 * name blocks this thread and nothing else. The process keeps its SIGPIPE disposition and its log settings.
 *
 * The TLS context is ours: the library finds its own again by an index that before 4.3 moved with each context made in
 * the process, and then freed none but the last (with the system's roots 700 kB each). */
#include "client_private.h"

#include <libwebsockets.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { ABNORMAL = 1006, TOO_BIG = 1009, UNSUPPORTED = 1003 };
enum { QUIET_PASSES = 2 }; /* before sleeping: what reading one thing made the library want to write, has left */

enum command_kind { COMMAND_OPEN, COMMAND_SEND, COMMAND_CLOSE, COMMAND_RESUME };

struct command {
        struct command *next;
        enum command_kind kind;
        deskbell_link *link;
        int code;
        size_t max_bytes;
        size_t len;
        char bytes[]; /* OPEN: the URL. SEND: LWS_PRE bytes of room, then the message */
};

struct connection {
        struct connection *next;
        deskbell_link *link;
        struct lws *wsi;
        struct command *first_out, *last_out;
        char *in;
        size_t in_len, in_room, max_bytes;
        bool is_open, is_ended, is_paused, is_closing; /* closing: by the peer; our answer has to leave */
        int peer_code;
};

struct lws_transport {
        pthread_mutex_t lock; /* commands, context and stop */
        pthread_cond_t wake;
        struct command *first, *last;
        struct lws_context *context;
        bool is_running, is_stopping;
        int wake_fd; /* wakes the thread where it sleeps without the library; -1 = it never does */
        bool wants_tls;
        char *ca_file;
        SSL_CTX *tls;
        pthread_t thread;
        struct connection *connections; /* the thread's own */
};

/* ---- callbacks of the library ------------------------------------------------------------------------------------ */

static void connection_ended(struct connection *connection, struct lws *wsi, int code)
{
        if (wsi)
                lws_set_opaque_user_data(wsi, NULL);
        if (connection->is_ended)
                return;
        connection->is_ended = true;
        connection->wsi = NULL;
        deskbell_link_closed(connection->link, code);
}

/* A masked close frame, written as raw bytes: the library has no call for it but its own closing sequence. */
static void write_close(struct lws *wsi, int code)
{
        unsigned char frame[LWS_PRE + 8] = {0}, *at = frame + LWS_PRE;

        at[0] = 0x88;
        at[1] = 0x82;
        lws_get_random(lws_get_context(wsi), at + 2, 4);
        at[6] = at[2] ^ (unsigned char)(code >> 8);
        at[7] = at[3] ^ (unsigned char)code;
        lws_write(wsi, at, 8, LWS_WRITE_HTTP);
}

/* Ends a connection at once: a close frame when it can be written now, then the socket. Closing by the library's own
 * sequence (lws_close_reason and -1) crashes in it when more bytes of the peer are waiting to be read. */
static void end_now(struct connection *connection, int code)
{
        struct lws *wsi = connection->wsi;

        if (connection->is_open && !lws_partial_buffered(wsi))
                write_close(wsi, code);
        connection_ended(connection, wsi, code);
        lws_set_timeout(wsi, PENDING_TIMEOUT_CLOSE_SEND, LWS_TO_KILL_ASYNC);
}

static int on_receive(struct lws *wsi, struct connection *connection, const char *bytes, size_t len)
{
        if (lws_frame_is_binary(wsi)) {
                end_now(connection, UNSUPPORTED);
                return 0;
        }
        if (lws_is_first_fragment(wsi))
                connection->in_len = 0;
        size_t whole = connection->in_len + len + lws_remaining_packet_payload(wsi);
        char *in = NULL;
        bool fits = whole <= connection->in_room;
        if (!fits && whole <= connection->max_bytes)
                in = realloc(connection->in, whole);
        if (!fits && !in) {
                end_now(connection, TOO_BIG);
                return 0;
        }
        if (in) {
                connection->in = in;
                connection->in_room = whole;
        }
        if (len)
                memcpy(connection->in + connection->in_len, bytes, len);
        connection->in_len += len;
        if (!lws_is_final_fragment(wsi))
                return 0;
        if (deskbell_link_text(connection->link, connection->in, connection->in_len)) {
                connection->is_paused = true;
                lws_rx_flow_control(wsi, 0);
        }
        return 0;
}

static int on_writeable(struct lws *wsi, struct connection *connection)
{
        while (connection->first_out && !lws_send_pipe_choked(wsi)) {
                struct command *out = connection->first_out;

                int sent = lws_write(wsi, (unsigned char *)out->bytes + LWS_PRE, out->len, LWS_WRITE_TEXT);
                connection->first_out = out->next;
                if (!out->next)
                        connection->last_out = NULL;
                free(out);
                if (sent < 0)
                        return -1;
        }
        if (connection->first_out)
                lws_callback_on_writable(wsi);
        return 0;
}

static int on_lws(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
        struct connection *connection = wsi ? lws_get_opaque_user_data(wsi) : NULL;

        (void)user;
        if (!connection)
                return 0;
        switch (reason) {
        case LWS_CALLBACK_CLIENT_ESTABLISHED:
                connection->is_open = true;
                deskbell_link_opened(connection->link);
                break;
        case LWS_CALLBACK_CLIENT_RECEIVE:
                return on_receive(wsi, connection, in, len);
        case LWS_CALLBACK_CLIENT_WRITEABLE:
                return on_writeable(wsi, connection);
        case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
                connection->is_closing = true;
                if (len >= 2)
                        connection->peer_code = ((const unsigned char *)in)[0] << 8 | ((const unsigned char *)in)[1];
                break;
        case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        case LWS_CALLBACK_CLIENT_CLOSED:
        case LWS_CALLBACK_WSI_DESTROY:
                connection_ended(connection, wsi, connection->peer_code ? connection->peer_code : ABNORMAL);
                break;
        default:
                break;
        }
        return 0;
}

/* ---- commands, on the thread --------------------------------------------------------------------------------------
 */

struct address {
        char host[256], authority[272], path[PROTOCOL_URL_BYTES + 1];
        int port;
        bool is_tls;
};

/* ws://host:port/path, wss://[::1]/path */
static bool read_url(const char *url, struct address *out)
{
        const char *at = strstr(url, "://") + 3, *path = strchr(at, '/');
        size_t len = path ? (size_t)(path - at) : strlen(at);
        const char *colon = NULL;

        out->is_tls = strncmp(url, "wss:", 4) == 0;
        out->port = out->is_tls ? 443 : 80;
        if (len == 0 || len >= sizeof(out->host) || (path && strlen(path) >= sizeof(out->path)))
                return false;
        snprintf(out->authority, sizeof(out->authority), "%.*s", (int)len, at);
        snprintf(out->path, sizeof(out->path), "%s", path ? path : "/");
        if (*at == '[') {
                const char *end = memchr(at, ']', len);
                if (!end)
                        return false;
                snprintf(out->host, sizeof(out->host), "%.*s", (int)(end - at - 1), at + 1);
                colon = end + 1 < at + len && end[1] == ':' ? end + 1 : NULL;
        } else {
                colon = memchr(at, ':', len);
                snprintf(out->host, sizeof(out->host), "%.*s", (int)(colon ? (size_t)(colon - at) : len), at);
        }
        if (colon) {
                char *end = NULL;
                long port = strtol(colon + 1, &end, 10);
                out->port = end == at + len && port < 65536 ? (int)port : 0;
        }
        return out->host[0] && out->port > 0;
}

static struct connection *connection_of(struct lws_transport *transport, const deskbell_link *link)
{
        for (struct connection *connection = transport->connections; connection; connection = connection->next)
                if (connection->link == link)
                        return connection;
        return NULL;
}

static void dial(struct lws_transport *transport, struct connection *connection, const char *url)
{
        static const lws_retry_bo_t no_pings = {0};
        struct address address;
        struct lws_client_connect_info info = {
                .context = transport->context,
                .address = address.host,
                .path = address.path,
                .host = address.authority,
                .origin = NULL,
                .protocol = "deskbell.v1",
                .local_protocol_name = "deskbell.v1",
                .alpn = "http/1.1",
                .pwsi = &connection->wsi,
                .opaque_user_data = connection,
                .retry_and_idle_policy = &no_pings,
                .ssl_connection = LCCSCF_HTTP_NO_FOLLOW_REDIRECT,
        };

        if (transport->context && read_url(url, &address)) {
                info.port = address.port;
                info.ssl_connection |= address.is_tls ? LCCSCF_USE_SSL : 0;
                if (lws_client_connect_via_info(&info))
                        return;
        }
        connection_ended(connection, NULL, ABNORMAL);
}

static void run_open(struct lws_transport *transport, const struct command *command)
{
        struct connection *connection = calloc(1, sizeof(*connection));

        if (!connection) {
                deskbell_link_closed(command->link, ABNORMAL);
                return;
        }
        connection->link = command->link;
        connection->max_bytes = command->max_bytes;
        connection->next = transport->connections;
        transport->connections = connection;
        dial(transport, connection, command->bytes);
}

/* Takes the command. */
static void run_send(struct connection *connection, struct command *command)
{
        if (!connection->is_open) {
                free(command);
                return;
        }
        command->next = NULL;
        if (connection->last_out)
                connection->last_out->next = command;
        else
                connection->first_out = command;
        connection->last_out = command;
        lws_callback_on_writable(connection->wsi);
}

/* Takes the command. */
static void run_command(struct lws_transport *transport, struct command *command)
{
        struct connection *connection = connection_of(transport, command->link);

        if (command->kind == COMMAND_OPEN) {
                run_open(transport, command);
        } else if (connection && !connection->is_ended) {
                if (command->kind == COMMAND_SEND) {
                        run_send(connection, command);
                        return;
                }
                if (command->kind == COMMAND_CLOSE)
                        end_now(connection, command->code);
                else if (connection->is_open) {
                        connection->is_paused = false;
                        lws_rx_flow_control(connection->wsi, 1);
                }
        }
        free(command);
}

static void connection_free(struct connection *connection)
{
        while (connection->first_out) {
                struct command *out = connection->first_out;
                connection->first_out = out->next;
                free(out);
        }
        free(connection->in);
        free(connection);
}

static void sweep(struct lws_transport *transport, bool all)
{
        struct connection **at = &transport->connections;

        while (*at) {
                struct connection *connection = *at;
                if (!connection->is_ended && !all) {
                        at = &connection->next;
                        continue;
                }
                *at = connection->next;
                connection_free(connection);
        }
}

/* ---- thread ------------------------------------------------------------------------------------------------------ */

static void quiet_once(void)
{
        /* Whoever has set other levels wants them; the library's own would print to stderr. */
        if (lwsl_visible(LLL_NOTICE) && !lwsl_visible(LLL_INFO))
                lws_set_log_level(0, NULL);
}

/* Roots are read only for a wss address. Those that cannot be read are none: no server will be trusted. */
static SSL_CTX *make_tls(const struct lws_transport *transport)
{
        SSL_CTX *tls = SSL_CTX_new(TLS_client_method());

        if (!tls)
                return NULL;
        SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION);
        SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, NULL);
        SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                      SSL_MODE_RELEASE_BUFFERS);
        if (transport->ca_file)
                SSL_CTX_load_verify_locations(tls, transport->ca_file, NULL);
        else if (transport->wants_tls)
                SSL_CTX_set_default_verify_paths(tls);
        return tls;
}

static struct lws_context *make_context(struct lws_transport *transport)
{
        static pthread_once_t quiet = PTHREAD_ONCE_INIT;
        static const struct lws_protocols protocols[] = {
                {.name = "deskbell.v1", .callback = on_lws, .rx_buffer_size = 16384},
                {0},
        };
        struct lws_context_creation_info info = {
                .port = CONTEXT_PORT_NO_LISTEN,
                .protocols = protocols,
                .gid = (gid_t)-1,
                .uid = (uid_t)-1,
                .options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT | LWS_SERVER_OPTION_VALIDATE_UTF8,
                .provided_client_ssl_ctx = transport->tls,
                .fd_limit_per_thread = 16,
        };
        struct sigaction before;

        pthread_once(&quiet, quiet_once);
        if (!transport->tls && !(transport->tls = info.provided_client_ssl_ctx = make_tls(transport)))
                return NULL;
        sigaction(SIGPIPE, NULL, &before);
        struct lws_context *context = lws_create_context(&info);
        sigaction(SIGPIPE, &before, NULL); /* the library ignores it for the whole process */
        return context;
}

static struct command *take_commands(struct lws_transport *transport)
{
        pthread_mutex_lock(&transport->lock);
        while (!transport->context && !transport->first && !transport->is_stopping)
                pthread_cond_wait(&transport->wake, &transport->lock); /* without a context nothing else can happen */
        struct command *commands = transport->first;
        transport->first = transport->last = NULL;
        pthread_mutex_unlock(&transport->lock);
        return commands;
}

static bool is_stopping(struct lws_transport *transport)
{
        pthread_mutex_lock(&transport->lock);
        bool stopping = transport->is_stopping;
        pthread_mutex_unlock(&transport->lock);
        return stopping;
}

/* One open connection with nothing to write and nothing buffered needs nothing of the library until bytes come. */
static bool may_sleep(const struct lws_transport *transport)
{
        const struct connection *only = transport->connections;

        return transport->wake_fd >= 0 && only && !only->next && only->is_open && !only->is_ended && !only->is_paused &&
               !only->is_closing && !only->first_out && !lws_partial_buffered(only->wsi) &&
               lws_service_adjust_timeout(transport->context, 1, 0) == 1;
}

/* In a poll of our own: the library's ends every 30 s for housekeeping that has nothing to keep here, and each time
 * wakes a telephone. */
static void sleep_until_bytes(struct lws_transport *transport)
{
        struct pollfd wakers[] = {{lws_get_socket_fd(transport->connections->wsi), POLLIN, 0},
                                  {transport->wake_fd, POLLIN, 0}};
        uint64_t count;

        poll(wakers, 2, -1);
        if (wakers[1].revents && read(transport->wake_fd, &count, sizeof(count)) < 0)
                return; /* it was read already */
}

/* With the lock held. */
static void wake_thread(struct lws_transport *transport)
{
        uint64_t one = 1;

        pthread_cond_signal(&transport->wake);
        if (transport->context)
                lws_cancel_service(transport->context);
        if (transport->wake_fd >= 0 && write(transport->wake_fd, &one, sizeof(one)) < 0)
                return; /* it is readable already */
}

/* True: there were some. */
static bool run_commands(struct lws_transport *transport)
{
        struct command *first = take_commands(transport), *next;

        for (struct command *command = first; command; command = next) {
                next = command->next;
                run_command(transport, command);
        }
        return first != NULL;
}

static void *run(void *data)
{
        struct lws_transport *transport = data;
        sigset_t pipe;
        int passes = 0;

        sigemptyset(&pipe);
        sigaddset(&pipe, SIGPIPE);
        pthread_sigmask(SIG_BLOCK, &pipe, NULL);
        struct lws_context *context = make_context(transport);
        pthread_mutex_lock(&transport->lock);
        transport->context = context;
        pthread_mutex_unlock(&transport->lock);
        while (!is_stopping(transport)) {
                bool is_quiet = !run_commands(transport) && context && may_sleep(transport);
                passes = is_quiet ? passes + 1 : 0;
                if (passes > QUIET_PASSES) {
                        sleep_until_bytes(transport);
                        passes = 0;
                }
                if (context && lws_service(context, is_quiet ? -1 : 0) < 0)
                        break;
                sweep(transport, false);
        }
        pthread_mutex_lock(&transport->lock);
        transport->context = NULL;
        pthread_mutex_unlock(&transport->lock);
        if (context)
                lws_context_destroy(context);
        return NULL;
}

/* ---- the table: the client's thread ------------------------------------------------------------------------------ */

static struct command *command_new(enum command_kind kind, deskbell_link *link, size_t bytes)
{
        struct command *command = calloc(1, sizeof(*command) + bytes);
        if (!command)
                return NULL;

        command->kind = kind;
        command->link = link;
        return command;
}

static void post(struct lws_transport *transport, struct command *command)
{
        if (!command)
                return; /* no memory: an unanswered request ends the connection later */
        pthread_mutex_lock(&transport->lock);
        if (transport->last)
                transport->last->next = command;
        else
                transport->first = command;
        transport->last = command;
        wake_thread(transport);
        pthread_mutex_unlock(&transport->lock);
}

static int transport_open(void *data, const char *url, const char *subprotocol, size_t max_message_bytes,
                          deskbell_link *link)
{
        struct lws_transport *transport = data;
        size_t len = strlen(url) + 1;
        struct command *command = command_new(COMMAND_OPEN, link, len);

        (void)subprotocol; /* the only one this transport speaks */
        if (!command)
                return -1;
        if (!transport->is_running && pthread_create(&transport->thread, NULL, run, transport) != 0) {
                free(command);
                return -1;
        }
        transport->is_running = true;
        memcpy(command->bytes, url, len);
        command->max_bytes = max_message_bytes;
        post(transport, command);
        return 0;
}

static void transport_send(void *data, deskbell_link *link, const char *bytes, size_t len)
{
        struct command *command = command_new(COMMAND_SEND, link, LWS_PRE + len);

        if (command) {
                command->len = len;
                memcpy(command->bytes + LWS_PRE, bytes, len);
        }
        post(data, command);
}

static void transport_close(void *data, deskbell_link *link, int code)
{
        struct command *command = command_new(COMMAND_CLOSE, link, 0);

        if (command)
                command->code = code;
        post(data, command);
}

static void transport_resume(void *data, deskbell_link *link)
{
        post(data, command_new(COMMAND_RESUME, link, 0));
}

static void transport_stop(void *data)
{
        struct lws_transport *transport = data;

        pthread_mutex_lock(&transport->lock);
        transport->is_stopping = true;
        wake_thread(transport);
        pthread_mutex_unlock(&transport->lock);
        if (transport->is_running)
                pthread_join(transport->thread, NULL);
        while (transport->first) {
                struct command *command = transport->first;
                transport->first = command->next;
                free(command);
        }
        sweep(transport, true);
        pthread_cond_destroy(&transport->wake);
        pthread_mutex_destroy(&transport->lock);
        if (transport->wake_fd >= 0)
                close(transport->wake_fd);
        SSL_CTX_free(transport->tls);
        free(transport->ca_file);
        free(transport);
}

int transport_lws_new(const char *url, const char *ca_file, struct deskbell_transport *out_transport)
{
        struct lws_transport *transport = calloc(1, sizeof(*transport));
        if (!transport)
                return DESKBELL_E_NOMEM;

        transport->wants_tls = strncmp(url, "wss:", 4) == 0;
        transport->ca_file = ca_file ? strdup(ca_file) : NULL;
        pthread_mutex_init(&transport->lock, NULL);
        pthread_cond_init(&transport->wake, NULL);
        transport->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        *out_transport = (struct deskbell_transport){
                .size = sizeof(*out_transport),
                .data = transport,
                .open = transport_open,
                .send = transport_send,
                .close = transport_close,
                .resume = transport_resume,
                .stop = transport_stop,
        };
        return 0;
}
