/* SPDX-License-Identifier: Apache-2.0 */
#include "files/disposition.h"

#include <stdio.h>

static bool is_plain(unsigned char c)
{
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '-' ||
               c == '_';
}

/* Length of the character that begins there; what is no UTF-8 counts byte by byte. */
static size_t char_len(struct span rest)
{
        unsigned char first = (unsigned char)rest.at[0];
        size_t len = first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
        if (len > rest.len)
                return 1;
        for (size_t i = 1; i < len; i++)
                if (((unsigned char)rest.at[i] & 0xc0) != 0x80)
                        return 1;
        return len;
}

/* Controls, path marks, and the characters that change the direction of text (U+200E, U+200F, U+202A to U+202E, U+2066
 * to U+2069). */
static bool is_unwelcome(const unsigned char *at, size_t len, bool is_first)
{
        if (len == 1)
                return at[0] < 0x20 || at[0] == 0x7f || at[0] >= 0x80 || at[0] == '/' || at[0] == '\\' ||
                       at[0] == ':' || (is_first && at[0] == '.');
        if (len != 3 || at[0] != 0xe2)
                return false;
        return (at[1] == 0x80 && (at[2] == 0x8e || at[2] == 0x8f || (at[2] >= 0xaa && at[2] <= 0xae))) ||
               (at[1] == 0x81 && at[2] >= 0xa6 && at[2] <= 0xa9);
}

static size_t write_char(char *out, const unsigned char *at, size_t len)
{
        static const char digits[] = "0123456789ABCDEF";
        size_t written = 0;
        for (size_t i = 0; i < len; i++) {
                if (is_plain(at[i])) {
                        out[written++] = (char)at[i];
                        continue;
                }
                out[written++] = '%';
                out[written++] = digits[at[i] >> 4];
                out[written++] = digits[at[i] & 15];
        }
        return written;
}

size_t disposition_write(char out[DISPOSITION_ROOM], struct span name, bool is_inline)
{
        size_t len =
                (size_t)snprintf(out, DISPOSITION_ROOM, "%s; filename*=UTF-8''", is_inline ? "inline" : "attachment");
        size_t at = 0;
        while (at < name.len && len + 12 < DISPOSITION_ROOM) {
                struct span rest = {name.at + at, name.len - at};
                const unsigned char *bytes = (const unsigned char *)rest.at;
                size_t next = char_len(rest);
                if (is_unwelcome(bytes, next, at == 0))
                        out[len++] = '_';
                else
                        len += write_char(out + len, bytes, next);
                at += next;
        }
        out[len] = 0;
        return len;
}
