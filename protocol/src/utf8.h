/* SPDX-License-Identifier: Apache-2.0 */
/* Utf8: one code point at a time, strict (RFC 3629: no overlong form, no surrogate, nothing above U+10FFFF). Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Bytes of the code point that starts at `at` (1-4), or 0 when it is not valid or does not end before `end`. */
size_t utf8_length(const char *at, const char *end);

/* Writes a code point that is no surrogate and at most U+10FFFF; returns 1-4. */
size_t utf8_write(char *out, uint32_t point);

/* Code points of valid text. */
size_t utf8_count(const char *at, size_t len);
