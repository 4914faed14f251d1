/* SPDX-License-Identifier: Apache-2.0 */
/* Reads lines "kind top c0 ... c10" and writes "n value low high" of each, "-" for what there is not; for scores.py. */
#include <inttypes.h>
#include <stdio.h>

#include "desk/reports/scores.h"

static void write_number(bool is_there, double value, char end)
{
        if (is_there)
                printf("%.12g%c", value, end);
        else
                printf("-%c", end);
}

int main(void)
{
        int kind, top;
        while (scanf("%d %d", &kind, &top) == 2) {
                int64_t counts[SCORE_HIGHEST + 1];
                for (int s = 0; s <= SCORE_HIGHEST; s++)
                        if (scanf("%" SCNd64, &counts[s]) != 1)
                                return 1;
                struct score score = score_of((enum score_kind)kind, top, counts);
                printf("%" PRId64 " ", score.n);
                write_number(score.has_value, score.value, ' ');
                write_number(score.has_interval, score.low, ' ');
                write_number(score.has_interval, score.high, '\n');
        }
        return 0;
}
