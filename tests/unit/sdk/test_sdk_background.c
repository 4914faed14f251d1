/* SPDX-License-Identifier: Apache-2.0 */
/* Background and foreground, and the connection's states as a whole: each state with each thing that can happen. */
#include "stage.h"

#include <stdio.h>
#include <stdlib.h>

#include "client-sdk/src/machine_private.h"

static struct stage s;

static int set_up(void **state)
{
        (void)state;
        stage_init(&s, NULL);
        s.settings.asks_for_token = true;
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

static void go(bool is_background)
{
        stage_begin(&s);
        machine_set_background(s.machine, is_background);
        stage_end(&s);
}

/* What on_state said last; -1 = nothing since. */
static int told(void)
{
        struct event *event;
        int last = -1;

        while ((event = stage_event(&s, EVENT_STATE))) {
                last = (int)event->state.connection;
                event_free(event);
        }
        return last;
}

static void an_idle_client_closes_at_once_and_never_wakes(void **state)
{
        (void)state;
        stage_main(&s, 2);
        stage_pass(&s, 2000);
        json_array_clear(s.frames);
        go(true);
        stage_pass(&s, 0);
        assert_int_equal(WISH_CLOSE, s.wish);
        assert_int_equal(1000, s.wish_code);
        assert_int_equal(DESKBELL_PAUSED, told());
        assert_true(machine_next_ms(s.machine) == INT64_MAX);
        for (int i = 0; i < 48; i++)
                stage_pass(&s, 3600000);
        assert_int_equal(WISH_CLOSE, s.wish);
        assert_true(machine_next_ms(s.machine) == INT64_MAX);
}

static void what_is_under_way_is_answered_first(void **state)
{
        (void)state;
        deskbell_conversation *conv = stage_main(&s, 1);
        struct cmid cmid = stage_send(&s, conv, "before I go");
        json_t *send = stage_find(&s, "message.send");
        stage_drop_events(&s);
        go(true);
        stage_pass(&s, 9000);
        assert_int_not_equal(WISH_CLOSE, s.wish);
        stage_drop_events(&s);
        stage_acked(&s, send, 2);
        stage_expect_message(&s, &cmid, DESKBELL_SENT);
        json_t *read = stage_find(&s, "entries.read");
        if (read) {
                char *entries = stage_entries(2, 2);
                stage_answer(&s, read, "%s", entries);
                free(entries);
        }
        stage_pass(&s, 1000);
        stage_pass(&s, 0);
        assert_int_equal(WISH_CLOSE, s.wish);
}

static void after_ten_seconds_it_closes_whatever_is_under_way_and_sends_that_again_later(void **state)
{
        char text[33];

        (void)state;
        deskbell_conversation *conv = stage_main(&s, 1);
        struct cmid cmid = stage_send(&s, conv, "nobody answers");
        json_decref(stage_find(&s, "message.send"));
        go(true);
        stage_pass(&s, 9999);
        assert_int_not_equal(WISH_CLOSE, s.wish);
        stage_pass(&s, 1);
        assert_int_equal(WISH_CLOSE, s.wish);
        assert_true(machine_next_ms(s.machine) == INT64_MAX);
        go(false);
        stage_link_opens(&s);
        stage_log_in(&s, EPOCH, 1, "");
        json_t *send = stage_find(&s, "message.send");
        assert_non_null(send);
        cmid_write(text, &cmid);
        text[32] = '\0';
        assert_string_equal(text, stage_param(send, "cmid"));
        json_decref(send);
}

static void marks_leave_before_the_connection_does(void **state)
{
        (void)state;
        deskbell_conversation *conv = stage_main(&s, 3);
        stage_pass(&s, 1000); /* the marks of receiving have left */
        json_array_clear(s.frames);
        stage_begin(&s);
        machine_mark_read(s.machine, conv, 3);
        s.machine->marks_at_ms = s.mono_ms + 1000;
        stage_end(&s);
        assert_null(stage_find(&s, "marks"));
        go(true);
        json_t *marks = stage_find(&s, "marks");
        assert_non_null(marks);
        json_decref(marks);
        assert_int_not_equal(WISH_CLOSE, s.wish); /* until the server has shown that it heard */
        stage_feed(&s, 1, "");
        stage_pass(&s, 0);
        assert_int_equal(WISH_CLOSE, s.wish);
}

static void a_message_queued_in_the_background_waits_for_the_foreground(void **state)
{
        (void)state;
        deskbell_conversation *conv = stage_main(&s, 1);
        go(true);
        stage_pass(&s, 10000);
        stage_send(&s, conv, "later");
        assert_true(machine_next_ms(s.machine) == INT64_MAX);
        stage_pass(&s, 3600000);
        assert_int_equal(1, s.opens);
        go(false);
        assert_int_equal(2, s.opens);
        stage_link_opens(&s);
        stage_log_in(&s, EPOCH, 1, "");
        json_t *send = stage_find(&s, "message.send");
        assert_non_null(send);
        json_decref(send);
}

static void connecting_in_the_background_waits_for_the_foreground(void **state)
{
        (void)state;
        go(true);
        stage_begin(&s);
        machine_connect(s.machine);
        stage_end(&s);
        assert_int_equal(DESKBELL_PAUSED, told());
        assert_true(machine_next_ms(s.machine) == INT64_MAX);
        go(false);
        stage_link_opens(&s);
}

static void the_servers_pause_is_kept_over_the_background(void **state)
{
        (void)state;
        stage_main(&s, 1);
        s.is_rising = false;
        s.dice = 0;
        stage_say(&s, "{\"jsonrpc\":\"2.0\",\"method\":\"session.closing\",\"params\":{\"tag\":\"drain\",\"retry_after_"
                      "ms\":8000}}");
        stage_link_closes(&s, 4012);
        go(true);
        assert_int_equal(DESKBELL_PAUSED, told());
        stage_pass(&s, 3000);
        go(false);
        assert_int_equal(DESKBELL_DELAYED, told());
        stage_pass(&s, 4999);
        assert_int_equal(1, s.opens);
        stage_pass(&s, 1);
        assert_int_equal(2, s.opens);
}

static void a_notification_wakes_a_client_in_the_background_and_it_sleeps_again(void **state)
{
        bool is_news = false;

        (void)state;
        stage_main(&s, 1);
        go(true);
        stage_pass(&s, 10000);
        assert_true(machine_next_ms(s.machine) == INT64_MAX);
        stage_begin(&s);
        assert_int_equal(0, machine_push_received(s.machine, 3, 2, &is_news));
        stage_end(&s);
        assert_true(is_news);
        stage_link_opens(&s);
        stage_log_in(&s, EPOCH, 2, "");
        stage_feed(&s, 2, "{\"conv\":\"" CONV "\",\"rev\":2,\"key\":\"main\",\"head\":2}");
        char *entries = stage_entries(2, 2);
        stage_answer(&s, stage_find(&s, "entries.read"), "%s", entries);
        free(entries);
        struct event *event = stage_event(&s, EVENT_PUSH);
        assert_non_null(event);
        assert_int_equal(1, event->is_caught_up);
        event_free(event);
        json_int_t recv = 0;
        for (int i = 0; i < 3 && s.wish != WISH_CLOSE; i++) {
                json_t *marks = stage_find(&s, "marks");
                if (marks)
                        recv = json_integer_value(json_object_get(
                                json_array_get(json_object_get(json_object_get(marks, "params"), "marks"), 0), "recv"));
                json_decref(marks);
                if (!marks)
                        stage_pass(&s, 1000);
        }
        assert_int_equal(2, recv); /* else the server would want another notification */
        stage_pass(&s, 1000);
        stage_pass(&s, 0);
        assert_int_equal(WISH_CLOSE, s.wish);
        assert_true(machine_next_ms(s.machine) == INT64_MAX);
}

static void a_notification_that_finds_no_server_lets_the_client_sleep_again(void **state)
{
        bool is_news;

        (void)state;
        stage_main(&s, 1);
        go(true);
        stage_pass(&s, 10000);
        stage_begin(&s);
        assert_int_equal(0, machine_push_received(s.machine, 3, 2, &is_news));
        stage_end(&s);
        for (int i = 0; i < 30; i++)
                stage_pass(&s, 1000);
        assert_int_equal(DESKBELL_PAUSED, told());
        assert_true(machine_next_ms(s.machine) == INT64_MAX);
}

static void who_was_writing_is_told_to_have_stopped(void **state)
{
        (void)state;
        stage_main(&s, 1);
        stage_say(&s, "{\"jsonrpc\":\"2.0\",\"method\":\"typing\",\"params\":{\"conv\":\"" CONV "\",\"author\":\"" AGENT
                      "\"}}");
        stage_drop_events(&s);
        go(true);
        struct event *event = stage_event(&s, EVENT_TYPING);
        assert_non_null(event);
        assert_int_equal(0, event->typing.is_typing);
        event_free(event);
}

/* ---- every state, every thing that can happen -------------------------------------------------------------------- */

static void begin_and_end(void (*act)(struct machine *machine))
{
        stage_begin(&s);
        act(s.machine);
        stage_end(&s);
}

static void reach_connecting(void)
{
        begin_and_end(machine_connect);
}

static void reach_opening(void)
{
        stage_connect(&s);
}

static void reach_online(void)
{
        stage_connect(&s);
        stage_log_in(&s, EPOCH, 1, "");
        stage_feed(&s, 1, "");
}

static void reach_waiting(void)
{
        reach_connecting();
        s.dice = 400;
        s.is_rising = false;
        stage_link_closes(&s, 1006);
}

static void reach_delayed(void)
{
        reach_online();
        stage_say(&s, "{\"jsonrpc\":\"2.0\",\"method\":\"session.closing\",\"params\":{\"tag\":\"drain\",\"retry_after_"
                      "ms\":5000}}");
        stage_link_closes(&s, 4012);
}

static void reach_needs_token(void)
{
        reach_online();
        stage_link_closes(&s, 4001);
}

static void reach_stopped(void)
{
        reach_online();
        stage_link_closes(&s, 4004);
}

static void reach_paused(void)
{
        reach_connecting();
        begin_and_end(machine_disconnect);
        go(true);
        reach_connecting();
}

static void reach_disconnected(void)
{
}

static void connect_called(void)
{
        begin_and_end(machine_connect);
}

static void disconnect_called(void)
{
        begin_and_end(machine_disconnect);
}

static void network_changed(void)
{
        begin_and_end(machine_network_changed);
}

static void token_given(void)
{
        stage_begin(&s);
        assert_int_equal(0, machine_set_token(s.machine, "token-2"));
        stage_end(&s);
}

static void link_lost(void)
{
        stage_link_closes(&s, 1006);
}

static void link_drained(void)
{
        stage_link_closes(&s, 4013);
}

static void link_replaced(void)
{
        stage_link_closes(&s, 4003);
}

static void link_expired(void)
{
        stage_link_closes(&s, 4001);
}

static void a_minute_passes(void)
{
        stage_pass(&s, 60000);
}

static void goes_to_background(void)
{
        go(true);
        stage_pass(&s, 0);
}

static void comes_to_foreground(void)
{
        go(false);
}

static int state_now(void)
{
        static const int states[] = {
                [SESSION_IDLE] = DESKBELL_DISCONNECTED,     [SESSION_WAITING] = DESKBELL_WAITING,
                [SESSION_CONNECTING] = DESKBELL_CONNECTING, [SESSION_OPENING] = DESKBELL_CONNECTING,
                [SESSION_OPEN] = DESKBELL_ONLINE,           [SESSION_NEEDS_TOKEN] = DESKBELL_NEEDS_TOKEN,
                [SESSION_STOPPED] = DESKBELL_STOPPED,       [SESSION_PAUSED] = DESKBELL_PAUSED,
        };
        int now = states[s.machine->state];

        return now == DESKBELL_WAITING && s.machine->is_delayed ? DESKBELL_DELAYED : now;
}

#define D DESKBELL_DISCONNECTED
#define C DESKBELL_CONNECTING
#define O DESKBELL_ONLINE
#define W DESKBELL_WAITING
#define L DESKBELL_DELAYED
#define N DESKBELL_NEEDS_TOKEN
#define S DESKBELL_STOPPED
#define P DESKBELL_PAUSED

static void each_state_goes_where_the_table_says(void **state)
{
        static void (*const events[])(void) = {
                connect_called,  disconnect_called,  network_changed,     token_given,
                link_lost,       link_drained,       link_replaced,       link_expired,
                a_minute_passes, goes_to_background, comes_to_foreground,
        };
        static const struct {
                const char *name;
                void (*reach)(void);
                int from, to[sizeof(events) / sizeof(events[0])];
        } rows[] = {
                {"disconnected", reach_disconnected, D, {C, D, D, D, D, D, D, D, D, D, D}},
                {"connecting", reach_connecting, C, {C, D, C, C, W, W, S, N, W, P, C}},
                {"opening", reach_opening, C, {C, D, C, C, W, W, S, N, W, P, C}},
                {"online", reach_online, O, {O, D, O, O, W, W, S, N, W, P, O}},
                {"waiting", reach_waiting, W, {W, D, C, W, W, W, W, W, C, P, W}},
                {"delayed", reach_delayed, L, {L, D, L, L, L, L, L, L, C, P, L}},
                {"needs token", reach_needs_token, N, {N, D, N, C, N, N, N, N, N, N, N}},
                {"stopped", reach_stopped, S, {C, D, S, S, S, S, S, S, S, S, S}},
                {"paused", reach_paused, P, {P, D, P, P, P, P, P, P, P, P, C}},
        };
        bool is_good = true;

        for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++)
                for (size_t e = 0; e < sizeof(events) / sizeof(events[0]); e++) {
                        tear_down(state);
                        set_up(state);
                        rows[r].reach();
                        assert_int_equal(rows[r].from, state_now());
                        events[e]();
                        if (state_now() != rows[r].to[e]) {
                                print_message("%s, event %zu: %d instead of %d\n", rows[r].name, e, state_now(),
                                              rows[r].to[e]);
                                is_good = false;
                        }
                        told();
                }
        assert_true(is_good);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        const struct CMUnitTest tests[] = {
                T(an_idle_client_closes_at_once_and_never_wakes),
                T(what_is_under_way_is_answered_first),
                T(after_ten_seconds_it_closes_whatever_is_under_way_and_sends_that_again_later),
                T(marks_leave_before_the_connection_does),
                T(a_message_queued_in_the_background_waits_for_the_foreground),
                T(connecting_in_the_background_waits_for_the_foreground),
                T(the_servers_pause_is_kept_over_the_background),
                T(a_notification_wakes_a_client_in_the_background_and_it_sleeps_again),
                T(a_notification_that_finds_no_server_lets_the_client_sleep_again),
                T(who_was_writing_is_told_to_have_stopped),
                T(each_state_goes_where_the_table_says),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
