/* SPDX-License-Identifier: Apache-2.0 */
/* A few thousand commands in random order, in batches of random size, with repeats, failures of the store and restarts
 * between: memory equals disk all the way, counts equal a recount, and each key is stored once with what it was
 * answered. */
#include <stdio.h>
#include <stdlib.h>

#include "unit/desk/random_play.h"

enum { CUSTOMERS = 4, AGENTS = 2, PEOPLE = CUSTOMERS + AGENTS, CONVERSATIONS = 6, STEPS = 3000, KEYS = 4000 };

struct sent {
        int person, conv;
        bool is_team, is_accepted;
        json_int_t number;
        unsigned id;
};

struct play {
        struct room *room;
        struct client people[PEOPLE];
        char *convs[CONVERSATIONS];
        int owner[CONVERSATIONS];
        struct sent sent[KEYS];
        int sent_count;
        uint32_t seed;
        bool has_faults;
};

static uint32_t draw(struct play *play, uint32_t below)
{
        return random_below(&play->seed, below);
}

static void enter_all(struct play *play)
{
        char name[16];
        for (int i = 0; i < PEOPLE; i++) {
                snprintf(name, sizeof name, "p%d", i);
                play->people[i] = i < CUSTOMERS ? room_customer(play->room, name, 0) : room_agent(play->room, name, 0);
        }
}

static int who_may(struct play *play, int conv)
{
        return draw(play, 2) ? play->owner[conv] : CUSTOMERS + (int)draw(play, AGENTS);
}

static void send_again(struct play *play, int which)
{
        struct sent *sent = &play->sent[which];
        sent->id =
                room_queue(play->room, &play->people[sent->person], "message.send",
                           "{\"cmid\":\"%032x\",\"conv\":\"%s\",\"log\":\"%s\",\"kind\":\"text\",\"text\":\"text %d\"}",
                           (unsigned)which + 1, play->convs[sent->conv], sent->is_team ? "team" : "public", which);
}

static void step(struct play *play)
{
        struct room *room = play->room;
        int conv = (int)draw(play, CONVERSATIONS), who = who_may(play, conv);
        const char *id = play->convs[conv];
        struct conversation *known = room_cached(room, id);
        int head = known ? (int)known->row.head + 1 : 1;
        switch (draw(play, 12)) {
        case 0:
        case 1:
        case 2:
        case 3:
                if (play->sent_count < KEYS) {
                        play->sent[play->sent_count] = (struct sent){
                                .person = who, .conv = conv, .is_team = who >= CUSTOMERS && draw(play, 4) == 0};
                        send_again(play, play->sent_count++);
                }
                break;
        case 4:
                if (play->sent_count > 0)
                        send_again(play, (int)draw(play, (uint32_t)play->sent_count));
                break;
        case 5:
        case 6:
                room_queue(room, &play->people[who], "marks", "{\"marks\":[{\"conv\":\"%s\",\"recv\":%d,\"read\":%d}]}",
                           id, (int)draw(play, (uint32_t)head + 2), (int)draw(play, (uint32_t)head + 2));
                break;
        case 7:
        case 8:
                room_queue(room, &play->people[who], "message.edit",
                           "{\"cmid\":\"%s\",\"conv\":\"%s\",\"of\":%d,\"version\":%d,\"text\":\"other\"}",
                           room_cmid(room), id, 1 + (int)draw(play, (uint32_t)head), 1 + (int)draw(play, 2));
                break;
        case 9:
                room_queue(room, &play->people[who], "message.erase", "{\"cmid\":\"%s\",\"conv\":\"%s\",\"of\":%d}",
                           room_cmid(room), id, 1 + (int)draw(play, (uint32_t)head));
                break;
        case 10:
                if (who < CUSTOMERS)
                        room_queue(room, &play->people[who], "conversation.open", "{\"key\":\"%d\"}", conv);
                else
                        room_queue(room, &play->people[who], "conversation.watch", "{\"conv\":\"%s\"}", id);
                break;
        default:
                clock_shift_wall((int64_t)draw(play, 2000) - 1000);
        }
}

/* Answers say what is on disk: the same place for the same key, for ever (I3, I10). */
static void look_at_answers(struct play *play)
{
        for (int i = 0; i < play->sent_count; i++) {
                struct sent *sent = &play->sent[i];
                json_t *answer = sent->id ? room_answer(play->room, sent->id) : NULL;
                json_int_t number_was = number(answer, sent->is_team ? "result.iseq" : "result.seq");
                if (number_was > 0) {
                        if (sent->is_accepted)
                                assert_int_equal(sent->number, number_was);
                        sent->is_accepted = true;
                        sent->number = number_was;
                }
                if (answer)
                        sent->id = 0;
                json_decref(answer);
        }
        json_object_clear(play->room->answers);
}

static void check_sent(struct play *play)
{
        char sql[256];
        for (int i = 0; i < play->sent_count; i++) {
                if (!play->sent[i].is_accepted)
                        continue;
                snprintf(sql, sizeof sql, "SELECT seq FROM entry WHERE cmid = x'%032x' AND log = %d", (unsigned)i + 1,
                         play->sent[i].is_team);
                assert_int_equal(play->sent[i].number, room_sql(play->room, sql));
        }
}

static void fail_sometimes(struct play *play)
{
        static const struct {
                enum db_fault_op op;
                int error;
        } kinds[] = {{DB_FAULT_STEP, DB_FULL},
                     {DB_FAULT_STEP, DB_IO},
                     {DB_FAULT_COMMIT, DB_FULL},
                     {DB_FAULT_BEGIN, DB_BUSY}};
        uint32_t which = draw(play, 4);
        db_fault_reset(&db_sqlite);
        if (play->has_faults && draw(play, 3) == 0)
                db_fault_add((struct db_fault_rule){.op = kinds[which].op,
                                                    .kind = DB_FAULT_FAIL,
                                                    .mode = DB_WRITER,
                                                    .nth = 1 + draw(play, which < 2 ? 60 : 1),
                                                    .error = kinds[which].error});
}

static void restart(struct play *play)
{
        room_close(play->room);
        room_forget(play->room);
        room_open(play->room);
        enter_all(play);
}

static void run(struct room *room, uint32_t seed, bool has_faults)
{
        static struct play play;
        play = (struct play){.room = room, .seed = seed, .has_faults = has_faults};
        char key[16];
        enter_all(&play);
        for (int i = 0; i < CONVERSATIONS; i++) {
                snprintf(key, sizeof key, "%d", i);
                play.owner[i] = (int)draw(&play, CUSTOMERS);
                play.convs[i] = room_conversation(room, &play.people[play.owner[i]], key);
        }
        for (int done = 0, turns = 0; done < STEPS; turns++) {
                int batch = 1 + (int)draw(&play, 40);
                fail_sometimes(&play);
                for (int i = 0; i < batch; i++, done++)
                        step(&play);
                room_turn(room);
                room->desk->retry_write_ms = 0;
                db_fault_reset(&db_sqlite);
                look_at_answers(&play);
                room_forget(room);
                if (turns % 7 == 0)
                        room_check(room);
                if (turns % 50 == 49)
                        restart(&play);
        }
        room_check(room);
        check_sent(&play);
        assert_int_equal(0,
                         room_sql(room, "SELECT count(*) FROM (SELECT cmid FROM entry WHERE cmid IS NOT NULL GROUP BY"
                                        " cmid, author HAVING count(*) > 1)"));
        for (int i = 0; i < CONVERSATIONS; i++)
                free(play.convs[i]);
}

static void random_commands_leave_memory_equal_to_disk(void **state)
{
        run(*state, 20240601, false);
}

static void random_commands_with_failures_leave_memory_equal_to_disk(void **state)
{
        run(*state, 987654321, true);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, room_set_up, room_tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(random_commands_leave_memory_equal_to_disk),
                TEST(random_commands_with_failures_leave_memory_equal_to_disk),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
