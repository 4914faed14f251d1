/* SPDX-License-Identifier: Apache-2.0 */
/* Who hears what: customers all of their conversations, staff what they watch and the feed (I14, I15, R3, R6). */
#include <stdio.h>
#include <stdlib.h>

#include "unit/session/street.h"

static const json_t *say(struct street *street, struct edge_conn *conn, const char *conv, bool is_note)
{
        return street_ask(street, conn, "message.send",
                          "{\"cmid\":\"%s\",\"conv\":\"%s\",\"log\":\"%s\",\"kind\":\"text\",\"text\":\"x\"}",
                          street_cmid(street), conv, is_note ? "team" : "public");
}

static void a_customer_hears_each_entry_once_on_every_connection_and_nobody_else(void **state)
{
        struct street *street = *state;
        struct edge_conn *phone = street_customer(street, "ann", 0), *tablet = street_customer(street, "ann", 1);
        struct edge_conn *bob = street_customer(street, "bob", 0), *eve = street_agent(street, "Eve", 0);
        char *conv = street_conversation(street, phone, "main");
        assert_string_equal("", street_tag(say(street, eve, conv, false)));
        assert_string_equal("", street_tag(say(street, phone, conv, false)));
        assert_int_equal(2, street_count(phone, "entry"));
        assert_int_equal(2, street_count(tablet, "entry"));
        assert_int_equal(0, street_count(bob, "entry"));
        assert_int_equal(0, street_count(eve, "entry"));
        free(conv);
}

static void notes_are_heard_by_watching_staff_only(void **state)
{
        struct street *street = *state;
        struct edge_conn *ann = street_customer(street, "ann", 0), *eve = street_agent(street, "Eve", 0);
        struct edge_conn *adam = street_agent(street, "Adam", 0);
        char *conv = street_conversation(street, ann, "main");
        assert_string_equal("", street_tag(street_ask(street, adam, "conversation.watch", "{\"conv\":\"%s\"}", conv)));
        assert_string_equal("", street_tag(say(street, eve, conv, true)));
        assert_int_equal(0, street_count(ann, "entry"));
        assert_int_equal(0, street_count(eve, "entry"));
        assert_int_equal(1, street_count(adam, "entry"));
        assert_int_equal(1, street_number(street_event(adam, "entry", 0), "iseq"));
        for (size_t i = 0; i < ann->told_count; i++) {
                char *bytes = json_dumps(ann->told[i], 0);
                assert_null(strstr(bytes, "iseq"));
                assert_null(strstr(bytes, "ihead"));
                free(bytes);
        }
        free(conv);
}

static void watching_ends_with_unwatch_and_with_the_connection(void **state)
{
        struct street *street = *state;
        struct edge_conn *ann = street_customer(street, "ann", 0), *eve = street_agent(street, "Eve", 0);
        struct edge_conn *adam = street_agent(street, "Adam", 0);
        char *conv = street_conversation(street, ann, "main");
        for (int i = 0; i < 3; i++)
                street_ask(street, eve, "conversation.watch", "{\"conv\":\"%s\"}", conv);
        street_ask(street, adam, "conversation.watch", "{\"conv\":\"%s\"}", conv);
        assert_int_equal(2, street->net->watch_count);
        say(street, ann, conv, false);
        assert_int_equal(1, street_count(eve, "entry"));
        street_ask(street, eve, "conversation.unwatch", "{\"conv\":\"%s\"}", conv);
        street_ask(street, eve, "conversation.unwatch", "{\"conv\":\"%s\"}", conv);
        street_hang_up(street, adam);
        assert_int_equal(0, street->net->watch_count);
        say(street, ann, conv, false);
        assert_int_equal(1, street_count(eve, "entry"));
        free(conv);
}

static void a_connection_watches_fifty_conversations_and_no_more(void **state)
{
        struct street *street = *state;
        struct edge_conn *ann = street_customer(street, "ann", 0), *eve = street_agent(street, "Eve", 0);
        char key[16], *last = NULL;
        for (int i = 0; i <= PROTOCOL_WATCHED; i++) {
                free(last);
                snprintf(key, sizeof key, "k%d", i);
                last = street_conversation(street, ann, key);
                const json_t *answer = street_ask(street, eve, "conversation.watch", "{\"conv\":\"%s\"}", last);
                assert_string_equal(i < PROTOCOL_WATCHED ? "" : "too_many", street_tag(answer));
        }
        assert_int_equal(0, ((struct session *)eve->user)->in_flight);
        say(street, ann, last, false);
        assert_int_equal(0, street_count(eve, "entry"));
        free(last);
}

static void staff_are_fed_every_change_in_order_and_the_newest_wins(void **state)
{
        struct street *street = *state;
        struct edge_conn *ann = street_customer(street, "ann", 0), *eve = street_agent(street, "Eve", 0);
        char *one = street_conversation(street, ann, "one"), *two = street_conversation(street, ann, "two");
        street->desk->feed_due_ms = 0;
        street_settle(street);
        size_t before = street_count(eve, "feed");
        street->desk->feed_due_ms = UINT64_MAX;
        say(street, ann, one, false);
        say(street, ann, two, false);
        say(street, ann, one, false);
        assert_int_equal(before, street_count(eve, "feed"));
        street->desk->feed_due_ms = 0;
        street_settle(street);
        const json_t *feed = street_event(eve, "feed", before);
        assert_int_equal(2, json_array_size(json_object_get(feed, "rows")));
        assert_string_equal(two, street_words(feed, "rows.0.conv"));
        assert_string_equal(one, street_words(feed, "rows.1.conv"));
        assert_int_equal(2, street_number(feed, "rows.1.head"));
        assert_int_equal(0, street_count(ann, "feed"));
        free(one);
        free(two);
}

/* More rows than a frame holds, told to the thread at once. */
static void a_long_feed_comes_in_several_frames_without_a_gap(void **state)
{
        struct street *street = *state;
        struct edge_conn *eve = street_agent(street, "Eve", 0);
        for (int i = 1; i <= 130; i++) {
                char row[64];
                int len = snprintf(row, sizeof row, "{\"conv\":\"cnv_%013d\",\"rev\":%d}", i, 1000 + i);
                struct desk_note *note = note_new(NOTE_FEED, (struct edge_ref){0}, (struct span){row, (size_t)len});
                note->conv = i;
                note->rev = 1000 + i;
                note->workspace = street->desk->workspace;
                feed_take(street->net, note);
                note_free(note);
        }
        for (int i = 0; i < 3; i++)
                feed_send(street->net);
        feed_send(street->net);
        assert_int_equal(3, street_count(eve, "feed"));
        json_int_t rev = 1000;
        for (size_t i = 0; i < 3; i++) {
                const json_t *rows = json_object_get(street_event(eve, "feed", i), "rows");
                assert_in_range(json_array_size(rows), 1, 50);
                for (size_t r = 0; r < json_array_size(rows); r++)
                        assert_int_equal(++rev, street_number(json_array_get(rows, r), "rev"));
        }
        assert_int_equal(1130, rev);
}

static void a_slow_reader_is_fed_nothing_and_then_what_is_newest(void **state)
{
        struct street *street = *state;
        struct edge_conn *ann = street_customer(street, "ann", 0), *eve = street_agent(street, "Eve", 0);
        char *conv = street_conversation(street, ann, "main");
        street->desk->feed_due_ms = 0;
        street_settle(street);
        size_t before = street_count(eve, "feed");
        eve->is_slow = true;
        for (int i = 0; i < 3; i++) {
                say(street, ann, conv, false);
                street->desk->feed_due_ms = 0;
                street_settle(street);
        }
        street_drained(street, eve);
        assert_int_equal(1, street_count(eve, "heartbeat"));
        street_second(street, 0);
        assert_int_equal(before + 1, street_count(eve, "feed"));
        assert_int_equal(3, street_number(street_event(eve, "feed", before), "rows.0.head"));
        free(conv);
}

static void marks_reach_both_sides(void **state)
{
        struct street *street = *state;
        struct edge_conn *ann = street_customer(street, "ann", 0), *eve = street_agent(street, "Eve", 0);
        char *conv = street_conversation(street, ann, "main");
        street_ask(street, eve, "conversation.watch", "{\"conv\":\"%s\"}", conv);
        say(street, eve, conv, false);
        street_say(street, ann,
                   "{\"jsonrpc\":\"2.0\",\"method\":\"marks\",\"params\":{\"marks\":[{\"conv\":\"%s\",\"recv\":1,"
                   "\"read\":1}]}}",
                   conv);
        say(street, ann, conv, false);
        assert_int_equal(1, street_number(street_event(ann, "marks", 0), "marks.customer_read"));
        assert_int_equal(1, street_number(street_event(eve, "marks", 0), "marks.customer_read"));
        free(conv);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, street_set_up, street_tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(a_customer_hears_each_entry_once_on_every_connection_and_nobody_else),
                TEST(notes_are_heard_by_watching_staff_only),
                TEST(watching_ends_with_unwatch_and_with_the_connection),
                TEST(a_connection_watches_fifty_conversations_and_no_more),
                TEST(staff_are_fed_every_change_in_order_and_the_newest_wins),
                TEST(a_long_feed_comes_in_several_frames_without_a_gap),
                TEST(a_slow_reader_is_fed_nothing_and_then_what_is_newest),
                TEST(marks_reach_both_sides),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
