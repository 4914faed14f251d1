/* SPDX-License-Identifier: Apache-2.0 */
/* Scores of surveys: from how often each score was given, the figure, how many it stands on, and where the true one
 * lies with 95 % confidence. Pure: no store, no clock. Any thread. docs/reports.md has the formulae in words. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define SCORE_HIGHEST 10

/* A figure in the unit of its score. With n = 0 there is none, which is not 0. */
struct score {
        int64_t n;
        bool has_value;
        double value;
        bool has_interval; /* of a mean: from two answers on */
        double low, high;
};

/* The numbers that come of a scale. */
enum score_kind {
        SCORE_SHARE, /* CSAT, CES: answers that are good, in percent, 0-100 */
        SCORE_MEAN,  /* the mean of the scores themselves */
        SCORE_NPS,   /* promoters less detractors, in percent, -100 to 100 */
};

/* `counts[s]`: how often score s was given, 0 <= s <= SCORE_HIGHEST; none is negative. `top`: the highest score of the
 * scale (1 thumbs, 3, 5, 7, 10). What a share counts as good: of 5 the two best, of 7 the three best (5, 6, 7: "made it
 * easy"), else the best. NPS: 9 and 10 against 0 to 6; 7 and 8 count in the base.
 *
 * Intervals: a share by Wilson's score (E. B. Wilson 1927, JASA 22, 209-212); a mean by mean +- z s / sqrt n with s^2
 * of n - 1, held within the scale (0 to `top`); NPS by the delta method, whose variance is (p + d - (p - d)^2) / n for
 * shares p of promoters and d of detractors, but where all answers lie in one of the three groups, which has no
 * variance: there what Wilson's interval of that group leaves, at worst all of the other side. */
struct score score_of(enum score_kind kind, int top, const int64_t counts[SCORE_HIGHEST + 1]);

/* A share of `all` with Wilson's interval, in percent. 0 <= hits <= all. */
struct score score_share(int64_t hits, int64_t all);

/* Wilson's interval of a share p of n > 0, as shares. */
void score_wilson(double p, double n, double *out_low, double *out_high);
