/* SPDX-License-Identifier: Apache-2.0 */
/* Calibrate: how sure is sure enough. Each fold of the examples and of the off-topic lines is asked of a model that has
 * not seen it; what comes out sets the sharpness of the shares, the probability of being right (logistic regression on
 * share and fit) and the thresholds (thresholds.c). An off-topic line that such a model gives to an answer is claimed:
 * for this bot it is on topic. It still counts as off topic when the thresholds are set, to be careful, but the model
 * that is published does not learn that nobody answers it. */
#include "calibrate.h"

#include <math.h>

#include "protocol/memory.h"

enum {
        SOME_ROWS = 6000,      /* all folds up to TRAIN_FEW_ROWS, two up to here, one beyond */
        CELLS_MOST = 24 << 20, /* margins kept */
        NEWTON_STEPS = 12,
};

/* Questions without an answer that are expected beside those with one. */
static const double off_topic_part = 0.1;

struct trial {
        struct train_rows *rows;
        struct bot_ranker model; /* of all rows, as far as it is needed to judge margins */
        uint32_t answers;
        uint32_t lanes; /* answers, and nobody */
        struct calibrate_asked *asked;
        uint32_t off_topic; /* of these */
        int32_t *margins;   /* lanes for each asked */
        uint32_t *row_of;
        uint32_t count, room;
        struct bot_features features;
};

static int folds_for(uint32_t rows)
{
        return rows <= TRAIN_FEW_ROWS ? TRAIN_FOLDS : rows <= SOME_ROWS ? 2 : 1;
}

/* ---- asking ---- */

static void ask_row(struct trial *trial, const struct bot_ranker *model, uint32_t row)
{
        const struct train_rows *rows = trial->rows;
        bool is_off_topic = rows->kind[row] == TRAIN_OFF_TOPIC;
        int32_t *margins = trial->margins + (size_t)trial->count * trial->lanes;

        if (!is_off_topic && model->scale[rows->answer[row]] == 0)
                return; /* its only example: nobody could know */
        train_row_features(rows, row, &trial->features);
        model_margins(model, &trial->features, margins);
        for (uint32_t a = 0; a < trial->answers; a++)
                if (model->scale[a] == 0)
                        margins[a] = INT32_MIN / 4;
        trial->row_of[trial->count] = row;
        trial->asked[trial->count++].is_off_topic = is_off_topic;
        trial->off_topic += is_off_topic;
}

static int ask_fold(struct trial *trial, int fold)
{
        struct bot_ranker model = {0};
        int rc = train_model(trial->rows, trial->model.writing, fold, &model);

        for (uint32_t row = 0; rc == 0 && row < trial->rows->count && trial->count < trial->room; row++)
                if (trial->rows->fold[row] == fold && trial->rows->kind[row] != TRAIN_NEGATIVE)
                        ask_row(trial, &model, row);
        model_done(&model);
        return rc;
}

/* ---- what the answers claim ---- */

static void mark_claimed(struct trial *trial)
{
        for (uint32_t i = 0; i < trial->count; i++) {
                const int32_t *margins = trial->margins + (size_t)i * trial->lanes;
                int32_t best = INT32_MIN;
                for (uint32_t a = 0; a < trial->answers; a++)
                        best = margins[a] > best ? margins[a] : best;
                if (trial->asked[i].is_off_topic && best > 0 && best > margins[trial->answers])
                        trial->rows->kind[trial->row_of[i]] = TRAIN_CLAIMED;
        }
}

/* ---- sharpness ---- */

/* How surprised shares of this sharpness are by the right answers; less is better. */
static double surprise(const struct trial *trial, double sharpness)
{
        double sum = 0;

        for (uint32_t i = 0; i < trial->count; i++) {
                const int32_t *margins = trial->margins + (size_t)i * trial->lanes;
                if (trial->asked[i].is_off_topic)
                        continue;
                double own = margins[trial->rows->answer[trial->row_of[i]]], all = 0;
                for (uint32_t a = 0; a < trial->answers; a++)
                        all += real_exp(((double)margins[a] - own) * sharpness / MODEL_ONE);
                sum += real_log(all);
        }
        return sum;
}

static void set_sharpness(struct trial *trial)
{
        double best = HUGE_VAL, sharpness = 2;

        for (int step = 0; step < 12; step++, sharpness *= 1.25) {
                double found = surprise(trial, sharpness);
                if (found < best) {
                        best = found;
                        trial->model.calibration.sharpness = (int32_t)lrint(sharpness * MODEL_ONE);
                }
        }
}

/* Looks at every asked row with the sharpness found. */
static void look(struct trial *trial)
{
        for (uint32_t i = 0; i < trial->count; i++) {
                const int32_t *margins = trial->margins + (size_t)i * trial->lanes;
                struct bot_candidate found[BOT_RANKER_CHOICES];
                struct calibrate_asked *asked = &trial->asked[i];
                size_t count = model_best(&trial->model, margins, NULL, found, BOT_RANKER_CHOICES);
                asked->fit = model_fit(&trial->model, margins, found[0].answer);
                asked->score = model_score(asked->fit);
                asked->share = model_share(&trial->model, margins, NULL, margins[found[0].answer]);
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

static void inputs_of(const struct calibrate_asked *asked, double out[INPUTS])
{
        out[0] = 1;
        out[1] = (double)asked->share / MODEL_ONE;
        out[2] = (double)asked->fit / MODEL_ONE;
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

/* The asked row counts `much`. */
static void add_equations(const struct calibrate_asked *asked, double much, const double *weights,
                          double system[INPUTS][INPUTS + 1])
{
        double x[INPUTS], odds = 0;

        inputs_of(asked, x);
        for (int i = 0; i < INPUTS; i++)
                odds += weights[i] * x[i];
        double p = 1 / (1 + real_exp(-odds)), missing = (asked->place == 1) - p;
        for (int i = 0; i < INPUTS; i++) {
                for (int j = 0; j < INPUTS; j++)
                        system[i][j] += much * p * (1 - p) * x[i] * x[j];
                system[i][INPUTS] += much * missing * x[i];
        }
}

static void newton_step(const struct trial *trial, double *weights)
{
        double system[INPUTS][INPUTS + 1] = {{0}};
        double off_topic = trial->off_topic ? off_topic_part * (trial->count - trial->off_topic) / trial->off_topic : 0;

        for (int i = 0; i < INPUTS; i++) {
                system[i][i] = belief;
                system[i][INPUTS] = belief * (believed[i] - weights[i]);
        }
        for (uint32_t n = 0; n < trial->count; n++)
                add_equations(&trial->asked[n], trial->asked[n].is_off_topic ? off_topic : 1, weights, system);
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
        trial->model.calibration.offset = held(weights[0]);
        trial->model.calibration.by_share = held(weights[1]);
        trial->model.calibration.by_fit = held(weights[2]);
        for (uint32_t i = 0; i < trial->count; i++) {
                struct bot_candidate first;
                const int32_t *margins = trial->margins + (size_t)i * trial->lanes;
                model_best(&trial->model, margins, NULL, &first, 1);
                model_judge(&trial->model, margins, NULL, &first, 1);
                trial->asked[i].probability = first.probability;
        }
}

/* ---- the report ---- */

static uint16_t share_of(uint32_t part, uint32_t all)
{
        return (uint16_t)(all ? (uint64_t)part * BOT_SCORE_ONE / all : 0);
}

static void report_on(const struct trial *trial, struct bot_train_report *report)
{
        uint32_t first = 0, found = 0, kept = 0, off_kept = 0, asked_count = trial->count - trial->off_topic;
        struct bot_thresholds usual = bot_ranker_thresholds(&trial->model, BOT_WISH_USUAL);

        for (uint32_t i = 0; i < trial->count; i++) {
                const struct calibrate_asked *asked = &trial->asked[i];
                bool is_lone = asked->probability >= usual.probability && asked->score >= usual.score;
                off_kept += asked->is_off_topic && is_lone;
                kept += !asked->is_off_topic && is_lone;
                first += asked->place == 1;
                found += asked->place != 0;
        }
        report->top1 = share_of(first, asked_count);
        report->top3 = share_of(found, asked_count);
        report->kept = share_of(kept, asked_count);
        report->off_topic = share_of(off_kept, trial->off_topic);
        for (unsigned i = 0; i < BOT_WISHES; i++)
                if (trial->model.wishes[i] < BOT_SCORE_ONE)
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
        mark_claimed(trial);
        if (!calibrate_thresholds(trial->asked, trial->count, &trial->model))
                return -BOT_RANKER_NO_MEMORY;
        report_on(trial, report);
        return 0;
}

/* Which answers there are, and whether nobody is one. */
static bool make_frame(struct trial *trial, enum bot_writing writing)
{
        const struct train_rows *rows = trial->rows;
        struct bot_ranker *model = &trial->model;

        *model = (struct bot_ranker){.writing = writing, .answers = rows->answers};
        model->scale = memory_zeroed(rows->answers + 1u, sizeof(model->scale[0]));
        for (uint32_t row = 0; model->scale && row < rows->count; row++)
                if (rows->kind[row] != TRAIN_NEGATIVE)
                        model->scale[rows->kind[row] == TRAIN_POSITIVE ? rows->answer[row] : rows->answers] = 1;
        return model->scale != NULL;
}

static void hand_over(const struct bot_ranker *judged, struct bot_ranker *out)
{
        out->calibration = judged->calibration;
        memcpy(out->wishes, judged->wishes, sizeof(out->wishes));
        memcpy(out->scores, judged->scores, sizeof(out->scores));
        out->floor = judged->floor;
}

int train_calibrate(struct train_rows *rows, enum bot_writing writing, struct bot_ranker *out,
                    struct bot_train_report *report)
{
        struct trial *trial = memory_zeroed(1, sizeof(*trial));
        int rc = -BOT_RANKER_NO_MEMORY;

        if (!trial)
                return rc;
        trial->rows = rows;
        trial->answers = rows->answers;
        trial->lanes = rows->answers + 1;
        trial->room = CELLS_MOST / trial->lanes;
        if (trial->room > rows->count)
                trial->room = rows->count;
        trial->asked = memory_zeroed(trial->room + 1, sizeof(trial->asked[0]));
        trial->row_of = memory_zeroed(trial->room + 1, sizeof(trial->row_of[0]));
        trial->margins = memory_alloc(((size_t)trial->room + 1) * trial->lanes * sizeof(trial->margins[0]));
        if (make_frame(trial, writing) && trial->asked && trial->row_of && trial->margins)
                rc = run(trial, report);
        if (rc == 0)
                hand_over(&trial->model, out);
        model_done(&trial->model);
        memory_free(trial->asked);
        memory_free(trial->row_of);
        memory_free(trial->margins);
        memory_free(trial);
        return rc;
}
