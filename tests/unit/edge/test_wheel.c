/* SPDX-License-Identifier: Apache-2.0 */
/* Deadlines on a clock that the test turns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "edge/wheel.h"

enum { NODES = 500 };

struct item {
        struct wheel_node node;
        uint32_t asked, fired; /* ticks */
        int count;
        struct item *also; /* disarmed when this one fires */
        bool again;        /* armed for the next tick when this one fires */
};

static struct wheel wheel;

static int set_up(void **state)
{
        (void)state;
        wheel_init(&wheel);
        return 0;
}

static void fire(void *data, struct wheel_node *node)
{
        struct item *item = (struct item *)node;
        (void)data;
        assert_false(wheel_is_armed(node));
        item->fired = wheel.now;
        item->count++;
        if (item->also)
                wheel_disarm(&item->also->node);
        if (item->again)
                wheel_arm(&wheel, node, wheel.now); /* the present tick is over */
}

static void each_fires_once_at_its_own_tick_however_far(void **state)
{
        static struct item items[NODES];
        (void)state;
        for (uint32_t i = 0; i < NODES; i++) {
                items[i].asked = i * 13 + 1;
                wheel_arm(&wheel, &items[i].node, items[i].asked);
        }
        for (uint32_t now = 0; now < NODES * 13 + 10; now += 7)
                wheel_advance(&wheel, now, fire, NULL);
        for (uint32_t i = 0; i < NODES; i++) {
                assert_int_equal(1, items[i].count);
                assert_int_equal(items[i].asked, items[i].fired);
        }
}

static void what_is_due_in_the_past_fires_at_the_next_tick(void **state)
{
        struct item item = {0};
        (void)state;
        wheel_advance(&wheel, 100, fire, NULL);
        wheel_arm(&wheel, &item.node, 3);
        wheel_advance(&wheel, 101, fire, NULL);
        assert_int_equal(101, item.fired);
}

static void a_moved_deadline_fires_only_at_its_new_tick(void **state)
{
        struct item item = {0};
        (void)state;
        wheel_arm(&wheel, &item.node, 5);
        wheel_arm(&wheel, &item.node, 5 + WHEEL_SLOTS);
        wheel_advance(&wheel, 4 + WHEEL_SLOTS, fire, NULL);
        assert_int_equal(0, item.count);
        wheel_advance(&wheel, 5 + WHEEL_SLOTS, fire, NULL);
        assert_int_equal(1, item.count);
}

static void one_that_fires_may_disarm_its_neighbour_and_arm_itself(void **state)
{
        struct item first = {.again = true}, second = {0};
        (void)state;
        first.also = &second;
        wheel_arm(&wheel, &first.node, 9);
        wheel_arm(&wheel, &second.node, 9);
        wheel_advance(&wheel, 9, fire, NULL);
        assert_int_equal(1, first.count);
        assert_int_equal(0, second.count);
        wheel_advance(&wheel, 20, fire, NULL);
        assert_int_equal(12, first.count);
        wheel_disarm(&first.node);
        wheel_disarm(&first.node);
        wheel_advance(&wheel, 600, fire, NULL);
        assert_int_equal(12, first.count);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup(each_fires_once_at_its_own_tick_however_far, set_up),
                cmocka_unit_test_setup(what_is_due_in_the_past_fires_at_the_next_tick, set_up),
                cmocka_unit_test_setup(a_moved_deadline_fires_only_at_its_new_tick, set_up),
                cmocka_unit_test_setup(one_that_fires_may_disarm_its_neighbour_and_arm_itself, set_up),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
