/* SPDX-License-Identifier: Apache-2.0 */
/* The two halves of jwt.h: jwt.c proves who signed, jwt_claims.c judges what was signed. */
#pragma once

#include <jansson.h>

#include "protocol/jwt.h"

/* Whether header and signature of a token are good; the claims are not looked at. */
bool jwt_signature_holds(const struct jwt_key *key, struct span token);

/* Parses an object without duplicate members; NULL: not one. Owned by the caller. */
json_t *jwt_json(const uint8_t *bytes, size_t len);

/* Judges the claims of a token whose signature is good. Fills out_claims on JWT_OK only. */
enum jwt_verdict jwt_claims_read(const json_t *claims, struct span audience, int64_t now_s,
                                 struct jwt_claims *out_claims);
