/* SPDX-License-Identifier: Apache-2.0 */
/* Histogram. Durations below 64 ns have a bucket each; above, the six bits below the leading one choose the bucket. */
#include "histogram.h"

static unsigned bucket_of(uint64_t ns)
{
        if (ns < HISTOGRAM_STEPS)
                return (unsigned)ns;
        unsigned shift = 63 - (unsigned)__builtin_clzll(ns) - 6;
        unsigned bucket = (shift + 1) * HISTOGRAM_STEPS + (unsigned)(ns >> shift) - HISTOGRAM_STEPS;
        return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

static uint64_t bucket_end(unsigned bucket)
{
        if (bucket < HISTOGRAM_STEPS)
                return bucket;
        unsigned shift = bucket / HISTOGRAM_STEPS - 1;
        return (((uint64_t)(bucket % HISTOGRAM_STEPS) + HISTOGRAM_STEPS + 1) << shift) - 1;
}

void histogram_add(struct histogram *h, uint64_t ns)
{
        h->buckets[bucket_of(ns)]++;
        h->count++;
        if (ns > h->max_ns)
                h->max_ns = ns;
}

uint64_t histogram_quantile(const struct histogram *h, double part)
{
        uint64_t wanted = (uint64_t)(part * (double)h->count), seen = 0;
        if (wanted >= h->count)
                return h->max_ns;
        for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
                seen += h->buckets[i];
                if (seen > wanted)
                        return bucket_end(i) < h->max_ns ? bucket_end(i) : h->max_ns;
        }
        return h->max_ns;
}
