/* SPDX-License-Identifier: Apache-2.0 */
/* Calibrate: how sure is sure enough. Each fold of the examples and of the off-topic lines is asked of a model that has
 * not seen it; what comes out sets the sharpness of the shares, the probability of being right (logistic regression on
 * share and margin), the least probability for every wished precision, and the scores below which to stay silent. */
#include <math.h>
#include <stdlib.h>

#include "protocol/memory.h"
#include "train.h"

enum {
        FEW_ROWS = 3000, /* all folds up to here, two up to SOME_ROWS, one beyond */
        SOME_ROWS = 6000,
        CELLS_MOST = 24 << 20, /* margins kept */
        LEAST_ANSWERED = 12,   /* a precision measured on fewer answers says nothing */
        NEWTON_STEPS = 12,
};

static const double off_topic_share = 0.03;
static const double floor_share = 0.03;

/* One held-back row, asked. */
struct asked {
        int32_t margin, share; /* of the first candidate, MODEL_ONE */
        uint16_t probability, score;
        uint8_t place; /* of the right answer among the candidates, from 1; 0: not there, or off topic */
        bool is_off_topic;
};

struct trial {
        const struct train_rows *rows;
        struct bot_ranker *model;
        uint32_t answers;
        struct asked *asked;
        int32_t *margins; /* answers for each asked */
        uint32_t *row_of;
        uint32_t count, room;
        struct bot_features features;
};

static int folds_for(uint32_t rows)
{
        return rows <= FEW_ROWS ? TRAIN_FOLDS : rows <= SOME_ROWS ? 2 : 1;
}

/* ---- asking ---- */

static void ask_row(struct trial *trial, const struct bot_ranker *model, uint32_t row)
{
        const struct train_rows *rows = trial->rows;
        bool is_off_topic = rows->kind[row] == TRAIN_OFF_TOPIC;
        int32_t *margins = trial->margins + (size_t)trial->count * trial->answers;

        if (!is_off_topic && model->scale[rows->answer[row]] == 0)
                return; /* its only example: nobody could know */
        train_row_features(rows, row, &trial->features);
        model_margins(model, &trial->features, margins);
        for (uint32_t a = 0; a < trial->answers; a++)
                if (model->scale[a] == 0)
                        margins[a] = INT32_MIN / 4;
        trial->row_of[trial->count] = row;
        trial->asked[trial->count++].is_off_topic = is_off_topic;
}

static int ask_fold(struct trial *trial, int fold)
{
        struct bot_ranker model = {0};
        int rc = train_model(trial->rows, trial->model->writing, fold, &model);

        for (uint32_t row = 0; rc == 0 && row < trial->rows->count && trial->count < trial->room; row++)
                if (trial->rows->fold[row] == fold && trial->rows->kind[row] != TRAIN_NEGATIVE)
                        ask_row(trial, &model, row);
        model_done(&model);
        return rc;
}

/* ---- sharpness ---- */

/* How surprised shares of this sharpness are by the right answers; less is better. */
static double surprise(const struct trial *trial, double sharpness)
{
        double sum = 0;

        for (uint32_t i = 0; i < trial->count; i++) {
                const int32_t *margins = trial->margins + (size_t)i * trial->answers;
                if (trial->asked[i].is_off_topic)
                        continue;
                double own = margins[trial->rows->answer[trial->row_of[i]]], all = 0;
                for (uint32_t a = 0; a < trial->answers; a++)
                        all += exp(((double)margins[a] - own) * sharpness / MODEL_ONE);
                sum += log(all);
        }
        return sum;
}

static void set_sharpness(struct trial *trial)
{
        double best = HUGE_VAL;

        for (int step = 0; step < 12; step++) {
                double sharpness = 2.0 * pow(1.25, step), found = surprise(trial, sharpness);
                if (found < best) {
                        best = found;
                        trial->model->calibration.sharpness = (int32_t)lrint(sharpness * MODEL_ONE);
                }
        }
}

/* Looks at every asked row with the sharpness found. */
static void look(struct trial *trial)
{
        for (uint32_t i = 0; i < trial->count; i++) {
                const int32_t *margins = trial->margins + (size_t)i * trial->answers;
                struct bot_candidate found[BOT_RANKER_CHOICES];
                struct asked *asked = &trial->asked[i];
                size_t count = model_best(trial->model, margins, NULL, found, BOT_RANKER_CHOICES);
                asked->margin = margins[found[0].answer];
                asked->score = model_score(asked->margin);
                asked->share = model_share(trial->model, margins, NULL, asked->margin);
                for (size_t place = 0; place < count && !asked->is_off_topic; place++)
                        if (found[place].answer == trial->rows->answer[trial->row_of[i]])
                                asked->place = (uint8_t)(place + 1);
        }
}

/* ---- the probability of being right: logistic regression ---- */

enum { INPUTS = 3 };

/* What is believed before any example is seen, like `belief` examples: the plain share. */
static const double believed[INPUTS] = {0, 1, 0};
static const double belief = 2;

static void inputs_of(const struct asked *asked, double out[INPUTS])
{
        out[0] = 1;
        out[1] = (double)asked->share / MODEL_ONE;
        out[2] = (double)asked->margin / MODEL_ONE;
}

/* Solves the equations in place (they are positive definite by the belief). */
static void solve(double system[INPUTS][INPUTS + 1])
{
        for (int column = 0; column < INPUTS; column++)
                for (int row = 0; row < INPUTS; row++) {
                        double factor = row == column ? 0 : system[row][column] / system[column][column];
                        for (int i = column; i <= INPUTS; i++)
                                system[row][i] -= factor * system[column][i];
                }
}

static void add_equations(const struct asked *asked, const double *weights, double system[INPUTS][INPUTS + 1])
{
        double x[INPUTS], odds = 0;

        inputs_of(asked, x);
        for (int i = 0; i < INPUTS; i++)
                odds += weights[i] * x[i];
        double p = 1 / (1 + exp(-odds)), missing = (asked->place == 1) - p;
        for (int i = 0; i < INPUTS; i++) {
                for (int j = 0; j < INPUTS; j++)
                        system[i][j] += p * (1 - p) * x[i] * x[j];
                system[i][INPUTS] += missing * x[i];
        }
}

static void newton_step(const struct trial *trial, double *weights)
{
        double system[INPUTS][INPUTS + 1] = {{0}};

        for (int i = 0; i < INPUTS; i++) {
                system[i][i] = belief;
                system[i][INPUTS] = belief * (believed[i] - weights[i]);
        }
        for (uint32_t n = 0; n < trial->count; n++)
                if (!trial->asked[n].is_off_topic)
                        add_equations(&trial->asked[n], weights, system);
        solve(system);
        for (int i = 0; i < INPUTS; i++)
                weights[i] += fmax(-4, fmin(4, system[i][INPUTS] / system[i][i]));
}

static int32_t held(double value)
{
        return (int32_t)lrint(fmax(-60, fmin(60, value)) * MODEL_ONE);
}

static void set_probability(struct trial *trial)
{
        double weights[INPUTS];

        memcpy(weights, believed, sizeof(weights));
        for (int step = 0; step < NEWTON_STEPS; step++)
                newton_step(trial, weights);
        trial->model->calibration.offset = held(weights[0]);
        trial->model->calibration.by_share = held(weights[1]);
        trial->model->calibration.by_margin = held(weights[2]);
        for (uint32_t i = 0; i < trial->count; i++) {
                struct bot_candidate first;
                const int32_t *margins = trial->margins + (size_t)i * trial->answers;
                model_best(trial->model, margins, NULL, &first, 1);
                model_judge(trial->model, margins, NULL, &first, 1);
                trial->asked[i].probability = first.probability;
        }
}

/* ---- thresholds ---- */

static int by_probability(const void *a, const void *b)
{
        const struct asked *left = a, *right = b;

        if (left->probability != right->probability)
                return left->probability > right->probability ? -1 : 1;
        return left->score > right->score ? -1 : left->score < right->score;
}

static int by_score(const void *a, const void *b)
{
        return by_probability(&(struct asked){.probability = ((const struct asked *)a)->score},
                              &(struct asked){.probability = ((const struct asked *)b)->score});
}

static bool counts_for(const struct asked *asked, bool is_off_topic)
{
        return asked->is_off_topic == is_off_topic && (is_off_topic || asked->place);
}

/* The score that only `share` of the rows of that kind reach (of all rows whose answer was found, if not off topic). */
static uint16_t score_reached_by(struct trial *trial, bool is_off_topic, double share)
{
        uint32_t all = 0, passed = 0;

        qsort(trial->asked, trial->count, sizeof(trial->asked[0]), by_score);
        for (uint32_t i = 0; i < trial->count; i++)
                all += counts_for(&trial->asked[i], is_off_topic);
        for (uint32_t i = 0; i < trial->count; i++) {
                passed += counts_for(&trial->asked[i], is_off_topic);
                if (passed > share * all)
                        return trial->asked[i].score;
        }
        return 0;
}

/* Half a standard error is taken off: what was measured on few answers has to be better. */
static bool is_reached(uint32_t right, uint32_t answered, unsigned wish)
{
        double share = (double)right / answered;

        return share - 0.5 * sqrt(share * (1 - share) / answered) >= wish / 100.0;
}

/* The least probability at which at least `wish` hundredths of the answers are right. */
static uint16_t least_for(const struct trial *trial, unsigned wish)
{
        uint32_t answered = 0, right = 0;
        uint16_t least = BOT_SCORE_ONE;

        for (uint32_t i = 0; i < trial->count; i++) {
                const struct asked *asked = &trial->asked[i];
                if (asked->is_off_topic)
                        continue;
                answered++;
                right += asked->place == 1;
                bool is_last_of_equals = i + 1 == trial->count || asked[1].probability != asked->probability;
                if (is_last_of_equals && answered >= LEAST_ANSWERED && is_reached(right, answered, wish))
                        least = asked->probability;
        }
        return least;
}

static void set_thresholds(struct trial *trial)
{
        struct bot_ranker *model = trial->model;
        uint16_t line = score_reached_by(trial, true, off_topic_share);
        uint16_t middle = score_reached_by(trial, true, 0.5), low = score_reached_by(trial, false, 1 - floor_share);

        model->score_least = (uint16_t)(line + 1);
        model->floor = low > middle ? low : middle;
        if (model->floor > model->score_least)
                model->floor = model->score_least;
        qsort(trial->asked, trial->count, sizeof(trial->asked[0]), by_probability);
        for (unsigned i = 0; i < BOT_WISHES; i++)
                model->wishes[i] = least_for(trial, BOT_WISH_LEAST + 2 * i);
        for (unsigned i = 1; i < BOT_WISHES; i++) /* a higher wish is never easier */
                if (model->wishes[i] < model->wishes[i - 1])
                        model->wishes[i] = model->wishes[i - 1];
}

/* ---- the report ---- */

static uint16_t share_of(uint32_t part, uint32_t all)
{
        return (uint16_t)(all ? (uint64_t)part * BOT_SCORE_ONE / all : 0);
}

static void report_on(const struct trial *trial, struct bot_train_report *report)
{
        uint32_t first = 0, found = 0, kept = 0, off = 0, off_kept = 0, asked_count = 0;
        struct bot_thresholds usual = bot_ranker_thresholds(trial->model, BOT_WISH_USUAL);

        for (uint32_t i = 0; i < trial->count; i++) {
                const struct asked *asked = &trial->asked[i];
                bool is_lone = asked->probability >= usual.probability && asked->score >= usual.score;
                off += asked->is_off_topic;
                off_kept += asked->is_off_topic && is_lone;
                asked_count += !asked->is_off_topic;
                kept += !asked->is_off_topic && is_lone;
                first += asked->place == 1;
                found += asked->place != 0;
        }
        report->top1 = share_of(first, asked_count);
        report->top3 = share_of(found, asked_count);
        report->kept = share_of(kept, asked_count);
        report->off_topic = share_of(off_kept, off);
        for (unsigned i = 0; i < BOT_WISHES; i++)
                if (trial->model->wishes[i] < BOT_SCORE_ONE)
                        report->wish_most = (uint16_t)(BOT_WISH_LEAST + 2 * i);
}

static int run(struct trial *trial, struct bot_train_report *report)
{
        int folds = folds_for(trial->rows->count);

        for (int fold = 0; fold < folds; fold++) {
                int rc = ask_fold(trial, fold);
                if (rc < 0)
                        return rc;
        }
        set_sharpness(trial);
        look(trial);
        set_probability(trial);
        set_thresholds(trial);
        report_on(trial, report);
        return 0;
}

int train_calibrate(const struct train_rows *rows, struct bot_ranker *model, struct bot_train_report *report)
{
        struct trial *trial = memory_zeroed(1, sizeof(*trial));
        int rc = -BOT_RANKER_NO_MEMORY;

        if (!trial)
                return rc;
        trial->rows = rows;
        trial->model = model;
        trial->answers = rows->answers;
        trial->room = CELLS_MOST / rows->answers;
        if (trial->room > rows->count)
                trial->room = rows->count;
        trial->asked = memory_zeroed(trial->room + 1, sizeof(trial->asked[0]));
        trial->row_of = memory_zeroed(trial->room + 1, sizeof(trial->row_of[0]));
        trial->margins = memory_alloc(((size_t)trial->room + 1) * trial->answers * sizeof(trial->margins[0]));
        if (trial->asked && trial->row_of && trial->margins)
                rc = run(trial, report);
        memory_free(trial->asked);
        memory_free(trial->row_of);
        memory_free(trial->margins);
        memory_free(trial);
        return rc;
}
