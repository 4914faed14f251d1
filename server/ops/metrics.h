/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics: counters, gauges and histograms that any thread moves with one relaxed atomic, printed in the text format of
 * Prometheus. A metric is a static object of the module that moves it:
 *
 *      static struct metric sent = METRIC_COUNTER("deskbell_messages_total", "messages accepted");
 *      metric_register(&sent);         once, at start
 *      metric_add(&sent, 1);
 *
 * No metric carries an id, a name or an address: labels are literals. */
#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum metric_type { METRIC_IS_COUNTER, METRIC_IS_GAUGE, METRIC_IS_HISTOGRAM };

enum { METRIC_MAX_BOUNDS = 16 };

struct metric {
        const char *name;   /* literal, [a-z_]; units at its end */
        const char *help;   /* literal, one line */
        const char *labels; /* literal such as `why="full"`, or NULL */
        enum metric_type type;
        double unit;                 /* printed value = value * unit; 0 counts as 1 */
        const uint64_t *bounds;      /* histograms: rising upper bounds, in raw values */
        size_t bound_count;          /* at most METRIC_MAX_BOUNDS */
        int64_t (*read)(void *data); /* when set, asked at printing instead of `value`; any thread */
        void *data;
        _Atomic int64_t value;
        _Atomic uint64_t sum;
        _Atomic uint64_t buckets[METRIC_MAX_BOUNDS + 1];
        struct metric *next; /* the registry's */
        atomic_int is_registered;
};

#define METRIC_COUNTER(metric_name, text)                                                                              \
        {                                                                                                              \
                .name = (metric_name), .help = (text), .type = METRIC_IS_COUNTER                                       \
        }
#define METRIC_GAUGE(metric_name, text)                                                                                \
        {                                                                                                              \
                .name = (metric_name), .help = (text), .type = METRIC_IS_GAUGE                                         \
        }
/* Raw values are nanoseconds, printed as seconds; bounds from 100 us to 10 s. */
#define METRIC_SECONDS(metric_name, text)                                                                              \
        {                                                                                                              \
                .name = (metric_name), .help = (text), .type = METRIC_IS_HISTOGRAM, .unit = 1e-9,                      \
                .bounds = metric_second_bounds, .bound_count = METRIC_MAX_BOUNDS                                       \
        }
/* Raw values are counts; bounds are powers of two from 1 to 32768. */
#define METRIC_SIZES(metric_name, text)                                                                                \
        {                                                                                                              \
                .name = (metric_name), .help = (text), .type = METRIC_IS_HISTOGRAM, .bounds = metric_size_bounds,      \
                .bound_count = METRIC_MAX_BOUNDS                                                                       \
        }

extern const uint64_t metric_second_bounds[METRIC_MAX_BOUNDS];
extern const uint64_t metric_size_bounds[METRIC_MAX_BOUNDS];

/* From now on `metric` is printed; it has to live until metric_forget. Twice is once. Metrics of one name and different
 * labels stand together when registered one after the other. Any thread. */
void metric_register(struct metric *metric);
void metric_forget(struct metric *metric);

static inline void metric_add(struct metric *metric, int64_t more)
{
        atomic_fetch_add_explicit(&metric->value, more, memory_order_relaxed);
}

static inline void metric_set(struct metric *metric, int64_t value)
{
        atomic_store_explicit(&metric->value, value, memory_order_relaxed);
}

static inline int64_t metric_get(struct metric *metric)
{
        return atomic_load_explicit(&metric->value, memory_order_relaxed);
}

void metric_observe(struct metric *histogram, uint64_t raw);

/* All registered metrics, oldest registration first. */
void metrics_print(FILE *out);
