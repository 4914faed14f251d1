/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/search.h"

enum { STAFF = 8, CUSTOMER = 9, OTHER = 17 }; /* scopes */

struct world {
        struct place place;
        const char *path;
        char path_bytes[128];
        struct search *search;
        int64_t now;
};

static struct search *open_search(const char *path, enum db_mode mode, bool *out_is_new)
{
        struct search *search = NULL;
        char *why = NULL;
        if (search_open(path, mode, &search, out_is_new, &why) != DB_OK)
                fail_msg("%s", why ? why : "cannot open");
        return search;
}

static void put_for(struct world *world, int64_t conv, int log, int64_t seq, const char *text, int64_t a, int64_t b)
{
        const int64_t scopes[] = {a, b};
        struct search_entry entry = {.conv = conv,
                                     .log = log,
                                     .seq = seq,
                                     .ts = world->now++,
                                     .scopes = scopes,
                                     .scope_count = b ? 2 : 1,
                                     .text = span_of(text)};
        assert_int_equal(DB_OK, search_begin(world->search));
        assert_int_equal(DB_OK, search_put(world->search, &entry));
        assert_int_equal(DB_OK, search_commit(world->search));
}

static void put(struct world *world, int64_t seq, const char *text)
{
        put_for(world, 1, 0, seq, text, STAFF, CUSTOMER);
}

/* The seqs found by `scope`, newest first: "3 1". */
static const char *find_as(struct world *world, const char *typed, int64_t scope)
{
        static char found[400];
        struct search_hit hits[20];
        size_t count = 0;
        bool is_cut = false;
        struct search_query query = {.typed = span_of(typed), .scopes = &scope, .scope_count = 1};
        assert_int_equal(DB_OK, search_query(world->search, &query, 20, hits, &count, &is_cut));
        assert_false(is_cut);
        found[0] = 0;
        for (size_t i = 0; i < count; i++)
                sprintf(found + strlen(found), "%s%d", i ? " " : "", (int)hits[i].seq);
        return found;
}

static const char *find(struct world *world, const char *typed)
{
        return find_as(world, typed, STAFF);
}

static void korean_is_found_inside_words_and_across_spaces(void **state)
{
        struct world *world = *state;
        put(world, 1, "환불해주세요");
        put(world, 2, "환 불 부탁드립니다");
        put(world, 3, "교환은 됩니다");
        assert_string_equal("2 1", find(world, "환불"));
        assert_string_equal("2 1", find(world, "환 불"));
        assert_string_equal("1", find(world, "해주세요"));
        assert_string_equal("1", find(world, "환불해주세요"));
        assert_string_equal("", find(world, "불환"));
        assert_string_equal("3 2 1", find(world, "환"));
        assert_string_equal("2 1", find(world, "불"));
}

static void chinese_and_japanese_are_found_inside_sentences(void **state)
{
        struct world *world = *state;
        put(world, 1, "我想申请退款，谢谢");
        put(world, 2, "返金してほしいです");
        put(world, 3, "キャンセルしたい");
        assert_string_equal("1", find(world, "退款"));
        assert_string_equal("2", find(world, "返金"));
        assert_string_equal("3", find(world, "ｷｬﾝｾﾙ"));
        assert_string_equal("1", find(world, "款"));
        assert_string_equal("", find(world, "款退"));
}

static void words_are_found_by_their_beginning_in_any_case(void **state)
{
        struct world *world = *state;
        put(world, 1, "Please REFUND my order");
        put(world, 2, "the refunding of Straße 12345");
        assert_string_equal("2 1", find(world, "refun"));
        assert_string_equal("1", find(world, "order refund"));
        assert_string_equal("2", find(world, "STRASSE"));
        assert_string_equal("2", find(world, "123"));
        assert_string_equal("", find(world, "efund"));
        assert_string_equal("2 1", find(world, "r"));
}

static void a_note_is_not_found_by_the_customer(void **state)
{
        struct world *world = *state;
        put_for(world, 1, 1, 1, "the customer is a fraudster", STAFF, 0);
        put(world, 2, "hello");
        assert_string_equal("", find_as(world, "fraudster", CUSTOMER));
        assert_string_equal("1", find_as(world, "fraudster", STAFF));
        assert_string_equal("2", find_as(world, "hello", CUSTOMER));
        assert_string_equal("", find_as(world, "hello", OTHER));
        assert_string_equal("", find_as(world, "hello", 1)); /* no scope by its beginning: 1 is not 17 */
}

static void a_scope_that_is_written_in_a_message_is_a_word_like_others(void **state)
{
        struct world *world = *state;
        put_for(world, 1, 0, 1, "s9 s17 scope", STAFF, 0);
        assert_string_equal("", find_as(world, "scope", CUSTOMER));
        assert_string_equal("", find_as(world, "s17", OTHER));
        assert_string_equal("", find(world, "s8"));
        assert_string_equal("1", find(world, "s17"));
}

static void any_of_several_scopes_finds(void **state)
{
        struct world *world = *state;
        put_for(world, 1, 0, 1, "hello", CUSTOMER, 0);
        put_for(world, 2, 0, 2, "hello", OTHER, 0);
        put_for(world, 3, 0, 3, "hello", STAFF, 0);
        const int64_t scopes[] = {OTHER, CUSTOMER};
        struct search_query query = {.typed = SPAN("hello"), .scopes = scopes, .scope_count = 2};
        struct search_hit hits[10];
        size_t count = 0;
        bool is_cut;
        assert_int_equal(DB_OK, search_query(world->search, &query, 10, hits, &count, &is_cut));
        assert_int_equal(2, count);
        assert_int_equal(2, hits[0].conv);
        assert_int_equal(1, hits[1].conv);
        query.scope_count = 0;
        assert_int_equal(DB_OK, search_query(world->search, &query, 10, hits, &count, &is_cut));
        assert_int_equal(0, count);
}

static void what_is_typed_is_never_syntax(void **state)
{
        struct world *world = *state;
        put(world, 1, "alpha or beta");
        put(world, 2, "alpha");
        static const char *const typed[] = {"alpha\"", "alpha)",    "(alpha",      "{scope}: alpha", "alpha' OR 1=1 --",
                                            "*",       "^alpha",    "alpha NEAR(", "-alpha",         "a:b:c",
                                            "\"\"\"",  "alpha AND", "\\"};
        for (size_t i = 0; i < sizeof typed / sizeof *typed; i++)
                find(world, typed[i]); /* fails the test on any error */
        assert_string_equal("2 1", find(world, "^\"alpha\"*"));
        assert_string_equal("1", find(world, "alpha OR beta"));
        assert_string_equal("", find(world, "alpha NOT beta"));
}

static void pages_follow_each_other_without_gap_or_repeat(void **state)
{
        struct world *world = *state;
        assert_int_equal(DB_OK, search_begin(world->search));
        for (int i = 1; i <= 3000; i++) { /* in one millisecond, more than it has rows */
                const int64_t scope = STAFF;
                struct search_entry entry = {1, 0, i, 1700000000000, &scope, 1, SPAN("same words")};
                assert_int_equal(DB_OK, search_put(world->search, &entry));
        }
        assert_int_equal(DB_OK, search_commit(world->search));
        const int64_t scope = STAFF;
        struct search_query query = {.typed = SPAN("words"), .scopes = &scope, .scope_count = 1};
        int64_t expected = 3000;
        for (;;) {
                struct search_hit hits[70];
                size_t count = 0;
                bool is_cut;
                assert_int_equal(DB_OK, search_query(world->search, &query, 70, hits, &count, &is_cut));
                for (size_t i = 0; i < count; i++)
                        assert_int_equal(expected--, hits[i].seq);
                if (count == 0)
                        break;
                assert_true(hits[0].ts >= 1700000000000 && hits[0].ts <= 1700000000003);
                query.before = hits[count - 1].place;
        }
        assert_int_equal(0, expected);
}

static void an_edit_replaces_and_an_erasure_removes(void **state)
{
        struct world *world = *state;
        put(world, 1, "first words");
        put(world, 2, "second words");
        put(world, 1, "other text");
        assert_string_equal("", find(world, "first"));
        assert_string_equal("1", find(world, "other"));
        assert_string_equal("2", find(world, "words"));
        assert_int_equal(DB_OK, search_begin(world->search));
        assert_int_equal(DB_OK, search_remove(world->search, 1, 0, 2));
        assert_int_equal(DB_OK, search_remove(world->search, 1, 0, 99));
        assert_int_equal(DB_OK, search_commit(world->search));
        assert_string_equal("", find(world, "words"));
        put_for(world, 1, 0, 1, "other text", OTHER, 0);
        assert_string_equal("", find(world, "other"));
        assert_string_equal("1", find_as(world, "other", OTHER));
}

static void a_scope_that_must_hold_besides_narrows_what_is_found(void **state)
{
        struct world *world = *state;
        put_for(world, 1, 0, 1, "alpha", STAFF, CUSTOMER);
        put_for(world, 2, 0, 2, "alpha", STAFF, OTHER);
        const int64_t scope = STAFF;
        struct search_hit hits[5];
        size_t count = 0;
        bool is_cut;
        struct search_query query = {.typed = SPAN("alpha"), .scopes = &scope, .scope_count = 1, .within = OTHER};
        assert_int_equal(DB_OK, search_query(world->search, &query, 5, hits, &count, &is_cut));
        assert_int_equal(1, count);
        assert_int_equal(2, hits[0].seq);
        query.within = 4711;
        assert_int_equal(DB_OK, search_query(world->search, &query, 5, hits, &count, &is_cut));
        assert_int_equal(0, count);
}

static void the_newest_row_of_a_log_is_told_with_its_scopes(void **state)
{
        struct world *world = *state;
        const int64_t mine[] = {STAFF, CUSTOMER}, others[] = {STAFF, OTHER};
        struct search_entry probe = {.conv = 1, .scopes = mine, .scope_count = 2};
        int64_t seq = 99;
        bool is_same = false;
        assert_int_equal(DB_OK, search_newest(world->search, &probe, &seq, &is_same));
        assert_int_equal(0, seq);
        assert_true(is_same);
        put(world, 3, "alpha");
        put(world, 2, "alpha");
        assert_int_equal(DB_OK, search_newest(world->search, &probe, &seq, &is_same));
        assert_int_equal(3, seq);
        assert_true(is_same);
        probe.scopes = others;
        assert_int_equal(DB_OK, search_newest(world->search, &probe, &seq, &is_same));
        assert_false(is_same);
}

static void a_conversation_is_forgotten_whole_and_alone(void **state)
{
        struct world *world = *state;
        for (int i = 1; i <= 700; i++)
                put_for(world, 1, i % 2, i, "alpha", STAFF, 0);
        put_for(world, 2, 0, 1, "alpha", STAFF, 0);
        int64_t removed = search_removed(world->search);
        assert_int_equal(DB_OK, search_begin(world->search));
        assert_int_equal(DB_OK, search_forget(world->search, 1));
        assert_int_equal(DB_OK, search_commit(world->search));
        assert_string_equal("1", find(world, "alpha"));
        assert_int_equal(removed + 700, search_removed(world->search));
}

static void what_is_put_again_as_it_was_removes_nothing(void **state)
{
        struct world *world = *state;
        put(world, 1, "alpha");
        put(world, 1, "alpha");
        assert_int_equal(0, search_removed(world->search));
        put(world, 1, "beta");
        assert_int_equal(1, search_removed(world->search));
}

static void a_cleared_index_is_empty_for_its_readers_too(void **state)
{
        struct world *world = *state;
        put(world, 1, "alpha");
        bool is_new;
        struct search *writer = world->search, *reader = open_search(world->path, DB_READER, &is_new);
        world->search = reader;
        assert_string_equal("1", find(world, "alpha"));
        assert_int_equal(DB_OK, search_begin(writer));
        assert_int_equal(DB_OK, search_mark_put(writer, "rev", 5));
        assert_int_equal(DB_OK, search_clear(writer));
        assert_string_equal("1", find(world, "alpha")); /* until it is committed */
        assert_int_equal(DB_OK, search_commit(writer));
        assert_string_equal("", find(world, "alpha"));
        world->search = writer;
        int64_t value = 0;
        assert_int_equal(DB_OK, search_mark_get(writer, "rev", &value));
        put(world, 2, "alpha");
        world->search = reader;
        assert_string_equal("2", find(world, "alpha"));
        world->search = writer;
        search_close(reader);
}

static int64_t file_size(const char *path)
{
        struct stat facts;
        return stat(path, &facts) == 0 ? facts.st_size : 0;
}

static void after_optimize_the_file_holds_no_word_of_what_was_removed(void **state)
{
        struct world *world = *state;
        unsigned seed = 3;
        assert_int_equal(DB_OK, search_begin(world->search));
        for (int i = 1; i < 4000; i++) { /* an index of more pages than one step of optimize takes */
                char text[300];
                const int64_t scope = STAFF;
                int len = sprintf(text, "xyzzysecret%d common", i);
                for (int word = 0; word < 15; word++)
                        len += sprintf(text + len, " %08x", (unsigned)rand_r(&seed));
                struct search_entry entry = {1, 0, i, world->now++, &scope, 1, {text, (size_t)len}};
                assert_int_equal(DB_OK, search_put(world->search, &entry));
        }
        assert_int_equal(DB_OK, search_commit(world->search));
        assert_int_equal(DB_OK, search_begin(world->search));
        for (int i = 1; i < 2000; i++)
                assert_int_equal(DB_OK, search_remove(world->search, 1, 0, i));
        assert_int_equal(DB_OK, search_commit(world->search));
        char log[160];
        snprintf(log, sizeof log, "%s-wal", world->path);
        assert_true(file_holds(log, "xyzzysecret1") || file_holds(world->path, "xyzzysecret1"));
        assert_true(file_size(world->path) + file_size(log) > 500000);
        assert_int_equal(DB_OK, search_optimize(world->search));
        assert_false(file_holds(log, "secret1"));
        assert_false(file_holds(world->path, "secret1")); /* all that begin with 1 are gone */
        assert_string_equal("3995", find(world, "xyzzysecret3995"));
        assert_int_equal(0, strncmp("3999 3998 3997", find(world, "common"), 14));
}

static void a_reader_sees_what_was_committed(void **state)
{
        struct world *world = *state;
        put(world, 1, "hello");
        bool is_new = true;
        struct search *reader = open_search(world->path, DB_READER, &is_new);
        assert_false(is_new);
        struct search *writer = world->search;
        world->search = reader;
        assert_string_equal("1", find(world, "hello"));
        world->search = writer;
        assert_int_equal(DB_OK, search_begin(writer));
        const int64_t scope = STAFF;
        struct search_entry entry = {1, 0, 2, world->now, &scope, 1, SPAN("hello again")};
        assert_int_equal(DB_OK, search_put(writer, &entry));
        world->search = reader;
        assert_string_equal("1", find(world, "hello"));
        assert_int_equal(DB_OK, search_commit(writer));
        assert_string_equal("2 1", find(world, "hello"));
        world->search = writer;
        search_close(reader);
}

static void marks_are_kept_with_what_was_indexed(void **state)
{
        struct world *world = *state;
        int64_t value = 0;
        assert_int_equal(DB_OK, search_mark_get(world->search, "rev", &value));
        assert_int_equal(DB_OK, search_begin(world->search));
        assert_int_equal(DB_OK, search_mark_put(world->search, "rev", 42));
        search_rollback(world->search);
        assert_int_equal(DB_OK, search_mark_get(world->search, "rev", &value));
        assert_int_equal(DB_OK, search_begin(world->search));
        assert_int_equal(DB_OK, search_mark_put(world->search, "rev", 43));
        assert_int_equal(DB_OK, search_commit(world->search));
        bool is_new = true;
        search_close(world->search);
        world->search = open_search(world->path, DB_WRITER, &is_new);
        assert_false(is_new);
        assert_int_equal(DB_ROW, search_mark_get(world->search, "rev", &value));
        assert_int_equal(43, value);
}

static void a_damaged_index_is_replaced_by_an_empty_one(void **state)
{
        struct world *world = *state;
        put(world, 1, "hello");
        search_close(world->search);
        FILE *file = fopen(world->path, "w");
        fputs("this is no index any more, but it has enough bytes to look like a file of some kind, surely", file);
        fclose(file);
        bool is_new = false;
        world->search = open_search(world->path, DB_WRITER, &is_new);
        assert_true(is_new);
        assert_string_equal("", find(world, "hello"));
        put(world, 1, "hello");
        assert_string_equal("1", find(world, "hello"));
}

static void an_index_of_another_version_is_replaced(void **state)
{
        struct world *world = *state;
        put(world, 1, "hello");
        search_close(world->search);
        struct db *db = store_open(&db_sqlite, world->path, DB_WRITER);
        assert_int_equal(DB_OK, db_exec(db, "PRAGMA user_version = 77"));
        db_close(db);
        bool is_new = false;
        world->search = open_search(world->path, DB_WRITER, &is_new);
        assert_true(is_new);
}

static void the_file_is_the_owners_alone(void **state)
{
        struct world *world = *state;
        struct stat facts;
        assert_int_equal(0, stat(world->path, &facts));
        assert_int_equal(0600, facts.st_mode & 0777);
}

/* Many words that begin alike make the widest query there is: no prefix table serves one letter. */
static void a_query_that_takes_too_long_is_cut(void **state)
{
        struct world *world = *state;
        unsigned seed = 7;
        for (int i = 0; i < 30000; i++) {
                char text[200] = "";
                const int64_t scope = STAFF;
                if (i % 5000 == 0)
                        assert_int_equal(DB_OK, search_begin(world->search));
                for (int word = 0; word < 12; word++)
                        sprintf(text + strlen(text), "a%06x ", rand_r(&seed) & 0xffffff);
                struct search_entry entry = {1, 0, i + 1, world->now++, &scope, 1, span_of(text)};
                assert_int_equal(DB_OK, search_put(world->search, &entry));
                if (i % 5000 == 4999)
                        assert_int_equal(DB_OK, search_commit(world->search));
        }
        const int64_t scope = STAFF;
        struct search_hit hits[10];
        size_t count = 99;
        bool is_cut = false;
        struct search_query query = {.typed = SPAN("a"), .scopes = &scope, .scope_count = 1, .budget_ms = 1};
        assert_int_equal(DB_OK, search_query(world->search, &query, 10, hits, &count, &is_cut));
        assert_true(is_cut);
        assert_true(count < 10);
        query.typed = SPAN("a0");
        query.budget_ms = 10000;
        assert_int_equal(DB_OK, search_query(world->search, &query, 10, hits, &count, &is_cut));
        assert_false(is_cut);
        assert_int_equal(10, count);
}

static void misuse_is_refused(void **state)
{
        struct world *world = *state;
        int64_t scopes[SEARCH_MAX_SCOPES + 1] = {0};
        struct search_entry entry = {1, 0, 1, -1, scopes, 1, SPAN("x")};
        assert_int_equal(DB_OK, search_begin(world->search));
        assert_int_equal(DB_MISUSE, search_put(world->search, &entry));
        entry.ts = 1;
        entry.scope_count = SEARCH_MAX_SCOPES + 1;
        assert_int_equal(DB_MISUSE, search_put(world->search, &entry));
        search_rollback(world->search);
        struct search_query query = {.typed = SPAN("x"), .scopes = scopes, .scope_count = SEARCH_MAX_SCOPES + 1};
        struct search_hit hit;
        size_t count;
        bool is_cut;
        assert_int_equal(DB_MISUSE, search_query(world->search, &query, 1, &hit, &count, &is_cut));
}

static int set_up(void **state)
{
        struct world *world = calloc(1, sizeof *world);
        bool is_new = false;
        place_make(&world->place);
        snprintf(world->path_bytes, sizeof world->path_bytes, "%s/search.db", world->place.dir);
        world->path = world->path_bytes;
        world->now = 1700000000000;
        world->search = open_search(world->path, DB_WRITER, &is_new);
        assert_true(is_new);
        *state = world;
        return 0;
}

static int tear_down(void **state)
{
        struct world *world = *state;
        search_close(world->search);
        place_remove(&world->place);
        free(world);
        return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(korean_is_found_inside_words_and_across_spaces),
                TEST(chinese_and_japanese_are_found_inside_sentences),
                TEST(words_are_found_by_their_beginning_in_any_case),
                TEST(a_note_is_not_found_by_the_customer),
                TEST(a_scope_that_is_written_in_a_message_is_a_word_like_others),
                TEST(any_of_several_scopes_finds),
                TEST(what_is_typed_is_never_syntax),
                TEST(pages_follow_each_other_without_gap_or_repeat),
                TEST(an_edit_replaces_and_an_erasure_removes),
                TEST(a_scope_that_must_hold_besides_narrows_what_is_found),
                TEST(the_newest_row_of_a_log_is_told_with_its_scopes),
                TEST(a_conversation_is_forgotten_whole_and_alone),
                TEST(what_is_put_again_as_it_was_removes_nothing),
                TEST(a_cleared_index_is_empty_for_its_readers_too),
                TEST(after_optimize_the_file_holds_no_word_of_what_was_removed),
                TEST(a_reader_sees_what_was_committed),
                TEST(marks_are_kept_with_what_was_indexed),
                TEST(a_damaged_index_is_replaced_by_an_empty_one),
                TEST(an_index_of_another_version_is_replaced),
                TEST(the_file_is_the_owners_alone),
                TEST(a_query_that_takes_too_long_is_cut),
                TEST(misuse_is_refused),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
