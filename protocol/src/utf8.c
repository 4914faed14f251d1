/* SPDX-License-Identifier: Apache-2.0 */
/* Utf8: see utf8.h. */
#include "utf8.h"

static inline int is_tail(char byte)
{
        return ((unsigned char)byte & 0xc0) == 0x80;
}

static size_t length_of_3(const unsigned char *at)
{
        if (at[0] == 0xe0 && at[1] < 0xa0)
                return 0; /* overlong */
        if (at[0] == 0xed && at[1] > 0x9f)
                return 0; /* surrogate */
        return 3;
}

static size_t length_of_4(const unsigned char *at)
{
        if (at[0] == 0xf0 && at[1] < 0x90)
                return 0; /* overlong */
        if (at[0] == 0xf4 && at[1] > 0x8f)
                return 0; /* above U+10FFFF */
        return 4;
}

size_t utf8_length(const char *at, const char *end)
{
        const unsigned char *byte = (const unsigned char *)at;
        ptrdiff_t left = end - at;

        if (left < 1)
                return 0;
        if (byte[0] < 0x80)
                return 1;
        if (byte[0] >= 0xe0 && byte[0] <= 0xef)
                return left >= 3 && is_tail(at[1]) && is_tail(at[2]) ? length_of_3(byte) : 0;
        if (byte[0] >= 0xc2 && byte[0] <= 0xdf)
                return left >= 2 && is_tail(at[1]) ? 2 : 0;
        if (byte[0] >= 0xf0 && byte[0] <= 0xf4)
                return left >= 4 && is_tail(at[1]) && is_tail(at[2]) && is_tail(at[3]) ? length_of_4(byte) : 0;
        return 0;
}

size_t utf8_write(char *out, uint32_t point)
{
        if (point < 0x80) {
                out[0] = (char)point;
                return 1;
        }
        if (point < 0x800) {
                out[0] = (char)(0xc0 | (point >> 6));
                out[1] = (char)(0x80 | (point & 0x3f));
                return 2;
        }
        if (point < 0x10000) {
                out[0] = (char)(0xe0 | (point >> 12));
                out[1] = (char)(0x80 | ((point >> 6) & 0x3f));
                out[2] = (char)(0x80 | (point & 0x3f));
                return 3;
        }
        out[0] = (char)(0xf0 | (point >> 18));
        out[1] = (char)(0x80 | ((point >> 12) & 0x3f));
        out[2] = (char)(0x80 | ((point >> 6) & 0x3f));
        out[3] = (char)(0x80 | (point & 0x3f));
        return 4;
}

size_t utf8_count(const char *at, size_t len)
{
        size_t count = 0;

        for (size_t i = 0; i < len; i++)
                count += !is_tail(at[i]);
        return count;
}
