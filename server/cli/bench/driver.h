/* SPDX-License-Identifier: Apache-2.0 */
/* Driver: many WebSocket connections of one process on bare epoll. Numbers name connections: 0, 1, 2... in the order in
 * which they are made. Per turn each connection is read once and written once. Answers heartbeats by itself. One
 * thread. A connection that ends when nobody asked for it is a failure of the run. */
#pragma once

#include "error.h"
#include "wire.h"

struct driver;

struct driver_events {
        /* A message other than a heartbeat. It may add frames to any connection; spans are for the call only. */
        void (*on_message)(void *owner, uint32_t conn, const struct wire_in *message);
        /* After all that could be read in this turn was read, before bytes leave. NULL: nothing to do. */
        void (*on_turn)(void *owner);
};

/* `address` is HOST:PORT with an IPv4 address or "localhost". NULL with `error` filled. */
struct driver *driver_new(const char *address, uint32_t max_conns, struct bench_error *error);
struct driver *driver_free(struct driver *driver);

/* Who gets the messages from now on; `events` outlives the driver or the next call. NULL: they are dropped. */
void driver_set_events(struct driver *driver, const struct driver_events *events, void *owner);

/* Makes the params of session.open of connection `conn`: a malloc'd token, or NULL when memory is out. */
typedef char *driver_token(void *owner, uint32_t conn);

/* Opens connections until there are `count`, `window` (1..) at a time, and logs each in. -1 when one could not be. */
int driver_open(struct driver *driver, uint32_t count, uint32_t window, driver_token *token, void *owner,
                struct bench_error *error);

/* Room for a frame of at most `bytes`, to be followed by driver_add with the bytes really used. NULL: out of memory. */
char *driver_room(struct driver *driver, uint32_t conn, size_t bytes);
void driver_add(struct driver *driver, uint32_t conn, size_t bytes);
int driver_say(struct driver *driver, uint32_t conn, struct span json); /* 0, or -1: out of memory */

/* Waits at most `timeout_ms` (0: not at all), reads, calls back, writes. -1 with `error` filled when a connection is
 * gone, memory is out or the user interrupted. */
int driver_turn(struct driver *driver, int timeout_ms, struct bench_error *error);

uint64_t driver_now_ns(const struct driver *driver); /* monotonic, when this turn began */
uint64_t driver_clock_ns(void);                      /* monotonic, now */
uint64_t driver_heartbeats(const struct driver *driver);
uint64_t driver_bytes_read(const struct driver *driver);
