/* SPDX-License-Identifier: Apache-2.0 */
/* Random: bytes of the kernel's generator, fit for secrets. Cannot fail: a kernel without getrandom ends the process.
 * Any thread. Not across fork in the child of a process that has drawn before, but for random_bytes. */
#pragma once

#include <stddef.h>
#include <stdint.h>

void random_bytes(void *bytes, size_t count);

/* From a block that each thread keeps and refills: cheap enough for one a message. */
uint64_t random_u64(void);
uint32_t random_u32(void);
