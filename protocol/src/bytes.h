/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes: finds the first byte of a text that JSON treats in a special way, eight at a time. Pure. */
#pragma once

#include <stdint.h>
#include <string.h>

#define BYTES_ONES  UINT64_C(0x0101010101010101)
#define BYTES_HIGHS UINT64_C(0x8080808080808080)

/* High bit set in the first byte that is zero, and perhaps in bytes behind it. */
static inline uint64_t bytes_zero(uint64_t word)
{
        return (word - BYTES_ONES) & ~word;
}

/* High bit set in the first byte that is a control, a quote or a backslash, or, with `high`, above 0x7f. */
static inline uint64_t bytes_special(uint64_t word, uint64_t high)
{
        uint64_t control = (word - 0x20 * BYTES_ONES) & ~word;
        uint64_t quote = bytes_zero(word ^ '"' * BYTES_ONES);
        uint64_t slash = bytes_zero(word ^ '\\' * BYTES_ONES);

        return (control | quote | slash | (word & high)) & BYTES_HIGHS;
}

static inline int byte_is_special(unsigned char byte, uint64_t high)
{
        return byte < 0x20 || byte == '"' || byte == '\\' || (high && byte >= 0x80);
}

/* The first special byte at or behind `at`, or `end`. */
static inline const char *bytes_clean_end(const char *at, const char *end, uint64_t high)
{
        while (end - at >= 8) {
                uint64_t word;

                memcpy(&word, at, 8);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
                uint64_t hit = bytes_special(word, high);

                if (hit)
                        return at + (__builtin_ctzll(hit) >> 3);
#else
                if (bytes_special(word, high))
                        break;
#endif
                at += 8;
        }
        while (at < end && !byte_is_special((unsigned char)*at, high))
                at++;
        return at;
}
