/* SPDX-License-Identifier: Apache-2.0 */
/* Road: reading the addresses an application gives. Pure but for the making of what it says. */
#include "road.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trust.h"

static bool is_host_byte(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
               c == '_';
}

static bool is_number(const char *host)
{
        struct in6_addr room;

        return inet_pton(AF_INET, host, &room) == 1 || inet_pton(AF_INET6, host, &room) == 1;
}

/* [ADDRESS] or NAME of `len` bytes. Returns how many bytes it took, 0 = it is no host. */
static size_t read_host(const char *at, size_t len, char out[ROAD_HOST_BYTES])
{
        bool is_v6 = len > 0 && *at == '[';
        const char *end = is_v6 ? memchr(at, ']', len) : NULL;
        struct in6_addr room;
        size_t took = 0;

        if (is_v6 && !end)
                return 0;
        if (is_v6) {
                at++;
                len = (size_t)(end - at);
        }
        while (took < len && (is_v6 || is_host_byte(at[took])))
                took++;
        if (took == 0 || took >= ROAD_HOST_BYTES)
                return 0;
        memcpy(out, at, took);
        out[took] = '\0';
        if (is_v6 && inet_pton(AF_INET6, out, &room) != 1)
                return 0;
        return is_v6 ? took + 2 : took;
}

/* ":PORT", all of it. */
static bool read_port(const char *at, size_t len, uint16_t *out)
{
        uint32_t port = 0;

        if (len < 2 || len > 6 || *at != ':')
                return false;
        for (size_t i = 1; i < len; i++) {
                if (at[i] < '0' || at[i] > '9')
                        return false;
                port = port * 10 + (uint32_t)(at[i] - '0');
        }
        if (port == 0 || port > 65535)
                return false;
        *out = (uint16_t)port;
        return true;
}

static bool is_path(const char *path)
{
        for (; *path; path++)
                if (*path <= ' ' || *path > '~' || *path == '#')
                        return false;
        return true;
}

bool road_read_address(const char *url, struct road_address *out)
{
        bool is_tls = strncmp(url, "wss://", 6) == 0;

        if (!is_tls && strncmp(url, "ws://", 5) != 0)
                return false;
        const char *at = url + (is_tls ? 6 : 5), *path = strchr(at, '/');
        size_t len = path ? (size_t)(path - at) : strlen(at);
        size_t took = read_host(at, len, out->host);
        if (!took || len >= sizeof(out->authority) || strlen(at) - len >= sizeof(out->path))
                return false;
        out->port = is_tls ? 443 : 80;
        if (took < len && !read_port(at + took, len - took, &out->port))
                return false;
        out->is_tls = is_tls;
        out->is_number = is_number(out->host);
        memcpy(out->authority, at, len);
        out->authority[len] = '\0';
        snprintf(out->path, sizeof(out->path), "%s", path ? path : "/");
        return is_path(out->path);
}

static int hex_digit(char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
                return (c | 0x20) - 'a' + 10;
        return -1;
}

static bool read_credential(const char *at, size_t len, char out[ROAD_CREDENTIAL_BYTES])
{
        size_t have = 0;

        for (size_t i = 0; i < len; i++) {
                int byte = (unsigned char)at[i];
                if (byte == '%') {
                        int high = i + 2 < len ? hex_digit(at[i + 1]) : -1;
                        int low = high >= 0 ? hex_digit(at[i + 2]) : -1;
                        if (low < 0)
                                return false;
                        byte = high << 4 | low;
                        i += 2;
                }
                if (byte < ' ' || byte == 127 || have + 1 >= ROAD_CREDENTIAL_BYTES)
                        return false;
                out[have++] = (char)byte;
        }
        out[have] = '\0';
        return true;
}

static const char *last_of(const char *text, size_t len, char wanted)
{
        while (len && text[len - 1] != wanted)
                len--;
        return len ? text + len - 1 : NULL;
}

bool road_read_proxy(const char *url, struct road_proxy *out)
{
        if (strncmp(url, "http://", 7) != 0)
                return false;
        const char *at = url + 7;
        size_t len = strlen(at);
        if (len > 0 && at[len - 1] == '/')
                len--;
        const char *sign = last_of(at, len, '@');
        out->has_credentials = sign != NULL;
        if (sign) {
                const char *colon = memchr(at, ':', (size_t)(sign - at));
                if (!colon || !read_credential(at, (size_t)(colon - at), out->user) ||
                    !read_credential(colon + 1, (size_t)(sign - colon - 1), out->password) || strchr(out->user, ':'))
                        return false;
                len -= (size_t)(sign + 1 - at);
                at = sign + 1;
        }
        size_t took = read_host(at, len, out->host);
        return took && read_port(at + took, len - took, &out->port);
}

int road_new(const char *url, const struct deskbell_options *options, struct road **out_road)
{
        struct road *road = calloc(1, sizeof(*road));
        int rc = 0;
        if (!road)
                return DESKBELL_E_NOMEM;

        road->has_proxy = options->proxy != NULL;
        if (!road_read_address(url, &road->to) && !options->transport)
                rc = DESKBELL_E_INVALID;
        if (rc == 0 && options->proxy && !road_read_proxy(options->proxy, &road->proxy))
                rc = DESKBELL_E_INVALID;
        if (rc == 0)
                rc = trust_new(options->ca_file, options->tls_pins, options->tls_pins_count, &road->trust);
        if (rc < 0) {
                road_free(road);
                return rc;
        }
        *out_road = road;
        return 0;
}

struct road *road_free(struct road *road)
{
        if (!road)
                return NULL;
        trust_free(road->trust);
        free(road);
        return NULL;
}

void road_log(const struct road *road, enum deskbell_level level, const char *what, const char *detail)
{
        char line[256];

        if (!road->log)
                return;
        snprintf(line, sizeof(line), "%s: %s", what, detail);
        for (char *at = line; *at; at++)
                if (*at < ' ' || *at > '~')
                        *at = '?';
        road->log(road->log_data, level, line);
}
