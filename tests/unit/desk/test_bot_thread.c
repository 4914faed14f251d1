/* SPDX-License-Identifier: Apache-2.0 */
/* The built-in bot in the server: a published version answers what customers write, through its own thread. */
#include <stdlib.h>

#include "bots/check.h"
#include "desk/bot_thread.h"
#include "unit/desk/room.h"

static const char shop[] =
        "bot 1\n"
        "lang en\n"
        "entity order match \"[A-Z]{2}-?[0-9]{6,10}\" example \"KR-2041987\"\n"
        "faq opening\n"
        "  ? When are you open?\n"
        "  ? What are your opening hours?\n"
        "  ? At what time do you close?\n"
        "  ~ open* hours\n"
        "  = Monday to Friday, 9 to 6.\n"
        "faq refund\n"
        "  ? How do I get a refund?\n"
        "  ? I want my money back\n"
        "  ~ refund\n"
        "  = Within 30 days.\n"
        "  article refunds/how\n"
        "flow status\n"
        "  ~ where .. order\n"
        "  ask order as order \"What is your order number?\"\n"
        "  call orders.lookup id=$order into o else say \"I cannot look that up.\" then handoff default\n"
        "  say \"It is $o.status.\"\n"
        "handoff default\n"
        "  team support\n"
        "  open say \"I connect you to a person.\"\n"
        "  closed ask email as mail \"Nobody is here now. Where can we write to you?\" then ticket\n";

struct scene {
        struct room *room;
        struct client ann, eve;
        char *conv;
        char bot[32];
};

static char *source_of(const char *text)
{
        struct bot_file file = {"shop.bot", span_of(text)};
        struct bot_problems *problems = bot_problems_new();
        json_t *bot = bot_source_read(&file, 1, problems, NULL);
        assert_non_null(bot);
        assert_true(bot_check(bot, NULL, &file, problems));
        char *canonical = bot_canonical(bot);
        json_decref(bot);
        bot_problems_free(problems);
        return canonical;
}

static json_t *operate(struct room *room, const char *method, json_t *params)
{
        char *text = json_dumps(params, 0);
        struct writer out;
        writer_init(&out, NULL, 0);
        desk_call(room->desk, span_of(method), text, strlen(text), &out);
        json_t *answer = json_loadb(out.bytes, out.len, 0, NULL);
        writer_done(&out);
        free(text);
        json_decref(params);
        if (!json_object_get(answer, "result"))
                fail_msg("%s: %s", method, words(answer, "error.message"));
        return answer;
}

static void publish(struct scene *scene, const char *text, int share)
{
        char *source = source_of(text);
        json_t *draft = operate(scene->room, "bot.draft", json_pack("{s:s, s:s}", "bot", scene->bot, "source", source));
        json_decref(operate(scene->room, "bot.publish",
                            json_pack("{s:s, s:s, s:s, s:i}", "cmid", room_cmid(scene->room), "bot", scene->bot,
                                      "version", words(draft, "result.version"), "share", share)));
        json_decref(draft);
        free(source);
}

static struct scene scene_of(void **state, const char *text)
{
        struct scene scene = {.room = *state};
        scene.ann = room_customer(scene.room, "ann", 0);
        scene.eve = room_agent(scene.room, "Eve", 0);
        json_t *made =
                operate(scene.room, "bot.add",
                        json_pack("{s:s, s:s, s:s, s:s, s:s}", "cmid", room_cmid(scene.room), "app", scene.room->app,
                                  "name", "Robin", "kind", "built_in", "articles", "https://shop.example/help/"));
        snprintf(scene.bot, sizeof scene.bot, "%s", words(made, "result.bot"));
        json_decref(made);
        publish(&scene, text, 100);
        json_decref(operate(scene.room, "bot.set",
                            json_pack("{s:s, s:s, s:b}", "cmid", room_cmid(scene.room), "bot", scene.bot, "on", 1)));
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

static bool is_asked(const struct scene *scene)
{
        return room_sql(scene->room, "SELECT COUNT(*) FROM bot_state WHERE asked > answered OR calling IS NOT NULL") >
               0;
}

/* Until the bot has said all it has to say. */
static void settle(const struct scene *scene)
{
        for (int i = 0; i < 10 && (i == 0 || is_asked(scene)); i++) {
                if (!is_asked(scene))
                        return;
                struct mailbox *in = &scene->room->desk->in;
                struct mailbox_item *item = mailbox_wait(in, 5000);
                assert_non_null(item);
                scene->room->desk->pending = item;
                room_turn(scene->room);
        }
}

static void say(const struct scene *scene, const char *text)
{
        take_seq(room_send(scene->room, &scene->ann, scene->conv, NULL, text));
        settle(scene);
}

static int64_t said(const struct scene *scene, const char *part)
{
        char sql[256];
        snprintf(sql, sizeof sql, "SELECT COUNT(*) FROM entry WHERE log = 0 AND body LIKE '%%%s%%'", part);
        return room_sql(scene->room, sql);
}

static void it_answers_from_what_the_team_wrote(void **state)
{
        struct scene scene = scene_of(state, shop);
        say(&scene, "can I have a refund?");
        assert_int_equal(1, said(&scene, "Within 30 days."));
        assert_int_equal(1, said(&scene, "https://shop.example/help/refunds/how"));
        assert_int_equal(3, said(&scene, "\"rule\":\"faq refund\"")); /* and under the article, and whether it helped */
        assert_int_equal(BOT_ANSWERED, room_sql(scene.room, "SELECT kind FROM bot_event"));
        done(&scene);
}

static void a_person_is_one_step_away(void **state)
{
        struct scene scene = scene_of(state, shop);
        say(&scene, "a person please");
        assert_int_equal(1, said(&scene, "I connect you to a person."));
        assert_int_equal(OWNER_PEOPLE, row_of(&scene)->owner);
        assert_int_equal(1, room_sql(scene.room, "SELECT COUNT(*) FROM entry WHERE log = 1 AND kind = 24"));
        int64_t head = row_of(&scene)->head;
        say(&scene, "are you there? when are you open");
        assert_int_equal(head + 1, row_of(&scene)->head);
        done(&scene);
}

static void people_see_who_waits_for_them_while_the_bot_still_asks(void **state)
{
        struct scene scene = scene_of(state, shop);
        scene.room->desk->attendance.agents_here = 0;
        say(&scene, "a person please");
        assert_int_equal(1, said(&scene, "Where can we write to you?"));
        assert_int_equal(OWNER_BOT, row_of(&scene)->owner);
        assert_true(row_of(&scene)->handed_ms > 0);
        say(&scene, "ann@example.org");
        assert_int_equal(OWNER_PEOPLE, row_of(&scene)->owner);
        assert_int_equal(BOT_TICKET, room_sql(scene.room, "SELECT kind FROM bot_event ORDER BY id DESC"));
        assert_int_equal(1, room_sql(scene.room, "SELECT COUNT(*) FROM entry WHERE log = 1 AND body LIKE "
                                                 "'%ann@example.org%' AND body LIKE '%the answer comes later%'"));
        done(&scene);
}

static void a_tap_on_its_buttons_is_understood(void **state)
{
        struct scene scene = scene_of(state, shop);
        say(&scene, "can I have a refund?");
        json_t *asked = json_object();
        char id[65] = "", label[201] = "";
        int64_t seq = room_sql(scene.room, "SELECT seq FROM entry WHERE kind = 3");
        struct db_stmt *stmt;
        struct entry_row row;
        assert_int_equal(DB_ROW, entries_get(scene.room->desk->db, row_of(&scene)->id, LOG_PUBLIC, seq, &row, &stmt));
        json_decref(asked);
        asked = json_loadb(row.body.at, row.body.len, 0, NULL);
        db_reset(stmt);
        const json_t *yes = json_array_get(json_object_get(asked, "choices"), 0);
        snprintf(id, sizeof id, "%s", json_string_value(json_object_get(yes, "id")));
        snprintf(label, sizeof label, "%s", json_string_value(json_object_get(yes, "label")));
        json_decref(asked);
        take_seq(room_ask(scene.room, &scene.ann, "message.send",
                          "{\"cmid\":\"%s\",\"conv\":\"%s\",\"kind\":\"text\",\"text\":\"%s\",\"pressed\":{\"seq\":%d,"
                          "\"id\":\"%s\"}}",
                          room_cmid(scene.room), scene.conv, label, (int)seq, id));
        settle(&scene);
        assert_int_equal(BOT_HELPED, room_sql(scene.room, "SELECT kind FROM bot_event ORDER BY id DESC"));
        done(&scene);
}

static void a_call_without_a_back_end_fails_to_a_person(void **state)
{
        struct scene scene = scene_of(state, shop);
        say(&scene, "where is my order");
        assert_int_equal(1, said(&scene, "What is your order number?"));
        say(&scene, "KR-2041987");
        assert_int_equal(1, said(&scene, "I cannot look that up."));
        assert_int_equal(OWNER_PEOPLE, row_of(&scene)->owner);
        assert_int_equal(1,
                         room_sql(scene.room, "SELECT COUNT(*) FROM entry WHERE log = 1 AND body LIKE '%KR-2041987%'"));
        done(&scene);
}

static void a_flow_is_finished_by_the_version_that_began_it(void **state)
{
        struct scene scene = scene_of(state, shop);
        say(&scene, "where is my order");
        int64_t version = room_sql(scene.room, "SELECT version FROM bot_state");
        publish(&scene, "bot 1\nlang en\nfaq refund\n  ~ refund\n  = Now within 60 days.\n", 100);
        say(&scene, "KR-2041987");
        assert_int_equal(version, room_sql(scene.room, "SELECT version FROM bot_state"));
        free(scene.conv);
        scene.conv = room_conversation(scene.room, &scene.ann, "second");
        say(&scene, "a refund");
        assert_int_equal(1, said(&scene, "Now within 60 days."));
        done(&scene);
}

static void a_version_that_cannot_be_loaded_opens_the_conversation(void **state)
{
        struct scene scene = scene_of(state, shop);
        struct db *db = scene.room->desk->db;
        assert_int_equal(0, db_begin(db));
        assert_int_equal(0, db_exec(db, "UPDATE bot_version SET blob = x'0011'"));
        assert_int_equal(0, db_commit(db));
        say(&scene, "a refund");
        assert_int_equal(OWNER_PEOPLE, row_of(&scene)->owner);
        assert_int_equal(BOT_FAILED, room_sql(scene.room, "SELECT kind FROM bot_event"));
        done(&scene);
}

static void any_bytes_of_a_customer_are_answered(void **state)
{
        struct scene scene = scene_of(state, shop);
        char *longest = malloc(10001);
        memset(longest, 'a', 10000);
        longest[10000] = 0;
        const char *texts[] = {"\xe2\x80\x8b", "👨‍👩‍👧‍👦", "ㅋㅋㅋㅋ", "\xd8\xa7\xd9\x84\xd8\xb3", "?",
                               longest};
        for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
                say(&scene, texts[i]);
                assert_false(is_asked(&scene));
        }
        free(longest);
        done(&scene);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, room_set_up, room_tear_down)
        const struct CMUnitTest tests[] = {
                TEST(it_answers_from_what_the_team_wrote),
                TEST(a_person_is_one_step_away),
                TEST(people_see_who_waits_for_them_while_the_bot_still_asks),
                TEST(a_tap_on_its_buttons_is_understood),
                TEST(a_call_without_a_back_end_fails_to_a_person),
                TEST(a_flow_is_finished_by_the_version_that_began_it),
                TEST(a_version_that_cannot_be_loaded_opens_the_conversation),
                TEST(any_bytes_of_a_customer_are_answered),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
