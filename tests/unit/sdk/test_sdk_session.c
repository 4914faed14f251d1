/* SPDX-License-Identifier: Apache-2.0 */
/* Connecting, login, close codes, pauses, tokens, heartbeats. */
#include "stage.h"

#include <stdlib.h>

static struct stage s;

static int set_up(void **state)
{
        (void)state;
        stage_init(&s, NULL);
        stage_open(&s);
        stage_drop_events(&s);
        return 0;
}

static int tear_down(void **state)
{
        (void)state;
        stage_done(&s);
        return 0;
}

static enum deskbell_connection last_connection(char why[40], int64_t *out_retry_in_ms)
{
        enum deskbell_connection last = -1;
        struct event *event;

        why[0] = '\0';
        while ((event = stage_event(&s, EVENT_STATE))) {
                last = event->state.connection;
                snprintf(why, 40, "%s", event->state.why);
                *out_retry_in_ms = event->state.retry_in_ms;
                event_free(event);
        }
        return last;
}

static void expect_state(enum deskbell_connection connection, const char *why)
{
        char said[40];
        int64_t retry;

        assert_int_equal(connection, last_connection(said, &retry));
        assert_string_equal(why, said);
}

static void log_in(void)
{
        stage_connect(&s);
        stage_log_in(&s, EPOCH, 7, "");
        stage_feed(&s, 7, "");
        stage_drop_events(&s);
}

static void a_session_opens_with_token_device_and_no_epoch_the_first_time(void **state)
{
        (void)state;
        stage_connect(&s);
        json_t *open = stage_take(&s, "session.open");
        assert_string_equal("token-1", stage_param(open, "token"));
        assert_int_equal(32, strlen(stage_param(open, "device")));
        assert_string_equal("", stage_param(open, "epoch"));
        json_decref(open);
}

static void a_second_session_says_the_epoch_and_rev_it_has_applied(void **state)
{
        (void)state;
        log_in();
        stage_link_closes(&s, 1006);
        stage_pass(&s, 60000);
        stage_link_opens(&s);
        json_t *open = stage_take(&s, "session.open");
        assert_string_equal(EPOCH, stage_param(open, "epoch"));
        assert_int_equal(7, stage_number(open, "rev"));
        json_decref(open);
}

static void the_device_stays_the_same_over_restarts(void **state)
{
        char folder[64], path[96], device[33];
        struct stage t;

        (void)state;
        stage_folder(folder);
        snprintf(path, sizeof(path), "%s/file", folder);
        stage_init(&t, path);
        stage_open(&t);
        stage_connect(&t);
        json_t *open = stage_take(&t, "session.open");
        snprintf(device, sizeof(device), "%s", stage_param(open, "device"));
        json_decref(open);
        stage_kill(&t);
        stage_open(&t);
        stage_connect(&t);
        open = stage_take(&t, "session.open");
        assert_string_equal(device, stage_param(open, "device"));
        json_decref(open);
        stage_done(&t);
}

static void a_lost_connection_is_tried_again_after_growing_random_pauses(void **state)
{
        static const int64_t ceilings[] = {500, 1000, 2000, 4000, 8000, 16000, 20000, 20000};
        char why[40];
        int64_t retry = 0;

        (void)state;
        s.is_rising = false;
        stage_connect(&s);
        for (size_t i = 0; i < sizeof(ceilings) / sizeof(ceilings[0]); i++) {
                s.dice = (uint64_t)ceilings[i]; /* the largest draw: bound is ceiling + 1 */
                stage_link_closes(&s, 1006);
                assert_int_equal(DESKBELL_WAITING, last_connection(why, &retry));
                assert_int_equal(ceilings[i], retry);
                stage_pass(&s, retry - 1);
                assert_int_not_equal(WISH_OPEN, s.wish);
                stage_pass(&s, 1);
                stage_link_opens(&s);
        }
}

static void a_pause_may_be_as_short_as_nothing(void **state)
{
        (void)state;
        s.is_rising = false;
        stage_connect(&s);
        s.dice = 0;
        stage_link_closes(&s, 1006);
        stage_pass(&s, 0);
        assert_int_equal(WISH_OPEN, s.wish);
}

static void a_session_that_lasted_ends_the_growth_of_the_pauses(void **state)
{
        char why[40];
        int64_t retry;

        (void)state;
        s.is_rising = false;
        s.dice = 0;
        stage_connect(&s);
        for (int i = 0; i < 6; i++) {
                stage_link_closes(&s, 1006);
                stage_pass(&s, 0);
                stage_link_opens(&s);
        }
        stage_log_in(&s, EPOCH, 1, "");
        stage_pass(&s, 5000);
        s.dice = 500;
        stage_link_closes(&s, 1006);
        assert_int_equal(DESKBELL_WAITING, last_connection(why, &retry));
        assert_int_equal(500, retry);
}

static void a_drain_is_followed_after_the_time_the_server_drew(void **state)
{
        char why[40];
        int64_t retry;

        (void)state;
        log_in();
        stage_say(&s, "{\"jsonrpc\":\"2.0\",\"method\":\"session.closing\",\"params\":{\"tag\":\"drain\",\"retry_after_"
                      "ms\":7300}}");
        s.is_rising = false;
        s.dice = 0;
        stage_link_closes(&s, 4012);
        assert_int_equal(DESKBELL_DELAYED, last_connection(why, &retry));
        assert_string_equal("drain", why);
        assert_int_equal(7300, retry);
        stage_pass(&s, 7299);
        assert_int_not_equal(WISH_OPEN, s.wish);
        stage_pass(&s, 1);
        assert_int_equal(WISH_OPEN, s.wish);
}

static void a_network_change_shortens_a_pause_of_our_own_but_not_the_servers(void **state)
{
        (void)state;
        s.dice = 400;
        log_in();
        stage_link_closes(&s, 1006);
        stage_begin(&s);
        machine_network_changed(s.machine);
        stage_end(&s);
        stage_link_opens(&s);
        stage_log_in(&s, EPOCH, 7, "");
        stage_say(&s, "{\"jsonrpc\":\"2.0\",\"method\":\"session.closing\",\"params\":{\"tag\":\"rate_limited\","
                      "\"retry_after_ms\":9000}}");
        stage_link_closes(&s, 4029);
        stage_begin(&s);
        machine_network_changed(s.machine);
        stage_end(&s);
        assert_int_not_equal(WISH_OPEN, s.wish);
}

static void codes_that_say_stop_are_obeyed(void **state)
{
        static const struct {
                int code;
                const char *why;
        } cases[] = {{4003, "replaced"}, {4004, "revoked"}, {4010, "upgrade_required"}};

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                log_in();
                stage_link_closes(&s, cases[i].code);
                expect_state(DESKBELL_STOPPED, cases[i].why);
                stage_pass(&s, 3600000);
                assert_int_not_equal(WISH_OPEN, s.wish);
        }
}

static void too_many_errors_keep_us_away_for_half_a_minute(void **state)
{
        (void)state;
        log_in();
        s.is_rising = false;
        s.dice = 0;
        stage_link_closes(&s, 4009);
        stage_pass(&s, 29999);
        assert_int_not_equal(WISH_OPEN, s.wish);
        stage_pass(&s, 1);
        assert_int_equal(WISH_OPEN, s.wish);
}

static void a_refused_token_is_asked_for_and_used_at_once(void **state)
{
        (void)state;
        stage_kill(&s);
        s.settings.asks_for_token = true;
        stage_open(&s);
        log_in();
        stage_link_closes(&s, 4001);
        expect_state(DESKBELL_NEEDS_TOKEN, "token_invalid");
        struct event *asked = stage_event(&s, EVENT_TOKEN);
        assert_non_null(asked);
        event_free(asked);
        stage_pass(&s, 100000);
        assert_int_not_equal(WISH_OPEN, s.wish);
        stage_begin(&s);
        assert_int_equal(0, machine_set_token(s.machine, "token-2"));
        stage_end(&s);
        stage_link_opens(&s);
        json_t *open = stage_take(&s, "session.open");
        assert_string_equal("token-2", stage_param(open, "token"));
        json_decref(open);
}

static void tokens_refused_again_and_again_do_not_make_a_storm(void **state)
{
        (void)state;
        stage_kill(&s);
        s.settings.asks_for_token = true;
        s.is_rising = false;
        s.dice = 499;
        stage_open(&s);
        stage_connect(&s);
        stage_refuse(&s, stage_take(&s, "session.open"), "token_expired", true, -1);
        stage_begin(&s);
        machine_set_token(s.machine, "token-2");
        stage_end(&s);
        stage_link_opens(&s);
        stage_refuse(&s, stage_take(&s, "session.open"), "token_expired", true, -1);
        s.wish = WISH_NOTHING;
        stage_begin(&s);
        machine_set_token(s.machine, "token-3");
        stage_end(&s);
        assert_int_not_equal(WISH_OPEN, s.wish);
        stage_pass(&s, 499);
        assert_int_equal(WISH_OPEN, s.wish);
}

static void a_token_about_to_expire_is_renewed_on_the_open_session(void **state)
{
        char more[64];

        (void)state;
        stage_kill(&s);
        s.settings.asks_for_token = true;
        stage_open(&s);
        stage_connect(&s);
        snprintf(more, sizeof(more), ",\"expires\":%lld", (long long)s.wall_ms + 100000);
        stage_log_in(&s, EPOCH, 1, more);
        stage_feed(&s, 1, "");
        stage_drop_events(&s);
        for (int i = 0; i < 4; i++) {
                assert_null(stage_event(&s, EVENT_TOKEN));
                stage_say(&s, "{\"jsonrpc\":\"2.0\",\"method\":\"heartbeat\",\"params\":{\"rev\":1,\"now\":%lld}}",
                          (long long)s.wall_ms);
                stage_pass(&s, 10000);
        }
        event_free(stage_event(&s, EVENT_TOKEN));
        json_array_clear(s.frames);
        stage_begin(&s);
        machine_set_token(s.machine, "token-2");
        stage_end(&s);
        json_t *renew = stage_take(&s, "session.renew");
        assert_string_equal("token-2", stage_param(renew, "token"));
        json_decref(renew);
}

static void a_heartbeat_is_answered_and_an_older_rev_reads_the_feed(void **state)
{
        (void)state;
        log_in();
        stage_say(&s, "{\"jsonrpc\":\"2.0\",\"method\":\"heartbeat\",\"params\":{\"rev\":7,\"now\":1}}");
        json_decref(stage_take(&s, "session.alive"));
        assert_true(stage_is_silent(&s));
        stage_say(&s, "{\"jsonrpc\":\"2.0\",\"method\":\"heartbeat\",\"params\":{\"rev\":8,\"now\":1}}");
        json_decref(stage_take(&s, "session.alive"));
        json_t *feed = stage_take(&s, "feed.read");
        assert_int_equal(7, stage_number(feed, "rev"));
        json_decref(feed);
}

static void a_server_silent_for_35_seconds_is_left(void **state)
{
        (void)state;
        log_in();
        stage_pass(&s, 34999);
        assert_int_equal(0, s.closes);
        stage_pass(&s, 1);
        assert_int_equal(1, s.closes);
        expect_state(DESKBELL_WAITING, "silent");
}

static void a_request_unanswered_for_30_seconds_ends_the_connection(void **state)
{
        (void)state;
        stage_connect(&s);
        stage_log_in(&s, EPOCH, 1, "");
        for (int i = 0; i < 3; i++) {
                stage_pass(&s, 9999);
                stage_say(&s, "{\"jsonrpc\":\"2.0\",\"method\":\"heartbeat\",\"params\":{\"rev\":1,\"now\":1}}");
        }
        assert_int_equal(0, s.closes);
        stage_pass(&s, 4);
        assert_int_equal(1, s.closes);
}

static void a_network_change_finds_a_dead_connection_in_5_seconds(void **state)
{
        (void)state;
        log_in();
        stage_begin(&s);
        machine_network_changed(s.machine);
        stage_end(&s);
        json_decref(stage_take(&s, "feed.read"));
        stage_pass(&s, 5000);
        assert_int_equal(1, s.closes);
}

static void a_visitor_keeps_the_secret_the_server_gave(void **state)
{
        (void)state;
        stage_kill(&s);
        s.settings.token = NULL;
        s.settings.is_visitor = true;
        stage_open(&s);
        stage_connect(&s);
        json_t *open = json_incref(json_array_get(s.frames, 0));
        assert_null(json_object_get(json_object_get(json_object_get(open, "params"), "visitor"), "secret"));
        json_decref(open);
        stage_log_in(&s, EPOCH, 1, ",\"visitor_secret\":\"s3cret\"");
        stage_link_closes(&s, 1006);
        stage_pass(&s, 60000);
        stage_link_opens(&s);
        open = stage_take(&s, "session.open");
        json_t *visitor = json_object_get(json_object_get(open, "params"), "visitor");
        assert_string_equal("s3cret", json_string_value(json_object_get(visitor, "secret")));
        json_decref(open);
}

static void a_token_of_somebody_else_is_stopped_before_anything_is_sent(void **state)
{
        deskbell_conversation *conv;

        (void)state;
        conv = stage_main(&s, 0);
        stage_link_closes(&s, 1006);
        stage_send(&s, conv, "private");
        stage_pass(&s, 60000);
        stage_link_opens(&s);
        json_t *open = stage_take(&s, "session.open");
        stage_answer(&s, open,
                     "{\"principal\":\"usr_000000000000z\",\"epoch\":\"" EPOCH "\",\"rev\":1,\"now\":1,\"protocol\":1,"
                     "\"features\":[],\"limits\":{\"in_flight\":16,\"frame_bytes\":65536,\"key_window_days\":90,"
                     "\"retry_days\":30,\"heartbeat_ms\":25000,\"dead_ms\":35000}}");
        assert_true(stage_is_silent(&s));
        expect_state(DESKBELL_STOPPED, "other_user");
}

static void what_is_not_of_the_protocol_ends_the_connection_and_nothing_else(void **state)
{
        static const char *const cases[] = {"",         "[]",
                                            "{",        "{\"jsonrpc\":\"2.0\"}",
                                            "\xff\xfe", "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}",
                                            "null",     "[[[[[[[[[[[[[[[[[[[["};

        (void)state;
        log_in();
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                stage_say(&s, "%s", cases[i]);
                assert_int_equal(WISH_CLOSE, s.wish);
                stage_pass(&s, 60000);
                stage_link_opens(&s);
                stage_log_in(&s, EPOCH, 7, "");
        }
}

static void answers_to_nothing_and_unknown_events_are_passed_over(void **state)
{
        (void)state;
        log_in();
        stage_say(&s, "{\"jsonrpc\":\"2.0\",\"id\":4711,\"result\":{}}");
        stage_say(&s, "{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"result\":{}}");
        stage_say(&s, "{\"jsonrpc\":\"2.0\",\"method\":\"weather\",\"params\":{\"rain\":true}}");
        stage_say(&s, "{\"jsonrpc\":\"2.0\",\"method\":\"heartbeat\",\"params\":{\"rev\":\"many\"}}");
        assert_int_equal(0, s.closes);
}

static void an_overloaded_login_comes_back_when_told(void **state)
{
        (void)state;
        s.is_rising = false;
        s.dice = 0;
        stage_connect(&s);
        stage_refuse(&s, stage_take(&s, "session.open"), "overloaded", false, 4000);
        expect_state(DESKBELL_DELAYED, "overloaded");
        stage_pass(&s, 3999);
        assert_int_not_equal(WISH_OPEN, s.wish);
        stage_pass(&s, 1);
        assert_int_equal(WISH_OPEN, s.wish);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        const struct CMUnitTest tests[] = {
                T(a_session_opens_with_token_device_and_no_epoch_the_first_time),
                T(a_second_session_says_the_epoch_and_rev_it_has_applied),
                T(the_device_stays_the_same_over_restarts),
                T(a_lost_connection_is_tried_again_after_growing_random_pauses),
                T(a_pause_may_be_as_short_as_nothing),
                T(a_session_that_lasted_ends_the_growth_of_the_pauses),
                T(a_drain_is_followed_after_the_time_the_server_drew),
                T(a_network_change_shortens_a_pause_of_our_own_but_not_the_servers),
                T(codes_that_say_stop_are_obeyed),
                T(too_many_errors_keep_us_away_for_half_a_minute),
                T(a_refused_token_is_asked_for_and_used_at_once),
                T(tokens_refused_again_and_again_do_not_make_a_storm),
                T(a_token_about_to_expire_is_renewed_on_the_open_session),
                T(a_heartbeat_is_answered_and_an_older_rev_reads_the_feed),
                T(a_server_silent_for_35_seconds_is_left),
                T(a_request_unanswered_for_30_seconds_ends_the_connection),
                T(a_network_change_finds_a_dead_connection_in_5_seconds),
                T(a_visitor_keeps_the_secret_the_server_gave),
                T(a_token_of_somebody_else_is_stopped_before_anything_is_sent),
                T(what_is_not_of_the_protocol_ends_the_connection_and_nothing_else),
                T(answers_to_nothing_and_unknown_events_are_passed_over),
                T(an_overloaded_login_comes_back_when_told),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
