/* SPDX-License-Identifier: Apache-2.0 */
/* Door: a small server beside the main one, for the operator: one thread, poll(), at most DOOR_CONNECTIONS at once,
 * bounded input, a deadline for everybody. Carries the control socket and the ops listener. All calls back are on the
 * door's thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DOOR_CONNECTIONS = 16 };

struct door;
struct door_conn;

struct door_options {
        int listen_fd;        /* listening, non-blocking; taken */
        const char *name;     /* of the thread, at most 15 bytes; literal */
        size_t max_input;     /* bytes that may wait unconsumed; above it the connection is closed */
        unsigned deadline_ms; /* a connection that is not held ends this long after its last consumed input */
        void *owner;
        /* A peer has connected; false shows it out. May be NULL. */
        bool (*on_peer)(void *owner, int fd);
        /* Bytes have come; they are mutable and for the call only. The first `seen` of them were there before, when
         * nothing was consumed. Returns how many were consumed, or -1 to close. */
        ptrdiff_t (*on_bytes)(void *owner, struct door_conn *conn, char *bytes, size_t len, size_t seen);
        /* The input is full and nothing of it was consumed; may answer before the connection is closed. May be NULL. */
        void (*on_too_much)(void *owner, struct door_conn *conn);
        /* Somebody called door_wake. May be NULL. */
        void (*on_wake)(void *owner);
};

/* 0, or a negative errno; listen_fd is closed then too. */
int door_start(const struct door_options *options, struct door **out_door);
struct door *door_stop(struct door *door); /* joins the thread, closes everything; NULL is welcome */

void door_wake(struct door *door); /* any thread */

/* Names a connection; numbers are not used again. door_find: NULL when it is gone. */
uint64_t door_conn_number(const struct door_conn *conn);
struct door_conn *door_find(struct door *door, uint64_t number);

/* Copied; out of memory closes the connection. */
void door_send(struct door_conn *conn, const char *bytes, size_t len);
/* Ends the connection once everything sent has left. */
void door_finish(struct door_conn *conn);
/* While held the connection's input is not read and it has no deadline: an answer is being made. */
void door_hold(struct door_conn *conn, bool held);
