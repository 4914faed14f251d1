/* SPDX-License-Identifier: Apache-2.0 */
/* Same bytes: learns a sample, then prints the blob and what is answered to every line of it. same_bytes.py builds this
 * with several compilers and compares.
 *
 *   same_bytes SAMPLE.tsv LANG */
#include <stdio.h>

#include "unit/bots/sample.h"

enum { BEST = 3 };

static void print_answers(const struct bot_ranker *ranker, const char *text)
{
        struct bot_candidate best[BEST];
        struct bot_text read;

        bot_text_of(span_of(text), &read);
        size_t count = bot_ranker_rank(ranker, &read, NULL, best, BEST);
        printf("%d", (int)bot_ranker_decide(ranker, best, count, 0, NULL));
        for (size_t i = 0; i < count; i++)
                printf(" %u %u %u", best[i].answer, best[i].score, best[i].probability);
        printf("\n");
}

static int learn(const struct sample *sample, const char *lang, struct writer *blob, struct bot_ranker **out)
{
        int rc = bot_ranker_train(sample->examples, sample->examples_count, lang, bot_off_topic(lang), blob, NULL);

        return rc < 0 ? rc : bot_ranker_load((struct span){blob->bytes, blob->len}, out);
}

int main(int argc, char **argv)
{
        static struct sample sample;
        struct bot_ranker *ranker = NULL;
        struct writer blob;
        bool is_read = argc == 3 && sample_read(argv[1], &sample);

        writer_init(&blob, NULL, 0);
        if (is_read && learn(&sample, argv[2], &blob, &ranker) == 0) {
                for (size_t i = 0; i < blob.len; i++)
                        printf("%02x%s", (uint8_t)blob.bytes[i], i % 64 == 63 ? "\n" : "");
                printf("\n");
                for (size_t i = 0; i < sample.count; i++)
                        print_answers(ranker, sample.texts[i]);
        }
        bool is_done = ranker != NULL;
        bot_ranker_free(ranker);
        writer_done(&blob);
        sample_done(&sample);
        return is_done ? 0 : 1;
}
