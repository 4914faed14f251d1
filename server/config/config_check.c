/* SPDX-License-Identifier: Apache-2.0 */
/* What only shows when settings are seen together: pairs, order of numbers, listening in the open. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/config_private.h"

enum { HOST_BYTES = 64 };

/* Splits "HOST:PORT"; brackets are taken off. */
static bool split(const char *address, char host[HOST_BYTES], unsigned *out_port)
{
        const char *colon = strrchr(address, ':');
        char *end;
        if (!colon || colon == address || colon - address >= HOST_BYTES || colon[1] < '0' || colon[1] > '9')
                return false;
        unsigned long port = strtoul(colon + 1, &end, 10);
        size_t len = (size_t)(colon - address);

        if (*end || port > 65535 || end - colon > 6)
                return false;
        if (address[0] == '[' && len > 2 && address[len - 1] == ']') {
                address++;
                len -= 2;
        } else if (memchr(address, ':', len)) {
                return false; /* v6 without brackets */
        }
        memcpy(host, address, len);
        host[len] = '\0';
        *out_port = (unsigned)port;
        return true;
}

static bool is_address(const char *text)
{
        char host[HOST_BYTES];
        unsigned port;
        struct in6_addr any;

        return split(text, host, &port) &&
               (strcmp(host, "localhost") == 0 || inet_pton(text[0] == '[' ? AF_INET6 : AF_INET, host, &any) == 1);
}

bool config_is_loopback(const char *address)
{
        char host[HOST_BYTES];
        unsigned port;
        struct in_addr v4;
        struct in6_addr v6;

        if (!split(address, host, &port))
                return false;
        if (strcmp(host, "localhost") == 0)
                return true;
        if (inet_pton(AF_INET, host, &v4) == 1)
                return ntohl(v4.s_addr) >> 24 == 127;
        return inet_pton(AF_INET6, host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

/* localhost becomes its number, so that nothing has to be looked up. */
static int name_number(char **address)
{
        char host[HOST_BYTES], *fresh;
        unsigned port;

        if (!split(*address, host, &port) || strcmp(host, "localhost") != 0)
                return 0;
        if (asprintf(&fresh, "127.0.0.1:%u", port) < 0)
                return -ENOMEM;
        free(*address);
        *address = fresh;
        return 0;
}

static int check_listen(struct config *config, struct config_errors *errors)
{
        bool has_tls = *config->cert && *config->key;

        if (!config->listen[0])
                config_error(errors, "settings", "listen", "expected at least one ADDRESS:PORT");
        for (char **at = config->listen; *at; at++) {
                if (!is_address(*at)) {
                        config_error(errors, "settings", "listen",
                                     "expected ADDRESS:PORT with a number as address, not \"%.64s\"", *at);
                        continue;
                }
                if (!config_is_loopback(*at) && !has_tls && !config->insecure_dev)
                        config_error(errors, "settings", "listen",
                                     "%s is not loopback: set cert and key, or insecure_dev = yes if you know the way "
                                     "there is safe",
                                     *at);
                int rc = name_number(at);
                if (rc < 0)
                        return rc;
        }
        if (*config->ops_listen && !is_address(config->ops_listen))
                config_error(errors, "settings", "ops_listen",
                             "expected ADDRESS:PORT with a number as address, or nothing, not \"%.64s\"",
                             config->ops_listen);
        return 0;
}

static void check_file(const char *key, const char *path, struct config_errors *errors)
{
        if (*path && access(path, R_OK) < 0)
                config_error(errors, "settings", key, "expected a readable file; %.256s: %s", path, strerror(errno));
}

static void check_tls(const struct config *config, struct config_errors *errors)
{
        if (!*config->cert != !*config->key)
                config_error(errors, "settings", *config->cert ? "key" : "cert",
                             "expected together with %s, or neither", *config->cert ? "cert" : "key");
        check_file("cert", config->cert, errors);
        check_file("key", config->key, errors);
}

static void check_url(const struct config *config, struct config_errors *errors)
{
        const char *url = config->public_url;

        if (*url && strncmp(url, "https://", 8) != 0 && strncmp(url, "http://", 7) != 0)
                config_error(errors, "settings", "public_url", "expected https://... or http://..., not \"%.64s\"",
                             url);
}

static void check_hosts(const struct config *config, struct config_errors *errors)
{
        for (char **at = config->hosts; *at; at++)
                if (strchr(*at, '/') || strchr(*at, '*') || strlen(*at) > 253)
                        config_error(errors, "settings", "hosts", "expected a host name, not \"%.64s\"", *at);
}

static void check_numbers(const struct config *config, struct config_errors *errors)
{
        if (config->retry_days >= config->key_window_days)
                config_error(
                        errors, "settings", "retry_days",
                        "expected less than key_window_days (%u), not %u: a repeated message could be stored twice",
                        config->key_window_days, config->retry_days);
        if (config->heartbeat_ms >= config->dead_ms)
                config_error(errors, "settings", "heartbeat_ms", "expected less than dead_ms (%u), not %u",
                             config->dead_ms, config->heartbeat_ms);
        if (!*config->data)
                config_error(errors, "settings", "data", "expected a folder");
}

int config_check(struct config *config, struct config_errors *errors)
{
        int rc = check_listen(config, errors);

        check_tls(config, errors);
        check_url(config, errors);
        check_hosts(config, errors);
        check_numbers(config, errors);
        if (config->net_threads == 0) {
                long cores = sysconf(_SC_NPROCESSORS_ONLN);
                config->net_threads = cores > 2 ? (uint32_t)(cores > 65 ? 64 : cores - 1) : 1;
        }
        return rc;
}
