/* SPDX-License-Identifier: Apache-2.0 */
/* Rules through the desk: what they do to a new ticket, in which order, what is said of it, and how they are changed.
 */
#include <stdlib.h>
#include <string.h>

#include "desk/rules/rules.h"
#include "store/db_fault.h"
#include "unit/tickets/ticket_room.h"

struct scene {
        struct room *room;
        struct client ann, eve;
        char *conv;
};

static struct scene scene_of(void **state)
{
        struct scene scene = {.room = *state};
        scene.ann = room_customer(scene.room, "ann", 0);
        scene.eve = room_agent(scene.room, "Eve", 0);
        scene.conv = room_conversation(scene.room, &scene.ann, "main");
        return scene;
}

static void scene_end(struct scene *scene)
{
        tickets_check(scene->room);
        free(scene->conv);
}

static const struct ticket *after_ann_says(struct scene *scene, const char *text)
{
        take_seq(room_send(scene->room, &scene->ann, scene->conv, NULL, text));
        return ticket_in(scene->room, scene->conv);
}

/* The id of a new rule; `more` goes behind its name and condition. */
static char *add_rule(struct room *room, const char *name, const char *when, const char *more)
{
        json_t *answer = room_operate(room, "rule.add", "{\"cmid\":\"%s\",\"name\":\"%s\",\"when\":\"%s\"%s}",
                                      room_cmid(room), name, when, more);
        if (!words(answer, "result.rule"))
                fail_msg("%s", json_dumps(answer, 0));
        char *id = strdup(words(answer, "result.rule"));
        json_decref(answer);
        return id;
}

static char *add_team(struct room *room, const char *name)
{
        json_t *answer = room_operate(room, "team.add", "{\"cmid\":\"%s\",\"name\":\"%s\"}", room_cmid(room), name);
        assert_non_null(words(answer, "result.team"));
        char *id = strdup(words(answer, "result.team"));
        json_decref(answer);
        return id;
}

static void refused(struct room *room, const char *tag, const char *method, const char *params)
{
        json_t *answer = room_operate(room, method, "{\"cmid\":\"%s\"%s}", room_cmid(room), params);
        assert_string_equal(words(answer, "error.data.tag"), tag);
        json_decref(answer);
}

/* How many changes in the log name the rule. */
static int64_t named_by(struct room *room, const char *rule)
{
        char sql[256];
        snprintf(sql, sizeof sql, "SELECT COUNT(*) FROM entry WHERE kind = %d AND instr(body, '%s') > 0",
                 PROTOCOL_ENTRY_CHANGE, rule);
        return room_sql(room, sql);
}

/* ---- */

static void a_rule_gives_a_new_ticket_team_priority_skills_and_tags(void **state)
{
        struct scene scene = scene_of(state);
        char *team = add_team(scene.room, "Billing"), more[256];
        snprintf(more, sizeof more,
                 ",\"team\":\"%s\",\"priority\":\"high\",\"skills\":[\"refunds\"],\"tags\":[\"money\",\"eu\"]", team);
        char *rule = add_rule(scene.room, "Refunds", "message has refund", more);
        const struct ticket *ticket = after_ann_says(&scene, "I want a REFUND");
        assert_string_equal(people_team(scene.room->desk, ticket->team)->name, "Billing");
        assert_int_equal(ticket->priority, PRIORITY_HIGH);
        assert_int_equal(ticket->skill_count, 1);
        assert_string_equal(ticket->skills[0], "refunds");
        assert_int_equal(ticket->tag_count, 2);
        assert_true(named_by(scene.room, rule) >= 3); /* each change says who did it */
        free(team);
        free(rule);
        scene_end(&scene);
}

static void a_rule_that_does_not_match_or_is_off_does_nothing(void **state)
{
        struct scene scene = scene_of(state);
        free(add_rule(scene.room, "Other", "message has invoice", ",\"priority\":\"low\""));
        free(add_rule(scene.room, "Off", "", ",\"priority\":\"urgent\",\"off\":true"));
        const struct ticket *ticket = after_ann_says(&scene, "I want a refund");
        assert_int_equal(ticket->priority, PRIORITY_NORMAL);
        assert_int_equal(ticket->tag_count, 0);
        scene_end(&scene);
}

static void the_first_word_counts_and_words_add_up(void **state)
{
        struct scene scene = scene_of(state);
        free(add_rule(scene.room, "First", "", ",\"priority\":\"low\",\"tags\":[\"a\",\"b\"]"));
        free(add_rule(scene.room, "Second", "", ",\"priority\":\"urgent\",\"tags\":[\"b\",\"c\"]"));
        const struct ticket *ticket = after_ann_says(&scene, "hello");
        assert_int_equal(ticket->priority, PRIORITY_LOW);
        assert_int_equal(ticket->tag_count, 3);
        scene_end(&scene);
}

static void no_rule_sets_off_another(void **state)
{
        struct scene scene = scene_of(state);
        free(add_rule(scene.room, "Tags", "", ",\"tags\":[\"vip\"]"));
        free(add_rule(scene.room, "Sees", "tag = vip or priority = high", ",\"priority\":\"urgent\""));
        free(add_rule(scene.room, "Raises", "", ",\"priority\":\"high\""));
        const struct ticket *ticket = after_ann_says(&scene, "hello");
        assert_int_equal(ticket->priority, PRIORITY_HIGH); /* the second saw the ticket as it came */
        scene_end(&scene);
}

static void a_rule_that_stops_hides_those_behind_it(void **state)
{
        struct scene scene = scene_of(state);
        free(add_rule(scene.room, "Stops", "", ",\"tags\":[\"a\"],\"stop\":true"));
        free(add_rule(scene.room, "Hidden", "", ",\"tags\":[\"b\"]"));
        const struct ticket *ticket = after_ann_says(&scene, "hello");
        assert_int_equal(ticket->tag_count, 1);
        scene_end(&scene);
}

static void rules_stand_where_they_are_put(void **state)
{
        struct scene scene = scene_of(state);
        struct room *room = scene.room;
        char more[160], params[256];
        char *a = add_rule(room, "A", "", ",\"priority\":\"low\"");
        snprintf(more, sizeof more, ",\"priority\":\"high\",\"before\":\"%s\"", a);
        char *b = add_rule(room, "B", "", more);
        json_t *answer = room_operate(room, "rule.list", "{}");
        assert_string_equal(
                words(json_array_get(json_object_get(json_object_get(answer, "result"), "rules"), 0), "name"), "B");
        json_decref(answer);
        snprintf(params, sizeof params, ",\"rules\":[\"%s\",\"%s\"]", a, a);
        refused(room, "conflict", "rule.order", params);
        snprintf(params, sizeof params, ",\"rules\":[\"%s\"]", a);
        refused(room, "conflict", "rule.order", params);
        json_decref(
                room_operate(room, "rule.order", "{\"cmid\":\"%s\",\"rules\":[\"%s\",\"%s\"]}", room_cmid(room), a, b));
        assert_int_equal(after_ann_says(&scene, "hello")->priority, PRIORITY_LOW);
        free(a);
        free(b);
        scene_end(&scene);
}

static void a_rule_is_changed_and_removed(void **state)
{
        struct scene scene = scene_of(state);
        struct room *room = scene.room;
        char *rule = add_rule(room, "Low", "message has slow", ",\"priority\":\"low\",\"tags\":[\"slow\"]");
        char params[256];
        json_decref(
                room_operate(room, "rule.set",
                             "{\"cmid\":\"%s\",\"rule\":\"%s\",\"when\":\"\",\"no_priority\":true,\"name\":\"Slow\"}",
                             room_cmid(room), rule));
        const struct ticket *ticket = after_ann_says(&scene, "hello");
        assert_int_equal(ticket->priority, PRIORITY_NORMAL);
        assert_int_equal(ticket->tag_count, 1); /* what was not said stayed */
        json_decref(room_operate(room, "rule.remove", "{\"cmid\":\"%s\",\"rule\":\"%s\"}", room_cmid(room), rule));
        snprintf(params, sizeof params, ",\"rule\":\"%s\"", rule);
        refused(room, "not_found", "rule.remove", params);
        assert_int_equal(room_sql(room, "SELECT COUNT(*) FROM rule"), 0);
        assert_true(room_sql(room, "SELECT COUNT(*) FROM audit WHERE action LIKE 'rule.%'") >= 3);
        free(rule);
        scene_end(&scene);
}

static void a_wrong_rule_is_refused_with_what_and_where(void **state)
{
        struct scene scene = scene_of(state);
        struct room *room = scene.room;
        free(add_rule(room, "Known", "", ",\"tags\":[\"a\"]"));
        refused(room, "conflict", "rule.add", ",\"name\":\"Known\",\"when\":\"\"");
        refused(room, "not_found", "rule.add", ",\"name\":\"T\",\"when\":\"\",\"team\":\"tea_0000000000001\"");
        refused(room, "not_found", "rule.add", ",\"name\":\"T\",\"when\":\"\",\"before\":\"rul_0000000000001\"");
        json_t *answer = room_operate(room, "rule.add", "{\"cmid\":\"%s\",\"name\":\"T\",\"when\":\"assignee = me\"}",
                                      room_cmid(room));
        assert_string_equal(words(answer, "error.data.field"), "when");
        assert_string_equal(words(answer, "error.data.expected"),
                            "at character 12: an agent: nobody is \"me\" in a rule");
        json_decref(answer);
        char many[1200] = "bot";
        for (int i = 0; i < 100; i++)
                strcat(many, " or bot");
        answer = room_operate(room, "rule.add", "{\"cmid\":\"%s\",\"name\":\"T\",\"when\":\"%s\"}", room_cmid(room),
                              many);
        assert_string_equal(words(answer, "error.data.expected"), "at character 351: at most 50 conditions");
        json_decref(answer);
        assert_int_equal(room_sql(room, "SELECT COUNT(*) FROM rule"), 1);
        take_error(room_ask(room, &scene.eve, "rule.list", "{}"), "forbidden");
        scene_end(&scene);
}

static void a_trial_says_what_would_be_and_why_not(void **state)
{
        struct scene scene = scene_of(state);
        struct room *room = scene.room;
        const struct ticket *ticket = after_ann_says(&scene, "I want a refund");
        free(add_rule(room, "Refunds", "message has refund", ",\"priority\":\"high\""));
        free(add_rule(room, "Korean", "language = ko and tag = vip", ",\"tags\":[\"ko\"]"));
        free(add_rule(room, "Low", "", ",\"priority\":\"low\""));
        free(add_rule(room, "Off", "", ",\"off\":true"));
        char ext[ID_TEXT_BYTES + 1] = "";
        id_write(ext, "tkt", ticket->ext);
        json_t *answer = room_operate(room, "rule.test", "{\"ticket\":\"%s\"}", ext);
        const json_t *findings = json_object_get(json_object_get(answer, "result"), "findings");
        assert_int_equal(json_array_size(findings), 4);
        assert_true(json_is_true(json_object_get(json_array_get(findings, 0), "matches")));
        assert_string_equal(words(json_array_get(findings, 1), "why"), "language = ko: it is not set");
        assert_string_equal(words(json_array_get(findings, 2), "why"),
                            "its priority is not set: Refunds comes before it");
        assert_string_equal(words(json_array_get(findings, 3), "why"), "it is off");
        assert_string_equal(words(answer, "result.priority"), "high");
        assert_int_equal(ticket->priority, PRIORITY_NORMAL); /* nothing was changed */
        json_decref(answer);
        scene_end(&scene);
}

static void a_team_that_is_renamed_or_gone_does_not_break_a_rule(void **state)
{
        struct scene scene = scene_of(state);
        struct room *room = scene.room;
        char *team = add_team(room, "Billing"), more[160];
        snprintf(more, sizeof more, ",\"team\":\"%s\",\"tags\":[\"a\"]", team);
        free(add_rule(room, "R", "team = Billing or number > 0", more));
        json_decref(room_operate(room, "team.set", "{\"cmid\":\"%s\",\"team\":\"%s\",\"name\":\"Money\"}",
                                 room_cmid(room), team));
        json_t *answer = room_operate(room, "rule.list", "{}");
        const json_t *row = json_array_get(json_object_get(json_object_get(answer, "result"), "rules"), 0);
        assert_string_equal(words(row, "shown"), "team = \"Money\" or number > 0");
        assert_string_equal(words(row, "team_name"), "Money");
        json_decref(answer);
        json_decref(room_operate(room, "team.remove", "{\"cmid\":\"%s\",\"team\":\"%s\"}", room_cmid(room), team));
        room_close(room);
        room_open(room);
        scene.ann = room_customer(room, "ann", 0);
        const struct ticket *ticket = after_ann_says(&scene, "hello");
        assert_int_equal(ticket->team, 0);
        assert_int_equal(ticket->tag_count, 1);
        free(team);
        scene_end(&scene);
}

static void rules_of_a_batch_that_is_not_kept_are_forgotten(void **state)
{
        struct scene scene = scene_of(state);
        struct room *room = scene.room;
        db_fault_reset(&db_sqlite);
        assert_true(db_fault_add((struct db_fault_rule){
                .op = DB_FAULT_COMMIT, .kind = DB_FAULT_FAIL, .mode = DB_WRITER, .nth = 1, .error = DB_FULL}));
        refused(room, "storage_full", "rule.add", ",\"name\":\"T\",\"when\":\"\",\"priority\":\"urgent\"");
        db_fault_reset(&db_sqlite);
        clock_shift_mono(10000);
        room_turn(room);
        assert_int_equal(after_ann_says(&scene, "hello")->priority, PRIORITY_NORMAL);
        scene_end(&scene);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, room_set_up, room_tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(a_rule_gives_a_new_ticket_team_priority_skills_and_tags),
                TEST(a_rule_that_does_not_match_or_is_off_does_nothing),
                TEST(the_first_word_counts_and_words_add_up),
                TEST(no_rule_sets_off_another),
                TEST(a_rule_that_stops_hides_those_behind_it),
                TEST(rules_stand_where_they_are_put),
                TEST(a_rule_is_changed_and_removed),
                TEST(a_wrong_rule_is_refused_with_what_and_where),
                TEST(a_trial_says_what_would_be_and_why_not),
                TEST(a_team_that_is_renamed_or_gone_does_not_break_a_rule),
                TEST(rules_of_a_batch_that_is_not_kept_are_forgotten),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
