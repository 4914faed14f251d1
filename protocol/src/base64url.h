/* SPDX-License-Identifier: Apache-2.0 */
/* Base64url of RFC 7515: no padding, no white space, and only the one canonical form of each value. Pure. */
#pragma once

#include "protocol/span.h"

/* Decodes into `out`, which has `room` bytes. The length, or -1: not canonical, or too long. */
ptrdiff_t base64url_read(struct span text, uint8_t *out, size_t room);

/* Bytes that base64url_write makes of `len` bytes. */
static inline size_t base64url_bytes(size_t len)
{
        return len / 3 * 4 + (len % 3 ? len % 3 + 1 : 0);
}

/* Writes exactly base64url_bytes(len) bytes, no terminator. */
void base64url_write(char *out, const void *bytes, size_t len);
