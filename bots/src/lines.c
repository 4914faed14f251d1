/* SPDX-License-Identifier: Apache-2.0 */
#include "lines.h"

#include <string.h>

struct span bot_lines_of(const struct bot_lines *table, const char *lang)
{
        struct span short_form = {lang, strcspn(lang, "-")}, english = {"", 0};
        for (; table->lang; table++) {
                if (span_equal(short_form, span_of(table->lang)))
                        return table->lines;
                if (strcmp(table->lang, "en") == 0)
                        english = table->lines;
        }
        return english;
}

bool bot_lines_next(struct span *rest, struct span *out_word, struct span *out_text)
{
        const char *end = rest->len ? memchr(rest->at, '\n', rest->len) : NULL;
        if (!end)
                return false;
        size_t len = (size_t)(end - rest->at);
        const char *blank = memchr(rest->at, ' ', len);
        size_t word = blank ? (size_t)(blank - rest->at) : len, from = blank ? word + 1 : len;
        *out_word = (struct span){rest->at, word};
        *out_text = (struct span){rest->at + from, len - from};
        rest->at += len + 1;
        rest->len -= len + 1;
        return true;
}
