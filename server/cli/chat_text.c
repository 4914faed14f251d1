/* SPDX-License-Identifier: Apache-2.0 */
/* Characters and columns: what others wrote is made harmless before anything is done with it. */
#include "chat.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */

/* The character at `at`, or -1; *out_len its bytes. */
static int32_t decode(const char *at, const char *end, size_t *out_len)
{
        const unsigned char *byte = (const unsigned char *)at;
        static const int32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
        size_t len = *byte < 0x80 ? 1 : *byte >= 0xf0 ? 4 : *byte >= 0xe0 ? 3 : *byte >= 0xc2 ? 2 : 0;
        int32_t point;

        *out_len = 1;
        if (len == 0 || *byte > 0xf4 || (size_t)(end - at) < len)
                return -1;
        point = len == 1 ? *byte : *byte & (0xff >> (len + 1));
        for (size_t i = 1; i < len; i++) {
                if ((byte[i] & 0xc0) != 0x80)
                        return -1;
                point = point << 6 | (byte[i] & 0x3f);
        }
        if (point < least[len] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000))
                return -1;
        *out_len = len;
        return point;
}

size_t chat_text_char(const char *at, const char *end)
{
        size_t len;

        decode(at, end, &len);
        return len;
}

/* Controls of both sets, and those that turn the direction of writing and could make a line read as another. */
static bool is_harmful(int32_t point)
{
        return point < 0x20 || (point >= 0x7f && point < 0xa0) || (point >= 0x202a && point <= 0x202e) ||
               (point >= 0x2066 && point <= 0x2069) || point == 0x200e || point == 0x200f || point == 0x061c ||
               point == 0x2028 || point == 0x2029 || (point >= 0xfff9 && point <= 0xfffb) ||
               (point >= 0xe0000 && point <= 0xe007f);
}

static size_t clean_char(const char *at, const char *end, bool with_newlines, char *out, size_t *out_len)
{
        size_t len;
        int32_t point = decode(at, end, &len);

        if (point == '\n' && with_newlines) {
                out[0] = '\n';
                *out_len = 1;
        } else if (point == '\n' || point == '\t') {
                out[0] = ' ';
                *out_len = 1;
        } else if (point < 0 || is_harmful(point)) {
                memcpy(out, replacement, 3);
                *out_len = 3;
        } else {
                memcpy(out, at, len);
                *out_len = len;
        }
        return len;
}

char *chat_text_clean(const char *text, bool with_newlines)
{
        const char *end = text + strlen(text);
        char *clean = malloc(3 * strlen(text) + 1);
        size_t len = 0, added;
        if (!clean) {
                fputs("deskbell chat: out of memory\n", stderr);
                exit(71);
        }

        for (const char *at = text; at < end; len += added)
                at += clean_char(at, end, with_newlines, clean + len, &added);
        clean[len] = '\0';
        return clean;
}

static int char_columns(int32_t point)
{
        int width = point < 0 ? 1 : wcwidth((wchar_t)point);

        return width < 0 ? 1 : width;
}

int chat_text_columns(const char *at, size_t len)
{
        const char *end = at + len;
        int columns = 0;
        size_t step;

        for (; at < end; at += step)
                columns += char_columns(decode(at, end, &step));
        return columns;
}

size_t chat_text_wrap(const char *text, int columns, size_t *out_skip)
{
        const char *end = text + strlen(text), *at = text, *space = NULL;
        int used = 0;

        *out_skip = 0;
        while (at < end) {
                size_t step;
                int32_t point = decode(at, end, &step);
                if (point == '\n') {
                        *out_skip = 1;
                        return (size_t)(at - text);
                }
                used += char_columns(point);
                if (used > columns && at > text)
                        break;
                if (point == ' ')
                        space = at;
                at += step;
        }
        if (at < end && space && space > text) {
                *out_skip = 1;
                return (size_t)(space - text);
        }
        return (size_t)(at - text);
}
