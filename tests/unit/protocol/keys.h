/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and tokens for tests: makes key pairs, signs anything, also what no honest signer would sign. */
#pragma once

#include <openssl/evp.h>

#include "protocol/jwt.h"

struct pair {
        EVP_PKEY *private;
        char *pem; /* the public half */
};

struct pair pair_make(enum jwt_alg alg);
struct pair pair_of(EVP_PKEY *private); /* takes it */
void pair_done(struct pair *pair);

/* "header.claims.signature" of these JSON texts, malloc'd. `pair` NULL: HS256 with `secret`. */
char *token_sign(const char *header, const char *claims, enum jwt_alg alg, const struct pair *pair, struct span secret);
