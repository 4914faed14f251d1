/* SPDX-License-Identifier: Apache-2.0 */
/* Queues: the order of those who wait, their places, and lanes that come and go. */
#include <stdlib.h>
#include <string.h>

#include "desk/routing/queue.h"
#include "unit/ops/cmocka_all.h"

static struct want plain(void)
{
        return (struct want){.weight = 1};
}

static struct want skilled(const char *skill)
{
        struct want want = plain();
        strcpy(want.skills[want.skill_count++], skill);
        return want;
}

static void urgent_ones_come_first_then_the_longest_wait_then_the_older_ticket(void **state)
{
        (void)state;
        struct queue queue = {0};
        struct want want = plain();
        struct queue_item items[] = {
                {.priority = 2, .since_ms = 100, .id = 1},
                {.priority = 4, .since_ms = 900, .id = 2},
                {.priority = 2, .since_ms = 50, .id = 4},
                {.priority = 2, .since_ms = 50, .id = 3},
        };
        for (size_t i = 0; i < 4; i++)
                assert_int_equal(0, queue_add(&queue, &items[i], &want));
        assert_int_equal(1, queue_place(&queue, &items[1]));
        assert_int_equal(2, queue_place(&queue, &items[3]));
        assert_int_equal(3, queue_place(&queue, &items[2]));
        assert_int_equal(4, queue_place(&queue, &items[0]));
        queue_done(&queue);
}

static void a_place_counts_those_of_all_lanes(void **state)
{
        (void)state;
        struct queue queue = {0};
        struct want one = plain(), other = skilled("refunds");
        struct queue_item first = {.priority = 2, .since_ms = 1, .id = 1},
                          second = {.priority = 2, .since_ms = 2, .id = 2},
                          third = {.priority = 2, .since_ms = 3, .id = 3};
        queue_add(&queue, &third, &one);
        queue_add(&queue, &second, &other);
        queue_add(&queue, &first, &one);
        assert_int_equal(2, queue.lane_count);
        assert_int_equal(2, queue_place(&queue, &second));
        assert_int_equal(3, queue_place(&queue, &third));
        queue_remove(&queue, &second);
        assert_int_equal(1, queue.lane_count);
        assert_int_equal(2, queue_place(&queue, &third));
        queue_done(&queue);
}

static void wants_are_alike_whatever_the_order_of_their_words(void **state)
{
        (void)state;
        struct queue queue = {0};
        struct want one = skilled("b"), other = skilled("a");
        strcpy(one.skills[one.skill_count++], "a");
        strcpy(one.skills[one.skill_count++], "b"); /* twice counts once */
        strcpy(other.skills[other.skill_count++], "b");
        want_settle(&one);
        want_settle(&other);
        struct queue_item first = {.id = 1}, second = {.id = 2};
        queue_add(&queue, &first, &one);
        queue_add(&queue, &second, &other);
        assert_int_equal(1, queue.lane_count);
        queue_done(&queue);
}

static void the_longest_wait_is_found_behind_more_urgent_ones(void **state)
{
        (void)state;
        struct queue queue = {0};
        struct want one = plain(), other = skilled("refunds");
        struct queue_item urgent = {.priority = 4, .since_ms = 500, .id = 1},
                          low = {.priority = 1, .since_ms = 20, .id = 2},
                          normal = {.priority = 2, .since_ms = 40, .id = 3};
        assert_null(queue_oldest(&queue));
        queue_add(&queue, &urgent, &one);
        queue_add(&queue, &low, &one);
        queue_add(&queue, &normal, &other);
        assert_ptr_equal(&low, queue_oldest(&queue));
        queue_remove(&queue, &low);
        assert_ptr_equal(&normal, queue_oldest(&queue));
        queue_done(&queue);
}

struct walk {
        const struct queue *queue;
        const struct queue_item *before;
        size_t count;
};

static void step(void *data, struct queue_item *item, size_t place)
{
        struct walk *walk = data;
        assert_int_equal(queue_place(walk->queue, item), place);
        assert_true(!walk->before || queue_is_before(walk->before, item));
        walk->before = item;
        walk->count++;
}

static void check_walk(struct queue *queue)
{
        struct walk walk = {.queue = queue};
        queue_each(queue, step, &walk);
        assert_int_equal(queue->count, walk.count);
}

/* Against counting one by one, through thousands of comings and goings. */
static void places_are_what_counting_says(void **state)
{
        (void)state;
        enum { ITEMS = 120 };
        static struct queue_item items[ITEMS];
        struct queue queue = {0};
        struct want wants[4] = {plain(), skilled("a"), skilled("b"), plain()};
        wants[3].weight = 3;
        uint32_t dice = 7;
        for (int turn = 0; turn < 5000; turn++) {
                dice = dice * 1664525u + 1013904223u;
                struct queue_item *item = &items[(dice >> 8) % ITEMS];
                if (item->lane) {
                        queue_remove(&queue, item);
                } else {
                        *item = (struct queue_item){.priority = 1 + (int32_t)((dice >> 4) % 4),
                                                    .since_ms = (dice >> 12) % 50,
                                                    .id = item - items};
                        assert_int_equal(0, queue_add(&queue, item, &wants[(dice >> 20) % 4]));
                }
                size_t waiting = 0;
                for (size_t i = 0; i < ITEMS; i++)
                        waiting += items[i].lane != NULL;
                assert_int_equal(waiting, queue.count);
                const struct queue_item *one = &items[(dice >> 3) % ITEMS];
                if (!one->lane)
                        continue;
                size_t place = 1;
                for (size_t i = 0; i < ITEMS; i++)
                        place += items[i].lane && queue_is_before(&items[i], one);
                assert_int_equal(place, queue_place(&queue, one));
                if (turn % 50 == 0)
                        check_walk(&queue);
        }
        queue_done(&queue);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(urgent_ones_come_first_then_the_longest_wait_then_the_older_ticket),
                cmocka_unit_test(a_place_counts_those_of_all_lanes),
                cmocka_unit_test(wants_are_alike_whatever_the_order_of_their_words),
                cmocka_unit_test(the_longest_wait_is_found_behind_more_urgent_ones),
                cmocka_unit_test(places_are_what_counting_says),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
