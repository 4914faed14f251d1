/* SPDX-License-Identifier: Apache-2.0 */
/* Model: what a ranker knows, and how it scores a text: integers only. Training fills one, a blob holds one. */
#pragma once

#include "bots/ranker.h"
#include "feature_set.h"

enum {
        MODEL_ONE = 4096,    /* a margin of 1 */
        MODEL_X_ONE = 16384, /* length of a text's vector */
        MODEL_IDF_ONE = 256, /* how telling a feature is, 1.0 */
        MODEL_WEIGHT_MOST = 127,
        MODEL_SCALE_ONE = 65536, /* an answer's scale, 1.0 */
};

/* How margins become the probability that the first candidate is right, as log odds: a straight line; all MODEL_ONE. */
struct model_calibration {
        int32_t sharpness; /* how fast the shares of the candidates fall with the margin */
        int32_t offset, by_share, by_fit;
};

struct bot_ranker {
        enum bot_writing writing;
        uint32_t answers, features, postings, exacts;

        uint32_t *keys;            /* of features, ascending */
        uint16_t *idf;             /* of features */
        uint32_t *start;           /* of a feature's postings; features + 1 */
        uint16_t *posting_answers; /* ascending within a feature; model->answers is nobody */
        int8_t *posting_weights;   /* times the answer's scale */

        /* Of answers, and after the last of nobody: what the off-topic lines look like. */
        int32_t *bias;   /* MODEL_ONE */
        uint32_t *scale; /* MODEL_SCALE_ONE; 0 = it has no examples and is never a candidate */
        uint16_t idf_unknown;

        uint64_t *exact_keys; /* ascending */
        uint16_t *exact_answers;

        struct model_calibration calibration;
        uint16_t wishes[BOT_WISHES]; /* least probability of a lone answer */
        uint16_t scores[BOT_WISHES]; /* least score of a lone answer */
        uint16_t floor;              /* least score of choices */

        uint32_t *slots; /* of features by key, + 1; 0 = free */
        uint32_t slot_mask;
};

/* Makes the slots of `keys`. False: out of memory. */
bool model_index(struct bot_ranker *model);

/* The margin of every answer and of nobody, MODEL_ONE; room for model->answers + 1. False when no feature of the text
 * is known. */
bool model_margins(const struct bot_ranker *model, const struct bot_features *features, int32_t *out_margins);

/* The best answers by margin, best first, equal ones by number; at most `room`. */
size_t model_best(const struct bot_ranker *model, const int32_t *margins, const uint8_t *allowed,
                  struct bot_candidate *out, size_t room);

/* An answer's margin, less where the text looks like nobody's; MODEL_ONE. */
int32_t model_fit(const struct bot_ranker *model, const int32_t *margins, uint32_t answer);

/* A fit from -1 to 1 as a score. */
uint16_t model_score(int32_t fit);

/* Fills score and probability of candidates that model_best found. */
void model_judge(const struct bot_ranker *model, const int32_t *margins, const uint8_t *allowed,
                 struct bot_candidate *candidates, size_t count);

/* The first candidate's share of all, as log odds, MODEL_ONE; `best` = its margin. */
int32_t model_share(const struct bot_ranker *model, const int32_t *margins, const uint8_t *allowed, int32_t best);

uint64_t model_exact_key(const struct bot_text *text);

/* e^(-x) in 1/65536, x >= 0 with MODEL_ONE; and ln(x / 65536) with MODEL_ONE, x > 0. */
uint32_t fixed_exp(int64_t x);
int32_t fixed_ln(uint64_t x);
