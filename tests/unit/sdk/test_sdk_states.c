/* SPDX-License-Identifier: Apache-2.0 */
/* States: what the other tests of the session leave of docs/sdk-states.md: each close code, the bounds of each pause,
 * tokens that come late or never, patience with a server that says nothing, and turns that could not be written. */
#include "stage.h"

#include <stdlib.h>

#include "client-sdk/src/machine_private.h"

static struct stage s;

static int set_up(void **state)
{
        (void)state;
        stage_init(&s, NULL);
        s.settings.asks_for_token = true;
        stage_open(&s);
        return 0;
}

static int tear_down(void **state)
{
        (void)state;
        stage_done(&s);
        return 0;
}

/* A fresh machine; without `token` it has none. */
static void start_anew(const char *token, bool is_visitor)
{
        stage_done(&s);
        stage_init(&s, NULL);
        s.settings.asks_for_token = !is_visitor && token;
        s.settings.token = token;
        s.settings.is_visitor = is_visitor;
        stage_open(&s);
}

static void log_in(void)
{
        stage_connect(&s);
        stage_log_in(&s, EPOCH, 7, "");
        stage_feed(&s, 7, "");
        stage_drop_events(&s);
        json_array_clear(s.frames);
}

/* What was told last must be that state, for that reason; gives the pause. */
static int64_t told(enum deskbell_connection connection, const char *why)
{
        struct event *event, *last = NULL;
        int64_t retry;

        while ((event = stage_event(&s, EVENT_STATE))) {
                event_free(last);
                last = event;
        }
        if (!last)
                fail_msg("no state was told, awaited %d", (int)connection);
        assert_int_equal(connection, last->state.connection);
        assert_string_equal(why, last->state.why);
        retry = last->state.retry_in_ms;
        event_free(last);
        return retry;
}

static int times_asked(void)
{
        struct event *event;
        int times = 0;

        while ((event = stage_event(&s, EVENT_TOKEN))) {
                event_free(event);
                times++;
        }
        return times;
}

static void give_token(const char *token)
{
        stage_begin(&s);
        assert_int_equal(0, machine_set_token(s.machine, token));
        stage_end(&s);
}

static void call(void (*act)(struct machine *machine))
{
        stage_begin(&s);
        act(s.machine);
        stage_end(&s);
}

static void load_dice(uint64_t value)
{
        s.is_rising = false;
        s.dice = value;
}

/* ---- ends of a connection -----------------------------------------------------------------------------------------
 */

static void each_close_code_means_what_the_table_of_the_protocol_says(void **state)
{
        static const struct {
                int code;
                const char *why;
                enum deskbell_connection with, without; /* a pause that the server asked for, 5 s */
                int64_t least_ms;                       /* of the pause, whatever was asked for */
        } rows[] = {
                {1000, "network", DESKBELL_DELAYED, DESKBELL_WAITING, 0},
                {1001, "network", DESKBELL_DELAYED, DESKBELL_WAITING, 0},
                {1002, "network", DESKBELL_DELAYED, DESKBELL_WAITING, 0},
                {1006, "network", DESKBELL_DELAYED, DESKBELL_WAITING, 0},
                {1007, "network", DESKBELL_DELAYED, DESKBELL_WAITING, 0},
                {1009, "network", DESKBELL_DELAYED, DESKBELL_WAITING, 0},
                {4000, "auth_required", DESKBELL_WAITING, DESKBELL_WAITING, 0},
                {4001, "token_invalid", DESKBELL_NEEDS_TOKEN, DESKBELL_NEEDS_TOKEN, 0},
                {4003, "replaced", DESKBELL_STOPPED, DESKBELL_STOPPED, 0},
                {4004, "revoked", DESKBELL_STOPPED, DESKBELL_STOPPED, 0},
                {4008, "slow_reader", DESKBELL_WAITING, DESKBELL_WAITING, 0},
                {4009, "too_many_errors", DESKBELL_DELAYED, DESKBELL_DELAYED, 30000},
                {4010, "upgrade_required", DESKBELL_STOPPED, DESKBELL_STOPPED, 0},
                {4012, "drain", DESKBELL_DELAYED, DESKBELL_WAITING, 0},
                {4013, "unavailable", DESKBELL_DELAYED, DESKBELL_WAITING, 0},
                {4029, "rate_limited", DESKBELL_DELAYED, DESKBELL_WAITING, 0},
                {4999, "network", DESKBELL_DELAYED, DESKBELL_WAITING, 0},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                for (int is_asked = 0; is_asked < 2; is_asked++) {
                        start_anew("token-1", false);
                        log_in();
                        if (is_asked)
                                stage_say(&s, "{\"jsonrpc\":\"2.0\",\"method\":\"session.closing\",\"params\":{\"tag\":"
                                              "\"x\",\"retry_after_ms\":5000}}");
                        load_dice(0);
                        stage_link_closes(&s, rows[i].code);
                        enum deskbell_connection want = is_asked ? rows[i].with : rows[i].without;
                        int64_t retry = told(want, rows[i].why);
                        if (want == DESKBELL_DELAYED)
                                assert_int_equal(rows[i].least_ms ? rows[i].least_ms : 5000, retry);
                        else
                                assert_int_equal(0, retry);
                }
        }
}

static void a_link_that_fails_says_why(void **state)
{
        (void)state;
        call(machine_connect);
        load_dice(0);
        stage_begin(&s);
        machine_link_failed(s.machine, "tls", -1);
        stage_end(&s);
        told(DESKBELL_WAITING, "tls");
        stage_pass(&s, 0);
        stage_begin(&s);
        machine_link_failed(s.machine, "proxy", 4000);
        stage_end(&s);
        assert_int_equal(4000, told(DESKBELL_DELAYED, "proxy"));
}

static void a_stopped_client_begins_again_when_told_to(void **state)
{
        (void)state;
        log_in();
        stage_link_closes(&s, 4003);
        told(DESKBELL_STOPPED, "replaced");
        stage_connect(&s);
        stage_log_in(&s, EPOCH, 7, "");
        told(DESKBELL_ONLINE, "");
}

/* ---- pauses -------------------------------------------------------------------------------------------------------
 */

static void a_pause_is_drawn_from_nothing_to_its_ceiling(void **state)
{
        static const struct {
                uint64_t dice;
                int64_t pause;
        } rows[] = {{0, 0}, {1, 1}, {250, 250}, {500, 500}, {501, 0}, {UINT64_C(501) * 1000003 + 77, 77}};

        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                start_anew("token-1", false);
                load_dice(rows[i].dice);
                stage_connect(&s);
                stage_link_closes(&s, 1006);
                assert_int_equal(rows[i].pause, told(DESKBELL_WAITING, "network"));
        }
}

static void the_servers_pause_is_never_undercut_and_gets_up_to_half_a_second_more(void **state)
{
        static const uint64_t dice[] = {0, 1, 499, 500};

        (void)state;
        for (size_t i = 0; i < sizeof(dice) / sizeof(dice[0]); i++) {
                start_anew("token-1", false);
                log_in();
                stage_say(&s,
                          "{\"jsonrpc\":\"2.0\",\"method\":\"session.closing\",\"params\":{\"tag\":\"drain\",\"retry_"
                          "after_ms\":7300}}");
                load_dice(dice[i]);
                stage_link_closes(&s, 4012);
                int64_t pause = told(DESKBELL_DELAYED, "drain");
                assert_int_equal(7300 + (int64_t)(dice[i] % 500), pause);
                stage_pass(&s, pause - 1);
                assert_int_not_equal(WISH_OPEN, s.wish);
                stage_pass(&s, 1);
                assert_int_equal(WISH_OPEN, s.wish);
        }
}

static void one_sent_away_again_and_again_without_a_pause_waits_longer_each_time(void **state)
{
        static const int64_t ceilings[] = {500, 1000, 2000, 4000, 8000, 16000, 20000, 20000};

        (void)state;
        stage_connect(&s);
        for (size_t i = 0; i < sizeof(ceilings) / sizeof(ceilings[0]); i++) {
                load_dice((uint64_t)ceilings[i]); /* the largest draw */
                stage_refuse(&s, stage_take(&s, "session.open"), "overloaded", false, 0);
                assert_int_equal(ceilings[i], told(DESKBELL_DELAYED, "overloaded"));
                stage_pass(&s, ceilings[i]);
                stage_link_opens(&s);
        }
}

static void a_session_that_was_short_does_not_end_the_growth_of_the_pauses(void **state)
{
        (void)state;
        stage_connect(&s);
        load_dice(0);
        for (int i = 0; i < 5; i++) {
                stage_link_closes(&s, 1006);
                stage_pass(&s, 0);
                stage_link_opens(&s);
        }
        stage_log_in(&s, EPOCH, 7, "");
        stage_pass(&s, 4999);
        load_dice(16000);
        stage_link_closes(&s, 1006);
        assert_int_equal(16000, told(DESKBELL_WAITING, "network"));
}

/* ---- patience -----------------------------------------------------------------------------------------------------
 */

static void a_connection_that_is_not_made_in_20_seconds_is_given_up(void **state)
{
        (void)state;
        call(machine_connect);
        stage_pass(&s, 19999);
        told(DESKBELL_CONNECTING, "");
        stage_pass(&s, 1);
        told(DESKBELL_WAITING, "network");
        assert_int_equal(WISH_CLOSE, s.wish);
}

static void a_login_unanswered_for_20_seconds_is_given_up(void **state)
{
        (void)state;
        stage_connect(&s);
        stage_pass(&s, 19999);
        assert_int_equal(0, s.closes);
        stage_pass(&s, 1);
        told(DESKBELL_WAITING, "network");
        assert_int_equal(1, s.closes);
}

static void a_network_change_gives_a_login_5_seconds(void **state)
{
        (void)state;
        stage_connect(&s);
        call(machine_network_changed);
        stage_pass(&s, 4999);
        assert_int_equal(0, s.closes);
        stage_pass(&s, 1);
        told(DESKBELL_WAITING, "network");
        assert_int_equal(1, s.closes);
}

static void a_network_change_while_connecting_begins_a_new_connection(void **state)
{
        (void)state;
        call(machine_connect);
        assert_int_equal(1, s.opens);
        stage_pass(&s, 10000);
        call(machine_network_changed);
        assert_int_equal(2, s.opens);
        stage_pass(&s, 19999);
        assert_int_equal(0, s.closes);
}

static void a_login_that_cannot_be_read_is_tried_again(void **state)
{
        (void)state;
        stage_connect(&s);
        stage_answer(&s, stage_take(&s, "session.open"), "{\"principal\":\"nobody\"}");
        told(DESKBELL_WAITING, "invalid_message");
}

static void a_login_that_is_refused_for_good_stops_with_its_tag(void **state)
{
        static const char *const tags[] = {"upgrade_required", "forbidden", "bad_request"};

        (void)state;
        for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
                start_anew("token-1", false);
                stage_connect(&s);
                stage_refuse(&s, stage_take(&s, "session.open"), tags[i], true, -1);
                told(DESKBELL_STOPPED, tags[i]);
                stage_pass(&s, 3600000);
                assert_int_not_equal(WISH_OPEN, s.wish);
        }
}

/* ---- tokens -------------------------------------------------------------------------------------------------------
 */

static void a_token_that_expires_while_a_message_is_unanswered_costs_nothing(void **state)
{
        (void)state;
        deskbell_conversation *conv = stage_main(&s, 0);
        struct cmid cmid = stage_send(&s, conv, "one");
        json_t *send = stage_take(&s, "message.send");
        char text[64];
        snprintf(text, sizeof(text), "%s", stage_param(send, "cmid"));
        json_decref(send);
        stage_expect_message(&s, &cmid, DESKBELL_QUEUED);
        stage_link_closes(&s, 4001);
        told(DESKBELL_NEEDS_TOKEN, "token_invalid");
        assert_int_equal(1, times_asked());
        give_token("token-2");
        stage_link_opens(&s);
        stage_log_in(&s, EPOCH, 1, "");
        send = stage_find(&s, "message.send");
        assert_non_null(send);
        assert_string_equal(text, stage_param(send, "cmid"));
        stage_acked(&s, send, 1);
        stage_expect_message(&s, &cmid, DESKBELL_SENT);
        assert_null(stage_event(&s, EVENT_MESSAGE));
}

static void a_token_that_is_never_brought_is_asked_for_once_and_waited_for(void **state)
{
        (void)state;
        stage_connect(&s);
        stage_refuse(&s, stage_take(&s, "session.open"), "token_expired", true, -1);
        told(DESKBELL_NEEDS_TOKEN, "token_expired");
        for (int i = 0; i < 48; i++)
                stage_pass(&s, 3600000);
        assert_int_equal(1, times_asked());
        assert_int_not_equal(WISH_OPEN, s.wish);
        give_token("token-2");
        assert_int_equal(WISH_OPEN, s.wish);
}

static void a_renewal_that_is_never_brought_ends_with_the_session(void **state)
{
        char more[64];

        (void)state;
        stage_connect(&s);
        snprintf(more, sizeof(more), ",\"expires\":%lld", (long long)s.wall_ms + 70000);
        stage_log_in(&s, EPOCH, 1, more);
        stage_feed(&s, 1, "");
        stage_pass(&s, 10000);
        assert_int_equal(1, times_asked());
        stage_pass(&s, 20000);
        assert_int_equal(0, times_asked());
        stage_link_closes(&s, 4001);
        told(DESKBELL_NEEDS_TOKEN, "token_invalid");
        assert_int_equal(1, times_asked());
}

static void a_renewal_that_is_refused_leaves_the_session_alone(void **state)
{
        char more[64];

        (void)state;
        stage_connect(&s);
        snprintf(more, sizeof(more), ",\"expires\":%lld", (long long)s.wall_ms + 70000);
        stage_log_in(&s, EPOCH, 1, more);
        stage_feed(&s, 1, "");
        stage_pass(&s, 10000);
        give_token("token-2");
        stage_refuse(&s, stage_take(&s, "session.renew"), "token_invalid", true, -1);
        told(DESKBELL_ONLINE, "");
        assert_int_equal(0, s.closes);
}

static void without_a_token_and_without_a_callback_it_waits_for_one(void **state)
{
        (void)state;
        start_anew(NULL, false);
        call(machine_connect);
        told(DESKBELL_NEEDS_TOKEN, "");
        assert_int_equal(0, times_asked());
        assert_int_equal(0, s.opens);
        give_token("token-1");
        assert_int_equal(WISH_OPEN, s.wish);
}

static void a_visitor_that_is_refused_stops(void **state)
{
        (void)state;
        start_anew(NULL, true);
        stage_connect(&s);
        stage_refuse(&s, stage_take(&s, "session.open"), "token_invalid", true, -1);
        told(DESKBELL_STOPPED, "token_invalid");
        stage_begin(&s);
        assert_int_equal(DESKBELL_E_STATE, machine_set_token(s.machine, "token-1"));
        stage_end(&s);
}

static void a_token_given_during_a_session_is_used_for_the_next_one(void **state)
{
        (void)state;
        log_in();
        give_token("token-2");
        assert_true(stage_is_silent(&s));
        stage_link_closes(&s, 1006);
        stage_pass(&s, 60000);
        stage_link_opens(&s);
        json_t *open = stage_take(&s, "session.open");
        assert_string_equal("token-2", stage_param(open, "token"));
        json_decref(open);
}

/* ---- the end ------------------------------------------------------------------------------------------------------
 */

static void reach_idle(void)
{
}

static void reach_connecting(void)
{
        call(machine_connect);
}

static void reach_opening(void)
{
        stage_connect(&s);
}

static void reach_waiting(void)
{
        load_dice(400);
        log_in();
        stage_link_closes(&s, 1006);
}

static void reach_delayed(void)
{
        log_in();
        stage_link_closes(&s, 4009);
}

static void reach_needs_token(void)
{
        log_in();
        stage_link_closes(&s, 4001);
}

static void reach_stopped(void)
{
        log_in();
        stage_link_closes(&s, 4003);
}

static void reach_paused(void)
{
        log_in();
        stage_begin(&s);
        machine_set_background(s.machine, true);
        stage_end(&s);
        stage_pass(&s, 0);
}

static void (*const reaches[])(void) = {reach_idle,    reach_connecting,  reach_opening, log_in,      reach_waiting,
                                        reach_delayed, reach_needs_token, reach_stopped, reach_paused};

static void disconnecting_in_each_state_closes_the_link_and_nothing_follows(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof(reaches) / sizeof(reaches[0]); i++) {
                start_anew("token-1", false);
                reaches[i]();
                bool had_link = s.machine->has_link;
                int closes = s.closes, opens = s.opens;
                call(machine_disconnect);
                told(DESKBELL_DISCONNECTED, "");
                assert_int_equal(closes + had_link, s.closes);
                stage_pass(&s, 3600000);
                stage_pass(&s, 3600000);
                assert_int_equal(opens, s.opens);
                assert_null(stage_event(&s, EVENT_STATE));
        }
}

static void fetched(deskbell_client *client, int64_t fetch, int error, const char *at, void *data)
{
        (void)client;
        (void)fetch;
        (void)error;
        (void)at;
        (void)data;
}

static void closing_in_each_state_answers_what_is_owed(void **state)
{
        struct deskbell_file file = {.id = "0123456789abcdef0123456789abcdef", .name = "f", .media = "a/b", .size = 5};
        int64_t fetch;

        (void)state;
        for (size_t i = 0; i < sizeof(reaches) / sizeof(reaches[0]); i++) {
                start_anew("token-1", false);
                reaches[i]();
                stage_begin(&s);
                assert_int_equal(0, machine_fetch(s.machine, &file, "/tmp/f", NULL, fetched, NULL, &fetch));
                stage_end(&s);
                stage_begin(&s);
                machine_disconnect(s.machine); /* as deskbell_close does */
                machine_cancel_fetches(s.machine);
                stage_end(&s);
                struct event *event = stage_event(&s, EVENT_FETCHED);
                assert_non_null(event);
                assert_int_equal(DESKBELL_E_CANCELLED, event->fetch.error);
                event_free(event);
                assert_null(stage_event(&s, EVENT_FETCHED));
                stage_kill(&s); /* the sanitizer says whether all was freed */
        }
}

/* ---- turns that could not be written ------------------------------------------------------------------------------
 */

static void a_state_told_in_a_turn_that_failed_is_told_after_it(void **state)
{
        (void)state;
        log_in();
        stage_begin(&s);
        machine_link_closed(s.machine, 4001);
        cache_fail(stage_cache(&s));
        assert_int_equal(DESKBELL_E_STORE, stage_end(&s));
        told(DESKBELL_NEEDS_TOKEN, "token_invalid");
        assert_int_equal(1, times_asked());
}

static void what_a_turn_that_failed_has_given_is_given_again(void **state)
{
        int64_t number = 0;
        struct event *event;

        (void)state;
        deskbell_conversation *conv = stage_main(&s, 5);
        stage_begin(&s);
        machine_conv_close(s.machine, conv);
        stage_end(&s);
        stage_begin(&s);
        assert_int_equal(0, machine_conv_open(s.machine, SPAN("main"), &conv));
        machine_end(s.machine); /* opened; nothing was given yet */
        stage_drop_events(&s);
        stage_begin(&s);
        machine_give(s.machine, 100);
        cache_fail(stage_cache(&s));
        assert_int_equal(DESKBELL_E_STORE, machine_end(s.machine));
        assert_null(stage_event(&s, EVENT_ENTRY));
        assert_null(stage_event(&s, EVENT_OPENED));
        stage_pass(&s, 1);
        while ((event = stage_event(&s, EVENT_ENTRY))) {
                assert_int_equal(++number, event->entry.number);
                event_free(event);
        }
        assert_int_equal(5, number);
        event = stage_event(&s, EVENT_OPENED);
        assert_non_null(event);
        event_free(event);
}

static void a_conversation_opened_in_a_turn_that_failed_is_not_open(void **state)
{
        deskbell_conversation *conv = NULL;

        (void)state;
        stage_begin(&s);
        assert_int_equal(0, machine_conv_open(s.machine, SPAN("main"), &conv));
        cache_fail(stage_cache(&s));
        assert_int_equal(DESKBELL_E_STORE, stage_end(&s));
        stage_pass(&s, 1000);
        assert_null(stage_event(&s, EVENT_OPENED));
        stage_begin(&s);
        assert_int_equal(0, machine_conv_open(s.machine, SPAN("main"), &conv));
        assert_int_equal(0, stage_end(&s));
        struct event *event = stage_event(&s, EVENT_OPENED);
        assert_non_null(event);
        event_free(event);
}

static void a_reset_that_could_not_be_written_gives_nothing_twice(void **state)
{
        struct event *event;

        (void)state;
        deskbell_conversation *conv = stage_main(&s, 5);
        stage_link_closes(&s, 1006);
        stage_pass(&s, 60000);
        stage_link_opens(&s);
        json_t *open = stage_take(&s, "session.open");
        char *text = NULL;
        assert_true(asprintf(&text,
                             "{\"jsonrpc\":\"2.0\",\"id\":%lld,\"result\":{\"principal\":\"" USER
                             "\",\"epoch\":\"" NEW_EPOCH
                             "\",\"rev\":1,\"now\":%lld,\"protocol\":1,\"features\":[],\"reset\":\"epoch\",\"limits\":{"
                             "\"in_flight\":16,\"frame_bytes\":65536,\"key_window_days\":90,\"retry_days\":30,"
                             "\"heartbeat_ms\":25000,\"dead_ms\":35000}}}",
                             json_integer_value(json_object_get(open, "id")), (long long)s.wall_ms) > 0);
        json_decref(open);
        stage_begin(&s);
        machine_link_text(s.machine, text, strlen(text));
        free(text);
        cache_fail(stage_cache(&s));
        assert_int_equal(DESKBELL_E_STORE, stage_end(&s));
        while ((event = stage_event(&s, EVENT_NOTICE))) {
                assert_int_equal(DESKBELL_NOTICE_STORE_FAILING, event->notice.notice);
                event_free(event);
        }
        stage_pass(&s, 60000);
        stage_link_opens(&s);
        open = json_array_get(s.frames, 0);
        assert_string_equal(EPOCH, stage_param(open, "epoch"));
        stage_log_in(&s, EPOCH, 1, "");
        stage_pass(&s, 1);
        assert_null(stage_event(&s, EVENT_ENTRY));
        assert_int_equal(5, conv->place[0].at.cursor);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        const struct CMUnitTest tests[] = {
                T(each_close_code_means_what_the_table_of_the_protocol_says),
                T(a_link_that_fails_says_why),
                T(a_stopped_client_begins_again_when_told_to),
                T(a_pause_is_drawn_from_nothing_to_its_ceiling),
                T(the_servers_pause_is_never_undercut_and_gets_up_to_half_a_second_more),
                T(one_sent_away_again_and_again_without_a_pause_waits_longer_each_time),
                T(a_session_that_was_short_does_not_end_the_growth_of_the_pauses),
                T(a_connection_that_is_not_made_in_20_seconds_is_given_up),
                T(a_login_unanswered_for_20_seconds_is_given_up),
                T(a_network_change_gives_a_login_5_seconds),
                T(a_network_change_while_connecting_begins_a_new_connection),
                T(a_login_that_cannot_be_read_is_tried_again),
                T(a_login_that_is_refused_for_good_stops_with_its_tag),
                T(a_token_that_expires_while_a_message_is_unanswered_costs_nothing),
                T(a_token_that_is_never_brought_is_asked_for_once_and_waited_for),
                T(a_renewal_that_is_never_brought_ends_with_the_session),
                T(a_renewal_that_is_refused_leaves_the_session_alone),
                T(without_a_token_and_without_a_callback_it_waits_for_one),
                T(a_visitor_that_is_refused_stops),
                T(a_token_given_during_a_session_is_used_for_the_next_one),
                T(disconnecting_in_each_state_closes_the_link_and_nothing_follows),
                T(closing_in_each_state_answers_what_is_owed),
                T(a_state_told_in_a_turn_that_failed_is_told_after_it),
                T(what_a_turn_that_failed_has_given_is_given_again),
                T(a_conversation_opened_in_a_turn_that_failed_is_not_open),
                T(a_reset_that_could_not_be_written_gives_nothing_twice),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
