/* SPDX-License-Identifier: Apache-2.0 */
/* What a bot is told of the team that would get a conversation: which team that is, and what holds of it. */
#include <stdlib.h>

#include "desk/bot_hours.h"
#include "unit/desk/room.h"

#define SATURDAY 1806148800000 /* 2027-03-27 12:00 UTC, the day before the clocks of Berlin are put forward */
#define MONDAY   1806303600000 /* 2027-03-29 09:00 in Berlin, 07:00 UTC */
#define WEEKDAYS ",\"zone\":\"Europe/Berlin\",\"hours\":\"mon-fri 09:00-17:00\""
#define ALWAYS   ",\"zone\":\"Asia/Seoul\",\"hours\":\"mon-sun 00:00-24:00\""

struct scene {
        struct room *room;
        struct client ann, eve;
        char *conv;
};

static void turn_clock_to(int64_t wall_ms)
{
        clock_shift_wall(wall_ms - clock_wall_ms());
}

/* Ann's question is the bot's, so that no rule was looked at and nobody was given her ticket. */
static struct scene scene_of(void **state)
{
        struct scene scene = {.room = *state};
        take_result(room_operate(scene.room, "bot.add",
                                 "{\"cmid\":\"%s\",\"app\":\"%s\",\"name\":\"Robin\",\"kind\":\"program\"}",
                                 room_cmid(scene.room), scene.room->app));
        scene.ann = room_customer(scene.room, "ann", 0);
        scene.eve = room_agent(scene.room, "Eve", 0);
        scene.conv = room_conversation(scene.room, &scene.ann, "main");
        turn_clock_to(SATURDAY);
        take_seq(room_send(scene.room, &scene.ann, scene.conv, NULL, "where is my order?"));
        return scene;
}

static void done(struct scene *scene)
{
        room_check(scene->room);
        free(scene->conv);
}

static void make(const struct scene *scene, const char *method, const char *members, const char *what, char out_id[32])
{
        json_t *made = room_operate(scene->room, method, "{\"cmid\":\"%s\"%s}", room_cmid(scene->room), members);
        char path[32];
        snprintf(path, sizeof path, "result.%s", what);
        if (!words(made, path))
                fail_msg("%s: %s", method, words(made, "error.message"));
        snprintf(out_id, 32, "%s", words(made, path));
        json_decref(made);
}

/* A team with hours of its own (NULL: none) that has everybody who is named (NULL: nobody). */
static void make_team(const struct scene *scene, const char *name, const char *hours, const struct client *member,
                      char out_team[32])
{
        char members[256], schedule[32];
        if (hours) {
                snprintf(members, sizeof members, ",\"name\":\"%s\"%s", name, hours);
                make(scene, "schedule.add", members, "schedule", schedule);
                snprintf(members, sizeof members, ",\"name\":\"%s\",\"schedule\":\"%s\"", name, schedule);
        } else {
                snprintf(members, sizeof members, ",\"name\":\"%s\"", name);
        }
        make(scene, "team.add", members, "team", out_team);
        if (member)
                take_result(room_operate(scene->room, "team.member_add",
                                         "{\"cmid\":\"%s\",\"team\":\"%s\",\"agent\":\"%s\"}", room_cmid(scene->room),
                                         out_team, member->id));
        room_turn(scene->room);
}

static void is_default(const struct scene *scene, const char *team)
{
        take_result(room_operate(scene->room, "routing.set", "{\"cmid\":\"%s\",\"default_team\":\"%s\"}",
                                 room_cmid(scene->room), team));
        room_turn(scene->room);
}

static struct bot_hours hours(const struct scene *scene)
{
        return bot_hours_of(scene->room->desk, room_cached(scene->room, scene->conv));
}

static void without_a_team_it_is_open_while_an_agent_is_connected(void **state)
{
        struct scene scene = scene_of(state);
        struct bot_hours now = hours(&scene);
        assert_true(now.is_open && now.is_online);
        assert_true(now.opens_ms == 0 && now.wait_s == 0);
        room_leave(scene.room, &scene.eve);
        now = hours(&scene);
        assert_false(now.is_open || now.is_online);
        assert_true(now.opens_ms == 0);
        done(&scene);
}

static void a_schedule_says_open_whoever_is_online(void **state)
{
        struct scene scene = scene_of(state);
        char team[32];
        make_team(&scene, "Orders", WEEKDAYS, &scene.eve, team);
        is_default(&scene, team);
        struct bot_hours now = hours(&scene);
        assert_true(!now.is_open && now.is_online);
        assert_true(now.opens_ms == MONDAY);
        assert_int_equal(7200, now.opens_offset); /* of that day: the clocks are put forward before */
        turn_clock_to(MONDAY);
        now = hours(&scene);
        assert_true(now.is_open && now.opens_ms == 0);
        take_result(room_ask(scene.room, &scene.eve, "status.set", "{\"status\":\"offline\"}"));
        now = hours(&scene);
        assert_true(now.is_open && !now.is_online);
        done(&scene);
}

static void a_team_without_a_schedule_is_open_while_somebody_of_it_is_at_work(void **state)
{
        struct scene scene = scene_of(state);
        char staffed[32], empty[32];
        make_team(&scene, "Orders", NULL, &scene.eve, staffed);
        make_team(&scene, "Night", NULL, NULL, empty);
        is_default(&scene, staffed);
        assert_true(hours(&scene).is_open);
        take_result(room_ask(scene.room, &scene.eve, "status.set", "{\"status\":\"busy\"}"));
        assert_true(hours(&scene).is_open && hours(&scene).is_online);
        is_default(&scene, empty); /* Eve is connected, and of another team */
        assert_false(hours(&scene).is_open || hours(&scene).is_online);
        is_default(&scene, staffed);
        room_leave(scene.room, &scene.eve);
        assert_false(hours(&scene).is_open || hours(&scene).is_online);
        done(&scene);
}

/* The rule asks for what the conversation will be when people get it: not the bot's. */
static void the_tickets_own_team_comes_before_that_of_rules_and_that_before_the_default(void **state)
{
        struct scene scene = scene_of(state);
        char closed[32], ruled[32], own[32], rule[32], ticket[ID_TEXT_BYTES + 1] = "", members[256];
        make_team(&scene, "Orders", WEEKDAYS, NULL, closed);
        make_team(&scene, "Seoul", ALWAYS, NULL, ruled);
        make_team(&scene, "Berlin", WEEKDAYS, NULL, own);
        is_default(&scene, closed);
        assert_false(hours(&scene).is_open);
        snprintf(members, sizeof members,
                 ",\"name\":\"All\",\"when\":\"message has order and bot = no\",\"team\":\"%s\"", ruled);
        make(&scene, "rule.add", members, "rule", rule);
        assert_true(hours(&scene).is_open);
        const struct ticket *it =
                tickets_of_conversation(scene.room->desk, room_cached(scene.room, scene.conv)->row.id);
        id_write(ticket, "tkt", it->ext);
        take_result(room_operate(scene.room, "ticket.assign",
                                 "{\"cmid\":\"%s\",\"ticket\":\"%s\",\"version\":%lld,\"team\":\"%s\"}",
                                 room_cmid(scene.room), ticket, (long long)it->version, own));
        assert_false(hours(&scene).is_open);
        done(&scene);
}

static void as_facts_they_stand_before_what_the_app_told_and_instead_of_it(void **state)
{
        struct bot_hours known = {.opens_ms = MONDAY, .opens_offset = -12600, .wait_s = 120};
        json_t *told = json_pack("{s:s, s:b, s:s, s:i}", "plan", "pro", "open", 1, "opens", "never", "wait", 1);
        json_t *facts = bot_hours_facts(&known, json_incref(told));
        (void)state;
        char *text = json_dumps(facts, JSON_COMPACT);
        assert_string_equal("{\"open\":false,\"online\":false,\"opens\":\"2027-03-29T03:30-03:30\",\"wait\":120,"
                            "\"plan\":\"pro\"}",
                            text);
        free(text);
        json_decref(facts);
        facts = bot_hours_facts(&(struct bot_hours){.is_open = true, .is_online = true}, told);
        text = json_dumps(facts, JSON_COMPACT);
        assert_string_equal("{\"open\":true,\"online\":true,\"plan\":\"pro\"}", text);
        free(text);
        json_decref(facts);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, room_set_up, room_tear_down)
                TEST(without_a_team_it_is_open_while_an_agent_is_connected),
                TEST(a_schedule_says_open_whoever_is_online),
                TEST(a_team_without_a_schedule_is_open_while_somebody_of_it_is_at_work),
                TEST(the_tickets_own_team_comes_before_that_of_rules_and_that_before_the_default),
                cmocka_unit_test(as_facts_they_stand_before_what_the_app_told_and_instead_of_it),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
