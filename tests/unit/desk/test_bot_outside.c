/* SPDX-License-Identifier: Apache-2.0 */
/* Bots of others in the desk: a program is told its turn until it answers or its time is over; a promise is given its
 * minute; what cannot be asked goes to people. The clock is turned by the test. */
#include <stdlib.h>
#include <unistd.h>

#include "desk/bot_thread.h"
#include "unit/desk/room.h"

enum { ASK_AGAIN_MS = 10000, LOOKS = 2000, LOOK_US = 5000 };

struct scene {
        struct room *room;
        struct client ann, eve;
        char *conv;
};

static struct scene scene_of(void **state, const char *kind, const char *more)
{
        struct scene scene = {.room = *state};
        scene.ann = room_customer(scene.room, "ann", 0);
        scene.eve = room_agent(scene.room, "Eve", 0);
        take_result(room_operate(scene.room, "bot.add",
                                 "{\"cmid\":\"%s\",\"app\":\"%s\",\"name\":\"Robin\",\"kind\":\"%s\"%s}",
                                 room_cmid(scene.room), scene.room->app, kind, more));
        scene.conv = room_conversation(scene.room, &scene.ann, "main");
        assert_int_equal(0, bot_thread_start(scene.room->desk));
        return scene;
}

static void done(struct scene *scene)
{
        room_check(scene->room);
        bot_thread_stop(scene->room->desk);
        free(scene->conv);
}

static const struct conversation_row *row_of(const struct scene *scene)
{
        return &room_cached(scene->room, scene->conv)->row;
}

/* Turn number `nth` (from 0) as it was told; waits for the bot's thread. */
static const struct room_note *told(const struct scene *scene, size_t nth)
{
        for (int i = 0; i < LOOKS && room_count(scene->room, NOTE_EVENT, "bot.turn") <= nth; i++) {
                room_turn(scene->room);
                usleep(LOOK_US);
        }
        return room_told(scene->room, NOTE_EVENT, "bot.turn", nth);
}

static void goes_to_people(const struct scene *scene)
{
        for (int i = 0; i < LOOKS && row_of(scene)->owner == OWNER_BOT; i++) {
                room_turn(scene->room);
                usleep(LOOK_US);
        }
        assert_int_equal(OWNER_PEOPLE, row_of(scene)->owner);
}

static void pass(const struct scene *scene, uint64_t ms)
{
        clock_shift_mono(ms);
        room_turn(scene->room);
}

static void a_program_is_told_until_its_time_is_over(void **state)
{
        struct scene scene = scene_of(state, "program", "");
        take_seq(room_send(scene.room, &scene.ann, scene.conv, NULL, "hello"));
        const struct room_note *first = told(&scene, 0);
        assert_non_null(first);
        assert_int_equal(room_sql(scene.room, "SELECT principal FROM bot"), first->customer); /* nobody else */
        assert_int_equal(0, first->conv);
        assert_string_equal(scene.conv, words(first->json, "conversation.id"));
        assert_string_equal("hello", words(first->json, "message.text"));
        assert_string_equal("ann", words(first->json, "conversation.customer.external_id"));
        assert_int_equal(row_of(&scene)->owner_turn, number(first->json, "turn"));
        char *event = strdup(words(first->json, "event_id"));
        for (size_t again = 1; again <= 2; again++) {
                pass(&scene, ASK_AGAIN_MS);
                assert_non_null(told(&scene, again));
                assert_string_equal(event, words(told(&scene, again)->json, "event_id"));
                assert_int_equal(OWNER_BOT, row_of(&scene)->owner);
        }
        pass(&scene, ASK_AGAIN_MS);
        assert_int_equal(OWNER_PEOPLE, row_of(&scene)->owner);
        assert_int_equal(1, room_sql(scene.room, "SELECT rule = 'silent' FROM bot_event WHERE kind = 10"));
        assert_int_equal(UINT64_MAX, bot_turns_due_ms(scene.room->desk));
        free(event);
        done(&scene);
}

/* COMMAND_BOT_PROMISED, as after an answer 202. */
static void promise(const struct scene *scene, int64_t turn)
{
        struct desk_command *command = command_new(COMMAND_BOT_PROMISED, 0);
        assert_non_null(command);
        command->bot_origin = (struct bot_origin){.conv = row_of(scene)->ext, .turn = turn, .bot = 1};
        assert_int_equal(0, desk_post(scene->room->desk, command));
        room_turn(scene->room);
}

static void a_promise_is_given_a_minute_and_not_asked_again(void **state)
{
        struct scene scene = scene_of(state, "program", "");
        take_seq(room_send(scene.room, &scene.ann, scene.conv, NULL, "hello"));
        assert_non_null(told(&scene, 0));
        promise(&scene, row_of(&scene)->owner_turn);
        pass(&scene, BOT_PROMISED_MS - 1000);
        assert_int_equal(OWNER_BOT, row_of(&scene)->owner);
        assert_int_equal(1, room_count(scene.room, NOTE_EVENT, "bot.turn"));
        pass(&scene, 2000);
        assert_int_equal(OWNER_PEOPLE, row_of(&scene)->owner);
        done(&scene);
}

static void a_promise_for_a_turn_that_is_over_changes_nothing(void **state)
{
        struct scene scene = scene_of(state, "program", "");
        take_seq(room_send(scene.room, &scene.ann, scene.conv, NULL, "hello"));
        assert_non_null(told(&scene, 0));
        promise(&scene, row_of(&scene)->owner_turn - 1);
        pass(&scene, ASK_AGAIN_MS);
        assert_non_null(told(&scene, 1));
        done(&scene);
}

#define SECRET ",\"secret\":\"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\""

/* 192.0.2.1 is an address for documentation: allowed when the bot was set up, and not any more. */
static void an_address_that_is_not_allowed_is_not_asked(void **state)
{
        static const char *const allow[] = {"192.0.2.1", NULL};
        struct room *room = *state;
        room->desk->settings.webhook_allow = allow;
        struct scene scene = scene_of(state, "webhook", ",\"url\":\"http://192.0.2.1/turn\"" SECRET);
        room->desk->settings.webhook_allow = NULL;
        take_seq(room_send(scene.room, &scene.ann, scene.conv, NULL, "hello"));
        goes_to_people(&scene);
        assert_int_equal(1, room_sql(scene.room, "SELECT rule = 'not_asked' FROM bot_event WHERE kind = 10"));
        struct desk_stats stats;
        desk_stats_read(scene.room->desk, &stats);
        assert_int_equal(0, stats.bot_posts);
        assert_int_equal(1, stats.bot_failures);
        done(&scene);
}

static void a_built_in_bot_has_no_turns_for_others(void **state)
{
        struct scene scene = scene_of(state, "built_in", "");
        take_seq(room_send(scene.room, &scene.ann, scene.conv, NULL, "hello"));
        assert_int_equal(OWNER_OPEN, row_of(&scene)->owner); /* nothing is published */
        assert_int_equal(0, room_count(scene.room, NOTE_EVENT, "bot.turn"));
        done(&scene);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, room_set_up, room_tear_down)
        const struct CMUnitTest tests[] = {
                TEST(a_program_is_told_until_its_time_is_over),
                TEST(a_promise_is_given_a_minute_and_not_asked_again),
                TEST(a_promise_for_a_turn_that_is_over_changes_nothing),
                TEST(an_address_that_is_not_allowed_is_not_asked),
                TEST(a_built_in_bot_has_no_turns_for_others),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
