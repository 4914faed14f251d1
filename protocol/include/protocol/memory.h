/* SPDX-License-Identifier: Apache-2.0 */
/* Memory: where this library and the SDK on top of it get theirs. The C library's unless memory_use says otherwise. */
#pragma once

#include <stddef.h>

struct memory {
        void *data; /* given to all */
        void *(*malloc)(size_t bytes, void *data);
        void *(*realloc)(void *block, size_t bytes, void *data); /* block NULL = malloc */
        void (*free)(void *block, void *data);                   /* never NULL */
};

/* Copied; NULL = the C library's. While no block is held and no other thread is in here. */
void memory_use(const struct memory *memory);

/* As the functions of the C library; any thread. */
void *memory_alloc(size_t bytes);
void *memory_zeroed(size_t count, size_t bytes);
void *memory_resize(void *block, size_t bytes);
void memory_free(void *block);
char *memory_text(const char *text);
char *memory_text_part(const char *text, size_t max_bytes);
int memory_print(char **out_text, const char *format, ...) __attribute__((format(printf, 2, 3)));
