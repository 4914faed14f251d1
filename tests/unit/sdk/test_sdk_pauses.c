/* SPDX-License-Identifier: Apache-2.0 */
/* Reads that the server refuses for now: its wish to wait is kept over connections, a pause of our own is not. */
#include "stage.h"

#include <stdlib.h>

static struct stage s;

static int set_up(void **state)
{
        (void)state;
        stage_init(&s, NULL);
        stage_open(&s);
        stage_main(&s, 1);
        return 0;
}

static int tear_down(void **state)
{
        (void)state;
        stage_done(&s);
        return 0;
}

/* The connection is lost and made anew, which takes `ms`. */
static void reconnect(int64_t ms)
{
        stage_link_closes(&s, 1006);
        stage_pass(&s, ms);
        stage_link_opens(&s);
        stage_log_in(&s, EPOCH, 1, "");
}

static void heartbeat(int rev)
{
        stage_say(&s, "{\"jsonrpc\":\"2.0\",\"method\":\"heartbeat\",\"params\":{\"rev\":%d,\"now\":%lld}}", rev,
                  (long long)s.wall_ms);
}

/* An entry that is not the next one of that conversation: what lies before it has to be read. */
static void say_gap(const char *conv)
{
        stage_say(&s,
                  "{\"jsonrpc\":\"2.0\",\"method\":\"entry\",\"params\":{\"conv\":\"%s\",\"seq\":9,\"ts\":9,\"author\":"
                  "\"" AGENT "\",\"kind\":\"text\",\"text\":\"later\"}}",
                  conv);
}

static void know_other_conv(void)
{
        stage_say(&s, "{\"jsonrpc\":\"2.0\",\"method\":\"feed\",\"params\":{\"rows\":[{\"conv\":\"" OTHER_CONV
                      "\",\"rev\":2,\"key\":\"other\",\"head\":1}]}}");
        json_t *read = stage_asked(&s, "entries.read");
        stage_answer(&s, read,
                     "{\"head\":1,\"entries\":[{\"conv\":\"" OTHER_CONV "\",\"seq\":1,\"ts\":9,\"author\":\"" AGENT
                     "\",\"kind\":\"text\",\"text\":\"first\"}]}");
}

static void expect_no_reads(void)
{
        assert_null(stage_find(&s, "feed.read"));
        assert_null(stage_find(&s, "entries.read"));
        assert_null(stage_find(&s, "conversation.open"));
}

static void expect(const char *method)
{
        json_decref(stage_asked(&s, method));
}

static void what_is_refused_to_one_read_for_all_waits_in_the_next_session_too(void **state)
{
        deskbell_conversation *new_one;

        (void)state;
        heartbeat(5);
        stage_refuse(&s, stage_asked(&s, "feed.read"), "rate_limited", false, 20000);
        say_gap(CONV);
        expect_no_reads();
        reconnect(5000);
        stage_begin(&s);
        assert_int_equal(0, machine_conv_open(s.machine, SPAN("new"), &new_one));
        machine_network_changed(s.machine);
        stage_end(&s);
        expect_no_reads();
        stage_pass(&s, 14999);
        expect_no_reads();
        assert_int_equal(s.mono_ms + 1, machine_next_ms(s.machine));
        stage_pass(&s, 1);
        expect("feed.read");
        expect("entries.read");
        expect("conversation.open");
}

static void a_pause_of_our_own_ends_with_the_session(void **state)
{
        (void)state;
        heartbeat(5);
        stage_refuse(&s, stage_asked(&s, "feed.read"), "internal", false, -1);
        say_gap(CONV);
        stage_refuse(&s, stage_asked(&s, "entries.read"), "internal", false, -1);
        stage_pass(&s, 500);
        expect_no_reads();
        reconnect(1000);
        expect("feed.read");
        expect("entries.read");
}

static void a_pause_for_one_read_is_kept_over_sessions_and_holds_no_other(void **state)
{
        (void)state;
        know_other_conv();
        say_gap(CONV);
        stage_refuse(&s, stage_asked(&s, "entries.read"), "internal", false, 20000);
        reconnect(5000);
        stage_feed(&s, 2, "");
        say_gap(OTHER_CONV);
        json_t *read = stage_asked(&s, "entries.read");
        assert_string_equal(OTHER_CONV, stage_param(read, "conv"));
        json_decref(read);
        stage_pass(&s, 14999);
        assert_null(stage_find(&s, "entries.read"));
        stage_pass(&s, 1);
        read = stage_asked(&s, "entries.read");
        assert_string_equal(CONV, stage_param(read, "conv"));
        json_decref(read);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        const struct CMUnitTest tests[] = {
                T(what_is_refused_to_one_read_for_all_waits_in_the_next_session_too),
                T(a_pause_of_our_own_ends_with_the_session),
                T(a_pause_for_one_read_is_kept_over_sessions_and_holds_no_other),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
