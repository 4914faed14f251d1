/* SPDX-License-Identifier: Apache-2.0 */
/* Model: see model.h. A text is a vector of length one, features that no example has counted in; an answer's margin is
 * the product of that vector with the answer's weights, plus its bias. */
#include "model.h"

#include <openssl/sha.h>

#include "protocol/memory.h"

enum { NOBODY_TENTHS = 3 }; /* how much it matters that a text looks like nobody's */

static uint32_t slot_of(uint32_t key)
{
        return (key * 2654435761u) >> 7;
}

bool model_index(struct bot_ranker *model)
{
        uint32_t size = 16;

        while (size < 2 * model->features)
                size *= 2;
        model->slots = memory_zeroed(size, sizeof(model->slots[0]));
        if (!model->slots)
                return false;
        model->slot_mask = size - 1;
        for (uint32_t i = 0; i < model->features; i++) {
                uint32_t slot = slot_of(model->keys[i]) & model->slot_mask;
                while (model->slots[slot])
                        slot = (slot + 1) & model->slot_mask;
                model->slots[slot] = i + 1;
        }
        return true;
}

/* The feature's number + 1, or 0. */
static uint32_t find(const struct bot_ranker *model, uint32_t key)
{
        for (uint32_t slot = slot_of(key) & model->slot_mask; model->slots[slot]; slot = (slot + 1) & model->slot_mask)
                if (model->keys[model->slots[slot] - 1] == key)
                        return model->slots[slot];
        return 0;
}

static uint64_t root_of(uint64_t square)
{
        uint64_t root = 0;

        for (uint64_t bit = 1ull << 31; bit; bit >>= 1)
                if ((root + bit) * (root + bit) <= square)
                        root += bit;
        return root;
}

static void add_feature(const struct bot_ranker *model, uint32_t feature, int32_t x, int32_t *sums)
{
        for (uint32_t p = model->start[feature]; p < model->start[feature + 1]; p++)
                sums[model->posting_answers[p]] += x * model->posting_weights[p];
}

bool model_margins(const struct bot_ranker *model, const struct bot_features *features, int32_t *out_margins)
{
        uint32_t found[BOT_FEATURES], values[BOT_FEATURES];
        uint64_t square = 0;
        bool is_known = false;

        for (uint32_t i = 0; i < features->count; i++) {
                found[i] = find(model, features->at[i].key);
                uint16_t idf = found[i] ? model->idf[found[i] - 1] : model->idf_unknown;
                values[i] = (uint32_t)features->at[i].weight * idf;
                square += (uint64_t)values[i] * values[i];
                is_known |= found[i] != 0;
        }
        uint64_t length = root_of(square);
        memset(out_margins, 0, (model->answers + 1) * sizeof(out_margins[0]));
        for (uint32_t i = 0; i < features->count && length; i++)
                if (found[i])
                        add_feature(model, found[i] - 1, (int32_t)((uint64_t)values[i] * MODEL_X_ONE / length),
                                    out_margins);
        for (uint32_t a = 0; a <= model->answers; a++)
                out_margins[a] = model->bias[a] + (int32_t)((int64_t)out_margins[a] * model->scale[a] /
                                                            ((int64_t)MODEL_X_ONE * MODEL_SCALE_ONE / MODEL_ONE));
        return is_known;
}

static bool is_candidate(const struct bot_ranker *model, const uint8_t *allowed, uint32_t answer)
{
        return model->scale[answer] && (!allowed || (allowed[answer / 8] >> answer % 8 & 1));
}

size_t model_best(const struct bot_ranker *model, const int32_t *margins, const uint8_t *allowed,
                  struct bot_candidate *out, size_t room)
{
        size_t count = 0;

        for (uint32_t a = 0; a < model->answers; a++) {
                if (!is_candidate(model, allowed, a) || (count == room && margins[a] <= margins[out[count - 1].answer]))
                        continue;
                size_t at = count < room ? count++ : count - 1;
                for (; at > 0 && margins[out[at - 1].answer] < margins[a]; at--)
                        out[at] = out[at - 1];
                out[at] = (struct bot_candidate){.answer = a};
        }
        return count;
}

int32_t model_fit(const struct bot_ranker *model, const int32_t *margins, uint32_t answer)
{
        if (model->scale[model->answers] == 0)
                return margins[answer];
        return margins[answer] - (margins[model->answers] + MODEL_ONE) * NOBODY_TENTHS / 10;
}

uint16_t model_score(int32_t fit)
{
        int64_t score = ((int64_t)fit + MODEL_ONE) * (BOT_SCORE_ONE / 2) / MODEL_ONE;

        return (uint16_t)(score < 0 ? 0 : score >= BOT_SCORE_ONE ? BOT_SCORE_ONE - 1 : score);
}

/* What a candidate weighs beside the best one, in 1/65536. */
static uint32_t weight_beside(const struct bot_ranker *model, int32_t margin, int32_t best)
{
        return fixed_exp(((int64_t)best - margin) * model->calibration.sharpness / MODEL_ONE);
}

static uint64_t weights_beside(const struct bot_ranker *model, const int32_t *margins, const uint8_t *allowed,
                               int32_t best)
{
        uint64_t sum = 0;

        for (uint32_t a = 0; a < model->answers; a++)
                if (is_candidate(model, allowed, a))
                        sum += weight_beside(model, margins[a], best);
        return sum;
}

/* The first candidate against `others`, as log odds. */
static int32_t share_beside(uint64_t others)
{
        return -fixed_ln(others + 8);
}

int32_t model_share(const struct bot_ranker *model, const int32_t *margins, const uint8_t *allowed, int32_t best)
{
        return share_beside(weights_beside(model, margins, allowed, best) - 65536);
}

/* 1 / (1 + e^-odds), never certain. */
static uint16_t probability_of(int64_t odds)
{
        uint64_t less = fixed_exp(odds < 0 ? -odds : odds); /* of the unlikelier side */
        uint64_t part = (less << 16) / (65536 + less);

        part = odds < 0 ? part : 65536 - part;
        return (uint16_t)(part >= BOT_SCORE_ONE ? BOT_SCORE_ONE - 1 : part);
}

void model_judge(const struct bot_ranker *model, const int32_t *margins, const uint8_t *allowed,
                 struct bot_candidate *candidates, size_t count)
{
        const struct model_calibration *how = &model->calibration;

        if (count == 0)
                return;
        int32_t best = margins[candidates[0].answer], fit = model_fit(model, margins, candidates[0].answer);
        uint64_t others = weights_beside(model, margins, allowed, best) - 65536;
        uint16_t first = probability_of(
                how->offset + ((int64_t)how->by_share * share_beside(others) + (int64_t)how->by_fit * fit) / MODEL_ONE);
        for (size_t i = 0; i < count; i++) {
                int32_t margin = margins[candidates[i].answer];
                uint64_t rest = (uint64_t)(65536 - first) * weight_beside(model, margin, best) / (others + 8);
                candidates[i].score = model_score(model_fit(model, margins, candidates[i].answer));
                candidates[i].probability = i == 0 || rest > first ? first : (uint16_t)rest;
        }
}

uint64_t model_exact_key(const struct bot_text *text)
{
        char key[BOT_TEXT_KEY];
        uint8_t digest[SHA256_DIGEST_LENGTH];
        uint64_t value = 0;

        SHA256((const uint8_t *)key, bot_text_key(text, key), digest);
        for (int i = 0; i < 8; i++)
                value = value << 8 | digest[i];
        return value;
}
