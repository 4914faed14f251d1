/* SPDX-License-Identifier: Apache-2.0 */
/* What the lists know of each ticket that is not closed: where it stands in every order, and when time alone may change
 * whether some list has it. */
#include <stdlib.h>

#include "desk/views/views_private.h"

enum { FIRST_SLOTS = 1024 };

int seen_init(struct views *views)
{
        views->slots = calloc(FIRST_SLOTS, sizeof(*views->slots));
        views->slot_count = FIRST_SLOTS;
        return views->slots ? DB_OK : DB_NOMEM;
}

static size_t slot_of(const struct views *views, uint64_t ext)
{
        return (ext * 0x9e3779b97f4a7c15u >> 24) & (views->slot_count - 1);
}

struct seen *seen_find(const struct views *views, uint64_t ext)
{
        struct seen *seen = views->slots[slot_of(views, ext)];
        while (seen && seen->ext != ext)
                seen = seen->hash_next;
        return seen;
}

/* Without memory the table only gets slower. */
static void grow_slots(struct views *views)
{
        struct views bigger = {.slot_count = views->slot_count * 2};
        bigger.slots = calloc(bigger.slot_count, sizeof(*bigger.slots));
        if (!bigger.slots)
                return;
        for (size_t i = 0; i < views->slot_count; i++) {
                struct seen *next;
                for (struct seen *seen = views->slots[i]; seen; seen = next) {
                        next = seen->hash_next;
                        struct seen **slot = &bigger.slots[slot_of(&bigger, seen->ext)];
                        seen->hash_next = *slot;
                        *slot = seen;
                }
        }
        free(views->slots);
        views->slots = bigger.slots;
        views->slot_count = bigger.slot_count;
}

struct seen *seen_add(struct views *views, uint64_t ext)
{
        struct seen *seen = calloc(1, sizeof *seen);
        if (!seen || view_row_take(views, seen) < 0) {
                free(seen);
                return NULL;
        }
        if (views->seen_count >= views->slot_count)
                grow_slots(views);
        seen->ext = ext;
        seen->turns_ms = INT64_MAX;
        struct seen **slot = &views->slots[slot_of(views, ext)];
        seen->hash_next = *slot;
        *slot = seen;
        views->seen_count++;
        return seen;
}

void seen_forget(struct views *views, struct seen *seen)
{
        struct seen **link = &views->slots[slot_of(views, seen->ext)];
        while (*link != seen)
                link = &(*link)->hash_next;
        *link = seen->hash_next;
        views->seen_count--;
        view_row_free(views, seen);
        free(seen);
}

/* Where the ticket stands by each order: the smallest first. */
void seen_keys(struct desk *desk, const struct ticket *ticket, int64_t keys[VIEW_SORTS])
{
        struct fact_scene scene = {.desk = desk, .ticket = ticket, .now_ms = desk->now_ms};
        struct fact_value due = {.type = FACT_AS_UNTIL};
        bool has_due = ticket_fact(&scene, FACT_DUE, SPAN(""), &due) == 0 && due.is_set;
        keys[VIEW_ACTIVITY] = -ticket->last_ms;
        keys[VIEW_WAITING] = ticket->customer_ms > 0 ? ticket->customer_ms : INT64_MAX;
        keys[VIEW_DUE] = has_due ? due.number : INT64_MAX;
        keys[VIEW_PRIORITY] = ((int64_t)(PRIORITY_URGENT - ticket->priority) << 50) + ticket->issued_ms;
        keys[VIEW_CREATED] = -ticket->issued_ms;
}

struct order_item view_item(const struct view_list *list, const struct seen *seen)
{
        return (struct order_item){seen->keys[list->sort], (int64_t)seen->ext};
}

void seen_set_turns(struct views *views, struct seen *seen, int64_t turns_ms)
{
        if (turns_ms == seen->turns_ms)
                return;
        if (seen->turns_ms != INT64_MAX)
                order_remove(&views->turns, (struct order_item){seen->turns_ms, (int64_t)seen->ext});
        seen->turns_ms = INT64_MAX;
        if (turns_ms != INT64_MAX &&
            order_insert(&views->turns, (struct order_item){turns_ms, (int64_t)seen->ext}) == 0)
                seen->turns_ms = turns_ms;
}

void seen_free_all(struct views *views)
{
        for (size_t i = 0; views->slots && i < views->slot_count; i++) {
                struct seen *next;
                for (struct seen *seen = views->slots[i]; seen; seen = next) {
                        next = seen->hash_next;
                        free(seen);
                }
        }
        free(views->slots);
}
