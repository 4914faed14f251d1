/* SPDX-License-Identifier: Apache-2.0 */
/* Search on the machine: what is asked, what is told, and that every caller is answered exactly once. */
#include "stage.h"

#include <stdlib.h>

static struct stage s;

static int set_up(void **state)
{
        (void)state;
        stage_init(&s, NULL);
        stage_open(&s);
        return 0;
}

static int tear_down(void **state)
{
        (void)state;
        stage_done(&s);
        return 0;
}

static void take(deskbell_client *client, int error, const struct deskbell_found *found, size_t count, const char *next,
                 int is_cut, void *data)
{
        (void)client;
        (void)error;
        (void)found;
        (void)count;
        (void)next;
        (void)is_cut;
        (void)data;
}

static int ask(const char *query, int limit, const char *before)
{
        struct deskbell_search_options options = DESKBELL_SEARCH_OPTIONS_INIT;
        int rc;

        options.limit = limit;
        options.before = before;
        stage_begin(&s);
        rc = machine_search(s.machine, query, &options, take, NULL);
        stage_end(&s);
        return rc;
}

static void expect_error(int error)
{
        struct event *event = stage_event(&s, EVENT_SEARCH);

        assert_non_null(event);
        assert_int_equal(error, event->search.error);
        assert_int_equal(0, event->search.count);
        assert_string_equal("", event->search.next);
        event_free(event);
}

static void what_was_found_is_told_with_its_place_and_the_word(void **state)
{
        (void)state;
        stage_main(&s, 0);
        assert_int_equal(0, ask("lamp", 7, "page-2"));
        json_t *request = stage_take(&s, "search.entries");
        assert_string_equal("lamp", stage_param(request, "query"));
        assert_string_equal("page-2", stage_param(request, "before"));
        assert_int_equal(7, stage_number(request, "limit"));
        stage_answer(
                &s, request,
                "{\"rev\":1,\"next\":\"page-3\",\"cut\":true,\"rows\":[{\"conv\":\"%s\",\"app\":\"app_0000000000009\","
                "\"customer\":\"%s\",\"iseq\":4,\"ts\":99,\"author\":\"%s\",\"kind\":\"text\",\"snippet\":{\"before\":"
                "\"a \",\"hit\":\"Lamp\",\"after\":\" is broken\"}}]}",
                CONV, USER, AGENT);
        struct event *event = stage_event(&s, EVENT_SEARCH);
        assert_non_null(event);
        assert_int_equal(0, event->search.error);
        assert_int_equal(1, event->search.count);
        assert_string_equal("page-3", event->search.next);
        assert_true(event->search.is_cut);
        const struct deskbell_found *found = &event->search.found[0];
        assert_string_equal(CONV, found->conversation);
        assert_string_equal(USER, found->customer);
        assert_int_equal(DESKBELL_TEAM, found->log);
        assert_int_equal(4, found->number);
        assert_int_equal(99, found->ts_ms);
        assert_string_equal(AGENT, found->author);
        assert_string_equal("text", found->kind);
        assert_string_equal("a ", found->before);
        assert_string_equal("Lamp", found->hit);
        assert_string_equal(" is broken", found->after);
        event_free(event);
        assert_null(stage_event(&s, EVENT_SEARCH));
}

static void without_a_session_it_is_refused_at_once(void **state)
{
        (void)state;
        assert_int_equal(DESKBELL_E_OFFLINE, ask("lamp", 20, NULL));
        assert_null(stage_event(&s, EVENT_SEARCH));
}

static void a_lost_connection_answers_all_who_wait_once(void **state)
{
        (void)state;
        stage_main(&s, 0);
        for (int i = 0; i < 20; i++) /* more than may be asked at a time */
                assert_int_equal(0, ask("lamp", 20, NULL));
        stage_link_closes(&s, 1006);
        for (int i = 0; i < 20; i++)
                expect_error(DESKBELL_E_CANCELLED);
        assert_null(stage_event(&s, EVENT_SEARCH));
}

static void a_refusal_and_an_answer_that_cannot_be_read_are_told(void **state)
{
        (void)state;
        stage_main(&s, 0);
        assert_int_equal(0, ask("lamp", 20, NULL));
        stage_refuse(&s, stage_take(&s, "search.entries"), "overloaded", false, 1000);
        expect_error(DESKBELL_E_REFUSED);
        assert_int_equal(0, ask("lamp", 20, NULL));
        stage_answer(&s, stage_take(&s, "search.entries"), "{\"rows\":7}");
        expect_error(DESKBELL_E_REFUSED);
}

static void the_end_of_the_client_answers_too(void **state)
{
        (void)state;
        stage_main(&s, 0);
        assert_int_equal(0, ask("lamp", 20, NULL));
        stage_begin(&s);
        machine_cancel_searches(s.machine, DESKBELL_E_CANCELLED);
        stage_end(&s);
        expect_error(DESKBELL_E_CANCELLED);
        stage_answer(&s, stage_take(&s, "search.entries"), "{\"rows\":[],\"rev\":1}"); /* nobody waits for it */
        assert_null(stage_event(&s, EVENT_SEARCH));
}

static void a_turn_that_cannot_be_written_still_answers(void **state)
{
        (void)state;
        stage_main(&s, 0);
        assert_int_equal(0, ask("lamp", 20, NULL));
        json_t *request = stage_take(&s, "search.entries");
        char *text = NULL;
        assert_true(asprintf(&text, "{\"jsonrpc\":\"2.0\",\"id\":%lld,\"result\":{\"rows\":[],\"rev\":1}}",
                             json_integer_value(json_object_get(request, "id"))) > 0);
        json_decref(request);
        stage_begin(&s);
        machine_link_text(s.machine, text, strlen(text));
        free(text);
        cache_fail(stage_cache(&s));
        assert_int_equal(DESKBELL_E_STORE, stage_end(&s));
        struct event *event = stage_event(&s, EVENT_SEARCH);
        assert_non_null(event);
        event_free(event);
        assert_null(stage_event(&s, EVENT_SEARCH));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
        static const struct CMUnitTest tests[] = {
                TEST(what_was_found_is_told_with_its_place_and_the_word),
                TEST(without_a_session_it_is_refused_at_once),
                TEST(a_lost_connection_answers_all_who_wait_once),
                TEST(a_refusal_and_an_answer_that_cannot_be_read_are_told),
                TEST(the_end_of_the_client_answers_too),
                TEST(a_turn_that_cannot_be_written_still_answers),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
