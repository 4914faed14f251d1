/* SPDX-License-Identifier: Apache-2.0 */
/* Rows: the examples of a bot and the off-topic lines as features, made once for all models of a training. */
#include "protocol/memory.h"
#include "train.h"

/* Grows the two arrays of features to hold BOT_FEATURES more. */
static bool make_room(struct train_rows *rows)
{
        uint32_t used = rows->start[rows->count];

        if (used + BOT_FEATURES <= rows->feature_room)
                return true;
        uint32_t room = 2 * rows->feature_room + 4 * BOT_FEATURES;
        uint32_t *keys = memory_resize(rows->keys, room * sizeof(keys[0]));
        if (keys)
                rows->keys = keys;
        uint16_t *weights = memory_resize(rows->weights, room * sizeof(weights[0]));
        if (weights)
                rows->weights = weights;
        if (keys && weights)
                rows->feature_room = room;
        return keys && weights;
}

struct reader {
        enum bot_writing writing;
        struct bot_text text;
        struct bot_features features;
};

/* False: out of memory. A text without a feature makes no row. */
static bool add_row(struct train_rows *rows, struct reader *reader, struct span text, uint16_t answer,
                    enum train_kind kind)
{
        uint32_t row = rows->count, at = rows->start[row];

        if (!make_room(rows))
                return false;
        text.len = text.len < BOT_RANKER_TEXT ? text.len : BOT_RANKER_TEXT;
        bot_text_of(text, &reader->text);
        bot_features_of(&reader->text, reader->writing, &reader->features);
        if (reader->features.count == 0)
                return true;
        for (uint32_t i = 0; i < reader->features.count; i++) {
                rows->keys[at + i] = reader->features.at[i].key;
                rows->weights[at + i] = reader->features.at[i].weight;
        }
        rows->answer[row] = answer;
        rows->kind[row] = (uint8_t)kind;
        rows->exact[row] = model_exact_key(&reader->text);
        rows->start[row + 1] = at + reader->features.count;
        rows->count++;
        if (kind == TRAIN_POSITIVE && answer >= rows->answers)
                rows->answers = answer + 1u;
        return true;
}

static bool add_off_topic(struct train_rows *rows, struct reader *reader, struct span lines)
{
        for (size_t at = 0, end; at < lines.len; at = end + 1) {
                for (end = at; end < lines.len && lines.at[end] != '\n'; end++)
                        ;
                if (end > at && !add_row(rows, reader, (struct span){lines.at + at, end - at}, 0, TRAIN_OFF_TOPIC))
                        return false;
        }
        return true;
}

/* Every answer's examples go into the folds in turn, those of nobody too. */
static bool deal_folds(struct train_rows *rows)
{
        uint32_t *dealt = memory_zeroed(BOT_RANKER_ANSWERS + 1, sizeof(dealt[0]));

        for (uint32_t row = 0; dealt && row < rows->count; row++) {
                uint32_t who = rows->kind[row] == TRAIN_OFF_TOPIC ? BOT_RANKER_ANSWERS : rows->answer[row];
                uint32_t folds = who == BOT_RANKER_ANSWERS && rows->count > TRAIN_FEW_ROWS ? 2 : TRAIN_FOLDS;
                rows->fold[row] = (uint8_t)(dealt[who]++ % folds);
        }
        memory_free(dealt);
        return dealt != NULL;
}

static bool make_arrays(struct train_rows *rows, size_t count)
{
        rows->start = memory_zeroed(count + 1, sizeof(rows->start[0]));
        rows->answer = memory_zeroed(count, sizeof(rows->answer[0]));
        rows->kind = memory_zeroed(count, sizeof(rows->kind[0]));
        rows->fold = memory_zeroed(count, sizeof(rows->fold[0]));
        rows->exact = memory_zeroed(count, sizeof(rows->exact[0]));
        rows->example = memory_zeroed(count, sizeof(rows->example[0]));
        return rows->start && rows->answer && rows->kind && rows->fold && rows->exact && rows->example;
}

static size_t count_lines(struct span text)
{
        size_t lines = 1;

        for (size_t i = 0; i < text.len; i++)
                lines += text.at[i] == '\n';
        return lines;
}

static int fill(const struct bot_example *examples, size_t count, struct span off_topic, struct reader *reader,
                struct train_rows *rows)
{
        for (size_t i = 0; i < count; i++) {
                rows->example[rows->count] = (uint32_t)i; /* stays when the text makes a row */
                if (!add_row(rows, reader, examples[i].text, (uint16_t)examples[i].answer,
                             examples[i].is_negative ? TRAIN_NEGATIVE : TRAIN_POSITIVE))
                        return -BOT_RANKER_NO_MEMORY;
        }
        if (!add_off_topic(rows, reader, off_topic) || !deal_folds(rows))
                return -BOT_RANKER_NO_MEMORY;
        return rows->answers ? 0 : -BOT_RANKER_NO_EXAMPLES;
}

int train_rows_make(const struct bot_example *examples, size_t count, enum bot_writing writing, struct span off_topic,
                    struct train_rows *out)
{
        if (count > BOT_RANKER_EXAMPLES)
                return -BOT_RANKER_TOO_MANY;
        for (size_t i = 0; i < count; i++)
                if (examples[i].answer >= BOT_RANKER_ANSWERS)
                        return -BOT_RANKER_TOO_MANY;
        struct reader *reader = memory_alloc(sizeof(*reader));
        int rc = -BOT_RANKER_NO_MEMORY;
        if (reader && make_arrays(out, count + count_lines(off_topic))) {
                reader->writing = writing;
                rc = fill(examples, count, off_topic, reader, out);
        }
        memory_free(reader);
        return rc;
}

void train_rows_done(struct train_rows *rows)
{
        memory_free(rows->start);
        memory_free(rows->keys);
        memory_free(rows->weights);
        memory_free(rows->answer);
        memory_free(rows->kind);
        memory_free(rows->fold);
        memory_free(rows->exact);
        memory_free(rows->example);
}

void train_row_features(const struct train_rows *rows, uint32_t row, struct bot_features *out)
{
        out->count = rows->start[row + 1] - rows->start[row];
        for (uint32_t i = 0; i < out->count; i++)
                out->at[i] = (struct bot_feature){.key = rows->keys[rows->start[row] + i],
                                                  .weight = rows->weights[rows->start[row] + i]};
}
