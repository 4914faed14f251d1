/* SPDX-License-Identifier: Apache-2.0 */
/* Schedules, policies and clocks within the desk: who may change them, which tickets they are for, what is written, and
 * that memory, store and what the events make again are one, whatever happens to the store. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "desk/hours/hours_private.h"
#include "unit/tickets/ticket_room.h"

#define MINUTE INT64_C(60000)
#define HOUR   (60 * MINUTE)

struct scene {
        struct room *room;
        struct client ann, eve;
        char *conv;
        char schedule[32], policy[32];
};

static json_t *ask(struct room *room, const char *method, const char *more)
{
        return room_operate(room, method, "{\"cmid\":\"%s\"%s}", room_cmid(room), more);
}

static void make(struct room *room, const char *method, const char *more, const char *member, char out_id[32])
{
        char path[32];
        snprintf(path, sizeof path, "result.%s", member);
        json_t *made = ask(room, method, more);
        if (!words(made, path))
                fail_msg("%s: %s %s", method, words(made, "error.data.field"), words(made, "error.data.expected"));
        snprintf(out_id, 32, "%s", words(made, path));
        json_decref(made);
}

#define ROUND ",\"name\":\"Round\",\"zone\":\"Asia/Seoul\",\"hours\":\"mon-sun 00:00-24:00\""
#define USUAL                                                                                                          \
        ",\"targets\":[{\"metric\":\"first_response\",\"seconds\":3600},"                                              \
        "{\"metric\":\"first_response\",\"priority\":\"urgent\",\"seconds\":600},"                                     \
        "{\"metric\":\"next_response\",\"seconds\":1800},{\"metric\":\"resolution\",\"working_days\":1}]"

static struct scene scene_of(void **state)
{
        struct scene scene = {.room = *state};
        scene.ann = room_customer(scene.room, "ann", 0);
        scene.eve = room_agent(scene.room, "Eve", 0);
        scene.conv = room_conversation(scene.room, &scene.ann, "main");
        make(scene.room, "schedule.add", ROUND, "schedule", scene.schedule);
        char more[512];
        snprintf(more, sizeof more, ",\"name\":\"Usual\",\"schedule\":\"%s\"" USUAL, scene.schedule);
        make(scene.room, "sla.add", more, "policy", scene.policy);
        return scene;
}

static void says(struct scene *scene, const struct client *who)
{
        take_seq(room_send(scene->room, who, scene->conv, NULL, "hello"));
}

static const struct sla_meter *meter(struct scene *scene, enum sla_metric metric)
{
        return &ticket_in(scene->room, scene->conv)->sla->count.meters[metric];
}

static json_t *explain(struct room *room, const struct ticket *ticket)
{
        char id[ID_TEXT_BYTES + 1] = "";
        id_write(id, "tkt", ticket->ext);
        return room_operate(room, "sla.explain", "{\"ticket\":\"%s\"}", id);
}

/* Memory, the row on disk and what the events make again are the same. */
static void clocks_check(struct room *room)
{
        struct ticket *ticket;
        tickets_each(room->desk, i, ticket)
        {
                struct sla_clock *stored = NULL;
                int rc = clock_read(room->desk->db, ticket->id, &stored);
                assert_int_equal(ticket->sla ? DB_ROW : DB_OK, rc);
                if (!ticket->sla)
                        continue;
                assert_true(sla_same(&ticket->sla->count, &stored->count));
                assert_int_equal(ticket->sla->events, stored->events);
                free(stored);
                json_t *told = explain(room, ticket);
                assert_true(json_is_true(json_object_get(json_object_get(told, "result"), "agrees")));
                json_decref(told);
        }
}

static void scene_end(struct scene *scene)
{
        room_check(scene->room);
        tickets_check(scene->room);
        clocks_check(scene->room);
        free(scene->conv);
}

static int64_t count(struct scene *scene, const char *what)
{
        char sql[256];
        snprintf(sql, sizeof sql, "SELECT COUNT(*) FROM %s", what);
        return room_sql(scene->room, sql);
}

static int64_t told_of(struct scene *scene, const char *what)
{
        char from[128];
        snprintf(from, sizeof from, "entry WHERE body LIKE '%%\"%s\"%%'", what);
        return count(scene, from);
}

/* ---- who may ---- */

static void an_agent_needs_the_permission_and_the_operator_does_not(void **state)
{
        struct scene scene = scene_of(state);
        take_error(room_ask(scene.room, &scene.eve, "schedule.add",
                            "{\"cmid\":\"%s\",\"name\":\"Eves\",\"zone\":\"Asia/Seoul\",\"hours\":\"mon 09:00-10:00\"}",
                            room_cmid(scene.room)),
                   "forbidden");
        take_error(room_ask(scene.room, &scene.eve, "sla.remove",
                            "{\"cmid\":\"%s\",\"policy\":\"%s\",\"also_open\":true}", room_cmid(scene.room),
                            scene.policy),
                   "forbidden");
        take_result(room_ask(scene.room, &scene.eve, "sla.list", "{}"));
        assert_int_equal(1, count(&scene, "schedule"));
        assert_int_equal(2, count(&scene, "audit WHERE action IN ('schedule.add', 'sla.add')"));
        scene_end(&scene);
}

static void a_ticket_out_of_reach_is_not_explained(void **state)
{
        struct scene scene = scene_of(state);
        char role[32], id[ID_TEXT_BYTES + 1] = "", more[128];
        says(&scene, &scene.ann);
        id_write(id, "tkt", ticket_in(scene.room, scene.conv)->ext);
        take_result(room_ask(scene.room, &scene.eve, "sla.explain", "{\"ticket\":\"%s\"}", id));
        make(scene.room, "role.add", ",\"name\":\"Few\",\"permissions\":[\"reply\"]", "role", role);
        snprintf(more, sizeof more, ",\"agent\":\"%s\",\"role\":\"%s\"", scene.eve.id, role);
        take_result(ask(scene.room, "agent.set", more));
        take_error(room_ask(scene.room, &scene.eve, "sla.explain", "{\"ticket\":\"%s\"}", id), "not_found");
        scene_end(&scene);
}

/* ---- which promise ---- */

static void a_ticket_has_the_target_of_its_priority(void **state)
{
        struct scene scene = scene_of(state);
        says(&scene, &scene.ann);
        int64_t begun_ms = meter(&scene, SLA_FIRST)->begun_ms;
        assert_int_equal(begun_ms + HOUR, sla_deadline_ms(ticket_in(scene.room, scene.conv)));
        ticket_do(scene.room, &scene.eve, scene.conv, "ticket.set", ",\"priority\":\"urgent\"");
        assert_int_equal(begun_ms + 10 * MINUTE, sla_deadline_ms(ticket_in(scene.room, scene.conv)));
        assert_int_equal(sla_deadline_ms(ticket_in(scene.room, scene.conv)),
                         room_sql(scene.room, "SELECT sla_due_ms FROM ticket"));
        scene_end(&scene);
}

static void the_first_policy_that_fits_is_the_tickets_also_when_it_fits_later(void **state)
{
        struct scene scene = scene_of(state);
        char gold[32], order[128];
        make(scene.room, "sla.add",
             ",\"name\":\"Refunds\",\"when\":\"tag = "
             "refund\",\"targets\":[{\"metric\":\"first_response\",\"seconds\":60}]",
             "policy", gold);
        snprintf(order, sizeof order, ",\"policies\":[\"%s\",\"%s\"]", gold, scene.policy);
        take_result(ask(scene.room, "sla.order", order));
        says(&scene, &scene.ann);
        int64_t begun_ms = meter(&scene, SLA_FIRST)->begun_ms;
        assert_int_equal(begun_ms + HOUR, meter(&scene, SLA_FIRST)->due_ms);
        ticket_do(scene.room, &scene.eve, scene.conv, "ticket.set", ",\"tags\":[\"refund\"]");
        assert_int_equal(begun_ms + MINUTE, meter(&scene, SLA_FIRST)->due_ms);
        assert_int_equal(CALENDAR_NEVER, meter(&scene, SLA_RESOLUTION)->due_ms);
        scene_end(&scene);
}

static void a_change_for_new_tickets_leaves_open_ones_alone_and_one_for_all_does_not(void **state)
{
        struct scene scene = scene_of(state);
        char more[256];
        says(&scene, &scene.ann);
        int64_t begun_ms = meter(&scene, SLA_FIRST)->begun_ms;
        clock_shift_wall(1); /* the change is after the ticket */
        snprintf(
                more, sizeof more,
                ",\"policy\":\"%s\",\"also_open\":false,\"targets\":[{\"metric\":\"first_response\",\"seconds\":7200}]",
                scene.policy);
        take_result(ask(scene.room, "sla.set", more));
        ticket_do(scene.room, &scene.eve, scene.conv, "ticket.set", ",\"subject\":\"late\"");
        assert_int_equal(begun_ms + HOUR, meter(&scene, SLA_FIRST)->due_ms);
        struct client ben = room_customer(scene.room, "ben", 0);
        char *conv = room_conversation(scene.room, &ben, "main");
        take_seq(room_send(scene.room, &ben, conv, NULL, "hello"));
        const struct sla_meter *first = &ticket_in(scene.room, conv)->sla->count.meters[SLA_FIRST];
        assert_int_equal(2 * HOUR, first->due_ms - first->begun_ms);
        snprintf(more, sizeof more, ",\"policy\":\"%s\",\"also_open\":true,\"warn_percent\":0", scene.policy);
        take_result(ask(scene.room, "sla.set", more));
        assert_int_equal(begun_ms + 2 * HOUR, meter(&scene, SLA_FIRST)->due_ms);
        snprintf(more, sizeof more, ",\"policy\":\"%s\",\"also_open\":true", scene.policy);
        take_result(ask(scene.room, "sla.remove", more));
        assert_int_equal(CALENDAR_NEVER, meter(&scene, SLA_FIRST)->due_ms);
        free(conv);
        scene_end(&scene);
}

/* ---- what time does ---- */

static void a_deadline_that_nears_and_passes_is_told_once_each(void **state)
{
        struct scene scene = scene_of(state);
        says(&scene, &scene.ann);
        clock_shift_wall(50 * MINUTE);
        room_turn(scene.room);
        assert_int_equal(1, told_of(&scene, "sla_due_soon"));
        assert_int_equal(0, count(&scene, "sla_miss"));
        clock_shift_wall(11 * MINUTE);
        room_turn(scene.room);
        room_turn(scene.room);
        assert_int_equal(1, told_of(&scene, "sla_missed"));
        assert_int_equal(1, count(&scene, "sla_miss"));
        assert_int_equal(1, room_sql(scene.room, "SELECT sla_misses FROM ticket"));
        assert_int_equal(SLA_ACTIVE_WITH_MISSES, sla_state(ticket_in(scene.room, scene.conv)));
        says(&scene, &scene.eve);
        assert_int_equal(1, told_of(&scene, "sla_missed"));
        scene_end(&scene);
}

static void a_late_answer_is_missed_though_the_server_was_away_meanwhile(void **state)
{
        struct scene scene = scene_of(state);
        says(&scene, &scene.ann);
        room_close(scene.room);
        clock_shift_wall(2 * HOUR);
        room_open(scene.room);
        scene.eve = room_agent(scene.room, "Eva", 0);
        says(&scene, &scene.eve); /* in the same batch in which the timer would be due */
        assert_int_equal(1, count(&scene, "sla_miss"));
        assert_int_equal(1, told_of(&scene, "sla_missed"));
        assert_int_equal(SLA_ENDED, meter(&scene, SLA_FIRST)->phase);
        scene_end(&scene);
}

/* ---- the store ---- */

/* 1 when one of the steps was refused because of the store. */
static int live(struct scene *scene, int64_t *steps)
{
        char more[512];
        int refused = 0;
        snprintf(more, sizeof more, ",\"schedule\":\"%s\",\"days\":[\"2031-01-01\"],\"name\":\"Round %lld\"",
                 scene->schedule, (long long)++*steps);
        json_t *answers[4];
        answers[0] = ask(scene->room, "schedule.set", more);
        snprintf(more, sizeof more, ",\"policy\":\"%s\",\"also_open\":true,\"warn_percent\":%lld", scene->policy,
                 (long long)(10 + *steps % 80));
        answers[1] = ask(scene->room, "sla.set", more);
        answers[2] = room_send(scene->room, &scene->ann, scene->conv, NULL, "and?");
        answers[3] = room_send(scene->room, &scene->eve, scene->conv, NULL, "here");
        for (int i = 0; i < 4; i++) {
                refused |= !json_object_get(answers[i], "result");
                json_decref(answers[i]);
        }
        return refused;
}

/* The nth call of that kind fails while all of it is changed; then it goes well. False: there is no nth one. */
static bool live_through(struct scene *scene, enum db_fault_op op, uint64_t nth, int64_t *steps)
{
        struct room *room = scene->room;
        db_fault_reset(&db_sqlite);
        assert_true(db_fault_add((struct db_fault_rule){
                .op = op, .kind = DB_FAULT_FAIL, .mode = DB_WRITER, .nth = nth, .error = DB_FULL}));
        bool was_hit = live(scene, steps) != 0;
        db_fault_reset(&db_sqlite);
        room->desk->retry_write_ms = 0;
        assert_int_equal(0, live(scene, steps));
        assert_int_equal(count(scene, "schedule_version"), room->desk->hours->schedules[0]->times.count);
        assert_int_equal(count(scene, "sla_version"), room->desk->hours->version_count);
        clocks_check(room);
        room_forget(room);
        return was_hit;
}

static void a_write_that_fails_leaves_schedules_policies_and_clocks_as_they_were(void **state)
{
        enum { STRIDE = 4, MOST = 160 }; /* statements of the four changes; there are more, the older the store */
        struct scene scene = scene_of(state);
        int64_t steps = 0;
        says(&scene, &scene.ann);
        for (uint64_t nth = 1; nth <= 4; nth++)
                assert_true(live_through(&scene, DB_FAULT_COMMIT, nth, &steps));
        for (uint64_t nth = 1; nth < MOST; nth += STRIDE)
                live_through(&scene, DB_FAULT_STEP, nth, &steps);
        assert_false(live_through(&scene, DB_FAULT_STEP, 100000, &steps));
        scene_end(&scene);
}

static void a_schedule_that_something_uses_is_not_removed(void **state)
{
        struct scene scene = scene_of(state);
        char more[128];
        snprintf(more, sizeof more, ",\"schedule\":\"%s\"", scene.schedule);
        take_error(ask(scene.room, "schedule.remove", more), "conflict");
        snprintf(more, sizeof more, ",\"policy\":\"%s\",\"also_open\":false", scene.policy);
        take_result(ask(scene.room, "sla.remove", more));
        snprintf(more, sizeof more, ",\"name\":\"Orders\",\"schedule\":\"%s\"", scene.schedule);
        take_result(ask(scene.room, "team.add", more));
        snprintf(more, sizeof more, ",\"schedule\":\"%s\"", scene.schedule);
        take_error(ask(scene.room, "schedule.remove", more), "conflict");
        scene_end(&scene);
}

#ifndef NDEBUG
static void copy_zone(const char *from, const char *folder)
{
        char command[256];
        snprintf(command, sizeof command, "mkdir -p %s/Asia && cp /usr/share/zoneinfo/%s %s/Asia/Seoul", folder, from,
                 folder);
        assert_int_equal(0, system(command)); /* NOLINT(cert-env33-c): our own folder */
}

static int64_t utc_minute(int64_t at_ms)
{
        return at_ms / MINUTE % (24 * 60);
}

static void a_time_zone_that_changes_in_the_system_is_a_new_version_of_its_schedules(void **state)
{
        char folder[96];
        snprintf(folder, sizeof folder, "%s/zones", ((struct room *)*state)->dir);
        copy_zone("Asia/Seoul", folder);
        setenv("DESKBELL_TEST_ZONEINFO", folder, 1);
        struct scene scene = scene_of(state);
        char more[256];
        snprintf(more, sizeof more, ",\"schedule\":\"%s\",\"hours\":\"mon-sun 00:00-00:01\"", scene.schedule);
        take_result(ask(scene.room, "schedule.set", more));
        says(&scene, &scene.ann);
        assert_int_equal(15 * 60, utc_minute(meter(&scene, SLA_FIRST)->due_ms - 1)); /* midnight in Seoul */
        copy_zone("Asia/Kolkata", folder);
        room_close(scene.room);
        clock_shift_wall(2); /* a version that was just made counts from the next millisecond on */
        room_open(scene.room);
        assert_int_equal(3, count(&scene, "schedule_version"));
        assert_int_equal(18 * 60 + 30, utc_minute(meter(&scene, SLA_FIRST)->due_ms - 1));
        assert_int_equal(1, count(&scene, "schedule_version WHERE tzdata = 'unknown' AND id = 3"));
        room_close(scene.room);
        room_open(scene.room);
        assert_int_equal(3, count(&scene, "schedule_version"));
        unsetenv("DESKBELL_TEST_ZONEINFO");
        free(scene.conv);
}
#endif

#define TEST(name) cmocka_unit_test_setup_teardown(name, room_set_up, room_tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(an_agent_needs_the_permission_and_the_operator_does_not),
                TEST(a_ticket_out_of_reach_is_not_explained),
                TEST(a_ticket_has_the_target_of_its_priority),
                TEST(the_first_policy_that_fits_is_the_tickets_also_when_it_fits_later),
                TEST(a_change_for_new_tickets_leaves_open_ones_alone_and_one_for_all_does_not),
                TEST(a_deadline_that_nears_and_passes_is_told_once_each),
                TEST(a_late_answer_is_missed_though_the_server_was_away_meanwhile),
                TEST(a_write_that_fails_leaves_schedules_policies_and_clocks_as_they_were),
                TEST(a_schedule_that_something_uses_is_not_removed),
#ifndef NDEBUG
                TEST(a_time_zone_that_changes_in_the_system_is_a_new_version_of_its_schedules),
#endif
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
