/* SPDX-License-Identifier: Apache-2.0 */
/* Memory: one table for the process, chosen before anything is allocated. The rest is what the C library builds on its
 * own malloc, built on the table. */
#include "protocol/memory.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *c_malloc(size_t bytes, void *data)
{
        (void)data;
        return malloc(bytes);
}

static void *c_realloc(void *block, size_t bytes, void *data)
{
        (void)data;
        return realloc(block, bytes);
}

static void c_free(void *block, void *data)
{
        (void)data;
        free(block);
}

static const struct memory c_library = {NULL, c_malloc, c_realloc, c_free};
static struct memory used = {NULL, c_malloc, c_realloc, c_free};

void memory_use(const struct memory *memory)
{
        used = memory ? *memory : c_library;
}

void *memory_alloc(size_t bytes)
{
        return used.malloc(bytes ? bytes : 1, used.data);
}

void *memory_zeroed(size_t count, size_t bytes)
{
        if (bytes && count > SIZE_MAX / bytes)
                return NULL;

        void *block = memory_alloc(count * bytes);
        return block ? memset(block, 0, count * bytes) : NULL;
}

void *memory_resize(void *block, size_t bytes)
{
        return block ? used.realloc(block, bytes ? bytes : 1, used.data) : memory_alloc(bytes);
}

void memory_free(void *block)
{
        if (block)
                used.free(block, used.data);
}

char *memory_text_part(const char *text, size_t max_bytes)
{
        size_t len = strnlen(text, max_bytes);
        char *copy = memory_alloc(len + 1);
        if (!copy)
                return NULL;

        memcpy(copy, text, len);
        copy[len] = '\0';
        return copy;
}

char *memory_text(const char *text)
{
        return memory_text_part(text, SIZE_MAX);
}

int memory_print(char **out_text, const char *format, ...)
{
        va_list args;

        va_start(args, format);
        int len = vsnprintf(NULL, 0, format, args);
        va_end(args);
        char *text = len < 0 ? NULL : memory_alloc((size_t)len + 1);
        if (!text)
                return -1;
        va_start(args, format);
        vsnprintf(text, (size_t)len + 1, format, args);
        va_end(args);
        *out_text = text;
        return len;
}
