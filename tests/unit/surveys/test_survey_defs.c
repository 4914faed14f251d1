/* SPDX-License-Identifier: Apache-2.0 */
/* Definitions in the desk: versions, who may change them, which one a ticket gets, and what a failing store leaves. */
#include "desk/surveys/survey_defs.h"
#include "store/db_fault.h"
#include "unit/people/crew.h"

#include <stdio.h>
#include <stdlib.h>

static json_t *add(struct room *room, const char *form)
{
        return room_operate(room, "survey.add", "{\"cmid\":\"%s\",\"form\":%s}", room_cmid(room), form);
}

static void id_of(json_t *answer, char out[32])
{
        const char *id = words(answer, "result.survey");
        if (!id)
                fail_msg("not made: %s %s", words(answer, "error.data.tag"), words(answer, "error.data.field"));
        snprintf(out, 32, "%s", id);
        json_decref(answer);
}

static json_t *set(struct room *room, const char *survey, int version, const char *form)
{
        return room_operate(room, "survey.set", "{\"cmid\":\"%s\",\"survey\":\"%s\",\"version\":%d,\"form\":%s}",
                            room_cmid(room), survey, version, form);
}

static json_int_t take_number(json_t *answer, const char *path)
{
        json_int_t value = number(answer, path);
        json_decref(answer);
        return value;
}

static void each_edit_makes_a_version_and_leaves_the_others_as_they_were(void **state)
{
        struct room *room = *state;
        char id[32];
        id_of(add(room, "{\"name\":\"Happy\",\"sample_percent\":50}"), id);
        assert_int_equal(2, take_number(set(room, id, 1, "{\"sample_percent\":20}"), "result.version"));
        assert_int_equal(2,
                         take_number(set(room, id, 2, "{\"sample_percent\":20}"), "result.version")); /* nothing new */
        assert_int_equal(3, take_number(set(room, id, 2, "{\"enabled\":false}"), "result.version"));
        assert_int_equal(3, room_sql(room, "SELECT count(*) FROM survey_version"));
        const int percent[] = {50, 20, 20};
        for (int version = 1; version <= 3; version++) {
                json_t *was = room_operate(room, "survey.get", "{\"survey\":\"%s\",\"version\":%d}", id, version);
                assert_int_equal(percent[version - 1], number(was, "result.form.sample_percent"));
                assert_int_equal(3, number(was, "result.newest"));
                json_decref(was);
        }
        take_error(room_operate(room, "survey.get", "{\"survey\":\"%s\",\"version\":4}", id), "not_found");
}

static void a_stale_version_and_a_name_that_is_taken_are_refused(void **state)
{
        struct room *room = *state;
        char id[32], other[32];
        id_of(add(room, "{\"name\":\"Happy\"}"), id);
        id_of(add(room, "{\"name\":\"Easy\",\"metric\":\"ces\"}"), other);
        take_error(add(room, "{\"name\":\"hAPPY\"}"), "conflict");
        take_error(set(room, other, 1, "{\"name\":\"Happy\"}"), "conflict");
        take_result(set(room, id, 1, "{\"name\":\"HAPPY\"}"));
        take_error(set(room, id, 1, "{\"name\":\"Sad\"}"), "stale");
        take_error(room_operate(room, "survey.remove", "{\"cmid\":\"%s\",\"survey\":\"%s\",\"version\":1}",
                                room_cmid(room), id),
                   "stale");
        take_result(room_operate(room, "survey.remove", "{\"cmid\":\"%s\",\"survey\":\"%s\",\"version\":2}",
                                 room_cmid(room), id));
        take_error(set(room, id, 2, "{\"name\":\"Sad\"}"), "not_found");
        take_result(add(room, "{\"name\":\"Happy\"}")); /* the name is free again */
        assert_int_equal(3, room_sql(room, "SELECT count(*) FROM survey"));
        json_t *list = room_operate(room, "survey.list", "{}");
        assert_int_equal(2, json_array_size(json_object_get(json_object_get(list, "result"), "surveys")));
        json_decref(list);
        assert_int_equal(5, room_sql(room, "SELECT count(*) FROM audit WHERE action LIKE 'survey.%'"));
}

static void only_who_may_changes_and_all_staff_reads(void **state)
{
        struct room *room = *state;
        struct client max = room_agent(room, "Max", 0);
        char id[32], role[32];
        id_of(add(room, "{\"name\":\"Happy\"}"), id);
        crew_role(room, "Plain", "reply", role);
        crew_give_role(room, &max, role);
        take_error(room_ask(room, &max, "survey.add", "{\"cmid\":\"%s\",\"form\":{\"name\":\"x\"}}", room_cmid(room)),
                   "forbidden");
        take_error(room_ask(room, &max, "survey.set", "{\"cmid\":\"%s\",\"survey\":\"%s\",\"version\":1,\"form\":{}}",
                            room_cmid(room), id),
                   "forbidden");
        take_error(room_ask(room, &max, "survey.preview", "{\"survey\":\"%s\"}", id), "forbidden");
        take_result(room_ask(room, &max, "survey.get", "{\"survey\":\"%s\"}", id));
        take_result(room_ask(room, &max, "survey.list", "{}"));
}

static void an_audience_is_checked_with_its_place_and_shown_with_names(void **state)
{
        struct room *room = *state;
        char id[32], team[32];
        json_t *answer = add(room, "{\"name\":\"A\",\"when\":\"priority = high and tem = x\"}");
        assert_string_equal("form.when", words(answer, "error.data.field"));
        assert_non_null(strstr(words(answer, "error.data.expected"), "21")); /* the character */
        take_error(answer, "bad_request");
        take_error(add(room, "{\"name\":\"A\",\"when\":\"assignee = me\"}"), "bad_request");
        crew_team(room, "Billing", team);
        id_of(add(room, "{\"name\":\"A\",\"when\":\"team = Billing\"}"), id);
        answer = room_operate(room, "survey.get", "{\"survey\":\"%s\"}", id);
        assert_string_equal("team = \"Billing\"", words(answer, "result.form.when"));
        json_decref(answer);
        take_result(set(room, id, 1, "{\"when\":\"\"}"));
        answer = room_operate(room, "survey.get", "{\"survey\":\"%s\"}", id);
        assert_null(words(answer, "result.form.when"));
        json_decref(answer);
}

/* The name of the survey for the one ticket there is. */
static const char *chosen(struct room *room, enum survey_cause cause)
{
        const struct survey *survey = survey_for(room->desk, room->desk->tickets.all[0], cause);
        return survey ? survey->name : "none";
}

static void the_survey_that_says_most_of_whom_it_asks_is_chosen_then_the_older(void **state)
{
        struct room *room = *state;
        char *conv = crew_conversation(room, "ann", "hi");
        char all[32], some[32], few[32];
        assert_string_equal("none", chosen(room, SURVEY_CAUSE_SOLVED));
        id_of(add(room, "{\"name\":\"all\"}"), all);
        id_of(add(room, "{\"name\":\"too\"}"), some);
        assert_string_equal("all", chosen(room, SURVEY_CAUSE_SOLVED));
        id_of(add(room, "{\"name\":\"some\",\"when\":\"priority = normal\"}"), some);
        id_of(add(room, "{\"name\":\"few\",\"when\":\"priority = normal and reopens = 0\"}"), few);
        id_of(add(room, "{\"name\":\"others\",\"when\":\"priority = urgent and reopens = 0 and number = 1\"}"), some);
        assert_string_equal("few", chosen(room, SURVEY_CAUSE_SOLVED));
        take_result(set(room, few, 1, "{\"on\":[\"closed\"]}"));
        assert_string_equal("some", chosen(room, SURVEY_CAUSE_SOLVED));
        assert_string_equal("few", chosen(room, SURVEY_CAUSE_CLOSED));
        assert_string_equal("none", chosen(room, SURVEY_CAUSE_LATER));
        assert_string_equal("some", chosen(room, SURVEY_CAUSE_CASE)); /* as for solved */
        take_result(set(room, all, 1, "{\"on\":[\"case\"]}"));
        assert_string_equal("all", chosen(room, SURVEY_CAUSE_CASE));
        take_result(set(room, all, 2, "{\"enabled\":false}"));
        assert_string_equal("some", chosen(room, SURVEY_CAUSE_CASE));
        free(conv);
}

static void a_preview_shows_the_words_of_the_language(void **state)
{
        struct room *room = *state;
        char id[32];
        id_of(add(room, "{\"name\":\"S\",\"brand\":\"Acorn\",\"contact\":true}"), id);
        json_t *shown = room_operate(room, "survey.preview", "{\"survey\":\"%s\",\"lang\":\"ja-JP\"}", id);
        assert_string_equal("ja", words(shown, "result.lang"));
        assert_string_equal("今回のサポートにどのくらい満足されましたか？", words(shown, "result.text"));
        assert_string_equal("Acorn", words(shown, "result.shown.brand"));
        assert_string_equal("waiting", words(shown, "result.shown.state"));
        assert_int_equal(5, number(shown, "result.shown.max"));
        json_decref(shown);
}

/* The nth statement of a change fails; memory is what the store is. True: it was the change that failed. */
static bool change_fails(struct room *room, const char *survey, enum db_fault_op op, uint64_t nth)
{
        db_fault_reset(&db_sqlite);
        assert_true(db_fault_add((struct db_fault_rule){
                .op = op, .kind = DB_FAULT_FAIL, .mode = DB_WRITER, .nth = nth, .error = DB_FULL}));
        json_t *answer = set(room, survey, 1, "{\"sample_percent\":9}");
        bool has_failed = json_object_get(answer, "result") == NULL;
        json_decref(answer);
        db_fault_reset(&db_sqlite);
        room->desk->retry_write_ms = 0;
        const struct survey *now = survey_named(room->desk, SPAN("S"));
        assert_int_equal(room_sql(room, "SELECT version FROM survey"), now->version);
        assert_int_equal(now->version == 1 ? 100 : 9, now->sample_percent);
        assert_int_equal(now->version, room_sql(room, "SELECT count(*) FROM survey_version"));
        return has_failed;
}

static void what_a_failing_store_did_not_keep_is_forgotten(void **state)
{
        struct room *room = *state;
        char id[32];
        id_of(add(room, "{\"name\":\"S\"}"), id);
        assert_true(change_fails(room, id, DB_FAULT_COMMIT, 1));
        uint64_t nth = 1;
        while (nth < 60 && change_fails(room, id, DB_FAULT_STEP, nth))
                nth++;
        assert_true(nth > 4 && nth < 60); /* it failed at several places, and then it was done */
}

static void definitions_are_there_after_a_restart(void **state)
{
        struct room *room = *state;
        char id[32];
        id_of(add(room, "{\"name\":\"S\",\"metric\":\"nps\",\"on\":[\"later\"],\"days_after\":30}"), id);
        take_result(set(room, id, 1, "{\"when\":\"number > 0\"}"));
        room_close(room);
        room_open(room);
        const struct survey *survey = survey_named(room->desk, span_of(id));
        assert_non_null(survey);
        assert_int_equal(2, survey->version);
        assert_int_equal(30 * 86400000LL, survey->days_after_ms);
        assert_true(survey->triggers == 1u << SURVEY_CAUSE_LATER);
        assert_string_equal("number > 0", survey->when);
}

static void there_are_a_hundred_at_most(void **state)
{
        struct room *room = *state;
        char form[64];
        for (int i = 0; i < SURVEYS_MAX; i++) {
                snprintf(form, sizeof form, "{\"name\":\"S%d\"}", i);
                take_result(add(room, form));
        }
        take_error(add(room, "{\"name\":\"one more\"}"), "too_many");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
#define ROW(name) cmocka_unit_test_setup_teardown(name, room_set_up, room_tear_down)
                ROW(each_edit_makes_a_version_and_leaves_the_others_as_they_were),
                ROW(a_stale_version_and_a_name_that_is_taken_are_refused),
                ROW(only_who_may_changes_and_all_staff_reads),
                ROW(an_audience_is_checked_with_its_place_and_shown_with_names),
                ROW(the_survey_that_says_most_of_whom_it_asks_is_chosen_then_the_older),
                ROW(a_preview_shows_the_words_of_the_language),
                ROW(what_a_failing_store_did_not_keep_is_forgotten),
                ROW(definitions_are_there_after_a_restart),
                ROW(there_are_a_hundred_at_most),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
