/* SPDX-License-Identifier: Apache-2.0 */
/* Allocator: see allocator.h. */
#include "allocator.h"

#include <stdatomic.h>
#include <stddef.h>

#include "deskbell/deskbell.h"
#include "protocol/memory.h"

static atomic_int clients;

void allocator_hold(void)
{
        atomic_fetch_add(&clients, 1);
}

void allocator_release(void)
{
        atomic_fetch_sub(&clients, 1);
}

int deskbell_set_allocator(const struct deskbell_allocator *allocator)
{
        if (allocator && (allocator->size < sizeof(*allocator) || allocator->size > 4096 || !allocator->malloc ||
                          !allocator->realloc || !allocator->free))
                return DESKBELL_E_INVALID;
        if (atomic_load(&clients) > 0)
                return DESKBELL_E_STATE;
        if (!allocator) {
                memory_use(NULL);
                return DESKBELL_OK;
        }
        const struct memory memory = {allocator->data, allocator->malloc, allocator->realloc, allocator->free};
        memory_use(&memory);
        return DESKBELL_OK;
}
