/* SPDX-License-Identifier: Apache-2.0 */
/* Thousands of things that happen to tickets, in random order, with a store that fails now and then, restarts, erasures
 * and rebuilds: whatever happens, what is kept of them for the reports is what a count of everything gives. */
#include <stdio.h>
#include <stdlib.h>

#include "store/db_fault.h"
#include "unit/tickets/ticket_room.h"

enum { CUSTOMERS = 5, AGENTS = 3, CONVERSATIONS = 8, STEPS = 1500, CHECK_EVERY = 100 };

struct play {
        struct room *room;
        struct client customers[CUSTOMERS], agents[AGENTS];
        char *convs[CONVERSATIONS];
        int owner[CONVERSATIONS];
        uint32_t seed;
        int done, erased;
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
        room_turn(play->room);
        room_forget(play->room);
        for (int i = 0; i < 10000 && play->room->desk->reports &&
                        room_sql(play->room, "SELECT COUNT(*) FROM job WHERE kind = 4") > 0;
             i++) {
                clock_shift_mono(200);
                room_turn(play->room);
        }
        json_t *answer = room_operate(play->room, "report.check", "{}");
        if (number(answer, "result.differences") != 0)
                fail_msg("%s", words(answer, "result.first") ? words(answer, "result.first") : json_dumps(answer, 0));
        assert_null(json_object_get(json_object_get(answer, "result"), "building"));
        json_decref(answer);
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
        switch (draw(play, 12)) {
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
        default:
                room_turn(play->room);
                break;
        }
        db_fault_reset(&db_sqlite);
        play->room->desk->retry_write_ms = 0;
}

static void play_it(void **state, bool has_faults, uint32_t seed)
{
        struct play play = {.room = *state, .seed = seed};
        const char *wanted = getenv("STEPS"); /* the long test says how many */
        int steps = wanted ? atoi(wanted) : STEPS;
        enter_all(&play);
        open_all(&play);
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
        assert_true(play.done > steps / 10);
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
        enter_all(&play);
        open_all(&play);
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
