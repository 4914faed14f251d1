/* SPDX-License-Identifier: Apache-2.0 */
/* Two that are one person: everything goes with the visitor, by a claim and by a merge alike; and erasing a person. */
#include "unit/customers/people_known.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>

static json_t *merge(struct room *room, const struct client *by, const struct client *from, const struct client *into)
{
        return room_ask(room, by, "customer.merge", "{\"cmid\":\"%s\",\"from\":\"%s\",\"into\":\"%s\"}",
                        room_cmid(room), from->id, into->id);
}

/* A visitor of whom all kinds of things are known; his conversation, to be freed. */
static char *known_well(struct room *room, const struct client *visitor)
{
        struct client app = known_by_app(visitor);
        char *conv = room_conversation(room, visitor, "main");
        take_seq(room_send(room, visitor, conv, NULL, "hello"));
        take_result(known_set(room, visitor,
                              ",\"attributes\":[{\"name\":\"phone\",\"value\":\"555\"},{\"name\":"
                              "\"company\",\"value\":\"Acme\"}],\"add_tags\":[\"beta\"]"));
        take_result(room_operate(room, "customer.note", "{\"cmid\":\"%s\",\"customer\":\"%s\",\"text\":\"careful\"}",
                                 room_cmid(room), visitor->id));
        take_result(room_ask(room, visitor, "customer.screen", "{\"name\":\"Checkout\"}"));
        take_result(room_ask(room, &app, "customer.event",
                             "{\"event\":\"o-1\",\"kind\":\"order.paid\",\"title\":\"Order 1\"}"));
        return conv;
}

static void expect_all_at(struct room *room, const struct client *owner)
{
        char sql[256];
        json_t *result = known_get(room, owner);
        assert_string_equal("555 operator", known_value(result, "phone"));
        assert_string_equal("beta", json_string_value(json_array_get(json_object_get(result, "tags"), 0)));
        json_decref(result);
        for (int kind = 1; kind <= 3; kind++) {
                snprintf(sql, sizeof sql, "SELECT count(*) FROM customer_story WHERE kind = %d AND customer = %lld",
                         kind, (long long)owner->caller.principal);
                assert_int_equal(1, room_sql(room, sql));
        }
        snprintf(sql, sizeof sql, "SELECT count(*) FROM ticket WHERE customer = %lld",
                 (long long)owner->caller.principal);
        assert_int_equal(1, room_sql(room, sql));
}

static void a_merge_loses_nothing_and_the_visitor_is_signed_out(void **state)
{
        struct room *room = *state;
        struct client eve = known_agent(room, "Eve"), visitor = known_visitor(room, "s1");
        struct client ann = room_customer(room, "ann", 0);
        char *conv = known_well(room, &visitor);
        take_result(known_set(room, &ann, ",\"attributes\":[{\"name\":\"company\",\"value\":\"Ann Ltd\"}]"));
        room_forget(room);
        take_result(merge(room, &eve, &visitor, &ann));
        assert_int_equal(1, room_count(room, NOTE_CLOSE, NULL));
        expect_all_at(room, &ann);
        json_t *result = known_get(room, &ann);
        assert_string_equal("Ann Ltd operator", known_value(result, "company"));
        assert_string_equal(visitor.id, json_string_value(json_array_get(json_object_get(result, "aliases"), 0)));
        json_decref(result);
        result = known_get(room, &visitor); /* its id means the other one from now on */
        assert_string_equal(ann.id, words(result, "customer.customer"));
        json_decref(result);
        assert_int_equal(ann.caller.principal, ticket_in(room, conv)->customer);
        take_error(room_send(room, &visitor, conv, NULL, "still here"), "revoked");
        take_seq(room_send(room, &ann, conv, NULL, "mine now"));
        take_result(merge(room, &eve, &visitor, &ann)); /* they are one already */
        assert_int_equal(1, room_sql(room, "SELECT count(*) FROM audit WHERE action = 'customer.merge'"));
        tickets_check(room);
        room_check(room);
        free(conv);
}

static void a_claim_moves_what_is_known_of_the_visitor_too(void **state)
{
        struct room *room = *state;
        struct client ann = room_customer(room, "ann", 0), visitor = known_visitor(room, "s1"), now;
        char *conv = known_well(room, &visitor);
        struct opening opening = room_user(room, "ann");
        opening.has_claim = true;
        SHA256((const uint8_t *)"s1", 2, opening.claim_hash);
        assert_true(room_enter(room, &opening, 1, NULL, &now, NULL));
        assert_string_equal(ann.id, now.id);
        expect_all_at(room, &ann);
        tickets_check(room);
        room_check(room);
        free(conv);
}

static void a_visitor_that_has_been_merged_into_goes_on_with_all_its_names(void **state)
{
        struct room *room = *state;
        struct client eve = known_agent(room, "Eve");
        struct client one = known_visitor(room, "s1"), two = known_visitor(room, "s2");
        struct client ann = room_customer(room, "ann", 0);
        char *conv = known_well(room, &one);
        take_result(merge(room, &eve, &one, &two));
        expect_all_at(room, &two);
        take_result(merge(room, &eve, &two, &ann));
        expect_all_at(room, &ann);
        assert_int_equal(2, room_sql(room, "SELECT count(*) FROM principal p JOIN principal a ON a.id = p.alias_of "
                                           "WHERE a.external_id = 'ann'"));
        json_t *result = known_get(room, &one);
        assert_string_equal(ann.id, words(result, "customer.customer"));
        assert_int_equal(2, json_array_size(json_object_get(result, "aliases")));
        json_decref(result);
        room_check(room);
        free(conv);
}

static void two_that_are_both_proved_are_not_merged(void **state)
{
        struct room *room = *state;
        struct client eve = known_agent(room, "Eve"), plain = room_agent(room, "Max", 0);
        struct client ann = room_customer(room, "ann", 0), bob = room_customer(room, "bob", 1);
        struct client visitor = known_visitor(room, "s1");
        take_error(merge(room, &eve, &ann, &bob), "conflict");
        take_error(merge(room, &eve, &ann, &visitor), "conflict");
        take_error(merge(room, &eve, &ann, &ann), "bad_request");
        take_error(merge(room, &eve, &visitor, &eve), "not_found");
        take_error(merge(room, &plain, &visitor, &ann), "forbidden");
        assert_int_equal(0, room_sql(room, "SELECT count(*) FROM principal WHERE alias_of IS NOT NULL"));
        take_result(
                room_operate(room, "customer.erase", "{\"cmid\":\"%s\",\"customer\":\"%s\"}", room_cmid(room), bob.id));
        take_error(merge(room, &eve, &visitor, &bob), "conflict");
        room_check(room);
}

static void an_erased_person_leaves_nothing_behind(void **state)
{
        struct room *room = *state;
        struct client visitor = known_visitor(room, "s1"), eve = known_agent(room, "Eve");
        static const char *const tables[] = {"customer_attribute", "customer_tag",     "customer_word",
                                             "customer_story",     "customer_profile", "draft"};
        char *conv = known_well(room, &visitor), sql[128];
        take_result(room_ask(room, &eve, "draft.set", "{\"conv\":\"%s\",\"version\":1,\"text\":\"dear\"}", conv));
        take_result(room_ask(room, &eve, "customer.block", "{\"cmid\":\"%s\",\"customer\":\"%s\",\"reason\":\"r\"}",
                             room_cmid(room), visitor.id));
        for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
                snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", tables[i]);
                assert_true(room_sql(room, sql) > 0);
        }
        take_result(room_operate(room, "customer.erase", "{\"cmid\":\"%s\",\"customer\":\"%s\"}", room_cmid(room),
                                 visitor.id));
        for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
                snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", tables[i]);
                assert_int_equal(0, room_sql(room, sql));
        }
        room_check(room);
        free(conv);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
#define ROW(name) cmocka_unit_test_setup_teardown(name, room_set_up, room_tear_down)
                ROW(a_merge_loses_nothing_and_the_visitor_is_signed_out),
                ROW(a_claim_moves_what_is_known_of_the_visitor_too),
                ROW(a_visitor_that_has_been_merged_into_goes_on_with_all_its_names),
                ROW(two_that_are_both_proved_are_not_merged),
                ROW(an_erased_person_leaves_nothing_behind),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
