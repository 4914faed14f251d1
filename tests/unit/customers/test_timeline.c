/* SPDX-License-Identifier: Apache-2.0 */
/* Events of the app and the one time line: told once, bounded, newest first, each row once whatever the pages. */
#include "unit/customers/people_known.h"

#include <stdio.h>
#include <stdlib.h>

static json_t *tell(struct room *room, const struct client *app, const char *id, const char *more)
{
        return room_ask(room, app, "customer.event", "{\"event\":\"%s\",\"kind\":\"order.paid\",\"title\":\"Order\"%s}",
                        id, more);
}

static void an_event_told_again_is_there_once(void **state)
{
        struct room *room = *state;
        struct client ann = room_customer(room, "ann", 0), bob = room_customer(room, "bob", 1);
        struct client app = known_by_app(&ann), other = known_by_app(&bob);
        const char *more = ",\"at\":1700000000000,\"data\":[{\"name\":\"sum\",\"value\":\"12\"}]";
        take_result(tell(room, &app, "o-1", more));
        json_t *again = tell(room, &app, "o-1", more);
        assert_int_equal(1, number(again, "result.dup"));
        json_decref(again);
        take_error(tell(room, &app, "o-1", ",\"at\":1700000000001"), "idempotency_conflict");
        take_error(tell(room, &other, "o-1", more), "idempotency_conflict");
        assert_int_equal(1, room_sql(room, "SELECT count(*) FROM customer_story"));
        take_result(tell(room, &app, "o-2", ""));
        json_t *dup = tell(room, &app, "o-2", ""); /* without a time: the first one's holds */
        assert_int_equal(1, number(dup, "result.dup"));
        json_decref(dup);
}

static void an_app_that_tells_too_much_has_to_wait_and_others_do_not(void **state)
{
        struct room *room = *state;
        struct client ann = room_customer(room, "ann", 0), app = known_by_app(&ann);
        char id[16];
        int taken = 0;
        json_t *answer = NULL;
        int64_t start_ms = clock_wall_ms();
        for (int i = 0; i < 2000 && !answer; i++) {
                clock_shift_wall(start_ms - clock_wall_ms()); /* time stands, however slow the machine is */
                snprintf(id, sizeof id, "e%d", i);
                answer = tell(room, &app, id, "");
                if (json_object_get(answer, "result")) {
                        json_decref(answer);
                        answer = NULL;
                        taken++;
                }
        }
        assert_non_null(answer);
        assert_true(taken >= 200);
        assert_true(number(answer, "error.data.retry_after_ms") > 0);
        take_error(answer, "rate_limited");
        assert_int_equal(taken, room_sql(room, "SELECT count(*) FROM customer_story"));
        app.caller.app++; /* another app's budget is its own */
        take_result(tell(room, &app, "e0", ""));
}

static void screens_are_at_most_one_a_second(void **state)
{
        struct room *room = *state;
        struct client ann = room_customer(room, "ann", 0);
        const char *tag = NULL;
        for (int tries = 0; tries < 50 && !tag; tries++) { /* a slow machine may need a second for one call */
                json_t *answer = room_ask(room, &ann, "customer.screen",
                                          "{\"name\":\"Cart\",\"url\":\"https://shop.example/cart\"}");
                if (!json_object_get(answer, "result"))
                        tag = strcmp(words(answer, "error.data.tag"), "rate_limited") == 0 ? "rate_limited" : "other";
                json_decref(answer);
        }
        assert_string_equal("rate_limited", tag ? tag : "never");
        take_error(room_ask(room, &ann, "customer.screen", "{\"name\":\"x\",\"url\":\"javascript:alert(1)\"}"),
                   "bad_request");
}

static void the_last_hundred_screens_are_kept(void **state)
{
        struct room *room = *state;
        struct client ann = room_customer(room, "ann", 0);
        for (int i = 0; i < CUSTOMER_SCREENS + 5; i++) {
                clock_shift_wall(1000);
                take_result(room_ask(room, &ann, "customer.screen", "{\"name\":\"s%d\"}", i));
        }
        assert_int_equal(CUSTOMER_SCREENS, room_sql(room, "SELECT count(*) FROM customer_story"));
        assert_int_equal(0, room_sql(room, "SELECT count(*) FROM customer_story WHERE title = 's4'"));
        assert_int_equal(1, room_sql(room, "SELECT count(*) FROM customer_story WHERE title = 's5'"));
}

static json_t *page(struct room *room, const struct client *customer, int limit, const char *before)
{
        char more[96] = "";
        if (before)
                snprintf(more, sizeof more, ",\"before\":\"%s\"", before);
        return room_operate(room, "timeline.read", "{\"customer\":\"%s\",\"limit\":%d%s}", customer->id, limit, more);
}

/* Every row of the time line as one text a row, in pages of `limit`. */
static json_t *read_all(struct room *room, const struct client *customer, int limit)
{
        json_t *all = json_array();
        char before[96] = "";
        for (int pages = 0; pages < 200; pages++) {
                json_t *answer = page(room, customer, limit, before[0] ? before : NULL), *row;
                size_t i;
                assert_non_null(json_object_get(answer, "result"));
                json_array_foreach(json_object_get(json_object_get(answer, "result"), "rows"), i, row)
                        json_array_append(all, row);
                const char *next = words(answer, "result.next");
                snprintf(before, sizeof before, "%s", next ? next : "");
                json_decref(answer);
                if (!before[0])
                        return all;
        }
        fail_msg("the time line has no end");
        return NULL;
}

static void the_time_line_has_each_row_once_newest_first_whatever_the_pages(void **state)
{
        struct room *room = *state;
        struct client ann = room_customer(room, "ann", 0), app = known_by_app(&ann), eve = known_agent(room, "Eve");
        char *conv = room_conversation(room, &ann, "main"), *other = room_conversation(room, &ann, "order-7");
        take_seq(room_send(room, &ann, conv, NULL, "one"));
        take_seq(room_send(room, &ann, other, NULL, "two"));
        ticket_do(room, &eve, conv, "ticket.move", ",\"to\":\"solved\"");
        for (int i = 0; i < 30; i++) { /* many of one time */
                char id[16], more[64];
                snprintf(id, sizeof id, "e%d", i);
                snprintf(more, sizeof more, ",\"at\":%lld", 1700000000000ll + i / 10);
                take_result(tell(room, &app, id, more));
        }
        take_result(room_operate(room, "customer.note", "{\"cmid\":\"%s\",\"customer\":\"%s\",\"text\":\"note\"}",
                                 room_cmid(room), ann.id));
        json_t *whole = read_all(room, &ann, 200);
        assert_int_equal(2 + 2 + 1 + 30 + 1, json_array_size(whole));
        for (size_t i = 1; i < json_array_size(whole); i++)
                assert_true(number(json_array_get(whole, i - 1), "at") >= number(json_array_get(whole, i), "at"));
        for (int limit = 1; limit <= 7; limit += 2) {
                json_t *pages = read_all(room, &ann, limit);
                assert_true(json_equal(whole, pages));
                json_decref(pages);
        }
        json_decref(whole);
        take_error(page(room, &ann, 5, "1.9.1"), "bad_request");
        take_error(page(room, &ann, 5, "1.1"), "bad_request");
        free(conv), free(other);
}

static void a_time_line_shows_only_what_its_reader_may_read(void **state)
{
        struct room *room = *state;
        struct client ann = room_customer(room, "ann", 0), eve = room_agent(room, "Eve", 0);
        char role[32];
        char *conv = room_conversation(room, &ann, "main"), *other = room_conversation(room, &ann, "order-7");
        take_seq(room_send(room, &ann, conv, NULL, "one"));
        take_seq(room_send(room, &ann, other, NULL, "two"));
        crew_role(room, "narrow", CREW_WORK, role);
        crew_give_role(room, &eve, role);
        eve = room_agent(room, "Eve", 1);
        crew_assign(room, conv, NULL, &eve);
        json_t *answer = room_read(room, &eve, "timeline.read", "{\"customer\":\"%s\"}", ann.id), *row;
        size_t i;
        json_t *rows = json_object_get(json_object_get(answer, "result"), "rows");
        assert_int_equal(2, json_array_size(rows)); /* the conversation and its ticket */
        json_array_foreach(rows, i, row)
                assert_string_equal(conv, words(row, "conv"));
        json_decref(answer);
        free(conv), free(other);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
#define ROW(name) cmocka_unit_test_setup_teardown(name, room_set_up, room_tear_down)
                ROW(an_event_told_again_is_there_once),
                ROW(an_app_that_tells_too_much_has_to_wait_and_others_do_not),
                ROW(screens_are_at_most_one_a_second),
                ROW(the_last_hundred_screens_are_kept),
                ROW(the_time_line_has_each_row_once_newest_first_whatever_the_pages),
                ROW(a_time_line_shows_only_what_its_reader_may_read),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
