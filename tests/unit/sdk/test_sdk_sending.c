/* SPDX-License-Identifier: Apache-2.0 */
/* The outbox in motion: order, window, answers, restarts, resets, limits. */
#include "stage.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static struct stage s;
static deskbell_conversation *conv;

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

static int64_t queued(void)
{
        struct deskbell_status status = DESKBELL_STATUS_INIT;

        machine_status(s.machine, &status);
        return status.queued;
}

static void expect_send(const struct cmid *cmid, const struct cmid *after)
{
        json_t *send = stage_take(&s, "message.send");
        char text[33], before[33] = "";

        cmid_write(text, cmid);
        text[32] = '\0';
        if (after)
                cmid_write(before, after);
        assert_string_equal(text, stage_param(send, "cmid"));
        assert_string_equal(before, stage_param(send, "after"));
        json_decref(send);
}

static void reconnect(const char *epoch, const char *more)
{
        stage_pass(&s, 60000);
        stage_link_opens(&s);
        stage_log_in(&s, epoch, 1, more);
}

static void a_message_is_queued_then_sent_and_leaves_the_outbox(void **state)
{
        (void)state;
        conv = stage_main(&s, 0);
        struct cmid cmid = stage_send(&s, conv, "hello");
        stage_expect_message(&s, &cmid, DESKBELL_QUEUED);
        assert_int_equal(1, queued());
        json_t *send = stage_take(&s, "message.send");
        assert_string_equal("hello", stage_param(send, "text"));
        assert_string_equal("text", stage_param(send, "kind"));
        assert_string_equal(CONV, stage_param(send, "conv"));
        stage_answer(&s, send, "{\"seq\":1,\"ts\":5,\"dup\":true}");
        struct event *event = stage_event(&s, EVENT_MESSAGE);
        assert_int_equal(DESKBELL_SENT, event->message.state);
        assert_int_equal(1, event->message.number);
        assert_int_equal(5, event->message.ts_ms);
        assert_true(event->message.is_duplicate);
        assert_string_equal(EPOCH, event->message.epoch);
        event_free(event);
        assert_int_equal(0, queued());
}

static void a_send_names_the_unanswered_one_before_it_and_no_answered_one(void **state)
{
        (void)state;
        conv = stage_main(&s, 0);
        struct cmid one = stage_send(&s, conv, "1"), two = stage_send(&s, conv, "2");
        json_t *first = stage_take(&s, "message.send");
        expect_send(&two, &one);
        stage_acked(&s, first, 1);
        struct cmid three = stage_send(&s, conv, "3");
        expect_send(&three, &two);
}

static void at_most_sixteen_are_unanswered_and_each_answer_lets_one_follow(void **state)
{
        json_t *first;

        (void)state;
        conv = stage_main(&s, 0);
        for (int i = 0; i < 20; i++)
                stage_send(&s, conv, "x");
        assert_int_equal(16, json_array_size(s.frames));
        first = stage_take(&s, "message.send");
        json_array_clear(s.frames);
        stage_acked(&s, first, 1);
        json_decref(stage_take(&s, "message.send"));
        assert_true(stage_is_silent(&s));
}

static void the_window_is_the_servers_when_that_is_smaller(void **state)
{
        (void)state;
        stage_begin(&s);
        assert_int_equal(0, machine_conv_open(s.machine, SPAN("main"), &conv));
        stage_end(&s);
        for (int i = 0; i < 9; i++)
                stage_send(&s, conv, "x");
        stage_connect(&s);
        json_t *open = stage_take(&s, "session.open");
        stage_answer(&s, open,
                     "{\"principal\":\"" USER "\",\"epoch\":\"" EPOCH
                     "\",\"rev\":1,\"now\":1,\"protocol\":1,\"features\":[],"
                     "\"limits\":{\"in_flight\":4,\"frame_bytes\":65536,\"key_window_days\":90,\"retry_days\":30,"
                     "\"heartbeat_ms\":25000,\"dead_ms\":35000}}");
        assert_int_equal(4, json_array_size(s.frames)); /* reads included */
}

static void after_a_lost_connection_the_same_cmids_go_again_in_order_before_anything_new(void **state)
{
        (void)state;
        conv = stage_main(&s, 0);
        struct cmid one = stage_send(&s, conv, "1"), two = stage_send(&s, conv, "2");
        stage_link_closes(&s, 1006);
        struct cmid three = stage_send(&s, conv, "3");
        reconnect(EPOCH, "");
        json_decref(stage_take(&s, "feed.read"));
        expect_send(&one, NULL);
        expect_send(&two, &one);
        expect_send(&three, &two);
}

static void the_outbox_survives_being_killed_between_store_and_send(void **state)
{
        char folder[64], path[96];

        (void)state;
        stage_done(&s);
        snprintf(path, sizeof(path), "%s/file", stage_folder(folder));
        stage_init(&s, path);
        stage_open(&s);
        stage_begin(&s);
        assert_int_equal(0, machine_conv_open(s.machine, SPAN("main"), &conv));
        stage_end(&s);
        struct cmid one = stage_send(&s, conv, "1"), two = stage_send(&s, conv, "2");
        stage_kill(&s);
        stage_open(&s);
        assert_int_equal(2, queued());
        stage_connect(&s);
        stage_log_in(&s, EPOCH, 1, "");
        json_decref(stage_take(&s, "feed.read"));
        json_t *send = stage_take(&s, "message.send");
        assert_string_equal("main", stage_param(send, "key"));
        assert_string_equal("", stage_param(send, "conv"));
        stage_answer(&s, send, "{\"conv\":\"" CONV "\",\"seq\":1,\"ts\":1}");
        expect_send(&two, &one);
        stage_expect_message(&s, &one, DESKBELL_SENT);
}

static void an_outcome_the_application_was_not_told_is_told_after_a_restart(void **state)
{
        char folder[64], path[96];

        (void)state;
        stage_done(&s);
        snprintf(path, sizeof(path), "%s/file", stage_folder(folder));
        stage_init(&s, path);
        stage_open(&s);
        conv = stage_main(&s, 0);
        struct cmid one = stage_send(&s, conv, "1"), two = stage_send(&s, conv, "2");
        json_t *first = stage_take(&s, "message.send"), *second = stage_take(&s, "message.send");
        stage_drop_events(&s);
        stage_acked(&s, first, 1);
        struct event *event = stage_event(&s, EVENT_MESSAGE);
        stage_begin(&s);
        machine_told(s.machine, event->told_pos); /* the callback has returned */
        stage_end(&s);
        event_free(event);
        stage_acked(&s, second, 2);
        stage_kill(&s);
        stage_open(&s);
        stage_expect_message(&s, &two, DESKBELL_SENT);
        assert_null(stage_event(&s, EVENT_MESSAGE));
        (void)one;
}

static void a_permanent_refusal_is_reported_and_its_successors_go_on_without_it(void **state)
{
        (void)state;
        conv = stage_main(&s, 0);
        struct cmid one = stage_send(&s, conv, "1"), two = stage_send(&s, conv, "2"), three = stage_send(&s, conv, "3");
        json_t *a = stage_take(&s, "message.send"), *b = stage_take(&s, "message.send"),
               *c = stage_take(&s, "message.send");
        stage_drop_events(&s);
        stage_refuse(&s, a, "bad_request", true, -1);
        struct event *event = stage_event(&s, EVENT_MESSAGE);
        assert_int_equal(DESKBELL_FAILED, event->message.state);
        assert_string_equal("bad_request", event->message.tag);
        event_free(event);
        /* Both were sent behind the refused one. Nothing is sent again before both are answered. */
        stage_refuse(&s, b, "predecessor_unknown", false, -1);
        assert_true(stage_is_silent(&s));
        stage_refuse(&s, c, "predecessor_unknown", false, -1);
        expect_send(&two, NULL);
        expect_send(&three, &two);
        assert_int_equal(2, queued());
        (void)one;
}

static void a_refusal_to_retry_keeps_the_order_and_waits_as_told(void **state)
{
        (void)state;
        conv = stage_main(&s, 0);
        struct cmid one = stage_send(&s, conv, "1"), two = stage_send(&s, conv, "2");
        json_t *a = stage_take(&s, "message.send"), *b = stage_take(&s, "message.send");
        stage_refuse(&s, a, "rate_limited", false, 2000);
        stage_refuse(&s, b, "predecessor_unknown", false, -1);
        stage_pass(&s, 1999);
        assert_true(stage_is_silent(&s));
        stage_pass(&s, 1);
        expect_send(&one, NULL);
        expect_send(&two, &one);
        assert_int_equal(2, queued());
}

/* Nothing of either conversation, whatever was asked besides. */
static void expect_no_send(void)
{
        assert_null(stage_find(&s, "message.send"));
        json_array_clear(s.frames);
}

static void a_pause_for_all_is_kept_over_news_of_a_network_a_new_session_and_the_background(void **state)
{
        deskbell_conversation *other;

        (void)state;
        conv = stage_main(&s, 0);
        stage_begin(&s);
        assert_int_equal(0, machine_conv_open(s.machine, SPAN("other"), &other));
        stage_end(&s);
        json_array_clear(s.frames);
        stage_send(&s, conv, "1");
        stage_refuse(&s, stage_take(&s, "message.send"), "rate_limited", false, 20000);
        struct cmid two = stage_send(&s, other, "2");
        stage_begin(&s);
        machine_network_changed(s.machine);
        stage_end(&s);
        expect_no_send();
        stage_link_closes(&s, 1006);
        stage_pass(&s, 5000);
        stage_link_opens(&s);
        stage_log_in(&s, EPOCH, 1, "");
        expect_no_send();
        for (int is_on = 1; is_on >= 0; is_on--) {
                stage_begin(&s);
                machine_set_background(s.machine, is_on != 0);
                stage_end(&s);
                stage_pass(&s, 11000 * is_on);
        }
        stage_link_opens(&s);
        stage_log_in(&s, EPOCH, 1, "");
        expect_no_send();
        stage_pass(&s, 3999);
        expect_no_send();
        stage_pass(&s, 1);
        json_t *first = stage_find(&s, "message.send"), *second = stage_find(&s, "message.send");
        assert_non_null(first);
        assert_non_null(second);
        char text[33];
        cmid_write(text, &two);
        text[32] = '\0';
        assert_string_equal(text, stage_param(second, "cmid"));
        json_decref(first);
        json_decref(second);
}

static void a_refusal_of_one_conversation_does_not_hold_another(void **state)
{
        deskbell_conversation *other;

        (void)state;
        conv = stage_main(&s, 0);
        stage_begin(&s);
        assert_int_equal(0, machine_conv_open(s.machine, SPAN("other"), &other));
        stage_end(&s);
        json_array_clear(s.frames);
        stage_send(&s, conv, "1");
        stage_refuse(&s, stage_take(&s, "message.send"), "internal", false, 60000);
        struct cmid two = stage_send(&s, other, "2");
        expect_send(&two, NULL);
}

static void predecessor_unknown_over_and_over_slows_down(void **state)
{
        int tries = 0;

        (void)state;
        conv = stage_main(&s, 0);
        stage_send(&s, conv, "1");
        for (int second = 0; second < 30; second++) {
                json_t *send;
                while ((send = stage_find(&s, "message.send"))) {
                        stage_refuse(&s, send, "predecessor_unknown", false, -1);
                        tries++;
                        assert_true(tries < 60);
                }
                stage_say(&s, "{\"jsonrpc\":\"2.0\",\"method\":\"heartbeat\",\"params\":{\"rev\":1,\"now\":1}}");
                json_array_clear(s.frames);
                stage_pass(&s, 1000);
        }
        assert_true(tries > 17);
}

static void after_a_reset_acked_and_unacked_messages_are_offered_again_in_order(void **state)
{
        (void)state;
        conv = stage_main(&s, 0);
        struct cmid one = stage_send(&s, conv, "1"), two = stage_send(&s, conv, "2");
        stage_acked(&s, stage_take(&s, "message.send"), 1);
        stage_link_closes(&s, 1006);
        struct cmid three = stage_send(&s, conv, "3");
        stage_drop_events(&s);
        reconnect(NEW_EPOCH, ",\"reset\":\"epoch\"");
        json_decref(stage_take(&s, "feed.read"));
        json_decref(stage_find(&s, "conversation.open"));
        json_t *again = stage_take(&s, "message.send");
        char text[33] = "";
        cmid_write(text, &one);
        assert_string_equal(text, stage_param(again, "cmid"));
        assert_string_equal("main", stage_param(again, "key")); /* the id may be gone with the old store */
        expect_send(&two, &one);
        expect_send(&three, &two);
        stage_answer(&s, again, "{\"conv\":\"" OTHER_CONV "\",\"seq\":1,\"ts\":9}");
        struct event *event = stage_event(&s, EVENT_MESSAGE);
        assert_int_equal(DESKBELL_SENT, event->message.state);
        assert_true(event->message.is_again);
        assert_string_equal(NEW_EPOCH, event->message.epoch);
        event_free(event);
        assert_int_equal(2, queued());
}

static void what_is_offered_again_goes_on_after_a_restart(void **state)
{
        char folder[64], path[96];

        (void)state;
        stage_done(&s);
        snprintf(path, sizeof(path), "%s/file", stage_folder(folder));
        stage_init(&s, path);
        stage_open(&s);
        conv = stage_main(&s, 0);
        struct cmid one = stage_send(&s, conv, "1");
        stage_acked(&s, stage_take(&s, "message.send"), 1);
        stage_link_closes(&s, 1006);
        reconnect(NEW_EPOCH, ",\"reset\":\"epoch\"");
        stage_kill(&s);
        stage_open(&s);
        assert_int_equal(1, queued());
        stage_connect(&s);
        stage_log_in(&s, NEW_EPOCH, 1, "");
        json_decref(stage_take(&s, "feed.read"));
        expect_send(&one, NULL);
}

static void an_edit_waits_for_what_is_in_flight_and_travels_alone(void **state)
{
        struct message_options options = {0};

        (void)state;
        conv = stage_main(&s, 2);
        struct cmid one = stage_send(&s, conv, "1");
        options.cmid = machine_cmid(s.machine, s.wall_ms);
        stage_begin(&s);
        assert_int_equal(0, stage_hand_edit(&s, conv, 2, 1, "better", &options));
        stage_end(&s);
        struct cmid two = stage_send(&s, conv, "2");
        json_t *send = stage_take(&s, "message.send");
        assert_true(stage_is_silent(&s));
        stage_acked(&s, send, 3);
        json_t *edit = stage_take(&s, "message.edit");
        assert_int_equal(2, stage_number(edit, "of"));
        assert_int_equal(1, stage_number(edit, "version"));
        assert_string_equal("better", stage_param(edit, "text"));
        assert_true(stage_is_silent(&s));
        stage_acked(&s, edit, 4);
        expect_send(&two, NULL);
        (void)one;
}

static void an_erasure_after_a_reset_means_the_same_message_at_its_new_place(void **state)
{
        struct message_options options = {0};

        (void)state;
        conv = stage_main(&s, 2);
        options.cmid = machine_cmid(s.machine, s.wall_ms);
        stage_link_closes(&s, 1006);
        stage_begin(&s);
        assert_int_equal(0, stage_hand_erase(&s, conv, 2, &options));
        stage_end(&s);
        reconnect(NEW_EPOCH, ",\"reset\":\"epoch\"");
        stage_feed(&s, 5, "{\"conv\":\"" CONV "\",\"rev\":5,\"key\":\"main\",\"head\":1}");
        assert_null(stage_find(&s, "message.erase")); /* where it stands now is not known yet */
        json_t *read = stage_find(&s, "entries.read");
        assert_non_null(read);
        char *entry = stage_entry(1, AGENT, "before"); /* what was 2 is 1 in the restored log: same cmid */
        char *at = strstr(entry, "c0001");
        assert_non_null(at);
        at[4] = '2';
        stage_answer(&s, read, "{\"entries\":[%s],\"head\":1}", entry);
        free(entry);
        json_t *erase = stage_find(&s, "message.erase");
        assert_non_null(erase);
        assert_int_equal(1, stage_number(erase, "of"));
        json_decref(erase);
}

static void an_edit_of_a_message_that_a_restore_lost_fails_and_says_so(void **state)
{
        struct message_options options = {0};

        (void)state;
        conv = stage_main(&s, 2);
        options.cmid = machine_cmid(s.machine, s.wall_ms);
        stage_link_closes(&s, 1006);
        stage_begin(&s);
        assert_int_equal(0, stage_hand_edit(&s, conv, 2, 1, "better", &options));
        stage_end(&s);
        stage_drop_events(&s);
        reconnect(NEW_EPOCH, ",\"reset\":\"epoch\"");
        stage_feed(&s, 5, "{\"conv\":\"" CONV "\",\"rev\":5,\"key\":\"main\",\"head\":0}");
        struct event *event = stage_event(&s, EVENT_MESSAGE);
        assert_non_null(event);
        assert_int_equal(DESKBELL_FAILED, event->message.state);
        assert_string_equal("target_unknown", event->message.tag);
        event_free(event);
}

static void an_edit_of_what_is_not_here_is_refused_at_once(void **state)
{
        struct message_options options = {.cmid = {.bytes = {1}}};

        (void)state;
        conv = stage_main(&s, 2);
        stage_begin(&s);
        assert_int_equal(DESKBELL_E_NOT_FOUND, stage_hand_edit(&s, conv, 9, 1, "x", &options));
        stage_end(&s);
        assert_int_equal(0, queued());
}

static void the_same_cmid_is_queued_once(void **state)
{
        struct message_options options = {.is_named = true, .cmid = {.bytes = {7}}};

        (void)state;
        conv = stage_main(&s, 0);
        for (int i = 0; i < 2; i++) {
                stage_begin(&s);
                assert_int_equal(i == 0 ? 0 : DESKBELL_E_EXISTS, stage_hand_send(&s, conv, "x", &options));
                stage_end(&s);
        }
        assert_int_equal(1, queued());
}

static void a_full_outbox_says_so_at_once(void **state)
{
        struct message_options options = {0};

        (void)state;
        stage_begin(&s);
        assert_int_equal(0, machine_conv_open(s.machine, SPAN("main"), &conv));
        stage_end(&s);
        stage_begin(&s);
        for (int i = 0; i < 500; i++) {
                options.cmid = machine_cmid(s.machine, s.wall_ms);
                assert_int_equal(0, stage_hand_send(&s, conv, "x", &options));
        }
        options.cmid = machine_cmid(s.machine, s.wall_ms);
        assert_int_equal(DESKBELL_E_OUTBOX_FULL, stage_hand_send(&s, conv, "x", &options));
        stage_end(&s);
        assert_int_equal(500, queued());
}

static void after_30_days_without_an_answer_a_message_expires_and_may_be_retried_under_its_cmid(void **state)
{
        struct cmid again;

        (void)state;
        conv = stage_main(&s, 0);
        stage_link_closes(&s, 4003);
        struct cmid one = stage_send(&s, conv, "1");
        stage_drop_events(&s);
        stage_pass(&s, INT64_C(86400000) * 30 - 1);
        assert_null(stage_event(&s, EVENT_MESSAGE));
        stage_pass(&s, 3600000);
        stage_expect_message(&s, &one, DESKBELL_EXPIRED);
        assert_int_equal(0, queued());
        stage_begin(&s);
        assert_int_equal(0, stage_hand_retry(&s, &one, &again));
        stage_end(&s);
        assert_memory_equal(&one, &again, sizeof(one));
        assert_int_equal(1, queued());
        /* Once more is too much: the server may have forgotten the cmid by then. */
        stage_pass(&s, INT64_C(86400000) * 31);
        stage_begin(&s);
        assert_int_equal(DESKBELL_E_STATE, stage_hand_retry(&s, &one, &again));
        stage_end(&s);
}

static void a_failed_message_is_retried_under_a_new_cmid_at_the_end(void **state)
{
        struct cmid again;

        (void)state;
        conv = stage_main(&s, 0);
        struct cmid one = stage_send(&s, conv, "1");
        stage_refuse(&s, stage_take(&s, "message.send"), "forbidden", true, -1);
        stage_begin(&s);
        assert_int_equal(0, stage_hand_retry(&s, &one, &again));
        stage_end(&s);
        assert_memory_not_equal(&one, &again, sizeof(one));
        expect_send(&again, NULL);
        stage_begin(&s);
        assert_int_equal(DESKBELL_E_NOT_FOUND, stage_hand_retry(&s, &one, &again));
        stage_end(&s);
}

static void a_message_waits_for_its_conversation_to_be_given_once_when_opened_again(void **state)
{
        char folder[64], path[96];

        (void)state;
        stage_done(&s);
        snprintf(path, sizeof(path), "%s/file", stage_folder(folder));
        stage_init(&s, path);
        stage_open(&s);
        stage_begin(&s);
        assert_int_equal(0, machine_conv_open(s.machine, SPAN("main"), &conv));
        stage_end(&s);
        struct cmid one = stage_send(&s, conv, "written in a tunnel");
        stage_kill(&s);
        stage_open(&s);
        stage_begin(&s);
        assert_int_equal(0, machine_conv_open(s.machine, SPAN("main"), &conv));
        stage_end(&s);
        struct event *event = stage_event(&s, EVENT_MESSAGE);
        assert_int_equal(DESKBELL_QUEUED, event->message.state);
        assert_true(event->message.is_again);
        assert_string_equal("written in a tunnel", event->message.text);
        event_free(event);
        (void)one;
}

static void a_turn_that_fails_gives_up_the_connection_and_nothing_else(void **state)
{
        struct message_options options = {.cmid = {.bytes = {9}}};
        char folder[64], path[96], wal[112];

        (void)state;
        stage_done(&s);
        snprintf(path, sizeof(path), "%s/file", stage_folder(folder));
        snprintf(wal, sizeof(wal), "%s-wal", path);
        stage_init(&s, path);
        stage_open(&s);
        conv = stage_main(&s, 0);
        stage_begin(&s);
        cache_fail(stage_cache(&s)); /* as a write that did not succeed would */
        assert_int_equal(0, stage_hand_send(&s, conv, "x", &options));
        assert_int_equal(DESKBELL_E_STORE, stage_end(&s));
        stage_expect_message(&s, &options.cmid, DESKBELL_QUEUED);
        assert_null(stage_find(&s, "message.send"));
        struct event *event = stage_event(&s, EVENT_NOTICE);
        assert_int_equal(DESKBELL_NOTICE_STORE_FAILING, event->notice.notice);
        event_free(event);
        assert_int_equal(1, queued());
        assert_int_equal(WISH_CLOSE, s.wish);
        reconnect(EPOCH, "");
        json_decref(stage_find(&s, "message.send"));
        json_array_clear(s.frames);
        stage_send(&s, conv, "y");
        json_decref(stage_take(&s, "message.send"));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        const struct CMUnitTest tests[] = {
                T(a_message_is_queued_then_sent_and_leaves_the_outbox),
                T(a_send_names_the_unanswered_one_before_it_and_no_answered_one),
                T(at_most_sixteen_are_unanswered_and_each_answer_lets_one_follow),
                T(the_window_is_the_servers_when_that_is_smaller),
                T(after_a_lost_connection_the_same_cmids_go_again_in_order_before_anything_new),
                T(the_outbox_survives_being_killed_between_store_and_send),
                T(an_outcome_the_application_was_not_told_is_told_after_a_restart),
                T(a_permanent_refusal_is_reported_and_its_successors_go_on_without_it),
                T(a_refusal_to_retry_keeps_the_order_and_waits_as_told),
                T(a_pause_for_all_is_kept_over_news_of_a_network_a_new_session_and_the_background),
                T(a_refusal_of_one_conversation_does_not_hold_another),
                T(predecessor_unknown_over_and_over_slows_down),
                T(after_a_reset_acked_and_unacked_messages_are_offered_again_in_order),
                T(what_is_offered_again_goes_on_after_a_restart),
                T(an_edit_waits_for_what_is_in_flight_and_travels_alone),
                T(an_erasure_after_a_reset_means_the_same_message_at_its_new_place),
                T(an_edit_of_a_message_that_a_restore_lost_fails_and_says_so),
                T(an_edit_of_what_is_not_here_is_refused_at_once),
                T(the_same_cmid_is_queued_once),
                T(a_full_outbox_says_so_at_once),
                T(after_30_days_without_an_answer_a_message_expires_and_may_be_retried_under_its_cmid),
                T(a_failed_message_is_retried_under_a_new_cmid_at_the_end),
                T(a_message_waits_for_its_conversation_to_be_given_once_when_opened_again),
                T(a_turn_that_fails_gives_up_the_connection_and_nothing_else),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
