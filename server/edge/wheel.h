/* SPDX-License-Identifier: Apache-2.0 */
/* Wheel: deadlines of many objects from one timer. Pure: time is a tick number that the caller gives; what a tick lasts
 * is his business. Arming, moving and disarming cost the same however many nodes there are. One thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { WHEEL_SLOTS = 256 };

/* Part of the object that waits; zeroed = not armed. */
struct wheel_node {
        struct wheel_node *next, *prev;
        uint32_t due;
};

struct wheel {
        uint32_t now;
        struct wheel_node slots[WHEEL_SLOTS]; /* heads of rings */
};

void wheel_init(struct wheel *wheel);
/* Fires at tick `due`, at the earliest at the next one. An armed node is moved. */
void wheel_arm(struct wheel *wheel, struct wheel_node *node, uint32_t due);
void wheel_disarm(struct wheel_node *node); /* not armed is welcome */
bool wheel_is_armed(const struct wheel_node *node);
/* Goes on to tick `to` and calls `fire` for each node that is due, already disarmed; `fire` may arm and disarm any. */
void wheel_advance(struct wheel *wheel, uint32_t to, void (*fire)(void *data, struct wheel_node *node), void *data);
