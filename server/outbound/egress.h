/* SPDX-License-Identifier: Apache-2.0 */
/* Egress: where the server may connect to on somebody's word. Public https on port 443; anything else (http, other
 * ports, private addresses) only where the operator's allow-list names the host or the network. Names are checked at
 * set-up, addresses at each connection. Pure: resolves nothing; any thread. */
#pragma once

#include <sys/socket.h>

#include "protocol/span.h"

struct egress; /* an allow-list; immutable */

/* Entries: host names ("crm.internal"), addresses and networks ("10.1.0.0/16", "::1", "fd00::/8"); NULL-terminated; a
 * NULL list allows nothing more. 0; -EINVAL with *out_bad borrowed from the list; -ENOMEM. */
int egress_new(const char *const *allow, struct egress **out_egress, const char **out_bad);
struct egress *egress_free(struct egress *egress); /* NULL is welcome; returns NULL */

enum { EGRESS_HOST_BYTES = 254 };

struct egress_url {
        char host[EGRESS_HOST_BYTES]; /* lower case; v6 without brackets */
        uint16_t port;
        bool is_https;
        bool is_address; /* the host is a literal */
        bool is_allowed; /* the host, or as a literal the address, is on the allow-list */
};

/* Takes a URL apart, strictly: http or https, no user, no fragment, no control characters or spaces, the host a name of
 * letters, digits, '-' and '.', or an address in its usual form; nothing that a C library would read as an address in
 * another form (0x7f.1, 2130706433, 0177.0.0.1). NULL when fine, or what would have been right. */
const char *egress_url_read(const struct egress *egress, struct span url, struct egress_url *out_url);

/* Whether a connection to this address may be made for that URL, whose host has been resolved to it. */
bool egress_may_connect(const struct egress *egress, const struct egress_url *url, const struct sockaddr *address);

/* Whether an address is out in the public internet: not loopback, private, link-local, shared, multicast, reserved,
 * for documentation, nor one of these in v6 clothes. */
bool egress_is_public(const struct sockaddr *address);
