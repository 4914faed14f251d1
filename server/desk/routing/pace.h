/* SPDX-License-Identifier: Apache-2.0 */
/* Pace: how fast a queue moves, from the last tickets that were given out of it, and so how long somebody at a place
 * has to wait. A sample is what one place cost: how long it waited, over the place at which it began to wait. Those
 * that nobody was there for (a night) do not count. Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
        PACE_SAMPLES = 20,
        PACE_LEAST = 3,    /* with fewer nothing is said */
        PACE_ROUND_S = 10, /* what is said is rounded up to this, and from PACE_LONG_S on to a minute */
        PACE_LONG_S = 120,
        PACE_MAX_S = 4 * 3600, /* longer than this is not guessed */
};

struct pace {
        int64_t ms[PACE_SAMPLES]; /* of one place */
        size_t count, next;
};

/* `place`: at least 1. */
void pace_add(struct pace *pace, int64_t waited_ms, int64_t place);
/* Seconds for whoever is at `place` now; -1 = not known. */
int64_t pace_wait_s(const struct pace *pace, int64_t place);
