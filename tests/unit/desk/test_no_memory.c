/* SPDX-License-Identifier: Apache-2.0 */
/* The script with its first, second, third ... allocation failing, until none fails any more: nothing is lost, doubled
 * or half known, whatever was refused or left without an answer. */
#include <stdio.h>
#include <stdlib.h>

#include "unit/desk/script.h"

static long fail_at, allocations; /* 0 = none fails */

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *old, size_t bytes);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *old, size_t bytes);
char *__wrap_strdup(const char *text);

static bool fails(void)
{
        return fail_at > 0 && ++allocations == fail_at;
}

void *__wrap_malloc(size_t bytes)
{
        return fails() ? NULL : __real_malloc(bytes);
}

void *__wrap_calloc(size_t count, size_t bytes)
{
        return fails() ? NULL : __real_calloc(count, bytes);
}

void *__wrap_realloc(void *old, size_t bytes)
{
        return fails() ? NULL : __real_realloc(old, bytes);
}

char *__wrap_strdup(const char *text)
{
        return fails() ? NULL : __real_strdup(text);
}

static void turn_with_failure(struct room *room, long nth)
{
        allocations = 0;
        fail_at = nth;
        desk_turn(room->desk);
        fail_at = 0;
        room_turn(room);
}

static void any_allocation_of_a_batch_may_fail(void **state)
{
        bool was_hit = true;
        for (long nth = 1; was_hit; nth++) {
                struct script script;
                struct room *room = *state;
                script_begin(&script, room);
                script_queue(&script);
                turn_with_failure(room, nth);
                was_hit = allocations >= nth;
                json_object_clear(room->answers);
                room_check(room);
                script_heal(&script);
                script_end(&script);
                room_tear_down(state);
                room_set_up(state);
                assert_true(was_hit || nth > 10);
        }
}

static void any_allocation_of_a_call_of_the_operator_may_fail(void **state)
{
        static const char *const calls[][2] = {
                {"app.add", "\"name\":\"Second\",\"origins\":[\"https://a.example\"]"},
                {"agent.add", "\"name\":\"Adam\",\"email\":\"a@example.com\""},
                {"key.add", "\"app\":\"%s\",\"kid\":\"k\",\"alg\":\"HS256\",\"material\":"
                            "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\""},
        };
        for (size_t call = 0; call < sizeof calls / sizeof *calls; call++) {
                bool was_hit = true;
                for (long nth = 1; was_hit; nth++) {
                        struct room *room = *state;
                        char params[512], cmid[33];
                        snprintf(cmid, sizeof cmid, "%s", room_cmid(room));
                        const char *app = strstr(calls[call][1], "%s");
                        for (int turn = 0; turn < 2; turn++) {
                                int len =
                                        app ? snprintf(params, sizeof params, "{\"cmid\":\"%s\",%.*s%s%s}", cmid,
                                                       (int)(app - calls[call][1]), calls[call][1], room->app, app + 2)
                                            : snprintf(params, sizeof params, "{\"cmid\":\"%s\",%s}", cmid,
                                                       calls[call][1]);
                                struct writer out;
                                writer_init(&out, NULL, 0);
                                writer_reserve(&out, 65536); /* the test's own memory */
                                allocations = 0;
                                fail_at = turn == 0 ? nth : 0;
                                int rc = desk_call(room->desk, span_of(calls[call][0]), params, (size_t)len, &out);
                                fail_at = 0;
                                was_hit = turn == 0 ? allocations >= nth : was_hit;
                                if (turn == 1 || !was_hit)
                                        assert_int_equal(0, rc);
                                writer_done(&out);
                        }
                        assert_int_equal(call == 0 ? 2 : 1, room_sql(room, "SELECT count(*) FROM app"));
                        room_check(room);
                        struct keyring *ring = desk_keyring(room->desk);
                        assert_int_equal(call == 2, keyring_key(keyring_app_at(ring, 0), "k") != NULL);
                        keyring_unref(ring);
                        room_tear_down(state);
                        room_set_up(state);
                }
        }
}

/* Longer than what a batch has at hand for an answer. */
static void any_allocation_of_a_long_answer_may_fail(void **state)
{
        struct room *room = *state;
        for (int i = 0; i < 40; i++)
                take_result(room_operate(room, "app.add", "{\"cmid\":\"%s\",\"name\":\"%0200d\"}", room_cmid(room), i));
        bool was_hit = true;
        for (long nth = 1; was_hit; nth++) {
                char params[] = "{}";
                struct writer out;
                writer_init(&out, NULL, 0);
                writer_reserve(&out, 65536); /* the test's own memory */
                allocations = 0;
                fail_at = nth;
                int rc = desk_call(room->desk, SPAN("app.list"), params, 2, &out);
                fail_at = 0;
                was_hit = allocations >= nth;
                json_t *answer = json_loadb(out.bytes, out.len, 0, NULL);
                assert_non_null(answer);
                if (rc == 0)
                        assert_int_equal(41,
                                         json_array_size(json_object_get(json_object_get(answer, "result"), "apps")));
                else
                        assert_string_equal("internal", words(answer, "error.data.tag"));
                assert_true(was_hit || rc == 0);
                json_decref(answer);
                writer_done(&out);
        }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, room_set_up, room_tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(any_allocation_of_a_batch_may_fail),
                TEST(any_allocation_of_a_call_of_the_operator_may_fail),
                TEST(any_allocation_of_a_long_answer_may_fail),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
