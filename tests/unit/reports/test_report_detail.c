/* SPDX-License-Identifier: Apache-2.0 */
/* Messages, the agents' time and what bots came to: the numbers, and the lists behind them. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "unit/people/crew.h"
#include "unit/reports/report_bot.h"

enum { MINUTE_MS = 60000, HOUR_MS = 60 * MINUTE_MS };
#define DAY_MS INT64_C(86400000)

static const char *day_at(int days_from_now)
{
        static char texts[64][11]; /* by how far away */
        char *text = texts[32 + days_from_now];
        time_t at_s = (time_t)((clock_wall_ms() + days_from_now * DAY_MS) / 1000);
        struct tm utc;
        strftime(text, 11, "%Y-%m-%d", gmtime_r(&at_s, &utc));
        return text;
}

static void be_at_hour(int hour)
{
        int64_t now_ms = clock_wall_ms();
        clock_shift_wall(DAY_MS - now_ms % DAY_MS + hour * (int64_t)HOUR_MS);
}

static void later(struct room *room, int64_t ms)
{
        clock_shift_wall(ms);
        room_turn(room);
}

static json_t *query(struct room *room, const char *metrics, const char *from, const char *more)
{
        json_t *answer = room_operate(room, "report.query", "{\"metrics\":[%s],\"from\":\"%s\",\"to\":\"%s\"%s}",
                                      metrics, from, day_at(0), more);
        if (!json_object_get(answer, "result"))
                fail_msg("%s", json_dumps(answer, 0));
        return answer;
}

static json_int_t total(struct room *room, const char *metric, const char *from, const char *more)
{
        char quoted[48];
        snprintf(quoted, sizeof quoted, "\"%s\"", metric);
        json_t *answer = query(room, quoted, from, more);
        json_int_t value = number(answer, "result.totals.0.value");
        json_decref(answer);
        return value;
}

/* All pages of a list, `limit` at a time. */
static json_t *list(struct room *room, const char *metric, const char *from, const char *more, int limit)
{
        json_t *all = json_array();
        char after[100] = "";
        for (bool goes_on = true; goes_on;) {
                json_t *page = room_operate(room, "report.list",
                                            "{\"metric\":\"%s\",\"from\":\"%s\",\"to\":\"%s\",\"limit\":%d%s%s}",
                                            metric, from, day_at(0), limit, more, after);
                if (!json_object_get(page, "result"))
                        fail_msg("%s", json_dumps(page, 0));
                json_array_extend(all, json_object_get(json_object_get(page, "result"), "items"));
                goes_on = json_is_true(json_object_get(json_object_get(page, "result"), "more"));
                if (goes_on)
                        snprintf(after, sizeof after, ",\"after\":\"%s\"", words(page, "result.next"));
                json_decref(page);
        }
        return all;
}

static json_int_t sum_of(json_t *items)
{
        json_int_t sum = 0;
        json_t *item;
        size_t i;
        json_array_foreach(items, i, item)
                sum += json_integer_value(json_object_get(item, "value"));
        return sum;
}

static void status(struct room *room, const struct client *who, const char *params)
{
        take_result(room_ask(room, who, "status.set", "%s", params));
}

/* ---- the agents' time ---- */

/* Two days: the stretch over midnight, two reasons, one of them bounded, and a colleague. */
static const char *two_days(struct room *room, struct client *ben, struct client *cem)
{
        take_result(room_operate(room, "away.set", "{\"cmid\":\"%s\",\"reason\":\"lunch\",\"minutes\":60}",
                                 room_cmid(room)));
        take_result(room_operate(room, "away.set", "{\"cmid\":\"%s\",\"reason\":\"school\"}", room_cmid(room)));
        be_at_hour(22);
        *ben = room_agent(room, "ben", 0);
        *cem = room_agent(room, "cem", 0);
        room_turn(room);
        later(room, HOUR_MS);
        status(room, ben, "{\"status\":\"away\",\"reason\":\"lunch\"}"); /* 23:00 to 0:20: 20 min beyond, today */
        later(room, 80 * MINUTE_MS);
        status(room, ben, "{\"status\":\"busy\"}");
        later(room, 100 * MINUTE_MS);
        status(room, ben, "{\"status\":\"away\",\"reason\":\"lunch\"}"); /* all of 15 min beyond */
        later(room, 15 * MINUTE_MS);
        status(room, ben, "{\"status\":\"away\",\"reason\":\"school\"}");
        later(room, 30 * MINUTE_MS);
        status(room, ben, "{\"status\":\"online\"}");
        status(room, cem, "{\"status\":\"away\",\"reason\":\"lunch\"}");
        later(room, 10 * MINUTE_MS);
        return day_at(-1);
}

/* But for what the test itself took. */
static void assert_minutes(int minutes, json_int_t ms)
{
        assert_in_range(ms, minutes * MINUTE_MS - 20000, minutes * MINUTE_MS + 20000);
}

static void away_is_parted_by_reason_and_by_what_is_beyond_the_allowed(void **state)
{
        struct room *room = *state;
        struct client ben, cem;
        const char *yesterday = two_days(room, &ben, &cem);
        char bens[80];
        snprintf(bens, sizeof bens, ",\"by\":\"reason\",\"filter_by\":\"agent\",\"filter\":\"%s\"", ben.id);
        assert_minutes(135, total(room, "away", yesterday, ""));
        assert_minutes(35, total(room, "away_over", yesterday, ""));
        assert_minutes(65 + 10, total(room, "away", day_at(0), "")); /* since midnight: 20, 15, 30; and Cem's 10 */
        assert_minutes(105, total(room, "away", yesterday, ",\"filter_by\":\"reason\",\"filter\":\"lunch\""));
        json_t *answer = query(room, "\"away\",\"away_over\"", yesterday, ",\"by\":\"reason\"");
        assert_string_equal("lunch", words(answer, "result.rows.0.key"));
        assert_string_equal("school", words(answer, "result.rows.1.key"));
        assert_int_equal(2, json_array_size(json_object_get(json_object_get(answer, "result"), "rows")));
        assert_int_equal(number(answer, "result.totals.0.value"),
                         number(answer, "result.rows.0.values.0.value") +
                                 number(answer, "result.rows.1.values.0.value"));
        assert_minutes(35, number(answer, "result.rows.0.values.1.value"));
        assert_int_equal(-1, number(answer, "result.rows.1.values.1.value"));
        json_decref(answer);
        answer = query(room, "\"away\",\"away_over\"", yesterday, ",\"by\":\"day\"");
        assert_minutes(60, number(answer, "result.rows.0.values.0.value"));
        assert_int_equal(-1, number(answer, "result.rows.0.values.1.value")); /* until midnight it was allowed */
        assert_minutes(35, number(answer, "result.rows.1.values.1.value"));
        json_decref(answer);
        answer = query(room, "\"away\"", yesterday, bens); /* one agent's reasons */
        assert_minutes(95, number(answer, "result.rows.0.values.0.value"));
        assert_minutes(30, number(answer, "result.rows.1.values.0.value"));
        json_decref(answer);
        take_error(room_operate(room, "report.query",
                                "{\"metrics\":[\"online\"],\"from\":\"%s\",\"to\":\"%s\",\"by\":\"reason\"}", yesterday,
                                yesterday),
                   "bad_request");
}

static void the_agents_time_opens_down_to_its_stretches(void **state)
{
        static const char *const metrics_of_time[] = {"online", "away", "away_over"};
        struct room *room = *state;
        struct client ben, cem;
        const char *yesterday = two_days(room, &ben, &cem);
        for (int i = 0; i < 6; i++) { /* both days, and the second alone */
                const char *metric = metrics_of_time[i % 3], *from = i < 3 ? yesterday : day_at(0);
                json_t *items = list(room, metric, from, "", 2);
                json_int_t value = total(room, metric, from, "");
                assert_true(value > 0);
                if (llabs(sum_of(items) - value) > 1000) /* some go on */
                        fail_msg("%s from %s: %lld, the list is %s", metric, from, (long long)value,
                                 json_dumps(items, 0));
                json_decref(items);
        }
        json_t *items = list(room, "away", day_at(0), "", 100);
        const json_t *first = json_array_get(items, 0), *last = json_array_get(items, 3);
        assert_int_equal(4, json_array_size(items));
        assert_string_equal(ben.id, words(first, "agent"));
        assert_string_equal("away", words(first, "status"));
        assert_string_equal("lunch", words(first, "reason"));
        assert_true(number(first, "at") % DAY_MS > 22 * HOUR_MS); /* it began the day before */
        assert_minutes(80, number(first, "until") - number(first, "at"));
        assert_minutes(20, number(first, "value"));
        assert_string_equal(cem.id, words(last, "agent"));
        assert_int_equal(-1, number(last, "until"));
        assert_minutes(10, number(last, "value"));
        json_decref(items);
        items = list(room, "away", yesterday, ",\"filter_by\":\"reason\",\"filter\":\"school\"", 100);
        assert_int_equal(1, json_array_size(items));
        json_decref(items);
        assert_int_equal(0, readers_start(room->desk));
        json_t *own = room_read(room, &cem, "report.list", "{\"metric\":\"away\",\"from\":\"%s\",\"to\":\"%s\"}",
                                yesterday, day_at(0));
        assert_int_equal(1, json_array_size(json_object_get(json_object_get(own, "result"), "items")));
        json_decref(own);
}

/* ---- messages ---- */

static void numbers_of_messages_open_down_to_the_messages(void **state)
{
        struct room *room = *state;
        be_at_hour(9);
        struct client ann = room_customer(room, "ann", 0), ben = room_agent(room, "ben", 0),
                      cem = room_agent(room, "cem", 0);
        char *one = room_conversation(room, &ann, "one"), *two = room_conversation(room, &ann, "two");
        json_int_t last = 0;
        for (int i = 0; i < 5; i++) {
                take_seq(room_send(room, &ann, i % 2 ? one : two, NULL, "hello"));
                take_seq(room_send(room, i < 3 ? &ben : &cem, i % 2 ? one : two, NULL, "hi"));
                later(room, 61 * MINUTE_MS);
        }
        json_decref(room_note(room, &ben, one, "not public"));
        last = take_seq(room_send(room, &ben, one, NULL, "and more"));
        take_result(room_ask(room, &ben, "message.erase", "{\"cmid\":\"%s\",\"conv\":\"%s\",\"of\":%lld}",
                             room_cmid(room), one, (long long)last));
        ticket_do(room, &ben, one, "ticket.move", ",\"to\":\"solved\",\"ask\":true"); /* the desk asks in his name */
        assert_int_equal(5, total(room, "customer_messages", day_at(0), ""));
        assert_int_equal(6, total(room, "staff_messages", day_at(0), ""));
        json_t *items = list(room, "customer_messages", day_at(0), "", 2);
        assert_int_equal(5, json_array_size(items));
        assert_null(json_object_get(json_array_get(items, 0), "agent"));
        assert_string_equal(two, words(json_array_get(items, 0), "conv"));
        assert_int_equal(1, number(json_array_get(items, 0), "seq"));
        json_decref(items);
        items = list(room, "staff_messages", day_at(0), "", 4);
        assert_int_equal(6, json_array_size(items));
        assert_string_equal(ben.id, words(json_array_get(items, 5), "agent"));
        assert_string_equal(one, words(json_array_get(items, 5), "conv"));
        assert_int_equal(last, number(json_array_get(items, 5), "seq")); /* erased, and still said */
        json_decref(items);
        char only[100];
        snprintf(only, sizeof only, ",\"filter_by\":\"agent\",\"filter\":\"%s\"", cem.id);
        items = list(room, "staff_messages", day_at(0), only, 1);
        assert_int_equal(2, json_array_size(items));
        json_decref(items);
        time_t now_s = (time_t)(clock_wall_ms() / 1000);
        struct tm utc;
        gmtime_r(&now_s, &utc);
        snprintf(only, sizeof only, ",\"hour\":%d", (utc.tm_wday + 6) % 7 * 24 + 10); /* the second round */
        items = list(room, "customer_messages", day_at(0), only, 100);
        assert_int_equal(1, json_array_size(items));
        json_decref(items);
        items = list(room, "customer_messages", day_at(-1), "", 100);
        assert_int_equal(5, json_array_size(items)); /* nothing the day before */
        json_decref(items);
        free(one);
        free(two);
}

static void messages_of_one_moment_are_each_listed_once(void **state)
{
        struct room *room = *state;
        be_at_hour(9);
        struct client ann = room_customer(room, "ann", 0);
        char *conv = room_conversation(room, &ann, "one"), *other = room_conversation(room, &ann, "two");
        for (int i = 0; i < 6; i++)
                room_queue(room, &ann, "message.send",
                           "{\"cmid\":\"%s\",\"conv\":\"%s\",\"kind\":\"text\",\"text\":\"hello\"}", room_cmid(room),
                           i % 2 ? conv : other);
        room_turn(room);
        report_disk(room, "UPDATE entry SET ts = (SELECT min(ts) FROM entry)");
        for (int limit = 1; limit <= 7; limit++) {
                json_t *items = list(room, "customer_messages", day_at(0), "", limit), *seen = json_object(), *item;
                size_t i;
                json_array_foreach(items, i, item) {
                        char key[64];
                        snprintf(key, sizeof key, "%s %lld", words(item, "conv"), (long long)number(item, "seq"));
                        json_object_set_new(seen, key, json_true());
                }
                assert_int_equal(6, json_array_size(items));
                assert_int_equal(6, json_object_size(seen));
                json_decref(items);
                json_decref(seen);
        }
        free(conv);
        free(other);
}

/* ---- what bots came to ---- */

struct talk {
        struct room *room;
        struct client ann;
        char *conv, bot[32];
};

static struct talk talk_of(struct room *room)
{
        struct talk talk = {.room = room};
        be_at_hour(9);
        report_bot_add(room, false, talk.bot);
        talk.ann = room_customer(room, "ann", 0);
        talk.conv = room_conversation(room, &talk.ann, "main");
        return talk;
}

/* The customer asks, and the bot does that. */
static void bot_does(struct talk *talk, enum bot_happening kind, const char *rule)
{
        json_int_t seq = take_seq(room_send(talk->room, &talk->ann, talk->conv, NULL, "a question"));
        assert_true(report_bot_does(talk->room, talk->conv, kind, seq, rule, "en"));
}

static json_int_t share(struct talk *talk, const char *metric)
{
        return total(talk->room, metric, day_at(-20), "");
}

static void an_outcome_is_open_until_it_is_decided_and_can_change_until_then(void **state)
{
        struct talk talk = talk_of(*state);
        struct room *room = talk.room;
        assert_int_equal(0, share(&talk, "bot_episodes"));
        assert_int_equal(-1, share(&talk, "bot_confirmed")); /* nothing is not 0 */
        bot_does(&talk, BOT_ANSWERED, "faq refund");
        assert_int_equal(1, share(&talk, "bot_episodes"));
        assert_int_equal(10000, share(&talk, "bot_open"));
        assert_int_equal(0, share(&talk, "bot_assumed"));
        later(room, 71 * (int64_t)HOUR_MS);
        assert_int_equal(10000, share(&talk, "bot_open"));
        later(room, 2 * HOUR_MS); /* nobody did anything; time alone decides */
        assert_int_equal(0, share(&talk, "bot_open"));
        assert_int_equal(10000, share(&talk, "bot_assumed"));
        bot_does(&talk, BOT_ANSWERED, "faq refund"); /* too late to count against it */
        assert_int_equal(5000, share(&talk, "bot_assumed"));
        assert_int_equal(5000, share(&talk, "bot_open"));
        later(room, 5 * HOUR_MS);
        bot_does(&talk, BOT_ANSWERED, "faq refund"); /* back on it: the second one is returned, once it is decided */
        assert_int_equal(3, share(&talk, "bot_episodes"));
        later(room, 73 * (int64_t)HOUR_MS);
        assert_int_equal(3333, share(&talk, "bot_returned"));
        assert_int_equal(6667, share(&talk, "bot_assumed"));
        assert_int_equal(3, report_bot_agrees(room, talk.bot));
        report_settle(room);
        free(talk.conv);
}

static void each_outcome_is_counted_listed_and_the_same_when_made_again(void **state)
{
        static const struct {
                enum bot_happening first, second;
                const char *outcome;
        } cases[] = {{BOT_ANSWERED, BOT_HELPED, "confirmed"},
                     {BOT_ANSWERED, BOT_NOT_HELPED, "left"},
                     {BOT_OFFERED, 0, "left"},
                     {BOT_MISSED, BOT_HANDED, "handed_off"},
                     {BOT_ANSWERED, 0, "assumed"},
                     {BOT_ANSWERED, BOT_PERSON, "handed_off"}};
        struct talk talk = talk_of(*state);
        struct room *room = talk.room;
        for (size_t i = 0; i < 6; i++) {
                char rule[16];
                snprintf(rule, sizeof rule, "faq %zu", i);
                bot_does(&talk, cases[i].first, rule);
                if (cases[i].second)
                        assert_true(report_bot_does(room, talk.conv, cases[i].second, 0, "", ""));
                later(room, 80 * (int64_t)HOUR_MS);
        }
        for (int again = 0; again < 2; again++) {
                json_t *items = list(room, "bot_episodes", day_at(-30), "", 4);
                assert_int_equal(6, json_array_size(items));
                for (size_t i = 0; i < 6; i++) {
                        const json_t *item = json_array_get(items, i);
                        assert_string_equal(cases[i].outcome, words(item, "outcome"));
                        assert_string_equal(talk.bot, words(item, "bot"));
                        assert_string_equal(talk.conv, words(item, "conv"));
                        assert_int_equal(i + 1, number(item, "seq"));
                }
                json_decref(items);
                items = list(room, "bot_left", day_at(-30), ",\"value\":1", 100);
                assert_int_equal(2, json_array_size(items));
                json_decref(items);
                items = list(room, "bot_left", day_at(-30), ",\"filter_by\":\"language\",\"filter\":\"ko\"", 100);
                assert_int_equal(0, json_array_size(items));
                json_decref(items);
                assert_int_equal(3333, total(room, "bot_handed_off", day_at(-30),
                                             ",\"filter_by\":\"language\",\"filter\":\"en\""));
                assert_int_equal(1667, total(room, "bot_confirmed", day_at(-30), ""));
                assert_int_equal(6, report_bot_agrees(room, talk.bot));
                take_result(room_operate(room, "report.rebuild", "{\"cmid\":\"%s\"}", room_cmid(room)));
                report_settle(room);
        }
        json_t *answer = query(room, "\"bot_episodes\"", day_at(-30), ",\"by\":\"bot\"");
        assert_string_equal(talk.bot, words(answer, "result.rows.0.key"));
        assert_string_equal("Robin", words(answer, "result.rows.0.name"));
        json_decref(answer);
        free(talk.conv);
}

static void a_store_whose_bots_were_not_counted_is_counted_when_it_is_opened(void **state)
{
        struct talk talk = talk_of(*state);
        struct room *room = talk.room;
        char sql[400];
        take_seq(room_send(room, &talk.ann, talk.conv, NULL, "a question"));
        later(room, 80 * (int64_t)HOUR_MS);
        room_close(room); /* as a version that knew no episodes left it */
        snprintf(sql, sizeof sql,
                 "INSERT INTO bot_event(bot, conv, seq, at_ms, kind, rule, lang) SELECT b.id, c.id, 1, %lld, %d, 'faq "
                 "refund', 'en' FROM bot b, conversation c; UPDATE report_state SET episodes = 0",
                 (long long)(clock_wall_ms() - 79 * (int64_t)HOUR_MS), BOT_ANSWERED);
        report_disk(room, sql);
        room_open(room);
        assert_int_equal(1, total(room, "tickets", day_at(-20), "")); /* what was counted stays */
        report_settle(room);
        assert_int_equal(1, report_bot_agrees(room, talk.bot));
        assert_int_equal(10000, share(&talk, "bot_assumed"));
        assert_int_equal(1, total(room, "tickets", day_at(-20), ""));
        free(talk.conv);
}

static void every_metric_has_a_list(void **state)
{
        struct room *room = *state;
        struct talk talk = talk_of(room);
        struct client ben = room_agent(room, "ben", 0);
        bot_does(&talk, BOT_ANSWERED, "faq refund");
        take_seq(room_send(room, &ben, talk.conv, NULL, "hi"));
        json_t *page = room_operate(room, "report.metrics", "{}"), *row;
        char after[64] = "";
        size_t i;
        int seen = 0;
        for (bool more = true; more;) {
                json_array_foreach(json_object_get(json_object_get(page, "result"), "metrics"), i, row) {
                        snprintf(after, sizeof after, "%s", json_string_value(json_object_get(row, "metric")));
                        json_decref(list(room, after, day_at(-20), "", 100));
                        seen++;
                }
                more = json_is_true(json_object_get(json_object_get(page, "result"), "more"));
                json_decref(page);
                page = more ? room_operate(room, "report.metrics", "{\"after\":\"%s\"}", after) : NULL;
        }
        assert_int_equal(43, seen);
        free(talk.conv);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, room_set_up, room_tear_down)
        const struct CMUnitTest tests[] = {T(away_is_parted_by_reason_and_by_what_is_beyond_the_allowed),
                                           T(the_agents_time_opens_down_to_its_stretches),
                                           T(numbers_of_messages_open_down_to_the_messages),
                                           T(messages_of_one_moment_are_each_listed_once),
                                           T(an_outcome_is_open_until_it_is_decided_and_can_change_until_then),
                                           T(each_outcome_is_counted_listed_and_the_same_when_made_again),
                                           T(a_store_whose_bots_were_not_counted_is_counted_when_it_is_opened),
                                           T(every_metric_has_a_list)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
