/* SPDX-License-Identifier: Apache-2.0 */
/* What the reports say of small histories that can be counted on one's fingers. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "unit/tickets/ticket_room.h"

enum { MINUTE_MS = 60000 };

static const char *today(void)
{
        static char text[11];
        time_t now_s = (time_t)(clock_wall_ms() / 1000);
        struct tm utc;
        strftime(text, sizeof text, "%Y-%m-%d", gmtime_r(&now_s, &utc));
        return text;
}

/* Noon, so that nothing of a test falls on another day. */
static void be_noon(void)
{
        int64_t day_ms = INT64_C(86400000), now_ms = clock_wall_ms();
        clock_shift_wall(day_ms - now_ms % day_ms + day_ms / 2);
}

static json_t *query(struct room *room, const char *metrics, const char *more)
{
        json_t *answer = room_operate(room, "report.query", "{\"metrics\":[%s],\"from\":\"%s\",\"to\":\"%s\"%s}",
                                      metrics, today(), today(), more);
        if (!json_object_get(answer, "result"))
                fail_msg("%s", json_dumps(answer, 0));
        return answer;
}

static json_int_t total(struct room *room, const char *metric, const char *member)
{
        char quoted[48], path[64];
        snprintf(quoted, sizeof quoted, "\"%s\"", metric);
        snprintf(path, sizeof path, "result.totals.0.%s", member);
        json_t *answer = query(room, quoted, "");
        json_int_t value = number(answer, path);
        json_decref(answer);
        return value;
}

static void check(struct room *room)
{
        json_t *answer = room_operate(room, "report.check", "{}");
        if (number(answer, "result.differences") != 0)
                fail_msg("%s", words(answer, "result.first"));
        json_decref(answer);
}

static void say(struct room *room, const struct client *who, const char *conv, int minutes)
{
        clock_shift_wall(minutes * (int64_t)MINUTE_MS);
        take_seq(room_send(room, who, conv, NULL, "hello"));
}

static void move(struct room *room, const struct client *agent, const char *conv, const char *to, int minutes)
{
        char more[64];
        clock_shift_wall(minutes * (int64_t)MINUTE_MS);
        snprintf(more, sizeof more, ",\"to\":\"%s\"", to);
        ticket_do(room, agent, conv, "ticket.move", more);
}

/* Whether a time is that long, but for what the test itself took. */
static void assert_minutes(int minutes, json_int_t ms)
{
        assert_in_range(ms, minutes * MINUTE_MS, minutes * MINUTE_MS + 30000);
}

static void nothing_is_not_zero(void **state)
{
        struct room *room = *state;
        assert_int_equal(0, total(room, "tickets", "value"));
        assert_int_equal(-1, total(room, "first_response", "value"));
        assert_int_equal(-1, total(room, "sla_first", "value"));
        assert_int_equal(-1, total(room, "csat", "value"));
        assert_int_equal(0, total(room, "csat", "offered"));
        assert_int_equal(0, total(room, "csat", "n"));
}

static void a_ticket_is_measured_by_its_story(void **state)
{
        struct room *room = *state;
        be_noon();
        struct client ann = room_customer(room, "ann", 0), ben = room_agent(room, "ben", 0);
        char *conv = room_conversation(room, &ann, "k");
        say(room, &ann, conv, 0);
        say(room, &ben, conv, 10);
        say(room, &ann, conv, 5);
        say(room, &ann, conv, 2); /* the older one waits */
        say(room, &ben, conv, 3);
        assert_int_equal(-1, total(room, "resolution", "value"));
        assert_int_equal(1, total(room, "backlog", "value"));
        move(room, &ben, conv, "solved", 20);
        assert_int_equal(1, total(room, "tickets", "value"));
        assert_int_equal(1, total(room, "solved", "value"));
        assert_int_equal(0, total(room, "backlog", "value"));
        assert_minutes(10, total(room, "first_response", "value"));
        assert_minutes(5, total(room, "next_response", "value"));
        assert_minutes(40, total(room, "resolution", "value"));
        assert_minutes(10, total(room, "waiting", "value"));
        assert_minutes(30, total(room, "handling", "value"));
        assert_int_equal(2000, total(room, "replies", "value"));
        assert_int_equal(0, total(room, "one_touch", "value"));
        assert_int_equal(3, total(room, "customer_messages", "value"));
        assert_int_equal(2, total(room, "staff_messages", "value"));
        check(room);
        free(conv);
}

static void what_comes_after_the_last_solving_waits_for_the_next(void **state)
{
        struct room *room = *state;
        be_noon();
        struct client ann = room_customer(room, "ann", 0), ben = room_agent(room, "ben", 0);
        char *conv = room_conversation(room, &ann, "k");
        say(room, &ann, conv, 0);
        say(room, &ben, conv, 10);
        move(room, &ben, conv, "solved", 10);
        assert_int_equal(10000, total(room, "one_touch", "value"));
        assert_int_equal(0, total(room, "reopen_rate", "value"));
        say(room, &ann, conv, 30);
        say(room, &ben, conv, 10);
        assert_int_equal(1, total(room, "reopened", "value"));
        assert_int_equal(1, total(room, "backlog", "value"));
        assert_int_equal(10000, total(room, "reopen_rate", "value"));
        assert_int_equal(10000, total(room, "one_touch", "value")); /* still the first story */
        move(room, &ben, conv, "solved", 10);
        assert_int_equal(0, total(room, "one_touch", "value"));
        assert_int_equal(2, total(room, "solved", "value"));
        assert_minutes(20, total(room, "resolution", "value"));
        assert_minutes(70, total(room, "total_resolution", "value"));
        check(room);
        free(conv);
}

static void spam_and_merged_tickets_leave_every_number(void **state)
{
        struct room *room = *state;
        be_noon();
        struct client ann = room_customer(room, "ann", 0), ben = room_agent(room, "ben", 0);
        char *one = room_conversation(room, &ann, "one"), *two = room_conversation(room, &ann, "two");
        say(room, &ann, one, 0);
        say(room, &ann, two, 0);
        say(room, &ben, two, 5);
        move(room, &ben, two, "solved", 5);
        assert_int_equal(2, total(room, "tickets", "value"));
        ticket_do(room, &ben, one, "ticket.move", ",\"to\":\"closed\",\"reason\":\"spam\"");
        ticket_do(room, &ben, two, "ticket.move", ",\"to\":\"closed\",\"reason\":\"spam\"");
        assert_int_equal(0, total(room, "tickets", "value"));
        assert_int_equal(0, total(room, "solved", "value"));
        assert_int_equal(0, total(room, "backlog", "value"));
        assert_int_equal(-1, total(room, "resolution", "value"));
        assert_int_equal(0, room_sql(room, "SELECT COUNT(*) FROM report_cell"));
        check(room);
        free(one);
        free(two);
}

static void erased_messages_and_people_still_count(void **state)
{
        struct room *room = *state;
        be_noon();
        struct client ann = room_customer(room, "ann", 0), ben = room_agent(room, "ben", 0);
        char *conv = room_conversation(room, &ann, "k");
        say(room, &ann, conv, 0);
        say(room, &ben, conv, 1);
        json_int_t seq = take_seq(room_send(room, &ben, conv, NULL, "and more"));
        take_result(room_ask(room, &ben, "message.edit",
                             "{\"cmid\":\"%s\",\"conv\":\"%s\",\"of\":%lld,\"version\":1,\"text\":\"better\"}",
                             room_cmid(room), conv, (long long)seq));
        take_result(room_ask(room, &ben, "message.erase", "{\"cmid\":\"%s\",\"conv\":\"%s\",\"of\":%lld}",
                             room_cmid(room), conv, (long long)seq));
        move(room, &ben, conv, "solved", 1);
        assert_int_equal(2000, total(room, "replies", "value"));
        take_result(
                room_operate(room, "customer.erase", "{\"cmid\":\"%s\",\"customer\":\"%s\"}", room_cmid(room), ann.id));
        check(room);
        take_result(room_operate(room, "report.rebuild", "{\"cmid\":\"%s\"}", room_cmid(room)));
        while (room_sql(room, "SELECT COUNT(*) FROM job WHERE kind = 4") > 0) {
                clock_shift_mono(200);
                room_turn(room);
        }
        check(room);
        assert_int_equal(2000, total(room, "replies", "value"));
        assert_int_equal(1, total(room, "customer_messages", "value"));
        assert_int_equal(2, total(room, "staff_messages", "value"));
        free(conv);
}

static void a_cell_opens_down_to_its_tickets(void **state)
{
        struct room *room = *state;
        be_noon();
        struct client ann = room_customer(room, "ann", 0), ben = room_agent(room, "ben", 0),
                      cem = room_agent(room, "cem", 0);
        for (int i = 0; i < 6; i++) {
                char key[16];
                snprintf(key, sizeof key, "k%d", i);
                char *conv = room_conversation(room, &ann, key);
                say(room, &ann, conv, 1);
                say(room, i % 2 ? &ben : &cem, conv, i + 1);
                free(conv);
        }
        json_t *answer = query(room, "\"first_response\"", ",\"by\":\"agent\""), *row;
        size_t at;
        assert_int_equal(2, json_array_size(json_object_get(json_object_get(answer, "result"), "rows")));
        json_array_foreach(json_object_get(json_object_get(answer, "result"), "rows"), at, row) {
                json_t *list =
                        room_operate(room, "report.list",
                                     "{\"metric\":\"first_response\",\"from\":\"%s\",\"to\":\"%s\",\"filter_by\":"
                                     "\"agent\",\"filter\":\"%s\"}",
                                     today(), today(), json_string_value(json_object_get(row, "key")));
                json_int_t sum = 0;
                json_t *items = json_object_get(json_object_get(list, "result"), "items"), *item;
                size_t i;
                json_array_foreach(items, i, item)
                        sum += json_integer_value(json_object_get(item, "value"));
                assert_int_equal(3, json_array_size(items));
                assert_int_equal(number(row, "values.0.value"), (sum + 1) / 3);
                json_decref(list);
        }
        json_decref(answer);
        json_t *page =
                room_operate(room, "report.list", "{\"metric\":\"tickets\",\"from\":\"%s\",\"to\":\"%s\",\"limit\":4}",
                             today(), today());
        assert_int_equal(4, json_array_size(json_object_get(json_object_get(page, "result"), "items")));
        json_t *rest =
                room_operate(room, "report.list",
                             "{\"metric\":\"tickets\",\"from\":\"%s\",\"to\":\"%s\",\"limit\":4,\"after\":\"%s\"}",
                             today(), today(), words(page, "result.next"));
        assert_int_equal(2, json_array_size(json_object_get(json_object_get(rest, "result"), "items")));
        json_decref(page);
        json_decref(rest);
}

static void who_may_not_read_reports_gets_his_own(void **state)
{
        struct room *room = *state;
        be_noon();
        struct client ann = room_customer(room, "ann", 0);
        struct client ada = room_agent(room, "ada", 0);
        take_result(room_operate(room, "agent.set", "{\"cmid\":\"%s\",\"agent\":\"%s\",\"role\":\"rol_0000000000002\"}",
                                 room_cmid(room), ada.id)); /* supervisor */
        struct client ben = room_agent(room, "ben", 0), cem = room_agent(room, "cem", 0);
        for (int i = 0; i < 3; i++) {
                char key[8];
                snprintf(key, sizeof key, "k%d", i);
                char *conv = room_conversation(room, &ann, key);
                say(room, &ann, conv, 1);
                say(room, i == 0 ? &ben : &cem, conv, 1);
                free(conv);
        }
        assert_int_equal(0, readers_start(room->desk));
#define ASKED "{\"metrics\":[\"tickets\"],\"from\":\"%s\",\"to\":\"%s\"%s}"
        json_t *answer = room_read(room, &ben, "report.query", ASKED, today(), today(), "");
        assert_int_equal(1, number(answer, "result.totals.0.value"));
        json_decref(answer);
        answer = room_read(room, &ada, "report.query", ASKED, today(), today(), "");
        assert_int_equal(3, number(answer, "result.totals.0.value"));
        json_decref(answer);
        take_error(room_read(room, &ben, "report.query", ASKED, today(), today(), ",\"by\":\"team\""), "forbidden");
        json_t *list = room_read(room, &cem, "report.list", "{\"metric\":\"tickets\",\"from\":\"%s\",\"to\":\"%s\"}",
                                 today(), today());
        assert_int_equal(2, json_array_size(json_object_get(json_object_get(list, "result"), "items")));
        json_decref(list);
        take_error(room_read(room, &ben, "report.export", "{\"what\":\"tickets\",\"from\":\"%s\",\"to\":\"%s\"}",
                             today(), today()),
                   "forbidden");
}

static void what_cannot_be_asked_is_refused_with_the_field(void **state)
{
        static const struct {
                const char *params, *field;
        } refused[] = {
                {"{\"metrics\":[\"nonsense\"],\"from\":\"2026-01-01\",\"to\":\"2026-01-02\"}", "metrics"},
                {"{\"metrics\":[\"tickets\"],\"from\":\"2026-02-30\",\"to\":\"2026-03-02\"}", "from"},
                {"{\"metrics\":[\"tickets\"],\"from\":\"2026-03-02\",\"to\":\"2026-03-01\"}", "to"},
                {"{\"metrics\":[\"tickets\"],\"from\":\"1990-03-02\",\"to\":\"2026-03-01\"}", "to"},
                {"{\"metrics\":[\"csat\"],\"from\":\"2026-01-01\",\"to\":\"2026-01-02\",\"by\":\"priority\"}", "by"},
                {"{\"metrics\":[\"tickets\"],\"from\":\"2026-01-01\",\"to\":\"2026-01-02\",\"filter\":\"x\"}",
                 "filter"},
                {"{\"metrics\":[\"tickets\"],\"from\":\"2026-01-01\",\"to\":\"2026-01-02\",\"by\":\"team\",\"filter_"
                 "by\":"
                 "\"topic\",\"filter\":\"x\"}",
                 "filter"},
                {"{\"metrics\":[\"tickets\"],\"from\":\"2026-01-01\",\"to\":\"2026-01-02\",\"filter_by\":\"team\","
                 "\"filter\":"
                 "\"tea_0000000000001\"}",
                 "filter"},
                {"{\"metrics\":[\"tickets\"],\"from\":\"2026-01-01\",\"to\":\"2026-01-02\",\"filter_by\":\"survey\","
                 "\"filter\":\"sur_0000000000001/x\"}",
                 "filter_by"},
        };
        struct room *room = *state;
        for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
                json_t *answer = room_operate(room, "report.query", "%s", refused[i].params);
                const char *field = words(answer, "error.data.field");
                if (!field || strcmp(field, refused[i].field) != 0)
                        if (!(i == 8 && field && strcmp(field, "filter") == 0))
                                fail_msg("%zu: %s", i, json_dumps(answer, 0));
                json_decref(answer);
        }
        take_error(room_operate(room, "report.rebuild", "{\"cmid\":\"%s\",\"zone\":\"Nowhere/Land\"}", room_cmid(room)),
                   "bad_request");
        take_error(room_operate(room, "report.target_set", "{\"cmid\":\"%s\",\"metric\":\"x\",\"value\":1}",
                                room_cmid(room)),
                   "bad_request");
        take_error(room_operate(
                           room, "report.list",
                           "{\"metric\":\"tickets\",\"from\":\"2026-01-01\",\"to\":\"2026-01-02\",\"after\":\"1.2\"}"),
                   "bad_request");
        take_error(room_operate(room, "report.list",
                                "{\"metric\":\"csat\",\"from\":\"2026-01-01\",\"to\":\"2026-01-02\",\"hour\":3}"),
                   "bad_request");
}

static void a_target_stands_beside_its_metric(void **state)
{
        struct room *room = *state;
        take_result(room_operate(room, "report.target_set", "{\"cmid\":\"%s\",\"metric\":\"csat\",\"value\":8500}",
                                 room_cmid(room)));
        json_t *answer = query(room, "\"csat\"", "");
        assert_int_equal(8500, number(answer, "result.columns.0.target"));
        assert_int_equal(7000, number(answer, "result.columns.0.band_low"));
        assert_int_equal(8000, number(answer, "result.columns.0.band_high"));
        json_decref(answer);
        take_result(room_operate(room, "report.target_set", "{\"cmid\":\"%s\",\"metric\":\"csat\"}", room_cmid(room)));
        answer = room_operate(room, "report.target_list", "{}");
        assert_int_equal(0, json_array_size(json_object_get(json_object_get(answer, "result"), "targets")));
        json_decref(answer);
}

static void every_metric_can_be_asked_by_all_it_says(void **state)
{
        struct room *room = *state;
        json_t *page = room_operate(room, "report.metrics", "{}"), *row, *by;
        char after[64] = "";
        size_t i, j;
        int seen = 0;
        for (bool more = true; more;) {
                json_array_foreach(json_object_get(json_object_get(page, "result"), "metrics"), i, row) {
                        char quoted[64], asked[64];
                        snprintf(quoted, sizeof quoted, "\"%s\"", json_string_value(json_object_get(row, "metric")));
                        snprintf(after, sizeof after, "%s", json_string_value(json_object_get(row, "metric")));
                        seen++;
                        json_array_foreach(json_object_get(row, "by"), j, by) {
                                snprintf(asked, sizeof asked, ",\"by\":\"%s\",\"compare\":true", json_string_value(by));
                                json_decref(query(room, quoted, asked));
                        }
                }
                more = json_is_true(json_object_get(json_object_get(page, "result"), "more"));
                json_decref(page);
                page = more ? room_operate(room, "report.metrics", "{\"after\":\"%s\"}", after) : NULL;
        }
        assert_true(seen > 30);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, room_set_up, room_tear_down)
        const struct CMUnitTest tests[] = {T(nothing_is_not_zero),
                                           T(a_ticket_is_measured_by_its_story),
                                           T(what_comes_after_the_last_solving_waits_for_the_next),
                                           T(spam_and_merged_tickets_leave_every_number),
                                           T(erased_messages_and_people_still_count),
                                           T(a_cell_opens_down_to_its_tickets),
                                           T(who_may_not_read_reports_gets_his_own),
                                           T(what_cannot_be_asked_is_refused_with_the_field),
                                           T(a_target_stands_beside_its_metric),
                                           T(every_metric_can_be_asked_by_all_it_says)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
