/* SPDX-License-Identifier: Apache-2.0 */
/* Arena and writer: memory that grows, and what happens when there is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "protocol/arena.h"
#include "protocol/writer.h"

static void arena_memory_is_zeroed_and_aligned(void **state)
{
        char first[128];
        struct arena arena;

        (void)state;
        memset(first, 0xee, sizeof(first));
        arena_init(&arena, first + 1, sizeof(first) - 1);
        for (size_t bytes = 0; bytes < 9000; bytes = bytes * 2 + 1) {
                char *taken = arena_take(&arena, bytes);

                assert_non_null(taken);
                assert_int_equal(0, (uintptr_t)taken % 16);
                for (size_t i = 0; i < bytes; i++)
                        assert_int_equal(0, taken[i]);
                memset(taken, 0xee, bytes);
        }
        arena_done(&arena);
        arena_done(&arena);
}

static void an_arena_uses_the_lent_block_first(void **state)
{
        _Alignas(16) char first[64];
        struct arena arena;
        char *a, *b;

        (void)state;
        arena_init(&arena, first, sizeof(first));
        a = arena_take(&arena, 32);
        b = arena_take(&arena, 32);
        assert_ptr_equal(first, a);
        assert_ptr_equal(first + 32, b);
        assert_null(arena.blocks);
        assert_non_null(arena_take(&arena, 1));
        assert_non_null(arena.blocks);
        arena_done(&arena);
}

static void an_arena_says_when_there_is_no_memory(void **state)
{
        struct arena arena;

        (void)state;
        arena_init(&arena, NULL, 0);
        assert_null(arena_take(&arena, SIZE_MAX));
        assert_null(arena_take(&arena, SIZE_MAX / 2));
        assert_non_null(arena_take(&arena, 10));
        arena_done(&arena);
}

static void wrote(struct writer *writer, const char *expected)
{
        assert_false(writer->failed);
        assert_int_equal(strlen(expected), writer->len);
        assert_memory_equal(expected, writer->bytes, writer->len);
        writer->len = 0;
}

static void strings_escape_only_what_json_demands(void **state)
{
        struct writer writer;
        char room[8];

        (void)state;
        writer_init(&writer, room, sizeof(room));
        writer_string(&writer, SPAN(""));
        wrote(&writer, "\"\"");
        writer_string(&writer, SPAN("a/<é한😀\x7f"));
        wrote(&writer, "\"a/<é한😀\x7f\"");
        writer_string(&writer, SPAN("\"\\\b\f\n\r\t\x01\x1f"));
        wrote(&writer, "\"\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u001f\"");
        writer_string(&writer, (struct span){"x\0y", 3});
        wrote(&writer, "\"x\\u0000y\"");
        writer_string(&writer, SPAN("01234567\n9abcdefghijklmnop\"qrstuvwxyz\\"));
        wrote(&writer, "\"01234567\\n9abcdefghijklmnop\\\"qrstuvwxyz\\\\\"");
        writer_done(&writer);
}

static void numbers_of_every_size_are_written_whole(void **state)
{
        struct writer writer;

        (void)state;
        writer_init(&writer, NULL, 0);
        writer_int(&writer, 0);
        wrote(&writer, "0");
        writer_int(&writer, -1);
        wrote(&writer, "-1");
        writer_int(&writer, INT64_MAX);
        wrote(&writer, "9223372036854775807");
        writer_int(&writer, INT64_MIN);
        wrote(&writer, "-9223372036854775808");
        writer_bool(&writer, true);
        writer_bool(&writer, false);
        wrote(&writer, "truefalse");
        writer_hex(&writer, (const uint8_t *)"\x00\xab\x10", 3);
        wrote(&writer, "\"00ab10\"");
        writer_done(&writer);
}

static void a_writer_moves_out_of_a_block_that_is_full(void **state)
{
        struct writer writer;
        char room[16];

        (void)state;
        writer_init(&writer, room, sizeof(room));
        for (int i = 0; i < 100000; i++)
                writer_char(&writer, (char)('a' + i % 26));
        assert_int_equal(100000, writer.len);
        assert_true(writer.owned);
        for (int i = 0; i < 100000; i++)
                assert_int_equal('a' + i % 26, writer.bytes[i]);
        writer_done(&writer);
        assert_null(writer.bytes);
}

static void a_writer_without_memory_stays_failed(void **state)
{
        struct writer writer;

        (void)state;
        writer_init(&writer, NULL, 0);
        writer_char(&writer, 'a');
        assert_false(writer_reserve(&writer, SIZE_MAX - 8));
        assert_true(writer.failed);
        writer_char(&writer, 'b');
        assert_int_equal(1, writer.len);
        writer_done(&writer);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(arena_memory_is_zeroed_and_aligned),
                cmocka_unit_test(an_arena_uses_the_lent_block_first),
                cmocka_unit_test(an_arena_says_when_there_is_no_memory),
                cmocka_unit_test(strings_escape_only_what_json_demands),
                cmocka_unit_test(numbers_of_every_size_are_written_whole),
                cmocka_unit_test(a_writer_moves_out_of_a_block_that_is_full),
                cmocka_unit_test(a_writer_without_memory_stays_failed),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
