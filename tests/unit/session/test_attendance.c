/* SPDX-License-Identifier: Apache-2.0 */
/* Presence on a network thread: who hears it, who must not, and how the team's word is spread over many customers. */
#include <stdlib.h>

#include "unit/session/street.h"

static void pass(struct street *street, uint64_t ms)
{
        street_settle(street); /* what was said so far has happened before */
        clock_shift_mono(ms);
        for (size_t i = 0; i < street->conn_count; i++)
                street->conns[i].heard_ms = clock_mono_ms();
        street_settle(street);
        street_second(street, 0);
        street_settle(street);
}

static void watch(struct street *street, struct edge_conn *agent, const char *conv)
{
        assert_string_equal("", street_tag(street_ask(street, agent, "conversation.watch", "{\"conv\":\"%s\"}", conv)));
}

static bool is_online(const json_t *presence)
{
        return json_is_true(json_object_get(presence, "online"));
}

/* How often the connection was told of a customer, the team's word left out. */
static size_t customers_told(const struct edge_conn *conn)
{
        size_t count = 0;
        for (size_t i = 0; i < street_count(conn, "presence"); i++)
                count += json_object_get(street_event(conn, "presence", i), "customer") != NULL;
        return count;
}

static void agents_who_watch_are_told_when_the_customer_goes_and_comes(void **state)
{
        struct street *street = *state;
        struct edge_conn *ann = street_customer(street, "ann", 0), *eve = street_agent(street, "Eve", 0);
        struct edge_conn *adam = street_agent(street, "Adam", 0), *bob = street_customer(street, "bob", 0);
        char *conv = street_conversation(street, ann, "main"), *bobs = street_conversation(street, bob, "main");
        watch(street, eve, conv);
        watch(street, eve, bobs);
        street_hang_up(street, ann);
        pass(street, PROTOCOL_PRESENCE_GONE_MS + 500);
        const json_t *told = street_event(eve, "presence", 0);
        assert_int_equal(1, street_count(eve, "presence"));
        assert_string_equal(conv, street_words(told, "conv"));
        assert_non_null(street_words(told, "customer"));
        assert_false(is_online(told));
        assert_int_equal(0, street_number(told, "last_seen") % 60000);
        pass(street, PROTOCOL_PRESENCE_EVERY_MS);
        street_customer(street, "ann", 1);
        pass(street, 0);
        assert_int_equal(2, street_count(eve, "presence"));
        assert_true(is_online(street_event(eve, "presence", 1)));
        assert_null(json_object_get(street_event(eve, "presence", 1), "last_seen"));
        assert_int_equal(0, street_count(adam, "presence"));
        assert_int_equal(0, customers_told(bob));
        free(conv);
        free(bobs);
}

static void nothing_is_told_after_unwatch_nor_to_a_revoked_agent_nor_to_bots(void **state)
{
        struct street *street = *state;
        struct edge_conn *ann = street_customer(street, "ann", 0), *eve = street_agent(street, "Eve", 0);
        struct edge_conn *adam = street_agent(street, "Adam", 0), *robot = street_agent(street, "Robot", 0);
        char *conv = street_conversation(street, ann, "main");
        watch(street, eve, conv);
        watch(street, adam, conv);
        watch(street, robot, conv);
        ((struct session *)robot->user)->caller.role = ROLE_BOT;
        street_ask(street, eve, "conversation.unwatch", "{\"conv\":\"%s\"}", conv);
        struct session *gone = adam->user;
        char id[ID_TEXT_BYTES + 1] = {0};
        principal_write(id, gone->who);
        json_decref(
                street_operate(street, "agent.revoke", "{\"cmid\":\"%s\",\"agent\":\"%s\"}", street_cmid(street), id));
        street_settle(street);
        assert_int_equal(PROTOCOL_CLOSE_REVOKED, adam->closed);
        street_hang_up(street, ann);
        pass(street, PROTOCOL_PRESENCE_GONE_MS + 500);
        assert_int_equal(0, street_count(eve, "presence") + street_count(adam, "presence") +
                                    street_count(robot, "presence"));
        free(conv);
}

static void a_connection_with_much_waiting_is_not_told_and_its_entries_are(void **state)
{
        struct street *street = *state;
        struct edge_conn *ann = street_customer(street, "ann", 0), *other = street_customer(street, "ann", 1);
        struct edge_conn *eve = street_agent(street, "Eve", 0);
        char *conv = street_conversation(street, ann, "main");
        watch(street, eve, conv);
        eve->pending = street->net->edge_options.output_bytes / 2;
        street_ask(street, ann, "message.send", "{\"cmid\":\"%s\",\"conv\":\"%s\",\"kind\":\"text\",\"text\":\"x\"}",
                   street_cmid(street), conv);
        street_hang_up(street, ann);
        street_hang_up(street, other);
        pass(street, PROTOCOL_PRESENCE_GONE_MS + 500);
        assert_int_equal(1, street_count(eve, "entry"));
        assert_int_equal(0, street_count(eve, "presence"));
        free(conv);
}

static void whoever_watches_follows_a_conversation_to_the_user_who_claims_it(void **state)
{
        struct street *street = *state;
        struct edge_conn *ann = street_customer(street, "ann", 0), *visitor = street_customer(street, "visitor", 0);
        struct edge_conn *eve = street_agent(street, "Eve", 0);
        char *conv = street_conversation(street, visitor, "main");
        watch(street, eve, conv);
        const struct session *user = ann->user, *was = visitor->user;
        const struct watch *seen = watches_of_customer(street->net, was->caller.principal);
        assert_non_null(seen);
        struct attendance_change change = {.customer = user->caller.principal, .ext = user->who.id, .is_online = true};
        struct desk_note *note =
                note_new(NOTE_GIVEN, (struct edge_ref){0}, (struct span){(const char *)&change, sizeof change});
        note->conv = seen->conv;
        note->customer = user->caller.principal;
        attendance_given(street->net, note);
        note_free(note);
        assert_int_equal(1, street_count(eve, "presence"));
        street_hang_up(street, visitor);
        pass(street, PROTOCOL_PRESENCE_GONE_MS + 500);
        assert_int_equal(1, street_count(eve, "presence")); /* the visitor is nobody's business any more */
        street_hang_up(street, ann);
        pass(street, PROTOCOL_PRESENCE_GONE_MS + 500);
        assert_int_equal(2, street_count(eve, "presence"));
        assert_false(is_online(street_event(eve, "presence", 1)));
        street_hang_up(street, eve);
        assert_int_equal(0, street->net->watch_count);
        free(conv);
}

static void customers_hear_the_teams_word_once_when_it_changes(void **state)
{
        struct street *street = *state;
        struct edge_conn *ann = street_customer(street, "ann", 0), *eve = street_agent(street, "Eve", 0);
        pass(street, 1000);
        pass(street, 1000);
        assert_int_equal(1, street_count(ann, "presence"));
        const json_t *told = street_event(ann, "presence", 0);
        assert_string_equal("here", street_words(told, "team"));
        assert_int_equal(1, json_object_size(told));
        struct edge_conn *bob = street_customer(street, "bob", 0); /* has heard it in the answer */
        pass(street, 1000);
        assert_int_equal(0, street_count(bob, "presence"));
        street_hang_up(street, eve);
        pass(street, PROTOCOL_TEAM_EVERY_MS + 500);
        assert_string_equal("away", street_words(street_event(ann, "presence", 1), "team"));
        assert_string_equal("away", street_words(street_event(bob, "presence", 0), "team"));
}

static void a_customer_with_much_waiting_hears_the_word_later(void **state)
{
        struct street *street = *state;
        struct edge_conn *ann = street_customer(street, "ann", 0);
        ann->pending = street->net->edge_options.output_bytes / 2;
        street_agent(street, "Eve", 0);
        pass(street, 1000);
        assert_int_equal(0, street_count(ann, "presence"));
        ann->pending = 0;
        pass(street, 1000);
        assert_int_equal(1, street_count(ann, "presence"));
}

static void an_agent_is_idle_after_five_minutes_without_a_word_but_alive(void **state)
{
        struct street *street = *state;
        struct edge_conn *ann = street_customer(street, "ann", 0), *eve = street_agent(street, "Eve", 0);
        pass(street, 1000);
        for (int minute = 0; minute < 6; minute++) {
                street_say(street, eve, "{\"jsonrpc\":\"2.0\",\"method\":\"session.alive\"}");
                pass(street, 60000);
        }
        pass(street, PROTOCOL_TEAM_EVERY_MS);
        assert_string_equal("away", street_words(street_event(ann, "presence", 1), "team"));
        street_ask(street, eve, "feed.read", "{\"rev\":0}");
        pass(street, PROTOCOL_TEAM_EVERY_MS);
        assert_string_equal("here", street_words(street_event(ann, "presence", 2), "team"));
        for (int minute = 0; minute < 8; minute++) {
                street_ask(street, eve, "feed.read", "{\"rev\":0}");
                pass(street, 60000);
        }
        assert_int_equal(3, street_count(ann, "presence"));
}

static void setting_a_word_takes_from_the_budget_and_only_agents_may(void **state)
{
        struct street *street = *state;
        struct edge_conn *ann = street_customer(street, "ann", 0), *eve = street_agent(street, "Eve", 0);
        assert_string_equal("forbidden", street_tag(street_ask(street, ann, "presence.set", "{\"state\":\"here\"}")));
        assert_string_equal("bad_request", street_tag(street_ask(street, eve, "presence.set", "{\"state\":\"gone\"}")));
        assert_string_equal("", street_tag(street_ask(street, eve, "presence.set", "{\"state\":\"away\"}")));
        struct presence *budget = ((struct session *)eve->user)->presence;
        budget->tokens_milli = 0;
        budget->filled_ms = clock_mono_ms() + 3600000;
        const json_t *answer = street_ask(street, eve, "presence.set", "{\"state\":\"here\"}");
        assert_string_equal("rate_limited", street_tag(answer));
        assert_true(street_number(answer, "error.data.retry_after_ms") > 0);
}

/* Connections that only count: 2,000 customers would take long to log in. */
static void two_thousand_customers_are_told_in_turns_of_a_thousand(void **state)
{
        enum { CUSTOMERS = 2000, AT_ONCE = 1000 };
        struct street *street = *state;
        struct edge_conn *conns = calloc(CUSTOMERS, sizeof *conns);
        struct edge_peer peer = {.address.sin6_family = AF_INET6};
        assert_non_null(conns);
        for (int i = 0; i < CUSTOMERS; i++) {
                conns[i].heard_ms = clock_mono_ms();
                conns[i].user = session_opened(street->net, &conns[i], &peer);
                struct session *session = conns[i].user;
                assert_non_null(session);
                session->state = SESSION_OPEN;
                session->caller.role = ROLE_CUSTOMER;
        }
        street_agent(street, "Eve", 0);
        for (int turn = 1; turn <= 3; turn++) {
                street_second(street, 0);
                int told = 0;
                for (int i = 0; i < CUSTOMERS; i++)
                        told += (int)street_count(&conns[i], "presence");
                assert_int_equal(turn * AT_ONCE < CUSTOMERS ? turn * AT_ONCE : CUSTOMERS, told);
        }
        for (int i = 0; i < CUSTOMERS; i++) {
                assert_int_equal(1, street_count(&conns[i], "presence"));
                session_closed(conns[i].user);
                for (size_t m = 0; m < conns[i].told_count; m++)
                        json_decref(conns[i].told[m]);
        }
        free(conns);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, street_set_up, street_tear_down)
        const struct CMUnitTest tests[] = {
                TEST(agents_who_watch_are_told_when_the_customer_goes_and_comes),
                TEST(nothing_is_told_after_unwatch_nor_to_a_revoked_agent_nor_to_bots),
                TEST(a_connection_with_much_waiting_is_not_told_and_its_entries_are),
                TEST(whoever_watches_follows_a_conversation_to_the_user_who_claims_it),
                TEST(customers_hear_the_teams_word_once_when_it_changes),
                TEST(a_customer_with_much_waiting_hears_the_word_later),
                TEST(an_agent_is_idle_after_five_minutes_without_a_word_but_alive),
                TEST(setting_a_word_takes_from_the_budget_and_only_agents_may),
                TEST(two_thousand_customers_are_told_in_turns_of_a_thousand),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
