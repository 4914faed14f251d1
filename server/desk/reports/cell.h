/* SPDX-License-Identifier: Apache-2.0 */
/* Cell: sums of one day of one value of a dimension: of each metric how many, their sum, and for times and scores how
 * often which bucket. Cells are added to and taken from; adding everything again gives the same bytes. Pure.
 *
 * Buckets of times are of whole seconds: one each up to 31, then sixteen for each doubling, so that the middle of a
 * bucket is at most 3.2 % from what is in it. Buckets of scores: 16 x the top of the scale + the score. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/span.h"

struct writer;

struct cell_bucket {
        int32_t at;
        int64_t n;
};

struct cell_part {
        int metric; /* enum metric_id */
        int64_t n, sum;
        struct cell_bucket *buckets; /* by `at` */
        size_t bucket_count, bucket_room;
};

struct cell {
        struct cell_part *parts; /* by metric */
        size_t count, room;
        bool has_failed; /* out of memory, or bytes that are no cell: what it says is not whole */
};

void cell_done(struct cell *cell); /* empty again */
/* `bucket`: -1 = none; it counts `n` times. */
void cell_add(struct cell *cell, int metric, int64_t n, int64_t sum, int32_t bucket);
/* A bucket alone. */
void cell_add_bucket(struct cell *cell, int metric, int32_t bucket, int64_t n);
void cell_merge(struct cell *into, const struct cell *from, int sign);  /* sign: 1 or -1 */
const struct cell_part *cell_part(const struct cell *cell, int metric); /* NULL = nothing */
/* Appends what is in it, nothing when everything is 0: one form for the same sums. */
void cell_write(const struct cell *cell, struct writer *out);
/* Adds what was written; of the metrics in `wanted` (1 << number) alone. */
void cell_read(struct cell *cell, struct span bytes, uint64_t wanted);

int32_t cell_bucket_of(int64_t ms);
int64_t cell_bucket_middle_ms(int32_t bucket);
/* The middle of the bucket in which the k-th smallest lies, k = percent of n, rounded up. -1: there is none. */
int64_t cell_percentile_ms(const struct cell_part *part, int percent);
