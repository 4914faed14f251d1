/* SPDX-License-Identifier: Apache-2.0 */
/* The operator's questions about a bot, on the desk: what is refused, what learning keeps and loses, and what is
 * forgotten with a person. The numbers themselves: tests/e2e/bot_numbers.py. */
#include <stdio.h>
#include <stdlib.h>

#include "desk/bot_builder.h"
#include "unit/desk/room.h"

static const char source[] =
        "{\\\"faqs\\\":{\\\"opening\\\":{\\\"texts\\\":{\\\"en\\\":{\\\"answers\\\":[\\\"From 9 to 18.\\\"],"
        "\\\"examples\\\":[\\\"When are you open?\\\"]}}}},\\\"lang\\\":\\\"en\\\",\\\"schema\\\":\\\"bot/1\\\"}";

struct shop {
        struct room *room;
        char bot[32];
        int64_t row;
        struct client ann;
        char *conv;
        int64_t conv_row;
};

static struct shop open_shop(struct room *room)
{
        struct shop shop = {.room = room};
        json_t *made = room_operate(room, "bot.add",
                                    "{\"cmid\":\"%s\",\"app\":\"%s\",\"name\":\"Shop\",\"kind\":\"built_in\"}",
                                    room_cmid(room), room->app);
        assert_non_null(words(made, "result.bot"));
        snprintf(shop.bot, sizeof shop.bot, "%s", words(made, "result.bot"));
        json_decref(made);
        take_result(room_operate(room, "bot.draft", "{\"bot\":\"%s\",\"source\":\"%s\"}", shop.bot, source));
        shop.row = room_sql(room, "SELECT id FROM bot");
        shop.ann = room_customer(room, "ann", 1);
        shop.conv = room_conversation(room, &shop.ann, "main");
        shop.conv_row = room_sql(room, "SELECT id FROM conversation");
        return shop;
}

/* The customer asked it, and the bot was not sure; the number of the question. */
static int64_t ask(struct shop *shop, const char *lang, const char *text)
{
        json_int_t seq = take_seq(room_send(shop->room, &shop->ann, shop->conv, NULL, text));
        struct db *db = shop->room->desk->db;
        assert_int_equal(db_begin(db), DB_OK);
        struct db_stmt *stmt = db_stmt(db, SQL_BOT_EVENT_PUT);
        db_bind_int(stmt, 1, shop->row);
        db_bind_int(stmt, 2, shop->conv_row);
        db_bind_int(stmt, 3, seq);
        db_bind_int(stmt, 4, clock_wall_ms());
        db_bind_int(stmt, 5, BOT_MISSED);
        db_bind_int(stmt, 6, 0);
        db_bind_text(stmt, 7, SPAN(""));
        db_bind_int(stmt, 8, 0);
        db_bind_text(stmt, 9, span_of(lang));
        db_bind_text(stmt, 10, span_of(text));
        assert_int_equal(db_run(stmt), DB_OK);
        int64_t id = db_last_id(db);
        assert_int_equal(db_commit(db), DB_OK);
        return id;
}

static json_t *questions(struct shop *shop, const char *more)
{
        json_t *told = room_operate(shop->room, "bot.questions", "{\"bot\":\"%s\"%s}", shop->bot, more);
        assert_non_null(json_object_get(told, "result"));
        return told;
}

static json_int_t count_of(struct shop *shop, const char *more)
{
        json_t *told = questions(shop, more);
        json_int_t count = number(told, "result.questions");
        json_decref(told);
        return count;
}

static json_t *learn(struct shop *shop, const char *answer, int64_t id)
{
        return room_operate(shop->room, "bot.learn",
                            "{\"cmid\":\"%s\",\"bot\":\"%s\",\"answer\":\"%s\",\"questions\":[%lld]}",
                            room_cmid(shop->room), shop->bot, answer, (long long)id);
}

static void questions_of_two_languages_are_never_put_together(void **state)
{
        struct shop shop = open_shop(*state);
        ask(&shop, "en", "taxi nach berlin");
        ask(&shop, "de", "taxi nach berlin");
        ask(&shop, "", "taxi nach berlin");
        json_t *told = questions(&shop, "");
        assert_int_equal(3, json_array_size(json_object_get(json_object_get(told, "result"), "clusters")));
        json_decref(told);
        assert_int_equal(1, count_of(&shop, ",\"lang\":\"de\""));
        free(shop.conv);
}

static void limit_and_since_bound_what_is_told(void **state)
{
        char since[64];
        struct shop shop = open_shop(*state);
        ask(&shop, "en", "gift cards");
        ask(&shop, "en", "shipping to norway");
        json_t *told = questions(&shop, ",\"limit\":1");
        assert_int_equal(2, number(told, "result.questions"));
        assert_int_equal(1, json_array_size(json_object_get(json_object_get(told, "result"), "clusters")));
        json_decref(told);
        snprintf(since, sizeof since, ",\"since\":%lld", (long long)clock_wall_ms() + 1000);
        assert_int_equal(0, count_of(&shop, since));
        free(shop.conv);
}

static void a_long_question_is_told_by_its_first_thousand_characters(void **state)
{
        char text[3 * 2000 + 1];
        struct shop shop = open_shop(*state);
        for (size_t i = 0; i < 2000; i++)
                memcpy(text + 3 * i, "\xed\x99\x98", 3); /* 환 */
        text[sizeof text - 1] = 0;
        ask(&shop, "ko", text);
        json_t *told = questions(&shop, "");
        const json_t *cluster = json_array_get(json_object_get(json_object_get(told, "result"), "clusters"), 0);
        assert_int_equal(3000, strlen(words(cluster, "title")));
        json_decref(told);
        free(shop.conv);
}

static void what_is_learned_is_a_draft_and_its_question_is_settled_once(void **state)
{
        struct shop shop = open_shop(*state);
        int64_t id = ask(&shop, "en", "until when may I come");
        json_t *made = learn(&shop, "faq opening", id);
        assert_int_equal(1, number(made, "result.added"));
        assert_int_equal(1, number(made, "result.settled"));
        json_decref(made);
        assert_int_equal(0, count_of(&shop, ""));
        assert_int_equal(0, room_sql(shop.room, "SELECT live FROM bot"));
        assert_int_equal(1, room_sql(shop.room, "SELECT COUNT(*) FROM bot_version WHERE source LIKE '%may I come%'"));
        made = learn(&shop, "faq opening", id); /* once more: nothing is new */
        assert_int_equal(0, number(made, "result.added"));
        assert_int_equal(0, number(made, "result.settled"));
        json_decref(made);
        assert_int_equal(2, room_sql(shop.room, "SELECT COUNT(*) FROM bot_version"));
        room_check(shop.room);
        free(shop.conv);
}

static void learning_for_nobody_or_nothing_is_refused_by_name(void **state)
{
        struct shop shop = open_shop(*state);
        int64_t id = ask(&shop, "en", "until when may I come");
        take_error(learn(&shop, "faq closing", id), "bad_request");
        take_error(learn(&shop, "faq opening", id + 1), "not_found");
        take_error(room_operate(shop.room, "bot.learn",
                                "{\"cmid\":\"%s\",\"bot\":\"bot_0000000000001\",\"answer\":\"faq opening\","
                                "\"questions\":[%lld]}",
                                room_cmid(shop.room), (long long)id),
                   "not_found");
        assert_int_equal(1, count_of(&shop, ""));
        assert_int_equal(1, room_sql(shop.room, "SELECT COUNT(*) FROM bot_version"));
        free(shop.conv);
}

static void keep(void *data, struct span response)
{
        json_t **out = data;
        *out = json_loadb(response.at, response.len, 0, NULL);
}

static void a_draft_that_came_meanwhile_is_not_lost(void **state)
{
        struct shop shop = open_shop(*state);
        struct room *room = shop.room;
        static const struct request_id one = {1, "1"};
        char params[256];
        struct desk_command *command = NULL;
        struct fault fault = {0};
        json_t *answer = NULL;
        int len = snprintf(params, sizeof params,
                           "{\"cmid\":\"%s\",\"bot\":\"%s\",\"answer\":\"faq opening\",\"questions\":[%lld]}",
                           room_cmid(room), shop.bot, (long long)ask(&shop, "en", "until when may I come"));
        int rc = command_decode(PROTOCOL_M_BOT_LEARN, &one, (struct span){params, (size_t)len}, ROLE_OPERATOR, &command,
                                &fault);
        assert_int_equal(0, rc);
        command->caller = (struct caller){.role = ROLE_OPERATOR, .workspace = room->desk->workspace};
        command->done = keep;
        command->done_data = &answer;
        assert_int_equal(0, bot_builder_prepare(room->desk->db, command, &fault));
        json_t *made = learn(&shop, "faq opening", ask(&shop, "en", "how late can I call"));
        assert_int_equal(1, number(made, "result.added"));
        json_decref(made);
        assert_int_equal(0, desk_post(room->desk, command));
        room_turn(room);
        take_error(answer, "conflict");
        assert_int_equal(1, count_of(&shop, ""));
        assert_int_equal(2, room_sql(room, "SELECT COUNT(*) FROM bot_version"));
        free(shop.conv);
}

static void learning_that_cannot_be_stored_settles_nothing(void **state)
{
        struct shop shop = open_shop(*state);
        int64_t id = ask(&shop, "en", "until when may I come");
        db_fault_reset(&db_sqlite);
        assert_true(db_fault_add((struct db_fault_rule){
                .op = DB_FAULT_COMMIT, .kind = DB_FAULT_FAIL, .mode = DB_WRITER, .nth = 1, .error = DB_FULL}));
        take_error(learn(&shop, "faq opening", id), "storage_full");
        db_fault_reset(&db_sqlite);
        assert_int_equal(0, room_sql(shop.room, "SELECT is_settled FROM bot_event"));
        assert_int_equal(1, room_sql(shop.room, "SELECT COUNT(*) FROM bot_version"));
        free(shop.conv);
}

static void a_report_of_a_wrong_stretch_or_version_is_refused_by_name(void **state)
{
        struct shop shop = open_shop(*state);
        static const struct {
                const char *more, *field, *tag;
        } wrong[] = {
                {",\"from\":5,\"to\":5", "from", "bad_request"},
                {",\"from\":0,\"to\":34560000001", "from", "bad_request"},
                {",\"version\":\"0123456z\"", "version", "bad_request"},
                {",\"version\":\"01234567\"", NULL, "not_found"},
        };
        for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
                json_t *answer = room_operate(shop.room, "bot.report", "{\"bot\":\"%s\"%s}", shop.bot, wrong[i].more);
                if (wrong[i].field)
                        assert_string_equal(wrong[i].field, words(answer, "error.data.field"));
                take_error(answer, wrong[i].tag);
        }
        take_error(room_operate(shop.room, "bot.report", "{\"bot\":\"bot_0000000000001\"}"), "not_found");
        take_result(room_operate(shop.room, "bot.report", "{\"bot\":\"%s\",\"from\":0,\"to\":34560000000}", shop.bot));
        free(shop.conv);
}

static void an_erased_or_edited_message_is_not_asked_any_more(void **state)
{
        struct shop shop = open_shop(*state);
        ask(&shop, "en", "my name is Ann Example");
        ask(&shop, "en", "I live in Berlin");
        ask(&shop, "en", "gift cards");
        take_result(room_ask(shop.room, &shop.ann, "message.erase", "{\"cmid\":\"%s\",\"conv\":\"%s\",\"of\":1}",
                             room_cmid(shop.room), shop.conv));
        take_result(room_ask(shop.room, &shop.ann, "message.edit",
                             "{\"cmid\":\"%s\",\"conv\":\"%s\",\"of\":2,\"version\":1,\"text\":\"I live here\"}",
                             room_cmid(shop.room), shop.conv));
        assert_int_equal(1, count_of(&shop, ""));
        assert_int_equal(1, room_sql(shop.room, "SELECT COUNT(*) FROM bot_event WHERE question IS NOT NULL"));
        assert_int_equal(3, room_sql(shop.room, "SELECT COUNT(*) FROM bot_event WHERE kind = 3"));
        room_check(shop.room);
        free(shop.conv);
}

/* What the bot was about to say to an erased person is refused; what it knew of him is gone. */
static void an_erased_person_is_gone_from_the_bot(void **state)
{
        struct shop shop = open_shop(*state);
        json_t *made = learn(&shop, "faq opening", ask(&shop, "en", "zirbelkiefer"));
        take_result(room_operate(shop.room, "bot.publish",
                                 "{\"cmid\":\"%s\",\"bot\":\"%s\",\"version\":\"%.12s\",\"share\":100}",
                                 room_cmid(shop.room), shop.bot, words(made, "result.version")));
        json_decref(made);
        ask(&shop, "en", "gift cards"); /* now the conversation is the bot's */
        assert_int_equal(OWNER_BOT, room_sql(shop.room, "SELECT owner FROM conversation"));
        assert_int_equal(1, room_sql(shop.room, "SELECT asked > answered FROM bot_state"));
        struct db *db = shop.room->desk->db;
        assert_int_equal(db_begin(db), DB_OK);
        struct db_stmt *stmt = db_stmt(db, SQL_BOT_STATE_ACT);
        db_bind_int(stmt, 1, shop.conv_row);
        db_bind_int(stmt, 2, 1);
        db_bind_int(stmt, 3, 1);
        db_bind_int(stmt, 4, 1);
        db_bind_text(stmt, 5, SPAN("{\"does\":\"call\"}"));
        db_bind_text(stmt, 6, SPAN("{\"slots\":{\"name\":\"Ann\"}}"));
        assert_int_equal(db_run(stmt), DB_OK);
        assert_int_equal(db_commit(db), DB_OK);
        int64_t turn = room_sql(shop.room, "SELECT owner_turn FROM conversation");
        take_result(room_operate(shop.room, "customer.erase", "{\"cmid\":\"%s\",\"customer\":\"%s\"}",
                                 room_cmid(shop.room), shop.ann.id));
        assert_int_equal(0, room_sql(shop.room, "SELECT COUNT(*) FROM bot_event WHERE question IS NOT NULL"));
        assert_int_equal(1, room_sql(shop.room, "SELECT state IS NULL AND calling IS NULL AND asked = answered AND "
                                                "is_in_flow = 0 FROM bot_state"));
        assert_true(room_sql(shop.room, "SELECT owner_turn FROM conversation") > turn);
        room_check(shop.room);
        free(shop.conv);
}

#define IN_A_ROOM(test) cmocka_unit_test_setup_teardown(test, room_set_up, room_tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                IN_A_ROOM(questions_of_two_languages_are_never_put_together),
                IN_A_ROOM(limit_and_since_bound_what_is_told),
                IN_A_ROOM(a_long_question_is_told_by_its_first_thousand_characters),
                IN_A_ROOM(what_is_learned_is_a_draft_and_its_question_is_settled_once),
                IN_A_ROOM(learning_for_nobody_or_nothing_is_refused_by_name),
                IN_A_ROOM(a_draft_that_came_meanwhile_is_not_lost),
                IN_A_ROOM(learning_that_cannot_be_stored_settles_nothing),
                IN_A_ROOM(a_report_of_a_wrong_stretch_or_version_is_refused_by_name),
                IN_A_ROOM(an_erased_or_edited_message_is_not_asked_any_more),
                IN_A_ROOM(an_erased_person_is_gone_from_the_bot),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
