/* SPDX-License-Identifier: Apache-2.0 */
/* TOTP (RFC 6238): codes of 6 digits by HMAC-SHA-1 over steps of 30 s, as every authenticator app makes them. Pure. */
#pragma once

#include "protocol/span.h"

enum { TOTP_SECRET = 20, TOTP_BASE32 = 33, TOTP_STEP_S = 30 };

uint32_t totp_code(const uint8_t *secret, size_t len, int64_t step, uint32_t modulus);

/* The step whose code this is: the present one, the one before or the one behind, above `last_step`; 0: none. */
int64_t totp_step_of(const uint8_t secret[TOTP_SECRET], struct span code, int64_t now_s, int64_t last_step);

void totp_base32(const uint8_t secret[TOTP_SECRET], char out[TOTP_BASE32]);
