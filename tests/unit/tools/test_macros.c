/* SPDX-License-Identifier: Apache-2.0 */
/* Macros and bulk actions: whole or not at all, along the table of a ticket's life, and each ticket of a bulk by
 * itself. */
#include "unit/people/crew.h"

#include <stdio.h>
#include <stdlib.h>

#define SUPERVISOR "rol_0000000000002"

static struct client supervisor(struct room *room, const char *name)
{
        struct client agent = room_agent(room, name, 0);
        crew_give_role(room, &agent, SUPERVISOR);
        return room_agent(room, name, 1);
}

static json_t *add(struct room *room, const struct client *who, const char *name, const char *actions)
{
        return room_ask(room, who, "macro.add", "{\"cmid\":\"%s\",\"name\":\"%s\",\"actions\":%s}", room_cmid(room),
                        name, actions);
}

static void made(struct room *room, const struct client *who, const char *name, const char *actions, char out[32])
{
        json_t *answer = add(room, who, name, actions);
        if (!words(answer, "result.macro"))
                fail_msg("%s: %s %s", name, words(answer, "error.data.tag"), words(answer, "error.data.field"));
        snprintf(out, 32, "%s", words(answer, "result.macro"));
        json_decref(answer);
}

static json_t *run(struct room *room, const struct client *who, const char *conv, const char *macro)
{
        char more[64];
        snprintf(more, sizeof more, ",\"macro\":\"%s\"", macro);
        return ticket_ask_for(room, who, conv, "macro.run", more);
}

static void a_macro_does_all_of_it_in_order(void **state)
{
        struct room *room = *state;
        struct client eve = supervisor(room, "Eve");
        char team[32], macro[32], actions[1024], *conv = crew_conversation(room, "ann", "where is my money?");
        crew_team(room, "Refunds", team);
        take_result(room_operate(room, "attribute.add",
                                 "{\"cmid\":\"%s\",\"scope\":\"ticket\",\"name\":\"order\",\"kind\":\"text\"}",
                                 room_cmid(room)));
        snprintf(actions, sizeof actions,
                 "[{\"act\":\"team\",\"team\":\"%s\"},{\"act\":\"assignee\"},{\"act\":\"reply\",\"text\":\"Refunded, "
                 "{{customer.name|friend}}. "
                 "{{agent.name}}\"},{\"act\":\"note\",\"text\":\"done\"},{\"act\":\"priority\","
                 "\"priority\":\"high\"},{\"act\":\"add_tag\",\"tag\":\"refund\"},{\"act\":\"subject\",\"text\":"
                 "\"Money\"},"
                 "{\"act\":\"field\",\"name\":\"order\",\"value\":\"A-1\"},{\"act\":\"status\",\"status\":\"solved\"}]",
                 team);
        made(room, &eve, "Refund", actions, macro);
        take_result(run(room, &eve, conv, macro));
        assert_string_equal("solved", ticket_status_in(room, conv));
        const struct ticket *ticket = ticket_in(room, conv);
        assert_int_equal(PRIORITY_HIGH, ticket->priority);
        assert_int_equal(eve.caller.principal, ticket->assignee);
        assert_string_equal("Money", ticket->subject);
        assert_string_equal("{\"order\":\"A-1\"}", ticket->fields);
        assert_string_equal("refund", ticket->tags[0]);
        assert_int_equal(
                1, room_sql(room, "SELECT count(*) FROM entry WHERE log = 0 AND body LIKE '%Refunded, friend. Eve%'"));
        assert_int_equal(
                1, room_sql(room, "SELECT count(*) FROM entry WHERE log = 1 AND kind = 1 AND body LIKE '%done%'"));
        assert_int_equal(0, room_cached(room, conv)->row.unanswered);
        assert_int_equal(1, room_sql(room, "SELECT uses FROM macro"));
        tickets_check(room);
        room_check(room);
        free(conv);
}

static void a_macro_that_cannot_be_done_whole_does_nothing(void **state)
{
        struct room *room = *state;
        struct client eve = supervisor(room, "Eve");
        char macro[32], *conv = crew_conversation(room, "ann", "hi");
        /* from pending nobody can wait for the customer: somebody has to take it first */
        made(room, &eve, "Wait", "[{\"act\":\"add_tag\",\"tag\":\"x\"},{\"act\":\"status\",\"status\":\"waiting\"}]",
             macro);
        int64_t version = ticket_in(room, conv)->version, entries = room_sql(room, "SELECT count(*) FROM entry");
        json_t *answer = run(room, &eve, conv, macro);
        assert_string_equal("actions[1].act", words(answer, "error.data.field"));
        assert_string_equal("no 'wait' while it is 'pending'", words(answer, "error.data.expected"));
        take_error(answer, "conflict");
        assert_int_equal(version, ticket_in(room, conv)->version);
        assert_int_equal(0, ticket_in(room, conv)->tag_count);
        assert_int_equal(entries, room_sql(room, "SELECT count(*) FROM entry"));
        made(room, &eve, "Reply and wait",
             "[{\"act\":\"reply\",\"text\":\"?\"},{\"act\":\"status\",\"status\":\"waiting\"}]", macro);
        take_result(run(room, &eve, conv, macro));
        assert_string_equal("waiting", ticket_status_in(room, conv));
        take_error(room_ask(room, &eve, "macro.run",
                            "{\"cmid\":\"%s\",\"macro\":\"%s\",\"ticket\":\"tkt_0000000000001\",\"version\":1}",
                            room_cmid(room), macro),
                   "not_found");
        tickets_check(room);
        room_check(room);
        free(conv);
}

static void a_macro_for_a_version_that_is_gone_does_nothing(void **state)
{
        struct room *room = *state;
        struct client eve = supervisor(room, "Eve"), max = supervisor(room, "Max");
        char macro[32], *conv = crew_conversation(room, "ann", "hi");
        made(room, &eve, "Tag", "[{\"act\":\"add_tag\",\"tag\":\"x\"}]", macro);
        const struct ticket *ticket = ticket_in(room, conv);
        char id[ID_TEXT_BYTES + 1] = {0};
        int64_t known = ticket->version;
        id_write(id, "tkt", ticket->ext);
        ticket_do(room, &max, conv, "ticket.set", ",\"priority\":\"urgent\"");
        take_error(room_ask(room, &eve, "macro.run",
                            "{\"cmid\":\"%s\",\"macro\":\"%s\",\"ticket\":\"%s\",\"version\":%lld}", room_cmid(room),
                            macro, id, (long long)known),
                   "stale");
        assert_int_equal(0, ticket_in(room, conv)->tag_count);
        free(conv);
}

static void what_an_action_lacks_or_has_too_much_is_named(void **state)
{
        struct room *room = *state;
        struct client eve = supervisor(room, "Eve");
        static const char *const bad[][2] = {
                {"{\"act\":\"reply\"}", "actions[0].canned"},
                {"{\"act\":\"reply\",\"text\":\"x\",\"canned\":\"can_0000000000001\"}", "actions[0].canned"},
                {"{\"act\":\"note\"}", "actions[0].text"},
                {"{\"act\":\"status\"}", "actions[0].status"},
                {"{\"act\":\"add_tag\",\"text\":\"x\",\"tag\":\"t\"}", "actions[0].text"},
                {"{\"act\":\"snooze\",\"priority\":\"low\"}", "actions[0].priority"},
                {"{\"act\":\"field\",\"name\":\"nothing\",\"value\":\"x\"}", "actions[0].name"},
                {"{\"act\":\"note\",\"text\":\"{{nobody}}\"}", "actions[0].text"},
                {"{\"act\":\"subject\",\"text\":\"a\\nb\"}", "actions[0].text"},
        };
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
                char actions[256];
                snprintf(actions, sizeof actions, "[%s]", bad[i][0]);
                json_t *answer = add(room, &eve, "Bad", actions);
                assert_string_equal(bad[i][1], words(answer, "error.data.field"));
                take_error(answer, "bad_request");
        }
        assert_int_equal(0, room_sql(room, "SELECT count(*) FROM macro"));
}

static void an_agent_does_by_a_macro_only_what_he_may_do_himself(void **state)
{
        struct room *room = *state;
        struct client eve = supervisor(room, "Eve"), max = room_agent(room, "Max", 0);
        char macro[32], role[32], *conv = crew_conversation(room, "ann", "hi");
        take_error(add(room, &max, "Mine", "[{\"act\":\"add_tag\",\"tag\":\"x\"}]"), "forbidden");
        made(room, &eve, "Note and tag", "[{\"act\":\"note\",\"text\":\"n\"},{\"act\":\"add_tag\",\"tag\":\"x\"}]",
             macro);
        crew_role(room, "noter", "read_all,note", role);
        crew_give_role(room, &max, role);
        max = room_agent(room, "Max", 1);
        json_t *answer = run(room, &max, conv, macro);
        assert_string_equal("actions[1].act", words(answer, "error.data.field"));
        take_error(answer, "forbidden");
        assert_int_equal(0, room_sql(room, "SELECT count(*) FROM entry WHERE log = 1 AND kind = 1"));
        free(conv);
}

static void a_bulk_answers_each_ticket_by_itself(void **state)
{
        struct room *room = *state;
        struct client eve = supervisor(room, "Eve");
        char *convs[3], ids[3][ID_TEXT_BYTES + 1] = {{0}};
        int64_t versions[3];
        for (int i = 0; i < 3; i++) {
                char subject[16];
                snprintf(subject, sizeof subject, "c%d", i);
                convs[i] = crew_conversation(room, subject, "hi");
                id_write(ids[i], "tkt", ticket_in(room, convs[i])->ext);
                versions[i] = ticket_in(room, convs[i])->version;
        }
        ticket_do(room, &eve, convs[1], "ticket.set", ",\"priority\":\"low\"");
        json_t *answer = room_ask(
                room, &eve, "ticket.bulk",
                "{\"tickets\":[{\"ticket\":\"%s\",\"version\":%lld},{\"ticket\":\"%s\",\"version\":%lld},"
                "{\"ticket\":\"%s\",\"version\":%lld},{\"ticket\":\"tkt_0000000000001\",\"version\":1}],"
                "\"action\":{\"act\":\"add_tag\",\"tag\":\"batch\"}}",
                ids[0], (long long)versions[0], ids[1], (long long)versions[1], ids[2], (long long)versions[2]);
        json_t *answers = json_object_get(json_object_get(answer, "result"), "answers");
        assert_int_equal(4, json_array_size(answers));
        assert_null(words(json_array_get(answers, 0), "error"));
        assert_string_equal("stale", words(json_array_get(answers, 1), "error"));
        assert_null(words(json_array_get(answers, 2), "error"));
        assert_string_equal("not_found", words(json_array_get(answers, 3), "error"));
        assert_int_equal(ticket_in(room, convs[0])->version, number(json_array_get(answers, 0), "version"));
        json_decref(answer);
        assert_int_equal(1, ticket_in(room, convs[0])->tag_count);
        assert_int_equal(0, ticket_in(room, convs[1])->tag_count);
        assert_int_equal(1, ticket_in(room, convs[2])->tag_count);
        take_error(room_ask(room, &eve, "ticket.bulk",
                            "{\"tickets\":[{\"ticket\":\"%s\",\"version\":1},{\"ticket\":\"%s\",\"version\":2}],"
                            "\"action\":{\"act\":\"snooze\"}}",
                            ids[0], ids[0]),
                   "bad_request");
        tickets_check(room);
        room_check(room);
        for (int i = 0; i < 3; i++)
                free(convs[i]);
}

/* Whatever macro on whatever ticket: done whole or refused whole, and never a way that the table has not. */
static void macros_at_random_never_leave_half_of_themselves(void **state)
{
        struct room *room = *state;
        struct client eve = supervisor(room, "Eve"), ann = room_customer(room, "ann", 0);
        static const char *const parts[] = {
                "{\"act\":\"reply\",\"text\":\"r\"}",
                "{\"act\":\"note\",\"text\":\"n\"}",
                "{\"act\":\"status\",\"status\":\"open\"}",
                "{\"act\":\"status\",\"status\":\"waiting\"}",
                "{\"act\":\"status\",\"status\":\"on_hold\"}",
                "{\"act\":\"status\",\"status\":\"solved\"}",
                "{\"act\":\"snooze\"}",
                "{\"act\":\"snooze\",\"for_minutes\":5}",
                "{\"act\":\"assignee\"}",
                "{\"act\":\"team\"}",
                "{\"act\":\"priority\",\"priority\":\"high\"}",
                "{\"act\":\"add_tag\",\"tag\":\"t\"}",
                "{\"act\":\"remove_tag\",\"tag\":\"t\"}",
        };
        char *conv = room_conversation(room, &ann, "main"), macro[32], name[16];
        unsigned seed = 20250101;
        int done = 0, refused = 0;
        take_seq(room_send(room, &ann, conv, NULL, "hi"));
        for (int i = 0; i < 150; i++) {
                char actions[512] = "[";
                int count = 1 + rand_r(&seed) % 4;
                for (int a = 0; a < count; a++)
                        snprintf(actions + strlen(actions), sizeof actions - strlen(actions), "%s%s", a ? "," : "",
                                 parts[(size_t)rand_r(&seed) % (sizeof parts / sizeof *parts)]);
                strcat(actions, "]");
                snprintf(name, sizeof name, "m%d", i);
                made(room, &eve, name, actions, macro);
                if (rand_r(&seed) % 3 == 0)
                        take_seq(room_send(room, &ann, conv, NULL, "again"));
                int64_t version = ticket_in(room, conv)->version,
                        entries = room_sql(room, "SELECT count(*) FROM entry");
                json_t *answer = run(room, &eve, conv, macro);
                if (json_object_get(answer, "result")) {
                        done++;
                } else {
                        refused++;
                        assert_string_equal("conflict", words(answer, "error.data.tag"));
                        assert_int_equal(version, ticket_in(room, conv)->version);
                        assert_int_equal(entries, room_sql(room, "SELECT count(*) FROM entry"));
                }
                json_decref(answer);
                tickets_check(room);
        }
        assert_true(done > 20 && refused > 20);
        room_check(room);
        free(conv);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
#define ROW(name) cmocka_unit_test_setup_teardown(name, room_set_up, room_tear_down)
                ROW(a_macro_does_all_of_it_in_order),
                ROW(a_macro_that_cannot_be_done_whole_does_nothing),
                ROW(a_macro_for_a_version_that_is_gone_does_nothing),
                ROW(what_an_action_lacks_or_has_too_much_is_named),
                ROW(an_agent_does_by_a_macro_only_what_he_may_do_himself),
                ROW(a_bulk_answers_each_ticket_by_itself),
                ROW(macros_at_random_never_leave_half_of_themselves),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
