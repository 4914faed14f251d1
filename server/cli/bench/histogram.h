/* SPDX-License-Identifier: Apache-2.0 */
/* Histogram: counts of durations, 64 buckets for each doubling, so that a quantile is at most 1.6 % too high. Pure. */
#pragma once

#include <stdint.h>

enum { HISTOGRAM_STEPS = 64, HISTOGRAM_BUCKETS = HISTOGRAM_STEPS * 38 };

struct histogram {
        uint64_t count, max_ns;
        uint64_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *h, uint64_t ns);

/* Upper end, in ns, of the bucket that holds the `part`-th (0..1) of what was added; 0 when nothing was. */
uint64_t histogram_quantile(const struct histogram *h, double part);
