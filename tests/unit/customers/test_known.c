/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of a customer: who may say what, what a definition allows, and that a refusal changes nothing. */
#include "unit/customers/people_known.h"

#include <stdio.h>
#include <stdlib.h>

#define ATTR(name, value) ",\"attributes\":[{\"name\":\"" name "\",\"value\":\"" value "\"}]"

#define SAID_NAME "{\"attributes\":[{\"name\":\"name\",\"value\":\"%s\"}]}"
#define BLOCK     "{\"cmid\":\"%s\",\"customer\":\"%s\",\"reason\":\"spam\"}"

static void define(struct room *room, const char *scope, const char *name, const char *kind, const char *more)
{
        take_result(room_operate(room, "attribute.add",
                                 "{\"cmid\":\"%s\",\"scope\":\"%s\",\"name\":\"%s\",\"kind\":\"%s\"%s}",
                                 room_cmid(room), scope, name, kind, more));
}

static void expect_known(struct room *room, const struct client *customer, const char *name, const char *expected)
{
        json_t *result = known_get(room, customer);
        const char *value = known_value(result, name);
        if (expected)
                assert_string_equal(expected, value ? value : "(nothing)");
        else
                assert_null(value);
        json_decref(result);
}

static void what_the_token_says_is_not_overwritten_by_the_team_or_the_client(void **state)
{
        struct room *room = *state;
        define(room, "customer", "plan", "text", "");
        struct client ann = known_user(room, "ann", "Ann Lee", "gold", "{\"plan\":\"pro\",\"seats\":12}");
        expect_known(room, &ann, "plan", "pro token");
        expect_known(room, &ann, "seats", "12 token");
        take_error(known_set(room, &ann, ATTR("plan", "free")), "conflict");
        take_error(known_set(room, &ann, ATTR("name", "Somebody")), "conflict");
        take_error(known_set(room, &ann, ",\"tier\":\"\""), "conflict");
        take_error(room_ask(room, &ann, "customer.describe", "{\"attributes\":[{\"name\":\"plan\",\"value\":\"x\"}]}"),
                   "conflict");
        json_t *result = known_get(room, &ann);
        assert_string_equal("Ann Lee", words(result, "customer.name"));
        assert_string_equal("gold", words(result, "customer.tier"));
        assert_int_equal(1, number(result, "customer.verified"));
        assert_int_equal(1, number(result, "version"));
        json_decref(result);
        known_user(room, "ann", "Ann Lee", "gold", "{\"plan\":\"free\"}");
        expect_known(room, &ann, "plan", "free token");
        expect_known(room, &ann, "seats", NULL);
}

static void the_team_overwrites_the_client_and_not_the_other_way_round(void **state)
{
        struct room *room = *state;
        struct client visitor = known_visitor(room, "s1");
        take_result(room_ask(room, &visitor, "customer.describe", SAID_NAME, "Bob"));
        expect_known(room, &visitor, "name", "Bob client");
        take_result(known_set(room, &visitor, ATTR("name", "Robert")));
        expect_known(room, &visitor, "name", "Robert operator");
        take_error(room_ask(room, &visitor, "customer.describe", SAID_NAME, "Bobby"), "conflict");
        struct client app = known_by_app(&visitor);
        take_result(room_ask(room, &app, "customer.describe", SAID_NAME, "Bob Stone"));
        expect_known(room, &visitor, "name", "Bob Stone app");
        take_error(known_set(room, &visitor, ATTR("name", "Robert")), "conflict");
        assert_int_equal(1, room_sql(room, "SELECT count(*) FROM principal WHERE name = 'Bob Stone'"));
}

static void a_client_that_says_something_each_moment_has_to_wait(void **state)
{
        struct room *room = *state;
        struct client visitor = known_visitor(room, "s1");
        const char *tag = NULL;
        for (int tries = 0; tries < 50 && !tag; tries++) { /* a slow machine may need a second for one call */
                json_t *answer = room_ask(room, &visitor, "customer.describe", SAID_NAME, "Bob");
                if (!json_object_get(answer, "result"))
                        tag = strcmp(words(answer, "error.data.tag"), "rate_limited") == 0 ? "rate_limited" : "other";
                json_decref(answer);
        }
        assert_string_equal("rate_limited", tag ? tag : "never");
        clock_shift_wall(1000);
        take_result(room_ask(room, &visitor, "customer.describe", SAID_NAME, "Bobby"));
        expect_known(room, &visitor, "name", "Bobby client");
}

static void an_attribute_takes_what_its_kind_allows_and_nothing_else(void **state)
{
        struct room *room = *state;
        struct client ann = room_customer(room, "ann", 0);
        static const char *const cases[][4] = {
                {"number", "", "12.50 -3 0 999999999999999", "x 1. .5 1e5 1.2.3 1234567890123456"},
                {"date", "", "2024-02-29 2026-12-31", "2023-02-29 2026-13-01 2026-1-1 26-01-01 2026-04-31"},
                {"bool", "", "true false", "yes 1 TRUE"},
                {"choice", ",\"choices\":[\"red\",\"blue\"]", "red blue", "green Red redblue"},
        };
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                define(room, "customer", cases[i][0], cases[i][0], cases[i][1]);
                for (int is_bad = 0; is_bad < 2; is_bad++) {
                        char list[256], *rest = list, more[256];
                        snprintf(list, sizeof list, "%s", cases[i][2 + is_bad]);
                        for (char *value = strsep(&rest, " "); value; value = strsep(&rest, " ")) {
                                snprintf(more, sizeof more, ",\"attributes\":[{\"name\":\"%s\",\"value\":\"%s\"}]",
                                         cases[i][0], value);
                                if (is_bad)
                                        take_error(known_set(room, &ann, more), "bad_request");
                                else
                                        take_result(known_set(room, &ann, more));
                        }
                }
        }
        json_t *refused = known_set(room, &ann, ATTR("unheard_of", "x"));
        assert_string_equal("attributes[0].name", words(refused, "error.data.field"));
        take_error(refused, "bad_request");
        expect_known(room, &ann, "date", "2026-12-31 operator");
}

static void a_change_is_made_whole_or_not_at_all(void **state)
{
        struct room *room = *state;
        struct client ann = room_customer(room, "ann", 0);
        take_result(
                room_operate(room, "tier.set", "{\"cmid\":\"%s\",\"tiers\":[\"silver\",\"gold\"]}", room_cmid(room)));
        take_result(known_set(room, &ann, ATTR("phone", "555") ",\"tier\":\"gold\",\"add_tags\":[\"beta\",\"vip\"]"));
        take_error(known_set(room, &ann, ATTR("phone", "666") ",\"tier\":\"platinum\",\"add_tags\":[\"x\"]"),
                   "bad_request");
        char many[8192] = ",\"add_tags\":[\"t0\"";
        for (int i = 1; i < 49; i++)
                snprintf(many + strlen(many), 16, ",\"t%d\"", i);
        strcat(many, "],\"attributes\":[{\"name\":\"phone\",\"value\":\"777\"}]");
        take_error(known_set(room, &ann, many), "too_many");
        json_t *result = known_get(room, &ann);
        assert_string_equal("555 operator", known_value(result, "phone"));
        assert_string_equal("gold", words(result, "customer.tier"));
        assert_int_equal(2, json_array_size(json_object_get(result, "tags")));
        assert_int_equal(2, number(result, "version"));
        json_decref(result);
        take_error(known_set(room, &ann, ",\"version\":1" ATTR("phone", "888")), "stale");
        take_result(known_set(room, &ann, ",\"version\":2,\"remove_tags\":[\"vip\"]"));
        expect_known(room, &ann, "phone", "555 operator");
        assert_int_equal(1, room_sql(room, "SELECT count(*) FROM customer_tag"));
        room_check(room);
}

static void who_may_not_edit_customers_changes_nothing_and_who_reads_nobody_finds_nobody(void **state)
{
        struct room *room = *state;
        struct client ann = room_customer(room, "ann", 0);
        struct client eve = room_agent(room, "Eve", 0);
        char role[32];
        crew_role(room, "narrow", "reply,note", role);
        crew_give_role(room, &eve, role);
        eve = room_agent(room, "Eve", 1);
        take_error(
                room_ask(room, &eve, "customer.set", "{\"cmid\":\"%s\",\"customer\":\"%s\"}", room_cmid(room), ann.id),
                "forbidden");
        take_error(room_ask(room, &eve, "customer.note", "{\"cmid\":\"%s\",\"customer\":\"%s\",\"text\":\"n\"}",
                            room_cmid(room), ann.id),
                   "not_found");
        take_error(room_read(room, &eve, "customer.get", "{\"customer\":\"%s\"}", ann.id), "not_found");
        take_error(room_read(room, &eve, "timeline.read", "{\"customer\":\"%s\"}", ann.id), "not_found");
        json_t *list = room_read(room, &eve, "customer.list", "{}");
        assert_int_equal(0, json_array_size(json_object_get(json_object_get(list, "result"), "customers")));
        json_decref(list);
        char *conv = crew_conversation(room, "ann", "hello");
        crew_assign(room, conv, NULL, &eve);
        list = room_read(room, &eve, "customer.list", "{}");
        assert_int_equal(1, json_array_size(json_object_get(json_object_get(list, "result"), "customers")));
        json_decref(list);
        take_result(room_read(room, &eve, "customer.get", "{\"customer\":\"%s\"}", ann.id));
        take_result(room_read(room, &eve, "customer.get", "{\"conv\":\"%s\"}", conv));
        free(conv);
}

static void a_blocked_customer_is_answered_as_ever_and_reaches_nobody(void **state)
{
        struct room *room = *state;
        struct client ann = room_customer(room, "ann", 0), eve = known_agent(room, "Eve");
        char *conv = room_conversation(room, &ann, "main");
        take_seq(room_send(room, &ann, conv, NULL, "one"));
        assert_string_equal("pending", ticket_status_in(room, conv));
        take_result(room_ask(room, &eve, "customer.block", BLOCK, room_cmid(room), ann.id));
        assert_string_equal("closed", ticket_status_in(room, conv));
        take_seq(room_send(room, &ann, conv, NULL, "two"));
        assert_int_equal(0, room_sql(room, "SELECT count(*) FROM ticket WHERE status < 8"));
        json_t *result = known_get(room, &ann);
        assert_string_equal("spam", words(result, "block_reason"));
        assert_string_equal(eve.id, words(result, "blocked_by"));
        json_decref(result);
        room_close(room);
        room_open(room);
        ann = room_customer(room, "ann", 0);
        take_seq(room_send(room, &ann, conv, NULL, "three"));
        assert_int_equal(0, room_sql(room, "SELECT count(*) FROM ticket WHERE status < 8"));
        take_result(room_operate(room, "customer.unblock", "{\"cmid\":\"%s\",\"customer\":\"%s\"}", room_cmid(room),
                                 ann.id));
        take_seq(room_send(room, &ann, conv, NULL, "four"));
        assert_int_equal(1, room_sql(room, "SELECT count(*) FROM ticket WHERE status < 8"));
        tickets_check(room);
        room_check(room);
        free(conv);
}

static void a_change_that_was_not_kept_is_not_known_afterwards(void **state)
{
        struct room *room = *state;
        struct client ann = room_customer(room, "ann", 0);
        struct fact_value value = {0};
        take_result(known_set(room, &ann, ATTR("phone", "555")));
        db_fault_add((struct db_fault_rule){.op = DB_FAULT_COMMIT,
                                            .kind = DB_FAULT_FAIL,
                                            .mode = DB_WRITER,
                                            .nth = db_fault_calls(DB_FAULT_COMMIT, DB_WRITER) + 1,
                                            .error = DB_FULL});
        json_decref(
                room_operate(room, "customer.block", "{\"cmid\":\"%s\",\"customer\":\"%s\"}", room_cmid(room), ann.id));
        assert_int_equal(0, room_sql(room, "SELECT count(*) FROM customer_profile WHERE blocked_ms > 0"));
        assert_false(customers_is_blocked(room->desk, ann.caller.principal));
        assert_int_equal(
                0, customers_fact(room->desk, ann.caller.principal, FACT_CUSTOMER_ATTRIBUTE, SPAN("phone"), &value));
        assert_true(value.is_set && span_equal(value.text, SPAN("555")));
}

static void a_condition_sees_a_customer_as_he_is_now(void **state)
{
        struct room *room = *state;
        struct client ann = room_customer(room, "ann", 0);
        int64_t id = ann.caller.principal;
        struct fact_value value = {0};
        define(room, "customer", "seats", "number", "");
        define(room, "customer", "beta", "bool", "");
        take_result(room_operate(room, "tier.set", "{\"cmid\":\"%s\",\"tiers\":[\"gold\"]}", room_cmid(room)));
        assert_int_equal(0, customers_fact(room->desk, id, FACT_CUSTOMER_TIER, (struct span){0}, &value));
        assert_false(value.is_set);
        take_result(known_set(room, &ann,
                              ",\"tier\":\"gold\",\"add_tags\":[\"a\",\"b\"],\"attributes\":[{\"name\":"
                              "\"seats\",\"value\":\"-12.5\"},{\"name\":\"beta\",\"value\":\"true\"}]"));
        assert_int_equal(0, customers_fact(room->desk, id, FACT_CUSTOMER_TIER, (struct span){0}, &value));
        assert_true(value.is_set && span_equal(value.text, SPAN("gold")));
        assert_int_equal(0, customers_fact(room->desk, id, FACT_CUSTOMER_TAG, (struct span){0}, &value));
        assert_int_equal(2, value.count);
        assert_int_equal(0, customers_fact(room->desk, id, FACT_CUSTOMER_ATTRIBUTE, SPAN("seats"), &value));
        assert_int_equal(FACT_AS_NUMBER, value.type);
        assert_int_equal(-12, value.number);
        assert_int_equal(0, customers_fact(room->desk, id, FACT_CUSTOMER_ATTRIBUTE, SPAN("beta"), &value));
        assert_int_equal(FACT_AS_BOOL, value.type);
        assert_int_equal(1, value.number);
}

static void definitions_are_bounded_and_named_once(void **state)
{
        struct room *room = *state;
        define(room, "ticket", "order", "text", "");
        json_t *again = room_operate(room, "attribute.add",
                                     "{\"cmid\":\"%s\",\"scope\":\"ticket\",\"name\":\"order\",\"kind\":\"text\"}",
                                     room_cmid(room));
        take_error(again, "conflict");
        static const char *const bad[][2] = {{"Order", "bad_request"}, {"1x", "bad_request"}, {"email", "conflict"}};
        for (size_t i = 0; i < 3; i++)
                take_error(room_operate(room, "attribute.add",
                                        "{\"cmid\":\"%s\",\"scope\":\"customer\",\"name\":\"%s\",\"kind\":\"text\"}",
                                        room_cmid(room), bad[i][0]),
                           bad[i][1]);
        char name[16];
        for (int i = 1; i < TICKET_FIELDS; i++) {
                snprintf(name, sizeof name, "f%d", i);
                define(room, "ticket", name, "text", "");
        }
        take_error(room_operate(room, "attribute.add",
                                "{\"cmid\":\"%s\",\"scope\":\"ticket\",\"name\":\"more\",\"kind\":\"text\"}",
                                room_cmid(room)),
                   "too_many");
        take_result(room_operate(room, "attribute.remove", "{\"cmid\":\"%s\",\"scope\":\"ticket\",\"name\":\"order\"}",
                                 room_cmid(room)));
        take_error(room_operate(room, "attribute.remove", "{\"cmid\":\"%s\",\"scope\":\"ticket\",\"name\":\"order\"}",
                                room_cmid(room)),
                   "not_found");
        json_t *list = room_operate(room, "attribute.list", "{\"scope\":\"ticket\"}");
        assert_int_equal(TICKET_FIELDS - 1,
                         json_array_size(json_object_get(json_object_get(list, "result"), "attributes")));
        json_decref(list);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
#define ROW(name) cmocka_unit_test_setup_teardown(name, room_set_up, room_tear_down)
                ROW(what_the_token_says_is_not_overwritten_by_the_team_or_the_client),
                ROW(the_team_overwrites_the_client_and_not_the_other_way_round),
                ROW(a_client_that_says_something_each_moment_has_to_wait),
                ROW(an_attribute_takes_what_its_kind_allows_and_nothing_else),
                ROW(a_change_is_made_whole_or_not_at_all),
                ROW(who_may_not_edit_customers_changes_nothing_and_who_reads_nobody_finds_nobody),
                ROW(a_blocked_customer_is_answered_as_ever_and_reaches_nobody),
                ROW(a_change_that_was_not_kept_is_not_known_afterwards),
                ROW(a_condition_sees_a_customer_as_he_is_now),
                ROW(definitions_are_bounded_and_named_once),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
