/* SPDX-License-Identifier: Apache-2.0 */
/* Clock watch: notices a wall clock that cannot be trusted (delivery, Clocks): a jump of more than a minute against the
 * monotonic clock, or a start more than a day after the last commit. What destroys waits until the operator accepts the
 * clock or both clocks have agreed for a day. Pure; one thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct clock_watch {
        uint64_t mono_ms; /* of the last look */
        int64_t wall_ms;
        uint64_t since_ms; /* monotonic: when it became suspect */
        bool is_suspect;
};

/* `last_ms`: wall time of the last commit or of the operator's word, 0 = there is none. */
void clock_watch_start(struct clock_watch *watch, uint64_t mono_ms, int64_t wall_ms, int64_t last_ms);
/* About once a second. Returns true when the answer has changed. */
bool clock_watch_look(struct clock_watch *watch, uint64_t mono_ms, int64_t wall_ms);
void clock_watch_accept(struct clock_watch *watch);
