/* SPDX-License-Identifier: Apache-2.0 */
/* Memory of the SDK: included before everything else in each of its files (CMakeLists.txt), so that what they allocate
 * comes from the allocator the application handed in (deskbell_set_allocator). Blocks of other libraries are given back
 * with those libraries' functions, never with free(); a libc function that allocates and is not here must not be used.
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/memory.h"

#undef strdup
#undef strndup
#undef asprintf
#define malloc(bytes)            memory_alloc(bytes)
#define calloc(count, bytes)     memory_zeroed(count, bytes)
#define realloc(block, bytes)    memory_resize(block, bytes)
#define free(block)              memory_free(block)
#define strdup(text)             memory_text(text)
#define strndup(text, max_bytes) memory_text_part(text, max_bytes)
#define asprintf(out_text, ...)  memory_print(out_text, __VA_ARGS__)
