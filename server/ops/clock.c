/* SPDX-License-Identifier: Apache-2.0 */
/* Clock: see clock.h. The environment is asked only where NDEBUG is not defined: it cannot move the clock of a released
 * program, which itself turns it only to make a seed, on a store that nobody serves. */
#include "ops/clock.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

static _Atomic uint64_t mono_shift_ns;

uint64_t clock_mono_ns(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec +
               atomic_load_explicit(&mono_shift_ns, memory_order_relaxed);
}

void clock_shift_mono(uint64_t ms)
{
        atomic_fetch_add(&mono_shift_ns, ms * 1000000u);
}

uint64_t clock_mono_ms(void)
{
        return clock_mono_ns() / 1000000u;
}

static _Atomic int64_t shift_ms;
static pthread_once_t shift_once = PTHREAD_ONCE_INIT;

static void read_shift(void)
{
#ifndef NDEBUG
        const char *text = getenv("DESKBELL_TEST_CLOCK_MS");

        if (text)
                atomic_fetch_add(&shift_ms, strtoll(text, NULL, 10));
#endif
}

static int64_t wall_shift(void)
{
        pthread_once(&shift_once, read_shift);
        return atomic_load_explicit(&shift_ms, memory_order_relaxed);
}

void clock_shift_wall(int64_t ms)
{
        pthread_once(&shift_once, read_shift);
        atomic_fetch_add(&shift_ms, ms);
}

int64_t clock_wall_ms(void)
{
        struct timespec now;

        clock_gettime(CLOCK_REALTIME, &now);
        return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + wall_shift();
}
