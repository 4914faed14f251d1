/* SPDX-License-Identifier: Apache-2.0 */
/* Passwords: which ones are too easy to guess, and how they are hashed (argon2id, 64 MiB). Hashing takes about a tenth
 * of a second: on the crypto thread only. Pure. */
#pragma once

#include "protocol/span.h"

enum { PASSWORD_POINTS = 12, PASSWORD_ENCODED = 160 };

/* NULL: good enough. Else what is wrong, for the person who chose it. */
const char *password_fault(struct span password);

/* 0, or -1: out of memory. */
int password_hash(struct span password, char out_encoded[PASSWORD_ENCODED]);
bool password_fits(const char *encoded, struct span password);
