/* SPDX-License-Identifier: Apache-2.0 */
/* Held back: what the examples of an answer tell of each other. Each is asked of a model that has not seen it, as in
 * calibrate.c; here it is said of which. */
#include "protocol/memory.h"
#include "train.h"

struct held_back {
        struct train_rows rows;
        struct bot_features features;
        int32_t margins[BOT_RANKER_ANSWERS + 1];
};

static uint32_t first_of(struct held_back *held, const struct bot_ranker *model, uint32_t row)
{
        struct bot_candidate first;

        train_row_features(&held->rows, row, &held->features);
        model_margins(model, &held->features, held->margins);
        return model_best(model, held->margins, NULL, &first, 1) ? first.answer : UINT32_MAX;
}

static int ask_fold(struct held_back *held, enum bot_writing writing, int fold, uint32_t *out_first)
{
        const struct train_rows *rows = &held->rows;
        struct bot_ranker model = {0};
        int rc = train_model(rows, writing, fold, &model);

        for (uint32_t row = 0; rc == 0 && row < rows->count; row++)
                if (rows->fold[row] == fold && rows->kind[row] == TRAIN_POSITIVE && model.scale[rows->answer[row]])
                        out_first[rows->example[row]] = first_of(held, &model, row);
        model_done(&model);
        return rc;
}

int bot_ranker_held_back(const struct bot_example *examples, size_t count, const char *lang, struct span off_topic,
                         uint32_t *out_first)
{
        enum bot_writing writing = bot_writing_of(lang);
        struct held_back *held;

        if (count > BOT_HELD_BACK_MOST)
                return -BOT_RANKER_TOO_MANY;
        if (!(held = memory_zeroed(1, sizeof(*held))))
                return -BOT_RANKER_NO_MEMORY;
        for (size_t i = 0; i < count; i++)
                out_first[i] = UINT32_MAX;
        int rc = train_rows_make(examples, count, writing, off_topic, &held->rows);
        for (int fold = 0; rc == 0 && fold < TRAIN_FOLDS; fold++)
                rc = ask_fold(held, writing, fold, out_first);
        train_rows_done(&held->rows);
        memory_free(held);
        return rc;
}
