/* SPDX-License-Identifier: Apache-2.0 */
/* Features: see feature_set.h. The weights of the families are what ablation on several sets left standing
 * (docs/bots.md tells which helped and which did not). */
#include "feature_set.h"

#include "words.h"

enum { SLOTS = 8192, SLOT_FREE = 0xffff, TIMES_MOST = 8 };

static const uint8_t family_weights[BOT_WRITINGS][BOT_FAMILIES] = {
        [BOT_WRITING_ENGLISH] = {[BOT_FAMILY_WORD] = 64,
                                 [BOT_FAMILY_STEM] = 128,
                                 [BOT_FAMILY_BIGRAM] = 64,
                                 [BOT_FAMILY_CLASS] = 192,
                                 [BOT_FAMILY_CLASS_PAIR] = 96,
                                 [BOT_FAMILY_GRAM2] = 48,
                                 [BOT_FAMILY_GRAM3] = 64,
                                 [BOT_FAMILY_GRAM4] = 64},
        [BOT_WRITING_WORDS] = {[BOT_FAMILY_WORD] = 64,
                               [BOT_FAMILY_STEM] = 128,
                               [BOT_FAMILY_BIGRAM] = 64,
                               [BOT_FAMILY_GRAM2] = 48,
                               [BOT_FAMILY_GRAM3] = 64,
                               [BOT_FAMILY_GRAM4] = 64},
        [BOT_WRITING_SYLLABLES] =
                {[BOT_FAMILY_POINT1] = 64, [BOT_FAMILY_POINT2] = 64, [BOT_FAMILY_TIGHT2] = 32, [BOT_FAMILY_JAMO3] = 32},
        [BOT_WRITING_POINTS] = {[BOT_FAMILY_POINT1] = 64, [BOT_FAMILY_POINT2] = 48},
};

/* Features on their way in: equal keys meet in a table of slots. */
struct intake {
        struct bot_features *out;
        const uint8_t *weights;
        uint16_t slots[SLOTS];
};

enum bot_writing bot_writing_of(const char *lang)
{
        static const struct {
                char lang[3];
                enum bot_writing writing;
        } known[] = {{"en", BOT_WRITING_ENGLISH},
                     {"ko", BOT_WRITING_SYLLABLES},
                     {"zh", BOT_WRITING_POINTS},
                     {"ja", BOT_WRITING_POINTS},
                     {"th", BOT_WRITING_POINTS}};

        for (size_t i = 0; lang && i < sizeof(known) / sizeof(known[0]); i++)
                if (strncmp(lang, known[i].lang, 2) == 0 && (lang[2] == 0 || lang[2] == '-' || lang[2] == '_'))
                        return known[i].writing;
        return BOT_WRITING_WORDS;
}

static uint32_t mix(uint32_t hash, uint32_t value)
{
        hash = (hash ^ value) * 0x9e3779b1u;
        return hash ^ hash >> 15;
}

static uint32_t hash_points(const uint32_t *points, size_t count)
{
        uint32_t hash = 17;

        for (size_t i = 0; i < count; i++)
                hash = mix(hash, points[i]);
        return mix(hash, (uint32_t)count);
}

static void add(struct intake *in, enum bot_family family, uint32_t hash)
{
        struct bot_features *out = in->out;

        if (in->weights[family] == 0)
                return;
        uint32_t key = mix(mix(mix(0x811c9dc5u, family), hash), family + 1u);
        uint32_t slot = (key ^ key >> 13) % SLOTS;
        for (; in->slots[slot] != SLOT_FREE; slot = (slot + 1) % SLOTS)
                if (out->at[in->slots[slot]].key == key) {
                        out->at[in->slots[slot]].times += out->at[in->slots[slot]].times < TIMES_MOST;
                        return;
                }
        if (out->count == BOT_FEATURES)
                return;
        in->slots[slot] = (uint16_t)out->count;
        out->at[out->count++] = (struct bot_feature){.key = key, .family = (uint8_t)family, .times = 1};
}

static void add_grams(struct intake *in, enum bot_family family, const uint32_t *points, size_t count, size_t n)
{
        for (size_t i = 0; in->weights[family] && i + n <= count; i++)
                add(in, family, hash_points(points + i, n));
}

/* ---- words ---- */

enum { AT_START = 1, AT_END = 2 };

static void add_letters(struct intake *in, const struct bot_word *word)
{
        uint32_t padded[BOT_WORD_POINTS + 2];
        size_t count = word->len + 2u;

        padded[0] = padded[count - 1] = ' ';
        memcpy(padded + 1, word->points, word->len * sizeof(padded[0]));
        add_grams(in, BOT_FAMILY_GRAM2, padded, count, 2);
        add_grams(in, BOT_FAMILY_GRAM3, padded, count, 3);
        add_grams(in, BOT_FAMILY_GRAM4, padded, count, 4);
}

/* A word is named by its first class beside another word, by its stem where it has none. */
static void add_classes(struct intake *in, const struct bot_word *word, uint32_t stem, uint32_t before, bool was_class)
{
        for (size_t i = 0; i < word->class_count; i++)
                add(in, BOT_FAMILY_CLASS, word->classes[i]);
        if (word->class_count || was_class)
                add(in, BOT_FAMILY_CLASS_PAIR, mix(mix(7, before), word->class_count ? word->classes[0] : stem));
}

static void add_words(struct intake *in, const struct bot_words *words)
{
        uint32_t stem_before = AT_START, named_before = AT_START;
        bool was_class = false;

        for (size_t i = 0; i < words->count; i++) {
                const struct bot_word *word = &words->at[i];
                uint32_t stem = hash_points(word->points, word->stem_len);
                add(in, BOT_FAMILY_WORD, hash_points(word->points, word->len));
                add(in, BOT_FAMILY_STEM, stem);
                add(in, BOT_FAMILY_BIGRAM, mix(mix(5, stem_before), stem));
                add_classes(in, word, stem, named_before, was_class);
                add_letters(in, word);
                stem_before = stem;
                was_class = word->class_count != 0;
                named_before = was_class ? word->classes[0] : stem;
        }
        if (words->count)
                add(in, BOT_FAMILY_BIGRAM, mix(mix(5, stem_before), AT_END));
}

/* ---- points ---- */

/* The letters of a syllable; any other point as it is. */
static size_t jamo_of(uint32_t point, uint32_t out[3])
{
        if (point < 0xac00 || point > 0xd7a3) {
                out[0] = point;
                return 1;
        }
        uint32_t at = point - 0xac00, last = at % 28;
        out[0] = 0x1100 + at / 588;
        out[1] = 0x1161 + at % 588 / 28;
        out[2] = 0x11a7 + last;
        return last ? 3 : 2;
}

static void add_jamo(struct intake *in, const uint32_t *points, size_t count)
{
        uint32_t line[3 * BOT_TEXT_POINTS];
        size_t len = 0;

        for (size_t i = 0; i < count; i++)
                len += jamo_of(points[i], line + len);
        add_grams(in, BOT_FAMILY_JAMO3, line, len, 3);
}

static void add_points(struct intake *in, const struct bot_text *text)
{
        uint32_t line[BOT_TEXT_POINTS + 2], tight[BOT_TEXT_POINTS];
        size_t count = 0, tight_count = 0;

        line[count++] = ' ';
        for (size_t i = 0; i < text->count; i++) {
                enum bot_script script = bot_script_of(text->points[i]);
                if (script == BOT_SCRIPT_MARK)
                        continue;
                line[count++] = text->points[i];
                if (script != BOT_SCRIPT_BLANK)
                        tight[tight_count++] = text->points[i];
        }
        line[count++] = ' ';
        add_grams(in, BOT_FAMILY_POINT1, line + 1, count - 2, 1);
        add_grams(in, BOT_FAMILY_POINT2, line, count, 2);
        add_grams(in, BOT_FAMILY_TIGHT2, tight, tight_count, 2);
        add_grams(in, BOT_FAMILY_TIGHT3, tight, tight_count, 3);
        add_grams(in, BOT_FAMILY_TIGHT4, tight, tight_count, 4);
        if (in->weights[BOT_FAMILY_JAMO3])
                add_jamo(in, tight, tight_count);
}

/* ---- weights ---- */

/* 1 + ln(times), in 1/64. */
static void weigh(struct bot_features *features, const uint8_t *weights)
{
        static const uint16_t damped[TIMES_MOST + 1] = {0, 64, 108, 134, 153, 167, 179, 189, 197};

        for (uint32_t i = 0; i < features->count; i++) {
                struct bot_feature *feature = &features->at[i];
                feature->weight = (uint16_t)(weights[feature->family] * damped[feature->times] / 16);
        }
}

static void add_written(struct intake *in, const struct bot_text *text, bool is_english)
{
        struct bot_words words;

        bot_words_of(text, is_english, &words);
        add_words(in, &words);
}

void bot_features_of(const struct bot_text *text, enum bot_writing writing, struct bot_features *out)
{
        struct intake in = {.out = out, .weights = family_weights[writing]};

        memset(in.slots, 0xff, sizeof(in.slots));
        out->count = 0;
        if (writing == BOT_WRITING_ENGLISH || writing == BOT_WRITING_WORDS)
                add_written(&in, text, writing == BOT_WRITING_ENGLISH);
        add_points(&in, text);
        weigh(out, in.weights);
}
