/* SPDX-License-Identifier: Apache-2.0 */
/* Control: the operator's way into a running server: DIR/control.sock (0600; the peer must run as the same user or as
 * root), one JSON-RPC 2.0 request a line of at most CONTROL_LINE_BYTES, one answer a line, one request at a time on
 * each of at most 16 connections. Knows no method: it hands each to `post`. */
#pragma once

#include "protocol/span.h"

/* The largest request carries a bot's source of 8 MiB; in a JSON text each of its bytes may need an escape. */
enum { CONTROL_LINE_BYTES = (16 << 20) + 65536 };

struct control;

struct control_options {
        const char *dir;
        /* Starts a method as the operator. 0: `done` is called exactly once, on any thread, with the whole JSON-RPC
         * response; `params` (mutable JSON, not terminated) lives until then. Negative: cannot now; `done` never runs.
         * Called on the control thread. */
        int (*post)(void *data, struct span method, char *params, size_t len,
                    void (*done)(void *data, struct span response), void *done_data);
        void *post_data;
};

/* Replaces a socket left behind by a process that died (the caller holds DIR/lock). 0, or a negative errno with
 * *out_why malloc'd. */
int control_start(const struct control_options *options, struct control **out_control, char **out_why);

/* Joins the thread and removes the socket. Answers still under way may come later: they are dropped. NULL is welcome.
 */
struct control *control_stop(struct control *control);

/* The other end: one request, one answer. `request` is a JSON-RPC request without line feeds. 0 and *out_response
 * (malloc'd, terminated, without line feed). Negative errno: -ENOENT or -ECONNREFUSED when nobody listens, -ETIMEDOUT
 * (outcome unknown), -EMSGSIZE, -ECONNRESET, ... with *out_why malloc'd (out_why may be NULL). */
int control_call(const char *dir, struct span request, unsigned timeout_ms, char **out_response, size_t *out_len,
                 char **out_why);
