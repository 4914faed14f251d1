/* SPDX-License-Identifier: Apache-2.0 */
/* The demo shop's back end: a few orders that never change, asked by the bot's calls over HTTP on the loopback address.
 * Stands in a child of the demo, one connection at a time; it is no server for anything else. */
#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/demo.h"

enum { REQUEST_MAX = 16384, PATIENCE_S = 5 };

static const struct order {
        const char *id, *status, *carrier, *tracking;
} orders[] = {
        {"KR-2041987", "shipped", "Hanjin", "HJ 4410 2287 01"},
        {"JP-1180442", "delivered", "Yamato", "YM 3309 1178"},
        {"CN-7702316", "processing", "", ""},
        {"UK-5550012", "cancelled", "", ""},
};

/* Order numbers are written in many ways: letters and digits count. */
static bool is_same(const char *one, const char *other)
{
        for (;; one++, other++) {
                while (*one && !strchr("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", *one))
                        one++;
                while (*other == '-')
                        other++;
                if (!*one || !*other)
                        return !*one && !*other;
                if (strncasecmp(one, other, 1) != 0)
                        return false;
        }
}

static const struct order *find(const json_t *args)
{
        const char *id = json_string_value(json_object_get(args, "id"));
        if (!id)
                id = json_string_value(json_object_get(args, "order"));
        for (size_t i = 0; id && i < sizeof(orders) / sizeof(*orders); i++)
                if (is_same(id, orders[i].id))
                        return &orders[i];
        return NULL;
}

/* NULL: the shop knows nothing of the kind. */
static json_t *answer(const char *call, const json_t *args)
{
        const struct order *order = find(args);
        if (strcmp(call, "accounts.reset") == 0)
                return json_pack("{s:b}", "ok", 1);
        if (!order)
                return NULL;
        if (strcmp(call, "orders.lookup") == 0)
                return json_pack("{s:s, s:s, s:s, s:s}", "id", order->id, "status", order->status, "carrier",
                                 order->carrier, "tracking", order->tracking);
        if (strcmp(call, "orders.address") == 0)
                return json_pack("{s:b}", "ok", strcmp(order->status, "processing") == 0);
        if (strcmp(call, "returns.create") == 0)
                return json_pack("{s:b, s:s}", "ok", 1, "number", "RT-10042");
        return NULL;
}

/* The whole request, or as much as came: until the body is there. Bytes; 0 = nothing usable. */
static size_t read_request(int fd, char *request, char **out_body)
{
        size_t len = 0;
        for (;;) {
                ssize_t got = read(fd, request + len, REQUEST_MAX - 1 - len);
                if (got <= 0)
                        return 0;
                len += (size_t)got;
                request[len] = '\0';
                char *body = strstr(request, "\r\n\r\n"), *said = strcasestr(request, "\r\ncontent-length:");
                size_t expected = said ? strtoul(said + 17, NULL, 10) : 0;
                if (body && said && said < body && len >= (size_t)(body + 4 - request) + expected) {
                        *out_body = body + 4;
                        return len;
                }
                if (len == REQUEST_MAX - 1)
                        return 0;
        }
}

static void serve_one(int fd)
{
        char request[REQUEST_MAX], *body = NULL;
        json_t *asked = read_request(fd, request, &body) > 0 ? json_loads(body, 0, NULL) : NULL;
        const char *call = json_string_value(json_object_get(asked, "call"));
        json_t *result = call ? answer(call, json_object_get(asked, "args")) : NULL;
        char *text = result ? json_dumps(result, JSON_COMPACT) : NULL;
        dprintf(fd,
                "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
                text ? "200 OK" : "404 Not Found", text ? strlen(text) : 0, text ? text : "");
        free(text);
        json_decref(result);
        json_decref(asked);
}

static void run(int listener, pid_t parent)
{
        struct timeval patience = {.tv_sec = PATIENCE_S};
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        signal(SIGPIPE, SIG_IGN);
        signal(SIGINT, SIG_IGN); /* the demo tells when it ends */
        if (getppid() != parent)
                _exit(EX_OSERR);
        for (;;) {
                int fd = accept(listener, NULL, NULL);
                if (fd < 0)
                        continue;
                setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
                setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
                serve_one(fd);
                close(fd);
        }
}

int demo_shop_start(struct demo *demo)
{
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t len = sizeof(address);
        pid_t parent = getpid();
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 16) < 0 ||
            getsockname(fd, (struct sockaddr *)&address, &len) < 0)
                return cli_fail(EX_OSERR, "the demo's shop: %s", strerror(errno));
        snprintf(demo->shop_url, sizeof(demo->shop_url), "http://127.0.0.1:%d/bot", ntohs(address.sin_port));
        demo->shop = fork();
        if (demo->shop == 0) {
                run(fd, parent);
                _exit(0);
        }
        close(fd);
        return demo->shop > 0 ? EX_OK : cli_fail(EX_OSERR, "the demo's shop: %s", strerror(errno));
}

void demo_shop_stop(struct demo *demo)
{
        if (demo->shop > 0)
                kill(demo->shop, SIGKILL);
}
