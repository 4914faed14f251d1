/* SPDX-License-Identifier: Apache-2.0 */
/* Thousands of things that happen to tickets, askings, recovery cases and what bots do, in random order, with a store
 * that fails now and then, restarts, erasures and rebuilds: whatever happens, what is kept of them for the reports is
 * what a count of everything gives, and what bots came to is what bot.report says. */
#include <stdio.h>
#include <stdlib.h>

#include "desk/bot_outcomes.h"
#include "store/db_fault.h"
#include "unit/reports/report_bot.h"

enum { CUSTOMERS = 5, AGENTS = 3, CONVERSATIONS = 8, STEPS = 1500, CHECK_EVERY = 100 };

struct play {
        struct room *room;
        struct client customers[CUSTOMERS], agents[AGENTS];
        char *convs[CONVERSATIONS];
        int owner[CONVERSATIONS];
        uint32_t seed;
        int done, erased, rated, cases, bots;
        char bot[32];
};

static uint32_t draw(struct play *play, uint32_t below)
{
        play->seed ^= play->seed << 13;
        play->seed ^= play->seed >> 17;
        play->seed ^= play->seed << 5;
        return play->seed % below;
}

static void enter_all(struct play *play)
{
        char name[16];
        for (int i = 0; i < CUSTOMERS; i++) {
                snprintf(name, sizeof name, "c%d.%d", i, play->erased);
                play->customers[i] = room_customer(play->room, name, 0);
        }
        for (int i = 0; i < AGENTS; i++) {
                snprintf(name, sizeof name, "a%d", i);
                play->agents[i] = room_agent(play->room, name, 0);
        }
}

static void open_all(struct play *play)
{
        for (int i = 0; i < CONVERSATIONS; i++) {
                char key[16];
                snprintf(key, sizeof key, "k%d", i);
                free(play->convs[i]);
                play->owner[i] = i % CUSTOMERS;
                play->convs[i] = room_conversation(play->room, &play->customers[play->owner[i]], key);
        }
}

static void change(struct play *play, const char *method, const char *more)
{
        const struct tickets *tickets = &play->room->desk->tickets;
        const struct ticket *ticket = tickets->count ? tickets->all[draw(play, (uint32_t)tickets->count)] : NULL;
        char ext[ID_TEXT_BYTES + 1] = "";
        if (!ticket)
                return;
        id_write(ext, "tkt", ticket->ext);
        json_t *answer = room_ask(play->room, &play->agents[draw(play, AGENTS)], method,
                                  "{\"cmid\":\"%s\",\"ticket\":\"%s\",\"version\":%lld%s}", room_cmid(play->room), ext,
                                  (long long)ticket->version, more);
        play->done += answer && json_object_get(answer, "result");
        json_decref(answer);
}

static void move(struct play *play)
{
        static const char *const moves[] = {",\"to\":\"open\"",
                                            ",\"to\":\"waiting\"",
                                            ",\"to\":\"on_hold\"",
                                            ",\"to\":\"solved\"",
                                            ",\"to\":\"solved\"",
                                            ",\"to\":\"solved\",\"ask\":true",
                                            ",\"to\":\"closed\"",
                                            ",\"to\":\"closed\",\"reason\":\"spam\"",
                                            ",\"to\":\"snoozed\",\"until\":5"};
        change(play, "ticket.move", moves[draw(play, sizeof moves / sizeof *moves)]);
}

static void set(struct play *play)
{
        static const char *const sets[] = {",\"priority\":\"urgent\"",
                                           ",\"priority\":\"low\",\"subject\":\"late\"",
                                           ",\"tags\":[\"b\"],\"topic\":\"bills\"",
                                           ",\"topic\":\"보증\"",
                                           ",\"exempt\":false,\"lang\":\"ko\"",
                                           ",\"lang\":\"\""};
        change(play, "ticket.set", sets[draw(play, sizeof sets / sizeof *sets)]);
}

static void give(struct play *play)
{
        char more[80];
        if (draw(play, 4) == 0)
                snprintf(more, sizeof more, ",\"nobody\":true");
        else
                snprintf(more, sizeof more, ",\"assignee\":\"%s\"", play->agents[draw(play, AGENTS)].id);
        change(play, "ticket.assign", more);
}

static void unite(struct play *play)
{
        const struct tickets *tickets = &play->room->desk->tickets;
        char into[ID_TEXT_BYTES + 1] = "", more[64];
        if (tickets->count == 0)
                return;
        id_write(into, "tkt", tickets->all[draw(play, (uint32_t)tickets->count)]->ext);
        snprintf(more, sizeof more, ",\"into\":\"%s\"", into);
        change(play, "ticket.merge", more);
}

static void say(struct play *play)
{
        int conv = (int)draw(play, CONVERSATIONS);
        const struct client *who =
                draw(play, 2) ? &play->customers[play->owner[conv]] : &play->agents[draw(play, AGENTS)];
        json_t *answer = room_send(play->room, who, play->convs[conv], NULL, "hello");
        json_int_t seq = answer ? number(answer, "result.seq") : -1;
        json_decref(answer);
        if (seq > 0 && draw(play, 6) == 0)
                json_decref(room_ask(play->room, who, "message.edit",
                                     "{\"cmid\":\"%s\",\"conv\":\"%s\",\"of\":%lld,\"version\":1,\"text\":\"better\"}",
                                     room_cmid(play->room), play->convs[conv], (long long)seq));
        if (seq > 0 && draw(play, 6) == 0)
                json_decref(room_ask(play->room, who, "message.erase", "{\"cmid\":\"%s\",\"conv\":\"%s\",\"of\":%lld}",
                                     room_cmid(play->room), play->convs[conv], (long long)seq));
}

/* ---- askings ---- */

/* One of the newest of a conversation; -1: there is none. */
static int64_t some_offer(struct play *play, int conv, const char *column)
{
        char sql[200];
        uint64_t ext = 0;
        assert_int_equal(0, id_read(span_of(play->convs[conv]), "cnv", &ext));
        snprintf(sql, sizeof sql,
                 "SELECT %s FROM survey_offer WHERE conv = (SELECT id FROM conversation WHERE ext = %lld)"
                 " ORDER BY id DESC LIMIT 1 OFFSET %u",
                 column, (long long)ext, draw(play, 4) ? 0 : 1);
        return room_sql(play->room, sql);
}

/* Answered, and changed later: a score, or words, which end it. */
static void rate(struct play *play)
{
        int conv = (int)draw(play, CONVERSATIONS);
        int64_t seq = some_offer(play, conv, "seq");
        char what[40] = ",\"said\":\"in words\"";
        if (draw(play, 8))
                snprintf(what, sizeof what, ",\"score\":%u", 1 + draw(play, 5));
        if (seq <= 0)
                return;
        json_t *answer = room_ask(play->room, &play->customers[play->owner[conv]], "message.send",
                                  "{\"cmid\":\"%s\",\"conv\":\"%s\",\"kind\":\"rating\",\"rated\":{\"seq\":%lld%s},"
                                  "\"fallback_text\":\"*\"}",
                                  room_cmid(play->room), play->convs[conv], (long long)seq, what);
        play->rated += answer && json_object_get(answer, "result");
        json_decref(answer);
}

static void ask_or_withdraw(struct play *play)
{
        int conv = (int)draw(play, CONVERSATIONS);
        const struct client *agent = &play->agents[draw(play, AGENTS)];
        int64_t ext = draw(play, 2) ? some_offer(play, conv, "ext") : 0;
        char id[ID_TEXT_BYTES + 1] = "";
        if (ext > 0) {
                id_write(id, "off", (uint64_t)ext);
                json_decref(room_ask(play->room, agent, "survey.withdraw", "{\"cmid\":\"%s\",\"offer\":\"%s\"}",
                                     room_cmid(play->room), id));
                return;
        }
        json_decref(room_ask(play->room, agent, "survey.offer", "{\"cmid\":\"%s\",\"conv\":\"%s\",\"survey\":\"How\"}",
                             room_cmid(play->room), play->convs[conv]));
}

/* Askings go out, are reminded of and expire; what bots left is decided. */
static void let_time_pass(struct play *play)
{
        int64_t ms = (1 + (int64_t)draw(play, 20)) * 3600 * 1000;
        clock_shift_wall(ms);
        clock_shift_mono((uint64_t)ms);
        room_turn(play->room);
        room_turn(play->room);
}

/* ---- recovery ---- */

static void recover(struct play *play)
{
        static const char *const changes[][2] = {
                {"recovery.contact", ",\"channel\":\"phone\",\"reached\":true,\"note\":\"spoke\""},
                {"recovery.resolve", ",\"outcome\":\"recovered\""},
                {"recovery.resolve", ",\"outcome\":\"unreachable\""},
                {"recovery.reopen", ""}};
        const char *const *change_to = changes[draw(play, 4)];
        char ext[ID_TEXT_BYTES + 1] = "";
        int64_t row = room_sql(play->room, draw(play, 2) ? "SELECT max(id) FROM recovery_case"
                                                         : "SELECT min(id) FROM recovery_case WHERE stage IN (1, 2)");
        char sql[80];
        if (row <= 0)
                return;
        snprintf(sql, sizeof sql, "SELECT ext FROM recovery_case WHERE id = %lld", (long long)row);
        id_write(ext, "rec", (uint64_t)room_sql(play->room, sql));
        snprintf(sql, sizeof sql, "SELECT version FROM recovery_case WHERE id = %lld", (long long)row);
        json_t *answer =
                room_operate(play->room, change_to[0], "{\"cmid\":\"%s\",\"recovery\":\"%s\",\"version\":%lld%s}",
                             room_cmid(play->room), ext, (long long)room_sql(play->room, sql), change_to[1]);
        play->cases += answer && json_object_get(answer, "result");
        json_decref(answer);
}

/* ---- bots ---- */

static void bot_does(struct play *play)
{
        static const enum bot_happening kinds[] = {
                BOT_ANSWERED, BOT_ANSWERED, BOT_ANSWERED,   BOT_OFFERED,    BOT_MISSED, BOT_IN_FLOW,
                BOT_HELPED,   BOT_HELPED,   BOT_NOT_HELPED, BOT_HANDED,     BOT_TICKET, BOT_CLOSED,
                BOT_FAILED,   BOT_HELD_OUT, BOT_PERSON,     BOT_GIVEN_BACK, BOT_SILENT, BOT_TAGGED};
        static const char *const rules[] = {"", "faq refund", "faq delivery", "flow return"};
        static const char *const langs[] = {"", "en", "ko"};
        int conv = (int)draw(play, CONVERSATIONS);
        const struct conversation *conversation = room_cached(play->room, play->convs[conv]);
        int64_t seq = conversation && draw(play, 2) ? conversation->row.last_seq : 0;
        play->bots += report_bot_does(play->room, play->convs[conv], kinds[draw(play, sizeof kinds / sizeof *kinds)],
                                      seq, rules[draw(play, 4)], langs[draw(play, 3)]);
}

/* The conversations go on with somebody new. */
static void erase(struct play *play)
{
        take_result(room_operate(play->room, "customer.erase", "{\"cmid\":\"%s\",\"customer\":\"%s\"}",
                                 room_cmid(play->room), play->customers[draw(play, CUSTOMERS)].id));
        play->erased++;
        enter_all(play);
        open_all(play);
}

static void check(struct play *play)
{
        report_settle(play->room);
        report_bot_agrees(play->room, play->bot);
}

static void again(struct play *play)
{
        room_close(play->room);
        room_open(play->room);
        enter_all(play);
        check(play);
}

static void rebuild(struct play *play)
{
        static const char *const zones[] = {"UTC", "Asia/Seoul", "America/New_York"};
        take_result(room_operate(play->room, "report.rebuild", "{\"cmid\":\"%s\",\"zone\":\"%s\"}",
                                 room_cmid(play->room), zones[draw(play, 3)]));
}

static void fail_once(struct play *play)
{
        db_fault_reset(&db_sqlite);
        assert_true(db_fault_add((struct db_fault_rule){.op = DB_FAULT_STEP,
                                                        .kind = DB_FAULT_FAIL,
                                                        .mode = DB_WRITER,
                                                        .nth = 1 + draw(play, 30),
                                                        .error = DB_IO}));
}

static void step(struct play *play, bool has_faults)
{
        if (has_faults && draw(play, 10) == 0)
                fail_once(play);
        switch (draw(play, 22)) {
        case 0:
        case 1:
        case 2:
        case 3:
                say(play);
                break;
        case 4:
        case 5:
        case 6:
        case 7:
                move(play);
                break;
        case 8:
                set(play);
                break;
        case 9:
                give(play);
                break;
        case 10:
                if (draw(play, 4) == 0)
                        unite(play);
                else
                        clock_shift_wall((int64_t)draw(play, 6 * 3600 * 1000));
                break;
        case 11:
        case 12:
        case 20:
        case 21:
                rate(play);
                break;
        case 13:
                ask_or_withdraw(play);
                break;
        case 14:
                let_time_pass(play);
                break;
        case 15:
                recover(play);
                break;
        case 16:
        case 17:
        case 18:
                bot_does(play);
                break;
        default:
                room_turn(play->room);
                break;
        }
        db_fault_reset(&db_sqlite);
        play->room->desk->retry_write_ms = 0;
}

static void begin(struct play *play)
{
        report_bot_add(play->room, false, play->bot);
        take_result(room_operate(play->room, "survey.add",
                                 "{\"cmid\":\"%s\",\"form\":{\"name\":\"How\",\"min_text\":0,\"interval_days\":0,"
                                 "\"remind_hours\":6,\"until_hours\":48}}",
                                 room_cmid(play->room)));
        enter_all(play);
        open_all(play);
}

static void play_it(void **state, bool has_faults, uint32_t seed)
{
        struct play play = {.room = *state, .seed = seed};
        const char *wanted = getenv("STEPS"); /* the long test says how many */
        int steps = wanted ? atoi(wanted) : STEPS;
        begin(&play);
        for (int i = 1; i <= steps; i++) {
                step(&play, has_faults);
                if (i % CHECK_EVERY == 0)
                        check(&play);
                if (i % (steps / 3) == 0)
                        again(&play);
                if (i % (steps / 5) == 0)
                        rebuild(&play); /* the next steps run while it is made */
                if (i % (steps / 4) == 0)
                        erase(&play);
        }
        check(&play);
        assert_true(play.done > steps / 20);
        if (play.rated <= steps / 200 || play.cases == 0 || play.bots <= steps / 20)
                fail_msg("%d answers, %d changes of cases, %d happenings", play.rated, play.cases, play.bots);
        for (int now = 2; now <= 5; now++) { /* askings that wait, were answered, expired, were withdrawn */
                char sql[80];
                snprintf(sql, sizeof sql, "SELECT COUNT(*) FROM survey_offer WHERE state = %d", now);
                assert_true(now == 2 || room_sql(play.room, sql) > 0);
        }
        assert_true(room_sql(play.room, "SELECT COUNT(DISTINCT outcome) FROM report_episode") == BOT_OUTCOMES - 1);
        assert_true(room_sql(play.room, "SELECT COUNT(*) FROM report_ticket WHERE is_again = 1") > 0);
        assert_true(room_sql(play.room, "SELECT COUNT(*) FROM report_cell") > 20);
        for (int i = 0; i < CONVERSATIONS; i++)
                free(play.convs[i]);
}

static void kept_numbers_are_counted_numbers(void **state)
{
        play_it(state, false, 0x9e3779b9);
}

static void and_with_a_store_that_fails_now_and_then(void **state)
{
        play_it(state, true, 0x7f4a7c15);
}

static void a_wrong_cell_is_found(void **state)
{
        struct play play = {.room = *state, .seed = 5};
        struct room *room = *state;
        begin(&play);
        for (int i = 0; i < 100; i++)
                step(&play, false);
        check(&play);
        assert_true(room_sql(room, "SELECT COUNT(*) FROM report_cell") > 0);
        assert_int_equal(0, db_begin(room->desk->db));
        struct db_stmt *stmt = db_stmt(room->desk->db, SQL_REPORT_TRAFFIC_ADD);
        for (int i = 1; i <= 4; i++)
                db_bind_int(stmt, i, 1);
        assert_int_equal(0, db_run(stmt));
        assert_int_equal(0, db_commit(room->desk->db));
        json_t *answer = room_operate(room, "report.check", "{}");
        assert_int_equal(1, number(answer, "result.differences"));
        assert_non_null(strstr(words(answer, "result.first"), "messages of quarter 1"));
        json_decref(answer);
        rebuild(&play);
        check(&play);
        for (int i = 0; i < CONVERSATIONS; i++)
                free(play.convs[i]);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, room_set_up, room_tear_down)
        const struct CMUnitTest tests[] = {T(kept_numbers_are_counted_numbers),
                                           T(and_with_a_store_that_fails_now_and_then), T(a_wrong_cell_is_found)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
