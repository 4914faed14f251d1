/* SPDX-License-Identifier: Apache-2.0 */
/* Bot eval: how good the ranker is on labelled questions. What its files share; one thread. */
#pragma once

#include <stdint.h>

#include "bots/ranker.h"

enum { EVAL_OFF_TOPIC = -1, EVAL_BEST = 3, EVAL_WISHES = 3 };

extern const unsigned eval_wishes[EVAL_WISHES]; /* 80, 90, 95: the wishes that are measured */

enum eval_split { EVAL_TRAIN, EVAL_TEST, EVAL_OTHER };

struct eval_line {
        enum eval_split split;
        int label; /* number of its label, or EVAL_OFF_TOPIC */
        char *text;
};

struct eval_lines {
        struct eval_line *at;
        size_t count;
};

struct eval_labels {
        char **names;
        size_t count;
};

/* What the ranker said to one line. */
struct eval_said {
        struct bot_candidate best[EVAL_BEST];
        size_t count;
        enum bot_decision decision;
        bool is_known; /* the line's label has examples */
};

/* Figures of one run; shares are 0 to 1, negative where there was nothing to measure. */
struct eval_figures {
        size_t asked, off_topic;
        double top1, macro, top3;
        double precision_at[3];                         /* coverage 0.5, 0.7, 0.9 */
        double got[EVAL_WISHES], coverage[EVAL_WISHES]; /* by wish: right of those answered alone; answered alone */
        double possible[EVAL_WISHES]; /* the most that could be answered alone, had the threshold been known before */
        double refused;               /* off-topic lines, by score, while 0.9 of the others are kept */
        double off_lone[EVAL_WISHES]; /* by wish: off-topic lines answered alone */
        double lone, choices, miss;   /* what the bot would do at the wish that was asked for */
        double no_spaces, one_typo;   /* top-1 */
        double train_ms;              /* by the clock on the wall */
        double train_cpu_ms, p50_us, p99_us; /* of work */
        size_t blob_bytes, memory_bytes;
        struct bot_train_report report;
};

/* Reads `split<TAB>label<TAB>text` lines; new labels are added. Returns an exit code, said when not EX_OK. */
int eval_read(const char *path, struct eval_labels *labels, struct eval_lines *out);
/* Lines without an answer: the same columns, or bare texts. */
int eval_read_off_topic(const char *path, struct eval_lines *out);
void eval_lines_done(struct eval_lines *lines);
void eval_labels_done(struct eval_labels *labels);

/* Chooses up to `per_label` (0: all) of the training lines of each label, in an order made by `seed`; `out_is_chosen`
 * has a place for every line. A file without any line marked train is all training.
 * `is_barred` (may be NULL) = lines that may not be chosen. Returns how many. */
size_t eval_choose(const struct eval_lines *lines, const struct eval_labels *labels, size_t per_label, uint64_t seed,
                   const bool *is_barred, bool *out_is_chosen);

/* `text` without its blanks; with one letter dropped, doubled or swapped with the next. malloc'd; NULL: no memory. */
char *eval_without_spaces(const char *text);
char *eval_with_typo(const char *text, uint64_t *random);

/* Fills top-1 to `miss` from what was said to each line. */
void eval_measure(const struct eval_lines *lines, const struct eval_said *said, const struct bot_ranker *ranker,
                  size_t labels, struct eval_figures *figures);
