/* SPDX-License-Identifier: Apache-2.0 */
/* Finding customers: by the beginnings of words in any writing, by tier and tag, page by page, and as they are now. */
#include "unit/customers/people_known.h"

#include "desk/customers/words.h"

#include <stdio.h>

/* External ids of those found, with spaces between. */
static const char *found(struct room *room, const char *params)
{
        static char text[512];
        json_t *answer = room_operate(room, "customer.list", "{%s}", params), *row;
        size_t i;
        text[0] = 0;
        if (!json_object_get(answer, "result"))
                snprintf(text, sizeof text, "%s", words(answer, "error.data.tag"));
        json_array_foreach(json_object_get(json_object_get(answer, "result"), "customers"), i, row)
                snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i ? " " : "",
                         words(row, "external_id") ? words(row, "external_id") : "visitor");
        json_decref(answer);
        return text;
}

static void customers_are_found_by_the_beginnings_of_words(void **state)
{
        struct room *room = *state;
        known_user(room, "u1", "Ann Lee", NULL, NULL);
        known_user(room, "u2", "Anna-Marie Stone", NULL, "{\"city\":\"Leeds\"}");
        known_user(room, "u3", "김민수", NULL, NULL);
        known_user(room, "u4", "ÅSA Öberg", NULL, NULL);
        assert_string_equal("u2 u1", found(room, "\"query\":\"ann\""));
        assert_string_equal("u2 u1", found(room, "\"query\":\"ANN lee\""));
        assert_string_equal("u1", found(room, "\"query\":\"lee ann\",\"limit\":5,\"after\":\"2\""));
        assert_string_equal("u2", found(room, "\"query\":\"stone\""));
        assert_string_equal("u3", found(room, "\"query\":\"김민\""));
        assert_string_equal("u3", found(room, "\"query\":\"민수\""));
        assert_string_equal("u4", found(room, "\"query\":\"åsa\""));
        assert_string_equal("u1", found(room, "\"query\":\"u1\""));
        assert_string_equal("", found(room, "\"query\":\"tone\""));
        assert_string_equal("", found(room, "\"query\":\"ann xyz\""));
        assert_string_equal("bad_request", found(room, "\"query\":\"%_*\\\"\""));
}

static void a_new_name_is_found_and_the_old_one_no_more(void **state)
{
        struct room *room = *state;
        struct client visitor = known_visitor(room, "s1");
        take_result(known_set(room, &visitor, ",\"attributes\":[{\"name\":\"name\",\"value\":\"Bob\"}]"));
        assert_string_equal("visitor", found(room, "\"query\":\"bob\""));
        take_result(known_set(room, &visitor, ",\"attributes\":[{\"name\":\"name\",\"value\":\"Carl\"}]"));
        assert_string_equal("", found(room, "\"query\":\"bob\""));
        assert_string_equal("visitor", found(room, "\"query\":\"carl\""));
        known_user(room, "u1", "Dora", NULL, NULL);
        known_user(room, "u1", "Eva", NULL, NULL);
        assert_string_equal("", found(room, "\"query\":\"dora\""));
        assert_string_equal("u1", found(room, "\"query\":\"eva\""));
}

static void tier_tag_and_block_narrow_the_list_and_pages_meet_without_a_gap(void **state)
{
        struct room *room = *state;
        char name[16], params[96], all[256] = "";
        take_result(room_operate(room, "tier.set", "{\"cmid\":\"%s\",\"tiers\":[\"gold\"]}", room_cmid(room)));
        for (int i = 1; i <= 9; i++) {
                snprintf(name, sizeof name, "u%d", i);
                struct client one = known_user(room, name, "Kim", NULL, NULL);
                if (i % 2 == 0)
                        take_result(known_set(room, &one, ",\"tier\":\"gold\""));
                if (i % 3 == 0)
                        take_result(known_set(room, &one, ",\"add_tags\":[\"vip\"]"));
                if (i == 6)
                        take_result(room_operate(room, "customer.block", "{\"cmid\":\"%s\",\"customer\":\"%s\"}",
                                                 room_cmid(room), one.id));
        }
        assert_string_equal("u8 u6 u4 u2", found(room, "\"tier\":\"gold\""));
        assert_string_equal("u9 u6 u3", found(room, "\"tag\":\"vip\""));
        assert_string_equal("u6", found(room, "\"tag\":\"vip\",\"tier\":\"gold\""));
        assert_string_equal("u6", found(room, "\"query\":\"kim\",\"tag\":\"vip\",\"tier\":\"gold\""));
        assert_string_equal("u6", found(room, "\"blocked\":true"));
        assert_string_equal("", found(room, "\"tier\":\"silver\""));
        snprintf(params, sizeof params, "\"query\":\"kim\",\"limit\":2");
        for (int pages = 0; pages < 6 && params[0]; pages++) {
                json_t *answer = room_operate(room, "customer.list", "{%s}", params);
                snprintf(all + strlen(all), sizeof all - strlen(all), "%s ", found(room, params));
                const char *next = words(answer, "result.next");
                if (next)
                        snprintf(params, sizeof params, "\"query\":\"kim\",\"limit\":2,\"after\":\"%s\"", next);
                else
                        params[0] = 0;
                json_decref(answer);
        }
        assert_string_equal("u9 u8 u7 u6 u5 u4 u3 u2 u1 ", all);
}

static void a_store_from_before_is_made_searchable_once(void **state)
{
        struct room *room = *state;
        known_user(room, "u1", "Ann Lee", NULL, NULL);
        assert_int_equal(DB_OK, db_begin(room->desk->db));
        assert_int_equal(DB_OK, meta_put_int(room->desk->db, "customer_words", 0));
        struct db_stmt *stmt = db_stmt(room->desk->db, SQL_CUSTOMER_WORDS_DELETE);
        db_bind_int(stmt, 1, room_sql(room, "SELECT id FROM principal WHERE external_id = 'u1'"));
        assert_int_equal(DB_OK, db_run(stmt));
        assert_int_equal(DB_OK, db_commit(room->desk->db));
        assert_string_equal("", found(room, "\"query\":\"ann\""));
        room_close(room);
        room_open(room);
        assert_string_equal("u1", found(room, "\"query\":\"ann\""));
}

static void a_query_leads_with_its_longest_word_and_is_bounded(void **state)
{
        (void)state;
        struct arena arena;
        struct word_range terms[WORD_TERMS];
        arena_init(&arena, NULL, 0);
        assert_int_equal(3, words_query(SPAN("a Marie bo"), &arena, terms));
        assert_true(span_equal(terms[0].low, SPAN("marie")));
        assert_int_equal(WORD_TERMS, words_query(SPAN("a b c d e f g h i j k l m"), &arena, terms));
        assert_int_equal(0, words_query(SPAN(" *%_ "), &arena, terms));
        assert_int_equal(1, words_query(SPAN("x X x"), &arena, terms));
        arena_done(&arena);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
#define ROW(name) cmocka_unit_test_setup_teardown(name, room_set_up, room_tear_down)
                ROW(customers_are_found_by_the_beginnings_of_words),
                ROW(a_new_name_is_found_and_the_old_one_no_more),
                ROW(tier_tag_and_block_narrow_the_list_and_pages_meet_without_a_gap),
                ROW(a_store_from_before_is_made_searchable_once),
                cmocka_unit_test(a_query_leads_with_its_longest_word_and_is_bounded),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
