/* SPDX-License-Identifier: Apache-2.0 */
/* Presence as the desk derives it from its sessions: what is told when, with the clock turned by the test. */
#include <stdio.h>
#include <stdlib.h>

#include "unit/desk/room.h"

enum { MINUTE_MS = 60000 };

/* Time passes, and the desk does what is due. */
static void pass(struct room *room, uint64_t ms)
{
        clock_shift_mono(ms);
        room_turn(room);
}

static size_t told(const struct room *room, const char *word)
{
        return room_count(room, NOTE_ATTENDANCE, word);
}

static size_t team_told(const struct room *room, const char *word)
{
        return room_count(room, NOTE_TEAM, word);
}

static void set_word(struct room *room, const struct client *agent, const char *state)
{
        take_result(room_ask(room, agent, "presence.set", "{\"state\":\"%s\"}", state));
}

/* A command that says whether a session has been silent for long. */
static void be_idle(struct room *room, const struct client *agent, bool is_idle)
{
        struct desk_command *command = command_new(COMMAND_IDLE, 0);
        assert_non_null(command);
        command->from = agent->ref;
        command->is_idle = is_idle;
        assert_int_equal(0, desk_post(room->desk, command));
        room_turn(room);
}

static void coming_is_told_at_once_and_going_ten_seconds_after_the_last_device(void **state)
{
        struct room *room = *state;
        room_agent(room, "Eve", 0);
        struct client phone = room_customer(room, "ann", 0), tablet = room_customer(room, "ann", 1);
        assert_int_equal(1, told(room, "online"));
        assert_int_equal(phone.caller.principal, room_told(room, NOTE_ATTENDANCE, "online", 0)->customer);
        room_leave(room, &phone);
        pass(room, 2 * PROTOCOL_PRESENCE_GONE_MS);
        assert_int_equal(0, told(room, "offline"));
        int64_t left_ms = clock_wall_ms();
        room_leave(room, &tablet);
        pass(room, PROTOCOL_PRESENCE_GONE_MS - 500);
        assert_int_equal(0, told(room, "offline"));
        assert_in_range(desk_next_due_ms(room->desk), 0, 1000);
        pass(room, 1000);
        assert_int_equal(1, told(room, "offline"));
        json_int_t seen = number(room_told(room, NOTE_ATTENDANCE, "offline", 0)->json, "seen");
        assert_int_equal(0, seen % MINUTE_MS);
        assert_in_range(left_ms - seen, 0, MINUTE_MS);
        pass(room, MINUTE_MS);
        assert_int_equal(1, told(room, "online") * told(room, "offline"));
}

static void a_reconnect_within_ten_seconds_is_not_told(void **state)
{
        struct room *room = *state;
        room_agent(room, "Eve", 0);
        struct client ann = room_customer(room, "ann", 0);
        for (int i = 0; i < 5; i++) {
                room_leave(room, &ann);
                pass(room, PROTOCOL_PRESENCE_GONE_MS - 500);
                ann = room_customer(room, "ann", 0);
        }
        pass(room, MINUTE_MS);
        assert_int_equal(1, told(room, "online"));
        assert_int_equal(0, told(room, "offline"));
}

static void changes_of_one_customer_are_told_at_most_once_in_five_seconds(void **state)
{
        struct room *room = *state;
        room_agent(room, "Eve", 0);
        struct client ann = room_customer(room, "ann", 0);
        pass(room, 1000);
        room_leave(room, &ann);
        pass(room, PROTOCOL_PRESENCE_GONE_MS + 500);
        assert_int_equal(1, told(room, "offline"));
        ann = room_customer(room, "ann", 0);
        assert_int_equal(1, told(room, "online"));
        pass(room, PROTOCOL_PRESENCE_EVERY_MS - 1500);
        assert_int_equal(1, told(room, "online"));
        pass(room, 2000);
        assert_int_equal(2, told(room, "online"));
        pass(room, MINUTE_MS);
        assert_int_equal(3, told(room, "online") + told(room, "offline"));
}

static void who_watches_is_answered_what_has_been_told(void **state)
{
        struct room *room = *state;
        struct client eve = room_agent(room, "Eve", 0), ann = room_customer(room, "ann", 0);
        char *conv = room_conversation(room, &ann, "main");
        json_t *answer = room_ask(room, &eve, "conversation.watch", "{\"conv\":\"%s\"}", conv);
        assert_true(json_is_true(
                json_object_get(json_object_get(json_object_get(answer, "result"), "presence"), "online")));
        json_decref(answer);
        room_leave(room, &ann);
        answer = room_ask(room, &eve, "conversation.watch", "{\"conv\":\"%s\"}", conv);
        assert_true(json_is_true(
                json_object_get(json_object_get(json_object_get(answer, "result"), "presence"), "online")));
        assert_int_equal(-1, number(answer, "result.presence.last_seen"));
        json_decref(answer);
        pass(room, PROTOCOL_PRESENCE_GONE_MS + 500);
        answer = room_ask(room, &eve, "conversation.watch", "{\"conv\":\"%s\"}", conv);
        assert_true(json_is_false(
                json_object_get(json_object_get(json_object_get(answer, "result"), "presence"), "online")));
        assert_int_equal(number(room_told(room, NOTE_ATTENDANCE, "offline", 0)->json, "seen"),
                         number(answer, "result.presence.last_seen"));
        json_decref(answer);
        free(conv);
}

static void presence_is_forgotten_with_the_process_and_costs_the_store_nothing(void **state)
{
        struct room *room = *state;
        struct client eve = room_agent(room, "Eve", 0), ann = room_customer(room, "ann", 0);
        char *conv = room_conversation(room, &ann, "main");
        room_flush(room);
        int64_t rev = desk_rev(room->desk);
        uint64_t batches = atomic_load(&room->desk->batches);
        set_word(room, &eve, "away");
        set_word(room, &eve, "here");
        be_idle(room, &eve, true);
        room_leave(room, &ann);
        pass(room, PROTOCOL_PRESENCE_GONE_MS + 500);
        assert_int_equal(1, told(room, "offline"));
        assert_int_equal(rev, desk_rev(room->desk));
        assert_int_equal(batches, atomic_load(&room->desk->batches));
        room_leave(room, &eve);
        room_close(room);
        room_open(room);
        eve = room_agent(room, "Eve", 0);
        json_t *answer = room_ask(room, &eve, "conversation.watch", "{\"conv\":\"%s\"}", conv);
        assert_true(json_is_false(
                json_object_get(json_object_get(json_object_get(answer, "result"), "presence"), "online")));
        assert_int_equal(-1, number(answer, "result.presence.last_seen"));
        json_decref(answer);
        free(conv);
}

static void an_erased_person_has_no_presence_and_no_name(void **state)
{
        struct room *room = *state;
        struct client eve = room_agent(room, "Eve", 0), ann;
        struct opening opening = room_user(room, "ann");
        snprintf(opening.name, sizeof opening.name, "Ann");
        assert_true(room_enter(room, &opening, 0, NULL, &ann, NULL));
        char *conv = room_conversation(room, &ann, "main");
        take_result(
                room_operate(room, "customer.erase", "{\"cmid\":\"%s\",\"customer\":\"%s\"}", room_cmid(room), ann.id));
        room_leave(room, &ann);
        pass(room, PROTOCOL_PRESENCE_GONE_MS + 500);
        assert_int_equal(0, told(room, "offline"));
        json_t *answer = room_ask(room, &eve, "conversation.watch", "{\"conv\":\"%s\"}", conv);
        assert_string_equal(conv, words(answer, "result.row.conv"));
        assert_null(json_object_get(json_object_get(answer, "result"), "presence"));
        assert_null(words(answer, "result.row.customer_name"));
        json_decref(answer);
        free(conv);
}

static void a_login_that_is_not_kept_is_not_told(void **state)
{
        struct room *room = *state;
        room_agent(room, "Eve", 0);
        struct opening opening = room_user(room, "ann");
        struct client ann;
        db_fault_reset(&db_sqlite);
        db_fault_add((struct db_fault_rule){
                .op = DB_FAULT_COMMIT, .kind = DB_FAULT_FAIL, .mode = DB_WRITER, .nth = 1, .error = DB_FULL});
        assert_false(room_enter(room, &opening, 0, NULL, &ann, NULL));
        pass(room, MINUTE_MS);
        assert_int_equal(0, told(room, "online") + told(room, "offline"));
        assert_int_equal(0, room->desk->attendance.ready.count);
}

static void a_crowd_is_told_in_bounded_notes_and_all_of_it(void **state)
{
        enum { CROWD = 700, IN_A_NOTE = 256 };
        struct room *room = *state;
        room_agent(room, "Eve", 0);
        struct principal_row row = {.role = ROLE_CUSTOMER, .workspace = room->desk->workspace};
        static const uint8_t device[16] = {9};
        for (unsigned i = 0; i < CROWD; i++) {
                row.id = 1000000 + (int64_t)i;
                row.ext = 1000000 + i;
                struct edge_ref ref = {.slot = 100000 + i, .generation = 1};
                assert_non_null(sessions_add(room->desk, ref, device, 0, directory_put(room->desk->directory, &row)));
        }
        assert_int_equal(0, desk_next_due_ms(room->desk));
        room_turn(room);
        assert_int_equal(IN_A_NOTE, told(room, "online"));
        for (int i = 0; i < 3; i++)
                room_turn(room);
        assert_int_equal(CROWD, told(room, "online"));
        for (unsigned i = 0; i < CROWD; i++)
                sessions_remove(room->desk, (struct edge_ref){.slot = 100000 + i, .generation = 1});
}

static void nothing_is_said_of_customers_while_no_staff_is_connected(void **state)
{
        struct room *room = *state;
        struct client ann = room_customer(room, "ann", 0);
        room_leave(room, &ann);
        pass(room, MINUTE_MS);
        assert_int_equal(0, told(room, "online") + told(room, "offline"));
}

/* ---- the team's word ---- */

static void the_first_agent_is_told_at_once_and_the_last_one_gone_after_30_seconds(void **state)
{
        struct room *room = *state;
        struct client eve = room_agent(room, "Eve", 0), adam = room_agent(room, "Adam", 0);
        assert_int_equal(1, team_told(room, "here"));
        pass(room, 5 * PROTOCOL_TEAM_EVERY_MS);
        room_leave(room, &eve);
        pass(room, 5 * PROTOCOL_TEAM_EVERY_MS);
        room_leave(room, &adam);
        assert_in_range(desk_next_due_ms(room->desk), PROTOCOL_TEAM_EVERY_MS - 1000, PROTOCOL_TEAM_EVERY_MS);
        pass(room, PROTOCOL_TEAM_EVERY_MS - 500);
        assert_int_equal(0, team_told(room, "away"));
        pass(room, 1000);
        assert_int_equal(1, team_told(room, "away"));
        assert_int_equal(1, team_told(room, "here"));
}

static void the_team_word_changes_at_most_once_in_30_seconds(void **state)
{
        struct room *room = *state;
        struct client eve = room_agent(room, "Eve", 0);
        for (int i = 0; i < 10; i++) {
                set_word(room, &eve, i % 2 ? "here" : "away");
                pass(room, 1000);
        }
        pass(room, 2 * PROTOCOL_TEAM_EVERY_MS);
        assert_int_equal(1, team_told(room, "here"));
        assert_int_equal(0, team_told(room, "away"));
        room_leave(room, &eve);
        pass(room, PROTOCOL_TEAM_EVERY_MS + 500);
        assert_int_equal(1, team_told(room, "away"));
        room_agent(room, "Eve", 0);
        assert_int_equal(1, team_told(room, "here"));
        pass(room, PROTOCOL_TEAM_EVERY_MS);
        assert_int_equal(2, team_told(room, "here"));
}

static void an_agent_who_is_idle_is_away_unless_he_said_here(void **state)
{
        struct room *room = *state;
        struct client desk = room_agent(room, "Eve", 0);
        pass(room, 2 * PROTOCOL_TEAM_EVERY_MS);
        be_idle(room, &desk, true);
        pass(room, PROTOCOL_TEAM_EVERY_MS + 500);
        assert_int_equal(1, team_told(room, "away"));
        pass(room, PROTOCOL_TEAM_EVERY_MS);
        be_idle(room, &desk, false);
        assert_int_equal(2, team_told(room, "here"));
        set_word(room, &desk, "here");
        be_idle(room, &desk, true);
        pass(room, 3 * PROTOCOL_TEAM_EVERY_MS);
        assert_int_equal(1, team_told(room, "away"));
}

static void an_agents_word_holds_for_all_his_sessions_and_goes_with_the_last(void **state)
{
        struct room *room = *state;
        struct client desk = room_agent(room, "Eve", 0), phone = room_agent(room, "Eve", 1);
        pass(room, 2 * PROTOCOL_TEAM_EVERY_MS);
        set_word(room, &phone, "away");
        pass(room, PROTOCOL_TEAM_EVERY_MS + 500);
        assert_int_equal(1, team_told(room, "away"));
        room_leave(room, &phone);
        pass(room, 2 * PROTOCOL_TEAM_EVERY_MS);
        room_leave(room, &desk);
        desk = room_agent(room, "Eve", 0); /* a reconnect forgets nothing */
        pass(room, PROTOCOL_TEAM_EVERY_MS);
        assert_int_equal(1, team_told(room, "here"));
        room_leave(room, &desk);
        pass(room, PROTOCOL_PRESENCE_GONE_MS + 500);
        assert_int_equal(0, room->desk->attendance.count);
        room_agent(room, "Eve", 0);
        assert_int_equal(2, team_told(room, "here"));
}

static void customers_are_told_the_word_at_login_and_nobody_is_told_who(void **state)
{
        struct room *room = *state;
        struct opening opening = room_user(room, "ann");
        struct client client;
        json_t *answer;
        assert_true(room_enter(room, &opening, 0, NULL, &client, &answer));
        assert_string_equal("away", words(answer, "result.team"));
        json_decref(answer);
        struct client eve = room_agent(room, "Eve", 0);
        opening = room_user(room, "bob");
        assert_true(room_enter(room, &opening, 0, NULL, &client, &answer));
        assert_string_equal("here", words(answer, "result.team"));
        char *bytes = json_dumps(answer, 0);
        assert_null(strstr(bytes, "Eve"));
        assert_null(strstr(bytes, eve.id));
        free(bytes);
        json_decref(answer);
        assert_int_equal(0, told(room, eve.id));
        for (size_t i = 0; i < room->told_count; i++)
                assert_true(room->told[i].kind != NOTE_ATTENDANCE || room->told[i].customer != eve.caller.principal);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, room_set_up, room_tear_down)
        const struct CMUnitTest tests[] = {
                TEST(coming_is_told_at_once_and_going_ten_seconds_after_the_last_device),
                TEST(a_reconnect_within_ten_seconds_is_not_told),
                TEST(changes_of_one_customer_are_told_at_most_once_in_five_seconds),
                TEST(who_watches_is_answered_what_has_been_told),
                TEST(presence_is_forgotten_with_the_process_and_costs_the_store_nothing),
                TEST(an_erased_person_has_no_presence_and_no_name),
                TEST(a_login_that_is_not_kept_is_not_told),
                TEST(a_crowd_is_told_in_bounded_notes_and_all_of_it),
                TEST(nothing_is_said_of_customers_while_no_staff_is_connected),
                TEST(the_first_agent_is_told_at_once_and_the_last_one_gone_after_30_seconds),
                TEST(the_team_word_changes_at_most_once_in_30_seconds),
                TEST(an_agent_who_is_idle_is_away_unless_he_said_here),
                TEST(an_agents_word_holds_for_all_his_sessions_and_goes_with_the_last),
                TEST(customers_are_told_the_word_at_login_and_nobody_is_told_who),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
