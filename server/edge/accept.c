/* SPDX-License-Identifier: Apache-2.0 */
/* Accept: our own listening sockets: several threads share a port, a flood is refused before it costs anything, and
 * when descriptors run out nobody spins. */
#include "edge/edge_private.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { BACKLOG = 4096, ACCEPTS_PER_EVENT = 64, AGAIN_SECONDS = 1 };

/* --- listening --- */

/* Digits up to 65535; getaddrinfo would cut more off. */
static bool is_port(const char *text)
{
        unsigned long port = 0;
        for (; *text >= '0' && *text <= '9' && port <= 65535; text++)
                port = port * 10 + (unsigned long)(*text - '0');
        return !*text && port <= 65535;
}

/* "HOST:PORT", "[v6]:PORT", ":PORT". Port and host are written into `out_host` and point into it. */
static int split_address(const char *address, char out_host[HTTP_HOST_BYTES + 1], const char **out_port)
{
        const char *colon = strrchr(address, ':');
        if (!colon || !colon[1] || !is_port(colon + 1))
                return -EINVAL;
        struct span host = {address, (size_t)(colon - address)};
        if (host.len && host.at[0] == '[') {
                if (host.len < 3 || host.at[host.len - 1] != ']')
                        return -EINVAL;
                host = (struct span){host.at + 1, host.len - 2};
        } else if (host.len && memchr(host.at, ':', host.len)) {
                return -EINVAL;
        }
        if (host.len > HTTP_HOST_BYTES)
                return -EINVAL;
        memcpy(out_host, host.at, host.len);
        out_host[host.len] = '\0';
        *out_port = colon + 1;
        return 0;
}

static int resolve(const char *host, const char *port, struct addrinfo **out_found)
{
        struct addrinfo hints = {
                .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
        bool is_any = !host[0] || strcmp(host, "*") == 0;
        if (is_any)
                hints.ai_family = AF_INET6;
        return getaddrinfo(is_any ? NULL : host, port, &hints, out_found) == 0 ? 0 : -EADDRNOTAVAIL;
}

/* An accepted socket has them from its listener. */
static void set_socket_options(int fd)
{
        const struct {
                int level, name, value;
        } options[] = {
                {IPPROTO_TCP, TCP_NODELAY, 1},
                {IPPROTO_TCP, TCP_NOTSENT_LOWAT, 16384},
                {IPPROTO_TCP, TCP_USER_TIMEOUT, USER_TIMEOUT_MS},
                {SOL_SOCKET, SO_KEEPALIVE, 1},
                {IPPROTO_TCP, TCP_KEEPIDLE, 300},
                {IPPROTO_TCP, TCP_KEEPINTVL, 30},
                {IPPROTO_TCP, TCP_KEEPCNT, 3},
        };
        for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
                setsockopt(fd, options[i].level, options[i].name, &options[i].value, sizeof(int));
}

static int bind_socket(const struct addrinfo *found, bool is_any)
{
        int on = 1, v6_only = !is_any;
        int fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return -errno;
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
        if (found->ai_family == AF_INET6)
                setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, sizeof(v6_only));
        set_socket_options(fd);
        if (bind(fd, found->ai_addr, found->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
                return fd;
        int rc = -errno;
        close(fd);
        return rc;
}

static uint16_t bound_port(int fd)
{
        union {
                struct sockaddr any;
                struct sockaddr_in v4;
                struct sockaddr_in6 v6;
        } address;
        socklen_t len = sizeof(address);
        memset(&address, 0, sizeof(address));
        if (getsockname(fd, &address.any, &len) < 0)
                return 0;
        return ntohs(address.any.sa_family == AF_INET ? address.v4.sin_port : address.v6.sin6_port);
}

static int open_listener(struct listener *listener, const char *address)
{
        const char *port;
        struct addrinfo *found = NULL;
        int rc = split_address(address, listener->host, &port);
        if (rc == 0)
                rc = resolve(listener->host, port, &found);
        if (rc < 0)
                return rc;
        bool is_any = !listener->host[0] || strcmp(listener->host, "*") == 0;
        rc = -EADDRNOTAVAIL;
        for (struct addrinfo *each = found; each && rc < 0; each = each->ai_next)
                rc = bind_socket(each, is_any);
        freeaddrinfo(found);
        if (rc < 0)
                return rc;
        listener->fd = rc;
        listener->port = bound_port(rc);
        return 0;
}

int accept_listen(struct edge *edge, char **out_why)
{
        size_t count = 0;
        while (edge->options.listen[count])
                count++;
        edge->listeners = calloc(count ? count : 1, sizeof(*edge->listeners));
        if (!edge->listeners)
                return -ENOMEM;
        for (size_t i = 0; i < count; i++) {
                struct listener *listener = &edge->listeners[i];
                listener->edge = edge;
                int rc = open_listener(listener, edge->options.listen[i]);
                if (rc < 0) {
                        if (asprintf(out_why, "cannot listen on %s: %s", edge->options.listen[i], strerror(-rc)) < 0)
                                *out_why = NULL;
                        return rc;
                }
                edge->listener_count++;
                uv_poll_init(&edge->loop, &listener->poll, listener->fd);
                listener->poll.data = listener;
        }
        return 0;
}

uint16_t edge_port(const struct edge *edge, size_t listener)
{
        return listener < edge->listener_count ? edge->listeners[listener].port : 0;
}

static void on_poll_closed(uv_handle_t *handle)
{
        struct listener *listener = handle->data;
        close(listener->fd);
        listener->fd = -1;
}

void accept_close(struct edge *edge)
{
        for (size_t i = 0; i < edge->listener_count; i++) {
                uv_handle_t *handle = (uv_handle_t *)&edge->listeners[i].poll;
                if (!uv_is_closing(handle))
                        uv_close(handle, on_poll_closed);
        }
}

/* --- who may come --- */

bool accept_host_ok(const struct edge *edge, struct span host)
{
        const char *const *names = edge->options.hosts;
        if (!names || !names[0])
                return true;
        for (; *names; names++)
                if (http_host_is(host, span_of(*names)))
                        return true;
        for (size_t i = 0; i < edge->listener_count; i++)
                if (edge->listeners[i].host[0] && http_host_is(host, span_of(edge->listeners[i].host)))
                        return true;
        return false;
}

/* v4 is told as a mapped v6 address. */
static void map_address(const struct sockaddr_storage *from, struct sockaddr_in6 *out)
{
        memset(out, 0, sizeof(*out));
        out->sin6_family = AF_INET6;
        if (from->ss_family == AF_INET6) {
                memcpy(out, from, sizeof(*out));
        } else if (from->ss_family == AF_INET) {
                const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)from;
                out->sin6_port = v4->sin_port;
                out->sin6_addr.s6_addr[10] = out->sin6_addr.s6_addr[11] = 0xff;
                memcpy(out->sin6_addr.s6_addr + 12, &v4->sin_addr, 4);
        }
}

void accept_peer(const struct edge_conn *conn, struct edge_peer *out_peer)
{
        struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
        socklen_t len = sizeof(address);
        if (getpeername(lws_get_socket_fd(conn->wsi), (struct sockaddr *)&address, &len) < 0)
                address.ss_family = AF_UNSPEC;
        map_address(&address, &out_peer->address);
}

/* Full: told so where it costs nothing. */
static void turn_away(struct edge *edge, int fd, bool is_full)
{
        static const char full[] = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\n"
                                   "Connection: close\r\n\r\n";
        STAT_ADD(edge, refused, 1);
        if (is_full && !edge->ssl_ctx && send(fd, full, sizeof(full) - 1, MSG_NOSIGNAL | MSG_DONTWAIT) > 0) {
                char waste[4096];
                shutdown(fd, SHUT_WR);
                while (recv(fd, waste, sizeof(waste), MSG_DONTWAIT) > 0)
                        ; /* unread bytes would turn the answer into a reset */
        }
        close(fd);
}

static void adopt(struct edge *edge, int fd, struct edge_conn *conn)
{
        lws_adopt_desc_t adoption = {.vh = edge->vhost,
                                     .type = LWS_ADOPT_SOCKET | (edge->ssl_ctx ? LWS_ADOPT_ALLOW_SSL : 0),
                                     .fd.sockfd = fd,
                                     .opaque = conn};
        uint32_t generation = conn->generation;
        if (!lws_adopt_descriptor_vhost_via_info(&adoption) && conn->generation == generation)
                conn_gone(conn); /* nothing when lws has told us already */
}

static void on_accepted(struct edge *edge, int fd, const struct sockaddr_storage *from)
{
        struct sockaddr_in6 address;
        map_address(from, &address);
        uint64_t key = limits_key(&address);
        if (!limits_enter(edge->limits, key, edge_now(edge))) {
                turn_away(edge, fd, false);
                return;
        }
        struct edge_conn *conn = conn_take(edge, key);
        if (!conn) {
                limits_leave(edge->limits, key, true, edge_now(edge));
                turn_away(edge, fd, true);
                return;
        }
        STAT_ADD(edge, accepted, 1);
        adopt(edge, fd, conn);
}

static bool is_shortage(int error)
{
        return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

static void on_acceptable(uv_poll_t *poll, int status, int events)
{
        struct listener *listener = poll->data;
        struct edge *edge = listener->edge;
        (void)events;
        if (status < 0)
                return;
        for (int i = 0; i < ACCEPTS_PER_EVENT && edge->pending < edge->options.max_handshakes; i++) {
                struct sockaddr_storage from = {0};
                socklen_t len = sizeof(from);
                int fd = accept4(listener->fd, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
                if (fd < 0) {
                        if (is_shortage(errno))
                                edge->accept_again = edge_tick(edge) + AGAIN_SECONDS * TICKS_PER_SECOND;
                        break;
                }
                on_accepted(edge, fd, &from);
        }
        accept_update(edge);
}

void accept_update(struct edge *edge)
{
        if (edge->accept_again && edge_tick(edge) >= edge->accept_again)
                edge->accept_again = 0;
        bool wanted = !edge->is_paused && !edge->accept_again && !edge->stop_due &&
                      edge->pending < edge->options.max_handshakes;
        for (size_t i = 0; i < edge->listener_count; i++) {
                struct listener *listener = &edge->listeners[i];
                if (listener->is_polled == wanted || uv_is_closing((uv_handle_t *)&listener->poll))
                        continue;
                listener->is_polled = wanted;
                if (wanted)
                        uv_poll_start(&listener->poll, UV_READABLE, on_acceptable);
                else
                        uv_poll_stop(&listener->poll);
        }
}

void edge_pause_accept(struct edge *edge, bool paused)
{
        edge->is_paused = paused;
        accept_update(edge);
}
