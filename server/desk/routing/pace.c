/* SPDX-License-Identifier: Apache-2.0 */
#include "desk/routing/pace.h"

#include <stdlib.h>
#include <string.h>

void pace_add(struct pace *pace, int64_t waited_ms, int64_t place)
{
        if (waited_ms < 0 || waited_ms > (int64_t)PACE_MAX_S * 1000 || place < 1)
                return;
        pace->ms[pace->next] = waited_ms / place;
        pace->next = (pace->next + 1) % PACE_SAMPLES;
        if (pace->count < PACE_SAMPLES)
                pace->count++;
}

static int by_size(const void *a, const void *b)
{
        int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
        return (left > right) - (left < right);
}

/* The middle one: a single chat that nobody wanted says nothing about the next. */
static int64_t middle(const struct pace *pace)
{
        int64_t sorted[PACE_SAMPLES];
        memcpy(sorted, pace->ms, pace->count * sizeof sorted[0]);
        qsort(sorted, pace->count, sizeof sorted[0], by_size);
        return sorted[pace->count / 2];
}

int64_t pace_wait_s(const struct pace *pace, int64_t place)
{
        if (pace->count < PACE_LEAST || place < 1)
                return -1;
        int64_t each_ms = middle(pace);
        if (each_ms > 0 && place > (int64_t)PACE_MAX_S * 1000 / each_ms)
                return -1;
        int64_t wait_s = (each_ms * place + 999) / 1000;
        int64_t step_s = wait_s > PACE_LONG_S ? 60 : PACE_ROUND_S;
        wait_s = (wait_s + step_s - 1) / step_s * step_s;
        if (wait_s == 0)
                wait_s = PACE_ROUND_S;
        return wait_s > PACE_MAX_S ? -1 : wait_s;
}
