/* SPDX-License-Identifier: Apache-2.0 */
/* Sample: see sample.h. */
#include "unit/bots/sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int label_number(struct sample *sample, const char *name)
{
        int i = 0;

        if (strcmp(name, "-") == 0)
                return -1;
        while (i < sample->names_count && strcmp(sample->names[i], name) != 0)
                i++;
        if (i == sample->names_count && i < SAMPLE_LABELS)
                sample->names[sample->names_count++] = strdup(name);
        return i;
}

bool sample_read(const char *path, struct sample *out)
{
        FILE *file = fopen(path, "re");
        char line[1024];

        *out = (struct sample){.count = 0};
        while (file && out->count < SAMPLE_LINES && fgets(line, sizeof(line), file)) {
                char *rest = line, *split = strsep(&rest, "\t"), *label = strsep(&rest, "\t"),
                     *text = strsep(&rest, "\n");
                if (!text)
                        break;
                size_t i = out->count++;
                out->texts[i] = strdup(text);
                out->labels[i] = label_number(out, label);
                out->is_test[i] = strcmp(split, "test") == 0;
                if (!out->is_test[i])
                        out->examples[out->examples_count++] = (struct bot_example){.answer = (uint32_t)out->labels[i],
                                                                                    .text = span_of(out->texts[i])};
        }
        if (file)
                fclose(file);
        return out->examples_count > 0;
}

void sample_done(struct sample *sample)
{
        for (size_t i = 0; i < sample->count; i++)
                free(sample->texts[i]);
        for (int i = 0; i < sample->names_count; i++)
                free(sample->names[i]);
}
