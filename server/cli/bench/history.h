/* SPDX-License-Identifier: Apache-2.0 */
/* History: one conversation filled with messages, then its last 50 read over and over. Main thread. */
#pragma once

#include "driver.h"
#include "histogram.h"
#include "target.h"

enum { HISTORY_PAGE = 50 };

struct history_plan {
        uint64_t messages; /* in the conversation */
        uint32_t readers;  /* connections; each asks again as soon as it has its answer */
        uint32_t text_bytes;
        double warm_s, seconds;
};

struct history_result {
        double fill_s, elapsed_s;
        uint64_t filled, requests, entries, bytes; /* within the measured window */
        uint64_t server_cpu_ns;
        struct histogram latency;
        uint64_t short_pages; /* answers with other than 50 entries; anything but 0 is a failure of the run */
};

/* Fills (unless the target is a floor, which makes its entries up) and reads. */
int history_run(const struct history_plan *plan, const struct target *target, struct history_result *out_result,
                struct bench_error *error);
