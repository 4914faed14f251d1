/* SPDX-License-Identifier: Apache-2.0 */
/* Asking an HTTP proxy for a tunnel (RFC 9110, CONNECT). What it answers is bounded in size and time, and nothing may
 * follow the head of its answer: both TLS and WebSocket begin on our side. */
#include "dial.h"

#include <errno.h>
#include <openssl/evp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "platform.h"

enum { ASK_BYTES = 2048, HEAD_BYTES = 8192 };

static int fail(struct dial_outcome *out, const char *detail)
{
        out->why = "proxy";
        snprintf(out->detail, sizeof(out->detail), "%s", detail);
        return -1;
}

static size_t write_request(char out[ASK_BYTES], const struct road_address *to, const struct road_proxy *proxy)
{
        const char *left = strchr(to->host, ':') ? "[" : "", *right = *left ? "]" : "";
        char both[2 * ROAD_CREDENTIAL_BYTES + 1];
        unsigned char basic[sizeof(both) * 2];
        int len = snprintf(out, ASK_BYTES, "CONNECT %s%s%s:%u HTTP/1.1\r\nHost: %s%s%s:%u\r\n", left, to->host, right,
                           to->port, left, to->host, right, to->port);

        if (proxy->has_credentials) {
                int both_len = snprintf(both, sizeof(both), "%s:%s", proxy->user, proxy->password);
                EVP_EncodeBlock(basic, (const unsigned char *)both, both_len);
                len += snprintf(out + len, ASK_BYTES - (size_t)len, "Proxy-Authorization: Basic %s\r\n", basic);
        }
        len += snprintf(out + len, ASK_BYTES - (size_t)len, "\r\n");
        return (size_t)len;
}

static int send_all(int fd, const char *bytes, size_t len, int stop_fd, int64_t until_ms, struct dial_outcome *out)
{
        while (len) {
                ssize_t sent = platform_send(fd, bytes, len);
                if (sent > 0) {
                        bytes += sent;
                        len -= (size_t)sent;
                } else if (sent < 0 && errno != EAGAIN && errno != EINTR) {
                        return fail(out, "the proxy hung up");
                } else if (dial_wait(fd, POLLOUT, stop_fd, until_ms) != 1) {
                        return fail(out, "the proxy does not read");
                }
        }
        return 0;
}

/* "HTTP/1.x 200 ..." */
static int read_status(const char *head)
{
        if ((strncmp(head, "HTTP/1.0 ", 9) != 0 && strncmp(head, "HTTP/1.1 ", 9) != 0) || head[9] < '1' ||
            head[9] > '5' || head[10] < '0' || head[10] > '9' || head[11] < '0' || head[11] > '9' ||
            (head[12] != ' ' && head[12] != '\r'))
                return -1;
        return (head[9] - '0') * 100 + (head[10] - '0') * 10 + (head[11] - '0');
}

static int judge(const char *head, struct dial_outcome *out)
{
        int status = read_status(head);
        char detail[48];

        if (status < 0)
                return fail(out, "the proxy does not speak HTTP");
        if (status >= 200 && status < 300)
                return 0;
        snprintf(detail, sizeof(detail), "the proxy answered %d", status);
        fail(out, detail);
        if (status == 407)
                out->why = "proxy_auth";
        return -1;
}

static int read_answer(int fd, int stop_fd, int64_t until_ms, struct dial_outcome *out)
{
        char head[HEAD_BYTES + 1];
        size_t have = 0;

        for (;;) {
                if (have == HEAD_BYTES)
                        return fail(out, "the proxy's answer is too long");
                if (dial_wait(fd, POLLIN, stop_fd, until_ms) != 1)
                        return fail(out, "the proxy does not answer");
                ssize_t got = recv(fd, head + have, HEAD_BYTES - have, 0);
                if (got < 0 && (errno == EAGAIN || errno == EINTR))
                        continue;
                if (got <= 0)
                        return fail(out, "the proxy hung up");
                have += (size_t)got;
                head[have] = '\0';
                if (strlen(head) != have || (have >= 9 && strncmp(head, "HTTP/1.", 7) != 0))
                        return fail(out, "the proxy does not speak HTTP");
                const char *end = strstr(head, "\r\n\r\n");
                if (!end)
                        continue;
                if (judge(head, out) < 0)
                        return -1;
                return end + 4 == head + have ? 0 : fail(out, "the proxy says more than it was asked");
        }
}

int dial_ask_proxy(int fd, const struct road_address *to, const struct road_proxy *proxy, int stop_fd, int64_t until_ms,
                   struct dial_outcome *out)
{
        char request[ASK_BYTES];
        size_t len = write_request(request, to, proxy);

        if (send_all(fd, request, len, stop_fd, until_ms, out) < 0)
                return -1;
        return read_answer(fd, stop_fd, until_ms, out);
}
