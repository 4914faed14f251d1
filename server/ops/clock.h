/* SPDX-License-Identifier: Apache-2.0 */
/* Clock: durations inside the process are monotonic, times that are stored or shown are wall milliseconds since 1970,
 * UTC. In builds for tests (without NDEBUG) the wall clock is shifted by DESKBELL_TEST_CLOCK_MS milliseconds, read once
 * at the first call. Any thread. */
#pragma once

#include <stdint.h>

uint64_t clock_mono_ns(void);
uint64_t clock_mono_ms(void);
int64_t clock_wall_ms(void);

/* For tests, and for a seed, whose store nobody serves meanwhile: the clock jumps by that much from now on; the
 * monotonic one never back. */
void clock_shift_wall(int64_t ms);
void clock_shift_mono(uint64_t ms);
