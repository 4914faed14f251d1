/* SPDX-License-Identifier: Apache-2.0 */
/* Thousands of things that customers, agents, time and a failing store do, in random order: whatever happens, the
 * invariants of docs/desk.md hold (tickets_check, room_check), and nobody is told that something was done that was not.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "store/db_fault.h"
#include "unit/desk/random_play.h"
#include "unit/tickets/ticket_room.h"

enum { CUSTOMERS = 4, AGENTS = 3, CONVERSATIONS = 6, STEPS = 1500, CHECK_EVERY = 150 };

struct play {
        struct room *room;
        struct client customers[CUSTOMERS], agents[AGENTS];
        char *convs[CONVERSATIONS];
        int owner[CONVERSATIONS];
        uint32_t seed;
        int done, refused;
};

static uint32_t draw(struct play *play, uint32_t below)
{
        return random_below(&play->seed, below);
}

static void enter_all(struct play *play)
{
        random_enter(play->room, play->customers, CUSTOMERS, play->agents, AGENTS);
}

static struct ticket *some_ticket(struct play *play)
{
        const struct tickets *tickets = &play->room->desk->tickets;
        return tickets->count ? tickets->all[draw(play, (uint32_t)tickets->count)] : NULL;
}

static int64_t changes_by(struct play *play, const struct client *agent)
{
        char sql[120];
        snprintf(sql, sizeof sql, "SELECT COUNT(*) FROM entry WHERE log = 1 AND kind = 25 AND author = %lld",
                 (long long)agent->caller.principal);
        return room_sql(play->room, sql);
}

static void change(struct play *play, const char *method, const char *more)
{
        const struct ticket *ticket = some_ticket(play);
        char ext[ID_TEXT_BYTES + 1] = "";
        if (!ticket)
                return;
        uint64_t id = ticket->ext;
        id_write(ext, "tkt", id);
        int64_t version = ticket->version - (draw(play, 8) == 0); /* sometimes he knows an old one */
        int64_t was = ticket->version;
        const struct client *agent = &play->agents[draw(play, AGENTS)];
        int64_t before = changes_by(play, agent);
        json_t *answer = room_ask(play->room, agent, method, "{\"cmid\":\"%s\",\"ticket\":\"%s\",\"version\":%lld%s}",
                                  room_cmid(play->room), ext, (long long)version, more);
        const char *tag = answer ? words(answer, "error.data.tag") : "none";
        if (answer && json_object_get(answer, "result"))
                play->done++;
        else if (tag && strcmp(tag, "stale") == 0)
                assert_true(version != was);
        if (tag) { /* a refusal changes nothing; time may have */
                play->refused++;
                assert_int_equal(before, changes_by(play, agent));
        }
        json_decref(answer);
}

static void move(struct play *play)
{
        static const char *const moves[] = {",\"to\":\"open\"",
                                            ",\"to\":\"waiting\"",
                                            ",\"to\":\"on_hold\"",
                                            ",\"to\":\"solved\"",
                                            ",\"to\":\"snoozed\"",
                                            ",\"to\":\"solved\",\"ask\":true",
                                            ",\"to\":\"closed\"",
                                            ",\"to\":\"closed\",\"reason\":\"spam\"",
                                            ",\"to\":\"snoozed\",\"until\":5"};
        char more[80];
        if (draw(play, 6) == 0)
                snprintf(more, sizeof more, ",\"to\":\"snoozed\",\"until\":%lld",
                         (long long)clock_wall_ms() + 1 + draw(play, 50));
        else
                snprintf(more, sizeof more, "%s", moves[draw(play, sizeof moves / sizeof *moves)]);
        change(play, "ticket.move", more);
}

static void set(struct play *play)
{
        static const char *const sets[] = {",\"priority\":\"urgent\"",
                                           ",\"priority\":\"low\",\"subject\":\"late\"",
                                           ",\"tags\":[\"a\",\"b\",\"c\"]",
                                           ",\"tags\":[\"b\"],\"topic\":\"bills\"",
                                           ",\"tags\":[]",
                                           ",\"exempt\":true",
                                           ",\"exempt\":false,\"lang\":\"ko\"",
                                           ",\"subject\":\"\"",
                                           ",\"fields\":\"{\\\"unknown\\\":\\\"1\\\"}\""};
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
        char into[ID_TEXT_BYTES + 1] = "", more[64];
        const struct ticket *other = some_ticket(play);
        if (!other)
                return;
        id_write(into, "tkt", other->ext);
        snprintf(more, sizeof more, ",\"into\":\"%s\"", into);
        change(play, "ticket.merge", more);
}

static void press(struct play *play)
{
        const struct ticket *ticket = some_ticket(play);
        char conv[ID_TEXT_BYTES + 1] = "";
        if (!ticket || ticket->consent_seq == 0)
                return;
        bool agrees = draw(play, 2);
        bool is_korean = strcmp(ticket->lang, "ko") == 0; /* the texts were made in the language of that time */
        id_write(conv, "cnv", ticket->conv_ext);
        int64_t customer = ticket->customer, seq = ticket->consent_seq; /* a rollback makes it anew */
        for (int i = 0; i < CUSTOMERS; i++)
                if (play->customers[i].caller.principal == customer)
                        json_decref(room_ask(play->room, &play->customers[i], "message.send",
                                             "{\"cmid\":\"%s\",\"conv\":\"%s\",\"kind\":\"text\",\"text\":\"%s\","
                                             "\"pressed\":{\"seq\":%lld,\"id\":\"%s\"}}",
                                             room_cmid(play->room), conv,
                                             agrees      ? is_korean ? "네, 해결됐어요" : "Yes, solved"
                                             : is_korean ? "아니요, 아직이에요"
                                                         : "No, not yet",
                                             (long long)seq, agrees ? "solved" : "not_solved"));
}

static void say(struct play *play)
{
        int conv = (int)draw(play, CONVERSATIONS);
        const struct client *who =
                draw(play, 2) ? &play->customers[play->owner[conv]] : &play->agents[draw(play, AGENTS)];
        json_decref(room_send(play->room, who, play->convs[conv], NULL, "hello"));
}

static void check(struct play *play)
{
        room_turn(play->room);
        room_forget(play->room);
        room_check(play->room);
        tickets_check(play->room);
}

static void again(struct play *play)
{
        room_close(play->room);
        room_open(play->room);
        enter_all(play);
        check(play);
}

static void fail_once(struct play *play)
{
        db_fault_reset(&db_sqlite);
        assert_true(db_fault_add((struct db_fault_rule){.op = DB_FAULT_STEP,
                                                        .kind = DB_FAULT_FAIL,
                                                        .mode = DB_WRITER,
                                                        .nth = 1 + draw(play, 12),
                                                        .error = DB_IO}));
}

static void step(struct play *play, bool has_faults)
{
        if (has_faults && draw(play, 10) == 0)
                fail_once(play);
        switch (draw(play, 10)) {
        case 0:
        case 1:
        case 2:
                say(play);
                break;
        case 3:
        case 4:
        case 5:
                move(play);
                break;
        case 6:
                set(play);
                break;
        case 7:
                give(play);
                break;
        case 8:
                press(play);
                break;
        default:
                if (draw(play, 4) == 0)
                        unite(play);
                else
                        room_turn(play->room);
                break;
        }
        db_fault_reset(&db_sqlite);
        play->room->desk->retry_write_ms = 0;
}

static void play_it(void **state, bool has_faults, uint32_t seed)
{
        struct play play = {.room = *state, .seed = seed};
        enter_all(&play);
        json_decref(room_operate(play.room, "ticket.settings_set",
                                 "{\"cmid\":\"%s\",\"settings\":{\"idle_ms\":20,\"remind_ms\":20,\"silent_ms\":20,"
                                 "\"close_ms\":1000}}",
                                 room_cmid(play.room)));
        for (int i = 0; i < CONVERSATIONS; i++) {
                char key[16];
                snprintf(key, sizeof key, "k%d", i);
                play.owner[i] = i % CUSTOMERS;
                play.convs[i] = room_conversation(play.room, &play.customers[play.owner[i]], key);
        }
        const char *wanted = getenv("STEPS"); /* the long test says how many */
        int steps = wanted ? atoi(wanted) : STEPS;
        for (int i = 1; i <= steps; i++) {
                step(&play, has_faults);
                if (i % CHECK_EVERY == 0)
                        check(&play);
                if (i % (steps / 4) == 0)
                        again(&play);
        }
        assert_true(play.done > steps / 20 && play.refused > steps / 50);
        assert_true(room_sql(play.room, "SELECT COUNT(*) FROM ticket") > 20);
        for (int i = 0; i < CONVERSATIONS; i++)
                free(play.convs[i]);
}

static void the_invariants_hold_whatever_happens(void **state)
{
        play_it(state, false, 0x9e3779b9);
}

static void they_hold_when_the_store_fails_now_and_then(void **state)
{
        play_it(state, true, 0x7f4a7c15);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, room_set_up, room_tear_down)
        const struct CMUnitTest tests[] = {T(the_invariants_hold_whatever_happens),
                                           T(they_hold_when_the_store_fails_now_and_then)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
