/* SPDX-License-Identifier: Apache-2.0 */
/* What an address may cost before it has proved itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include "edge/limits.h"

static uint64_t key_of(const char *text)
{
        struct sockaddr_in6 address = {.sin6_family = AF_INET6};
        assert_int_equal(1, inet_pton(AF_INET6, text, &address.sin6_addr));
        return limits_key(&address);
}

static void v4_counts_by_address_and_v6_by_its_64(void **state)
{
        (void)state;
        assert_true(key_of("::ffff:10.0.0.1") != key_of("::ffff:10.0.0.2"));
        assert_true(key_of("2001:db8:1:2::1") == key_of("2001:db8:1:2:ffff::9"));
        assert_true(key_of("2001:db8:1:2::1") != key_of("2001:db8:1:3::1"));
        assert_true(key_of("::1") != 0);
}

static void failures_use_up_the_bucket_and_a_minute_refills_it(void **state)
{
        struct limits *limits = limits_new(60, 1000);
        (void)state;
        for (int i = 0; i < 60; i++) {
                assert_true(limits_enter(limits, 7, 0));
                limits_leave(limits, 7, false, 0);
        }
        assert_false(limits_enter(limits, 7, 0));
        assert_true(limits_enter(limits, 8, 0)); /* another address */
        assert_false(limits_enter(limits, 7, 900));
        assert_true(limits_enter(limits, 7, 1001));
        assert_false(limits_enter(limits, 7, 1001));
        limits_free(limits);
}

static void who_proves_himself_is_never_counted(void **state)
{
        struct limits *limits = limits_new(3, 1000);
        (void)state;
        for (int i = 0; i < 1000; i++) {
                assert_true(limits_enter(limits, 7, 0));
                limits_leave(limits, 7, true, 0);
        }
        limits_free(limits);
}

static void only_so_many_are_pending_at_once(void **state)
{
        struct limits *limits = limits_new(1000, 4);
        (void)state;
        for (int i = 0; i < 4; i++)
                assert_true(limits_enter(limits, 7, 0));
        assert_false(limits_enter(limits, 7, 0));
        limits_leave(limits, 7, false, 0);
        assert_true(limits_enter(limits, 7, 0));
        limits_free(limits);
}

static void memory_is_bounded_and_strangers_share_a_bucket_when_it_is_full(void **state)
{
        struct limits *limits = limits_new(5, 1000000);
        int refused = 0;
        (void)state;
        for (uint64_t key = 1; key <= 200000; key++)
                refused += !limits_enter(limits, key, 0);
        assert_true(limits_count(limits) <= 32768);
        assert_true(refused > 0);
        limits_free(limits);
}

static void addresses_that_owe_nothing_are_forgotten_and_the_others_stay(void **state)
{
        struct limits *limits = limits_new(60, 10);
        (void)state;
        for (uint64_t key = 1; key <= 1000; key++) {
                assert_true(limits_enter(limits, key, 0));
                if (key % 10)
                        limits_leave(limits, key, false, 0);
        }
        for (int i = 0; i < 30; i++)
                limits_sweep(limits, 60000);
        assert_int_equal(100, limits_count(limits));
        for (uint64_t key = 10; key <= 1000; key += 10) {
                for (int i = 0; i < 9; i++)
                        assert_true(limits_enter(limits, key, 60000));
                assert_false(limits_enter(limits, key, 60000)); /* its tenth place was taken before */
        }
        limits_free(limits);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(v4_counts_by_address_and_v6_by_its_64),
                cmocka_unit_test(failures_use_up_the_bucket_and_a_minute_refills_it),
                cmocka_unit_test(who_proves_himself_is_never_counted),
                cmocka_unit_test(only_so_many_are_pending_at_once),
                cmocka_unit_test(memory_is_bounded_and_strangers_share_a_bucket_when_it_is_full),
                cmocka_unit_test(addresses_that_owe_nothing_are_forgotten_and_the_others_stay),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
