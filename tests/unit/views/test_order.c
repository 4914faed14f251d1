/* SPDX-License-Identifier: Apache-2.0 */
/* The order of a view against a plain array that is sorted anew each time. */
#include <stdlib.h>
#include <string.h>

#include "desk/views/order.h"
#include "unit/ops/cmocka_all.h"

enum { STEPS = 60000, MOST = 6000, LOOK_EVERY = 500 };

static uint64_t seed = 42;

static uint32_t dice(uint32_t sides)
{
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        return (uint32_t)(seed >> 33) % sides;
}

static struct order_item items[MOST + 1];
static size_t item_count;

static int compare(const void *a, const void *b)
{
        const struct order_item *x = a, *y = b;
        if (x->key != y->key)
                return x->key < y->key ? -1 : 1;
        return x->id < y->id ? -1 : x->id > y->id;
}

/* The whole order, read in pages of that size. */
static void assert_same(const struct order *order, size_t page)
{
        static struct order_item sorted[MOST], read[MOST + 1];
        size_t count = 0;
        memcpy(sorted, items, item_count * sizeof *items);
        qsort(sorted, item_count, sizeof *sorted, compare);
        assert_int_equal(order_count(order), item_count);
        for (;;) {
                size_t got = order_page(order, count ? &read[count - 1] : NULL, &read[count],
                                        page < MOST + 1 - count ? page : MOST + 1 - count);
                count += got;
                if (got < page)
                        break;
        }
        assert_int_equal(count, item_count);
        assert_memory_equal(read, sorted, count * sizeof *read);
}

static void random_changes_keep_the_order_of_a_sorted_array(void **state)
{
        struct order order = {0};
        (void)state;
        item_count = 0;
        for (int step = 0; step < STEPS; step++) {
                bool grows = step < STEPS / 2 ? dice(10) < 7 : dice(10) < 3;
                if (grows && item_count < MOST) {
                        struct order_item item = {dice(50) == 0 ? INT64_MAX : (int64_t)dice(3000) - 1500, step};
                        assert_false(order_has(&order, item));
                        assert_int_equal(order_insert(&order, item), 0);
                        assert_int_equal(order_insert(&order, item), 1);
                        items[item_count++] = item;
                } else if (item_count > 0) {
                        size_t at = dice((uint32_t)item_count);
                        assert_true(order_has(&order, items[at]));
                        assert_true(order_remove(&order, items[at]));
                        assert_false(order_remove(&order, items[at]));
                        items[at] = items[--item_count];
                }
                if (step % LOOK_EVERY == 0)
                        assert_same(&order, 1 + dice(700));
        }
        while (item_count > 0)
                assert_true(order_remove(&order, items[--item_count]));
        assert_int_equal(order_count(&order), 0);
        assert_same(&order, 10);
        order_done(&order);
}

static void what_is_filled_in_one_go_is_the_same_as_what_is_inserted(void **state)
{
        struct order order = {0};
        static struct order_item copy[MOST];
        (void)state;
        assert_int_equal(order_insert(&order, (struct order_item){1, 1}), 0); /* is replaced */
        for (item_count = 0; item_count < MOST; item_count++)
                items[item_count] = (struct order_item){dice(100), (int64_t)item_count};
        memcpy(copy, items, sizeof copy);
        assert_int_equal(order_fill(&order, copy, MOST), 0);
        assert_same(&order, 100);
        assert_true(order_remove(&order, items[--item_count]));
        assert_same(&order, 1000);
        order_done(&order);
}

static void what_grows_at_its_end_stays_small(void **state)
{
        struct order order = {0};
        enum { COUNT = 20000 };
        (void)state;
        for (int64_t i = 0; i < COUNT; i++)
                assert_int_equal(order_insert(&order, (struct order_item){i, i}), 0);
        assert_in_range(order.slot_count, COUNT / ORDER_LEAF, COUNT / (ORDER_LEAF / 10 * 9) + 1);
        struct order_item page[2];
        struct order_item after = {COUNT / 2, COUNT / 2};
        assert_int_equal(order_page(&order, &after, page, 2), 2);
        assert_int_equal(page[0].id, COUNT / 2 + 1);
        after = (struct order_item){COUNT, 0};
        assert_int_equal(order_page(&order, &after, page, 2), 0);
        order_done(&order);
}

static void what_is_appended_is_the_same_as_what_is_inserted(void **state)
{
        struct order order = {0};
        (void)state;
        for (item_count = 0; item_count < MOST; item_count++) {
                items[item_count] = (struct order_item){(int64_t)item_count / 3, (int64_t)item_count};
                assert_int_equal(order_append(&order, items[item_count]), 0);
        }
        assert_same(&order, 100);
        assert_int_equal(order_insert(&order, items[MOST / 2]), 1); /* it is there */
        while (item_count > 0)
                assert_true(order_remove(&order, items[--item_count]));
        assert_int_equal(order_count(&order), 0);
        order_done(&order);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(random_changes_keep_the_order_of_a_sorted_array),
                cmocka_unit_test(what_is_filled_in_one_go_is_the_same_as_what_is_inserted),
                cmocka_unit_test(what_grows_at_its_end_stays_small),
                cmocka_unit_test(what_is_appended_is_the_same_as_what_is_inserted),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
