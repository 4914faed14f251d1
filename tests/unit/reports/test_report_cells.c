/* SPDX-License-Identifier: Apache-2.0 */
/* Cells are sums: in any order, taken back or not, the same things give the same bytes. */
#include <stdlib.h>

#include "desk/reports/cell.h"
#include "protocol/writer.h"
#include "unit/ops/cmocka_all.h"

static uint32_t seed = 77;

static uint32_t draw(uint32_t below)
{
        seed = seed * 1664525u + 1013904223u;
        return (seed >> 8) % below;
}

static void assert_same(const struct cell *a, const struct cell *b)
{
        struct writer x, y;
        writer_init(&x, NULL, 0);
        writer_init(&y, NULL, 0);
        cell_write(a, &x);
        cell_write(b, &y);
        assert_int_equal(x.len, y.len);
        if (x.len > 0)
                assert_memory_equal(x.bytes, y.bytes, x.len);
        writer_done(&x);
        writer_done(&y);
}

static void what_is_added_and_taken_back_leaves_nothing(void **state)
{
        enum { THINGS = 500 };
        struct cell cell = {0}, none = {0};
        int metric[THINGS];
        int64_t sum[THINGS];
        int32_t bucket[THINGS];
        (void)state;
        for (int i = 0; i < THINGS; i++) {
                metric[i] = 1 + (int)draw(30);
                sum[i] = draw(1000000);
                bucket[i] = (int32_t)draw(300) - 1;
                cell_add(&cell, metric[i], 1, sum[i], bucket[i]);
        }
        for (int i = THINGS; i-- > 0;)
                cell_add(&cell, metric[i], -1, -sum[i], bucket[i]);
        assert_same(&none, &cell);
        cell_done(&cell);
}

static void the_order_does_not_matter_and_bytes_come_back(void **state)
{
        struct cell forward = {0}, backward = {0}, again = {0};
        struct writer out;
        (void)state;
        for (int64_t i = 0; i < 300; i++) {
                int64_t j = 299 - i;
                cell_add(&forward, 1 + (int)(i % 7), 1, i * i * 1000, (int32_t)(i % 50));
                cell_add(&backward, 1 + (int)(j % 7), 1, j * j * 1000, (int32_t)(j % 50));
        }
        assert_same(&forward, &backward);
        writer_init(&out, NULL, 0);
        cell_write(&forward, &out);
        cell_read(&again, (struct span){out.bytes, out.len}, UINT64_MAX);
        assert_false(again.has_failed);
        assert_same(&forward, &again);
        for (size_t len = 1; len < out.len; len++) { /* a cut cell is never a crash */
                struct cell cut = {0};
                cell_read(&cut, (struct span){out.bytes, len}, UINT64_MAX);
                cell_done(&cut);
        }
        writer_done(&out);
        cell_done(&forward);
        cell_done(&backward);
        cell_done(&again);
}

static void only_wanted_metrics_are_read(void **state)
{
        struct cell cell = {0}, some = {0};
        struct writer out;
        (void)state;
        for (int metric = 1; metric < 20; metric++)
                cell_add(&cell, metric, metric, 5, 3);
        writer_init(&out, NULL, 0);
        cell_write(&cell, &out);
        cell_read(&some, (struct span){out.bytes, out.len}, 1u << 7);
        assert_int_equal(1, some.count);
        assert_int_equal(7, cell_part(&some, 7)->n);
        assert_null(cell_part(&some, 8));
        writer_done(&out);
        cell_done(&cell);
        cell_done(&some);
}

static void the_middle_of_a_bucket_is_near_what_is_in_it(void **state)
{
        (void)state;
        for (int64_t ms = 32000; ms < INT64_C(4000000000); ms += ms / 97 + 13) {
                int64_t middle_ms = cell_bucket_middle_ms(cell_bucket_of(ms));
                int64_t off = middle_ms > ms ? middle_ms - ms : ms - middle_ms;
                assert_true(off * 1000 <= ms * 33);
        }
        for (int64_t ms = 0; ms < 32000; ms += 7)
                assert_int_equal(ms / 1000 * 1000 + 500, cell_bucket_middle_ms(cell_bucket_of(ms)));
}

static int by_size(const void *a, const void *b)
{
        const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
        return (x > y) - (x < y);
}

static void a_median_is_within_the_error_that_is_promised(void **state)
{
        enum { MANY = 999 };
        int64_t times[MANY];
        struct cell cell = {0};
        (void)state;
        for (int i = 0; i < MANY; i++) {
                times[i] = 40000 + (int64_t)draw(1000) * draw(10000);
                cell_add(&cell, 5, 1, times[i], cell_bucket_of(times[i]));
        }
        qsort(times, MANY, sizeof *times, by_size);
        int64_t median_ms = cell_percentile_ms(cell_part(&cell, 5), 50), true_ms = times[MANY / 2];
        assert_true(llabs(median_ms - true_ms) * 1000 <= true_ms * 33);
        cell_done(&cell);
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_added_and_taken_back_leaves_nothing),
                                           cmocka_unit_test(the_order_does_not_matter_and_bytes_come_back),
                                           cmocka_unit_test(only_wanted_metrics_are_read),
                                           cmocka_unit_test(the_middle_of_a_bucket_is_near_what_is_in_it),
                                           cmocka_unit_test(a_median_is_within_the_error_that_is_promised)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
