/* SPDX-License-Identifier: Apache-2.0 */
/* Notifications: the token that the server has to know, and the looks at the server that a notification calls for. */
#include "stage.h"

#include <stdio.h>
#include <stdlib.h>

#include "client-sdk/src/machine_private.h"

static struct stage s;
static char folder[64], path[96];

static int set_up(void **state)
{
        (void)state;
        snprintf(path, sizeof(path), "%s/file", stage_folder(folder));
        stage_init(&s, path);
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

static void set_push(int service, const char *token)
{
        stage_begin(&s);
        assert_int_equal(0, machine_set_push(s.machine, service, token));
        assert_int_equal(0, stage_end(&s));
}

static void log_in(const char *epoch)
{
        stage_connect(&s);
        stage_log_in(&s, epoch, 7, "");
        stage_feed(&s, 7, "");
}

static void come_back(const char *epoch)
{
        stage_link_closes(&s, 1006);
        stage_pass(&s, 60000);
        stage_link_opens(&s);
        stage_log_in(&s, epoch, 7, "");
        stage_feed(&s, 7, "");
}

/* The next device.push must be of that token. */
static json_t *expect_push(const char *service, const char *token)
{
        json_t *push = stage_find(&s, "device.push");

        assert_non_null(push);
        assert_string_equal(service, stage_param(push, "service"));
        assert_string_equal(token, stage_param(push, "token"));
        return push;
}

static void a_token_given_offline_is_told_at_the_first_session(void **state)
{
        (void)state;
        set_push(DESKBELL_PUSH_FCM, "t-1");
        stage_kill(&s);
        stage_open(&s);
        log_in(EPOCH);
        assert_false(machine_is_push_known(s.machine));
        stage_answer(&s, expect_push("fcm", "t-1"), "{}");
        assert_true(machine_is_push_known(s.machine));
        assert_true(stage_is_silent(&s));
}

static void it_is_told_again_in_each_session_until_the_server_has_answered(void **state)
{
        (void)state;
        set_push(DESKBELL_PUSH_APNS, "t-1");
        log_in(EPOCH);
        json_decref(expect_push("apns", "t-1"));
        come_back(EPOCH);
        stage_answer(&s, expect_push("apns", "t-1"), "{}");
        come_back(EPOCH);
        assert_true(stage_is_silent(&s));
}

static void a_pause_the_server_asks_for_is_kept(void **state)
{
        (void)state;
        set_push(DESKBELL_PUSH_FCM, "t-1");
        log_in(EPOCH);
        stage_refuse(&s, expect_push("fcm", "t-1"), "rate_limited", false, 4000);
        stage_pass(&s, 3999);
        assert_null(stage_find(&s, "device.push"));
        assert_int_equal(s.mono_ms + 1, machine_next_ms(s.machine));
        stage_pass(&s, 1);
        stage_answer(&s, expect_push("fcm", "t-1"), "{}");
}

static void a_token_that_is_refused_for_good_is_not_said_again_in_this_run(void **state)
{
        (void)state;
        set_push(DESKBELL_PUSH_FCM, "t-1");
        log_in(EPOCH);
        stage_refuse(&s, expect_push("fcm", "t-1"), "bad_request", true, -1);
        come_back(EPOCH);
        assert_true(stage_is_silent(&s));
        set_push(DESKBELL_PUSH_FCM, "t-2");
        stage_answer(&s, expect_push("fcm", "t-2"), "{}");
}

static void a_change_while_one_is_under_way_is_told_after_it(void **state)
{
        (void)state;
        set_push(DESKBELL_PUSH_FCM, "t-1");
        log_in(EPOCH);
        json_t *first = expect_push("fcm", "t-1");
        set_push(DESKBELL_PUSH_FCM, "t-2");
        assert_true(stage_is_silent(&s));
        stage_answer(&s, first, "{}");
        stage_answer(&s, expect_push("fcm", "t-2"), "{}");
        assert_true(machine_is_push_known(s.machine));
}

static void a_removal_outlives_the_process_and_is_said_once(void **state)
{
        (void)state;
        set_push(DESKBELL_PUSH_FCM, "t-1");
        log_in(EPOCH);
        stage_answer(&s, expect_push("fcm", "t-1"), "{}");
        stage_link_closes(&s, 1006);
        set_push(0, NULL);
        stage_kill(&s);
        stage_open(&s);
        log_in(EPOCH);
        stage_answer(&s, stage_take(&s, "device.push_remove"), "{}");
        stage_kill(&s);
        stage_open(&s);
        log_in(EPOCH);
        assert_true(stage_is_silent(&s));
}

static void a_server_that_may_have_forgotten_is_told_again(void **state)
{
        (void)state;
        set_push(DESKBELL_PUSH_FCM, "t-1");
        log_in(EPOCH);
        stage_answer(&s, expect_push("fcm", "t-1"), "{}");
        come_back(NEW_EPOCH); /* restored from a copy */
        stage_answer(&s, expect_push("fcm", "t-1"), "{}");
        stage_link_closes(&s, 4001); /* a revoked customer loses his tokens */
        stage_begin(&s);
        assert_int_equal(0, machine_set_token(s.machine, "token-2"));
        stage_end(&s);
        stage_link_opens(&s);
        stage_log_in(&s, NEW_EPOCH, 7, "");
        stage_answer(&s, expect_push("fcm", "t-1"), "{}");
}

/* ---- a notification that came ------------------------------------------------------------------------------------ */

static bool received(const char *conv, int64_t seq)
{
        bool is_news = false;
        uint64_t id = 0;

        assert_int_equal(0, id_read(span_of(conv), "cnv", &id));
        stage_begin(&s);
        assert_int_equal(0, machine_push_received(s.machine, id, seq, &is_news));
        stage_end(&s);
        return is_news;
}

/* -1: it was not told. */
static int settled(void)
{
        struct event *event = stage_event(&s, EVENT_PUSH);
        int is_caught_up = event ? event->is_caught_up : -1;

        event_free(event);
        return is_caught_up;
}

static void what_the_cache_has_is_no_news(void **state)
{
        (void)state;
        stage_main(&s, 3);
        assert_false(received(CONV, 3));
        assert_true(stage_is_silent(&s));
        assert_int_equal(-1, settled());
        assert_true(received(CONV, 4));
        json_t *look = stage_find(&s, "feed.read");
        assert_non_null(look);
        json_decref(look);
}

static void news_are_settled_when_the_entry_is_here_and_was_given(void **state)
{
        (void)state;
        stage_main(&s, 3);
        stage_link_closes(&s, 1006);
        s.dice = 400;
        assert_true(received(CONV, 4));
        stage_link_opens(&s); /* at once, not after the pause */
        stage_log_in(&s, EPOCH, 8, "");
        assert_int_equal(-1, settled());
        stage_feed(&s, 8, "{\"conv\":\"" CONV "\",\"rev\":8,\"key\":\"main\",\"head\":4}");
        assert_int_equal(-1, settled());
        char *entry = stage_entry(4, AGENT, "news");
        stage_answer(&s, stage_find(&s, "entries.read"), "{\"head\":4,\"entries\":[%s]}", entry);
        free(entry);
        struct event *event;
        bool was_given = false;
        while ((event = event_list_pop(&s.events)) && event->kind != EVENT_PUSH) {
                was_given |= event->kind == EVENT_ENTRY && event->entry.number == 4;
                event_free(event);
        }
        if (!event)
                fail_msg("it was not settled");
        else
                assert_int_equal(1, event->is_caught_up);
        assert_true(was_given);
        event_free(event);
}

static void many_notifications_are_settled_once(void **state)
{
        (void)state;
        stage_main(&s, 3);
        assert_true(received(CONV, 4));
        assert_true(received(CONV, 5));
        stage_feed(&s, 8, "");
        json_t *again = stage_find(&s, "feed.read");
        if (again)
                stage_answer(&s, again, "{\"rows\":[],\"rev\":8}");
        assert_int_equal(1, settled());
        assert_int_equal(-1, settled());
}

static void a_server_that_cannot_be_reached_settles_nothing_after_25_s(void **state)
{
        (void)state;
        stage_main(&s, 3);
        stage_link_closes(&s, 1006);
        assert_true(received(CONV, 4));
        for (int i = 0; i < 24; i++) {
                stage_pass(&s, 1000);
                assert_int_equal(-1, settled());
        }
        stage_pass(&s, 1000);
        assert_int_equal(0, settled());
}

static void a_client_that_is_not_to_connect_says_so(void **state)
{
        bool is_news = true;

        (void)state;
        stage_begin(&s);
        assert_int_equal(DESKBELL_E_STATE, machine_push_received(s.machine, 3, 1, &is_news));
        stage_end(&s);
        stage_main(&s, 1);
        assert_true(received(CONV, 9));
        stage_link_closes(&s, 4004);
        assert_int_equal(0, settled()); /* revoked: hopeless */
        stage_begin(&s);
        assert_int_equal(DESKBELL_E_STATE, machine_push_received(s.machine, 3, 1, &is_news));
        stage_end(&s);
}

/* ---- the end ----------------------------------------------------------------------------------------------------- */

static void nobody_loses_a_message_by_logging_out(void **state)
{
        (void)state;
        deskbell_conversation *conv = stage_main(&s, 1);
        stage_send(&s, conv, "wait for me");
        stage_begin(&s);
        assert_int_equal(DESKBELL_E_UNSENT, machine_begin_log_out(s.machine, false));
        assert_int_equal(0, machine_begin_log_out(s.machine, true));
        stage_end(&s);
        s.handover.is_closed = true;
        struct message_options options = {.cmid = machine_cmid(s.machine, s.wall_ms)};
        assert_int_equal(DESKBELL_E_STATE, stage_hand_send(&s, conv, "too late", &options));
}

static void logging_out_declines_notifications(void **state)
{
        (void)state;
        set_push(DESKBELL_PUSH_FCM, "t-1");
        stage_main(&s, 1);
        if (!machine_is_push_known(s.machine))
                come_back(EPOCH);
        json_t *push = stage_find(&s, "device.push");
        assert_non_null(push);
        stage_answer(&s, push, "{}");
        stage_begin(&s);
        assert_int_equal(0, machine_begin_log_out(s.machine, false));
        stage_end(&s);
        assert_false(machine_is_push_known(s.machine));
        stage_answer(&s, stage_find(&s, "device.push_remove"), "{}");
        assert_true(machine_is_push_known(s.machine));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        const struct CMUnitTest tests[] = {
                T(a_token_given_offline_is_told_at_the_first_session),
                T(it_is_told_again_in_each_session_until_the_server_has_answered),
                T(a_pause_the_server_asks_for_is_kept),
                T(a_token_that_is_refused_for_good_is_not_said_again_in_this_run),
                T(a_change_while_one_is_under_way_is_told_after_it),
                T(a_removal_outlives_the_process_and_is_said_once),
                T(a_server_that_may_have_forgotten_is_told_again),
                T(what_the_cache_has_is_no_news),
                T(news_are_settled_when_the_entry_is_here_and_was_given),
                T(many_notifications_are_settled_once),
                T(a_server_that_cannot_be_reached_settles_nothing_after_25_s),
                T(a_client_that_is_not_to_connect_says_so),
                T(nobody_loses_a_message_by_logging_out),
                T(logging_out_declines_notifications),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
