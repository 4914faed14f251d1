/* SPDX-License-Identifier: Apache-2.0 */
/* Query: figures of sums, in the units of the protocol: percent and points in hundredths, means in thousandths. Where
 * there is nothing there is no figure; a count of nothing is 0. Pure. */
#include <math.h>

#include "desk/reports/query.h"
#include "desk/reports/scores.h"

enum { TOPS = SCORE_HIGHEST + 1 };

static void say_score(struct protocol_report_value *value, const struct score *score)
{
        value->has_value = score->has_value;
        value->has_low = value->has_high = score->has_interval;
        if (score->has_value)
                value->value = llround(score->value * 100);
        if (score->has_interval) {
                value->low = llround(score->low * 100);
                value->high = llround(score->high * 100);
        }
}

static void read_counts(const struct cell_part *part, int64_t counts[TOPS][SCORE_HIGHEST + 1])
{
        for (size_t i = 0; i < part->bucket_count; i++) {
                int32_t top = part->buckets[i].at / 16, score = part->buckets[i].at % 16;
                if (top < TOPS && score <= SCORE_HIGHEST)
                        counts[top][score] += part->buckets[i].n;
        }
}

static int64_t sum_of(const int64_t counts[SCORE_HIGHEST + 1])
{
        int64_t sum = 0;
        for (int i = 0; i <= SCORE_HIGHEST; i++)
                sum += counts[i];
        return sum;
}

/* Several scales: what each counts as good, together. */
static struct score share_of_all(const int64_t counts[TOPS][SCORE_HIGHEST + 1])
{
        int64_t good = 0, all = 0;
        for (int top = 1; top < TOPS; top++) {
                int64_t n = sum_of(counts[top]);
                struct score one = score_of(SCORE_SHARE, top, counts[top]);
                all += n;
                good += n > 0 ? llround(one.value * (double)n / 100) : 0;
        }
        return score_share(good, all);
}

static struct protocol_report_value value_of_scores(int metric, const struct cell_part *part)
{
        struct protocol_report_value value = {.has_offered = true, .has_answered = true};
        int64_t counts[TOPS][SCORE_HIGHEST + 1] = {{0}};
        int tops = 0, top = 0;
        value.offered = part ? part->n : 0;
        value.answered = part ? part->sum : 0;
        if (part)
                read_counts(part, counts);
        for (int i = 0; i < TOPS; i++) {
                int64_t n = sum_of(counts[i]);
                value.n += n;
                tops += n > 0;
                top = n > 0 ? i : top;
        }
        if (value.n == 0)
                return value;
        struct score score =
                metric == METRIC_NPS ? score_of(SCORE_NPS, SCORE_HIGHEST, counts[SCORE_HIGHEST]) : share_of_all(counts);
        say_score(&value, &score);
        if (tops == 1) {
                struct score mean = score_of(SCORE_MEAN, top, counts[top]);
                value.has_mean = mean.has_value;
                value.mean = mean.has_value ? llround(mean.value * 1000) : 0;
        }
        return value;
}

static struct protocol_report_value value_of_times(const struct cell_part *part)
{
        struct protocol_report_value value = {.n = part->n, .has_value = true};
        value.value = llround((double)part->sum / (double)part->n);
        if (part->bucket_count > 0) {
                int64_t median_ms = cell_percentile_ms(part, 50), p90_ms = cell_percentile_ms(part, 90);
                value.has_median = median_ms >= 0;
                value.has_p90 = p90_ms >= 0;
                value.median = median_ms >= 0 ? median_ms : 0;
                value.p90 = p90_ms >= 0 ? p90_ms : 0;
        }
        return value;
}

struct protocol_report_value query_value(int metric, const struct cell *cell, int64_t backlog)
{
        const struct cell_part *part = cell_part(cell, metric);
        struct protocol_report_value value = {.n = part ? part->n : 0};
        enum metric_kind kind = metrics[metric].kind;
        if (kind == METRIC_KIND_SCORE)
                return value_of_scores(metric, part);
        if (kind == METRIC_KIND_STATE)
                value.n = backlog;
        if (kind == METRIC_KIND_COUNT || kind == METRIC_KIND_STATE) {
                value.has_value = true;
                value.value = value.n;
                return value;
        }
        if (value.n == 0)
                return value;
        if (kind == METRIC_KIND_TIME)
                return value_of_times(part);
        value.has_value = true;
        value.value = part->sum;
        if (kind == METRIC_KIND_MEAN)
                value.value = llround((double)part->sum * 1000 / (double)part->n);
        if (kind == METRIC_KIND_SHARE) {
                struct score share = score_share(part->sum, part->n);
                say_score(&value, &share);
        }
        return value;
}
