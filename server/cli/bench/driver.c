/* SPDX-License-Identifier: Apache-2.0 */
/* Driver. All connections read into one buffer; only the start of a frame that has not come whole is kept with its
 * connection. Output is a plain growing buffer a connection, flushed at the end of the turn. */
#include "driver.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "progress.h"

enum { READ_BYTES = 256 * 1024, REST_BYTES_MAX = 1024 * 1024, EVENTS = 1024 };

enum conn_state { CONN_UPGRADING, CONN_LOGGING_IN, CONN_READY };

struct conn {
        int fd; /* -1 = none */
        enum conn_state state;
        bool is_dirty, waits_for_room;
        char *out;
        size_t out_start, out_len, out_room;
        char *rest;
        size_t rest_len;
};

struct driver {
        int epoll;
        struct sockaddr_in address;
        char host[64]; /* HOST:PORT for the Host header */
        struct conn *conns;
        uint32_t conn_count, max_conns, ready_count;
        uint32_t *dirty;
        uint32_t dirty_count;
        char *in; /* REST_BYTES_MAX + READ_BYTES */
        const struct driver_events *events;
        void *owner;
        driver_token *token; /* while driver_open runs */
        void *token_owner;
        uint64_t now_ns, heartbeats, bytes_read;
        struct bench_error *error;
        struct epoll_event ready[EVENTS];
};

uint64_t driver_clock_ns(void)
{
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

uint64_t driver_now_ns(const struct driver *driver)
{
        return driver->now_ns;
}

uint64_t driver_heartbeats(const struct driver *driver)
{
        return driver->heartbeats;
}

uint64_t driver_bytes_read(const struct driver *driver)
{
        return driver->bytes_read;
}

void driver_set_events(struct driver *driver, const struct driver_events *events, void *owner)
{
        driver->events = events;
        driver->owner = owner;
}

static int address_parse(const char *text, struct driver *driver)
{
        const char *colon = strrchr(text, ':');
        char host[48];
        if (!colon || (size_t)(colon - text) >= sizeof(host) || strlen(text) >= sizeof(driver->host))
                return -1;
        memcpy(host, text, (size_t)(colon - text));
        host[colon - text] = '\0';
        char *end;
        unsigned long port = strtoul(colon + 1, &end, 10);
        if (*end || port == 0 || port > 65535)
                return -1;
        snprintf(driver->host, sizeof(driver->host), "%s", text);
        driver->address = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
        const char *numeric = strcmp(host, "localhost") == 0 ? "127.0.0.1" : host;
        return inet_pton(AF_INET, numeric, &driver->address.sin_addr) == 1 ? 0 : -1;
}

struct driver *driver_new(const char *address, uint32_t max_conns, struct bench_error *error)
{
        struct driver *driver = calloc(1, sizeof(*driver));
        if (!driver) {
                bench_fail(error, BENCH_SOFTWARE, "out of memory");
                return NULL;
        }
        driver->epoll = epoll_create1(EPOLL_CLOEXEC);
        driver->max_conns = max_conns;
        driver->conns = calloc(max_conns, sizeof(*driver->conns));
        driver->dirty = calloc(max_conns, sizeof(*driver->dirty));
        driver->in = malloc(REST_BYTES_MAX + READ_BYTES);
        driver->now_ns = driver_clock_ns();
        if (driver->epoll < 0 || !driver->conns || !driver->dirty || !driver->in)
                bench_fail(error, BENCH_SOFTWARE, "out of memory or descriptors");
        else if (address_parse(address, driver) < 0)
                bench_fail(error, BENCH_USAGE, "%s is not HOST:PORT with an IPv4 address", address);
        else
                return driver;
        return driver_free(driver);
}

struct driver *driver_free(struct driver *driver)
{
        if (!driver)
                return NULL;
        for (uint32_t i = 0; i < driver->conn_count; i++) {
                if (driver->conns[i].fd >= 0)
                        close(driver->conns[i].fd);
                free(driver->conns[i].out);
                free(driver->conns[i].rest);
        }
        if (driver->epoll >= 0)
                close(driver->epoll);
        free(driver->conns);
        free(driver->dirty);
        free(driver->in);
        free(driver);
        return NULL;
}

char *driver_room(struct driver *driver, uint32_t number, size_t bytes)
{
        struct conn *conn = &driver->conns[number];
        if (conn->out_len + bytes > conn->out_room) {
                size_t room = conn->out_room ? conn->out_room : 1024;
                while (room < conn->out_len + bytes)
                        room *= 2;
                char *moved = realloc(conn->out, room);
                if (!moved) {
                        bench_fail(driver->error, BENCH_SOFTWARE, "out of memory");
                        return NULL;
                }
                conn->out = moved;
                conn->out_room = room;
        }
        return conn->out + conn->out_len;
}

void driver_add(struct driver *driver, uint32_t number, size_t bytes)
{
        struct conn *conn = &driver->conns[number];
        conn->out_len += bytes;
        if (conn->is_dirty)
                return;
        conn->is_dirty = true;
        driver->dirty[driver->dirty_count++] = number;
}

int driver_say(struct driver *driver, uint32_t number, struct span json)
{
        char *room = driver_room(driver, number, json.len + WIRE_HEAD_BYTES_MAX);
        if (!room)
                return -1;
        driver_add(driver, number, wire_frame(room, json));
        return 0;
}

static int conn_watch(struct driver *driver, uint32_t number, int op, bool for_room)
{
        struct epoll_event event = {.events = EPOLLIN | (for_room ? EPOLLOUT : 0), .data.u32 = number};
        driver->conns[number].waits_for_room = for_room;
        return epoll_ctl(driver->epoll, op, driver->conns[number].fd, &event);
}

static int conn_flush(struct driver *driver, uint32_t number)
{
        struct conn *conn = &driver->conns[number];
        while (conn->out_start < conn->out_len) {
                ssize_t n = send(conn->fd, conn->out + conn->out_start, conn->out_len - conn->out_start, MSG_NOSIGNAL);
                if (n < 0 && (errno == EAGAIN || errno == EINTR))
                        break;
                if (n < 0)
                        return bench_fail(driver->error, BENCH_UNAVAILABLE, "connection %u was lost while writing: %s",
                                          number, strerror(errno));
                conn->out_start += (size_t)n;
        }
        bool is_left = conn->out_start < conn->out_len;
        if (!is_left)
                conn->out_start = conn->out_len = 0;
        if (!is_left && driver->max_conns > 4096 && conn->state == CONN_READY) {
                free(conn->out); /* thousands of connections that hardly speak: keep the driver small */
                conn->out = NULL;
                conn->out_room = 0;
        }
        if (is_left != conn->waits_for_room && conn_watch(driver, number, EPOLL_CTL_MOD, is_left) < 0)
                return bench_fail(driver->error, BENCH_SOFTWARE, "epoll_ctl: %s", strerror(errno));
        return 0;
}

static int conn_say_open(struct driver *driver, uint32_t number)
{
        char *token = driver->token(driver->token_owner, number);
        uint8_t device[16];
        char device_text[33], *json = NULL;
        if (!token || getrandom(device, sizeof(device), 0) != (ssize_t)sizeof(device)) {
                free(token);
                return bench_fail(driver->error, BENCH_SOFTWARE, "a token could not be made");
        }
        for (size_t i = 0; i < sizeof(device); i++)
                snprintf(device_text + 2 * i, 3, "%02x", device[i]);
        int len = asprintf(&json,
                           "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"session.open\",\"params\":{\"token\":\"%s\","
                           "\"device\":\"%s\",\"protocol\":{\"min\":1,\"max\":1}}}",
                           token, device_text);
        free(token);
        if (len < 0)
                return bench_fail(driver->error, BENCH_SOFTWARE, "out of memory");
        int rc = driver_say(driver, number, (struct span){json, (size_t)len});
        free(json);
        return rc;
}

/* The key is the one of RFC 6455, section 1.3, whose answer is printed there. */
static int conn_start(struct driver *driver)
{
        uint32_t number = driver->conn_count;
        struct conn *conn = &driver->conns[number];
        int one = 1;
        conn->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (conn->fd < 0)
                return bench_fail(driver->error, BENCH_SOFTWARE, "socket %u: %s (ulimit -n is the usual limit)", number,
                                  strerror(errno));
        driver->conn_count++;
        /* Blocking: connections are accepted in the order of their numbers. */
        if (connect(conn->fd, (struct sockaddr *)&driver->address, sizeof(driver->address)) < 0)
                return bench_fail(driver->error, BENCH_UNAVAILABLE, "cannot connect to %s: %s", driver->host,
                                  strerror(errno));
        setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        if (fcntl(conn->fd, F_SETFL, O_NONBLOCK) < 0 || conn_watch(driver, number, EPOLL_CTL_ADD, false) < 0)
                return bench_fail(driver->error, BENCH_SOFTWARE, "connection %u: %s", number, strerror(errno));
        char *room = driver_room(driver, number, 512);
        if (!room)
                return -1;
        int len = snprintf(room, 512,
                           "GET /v1/ws HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
                           "Sec-WebSocket-Protocol: deskbell.v1\r\n\r\n",
                           driver->host);
        driver_add(driver, number, (size_t)len);
        return 0;
}

static void on_text(struct driver *driver, uint32_t number, struct span text)
{
        struct conn *conn = &driver->conns[number];
        struct wire_in message;
        wire_read(text, &message);
        if (message.kind == WIRE_HEARTBEAT) {
                driver->heartbeats++;
                driver_say(driver, number, SPAN("{\"jsonrpc\":\"2.0\",\"method\":\"session.alive\",\"params\":{}}"));
        } else if (message.kind == WIRE_CLOSING) {
                bench_fail(driver->error, BENCH_UNAVAILABLE, "the server closes connection %u: %.*s", number,
                           (int)message.tag.len, message.tag.at);
        } else if (conn->state == CONN_LOGGING_IN && message.kind == WIRE_RESULT) {
                conn->state = CONN_READY;
                driver->ready_count++;
        } else if (conn->state == CONN_LOGGING_IN && message.kind == WIRE_ERROR) {
                bench_fail(driver->error, BENCH_UNAVAILABLE, "session.open of connection %u was refused: %.*s", number,
                           (int)message.tag.len, message.tag.at ? message.tag.at : "");
        } else if (driver->events) {
                driver->events->on_message(driver->owner, number, &message);
        }
}

static void on_other_frame(struct driver *driver, uint32_t number, int opcode, struct span payload)
{
        if (opcode == 8) {
                unsigned code = payload.len < 2
                                        ? 0
                                        : (unsigned)(unsigned char)payload.at[0] << 8 | (unsigned char)payload.at[1];
                bench_fail(driver->error, BENCH_UNAVAILABLE, "the server closed connection %u with code %u %.*s",
                           number, code, payload.len > 2 ? (int)payload.len - 2 : 0,
                           payload.len > 2 ? payload.at + 2 : "");
        } else if (opcode == 9) {
                char *room = driver_room(driver, number, payload.len + WIRE_HEAD_BYTES_MAX);
                if (!room)
                        return;
                size_t len = wire_frame(room, payload);
                room[0] = (char)0x8a; /* pong */
                driver_add(driver, number, len);
        }
}

/* Returns the first byte not used. */
static char *on_bytes(struct driver *driver, uint32_t number, char *at, char *end)
{
        while (at < end && !driver->error->exit_code) {
                int opcode;
                struct span payload;
                int64_t n = wire_split((struct span){at, (size_t)(end - at)}, &opcode, &payload);
                if (n == 0)
                        break;
                if (n < 0) {
                        bench_fail(driver->error, BENCH_UNAVAILABLE, "connection %u: not a frame of a server", number);
                        break;
                }
                if (opcode == 1)
                        on_text(driver, number, payload);
                else
                        on_other_frame(driver, number, opcode, payload);
                at += n;
        }
        return at;
}

static char *on_upgrade(struct driver *driver, uint32_t number, char *at, char *end)
{
        char *head_end = memmem(at, (size_t)(end - at), "\r\n\r\n", 4);
        if (!head_end)
                return at;
        static const char accepted[] = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
        bool is_upgraded = memcmp(at, "HTTP/1.1 101", 12) == 0 &&
                           memmem(at, (size_t)(head_end - at), accepted, sizeof(accepted) - 1);
        if (!is_upgraded) {
                char *line_end = memchr(at, '\r', (size_t)(end - at));
                bench_fail(driver->error, BENCH_UNAVAILABLE, "connection %u was not upgraded: %.*s", number,
                           (int)(line_end - at), at);
                return end;
        }
        driver->conns[number].state = CONN_LOGGING_IN;
        conn_say_open(driver, number);
        return head_end + 4;
}

static void conn_keep_rest(struct driver *driver, struct conn *conn, const char *at, size_t len)
{
        if (len > REST_BYTES_MAX) {
                bench_fail(driver->error, BENCH_UNAVAILABLE, "a frame above %d bytes", REST_BYTES_MAX);
                return;
        }
        free(conn->rest);
        conn->rest = len ? malloc(len) : NULL;
        conn->rest_len = conn->rest ? len : 0;
        if (len && !conn->rest)
                bench_fail(driver->error, BENCH_SOFTWARE, "out of memory");
        else if (len)
                memcpy(conn->rest, at, len);
}

static void on_readable(struct driver *driver, uint32_t number)
{
        struct conn *conn = &driver->conns[number];
        char *at = driver->in;
        if (conn->rest_len)
                memcpy(at, conn->rest, conn->rest_len);
        ssize_t n = recv(conn->fd, at + conn->rest_len, READ_BYTES, 0);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return;
        if (n <= 0) {
                bench_fail(driver->error, BENCH_UNAVAILABLE, "connection %u was lost: %s", number,
                           n < 0 ? strerror(errno) : "closed by the server");
                return;
        }
        driver->bytes_read += (uint64_t)n;
        char *end = at + conn->rest_len + n;
        if (conn->state == CONN_UPGRADING)
                at = on_upgrade(driver, number, at, end);
        if (conn->state != CONN_UPGRADING)
                at = on_bytes(driver, number, at, end);
        if (conn->rest_len || end > at)
                conn_keep_rest(driver, conn, at, (size_t)(end - at));
}

int driver_turn(struct driver *driver, int timeout_ms, struct bench_error *error)
{
        driver->error = error;
        int count = epoll_wait(driver->epoll, driver->ready, EVENTS, timeout_ms);
        driver->now_ns = driver_clock_ns();
        if (count < 0 && errno != EINTR)
                return bench_fail(error, BENCH_SOFTWARE, "epoll_wait: %s", strerror(errno));
        if (bench_is_interrupted())
                return bench_fail(error, BENCH_INTERRUPTED, "interrupted");
        for (int i = 0; i < count && !error->exit_code; i++) {
                uint32_t number = driver->ready[i].data.u32;
                if (driver->ready[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
                        on_readable(driver, number);
                if (driver->ready[i].events & EPOLLOUT)
                        conn_flush(driver, number);
        }
        if (driver->events && driver->events->on_turn && !error->exit_code)
                driver->events->on_turn(driver->owner);
        while (driver->dirty_count) {
                uint32_t number = driver->dirty[--driver->dirty_count];
                driver->conns[number].is_dirty = false;
                if (!error->exit_code)
                        conn_flush(driver, number);
        }
        return error->exit_code ? -1 : 0;
}

int driver_open(struct driver *driver, uint32_t count, uint32_t window, driver_token *token, void *owner,
                struct bench_error *error)
{
        uint64_t heard_ns = driver_clock_ns();
        struct progress progress;
        progress_init(&progress, "connections", count);
        driver->token = token;
        driver->token_owner = owner;
        driver->error = error;
        while (driver->ready_count < count && !error->exit_code) {
                uint32_t before = driver->ready_count;
                while (driver->conn_count < count && driver->conn_count - driver->ready_count < window)
                        if (conn_start(driver) < 0)
                                break;
                if (!error->exit_code)
                        driver_turn(driver, 100, error);
                progress_show(&progress, driver->ready_count);
                if (driver->ready_count > before)
                        heard_ns = driver->now_ns;
                else if (driver->now_ns - heard_ns > UINT64_C(20000000000))
                        bench_fail(error, BENCH_UNAVAILABLE,
                                   "%u of %u connections are logged in, then nothing for 20 s", driver->ready_count,
                                   count);
        }
        progress_done(&progress);
        return error->exit_code ? -1 : 0;
}
