/* SPDX-License-Identifier: Apache-2.0 */
/* Scores and their intervals: see scores.h. */
#include "desk/reports/scores.h"

#include <math.h>

#define Z95 1.959963984540054 /* of the normal distribution: 95 % lie within */

void score_wilson(double p, double n, double *out_low, double *out_high)
{
        double scale = 1 + Z95 * Z95 / n, middle = p + Z95 * Z95 / (2 * n);
        double half = Z95 * sqrt(p * (1 - p) / n + Z95 * Z95 / (4 * n * n));
        *out_low = fmax(0, (middle - half) / scale);
        *out_high = fmin(1, (middle + half) / scale);
}

struct score score_share(int64_t hits, int64_t all)
{
        struct score score = {.n = all};
        if (all <= 0)
                return score;
        double p = (double)hits / (double)all, low, high;
        score_wilson(p, (double)all, &low, &high);
        score.has_value = score.has_interval = true;
        score.value = 100 * p;
        score.low = 100 * low;
        score.high = 100 * high;
        return score;
}

static int64_t count_of(const int64_t *counts, int from, int to)
{
        int64_t sum = 0;
        for (int s = from; s <= to; s++)
                sum += counts[s];
        return sum;
}

static struct score mean_of(int top, const int64_t *counts)
{
        struct score score = {.n = count_of(counts, 0, top)};
        if (score.n == 0)
                return score;
        double n = (double)score.n, sum = 0, off = 0;
        for (int s = 0; s <= top; s++)
                sum += (double)counts[s] * s;
        score.has_value = true;
        score.value = sum / n;
        if (score.n < 2)
                return score;
        for (int s = 0; s <= top; s++)
                off += (double)counts[s] * (s - score.value) * (s - score.value);
        double half = Z95 * sqrt(off / (n - 1) / n);
        score.has_interval = true;
        score.low = fmax(0, score.value - half);
        score.high = fmin(top, score.value + half);
        return score;
}

/* All n answers lie in one group: `low` is the least share of it that is still likely. */
static void nps_of_one_group(struct score *score, bool promote, bool detract)
{
        double low, high;
        score_wilson(1, (double)score->n, &low, &high);
        score->low = promote ? 100 * (low - (1 - low)) : detract ? -100 : -100 * (1 - low);
        score->high = promote ? 100 : detract ? -100 * (low - (1 - low)) : 100 * (1 - low);
}

static struct score nps_of(const int64_t *counts)
{
        int64_t promoters = count_of(counts, 9, 10), detractors = count_of(counts, 0, 6);
        struct score score = {.n = count_of(counts, 0, 10)};
        if (score.n == 0)
                return score;
        double n = (double)score.n, p = (double)promoters / n, d = (double)detractors / n;
        double half = 100 * Z95 * sqrt(fmax(0, p + d - (p - d) * (p - d)) / n);
        score.has_value = score.has_interval = true;
        score.value = 100 * (p - d);
        score.low = fmax(-100, score.value - half);
        score.high = fmin(100, score.value + half);
        if (promoters == score.n || detractors == score.n || promoters + detractors == 0)
                nps_of_one_group(&score, promoters == score.n, detractors == score.n);
        return score;
}

struct score score_of(enum score_kind kind, int top, const int64_t counts[SCORE_HIGHEST + 1])
{
        int good_from = top == 5 ? 4 : top == 7 ? 5 : top;
        switch (kind) {
        case SCORE_SHARE:
                return score_share(count_of(counts, good_from, top), count_of(counts, 0, top));
        case SCORE_MEAN:
                return mean_of(top, counts);
        case SCORE_NPS:
                return nps_of(counts);
        }
        return (struct score){0};
}
