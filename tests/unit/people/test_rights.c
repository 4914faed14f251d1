/* SPDX-License-Identifier: Apache-2.0 */
/* Who may what: roles, teams, and that everything an administrator does stands in the audit trail. */
#include "unit/people/crew.h"

#include <stdio.h>
#include <stdlib.h>

#define ADMIN      "rol_0000000000003"
#define SUPERVISOR "rol_0000000000002"
#define AGENT      "rol_0000000000001"

static json_t *add_team(struct room *room, const struct client *who, const char *name)
{
        return room_ask(room, who, "team.add", "{\"cmid\":\"%s\",\"name\":\"%s\"}", room_cmid(room), name);
}

static void a_permission_comes_with_the_role_and_goes_with_it(void **state)
{
        struct room *room = *state;
        struct client eve = room_agent(room, "Eve", 0);
        take_error(add_team(room, &eve, "One"), "forbidden");
        crew_give_role(room, &eve, SUPERVISOR);
        take_error(add_team(room, &eve, "One"), "forbidden");
        assert_int_equal(0, room_sql(room, "SELECT COUNT(*) FROM team"));
        crew_give_role(room, &eve, ADMIN);
        take_result(add_team(room, &eve, "One"));
        crew_give_role(room, &eve, AGENT);
        take_error(add_team(room, &eve, "Two"), "forbidden");
        assert_int_equal(1, room_sql(room, "SELECT COUNT(*) FROM team"));
}

static void a_reader_asks_for_the_permission_too(void **state)
{
        struct room *room = *state;
        struct client eve = room_agent(room, "Eve", 0);
        take_error(room_read(room, &eve, "audit.list", "{}"), "forbidden");
        crew_give_role(room, &eve, ADMIN);
        take_result(room_read(room, &eve, "audit.list", "{}"));
        struct client ann = room_customer(room, "ann", 0);
        assert_int_equal(0, protocol_methods[PROTOCOL_M_AUDIT_LIST].who & PROTOCOL_WHO_CUSTOMER);
        (void)ann;
}

static void who_may_not_write_writes_nothing(void **state)
{
        struct room *room = *state;
        char role[32];
        struct client eve = room_agent(room, "Eve", 0);
        char *conv = crew_conversation(room, "ann", "hello");
        crew_role(room, "reader", "read_all", role);
        take_seq(room_send(room, &eve, conv, NULL, "first"));
        crew_give_role(room, &eve, role);
        take_error(room_send(room, &eve, conv, NULL, "second"), "forbidden");
        take_error(room_note(room, &eve, conv, "a note"), "forbidden");
        take_error(room_ask(room, &eve, "message.erase", "{\"cmid\":\"%s\",\"conv\":\"%s\",\"of\":2}", room_cmid(room),
                            conv),
                   "forbidden");
        assert_int_equal(2, room_cached(room, conv)->row.head);
        room_forget(room);
        room_notify(room, &eve, "typing", "{\"conv\":\"%s\"}", conv);
        assert_int_equal(0, room_count(room, NOTE_EVENT, "typing"));
        room_check(room);
        free(conv);
}

static void nobody_gives_or_takes_a_role_that_may_more_than_he(void **state)
{
        struct room *room = *state;
        char role[32];
        struct client eve = room_agent(room, "Eve", 0), bob = room_agent(room, "Bob", 0),
                      sue = room_agent(room, "Sue", 0);
        crew_role(room, "helper", CREW_WORK ",read_all,read_unassigned,agent_admin", role);
        crew_give_role(room, &eve, role);
        crew_give_role(room, &sue, ADMIN);
        json_t *refused = room_ask(room, &eve, "agent.set", "{\"cmid\":\"%s\",\"agent\":\"%s\",\"role\":\"" ADMIN "\"}",
                                   room_cmid(room), bob.id);
        assert_string_equal("role", words(refused, "error.data.field"));
        take_error(refused, "forbidden");
        take_error(room_ask(room, &eve, "agent.set", "{\"cmid\":\"%s\",\"agent\":\"%s\",\"role\":\"" AGENT "\"}",
                            room_cmid(room), sue.id),
                   "forbidden");
        take_error(room_ask(room, &eve, "role.add", "{\"cmid\":\"%s\",\"name\":\"x\",\"permissions\":[\"export\"]}",
                            room_cmid(room)),
                   "forbidden");
        take_result(room_ask(room, &eve, "agent.set", "{\"cmid\":\"%s\",\"agent\":\"%s\",\"role\":\"%s\"}",
                             room_cmid(room), bob.id, role));
        assert_int_equal(3, people_agent(room->desk, sue.caller.principal)->role);
}

static void nobody_makes_or_ends_an_agent_who_may_more_than_he(void **state)
{
        struct room *room = *state;
        char narrow[32], wide[32];
        struct client eve = room_agent(room, "Eve", 0), sue = room_agent(room, "Sue", 0);
        crew_role(room, "narrow", "reply,agent_admin", narrow);
        crew_role(room, "wide", CREW_WORK ",read_all,read_unassigned,agent_admin", wide);
        crew_give_role(room, &sue, ADMIN);
        crew_give_role(room, &eve, narrow);
        take_error(room_ask(room, &eve, "agent.add", "{\"cmid\":\"%s\",\"name\":\"New\"}", room_cmid(room)),
                   "forbidden");
        crew_give_role(room, &eve, wide);
        take_error(room_ask(room, &eve, "agent.revoke", "{\"cmid\":\"%s\",\"agent\":\"%s\"}", room_cmid(room), sue.id),
                   "forbidden");
        json_t *made = room_ask(room, &eve, "agent.add", "{\"cmid\":\"%s\",\"name\":\"New\"}", room_cmid(room));
        char agent[32];
        snprintf(agent, sizeof agent, "%s", words(made, "result.agent"));
        json_decref(made);
        take_result(room_ask(room, &eve, "agent.revoke", "{\"cmid\":\"%s\",\"agent\":\"%s\"}", room_cmid(room), agent));
        assert_int_equal(1, room_sql(room, "SELECT COUNT(*) FROM principal WHERE role = 2 AND revoked_ms > 0"));
        assert_int_equal(eve.caller.principal, room_sql(room, "SELECT actor FROM audit WHERE action = 'agent.revoke'"));
}

static void a_role_is_refused_with_what_is_wrong(void **state)
{
        struct room *room = *state;
        char role[32];
        struct client eve = room_agent(room, "Eve", 0);
        json_t *refused = room_operate(room, "role.add", "{\"cmid\":\"%s\",\"name\":\"x\",\"permissions\":[\"fly\"]}",
                                       room_cmid(room));
        assert_string_equal("permissions", words(refused, "error.data.field"));
        take_error(refused, "bad_request");
        take_error(room_operate(room, "role.add", "{\"cmid\":\"%s\",\"name\":\"admin\",\"permissions\":[]}",
                                room_cmid(room)),
                   "conflict");
        take_error(room_operate(room, "role.set", "{\"cmid\":\"%s\",\"role\":\"" ADMIN "\",\"permissions\":[]}",
                                room_cmid(room)),
                   "conflict");
        crew_role(room, "mine", "reply", role);
        crew_give_role(room, &eve, role);
        take_error(room_operate(room, "role.remove", "{\"cmid\":\"%s\",\"role\":\"%s\"}", room_cmid(room), role),
                   "conflict");
        crew_give_role(room, &eve, AGENT);
        take_result(room_operate(room, "role.remove", "{\"cmid\":\"%s\",\"role\":\"%s\"}", room_cmid(room), role));
        assert_int_equal(0, room_sql(room, "SELECT COUNT(*) FROM role"));
}

static void a_changed_role_holds_for_everybody_who_has_it(void **state)
{
        struct room *room = *state;
        char role[32];
        struct client eve = room_agent(room, "Eve", 0);
        crew_role(room, "lead", CREW_WORK ",read_all,team_admin", role);
        crew_give_role(room, &eve, role);
        take_result(add_team(room, &eve, "One"));
        room_forget(room);
        take_result(room_operate(room, "role.set", "{\"cmid\":\"%s\",\"role\":\"%s\",\"permissions\":[\"reply\"]}",
                                 room_cmid(room), role));
        room_turn(room);
        assert_int_equal(1, room_count(room, NOTE_CLOSE, NULL));
        take_error(add_team(room, &eve, "Two"), "forbidden");
        room_close(room);
        room_open(room);
        assert_int_equal(1u << PROTOCOL_MAY_REPLY, people_agent(room->desk, eve.caller.principal)->permissions);
}

static void a_right_that_is_not_about_reading_makes_nobody_read_again(void **state)
{
        struct room *room = *state;
        char team[32];
        struct client eve = room_agent(room, "Eve", 0);
        crew_team(room, "One", team);
        room_forget(room);
        int64_t rev = desk_rev(room->desk);
        crew_join(room, team, &eve); /* she reads all anyhow */
        room_turn(room);
        assert_int_equal(0, room_count(room, NOTE_CLOSE, NULL));
        crew_give_role(room, &eve, SUPERVISOR);
        room_turn(room);
        assert_int_equal(1, room_count(room, NOTE_CLOSE, NULL)); /* an old connection does not outlive a role */
        assert_int_equal(rev, desk_rev(room->desk));
        assert_int_equal(0, people_agent(room->desk, eve.caller.principal)->reach_rev);
}

static void two_changes_of_one_batch_both_hold(void **state)
{
        struct room *room = *state;
        struct client eve = room_agent(room, "Eve", 0), sue = room_agent(room, "Sue", 0);
        crew_give_role(room, &sue, ADMIN);
        room_queue(room, &sue, "agent.set", "{\"cmid\":\"%s\",\"agent\":\"%s\",\"capacity\":9}", room_cmid(room),
                   eve.id);
        room_queue(room, &sue, "agent.set", "{\"cmid\":\"%s\",\"agent\":\"%s\",\"skills\":[\"refunds\",\"tax\"]}",
                   room_cmid(room), eve.id);
        room_queue(room, &sue, "agent.set", "{\"cmid\":\"%s\",\"agent\":\"%s\",\"languages\":[\"ko-KR\"]}",
                   room_cmid(room), eve.id);
        room_turn(room);
        const struct agent_profile *agent = people_agent(room->desk, eve.caller.principal);
        assert_int_equal(9, agent->capacity);
        assert_true(people_has_skill(agent, SPAN("tax")) && !people_has_skill(agent, SPAN("ta")));
        assert_true(people_speaks(agent, SPAN("ko")) && people_speaks(agent, SPAN("KO-kr")));
        assert_false(people_speaks(agent, SPAN("k")));
        assert_int_equal(9, room_sql(room, "SELECT capacity FROM agent_profile WHERE capacity <> 5"));
}

static void a_batch_that_is_not_kept_changes_nobody(void **state)
{
        struct room *room = *state;
        char team[32];
        struct client eve = room_agent(room, "Eve", 0), sue = room_agent(room, "Sue", 0);
        crew_give_role(room, &sue, ADMIN);
        crew_team(room, "One", team);
        db_fault_reset(&db_sqlite);
        assert_true(db_fault_add((struct db_fault_rule){
                .op = DB_FAULT_COMMIT, .kind = DB_FAULT_FAIL, .mode = DB_WRITER, .nth = 1, .error = DB_FULL}));
        room_queue(room, &sue, "agent.set", "{\"cmid\":\"%s\",\"agent\":\"%s\",\"capacity\":9,\"role\":\"" ADMIN "\"}",
                   room_cmid(room), eve.id);
        room_queue(room, &sue, "team.member_add", "{\"cmid\":\"%s\",\"team\":\"%s\",\"agent\":\"%s\"}", room_cmid(room),
                   team, eve.id);
        room_queue(room, &sue, "team.set", "{\"cmid\":\"%s\",\"team\":\"%s\",\"name\":\"Two\"}", room_cmid(room), team);
        room_queue(room, &eve, "status.set", "{\"status\":\"away\",\"reason\":\"lunch\"}");
        room_turn(room);
        db_fault_reset(&db_sqlite);
        const struct agent_profile *agent = people_agent(room->desk, eve.caller.principal);
        assert_int_equal(5, agent->capacity);
        assert_int_equal(PEOPLE_ROLE_AGENT, agent->role);
        assert_int_equal(0, agent->team_count);
        assert_int_equal(AGENT_ONLINE, agent->status);
        assert_false(agent->is_reach_moved);
        assert_non_null(people_team_named(room->desk, SPAN("One")));
        assert_null(people_team_named(room->desk, SPAN("Two")));
}

static void a_team_is_as_it_was_said_and_refuses_nonsense(void **state)
{
        struct room *room = *state;
        char team[32];
        json_t *answer;
        struct client eve = room_agent(room, "Eve", 0);
        crew_team(room, "Billing", team);
        take_error(room_operate(room, "team.add", "{\"cmid\":\"%s\",\"name\":\"Billing\"}", room_cmid(room)),
                   "conflict");
        answer = room_operate(room, "team.set",
                              "{\"cmid\":\"%s\",\"team\":\"%s\",\"manner\":\"sticky\",\"sticky_ms\":0}",
                              room_cmid(room), team);
        assert_string_equal("sticky_ms", words(answer, "error.data.field"));
        take_error(answer, "bad_request");
        answer = room_operate(room, "team.set", "{\"cmid\":\"%s\",\"team\":\"%s\",\"schedule\":\"sch_0000000000009\"}",
                              room_cmid(room), team);
        assert_string_equal("schedule", words(answer, "error.data.field"));
        take_error(answer, "not_found");
        answer = room_operate(room, "team.set",
                              "{\"cmid\":\"%s\",\"team\":\"%s\",\"manner\":\"round_robin\",\"consent\":true}",
                              room_cmid(room), team);
        assert_string_equal("round_robin", words(answer, "result.row.manner"));
        assert_int_equal(0, number(answer, "result.row.accept_ms"));
        json_decref(answer);
        crew_join(room, team, &eve);
        crew_join(room, team, &eve);
        answer = room_operate(room, "team.members", "{\"team\":\"%s\"}", team);
        assert_int_equal(1, json_array_size(json_object_get(json_object_get(answer, "result"), "agents")));
        json_decref(answer);
        room_close(room);
        room_open(room);
        const struct agent_profile *agent = people_agent(room->desk, eve.caller.principal);
        assert_int_equal(1, agent->team_count);
        const struct team *known = people_team(room->desk, agent->teams[0]);
        assert_int_equal(PEOPLE_ROUND_ROBIN, known->manner);
        assert_true(known->wants_consent);
}

static void a_team_with_work_is_not_removed(void **state)
{
        struct room *room = *state;
        char team[32];
        struct client eve = room_agent(room, "Eve", 0);
        char *conv = crew_conversation(room, "ann", "hello");
        crew_team(room, "Billing", team);
        crew_join(room, team, &eve);
        crew_assign(room, conv, team, NULL);
        take_error(room_operate(room, "team.remove", "{\"cmid\":\"%s\",\"team\":\"%s\"}", room_cmid(room), team),
                   "conflict");
        crew_assign(room, conv, NULL, &eve);
        take_result(room_operate(room, "team.remove", "{\"cmid\":\"%s\",\"team\":\"%s\"}", room_cmid(room), team));
        assert_null(people_team_named(room->desk, SPAN("Billing")));
        assert_int_equal(0, people_agent(room->desk, eve.caller.principal)->team_count);
        take_error(room_operate(room, "team.remove", "{\"cmid\":\"%s\",\"team\":\"%s\"}", room_cmid(room), team),
                   "not_found");
        crew_team(room, "Billing", team); /* the name is free again */
        free(conv);
}

/* The newest line of the trail. */
static void last_line(struct room *room, const char *action, const char *actor, const char *detail)
{
        json_t *answer = room_operate(room, "audit.list", "{\"limit\":1}");
        assert_string_equal(action, words(answer, "result.rows.0.action"));
        assert_string_equal(actor, words(answer, "result.rows.0.actor"));
        if (detail && !strstr(words(answer, "result.rows.0.detail"), detail))
                fail_msg("%s has no '%s'", words(answer, "result.rows.0.detail"), detail);
        json_decref(answer);
}

static void each_change_is_one_line_of_who_what_and_from_what_to_what(void **state)
{
        struct room *room = *state;
        char team[32], role[32];
        struct client eve = room_agent(room, "Eve", 0), sue = room_agent(room, "Sue", 0);
        crew_give_role(room, &sue, ADMIN);
        last_line(room, "agent.set", "opr", "role agent -> admin");
        crew_team(room, "Billing", team);
        last_line(room, "team.add", "opr", "Billing");
        take_result(room_ask(room, &sue, "team.set", "{\"cmid\":\"%s\",\"team\":\"%s\",\"name\":\"Money\"}",
                             room_cmid(room), team));
        last_line(room, "team.set", sue.id, "Billing, least_loaded");
        last_line(room, "team.set", sue.id, "-> Money, least_loaded");
        take_result(room_ask(room, &sue, "team.member_add", "{\"cmid\":\"%s\",\"team\":\"%s\",\"agent\":\"%s\"}",
                             room_cmid(room), team, eve.id));
        last_line(room, "team.member_add", sue.id, eve.id);
        crew_role(room, "lead", "reply", role);
        take_result(room_ask(room, &sue, "role.set", "{\"cmid\":\"%s\",\"role\":\"%s\",\"permissions\":[\"note\"]}",
                             room_cmid(room), role));
        last_line(room, "role.set", sue.id, "reply -> note");
        int64_t lines = room_sql(room, "SELECT COUNT(*) FROM audit");
        take_error(add_team(room, &eve, "No"), "forbidden");
        take_error(room_ask(room, &sue, "team.remove", "{\"cmid\":\"%s\",\"team\":\"tea_0000000000009\"}",
                            room_cmid(room)),
                   "not_found");
        assert_int_equal(lines, room_sql(room, "SELECT COUNT(*) FROM audit"));
}

static void the_trail_is_read_in_pages_from_either_end(void **state)
{
        struct room *room = *state;
        char team[32], name[16];
        for (int i = 0; i < 25; i++) {
                snprintf(name, sizeof name, "T%d", i);
                crew_team(room, name, team);
        }
        json_int_t seen = 0, last = INT64_MAX;
        bool more = true;
        while (more) {
                json_t *answer = room_operate(room, "audit.list",
                                              "{\"limit\":4,\"action\":\"team.add\",\"actor\":\"opr\",\"before\":%lld}",
                                              last == INT64_MAX ? 9007199254740991LL : (long long)last);
                json_t *rows = json_object_get(json_object_get(answer, "result"), "rows"), *row;
                size_t i;
                json_array_foreach(rows, i, row) {
                        assert_true(number(row, "id") < last);
                        last = number(row, "id");
                        seen++;
                }
                more = json_is_true(json_object_get(json_object_get(answer, "result"), "more"));
                json_decref(answer);
        }
        assert_int_equal(25, seen);
        json_t *answer = room_operate(room, "audit.list", "{\"after\":%lld,\"limit\":3}", (long long)last);
        assert_int_equal(last + 1, number(answer, "result.rows.0.id"));
        assert_int_equal(last + 3, number(answer, "result.rows.2.id"));
        json_decref(answer);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, room_set_up, room_tear_down)
        const struct CMUnitTest tests[] = {
                TEST(a_permission_comes_with_the_role_and_goes_with_it),
                TEST(a_reader_asks_for_the_permission_too),
                TEST(who_may_not_write_writes_nothing),
                TEST(nobody_gives_or_takes_a_role_that_may_more_than_he),
                TEST(nobody_makes_or_ends_an_agent_who_may_more_than_he),
                TEST(a_role_is_refused_with_what_is_wrong),
                TEST(a_changed_role_holds_for_everybody_who_has_it),
                TEST(a_right_that_is_not_about_reading_makes_nobody_read_again),
                TEST(two_changes_of_one_batch_both_hold),
                TEST(a_batch_that_is_not_kept_changes_nobody),
                TEST(a_team_is_as_it_was_said_and_refuses_nonsense),
                TEST(a_team_with_work_is_not_removed),
                TEST(each_change_is_one_line_of_who_what_and_from_what_to_what),
                TEST(the_trail_is_read_in_pages_from_either_end),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
