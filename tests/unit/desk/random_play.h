/* SPDX-License-Identifier: Apache-2.0 */
/* What random tests of the desk begin with: a die that falls the same way for the same seed, and people who enter,
 * again after each restart. */
#pragma once

#include <stdio.h>

#include "unit/desk/room.h"

/* 0 to below - 1 (xorshift). *seed is never 0. */
static inline uint32_t random_below(uint32_t *seed, uint32_t below)
{
        *seed ^= *seed << 13;
        *seed ^= *seed >> 17;
        *seed ^= *seed << 5;
        return *seed % below;
}

/* Customers c0, c1 ... and agents a0, a1 ...: the same people each time. */
static inline void random_enter(struct room *room, struct client *customers, int customer_count, struct client *agents,
                                int agent_count)
{
        char name[16];
        for (int i = 0; i < customer_count; i++) {
                snprintf(name, sizeof name, "c%d", i);
                customers[i] = room_customer(room, name, 0);
        }
        for (int i = 0; i < agent_count; i++) {
                snprintf(name, sizeof name, "a%d", i);
                agents[i] = room_agent(room, name, 0);
        }
}
