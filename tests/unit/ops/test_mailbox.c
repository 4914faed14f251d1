/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/ops/cmocka_all.h"

#include <errno.h>
#include <stdlib.h>

#include "ops/clock.h"
#include "ops/mailbox.h"

enum { PUSHERS = 4, EACH = 5000 };

struct parcel {
        struct mailbox_item item;
        int from, number;
};

static int wakes;

static void count_wake(void *data)
{
        (void)data;
        wakes++;
}

static void items_come_out_in_the_order_they_went_in(void **state)
{
        struct mailbox mailbox;
        struct mailbox_item items[3];
        struct mailbox_list list = {0};
        (void)state;

        mailbox_init(&mailbox, 10, 100, NULL, NULL);
        assert_int_equal(mailbox_push(&mailbox, &items[0], 1), 0);
        mailbox_list_add(&list, &items[1], 1);
        mailbox_list_add(&list, &items[2], 1);
        assert_int_equal(mailbox_push_list(&mailbox, &list), 0);
        assert_int_equal(mailbox_count(&mailbox), 3);
        struct mailbox_item *item = mailbox_take(&mailbox);
        for (int i = 0; i < 3; i++, item = item->next)
                assert_ptr_equal(item, &items[i]);
        assert_null(item);
        assert_null(mailbox_take(&mailbox));
        assert_int_equal(mailbox_count(&mailbox), 0);
        mailbox_done(&mailbox);
}

static void a_full_mailbox_refuses_by_count_and_by_bytes_but_can_be_forced(void **state)
{
        struct mailbox mailbox;
        struct mailbox_item items[4];
        struct mailbox_list list = {0};
        (void)state;

        mailbox_init(&mailbox, 2, 100, NULL, NULL);
        assert_int_equal(mailbox_push(&mailbox, &items[0], 60), 0);
        assert_int_equal(mailbox_push(&mailbox, &items[1], 41), -ENOBUFS);
        mailbox_list_add(&list, &items[1], 1);
        mailbox_list_add(&list, &items[2], 1);
        assert_int_equal(mailbox_push_list(&mailbox, &list), -ENOBUFS);
        assert_int_equal(mailbox_count(&mailbox), 1);
        assert_int_equal(mailbox_push(&mailbox, &items[1], 40), 0);
        assert_int_equal(mailbox_push(&mailbox, &items[2], 0), -ENOBUFS);
        assert_int_equal(mailbox_force(&mailbox, &items[2], 1000), 0);
        assert_int_equal(mailbox_push(&mailbox, &items[3], 0), -ENOBUFS);
        mailbox_take(&mailbox);
        assert_int_equal(mailbox_push(&mailbox, &items[3], 100), 0);
        mailbox_take(&mailbox);
        mailbox_done(&mailbox);
}

static void the_reader_is_woken_only_when_there_was_nothing(void **state)
{
        struct mailbox mailbox;
        struct mailbox_item items[3];
        (void)state;

        wakes = 0;
        mailbox_init(&mailbox, 10, 10, count_wake, NULL);
        mailbox_push(&mailbox, &items[0], 0);
        mailbox_push(&mailbox, &items[1], 0);
        assert_int_equal(wakes, 1);
        mailbox_take(&mailbox);
        mailbox_force(&mailbox, &items[2], 0);
        assert_int_equal(wakes, 2);
        mailbox_push_list(&mailbox, &(struct mailbox_list){0});
        assert_int_equal(wakes, 2);
        mailbox_take(&mailbox);
        mailbox_done(&mailbox);
}

static void waiting_ends_with_the_time_a_kick_or_the_end(void **state)
{
        struct mailbox mailbox;
        struct mailbox_item item;
        uint64_t start = clock_mono_ms();
        (void)state;

        mailbox_init(&mailbox, 10, 10, NULL, NULL);
        assert_null(mailbox_wait(&mailbox, 20));
        assert_true(clock_mono_ms() - start >= 19);
        mailbox_kick(&mailbox);
        assert_null(mailbox_wait(&mailbox, -1));
        mailbox_push(&mailbox, &item, 0);
        mailbox_close(&mailbox);
        assert_ptr_equal(mailbox_wait(&mailbox, -1), &item);
        assert_null(mailbox_wait(&mailbox, -1));
        assert_int_equal(mailbox_push(&mailbox, &item, 0), -EPIPE);
        assert_int_equal(mailbox_force(&mailbox, &item, 0), -EPIPE);
        mailbox_done(&mailbox);
}

struct pusher {
        struct mailbox *mailbox;
        int number;
};

static void *push_many(void *data)
{
        struct pusher *pusher = data;

        for (int i = 0; i < EACH; i++) {
                struct parcel *parcel = malloc(sizeof(*parcel));
                if (!parcel)
                        abort();
                *parcel = (struct parcel){.from = pusher->number, .number = i};
                while (mailbox_push(pusher->mailbox, &parcel->item, sizeof(*parcel)) == -ENOBUFS)
                        sched_yield();
        }
        return NULL;
}

static void many_threads_lose_nothing_and_keep_their_own_order(void **state)
{
        struct mailbox mailbox;
        struct pusher pushers[PUSHERS];
        pthread_t threads[PUSHERS];
        int next[PUSHERS] = {0}, total = 0;
        (void)state;

        mailbox_init(&mailbox, 100, 1000000, NULL, NULL);
        for (int i = 0; i < PUSHERS; i++) {
                pushers[i] = (struct pusher){&mailbox, i};
                assert_int_equal(pthread_create(&threads[i], NULL, push_many, &pushers[i]), 0);
        }
        while (total < PUSHERS * EACH) {
                struct mailbox_item *item = mailbox_wait(&mailbox, 10000);
                assert_non_null(item);
                for (struct mailbox_item *after; item; item = after, total++) {
                        struct parcel *parcel = (struct parcel *)item;
                        after = item->next;
                        assert_int_equal(parcel->number, next[parcel->from]++);
                        free(parcel);
                }
        }
        for (int i = 0; i < PUSHERS; i++)
                pthread_join(threads[i], NULL);
        assert_null(mailbox_take(&mailbox));
        mailbox_done(&mailbox);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(items_come_out_in_the_order_they_went_in),
                cmocka_unit_test(a_full_mailbox_refuses_by_count_and_by_bytes_but_can_be_forced),
                cmocka_unit_test(the_reader_is_woken_only_when_there_was_nothing),
                cmocka_unit_test(waiting_ends_with_the_time_a_kick_or_the_end),
                cmocka_unit_test(many_threads_lose_nothing_and_keep_their_own_order),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
