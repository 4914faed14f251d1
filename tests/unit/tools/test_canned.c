/* SPDX-License-Identifier: Apache-2.0 */
/* Canned replies: variables, languages, whose they are, finding them, counting their use. */
#include "unit/people/crew.h"

#include <stdio.h>
#include <stdlib.h>

#define SUPERVISOR "rol_0000000000002"
#define HELLO                                                                                                          \
        "[{\"lang\":\"en\",\"text\":\"Hello {{customer.name|there}}\"},{\"lang\":\"ko\",\"text\":\"안녕하세요 "   \
        "{{customer.name|고객}}님\"}]"

static struct client supervisor(struct room *room, const char *name)
{
        struct client agent = room_agent(room, name, 0);
        crew_give_role(room, &agent, SUPERVISOR);
        return room_agent(room, name, 1);
}

static json_t *add(struct room *room, const struct client *who, const char *shortcut, const char *texts,
                   const char *more)
{
        return room_ask(room, who, "canned.add",
                        "{\"cmid\":\"%s\",\"shortcut\":\"%s\",\"name\":\"Name\",\"texts\":%s%s}", room_cmid(room),
                        shortcut, texts, more);
}

static void id_of(json_t *answer, char out[32])
{
        const char *id = words(answer, "result.canned");
        if (!id)
                fail_msg("not made: %s", words(answer, "error.data.tag"));
        snprintf(out, 32, "%s", id);
        json_decref(answer);
}

static json_t *render(struct room *room, const struct client *who, const char *conv, const char *shortcut,
                      const char *more)
{
        return room_ask(room, who, "canned.render", "{\"conv\":\"%s\",\"shortcut\":\"%s\"%s}", conv, shortcut, more);
}

static void expect_text(json_t *answer, const char *expected)
{
        const char *text = words(answer, "result.text");
        assert_string_equal(expected, text ? text : words(answer, "error.data.tag"));
        json_decref(answer);
}

static void variables_become_what_is_known_and_fall_back_to_what_was_given(void **state)
{
        struct room *room = *state;
        struct client eve = supervisor(room, "Eve");
        char *conv = crew_conversation(room, "ann", "hi");
        take_result(room_operate(room, "attribute.add",
                                 "{\"cmid\":\"%s\",\"scope\":\"ticket\",\"name\":\"order\",\"kind\":\"text\"}",
                                 room_cmid(room)));
        take_result(add(room, &eve, "hello", HELLO, ""));
        take_result(add(room, &eve, "all",
                        "[{\"lang\":\"en\",\"text\":\"{{agent.name}}: #{{ticket.number}} {{field.order|none}} {{ "
                        "customer.phone }}.\"}]",
                        ""));
        expect_text(render(room, &eve, conv, "hello", ""), "Hello there");
        take_result(room_operate(
                room, "customer.set",
                "{\"cmid\":\"%s\",\"customer\":\"%s\",\"attributes\":[{\"name\":\"name\",\"value\":\"Ann\"}]}",
                room_cmid(room), room_customer(room, "ann", 1).id));
        expect_text(render(room, &eve, conv, "hello", ""), "Hello Ann");
        json_t *answer = render(room, &eve, conv, "all", "");
        assert_string_equal(
                "customer.phone",
                json_string_value(json_array_get(json_object_get(json_object_get(answer, "result"), "missing"), 0)));
        expect_text(answer, "Eve: #1 none .");
        ticket_do(room, &eve, conv, "ticket.set", ",\"fields\":\"{\\\"order\\\":\\\"A-7\\\"}\"");
        expect_text(render(room, &eve, conv, "all", ""), "Eve: #1 A-7 .");
        free(conv);
}

static void a_text_with_an_unknown_variable_is_refused_by_name(void **state)
{
        struct room *room = *state;
        struct client eve = supervisor(room, "Eve");
        static const char *const bad[] = {"{{customer.shoe_size}}",
                                          "{{field.nothing}}",
                                          "{{ticket}}",
                                          "{{agent.email}}",
                                          "{{}}",
                                          "{{|x}}",
                                          "{{customer.name",
                                          "a {{ b"};
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
                char texts[256];
                snprintf(texts, sizeof texts, "[{\"lang\":\"en\",\"text\":\"fine\"},{\"lang\":\"ko\",\"text\":\"%s\"}]",
                         bad[i]);
                json_t *answer = add(room, &eve, "bad", texts, "");
                assert_string_equal("texts[1].text", words(answer, "error.data.field"));
                take_error(answer, "bad_request");
        }
        assert_int_equal(0, room_sql(room, "SELECT count(*) FROM canned"));
        take_result(add(room, &eve, "fine", "[{\"lang\":\"en\",\"text\":\"} { {x} {{customer.tier|no {x}}}\"}]", ""));
}

static void the_language_asked_for_wins_then_the_tickets_then_the_customers(void **state)
{
        struct room *room = *state;
        struct client eve = supervisor(room, "Eve");
        char *conv = crew_conversation(room, "ann", "hi");
        take_result(add(room, &eve, "hello", HELLO, ""));
        expect_text(render(room, &eve, conv, "hello", ",\"lang\":\"ko-KR\""), "안녕하세요 고객님");
        expect_text(render(room, &eve, conv, "hello", ",\"lang\":\"fr\""), "Hello there");
        expect_text(render(room, &eve, conv, "hello", ",\"lang\":\"kok\""), "Hello there");
        take_result(room_operate(
                room, "customer.set",
                "{\"cmid\":\"%s\",\"customer\":\"%s\",\"attributes\":[{\"name\":\"locale\",\"value\":\"ko\"}]}",
                room_cmid(room), room_customer(room, "ann", 1).id));
        expect_text(render(room, &eve, conv, "hello", ""), "안녕하세요 고객님");
        ticket_do(room, &eve, conv, "ticket.set", ",\"lang\":\"en\"");
        expect_text(render(room, &eve, conv, "hello", ""), "Hello there");
        free(conv);
}

static void ones_own_is_ones_own_and_comes_before_everybodys(void **state)
{
        struct room *room = *state;
        struct client eve = supervisor(room, "Eve"), max = room_agent(room, "Max", 0);
        char *conv = crew_conversation(room, "ann", "hi"), shared[32], own[32];
        take_error(add(room, &max, "hello", HELLO, ""), "forbidden");
        id_of(add(room, &eve, "hello", HELLO, ""), shared);
        id_of(add(room, &max, "hello", "[{\"lang\":\"en\",\"text\":\"Mine\"}]", ",\"own\":true"), own);
        take_error(add(room, &eve, "hello", HELLO, ""), "conflict");
        expect_text(render(room, &max, conv, "hello", ""), "Mine");
        expect_text(render(room, &eve, conv, "hello", ""), "Hello there");
        take_error(room_ask(room, &eve, "canned.remove", "{\"cmid\":\"%s\",\"canned\":\"%s\"}", room_cmid(room), own),
                   "not_found");
        take_error(
                room_ask(room, &max, "canned.remove", "{\"cmid\":\"%s\",\"canned\":\"%s\"}", room_cmid(room), shared),
                "forbidden");
        take_error(room_read(room, &eve, "canned.get", "{\"canned\":\"%s\"}", own), "not_found");
        json_t *list = room_read(room, &max, "canned.list", "{}");
        assert_int_equal(2, json_array_size(json_object_get(json_object_get(list, "result"), "rows")));
        json_decref(list);
        list = room_operate(room, "canned.list", "{}");
        assert_int_equal(1, json_array_size(json_object_get(json_object_get(list, "result"), "rows")));
        json_decref(list);
        take_result(room_ask(room, &max, "canned.remove", "{\"cmid\":\"%s\",\"canned\":\"%s\"}", room_cmid(room), own));
        expect_text(render(room, &max, conv, "hello", ""), "Hello there");
        free(conv);
}

static void a_stale_change_is_refused_and_a_fresh_one_is_found_by_its_words(void **state)
{
        struct room *room = *state;
        struct client eve = supervisor(room, "Eve");
        char id[32];
        id_of(add(room, &eve, "hello", HELLO, ",\"folder\":\"greetings/all\""), id);
        const char *const found[][2] = {{"\"query\":\"hello\"", "1"},      {"\"query\":\"안녕\"", "1"},
                                        {"\"query\":\"greet hel\"", "1"},  {"\"query\":\"bye\"", "0"},
                                        {"\"folder\":\"greetings\"", "1"}, {"\"folder\":\"greet\"", "0"}};
        for (size_t i = 0; i < sizeof found / sizeof *found; i++) {
                json_t *list = room_operate(room, "canned.list", "{%s}", found[i][0]);
                assert_int_equal(atoi(found[i][1]),
                                 json_array_size(json_object_get(json_object_get(list, "result"), "rows")));
                json_decref(list);
        }
        take_error(room_ask(room, &eve, "canned.set",
                            "{\"cmid\":\"%s\",\"canned\":\"%s\",\"version\":2,\"name\":\"x\"}", room_cmid(room), id),
                   "stale");
        take_result(room_ask(
                room, &eve, "canned.set",
                "{\"cmid\":\"%s\",\"canned\":\"%s\",\"version\":1,\"texts\":[{\"lang\":\"en\",\"text\":\"Bye\"}]}",
                room_cmid(room), id));
        json_t *list = room_operate(room, "canned.list", "{\"query\":\"bye\"}");
        assert_int_equal(
                2, number(json_array_get(json_object_get(json_object_get(list, "result"), "rows"), 0), "version"));
        json_decref(list);
        list = room_operate(room, "canned.list", "{\"query\":\"안녕\"}");
        assert_int_equal(0, json_array_size(json_object_get(json_object_get(list, "result"), "rows")));
        json_decref(list);
}

static void pages_of_the_list_meet_without_a_gap_and_uses_are_counted(void **state)
{
        struct room *room = *state;
        struct client eve = supervisor(room, "Eve");
        char shortcut[16], after[128] = "", id[32];
        int seen = 0;
        for (int i = 0; i < 25; i++) {
                snprintf(shortcut, sizeof shortcut, "s%02d", (i * 7) % 25);
                id_of(add(room, &eve, shortcut, "[{\"lang\":\"en\",\"text\":\"x\"}]", ""), id);
        }
        for (int pages = 0; pages < 10; pages++) {
                json_t *list = room_operate(room, "canned.list", "{\"limit\":4%s}", after), *row;
                size_t i;
                json_array_foreach(json_object_get(json_object_get(list, "result"), "rows"), i, row) {
                        snprintf(shortcut, sizeof shortcut, "s%02d", seen++);
                        assert_string_equal(shortcut, words(row, "shortcut"));
                }
                const char *next = words(list, "result.next");
                after[0] = 0;
                if (next)
                        snprintf(after, sizeof after, ",\"after\":\"%s\"", next);
                json_decref(list);
                if (!after[0])
                        break;
        }
        assert_int_equal(25, seen);
        take_result(room_ask(room, &eve, "canned.used", "{\"cmid\":\"%s\",\"canned\":\"%s\"}", room_cmid(room), id));
        take_result(room_ask(room, &eve, "canned.used", "{\"cmid\":\"%s\",\"canned\":\"%s\"}", room_cmid(room), id));
        assert_int_equal(2, room_sql(room, "SELECT uses FROM canned WHERE uses > 0"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
#define ROW(name) cmocka_unit_test_setup_teardown(name, room_set_up, room_tear_down)
                ROW(variables_become_what_is_known_and_fall_back_to_what_was_given),
                ROW(a_text_with_an_unknown_variable_is_refused_by_name),
                ROW(the_language_asked_for_wins_then_the_tickets_then_the_customers),
                ROW(ones_own_is_ones_own_and_comes_before_everybodys),
                ROW(a_stale_change_is_refused_and_a_fresh_one_is_found_by_its_words),
                ROW(pages_of_the_list_meet_without_a_gap_and_uses_are_counted),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
