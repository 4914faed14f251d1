/* SPDX-License-Identifier: Apache-2.0 */
/* Train: makes a model of rows: vocabulary, how telling each feature is, and for each answer the weights of a support
 * vector machine plus a part of the answer's mean vector, cut to eight bits. The off-topic lines are learned too, as
 * the examples of nobody, an answer after the last. */
#include "train.h"

#include <math.h>
#include <stdlib.h>

#include "protocol/memory.h"

static const double mean_part = 0.5;
static const double idf_power = 0.7;
enum { WEIGHT_LEAST = 1 };

struct maker {
        const struct train_rows *rows;
        int left_out;
        struct bot_ranker *model;
        struct train_matrix matrix;
        uint32_t *row_of;  /* matrix row -> row of the rows */
        uint32_t *sorted;  /* feature in order of appearance -> by key */
        uint32_t *seen_in; /* rows that have a feature */
        uint16_t *idf;
        uint32_t *slots;
        uint32_t slot_mask;
        uint32_t *keys; /* in order of appearance */
        struct svm_room room;
        double *weights, *mean; /* of one answer */
        struct posting {
                uint32_t feature;
                uint16_t answer;
                int8_t weight;
        } * postings;
        uint32_t posting_count, posting_room;
};

static bool is_in(const struct maker *maker, uint32_t row)
{
        return maker->rows->kind[row] != TRAIN_CLAIMED &&
               (maker->left_out < 0 || maker->rows->fold[row] != maker->left_out);
}

/* ---- the matrix ---- */

static uint32_t number_of(struct maker *maker, uint32_t key)
{
        uint32_t slot = (key * 2654435761u >> 7) & maker->slot_mask;

        for (; maker->slots[slot]; slot = (slot + 1) & maker->slot_mask)
                if (maker->keys[maker->slots[slot] - 1] == key)
                        return maker->slots[slot] - 1;
        maker->keys[maker->matrix.features] = key;
        maker->slots[slot] = ++maker->matrix.features;
        return maker->matrix.features - 1;
}

static bool make_matrix_room(struct maker *maker)
{
        const struct train_rows *rows = maker->rows;
        struct train_matrix *matrix = &maker->matrix;
        uint32_t cells = rows->start[rows->count] + 1, size = 16;

        while (size < 2 * cells)
                size *= 2;
        maker->slot_mask = size - 1;
        maker->slots = memory_zeroed(size, sizeof(maker->slots[0]));
        maker->keys = memory_alloc(cells * sizeof(maker->keys[0]));
        maker->seen_in = memory_zeroed(cells, sizeof(maker->seen_in[0]));
        maker->idf = memory_alloc(cells * sizeof(maker->idf[0]));
        maker->row_of = memory_alloc((rows->count + 1) * sizeof(maker->row_of[0]));
        matrix->start = memory_zeroed(rows->count + 1, sizeof(matrix->start[0]));
        matrix->columns = memory_alloc(cells * sizeof(matrix->columns[0]));
        matrix->values = memory_alloc(cells * sizeof(matrix->values[0]));
        return maker->slots && maker->keys && maker->seen_in && maker->idf && maker->row_of && matrix->start &&
               matrix->columns && matrix->values;
}

static void number_features(struct maker *maker)
{
        const struct train_rows *rows = maker->rows;
        struct train_matrix *matrix = &maker->matrix;
        uint32_t cells = 0;

        for (uint32_t row = 0; row < rows->count; row++) {
                if (!is_in(maker, row))
                        continue;
                for (uint32_t i = rows->start[row]; i < rows->start[row + 1]; i++) {
                        matrix->columns[cells] = number_of(maker, rows->keys[i]);
                        matrix->values[cells] = rows->weights[i];
                        maker->seen_in[matrix->columns[cells++]]++;
                }
                maker->row_of[matrix->count++] = row;
                matrix->start[matrix->count] = cells;
        }
}

static uint16_t idf_of(uint32_t rows, uint32_t seen_in)
{
        double idf = real_exp(idf_power * real_log(real_log((1.0 + rows) / (1.0 + seen_in)) + 1.0));

        return (uint16_t)(idf * MODEL_IDF_ONE + 0.5);
}

static void scale_rows(struct maker *maker)
{
        struct train_matrix *matrix = &maker->matrix;

        for (uint32_t i = 0; i < matrix->features; i++)
                maker->idf[i] = idf_of(matrix->count, maker->seen_in[i]);
        for (uint32_t row = 0; row < matrix->count; row++) {
                double square = 0;
                for (uint32_t i = matrix->start[row]; i < matrix->start[row + 1]; i++) {
                        matrix->values[i] *= (float)maker->idf[matrix->columns[i]];
                        square += (double)matrix->values[i] * (double)matrix->values[i];
                }
                for (uint32_t i = matrix->start[row]; i < matrix->start[row + 1]; i++)
                        matrix->values[i] = (float)((double)matrix->values[i] / sqrt(square));
        }
}

/* ---- the vocabulary, by key ---- */

struct named {
        uint32_t key, feature;
};

static int compare_named(const void *a, const void *b)
{
        uint32_t left = ((const struct named *)a)->key, right = ((const struct named *)b)->key;

        return left < right ? -1 : left > right;
}

static bool make_vocabulary(struct maker *maker)
{
        struct bot_ranker *model = maker->model;
        uint32_t count = maker->matrix.features;
        struct named *named = memory_alloc((count + 1) * sizeof(named[0]));

        model->features = count;
        model->keys = memory_alloc((count + 1) * sizeof(model->keys[0]));
        model->idf = memory_alloc((count + 1) * sizeof(model->idf[0]));
        maker->sorted = memory_alloc((count + 1) * sizeof(maker->sorted[0]));
        bool is_made = named && model->keys && model->idf && maker->sorted;
        for (uint32_t i = 0; is_made && i < count; i++)
                named[i] = (struct named){maker->keys[i], i};
        if (is_made)
                qsort(named, count, sizeof(named[0]), compare_named);
        for (uint32_t i = 0; is_made && i < count; i++) {
                model->keys[i] = named[i].key;
                model->idf[i] = maker->idf[named[i].feature];
                maker->sorted[named[i].feature] = i;
        }
        model->idf_unknown = idf_of(maker->matrix.count, 0);
        memory_free(named);
        return is_made;
}

/* ---- an answer's weights ---- */

/* Nobody, the answer after the last, has the off-topic lines. */
static int8_t target_of(const struct train_rows *rows, uint32_t row, uint32_t answer)
{
        bool is_nobody = answer == rows->answers;

        switch ((enum train_kind)rows->kind[row]) {
        case TRAIN_CLAIMED: /* not in the matrix */
                return 0;
        case TRAIN_OFF_TOPIC:
                return is_nobody ? 1 : -1;
        case TRAIN_NEGATIVE:
                return !is_nobody && rows->answer[row] == answer ? -1 : 0;
        default:
                return rows->answer[row] == answer ? 1 : -1;
        }
}

/* Returns how many examples the answer has. */
static uint32_t set_targets(struct maker *maker, uint32_t answer, uint32_t lane)
{
        uint32_t positives = 0;

        for (uint32_t i = 0; i < maker->matrix.count; i++) {
                int8_t *target = &maker->room.targets[(size_t)i * SVM_LANES + lane];
                *target = target_of(maker->rows, maker->row_of[i], answer);
                positives += *target == 1;
        }
        return positives;
}

/* Adds the mean of the answer's own rows, brought to length mean_part. */
static void add_mean(struct maker *maker, uint32_t lane)
{
        const struct train_matrix *matrix = &maker->matrix;
        double square = 0;

        memset(maker->mean, 0, matrix->features * sizeof(maker->mean[0]));
        for (uint32_t row = 0; row < matrix->count; row++)
                for (uint32_t i = matrix->start[row];
                     maker->room.targets[(size_t)row * SVM_LANES + lane] == 1 && i < matrix->start[row + 1]; i++)
                        maker->mean[matrix->columns[i]] += (double)matrix->values[i];
        for (uint32_t i = 0; i < matrix->features; i++)
                square += maker->mean[i] * maker->mean[i];
        for (uint32_t i = 0; square > 0 && i < matrix->features; i++)
                maker->weights[i] += mean_part * maker->mean[i] / sqrt(square);
}

static bool keep_posting(struct maker *maker, struct posting posting)
{
        if (maker->posting_count == maker->posting_room) {
                uint32_t room = 2 * maker->posting_room + 65536;
                struct posting *grown = memory_resize(maker->postings, room * sizeof(grown[0]));
                if (!grown)
                        return false;
                maker->postings = grown;
                maker->posting_room = room;
        }
        maker->postings[maker->posting_count++] = posting;
        return true;
}

/* Cuts the weights to eight bits with a scale of the answer's own. */
static bool keep_weights(struct maker *maker, uint32_t answer)
{
        double most = 1e-6;

        for (uint32_t i = 0; i < maker->matrix.features; i++)
                most = fmax(most, fabs(maker->weights[i]));
        for (uint32_t i = 0; i < maker->matrix.features; i++) {
                int weight = (int)lrint(maker->weights[i] / most * MODEL_WEIGHT_MOST);
                if (abs(weight) >= WEIGHT_LEAST &&
                    !keep_posting(maker, (struct posting){maker->sorted[i], (uint16_t)answer, (int8_t)weight}))
                        return false;
        }
        maker->model->scale[answer] = (uint32_t)lrint(most / MODEL_WEIGHT_MOST * MODEL_SCALE_ONE) + 1;
        return true;
}

static bool make_answer_room(struct maker *maker)
{
        struct bot_ranker *model = maker->model;
        struct svm_room *room = &maker->room;
        size_t rows = maker->matrix.count + 1u, features = maker->matrix.features + 1u;

        model->answers = maker->rows->answers;
        model->bias = memory_zeroed(model->answers + 1u, sizeof(model->bias[0]));
        model->scale = memory_zeroed(model->answers + 1u, sizeof(model->scale[0]));
        room->weights = memory_alloc(features * SVM_LANES * sizeof(room->weights[0]));
        room->alpha = memory_alloc(rows * SVM_LANES * sizeof(room->alpha[0]));
        room->targets = memory_alloc(rows * SVM_LANES);
        room->is_shrunk = memory_alloc(rows * SVM_LANES);
        room->order = memory_alloc(rows * sizeof(room->order[0]));
        maker->weights = memory_alloc(features * sizeof(double));
        maker->mean = memory_alloc(features * sizeof(double));
        return model->bias && model->scale && room->weights && room->alpha && room->targets && room->is_shrunk &&
               room->order && maker->weights && maker->mean;
}

/* The answers from `first` on, as many as there are lanes. */
static bool make_lanes(struct maker *maker, uint32_t first)
{
        uint32_t examples[SVM_LANES];
        double bias[SVM_LANES];

        for (uint32_t lane = 0; lane < SVM_LANES; lane++)
                examples[lane] = set_targets(maker, first + lane, lane);
        svm_train(&maker->matrix, &maker->room, bias);
        for (uint32_t lane = 0; lane < SVM_LANES; lane++) {
                if (examples[lane] == 0)
                        continue;
                for (uint32_t i = 0; i < maker->matrix.features; i++)
                        maker->weights[i] = (double)maker->room.weights[(size_t)i * SVM_LANES + lane];
                add_mean(maker, lane);
                if (!keep_weights(maker, first + lane))
                        return false;
                maker->model->bias[first + lane] = (int32_t)lrint(bias[lane] * MODEL_ONE);
        }
        return true;
}

static bool make_answers(struct maker *maker)
{
        bool is_made = make_answer_room(maker);

        for (uint32_t first = 0; is_made && first <= maker->model->answers; first += SVM_LANES)
                is_made = make_lanes(maker, first);
        return is_made;
}

/* From answer by answer to feature by feature; within a feature the answers stay in order. */
static bool turn_postings(struct maker *maker)
{
        struct bot_ranker *model = maker->model;

        model->postings = maker->posting_count;
        model->start = memory_zeroed(model->features + 2, sizeof(model->start[0]));
        model->posting_answers = memory_alloc((model->postings + 1) * sizeof(model->posting_answers[0]));
        model->posting_weights = memory_alloc(model->postings + 1);
        if (!model->start || !model->posting_answers || !model->posting_weights)
                return false;
        for (uint32_t i = 0; i < model->postings; i++)
                model->start[maker->postings[i].feature + 2]++;
        for (uint32_t i = 2; i < model->features + 2; i++)
                model->start[i] += model->start[i - 1];
        for (uint32_t i = 0; i < model->postings; i++) {
                uint32_t at = model->start[maker->postings[i].feature + 1]++;
                model->posting_answers[at] = maker->postings[i].answer;
                model->posting_weights[at] = maker->postings[i].weight;
        }
        return true;
}

static void maker_done(struct maker *maker)
{
        memory_free(maker->matrix.start);
        memory_free(maker->matrix.columns);
        memory_free(maker->matrix.values);
        memory_free(maker->row_of);
        memory_free(maker->sorted);
        memory_free(maker->seen_in);
        memory_free(maker->idf);
        memory_free(maker->slots);
        memory_free(maker->keys);
        memory_free(maker->room.weights);
        memory_free(maker->room.alpha);
        memory_free(maker->room.targets);
        memory_free(maker->room.is_shrunk);
        memory_free(maker->room.order);
        memory_free(maker->weights);
        memory_free(maker->mean);
        memory_free(maker->postings);
}

int train_model(const struct train_rows *rows, enum bot_writing writing, int fold_left_out, struct bot_ranker *out)
{
        struct maker maker = {.rows = rows, .left_out = fold_left_out, .model = out};
        bool is_made = make_matrix_room(&maker);

        out->writing = writing;
        if (is_made) {
                number_features(&maker);
                scale_rows(&maker);
        }
        is_made =
                is_made && make_vocabulary(&maker) && make_answers(&maker) && turn_postings(&maker) && model_index(out);
        maker_done(&maker);
        return is_made ? 0 : -BOT_RANKER_NO_MEMORY;
}

void model_done(struct bot_ranker *model)
{
        memory_free(model->keys);
        memory_free(model->idf);
        memory_free(model->start);
        memory_free(model->posting_answers);
        memory_free(model->posting_weights);
        memory_free(model->bias);
        memory_free(model->scale);
        memory_free(model->exact_keys);
        memory_free(model->exact_answers);
        memory_free(model->slots);
        *model = (struct bot_ranker){0};
}
