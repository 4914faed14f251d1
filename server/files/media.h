/* SPDX-License-Identifier: Apache-2.0 */
/* Media: what kind of file it is. Four kinds of images are recognised by their first bytes, with width and height from
 * the header; nothing is ever decoded. Everything else is what the sender says, when that is on the list of types that
 * are safe to hand out as downloads; otherwise application/octet-stream. Pure; any thread. */
#pragma once

#include "protocol/span.h"

enum { MEDIA_LOOK_BYTES = 256 * 1024 }; /* as much of the beginning is worth showing to media_look */

struct media_facts {
        const char *media;      /* a constant */
        uint32_t width, height; /* 1 to 65535, of an image; 0 = not known */
};

/* `head`: the first bytes; `said`: what the sender claims. An image whose header makes no sense is no image. */
struct media_facts media_look(struct span head, struct span said);

/* Whether a browser may show it instead of saving it: it was recognised by its bytes. */
bool media_is_inline(struct span media);
