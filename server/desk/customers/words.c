/* SPDX-License-Identifier: Apache-2.0 */
#include "desk/customers/words.h"

#include "store/tokens.h"

/* Behind every text that begins with what stands before it. */
static const char LAST_POINT[] = "\xf4\x8f\xbf\xbf";

int words_init(struct words *words, struct arena *arena, size_t most)
{
        *words = (struct words){.arena = arena, .most = most < WORDS_MAX ? most : WORDS_MAX};
        words->at = arena_take(arena, words->most * sizeof *words->at);
        return words->at ? 0 : -1;
}

static int add_word(void *data, struct span token, bool is_beside)
{
        struct words *words = data;
        (void)is_beside;
        for (size_t i = 0; i < words->count; i++)
                if (span_equal(words->at[i], token))
                        return 0;
        if (words->count == words->most)
                return 1; /* enough */
        char *copy = arena_take(words->arena, token.len);
        if (!copy)
                return -1;
        memcpy(copy, token.at, token.len);
        words->at[words->count++] = (struct span){copy, token.len};
        return 0;
}

int words_add(struct words *words, struct span text)
{
        return text.at && tokens_cut(text, TOKENS_TEXT, add_word, words) < 0 ? -1 : 0;
}

static int range_of(struct span word, struct arena *arena, struct word_range *out_range)
{
        char *high = arena_take(arena, word.len + sizeof LAST_POINT);
        if (!high)
                return -1;
        memcpy(high, word.at, word.len);
        memcpy(high + word.len, LAST_POINT, sizeof LAST_POINT - 1);
        *out_range = (struct word_range){word, {high, word.len + sizeof LAST_POINT - 1}};
        return 0;
}

int words_query(struct span typed, struct arena *arena, struct word_range out_terms[WORD_TERMS])
{
        struct words words;
        if (words_init(&words, arena, WORD_TERMS) < 0 || tokens_cut(typed, TOKENS_QUERY, add_word, &words) < 0)
                return -1;
        size_t longest = 0;
        for (size_t i = 1; i < words.count; i++)
                longest = words.at[i].len > words.at[longest].len ? i : longest;
        for (size_t i = 0; i < words.count; i++) {
                size_t from = i == 0 ? longest : i == longest ? 0 : i;
                if (range_of(words.at[from], arena, &out_terms[i]) < 0)
                        return -1;
        }
        return (int)words.count;
}
