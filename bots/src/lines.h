/* SPDX-License-Identifier: Apache-2.0 */
/* Lines: what bots/packs/embed_words.py makes of packs/always and packs/says: a text of lines for each language, ended
 * by a row without a name. Each line is a word, a blank, and the rest. */
#pragma once

#include "protocol/span.h"

struct bot_lines {
        const char *lang;
        struct span lines;
};

extern const struct bot_lines bot_always[], bot_says[];

/* The lines of `lang`, of its short form ("zh" of "zh-TW"), or of English. */
struct span bot_lines_of(const struct bot_lines *table, const char *lang);

/* The next line, cut off the front of *rest: its word and what follows. false: there is none. */
bool bot_lines_next(struct span *rest, struct span *out_word, struct span *out_text);
