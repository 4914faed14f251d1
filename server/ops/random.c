/* SPDX-License-Identifier: Apache-2.0 */
/* Random: see random.h. */
#include "ops/random.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { BLOCK_BYTES = 256 };

static _Thread_local unsigned char block[BLOCK_BYTES];
static _Thread_local size_t block_left; /* unused bytes at the end of the block */

void random_bytes(void *bytes, size_t count)
{
        unsigned char *at = bytes;

        while (count > 0) {
                ssize_t got = getrandom(at, count, 0);
                if (got < 0 && errno == EINTR)
                        continue;
                if (got <= 0) {
                        perror("deskbell: getrandom");
                        abort();
                }
                at += got;
                count -= (size_t)got;
        }
}

static void draw(void *out, size_t count)
{
        if (block_left < count) {
                random_bytes(block, sizeof(block));
                block_left = sizeof(block);
        }
        unsigned char *from = block + sizeof(block) - block_left;
        memcpy(out, from, count);
        memset(from, 0, count);
        block_left -= count;
}

uint64_t random_u64(void)
{
        uint64_t value;

        draw(&value, sizeof(value));
        return value;
}

uint32_t random_u32(void)
{
        uint32_t value;

        draw(&value, sizeof(value));
        return value;
}
