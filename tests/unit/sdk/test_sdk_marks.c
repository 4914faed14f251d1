/* SPDX-License-Identifier: Apache-2.0 */
/* Marks, delivered and read, unread counts, typing. */
#include "stage.h"

#include <stdlib.h>

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

static void mark_read(int64_t seq)
{
        stage_begin(&s);
        machine_mark_read(s.machine, conv, seq);
        stage_end(&s);
}

static void say_marks(int64_t customer_recv, int64_t customer_read, int64_t staff_recv, int64_t staff_read)
{
        stage_say(&s,
                  "{\"jsonrpc\":\"2.0\",\"method\":\"marks\",\"params\":{\"conv\":\"" CONV
                  "\",\"marks\":{\"customer_recv\":%lld,"
                  "\"customer_read\":%lld,\"staff_recv\":%lld,\"staff_read\":%lld}}}",
                  (long long)customer_recv, (long long)customer_read, (long long)staff_recv, (long long)staff_read);
}

static void say_text(int64_t seq, const char *author)
{
        char *entry = stage_entry(seq, author, "x");

        stage_say(&s, "{\"jsonrpc\":\"2.0\",\"method\":\"entry\",\"params\":%s}", entry);
        free(entry);
}

static void expect_mark(int64_t recv, int64_t read)
{
        json_t *frame = stage_take(&s, "marks");
        json_t *mark = json_array_get(json_object_get(json_object_get(frame, "params"), "marks"), 0);

        assert_string_equal(CONV, json_string_value(json_object_get(mark, "conv")));
        assert_int_equal(recv, json_integer_value(json_object_get(mark, "recv")));
        assert_int_equal(read, json_integer_value(json_object_get(mark, "read")));
        assert_null(json_object_get(frame, "id"));
        json_decref(frame);
}

static int64_t unread(void)
{
        struct event *event;
        int64_t last = -1;

        while ((event = stage_event(&s, EVENT_UNREAD))) {
                last = event->unread;
                event_free(event);
        }
        return last;
}

static void marks_travel_at_most_once_a_second(void **state)
{
        (void)state;
        conv = stage_main(&s, 3);
        stage_pass(&s, 1000);
        json_array_clear(s.frames);
        mark_read(1);
        expect_mark(3, 1);
        mark_read(2);
        mark_read(3);
        assert_true(stage_is_silent(&s));
        stage_pass(&s, 999);
        assert_true(stage_is_silent(&s));
        stage_pass(&s, 1);
        expect_mark(3, 3);
        stage_pass(&s, 5000);
        assert_true(stage_is_silent(&s));
}

static void a_mark_never_falls_and_never_passes_what_is_here(void **state)
{
        (void)state;
        conv = stage_main(&s, 3);
        stage_pass(&s, 1000);
        json_array_clear(s.frames);
        mark_read(99);
        expect_mark(3, 3);
        assert_int_equal(0, unread());
        mark_read(1);
        assert_int_equal(-1, unread()); /* no change */
        stage_pass(&s, 2000);
        assert_true(stage_is_silent(&s));
}

static void marks_that_the_server_has_not_got_go_again_after_a_reconnect(void **state)
{
        (void)state;
        conv = stage_main(&s, 3);
        stage_pass(&s, 1000);
        mark_read(2);
        stage_link_closes(&s, 1006);
        stage_pass(&s, 60000);
        stage_link_opens(&s);
        stage_log_in(&s, EPOCH, 1, "");
        json_decref(stage_take(&s, "feed.read"));
        expect_mark(3, 2);
}

static void own_messages_become_delivered_and_read_in_order_once(void **state)
{
        (void)state;
        conv = stage_main(&s, 0);
        struct cmid one = stage_send(&s, conv, "1"), two = stage_send(&s, conv, "2");
        stage_acked(&s, stage_take(&s, "message.send"), 1);
        stage_acked(&s, stage_find(&s, "message.send"), 2);
        stage_drop_events(&s);
        say_marks(0, 0, 2, 1);
        stage_expect_message(&s, &one, DESKBELL_DELIVERED);
        stage_expect_message(&s, &one, DESKBELL_READ);
        stage_expect_message(&s, &two, DESKBELL_DELIVERED);
        say_marks(0, 0, 2, 1);
        say_marks(0, 0, 1, 0);
        assert_null(stage_event(&s, EVENT_MESSAGE));
        say_marks(0, 0, 2, 2);
        stage_expect_message(&s, &two, DESKBELL_READ);
}

static void marks_that_came_before_the_ack_count_after_it(void **state)
{
        (void)state;
        conv = stage_main(&s, 0);
        struct cmid one = stage_send(&s, conv, "1");
        stage_drop_events(&s);
        say_marks(0, 0, 1, 1);
        assert_null(stage_event(&s, EVENT_MESSAGE));
        stage_acked(&s, stage_take(&s, "message.send"), 1);
        stage_expect_message(&s, &one, DESKBELL_SENT);
        stage_expect_message(&s, &one, DESKBELL_DELIVERED);
        stage_expect_message(&s, &one, DESKBELL_READ);
}

static void unread_counts_what_others_wrote_and_reading_lowers_it(void **state)
{
        (void)state;
        conv = stage_main(&s, 3);
        say_text(4, AGENT);
        assert_int_equal(4, unread());
        say_text(5, USER); /* own: does not count */
        stage_say(&s, "{\"jsonrpc\":\"2.0\",\"method\":\"entry\",\"params\":{\"conv\":\"" CONV
                      "\",\"seq\":6,\"ts\":9,\"author\":\"" AGENT
                      "\",\"kind\":\"edit\",\"of\":4,\"version\":2,\"text\":\"y\"}}");
        assert_int_equal(-1, unread());
        mark_read(3);
        assert_int_equal(1, unread());
        mark_read(6);
        assert_int_equal(0, unread());
}

static void reading_on_another_device_lowers_unread_here(void **state)
{
        (void)state;
        conv = stage_main(&s, 3);
        say_text(4, AGENT);
        assert_int_equal(4, unread());
        say_marks(4, 4, 0, 0);
        assert_int_equal(0, unread());
}

static void an_unread_message_that_is_erased_counts_no_more(void **state)
{
        (void)state;
        conv = stage_main(&s, 3);
        mark_read(1);
        assert_int_equal(2, unread());
        stage_say(&s, "{\"jsonrpc\":\"2.0\",\"method\":\"entry\",\"params\":{\"conv\":\"" CONV
                      "\",\"seq\":4,\"ts\":9,\"author\":\"" AGENT "\",\"kind\":\"erase\",\"of\":2}}");
        assert_int_equal(1, unread());
}

static void a_count_made_before_this_device_had_read_does_not_last(void **state)
{
        char *entries = stage_entries(4, 5);

        (void)state;
        conv = stage_main(&s, 3);
        mark_read(3);
        assert_int_equal(0, unread());
        stage_link_closes(&s, 1006);
        stage_pass(&s, 20000);
        stage_link_opens(&s);
        stage_log_in(&s, EPOCH, 2, "");
        /* The server has not got the mark when it counts: five, of which three were read here. */
        stage_feed(&s, 2,
                   "{\"conv\":\"" CONV "\",\"rev\":2,\"key\":\"main\",\"head\":5,\"marks\":{\"customer_recv\":3,"
                   "\"customer_read\":0,\"staff_recv\":0,\"staff_read\":0},\"unread\":5}");
        json_t *request = stage_find(&s, "entries.read");
        assert_non_null(request);
        stage_answer(&s, request, "%s", entries);
        assert_int_equal(2, unread());
        free(entries);
}

static void typing_is_told_at_most_each_3_seconds_and_only_in_a_session(void **state)
{
        (void)state;
        conv = stage_main(&s, 0);
        for (int i = 0; i < 31; i++) {
                stage_begin(&s);
                machine_typing(s.machine, conv);
                stage_end(&s);
                s.mono_ms += 100;
        }
        json_decref(stage_take(&s, "typing"));
        json_decref(stage_take(&s, "typing"));
        assert_true(stage_is_silent(&s));
        stage_link_closes(&s, 1006);
        s.mono_ms += 9000;
        stage_begin(&s);
        machine_typing(s.machine, conv);
        stage_end(&s);
        assert_true(stage_is_silent(&s));
}

static void somebody_typing_stops_after_6_seconds_or_when_he_has_written(void **state)
{
        static const char typing[] = "{\"jsonrpc\":\"2.0\",\"method\":\"typing\",\"params\":{\"conv\":\"" CONV
                                     "\",\"author\":\"" AGENT "\"}}";
        struct event *event;

        (void)state;
        conv = stage_main(&s, 0);
        for (int round = 0; round < 2; round++) {
                stage_say(&s, "%s", typing);
                stage_say(&s, "%s", typing);
                event = stage_event(&s, EVENT_TYPING);
                assert_true(event->typing.is_typing);
                assert_string_equal(AGENT, event->typing.author);
                event_free(event);
                assert_null(stage_event(&s, EVENT_TYPING));
                if (round == 0)
                        stage_pass(&s, 6000);
                else
                        say_text(1, AGENT);
                event = stage_event(&s, EVENT_TYPING);
                assert_non_null(event);
                assert_false(event->typing.is_typing);
                event_free(event);
        }
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        const struct CMUnitTest tests[] = {
                T(marks_travel_at_most_once_a_second),
                T(a_mark_never_falls_and_never_passes_what_is_here),
                T(marks_that_the_server_has_not_got_go_again_after_a_reconnect),
                T(own_messages_become_delivered_and_read_in_order_once),
                T(marks_that_came_before_the_ack_count_after_it),
                T(unread_counts_what_others_wrote_and_reading_lowers_it),
                T(reading_on_another_device_lowers_unread_here),
                T(an_unread_message_that_is_erased_counts_no_more),
                T(a_count_made_before_this_device_had_read_does_not_last),
                T(typing_is_told_at_most_each_3_seconds_and_only_in_a_session),
                T(somebody_typing_stops_after_6_seconds_or_when_he_has_written),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
