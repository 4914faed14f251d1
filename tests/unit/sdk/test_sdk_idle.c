/* SPDX-License-Identifier: Apache-2.0 */
/* A client with nothing to do: what wakes it, and what is done along with that. */
#include "stage.h"

static struct stage s;

enum { BEAT_MS = 25000, DEAD_MS = 35000 };

#define DAYS_31_MS (INT64_C(31) * 86400000)

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

static void heartbeat_comes(void)
{
        stage_say(&s, "{\"jsonrpc\":\"2.0\",\"method\":\"heartbeat\",\"params\":{\"rev\":1,\"now\":%lld}}",
                  (long long)s.wall_ms);
        json_t *alive = stage_find(&s, "session.alive");
        assert_non_null(alive);
        json_decref(alive);
}

static void an_idle_session_is_woken_by_heartbeats_alone(void **state)
{
        (void)state;
        stage_main(&s, 3);
        stage_pass(&s, 2000); /* the marks have gone */
        for (int beat = 0; beat < 200; beat++) {
                s.mono_ms += BEAT_MS;
                s.wall_ms += BEAT_MS;
                heartbeat_comes();
                assert_int_equal(s.mono_ms + DEAD_MS, machine_next_ms(s.machine));
        }
        assert_int_equal(0, s.closes);
}

static void what_is_too_old_ends_with_a_heartbeat(void **state)
{
        struct event *event;

        (void)state;
        deskbell_conversation *conv = stage_main(&s, 0);
        stage_send(&s, conv, "for a server that is full");
        stage_refuse(&s, stage_take(&s, "message.send"), "storage_full", false, 3600000);
        stage_drop_events(&s);
        s.wall_ms += DAYS_31_MS;
        for (int beat = 0; beat < 3; beat++) {
                s.mono_ms += BEAT_MS;
                heartbeat_comes();
                stage_pass(&s, 0); /* the client does so in each turn */
        }
        assert_int_equal(0, s.closes);
        event = stage_event(&s, EVENT_MESSAGE);
        assert_non_null(event);
        assert_int_equal(DESKBELL_EXPIRED, event->message.state);
        event_free(event);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        const struct CMUnitTest tests[] = {
                T(an_idle_session_is_woken_by_heartbeats_alone),
                T(what_is_too_old_ends_with_a_heartbeat),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
