/* SPDX-License-Identifier: Apache-2.0 */
/* A pattern is parts in order; a part is ways (alternatives); a way is words in order; a word is a number in the
 * automaton. Trying a pattern keeps the set of places where the parts so far may end, one byte a point. */
#include "pattern.h"

#include <stdlib.h>
#include <string.h>

#include "automaton.h"

enum { GAP_WORDS = 3, GAP_POINTS = 8 };

struct way {
        uint32_t words[BOT_PATTERN_WORDS];
        uint8_t count;
};

struct part {
        struct way *ways;
        uint8_t count;
        bool has_gap; /* up to GAP_WORDS words before it */
};

struct pattern {
        struct part parts[BOT_PATTERN_PARTS];
        uint8_t count;
        bool from_start, to_end;
        uint32_t rule;
        uint16_t priority, words;
};

struct bot_patterns {
        struct automaton *words;
        struct pattern *list;
        size_t count, room;
        /* Patterns by the words of their first part: first[word] .. first[word + 1] in by_word. */
        uint32_t *first, *by_word;
};

struct bot_patterns *bot_patterns_new(void)
{
        struct bot_patterns *patterns = calloc(1, sizeof(*patterns));
        if (patterns)
                patterns->words = automaton_new();
        if (patterns && !patterns->words)
                return bot_patterns_free(patterns);
        return patterns;
}

static void pattern_done(struct pattern *pattern)
{
        for (uint8_t i = 0; i < pattern->count; i++)
                free(pattern->parts[i].ways);
}

struct bot_patterns *bot_patterns_free(struct bot_patterns *patterns)
{
        if (!patterns)
                return NULL;
        for (size_t i = 0; i < patterns->count; i++)
                pattern_done(&patterns->list[i]);
        automaton_free(patterns->words);
        free(patterns->list);
        free(patterns->first);
        free(patterns->by_word);
        free(patterns);
        return NULL;
}

/* ---- reading a pattern --------------------------------------------------------------------------------------- */

struct reading {
        struct bot_patterns *into; /* NULL: only looks whether it is right */
        const json_t *synonyms;
        struct pattern *pattern;
        const char *at, *end;
        const char *wrong;
};

static void wrong(struct reading *reading, const char *why)
{
        if (!reading->wrong)
                reading->wrong = why;
        reading->at = reading->end;
}

static void skip_blanks(struct reading *reading)
{
        while (reading->at < reading->end && (*reading->at == ' ' || *reading->at == '\t'))
                reading->at++;
}

static bool is_sign(const char *at, const char *end)
{
        return strchr("()| \t", *at) || (*at == '.' && end - at > 1 && at[1] == '.');
}

/* A bare word of the pattern; empty when a sign stands here. */
static struct span take_word(struct reading *reading)
{
        const char *from = reading->at;
        while (reading->at < reading->end && *reading->at && !is_sign(reading->at, reading->end))
                reading->at++;
        if (reading->at < reading->end && !*reading->at)
                wrong(reading, "it holds a zero byte");
        return (struct span){from, (size_t)(reading->at - from)};
}

/* Words of `text`, split at blanks, into a way. */
static void add_words(struct reading *reading, struct span text, struct way *way)
{
        size_t at = 0;
        while (at < text.len && !reading->wrong) {
                size_t from = at;
                while (at < text.len && text.at[at] != ' ')
                        at++;
                struct span word = {text.at + from, at - from};
                at++;
                if (word.len == 0)
                        continue;
                bool is_beginning = word.at[word.len - 1] == '*';
                word.len -= is_beginning;
                uint32_t number = 0;
                int rc = automaton_add(reading->into ? reading->into->words : NULL, word, is_beginning, &number);
                if (rc < 0)
                        wrong(reading, rc == -1 ? "out of memory" : "a word of it has no letter or digit");
                else if (way->count == BOT_PATTERN_WORDS)
                        wrong(reading, "an alternative has more than 8 words");
                else
                        way->words[way->count++] = number;
        }
}

static struct way *add_way(struct reading *reading, struct part *part)
{
        if (part->count == BOT_PATTERN_WAYS) {
                wrong(reading, "it has more than 24 alternatives in one place, synonyms included");
                return NULL;
        }
        if (!part->ways)
                part->ways = calloc(BOT_PATTERN_WAYS, sizeof(*part->ways));
        if (!part->ways) {
                wrong(reading, "out of memory");
                return NULL;
        }
        return &part->ways[part->count++];
}

static bool is_same(struct span word, const char *other)
{
        return span_equal(word, span_of(other));
}

/* Every way that `text` may be said, as ways of the part. */
static void add_synonyms(struct reading *reading, struct span text, struct part *part)
{
        const char *word;
        json_t *others, *other;
        size_t i;
        json_object_foreach((json_t *)reading->synonyms, word, others) {
                bool is_meant = is_same(text, word);
                json_array_foreach(others, i, other)
                        is_meant = is_meant || is_same(text, json_string_value(other));
                if (!is_meant)
                        continue;
                struct way *way = is_same(text, word) ? NULL : add_way(reading, part);
                if (way)
                        add_words(reading, span_of(word), way);
                json_array_foreach(others, i, other) {
                        way = is_same(text, json_string_value(other)) ? NULL : add_way(reading, part);
                        if (way)
                                add_words(reading, span_of(json_string_value(other)), way);
                }
        }
}

static void add_alternative(struct reading *reading, struct span text, struct part *part)
{
        struct way *way = add_way(reading, part);
        if (!way)
                return;
        add_words(reading, text, way);
        if (!reading->wrong && way->count == 0)
                wrong(reading, "an alternative in ( ) is empty");
        if (!reading->wrong)
                add_synonyms(reading, text, part);
}

/* ( a | b c | d ) */
static void take_group(struct reading *reading, struct part *part)
{
        const char *close = memchr(reading->at, ')', (size_t)(reading->end - reading->at));
        if (!close) {
                wrong(reading, "a ( has no )");
                return;
        }
        const char *from = reading->at + 1;
        while (from <= close && !reading->wrong) {
                const char *bar = memchr(from, '|', (size_t)(close - from));
                const char *to = bar ? bar : close, *last = to;
                if (memchr(from, '(', (size_t)(to - from)))
                        wrong(reading, "a ( stands inside a (");
                while (from < last && *from == ' ')
                        from++;
                while (last > from && last[-1] == ' ')
                        last--;
                if (!reading->wrong)
                        add_alternative(reading, (struct span){from, (size_t)(last - from)}, part);
                from = to + 1;
        }
        if (!reading->wrong)
                reading->at = close + 1;
}

static void take_part(struct reading *reading, bool has_gap)
{
        if (reading->pattern->count == BOT_PATTERN_PARTS) {
                wrong(reading, "it has more than 16 parts");
                return;
        }
        struct part *part = &reading->pattern->parts[reading->pattern->count++];
        part->has_gap = has_gap;
        if (*reading->at == '(') {
                take_group(reading, part);
        } else {
                struct span word = take_word(reading);
                if (word.len == 0)
                        wrong(reading, "a | or ) stands outside of ( )");
                else
                        add_alternative(reading, word, part);
        }
        if (reading->wrong || part->count == 0)
                return;
        reading->pattern->words = (uint16_t)(reading->pattern->words + part->ways[0].count);
}

static void read_parts(struct reading *reading)
{
        struct pattern *pattern = reading->pattern;
        bool has_gap = false;
        skip_blanks(reading);
        if (reading->at < reading->end && *reading->at == '^') {
                pattern->from_start = true;
                reading->at++;
        }
        if (reading->at < reading->end && reading->end[-1] == '$') {
                pattern->to_end = true;
                reading->end--;
        }
        for (skip_blanks(reading); reading->at < reading->end; skip_blanks(reading)) {
                if (reading->end - reading->at > 1 && reading->at[0] == '.' && reading->at[1] == '.') {
                        if (has_gap || pattern->count == 0)
                                wrong(reading, "`..` stands between two words");
                        has_gap = true;
                        reading->at = reading->wrong ? reading->end : reading->at + 2;
                        continue;
                }
                take_part(reading, has_gap);
                has_gap = false;
        }
        if (!reading->wrong && (pattern->count == 0 || has_gap))
                wrong(reading, has_gap ? "`..` stands between two words" : "it has no word");
}

const char *bot_pattern_wrong(struct span text)
{
        struct pattern pattern = {.count = 0};
        struct reading reading = {.pattern = &pattern, .at = text.at, .end = text.len ? text.at + text.len : text.at};
        read_parts(&reading);
        pattern_done(&pattern);
        return reading.wrong;
}

int bot_patterns_add(struct bot_patterns *patterns, struct span text, uint32_t rule, unsigned priority,
                     const json_t *synonyms)
{
        struct pattern pattern = {.rule = rule, .priority = (uint16_t)priority};
        struct reading reading = {.into = patterns,
                                  .synonyms = synonyms,
                                  .pattern = &pattern,
                                  .at = text.at,
                                  .end = text.len ? text.at + text.len : text.at};
        read_parts(&reading);
        if (!reading.wrong && patterns->count == patterns->room) {
                size_t room = patterns->room ? patterns->room * 2 : 64;
                struct pattern *list = realloc(patterns->list, room * sizeof(*list));
                if (!list) {
                        wrong(&reading, "out of memory");
                } else {
                        patterns->list = list;
                        patterns->room = room;
                }
        }
        if (reading.wrong) {
                pattern_done(&pattern);
                return -1;
        }
        patterns->list[patterns->count++] = pattern;
        return 0;
}

/* Lists each pattern under the first word of each way of its first part. */
static int index_patterns(struct bot_patterns *patterns)
{
        size_t words = automaton_words(patterns->words), total = 0;
        patterns->first = calloc(words + 2, sizeof(*patterns->first));
        if (!patterns->first)
                return -1;
        for (size_t i = 0; i < patterns->count; i++) {
                const struct part *part = &patterns->list[i].parts[0];
                for (uint8_t j = 0; j < part->count; j++)
                        patterns->first[part->ways[j].words[0] + 2]++;
                total += part->count;
        }
        patterns->by_word = calloc(total + 1, sizeof(*patterns->by_word));
        if (!patterns->by_word)
                return -1;
        for (size_t word = 0; word < words; word++)
                patterns->first[word + 2] += patterns->first[word + 1];
        for (size_t i = 0; i < patterns->count; i++) {
                const struct part *part = &patterns->list[i].parts[0];
                for (uint8_t j = 0; j < part->count; j++)
                        patterns->by_word[patterns->first[part->ways[j].words[0] + 1]++] = (uint32_t)i;
        }
        return 0;
}

int bot_patterns_seal(struct bot_patterns *patterns)
{
        if (automaton_seal(patterns->words) < 0)
                return -1;
        return index_patterns(patterns);
}

/* ---- matching ------------------------------------------------------------------------------------------------ */

enum { PLACES = BOT_TEXT_POINTS + 1 };

struct matching {
        const struct bot_text *text;
        struct automaton_hit hits[AUTOMATON_HITS];
        size_t hit_count;
        uint16_t token_at[PLACES]; /* the token that holds a point; token_count = none (a blank, or the end) */
};

static void note_tokens(struct matching *matching)
{
        const struct bot_text *text = matching->text;
        for (size_t i = 0; i <= text->count; i++)
                matching->token_at[i] = text->token_count;
        for (uint16_t t = 0; t < text->token_count; t++) {
                for (uint16_t i = 0; i < text->tokens[t].len; i++)
                        matching->token_at[text->tokens[t].start + i] = t;
        }
}

static uint8_t script_at(const struct matching *matching, size_t point)
{
        uint16_t token = matching->token_at[point];
        return token == matching->text->token_count ? (uint8_t)BOT_SCRIPT_BLANK : matching->text->tokens[token].script;
}

static bool is_unspaced(uint8_t script)
{
        return script == BOT_SCRIPT_HAN || script == BOT_SCRIPT_KANA || script == BOT_SCRIPT_OTHER;
}

/* Blanks and marks do not count. */
static size_t skip_marks(const struct matching *matching, size_t point)
{
        while (point < matching->text->count &&
               (script_at(matching, point) == BOT_SCRIPT_BLANK || script_at(matching, point) == BOT_SCRIPT_MARK))
                point++;
        return point;
}

/* The end of the token that holds the point. */
static size_t token_end(const struct matching *matching, size_t point)
{
        uint16_t token = matching->token_at[point];
        if (token == matching->text->token_count)
                return point + 1;
        return (size_t)matching->text->tokens[token].start + matching->text->tokens[token].len;
}

/* After what ended at `point`: the ending that a Korean word may carry is passed. */
static size_t skip_ending(const struct matching *matching, size_t point)
{
        bool is_inside = point > 0 && point < matching->text->count &&
                         matching->token_at[point] == matching->token_at[point - 1] &&
                         script_at(matching, point) == BOT_SCRIPT_HANGUL;
        return is_inside ? token_end(matching, point) : point;
}

/* Marks where the next part may start when this one ended at `point`. */
static void note_starts(const struct matching *matching, size_t point, bool has_gap, uint8_t *starts)
{
        size_t at = skip_marks(matching, point);
        int words = 0, points = 0;
        starts[point] = starts[at] = 1;
        at = skip_marks(matching, skip_ending(matching, point));
        starts[at] = 1;
        while (has_gap && at < matching->text->count) {
                bool is_one_point = is_unspaced(script_at(matching, at));
                if (is_one_point ? ++points > GAP_POINTS : ++words > GAP_WORDS)
                        return;
                at = skip_marks(matching, is_one_point ? at + 1 : token_end(matching, at));
                starts[at] = 1;
        }
}

/* Where a way ends that starts at one of `starts`; `ends` is added to, its values are 1 + the first start. */
static void follow_way(const struct matching *matching, const struct way *way, const uint16_t *starts, uint16_t *ends)
{
        uint16_t from[PLACES], to[PLACES];
        size_t size = (matching->text->count + 1u) * sizeof(from[0]);
        memcpy(from, starts, size);
        for (uint8_t w = 0; w < way->count; w++) {
                memset(to, 0, size);
                for (size_t h = 0; h < matching->hit_count; h++) {
                        const struct automaton_hit *hit = &matching->hits[h];
                        if (hit->word == way->words[w] && from[hit->start] && !to[hit->end])
                                to[hit->end] = from[hit->start];
                }
                if (w + 1 == way->count)
                        break;
                memset(from, 0, size);
                for (size_t point = 0; point <= matching->text->count; point++) {
                        uint8_t next[PLACES];
                        if (!to[point])
                                continue;
                        memset(next, 0, sizeof(next));
                        note_starts(matching, point, false, next);
                        for (size_t i = point; i <= matching->text->count; i++)
                                from[i] = next[i] && !from[i] ? to[point] : from[i];
                }
        }
        for (size_t point = 0; point <= matching->text->count; point++)
                ends[point] = to[point] && !ends[point] ? to[point] : ends[point];
}

static bool try_pattern(const struct matching *matching, const struct pattern *pattern, struct bot_pattern_hit *out)
{
        uint16_t starts[PLACES] = {0}, ends[PLACES];
        size_t count = matching->text->count;
        for (size_t point = 0; point <= count; point++)
                starts[point] = (uint16_t)(point + 1);
        if (pattern->from_start) {
                memset(starts, 0, sizeof(starts));
                starts[skip_marks(matching, 0)] = 1;
        }
        for (uint8_t p = 0; p < pattern->count; p++) {
                const struct part *part = &pattern->parts[p];
                memset(ends, 0, sizeof(ends));
                for (uint8_t w = 0; w < part->count; w++)
                        follow_way(matching, &part->ways[w], starts, ends);
                if (p + 1 == pattern->count)
                        break;
                memset(starts, 0, sizeof(starts));
                for (size_t point = 0; point <= count; point++) {
                        uint8_t next[PLACES];
                        if (!ends[point])
                                continue;
                        memset(next, 0, sizeof(next));
                        note_starts(matching, point, pattern->parts[p + 1].has_gap, next);
                        for (size_t i = point; i <= count; i++)
                                starts[i] = next[i] && !starts[i] ? ends[point] : starts[i];
                }
        }
        for (size_t point = count + 1; point-- > 0;) {
                bool is_last = skip_marks(matching, point) == count ||
                               skip_marks(matching, skip_ending(matching, point)) == count;
                if (!ends[point] || (pattern->to_end && !is_last))
                        continue;
                *out = (struct bot_pattern_hit){pattern->rule, pattern->priority, pattern->words,
                                                (uint16_t)(ends[point] - 1), (uint16_t)point};
                return true;
        }
        return false;
}

/* Negative: a stands before b. */
static int compare(const struct bot_pattern_hit *a, const struct bot_pattern_hit *b)
{
        if (a->priority != b->priority)
                return a->priority > b->priority ? -1 : 1;
        if (a->words != b->words)
                return a->words > b->words ? -1 : 1;
        if (a->end - a->start != b->end - b->start)
                return a->end - a->start > b->end - b->start ? -1 : 1;
        return a->rule < b->rule ? -1 : a->rule > b->rule;
}

/* Puts it in its place; a rule stays with its best hit. */
static size_t insert(struct bot_pattern_hit *list, size_t count, size_t room, const struct bot_pattern_hit *hit)
{
        size_t at = 0;
        for (size_t i = 0; i < count; i++) {
                if (list[i].rule != hit->rule)
                        continue;
                if (compare(&list[i], hit) <= 0)
                        return count;
                memmove(&list[i], &list[i + 1], (--count - i) * sizeof(*list));
                break;
        }
        while (at < count && compare(&list[at], hit) < 0)
                at++;
        if (at == room)
                return count;
        count += count < room;
        memmove(&list[at + 1], &list[at], (count - 1 - at) * sizeof(*list));
        list[at] = *hit;
        return count;
}

size_t bot_patterns_match(const struct bot_patterns *patterns, const struct bot_text *text, const uint8_t *allowed,
                          struct bot_pattern_hit *out, size_t room)
{
        struct matching matching = {.text = text};
        size_t count = 0;
        note_tokens(&matching);
        matching.hit_count = automaton_find(patterns->words, text, matching.hits);
        for (size_t h = 0; h < matching.hit_count; h++) {
                uint32_t word = matching.hits[h].word;
                bool is_known = false;
                for (size_t before = 0; before < h && !is_known; before++)
                        is_known = matching.hits[before].word == word;
                for (uint32_t i = patterns->first[word]; !is_known && i < patterns->first[word + 1]; i++) {
                        const struct pattern *pattern = &patterns->list[patterns->by_word[i]];
                        struct bot_pattern_hit hit;
                        bool is_allowed = !allowed || (allowed[pattern->rule / 8] >> (pattern->rule % 8) & 1);
                        if (is_allowed && try_pattern(&matching, pattern, &hit))
                                count = insert(out, count, room, &hit);
                }
        }
        return count;
}
