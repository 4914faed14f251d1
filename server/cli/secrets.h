/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets: tokens, invitations and keys are made here, from the kernel's random bytes; the server is told hashes where
 * a hash is enough. Any thread. */
#pragma once

#include <jansson.h>
#include <stddef.h>

enum {
        SECRET_TEXT = 48, /* "dbs_" and 43 characters of base64url, terminated */
        SECRET_HASH = 65, /* SHA-256 in hex, terminated */
        SECRET_KEY_BYTES = 32,
        SECRET_KEY_TEXT = 45, /* base64 of them, terminated */
        SECRET_WEBHOOK_TEXT = 51,
};

/* `prefix` has four characters: "dbs_" a staff session, "dbi_" an invitation. 256 random bits. */
void secret_make(const char *prefix, char out_text[SECRET_TEXT], char out_hash[SECRET_HASH]);

/* A signing key for HS256, in base64. */
void secret_make_key(char out_text[SECRET_KEY_TEXT]);

/* A secret for a webhook: "whsec_" and 32 random bytes in base64. */
void secret_make_webhook(char out_text[SECRET_WEBHOOK_TEXT]);

/* A key's name: "key_" and 8 random hex digits. */
void secret_make_kid(char out_kid[16]);

/* A fresh cmid as JSON string; NULL: out of memory. */
json_t *secret_cmid(void);

/* Overwrites in a way the compiler keeps. */
void secret_forget(void *bytes, size_t count);
