/* SPDX-License-Identifier: Apache-2.0 */
/* Thousands of things that customers, agents, managers, time and a failing store do, in random order: whatever happens,
 * what cases_check says of cases holds, after restarts too, and a refusal leaves nothing behind. */
#include <stdio.h>
#include <stdlib.h>

#include "store/db_fault.h"
#include "unit/customers/people_known.h"
#include "unit/desk/random_play.h"
#include "unit/recovery/case_room.h"

enum { CUSTOMERS = 5, AGENTS = 5, STEPS = 900, CHECK_EVERY = 60, OFFERS = 40 };

struct play {
        struct room *room;
        struct client customers[CUSTOMERS], agents[AGENTS];
        char *convs[CUSTOMERS], team[32], works[32], manages[32], plain[32];
        uint32_t seed;
        int done, refused, guests;
};

static uint32_t draw(struct play *play, uint32_t below)
{
        return random_below(&play->seed, below);
}

static void enter_all(struct play *play)
{
        random_enter(play->room, play->customers, CUSTOMERS, play->agents, AGENTS);
}

/* ---- customers ---- */

static void customer_answers(struct play *play)
{
        int conv = (int)draw(play, CUSTOMERS);
        const struct recovery_answer said = {
                .offer = 1 + conv + CUSTOMERS * (int64_t)draw(play, OFFERS / CUSTOMERS), /* an answer stays his own */
                .metric = PROTOCOL_SURVEY_SHOWN_METRIC_CSAT,
                .has_score = draw(play, 8) != 0,
                .score = 1 + (int)draw(play, 5),
                .wants_contact = draw(play, 10) == 0,
                .agent = draw(play, 4) ? play->agents[draw(play, AGENTS)].caller.principal : 0,
                .team = draw(play, 2) ? room_sql(play->room, "SELECT MIN(id) FROM team") : 0};
        case_answer(play->room, play->convs[conv], said);
}

static void customer_answers_again(struct play *play)
{
        int64_t id = room_sql(play->room, "SELECT id FROM recovery_case WHERE asked_ms > 0 ORDER BY id DESC LIMIT 1");
        struct recovery_case one;
        char conv[ID_TEXT_BYTES + 1] = "";
        if (id <= 0 || case_row_load(play->room->view, id, &one) != DB_ROW)
                return;
        id_write(conv, "cnv", one.conv_ext);
        const struct recovery_answer said = {.offer = 1000 + id,
                                             .metric = PROTOCOL_SURVEY_SHOWN_METRIC_CSAT,
                                             .has_score = true,
                                             .score = 1 + (int)draw(play, 5),
                                             .is_resurvey = true,
                                             .case_id = id,
                                             .agent = one.owner};
        case_answer(play->room, conv, said);
}

/* A visitor with a case of his own turns out to be somebody known. */
static void guest_comes(struct play *play)
{
        char secret[24];
        if (play->guests == 20)
                return;
        snprintf(secret, sizeof secret, "guest%d", play->guests++);
        struct client guest = known_visitor(play->room, secret);
        char *conv = room_conversation(play->room, &guest, "main");
        json_decref(room_send(play->room, &guest, conv, NULL, "hello"));
        case_csat(play->room, conv, &play->agents[draw(play, AGENTS)], 5000 + play->guests, 1);
        json_decref(room_operate(play->room, "customer.merge", "{\"cmid\":\"%s\",\"from\":\"%s\",\"into\":\"%s\"}",
                                 room_cmid(play->room), guest.id, play->customers[draw(play, CUSTOMERS)].id));
        free(conv);
}

/* ---- the team ---- */

/* One that is open, mostly. */
static int64_t some_case(struct play *play)
{
        char sql[160];
        const char *which = draw(play, 4) ? "stage IN (1, 2, 4)" : "1";
        int64_t count = case_count(play->room, which);
        if (count <= 0)
                return 0;
        snprintf(sql, sizeof sql, "SELECT id FROM recovery_case WHERE %s ORDER BY id LIMIT 1 OFFSET %u", which,
                 draw(play, (uint32_t)count));
        return room_sql(play->room, sql);
}

static void change(struct play *play, const char *method, const char *more)
{
        struct recovery_case one, after;
        char ext[ID_TEXT_BYTES + 1] = "";
        int64_t id = some_case(play);
        if (id <= 0 || case_row_load(play->room->view, id, &one) != DB_ROW)
                return;
        id_write(ext, "rec", one.ext);
        int64_t version = one.version - (draw(play, 8) == 0);
        bool by_agent = draw(play, 4) == 0;
        json_t *answer =
                by_agent ? room_ask(play->room, &play->agents[draw(play, AGENTS)], method,
                                    "{\"cmid\":\"%s\",\"recovery\":\"%s\",\"version\":%lld%s}", room_cmid(play->room),
                                    ext, (long long)version, more)
                         : room_operate(play->room, method, "{\"cmid\":\"%s\",\"recovery\":\"%s\",\"version\":%lld%s}",
                                        room_cmid(play->room), ext, (long long)version, more);
        bool is_done = answer && json_object_get(answer, "result");
        assert_int_equal(DB_ROW, case_row_load(play->room->view, id, &after));
        play->done += is_done;
        play->refused += !is_done;
        if (is_done)
                assert_true(version == one.version);
        json_decref(answer);
}

static void team_works(struct play *play)
{
        static const char *const outcomes[] = {"recovered", "not_recovered", "unreachable", "declined"};
        char more[160];
        switch (draw(play, 7)) {
        case 0:
                change(play, "recovery.contact", ",\"channel\":\"phone\",\"reached\":true,\"note\":\"spoke\"");
                break;
        case 1:
                snprintf(more, sizeof more, ",\"outcome\":\"%s\"", outcomes[draw(play, 4)]);
                change(play, "recovery.resolve", more);
                break;
        case 2:
                change(play, "recovery.reopen", "");
                break;
        case 3:
                snprintf(more, sizeof more, ",\"owner\":\"%s\"", play->agents[draw(play, AGENTS)].id);
                change(play, "recovery.assign", more);
                break;
        case 4:
                snprintf(more, sizeof more, ",\"text\":\"refund\",\"due\":%lld",
                         (long long)clock_wall_ms() + HOUR * (1 + draw(play, 30)));
                change(play, "recovery.action_add", more);
                break;
        case 5:
                change(play, "recovery.action_done", ",\"action\":1");
                break;
        default:
                if (draw(play, 2))
                        change(play, "recovery.cause", ",\"cause\":\"price\"");
                else
                        change(play, "recovery.compensate",
                               ",\"gave\":\"voucher\",\"amount\":500,\"currency\":\"EUR\"");
        }
}

static void agent_writes(struct play *play)
{
        json_decref(room_send(play->room, &play->agents[draw(play, AGENTS)], play->convs[draw(play, CUSTOMERS)], NULL,
                              "how are you?"));
}

static void team_changes(struct play *play)
{
        const struct client *agent = &play->agents[draw(play, AGENTS)];
        const char *roles[] = {play->works, play->manages, play->plain};
        json_decref(room_operate(play->room, "agent.set", "{\"cmid\":\"%s\",\"agent\":\"%s\",\"role\":\"%s\"}",
                                 room_cmid(play->room), agent->id, roles[draw(play, 3)]));
        json_decref(room_operate(play->room, draw(play, 2) ? "team.member_add" : "team.member_remove",
                                 "{\"cmid\":\"%s\",\"team\":\"%s\",\"agent\":\"%s\"}", room_cmid(play->room),
                                 play->team, agent->id));
        room_turn(play->room);
        enter_all(play); /* who may do other things comes again */
}

static void manager_sets(struct play *play)
{
        char settings[120];
        snprintf(settings, sizeof settings, "{\"csat_low\":%d,\"contact_ms\":%lld,\"business_hours\":%s}",
                 1 + (int)draw(play, 3), (long long)(HOUR * (1 + draw(play, 40))), draw(play, 2) ? "true" : "false");
        json_decref(room_operate(play->room, "recovery.settings_set", "{\"cmid\":\"%s\",\"settings\":%s}",
                                 room_cmid(play->room), settings));
}

/* ---- the play ---- */

static void check(struct play *play)
{
        json_decref(room_operate(play->room, "recovery.settings", "{}")); /* what could not be read is read again */
        for (int i = 0; i < 3; i++)
                room_turn(play->room); /* owners are looked at in the turn after the one in which somebody changed */
        room_forget(play->room);
        room_check(play->room);
        cases_check(play->room);
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
        assert_true(db_fault_add((struct db_fault_rule){.op = draw(play, 4) ? DB_FAULT_STEP : DB_FAULT_COMMIT,
                                                        .kind = DB_FAULT_FAIL,
                                                        .mode = DB_WRITER,
                                                        .nth = 1 + draw(play, 12),
                                                        .error = DB_FULL}));
}

static void step(struct play *play, bool has_faults)
{
        static void (*const acts[])(struct play *) = {customer_answers, customer_answers, customer_answers,
                                                      team_works,       team_works,       team_works,
                                                      team_works,       agent_writes};
        static void (*const rare[])(struct play *) = {customer_answers_again, guest_comes, team_changes, manager_sets};
        uint32_t which = draw(play, 12);
        bool fails = has_faults && which < 8 && draw(play, 8) == 0;
        if (fails)
                fail_once(play);
        if (which < 8)
                acts[which](play);
        else if (which < 10)
                rare[draw(play, 4)](play);
        else
                case_pass(play->room, (int64_t)draw(play, 20) * HOUR / 4);
        db_fault_reset(&db_sqlite);
        play->room->desk->retry_write_ms = 0;
}

static void set_the_scene(struct play *play)
{
        char key[16];
        crew_team(play->room, "Orders", play->team);
        crew_role(play->room, "works", "reply,note,recovery,read_unassigned", play->works);
        crew_role(play->room, "manages", "reply,note,recovery,recovery_admin,read_all", play->manages);
        crew_role(play->room, "plain", "reply,note", play->plain);
        enter_all(play);
        for (int i = 0; i < CUSTOMERS; i++) {
                snprintf(key, sizeof key, "k%d", i);
                play->convs[i] = room_conversation(play->room, &play->customers[i], key);
                take_seq(room_send(play->room, &play->customers[i], play->convs[i], NULL, "hello"));
        }
}

static bool was_everything_there(const struct play *play)
{
        return case_count(play->room, "1") > 10 && case_count(play->room, "stage = 5") > 0 &&
               case_count(play->room, "reopens > 0") > 0;
}

static void play_it(void **state, bool has_faults, uint32_t seed)
{
        struct play play = {.room = *state, .seed = seed};
        const char *wanted = getenv("STEPS"); /* the long test says how many */
        int steps = wanted ? atoi(wanted) : STEPS;
        set_the_scene(&play);
        /* The clock begins now: what of it falls into office hours, and so what comes of the same draws, differs. */
        for (int i = 1; i <= steps || (i <= 6 * steps && !was_everything_there(&play)); i++) {
                step(&play, has_faults);
                if (i % CHECK_EVERY == 0)
                        check(&play);
                if (i % (steps / 3) == 0)
                        again(&play);
        }
        if (play.done < steps / 40 || play.refused < steps / 50)
                fail_msg("too little happened: %d done, %d refused", play.done, play.refused);
        assert_true(was_everything_there(&play));
        for (int i = 0; i < CUSTOMERS; i++)
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
