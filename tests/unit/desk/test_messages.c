/* SPDX-License-Identifier: Apache-2.0 */
/* message.send (delivery A1-A5, O1-O4, I15): what is stored once stays once, in one order, and what is refused leaves
 * nothing behind. */
#include "unit/desk/room.h"

#include <stdio.h>
#include <stdlib.h>

#define A "01900000000000000000000000000a01"
#define B "01900000000000000000000000000b02"
#define C "01900000000000000000000000000c03"

/* One customer with his conversation. */
static struct client enter(struct room *room, char **out_conv)
{
        struct client ann = room_customer(room, "ann", 0);
        *out_conv = room_conversation(room, &ann, "main");
        return ann;
}

static void a_repeat_gets_the_first_answer_and_is_stored_once(void **state)
{
        struct room *room = *state;
        char *conv;
        struct client ann = enter(room, &conv);
        json_t *first = room_send(room, &ann, conv, A, "hello");
        room_forget(room);
        json_t *again = room_send(room, &ann, conv, A, "hello");
        assert_int_equal(number(first, "result.seq"), number(again, "result.seq"));
        assert_int_equal(number(first, "result.ts"), number(again, "result.ts"));
        assert_int_equal(-1, number(first, "result.dup"));
        assert_int_equal(1, number(again, "result.dup"));
        assert_int_equal(0, room_count(room, NOTE_EVENT, "entry"));
        assert_int_equal(1, room_sql(room, "SELECT count(*) FROM entry"));
        assert_int_equal(1, room_sql(room, "SELECT unanswered FROM conversation"));
        json_decref(first);
        json_decref(again);
        free(conv);
}

static void repeats_within_one_batch_are_repeats_too(void **state)
{
        struct room *room = *state;
        char *conv;
        struct client ann = enter(room, &conv);
        unsigned ids[20];
        for (int i = 0; i < 20; i++)
                ids[i] = room_queue(room, &ann, "message.send",
                                    "{\"cmid\":\"" A "\",\"conv\":\"%s\",\"kind\":\"text\",\"text\":\"x\"}", conv);
        room_turn(room);
        for (int i = 0; i < 20; i++) {
                json_t *answer = room_answer(room, ids[i]);
                assert_int_equal(i == 0 ? -1 : 1, number(answer, "result.dup"));
                assert_int_equal(1, take_seq(answer));
        }
        room_check(room);
        free(conv);
}

static void the_same_key_with_another_content_is_a_conflict(void **state)
{
        struct room *room = *state;
        char *conv;
        struct client ann = enter(room, &conv);
        take_seq(room_send(room, &ann, conv, A, "hello"));
        take_error(room_send(room, &ann, conv, A, "Hello"), "idempotency_conflict");
        take_error(room_ask(room, &ann, "message.send",
                            "{\"cmid\":\"" A "\",\"conv\":\"%s\",\"kind\":\"text\",\"text\":\"hello\",\"reply_to\":1}",
                            conv),
                   "idempotency_conflict");
        assert_int_equal(1, room_sql(room, "SELECT count(*) FROM entry WHERE body = '{\"text\":\"hello\"}'"));
        assert_int_equal(1, room_sql(room, "SELECT count(*) FROM entry"));
        free(conv);
}

static void the_same_key_in_another_conversation_is_a_conflict(void **state)
{
        struct room *room = *state;
        char *conv;
        struct client ann = enter(room, &conv);
        char *other = room_conversation(room, &ann, "other");
        take_seq(room_send(room, &ann, conv, A, "hello"));
        take_error(room_send(room, &ann, other, A, "hello"), "idempotency_conflict");
        assert_int_equal(0, room_sql(room, "SELECT head FROM conversation WHERE key = 'other'"));
        free(conv);
        free(other);
}

static void the_same_key_in_the_other_log_is_a_conflict(void **state)
{
        struct room *room = *state;
        char *conv;
        enter(room, &conv);
        struct client eve = room_agent(room, "Eve", 0);
        take_seq(room_send(room, &eve, conv, A, "hello"));
        take_error(room_ask(room, &eve, "message.send",
                            "{\"cmid\":\"" A
                            "\",\"conv\":\"%s\",\"log\":\"team\",\"kind\":\"text\",\"text\":\"hello\"}",
                            conv),
                   "idempotency_conflict");
        free(conv);
}

static void two_people_may_use_the_same_key(void **state)
{
        struct room *room = *state;
        char *conv;
        struct client ann = enter(room, &conv);
        struct client eve = room_agent(room, "Eve", 0);
        assert_int_equal(1, take_seq(room_send(room, &ann, conv, A, "hello")));
        assert_int_equal(2, take_seq(room_send(room, &eve, conv, A, "hello")));
        free(conv);
}

static void an_erased_message_is_recognised_whatever_is_sent_under_its_key(void **state)
{
        struct room *room = *state;
        char *conv;
        struct client ann = enter(room, &conv);
        json_int_t seq = take_seq(room_send(room, &ann, conv, A, "secret"));
        take_result(room_ask(room, &ann, "message.erase", "{\"cmid\":\"" B "\",\"conv\":\"%s\",\"of\":%d}", conv,
                             (int)seq));
        json_t *again = room_send(room, &ann, conv, A, "something else");
        assert_int_equal(1, number(again, "result.dup"));
        assert_int_equal(seq, take_seq(again));
        assert_int_equal(2, room_sql(room, "SELECT count(*) FROM entry"));
        free(conv);
}

static void messages_sent_by_key_open_their_conversation_and_say_which(void **state)
{
        struct room *room = *state;
        struct client ann = room_customer(room, "ann", 0);
        json_t *first = room_ask(room, &ann, "message.send",
                                 "{\"cmid\":\"" A "\",\"key\":\"main\",\"kind\":\"text\",\"text\":\"x\"}");
        json_t *again = room_ask(room, &ann, "message.send",
                                 "{\"cmid\":\"" A "\",\"key\":\"main\",\"kind\":\"text\",\"text\":\"x\"}");
        char *conv = room_conversation(room, &ann, "main");
        assert_string_equal(conv, words(first, "result.conv"));
        assert_string_equal(conv, words(again, "result.conv"));
        assert_int_equal(1, number(again, "result.dup"));
        free(conv);
        json_decref(first);
        json_decref(again);
}

static void a_refused_message_by_key_leaves_no_conversation_behind(void **state)
{
        struct room *room = *state;
        char *conv;
        struct client ann = enter(room, &conv);
        take_seq(room_send(room, &ann, conv, A, "x"));
        const char *const refused[][2] = {
                {"\"cmid\":\"" A "\",\"text\":\"x\"", "idempotency_conflict"},
                {"\"cmid\":\"" B "\",\"text\":\"x\",\"after\":\"" C "\"", "predecessor_unknown"},
                {"\"cmid\":\"" B "\",\"text\":\"x\",\"reply_to\":1", "bad_request"},
                {"\"cmid\":\"" B "\",\"text\":\"x\",\"pressed\":{\"seq\":1,\"id\":\"a\"}", "bad_request"},
        };
        for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
                take_error(room_ask(room, &ann, "message.send", "{\"key\":\"new%d\",\"kind\":\"text\",%s}", (int)i,
                                    refused[i][0]),
                           refused[i][1]);
        assert_int_equal(1, room_sql(room, "SELECT count(*) FROM conversation"));
        room_check(room);
        take_result(room_ask(room, &ann, "conversation.open", "{\"key\":\"new0\"}"));
        assert_int_equal(2, room_sql(room, "SELECT count(*) FROM conversation"));
        room_check(room);
        free(conv);
}

static void exactly_one_of_conv_and_key_has_to_be_said(void **state)
{
        struct room *room = *state;
        char *conv;
        struct client ann = enter(room, &conv);
        struct client eve = room_agent(room, "Eve", 0);
        take_error(room_ask(room, &ann, "message.send", "{\"cmid\":\"" A "\",\"kind\":\"text\",\"text\":\"x\"}"),
                   "bad_request");
        take_error(room_ask(room, &ann, "message.send",
                            "{\"cmid\":\"" A "\",\"conv\":\"%s\",\"key\":\"main\",\"kind\":\"text\",\"text\":\"x\"}",
                            conv),
                   "bad_request");
        take_error(room_ask(room, &eve, "message.send",
                            "{\"cmid\":\"" A "\",\"key\":\"main\",\"kind\":\"text\",\"text\":\"x\"}"),
                   "bad_request");
        assert_int_equal(0, room_sql(room, "SELECT count(*) FROM entry"));
        free(conv);
}

static void seqs_are_dense_whatever_was_refused_between(void **state)
{
        struct room *room = *state;
        char *conv;
        struct client ann = enter(room, &conv);
        struct client eve = room_agent(room, "Eve", 0);
        for (int i = 1; i <= 40; i++) {
                assert_int_equal(2 * i - 1, take_seq(room_send(room, &ann, conv, NULL, "x")));
                take_error(room_ask(room, &ann, "message.send",
                                    "{\"cmid\":\"%s\",\"conv\":\"%s\",\"kind\":\"text\",\"text\":\"x\",\"after\":\"" C
                                    "\"}",
                                    room_cmid(room), conv),
                           "predecessor_unknown");
                json_decref(room_note(room, &eve, conv, "note"));
                assert_int_equal(2 * i, take_seq(room_send(room, &eve, conv, NULL, "y")));
        }
        assert_int_equal(41, room_sql(room, "SELECT ihead FROM conversation")); /* with whose the ticket became */
        room_check(room);
        free(conv);
}

static void after_is_met_by_the_connections_last_send(void **state)
{
        struct room *room = *state;
        char *conv;
        struct client ann = enter(room, &conv);
        unsigned first = room_queue(room, &ann, "message.send",
                                    "{\"cmid\":\"" A "\",\"conv\":\"%s\",\"kind\":\"text\",\"text\":\"1\"}", conv);
        unsigned second = room_queue(
                room, &ann, "message.send",
                "{\"cmid\":\"" B "\",\"after\":\"" A "\",\"conv\":\"%s\",\"kind\":\"text\",\"text\":\"2\"}", conv);
        room_turn(room);
        assert_int_equal(1, take_seq(room_answer(room, first)));
        assert_int_equal(2, take_seq(room_answer(room, second)));
        free(conv);
}

static void after_is_met_by_what_another_connection_stored(void **state)
{
        struct room *room = *state;
        char *conv;
        struct client ann = enter(room, &conv);
        take_seq(room_send(room, &ann, conv, A, "1"));
        room_leave(room, &ann);
        struct client again = room_customer(room, "ann", 0);
        assert_int_equal(2, take_seq(room_ask(room, &again, "message.send",
                                              "{\"cmid\":\"" B "\",\"after\":\"" A
                                              "\",\"conv\":\"%s\",\"kind\":\"text\",\"text\":\"2\"}",
                                              conv)));
        free(conv);
}

static void a_message_waits_for_the_one_before_it_and_is_taken_when_that_has_come(void **state)
{
        struct room *room = *state;
        char *conv;
        struct client ann = enter(room, &conv);
        char params[256];
        snprintf(params, sizeof params,
                 "{\"cmid\":\"" B "\",\"after\":\"" A "\",\"conv\":\"%s\",\"kind\":\"text\",\"text\":\"2\"}", conv);
        json_t *answer = room_ask(room, &ann, "message.send", "%s", params);
        assert_int_equal(0, number(answer, "error.data.retry_after_ms"));
        take_error(answer, "predecessor_unknown");
        assert_int_equal(1, take_seq(room_send(room, &ann, conv, A, "1")));
        assert_int_equal(2, take_seq(room_ask(room, &ann, "message.send", "%s", params)));
        free(conv);
}

static void a_refused_message_does_not_meet_the_next_ones_after(void **state)
{
        struct room *room = *state;
        char *conv;
        struct client ann = enter(room, &conv);
        take_error(room_ask(room, &ann, "message.send",
                            "{\"cmid\":\"" A "\",\"conv\":\"%s\",\"kind\":\"text\",\"text\":\"1\",\"reply_to\":99}",
                            conv),
                   "bad_request");
        take_error(room_ask(room, &ann, "message.send",
                            "{\"cmid\":\"" B "\",\"after\":\"" A "\",\"conv\":\"%s\",\"kind\":\"text\",\"text\":\"2\"}",
                            conv),
                   "predecessor_unknown");
        free(conv);
}

static void another_persons_message_does_not_meet_after(void **state)
{
        struct room *room = *state;
        char *conv;
        struct client ann = enter(room, &conv);
        struct client eve = room_agent(room, "Eve", 0);
        take_seq(room_send(room, &eve, conv, A, "1"));
        take_error(room_ask(room, &ann, "message.send",
                            "{\"cmid\":\"" B "\",\"after\":\"" A "\",\"conv\":\"%s\",\"kind\":\"text\",\"text\":\"2\"}",
                            conv),
                   "predecessor_unknown");
        free(conv);
}

static void after_is_no_part_of_the_content(void **state)
{
        struct room *room = *state;
        char *conv;
        struct client ann = enter(room, &conv);
        take_seq(room_send(room, &ann, conv, A, "1"));
        take_seq(room_ask(room, &ann, "message.send",
                          "{\"cmid\":\"" B "\",\"after\":\"" A "\",\"conv\":\"%s\",\"kind\":\"text\",\"text\":\"2\"}",
                          conv));
        json_t *again = room_send(room, &ann, conv, B, "2");
        assert_int_equal(1, number(again, "result.dup"));
        take_seq(again);
        free(conv);
}

static void ts_never_falls_when_the_clock_goes_back(void **state)
{
        struct room *room = *state;
        char *conv;
        struct client ann = enter(room, &conv);
        struct client eve = room_agent(room, "Eve", 0);
        json_int_t before = 0, before_note = 0;
        for (int i = 0; i < 6; i++) {
                json_t *sent = room_send(room, &ann, conv, NULL, "x"), *note = room_note(room, &eve, conv, "n");
                json_t *second = room_note(room, &eve, conv, "n");
                assert_true(number(sent, "result.ts") >= before);
                assert_true(number(note, "result.ts") >= before_note);
                assert_true(number(second, "result.ts") >= number(note, "result.ts"));
                before = number(sent, "result.ts");
                before_note = number(second, "result.ts");
                json_decref(sent);
                json_decref(note);
                json_decref(second);
                clock_shift_wall(i % 2 ? 7200000 : -3600000);
                /* an idle conversation with notes only meets a clock that went back too */
                json_decref(room_note(room, &eve, conv, "n"));
                before_note = room_sql(room, "SELECT max(ts) FROM entry WHERE log = 1");
        }
        room_check(room);
        free(conv);
}

static void a_customer_cannot_write_notes(void **state)
{
        struct room *room = *state;
        char *conv;
        struct client ann = enter(room, &conv);
        take_error(room_note(room, &ann, conv, "x"), "forbidden");
        take_error(room_note(room, &ann, "cnv_0000000000001", "x"), "forbidden");
        assert_int_equal(0, room_sql(room, "SELECT count(*) FROM entry"));
        free(conv);
}

/* Rev, ts, head, unread, last: of each answer a customer gets, before and after a note. */
static void a_note_changes_nothing_that_its_customer_is_told(void **state)
{
        struct room *room = *state;
        char *conv;
        struct client ann = enter(room, &conv);
        struct client eve = room_agent(room, "Eve", 0);
        take_seq(room_send(room, &ann, conv, NULL, "x"));
        take_seq(room_send(room, &eve, conv, NULL, "y"));
        room_notify(room, &ann, "marks", "{\"marks\":[{\"conv\":\"%s\",\"recv\":1,\"read\":1}]}", conv);
        room_flush(room);
        json_t *row = room_ask(room, &ann, "conversation.open", "{}");
        json_t *feed = room_read(room, &ann, "feed.read", "{\"rev\":0}");
        room_forget(room);
        for (int i = 0; i < 3; i++) {
                clock_shift_wall(5000);
                json_decref(room_note(room, &eve, conv, "between us"));
        }
        for (size_t i = 0; i < room->told_count; i++)
                if (room->told[i].kind == NOTE_EVENT)
                        assert_int_equal(0, room->told[i].customer);
        json_t *row_after = room_ask(room, &ann, "conversation.open", "{}");
        json_t *feed_after = room_read(room, &ann, "feed.read", "{\"rev\":0}");
        assert_true(json_equal(json_object_get(row, "result"), json_object_get(row_after, "result")));
        assert_true(json_equal(json_object_get(json_object_get(feed, "result"), "rows"),
                               json_object_get(json_object_get(feed_after, "result"), "rows")));
        assert_int_equal(-1, number(row_after, "result.row.ihead"));
        json_t *since = room_read(room, &ann, "feed.read", "{\"rev\":%d}", (int)number(feed, "result.rev"));
        assert_int_equal(0, json_array_size(json_object_get(json_object_get(since, "result"), "rows")));
        /* a mark that is told late, after a note */
        room_notify(room, &ann, "marks", "{\"marks\":[{\"conv\":\"%s\",\"recv\":2,\"read\":1}]}", conv);
        room_flush(room);
        room_notify(room, &ann, "marks", "{\"marks\":[{\"conv\":\"%s\",\"recv\":2,\"read\":2}]}", conv);
        take_seq(room_send(room, &ann, conv, NULL, "x"));
        assert_int_equal(1, room_count(room, NOTE_EVENT, "marks"));
        json_decref(room_note(room, &eve, conv, "once more"));
        room_flush(room);
        const struct room_note *told = room_told(room, NOTE_EVENT, "marks", 1);
        json_t *last = room_read(room, &ann, "feed.read", "{\"rev\":0}");
        assert_int_equal(number(told->json, "rev"), number(last, "result.rows.0.rev"));
        json_decref(row);
        json_decref(row_after);
        json_decref(feed);
        json_decref(feed_after);
        json_decref(since);
        json_decref(last);
        free(conv);
}

static void entries_reach_the_customer_and_watchers_and_notes_only_watchers(void **state)
{
        struct room *room = *state;
        char *conv;
        struct client ann = enter(room, &conv);
        struct client eve = room_agent(room, "Eve", 0);
        room_forget(room);
        take_seq(room_send(room, &eve, conv, A, "hello"));
        const struct room_note *told = room_told(room, NOTE_EVENT, "entry", 0);
        assert_int_equal(ann.caller.principal, told->customer);
        assert_string_equal("Eve", words(told->json, "name"));
        assert_string_equal(A, words(told->json, "cmid"));
        assert_string_equal(eve.id, words(told->json, "author"));
        json_decref(room_note(room, &eve, conv, "secret"));
        told = room_told(room, NOTE_EVENT, "entry", 1);
        assert_int_equal(0, told->customer);
        assert_int_equal(1, number(told->json, "iseq"));
        assert_int_equal(-1, number(told->json, "seq"));
        assert_int_equal(1, number(told->json, "at_seq"));
        free(conv);
}

static json_t *send_choices(struct room *room, const struct client *eve, const char *conv)
{
        return room_ask(room, eve, "message.send",
                        "{\"cmid\":\"%s\",\"conv\":\"%s\",\"kind\":\"choices\",\"text\":\"Which?\",\"fallback_text\":"
                        "\"Which?\","
                        "\"choices\":[{\"id\":\"a\",\"label\":\"Red\"},{\"id\":\"b\",\"label\":\"Blue\"}]}",
                        room_cmid(room), conv);
}

static json_t *press(struct room *room, const struct client *ann, const char *conv, const char *cmid, int seq,
                     const char *id, const char *label)
{
        return room_ask(room, ann, "message.send",
                        "{\"cmid\":\"%s\",\"conv\":\"%s\",\"kind\":\"text\",\"text\":\"%s\",\"pressed\":{\"seq\":%d,"
                        "\"id\":\"%s\"}}",
                        cmid, conv, label, seq, id);
}

static void a_tap_has_to_name_a_choice_and_say_its_label(void **state)
{
        struct room *room = *state;
        char *conv;
        struct client ann = enter(room, &conv);
        struct client eve = room_agent(room, "Eve", 0);
        assert_int_equal(1, take_seq(send_choices(room, &eve, conv)));
        take_error(press(room, &ann, conv, A, 1, "c", "Red"), "bad_request");
        take_error(press(room, &ann, conv, A, 1, "a", "Blue"), "bad_request");
        take_error(press(room, &ann, conv, A, 2, "a", "Red"), "bad_request");
        take_error(press(room, &eve, conv, A, 1, "a", "Red"), "bad_request");
        assert_int_equal(2, take_seq(press(room, &ann, conv, A, 1, "a", "Red")));
        free(conv);
}

static void a_stored_tap_is_a_repeat_even_when_its_choices_were_erased(void **state)
{
        struct room *room = *state;
        char *conv;
        struct client ann = enter(room, &conv);
        struct client eve = room_agent(room, "Eve", 0);
        take_seq(send_choices(room, &eve, conv));
        take_seq(press(room, &ann, conv, A, 1, "b", "Blue"));
        take_result(room_ask(room, &eve, "message.erase", "{\"cmid\":\"" C "\",\"conv\":\"%s\",\"of\":1}", conv));
        json_t *again = press(room, &ann, conv, A, 1, "b", "Blue");
        assert_int_equal(1, number(again, "result.dup"));
        assert_int_equal(2, take_seq(again));
        take_error(press(room, &ann, conv, B, 1, "b", "Blue"), "bad_request");
        take_error(press(room, &ann, conv, A, 1, "b", "Red"), "idempotency_conflict");
        free(conv);
}

static void a_form_has_to_be_filled_as_it_asks(void **state)
{
        struct room *room = *state;
        char *conv;
        struct client ann = enter(room, &conv);
        struct client eve = room_agent(room, "Eve", 0);
        take_seq(room_ask(room, &eve, "message.send",
                          "{\"cmid\":\"%s\",\"conv\":\"%s\",\"kind\":\"form\",\"fallback_text\":\"Form\",\"form\":["
                          "{\"id\":\"n\",\"label\":\"Name\",\"input\":\"text\",\"required\":true},"
                          "{\"id\":\"d\",\"label\":\"Day\",\"input\":\"date\"}]}",
                          room_cmid(room), conv));
        const char *const values[][2] = {
                {"{\"id\":\"d\",\"value\":\"1\"}", "bad_request"},
                {"{\"id\":\"n\",\"value\":\"1\"},{\"id\":\"n\",\"value\":\"2\"}", "bad_request"},
                {"{\"id\":\"n\",\"value\":\"1\"},{\"id\":\"x\",\"value\":\"2\"}", "bad_request"},
                {"{\"id\":\"n\",\"value\":\"1\"}", NULL},
        };
        for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
                json_t *answer = room_ask(room, &ann, "message.send",
                                          "{\"cmid\":\"%s\",\"conv\":\"%s\",\"kind\":\"text\",\"text\":\"done\","
                                          "\"filled\":{\"seq\":1,\"values\":[%s]}}",
                                          room_cmid(room), conv, values[i][0]);
                if (values[i][1])
                        take_error(answer, values[i][1]);
                else
                        take_seq(answer);
        }
        free(conv);
}

static void a_customer_may_have_200_conversations_an_app_and_no_more(void **state)
{
        struct room *room = *state;
        struct client ann = room_customer(room, "ann", 0);
        char key[16];
        for (int i = 0; i < PROTOCOL_CONVERSATIONS; i++) {
                snprintf(key, sizeof key, "k%d", i);
                free(room_conversation(room, &ann, key));
        }
        take_error(room_ask(room, &ann, "conversation.open", "{\"key\":\"one more\"}"), "too_many");
        take_error(room_ask(room, &ann, "message.send",
                            "{\"cmid\":\"" A "\",\"key\":\"one more\",\"kind\":\"text\",\"text\":\"x\"}"),
                   "too_many");
        take_result(room_ask(room, &ann, "conversation.open", "{\"key\":\"k0\"}"));
        struct client bob = room_customer(room, "bob", 0);
        take_result(room_ask(room, &bob, "conversation.open", "{\"key\":\"k0\"}"));
        assert_int_equal(PROTOCOL_CONVERSATIONS + 1, room_sql(room, "SELECT count(*) FROM conversation"));
        room_check(room);
}

static void not_yours_is_answered_like_unknown(void **state)
{
        struct room *room = *state;
        char *conv;
        enter(room, &conv);
        struct client bob = room_customer(room, "bob", 0);
        static const char *const asked[][2] = {
                {"message.send", "\"kind\":\"text\",\"text\":\"x\""},
                {"message.edit", "\"of\":1,\"version\":1,\"text\":\"x\""},
                {"message.erase", "\"of\":1"},
        };
        for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
                json_t *a =
                        room_ask(room, &bob, asked[i][0], "{\"cmid\":\"" A "\",\"conv\":\"%s\",%s}", conv, asked[i][1]);
                json_t *b = room_ask(room, &bob, asked[i][0], "{\"cmid\":\"" A "\",\"conv\":\"cnv_0000000000001\",%s}",
                                     asked[i][1]);
                assert_true(json_equal(json_object_get(a, "error"), json_object_get(b, "error")));
                take_error(a, "not_found");
                take_error(b, "not_found");
        }
        free(conv);
}

static void ids_made_in_one_millisecond_are_all_different(void **state)
{
        struct room *room = *state;
        enum { IDS = 20000 };
        static uint64_t ids[IDS];
        struct desk *desk = room->desk;
        for (int turn = 0; turn < 5; turn++) {
                desk->now_ms++;
                uint8_t *seen = calloc(1, 1 << 19);
                assert_non_null(seen);
                for (int i = 0; i < IDS; i++) {
                        ids[i] = desk_new_id(desk) & 0x3fffff;
                        assert_false(seen[ids[i] / 8] & 1 << ids[i] % 8);
                        seen[ids[i] / 8] |= (uint8_t)(1 << ids[i] % 8);
                }
                free(seen);
        }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, room_set_up, room_tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(a_repeat_gets_the_first_answer_and_is_stored_once),
                TEST(repeats_within_one_batch_are_repeats_too),
                TEST(the_same_key_with_another_content_is_a_conflict),
                TEST(the_same_key_in_another_conversation_is_a_conflict),
                TEST(the_same_key_in_the_other_log_is_a_conflict),
                TEST(two_people_may_use_the_same_key),
                TEST(an_erased_message_is_recognised_whatever_is_sent_under_its_key),
                TEST(messages_sent_by_key_open_their_conversation_and_say_which),
                TEST(a_refused_message_by_key_leaves_no_conversation_behind),
                TEST(exactly_one_of_conv_and_key_has_to_be_said),
                TEST(seqs_are_dense_whatever_was_refused_between),
                TEST(after_is_met_by_the_connections_last_send),
                TEST(after_is_met_by_what_another_connection_stored),
                TEST(a_message_waits_for_the_one_before_it_and_is_taken_when_that_has_come),
                TEST(a_refused_message_does_not_meet_the_next_ones_after),
                TEST(another_persons_message_does_not_meet_after),
                TEST(after_is_no_part_of_the_content),
                TEST(ts_never_falls_when_the_clock_goes_back),
                TEST(a_customer_cannot_write_notes),
                TEST(a_note_changes_nothing_that_its_customer_is_told),
                TEST(entries_reach_the_customer_and_watchers_and_notes_only_watchers),
                TEST(a_tap_has_to_name_a_choice_and_say_its_label),
                TEST(a_stored_tap_is_a_repeat_even_when_its_choices_were_erased),
                TEST(a_form_has_to_be_filled_as_it_asks),
                TEST(a_customer_may_have_200_conversations_an_app_and_no_more),
                TEST(not_yours_is_answered_like_unknown),
                TEST(ids_made_in_one_millisecond_are_all_different),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
