/* SPDX-License-Identifier: Apache-2.0 */
/* The order of a view. Always true: leaves are not empty, sorted in themselves and among each other, and a slot's
 * `first` is the first item of its leaf. */
#include "desk/views/order.h"

#include <stdlib.h>
#include <string.h>

struct order_leaf {
        size_t count;
        struct order_item items[ORDER_LEAF];
};

enum { FILLED = ORDER_LEAF / 4 * 3 }; /* of leaves made in one go: room for what comes */

static int compare(struct order_item a, struct order_item b)
{
        if (a.key != b.key)
                return a.key < b.key ? -1 : 1;
        return a.id < b.id ? -1 : a.id > b.id;
}

void order_done(struct order *order)
{
        for (size_t i = 0; i < order->slot_count; i++)
                free(order->slots[i].leaf);
        free(order->slots);
        *order = (struct order){0};
}

/* The last slot that begins at or before the item; 0 when none does. */
static size_t slot_of(const struct order *order, struct order_item item)
{
        size_t low = 0, high = order->slot_count;
        while (low < high) {
                size_t middle = low + (high - low) / 2;
                if (compare(order->slots[middle].first, item) <= 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low > 0 ? low - 1 : 0;
}

/* The first place in the leaf whose item is not before `item`. */
static size_t place_of(const struct order_leaf *leaf, struct order_item item)
{
        size_t low = 0, high = leaf->count;
        while (low < high) {
                size_t middle = low + (high - low) / 2;
                if (compare(leaf->items[middle], item) < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

static bool is_at(const struct order_leaf *leaf, size_t place, struct order_item item)
{
        return place < leaf->count && compare(leaf->items[place], item) == 0;
}

bool order_has(const struct order *order, struct order_item item)
{
        if (order->slot_count == 0)
                return false;
        const struct order_leaf *leaf = order->slots[slot_of(order, item)].leaf;
        return is_at(leaf, place_of(leaf, item), item);
}

static bool reserve_slot(struct order *order)
{
        if (order->slot_count < order->slot_room)
                return true;
        size_t room = order->slot_room ? order->slot_room * 2 : 8;
        struct order_slot *slots = realloc(order->slots, room * sizeof *slots);
        if (!slots)
                return false;
        order->slots = slots;
        order->slot_room = room;
        return true;
}

static void put_slot(struct order *order, size_t at, struct order_leaf *leaf)
{
        memmove(&order->slots[at + 1], &order->slots[at], (order->slot_count - at) * sizeof *order->slots);
        order->slots[at] = (struct order_slot){leaf->items[0], leaf};
        order->slot_count++;
}

static int insert_first(struct order *order, struct order_item item)
{
        struct order_leaf *leaf = reserve_slot(order) ? malloc(sizeof *leaf) : NULL;
        if (!leaf)
                return -1;
        leaf->count = 1;
        leaf->items[0] = item;
        put_slot(order, 0, leaf);
        order->count = 1;
        return 0;
}

/* The upper half of a full leaf moves to a new one behind it. What grows at its end is split there, and stays full. */
static int split(struct order *order, size_t at, size_t place)
{
        struct order_leaf *leaf = order->slots[at].leaf;
        struct order_leaf *upper = reserve_slot(order) ? malloc(sizeof *upper) : NULL;
        if (!upper)
                return -1;
        bool is_growing = place == leaf->count && at + 1 == order->slot_count;
        size_t kept = is_growing ? ORDER_LEAF - ORDER_LEAF / 16 : ORDER_LEAF / 2;
        upper->count = leaf->count - kept;
        memcpy(upper->items, &leaf->items[kept], upper->count * sizeof *upper->items);
        leaf->count = kept;
        put_slot(order, at + 1, upper);
        return 0;
}

int order_insert(struct order *order, struct order_item item)
{
        if (order->slot_count == 0)
                return insert_first(order, item);
        size_t at = slot_of(order, item);
        struct order_leaf *leaf = order->slots[at].leaf;
        size_t place = place_of(leaf, item);
        if (is_at(leaf, place, item))
                return 1;
        if (leaf->count == ORDER_LEAF) {
                if (split(order, at, place) < 0)
                        return -1;
                if (place > leaf->count) {
                        place -= leaf->count;
                        leaf = order->slots[++at].leaf;
                }
        }
        memmove(&leaf->items[place + 1], &leaf->items[place], (leaf->count - place) * sizeof *leaf->items);
        leaf->items[place] = item;
        leaf->count++;
        order->slots[at].first = leaf->items[0];
        order->count++;
        return 0;
}

/* Two neighbours that fit well into one leaf become one. */
static void join(struct order *order, size_t at)
{
        if (at + 1 >= order->slot_count)
                return;
        struct order_leaf *leaf = order->slots[at].leaf, *next = order->slots[at + 1].leaf;
        if (leaf->count + next->count > ORDER_LEAF / 2)
                return;
        memcpy(&leaf->items[leaf->count], next->items, next->count * sizeof *next->items);
        leaf->count += next->count;
        free(next);
        order->slot_count--;
        memmove(&order->slots[at + 1], &order->slots[at + 2], (order->slot_count - at - 1) * sizeof *order->slots);
        order->slots[at].first = leaf->items[0];
}

bool order_remove(struct order *order, struct order_item item)
{
        if (order->slot_count == 0)
                return false;
        size_t at = slot_of(order, item);
        struct order_leaf *leaf = order->slots[at].leaf;
        size_t place = place_of(leaf, item);
        if (!is_at(leaf, place, item))
                return false;
        leaf->count--;
        order->count--;
        memmove(&leaf->items[place], &leaf->items[place + 1], (leaf->count - place) * sizeof *leaf->items);
        if (leaf->count == 0) {
                free(leaf);
                order->slot_count--;
                memmove(&order->slots[at], &order->slots[at + 1], (order->slot_count - at) * sizeof *order->slots);
                return true;
        }
        order->slots[at].first = leaf->items[0];
        if (leaf->count < ORDER_LEAF / 4)
                join(order, at > 0 ? at - 1 : at);
        return true;
}

size_t order_page(const struct order *order, const struct order_item *after, struct order_item *out, size_t limit)
{
        size_t count = 0, at = 0, place = 0;
        if (after && order->slot_count > 0) {
                at = slot_of(order, *after);
                place = place_of(order->slots[at].leaf, *after);
                place += is_at(order->slots[at].leaf, place, *after);
        }
        for (; at < order->slot_count && count < limit; at++, place = 0) {
                const struct order_leaf *leaf = order->slots[at].leaf;
                size_t part = leaf->count - place < limit - count ? leaf->count - place : limit - count;
                memcpy(&out[count], &leaf->items[place], part * sizeof *out);
                count += part;
        }
        return count;
}

int order_append(struct order *order, struct order_item item)
{
        struct order_leaf *leaf = order->slot_count > 0 ? order->slots[order->slot_count - 1].leaf : NULL;
        if (!leaf || leaf->count >= FILLED) {
                leaf = reserve_slot(order) ? malloc(sizeof *leaf) : NULL;
                if (!leaf)
                        return -1;
                leaf->count = 0;
                leaf->items[0] = item;
                put_slot(order, order->slot_count, leaf);
        }
        leaf->items[leaf->count++] = item;
        order->count++;
        return 0;
}

static int compare_items(const void *a, const void *b)
{
        return compare(*(const struct order_item *)a, *(const struct order_item *)b);
}

static bool is_sorted(const struct order_item *items, size_t count)
{
        for (size_t i = 1; i < count; i++)
                if (compare(items[i - 1], items[i]) >= 0)
                        return false;
        return true;
}

int order_fill(struct order *order, struct order_item *items, size_t count)
{
        struct order fresh = {0};
        if (!is_sorted(items, count))
                qsort(items, count, sizeof *items, compare_items);
        for (size_t from = 0; from < count; from += FILLED) {
                struct order_leaf *leaf = reserve_slot(&fresh) ? malloc(sizeof *leaf) : NULL;
                if (!leaf) {
                        order_done(&fresh);
                        return -1;
                }
                leaf->count = count - from < FILLED ? count - from : FILLED;
                memcpy(leaf->items, &items[from], leaf->count * sizeof *items);
                put_slot(&fresh, fresh.slot_count, leaf);
        }
        fresh.count = count;
        order_done(order);
        *order = fresh;
        return 0;
}
