/* SPDX-License-Identifier: Apache-2.0 */
#include "files/media.h"

#include <strings.h>

enum { SIDE_MAX = 65535 };

static const char *const images[] = {"image/png", "image/jpeg", "image/gif", "image/webp"};

/* What may be said of a file that is no image: types that programs open from a download, none that a browser runs. */
static const char *const listed[] = {
        "application/pdf",
        "text/plain",
        "text/csv",
        "application/rtf",
        "application/json",
        "application/zip",
        "application/gzip",
        "application/x-7z-compressed",
        "application/x-tar",
        "application/msword",
        "application/vnd.ms-excel",
        "application/vnd.ms-powerpoint",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "application/vnd.oasis.opendocument.text",
        "application/vnd.oasis.opendocument.spreadsheet",
        "application/vnd.oasis.opendocument.presentation",
        "audio/mpeg",
        "audio/mp4",
        "audio/aac",
        "audio/ogg",
        "audio/opus",
        "audio/wav",
        "audio/webm",
        "audio/flac",
        "audio/amr",
        "video/mp4",
        "video/webm",
        "video/ogg",
        "video/quicktime",
        "video/3gpp",
        "video/mpeg",
        "video/x-matroska",
        "image/heic",
        "image/heif",
        "image/avif",
        "image/tiff",
        "image/bmp",
};

static const uint8_t *bytes_of(struct span head)
{
        return (const uint8_t *)head.at;
}

static uint32_t big16(const uint8_t *at)
{
        return (uint32_t)at[0] << 8 | at[1];
}

static uint32_t big32(const uint8_t *at)
{
        return big16(at) << 16 | big16(at + 2);
}

static uint32_t little16(const uint8_t *at)
{
        return (uint32_t)at[1] << 8 | at[0];
}

static uint32_t little24(const uint8_t *at)
{
        return (uint32_t)at[2] << 16 | little16(at);
}

static bool starts(struct span head, size_t at, const char *bytes, size_t len)
{
        return head.len >= at + len && memcmp(head.at + at, bytes, len) == 0;
}

static bool look_png(struct span head, uint32_t *width, uint32_t *height)
{
        if (head.len < 33 || !starts(head, 0, "\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16))
                return false;
        *width = big32(bytes_of(head) + 16);
        *height = big32(bytes_of(head) + 20);
        return true;
}

static bool look_gif(struct span head, uint32_t *width, uint32_t *height)
{
        if (head.len < 13 || (!starts(head, 0, "GIF87a", 6) && !starts(head, 0, "GIF89a", 6)))
                return false;
        *width = little16(bytes_of(head) + 6);
        *height = little16(bytes_of(head) + 8);
        return true;
}

static bool look_webp(struct span head, uint32_t *width, uint32_t *height)
{
        const uint8_t *at = bytes_of(head);
        if (head.len < 30 || !starts(head, 0, "RIFF", 4) || !starts(head, 8, "WEBP", 4))
                return false;
        if (starts(head, 12, "VP8 ", 4) && starts(head, 23, "\x9d\x01\x2a", 3)) {
                *width = little16(at + 26) & 0x3fff;
                *height = little16(at + 28) & 0x3fff;
                return true;
        }
        if (starts(head, 12, "VP8L", 4) && at[20] == 0x2f) {
                *width = 1 + (((uint32_t)at[22] & 0x3f) << 8 | at[21]);
                *height = 1 + (((uint32_t)at[24] & 0x0f) << 10 | (uint32_t)at[23] << 2 | at[22] >> 6);
                return true;
        }
        if (!starts(head, 12, "VP8X", 4))
                return false;
        *width = 1 + little24(at + 24);
        *height = 1 + little24(at + 27);
        return true;
}

static bool is_frame_of_jpeg(uint8_t marker)
{
        return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
}

/* Segment by segment up to the frame header. One that lies beyond what was shown leaves the size unknown (0). */
static bool look_jpeg(struct span head, uint32_t *width, uint32_t *height)
{
        const uint8_t *at = bytes_of(head);
        size_t i = 2;
        if (head.len < 4 || at[0] != 0xff || at[1] != 0xd8 || at[2] != 0xff)
                return false;
        *width = *height = 0;
        while (i + 4 <= head.len) {
                if (at[i] != 0xff)
                        return false;
                uint8_t marker = at[i + 1];
                if (marker == 0xff) { /* padding */
                        i++;
                        continue;
                }
                if (marker == 0xd9 || marker == 0xda || (marker >= 0xd0 && marker <= 0xd7) || marker <= 0x01)
                        return false; /* no frame before the picture, or no segment */
                uint32_t len = big16(at + i + 2);
                if (len < 2)
                        return false;
                if (is_frame_of_jpeg(marker)) {
                        if (len < 8 || i + 9 > head.len)
                                return len >= 8;
                        *height = big16(at + i + 5);
                        *width = big16(at + i + 7);
                        return *width > 0 && *height > 0;
                }
                i += 2 + (size_t)len;
        }
        return true;
}

static bool look_image(struct span head, struct media_facts *out)
{
        static bool (*const looks[])(struct span, uint32_t *, uint32_t *) = {look_png, look_jpeg, look_gif, look_webp};
        for (size_t i = 0; i < sizeof looks / sizeof *looks; i++) {
                uint32_t width = 0, height = 0;
                if (!looks[i](head, &width, &height))
                        continue;
                bool is_unknown = width == 0 && height == 0 && looks[i] == look_jpeg;
                bool is_sane = width > 0 && height > 0 && width <= SIDE_MAX && height <= SIDE_MAX;
                *out = (struct media_facts){images[i], width, height};
                return is_sane || is_unknown;
        }
        return false;
}

/* Without parameters and the blanks around it. */
static struct span bare_type(struct span said)
{
        const char *end = said.len > 0 ? memchr(said.at, ';', said.len) : NULL;
        if (end)
                said.len = (size_t)(end - said.at);
        while (said.len > 0 && said.at[said.len - 1] == ' ')
                said.len--;
        return said;
}

struct media_facts media_look(struct span head, struct span said)
{
        struct media_facts facts;
        if (look_image(head, &facts))
                return facts;
        struct span type = bare_type(said);
        for (size_t i = 0; i < sizeof listed / sizeof *listed; i++)
                if (strlen(listed[i]) == type.len && strncasecmp(listed[i], type.at, type.len) == 0)
                        return (struct media_facts){listed[i], 0, 0};
        return (struct media_facts){"application/octet-stream", 0, 0};
}

bool media_is_inline(struct span media)
{
        for (size_t i = 0; i < sizeof images / sizeof *images; i++)
                if (span_equal(media, span_of(images[i])))
                        return true;
        return false;
}
