/* SPDX-License-Identifier: Apache-2.0 */
/* Dialer: makes TCP connections to the server of a road, through its proxy when it has one. Names are looked up, all
 * addresses are tried (the families in turn, a quarter of a second apart, the first that answers wins) and the proxy is
 * asked on a thread of its own, which lives while somebody waits for a connection. One at a time.
 *
 * Looking up a name cannot be interrupted: freeing a dialer whose lookup hangs leaves that thread to end by itself. It
 * touches nothing but memory of the C library's that is its own. */
#pragma once

#include <stdint.h>

#include "road.h"

struct dialer;

enum { DIAL_DETAIL_BYTES = 128 };

struct dial_outcome {
        int fd;          /* connected, not blocking, now the receiver's; -1: failed */
        const char *why; /* static, as deskbell_state tells it: "network", "proxy", "proxy_auth" */
        char detail[DIAL_DETAIL_BYTES];
};

/* Runs on the dialer's thread, with its lock held: must not call the dialer. */
typedef void (*dial_done_fn)(void *data, int64_t ticket, const struct dial_outcome *outcome);

struct dialer *dialer_new(const struct road *road, dial_done_fn done, void *data); /* NULL: out of memory */

/* `done` runs once with `ticket` (above 0), unless it is cancelled or another is begun before. False: there are no
 * means for it. A lookup that is under way is used, not begun again. The calls here are made by one thread. */
bool dialer_begin(struct dialer *dialer, int64_t ticket);
void dialer_cancel(struct dialer *dialer); /* afterwards `done` does not run */

/* `done` is not running and will not run. Returns NULL, after a quarter of a second at most; NULL is welcome. */
struct dialer *dialer_free(struct dialer *dialer);

/* ---- dial_race.c and dial_proxy.c: parts of it, blocking; `stop_fd` becomes readable when nobody wants it any more --
 */

struct addrinfo;

/* Until a socket is ready for `events` (0: 1), `until_ms` comes (0), or stop_fd is readable (-1). */
int dial_wait(int fd, short events, int stop_fd, int64_t until_ms);

/* A connected socket to one of the addresses; -1 with the outcome's `detail`, or without it when it was stopped. */
int dial_race(const struct addrinfo *addresses, int stop_fd, int64_t until_ms, struct dial_outcome *out);

/* Asks the proxy at the other end of `fd` for a way to the server. 0; -1 with why and detail. */
int dial_ask_proxy(int fd, const struct road_address *to, const struct road_proxy *proxy, int stop_fd, int64_t until_ms,
                   struct dial_outcome *out);
