/* SPDX-License-Identifier: Apache-2.0 */
/* Ops listener: see ops_http.h. One request a connection; the head must come within 5 s and 4 KiB. */
#include "ops/ops_http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ops/door.h"
#include "ops/metrics.h"
#include "ops/sandbox.h"
#include "protocol/span.h"

enum { HEAD_BYTES = 4096, DEADLINE_MS = 5000 };

struct ops_http {
        struct ops_http_options options;
        struct door *door;
        uint16_t port;
};

struct address {
        union {
                struct sockaddr any;
                struct sockaddr_in v4;
                struct sockaddr_in6 v6;
        };
        socklen_t len;
};

static int read_port(const char *text, uint16_t *out_port)
{
        char *end;
        unsigned long port = strtoul(text, &end, 10);

        if (*text < '0' || *text > '9' || *end || port > 65535)
                return -EINVAL;
        *out_port = htons((uint16_t)port);
        return 0;
}

static int read_address(const char *text, struct address *out)
{
        const char *colon = strrchr(text, ':');
        char host[64];
        size_t len = colon ? (size_t)(colon - text) : sizeof(host);
        uint16_t port;

        if (len >= sizeof(host) || read_port(colon + 1, &port) < 0)
                return -EINVAL;
        memcpy(host, text, len);
        host[len] = '\0';
        *out = (struct address){0};
        if (len > 2 && host[0] == '[' && host[len - 1] == ']') {
                host[len - 1] = '\0';
                out->v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = port};
                out->len = sizeof(out->v6);
                return inet_pton(AF_INET6, host + 1, &out->v6.sin6_addr) == 1 ? 0 : -EINVAL;
        }
        out->v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = port};
        out->len = sizeof(out->v4);
        if (strcmp(host, "localhost") == 0)
                strcpy(host, "127.0.0.1");
        return inet_pton(AF_INET, host, &out->v4.sin_addr) == 1 ? 0 : -EINVAL;
}

static int listen_at(const char *text, uint16_t *out_port)
{
        struct address address;
        int one = 1;
        if (read_address(text, &address) < 0)
                return -EINVAL;
        int fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return -errno;
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
        if (bind(fd, &address.any, address.len) < 0 || listen(fd, DOOR_CONNECTIONS) < 0 ||
            getsockname(fd, &address.any, &address.len) < 0) {
                int rc = -errno;
                close(fd);
                return rc;
        }
        *out_port = ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
        return fd;
}

static void answer(struct door_conn *conn, const char *status, const char *type, struct span body)
{
        char head[320];
        int len = snprintf(head, sizeof(head),
                           "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nCache-Control: no-store\r\n"
                           "X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n",
                           status, type, body.len);

        door_send(conn, head, (size_t)len);
        door_send(conn, body.at, body.len);
        door_finish(conn);
}

struct layers {
        FILE *out;
        bool is_later; /* a comma is due */
};

static void print_layer(void *data, const char *layer, bool is_active, const char *detail)
{
        struct layers *layers = data;

        (void)detail;
        fprintf(layers->out, "%s\"%s\":%s", layers->is_later ? "," : "", layer, is_active ? "true" : "false");
        layers->is_later = true;
}

static void answer_ready(struct ops_http *http, struct door_conn *conn)
{
        char *members = NULL, *body = NULL;
        size_t len = 0;
        FILE *out = open_memstream(&members, &len);
        bool is_ready = out && http->options.ready(http->options.data, out);

        if (out) {
                fprintf(out, ",\"sandbox\":{");
                sandbox_report(print_layer, &(struct layers){.out = out});
                fprintf(out, "}");
                fclose(out);
        }
        int body_len = asprintf(&body, "{\"ready\":%s%s}\n", is_ready ? "true" : "false", members ? members : "");
        if (body_len >= 0) {
                answer(conn, is_ready ? "200 OK" : "503 Service Unavailable", "application/json",
                       (struct span){body, (size_t)body_len});
                free(body);
        } else {
                door_finish(conn);
        }
        free(members);
}

static void answer_metrics(struct door_conn *conn)
{
        char *body = NULL;
        size_t len = 0;
        FILE *out = open_memstream(&body, &len);

        if (out) {
                metrics_print(out);
                fclose(out);
                answer(conn, "200 OK", "text/plain; version=0.0.4; charset=utf-8", (struct span){body, len});
        } else {
                door_finish(conn);
        }
        free(body);
}

static bool takes(struct span line, const char *path)
{
        size_t len = strlen(path);

        return line.len > len && memcmp(line.at, path, len) == 0 && (line.at[len] == ' ' || line.at[len] == '?');
}

static ptrdiff_t on_bytes(void *owner, struct door_conn *conn, char *bytes, size_t len, size_t seen)
{
        (void)seen; /* a head is short */
        if (!memmem(bytes, len, "\r\n\r\n", 4) && !memmem(bytes, len, "\n\n", 2))
                return 0;
        struct span line = {bytes, (size_t)((char *)memchr(bytes, '\n', len) - bytes)};
        bool is_get = line.len > 4 && memcmp(line.at, "GET ", 4) == 0;
        struct span target = is_get ? (struct span){line.at + 4, line.len - 4} : line;

        if (!is_get)
                answer(conn, "405 Method Not Allowed", "text/plain", SPAN("only GET is answered here\n"));
        else if (takes(target, "/readyz"))
                answer_ready(owner, conn);
        else if (takes(target, "/metrics"))
                answer_metrics(conn);
        else
                answer(conn, "404 Not Found", "text/plain", SPAN("there are /readyz and /metrics\n"));
        return (ptrdiff_t)len;
}

static int open_door(struct ops_http *http, int fd)
{
        struct door_options door = {.listen_fd = fd,
                                    .name = "ops",
                                    .max_input = HEAD_BYTES,
                                    .deadline_ms = DEADLINE_MS,
                                    .owner = http,
                                    .on_bytes = on_bytes};

        return door_start(&door, &http->door);
}

int ops_http_start(const struct ops_http_options *options, struct ops_http **out_http, char **out_why)
{
        struct ops_http *http = calloc(1, sizeof(*http));
        int rc = http ? 0 : -ENOMEM;

        if (rc == 0) {
                http->options = *options;
                rc = listen_at(options->listen, &http->port);
        }
        if (rc >= 0)
                rc = open_door(http, rc);
        if (rc < 0) {
                if (out_why && asprintf(out_why, "ops_listen %s: %s", options->listen,
                                        rc == -EINVAL ? "expected ADDRESS:PORT" : strerror(-rc)) < 0)
                        *out_why = NULL;
                free(http);
                return rc;
        }
        *out_http = http;
        return 0;
}

uint16_t ops_http_port(const struct ops_http *http)
{
        return http->port;
}

struct ops_http *ops_http_stop(struct ops_http *http)
{
        if (http) {
                door_stop(http->door);
                free(http);
        }
        return NULL;
}
