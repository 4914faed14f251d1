/* SPDX-License-Identifier: Apache-2.0 */
/* Http tokens: the Bearer tokens that session.open hands out for requests over HTTP. Each is bound to the principal and
 * the device of its session, lives as long as the session and 10 minutes more, and dies at once when the principal's
 * access is taken back. Only hashes are kept, in memory; after a restart every client opens its session again. Shared
 * by all network threads and the desk: any thread, one lock. */
#pragma once

#include "desk/command.h"

struct http_tokens;

enum { HTTP_TOKEN_TEXT = 48, HTTP_TOKEN_KEPT_MS = 10 * 60 * 1000 };

struct http_bearer {
        struct caller caller;
        struct principal_id who;
        uint8_t device[16];
        uint64_t key_tag; /* of the key that the session was opened with; 0 = none */
};

struct http_tokens *http_tokens_new(void);                        /* NULL: out of memory */
struct http_tokens *http_tokens_free(struct http_tokens *tokens); /* NULL is welcome; returns NULL */

/* "dbh_" and 256 random bits. */
void http_token_make(char out_text[HTTP_TOKEN_TEXT]);

/* From now on `text` proves `bearer`. 0, or -1: out of memory. */
int http_tokens_put(struct http_tokens *tokens, struct span text, const struct http_bearer *bearer);
bool http_tokens_find(struct http_tokens *tokens, struct span text, uint64_t mono_ms, struct http_bearer *out_bearer);

/* The session has ended: 10 minutes are left, or nothing when its access was taken back. */
void http_tokens_end(struct http_tokens *tokens, const uint8_t hash[32], uint64_t mono_ms, bool at_once);
/* All of a principal's, also of sessions that have ended already. */
void http_tokens_drop_principal(struct http_tokens *tokens, int64_t principal);

void http_token_hash(struct span text, uint8_t out_hash[32]);
