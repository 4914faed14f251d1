/* SPDX-License-Identifier: Apache-2.0 */
/* Train: what the files of training share: the examples as rows of features, and a model made of some of them. Floating
 * point is used here, in a fixed order. One thread; memory is freed by the caller also after a failure. */
#pragma once

#include "model.h"

enum { TRAIN_FOLDS = 5, TRAIN_FEW_ROWS = 3000 /* beyond, not all folds are tried */ };

enum train_kind {
        TRAIN_POSITIVE,
        TRAIN_NEGATIVE,  /* not this answer's; nothing is known of the others */
        TRAIN_OFF_TOPIC, /* nobody's */
        TRAIN_CLAIMED,   /* an off-topic line that an answer's examples claim: nothing is learned of it */
};

/* The features of all examples and off-topic lines, row after row. */
struct train_rows {
        uint32_t count, answers;
        uint32_t room;
        uint32_t *start; /* of a row's features; count + 1 */
        uint32_t *keys;
        uint16_t *weights;
        uint32_t feature_room;
        uint16_t *answer; /* of a row */
        uint8_t *kind;    /* enum train_kind */
        uint8_t *fold;    /* within the answer in turn; of off-topic lines only two where there are many rows */
        uint64_t *exact;
        uint32_t *example; /* that a row was made of; nothing of off-topic lines */
};

int train_rows_make(const struct bot_example *examples, size_t count, enum bot_writing writing, struct span off_topic,
                    struct train_rows *out);
void train_rows_done(struct train_rows *rows);

/* A model of all rows but those of `fold_left_out` (-1: of all). `out` is empty before; model_done after, always. */
int train_model(const struct train_rows *rows, enum bot_writing writing, int fold_left_out, struct bot_ranker *out);
void model_done(struct bot_ranker *model);

/* The features of one row, as answering would see them. */
void train_row_features(const struct train_rows *rows, uint32_t row, struct bot_features *out);

/* e^x (0 far below zero), and ln x of x > 0: the same bits on every machine. */
double real_exp(double x);
double real_log(double x);

/* Cross-validates; fills what a model of these rows decides by (calibration, wishes, scores, floor; the rest of `out`
 * is as it was) and the report's shares. Off-topic lines that held-back models gave to an answer become TRAIN_CLAIMED.
 */
int train_calibrate(struct train_rows *rows, enum bot_writing writing, struct bot_ranker *out,
                    struct bot_train_report *report);

/* Rows as vectors of length one over the features of one model. */
struct train_matrix {
        uint32_t count, features;
        uint32_t *start;
        uint32_t *columns;
        float *values;
};

enum { SVM_LANES = 8 };

/* What a solver works in. */
struct svm_room {
        float *weights;  /* matrix->features * SVM_LANES; the result */
        float *alpha;    /* matrix->count * SVM_LANES, as the rest */
        int8_t *targets; /* 1 or -1; 0: the row does not count for that answer */
        uint8_t *is_shrunk;
        uint32_t *order; /* matrix->count */
};

/* SVM_LANES answers, each against all others: fills room->weights from room->targets, and the biases. */
void svm_train(const struct train_matrix *matrix, struct svm_room *room, double out_bias[SVM_LANES]);
