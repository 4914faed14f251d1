/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors of questions: equal ones are one item with a weight; an item is a vector of n-grams of length CLUSTER_ONE, in
 * integers. Always true: items stand in the order of their first question; comparing all pairs by the postings takes at
 * most WORK_MOST products. */
#include "cluster_private.h"

#include <stdlib.h>
#include <string.h>

#include "bots/text.h"
#include "model.h"

enum { GRAM_SIZES = 2 };
#define WORK_MOST 200000000u

/* ---- items and their n-grams ---- */

struct key {
        char *text;
        uint32_t question;
};

static int compare_keys(const void *a, const void *b)
{
        const struct key *x = a, *y = b;
        int rc = strcmp(x->text, y->text);
        return rc ? rc : x->question < y->question ? -1 : x->question > y->question;
}

static int compare_items(const void *a, const void *b)
{
        const struct item *x = a, *y = b;
        return x->question < y->question ? -1 : x->question > y->question;
}

static char *key_of(struct span question)
{
        static const struct bot_text none;
        struct bot_text text = none;
        char key[BOT_TEXT_KEY];
        bot_text_of(question, &text);
        return strndup(key, bot_text_key(&text, key));
}

/* Equal keys become one item; items stand in the order of their first question. */
static int make_items(struct cluster_work *work, const struct span *questions, size_t count)
{
        struct key *keys = calloc(count + 1, sizeof *keys);
        size_t made = 0;
        for (; keys && made < count; made++) {
                keys[made] = (struct key){key_of(questions[made]), (uint32_t)made};
                if (!keys[made].text)
                        break;
        }
        bool is_whole = keys && made == count;
        if (is_whole)
                qsort(keys, count, sizeof *keys, compare_keys);
        for (size_t i = 0; is_whole && i < count; i++) {
                if (i == 0 || strcmp(keys[i].text, keys[i - 1].text) != 0)
                        work->items[work->item_count++] =
                                (struct item){.question = keys[i].question, .cluster = CLUSTER_NONE};
                work->items[work->item_count - 1].count++;
        }
        if (is_whole)
                qsort(work->items, work->item_count, sizeof *work->items, compare_items);
        uint32_t item = 0;
        for (size_t i = 0; is_whole && i < count; i++) {
                if (i == 0 || strcmp(keys[i].text, keys[i - 1].text) != 0) {
                        const struct item wanted = {.question = keys[i].question};
                        const struct item *found =
                                bsearch(&wanted, work->items, work->item_count, sizeof wanted, compare_items);
                        item = (uint32_t)(found - work->items);
                }
                work->item_of[keys[i].question] = item;
        }
        for (size_t i = 0; i < made; i++)
                free(keys[i].text);
        free(keys);
        return is_whole ? 0 : -1;
}

static uint32_t hash_points(const uint32_t *points, uint32_t count)
{
        uint32_t hash = 2166136261u ^ count;
        for (uint32_t i = 0; i < count; i++) {
                hash = (hash ^ points[i]) * 0x9e3779b1u;
                hash ^= hash >> 15;
        }
        return hash;
}

/* Scripts that say much in a letter are looked at in shorter pieces. */
static uint32_t least_size(const uint32_t *points, uint32_t count)
{
        uint32_t dense = 0;
        for (uint32_t i = 0; i < count; i++) {
                enum bot_script script = bot_script_of(points[i]);
                dense += script == BOT_SCRIPT_HANGUL || script == BOT_SCRIPT_HAN || script == BOT_SCRIPT_KANA;
        }
        return 2 * dense >= count ? 1 : 2;
}

static int add_gram(struct cluster_work *work, size_t *room, uint32_t key, uint32_t item)
{
        if (work->gram_count == *room) {
                size_t more = *room ? 2 * *room : 65536;
                struct gram *grams = realloc(work->grams, more * sizeof *grams);
                if (!grams)
                        return -1;
                work->grams = grams;
                *room = more;
        }
        work->grams[work->gram_count++] = (struct gram){key, item, 1};
        return 0;
}

static int add_grams(struct cluster_work *work, size_t *room, struct span question, uint32_t item)
{
        struct bot_text text;
        uint32_t points[BOT_CLUSTER_POINTS], count = 0;
        bot_text_of(question, &text);
        for (uint32_t i = 0; i < text.count && count < BOT_CLUSTER_POINTS; i++) {
                enum bot_script script = bot_script_of(text.points[i]);
                if (script != BOT_SCRIPT_BLANK && script != BOT_SCRIPT_MARK)
                        points[count++] = text.points[i];
        }
        uint32_t least = least_size(points, count);
        for (uint32_t size = least; size < least + GRAM_SIZES; size++)
                for (uint32_t i = 0; i + size <= count; i++)
                        if (add_gram(work, room, hash_points(points + i, size), item) < 0)
                                return -1;
        return 0;
}

static int compare_grams(const void *a, const void *b)
{
        const struct gram *x = a, *y = b;
        if (x->key != y->key)
                return x->key < y->key ? -1 : 1;
        return x->item < y->item ? -1 : x->item > y->item;
}

static int find_grams(struct cluster_work *work, const struct span *questions)
{
        size_t room = 0, kept = 0;
        for (uint32_t i = 0; i < work->item_count; i++)
                if (add_grams(work, &room, questions[work->items[i].question], i) < 0)
                        return -1;
        if (work->gram_count > 0)
                qsort(work->grams, work->gram_count, sizeof *work->grams, compare_grams);
        for (size_t i = 0; i < work->gram_count; i++) {
                if (kept > 0 && compare_grams(&work->grams[kept - 1], &work->grams[i]) == 0)
                        work->grams[kept - 1].times++;
                else
                        work->grams[kept++] = work->grams[i];
        }
        work->gram_count = kept;
        return 0;
}

/* ---- vectors ---- */

static uint64_t root_of(uint64_t x)
{
        uint64_t root = 0;
        for (uint64_t bit = UINT64_C(1) << 31; bit; bit >>= 1)
                if ((root + bit) * (root + bit) <= x)
                        root += bit;
        return root;
}

/* Items that have the gram that begins at `from`. */
static size_t spread_of(const struct cluster_work *work, size_t from)
{
        size_t to = from;
        while (to < work->gram_count && work->grams[to].key == work->grams[from].key)
                to++;
        return to - from;
}

/* The number of items a gram may stand in, so that comparing all pairs stays within WORK_MOST. */
static size_t most_spread(const struct cluster_work *work, uint32_t *by_spread)
{
        for (size_t i = 0, n; i < work->gram_count; i += n) {
                n = spread_of(work, i);
                by_spread[n]++;
        }
        uint64_t sum = 0;
        for (size_t n = 1; n <= work->item_count; n++) {
                sum += (uint64_t)by_spread[n] * n * n;
                if (sum > WORK_MOST)
                        return n - 1;
        }
        return work->item_count;
}

static uint32_t weight_of(const struct cluster_work *work, size_t spread, uint32_t times)
{
        static const uint32_t damped[5] = {0, 64, 108, 134, 153}; /* 1 + ln(times), in 1/64 */
        uint64_t rarity = 65536u + ((uint64_t)work->item_count << 16) / spread;
        int32_t logarithm = fixed_ln(rarity); /* ln(1 + items / spread), in 1 / MODEL_ONE */
        return (uint32_t)logarithm * damped[times < 5 ? times : 4] / 64;
}

/* Numbers the grams that are kept and sorts their parts by item. */
static int make_parts(struct cluster_work *work, size_t most)
{
        work->parts = calloc(work->gram_count + 1, sizeof *work->parts);
        if (!work->parts)
                return -1;
        for (size_t i = 0, n; i < work->gram_count; i += n) {
                n = spread_of(work, i);
                for (size_t k = i; k < i + n; k++)
                        work->items[work->grams[k].item].size += n > 1 && n <= most;
        }
        uint32_t at = 0;
        for (uint32_t i = 0; i < work->item_count; i++) {
                work->items[i].first = at;
                at += work->items[i].size;
                work->items[i].size = 0;
        }
        for (size_t i = 0, n; i < work->gram_count; i += n) {
                n = spread_of(work, i);
                if (n < 2 || n > most)
                        continue;
                for (size_t k = i; k < i + n; k++) {
                        struct item *item = &work->items[work->grams[k].item];
                        work->parts[item->first + item->size++] =
                                (struct part){work->gram_numbers, weight_of(work, n, work->grams[k].times)};
                }
                work->gram_numbers++;
        }
        return 0;
}

/* A gram of one item alone joins nothing, but belongs to the item's length: what is only its own makes it less like
 * others. */
static int measure(struct cluster_work *work, size_t most)
{
        uint64_t *squares = calloc(work->item_count + 1u, sizeof *squares);
        if (!squares)
                return -1;
        for (size_t i = 0, n; i < work->gram_count; i += n) {
                n = spread_of(work, i);
                for (size_t k = i; n <= most && k < i + n; k++) {
                        uint64_t weight = weight_of(work, n, work->grams[k].times);
                        squares[work->grams[k].item] += weight * weight;
                }
        }
        for (uint32_t i = 0; i < work->item_count; i++) {
                uint64_t length = root_of(squares[i]);
                for (uint32_t k = 0; k < work->items[i].size; k++) {
                        struct part *part = &work->parts[work->items[i].first + k];
                        part->weight = (uint32_t)((uint64_t)part->weight * CLUSTER_ONE / (length ? length : 1));
                }
        }
        free(squares);
        return 0;
}

/* The same parts by gram: who has it, and how much. */
static int make_postings(struct cluster_work *work)
{
        size_t total = 0;
        for (uint32_t i = 0; i < work->item_count; i++)
                total += work->items[i].size;
        work->postings = calloc(total + 1, sizeof *work->postings);
        work->posting_at = calloc(work->gram_numbers + 2u, sizeof *work->posting_at);
        if (!work->postings || !work->posting_at)
                return -1;
        for (size_t i = 0; i < total; i++)
                work->posting_at[work->parts[i].gram + 2]++;
        for (uint32_t i = 2; i < work->gram_numbers + 2u; i++)
                work->posting_at[i] += work->posting_at[i - 1];
        for (uint32_t i = 0; i < work->item_count; i++)
                for (uint32_t k = 0; k < work->items[i].size; k++) {
                        const struct part *part = &work->parts[work->items[i].first + k];
                        work->postings[work->posting_at[part->gram + 1]++] = (struct posting){i, part->weight};
                }
        return 0;
}

int cluster_make_vectors(struct cluster_work *work, const struct span *questions, size_t count)
{
        if (make_items(work, questions, count) < 0)
                return -1;
        uint32_t *by_spread = calloc(work->item_count + 1u, sizeof *by_spread);
        int rc = by_spread && find_grams(work, questions) == 0 ? 0 : -1;
        size_t most = rc == 0 ? most_spread(work, by_spread) : 0;
        free(by_spread);
        if (rc == 0)
                rc = make_parts(work, most);
        if (rc == 0)
                rc = measure(work, most);
        return rc == 0 ? make_postings(work) : -1;
}
