/* SPDX-License-Identifier: Apache-2.0 */
/* Who answers a conversation: the bot until it hands over or a person speaks, then people; and what a bot's turn may
 * do. The test stands in for the bot thread: it says what the bot says. */
#include <sqlite3.h>
#include <stdlib.h>

#include "unit/desk/room.h"

struct scene {
        struct room *room;
        struct client ann, eve;
        char *conv;
};

/* Straight into the store, as `deskbell bot add` and `publish` would. */
static void put(struct room *room, const char *sql)
{
        sqlite3 *db;
        char *why = NULL;
        assert_int_equal(SQLITE_OK, sqlite3_open(room->path, &db));
        sqlite3_busy_timeout(db, 5000);
        if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
                fail_msg("%s: %s", sql, why);
        sqlite3_close(db);
        bots_load(room->desk);
}

static struct scene scene_with(void **state, const char *set)
{
        struct scene scene = {.room = *state};
        scene.ann = room_customer(scene.room, "ann", 0);
        scene.eve = room_agent(scene.room, "Eve", 0);
        put(scene.room, "INSERT INTO principal(workspace, ext, role, name, created_ms)"
                        " SELECT id, 77, 3, 'Robin', 1 FROM workspace;"
                        "INSERT INTO bot(workspace, app, principal, kind, is_on, live, created_ms)"
                        " SELECT p.workspace, a.id, p.id, 1, 1, 1, 1 FROM principal p, app a WHERE p.ext = 77;"
                        "INSERT INTO bot_version(bot, hash, source, blob, published_ms, created_ms)"
                        " SELECT id, zeroblob(32), '{}', x'00', 1, 1 FROM bot");
        if (set)
                put(scene.room, set);
        scene.conv = room_conversation(scene.room, &scene.ann, "main");
        return scene;
}

static const struct conversation_row *row_of(const struct scene *scene)
{
        return &room_cached(scene->room, scene->conv)->row;
}

/* What the bot thread would post. */
static void bot_acts_as(const struct scene *scene, int64_t turn, int64_t seq, const char *decision, const char *actions)
{
        struct desk *desk = scene->room->desk;
        struct desk_command *command = NULL;
        struct fault fault = {0};
        char *text = NULL;
        assert_true(
                asprintf(&text,
                         "{\"cmid\":\"00000000000000000000000000000001\",\"conv\":\"%s\",\"turn\":%lld,\"seq\":%lld,"
                         "\"state\":\"{}\",\"lang\":\"en\",\"decision\":\"%s\",\"actions\":[%s]}",
                         scene->conv, (long long)turn, (long long)seq, decision, actions) > 0);
        assert_int_equal(0, command_decode(PROTOCOL_M_BOT_ACT, NULL, span_of(text), ROLE_BOT, &command, &fault));
        command->kind = COMMAND_BOT_TURN;
        command->bot_origin = (struct bot_origin){
                .conv = row_of(scene)->ext, .turn = turn, .bot = 1, .version = 1, .version_name = "0123456789abcdef"};
        free(text);
        assert_int_equal(0, desk_post(desk, command));
        room_turn(scene->room);
}

static void bot_acts(const struct scene *scene, const char *decision, const char *actions)
{
        bot_acts_as(scene, row_of(scene)->owner_turn, row_of(scene)->last_seq, decision, actions);
}

#define SAYS(text)                                                                                                     \
        "{\"does\":\"message\",\"kind\":\"text\",\"content\":{\"text\":\"" text                                        \
        "\"},\"rule\":\"faq refund\",\"score\":900}"
#define HANDS_OVER                                                                                                     \
        "{\"does\":\"handoff\",\"handoff\":{\"why\":\"asked\",\"team\":\"billing\",\"priority\":\"high\","             \
        "\"carry\":[{\"name\":\"order\",\"value\":\"KR-2041987\"}]}}"

static void the_first_message_makes_the_conversation_the_bots(void **state)
{
        struct scene scene = scene_with(state, NULL);
        take_seq(room_send(scene.room, &scene.ann, scene.conv, NULL, "a refund please"));
        assert_int_equal(OWNER_BOT, row_of(&scene)->owner);
        assert_int_equal(1, room_sql(scene.room, "SELECT asked > answered FROM bot_state"));
        room_check(scene.room);
        free(scene.conv);
}

static void what_the_bot_says_stands_with_version_rule_and_score(void **state)
{
        struct scene scene = scene_with(state, NULL);
        take_seq(room_send(scene.room, &scene.ann, scene.conv, NULL, "a refund please"));
        bot_acts(&scene, "answer", SAYS("Within 30 days."));
        assert_int_equal(2, row_of(&scene)->head);
        assert_int_equal(1, row_of(&scene)->unread);
        assert_int_equal(1, row_of(&scene)->unanswered); /* a person has not answered */
        assert_int_equal(
                1, room_sql(scene.room,
                            "SELECT COUNT(*) FROM entry WHERE seq = 2 AND body LIKE "
                            "'%\"bot\":{\"version\":\"0123456789abcdef\",\"rule\":\"faq refund\",\"score\":900}%'"));
        assert_int_equal(0, room_sql(scene.room, "SELECT asked > answered FROM bot_state"));
        assert_int_equal(BOT_ANSWERED, room_sql(scene.room, "SELECT kind FROM bot_event"));
        room_check(scene.room);
        free(scene.conv);
}

static void a_turn_is_taken_once(void **state)
{
        struct scene scene = scene_with(state, NULL);
        take_seq(room_send(scene.room, &scene.ann, scene.conv, NULL, "a refund please"));
        int64_t turn = row_of(&scene)->owner_turn;
        bot_acts_as(&scene, turn, 1, "answer", SAYS("Within 30 days."));
        bot_acts_as(&scene, turn, 1, "answer", SAYS("Within 30 days."));
        assert_int_equal(2, row_of(&scene)->head);
        assert_int_equal(turn + 1, row_of(&scene)->owner_turn);
        free(scene.conv);
}

static void a_persons_word_silences_the_bot_at_once(void **state)
{
        struct scene scene = scene_with(state, NULL);
        take_seq(room_send(scene.room, &scene.ann, scene.conv, NULL, "a refund please"));
        int64_t turn = row_of(&scene)->owner_turn;
        take_seq(room_send(scene.room, &scene.eve, scene.conv, NULL, "Hello Ann"));
        bot_acts_as(&scene, turn, 1, "answer", SAYS("Within 30 days."));
        assert_int_equal(2, row_of(&scene)->head);
        assert_int_equal(OWNER_PEOPLE, row_of(&scene)->owner);
        take_seq(room_send(scene.room, &scene.ann, scene.conv, NULL, "thanks"));
        assert_int_equal(0, room_sql(scene.room, "SELECT asked > answered FROM bot_state"));
        assert_int_equal(BOT_PERSON, room_sql(scene.room, "SELECT kind FROM bot_event ORDER BY id DESC"));
        room_check(scene.room);
        free(scene.conv);
}

static void a_note_of_the_team_leaves_the_conversation_to_the_bot(void **state)
{
        struct scene scene = scene_with(state, NULL);
        take_seq(room_send(scene.room, &scene.ann, scene.conv, NULL, "a refund please"));
        json_decref(room_note(scene.room, &scene.eve, scene.conv, "let us see what it says"));
        bot_acts(&scene, "answer", SAYS("Within 30 days."));
        assert_int_equal(2, row_of(&scene)->head);
        assert_int_equal(OWNER_BOT, row_of(&scene)->owner);
        free(scene.conv);
}

static void a_hand_off_is_a_note_with_what_was_collected(void **state)
{
        struct scene scene = scene_with(state, NULL);
        take_seq(room_send(scene.room, &scene.ann, scene.conv, NULL, "a person please"));
        bot_acts(&scene, "none", SAYS("I connect you.") "," HANDS_OVER);
        assert_int_equal(OWNER_PEOPLE, row_of(&scene)->owner);
        assert_true(row_of(&scene)->handed_ms > 0);
        assert_int_equal(2, row_of(&scene)->ihead); /* the note, and the change of the ticket */
        assert_int_equal(1, room_sql(scene.room,
                                     "SELECT COUNT(*) FROM entry WHERE log = 1 AND kind = 24 AND body LIKE "
                                     "'%KR-2041987%' AND body LIKE '%For the team billing. Priority: high.%'"));
        assert_int_equal(BOT_HANDED, room_sql(scene.room, "SELECT kind FROM bot_event"));
        take_seq(room_send(scene.room, &scene.eve, scene.conv, NULL, "Hello Ann"));
        assert_int_equal(0, row_of(&scene)->handed_ms);
        room_check(scene.room);
        free(scene.conv);
}

static void a_turn_that_is_not_as_it_has_to_be_opens_the_conversation(void **state)
{
        static const char *const wrong[] = {
                HANDS_OVER "," SAYS("one more thing"),
                "{\"does\":\"message\",\"kind\":\"text\"}",
                "{\"does\":\"message\",\"kind\":\"attachment\",\"content\":{\"text\":\"x\"}}",
                "{\"does\":\"message\",\"kind\":\"choices\",\"content\":{\"text\":\"x\"}}",
                "{\"does\":\"handoff\"}",
                "{\"does\":\"tag\"}",
        };
        for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
                struct scene scene = scene_with(state, NULL);
                take_seq(room_send(scene.room, &scene.ann, scene.conv, NULL, "hello"));
                bot_acts(&scene, "none", wrong[i]);
                assert_int_equal(OWNER_PEOPLE, row_of(&scene)->owner);
                assert_int_equal(1, row_of(&scene)->head);
                assert_int_equal(BOT_FAILED, room_sql(scene.room, "SELECT kind FROM bot_event ORDER BY id DESC"));
                free(scene.conv);
                room_tear_down(state);
                room_set_up(state);
        }
}

static void messages_that_come_while_it_thinks_are_asked_after(void **state)
{
        struct scene scene = scene_with(state, NULL);
        for (int i = 0; i < 3; i++)
                take_seq(room_send(scene.room, &scene.ann, scene.conv, NULL, "hello"));
        bot_acts_as(&scene, row_of(&scene)->owner_turn, 1, "none", SAYS("one"));
        assert_int_equal(1, room_sql(scene.room, "SELECT answered FROM bot_state"));
        bot_acts_as(&scene, row_of(&scene)->owner_turn, 2, "none", SAYS("two"));
        bot_acts_as(&scene, row_of(&scene)->owner_turn, 2, "none", SAYS("two again")); /* answered already */
        assert_int_equal(2, room_sql(scene.room, "SELECT answered FROM bot_state"));
        bot_acts_as(&scene, row_of(&scene)->owner_turn, 4, "none", SAYS("not asked")); /* its own message */
        bot_acts_as(&scene, row_of(&scene)->owner_turn, 3, "none", SAYS("three"));
        assert_int_equal(0, room_sql(scene.room, "SELECT asked > answered FROM bot_state"));
        assert_int_equal(6, row_of(&scene)->head);
        room_check(scene.room);
        free(scene.conv);
}

static void an_agent_gives_it_back_and_takes_it(void **state)
{
        struct scene scene = scene_with(state, NULL);
        take_seq(room_send(scene.room, &scene.ann, scene.conv, NULL, "hello"));
        take_result(room_ask(scene.room, &scene.eve, "conversation.give", "{\"conv\":\"%s\",\"to\":\"people\"}",
                             scene.conv));
        assert_int_equal(OWNER_PEOPLE, row_of(&scene)->owner);
        json_t *answer =
                room_ask(scene.room, &scene.eve, "conversation.give", "{\"conv\":\"%s\",\"to\":\"bot\"}", scene.conv);
        assert_string_equal("bot", words(answer, "result.row.owner"));
        json_decref(answer);
        assert_int_equal(0, room_sql(scene.room, "SELECT asked > answered FROM bot_state"));
        take_seq(room_send(scene.room, &scene.ann, scene.conv, NULL, "hello again"));
        bot_acts(&scene, "none", SAYS("Hi"));
        assert_int_equal(3, row_of(&scene)->head);
        free(scene.conv);
}

static void without_a_bot_nothing_can_be_given_to_it(void **state)
{
        struct scene scene = scene_with(state, "UPDATE bot SET is_on = 0");
        take_seq(room_send(scene.room, &scene.ann, scene.conv, NULL, "hello"));
        assert_int_equal(OWNER_OPEN, row_of(&scene)->owner);
        take_error(
                room_ask(scene.room, &scene.eve, "conversation.give", "{\"conv\":\"%s\",\"to\":\"bot\"}", scene.conv),
                "conflict");
        free(scene.conv);
}

static void a_bot_that_is_switched_off_leaves_its_conversations_to_people(void **state)
{
        struct scene scene = scene_with(state, NULL);
        take_seq(room_send(scene.room, &scene.ann, scene.conv, NULL, "hello"));
        put(scene.room, "UPDATE bot SET is_on = 0");
        take_seq(room_send(scene.room, &scene.ann, scene.conv, NULL, "anybody?"));
        assert_int_equal(OWNER_PEOPLE, row_of(&scene)->owner);
        assert_true(row_of(&scene)->handed_ms > 0);
        free(scene.conv);
}

static void a_bot_that_is_new_does_not_talk_into_a_persons_conversation(void **state)
{
        struct scene scene = scene_with(state, "UPDATE bot SET is_on = 0");
        take_seq(room_send(scene.room, &scene.ann, scene.conv, NULL, "hello"));
        take_seq(room_send(scene.room, &scene.eve, scene.conv, NULL, "Hello Ann"));
        put(scene.room, "UPDATE bot SET is_on = 1");
        take_seq(room_send(scene.room, &scene.ann, scene.conv, NULL, "a question"));
        assert_int_equal(OWNER_PEOPLE, row_of(&scene)->owner);
        assert_int_equal(0, row_of(&scene)->handed_ms);
        free(scene.conv);
}

static void a_share_of_conversations_skips_the_bot(void **state)
{
        struct scene scene = scene_with(state, "UPDATE bot SET holdout = 50");
        int held = 0;
        for (int i = 0; i < 100; i++) {
                char key[16];
                snprintf(key, sizeof key, "k%d", i);
                free(scene.conv);
                scene.conv = room_conversation(scene.room, &scene.ann, key);
                take_seq(room_send(scene.room, &scene.ann, scene.conv, NULL, "hello"));
                held += row_of(&scene)->owner == OWNER_PEOPLE;
        }
        assert_in_range(held, 30, 70);
        assert_int_equal(held, room_sql(scene.room, "SELECT COUNT(*) FROM bot_event WHERE kind = 11"));
        free(scene.conv);
}

static void what_was_asked_is_asked_again_after_a_restart(void **state)
{
        struct scene scene = scene_with(state, NULL);
        take_seq(room_send(scene.room, &scene.ann, scene.conv, NULL, "a refund please"));
        room_close(scene.room);
        room_open(scene.room);
        assert_int_equal(0, bot_turns_recover(scene.room->desk));
        assert_true(bot_turns_due_ms(scene.room->desk) != UINT64_MAX);
        free(scene.conv);
}

static void a_bot_that_says_nothing_three_times_is_given_up(void **state)
{
        struct scene scene = scene_with(state, NULL);
        take_seq(room_send(scene.room, &scene.ann, scene.conv, NULL, "a refund please"));
        struct desk_command *command = command_new(COMMAND_BOT_FAILED, 0);
        command->bot_origin = (struct bot_origin){
                .conv = row_of(&scene)->ext, .turn = row_of(&scene)->owner_turn, .bot = 1, .why = "silent"};
        assert_int_equal(0, desk_post(scene.room->desk, command));
        room_turn(scene.room);
        assert_int_equal(OWNER_PEOPLE, row_of(&scene)->owner);
        assert_int_equal(1, room_sql(scene.room, "SELECT COUNT(*) FROM entry WHERE log = 1 AND body LIKE "
                                                 "'%The bot did not answer.%'"));
        assert_int_equal(UINT64_MAX, bot_turns_due_ms(scene.room->desk));
        room_check(scene.room);
        free(scene.conv);
}

static void questions_are_kept_without_digits_and_addresses(void **state)
{
        struct scene scene = scene_with(state, NULL);
        take_seq(room_send(scene.room, &scene.ann, scene.conv, NULL, "order 20419 to ann@example.org now"));
        bot_acts(&scene, "miss", SAYS("Sorry?"));
        assert_int_equal(1, room_sql(scene.room, "SELECT question = 'order ##### to @ now' FROM bot_event"));
        free(scene.conv);
}

static void only_the_server_says_why_a_bot_said_it(void **state)
{
        struct scene scene = scene_with(state, NULL);
        take_error(
                room_ask(scene.room, &scene.eve, "message.send",
                         "{\"cmid\":\"%s\",\"conv\":\"%s\",\"kind\":\"text\",\"text\":\"x\",\"bot\":{\"rule\":\"r\"}}",
                         room_cmid(scene.room), scene.conv),
                "bad_request");
        free(scene.conv);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, room_set_up, room_tear_down)
        const struct CMUnitTest tests[] = {
                TEST(the_first_message_makes_the_conversation_the_bots),
                TEST(what_the_bot_says_stands_with_version_rule_and_score),
                TEST(a_turn_is_taken_once),
                TEST(a_persons_word_silences_the_bot_at_once),
                TEST(a_note_of_the_team_leaves_the_conversation_to_the_bot),
                TEST(a_hand_off_is_a_note_with_what_was_collected),
                TEST(a_turn_that_is_not_as_it_has_to_be_opens_the_conversation),
                TEST(messages_that_come_while_it_thinks_are_asked_after),
                TEST(an_agent_gives_it_back_and_takes_it),
                TEST(without_a_bot_nothing_can_be_given_to_it),
                TEST(a_bot_that_is_switched_off_leaves_its_conversations_to_people),
                TEST(a_bot_that_is_new_does_not_talk_into_a_persons_conversation),
                TEST(a_share_of_conversations_skips_the_bot),
                TEST(what_was_asked_is_asked_again_after_a_restart),
                TEST(a_bot_that_says_nothing_three_times_is_given_up),
                TEST(questions_are_kept_without_digits_and_addresses),
                TEST(only_the_server_says_why_a_bot_said_it),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
