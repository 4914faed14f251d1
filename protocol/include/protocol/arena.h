/* SPDX-License-Identifier: Apache-2.0 */
/* Arena: memory of one request. Starts in a block the caller lends (may be NULL, 0) and takes further blocks from
 * malloc; everything ends together. One thread at a time. */
#pragma once

#include <stddef.h>

struct arena_block;

struct arena {
        char *at;                   /* next free byte */
        char *end;                  /* end of the current block */
        struct arena_block *blocks; /* blocks of our own, newest first */
};

/* `first` is lent for the life of the arena. */
void arena_init(struct arena *arena, void *first, size_t first_bytes);

/* Frees what the arena took itself. May be called twice. */
void arena_done(struct arena *arena);

/* Zeroed, aligned for any type; NULL: out of memory. `bytes` 0 gives a valid pointer. */
void *arena_take(struct arena *arena, size_t bytes);
