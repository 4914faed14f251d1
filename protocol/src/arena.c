/* SPDX-License-Identifier: Apache-2.0 */
/* Arena: see arena.h. Blocks of our own double in size from 4 KiB up to 64 KiB, larger only when one object needs it.
 */
#include "protocol/arena.h"
#include "protocol/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGN = 16, FIRST_BLOCK_BYTES = 4096, LARGEST_BLOCK_BYTES = 65536 };

struct arena_block {
        struct arena_block *older;
        size_t bytes; /* with this head */
};

void arena_init(struct arena *arena, void *first, size_t first_bytes)
{
        arena->at = first;
        arena->end = first ? (char *)first + first_bytes : NULL;
        arena->blocks = NULL;
}

void arena_done(struct arena *arena)
{
        struct arena_block *block = arena->blocks;

        while (block) {
                struct arena_block *older = block->older;

                memory_free(block);
                block = older;
        }
        arena_init(arena, NULL, 0);
}

static size_t padding(const char *at)
{
        return (ALIGN - (uintptr_t)at % ALIGN) % ALIGN;
}

static size_t next_block_bytes(const struct arena *arena, size_t least)
{
        size_t bytes = arena->blocks ? arena->blocks->bytes * 2 : FIRST_BLOCK_BYTES;

        if (bytes > LARGEST_BLOCK_BYTES)
                bytes = LARGEST_BLOCK_BYTES;
        return bytes < least ? least : bytes;
}

static int grow(struct arena *arena, size_t bytes)
{
        size_t overhead = sizeof(struct arena_block) + ALIGN;

        if (bytes > SIZE_MAX - overhead)
                return -1;

        size_t total = next_block_bytes(arena, bytes + overhead);
        struct arena_block *block = memory_alloc(total);

        if (!block)
                return -1;
        block->older = arena->blocks;
        block->bytes = total;
        arena->blocks = block;
        arena->at = (char *)(block + 1);
        arena->end = (char *)block + total;
        return 0;
}

void *arena_take(struct arena *arena, size_t bytes)
{
        size_t skip = padding(arena->at);
        size_t left = (size_t)(arena->end - arena->at);

        if (!arena->at || left < skip || left - skip < bytes || left == skip) {
                if (grow(arena, bytes) < 0)
                        return NULL;
                skip = padding(arena->at);
        }

        char *taken = arena->at + skip;

        arena->at = taken + bytes;
        return memset(taken, 0, bytes);
}
