/* SPDX-License-Identifier: Apache-2.0 */
/* How long an http_token is good, and for whom. */
#include "desk/http_tokens.h"

#include "unit/ops/cmocka_all.h"

static struct http_tokens *tokens;

static int set_up(void **state)
{
        (void)state;
        tokens = http_tokens_new();
        return tokens ? 0 : -1;
}

static int tear_down(void **state)
{
        (void)state;
        tokens = http_tokens_free(tokens);
        return 0;
}

static struct span put(char text[HTTP_TOKEN_TEXT], int64_t principal)
{
        struct http_bearer bearer = {.caller = {.principal = principal, .role = ROLE_CUSTOMER}};
        http_token_make(text);
        assert_int_equal(0, http_tokens_put(tokens, span_of(text), &bearer));
        return span_of(text);
}

static bool finds(struct span text, uint64_t now_ms)
{
        struct http_bearer bearer;
        return http_tokens_find(tokens, text, now_ms, &bearer);
}

static void end(struct span text, uint64_t now_ms, bool at_once)
{
        uint8_t hash[32];
        http_token_hash(text, hash);
        http_tokens_end(tokens, hash, now_ms, at_once);
}

static void a_token_proves_the_one_it_was_made_for(void **state)
{
        (void)state;
        char first[HTTP_TOKEN_TEXT], second[HTTP_TOKEN_TEXT];
        struct http_bearer bearer;
        put(first, 1);
        put(second, 2);
        assert_string_not_equal(first, second);
        assert_int_equal(47, strlen(first));
        assert_true(http_tokens_find(tokens, span_of(second), 0, &bearer));
        assert_int_equal(2, bearer.caller.principal);
        first[20] ^= 1;
        assert_false(finds(span_of(first), 0));
        assert_false(finds(SPAN(""), 0));
}

static void a_token_outlives_its_session_by_ten_minutes(void **state)
{
        (void)state;
        char text[HTTP_TOKEN_TEXT];
        struct span token = put(text, 1);
        assert_true(finds(token, UINT64_MAX / 2)); /* as long as the session lives */
        end(token, 1000, false);
        end(token, 500000, false); /* once is for good: no second ten minutes */
        assert_true(finds(token, 1000 + HTTP_TOKEN_KEPT_MS - 1));
        assert_false(finds(token, 1000 + HTTP_TOKEN_KEPT_MS));
}

static void a_token_whose_access_was_taken_back_is_dead_at_once(void **state)
{
        (void)state;
        char live[HTTP_TOKEN_TEXT], ended[HTTP_TOKEN_TEXT], cut[HTTP_TOKEN_TEXT], other[HTTP_TOKEN_TEXT];
        put(live, 1);
        end(put(ended, 1), 1000, false);
        put(other, 2);
        end(put(cut, 2), 1000, true);
        assert_false(finds(span_of(cut), 1000));
        http_tokens_drop_principal(tokens, 1);
        assert_false(finds(span_of(live), 1000));
        assert_false(finds(span_of(ended), 1000));
        assert_true(finds(span_of(other), 1000));
}

static void ended_tokens_end_in_their_order_whatever_is_dropped_between(void **state)
{
        (void)state;
        char texts[64][HTTP_TOKEN_TEXT];
        for (int i = 0; i < 64; i++)
                end(put(texts[i], i + 1), (uint64_t)i * 10 + 1, false);
        for (int i = 0; i < 64; i += 3)
                http_tokens_drop_principal(tokens, i + 1);
        for (int i = 0; i < 64; i++) {
                uint64_t until_ms = (uint64_t)i * 10 + 1 + HTTP_TOKEN_KEPT_MS;
                assert_int_equal(i % 3 != 0, finds(span_of(texts[i]), until_ms - 1));
                assert_false(finds(span_of(texts[i]), until_ms));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(a_token_proves_the_one_it_was_made_for, set_up, tear_down),
                cmocka_unit_test_setup_teardown(a_token_outlives_its_session_by_ten_minutes, set_up, tear_down),
                cmocka_unit_test_setup_teardown(a_token_whose_access_was_taken_back_is_dead_at_once, set_up, tear_down),
                cmocka_unit_test_setup_teardown(ended_tokens_end_in_their_order_whatever_is_dropped_between, set_up,
                                                tear_down),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
