/* SPDX-License-Identifier: Apache-2.0 */
/* A transport of one's own (struct deskbell_transport): RFC 6455 over own_socket.c, on a thread of its own. */
#ifndef OWN_TRANSPORT_H
#define OWN_TRANSPORT_H

#include <deskbell/deskbell.h>

struct own_transport;

/* Fills *out_transport for one client, to be given to deskbell_open. Ends with that client, which calls the table's
 * `stop`; where deskbell_open has failed, call it yourself. `ca_file` NULL: the system's roots. NULL: out of memory. */
struct own_transport *own_transport_new(const char *ca_file, struct deskbell_transport *out_transport);

#endif
