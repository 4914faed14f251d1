/* SPDX-License-Identifier: Apache-2.0 */
/* Sample: a small labelled set in memory, for tests. Lines `split<TAB>label<TAB>text`. */
#pragma once

#include "bots/ranker.h"

enum { SAMPLE_LINES = 200, SAMPLE_LABELS = 20 };

struct sample {
        struct bot_example examples[SAMPLE_LINES]; /* lines marked train */
        size_t examples_count;
        char *texts[SAMPLE_LINES];
        int labels[SAMPLE_LINES]; /* of the texts; -1: no answer */
        bool is_test[SAMPLE_LINES];
        size_t count;
        char *names[SAMPLE_LABELS];
        int names_count;
};

/* False: cannot be read. sample_done after, always. */
bool sample_read(const char *path, struct sample *out);
void sample_done(struct sample *sample);
