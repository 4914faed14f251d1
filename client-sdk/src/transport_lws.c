/* SPDX-License-Identifier: Apache-2.0 */
/* The transport over libwebsockets, with transport_lws_link.c the only user of that library here. A thread of its own
 * runs the context; everybody else leaves commands and wakes it, since no other call of the library may be made from
 * another thread. Names are looked up and connections made by the dialer, on its own thread: nothing here waits for the
 * network. The process keeps its SIGPIPE disposition and its log settings. */
#include "transport_lws_private.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

enum { QUIET_PASSES = 2 }; /* before sleeping: what reading one thing made the library want to write, has left */

/* ---- commands, on the thread ------------------------------------------------------------------------------------- */

static struct connection *connection_of(struct lws_transport *transport, const deskbell_link *link)
{
        for (struct connection *connection = transport->connections; connection; connection = connection->next)
                if (connection->link == link)
                        return connection;
        return NULL;
}

static void run_open(struct lws_transport *transport, const struct command *command)
{
        struct connection *connection = calloc(1, sizeof(*connection));

        if (!connection) {
                deskbell_link_closed(command->link, ABNORMAL);
                return;
        }
        connection->transport = transport;
        connection->link = command->link;
        connection->ticket = ++transport->last_ticket;
        connection->fd = -1;
        connection->max_bytes = command->max_bytes;
        connection->next = transport->connections;
        transport->connections = connection;
        if (!dialer_begin(transport->dialer, connection->ticket))
                lws_link_ended(connection, NULL, ABNORMAL, "network", "no thread", -1);
}

static void run_dialed(struct lws_transport *transport, const struct command *command)
{
        const struct dial_outcome *outcome = &command->outcome;
        struct connection *connection = transport->connections;

        while (connection && connection->ticket != command->ticket)
                connection = connection->next;
        if (!connection || connection->is_ended) {
                if (outcome->fd >= 0)
                        close(outcome->fd);
        } else if (outcome->fd < 0) {
                lws_link_ended(connection, NULL, ABNORMAL, outcome->why, outcome->detail, -1);
        } else {
                connection->fd = outcome->fd;
                lws_link_begin(connection);
        }
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

static void run_close(struct lws_transport *transport, struct connection *connection, int code)
{
        if (!connection->wsi)
                dialer_cancel(transport->dialer);
        lws_link_end(connection, code);
}

/* Takes the command. */
static void run_command(struct lws_transport *transport, struct command *command)
{
        struct connection *connection = connection_of(transport, command->link);

        if (command->kind == COMMAND_OPEN) {
                run_open(transport, command);
        } else if (command->kind == COMMAND_DIALED) {
                run_dialed(transport, command);
        } else if (connection && !connection->is_ended) {
                if (command->kind == COMMAND_SEND) {
                        run_send(connection, command);
                        return;
                }
                if (command->kind == COMMAND_CLOSE)
                        run_close(transport, connection, command->code);
                else
                        connection->is_paused = false;
        }
        free(command);
}

static void connection_free(struct connection *connection)
{
        if (connection->fd >= 0)
                close(connection->fd);
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

        return transport->waker.fd >= 0 && only && !only->next && only->is_open && !only->is_ended &&
               !only->is_paused && !only->is_closing && !only->first_out && !lws_partial_buffered(only->wsi) &&
               lws_service_adjust_timeout(transport->context, 1, 0) == 1;
}

/* In a poll of our own: the library's ends every 30 s for housekeeping that has nothing to keep here, and each time
 * wakes a telephone. */
static void sleep_until_bytes(struct lws_transport *transport)
{
        struct pollfd wakers[] = {{lws_get_socket_fd(transport->connections->wsi), POLLIN, 0},
                                  {transport->waker.fd, POLLIN, 0}};

        poll(wakers, 2, -1);
        if (wakers[1].revents)
                platform_waker_clear(&transport->waker);
}

/* With the lock held. */
static void wake_thread(struct lws_transport *transport)
{
        pthread_cond_signal(&transport->wake);
        if (transport->context)
                lws_cancel_service(transport->context);
        platform_waker_wake(&transport->waker);
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

/* While reading is to pause, the library is not called at all: its own flow control never comes back from a TLS
 * connection whose peer goes on sending (4.1.6). What is to be sent waits meanwhile. */
static bool wait_paused(struct lws_transport *transport)
{
        const struct connection *connection = transport->connections;

        while (connection && (connection->is_ended || !connection->is_paused))
                connection = connection->next;
        if (!connection)
                return false;
        pthread_mutex_lock(&transport->lock);
        while (!transport->first && !transport->is_stopping)
                pthread_cond_wait(&transport->wake, &transport->lock);
        pthread_mutex_unlock(&transport->lock);
        return true;
}

static void *run(void *data)
{
        struct lws_transport *transport = data;
        sigset_t pipe;
        int passes = 0;

        sigemptyset(&pipe);
        sigaddset(&pipe, SIGPIPE);
        pthread_sigmask(SIG_BLOCK, &pipe, NULL);
        struct lws_context *context = lws_link_context(transport);
        pthread_mutex_lock(&transport->lock);
        transport->context = context;
        pthread_mutex_unlock(&transport->lock);
        while (!is_stopping(transport)) {
                bool is_quiet = !run_commands(transport) && context && may_sleep(transport);
                passes = is_quiet ? passes + 1 : 0;
                if (wait_paused(transport))
                        continue;
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

/* The dialer's thread. */
static void on_dialed(void *data, int64_t ticket, const struct dial_outcome *outcome)
{
        struct command *command = command_new(COMMAND_DIALED, NULL, 0);

        if (command) {
                command->ticket = ticket;
                command->outcome = *outcome;
        } else if (outcome->fd >= 0) {
                close(outcome->fd);
        }
        post(data, command);
}

static int transport_open(void *data, const char *url, const char *subprotocol, size_t max_message_bytes,
                          deskbell_link *link)
{
        struct lws_transport *transport = data;
        struct command *command = command_new(COMMAND_OPEN, link, 0);

        (void)url;         /* the road's */
        (void)subprotocol; /* the only one this transport speaks */
        if (!command)
                return -1;
        if (!transport->is_running && pthread_create(&transport->thread, NULL, run, transport) != 0) {
                free(command);
                return -1;
        }
        transport->is_running = true;
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

static void drop_command(struct command *command)
{
        if (command->kind == COMMAND_DIALED && command->outcome.fd >= 0)
                close(command->outcome.fd);
        free(command);
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
        dialer_free(transport->dialer);
        while (transport->first) {
                struct command *command = transport->first;
                transport->first = command->next;
                drop_command(command);
        }
        sweep(transport, true);
        pthread_cond_destroy(&transport->wake);
        pthread_mutex_destroy(&transport->lock);
        platform_waker_close(&transport->waker);
        SSL_CTX_free(transport->tls);
        free(transport);
}

int transport_lws_new(const struct road *road, struct deskbell_transport *out_transport)
{
        struct lws_transport *transport = calloc(1, sizeof(*transport));
        if (!transport)
                return DESKBELL_E_NOMEM;

        transport->road = road;
        transport->dialer = dialer_new(road, on_dialed, transport);
        if (!transport->dialer) {
                free(transport);
                return DESKBELL_E_NOMEM;
        }
        pthread_mutex_init(&transport->lock, NULL);
        pthread_cond_init(&transport->wake, NULL);
        platform_waker_open(&transport->waker); /* without it the library sleeps */
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
