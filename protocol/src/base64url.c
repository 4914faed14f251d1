/* SPDX-License-Identifier: Apache-2.0 */
/* Base64url: see base64url.h. */
#include "base64url.h"

static int digit_value(char digit)
{
        if (digit >= 'A' && digit <= 'Z')
                return digit - 'A';
        if (digit >= 'a' && digit <= 'z')
                return digit - 'a' + 26;
        if (digit >= '0' && digit <= '9')
                return digit - '0' + 52;
        if (digit == '-')
                return 62;
        return digit == '_' ? 63 : -1;
}

ptrdiff_t base64url_read(struct span text, uint8_t *out, size_t room)
{
        size_t len = 0;
        uint32_t bits = 0;
        int count = 0;

        if (text.len % 4 == 1)
                return -1;
        for (size_t i = 0; i < text.len; i++) {
                int value = digit_value(text.at[i]);

                if (value < 0)
                        return -1;
                bits = bits << 6 | (uint32_t)value;
                count += 6;
                if (count >= 8) {
                        count -= 8;
                        if (len == room)
                                return -1;
                        out[len++] = (uint8_t)(bits >> count);
                        bits &= (1u << count) - 1;
                }
        }
        return bits ? -1 : (ptrdiff_t)len; /* left-over bits have to be 0 */
}

void base64url_write(char *out, const void *bytes, size_t len)
{
        static const char digits[64] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        const uint8_t *at = bytes;
        uint32_t bits = 0;
        int count = 0;

        for (size_t i = 0; i < len; i++) {
                bits = (bits & 0xff) << 8 | at[i];
                for (count += 8; count >= 6; count -= 6)
                        *out++ = digits[bits >> (count - 6) & 63];
        }
        if (count)
                *out = digits[bits << (6 - count) & 63];
}
