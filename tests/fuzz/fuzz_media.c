/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz media: what strangers upload, and what they ask for. The first byte chooses: the reader of image headers,
 * ranges, links, or the name in a header. Each has to stay within what it was given and to keep its promise about the
 * result. */
#include <stdio.h>
#include <stdlib.h>

#include "files/disposition.h"
#include "files/link.h"
#include "files/media.h"
#include "files/range.h"
#include "fuzz.h"

static void check(bool claim, const char *what)
{
        if (claim)
                return;
        fprintf(stderr, "fuzz_media: %s\n", what);
        abort();
}

static void fuzz_range(struct span text)
{
        int64_t from = 0, len = 0;
        if (range_read(text, 1000, &from, &len) != RANGE_REFUSED)
                check(from >= 0 && len > 0 && from + len <= 1000, "a range beyond the file");
}

static void fuzz_link(struct span text)
{
        static const uint8_t key[LINK_KEY_BYTES] = {1};
        struct file_link link;
        if (link_read(text, &link) == 0)
                check(!link_is_good(&link, key, 0), "a link that nobody made is good");
}

static void fuzz_name(struct span text)
{
        char out[DISPOSITION_ROOM];
        size_t len = disposition_write(out, text, false);
        check(len < DISPOSITION_ROOM && strlen(out) == len, "longer than its room");
        for (size_t i = 0; i < len; i++)
                check(out[i] >= 0x20 && out[i] < 0x7f && out[i] != '"' && out[i] != '/', "a byte that ends a header");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
        if (len == 0)
                return 0;
        char *exact = malloc(len);
        check(exact != NULL, "memory");
        memcpy(exact, bytes + 1, len - 1);
        struct span text = {exact, len - 1};
        switch (bytes[0] % 4) {
        case 0: {
                struct media_facts facts = media_look(text, SPAN("text/plain"));
                check(facts.width <= 65535 && facts.height <= 65535, "too wide");
                check(media_is_inline(span_of(facts.media)) || facts.width == 0, "a size of something else");
                break;
        }
        case 1:
                fuzz_range(text);
                break;
        case 2:
                fuzz_link(text);
                break;
        default:
                fuzz_name(text);
        }
        free(exact);
        return 0;
}
