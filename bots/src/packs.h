/* SPDX-License-Identifier: Apache-2.0 */
/* Packs: what bots/packs/embed.py makes of the files beside it. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct bot_pack {
        const char *lang;
        const char *lines;
        size_t len;
};
extern const struct bot_pack bot_packs[];
extern const size_t bot_packs_count;

/* Sorted by word; a word of two classes has two rows, in the order of the files' lines. */
struct bot_class_row {
        const char *word;
        uint16_t class;
};
extern const struct bot_class_row bot_class_rows[];
extern const size_t bot_class_rows_count;
