/* SPDX-License-Identifier: Apache-2.0 */
/* Config: the settings of the server. Each has a default, may stand in one INI file, is overridden by the environment
 * (DESKBELL_ and the key in capitals) and that by the command line. What cannot be understood is refused with file,
 * line, key and what was expected, all of it at once; nothing is guessed. Not thread-safe: a config is filled by one
 * thread and read-only afterwards. */
#pragma once

#include <stdio.h>

#include "ops/log.h"
#include "protocol/span.h"

/* Owned by config_done. Units are in the names. */
struct config {
        char **listen;     /* "HOST:PORT" or "[v6]:PORT", numbers only; NULL-terminated, at least one */
        char *cert, *key;  /* PEM files; both or neither; "" = no TLS */
        char **hosts;      /* accepted Host names besides those listened on; NULL-terminated; none = any */
        bool insecure_dev; /* may listen beyond loopback without TLS */
        char *ops_listen;  /* "" = off */
        char *public_url;  /* base of links that are handed out; "" = that of the first listen address */
        char *data;        /* folder */
        enum log_level log_level;

        uint32_t max_connections;
        uint32_t net_threads; /* at least 1 once loaded */
        uint32_t readers;
        uint32_t quick_check_mb;
        uint32_t visitors_per_minute;
        uint32_t in_flight; /* requests without an answer on one connection */
        uint32_t rate_messages_per_s, rate_burst;
        uint32_t handshakes_per_minute; /* unfinished or failed ones per address */
        uint32_t pending_per_address;
        uint32_t max_handshakes;
        uint32_t output_bytes; /* per connection */
        uint32_t heartbeat_ms, dead_ms, auth_ms, drain_ms;
        uint32_t retry_days, key_window_days;
        uint32_t devices_per_customer, devices_per_agent;
        uint32_t attachment_bytes, attachments_per_day;
        uint32_t attachment_quota_mib; /* 0 = what the disk holds */
        char **webhook_allow;          /* hosts, addresses and networks beyond the public internet; NULL-terminated */
        char **webhook_tries_s;        /* seconds from the first try to each further one; NULL-terminated, rising */
        char *webhook_ca;              /* PEM file; "" = the system's */
};

/* All that was wrong, a line each. */
struct config_errors {
        char *text; /* malloc'd, terminated; NULL while there is none */
        size_t count;
};

/* A setting from the command line. */
struct config_override {
        const char *key, *value;
        const char *said_as; /* for messages: "--listen" */
};

/* Defaults, then the file (NULL: none), the environment, and the overrides. 0, or -EINVAL (a file that cannot be read
 * counts too) with errors added; *out is untouched then. -ENOMEM. */
int config_load(const char *path, const struct config_override *overrides, size_t count, struct config *out,
                struct config_errors *errors);

/* The same from bytes instead of a file and without the environment. `name` stands for the file in messages. */
int config_read(struct span bytes, const char *name, const struct config_override *overrides, size_t count,
                struct config *out, struct config_errors *errors);

void config_done(struct config *config);
void config_errors_done(struct config_errors *errors);

/* The file of all defaults, each with what it means, its unit and range. Reading it back changes nothing. */
void config_print_default(FILE *out);

/* Calls `say` for each setting in which the two differ; `is_live`: it can change in a running server. */
void config_compare(const struct config *running, const struct config *fresh,
                    void (*say)(void *data, const char *key, bool is_live), void *data);

/* Takes over the live settings of `fresh`; 0, or -ENOMEM with `running` untouched. Texts and lists of the other
 * settings stay where they are: who borrowed them may go on. */
int config_apply_live(struct config *running, const struct config *fresh);

/* Whether "HOST:PORT" is a loopback address. */
bool config_is_loopback(const char *address);
