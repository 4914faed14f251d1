/* SPDX-License-Identifier: Apache-2.0 */
/* Order: tickets in the order of one view, with their number. A tree of two levels: leaves of at most ORDER_LEAF items,
 * and one array of leaves with the first item of each. A change moves at most one leaf (8 KiB) and, once in hundreds of
 * changes, a piece of the array; a search is two binary searches; a page is read from neighbouring memory. One sorted
 * array would move megabytes for 100,000 tickets, a skip list would cost four times the memory and a cache miss an
 * item. Pure; one thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ORDER_LEAF = 512 };

/* Ordered by key, then by id. */
struct order_item {
        int64_t key;
        int64_t id; /* of the ticket, its row id */
};

struct order_leaf;

struct order_slot {
        struct order_item first; /* of the leaf */
        struct order_leaf *leaf;
};

struct order {
        struct order_slot *slots; /* leaves in order; none is empty */
        size_t slot_count, slot_room, count;
};

/* A zeroed struct order is empty. */
void order_done(struct order *order);
static inline size_t order_count(const struct order *order)
{
        return order->count;
}

/* 0; 1 = it was there; -1 = out of memory, nothing changed. */
int order_insert(struct order *order, struct order_item item);
bool order_remove(struct order *order, struct order_item item); /* false: it was not there */
bool order_has(const struct order *order, struct order_item item);

/* Up to `limit` items behind `after` (NULL = from the start), into `out`. Returns how many. */
size_t order_page(const struct order *order, const struct order_item *after, struct order_item *out, size_t limit);

/* The item stands behind all that are in it. 0, or -1 = out of memory, nothing changed. */
int order_append(struct order *order, struct order_item item);

/* Replaces what is in it by `items`, which it sorts; no two are the same. 0, or -1 = out of memory, nothing changed. */
int order_fill(struct order *order, struct order_item *items, size_t count);
