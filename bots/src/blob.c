/* SPDX-License-Identifier: Apache-2.0 */
/* Blob: see blob.h. Everything an answer is made of is checked on the way in: order of keys and postings, bounds of
 * every number, so that answering needs no check. */
#include "blob.h"

#include <openssl/sha.h>

#include "protocol/memory.h"

enum {
        MAGIC = 0x6b526244,
        HEAD_WORDS = 13,
        FEATURES_MOST = 4 << 20,
        SCALE_MOST = 1 << 20,
        BIAS_MOST = 1 << 24,
        FACTOR_MOST = 64 * MODEL_ONE
};

/* ---- writing ---- */

static void put(struct writer *out, uint64_t value, size_t bytes)
{
        char text[8];

        for (size_t i = 0; i < bytes; i++)
                text[i] = (char)(value >> 8 * i & 0xff);
        writer_raw(out, (struct span){text, bytes});
}

static void put_head(const struct bot_ranker *model, struct writer *out)
{
        const uint32_t head[HEAD_WORDS] = {MAGIC,
                                           BOT_RANKER_RECIPE,
                                           model->writing,
                                           model->answers,
                                           model->features,
                                           model->postings,
                                           model->exacts,
                                           model->idf_unknown,
                                           (uint32_t)model->calibration.sharpness,
                                           (uint32_t)model->calibration.offset,
                                           (uint32_t)model->calibration.by_share,
                                           (uint32_t)model->calibration.by_fit,
                                           model->floor};

        for (size_t i = 0; i < HEAD_WORDS; i++)
                put(out, head[i], 4);
        for (size_t i = 0; i < BOT_WISHES; i++) {
                put(out, model->wishes[i], 2);
                put(out, model->scores[i], 2);
        }
}

void blob_write(const struct bot_ranker *model, struct writer *out)
{
        size_t first = out->len;
        uint8_t digest[SHA256_DIGEST_LENGTH];

        put_head(model, out);
        for (uint32_t a = 0; a <= model->answers; a++) {
                put(out, (uint32_t)model->bias[a], 4);
                put(out, model->scale[a], 4);
        }
        for (uint32_t i = 0; i < model->features; i++) {
                put(out, model->keys[i], 4);
                put(out, model->idf[i], 2);
                put(out, model->start[i + 1] - model->start[i], 2);
        }
        for (uint32_t i = 0; i < model->postings; i++)
                put(out, model->posting_answers[i], 2);
        if (model->postings)
                writer_raw(out, (struct span){(const char *)model->posting_weights, model->postings});
        for (uint32_t i = 0; i < model->exacts; i++) {
                put(out, model->exact_keys[i], 8);
                put(out, model->exact_answers[i], 2);
        }
        if (out->failed)
                return;
        SHA256((const uint8_t *)out->bytes + first, out->len - first, digest);
        writer_raw(out, (struct span){(const char *)digest, sizeof(digest)});
}

/* ---- reading ---- */

struct cursor {
        const uint8_t *at;
        size_t left;
};

static uint64_t take(struct cursor *cursor, size_t bytes)
{
        uint64_t value = 0;

        for (size_t i = 0; i < bytes; i++)
                value |= (uint64_t)cursor->at[i] << 8 * i;
        cursor->at += bytes;
        cursor->left -= bytes;
        return value;
}

static bool is_within(int32_t value, int32_t most)
{
        return value >= -most && value <= most;
}

static bool is_head_sound(const struct bot_ranker *model)
{
        const struct model_calibration *how = &model->calibration;

        return model->writing < BOT_WRITINGS && model->answers > 0 && model->answers <= BOT_RANKER_ANSWERS &&
               model->features <= FEATURES_MOST && model->postings <= BOT_RANKER_BLOB &&
               model->exacts <= BOT_RANKER_EXAMPLES && how->sharpness >= 0 && how->sharpness <= 64 * MODEL_ONE &&
               is_within(how->offset, FACTOR_MOST) && is_within(how->by_share, FACTOR_MOST) &&
               is_within(how->by_fit, FACTOR_MOST);
}

/* The head, and that exactly what it announces follows. */
static int take_head(struct cursor *cursor, struct bot_ranker *model)
{
        if (cursor->left < 4 * HEAD_WORDS + 4 * BOT_WISHES || take(cursor, 4) != MAGIC)
                return -BOT_RANKER_DAMAGED;
        if (take(cursor, 4) != BOT_RANKER_RECIPE)
                return -BOT_RANKER_OTHER_RECIPE;
        model->writing = (enum bot_writing)take(cursor, 4);
        model->answers = (uint32_t)take(cursor, 4);
        model->features = (uint32_t)take(cursor, 4);
        model->postings = (uint32_t)take(cursor, 4);
        model->exacts = (uint32_t)take(cursor, 4);
        model->idf_unknown = (uint16_t)take(cursor, 4);
        model->calibration.sharpness = (int32_t)take(cursor, 4);
        model->calibration.offset = (int32_t)take(cursor, 4);
        model->calibration.by_share = (int32_t)take(cursor, 4);
        model->calibration.by_fit = (int32_t)take(cursor, 4);
        model->floor = (uint16_t)take(cursor, 4);
        for (size_t i = 0; i < BOT_WISHES; i++) {
                model->wishes[i] = (uint16_t)take(cursor, 2);
                model->scores[i] = (uint16_t)take(cursor, 2);
        }
        if (!is_head_sound(model) || cursor->left != 8ull * (model->answers + 1) + 8ull * model->features +
                                                             3ull * model->postings + 10ull * model->exacts)
                return -BOT_RANKER_DAMAGED;
        return 0;
}

static bool make_room(struct bot_ranker *model)
{
        model->bias = memory_alloc((model->answers + 1) * sizeof(model->bias[0]));
        model->scale = memory_alloc((model->answers + 1) * sizeof(model->scale[0]));
        model->keys = memory_alloc((model->features + 1) * sizeof(model->keys[0]));
        model->idf = memory_alloc((model->features + 1) * sizeof(model->idf[0]));
        model->start = memory_alloc((model->features + 1) * sizeof(model->start[0]));
        model->posting_answers = memory_alloc((model->postings + 1) * sizeof(model->posting_answers[0]));
        model->posting_weights = memory_alloc(model->postings + 1);
        model->exact_keys = memory_alloc((model->exacts + 1) * sizeof(model->exact_keys[0]));
        model->exact_answers = memory_alloc((model->exacts + 1) * sizeof(model->exact_answers[0]));
        return model->bias && model->scale && model->keys && model->idf && model->start && model->posting_answers &&
               model->posting_weights && model->exact_keys && model->exact_answers;
}

static bool take_answers(struct cursor *cursor, struct bot_ranker *model)
{
        for (uint32_t a = 0; a <= model->answers; a++) {
                model->bias[a] = (int32_t)take(cursor, 4);
                model->scale[a] = (uint32_t)take(cursor, 4);
                if (!is_within(model->bias[a], BIAS_MOST) || model->scale[a] > SCALE_MOST)
                        return false;
        }
        return true;
}

static bool take_features(struct cursor *cursor, struct bot_ranker *model)
{
        uint64_t end = 0;

        model->start[0] = 0;
        for (uint32_t i = 0; i < model->features; i++) {
                model->keys[i] = (uint32_t)take(cursor, 4);
                model->idf[i] = (uint16_t)take(cursor, 2);
                end += take(cursor, 2);
                if ((i && model->keys[i] <= model->keys[i - 1]) || end > model->postings)
                        return false;
                model->start[i + 1] = (uint32_t)end;
        }
        return end == model->postings;
}

/* Within a feature the answers ascend, so that none counts twice. */
static bool take_postings(struct cursor *cursor, struct bot_ranker *model)
{
        for (uint32_t i = 0; i < model->postings; i++)
                model->posting_answers[i] = (uint16_t)take(cursor, 2);
        for (uint32_t f = 0; f < model->features; f++)
                for (uint32_t i = model->start[f]; i < model->start[f + 1]; i++)
                        if (model->posting_answers[i] > model->answers ||
                            (i > model->start[f] && model->posting_answers[i] <= model->posting_answers[i - 1]))
                                return false;
        for (uint32_t i = 0; i < model->postings; i++)
                model->posting_weights[i] = (int8_t)take(cursor, 1);
        return true;
}

static bool take_exacts(struct cursor *cursor, struct bot_ranker *model)
{
        for (uint32_t i = 0; i < model->exacts; i++) {
                model->exact_keys[i] = take(cursor, 8);
                model->exact_answers[i] = (uint16_t)take(cursor, 2);
                if (model->exact_answers[i] >= model->answers ||
                    (i && model->exact_keys[i] <= model->exact_keys[i - 1]))
                        return false;
        }
        return true;
}

int blob_read(struct span blob, struct bot_ranker *out)
{
        uint8_t digest[SHA256_DIGEST_LENGTH];

        if (blob.len < sizeof(digest) || blob.len > BOT_RANKER_BLOB)
                return -BOT_RANKER_DAMAGED;
        struct cursor cursor = {(const uint8_t *)blob.at, blob.len - sizeof(digest)};
        int rc = take_head(&cursor, out);
        if (rc < 0)
                return rc;
        SHA256((const uint8_t *)blob.at, blob.len - sizeof(digest), digest);
        if (memcmp(digest, blob.at + blob.len - sizeof(digest), sizeof(digest)) != 0)
                return -BOT_RANKER_DAMAGED;
        if (!make_room(out))
                return -BOT_RANKER_NO_MEMORY;
        if (!take_answers(&cursor, out) || !take_features(&cursor, out) || !take_postings(&cursor, out) ||
            !take_exacts(&cursor, out))
                return -BOT_RANKER_DAMAGED;
        return model_index(out) ? 0 : -BOT_RANKER_NO_MEMORY;
}
