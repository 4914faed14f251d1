/* SPDX-License-Identifier: Apache-2.0 */
/* Rings of nodes, one a slot; a node whose turn is rounds away stays in its ring until then. */
#include "edge/wheel.h"

#include <stddef.h>

void wheel_init(struct wheel *wheel)
{
        wheel->now = 0;
        for (int i = 0; i < WHEEL_SLOTS; i++)
                wheel->slots[i].next = wheel->slots[i].prev = &wheel->slots[i];
}

bool wheel_is_armed(const struct wheel_node *node)
{
        return node->next != NULL;
}

void wheel_disarm(struct wheel_node *node)
{
        if (!node->next)
                return;
        node->next->prev = node->prev;
        node->prev->next = node->next;
        node->next = node->prev = NULL;
}

static void insert(struct wheel_node *head, struct wheel_node *node)
{
        node->prev = head->prev;
        node->next = head;
        head->prev->next = node;
        head->prev = node;
}

void wheel_arm(struct wheel *wheel, struct wheel_node *node, uint32_t due)
{
        wheel_disarm(node);
        node->due = due > wheel->now ? due : wheel->now + 1;
        insert(&wheel->slots[node->due % WHEEL_SLOTS], node);
}

/* Takes the whole ring away first: what `fire` arms again must not be met twice. */
static void turn(struct wheel *wheel, void (*fire)(void *data, struct wheel_node *node), void *data)
{
        struct wheel_node *slot = &wheel->slots[wheel->now % WHEEL_SLOTS];
        if (slot->next == slot)
                return;

        struct wheel_node ring = *slot;
        ring.next->prev = ring.prev->next = &ring;
        slot->next = slot->prev = slot;
        while (ring.next != &ring) {
                struct wheel_node *node = ring.next;
                wheel_disarm(node);
                if (node->due <= wheel->now)
                        fire(data, node);
                else
                        insert(slot, node);
        }
}

void wheel_advance(struct wheel *wheel, uint32_t to, void (*fire)(void *data, struct wheel_node *node), void *data)
{
        while (wheel->now < to) {
                wheel->now++;
                turn(wheel, fire, data);
        }
}
