/* SPDX-License-Identifier: Apache-2.0 */
/* Svm: linear support vector machines with squared hinge loss, one an answer against all others, solved in the dual one
 * row at a time (Hsieh and others, 2008) with shrinking. SVM_LANES answers are solved side by side: a row is read once
 * for all of them, and what is done to the lanes is the same for each, so that a compiler may do it at once without
 * changing a bit. The order of the rows comes from a generator of its own: the same rows give the same weights. */
#include <math.h>

#include "train.h"

enum { ROUNDS = 40, MANY_ROWS = 3000, LANES = SVM_LANES };

static const float cost = 0.3f;          /* of a row that is no example of the answer */
static const float cost_positive = 3.0f; /* of one that is: there are far fewer */
static const float bias_feature = 2.0f;
static const float tolerance = 0.1f;
static const float tolerance_of_many = 0.2f; /* rows: it matters less and takes longer */

struct svm {
        const struct train_matrix *matrix;
        struct svm_room *room;
        float bias[LANES];
        float farthest[LANES], farthest_before[LANES]; /* how far from best a row was, in this round and the last */
        bool is_done[LANES];
        float tolerance;
};

static uint32_t next_number(uint64_t *state)
{
        *state = *state * 6364136223846793005ull + 1442695040888963407ull;
        return (uint32_t)(*state >> 33);
}

static void shuffle(uint32_t *order, uint32_t count, uint64_t *state)
{
        for (uint32_t i = count; i > 1; i--) {
                uint32_t other = next_number(state) % i, kept = order[i - 1];
                order[i - 1] = order[other];
                order[other] = kept;
        }
}

static void products(const struct svm *svm, uint32_t row, float *out)
{
        const struct train_matrix *matrix = svm->matrix;
        float sums[LANES] = {0};

        for (uint32_t i = matrix->start[row]; i < matrix->start[row + 1]; i++) {
                const float *weights = svm->room->weights + (size_t)matrix->columns[i] * LANES;
                float value = matrix->values[i];
                for (int lane = 0; lane < LANES; lane++)
                        sums[lane] += weights[lane] * value;
        }
        memcpy(out, sums, sizeof(sums));
}

static void add_row(struct svm *svm, uint32_t row, const float *steps)
{
        const struct train_matrix *matrix = svm->matrix;
        float mine[LANES];

        memcpy(mine, steps, sizeof(mine));
        for (uint32_t i = matrix->start[row]; i < matrix->start[row + 1]; i++) {
                float *weights = svm->room->weights + (size_t)matrix->columns[i] * LANES;
                float value = matrix->values[i];
                for (int lane = 0; lane < LANES; lane++)
                        weights[lane] += mine[lane] * value;
        }
}

/* Moves one lane's alpha to its best place; returns the step, 0: none. */
static float improve(struct svm *svm, size_t at, int lane, float product)
{
        float target = svm->room->targets[at], alpha = svm->room->alpha[at];
        float damping = 0.5f / (target > 0 ? cost_positive : cost);
        float gradient = target * (product + svm->bias[lane] * bias_feature) - 1 + damping * alpha;

        if (alpha <= 0 && gradient > 0) {
                svm->room->is_shrunk[at] = gradient > svm->farthest_before[lane];
                return 0;
        }
        if (fabsf(gradient) > svm->farthest[lane])
                svm->farthest[lane] = fabsf(gradient);
        float moved = alpha - gradient / (1 + bias_feature * bias_feature + damping);
        svm->room->alpha[at] = moved > 0 ? moved : 0;
        return (svm->room->alpha[at] - alpha) * target;
}

/* False: no lane wants to see the row again for now. */
static bool visit(struct svm *svm, uint32_t row)
{
        float product[LANES], steps[LANES] = {0};
        bool is_moved = false, is_wanted = false;

        products(svm, row, product);
        for (int lane = 0; lane < LANES; lane++) {
                size_t at = (size_t)row * LANES + (size_t)lane;
                if (svm->is_done[lane] || svm->room->is_shrunk[at])
                        continue;
                steps[lane] = improve(svm, at, lane, product[lane]);
                svm->bias[lane] += steps[lane] * bias_feature;
                is_moved |= steps[lane] < 0 || steps[lane] > 0;
                is_wanted |= !svm->room->is_shrunk[at];
        }
        if (is_moved)
                add_row(svm, row, steps);
        return is_wanted;
}

/* After a round: a lane whose rows were all near enough is done. True: all are. */
static bool close_round(struct svm *svm)
{
        bool is_over = true;

        for (int lane = 0; lane < LANES; lane++) {
                svm->is_done[lane] |= svm->farthest[lane] < svm->tolerance;
                is_over &= svm->is_done[lane];
                svm->farthest_before[lane] = svm->farthest[lane];
                svm->farthest[lane] = 0;
        }
        return is_over;
}

static uint32_t start(struct svm *svm)
{
        const struct train_matrix *matrix = svm->matrix;
        struct svm_room *room = svm->room;

        memset(room->weights, 0, (size_t)matrix->features * LANES * sizeof(room->weights[0]));
        for (size_t at = 0; at < (size_t)matrix->count * LANES; at++) {
                room->alpha[at] = 0;
                room->is_shrunk[at] = room->targets[at] == 0;
        }
        for (uint32_t row = 0; row < matrix->count; row++)
                room->order[row] = row;
        for (int lane = 0; lane < LANES; lane++)
                svm->farthest_before[lane] = HUGE_VALF;
        return matrix->count;
}

void svm_train(const struct train_matrix *matrix, struct svm_room *room, double out_bias[SVM_LANES])
{
        struct svm svm = {
                .matrix = matrix, .room = room, .tolerance = matrix->count < MANY_ROWS ? tolerance : tolerance_of_many};
        uint32_t active = start(&svm);
        uint64_t state = 20251123;

        for (int round = 0; round < ROUNDS && active; round++) {
                uint32_t kept = 0;
                shuffle(room->order, active, &state);
                for (uint32_t i = 0; i < active; i++)
                        if (visit(&svm, room->order[i]))
                                room->order[kept++] = room->order[i];
                active = kept;
                if (close_round(&svm))
                        break;
        }
        for (int lane = 0; lane < LANES; lane++)
                out_bias[lane] = (double)(svm.bias[lane] * bias_feature);
}
