/* SPDX-License-Identifier: Apache-2.0 */
#include "desk/routing/queue.h"

#include <stdlib.h>
#include <string.h>

/* ---- wants ---- */

static int by_word(const void *a, const void *b)
{
        return strcmp(a, b);
}

static int by_number(const void *a, const void *b)
{
        int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
        return (left > right) - (left < right);
}

void want_settle(struct want *want)
{
        uint32_t kept = 0;
        qsort(want->skills, want->skill_count, sizeof want->skills[0], by_word);
        for (uint32_t i = 0; i < want->skill_count; i++)
                if (i == 0 || strcmp(want->skills[i], want->skills[kept - 1]) != 0)
                        memmove(want->skills[kept++], want->skills[i], sizeof want->skills[0]);
        want->skill_count = kept;
        kept = 0;
        qsort(want->passed, want->passed_count, sizeof want->passed[0], by_number);
        for (uint32_t i = 0; i < want->passed_count; i++)
                if (i == 0 || want->passed[i] != want->passed[kept - 1])
                        want->passed[kept++] = want->passed[i];
        want->passed_count = kept;
}

static uint64_t mix(uint64_t hash, const void *bytes, size_t len)
{
        const unsigned char *at = bytes;
        for (size_t i = 0; i < len; i++)
                hash = (hash ^ at[i]) * 0x100000001b3u;
        return (hash ^ 0xff) * 0x100000001b3u; /* where a word ends counts */
}

static uint64_t hash_of(const struct want *want)
{
        uint64_t hash = 0xcbf29ce484222325u;
        for (uint32_t i = 0; i < want->skill_count; i++)
                hash = mix(hash, want->skills[i], strlen(want->skills[i]));
        hash = mix(hash, want->lang, strlen(want->lang));
        hash = mix(hash, &want->weight, sizeof want->weight);
        hash = mix(hash, want->passed, want->passed_count * sizeof want->passed[0]);
        return hash ^ want->needs_lang;
}

bool want_is_same(const struct want *a, const struct want *b)
{
        if (a->skill_count != b->skill_count || a->needs_lang != b->needs_lang || a->weight != b->weight ||
            a->passed_count != b->passed_count || strcmp(a->lang, b->lang) != 0)
                return false;
        for (uint32_t i = 0; i < a->skill_count; i++)
                if (strcmp(a->skills[i], b->skills[i]) != 0)
                        return false;
        for (uint32_t i = 0; i < a->passed_count; i++)
                if (a->passed[i] != b->passed[i])
                        return false;
        return true;
}

/* ---- lanes ---- */

static void lane_free(struct queue_lane *lane)
{
        free(lane->items);
        free(lane);
}

void queue_done(struct queue *queue)
{
        for (size_t i = 0; i < queue->lane_count; i++)
                lane_free(queue->lanes[i]);
        free(queue->lanes);
        *queue = (struct queue){0};
}

static struct queue_lane *lane_find(const struct queue *queue, const struct want *want, uint64_t hash)
{
        for (size_t i = 0; i < queue->lane_count; i++)
                if (queue->lanes[i]->hash == hash && want_is_same(&queue->lanes[i]->want, want))
                        return queue->lanes[i];
        return NULL;
}

static struct queue_lane *lane_make(struct queue *queue, const struct want *want, uint64_t hash)
{
        if (queue->lane_count == queue->lane_room) {
                size_t room = queue->lane_room ? queue->lane_room * 2 : 8;
                struct queue_lane **longer = realloc(queue->lanes, room * sizeof(struct queue_lane *));
                if (!longer)
                        return NULL;
                queue->lanes = longer;
                queue->lane_room = room;
        }
        struct queue_lane *lane = calloc(1, sizeof *lane);
        if (!lane)
                return NULL;
        lane->want = *want;
        lane->hash = hash;
        queue->lanes[queue->lane_count++] = lane;
        return lane;
}

static void lane_drop(struct queue *queue, struct queue_lane *lane)
{
        size_t at = 0;
        while (queue->lanes[at] != lane)
                at++;
        queue->lanes[at] = queue->lanes[--queue->lane_count];
        lane_free(lane);
}

/* ---- items ---- */

bool queue_is_before(const struct queue_item *a, const struct queue_item *b)
{
        if (a->priority != b->priority)
                return a->priority > b->priority;
        if (a->since_ms != b->since_ms)
                return a->since_ms < b->since_ms;
        return a->id < b->id;
}

/* How many of the lane come before it. */
static size_t rank(const struct queue_lane *lane, const struct queue_item *item)
{
        size_t low = 0, high = lane->count;
        while (low < high) {
                size_t middle = low + (high - low) / 2;
                if (queue_is_before(lane->items[middle], item))
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

static bool has_room(struct queue_lane *lane)
{
        if (lane->count < lane->room)
                return true;
        size_t room = lane->room ? lane->room * 2 : 8;
        struct queue_item **longer = realloc(lane->items, room * sizeof(struct queue_item *));
        if (!longer)
                return false;
        lane->items = longer;
        lane->room = room;
        return true;
}

int queue_add(struct queue *queue, struct queue_item *item, const struct want *want)
{
        uint64_t hash = hash_of(want);
        struct queue_lane *lane = lane_find(queue, want, hash);
        if (!lane && !(lane = lane_make(queue, want, hash)))
                return -1;
        if (!has_room(lane)) {
                if (lane->count == 0)
                        lane_drop(queue, lane);
                return -1;
        }
        size_t at = rank(lane, item);
        memmove(lane->items + at + 1, lane->items + at, (lane->count - at) * sizeof(struct queue_item *));
        lane->items[at] = item;
        lane->count++;
        queue->count++;
        item->lane = lane;
        return 0;
}

void queue_remove(struct queue *queue, struct queue_item *item)
{
        struct queue_lane *lane = item->lane;
        size_t at = rank(lane, item);
        lane->count--;
        queue->count--;
        memmove(lane->items + at, lane->items + at + 1, (lane->count - at) * sizeof(struct queue_item *));
        item->lane = NULL;
        if (lane->count == 0)
                lane_drop(queue, lane);
}

size_t queue_place(const struct queue *queue, const struct queue_item *item)
{
        size_t before = 0;
        for (size_t i = 0; i < queue->lane_count; i++)
                before += rank(queue->lanes[i], item);
        return before + 1;
}

/* The first that queue_each has not come to; NULL: there is none. */
static struct queue_item *next_of_all(struct queue *queue)
{
        struct queue_lane *first = NULL;
        for (size_t i = 0; i < queue->lane_count; i++) {
                struct queue_lane *lane = queue->lanes[i];
                if (lane->at < lane->count &&
                    (!first || queue_is_before(lane->items[lane->at], first->items[first->at])))
                        first = lane;
        }
        return first ? first->items[first->at++] : NULL;
}

void queue_each(struct queue *queue, void (*each)(void *data, struct queue_item *item, size_t place), void *data)
{
        struct queue_item *item;
        for (size_t i = 0; i < queue->lane_count; i++)
                queue->lanes[i]->at = 0;
        for (size_t place = 1; (item = next_of_all(queue)) != NULL; place++)
                each(data, item, place);
}

/* Of one priority the first of a lane waits longest; there are few priorities, so few of its items are looked at. */
static const struct queue_item *lane_oldest(const struct queue_lane *lane)
{
        const struct queue_item *oldest = lane->items[0];
        size_t at = 0;
        while (at < lane->count) {
                if (lane->items[at]->since_ms < oldest->since_ms)
                        oldest = lane->items[at];
                struct queue_item next = {
                        .priority = lane->items[at]->priority, .since_ms = INT64_MAX, .id = INT64_MAX};
                at = rank(lane, &next);
        }
        return oldest;
}

const struct queue_item *queue_oldest(const struct queue *queue)
{
        const struct queue_item *oldest = NULL;
        for (size_t i = 0; i < queue->lane_count; i++) {
                const struct queue_item *one = lane_oldest(queue->lanes[i]);
                if (!oldest || one->since_ms < oldest->since_ms)
                        oldest = one;
        }
        return oldest;
}
