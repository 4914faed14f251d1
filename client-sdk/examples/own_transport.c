/* SPDX-License-Identifier: Apache-2.0 */
/* A WebSocket client as a transport of the SDK, small enough to be read: what struct deskbell_transport asks for, and
 * no extension, no redirect, no proxy, no files.
 *
 * The table's functions leave a command and wake the thread; they never wait for it. The thread has one connection at a
 * time, as the SDK has, and says exactly once of each that it has ended. All bounds are the SDK's max_message_bytes. */
#include "own_transport.h"

#include "own_socket.h"

#include <fcntl.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10, OUT_MOST = 4 << 20, CONNECT_S = 15, CLOSE_S = 3 };
enum { CHUNK = 16384, CHUNKS_AT_ONCE = 16, LOST = 1006, BAD = 1002, NO_TEXT = 1003, TOO_BIG = 1009 };

enum kind { OPEN, SEND, SHUT, RESUME };

struct command {
        struct command *next;
        enum kind kind;
        deskbell_link *link;
        int code;
        size_t len;   /* OPEN: the largest message accepted */
        char bytes[]; /* OPEN: url, zero, subprotocol, zero */
};

struct own_transport {
        pthread_mutex_t lock; /* first, is_stopping */
        struct command *first;
        int is_stopping;
        int wake[2];
        pthread_t thread;
        int has_thread;
        SSL_CTX *tls;

        /* the thread's own: the connection there is, when `link` is not NULL */
        deskbell_link *link;
        struct own_socket socket;
        time_t until; /* CLOSING, or connecting: not longer */
        int is_closing, is_paused;
        char *out; /* frames that wait to be written */
        size_t out_len, out_room;
        char chunk[CHUNK]; /* read, and not looked at yet from chunk_at on */
        size_t chunk_at, chunk_len;
        unsigned char frame[14 + 125]; /* the head of a frame, and the payload of one about the connection */
        size_t frame_len;
        unsigned long long left; /* payload bytes of the frame still to come */
        int opcode, is_final;    /* of the frame; opcode -1 = between frames */
        char *message;
        size_t message_len, message_most;
        int is_inside; /* a message of several frames */
};

static time_t now_s(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return now.tv_sec;
}

/* ---- ends and writing -------------------------------------------------------------------------------------------- */

static void forget(struct own_transport *own)
{
        own_socket_close(&own->socket);
        own->link = NULL;
        own->is_closing = own->is_paused = own->is_inside = 0;
        own->out_len = own->frame_len = own->message_len = own->chunk_at = own->chunk_len = 0;
        own->opcode = -1;
}

static void ended(struct own_transport *own, int code)
{
        deskbell_link *link = own->link;

        if (!link)
                return;
        forget(own);
        deskbell_link_closed(link, code);
}

static void failed(struct own_transport *own, const char *why, const char *detail)
{
        deskbell_link *link = own->link;

        forget(own);
        deskbell_link_failed(link, why, detail, -1);
}

static void put_frame(struct own_transport *own, int opcode, const void *bytes, size_t len)
{
        unsigned char head[14];
        size_t head_len = len < 126 ? 2 : len < 65536 ? 4 : 10, whole = own->out_len + head_len + 4 + len;
        char *room = own->out;

        if (whole > own->out_room && whole <= OUT_MOST)
                room = realloc(own->out, whole * 2);
        if (!room || whole > OUT_MOST) {
                ended(own, LOST); /* the other side reads nothing */
                return;
        }
        if (whole > own->out_room)
                own->out_room = whole * 2;
        own->out = room;
        head[0] = (unsigned char)(0x80 | opcode);
        head[1] = (unsigned char)(0x80 | (len < 126 ? len : len < 65536 ? 126 : 127));
        for (size_t i = 2; i < head_len; i++)
                head[i] = (unsigned char)((unsigned long long)len >> 8 * (head_len - 1 - i));
        RAND_bytes(head + head_len, 4); /* the mask */
        memcpy(own->out + own->out_len, head, head_len + 4);
        own->out_len += head_len + 4;
        for (size_t i = 0; i < len; i++)
                own->out[own->out_len++] = (char)(((const unsigned char *)bytes)[i] ^ head[head_len + i % 4]);
}

static void put_close(struct own_transport *own, int code)
{
        unsigned char bytes[2] = {(unsigned char)(code >> 8), (unsigned char)code};

        put_frame(own, CLOSE, bytes, 2);
        own->is_closing = 1;
        own->is_paused = 0; /* the other side's answer is to be read */
        own->until = now_s() + CLOSE_S;
}

static void flush(struct own_transport *own, short *out_events)
{
        size_t sent = 0;

        while (own->link && sent < own->out_len) {
                long n = own_socket_write(&own->socket, own->out + sent, own->out_len - sent, out_events);
                if (n < 0)
                        ended(own, LOST);
                if (n <= 0)
                        break;
                sent += (size_t)n;
        }
        if (own->link && sent) {
                memmove(own->out, own->out + sent, own->out_len - sent);
                own->out_len -= sent;
        }
}

/* ---- frames of the server ---------------------------------------------------------------------------------------- */

/* Our end of it is told at once: what is wrong cannot get better. */
static void refuse(struct own_transport *own, int code)
{
        short events;

        put_close(own, code);
        flush(own, &events);
        ended(own, code);
}

static void on_control(struct own_transport *own)
{
        const unsigned char *payload = own->frame + 2;
        size_t len = own->frame_len - 2;

        if (own->opcode == PING)
                put_frame(own, PONG, payload, len);
        if (own->opcode != CLOSE)
                return;
        short events;
        int code = len >= 2 ? payload[0] << 8 | payload[1] : 1005;
        if (!own->is_closing)
                put_frame(own, CLOSE, payload, len >= 2 ? 2 : 0);
        flush(own, &events);
        ended(own, code == 1005 ? LOST : code);
}

static void on_message(struct own_transport *own)
{
        own->is_inside = 0;
        if (!own->is_closing && deskbell_link_text(own->link, own->message, own->message_len))
                own->is_paused = 1;
        own->message_len = 0;
}

/* The head is complete in own->frame. 0, or a close code. */
static int check_head(struct own_transport *own, size_t head_len)
{
        int opcode = own->frame[0] & 15, is_control = opcode >= CLOSE;

        own->is_final = own->frame[0] >> 7;
        own->left = own->frame[1] & 127;
        if (head_len > 2)
                own->left = 0;
        for (size_t i = 2; i < head_len; i++)
                own->left = own->left << 8 | own->frame[i];
        if ((own->frame[0] & 0x70) || (own->frame[1] & 0x80) || own->left >> 63)
                return BAD; /* an extension, a mask, or a length that cannot be */
        if (is_control ? opcode > PONG || !own->is_final || head_len > 2 : opcode > BINARY)
                return BAD;
        if (!is_control && (opcode != 0) == (own->is_inside != 0))
                return BAD; /* a message inside another, or the rest of none */
        if (opcode == BINARY)
                return NO_TEXT;
        if (!is_control && own->message_len + own->left > own->message_most)
                return TOO_BIG;
        if (!is_control)
                own->is_inside = 1;
        own->opcode = opcode;
        return 0;
}

static size_t head_bytes(const struct own_transport *own)
{
        size_t told = own->frame_len < 2 ? 0 : own->frame[1] & 127;

        return told == 126 ? 4 : told == 127 ? 10 : 2;
}

/* A byte of a head, or payload of the frame; how many of the `len` bytes it took. */
static size_t take_bytes(struct own_transport *own, const char *bytes, size_t len)
{
        size_t take = 0;

        if (own->opcode < 0) {
                own->frame[own->frame_len++] = (unsigned char)*bytes;
                if (own->frame_len >= 2 && own->frame_len == head_bytes(own)) {
                        int code = check_head(own, own->frame_len);
                        if (code)
                                refuse(own, code);
                }
                take = 1;
        } else {
                take = own->left < len ? (size_t)own->left : len;
                if (own->opcode >= CLOSE) {
                        memcpy(own->frame + own->frame_len, bytes, take);
                        own->frame_len += take;
                } else {
                        memcpy(own->message + own->message_len, bytes, take);
                        own->message_len += take;
                }
                own->left -= take;
        }
        if (own->link && own->opcode >= 0 && own->left == 0) {
                if (own->opcode >= CLOSE)
                        on_control(own);
                else if (own->is_final)
                        on_message(own);
                own->opcode = -1;
                own->frame_len = 0;
        }
        return take;
}

/* Stops where the SDK wants a pause: the rest stays in the chunk. */
static void take_chunk(struct own_transport *own)
{
        while (own->link && !own->is_paused && own->chunk_at < own->chunk_len) {
                size_t at = own->chunk_at, took = take_bytes(own, own->chunk + at, own->chunk_len - at);
                own->chunk_at = own->link ? at + took : 0;
        }
}

/* ---- connecting -------------------------------------------------------------------------------------------------- */

/* Whether a command says that this connection is not wanted any more. */
static int is_unwanted(struct own_transport *own)
{
        int is = 0;

        pthread_mutex_lock(&own->lock);
        for (const struct command *at = own->first; at && !is; at = at->next)
                is = at->kind == OPEN || (at->kind == SHUT && at->link == own->link);
        is |= own->is_stopping;
        pthread_mutex_unlock(&own->lock);
        return is;
}

static int wait_ready(void *data, int fd, short events)
{
        struct own_transport *own = data;

        while (now_s() < own->until && !is_unwanted(own)) {
                struct pollfd fds[] = {{fd, events, 0}, {own->wake[0], POLLIN, 0}};
                char room[64];
                poll(fds, 2, 1000);
                if (fds[1].revents && read(own->wake[0], room, sizeof(room)) < 0)
                        return 0;
                if (fds[0].revents)
                        return 1;
        }
        return 0;
}

static void open_link(struct own_transport *own, const struct command *command)
{
        const char *url = command->bytes, *subprotocol = url + strlen(url) + 1;
        char *message = realloc(own->message, command->len);
        struct own_address to;
        short events;

        if (own->link)
                flush(own, &events); /* the close frame of the one before, when it can leave */
        ended(own, LOST);
        own->link = command->link;
        own->until = now_s() + CONNECT_S;
        own->message_most = command->len;
        own->message = message ? message : own->message;
        if (!message || own_address_read(url, &to) < 0)
                failed(own, "network", "no memory, or no address");
        else if (own_socket_connect(&own->socket, &to, own->tls, wait_ready, own) < 0 ||
                 own_socket_upgrade(&own->socket, &to, subprotocol, wait_ready, own) < 0)
                failed(own, own->socket.why, own->socket.detail);
        else
                deskbell_link_opened(own->link);
}

/* ---- the thread -------------------------------------------------------------------------------------------------- */

static struct command *next_command(struct own_transport *own, int *out_is_stopping)
{
        struct command *first;

        pthread_mutex_lock(&own->lock);
        first = own->first;
        if (first)
                own->first = first->next;
        *out_is_stopping = own->is_stopping;
        pthread_mutex_unlock(&own->lock);
        return first;
}

static void obey(struct own_transport *own, const struct command *command)
{
        if (command->kind == OPEN)
                open_link(own, command);
        else if (command->link != own->link)
                return; /* it has ended meanwhile */
        else if (command->kind == SEND && !own->is_closing)
                put_frame(own, TEXT, command->bytes, command->len);
        else if (command->kind == SHUT && !own->is_closing)
                put_close(own, command->code);
        else if (command->kind == RESUME)
                own->is_paused = 0;
}

/* False: there is more at once. */
static int read_some(struct own_transport *own, short *out_events)
{
        for (int i = 0; own->link && !own->is_paused; i++) {
                if (i == CHUNKS_AT_ONCE)
                        return 0;
                if (own->chunk_at == own->chunk_len) {
                        long n = own_socket_read(&own->socket, own->chunk, CHUNK, out_events);
                        if (n < 0)
                                ended(own, LOST);
                        if (n <= 0)
                                break;
                        own->chunk_at = 0;
                        own->chunk_len = (size_t)n;
                }
                take_chunk(own);
        }
        return 1;
}

/* Reads and writes what can be; then waits for the socket or a command. */
static void serve(struct own_transport *own)
{
        short wants_out = 0, wants_in = POLLIN;
        int is_all = read_some(own, &wants_in);
        char room[64];

        if (own->link)
                flush(own, &wants_out);
        if (own->link && own->is_closing && now_s() >= own->until)
                ended(own, LOST);
        struct pollfd fds[] = {{own->wake[0], POLLIN, 0}, {own->socket.fd, 0, 0}};
        fds[1].events = (short)(wants_out | (own->is_paused ? 0 : wants_in));
        poll(fds, own->link && fds[1].events ? 2 : 1, !is_all ? 0 : own->is_closing ? 1000 : -1);
        if (fds[0].revents && read(own->wake[0], room, sizeof(room)) < 0)
                return; /* it was read already */
}

static void *run(void *data)
{
        struct own_transport *own = data;
        struct command *command;
        int is_stopping = 0;
        sigset_t pipe_signal;

        sigemptyset(&pipe_signal);
        sigaddset(&pipe_signal, SIGPIPE); /* which OpenSSL's writing to a lost connection raises */
        pthread_sigmask(SIG_BLOCK, &pipe_signal, NULL);
        while (!is_stopping) {
                while ((command = next_command(own, &is_stopping)) && !is_stopping) {
                        obey(own, command);
                        free(command);
                }
                free(command);
                if (!is_stopping)
                        serve(own);
        }
        forget(own);
        return NULL;
}

/* ---- the table: the client's thread ------------------------------------------------------------------------------ */

static void wake(struct own_transport *own)
{
        if (write(own->wake[1], "", 1) < 0)
                return; /* it is full: the thread has not looked yet, and will */
}

static void post(struct own_transport *own, struct command *command)
{
        struct command **at = &own->first;

        pthread_mutex_lock(&own->lock);
        while (*at)
                at = &(*at)->next;
        *at = command;
        pthread_mutex_unlock(&own->lock);
        wake(own);
}

static struct command *command_new(enum kind kind, deskbell_link *link, size_t bytes)
{
        struct command *command = malloc(sizeof(*command) + bytes);

        if (command) {
                command->next = NULL;
                command->kind = kind;
                command->link = link;
                command->len = bytes;
        }
        return command;
}

static int on_open(void *data, const char *url, const char *subprotocol, size_t max_message_bytes, deskbell_link *link)
{
        struct own_transport *own = data;
        size_t url_len = strlen(url) + 1, len = strlen(subprotocol) + 1;
        struct command *command = command_new(OPEN, link, url_len + len);

        if (!command)
                return -1;
        memcpy(command->bytes, url, url_len);
        memcpy(command->bytes + url_len, subprotocol, len);
        command->len = max_message_bytes;
        if (!own->has_thread && pthread_create(&own->thread, NULL, run, own) != 0) {
                free(command);
                return -1;
        }
        own->has_thread = 1;
        post(own, command);
        return 0;
}

static void on_send(void *data, deskbell_link *link, const char *bytes, size_t len)
{
        struct command *command = command_new(SEND, link, len);

        if (!command)
                return; /* what is not sent gets no answer, and the SDK makes the connection anew */
        memcpy(command->bytes, bytes, len);
        post(data, command);
}

static void on_close(void *data, deskbell_link *link, int code)
{
        struct command *command = command_new(SHUT, link, 0);

        if (!command)
                return;
        command->code = code;
        post(data, command);
}

static void on_resume(void *data, deskbell_link *link)
{
        struct command *command = command_new(RESUME, link, 0);

        if (command)
                post(data, command);
}

static void on_stop(void *data)
{
        struct own_transport *own = data;

        pthread_mutex_lock(&own->lock);
        own->is_stopping = 1;
        pthread_mutex_unlock(&own->lock);
        wake(own);
        if (own->has_thread)
                pthread_join(own->thread, NULL);
        while (own->first) {
                struct command *command = own->first;
                own->first = command->next;
                free(command);
        }
        close(own->wake[0]);
        close(own->wake[1]);
        pthread_mutex_destroy(&own->lock);
        SSL_CTX_free(own->tls);
        free(own->message);
        free(own->out);
        free(own);
}

struct own_transport *own_transport_new(const char *ca_file, struct deskbell_transport *out_transport)
{
        struct own_transport *own = calloc(1, sizeof(*own));

        if (!own)
                return NULL;
        own->tls = own_tls_new(ca_file);
        if (!own->tls || pipe(own->wake) < 0) {
                SSL_CTX_free(own->tls);
                free(own);
                return NULL;
        }
        for (int i = 0; i < 2; i++) {
                fcntl(own->wake[i], F_SETFD, FD_CLOEXEC);
                fcntl(own->wake[i], F_SETFL, fcntl(own->wake[i], F_GETFL) | O_NONBLOCK);
        }
        pthread_mutex_init(&own->lock, NULL);
        own->socket.fd = -1;
        own->opcode = -1;
        memset(out_transport, 0, sizeof(*out_transport));
        out_transport->size = sizeof(*out_transport);
        out_transport->data = own;
        out_transport->open = on_open;
        out_transport->send = on_send;
        out_transport->close = on_close;
        out_transport->resume = on_resume;
        out_transport->stop = on_stop;
        return own;
}
