/* SPDX-License-Identifier: Apache-2.0 */
/* A bot's turns while memory runs out: whichever allocation fails, the server gets each answer once, and the
 * application hears what became of each. The server is a few lines: it asks until it is answered, as the real one does.
 */
#include <stdlib.h>

#include "faults.h"
#include "stage.h"

enum { TURNS = 3, ROUNDS = 60, ROUND_MS = 10000 };

static struct stage s;
static struct {
        int turn;          /* asked */
        int taken[TURNS];  /* answers */
        int64_t to_answer; /* by the application; -1 = nothing */
        int acts, acted;
} run;

static void say_turn(void)
{
        stage_say(
                &s,
                "{\"jsonrpc\":\"2.0\",\"method\":\"bot.turn\",\"params\":{\"event_id\":\"e\",\"conversation\":{\"id\":"
                "\"" CONV "\",\"key\":\"main\",\"app\":\"app_0000000000009\",\"customer\":{\"id\":\"" USER
                "\",\"facts\":[{\"name\":\"a\",\"value\":\"b\"}]}},\"turn\":%d,\"seq\":%d,\"message\":{\"kind\":"
                "\"text\",\"text\":\"Hello\"}}}",
                run.turn, run.turn + 1);
}

static void take_act(json_t *request)
{
        int turn = (int)stage_number(request, "turn");

        if (turn != run.turn || run.turn >= TURNS) {
                stage_refuse(&s, request, "not_owner", true, -1);
                return;
        }
        run.taken[turn]++;
        run.turn++;
        stage_answer(&s, request, "{\"turn\":%d}", run.turn);
}

/* Whether there was a frame. */
static bool serve_one(void)
{
        json_t *request = json_incref(json_array_get(s.frames, 0));
        const char *method = request ? json_string_value(json_object_get(request, "method")) : NULL;

        if (!request)
                return false;
        if (strcmp(method, "session.open") == 0) {
                json_decref(request);
                stage_log_in(&s, EPOCH, 0, "");
                return true;
        }
        json_array_remove(s.frames, 0);
        if (strcmp(method, "bot.act") == 0)
                take_act(request);
        else if (strcmp(method, "feed.read") == 0)
                stage_answer(&s, request, "{\"rows\":[],\"rev\":0}");
        else if (strcmp(method, "bot.turns") == 0)
                stage_answer(&s, request, "{\"turns\":[]}");
        else
                json_decref(request);
        return true;
}

static void hear(void)
{
        struct event *event;

        while ((event = stage_event(&s, EVENT_TURN))) {
                run.to_answer = event->turn.turn;
                event_free(event);
        }
        while ((event = stage_event(&s, EVENT_ACTED))) {
                run.acted++;
                event_free(event);
        }
        stage_drop_events(&s);
}

static void answer(void)
{
        char params[64];

        if (run.to_answer < 0)
                return;
        int len = snprintf(params, sizeof(params), "{\"turn\":%d}", (int)run.to_answer);
        stage_begin(&s);
        int rc = machine_act(s.machine, 3, run.to_answer, (struct span){params, (size_t)len});
        stage_end(&s);
        assert_true(rc == 0 || rc == DESKBELL_E_NOMEM);
        run.acts += rc == 0;
        if (rc == 0)
                run.to_answer = -1; /* else tried again in the next round */
}

static void one_round(void)
{
        if (s.wish == WISH_OPEN)
                stage_link_opens(&s);
        while (serve_one())
                hear();
        if (run.turn < TURNS && s.wish == WISH_NOTHING)
                say_turn();
        hear();
        answer();
        while (serve_one())
                hear();
        stage_pass(&s, ROUND_MS);
}

static long one_run(long at)
{
        long held = faults_held(), seen;

        memset(&run, 0, sizeof(run));
        run.to_answer = -1;
        stage_init(&s, NULL);
        s.settings.is_staff = true;
        stage_open(&s);
        stage_begin(&s);
        assert_int_equal(0, machine_serve_turns(s.machine));
        machine_connect(s.machine);
        stage_end(&s);
        faults_arm(FAULT_MEMORY, at, 1);
        for (int i = 0; i < ROUNDS && (run.turn < TURNS || run.acted < run.acts); i++)
                one_round();
        seen = faults_seen();
        faults_arm(FAULT_NONE, 0, 0);
        for (int i = 0; i < TURNS; i++)
                if (run.taken[i] != 1)
                        fail_msg("allocation %ld: turn %d was answered %d times", at, i, run.taken[i]);
        if (run.acted != run.acts)
                fail_msg("allocation %ld: %d answers, %d outcomes", at, run.acts, run.acted);
        stage_done(&s);
        if (faults_held() != held)
                fail_msg("allocation %ld: %ld blocks are not given back", at, faults_held() - held);
        return seen;
}

static void whichever_allocation_fails_each_turn_is_answered_once(void **state)
{
        long all = one_run(0);

        (void)state;
        print_message("%ld allocations\n", all);
        assert_true(all > 30);
        for (long at = 1; at <= all; at++)
                one_run(at);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(whichever_allocation_fails_each_turn_is_answered_once),
        };

        faults_init();
        return cmocka_run_group_tests(tests, NULL, NULL);
}
