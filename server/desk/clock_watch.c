/* SPDX-License-Identifier: Apache-2.0 */
#include "desk/clock_watch.h"

#define JUMP_MS  ((int64_t)60 * 1000)
#define AWAY_MS  ((int64_t)24 * 3600 * 1000)
#define AGREE_MS ((uint64_t)24 * 3600 * 1000)

void clock_watch_start(struct clock_watch *watch, uint64_t mono_ms, int64_t wall_ms, int64_t last_ms)
{
        bool is_far = last_ms > 0 && (wall_ms - last_ms > AWAY_MS || last_ms - wall_ms > JUMP_MS);
        *watch = (struct clock_watch){mono_ms, wall_ms, mono_ms, is_far};
}

bool clock_watch_look(struct clock_watch *watch, uint64_t mono_ms, int64_t wall_ms)
{
        int64_t drift = (wall_ms - watch->wall_ms) - (int64_t)(mono_ms - watch->mono_ms);
        bool was_suspect = watch->is_suspect;
        watch->mono_ms = mono_ms;
        watch->wall_ms = wall_ms;
        if (drift > JUMP_MS || drift < -JUMP_MS) {
                watch->is_suspect = true;
                watch->since_ms = mono_ms;
        } else if (watch->is_suspect && mono_ms - watch->since_ms >= AGREE_MS) {
                watch->is_suspect = false;
        }
        return watch->is_suspect != was_suspect;
}

void clock_watch_accept(struct clock_watch *watch)
{
        watch->is_suspect = false;
}
