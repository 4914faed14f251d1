/* SPDX-License-Identifier: Apache-2.0 */
/* Publish: bot_ranker_train: examples in, blob out. */
#include <stdlib.h>

#include "blob.h"
#include "protocol/memory.h"
#include "train.h"

struct exact {
        uint64_t key;
        uint16_t answer;
};

static int compare_exact(const void *a, const void *b)
{
        const struct exact *left = a, *right = b;

        if (left->key != right->key)
                return left->key < right->key ? -1 : 1;
        return (left->answer > right->answer) - (left->answer < right->answer);
}

/* One row a text; a text that stands under two answers is no exact match of either. */
static void keep_exacts(const struct exact *all, uint32_t count, struct bot_ranker *model,
                        struct bot_train_report *report)
{
        for (uint32_t i = 0, end; i < count; i = end) {
                for (end = i + 1; end < count && all[end].key == all[i].key; end++)
                        ;
                if (all[i].answer != all[end - 1].answer) {
                        report->shared += end - i;
                        continue;
                }
                model->exact_keys[model->exacts] = all[i].key;
                model->exact_answers[model->exacts++] = all[i].answer;
        }
}

static int make_exacts(const struct train_rows *rows, struct bot_ranker *model, struct bot_train_report *report)
{
        struct exact *all = memory_alloc((rows->count + 1) * sizeof(all[0]));
        uint32_t count = 0;

        model->exact_keys = memory_alloc((rows->count + 1) * sizeof(model->exact_keys[0]));
        model->exact_answers = memory_alloc((rows->count + 1) * sizeof(model->exact_answers[0]));
        bool is_made = all && model->exact_keys && model->exact_answers;
        for (uint32_t row = 0; is_made && row < rows->count; row++)
                if (rows->kind[row] == TRAIN_POSITIVE)
                        all[count++] = (struct exact){rows->exact[row], rows->answer[row]};
        if (is_made) {
                qsort(all, count, sizeof(all[0]), compare_exact);
                keep_exacts(all, count, model, report);
        }
        memory_free(all);
        report->examples = count;
        return is_made ? 0 : -BOT_RANKER_NO_MEMORY;
}

/* How sure is sure enough comes first: it finds the off-topic lines that are not learned. */
static int publish(struct train_rows *rows, enum bot_writing writing, struct bot_ranker *model,
                   struct bot_train_report *report)
{
        int rc = train_calibrate(rows, writing, model, report);

        if (rc == 0)
                rc = train_model(rows, writing, -1, model);
        if (rc == 0)
                rc = make_exacts(rows, model, report);
        for (uint32_t a = 0; rc == 0 && a < model->answers; a++)
                report->answers += model->scale[a] != 0;
        report->features = model->features;
        report->weights = model->postings;
        return rc;
}

int bot_ranker_train(const struct bot_example *examples, size_t count, const char *lang, struct span off_topic,
                     struct writer *out, struct bot_train_report *out_report)
{
        enum bot_writing writing = bot_writing_of(lang);
        struct train_rows rows = {0};
        struct bot_ranker model = {0};
        struct bot_train_report report = {0};
        int rc = train_rows_make(examples, count, writing, off_topic, &rows);

        if (rc == 0)
                rc = publish(&rows, writing, &model, &report);
        if (rc == 0)
                blob_write(&model, out);
        if (rc == 0 && out->failed)
                rc = -BOT_RANKER_NO_MEMORY;
        if (rc == 0 && out_report)
                *out_report = report;
        model_done(&model);
        train_rows_done(&rows);
        return rc;
}
