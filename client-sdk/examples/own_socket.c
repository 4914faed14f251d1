/* SPDX-License-Identifier: Apache-2.0 */
/* POSIX sockets and OpenSSL for own_transport.c. Looking up the name blocks; a platform's own socket does that better.
 */
#include "own_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HEAD_BYTES = 8192 };

int own_address_read(const char *url, struct own_address *out)
{
        const char *at = strstr(url, "://"), *path, *colon, *host_end;

        if (!at || (strncmp(url, "ws://", 5) != 0 && strncmp(url, "wss://", 6) != 0))
                return -1;
        out->is_tls = url[2] == 's';
        at += 3;
        path = strchr(at, '/');
        path = path ? path : at + strlen(at);
        host_end = *at == '[' ? strchr(at, ']') : at + strcspn(at, ":/");
        if (!host_end || host_end > path || path - at >= (long)sizeof(out->authority) || strlen(path) > 2048)
                return -1;
        colon = *at == '[' ? host_end + 1 : host_end;
        snprintf(out->authority, sizeof(out->authority), "%.*s", (int)(path - at), at);
        snprintf(out->path, sizeof(out->path), "%s", *path ? path : "/v1/ws");
        snprintf(out->port, sizeof(out->port), "%s", out->is_tls ? "443" : "80");
        if (colon < path && *colon == ':')
                snprintf(out->port, sizeof(out->port), "%.*s", (int)(path - colon - 1), colon + 1);
        at += *at == '[';
        if (host_end == at || host_end - at >= (long)sizeof(out->host))
                return -1;
        snprintf(out->host, sizeof(out->host), "%.*s", (int)(host_end - at), at);
        return 0;
}

SSL_CTX *own_tls_new(const char *ca_file)
{
        SSL_CTX *tls = SSL_CTX_new(TLS_client_method());

        if (!tls)
                return NULL;
        SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION);
        SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, NULL);
        SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
        if (ca_file)
                SSL_CTX_load_verify_locations(tls, ca_file, NULL);
        else
                SSL_CTX_set_default_verify_paths(tls);
        return tls;
}

static int fail(struct own_socket *which, const char *why, const char *detail)
{
        which->why = why;
        snprintf(which->detail, sizeof(which->detail), "%s", detail);
        own_socket_close(which);
        return -1;
}

static int is_connected(int fd, own_wait_fn wait, void *data)
{
        int error = 0;
        socklen_t len = sizeof(error);

        return wait(data, fd, POLLOUT) && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && error == 0;
}

/* The first address that answers. */
static int connect_any(const struct own_address *to, own_wait_fn wait, void *data)
{
        struct addrinfo hints, *found = NULL;
        int fd = -1;

        memset(&hints, 0, sizeof(hints));
        hints.ai_socktype = SOCK_STREAM;
        if (getaddrinfo(to->host, to->port, &hints, &found) != 0)
                return -1;
        for (const struct addrinfo *at = found; at && fd < 0; at = at->ai_next) {
                fd = socket(at->ai_family, SOCK_STREAM, 0);
                if (fd < 0)
                        continue;
                fcntl(fd, F_SETFD, FD_CLOEXEC);
                fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
                if ((connect(fd, at->ai_addr, at->ai_addrlen) < 0 && errno != EINPROGRESS) ||
                    !is_connected(fd, wait, data)) {
                        close(fd);
                        fd = -1;
                }
        }
        freeaddrinfo(found);
        return fd;
}

static const char *tls_reason(const struct own_socket *which)
{
        long verdict = SSL_get_verify_result(which->tls);
        const char *reason = ERR_reason_error_string(ERR_peek_error());

        if (verdict != X509_V_OK)
                return X509_verify_cert_error_string(verdict);
        return reason ? reason : "it broke off";
}

static int secure(struct own_socket *which, const struct own_address *to, SSL_CTX *tls, own_wait_fn wait, void *data)
{
        unsigned char number[16];

        which->tls = SSL_new(tls);
        if (!which->tls || SSL_set_fd(which->tls, which->fd) != 1)
                return fail(which, "network", "out of memory");
        if (inet_pton(AF_INET, to->host, number) == 1 || inet_pton(AF_INET6, to->host, number) == 1) {
                X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(which->tls), to->host);
        } else {
                SSL_set1_host(which->tls, to->host);
                SSL_set_tlsext_host_name(which->tls, to->host);
        }
        for (;;) {
                int rc = SSL_connect(which->tls), error = SSL_get_error(which->tls, rc);
                if (rc == 1)
                        return 0;
                if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
                        return fail(which, "tls", tls_reason(which));
                if (!wait(data, which->fd, error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT))
                        return fail(which, "network", "no answer to the TLS handshake");
        }
}

int own_socket_connect(struct own_socket *out, const struct own_address *to, SSL_CTX *tls, own_wait_fn wait, void *data)
{
        out->tls = NULL;
        out->fd = connect_any(to, wait, data);
        if (out->fd < 0)
                return fail(out, "network", "no connection");
        return to->is_tls ? secure(out, to, tls, wait, data) : 0;
}

/* What an unfinished call of OpenSSL waits for. */
static long unfinished(struct own_socket *which, int rc, short *out_events)
{
        int error = SSL_get_error(which->tls, rc);

        if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
                return -1;
        *out_events = error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
        return 0;
}

long own_socket_read(struct own_socket *from, void *bytes, size_t room, short *out_events)
{
        long got;

        if (from->tls) {
                int rc = SSL_read(from->tls, bytes, (int)room);
                return rc > 0 ? rc : unfinished(from, rc, out_events);
        }
        got = recv(from->fd, bytes, room, 0);
        *out_events = POLLIN;
        return got > 0 ? got : got < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

long own_socket_write(struct own_socket *to, const void *bytes, size_t len, short *out_events)
{
        long sent;

        if (to->tls) {
                int rc = SSL_write(to->tls, bytes, (int)len);
                return rc > 0 ? rc : unfinished(to, rc, out_events);
        }
        sent = send(to->fd, bytes, len, MSG_NOSIGNAL);
        *out_events = POLLOUT;
        return sent > 0 ? sent : sent < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

void own_socket_close(struct own_socket *which)
{
        SSL_free(which->tls);
        which->tls = NULL;
        if (which->fd >= 0)
                close(which->fd);
        which->fd = -1;
}

/* ---- the upgrade ------------------------------------------------------------------------------------------------- */

static int write_all(struct own_socket *over, const char *bytes, size_t len, own_wait_fn wait, void *data)
{
        short events = POLLOUT;

        while (len) {
                long n = own_socket_write(over, bytes, len, &events);
                if (n < 0 || (n == 0 && !wait(data, over->fd, events)))
                        return -1;
                bytes += n;
                len -= (size_t)n;
        }
        return 0;
}

/* A byte at a time: what follows the head belongs to the WebSocket. 0 also when it is no HTTP. */
static int read_head(struct own_socket *over, char head[HEAD_BYTES], own_wait_fn wait, void *data)
{
        size_t len = 0;
        short events = POLLIN;

        while (len < 4 || memcmp(head + len - 4, "\r\n\r\n", 4) != 0) {
                long n = len + 1 < HEAD_BYTES ? own_socket_read(over, head + len, 1, &events) : -1;
                if (n < 0 || (n == 0 && !wait(data, over->fd, events)))
                        return -1;
                len += (size_t)n;
                if (len <= 7 && memcmp(head, "HTTP/1.1", len) != 0)
                        break;
        }
        head[len] = '\0';
        return 0;
}

/* The first header of that name; NULL: there is none. */
static const char *header_of(const char *head, const char *name)
{
        size_t len = strlen(name);

        for (const char *line = strstr(head, "\r\n"); line; line = strstr(line + 2, "\r\n"))
                if (strncasecmp(line + 2, name, len) == 0 && line[2 + len] == ':')
                        return line + 3 + len + strspn(line + 3 + len, " \t");
        return NULL;
}

static int is_header(const char *head, const char *name, const char *expected)
{
        const char *value = header_of(head, name);
        size_t len = strlen(expected);

        return value && strncasecmp(value, expected, len) == 0 && value[len + strspn(value + len, " \t")] == '\r';
}

static int agrees(const char *head, const char *subprotocol, const char *key)
{
        static const char magic[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
        unsigned char hash[SHA_DIGEST_LENGTH], expected[32];
        char both[32 + sizeof(magic)];

        snprintf(both, sizeof(both), "%s%s", key, magic);
        SHA1((unsigned char *)both, strlen(both), hash);
        EVP_EncodeBlock(expected, hash, sizeof(hash));
        return strncmp(head, "HTTP/1.1 101", 12) == 0 && is_header(head, "Upgrade", "websocket") &&
               is_header(head, "Connection", "Upgrade") && is_header(head, "Sec-WebSocket-Accept", (char *)expected) &&
               is_header(head, "Sec-WebSocket-Protocol", subprotocol) && !header_of(head, "Sec-WebSocket-Extensions");
}

int own_socket_upgrade(struct own_socket *over, const struct own_address *to, const char *subprotocol, own_wait_fn wait,
                       void *data)
{
        unsigned char random[16], key[32];
        char head[HEAD_BYTES];

        RAND_bytes(random, sizeof(random));
        EVP_EncodeBlock(key, random, sizeof(random));
        int len = snprintf(head, sizeof(head),
                           "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                           "Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: %s\r\n\r\n",
                           to->path, to->authority, (char *)key, subprotocol);
        if (write_all(over, head, (size_t)len, wait, data) < 0 || read_head(over, head, wait, data) < 0)
                return fail(over, "network", "no answer to the upgrade");
        if (!agrees(head, subprotocol, (char *)key))
                return fail(over, "handshake", "this is not a WebSocket of ours");
        return 0;
}
