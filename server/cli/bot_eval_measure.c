/* SPDX-License-Identifier: Apache-2.0 */
/* Bot eval, its figures: from what was said to each line. */
#include <stdlib.h>

#include "cli/bot_eval.h"

const unsigned eval_wishes[EVAL_WISHES] = {80, 90, 95};

static const double nothing = -1;

static double part_of(size_t part, size_t all)
{
        return all ? (double)part / (double)all : nothing;
}

static bool is_right(const struct eval_line *line, const struct eval_said *said)
{
        return said->count && (int)said->best[0].answer == line->label;
}

static bool is_lone(const struct eval_said *said, struct bot_thresholds least)
{
        return said->count && said->best[0].probability >= least.probability && said->best[0].score >= least.score;
}

static void measure_places(const struct eval_lines *lines, const struct eval_said *said, size_t labels,
                           struct eval_figures *figures)
{
        size_t first = 0, found = 0, seen = 0;
        size_t *right = calloc(2 * labels + 2, sizeof(right[0])), *all = right + labels + 1;
        double sum = 0;

        for (size_t i = 0; right && i < lines->count; i++) {
                if (!said[i].is_known)
                        continue;
                all[lines->at[i].label]++;
                right[lines->at[i].label] += is_right(&lines->at[i], &said[i]);
                first += is_right(&lines->at[i], &said[i]);
                for (size_t place = 0; place < said[i].count; place++)
                        found += (int)said[i].best[place].answer == lines->at[i].label;
                figures->asked++;
        }
        for (size_t label = 0; right && label < labels; label++)
                if (all[label]) {
                        sum += (double)right[label] / (double)all[label];
                        seen++;
                }
        figures->off_topic = lines->count - figures->asked;
        figures->top1 = part_of(first, figures->asked);
        figures->top3 = part_of(found, figures->asked);
        figures->macro = seen ? sum / (double)seen : nothing;
        free(right);
}

/* ---- by probability ---- */

struct sure {
        uint16_t probability, score;
        bool is_right;
};

static int surest_first(const void *a, const void *b)
{
        return (int)((const struct sure *)b)->probability - (int)((const struct sure *)a)->probability;
}

static int best_first(const void *a, const void *b)
{
        return (int)((const struct sure *)b)->score - (int)((const struct sure *)a)->score;
}

static size_t list_known(const struct eval_lines *lines, const struct eval_said *said, struct sure *out)
{
        size_t count = 0;

        for (size_t i = 0; i < lines->count; i++)
                if (said[i].is_known)
                        out[count++] = (struct sure){said[i].count ? said[i].best[0].probability : 0,
                                                     said[i].count ? said[i].best[0].score : 0,
                                                     is_right(&lines->at[i], &said[i])};
        return count;
}

static void measure_coverage(struct sure *sure, size_t count, struct eval_figures *figures)
{
        static const double coverages[3] = {0.5, 0.7, 0.9};

        qsort(sure, count, sizeof(sure[0]), surest_first);
        for (int c = 0; c < 3; c++) {
                size_t kept = (size_t)(coverages[c] * (double)count + 0.5), right = 0;
                for (size_t i = 0; i < kept; i++)
                        right += sure[i].is_right;
                figures->precision_at[c] = part_of(right, kept);
        }
}

/* How far down the surest lines one could go and still be right as often as wished; `sure` is surest first. */
static void measure_possible(const struct sure *sure, size_t count, struct eval_figures *figures)
{
        size_t right = 0, most[EVAL_WISHES] = {0};

        for (size_t i = 0; i < count; i++) {
                right += sure[i].is_right;
                bool is_last_of_equals = i + 1 == count || sure[i + 1].probability != sure[i].probability;
                for (int w = 0; w < EVAL_WISHES && is_last_of_equals; w++)
                        if (100 * right >= eval_wishes[w] * (i + 1))
                                most[w] = i + 1;
        }
        for (int w = 0; w < EVAL_WISHES; w++)
                figures->possible[w] = part_of(most[w], count);
}

static void measure_refusal(const struct eval_lines *lines, const struct eval_said *said, struct sure *sure,
                            size_t count, struct eval_figures *figures)
{
        size_t refused = 0;

        qsort(sure, count, sizeof(sure[0]), best_first);
        uint16_t line = count ? sure[(count * 9 + 9) / 10 - 1].score : 0;
        for (size_t i = 0; i < lines->count; i++)
                refused += !said[i].is_known && (said[i].count == 0 || said[i].best[0].score < line);
        figures->refused = part_of(refused, figures->off_topic);
}

static void measure_wish(const struct eval_lines *lines, const struct eval_said *said, const struct bot_ranker *ranker,
                         int which, struct eval_figures *figures)
{
        struct bot_thresholds least = bot_ranker_thresholds(ranker, eval_wishes[which]);
        size_t answered = 0, right = 0, off_answered = 0;

        for (size_t i = 0; i < lines->count; i++) {
                bool is_answered = is_lone(&said[i], least);
                answered += is_answered && said[i].is_known;
                right += is_answered && said[i].is_known && is_right(&lines->at[i], &said[i]);
                off_answered += is_answered && !said[i].is_known;
        }
        figures->got[which] = part_of(right, answered);
        figures->coverage[which] = part_of(answered, figures->asked);
        figures->off_lone[which] = part_of(off_answered, figures->off_topic);
}

static void measure_decisions(const struct eval_lines *lines, const struct eval_said *said,
                              struct eval_figures *figures)
{
        size_t counts[BOT_LONE + 1] = {0};

        for (size_t i = 0; i < lines->count; i++)
                if (said[i].is_known)
                        counts[said[i].decision]++;
        figures->lone = part_of(counts[BOT_LONE], figures->asked);
        figures->choices = part_of(counts[BOT_CHOICES], figures->asked);
        figures->miss = part_of(counts[BOT_MISS], figures->asked);
}

void eval_measure(const struct eval_lines *lines, const struct eval_said *said, const struct bot_ranker *ranker,
                  size_t labels, struct eval_figures *figures)
{
        struct sure *sure = calloc(lines->count + 1, sizeof(sure[0]));

        measure_places(lines, said, labels, figures);
        for (int which = 0; which < EVAL_WISHES; which++)
                measure_wish(lines, said, ranker, which, figures);
        measure_decisions(lines, said, figures);
        if (sure) {
                size_t count = list_known(lines, said, sure);
                measure_coverage(sure, count, figures);
                measure_possible(sure, count, figures);
                measure_refusal(lines, said, sure, count, figures);
        }
        free(sure);
}
