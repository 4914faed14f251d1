/* SPDX-License-Identifier: Apache-2.0 */
/* Each allocation in turn fails, until none does: nothing crashes, nothing leaks, and what comes out is either whole or
 * told as a failure. The linker sends the program's calls of malloc, calloc and realloc through the gate below. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "protocol/hot.h"
#include "protocol/jwt.h"

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *old, size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *old, size_t bytes);

static int left = -1; /* allocations until the one that fails; below 0: none fails */

static bool must_fail(void)
{
        return left >= 0 && left-- == 0;
}

void *__wrap_malloc(size_t bytes)
{
        return must_fail() ? NULL : __real_malloc(bytes);
}

void *__wrap_calloc(size_t count, size_t bytes)
{
        return must_fail() ? NULL : __real_calloc(count, bytes);
}

void *__wrap_realloc(void *old, size_t bytes)
{
        return must_fail() ? NULL : __real_realloc(old, bytes);
}

/* Runs `work` with the first, second, third... allocation failing. It returns whether it succeeded. */
static void with_each_failure(bool (*work)(void))
{
        int failures = 0;

        for (;; failures++) {
                bool fine;

                left = failures;
                fine = work();
                if (left >= 0) { /* fewer allocations than that */
                        left = -1;
                        assert_true(fine);
                        break;
                }
                assert_false(fine);
        }
        assert_true(failures > 0);
}

static bool decode_marks(void)
{
        struct protocol_marks marks;
        char text[8192] = "{\"jsonrpc\":\"2.0\",\"method\":\"marks\",\"p\\u0061rams\":{\"marks\":[",
             *at = text + strlen(text);
        struct fault fault = {0};
        struct reader reader;
        struct arena arena;
        struct frame frame;
        int rc;

        for (int i = 0; i < PROTOCOL_MARKS_PER_FRAME; i++) {
                strcpy(at, &",{\"conv\":\"cnv_0000000000001\",\"recv\":2,\"read\":1}"[!i]);
                at += strlen(at);
        }
        strcpy(at, "]}}");
        arena_init(&arena, NULL, 0);
        rc = frame_read(text, strlen(text), READER_STRICT, &arena, &frame, &fault);
        if (rc == 0) {
                reader_init(&reader, (char *)frame.body.at, frame.body.len, READER_STRICT, &arena, &fault);
                rc = protocol_marks_read(&reader, &marks);
        }
        if (rc < 0)
                assert_int_equal(-PROTOCOL_ERR_INTERNAL, rc);
        else
                assert_int_equal(PROTOCOL_MARKS_PER_FRAME, marks.marks_count);
        arena_done(&arena);
        return rc == 0;
}

static void a_decoder_tells_that_memory_lacks(void **state)
{
        (void)state;
        with_each_failure(decode_marks);
}

static bool write_entries(void)
{
        struct entry_head entry = {.conv = 1,
                                   .number = 1,
                                   .author = {ROLE_SYSTEM, 0},
                                   .kind = PROTOCOL_ENTRY_TEXT,
                                   .name = SPAN("x"),
                                   .content = SPAN("{\"text\":\"hi\"}")};
        struct writer writer;
        bool fine;

        writer_init(&writer, NULL, 0);
        for (int i = 0; i < 20; i++)
                hot_entry_event(&writer, &entry);
        hot_send_result(&writer, NULL, 1, false, 1, 0, 1, false);
        hot_heartbeat(&writer, 1, 1);
        frame_error(&writer, NULL, PROTOCOL_ERR_INTERNAL, 1, NULL);
        fine = !writer.failed;
        writer_done(&writer);
        return fine;
}

static void a_writer_tells_that_memory_lacks(void **state)
{
        (void)state;
        with_each_failure(write_entries);
}

static bool make_key(void)
{
        struct jwt_key *key = jwt_key_new(JWT_HS256, SPAN("0123456789abcdef0123456789abcdef"));
        bool fine = key != NULL;

        jwt_key_free(key);
        return fine;
}

static void a_key_tells_that_memory_lacks(void **state)
{
        (void)state;
        with_each_failure(make_key);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_decoder_tells_that_memory_lacks),
                cmocka_unit_test(a_writer_tells_that_memory_lacks),
                cmocka_unit_test(a_key_tells_that_memory_lacks),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
