/* SPDX-License-Identifier: Apache-2.0 */
/* Calls by name on the machine: what is said, what is told, and that every caller is answered exactly once. */
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

static void take(deskbell_client *client, int error, const char *result, void *data)
{
        (void)client;
        (void)error;
        (void)result;
        (void)data;
}

static int ask(const char *method, const char *params)
{
        stage_begin(&s);
        int rc = machine_call(s.machine, method, span_of(params), take, NULL);
        stage_end(&s);
        return rc;
}

static void expect(int error, const char *result)
{
        struct event *event = stage_event(&s, EVENT_CALLED);

        assert_non_null(event);
        assert_int_equal(error, event->called.error);
        assert_string_equal(result, event->called.result);
        event_free(event);
}

static void a_method_is_said_by_its_name_and_its_answer_told_as_it_came(void **state)
{
        (void)state;
        stage_main(&s, 0);
        assert_int_equal(0, ask("ticket.invented", "{\"number\":7,\"q\":\"a \\\"b\\\"\"}"));
        json_t *request = stage_take(&s, "ticket.invented");
        assert_int_equal(7, stage_number(request, "number"));
        assert_string_equal("a \"b\"", stage_param(request, "q"));
        stage_answer(&s, request, "{\"rows\":[{\"subject\":\"a \\u00e9 \\\"x\\\"\"}]}");
        expect(0, "{\"rows\":[{\"subject\":\"a \\u00e9 \\\"x\\\"\"}]}");
        assert_null(stage_event(&s, EVENT_CALLED));
}

static void without_a_function_it_is_a_notification(void **state)
{
        (void)state;
        stage_main(&s, 0);
        stage_begin(&s);
        assert_int_equal(0, machine_call(s.machine, "seeing", SPAN("{\"on\":1}"), NULL, NULL));
        stage_end(&s);
        json_t *said = stage_take(&s, "seeing");
        assert_int_equal(1, stage_number(said, "on"));
        assert_null(json_object_get(said, "id"));
        json_decref(said);
        stage_link_closes(&s, 1006);
        assert_null(stage_event(&s, EVENT_CALLED));
}

static void a_refusal_is_told_with_its_tag_and_its_pause(void **state)
{
        (void)state;
        stage_main(&s, 0);
        assert_int_equal(0, ask("ticket.invented", "{}"));
        stage_refuse(&s, stage_take(&s, "ticket.invented"), "overloaded", false, 1000);
        struct event *event = stage_event(&s, EVENT_CALLED);
        assert_non_null(event);
        assert_int_equal(DESKBELL_E_REFUSED, event->called.error);
        json_t *why = json_loads(event->called.result, 0, NULL);
        assert_non_null(why);
        assert_string_equal("overloaded", json_string_value(json_object_get(why, "tag")));
        assert_int_equal(1000, json_integer_value(json_object_get(why, "retry_after_ms")));
        assert_null(json_object_get(why, "field"));
        json_decref(why);
        event_free(event);
}

static void without_a_session_it_is_refused_at_once(void **state)
{
        (void)state;
        assert_int_equal(DESKBELL_E_OFFLINE, ask("ticket.invented", "{}"));
        assert_null(stage_event(&s, EVENT_CALLED));
}

static void sixteen_are_under_way_and_the_others_follow_in_their_order(void **state)
{
        (void)state;
        stage_main(&s, 0);
        for (int i = 0; i < 20; i++) {
                char params[32];
                snprintf(params, sizeof(params), "{\"n\":%d}", i);
                assert_int_equal(0, ask("ticket.invented", params));
        }
        json_t *asked[16];
        for (int i = 0; i < 16; i++) {
                asked[i] = stage_take(&s, "ticket.invented");
                assert_int_equal(i, stage_number(asked[i], "n"));
        }
        assert_true(stage_is_silent(&s));
        for (int i = 0; i < 16; i++)
                stage_answer(&s, asked[i], "{\"n\":%d}", i);
        for (int i = 16; i < 20; i++) {
                json_t *request = stage_take(&s, "ticket.invented");
                assert_int_equal(i, stage_number(request, "n"));
                json_decref(request);
        }
        assert_true(stage_is_silent(&s));
}

static void a_lost_connection_answers_all_who_wait_once_and_says_nothing_again(void **state)
{
        (void)state;
        stage_main(&s, 0);
        for (int i = 0; i < 20; i++)
                assert_int_equal(0, ask("ticket.invented", "{}"));
        while (!stage_is_silent(&s))
                json_decref(stage_take(&s, "ticket.invented"));
        stage_link_closes(&s, 1006);
        for (int i = 0; i < 20; i++)
                expect(DESKBELL_E_CANCELLED, "");
        assert_null(stage_event(&s, EVENT_CALLED));
        stage_pass(&s, 30000);
        stage_link_opens(&s);
        stage_log_in(&s, EPOCH, 1, "");
        assert_null(stage_find(&s, "ticket.invented"));
}

static void what_is_no_object_is_no_answer(void **state)
{
        (void)state;
        stage_main(&s, 0);
        assert_int_equal(0, ask("ticket.list", "{}"));
        stage_answer(&s, stage_take(&s, "ticket.list"), "[{\"number\":7}]");
        expect(DESKBELL_E_CANCELLED, "");
        assert_int_equal(WISH_CLOSE, s.wish);
        assert_null(stage_event(&s, EVENT_CALLED));
}

static void the_end_of_the_client_answers_too(void **state)
{
        (void)state;
        stage_main(&s, 0);
        assert_int_equal(0, ask("ticket.invented", "{}"));
        stage_begin(&s);
        machine_cancel_calls(s.machine);
        stage_end(&s);
        expect(DESKBELL_E_CANCELLED, "");
        stage_answer(&s, stage_take(&s, "ticket.invented"), "{}"); /* nobody waits for it */
        assert_null(stage_event(&s, EVENT_CALLED));
}

static void a_turn_that_cannot_be_written_still_answers(void **state)
{
        char text[96];

        (void)state;
        stage_main(&s, 0);
        assert_int_equal(0, ask("ticket.invented", "{}"));
        json_t *request = stage_take(&s, "ticket.invented");
        snprintf(text, sizeof(text), "{\"jsonrpc\":\"2.0\",\"id\":%lld,\"result\":{\"a\":1}}",
                 json_integer_value(json_object_get(request, "id")));
        json_decref(request);
        stage_begin(&s);
        machine_link_text(s.machine, text, strlen(text));
        cache_fail(stage_cache(&s));
        assert_int_equal(DESKBELL_E_STORE, stage_end(&s));
        expect(0, "{\"a\":1}");
        assert_null(stage_event(&s, EVENT_CALLED));
}

static void say(const char *event, const char *params)
{
        stage_say(&s, "{\"jsonrpc\":\"2.0\",\"method\":\"%s\",\"params\":%s}", event, params);
}

static void who_listens_hears_what_the_machine_has_no_use_for(void **state)
{
        (void)state;
        stage_main(&s, 0);
        say("ticket.invented", "{\"a\":\"b \\\"c\\\"\"}");
        assert_null(stage_event(&s, EVENT_TOLD)); /* nobody listens yet */
        assert_int_equal(0, machine_hear_events(s.machine));
        assert_int_equal(DESKBELL_E_STATE, machine_hear_events(s.machine));
        say("ticket.invented", "{\"a\":\"b \\\"c\\\"\"}");
        say("heartbeat", "{\"rev\":1,\"now\":1}");
        say("feed", "{\"rows\":[]}");
        struct event *event = stage_event(&s, EVENT_TOLD);
        assert_non_null(event);
        assert_string_equal("ticket.invented", event->told.name);
        assert_string_equal("{\"a\":\"b \\\"c\\\"\"}", event->told.params);
        event_free(event);
        event = stage_event(&s, EVENT_TOLD);
        assert_non_null(event);
        assert_string_equal("feed", event->told.name);
        assert_string_equal("{\"rows\":[]}", event->told.params);
        event_free(event);
        assert_null(stage_event(&s, EVENT_TOLD));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
        static const struct CMUnitTest tests[] = {
                TEST(a_method_is_said_by_its_name_and_its_answer_told_as_it_came),
                TEST(without_a_function_it_is_a_notification),
                TEST(a_refusal_is_told_with_its_tag_and_its_pause),
                TEST(without_a_session_it_is_refused_at_once),
                TEST(sixteen_are_under_way_and_the_others_follow_in_their_order),
                TEST(a_lost_connection_answers_all_who_wait_once_and_says_nothing_again),
                TEST(what_is_no_object_is_no_answer),
                TEST(the_end_of_the_client_answers_too),
                TEST(a_turn_that_cannot_be_written_still_answers),
                TEST(who_listens_hears_what_the_machine_has_no_use_for),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
