/* SPDX-License-Identifier: Apache-2.0 */
/* Road: how the server is reached, for the WebSocket and for files alike: the address, a proxy on the way, and which
 * certificates are believed. Belongs to the client, is made before its threads and freed after them; nothing in it
 * changes, so any thread may read it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "deskbell/deskbell.h"
#include "protocol_generated.h"

struct trust;

enum { ROAD_HOST_BYTES = 256, ROAD_CREDENTIAL_BYTES = 256 };

struct road_address {
        char host[ROAD_HOST_BYTES];           /* name or number, without brackets */
        char authority[ROAD_HOST_BYTES + 16]; /* as it stands in the URL: host and, where one was given, the port */
        char path[PROTOCOL_URL_BYTES + 1];
        uint16_t port;
        bool is_tls;
        bool is_number; /* an IPv4 or IPv6 address, not a name */
};

struct road_proxy {
        char host[ROAD_HOST_BYTES];
        uint16_t port;
        bool has_credentials;
        char user[ROAD_CREDENTIAL_BYTES], password[ROAD_CREDENTIAL_BYTES];
};

struct road {
        struct road_address to;
        bool has_proxy;
        struct road_proxy proxy;
        struct trust *trust;
        void (*log)(void *data, enum deskbell_level level, const char *line); /* any thread */
        void *log_data;
};

/* ws://HOST[:PORT][/PATH] or wss://..., an IPv6 address in brackets. False: it is no such address. */
bool road_read_address(const char *url, struct road_address *out);

/* http://[USER:PASSWORD@]HOST:PORT, with %XX in the credentials. False: it is no such address. */
bool road_read_proxy(const char *url, struct road_proxy *out);

/* What `ca_file`, `tls_pins` and `proxy` of the options say; `url` may be "" with a transport of the application's. 0,
 * DESKBELL_E_INVALID or DESKBELL_E_NOMEM. */
int road_new(const char *url, const struct deskbell_options *options, struct road **out_road);
struct road *road_free(struct road *road); /* NULL is welcome; returns NULL */

/* A line for on_log: `what`, a colon, and `detail` with all that is not printable ASCII as '?'. */
void road_log(const struct road *road, enum deskbell_level level, const char *what, const char *detail);
