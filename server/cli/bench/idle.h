/* SPDX-License-Identifier: Apache-2.0 */
/* Idle: many logged-in connections that say nothing, and the memory they cost the server. Main thread. */
#pragma once

#include "driver.h"
#include "proc.h"
#include "target.h"

struct idle_plan {
        uint32_t conns;
        double seconds; /* how long they are held after the last has logged in */
};

struct idle_result {
        uint32_t conns, base_conns; /* base_conns were open when `before` was read */
        double open_s, held_s;
        struct proc_memory before, after, held; /* rss_kib 0 = not known */
        uint64_t open_cpu_ns, held_cpu_ns;
        uint64_t heartbeats; /* while held, each answered */
};

int idle_run(const struct idle_plan *plan, const struct target *target, struct idle_result *out_result,
             struct bench_error *error);
