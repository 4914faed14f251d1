/* SPDX-License-Identifier: Apache-2.0 */
/* A TCP socket, with TLS where it is asked for, until it speaks WebSocket: the part of own_transport.c that knows a
 * platform. Connecting and upgrading block, reading and writing do not. One thread. */
#ifndef OWN_SOCKET_H
#define OWN_SOCKET_H

#include <stddef.h>

typedef struct ssl_ctx_st SSL_CTX;
typedef struct ssl_st SSL;

struct own_socket {
        int fd; /* -1 = none */
        SSL *tls;
        const char *why; /* of a failure, as deskbell_link_failed takes it */
        char detail[120];
};

/* Where a connection goes to. */
struct own_address {
        char host[256], port[8];
        char authority[280]; /* for the Host header */
        char path[2049];
        int is_tls;
};

/* 0, or -1: it is no ws or wss URL. */
int own_address_read(const char *url, struct own_address *out);

/* A client context that checks certificates; ca_file NULL = the system's roots. NULL: out of memory. */
SSL_CTX *own_tls_new(const char *ca_file);

/* Waits until `fd` is ready (1), or nobody wants it any more (0). */
typedef int (*own_wait_fn)(void *data, int fd, short events);

/* 0; -1: why and detail tell. */
int own_socket_connect(struct own_socket *out, const struct own_address *to, SSL_CTX *tls, own_wait_fn wait,
                       void *data);

/* Asks the server to speak WebSocket, and checks that it agrees. 0; -1: why and detail tell. */
int own_socket_upgrade(struct own_socket *over, const struct own_address *to, const char *subprotocol, own_wait_fn wait,
                       void *data);

/* Bytes; 0: none now, *out_events says what to wait for; -1: it has ended. */
long own_socket_read(struct own_socket *from, void *bytes, size_t room, short *out_events);
long own_socket_write(struct own_socket *to, const void *bytes, size_t len, short *out_events);

void own_socket_close(struct own_socket *which);

#endif
