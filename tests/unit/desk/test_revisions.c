/* SPDX-License-Identifier: Apache-2.0 */
/* message.edit and message.erase (delivery, Edits and erasures; A4, A6): versions, what a late reader sees, and that an
 * erased text is nowhere any more. */
#include "unit/desk/room.h"

#include <stdio.h>
#include <stdlib.h>

#define A "01900000000000000000000000000a01"
#define B "01900000000000000000000000000b02"
#define C "01900000000000000000000000000c03"
#define D "01900000000000000000000000000d04"

struct scene {
        struct room *room;
        struct client ann, eve;
        char *conv;
};

static struct scene scene_of(void **state)
{
        struct scene scene = {.room = *state};
        scene.ann = room_customer(scene.room, "ann", 0);
        scene.eve = room_agent(scene.room, "Eve", 0);
        scene.conv = room_conversation(scene.room, &scene.ann, "main");
        return scene;
}

static json_t *edit(struct scene *scene, const struct client *who, const char *cmid, int of, int version,
                    const char *text)
{
        return room_ask(scene->room, who, "message.edit",
                        "{\"cmid\":\"%s\",\"conv\":\"%s\",\"of\":%d,\"version\":%d,\"text\":\"%s\"}", cmid, scene->conv,
                        of, version, text);
}

static json_t *erase(struct scene *scene, const struct client *who, const char *cmid, int of)
{
        return room_ask(scene->room, who, "message.erase", "{\"cmid\":\"%s\",\"conv\":\"%s\",\"of\":%d}", cmid,
                        scene->conv, of);
}

static json_t *edit_note(struct scene *scene, const char *cmid, int of, int version, const char *text)
{
        return room_ask(scene->room, &scene->eve, "message.edit",
                        "{\"cmid\":\"%s\",\"conv\":\"%s\",\"log\":\"team\",\"of\":%d,\"version\":%d,\"text\":\"%s\"}",
                        cmid, scene->conv, of, version, text);
}

static bool is_stored(struct room *room, const char *text)
{
        char sql[512];
        snprintf(sql, sizeof sql,
                 "SELECT (SELECT count(*) FROM entry WHERE body LIKE '%%%s%%') +"
                 " (SELECT count(*) FROM conversation WHERE last_preview LIKE '%%%s%%') +"
                 " (SELECT count(*) FROM done WHERE result LIKE '%%%s%%')",
                 text, text, text);
        return room_sql(room, sql) > 0;
}

static void an_edit_is_an_entry_and_the_message_reads_differently(void **state)
{
        struct scene scene = scene_of(state);
        struct room *room = scene.room;
        take_seq(room_send(room, &scene.ann, scene.conv, A, "helo"));
        room_forget(room);
        assert_int_equal(2, take_seq(edit(&scene, &scene.ann, B, 1, 1, "hello")));
        const struct room_note *revision = room_told(room, NOTE_EVENT, "entry", 0);
        const struct room_note *told = room_told(room, NOTE_EVENT, "entry", 1);
        assert_string_equal("revision", words(revision->json, "kind"));
        assert_int_equal(0, revision->customer);
        assert_string_equal("edit", words(told->json, "kind"));
        assert_int_equal(2, number(told->json, "version"));
        json_t *page = room_read(room, &scene.ann, "entries.read", "{\"conv\":\"%s\",\"after\":0}", scene.conv);
        assert_string_equal("hello", words(page, "result.entries.0.text"));
        assert_int_equal(2, number(page, "result.entries.0.edited"));
        assert_string_equal("hello", words(page, "result.entries.1.text"));
        json_t *team = room_read(room, &scene.eve, "entries.read", "{\"conv\":\"%s\",\"log\":\"team\"}", scene.conv);
        assert_string_equal("helo", words(team, "result.entries.0.text"));
        assert_int_equal(1, number(team, "result.entries.0.version"));
        json_t *row = room_ask(room, &scene.ann, "conversation.open", "{}");
        assert_string_equal("hello", words(row, "result.row.last.preview"));
        assert_int_equal(1, number(row, "result.row.last.seq"));
        room_check(room);
        json_decref(page);
        json_decref(team);
        json_decref(row);
        free(scene.conv);
}

static void an_edit_of_another_version_is_a_conflict(void **state)
{
        struct scene scene = scene_of(state);
        struct room *room = scene.room;
        take_seq(room_send(room, &scene.ann, scene.conv, A, "one"));
        take_error(edit(&scene, &scene.ann, B, 1, 2, "two"), "conflict");
        take_seq(edit(&scene, &scene.ann, B, 1, 1, "two"));
        take_error(edit(&scene, &scene.ann, C, 1, 1, "three"), "conflict");
        take_seq(edit(&scene, &scene.ann, C, 1, 2, "three"));
        assert_int_equal(3, room_sql(room, "SELECT version FROM entry WHERE log = 0 AND seq = 1"));
        assert_int_equal(2, room_sql(room, "SELECT ihead FROM conversation"));
        room_check(room);
        free(scene.conv);
}

static void a_repeated_edit_gets_its_first_answer_even_after_later_ones(void **state)
{
        struct scene scene = scene_of(state);
        struct room *room = scene.room;
        take_seq(room_send(room, &scene.ann, scene.conv, A, "one"));
        take_seq(edit(&scene, &scene.ann, B, 1, 1, "two"));
        take_seq(edit(&scene, &scene.ann, C, 1, 2, "three"));
        json_t *again = edit(&scene, &scene.ann, B, 1, 1, "two");
        assert_int_equal(1, number(again, "result.dup"));
        assert_int_equal(2, take_seq(again));
        take_error(edit(&scene, &scene.ann, B, 1, 1, "TWO"), "idempotency_conflict");
        take_error(edit(&scene, &scene.ann, A, 1, 3, "one"), "idempotency_conflict");
        take_seq(erase(&scene, &scene.ann, D, 1));
        again = edit(&scene, &scene.ann, B, 1, 1, "two");
        assert_int_equal(1, number(again, "result.dup"));
        json_decref(again);
        free(scene.conv);
}

static void the_key_of_an_edit_counts_in_its_own_conversation_only(void **state)
{
        struct scene scene = scene_of(state);
        struct room *room = scene.room;
        char *other = room_conversation(room, &scene.ann, "other");
        take_seq(room_send(room, &scene.ann, scene.conv, NULL, "one"));
        take_seq(room_send(room, &scene.ann, other, NULL, "one"));
        take_seq(edit(&scene, &scene.ann, B, 1, 1, "two"));
        char *first = scene.conv;
        scene.conv = other;
        take_error(edit(&scene, &scene.ann, B, 1, 1, "two"), "idempotency_conflict");
        take_error(erase(&scene, &scene.ann, B, 1), "idempotency_conflict");
        assert_int_equal(1, room_sql(room, "SELECT head FROM conversation WHERE key = 'other'"));
        free(first);
        free(other);
}

static void nobody_edits_or_erases_what_another_wrote(void **state)
{
        struct scene scene = scene_of(state);
        struct room *room = scene.room;
        take_seq(room_send(room, &scene.ann, scene.conv, NULL, "mine"));
        take_seq(room_send(room, &scene.eve, scene.conv, NULL, "hers"));
        json_decref(room_note(room, &scene.eve, scene.conv, "note"));
        take_error(edit(&scene, &scene.eve, B, 1, 1, "x"), "forbidden");
        take_error(edit(&scene, &scene.ann, B, 2, 1, "x"), "forbidden");
        take_error(erase(&scene, &scene.eve, B, 1), "forbidden");
        take_error(erase(&scene, &scene.ann, B, 2), "forbidden");
        take_error(edit(&scene, &scene.ann, B, 9, 1, "x"), "not_found");
        take_error(room_ask(room, &scene.ann, "message.edit",
                            "{\"cmid\":\"" B
                            "\",\"conv\":\"%s\",\"log\":\"team\",\"of\":1,\"version\":1,\"text\":\"x\"}",
                            scene.conv),
                   "forbidden");
        take_error(room_ask(room, &scene.ann, "message.erase",
                            "{\"cmid\":\"" B "\",\"conv\":\"%s\",\"log\":\"team\",\"of\":99}", scene.conv),
                   "forbidden");
        assert_int_equal(2, room_sql(room, "SELECT head FROM conversation"));
        free(scene.conv);
}

static void only_texts_are_edited(void **state)
{
        struct scene scene = scene_of(state);
        struct room *room = scene.room;
        take_seq(room_ask(room, &scene.eve, "message.send",
                          "{\"cmid\":\"" A
                          "\",\"conv\":\"%s\",\"kind\":\"choices\",\"text\":\"?\",\"fallback_text\":\"?\","
                          "\"choices\":[{\"id\":\"a\",\"label\":\"Red\"}]}",
                          scene.conv));
        take_seq(room_ask(room, &scene.ann, "message.send",
                          "{\"cmid\":\"" B
                          "\",\"conv\":\"%s\",\"kind\":\"text\",\"text\":\"Red\",\"pressed\":{\"seq\":1,"
                          "\"id\":\"a\"}}",
                          scene.conv));
        take_error(edit(&scene, &scene.eve, C, 1, 1, "x"), "bad_request");
        take_error(edit(&scene, &scene.ann, C, 2, 1, "x"), "bad_request");
        take_seq(room_send(room, &scene.ann, scene.conv, NULL, "one"));
        take_seq(edit(&scene, &scene.ann, C, 3, 1, "two"));
        take_error(edit(&scene, &scene.ann, D, 4, 1, "x"), "bad_request");
        free(scene.conv);
}

static void notes_are_edited_in_their_own_log_without_a_revision(void **state)
{
        struct scene scene = scene_of(state);
        struct room *room = scene.room;
        take_seq(room_send(room, &scene.ann, scene.conv, NULL, "x"));
        json_decref(room_note(room, &scene.eve, scene.conv, "not"));
        json_t *edited = edit_note(&scene, B, 1, 1, "note");
        assert_int_equal(2, number(edited, "result.iseq"));
        assert_int_equal(1, number(edited, "result.at_seq"));
        assert_int_equal(-1, number(edited, "result.seq"));
        json_decref(edited);
        assert_int_equal(2, room_sql(room, "SELECT ihead FROM conversation"));
        assert_int_equal(1, room_sql(room, "SELECT head FROM conversation"));
        room_check(room);
        free(scene.conv);
}

static void an_erased_text_is_nowhere_any_more(void **state)
{
        struct scene scene = scene_of(state);
        struct room *room = scene.room;
        take_seq(room_send(room, &scene.ann, scene.conv, A, "tulip one"));
        take_seq(edit(&scene, &scene.ann, B, 1, 1, "tulip two"));
        take_seq(edit(&scene, &scene.ann, C, 1, 2, "tulip three"));
        assert_true(is_stored(room, "tulip"));
        assert_int_equal(4, take_seq(erase(&scene, &scene.ann, D, 1)));
        assert_false(is_stored(room, "tulip"));
        assert_int_equal(0, room_sql(room, "SELECT count(*) FROM entry WHERE hash IS NOT NULL AND kind <> 21"));
        assert_int_equal(4, room_sql(room, "SELECT count(*) FROM entry WHERE cmid IS NOT NULL"));
        assert_int_equal(0, room_sql(room, "SELECT unanswered + waiting_since FROM conversation"));
        struct conversation *cached = room_cached(room, scene.conv);
        assert_int_equal(0, cached->row.preview_len);
        assert_int_equal(PROTOCOL_ENTRY_ERASED, cached->row.last_kind);
        json_t *page = room_read(room, &scene.ann, "entries.read", "{\"conv\":\"%s\",\"after\":0}", scene.conv);
        for (int i = 0; i < 3; i++)
                assert_string_equal(
                        "erased",
                        words(json_array_get(json_object_get(json_object_get(page, "result"), "entries"), (size_t)i),
                              "kind"));
        assert_string_equal(scene.ann.id, words(page, "result.entries.0.author"));
        assert_string_equal(A, words(page, "result.entries.0.cmid"));
        json_t *team = room_read(room, &scene.eve, "entries.read", "{\"conv\":\"%s\",\"log\":\"team\"}", scene.conv);
        assert_string_equal("erased", words(team, "result.entries.0.kind"));
        assert_string_equal("erased", words(team, "result.entries.1.kind"));
        room_check(room);
        json_decref(page);
        json_decref(team);
        free(scene.conv);
}

static void other_peoples_texts_stay_when_one_is_erased(void **state)
{
        struct scene scene = scene_of(state);
        struct room *room = scene.room;
        take_seq(room_send(room, &scene.ann, scene.conv, NULL, "lily one"));
        take_seq(room_send(room, &scene.eve, scene.conv, NULL, "rose one"));
        take_seq(edit(&scene, &scene.ann, A, 1, 1, "lily two"));
        take_seq(edit(&scene, &scene.eve, B, 2, 1, "rose \\\"of\\\":1 two"));
        take_seq(erase(&scene, &scene.ann, C, 1));
        assert_false(is_stored(room, "lily"));
        assert_int_equal(2, room_sql(room, "SELECT count(*) FROM entry WHERE log = 0 AND body LIKE '%rose%'"));
        assert_int_equal(1, room_sql(room, "SELECT count(*) FROM entry WHERE log = 1 AND body LIKE '%rose one%'"));
        room_check(room);
        free(scene.conv);
}

static void a_hundred_edits_of_one_message_are_all_blanked(void **state)
{
        struct scene scene = scene_of(state);
        struct room *room = scene.room;
        take_seq(room_send(room, &scene.ann, scene.conv, NULL, "poppy 0"));
        for (int i = 1; i <= 100; i++)
                take_seq(edit(&scene, &scene.ann, room_cmid(room), 1, i, "poppy again"));
        take_seq(erase(&scene, &scene.ann, A, 1));
        assert_false(is_stored(room, "poppy"));
        room_check(room);
        free(scene.conv);
}

static void erasing_twice_is_a_repeat_or_says_that_it_is_erased(void **state)
{
        struct scene scene = scene_of(state);
        struct room *room = scene.room;
        take_seq(room_send(room, &scene.ann, scene.conv, NULL, "x"));
        assert_int_equal(2, take_seq(erase(&scene, &scene.ann, A, 1)));
        json_t *again = erase(&scene, &scene.ann, A, 1);
        assert_int_equal(1, number(again, "result.dup"));
        assert_int_equal(2, take_seq(again));
        take_error(erase(&scene, &scene.ann, B, 1), "erased");
        take_error(edit(&scene, &scene.ann, B, 1, 2, "y"), "erased");
        take_error(erase(&scene, &scene.ann, B, 2), "forbidden");
        take_error(erase(&scene, &scene.ann, A, 2), "idempotency_conflict");
        assert_int_equal(2, room_sql(room, "SELECT head FROM conversation"));
        free(scene.conv);
}

static void erasures_count_down_what_was_unread_or_waiting(void **state)
{
        struct scene scene = scene_of(state);
        struct room *room = scene.room;
        for (int i = 0; i < 3; i++) {
                take_seq(room_send(room, &scene.eve, scene.conv, NULL, "from eve"));
                clock_shift_wall(10);
        }
        for (int i = 0; i < 3; i++) {
                take_seq(room_send(room, &scene.ann, scene.conv, NULL, "from ann"));
                clock_shift_wall(10);
        }
        room_notify(room, &scene.ann, "marks", "{\"marks\":[{\"conv\":\"%s\",\"recv\":1,\"read\":1}]}", scene.conv);
        room_check(room);
        assert_int_equal(2, room_cached(room, scene.conv)->row.unread);
        take_seq(erase(&scene, &scene.eve, A, 2));
        assert_int_equal(1, room_cached(room, scene.conv)->row.unread);
        take_seq(erase(&scene, &scene.eve, B, 1));
        assert_int_equal(1, room_cached(room, scene.conv)->row.unread);
        assert_int_equal(3, room_cached(room, scene.conv)->row.unanswered);
        take_seq(erase(&scene, &scene.ann, C, 4));
        assert_int_equal(2, room_cached(room, scene.conv)->row.unanswered);
        assert_int_equal(room_sql(room, "SELECT ts FROM entry WHERE seq = 5 AND log = 0"),
                         room_cached(room, scene.conv)->row.waiting_since);
        room_check(room);
        free(scene.conv);
}

static void an_erased_edit_is_no_reply_to_what_came_between(void **state)
{
        struct scene scene = scene_of(state);
        struct room *room = scene.room;
        take_seq(room_send(room, &scene.eve, scene.conv, NULL, "reply"));
        take_seq(room_send(room, &scene.ann, scene.conv, NULL, "question"));
        take_seq(edit(&scene, &scene.eve, A, 1, 1, "reply, better"));
        take_seq(erase(&scene, &scene.eve, B, 1));
        take_seq(room_send(room, &scene.ann, scene.conv, C, "another"));
        take_seq(erase(&scene, &scene.ann, D, 5));
        assert_int_equal(1, room_cached(room, scene.conv)->row.unanswered);
        room_check(room);
        free(scene.conv);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, room_set_up, room_tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(an_edit_is_an_entry_and_the_message_reads_differently),
                TEST(an_edit_of_another_version_is_a_conflict),
                TEST(a_repeated_edit_gets_its_first_answer_even_after_later_ones),
                TEST(the_key_of_an_edit_counts_in_its_own_conversation_only),
                TEST(nobody_edits_or_erases_what_another_wrote),
                TEST(only_texts_are_edited),
                TEST(notes_are_edited_in_their_own_log_without_a_revision),
                TEST(an_erased_text_is_nowhere_any_more),
                TEST(other_peoples_texts_stay_when_one_is_erased),
                TEST(a_hundred_edits_of_one_message_are_all_blanked),
                TEST(erasing_twice_is_a_repeat_or_says_that_it_is_erased),
                TEST(erasures_count_down_what_was_unread_or_waiting),
                TEST(an_erased_edit_is_no_reply_to_what_came_between),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
