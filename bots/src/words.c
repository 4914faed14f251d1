/* SPDX-License-Identifier: Apache-2.0 */
/* Words: see words.h. */
#include "words.h"

#include <utf8proc.h>

#include "packs.h"

/* ---- letters ---- */

/* The letter under the accents: é is e. */
static uint32_t without_accent(uint32_t point)
{
        utf8proc_int32_t parts[8];
        int last = 0;

        if (point < 0xc0)
                return point;
        if (point == 0x131) /* dotless i */
                return 'i';
        utf8proc_ssize_t count =
                utf8proc_decompose_char((utf8proc_int32_t)point, parts, 8, UTF8PROC_STABLE | UTF8PROC_DECOMPOSE, &last);
        return count > 0 && count <= 8 && parts[0] < 0x250 ? (uint32_t)parts[0] : point;
}

static bool is_vowel(uint32_t point)
{
        return point == 'a' || point == 'e' || point == 'i' || point == 'o' || point == 'u' || point == 'y';
}

static bool ends_with(const struct bot_word *word, size_t len, const char *end)
{
        size_t end_len = strlen(end);

        for (size_t i = 0; len > end_len && i < end_len; i++)
                if (word->points[len - end_len + i] != (uint8_t)end[i])
                        return false;
        return len > end_len;
}

static bool has_vowel(const struct bot_word *word, size_t len)
{
        for (size_t i = 0; i < len; i++)
                if (is_vowel(word->points[i]))
                        return true;
        return false;
}

/* ---- English stems: endings of number and time, cut so that all forms of a word meet ---- */

static size_t without_plural(const struct bot_word *word, size_t len)
{
        if (len > 4 && ends_with(word, len, "ies"))
                return len - 2;
        if (len > 4 && (ends_with(word, len, "sses") || ends_with(word, len, "ches") || ends_with(word, len, "shes") ||
                        ends_with(word, len, "xes")))
                return len - 2;
        if (len > 3 && ends_with(word, len, "s") && !ends_with(word, len, "ss") && !ends_with(word, len, "us") &&
            !ends_with(word, len, "is"))
                return len - 1;
        return len;
}

static size_t without_time(const struct bot_word *word, size_t len)
{
        size_t cut = ends_with(word, len, "ing")   ? 3
                     : ends_with(word, len, "ied") ? 2
                     : ends_with(word, len, "ed")  ? 2
                                                   : 0;

        if (cut == 0 || len < cut + 3 || !has_vowel(word, len - cut))
                return len;
        len -= cut;
        uint32_t end = word->points[len - 1];
        if (len > 3 && end == word->points[len - 2] && end != 'l' && end != 's' && end != 'z' && !is_vowel(end))
                len--;
        return len;
}

static size_t english_stem(const struct bot_word *word)
{
        size_t len = without_time(word, without_plural(word, word->len));

        if (len > 5 && ends_with(word, len, "ly"))
                len -= 2;
        if (len > 3 && (ends_with(word, len, "e") || ends_with(word, len, "y") || ends_with(word, len, "i")))
                len--;
        return len;
}

/* Endings of number and person in Spanish, German and French, cut lightly. */
static size_t latin_stem(const struct bot_word *word)
{
        size_t len = word->len;

        if (len > 4 && (ends_with(word, len, "es") || ends_with(word, len, "en") || ends_with(word, len, "er")))
                return len - 2;
        if (len > 3 && (ends_with(word, len, "s") || ends_with(word, len, "e") || ends_with(word, len, "a") ||
                        ends_with(word, len, "o") || ends_with(word, len, "n")))
                return len - 1;
        return len;
}

/* ---- classes and small words ---- */

static int compare(const struct bot_word *word, const char *text)
{
        size_t i = 0;

        for (; i < word->len && text[i]; i++)
                if (word->points[i] != (uint8_t)text[i])
                        return word->points[i] < (uint8_t)text[i] ? -1 : 1;
        return i < word->len ? 1 : text[i] ? -1 : 0;
}

static void find_classes(struct bot_word *word)
{
        size_t low = 0, high = bot_class_rows_count;

        while (low < high) {
                size_t middle = low + (high - low) / 2;
                if (compare(word, bot_class_rows[middle].word) > 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        for (; low < bot_class_rows_count && word->class_count < BOT_WORD_CLASSES; low++) {
                if (compare(word, bot_class_rows[low].word) != 0)
                        break;
                word->classes[word->class_count++] = bot_class_rows[low].class;
        }
}

static bool is_small_word(const struct bot_word *word)
{
        static const char *const small[] = {
                "a",     "an",    "and",  "are",  "am",    "as",     "at",   "be",   "but",  "by",   "can",
                "could", "did",   "do",   "does", "for",   "from",   "get",  "had",  "has",  "have", "he",
                "her",   "him",   "i",    "if",   "in",    "is",     "it",   "its",  "just", "let",  "me",
                "my",    "of",    "on",   "or",   "our",   "please", "she",  "so",   "some", "than", "that",
                "the",   "their", "them", "then", "there", "these",  "they", "this", "to",   "us",   "was",
                "we",    "were",  "will", "with", "would", "you",    "your",
        };

        for (size_t i = 0; i < sizeof(small) / sizeof(small[0]); i++)
                if (compare(word, small[i]) == 0)
                        return true;
        return false;
}

/* ---- taking words in ---- */

static void finish(struct bot_words *out, struct bot_word *word, bool is_english)
{
        if (word->len == 0)
                return;
        word->stem_len = (uint8_t)(is_english ? english_stem(word) : latin_stem(word));
        if (is_english) {
                find_classes(word);
                word->is_small = is_small_word(word);
        }
        out->count++;
}

static struct bot_word *next(struct bot_words *out)
{
        struct bot_word *word = &out->at[out->count];

        word->len = word->stem_len = word->class_count = 0;
        word->is_small = false;
        return word;
}

static void add_ascii(struct bot_words *out, const char *text)
{
        if (out->count == BOT_WORDS)
                return;
        struct bot_word *word = next(out);

        for (; *text; text++)
                word->points[word->len++] = (uint8_t)*text;
        finish(out, word, true);
}

static const char *const short_forms[][3] = {
        {"can't", "can", "not"},     {"cant", "can", "not"},  {"cannot", "can", "not"},  {"won't", "will", "not"},
        {"wont", "will", "not"},     {"dont", "do", "not"},   {"didnt", "did", "not"},   {"doesnt", "does", "not"},
        {"isnt", "is", "not"},       {"wasnt", "was", "not"}, {"hasnt", "has", "not"},   {"havent", "have", "not"},
        {"couldnt", "could", "not"}, {"whats", "what", "is"}, {"wheres", "where", "is"}, {"hows", "how", "is"},
        {"whos", "who", "is"},       {"thats", "that", "is"}, {"im", "i", "am"},         {"ive", "i", "have"},
        {"lets", "let", "us"},       {"let's", "let", "us"},  {"youre", "you", "are"},   {"theres", "there", "is"},
};

static const char *const short_ends[][2] = {
        {"n't", "not"}, {"'s", "is"}, {"'m", "am"}, {"'re", "are"}, {"'ll", "will"}, {"'ve", "have"}, {"'d", "would"},
};

/* Writes "what's" out as two words; false: it is no short form. */
static bool write_out(struct bot_words *out, struct bot_word *word)
{
        for (size_t i = 0; i < sizeof(short_forms) / sizeof(short_forms[0]); i++)
                if (compare(word, short_forms[i][0]) == 0) {
                        add_ascii(out, short_forms[i][1]);
                        add_ascii(out, short_forms[i][2]);
                        return true;
                }
        for (size_t i = 0; i < sizeof(short_ends) / sizeof(short_ends[0]); i++)
                if (ends_with(word, word->len, short_ends[i][0])) {
                        word->len = (uint8_t)(word->len - strlen(short_ends[i][0]));
                        finish(out, word, true);
                        add_ascii(out, short_ends[i][1]);
                        return true;
                }
        return false;
}

/* The parts between apostrophes: "j'ai" is two words. */
static void add_parts(struct bot_words *out, const uint32_t *points, size_t count, bool is_english)
{
        for (size_t at = 0; at < count && out->count < BOT_WORDS; at++) {
                struct bot_word *word = next(out);
                for (; at < count && points[at] != '\''; at++)
                        if (word->len < BOT_WORD_POINTS)
                                word->points[word->len++] = without_accent(points[at]);
                finish(out, word, is_english);
        }
}

static void add_token(struct bot_words *out, const uint32_t *points, size_t count, bool is_english)
{
        struct bot_word *word = next(out);

        for (size_t i = 0; i < count && i < BOT_WORD_POINTS; i++)
                word->points[word->len++] = points[i];
        if (is_english && write_out(out, word))
                return;
        add_parts(out, points, count, is_english);
}

void bot_words_of(const struct bot_text *text, bool is_english, struct bot_words *out)
{
        out->count = 0;
        for (size_t i = 0; i < text->token_count && out->count + 1 < BOT_WORDS; i++)
                if (text->tokens[i].script != BOT_SCRIPT_MARK)
                        add_token(out, text->points + text->tokens[i].start, text->tokens[i].len, is_english);
}
