/* SPDX-License-Identifier: Apache-2.0 */
/* The transport over libwebsockets, shared between transport_lws.c (the thread and its commands) and
 * transport_lws_link.c (one connection as the library sees it). Everything here belongs to the thread, but for what
 * stands above `thread` in struct lws_transport. */
#pragma once

#include <libwebsockets.h>
#include <pthread.h>

#include "client_private.h"
#include "dial.h"
#include "trust.h"

enum { ABNORMAL = 1006, TOO_BIG = 1009, UNSUPPORTED = 1003 };

enum command_kind { COMMAND_OPEN, COMMAND_DIALED, COMMAND_SEND, COMMAND_CLOSE, COMMAND_RESUME };

struct command {
        struct command *next;
        enum command_kind kind;
        deskbell_link *link;
        int64_t ticket;              /* DIALED */
        struct dial_outcome outcome; /* DIALED */
        int code;
        size_t max_bytes;
        size_t len;
        char bytes[]; /* SEND: LWS_PRE bytes of room, then the message */
};

struct connection {
        struct connection *next;
        struct lws_transport *transport;
        deskbell_link *link;
        int64_t ticket; /* unique in the life of a transport */
        int fd;         /* what the dialer has made, until the library has it; else -1 */
        struct lws *wsi;
        struct command *first_out, *last_out;
        char *in;
        size_t in_len, in_room, max_bytes;
        bool is_open, is_ended, is_paused, is_closing; /* closing: by the peer; our answer has to leave */
        bool is_secured;                               /* the TLS handshake is done */
        struct trust_verdict verdict;                  /* why its certificate was not believed */
        char tls_error[TRUST_REASON_BYTES];            /* what else TLS did not like; "" = nothing, or it broke off */
        int peer_code;
};

struct lws_transport {
        pthread_mutex_t lock; /* commands, context and stop */
        pthread_cond_t wake;
        struct command *first, *last;
        struct lws_context *context;
        bool is_running, is_stopping;
        struct platform_waker waker; /* wakes the thread where it sleeps without the library; none: it never does */
        const struct road *road;
        struct dialer *dialer;
        pthread_t thread;
        SSL_CTX *tls;
        int64_t last_ticket;
        struct connection *connections;
};

/* The context of the library, with ours for TLS in it. NULL: there are no means. */
struct lws_context *lws_link_context(struct lws_transport *transport);

/* The library takes over the connection's fd and begins with TLS or the upgrade. */
void lws_link_begin(struct connection *connection);

int lws_link_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len);

/* Ends a connection at once: a close frame when it can be written now, then the socket. */
void lws_link_end(struct connection *connection, int code);

/* It has ended for that reason (NULL: with `code`): told once. */
void lws_link_ended(struct connection *connection, struct lws *wsi, int code, const char *why, const char *detail,
                    int64_t retry_after_ms);
