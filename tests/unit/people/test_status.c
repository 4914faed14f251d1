/* SPDX-License-Identifier: Apache-2.0 */
/* What agents are doing: connected or not, kept over restarts, told to agents, and counted against what a reason
 * allows. */
#include "unit/people/crew.h"

#include <stdio.h>
#include <stdlib.h>

static const struct agent_profile *profile(struct room *room, const struct client *who)
{
        return people_agent(room->desk, who->caller.principal);
}

static void say(struct room *room, const struct client *who, const char *params)
{
        take_result(room_ask(room, who, "status.set", "%s", params));
}

static void an_agent_is_online_when_he_comes_and_offline_some_time_after_he_went(void **state)
{
        struct room *room = *state;
        struct client eve = room_agent(room, "Eve", 0);
        room_turn(room);
        assert_int_equal(AGENT_ONLINE, profile(room, &eve)->status);
        assert_true(people_is_available(room->desk, profile(room, &eve)));
        room_leave(room, &eve);
        room_turn(room);
        assert_int_equal(AGENT_ONLINE, profile(room, &eve)->status); /* a reconnect does not flicker */
        assert_false(people_is_available(room->desk, profile(room, &eve)));
        clock_shift_mono(PEOPLE_GRACE_MS - 1000);
        room_turn(room);
        assert_int_equal(AGENT_ONLINE, profile(room, &eve)->status);
        clock_shift_mono(1000);
        room_turn(room);
        assert_int_equal(AGENT_OFFLINE, profile(room, &eve)->status);
        assert_int_equal(2, room_sql(room, "SELECT COUNT(*) FROM agent_status_log"));
        assert_int_equal(AGENT_OFFLINE, room_sql(room, "SELECT status FROM agent_profile WHERE since_ms > 0"));
}

static void he_is_what_he_was_when_he_comes_back(void **state)
{
        struct room *room = *state;
        struct client eve = room_agent(room, "Eve", 0);
        say(room, &eve, "{\"status\":\"away\",\"reason\":\"lunch\"}");
        room_leave(room, &eve);
        clock_shift_mono(PEOPLE_GRACE_MS);
        room_turn(room);
        assert_int_equal(AGENT_OFFLINE, profile(room, &eve)->status);
        eve = room_agent(room, "Eve", 1);
        room_turn(room);
        assert_int_equal(AGENT_AWAY, profile(room, &eve)->status);
        assert_string_equal("lunch", profile(room, &eve)->reason);
        say(room, &eve, "{\"status\":\"offline\"}");
        assert_int_equal(AGENT_OFFLINE,
                         profile(room, &eve)->status); /* and not to be given anything, though he looks on */
        assert_int_equal(1, profile(room, &eve)->connections);
}

static void a_restart_keeps_what_was_said(void **state)
{
        struct room *room = *state;
        struct client eve = room_agent(room, "Eve", 0), bob = room_agent(room, "Bob", 0);
        say(room, &eve, "{\"status\":\"busy\"}");
        room_close(room);
        room_open(room);
        assert_int_equal(AGENT_BUSY, profile(room, &eve)->status);
        assert_int_equal(AGENT_ONLINE, profile(room, &bob)->status);
        assert_false(people_is_available(room->desk, profile(room, &bob))); /* nobody is connected yet */
        clock_shift_mono(PEOPLE_GRACE_MS);
        room_turn(room);
        assert_int_equal(AGENT_OFFLINE, profile(room, &eve)->status);
        assert_int_equal(AGENT_BUSY, profile(room, &eve)->chosen);
}

static void agents_hear_of_a_change_once_for_all_that_happened(void **state)
{
        struct room *room = *state;
        struct client eve = room_agent(room, "Eve", 0), bob = room_agent(room, "Bob", 0);
        clock_shift_mono(1000);
        room_turn(room);
        room_forget(room);
        say(room, &eve, "{\"status\":\"busy\"}");
        size_t first = room_count(room, NOTE_AGENTS, "status");
        say(room, &eve, "{\"status\":\"away\",\"reason\":\"lunch\"}");
        say(room, &bob, "{\"status\":\"busy\"}");
        assert_int_equal(first, room_count(room, NOTE_AGENTS, "status"));
        clock_shift_mono(500);
        room_turn(room);
        assert_int_equal(first + 1, room_count(room, NOTE_AGENTS, "status"));
        const json_t *told = room_told(room, NOTE_AGENTS, "status", first)->json;
        assert_string_equal("away", words(told, "agents.0.status"));
        assert_string_equal("lunch", words(told, "agents.0.reason"));
        assert_string_equal(bob.id, words(told, "agents.1.agent"));
        assert_int_equal(-1, number(told, "agents.0.load")); /* not for everybody */
}

static void only_who_sees_the_board_sets_another_and_sees_the_load(void **state)
{
        struct room *room = *state;
        struct client eve = room_agent(room, "Eve", 0), bob = room_agent(room, "Bob", 0);
        take_error(room_ask(room, &eve, "status.set", "{\"status\":\"away\",\"agent\":\"%s\"}", bob.id), "forbidden");
        json_t *board = room_ask(room, &eve, "status.list", "{}");
        assert_int_equal(5, number(board, "result.agents.0.capacity")); /* his own */
        assert_int_equal(-1, number(board, "result.agents.1.capacity"));
        json_decref(board);
        take_error(room_read(room, &eve, "status.history", "{}"), "forbidden");
        crew_give_role(room, &eve, "rol_0000000000002");
        take_result(room_ask(room, &eve, "status.set", "{\"status\":\"away\",\"agent\":\"%s\"}", bob.id));
        assert_int_equal(AGENT_AWAY, profile(room, &bob)->status);
        assert_int_equal(1, room_sql(room, "SELECT COUNT(*) FROM audit WHERE action = 'status.set'"));
        board = room_ask(room, &eve, "status.list", "{}");
        assert_int_equal(5, number(board, "result.agents.1.capacity"));
        json_decref(board);
        json_t *history = room_read(room, &eve, "status.history", "{\"agent\":\"%s\"}", bob.id);
        assert_string_equal("online", words(history, "result.rows.0.status"));
        assert_string_equal("sys", words(history, "result.rows.0.by"));
        assert_string_equal("away", words(history, "result.rows.1.status"));
        assert_string_equal(eve.id, words(history, "result.rows.1.by"));
        json_decref(history);
}

static bool is_over(struct room *room, const char *agent)
{
        json_t *board = room_operate(room, "status.list", "{}"), *row;
        size_t i;
        bool over = false;
        json_array_foreach(json_object_get(json_object_get(board, "result"), "agents"), i, row)
                if (strcmp(words(row, "agent"), agent) == 0)
                        over = json_is_true(json_object_get(row, "over"));
        json_decref(board);
        return over;
}

static void a_reason_allows_so_many_minutes_in_a_day_and_counts_what_was_before(void **state)
{
        struct room *room = *state;
        struct client eve = room_agent(room, "Eve", 0);
        take_result(room_operate(room, "away.set", "{\"cmid\":\"%s\",\"reason\":\"lunch\",\"minutes\":60}",
                                 room_cmid(room)));
        take_error(room_ask(room, &eve, "status.set", "{\"status\":\"away\",\"reason\":\"golf\"}"), "bad_request");
        take_error(room_ask(room, &eve, "status.set", "{\"status\":\"away\"}"), "bad_request");
        take_error(room_ask(room, &eve, "status.set", "{\"status\":\"busy\",\"reason\":\"lunch\"}"), "bad_request");
        say(room, &eve, "{\"status\":\"away\",\"reason\":\"lunch\"}");
        clock_shift_wall(40 * 60000);
        say(room, &eve, "{\"status\":\"online\"}");
        clock_shift_wall(60 * 60000);
        say(room, &eve, "{\"status\":\"away\",\"reason\":\"lunch\"}");
        clock_shift_wall(19 * 60000);
        assert_false(is_over(room, eve.id));
        clock_shift_wall(2 * 60000);
        assert_true(is_over(room, eve.id));
        say(room, &eve, "{\"status\":\"online\"}");
        assert_false(is_over(room, eve.id));
        clock_shift_wall(25 * 3600000);
        say(room, &eve, "{\"status\":\"away\",\"reason\":\"lunch\"}");
        clock_shift_wall(50 * 60000);
        assert_false(is_over(room, eve.id)); /* yesterday does not count */
}

static void a_revoked_agent_is_on_no_board(void **state)
{
        struct room *room = *state;
        struct client eve = room_agent(room, "Eve", 0);
        take_result(room_operate(room, "agent.revoke", "{\"cmid\":\"%s\",\"agent\":\"%s\"}", room_cmid(room), eve.id));
        json_t *board = room_operate(room, "status.list", "{}");
        assert_int_equal(0, json_array_size(json_object_get(json_object_get(board, "result"), "agents")));
        json_decref(board);
        assert_true(profile(room, &eve)->is_gone);
        take_error(room_operate(room, "agent.set", "{\"cmid\":\"%s\",\"agent\":\"%s\",\"capacity\":1}", room_cmid(room),
                                eve.id),
                   "not_found");
        assert_int_equal(-PROTOCOL_ERR_FORBIDDEN, people_authorize(room->desk, &eve.caller, PROTOCOL_MAY_REPLY));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, room_set_up, room_tear_down)
        const struct CMUnitTest tests[] = {
                TEST(an_agent_is_online_when_he_comes_and_offline_some_time_after_he_went),
                TEST(he_is_what_he_was_when_he_comes_back),
                TEST(a_restart_keeps_what_was_said),
                TEST(agents_hear_of_a_change_once_for_all_that_happened),
                TEST(only_who_sees_the_board_sets_another_and_sees_the_load),
                TEST(a_reason_allows_so_many_minutes_in_a_day_and_counts_what_was_before),
                TEST(a_revoked_agent_is_on_no_board),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
