/* SPDX-License-Identifier: Apache-2.0 */
/* Jwt: verifies a user token (compact JWS, RFC 7515) with a key whose algorithm is fixed (never read from the token),
 * over OpenSSL. Pure but for OpenSSL's own state; any thread. */
#pragma once

#include "protocol/span.h"

enum jwt_alg { JWT_HS256 = 1, JWT_RS256 = 2, JWT_ES256 = 3, JWT_EDDSA = 4 };

struct jwt_key; /* one algorithm and its key; immutable */

/* HS256: `material` is the raw secret, at least 32 bytes. Others: a PEM public key of the type the algorithm needs (RSA
 * of at least 2048 bits, P-256, Ed25519). NULL: not such a key. */
struct jwt_key *jwt_key_new(enum jwt_alg alg, struct span material);
struct jwt_key *jwt_key_free(struct jwt_key *key);

struct jwt_claims {
        char subject[129]; /* sub: the app's id of the user, 1-128 bytes */
        char name[801];    /* "" = absent */
        char email[255];   /* "" = absent */
        char locale[36];   /* "" = absent */
        char tier[65];     /* "" = absent */
        char *attrs;       /* JSON object, flat, at most 4 KiB; NULL = absent; free() it */
        int64_t expires_s, issued_s;
};

/* Reads `kid` of the header without believing it. 0, or -1 when the token is not three parts with a header that names a
 * kid of 1-64 characters of [A-Za-z0-9._-]. out_kid must have room for 65 bytes. */
int jwt_peek_kid(struct span token, char out_kid[65]);

enum jwt_verdict { JWT_OK = 0, JWT_INVALID = -1, JWT_EXPIRED = -2 };

/* Verifies header (alg = the key's, typ absent or JWT, no jku x5u jwk x5c crit), signature and claims (aud =
 * `audience`, use = chat, exp required, at most 24 h ahead of iat and of now, iat and nbf not ahead, skew 60 s). Fills
 * out_claims on JWT_OK only. */
enum jwt_verdict jwt_verify(const struct jwt_key *key, struct span token, struct span audience, int64_t now_s,
                            struct jwt_claims *out_claims);

/* Makes an HS256 user token: for tests, bench, demo and `deskbell chat`, where the operator holds the secret. Returns a
 * malloc'd text or NULL. name may be NULL. */
char *jwt_make_hs256(struct span secret, const char *kid, const char *audience, const char *subject, const char *name,
                     int64_t issued_s, int64_t expires_s);
