/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/ops/cmocka_all.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ops/clock.h"
#include "ops/random.h"

static void the_monotonic_clock_does_not_go_back(void **state)
{
        uint64_t before = clock_mono_ns();
        (void)state;

        for (int i = 0; i < 1000; i++) {
                uint64_t now = clock_mono_ns();
                assert_true(now >= before);
                before = now;
        }
        assert_true(clock_mono_ms() >= before / 1000000);
}

/* The environment was set in main, before the clock was first read. */
static void builds_for_tests_shift_the_wall_clock_and_released_ones_do_not(void **state)
{
        int64_t now = (int64_t)time(NULL) * 1000, shift = clock_wall_ms() - now;
        (void)state;

#ifdef NDEBUG
        assert_in_range(shift + 5000, 0, 10000); /* the environment has no say in a release */
        clock_shift_wall(3600000);
        assert_in_range(clock_wall_ms() - now, 3600000 - 5000, 3600000 + 10000);
#else
        assert_in_range(shift, 86400000 - 5000, 86400000 + 5000);
        clock_shift_wall(-2 * INT64_C(86400000));
        assert_in_range(clock_wall_ms() - now + 86400000 + 5000, 0, 10000);
#endif
}

static void random_bytes_fill_everything_and_differ(void **state)
{
        unsigned char a[64] = {0}, b[64] = {0};
        int zeros = 0;
        (void)state;

        random_bytes(a, sizeof(a));
        random_bytes(b, sizeof(b));
        assert_memory_not_equal(a, b, sizeof(a));
        for (size_t i = 0; i < sizeof(a); i++)
                zeros += a[i] == 0;
        assert_true(zeros < 10);
        assert_true(random_u64() != random_u64());
        uint32_t seen = 0;
        for (int i = 0; i < 1000; i++)
                seen |= random_u32();
        assert_int_equal(seen, UINT32_MAX);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_monotonic_clock_does_not_go_back),
                cmocka_unit_test(builds_for_tests_shift_the_wall_clock_and_released_ones_do_not),
                cmocka_unit_test(random_bytes_fill_everything_and_differ),
        };

        setenv("DESKBELL_TEST_CLOCK_MS", "86400000", 1);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
