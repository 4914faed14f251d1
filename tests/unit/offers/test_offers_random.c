/* SPDX-License-Identifier: Apache-2.0 */
/* Thousands of things that customers, agents, time, erasures and a failing store do, in random order: whatever happens,
 * what docs/surveys.md says is always true. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "desk/surveys/surveys_private.h"
#include "unit/desk/random_play.h"
#include "unit/offers/offer_scene.h"

enum { CUSTOMERS = 4, CONVERSATIONS = 6, STEPS = 1200, CHECK_EVERY = 100, RATED_MAX = 20000 };

/* What was acknowledged: the score that counts since. */
struct rated {
        int conv;
        int64_t seq;
        int score; /* -1 = none */
        bool is_commented;
};

struct play {
        struct room *room;
        struct client customers[CUSTOMERS], eve;
        char *convs[CONVERSATIONS];
        struct rated *rated;
        size_t rated_count;
        uint32_t seed;
        bool has_branches;
        int answered, branched, refused, erased;
};

static uint32_t draw(struct play *play, uint32_t below)
{
        return random_below(&play->seed, below);
}

static void enter_all(struct play *play)
{
        for (int i = 0; i < CUSTOMERS; i++) {
                char name[24];
                snprintf(name, sizeof name, "c%d-%d", i, play->erased);
                play->customers[i] = room_customer(play->room, name, 0);
        }
        play->eve = room_agent(play->room, "Eve", 0);
}

static const struct client *owner_of(struct play *play, int conv)
{
        return &play->customers[conv % CUSTOMERS];
}

/* ---- what is done ---- */

static void say(struct play *play)
{
        int conv = (int)draw(play, CONVERSATIONS);
        json_decref(room_send(play->room, draw(play, 2) ? owner_of(play, conv) : &play->eve, play->convs[conv], NULL,
                              "some words about it"));
}

static struct ticket *some_ticket(struct play *play)
{
        const struct tickets *tickets = &play->room->desk->tickets;
        return tickets->count ? tickets->all[draw(play, (uint32_t)tickets->count)] : NULL;
}

static void move(struct play *play)
{
        static const char *const moves[] = {"\"to\":\"solved\"", "\"to\":\"solved\"", "\"to\":\"solved\"",
                                            "\"to\":\"open\"", "\"to\":\"closed\",\"reason\":\"spam\""};
        const struct ticket *ticket = some_ticket(play);
        char id[32] = "";
        if (!ticket)
                return;
        id_write(id, "tkt", ticket->ext);
        json_decref(room_ask(play->room, &play->eve, "ticket.move",
                             "{\"cmid\":\"%s\",\"ticket\":\"%s\",\"version\":%lld,%s}", room_cmid(play->room), id,
                             (long long)ticket->version, moves[draw(play, draw(play, 8) ? 4 : 5)]));
}

/* The row id of a conversation; 0: it is gone with an erased customer. */
static int64_t row_of(struct play *play, int conv)
{
        char sql[100];
        uint64_t ext;
        assert_int_equal(0, id_read(span_of(play->convs[conv]), "cnv", &ext));
        snprintf(sql, sizeof sql, "SELECT id FROM conversation WHERE ext = %lld", (long long)ext);
        return room_sql(play->room, sql);
}

static int64_t some_offer(struct play *play, int conv, const char *column, const char *where)
{
        char sql[300];
        snprintf(sql, sizeof sql,
                 "SELECT %s FROM survey_offer WHERE conv = %lld AND %s ORDER BY id DESC LIMIT 1 OFFSET %u", column,
                 (long long)row_of(play, conv), where, draw(play, 3) ? 0 : draw(play, 3));
        return room_sql(play->room, sql);
}

static struct rated *expected(struct play *play, int conv, int64_t seq)
{
        for (size_t i = 0; i < play->rated_count; i++)
                if (play->rated[i].conv == conv && play->rated[i].seq == seq)
                        return &play->rated[i];
        assert_true(play->rated_count < RATED_MAX);
        play->rated[play->rated_count] = (struct rated){conv, seq, -1, false};
        return &play->rated[play->rated_count++];
}

/* Two questions, for low and for high scores. */
#define BRANCHES                                                                                                       \
        ",\"questions\":[{\"id\":\"low\",\"kind\":\"scale\",\"min\":1,\"max\":3,\"to_score\":2,\"required\":true},"    \
        "{\"id\":\"high\",\"kind\":\"text\",\"from_score\":4}],\"lang\":\"en\",\"texts\":[{\"lang\":\"en\","           \
        "\"questions\":[{\"id\":\"low\",\"text\":\"Why?\"},{\"id\":\"high\",\"text\":\"Who?\"}]}]"

enum branch { NO_BRANCH, LOW, HIGH };

static bool is_asked_at(enum branch branch, int score)
{
        return branch == NO_BRANCH || (branch == LOW ? score >= 1 && score <= 2 : score >= 4);
}

static void rate_one(struct play *play)
{
        static const char *const branches[] = {"", ",\"answers\":[{\"question\":\"low\",\"number\":2}]",
                                               ",\"answers\":[{\"question\":\"high\",\"words\":\"Eve\"}]"};
        int conv = (int)draw(play, CONVERSATIONS);
        int64_t seq = some_offer(play, conv, "seq", "seq > 0");
        int score = (int)draw(play, 7) - 1; /* -1: none; 0 and, above five, out of its scale */
        bool is_commented = draw(play, 6) == 0;
        enum branch branch = play->has_branches && draw(play, 2) ? (enum branch)(1 + draw(play, 2)) : NO_BRANCH;
        char what[160] = "";
        if (seq <= 0)
                return;
        if (score >= 0)
                snprintf(what, sizeof what, ",\"score\":%d", score);
        if (is_commented)
                snprintf(what + strlen(what), sizeof what - strlen(what), ",\"said\":\"in words\"");
        snprintf(what + strlen(what), sizeof what - strlen(what), "%s", branches[branch]);
        char cmid[64];
        snprintf(cmid, sizeof cmid, "%s", room_cmid(play->room));
        for (int tries = 1 + (int)draw(play, 2); tries > 0; tries--) { /* a client that did not hear asks again */
                json_t *answer = room_ask(play->room, owner_of(play, conv), "message.send",
                                          "{\"cmid\":\"%s\",\"conv\":\"%s\",\"kind\":\"rating\",\"rated\":{\"seq\":%lld"
                                          "%s},\"fallback_text\":\"*\"}",
                                          cmid, play->convs[conv], (long long)seq, what);
                if (answer && json_object_get(answer, "result")) {
                        struct rated *rated = expected(play, conv, seq);
                        assert_true(score >= 1 || (score < 0 && (is_commented || branch != NO_BRANCH)));
                        if (score >= 1)
                                rated->score = score;
                        assert_true(is_asked_at(branch, rated->score));
                        rated->is_commented |= is_commented;
                        play->answered++;
                        play->branched += branch != NO_BRANCH;
                } else {
                        play->refused++;
                }
                json_decref(answer);
        }
}

static void by_hand(struct play *play)
{
        int conv = (int)draw(play, CONVERSATIONS);
        if (draw(play, 2)) {
                json_decref(room_ask(play->room, &play->eve, "survey.offer",
                                     "{\"cmid\":\"%s\",\"conv\":\"%s\",\"survey\":\"How was it\"}",
                                     room_cmid(play->room), play->convs[conv]));
                return;
        }
        int64_t ext = some_offer(play, conv, "ext", "1");
        char id[32] = "";
        if (ext <= 0)
                return;
        id_write(id, "off", (uint64_t)ext);
        json_decref(room_ask(play->room, &play->eve, "survey.withdraw", "{\"cmid\":\"%s\",\"offer\":\"%s\"}",
                             room_cmid(play->room), id));
}

static void let_time_pass(struct play *play)
{
        static const int64_t steps[] = {HOURS(1), HOURS(5), HOURS(25), DAYS(3)};
        int64_t ms = steps[draw(play, 4)];
        clock_shift_wall(ms);
        clock_shift_mono((uint64_t)ms);
        room_turn(play->room);
        room_turn(play->room);
}

static void open_conversations(struct play *play)
{
        for (int i = 0; i < CONVERSATIONS; i++) {
                char key[16];
                snprintf(key, sizeof key, "k%d", i);
                free(play->convs[i]);
                play->convs[i] = room_conversation(play->room, owner_of(play, i), key);
        }
}

/* All of them; others come in their place. */
static void erase_all(struct play *play)
{
        for (int i = 0; i < CUSTOMERS; i++)
                take_result(room_operate(play->room, "customer.erase", "{\"cmid\":\"%s\",\"customer\":\"%s\"}",
                                         room_cmid(play->room), play->customers[i].id));
        play->erased++;
        play->rated_count = 0;
        enter_all(play);
        open_conversations(play);
}

/* ---- what is always true ---- */

static void nothing(struct play *play, const char *what, const char *sql)
{
        int64_t found = room_sql(play->room, sql);
        if (found != 0)
                fail_msg("%s: %lld", what, (long long)found);
}

#define MESSAGE "(SELECT e.body FROM entry e WHERE e.conv = o.conv AND e.log = 0 AND e.seq = o.seq AND e.kind = 8)"

static void check_rows(struct play *play)
{
        nothing(play, "a solving was asked about twice",
                "SELECT count(*) FROM (SELECT 1 FROM survey_offer WHERE state < 5 AND ticket > 0 GROUP BY ticket, "
                "solving"
                " HAVING count(*) > 1)");
        nothing(play, "two wait in one conversation about no ticket",
                "SELECT count(*) FROM (SELECT 1 FROM survey_offer WHERE state < 3 AND ticket = 0 GROUP BY conv"
                " HAVING count(*) > 1)");
        nothing(play, "more messages than offers",
                "SELECT (SELECT count(*) FROM entry WHERE log = 0 AND kind = 8) > (SELECT count(*) FROM survey_offer"
                " WHERE seq > 0)");
        nothing(play, "an offer without its message",
                "SELECT count(*) FROM survey_offer o WHERE seq > 0 AND NOT EXISTS (SELECT 1 FROM entry e WHERE"
                " e.conv = o.conv AND e.log = 0 AND e.seq = o.seq AND e.kind IN (8, 22))");
        nothing(play, "a message that says another state",
                "SELECT count(*) FROM survey_offer o WHERE seq > 0 AND json_extract(" MESSAGE ", '$.survey.state') <>"
                " CASE state WHEN 2 THEN 'waiting' WHEN 3 THEN 'answered' WHEN 4 THEN 'expired' ELSE 'withdrawn' END");
        nothing(play, "a message that says another score",
                "SELECT count(*) FROM survey_offer o WHERE seq > 0 AND " MESSAGE " IS NOT NULL AND"
                " coalesce(json_extract(" MESSAGE ", '$.survey.score'), -1) <> coalesce(score, -1)");
        nothing(play, "an answer that its score does not ask for",
                "SELECT count(*) FROM survey_offer WHERE (answers LIKE '%\"low\"%' AND coalesce(score, 0) NOT IN (1, "
                "2))"
                " OR (answers LIKE '%\"high\"%' AND coalesce(score, 0) < 4)");
        nothing(play, "a message that says other answers",
                "SELECT count(*) FROM survey_offer o WHERE seq > 0 AND " MESSAGE " IS NOT NULL AND"
                " coalesce(json_extract(" MESSAGE ", '$.survey.answers'), '') <> coalesce(answers, '')");
        nothing(play, "one that ended and was told not once",
                "SELECT count(*) FROM survey_offer o WHERE seq > 0 AND " MESSAGE " IS NOT NULL AND (state IN (4, 5)) <>"
                " (SELECT count(*) FROM entry e WHERE e.conv = o.conv AND e.log = 0 AND e.kind = 27 AND"
                " json_extract(e.body, '$.of') = o.seq)");
        nothing(play, "one that waits at a ticket that is not solved",
                "SELECT count(*) FROM survey_offer o JOIN ticket t ON t.id = o.ticket WHERE o.state IN (1, 2) AND"
                " t.status NOT IN (8, 9)");
        nothing(play, "one that waits for another solving",
                "SELECT count(*) FROM survey_offer o JOIN ticket t ON t.id = o.ticket WHERE o.state IN (1, 2) AND"
                " o.solving <> t.reopens");
        nothing(play, "a state that its times do not fit",
                "SELECT count(*) FROM survey_offer WHERE (state = 3) <> (answered_ms > 0) OR (state IN (2, 3, 4)) >"
                " (offered_ms > 0) OR (state = 1 AND (seq > 0 OR next_ms = 0)) OR (state = 2 AND next_ms = 0) OR"
                " (state > 2 AND next_ms > 0) OR (state = 6 AND (seq > 0 OR reason IS NULL))");
        nothing(play, "a comment that did not lock",
                "SELECT count(*) FROM survey_offer WHERE comment IS NOT NULL AND is_locked = 0");
}

static void check_answers(struct play *play)
{
        for (size_t i = 0; i < play->rated_count; i++) {
                char sql[300];
                const struct rated *rated = &play->rated[i];
                snprintf(sql, sizeof sql,
                         "SELECT count(*) FROM survey_offer WHERE conv = %lld AND seq = %lld AND state = 3 AND"
                         " coalesce(score, -1) = %d AND (comment IS NOT NULL) = %d",
                         (long long)row_of(play, rated->conv), (long long)rated->seq, rated->score,
                         rated->is_commented);
                if (room_sql(play->room, sql) != 1)
                        fail_msg("an acknowledged answer (%d) is not what counts", rated->score);
        }
}

static void check(struct play *play)
{
        room_turn(play->room);
        room_forget(play->room);
        room_check(play->room);
        if (play->erased == 0) /* an erased log does not tell how its ticket went */
                tickets_check(play->room);
        check_rows(play);
        check_answers(play);
        int64_t next_ms = room_sql(play->room, "SELECT min(next_ms) FROM survey_offer WHERE next_ms > 0");
        assert_true(play->room->desk->surveys->next_ms <= (next_ms > 0 ? next_ms : INT64_MAX));
}

/* ---- the play ---- */

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
                                                        .nth = 1 + draw(play, 30),
                                                        .error = DB_IO}));
}

static void step(struct play *play, bool has_faults)
{
        if (has_faults && draw(play, 8) == 0)
                fail_once(play);
        switch (draw(play, 12)) {
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
        case 7:
        case 8:
                rate_one(play);
                break;
        case 9:
                by_hand(play);
                break;
        default:
                let_time_pass(play);
                break;
        }
        db_fault_reset(&db_sqlite);
        play->room->desk->retry_write_ms = 0;
}

static void play_it(void **state, const char *form, bool has_faults, uint32_t seed)
{
        struct scene scene = {.room = *state};
        struct play play = {.room = *state,
                            .seed = seed,
                            .has_branches = strstr(form, "from_score") != NULL,
                            .rated = calloc(RATED_MAX, sizeof(struct rated))};
        enter_all(&play);
        scene_survey(&scene, "How was it", form, scene.survey);
        open_conversations(&play);
        const char *wanted = getenv("STEPS"); /* the long test says how many */
        int steps = wanted ? atoi(wanted) : STEPS;
        for (int i = 1; i <= steps; i++) {
                step(&play, has_faults);
                if (i % CHECK_EVERY == 0)
                        check(&play);
                if (i % (steps / 4) == 0)
                        again(&play);
                if (i % (steps / 3) == 0)
                        erase_all(&play);
        }
        check(&play);
        assert_int_equal(play.has_branches, play.branched > steps / 200);
        assert_true(play.answered > steps / 100 && play.refused > steps / 50);
        assert_true(room_sql(play.room, "SELECT count(*) FROM survey_offer WHERE state = 4") > 0);
        assert_true(room_sql(play.room, "SELECT count(*) FROM survey_offer WHERE state = 5") > 0);
        for (int i = 0; i < CONVERSATIONS; i++)
                free(play.convs[i]);
        free(play.rated);
}

static void it_is_always_true_when_asked_at_once(void **state)
{
        play_it(state, ",\"interval_days\":0,\"remind_hours\":6,\"until_hours\":48" BRANCHES, false, 0x9e3779b9);
}

static void it_is_always_true_with_a_delay_and_a_store_that_fails(void **state)
{
        play_it(state, ",\"interval_days\":0,\"delay_minutes\":90,\"on\":[\"solved\",\"closed\"]", true, 0x7f4a7c15);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, room_set_up, room_tear_down)
        const struct CMUnitTest tests[] = {T(it_is_always_true_when_asked_at_once),
                                           T(it_is_always_true_with_a_delay_and_a_store_that_fails)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
