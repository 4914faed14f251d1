/* SPDX-License-Identifier: Apache-2.0 */
/* What readers answer: pages of entries in both directions, the feed, the staff's list; who may see what is part of the
 * query (R3, R4, I14, I15; security 20 to 24). */
#include <stdio.h>
#include <stdlib.h>

#include "unit/desk/room.h"

static const json_t *rows(const json_t *answer, const char *name)
{
        return json_object_get(json_object_get(answer, "result"), name);
}

static size_t count_rows(const json_t *answer, const char *name)
{
        return json_array_size(rows(answer, name));
}

/* --- entries.read --- */

static void pages_forward_give_every_entry_once_in_order(void **state)
{
        struct room *room = *state;
        struct client ann = room_customer(room, "ann", 0);
        char *conv = room_conversation(room, &ann, "main");
        for (int i = 0; i < 25; i++)
                take_seq(room_send(room, &ann, conv, NULL, "x"));
        json_int_t after = 0;
        for (int page = 0; page < 4; page++) {
                json_t *answer = room_read(room, &ann, "entries.read", "{\"conv\":\"%s\",\"after\":%d,\"limit\":7}",
                                           conv, (int)after);
                for (size_t i = 0; i < count_rows(answer, "entries"); i++)
                        assert_int_equal(++after, number(json_array_get(rows(answer, "entries"), i), "seq"));
                assert_int_equal(page < 3 ? 1 : -1, number(answer, "result.more"));
                assert_int_equal(25, number(answer, "result.head"));
                json_decref(answer);
        }
        assert_int_equal(25, after);
        free(conv);
}

static void pages_backward_end_with_the_first_entry(void **state)
{
        struct room *room = *state;
        struct client ann = room_customer(room, "ann", 0);
        char *conv = room_conversation(room, &ann, "main");
        for (int i = 0; i < 25; i++)
                take_seq(room_send(room, &ann, conv, NULL, "x"));
        json_t *answer = room_read(room, &ann, "entries.read", "{\"conv\":\"%s\",\"limit\":10}", conv);
        assert_int_equal(16, number(answer, "result.entries.0.seq"));
        assert_int_equal(25, number(answer, "result.entries.9.seq"));
        assert_int_equal(1, number(answer, "result.more"));
        json_decref(answer);
        answer = room_read(room, &ann, "entries.read", "{\"conv\":\"%s\",\"before\":16,\"limit\":15}", conv);
        assert_int_equal(1, number(answer, "result.entries.0.seq"));
        assert_int_equal(15, count_rows(answer, "entries"));
        assert_int_equal(-1, number(answer, "result.more"));
        json_decref(answer);
        answer = room_read(room, &ann, "entries.read", "{\"conv\":\"%s\",\"before\":1}", conv);
        assert_int_equal(0, count_rows(answer, "entries"));
        assert_int_equal(-1, number(answer, "result.more"));
        json_decref(answer);
        answer = room_read(room, &ann, "entries.read", "{\"conv\":\"%s\",\"before\":9007199254740991,\"limit\":1}",
                           conv);
        assert_int_equal(25, number(answer, "result.entries.0.seq"));
        json_decref(answer);
        answer = room_read(room, &ann, "entries.read", "{\"conv\":\"%s\",\"after\":9007199254740991}", conv);
        assert_int_equal(0, count_rows(answer, "entries"));
        assert_int_equal(-1, number(answer, "result.more"));
        json_decref(answer);
        take_error(room_read(room, &ann, "entries.read", "{\"conv\":\"%s\",\"after\":1,\"before\":3}", conv),
                   "bad_request");
        free(conv);
}

/* Thirty texts of 20,000 bytes by somebody with the longest of names. */
static void long_texts_make_short_pages_that_keep_the_newest(void **state)
{
        struct room *room = *state;
        struct client ann = room_customer(room, "ann", 0);
        char name[PROTOCOL_LABEL_POINTS * 3 + 1], *text = malloc(20001);
        assert_non_null(text);
        for (int i = 0; i < PROTOCOL_LABEL_POINTS; i++)
                memcpy(name + 3 * i, "\xe2\x82\xac", 4);
        struct client eve = room_agent(room, name, 0);
        char *conv = room_conversation(room, &ann, "main");
        for (int i = 0; i < 10000; i++)
                memcpy(text + 2 * i, "\xc3\xa9", 3);
        for (int i = 0; i < 60; i++)
                take_seq(room_send(room, &eve, conv, NULL, i % 2 ? text : "short"));
        json_int_t before = 61, last = 0;
        for (int page = 0; before > 1; page++) {
                assert_in_range(page, 0, 30);
                json_t *answer = room_read(room, &ann, "entries.read", "{\"conv\":\"%s\",\"before\":%d,\"limit\":50}",
                                           conv, (int)before);
                size_t count = count_rows(answer, "entries");
                assert_in_range(count, 1, 50);
                last = number(json_array_get(rows(answer, "entries"), count - 1), "seq");
                assert_int_equal(before - 1, last);
                before = number(answer, "result.entries.0.seq");
                assert_int_equal((json_int_t)count, last - before + 1);
                assert_int_equal(before > 1 ? 1 : -1, number(answer, "result.more"));
                char *bytes = json_dumps(answer, JSON_COMPACT);
                assert_in_range(strlen(bytes), 1, PROTOCOL_PAGE_BYTES + 1024);
                free(bytes);
                json_decref(answer);
        }
        json_int_t after = 0;
        while (after < 60) {
                json_t *answer =
                        room_read(room, &ann, "entries.read", "{\"conv\":\"%s\",\"after\":%d}", conv, (int)after);
                size_t count = count_rows(answer, "entries");
                assert_true(count > 0);
                assert_int_equal(after + 1, number(answer, "result.entries.0.seq"));
                after += (json_int_t)count;
                assert_int_equal(after < 60 ? 1 : -1, number(answer, "result.more"));
                json_decref(answer);
        }
        assert_int_equal(60, after);
        free(text);
        free(conv);
}

static void many_short_entries_by_a_long_name_are_cut_at_the_oldest_end(void **state)
{
        struct room *room = *state;
        struct client ann = room_customer(room, "ann", 0);
        char name[PROTOCOL_LABEL_POINTS * 4 + 1];
        for (int i = 0; i < PROTOCOL_LABEL_POINTS; i++)
                memcpy(name + 4 * i, "\xf0\x9f\x98\x80", 5);
        struct client eve = room_agent(room, name, 0);
        char *conv = room_conversation(room, &ann, "main");
        for (int i = 0; i < 220; i++)
                take_seq(room_send(room, &eve, conv, NULL, "x"));
        json_t *answer = room_read(room, &ann, "entries.read", "{\"conv\":\"%s\",\"limit\":200}", conv);
        size_t count = count_rows(answer, "entries");
        assert_in_range(count, 10, 199);
        assert_int_equal(220, number(json_array_get(rows(answer, "entries"), count - 1), "seq"));
        assert_int_equal(1, number(answer, "result.more"));
        json_decref(answer);
        free(conv);
}

static void the_team_log_is_for_agents_and_no_word_of_it_for_customers(void **state)
{
        struct room *room = *state;
        struct client ann = room_customer(room, "ann", 0), eve = room_agent(room, "Eve", 0);
        char *conv = room_conversation(room, &ann, "main");
        take_seq(room_send(room, &ann, conv, NULL, "x"));
        json_decref(room_note(room, &eve, conv, "note"));
        take_error(room_read(room, &ann, "entries.read", "{\"conv\":\"%s\",\"log\":\"team\"}", conv), "bad_request");
        json_t *page = room_read(room, &ann, "entries.read", "{\"conv\":\"%s\"}", conv);
        assert_int_equal(1, count_rows(page, "entries"));
        assert_int_equal(1, number(page, "result.head"));
        json_decref(page);
        page = room_read(room, &eve, "entries.read", "{\"conv\":\"%s\",\"log\":\"team\"}", conv);
        assert_int_equal(1, number(page, "result.entries.0.iseq"));
        assert_int_equal(1, number(page, "result.entries.0.at_seq"));
        json_decref(page);
        free(conv);
}

static void what_is_read_not_being_yours_is_answered_like_unknown(void **state)
{
        struct room *room = *state;
        struct client ann = room_customer(room, "ann", 0), bob = room_customer(room, "bob", 0);
        char *conv = room_conversation(room, &ann, "main");
        json_t *theirs = room_read(room, &bob, "entries.read", "{\"conv\":\"%s\"}", conv);
        json_t *unknown = room_read(room, &bob, "entries.read", "{\"conv\":\"cnv_0000000000001\"}");
        assert_true(json_equal(json_object_get(theirs, "error"), json_object_get(unknown, "error")));
        take_error(theirs, "not_found");
        take_error(unknown, "not_found");
        free(conv);
}

/* --- feed.read --- */

static void the_feed_of_a_customer_has_his_conversations_and_no_others(void **state)
{
        struct room *room = *state;
        struct client ann = room_customer(room, "ann", 0), bob = room_customer(room, "bob", 0);
        char *mine = room_conversation(room, &ann, "a"), *second = room_conversation(room, &ann, "b");
        char *theirs = room_conversation(room, &bob, "a");
        take_seq(room_send(room, &ann, mine, NULL, "x"));
        take_seq(room_send(room, &bob, theirs, NULL, "x"));
        json_t *feed = room_read(room, &ann, "feed.read", "{\"rev\":0}");
        assert_int_equal(2, count_rows(feed, "rows"));
        assert_string_equal(second, words(feed, "result.rows.0.conv"));
        assert_string_equal(mine, words(feed, "result.rows.1.conv"));
        assert_int_equal(desk_rev(room->desk), number(feed, "result.rev"));
        assert_null(words(feed, "result.rows.0.customer"));
        assert_int_equal(0, number(feed, "result.rows.0.unread"));
        assert_int_equal(-1, number(feed, "result.rows.0.unanswered"));
        json_t *later = room_read(room, &ann, "feed.read", "{\"rev\":%d}", (int)number(feed, "result.rev"));
        assert_int_equal(0, count_rows(later, "rows"));
        json_decref(feed);
        json_decref(later);
        free(mine);
        free(second);
        free(theirs);
}

static void pages_of_the_feed_say_every_change_once(void **state)
{
        struct room *room = *state;
        struct client ann = room_customer(room, "ann", 0), eve = room_agent(room, "Eve", 0);
        char key[16];
        for (int i = 0; i < 23; i++) {
                snprintf(key, sizeof key, "k%d", i);
                char *conv = room_conversation(room, &ann, key);
                take_seq(room_send(room, &ann, conv, NULL, "x"));
                free(conv);
        }
        const struct client *readers[] = {&ann, &eve};
        for (size_t who = 0; who < 2; who++) {
                json_int_t rev = 0, seen = 0;
                bool more = true;
                while (more) {
                        json_t *feed = room_read(room, readers[who], "feed.read", "{\"rev\":%d,\"limit\":5}", (int)rev);
                        for (size_t i = 0; i < count_rows(feed, "rows"); i++) {
                                json_int_t row_rev = number(json_array_get(rows(feed, "rows"), i), "rev");
                                assert_true(row_rev > rev);
                                rev = row_rev;
                                seen++;
                        }
                        more = number(feed, "result.more") == 1;
                        assert_true(number(feed, "result.rev") >= rev);
                        if (more)
                                assert_int_equal(rev, number(feed, "result.rev"));
                        json_decref(feed);
                }
                assert_int_equal(23, seen);
        }
}

static void the_feed_of_staff_shows_who_waits(void **state)
{
        struct room *room = *state;
        struct opening opening = room_user(room, "ann");
        struct client ann, eve = room_agent(room, "Eve", 0);
        snprintf(opening.name, sizeof opening.name, "Ann");
        assert_true(room_enter(room, &opening, 0, NULL, &ann, NULL));
        char *conv = room_conversation(room, &ann, "main");
        json_t *sent = room_send(room, &ann, conv, NULL, "help me");
        json_decref(room_note(room, &eve, conv, "note"));
        json_t *feed = room_read(room, &eve, "feed.read", "{\"rev\":0}");
        assert_string_equal(ann.id, words(feed, "result.rows.0.customer"));
        assert_string_equal("Ann", words(feed, "result.rows.0.customer_name"));
        assert_int_equal(1, number(feed, "result.rows.0.unanswered"));
        assert_int_equal(1, number(feed, "result.rows.0.ihead"));
        assert_int_equal(number(sent, "result.ts"), number(feed, "result.rows.0.waiting_since"));
        assert_string_equal("help me", words(feed, "result.rows.0.last.preview"));
        assert_int_equal(-1, number(feed, "result.rows.0.unread"));
        json_decref(sent);
        json_decref(feed);
        free(conv);
}

static void a_new_name_is_seen_by_readers(void **state)
{
        struct room *room = *state;
        struct opening opening = room_user(room, "ann");
        struct client ann, eve = room_agent(room, "Eve", 0);
        static const char *const names[] = {"Ann", "Anna"};
        for (size_t i = 0; i < 2; i++) {
                snprintf(opening.name, sizeof opening.name, "%s", names[i]);
                assert_true(room_enter(room, &opening, 0, NULL, &ann, NULL));
                free(room_conversation(room, &ann, "main"));
                json_t *feed = room_read(room, &eve, "feed.read", "{\"rev\":0}");
                assert_string_equal(names[i], words(feed, "result.rows.0.customer_name"));
                json_decref(feed);
        }
}

static void a_preview_ends_at_eighty_whole_characters(void **state)
{
        struct room *room = *state;
        struct client ann = room_customer(room, "ann", 0);
        char *conv = room_conversation(room, &ann, "main"), text[100 * 4 + 1];
        for (int i = 0; i < 100; i++)
                memcpy(text + 4 * i, "\xf0\x9f\x98\x80", 5);
        take_seq(room_send(room, &ann, conv, NULL, text));
        json_t *feed = room_read(room, &ann, "feed.read", "{\"rev\":0}");
        assert_int_equal(80 * 4, strlen(words(feed, "result.rows.0.last.preview")));
        room_check(room);
        json_decref(feed);
        free(conv);
}

/* --- conversation.list --- */

static void lists_page_through_everything_in_their_order(void **state)
{
        struct room *room = *state;
        struct client eve = room_agent(room, "Eve", 0);
        char subject[16];
        for (int i = 0; i < 17; i++) {
                snprintf(subject, sizeof subject, "c%d", i);
                struct client customer = room_customer(room, subject, 0);
                char *conv = room_conversation(room, &customer, "main");
                take_seq(room_send(room, &customer, conv, NULL, "x"));
                if (i % 3 == 0)
                        take_seq(room_send(room, &eve, conv, NULL, "y"));
                if (i % 5 == 0)
                        clock_shift_wall(7); /* else within one millisecond now and then */
                free(conv);
        }
        room_customer(room, "silent", 0);
        static const struct {
                const char *params;
                int expected;
        } lists[] = {
                {"\"sort\":\"newest\"", 17},
                {"\"filter\":\"waiting\"", 11},
                {"\"filter\":\"answered\"", 6},
                {"\"sort\":\"longest_waiting\"", 11},
                {"\"sort\":\"longest_waiting\",\"filter\":\"waiting\"", 11},
                {"\"app\":\"app_0000000000001\"", 0},
                {"\"customer\":\"usr_0000000000001\"", 0},
        };
        for (size_t list = 0; list < sizeof lists / sizeof *lists; list++) {
                json_t *seen = json_object();
                char after[96] = "";
                for (int page = 0; page < 10; page++) {
                        json_t *answer = room_read(room, &eve, "conversation.list", "{%s,\"limit\":4%s}",
                                                   lists[list].params, after);
                        for (size_t i = 0; i < count_rows(answer, "rows"); i++) {
                                const char *conv = words(json_array_get(rows(answer, "rows"), i), "conv");
                                assert_null(json_object_get(seen, conv));
                                json_object_set_new(seen, conv, json_true());
                        }
                        const char *next = words(answer, "result.next");
                        if (next)
                                snprintf(after, sizeof after, ",\"after\":\"%s\"", next);
                        bool is_last = !next;
                        json_decref(answer);
                        if (is_last)
                                break;
                }
                assert_int_equal(lists[list].expected, json_object_size(seen));
                json_decref(seen);
        }
}

static void lists_are_sorted_as_asked(void **state)
{
        struct room *room = *state;
        struct client eve = room_agent(room, "Eve", 0), ann = room_customer(room, "ann", 0);
        char key[16];
        for (int i = 0; i < 6; i++) {
                snprintf(key, sizeof key, "k%d", i);
                char *conv = room_conversation(room, &ann, key);
                take_seq(room_send(room, &ann, conv, NULL, "x"));
                clock_shift_wall(1000);
                free(conv);
        }
        json_t *newest = room_read(room, &eve, "conversation.list", "{\"customer\":\"%s\"}", ann.id);
        json_t *waiting =
                room_read(room, &eve, "conversation.list", "{\"sort\":\"longest_waiting\",\"app\":\"%s\"}", room->app);
        for (size_t i = 0; i < 6; i++) {
                snprintf(key, sizeof key, "k%zu", i);
                assert_string_equal(key, words(json_array_get(rows(waiting, "rows"), i), "key"));
                assert_string_equal(key, words(json_array_get(rows(newest, "rows"), 5 - i), "key"));
        }
        json_decref(newest);
        json_decref(waiting);
}

static void a_position_that_no_list_gave_is_refused(void **state)
{
        struct room *room = *state;
        struct client eve = room_agent(room, "Eve", 0);
        static const char *const bad[] = {"x", "1", "1.", ".1", "1.2.3", "1.2x", "1 OR 1=1", "1e5.2"};
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
                take_error(room_read(room, &eve, "conversation.list", "{\"after\":\"%s\"}", bad[i]), "bad_request");
        take_result(room_read(room, &eve, "conversation.list",
                              "{\"after\":\"99999999999999999999.99999999999999999999\"}"));
        take_error(room_read(room, &eve, "conversation.list", "{\"filter\":\"answered\",\"sort\":\"longest_waiting\"}"),
                   "bad_request");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, room_set_up, room_tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(pages_forward_give_every_entry_once_in_order),
                TEST(pages_backward_end_with_the_first_entry),
                TEST(long_texts_make_short_pages_that_keep_the_newest),
                TEST(many_short_entries_by_a_long_name_are_cut_at_the_oldest_end),
                TEST(the_team_log_is_for_agents_and_no_word_of_it_for_customers),
                TEST(what_is_read_not_being_yours_is_answered_like_unknown),
                TEST(the_feed_of_a_customer_has_his_conversations_and_no_others),
                TEST(pages_of_the_feed_say_every_change_once),
                TEST(the_feed_of_staff_shows_who_waits),
                TEST(a_new_name_is_seen_by_readers),
                TEST(a_preview_ends_at_eighty_whole_characters),
                TEST(lists_page_through_everything_in_their_order),
                TEST(lists_are_sorted_as_asked),
                TEST(a_position_that_no_list_gave_is_refused),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
