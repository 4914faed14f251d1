/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics: see metrics.h. The registry is one list under a lock that only registration and printing take. */
#include "ops/metrics.h"

#include <inttypes.h>
#include <pthread.h>
#include <string.h>

static pthread_mutex_t registry_lock = PTHREAD_MUTEX_INITIALIZER;
static struct metric *registry; /* oldest first */

#define US UINT64_C(1000)
#define MS UINT64_C(1000000)
const uint64_t metric_second_bounds[METRIC_MAX_BOUNDS] = {
        100 * US, 250 * US, 500 * US, 1 * MS,   2500 * US, 5 * MS,    10 * MS,   25 * MS,
        50 * MS,  100 * MS, 250 * MS, 500 * MS, 1000 * MS, 2500 * MS, 5000 * MS, 10000 * MS,
};
const uint64_t metric_size_bounds[METRIC_MAX_BOUNDS] = {
        1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768,
};

void metric_register(struct metric *metric)
{
        pthread_mutex_lock(&registry_lock);
        if (!atomic_exchange(&metric->is_registered, 1)) {
                struct metric **end = &registry;
                while (*end)
                        end = &(*end)->next;
                metric->next = NULL;
                *end = metric;
        }
        pthread_mutex_unlock(&registry_lock);
}

void metric_forget(struct metric *metric)
{
        pthread_mutex_lock(&registry_lock);
        for (struct metric **at = &registry; *at; at = &(*at)->next)
                if (*at == metric) {
                        *at = metric->next;
                        atomic_store(&metric->is_registered, 0);
                        break;
                }
        pthread_mutex_unlock(&registry_lock);
}

void metric_observe(struct metric *histogram, uint64_t raw)
{
        size_t i = 0;

        while (i < histogram->bound_count && raw > histogram->bounds[i])
                i++;
        atomic_fetch_add_explicit(&histogram->buckets[i], 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&histogram->sum, raw, memory_order_relaxed);
}

static double scaled(const struct metric *metric, double raw)
{
        return metric->unit != 0 ? raw * metric->unit : raw;
}

static void print_value(FILE *out, struct metric *metric)
{
        int64_t raw = metric->read ? metric->read(metric->data) : metric_get(metric);

        fprintf(out, "%s", metric->name);
        if (metric->labels)
                fprintf(out, "{%s}", metric->labels);
        if (metric->unit != 0)
                fprintf(out, " %.9g\n", scaled(metric, (double)raw));
        else
                fprintf(out, " %" PRId64 "\n", raw);
}

static void print_histogram(FILE *out, struct metric *metric)
{
        uint64_t total = 0;
        const char *labels = metric->labels ? metric->labels : "";
        const char *comma = metric->labels ? "," : "";

        for (size_t i = 0; i <= metric->bound_count; i++) {
                total += atomic_load_explicit(&metric->buckets[i], memory_order_relaxed);
                fprintf(out, "%s_bucket{%s%sle=\"", metric->name, labels, comma);
                if (i < metric->bound_count)
                        fprintf(out, "%.9g", scaled(metric, (double)metric->bounds[i]));
                else
                        fprintf(out, "+Inf");
                fprintf(out, "\"} %" PRIu64 "\n", total);
        }
        const char *open = metric->labels ? "{" : "", *close = metric->labels ? "}" : "";
        double sum = (double)atomic_load_explicit(&metric->sum, memory_order_relaxed);
        fprintf(out, "%s_sum%s%s%s %.9g\n", metric->name, open, labels, close, scaled(metric, sum));
        fprintf(out, "%s_count%s%s%s %" PRIu64 "\n", metric->name, open, labels, close, total);
}

void metrics_print(FILE *out)
{
        static const char *const words[] = {"counter", "gauge", "histogram"};
        const char *before = "";

        pthread_mutex_lock(&registry_lock);
        for (struct metric *metric = registry; metric; metric = metric->next) {
                if (strcmp(before, metric->name) != 0)
                        fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", metric->name, metric->help, metric->name,
                                words[metric->type]);
                before = metric->name;
                if (metric->type == METRIC_IS_HISTOGRAM)
                        print_histogram(out, metric);
                else
                        print_value(out, metric);
        }
        pthread_mutex_unlock(&registry_lock);
}
