/* SPDX-License-Identifier: Apache-2.0 */
/* Trust: which certificates are believed, in one place for the WebSocket and for files. A chain is good when it ends in
 * one of the roots, is valid today, names the host that was asked for, and, where pins were given, holds one of the
 * pinned keys. Any thread. */
#pragma once

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

struct trust;

enum { TRUST_REASON_BYTES = 128 };

/* Why a connection was not believed; "" = nothing was wrong. */
struct trust_verdict {
        bool is_pin; /* all was well but for the pins */
        char reason[TRUST_REASON_BYTES];
};

/* `ca_file` NULL: the system's roots. Roots are read when the first connection wants them: those that cannot be read
 * are none, and no server is believed. Pins: "sha256/" and 44 characters of base64 each; copied. 0, DESKBELL_E_NOMEM,
 * or DESKBELL_E_INVALID for a pin that is none or for more than 16. */
int trust_new(const char *ca_file, const char *const *pins, size_t pins_count, struct trust **out_trust);
struct trust *trust_free(struct trust *trust); /* NULL is welcome; returns NULL */

/* A new or a foreign client context gets our roots and rules. False: out of memory. */
bool trust_set_up(struct trust *trust, SSL_CTX *tls);

/* To be called as, or from, the certificate verification callback of a context: 1 = believed. */
int trust_verify(const struct trust *trust, X509_STORE_CTX *chain, const char *host, struct trust_verdict *out_verdict);
