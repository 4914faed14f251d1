/* SPDX-License-Identifier: Apache-2.0 */
/* search.entries and the index behind it: who finds what, that what is erased or edited away is found by nobody, and
 * that the index goes on from where it was, whatever became of it. */
#include "unit/desk/room.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "desk/indexer.h"
#include "store/search.h"

#define A "01900000000000000000000000000a01"
#define B "01900000000000000000000000000b02"
#define C "01900000000000000000000000000c03"

struct scene {
        struct room *room;
        struct client ann, bob, eve;
        char *conv, *other; /* of Ann, of Bob */
};

static void index_all(struct room *room)
{
        int rc;
        while ((rc = indexer_turn(room->desk->indexer)) == 1)
                ;
        assert_int_equal(0, rc);
}

static struct scene scene_of(void **state)
{
        struct scene scene = {.room = *state};
        scene.ann = room_customer(scene.room, "ann", 0);
        scene.bob = room_customer(scene.room, "bob", 0);
        scene.eve = room_agent(scene.room, "Eve", 0);
        scene.conv = room_conversation(scene.room, &scene.ann, "main");
        scene.other = room_conversation(scene.room, &scene.bob, "main");
        index_all(scene.room);
        return scene;
}

static void done_with(struct scene *scene)
{
        room_check(scene->room);
        free(scene->conv);
        free(scene->other);
}

static json_t *ask(struct scene *scene, const struct client *who, const char *query, const char *more)
{
        return room_read(scene->room, who, "search.entries", "{\"query\":\"%s\"%s}", query, more);
}

/* The seqs found, newest first, notes as "n1". Of all pages of `limit` rows. */
static const char *find_by(struct scene *scene, const struct client *who, const char *query, int limit)
{
        static char found[4000];
        char more[128];
        found[0] = 0;
        snprintf(more, sizeof more, ",\"limit\":%d", limit);
        for (int page = 0; page < 100; page++) {
                json_t *answer = ask(scene, who, query, more);
                const json_t *rows = json_object_get(json_object_get(answer, "result"), "rows");
                const char *next = words(answer, "result.next");
                assert_true(json_is_array(rows) && json_array_size(rows) <= (size_t)limit);
                for (size_t i = 0; i < json_array_size(rows); i++) {
                        const json_t *row = json_array_get(rows, i);
                        json_int_t seq = number(row, "seq");
                        sprintf(found + strlen(found), "%s%s%d", *found ? " " : "", seq < 0 ? "n" : "",
                                (int)(seq < 0 ? number(row, "iseq") : seq));
                }
                if (next)
                        snprintf(more, sizeof more, ",\"limit\":%d,\"before\":\"%s\"", limit, next);
                bool is_last = !next;
                json_decref(answer);
                if (is_last)
                        return found;
        }
        fail_msg("pages without end");
        return NULL;
}

static const char *find(struct scene *scene, const struct client *who, const char *query)
{
        return find_by(scene, who, query, 20);
}

static void say(struct scene *scene, const struct client *who, const char *conv, const char *text)
{
        take_seq(room_send(scene->room, who, conv, NULL, text));
}

static bool file_holds(const struct scene *scene, const char *word)
{
        static const char *const names[] = {"search.db", "search.db-wal"};
        bool holds = false;
        for (size_t i = 0; i < 2; i++) {
                char path[160];
                snprintf(path, sizeof path, "%s/%s", scene->room->dir, names[i]);
                FILE *file = fopen(path, "r");
                if (!file)
                        continue;
                static char bytes[4 << 20];
                size_t len = fread(bytes, 1, sizeof bytes, file);
                holds = holds || memmem(bytes, len, word, strlen(word));
                fclose(file);
        }
        return holds;
}

static void words_of_four_languages_are_found(void **state)
{
        struct scene scene = scene_of(state);
        say(&scene, &scene.ann, scene.conv, "환불해주세요");
        say(&scene, &scene.ann, scene.conv, "환 불 부탁드립니다");
        say(&scene, &scene.ann, scene.conv, "我要退款，谢谢");
        say(&scene, &scene.ann, scene.conv, "返金をお願いします");
        say(&scene, &scene.ann, scene.conv, "I want a REFUND");
        index_all(scene.room);
        assert_string_equal("2 1", find(&scene, &scene.ann, "환불"));
        assert_string_equal("2 1", find(&scene, &scene.ann, "환 불"));
        assert_string_equal("3", find(&scene, &scene.ann, "退款"));
        assert_string_equal("3", find(&scene, &scene.ann, "退"));
        assert_string_equal("4", find(&scene, &scene.ann, "返金"));
        assert_string_equal("5", find(&scene, &scene.ann, "refun"));
        assert_string_equal("5", find(&scene, &scene.ann, "refund want"));
        assert_string_equal("", find(&scene, &scene.ann, "efund"));
        assert_string_equal("5", find(&scene, &scene.eve, "i"));
        done_with(&scene);
}

static void a_snippet_shows_the_words_as_they_stand(void **state)
{
        struct scene scene = scene_of(state);
        say(&scene, &scene.ann, scene.conv, "제발 환 불해주세요 빨리");
        say(&scene, &scene.ann, scene.conv, "My parcel is ÉTÉ late");
        index_all(scene.room);
        json_t *answer = ask(&scene, &scene.ann, "환불", "");
        assert_string_equal("제발 ", words(answer, "result.rows.0.snippet.before"));
        assert_string_equal("환 불", words(answer, "result.rows.0.snippet.hit"));
        assert_string_equal("해주세요 빨리", words(answer, "result.rows.0.snippet.after"));
        assert_string_equal(scene.conv, words(answer, "result.rows.0.conv"));
        assert_null(words(answer, "result.rows.0.customer"));
        json_decref(answer);
        answer = ask(&scene, &scene.eve, "e\u0301t", "");
        assert_string_equal("ÉT", words(answer, "result.rows.0.snippet.hit"));
        assert_string_equal(scene.ann.id, words(answer, "result.rows.0.customer"));
        json_decref(answer);
        done_with(&scene);
}

static void a_customer_finds_nothing_of_notes_and_of_others(void **state)
{
        struct scene scene = scene_of(state);
        say(&scene, &scene.ann, scene.conv, "the gadget is broken");
        say(&scene, &scene.bob, scene.other, "my gadget too");
        take_result(room_note(scene.room, &scene.eve, scene.conv, "gadget of a difficult person"));
        index_all(scene.room);
        assert_string_equal("n1 1 1", find(&scene, &scene.eve, "gadget"));
        assert_string_equal("1", find(&scene, &scene.ann, "gadget"));
        assert_string_equal("1", find(&scene, &scene.bob, "gadget"));
        json_t *answer = ask(&scene, &scene.ann, "difficult", ",\"limit\":1");
        assert_int_equal(0, json_array_size(json_object_get(json_object_get(answer, "result"), "rows")));
        assert_null(words(answer, "result.next"));
        assert_null(json_object_get(json_object_get(answer, "result"), "cut"));
        json_decref(answer);
        done_with(&scene);
}

static void pages_hold_every_hit_once_newest_first(void **state)
{
        struct scene scene = scene_of(state);
        for (int i = 0; i < 23; i++) {
                say(&scene, &scene.ann, scene.conv, "same word");
                say(&scene, &scene.bob, scene.other, "same word");
                take_result(room_note(scene.room, &scene.eve, scene.conv, "same word"));
        }
        index_all(scene.room);
        assert_string_equal("23 22 21 20 19 18 17 16 15 14 13 12 11 10 9 8 7 6 5 4 3 2 1",
                            find_by(&scene, &scene.ann, "same", 4));
        char whole[1000];
        snprintf(whole, sizeof whole, "%s", find_by(&scene, &scene.eve, "same", 50));
        assert_string_equal(whole, find_by(&scene, &scene.eve, "same", 3));
        take_error(ask(&scene, &scene.ann, "same", ",\"before\":\"x\""), "bad_request");
        take_error(ask(&scene, &scene.ann, "same", ",\"before\":\"1.1.1.1\""), "bad_request");
        done_with(&scene);
}

static void a_page_goes_on_when_its_last_row_has_gone(void **state)
{
        struct scene scene = scene_of(state);
        for (int i = 0; i < 3; i++)
                say(&scene, &scene.ann, scene.conv, "same word");
        index_all(scene.room);
        json_t *answer = ask(&scene, &scene.ann, "same", ",\"limit\":1");
        char more[128];
        snprintf(more, sizeof more, ",\"before\":\"%s\"", words(answer, "result.next"));
        assert_int_equal(3, number(answer, "result.rows.0.seq"));
        json_decref(answer);
        take_seq(room_ask(scene.room, &scene.ann, "message.erase", "{\"cmid\":\"%s\",\"conv\":\"%s\",\"of\":3}", A,
                          scene.conv));
        index_all(scene.room);
        answer = ask(&scene, &scene.ann, "same", more);
        assert_int_equal(2, number(answer, "result.rows.0.seq"));
        assert_int_equal(1, number(answer, "result.rows.1.seq"));
        json_decref(answer);
        done_with(&scene);
}

static void what_a_visitor_said_is_found_by_the_user_who_claims_it(void **state)
{
        struct scene scene = scene_of(state);
        struct opening opening = {
                .how = OPENING_NEW_VISITOR, .workspace = scene.room->desk->workspace, .app = scene.room->app_row};
        SHA256((const uint8_t *)"s1", 2, opening.secret_hash);
        struct client visitor;
        assert_true(room_enter(scene.room, &opening, 1, NULL, &visitor, NULL));
        char *conv = room_conversation(scene.room, &visitor, "main");
        say(&scene, &visitor, conv, "gadget");
        say(&scene, &visitor, conv, "gadget again");
        index_all(scene.room);
        assert_string_equal("2 1", find(&scene, &visitor, "gadget"));
        assert_string_equal("", find(&scene, &scene.ann, "gadget"));
        opening = room_user(scene.room, "ann");
        opening.has_claim = true;
        SHA256((const uint8_t *)"s1", 2, opening.claim_hash);
        assert_true(room_enter(scene.room, &opening, 1, NULL, &scene.ann, NULL));
        assert_string_equal("", find(&scene, &scene.bob, "gadget"));
        index_all(scene.room);
        assert_string_equal("2 1", find(&scene, &scene.ann, "gadget"));
        assert_string_equal("2 1", find(&scene, &scene.eve, "gadget"));
        free(conv);
        done_with(&scene);
}

static void only_entries_of_the_named_app_are_found(void **state)
{
        struct scene scene = scene_of(state);
        say(&scene, &scene.ann, scene.conv, "gadget");
        index_all(scene.room);
        char more[64];
        snprintf(more, sizeof more, ",\"app\":\"%s\"", scene.room->app);
        json_t *answer = ask(&scene, &scene.eve, "gadget", more);
        assert_int_equal(1, number(answer, "result.rows.0.seq"));
        assert_string_equal(scene.room->app, words(answer, "result.rows.0.app"));
        json_decref(answer);
        json_t *made = room_operate(scene.room, "app.add", "{\"cmid\":\"%s\",\"name\":\"Other\"}", C);
        snprintf(more, sizeof more, ",\"app\":\"%s\"", words(made, "result.app"));
        json_decref(made);
        answer = ask(&scene, &scene.eve, "gadget", more);
        assert_int_equal(-1, number(answer, "result.rows.0.seq"));
        json_decref(answer);
        done_with(&scene);
}

static void what_was_edited_is_found_by_its_new_words_alone(void **state)
{
        struct scene scene = scene_of(state);
        say(&scene, &scene.ann, scene.conv, "banana");
        index_all(scene.room);
        take_seq(room_ask(scene.room, &scene.ann, "message.edit",
                          "{\"cmid\":\"%s\",\"conv\":\"%s\",\"of\":1,\"version\":1,\"text\":\"cherry\"}", A,
                          scene.conv));
        assert_string_equal("", find(&scene, &scene.eve, "banana")); /* before the index knows of it, too */
        index_all(scene.room);
        assert_string_equal("1", find(&scene, &scene.ann, "cherry"));
        assert_string_equal("", find(&scene, &scene.ann, "banana"));
        assert_string_equal("", find(&scene, &scene.eve, "banana"));
        say(&scene, &scene.ann, scene.conv, "later");
        index_all(scene.room);
        assert_string_equal("1", find(&scene, &scene.eve, "cherry"));
        done_with(&scene);
}

static void more_edits_in_a_row_than_a_turn_takes_messages_come_to_an_end(void **state)
{
        struct scene scene = scene_of(state);
        say(&scene, &scene.ann, scene.conv, "draft 1");
        for (int version = 1; version <= 900; version++)
                take_seq(room_ask(scene.room, &scene.ann, "message.edit",
                                  "{\"cmid\":\"%s\",\"conv\":\"%s\",\"of\":1,\"version\":%d,\"text\":\"draft %d\"}",
                                  room_cmid(scene.room), scene.conv, version, version + 1));
        for (int turns = 0, rc = 1; rc == 1; turns++) {
                assert_true(turns < 10);
                rc = indexer_turn(scene.room->desk->indexer);
        }
        assert_string_equal("1", find(&scene, &scene.eve, "draft 901"));
        assert_string_equal("", find(&scene, &scene.eve, "draft 900"));
        done_with(&scene);
}

static void what_was_erased_is_found_by_nobody_and_is_not_in_the_file(void **state)
{
        struct scene scene = scene_of(state);
        say(&scene, &scene.ann, scene.conv, "xylophone");
        say(&scene, &scene.ann, scene.conv, "stays");
        index_all(scene.room);
        assert_true(file_holds(&scene, "xylophone"));
        take_seq(room_ask(scene.room, &scene.ann, "message.erase", "{\"cmid\":\"%s\",\"conv\":\"%s\",\"of\":1}", A,
                          scene.conv));
        assert_string_equal("", find(&scene, &scene.eve, "xylophone")); /* before the index knows of it, too */
        index_all(scene.room);
        assert_string_equal("", find(&scene, &scene.eve, "xylophone"));
        json_t *answer = room_operate(scene.room, "search.settle", "{}");
        assert_true(json_is_true(json_object_get(json_object_get(answer, "result"), "done")));
        json_decref(answer);
        assert_false(file_holds(&scene, "xylophone"));
        assert_false(file_holds(&scene, "xyl"));
        assert_string_equal("2", find(&scene, &scene.eve, "stays"));
        done_with(&scene);
}

static void an_erased_person_is_gone_from_the_index_but_not_what_is_said_after(void **state)
{
        struct scene scene = scene_of(state);
        for (int i = 0; i < 3; i++)
                say(&scene, &scene.ann, scene.conv, "xylophone");
        take_result(room_note(scene.room, &scene.eve, scene.conv, "xylophone too"));
        say(&scene, &scene.bob, scene.other, "my marimba");
        index_all(scene.room);
        take_result(
                room_operate(scene.room, "customer.erase", "{\"cmid\":\"%s\",\"customer\":\"%s\"}", A, scene.ann.id));
        say(&scene, &scene.eve, scene.conv, "a parting marimba");
        take_result(room_operate(scene.room, "search.settle", "{}"));
        assert_string_equal("", find(&scene, &scene.eve, "xylophone"));
        assert_false(file_holds(&scene, "xylophone"));
        assert_string_equal("4 1", find(&scene, &scene.eve, "marimba"));
        free(scene.conv);
        free(scene.other);
}

static void the_index_goes_on_where_it_was(void **state)
{
        struct scene scene = scene_of(state);
        say(&scene, &scene.ann, scene.conv, "one gadget");
        index_all(scene.room);
        say(&scene, &scene.ann, scene.conv, "two gadget");
        take_seq(room_ask(scene.room, &scene.ann, "message.erase", "{\"cmid\":\"%s\",\"conv\":\"%s\",\"of\":1}", A,
                          scene.conv));
        say(&scene, &scene.ann, scene.conv, "four gadget");
        room_close(scene.room);
        room_open(scene.room);
        scene.eve = room_agent(scene.room, "Mia", 1);
        index_all(scene.room);
        assert_string_equal("4 2", find(&scene, &scene.eve, "gadget"));
        done_with(&scene);
}

static void an_index_that_is_damaged_or_gone_is_built_again(void **state)
{
        struct scene scene = scene_of(state);
        char path[160];
        for (int i = 0; i < 900; i++)
                say(&scene, &scene.ann, scene.conv, i == 7 ? "needle" : "hay");
        index_all(scene.room);
        room_close(scene.room);
        snprintf(path, sizeof path, "%s/search.db", scene.room->dir);
        FILE *file = fopen(path, "r+");
        assert_non_null(file);
        fputs("this is no index, and it never was one", file);
        fclose(file);
        room_open(scene.room);
        scene.eve = room_agent(scene.room, "Mia", 1);
        index_all(scene.room);
        assert_string_equal("8", find(&scene, &scene.eve, "needle"));
        struct stat facts;
        assert_int_equal(0, stat(path, &facts));
        assert_int_equal(0600, facts.st_mode & 0777);
        take_result(room_operate(scene.room, "search.rebuild", "{}"));
        assert_string_equal("8", find(&scene, &scene.eve, "needle"));
        done_with(&scene);
}

static void the_index_of_another_store_is_not_believed(void **state)
{
        struct scene scene = scene_of(state);
        char path[160];
        bool is_new;
        struct search *search = NULL;
        say(&scene, &scene.ann, scene.conv, "gadget");
        index_all(scene.room);
        room_close(scene.room);
        snprintf(path, sizeof path, "%s/search.db", scene.room->dir);
        assert_int_equal(DB_OK, search_open(path, DB_WRITER, &search, &is_new, NULL));
        int64_t scopes[] = {scope_of_workspace(1)};
        struct search_entry stray = {
                .conv = 1, .seq = 77, .ts = 1, .scopes = scopes, .scope_count = 1, .text = SPAN("stray")};
        assert_int_equal(DB_OK, search_begin(search));
        assert_int_equal(DB_OK, search_put(search, &stray));
        assert_int_equal(DB_OK, search_mark_put(search, "epoch", 12345));
        assert_int_equal(DB_OK, search_commit(search));
        search_close(search);
        room_open(scene.room);
        scene.eve = room_agent(scene.room, "Mia", 1);
        index_all(scene.room);
        assert_string_equal("1", find(&scene, &scene.eve, "gadget"));
        assert_false(file_holds(&scene, "stray"));
        done_with(&scene);
}

static void what_is_typed_is_never_syntax(void **state)
{
        struct scene scene = scene_of(state);
        say(&scene, &scene.ann, scene.conv, "a body of words");
        index_all(scene.room);
        static const char *const queries[] = {"\\\"",         "body:words", "words NOT of", "(", "words*",
                                              "{scope} : s8", "NEAR(a b)",  "^a",           "%", "_",
                                              "' OR 1=1 --"};
        static const char *const found[] = {"", "1", "", "", "1", "", "", "1", "", "", ""};
        for (size_t i = 0; i < sizeof queries / sizeof *queries; i++)
                assert_string_equal(found[i], find(&scene, &scene.ann, queries[i]));
        take_error(ask(&scene, &scene.ann, "", ""), "bad_request");
        char longest[1001];
        memset(longest, 'x', 1000);
        longest[1000] = 0;
        take_error(ask(&scene, &scene.ann, longest, ""), "bad_request");
        done_with(&scene);
}

static void a_search_before_there_is_an_index_is_told_to_come_again(void **state)
{
        struct scene scene = {.room = *state};
        scene.ann = room_customer(scene.room, "ann", 0);
        take_error(ask(&scene, &scene.ann, "x", ""), "overloaded");
        index_all(scene.room);
        assert_string_equal("", find(&scene, &scene.ann, "x"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, room_set_up, room_tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(words_of_four_languages_are_found),
                TEST(a_snippet_shows_the_words_as_they_stand),
                TEST(a_customer_finds_nothing_of_notes_and_of_others),
                TEST(pages_hold_every_hit_once_newest_first),
                TEST(a_page_goes_on_when_its_last_row_has_gone),
                TEST(what_a_visitor_said_is_found_by_the_user_who_claims_it),
                TEST(only_entries_of_the_named_app_are_found),
                TEST(what_was_edited_is_found_by_its_new_words_alone),
                TEST(more_edits_in_a_row_than_a_turn_takes_messages_come_to_an_end),
                TEST(what_was_erased_is_found_by_nobody_and_is_not_in_the_file),
                TEST(an_erased_person_is_gone_from_the_index_but_not_what_is_said_after),
                TEST(the_index_goes_on_where_it_was),
                TEST(an_index_that_is_damaged_or_gone_is_built_again),
                TEST(the_index_of_another_store_is_not_believed),
                TEST(what_is_typed_is_never_syntax),
                TEST(a_search_before_there_is_an_index_is_told_to_come_again),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
