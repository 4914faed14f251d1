/* SPDX-License-Identifier: Apache-2.0 */
/* Writer: see writer.h. */
#include "protocol/writer.h"

#include <stdlib.h>

#include "bytes.h"
#include "protocol/memory.h"

enum { LEAST_BYTES = 256, INT_TEXT_BYTES = 20 };

void writer_init(struct writer *writer, char *first, size_t first_bytes)
{
        *writer = (struct writer){.bytes = first, .room = first ? first_bytes : 0};
}

void writer_done(struct writer *writer)
{
        if (writer->owned)
                memory_free(writer->bytes);
        *writer = (struct writer){0};
}

static bool grow(struct writer *writer, size_t bytes)
{
        size_t room = writer->room < LEAST_BYTES ? LEAST_BYTES : writer->room;
        char *grown;

        while (room - writer->len < bytes) {
                if (room > SIZE_MAX / 2)
                        return false;
                room *= 2;
        }
        grown = memory_resize(writer->owned ? writer->bytes : NULL, room);
        if (!grown)
                return false;
        if (!writer->owned && writer->len)
                memcpy(grown, writer->bytes, writer->len);
        writer->bytes = grown;
        writer->room = room;
        writer->owned = true;
        return true;
}

bool writer_reserve(struct writer *writer, size_t bytes)
{
        if (writer->failed)
                return false;
        if (writer->room - writer->len >= bytes)
                return true;
        writer->failed = !grow(writer, bytes);
        return !writer->failed;
}

void writer_raw(struct writer *writer, struct span bytes)
{
        if (bytes.len && writer_reserve(writer, bytes.len)) {
                memcpy(writer->bytes + writer->len, bytes.at, bytes.len);
                writer->len += bytes.len;
        }
}

void writer_char(struct writer *writer, char c)
{
        if (writer_reserve(writer, 1))
                writer->bytes[writer->len++] = c;
}

/* The escape of one byte, behind a backslash; \u00XX for controls that have no name. */
static size_t escape_write(char *out, unsigned char byte)
{
        static const char hex[] = "0123456789abcdef", raw[] = "\"\\\b\f\n\r\t", names[] = "\"\\bfnrt";
        const char *found = byte ? strchr(raw, byte) : NULL;

        out[0] = '\\';
        if (found) {
                out[1] = names[found - raw];
                return 2;
        }
        out[1] = 'u';
        out[2] = out[3] = '0';
        out[4] = hex[byte >> 4];
        out[5] = hex[byte & 15];
        return 6;
}

void writer_string(struct writer *writer, struct span text)
{
        const char *at = text.at, *end = at + text.len;

        if (!writer_reserve(writer, text.len + 2))
                return;
        writer->bytes[writer->len++] = '"';
        while (at < end) {
                const char *clean = bytes_clean_end(at, end, 0);

                /* The escape and the closing quote too, so that the rest needs no second look. */
                if (!writer_reserve(writer, (size_t)(end - at) + 8))
                        return;
                memcpy(writer->bytes + writer->len, at, (size_t)(clean - at));
                writer->len += (size_t)(clean - at);
                at = clean;
                if (at < end)
                        writer->len += escape_write(writer->bytes + writer->len, (unsigned char)*at++);
        }
        writer_char(writer, '"');
}

void writer_int(struct writer *writer, int64_t value)
{
        char digits[INT_TEXT_BYTES];
        size_t at = sizeof(digits);
        uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

        do {
                digits[--at] = (char)('0' + left % 10);
                left /= 10;
        } while (left);
        if (value < 0)
                digits[--at] = '-';
        writer_raw(writer, (struct span){digits + at, sizeof(digits) - at});
}

void writer_bool(struct writer *writer, bool value)
{
        writer_raw(writer, value ? SPAN("true") : SPAN("false"));
}

static void write_quoted(struct writer *writer, const char *text, size_t len)
{
        if (!writer_reserve(writer, len + 2))
                return;

        char *out = writer->bytes + writer->len;

        out[0] = '"';
        memcpy(out + 1, text, len);
        out[len + 1] = '"';
        writer->len += len + 2;
}

void writer_id(struct writer *writer, const char *prefix, uint64_t id)
{
        char text[ID_TEXT_BYTES];

        id_write(text, prefix, id);
        write_quoted(writer, text, sizeof(text));
}

void writer_principal(struct writer *writer, struct principal_id who)
{
        char text[ID_TEXT_BYTES];

        write_quoted(writer, text, principal_write(text, who));
}

void writer_cmid(struct writer *writer, const struct cmid *cmid)
{
        char text[CMID_TEXT_BYTES];

        cmid_write(text, cmid);
        write_quoted(writer, text, sizeof(text));
}

void writer_hex(struct writer *writer, const uint8_t *bytes, size_t count)
{
        static const char hex[16] = "0123456789abcdef";

        if (!writer_reserve(writer, 2 * count + 2))
                return;

        char *out = writer->bytes + writer->len;

        *out++ = '"';
        for (size_t i = 0; i < count; i++) {
                *out++ = hex[bytes[i] >> 4];
                *out++ = hex[bytes[i] & 15];
        }
        *out = '"';
        writer->len += 2 * count + 2;
}
