/* SPDX-License-Identifier: Apache-2.0 */
/* Ops listener: a tiny HTTP/1.1 server of its own for the operator's monitoring: GET /readyz (200 or 503 with a JSON
 * object of what is well and what is not, and which layers of the sandbox are active) and GET /metrics (Prometheus
 * text). On its own thread; says nothing of any tenant; has no other path. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct ops_http;

struct ops_http_options {
        const char *listen; /* "HOST:PORT" or "[v6]:PORT"; HOST a number; port 0 = any */
        /* Whether the server is ready; adds members such as ,"read_only":false to `out`, each with its leading comma.
         * Called on the listener's thread. */
        bool (*ready)(void *data, FILE *out);
        void *data;
};

/* 0, or a negative errno (-EINVAL: not such an address) with *out_why malloc'd. */
int ops_http_start(const struct ops_http_options *options, struct ops_http **out_http, char **out_why);
uint16_t ops_http_port(const struct ops_http *http);
struct ops_http *ops_http_stop(struct ops_http *http); /* NULL is welcome */
