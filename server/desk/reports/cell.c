/* SPDX-License-Identifier: Apache-2.0 */
/* Cell: see cell.h. As bytes: metric, n, sum, count of buckets, then each bucket as the step from the one before it and
 * its n; numbers seven bits a byte, the lowest first, those that may be below 0 folded (0, -1, 1, -2 ...). */
#include "desk/reports/cell.h"

#include <stdlib.h>
#include <string.h>

#include "protocol/writer.h"

enum { LINEAR = 32, STEPS = 16, STEP_BITS = 4 };

void cell_done(struct cell *cell)
{
        for (size_t i = 0; i < cell->count; i++)
                free(cell->parts[i].buckets);
        free(cell->parts);
        *cell = (struct cell){0};
}

/* Room for one more behind `count`. */
static bool grow(void **list, size_t *room, size_t count, size_t size)
{
        if (count < *room)
                return true;
        size_t more = *room ? *room * 2 : 8;
        void *longer = realloc(*list, more * size);
        if (!longer)
                return false;
        *list = longer;
        *room = more;
        return true;
}

static struct cell_part *part_for(struct cell *cell, int metric)
{
        size_t at = 0;
        while (at < cell->count && cell->parts[at].metric < metric)
                at++;
        if (at < cell->count && cell->parts[at].metric == metric)
                return &cell->parts[at];
        if (!grow((void **)&cell->parts, &cell->room, cell->count, sizeof *cell->parts)) {
                cell->has_failed = true;
                return NULL;
        }
        memmove(cell->parts + at + 1, cell->parts + at, (cell->count - at) * sizeof *cell->parts);
        cell->parts[at] = (struct cell_part){.metric = metric};
        cell->count++;
        return &cell->parts[at];
}

static void count_bucket(struct cell *cell, struct cell_part *part, int32_t bucket, int64_t n)
{
        size_t low = 0, high = part->bucket_count;
        while (low < high) {
                size_t middle = (low + high) / 2;
                if (part->buckets[middle].at < bucket)
                        low = middle + 1;
                else
                        high = middle;
        }
        if (low < part->bucket_count && part->buckets[low].at == bucket) {
                part->buckets[low].n += n;
                return;
        }
        if (!grow((void **)&part->buckets, &part->bucket_room, part->bucket_count, sizeof *part->buckets)) {
                cell->has_failed = true;
                return;
        }
        memmove(part->buckets + low + 1, part->buckets + low, (part->bucket_count - low) * sizeof *part->buckets);
        part->buckets[low] = (struct cell_bucket){bucket, n};
        part->bucket_count++;
}

void cell_add(struct cell *cell, int metric, int64_t n, int64_t sum, int32_t bucket)
{
        struct cell_part *part = part_for(cell, metric);
        if (!part)
                return;
        part->n += n;
        part->sum += sum;
        if (bucket >= 0)
                count_bucket(cell, part, bucket, n);
}

void cell_add_bucket(struct cell *cell, int metric, int32_t bucket, int64_t n)
{
        struct cell_part *part = part_for(cell, metric);
        if (part)
                count_bucket(cell, part, bucket, n);
}

void cell_merge(struct cell *into, const struct cell *from, int sign)
{
        for (size_t i = 0; i < from->count; i++) {
                const struct cell_part *part = &from->parts[i];
                cell_add(into, part->metric, sign * part->n, sign * part->sum, -1);
                for (size_t j = 0; j < part->bucket_count; j++)
                        cell_add_bucket(into, part->metric, part->buckets[j].at, sign * part->buckets[j].n);
        }
        into->has_failed = into->has_failed || from->has_failed;
}

const struct cell_part *cell_part(const struct cell *cell, int metric)
{
        for (size_t i = 0; i < cell->count; i++)
                if (cell->parts[i].metric == metric)
                        return &cell->parts[i];
        return NULL;
}

/* ---- as bytes ---- */

static void put(struct writer *out, uint64_t value)
{
        for (; value >= 128; value >>= 7)
                writer_char(out, (char)(128 | (value & 127)));
        writer_char(out, (char)value);
}

static void put_signed(struct writer *out, int64_t value)
{
        put(out, (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0));
}

static bool get(struct span *bytes, uint64_t *out_value)
{
        uint64_t value = 0;
        for (int shift = 0; bytes->len > 0 && shift < 64; shift += 7) {
                uint8_t byte = (uint8_t)*bytes->at++;
                bytes->len--;
                value |= (uint64_t)(byte & 127) << shift;
                if (byte < 128) {
                        *out_value = value;
                        return true;
                }
        }
        return false;
}

static bool get_signed(struct span *bytes, int64_t *out_value)
{
        uint64_t folded = 0;
        bool is_there = get(bytes, &folded);
        *out_value = (int64_t)(folded >> 1) ^ -(int64_t)(folded & 1);
        return is_there;
}

void cell_write(const struct cell *cell, struct writer *out)
{
        for (size_t i = 0; i < cell->count; i++) {
                const struct cell_part *part = &cell->parts[i];
                size_t used = 0;
                int32_t before = 0;
                for (size_t j = 0; j < part->bucket_count; j++)
                        used += part->buckets[j].n != 0;
                if (part->n == 0 && part->sum == 0 && used == 0)
                        continue;
                put(out, (uint64_t)part->metric);
                put_signed(out, part->n);
                put_signed(out, part->sum);
                put(out, used);
                for (size_t j = 0; j < part->bucket_count; j++) {
                        if (part->buckets[j].n == 0)
                                continue;
                        put(out, (uint64_t)(part->buckets[j].at - before));
                        put_signed(out, part->buckets[j].n);
                        before = part->buckets[j].at;
                }
        }
}

static bool read_part(struct cell *cell, struct span *bytes, uint64_t wanted)
{
        uint64_t metric = 0, used = 0, step = 0;
        int64_t n = 0, sum = 0, count = 0;
        if (!get(bytes, &metric) || metric > 63 || !get_signed(bytes, &n) || !get_signed(bytes, &sum) ||
            !get(bytes, &used))
                return false;
        struct cell_part *part = wanted >> metric & 1 ? part_for(cell, (int)metric) : NULL;
        if (part) {
                part->n += n;
                part->sum += sum;
        }
        for (int32_t at = 0; used > 0; used--) {
                if (!get(bytes, &step) || step > 1 << 20 || !get_signed(bytes, &count))
                        return false;
                at += (int32_t)step;
                if (part)
                        count_bucket(cell, part, at, count);
        }
        return true;
}

void cell_read(struct cell *cell, struct span bytes, uint64_t wanted)
{
        while (bytes.len > 0) {
                if (!read_part(cell, &bytes, wanted)) {
                        cell->has_failed = true;
                        return;
                }
        }
}

/* ---- buckets of times ---- */

int32_t cell_bucket_of(int64_t ms)
{
        uint64_t seconds = ms > 0 ? (uint64_t)ms / 1000 : 0;
        if (seconds < LINEAR)
                return (int32_t)seconds;
        int doubling = 63 - __builtin_clzll(seconds); /* at least 5 */
        int32_t step = (int32_t)(seconds >> (doubling - STEP_BITS)) & (STEPS - 1);
        return LINEAR + (doubling - 5) * STEPS + step;
}

int64_t cell_bucket_middle_ms(int32_t bucket)
{
        if (bucket < LINEAR)
                return (int64_t)bucket * 1000 + 500;
        int doubling = (bucket - LINEAR) / STEPS + 5, step = (bucket - LINEAR) % STEPS;
        int64_t from_s = (int64_t)(STEPS + step) << (doubling - STEP_BITS),
                width_s = (int64_t)1 << (doubling - STEP_BITS);
        return from_s * 1000 + width_s * 500;
}

int64_t cell_percentile_ms(const struct cell_part *part, int percent)
{
        int64_t all = 0, so_far = 0;
        for (size_t i = 0; i < part->bucket_count; i++)
                all += part->buckets[i].n;
        int64_t wanted = (all * percent + 99) / 100;
        for (size_t i = 0; i < part->bucket_count; i++) {
                so_far += part->buckets[i].n;
                if (so_far >= wanted && so_far > 0)
                        return cell_bucket_middle_ms(part->buckets[i].at);
        }
        return -1;
}
