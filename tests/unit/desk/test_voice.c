/* SPDX-License-Identifier: Apache-2.0 */
/* Calls in somebody's name, time that goes on, and commits that are gathered: what a seed is made with. */
#include "unit/desk/room.h"

__attribute__((format(printf, 4, 5))) static json_t *say_as(struct room *room, const struct desk_voice *voice,
                                                            const char *method, const char *format, ...)
{
        char params[2048];
        struct writer out;
        va_list args;

        va_start(args, format);
        int len = vsnprintf(params, sizeof params, format, args);
        va_end(args);
        writer_init(&out, NULL, 0);
        int rc = desk_call_as(room->desk, voice, span_of(method), params, (size_t)len, &out);
        json_t *answer = json_loadb(out.bytes, out.len, 0, NULL);
        writer_done(&out);
        assert_non_null(answer);
        assert_int_equal(rc == 0, json_object_get(answer, "result") != NULL);
        return answer;
}

static struct desk_voice user_of(struct room *room, const char *user, const char *name)
{
        struct desk_voice voice = {.user = user, .name = name};

        assert_int_equal(0, id_read(span_of(room->app), "app", &voice.app));
        return voice;
}

static json_t *write_as(struct room *room, const struct desk_voice *voice, const char *text)
{
        return say_as(room, voice, "message.send",
                      "{\"cmid\":\"%s\",\"key\":\"main\",\"kind\":\"text\",\"text\":\"%s\"}", room_cmid(room), text);
}

static void a_user_is_made_by_his_first_words_and_known_by_the_next(void **state)
{
        struct room *room = *state;
        struct desk_voice ann = user_of(room, "ann", "Ann");

        assert_int_equal(1, take_seq(write_as(room, &ann, "hello")));
        assert_int_equal(2, take_seq(write_as(room, &ann, "again")));
        assert_int_equal(1, room_sql(room, "SELECT count(*) FROM principal WHERE role = 1 AND name = 'Ann'"));
        assert_int_equal(2, room_sql(room, "SELECT count(*) FROM entry WHERE log = 0"));
}

static void an_agent_answers_in_his_own_name(void **state)
{
        struct room *room = *state;
        struct desk_voice ann = user_of(room, "ann", "Ann");
        struct client kim = room_agent(room, "Kim", 0);
        json_t *sent = write_as(room, &ann, "hello");
        struct principal_id who;

        assert_int_equal(0, principal_read(span_of(kim.id), &who));
        struct desk_voice voice = {.agent = who.id};
        assert_int_equal(2, take_seq(say_as(room, &voice, "message.send",
                                            "{\"cmid\":\"%s\",\"conv\":\"%s\",\"kind\":\"text\",\"text\":\"hi\"}",
                                            room_cmid(room), words(sent, "result.conv"))));
        json_decref(sent);
        assert_int_equal(kim.caller.principal, room_sql(room, "SELECT author FROM entry WHERE log = 0 AND seq = 2"));
}

static void who_is_nobody_and_what_is_not_his_is_refused(void **state)
{
        struct room *room = *state;
        struct desk_voice nobody = {.agent = 12345}, ann = user_of(room, "ann", "Ann"),
                          lost = {.app = 7, .user = "ann"};

        take_error(say_as(room, &nobody, "message.send",
                          "{\"cmid\":\"%s\",\"conv\":\"cnv_0000000000001\",\"kind\":\"text\",\"text\":\"hi\"}",
                          room_cmid(room)),
                   "not_found");
        take_error(write_as(room, &lost, "hello"), "not_found");
        take_error(say_as(room, &ann, "agent.add", "{\"cmid\":\"%s\",\"name\":\"Eve\"}", room_cmid(room)),
                   "unknown_method");
        take_error(say_as(room, &ann, "feed.read", "{}"), "unknown_method");
        assert_int_equal(0, room_sql(room, "SELECT count(*) FROM principal WHERE role = 1"));
}

static void time_that_goes_on_is_the_time_of_what_follows(void **state)
{
        struct room *room = *state;
        struct desk_voice ann = user_of(room, "ann", "Ann");

        take_seq(write_as(room, &ann, "hello"));
        desk_pass(room->desk, 3600 * 1000);
        take_seq(write_as(room, &ann, "an hour later"));
        clock_shift_wall(-3600 * 1000);
        int64_t between_ms = room_sql(room, "SELECT max(ts) - min(ts) FROM entry WHERE log = 0");
        assert_in_range(between_ms, 3600 * 1000, 3600 * 1000 + 60 * 1000);
}

static void what_is_gathered_is_on_disk_at_the_end_and_not_before(void **state)
{
        struct room *room = *state;
        struct desk_voice ann = user_of(room, "ann", "Ann");

        desk_gather_begin(room->desk);
        for (int i = 0; i < 10; i++)
                assert_int_equal(i + 1, take_seq(write_as(room, &ann, "hello")));
        assert_int_equal(0, room_sql(room, "SELECT count(*) FROM entry"));
        assert_int_equal(DB_OK, desk_gather_end(room->desk));
        assert_int_equal(10, room_sql(room, "SELECT count(*) FROM entry WHERE log = 0"));
        assert_int_equal(11, take_seq(write_as(room, &ann, "at once")));
        assert_int_equal(11, room_sql(room, "SELECT count(*) FROM entry WHERE log = 0"));
        room_check(room);
}

static void a_rollback_among_what_is_gathered_is_told_and_nothing_goes_on(void **state)
{
        struct room *room = *state;
        struct desk_voice ann = user_of(room, "ann", "Ann");

        desk_gather_begin(room->desk);
        take_seq(write_as(room, &ann, "hello"));
        assert_true(db_fault_add((struct db_fault_rule){.op = DB_FAULT_STEP,
                                                        .kind = DB_FAULT_FAIL,
                                                        .mode = DB_WRITER,
                                                        .nth = db_fault_calls(DB_FAULT_STEP, DB_WRITER) + 1,
                                                        .error = DB_FULL}));
        take_error(write_as(room, &ann, "no room"), "storage_full");
        assert_int_equal(DB_UNKNOWN, desk_gather_end(room->desk));
        assert_int_equal(0, room_sql(room, "SELECT count(*) FROM entry"));
}

/* What was told to the network is taken out. */
static int tear_down(void **state)
{
        room_turn(*state);
        return room_tear_down(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, room_set_up, tear_down)

int main(void)
{
        static const struct CMUnitTest tests[] = {
                TEST(a_user_is_made_by_his_first_words_and_known_by_the_next),
                TEST(an_agent_answers_in_his_own_name),
                TEST(who_is_nobody_and_what_is_not_his_is_refused),
                TEST(time_that_goes_on_is_the_time_of_what_follows),
                TEST(what_is_gathered_is_on_disk_at_the_end_and_not_before),
                TEST(a_rollback_among_what_is_gathered_is_told_and_nothing_goes_on),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
