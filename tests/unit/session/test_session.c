/* SPDX-License-Identifier: Apache-2.0 */
/* What one connection may say in which state, what each refusal costs it, its budgets, and how it ends. */
#include <stdlib.h>

#include "unit/session/street.h"

static void open_with(struct street *street, struct edge_conn *conn, const char *token)
{
        street_ask(street, conn, "session.open",
                   "{\"token\":\"%s\",\"device\":\"%032x\",\"protocol\":{\"min\":1,\"max\":1}}", token, 1);
}

static void send_text(struct street *street, struct edge_conn *conn, const char *conv, const char **out_tag)
{
        const json_t *answer = street_ask(street, conn, "message.send",
                                          "{\"cmid\":\"%s\",\"conv\":\"%s\",\"kind\":\"text\",\"text\":\"x\"}",
                                          street_cmid(street), conv);
        *out_tag = street_tag(answer);
}

static void anything_but_opening_a_session_first_ends_with_4000(void **state)
{
        struct street *street = *state;
        static const char *const firsts[] = {
                "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"feed.read\",\"params\":{\"rev\":0}}",
                "{\"jsonrpc\":\"2.0\",\"method\":\"session.open\",\"params\":{}}",
                "{\"jsonrpc\":\"2.0\",\"method\":\"session.alive\"}",
                "[]",
                "x",
                "",
                "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}",
        };
        for (size_t i = 0; i < sizeof firsts / sizeof *firsts; i++) {
                struct edge_conn *conn = street_connect(street);
                assert_int_equal(5000, conn->deadline_ms);
                street_say(street, conn, "%s", firsts[i]);
                assert_int_equal(4000, conn->closed);
                assert_string_equal("auth_required", street_words(street_event(conn, "session.closing", 0), "tag"));
        }
}

static void silence_after_connecting_ends_with_4000(void **state)
{
        struct street *street = *state;
        struct edge_conn *silent = street_connect(street), *open = street_customer(street, "ann", 0);
        street_deadline(silent);
        street_deadline(open);
        assert_int_equal(4000, silent->closed);
        assert_int_equal(0, open->closed);
        assert_int_equal(0, open->deadline_ms);
        assert_true(open->is_trusted);
        assert_int_equal(PROTOCOL_CLIENT_FRAME_BYTES, open->max_message);
}

static void a_bad_token_is_refused_with_4001_and_counts_as_no_login(void **state)
{
        struct street *street = *state;
        char *good = street_token(street, "ann", 3600);
        char *old = street_token(street, "ann", -120);
        size_t len = strlen(good);
        struct edge_conn *conn = street_connect(street);
        good[len - 5] = good[len - 5] == 'A' ? 'B' : 'A';
        open_with(street, conn, good);
        assert_string_equal("token_invalid", street_words(conn->told[0], "error.data.tag"));
        assert_int_equal(4001, conn->closed);
        assert_false(conn->is_trusted);
        conn = street_connect(street);
        open_with(street, conn, old);
        assert_int_equal(4001, conn->closed);
        assert_int_equal(0, street->desk->sessions.count);
        free(good);
        free(old);
}

static void exactly_one_proof_has_to_be_given(void **state)
{
        struct street *street = *state;
        struct edge_conn *conn = street_connect(street);
        street_ask(street, conn, "session.open", "{\"device\":\"%032x\",\"protocol\":{\"min\":1,\"max\":1}}", 1);
        assert_string_equal("token", street_words(conn->told[0], "error.data.field"));
        assert_int_equal(4000, conn->closed);
        conn = street_connect(street);
        street_ask(street, conn, "session.open",
                   "{\"token\":\"x\",\"visitor\":{\"app\":\"%s\"},\"device\":\"%032x\",\"protocol\":{\"min\":1,\"max\":"
                   "1}}",
                   street->app, 1);
        assert_string_equal("bad_request", street_words(conn->told[0], "error.data.tag"));
}

static void a_visitor_is_made_once_and_comes_back_with_his_secret(void **state)
{
        struct street *street = *state;
        struct edge_conn *conn = street_connect(street);
        const json_t *made =
                street_ask(street, conn, "session.open",
                           "{\"visitor\":{\"app\":\"%s\"},\"device\":\"%032x\",\"protocol\":{\"min\":1,\"max\":1}}",
                           street->app, 1);
        const char *secret = street_words(made, "result.visitor_secret");
        assert_int_equal(43, strlen(secret));
        struct edge_conn *again = street_connect(street);
        const json_t *back =
                street_ask(street, again, "session.open",
                           "{\"visitor\":{\"app\":\"%s\",\"secret\":\"%s\"},\"device\":\"%032x\",\"protocol\":"
                           "{\"min\":1,\"max\":1}}",
                           street->app, secret, 2);
        assert_string_equal(street_words(made, "result.principal"), street_words(back, "result.principal"));
        assert_null(street_words(back, "result.visitor_secret"));
        struct edge_conn *other = street_connect(street);
        street_ask(
                street, other, "session.open",
                "{\"visitor\":{\"app\":\"app_0000000000001\"},\"device\":\"%032x\",\"protocol\":{\"min\":1,\"max\":1}}",
                1);
        assert_int_equal(4001, other->closed);
}

static void ten_strikes_end_with_4009(void **state)
{
        struct street *street = *state;
        struct edge_conn *conn = street_customer(street, "ann", 0);
        static const char *const strikes[] = {
                "x",
                "[]",
                "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"feed.read\"}]",
                "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"no.such\"}",
                "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"session.open\",\"params\":{}}",
                "{\"jsonrpc\":\"2.0\",\"method\":\"feed.read\",\"params\":{\"rev\":0}}",
                "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"session.alive\"}",
                "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"conversation.watch\",\"params\":{}}",
                "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"feed.read\",\"params\":{\"rev\":0,\"more\":1}}",
        };
        size_t told = conn->told_count;
        for (size_t i = 0; i < 9; i++) {
                street_say(street, conn, "%s", strikes[i]);
                assert_int_equal(++told, conn->told_count);
                assert_non_null(street_words(conn->told[told - 1], "error.data.tag"));
                assert_string_equal("permanent", street_words(conn->told[told - 1], "error.data.class"));
                assert_int_equal(0, conn->closed);
        }
        street_say(street, conn, "{}");
        assert_int_equal(4009, conn->closed);
        assert_int_equal(30000, street_number(street_event(conn, "session.closing", 0), "retry_after_ms"));
}

static void refusals_that_are_no_fault_cost_nothing(void **state)
{
        struct street *street = *state;
        struct edge_conn *conn = street_customer(street, "ann", 0);
        for (int i = 0; i < 30; i++)
                assert_string_equal("not_found", street_tag(street_ask(street, conn, "entries.read",
                                                                       "{\"conv\":\"cnv_0000000000001\"}")));
        assert_int_equal(0, conn->closed);
}

static void requests_beyond_those_in_flight_are_refused_for_a_moment(void **state)
{
        struct street *street = *state;
        struct edge_conn *conn = street_customer(street, "ann", 0);
        char *conv = street_conversation(street, conn, "main");
        unsigned first = street->next_id + 1;
        for (unsigned i = 0; i < 6; i++)
                street_say(street, conn,
                           "{\"jsonrpc\":\"2.0\",\"id\":%u,\"method\":\"message.send\",\"params\":{\"cmid\":\"%s\","
                           "\"conv\":"
                           "\"%s\",\"kind\":\"text\",\"text\":\"x\"}}",
                           ++street->next_id, street_cmid(street), conv);
        street_settle(street);
        for (unsigned i = 0; i < 6; i++)
                assert_string_equal(i < 4 ? "" : "rate_limited", street_tag(street_answer(conn, first + i)));
        assert_true(street_number(street_answer(conn, first + 4), "error.data.retry_after_ms") >= 0);
        const char *tag;
        send_text(street, conn, conv, &tag);
        assert_string_equal("", tag);
        free(conv);
}

static void a_principal_has_one_budget_on_all_its_connections(void **state)
{
        struct street *street = *state;
        struct edge_conn *phone = street_customer(street, "ann", 0), *tablet = street_customer(street, "ann", 1);
        struct edge_conn *bob = street_customer(street, "bob", 0);
        char *conv = street_conversation(street, phone, "main"), *other = street_conversation(street, bob, "main");
        const char *tag = "";
        int sent = 0;
        for (; sent < 200 && strcmp(tag, "rate_limited") != 0; sent++)
                send_text(street, sent % 2 ? phone : tablet, conv, &tag);
        assert_string_equal("rate_limited", tag);
        assert_in_range(sent, 41, 120); /* 40 at once, 20 more each second that this takes */
        const json_t *answer = street_ask(street, phone, "message.send",
                                          "{\"cmid\":\"%s\",\"conv\":\"%s\",\"kind\":\"text\",\"text\":\"x\"}",
                                          street_cmid(street), conv);
        if (strcmp(street_tag(answer), "rate_limited") == 0)
                assert_in_range(street_number(answer, "error.data.retry_after_ms"), 1, 51);
        send_text(street, bob, other, &tag);
        assert_string_equal("", tag);
        assert_string_equal("", street_tag(street_ask(street, phone, "feed.read", "{\"rev\":0}")));
        phone->heard_ms = tablet->heard_ms = clock_mono_ms();
        free(conv);
        free(other);
}

static void coming_back_does_not_fill_the_budget(void **state)
{
        struct street *street = *state;
        struct edge_conn *conn = street_customer(street, "ann", 0);
        struct presence *presence = ((struct session *)conn->user)->presence;
        presence->tokens_milli = 500;
        presence->filled_ms = clock_mono_ms() + 3600000; /* no time passes for it */
        street_hang_up(street, conn);
        street_second(street, 0);
        conn = street_customer(street, "ann", 0);
        assert_true(((struct session *)conn->user)->presence->tokens_milli < 1000);
        ((struct session *)conn->user)->presence->filled_ms = clock_mono_ms();
}

static void a_budget_is_forgotten_when_it_is_full_and_nobody_is_there(void **state)
{
        struct street *street = *state;
        struct edge_conn *conn = street_customer(street, "ann", 0);
        ((struct session *)conn->user)->presence->tokens_milli = 500;
        street_hang_up(street, conn);
        assert_int_equal(1, street->net->presence_count);
        street->net->idle_presences->filled_ms -= 3600000;
        street_second(street, 0);
        assert_int_equal(0, street->net->presence_count);
        assert_null(street->net->idle_presences);
}

static void a_flood_of_anything_ends_with_4029(void **state)
{
        struct street *street = *state;
        struct edge_conn *conn = street_customer(street, "ann", 0);
        ((struct session *)conn->user)->presence->frame_tokens_milli = 5000;
        ((struct session *)conn->user)->presence->filled_ms = clock_mono_ms() + 3600000;
        for (int i = 0; i < 5; i++)
                street_say(street, conn, "{\"jsonrpc\":\"2.0\",\"method\":\"session.alive\"}");
        assert_int_equal(0, conn->closed);
        street_say(street, conn, "{\"jsonrpc\":\"2.0\",\"method\":\"session.alive\"}");
        assert_int_equal(4029, conn->closed);
        assert_true(street_number(street_event(conn, "session.closing", 0), "retry_after_ms") > 0);
}

static void typing_passes_once_in_three_seconds(void **state)
{
        struct street *street = *state;
        struct edge_conn *ann = street_customer(street, "ann", 0), *other = street_customer(street, "ann", 1);
        char *conv = street_conversation(street, ann, "main");
        for (int i = 0; i < 5; i++)
                street_say(street, ann, "{\"jsonrpc\":\"2.0\",\"method\":\"typing\",\"params\":{\"conv\":\"%s\"}}",
                           conv);
        street_settle(street);
        assert_int_equal(1, street_count(other, "typing"));
        assert_int_equal(0, street_count(ann, "typing"));
        ((struct session *)ann->user)->typed_ms -= PROTOCOL_TYPING_EVERY_MS;
        street_say(street, ann, "{\"jsonrpc\":\"2.0\",\"method\":\"typing\",\"params\":{\"conv\":\"%s\"}}", conv);
        street_settle(street);
        assert_int_equal(2, street_count(other, "typing"));
        free(conv);
}

static void the_heart_beats_every_25_seconds(void **state)
{
        struct street *street = *state;
        struct edge_conn *conn = street_customer(street, "ann", 0);
        for (int second = 0; second < 60; second++) {
                conn->heard_ms = clock_mono_ms() + (uint64_t)second * 1000;
                street_second(street, (uint64_t)second * 1000);
        }
        assert_int_equal(2, street_count(conn, "heartbeat"));
        assert_int_equal(desk_rev(street->desk), street_number(street_event(conn, "heartbeat", 0), "rev"));
}

static void thirtyfive_seconds_without_a_byte_end_it(void **state)
{
        struct street *street = *state;
        struct edge_conn *conn = street_customer(street, "ann", 0);
        street_second(street, 34500);
        assert_int_equal(0, conn->closed);
        street_second(street, 35500);
        assert_int_equal(1001, conn->closed);
}

static void an_expired_token_ends_with_4001_unless_it_was_renewed(void **state)
{
        struct street *street = *state;
        struct edge_conn *conn = street_connect(street), *renewed = street_connect(street);
        char *token = street_token(street, "ann", 600), *longer = street_token(street, "ann", 7200);
        open_with(street, conn, token);
        street_ask(street, renewed, "session.open",
                   "{\"token\":\"%s\",\"device\":\"%032x\",\"protocol\":{\"min\":1,\"max\":1}}", token, 9);
        const json_t *answer = street_ask(street, renewed, "session.renew", "{\"token\":\"%s\"}", longer);
        assert_string_equal("", street_tag(answer));
        clock_shift_wall(601000);
        street_second(street, 0);
        assert_int_equal(4001, conn->closed);
        assert_int_equal(0, renewed->closed);
        clock_shift_wall(-601000);
        free(token);
        free(longer);
}

static void a_session_is_renewed_for_the_same_principal_only(void **state)
{
        struct street *street = *state;
        struct edge_conn *ann = street_customer(street, "ann", 0), *visitor = street_connect(street);
        char *bobs = street_token(street, "bob", 7200);
        street_ask(street, visitor, "session.open",
                   "{\"visitor\":{\"app\":\"%s\"},\"device\":\"%032x\",\"protocol\":{\"min\":1,\"max\":1}}",
                   street->app, 1);
        int64_t before = ((struct session *)ann->user)->expires_ms;
        assert_string_equal("token_invalid",
                            street_tag(street_ask(street, ann, "session.renew", "{\"token\":\"%s\"}", bobs)));
        assert_string_equal("token_invalid",
                            street_tag(street_ask(street, visitor, "session.renew", "{\"token\":\"%s\"}", bobs)));
        assert_int_equal(before, ((struct session *)ann->user)->expires_ms);
        assert_int_equal(0, ann->closed);
        free(bobs);
}

static void the_same_device_again_ends_the_older_with_4003(void **state)
{
        struct street *street = *state;
        struct edge_conn *older = street_customer(street, "ann", 0), *newer = street_customer(street, "ann", 0);
        assert_int_equal(4003, older->closed);
        assert_string_equal("replaced", older->closed_tag);
        assert_int_equal(0, newer->closed);
        street_hang_up(street, older);
        street_settle(street);
        assert_int_equal(1, street->desk->sessions.count);
}

static void a_removed_key_ends_with_4004_and_lets_nobody_in(void **state)
{
        struct street *street = *state;
        struct edge_conn *conn = street_customer(street, "ann", 0), *late = street_connect(street);
        json_decref(street_operate(street, "key.remove", "{\"cmid\":\"%s\",\"app\":\"%s\",\"kid\":\"k1\"}",
                                   street_cmid(street), street->app));
        street_settle(street);
        assert_int_equal(4004, conn->closed);
        char *token = street_token(street, "bob", 600);
        open_with(street, late, token); /* before this thread has looked at the keys again */
        assert_int_equal(4001, late->closed);
        free(token);
}

static void a_revoked_customer_ends_with_4004(void **state)
{
        struct street *street = *state;
        struct edge_conn *conn = street_customer(street, "ann", 0), *bob = street_customer(street, "bob", 0);
        json_decref(street_operate(street, "customer.revoke", "{\"cmid\":\"%s\",\"customer\":\"%s\"}",
                                   street_cmid(street), street_words(street_answer(conn, 1), "result.principal")));
        street_settle(street);
        assert_int_equal(4004, conn->closed);
        assert_int_equal(0, bob->closed);
}

static void a_drain_tells_everybody_when_to_come_back_and_takes_nobody_new(void **state)
{
        struct street *street = *state;
        struct edge_conn *conns[50];
        bool differ = false;
        for (int i = 0; i < 50; i++)
                conns[i] = i < 25 ? street_customer(street, "ann", i) : street_connect(street);
        desk_post_drain(street->desk);
        street_settle(street);
        json_int_t first = street_number(street_event(conns[0], "session.closing", 0), "retry_after_ms");
        for (int i = 0; i < 50; i++) {
                assert_int_equal(4012, conns[i]->closed);
                json_int_t hint = street_number(street_event(conns[i], "session.closing", 0), "retry_after_ms");
                assert_in_range(hint, 0, 9999);
                differ = differ || hint != first;
        }
        assert_true(differ);
        struct edge_conn *late = street_connect(street);
        assert_null(late->user);
        assert_int_equal(503, late->refused);
}

static void pages_are_asked_for_no_faster_than_they_are_read(void **state)
{
        struct street *street = *state;
        struct edge_conn *conn = street_customer(street, "ann", 0);
        for (int i = 0; i < 2; i++)
                street_say(street, conn,
                           "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"feed.read\",\"params\":{\"rev\":0}}", 7000 + i);
        assert_true(conn->is_paused);
        conn->pending = 200000; /* what it was given lies unread */
        street_settle(street);
        assert_true(conn->is_paused);
        street_second(street, 100000);
        assert_int_equal(0, conn->closed);
        conn->pending = 1000;
        street_second(street, 0);
        assert_false(conn->is_paused);
}

static void who_does_not_read_his_pages_for_two_minutes_is_slow(void **state)
{
        struct street *street = *state;
        struct edge_conn *conn = street_customer(street, "ann", 0);
        conn->pending = 200000;
        street_ask(street, conn, "feed.read", "{\"rev\":0}");
        assert_true(conn->is_paused);
        street_second(street, 119000);
        assert_int_equal(0, conn->closed);
        street_second(street, 121000);
        assert_int_equal(4008, conn->closed);
}

static void while_the_desk_is_crowded_nothing_more_is_read(void **state)
{
        struct street *street = *state;
        struct edge_conn *conn = street_customer(street, "ann", 0);
        atomic_store(&street->desk->is_crowded, true);
        street_say(street, conn, "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"conversation.open\",\"params\":{}}");
        assert_true(conn->is_paused);
        street_second(street, 60000); /* and its silence is not its fault */
        assert_true(conn->is_paused);
        assert_int_equal(0, conn->closed);
        atomic_store(&street->desk->is_crowded, false);
        street_second(street, 0);
        assert_false(conn->is_paused);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, street_set_up, street_tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(anything_but_opening_a_session_first_ends_with_4000),
                TEST(silence_after_connecting_ends_with_4000),
                TEST(a_bad_token_is_refused_with_4001_and_counts_as_no_login),
                TEST(exactly_one_proof_has_to_be_given),
                TEST(a_visitor_is_made_once_and_comes_back_with_his_secret),
                TEST(ten_strikes_end_with_4009),
                TEST(refusals_that_are_no_fault_cost_nothing),
                TEST(requests_beyond_those_in_flight_are_refused_for_a_moment),
                TEST(a_principal_has_one_budget_on_all_its_connections),
                TEST(coming_back_does_not_fill_the_budget),
                TEST(a_budget_is_forgotten_when_it_is_full_and_nobody_is_there),
                TEST(a_flood_of_anything_ends_with_4029),
                TEST(typing_passes_once_in_three_seconds),
                TEST(the_heart_beats_every_25_seconds),
                TEST(thirtyfive_seconds_without_a_byte_end_it),
                TEST(an_expired_token_ends_with_4001_unless_it_was_renewed),
                TEST(a_session_is_renewed_for_the_same_principal_only),
                TEST(the_same_device_again_ends_the_older_with_4003),
                TEST(a_removed_key_ends_with_4004_and_lets_nobody_in),
                TEST(a_revoked_customer_ends_with_4004),
                TEST(a_drain_tells_everybody_when_to_come_back_and_takes_nobody_new),
                TEST(pages_are_asked_for_no_faster_than_they_are_read),
                TEST(who_does_not_read_his_pages_for_two_minutes_is_slow),
                TEST(while_the_desk_is_crowded_nothing_more_is_read),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
