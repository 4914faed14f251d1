/* SPDX-License-Identifier: Apache-2.0 */
/* A bot with the SDK: each turn told once, each answer sent under one cmid until the server has spoken. */
#include "deskbell/bot.h"

#include "stage.h"

#include <stdlib.h>

static struct stage s;

static int set_up(void **state)
{
        (void)state;
        stage_init(&s, NULL);
        s.settings.is_staff = true;
        stage_open(&s);
        stage_begin(&s);
        assert_int_equal(0, machine_serve_turns(s.machine));
        assert_int_equal(DESKBELL_E_STATE, machine_serve_turns(s.machine)); /* once */
        stage_end(&s);
        return 0;
}

static int tear_down(void **state)
{
        (void)state;
        stage_done(&s);
        return 0;
}

#define MORE ",\"state\":\"step 2\",\"deadline\":1700000000000"

/* A turn as JSON. */
static const char *asked(const char *conv, int turn, const char *more)
{
        static char text[1000];

        snprintf(text, sizeof(text),
                 "{\"event_id\":\"%s-%d\",\"conversation\":{\"id\":\"%s\",\"key\":\"main\",\"app\":\"app_"
                 "0000000000009\","
                 "\"customer\":{\"id\":\"" USER "\",\"external_id\":\"u-1\",\"locale\":\"ko\",\"facts\":[{\"name\":"
                 "\"plan\",\"value\":\"pro\"}]}},\"turn\":%d,\"seq\":%d,\"message\":{\"kind\":\"text\",\"text\":"
                 "\"Hello\"}%s}",
                 conv, turn, conv, turn, turn + 1, more);
        return text;
}

static void say_turn(const char *conv, int turn)
{
        stage_say(&s, "{\"jsonrpc\":\"2.0\",\"method\":\"bot.turn\",\"params\":%s}", asked(conv, turn, ""));
}

/* The number of the next turn told, -1: none. */
static int64_t told(void)
{
        struct event *event = stage_event(&s, EVENT_TURN);
        int64_t turn = event ? event->turn.turn : -1;

        event_free(event);
        return turn;
}

static json_t *find(const char *method)
{
        json_t *frame = stage_find(&s, method);

        assert_non_null(frame);
        return frame;
}

static void log_in(void)
{
        stage_log_in(&s, EPOCH, 0, "");
        stage_feed(&s, 0, "");
}

static void answer_turns(const char *turns, const char *more)
{
        stage_answer(&s, find("bot.turns"), "{\"turns\":[%s]%s}", turns, more);
}

static void begin(void)
{
        stage_connect(&s);
        log_in();
        answer_turns("", "");
}

static void come_back(void)
{
        stage_link_closes(&s, 1006);
        stage_pass(&s, 30000);
        stage_link_opens(&s);
        log_in();
}

static int act(uint64_t conv, int64_t turn)
{
        struct cmid cmid = machine_cmid(s.machine, s.wall_ms);
        struct writer params;

        writer_init(&params, NULL, 0);
        writer_raw(&params, SPAN("{\"cmid\":"));
        writer_cmid(&params, &cmid);
        writer_raw(&params, SPAN(",\"turn\":"));
        writer_int(&params, turn);
        writer_raw(&params, SPAN("}"));
        stage_begin(&s);
        int rc = machine_act(s.machine, conv, turn, (struct span){params.bytes, params.len});
        stage_end(&s);
        writer_done(&params);
        return rc;
}

static void expect_acted(int64_t turn, int error, const char *tag)
{
        struct event *event = stage_event(&s, EVENT_ACTED);

        assert_non_null(event);
        assert_string_equal(CONV, event->acted.conversation);
        assert_int_equal(turn, event->acted.turn);
        assert_int_equal(error, event->acted.error);
        assert_string_equal(tag, event->acted.tag);
        event_free(event);
        assert_null(stage_event(&s, EVENT_ACTED));
}

static void what_waits_is_told_at_the_beginning_of_a_session(void **state)
{
        (void)state;
        stage_connect(&s);
        log_in();
        answer_turns(asked(CONV, 5, MORE), "");
        struct event *event = stage_event(&s, EVENT_TURN);
        assert_non_null(event);
        const struct deskbell_turn *turn = &event->turn;
        assert_string_equal(CONV, turn->conversation);
        assert_int_equal(5, turn->turn);
        assert_int_equal(6, turn->seq);
        assert_string_equal("main", turn->key);
        assert_string_equal(USER, turn->customer);
        assert_string_equal("u-1", turn->external_id);
        assert_string_equal("", turn->name);
        assert_string_equal("ko", turn->locale);
        assert_string_equal("step 2", turn->state);
        assert_string_equal("Hello", turn->text);
        assert_string_equal("", turn->pressed_id);
        assert_int_equal(0, turn->filled_count);
        assert_int_equal(1, turn->facts_count);
        assert_string_equal("plan", turn->facts[0].id);
        assert_string_equal("pro", turn->facts[0].value);
        assert_int_equal(1700000000000, turn->deadline_ms);
        event_free(event);
}

static void a_turn_is_told_once(void **state)
{
        (void)state;
        begin();
        say_turn(CONV, 5);
        assert_int_equal(5, told());
        say_turn(CONV, 5); /* asked again by an impatient server */
        assert_int_equal(-1, told());
        say_turn(OTHER_CONV, 5);
        assert_int_equal(5, told());
        come_back();
        answer_turns(asked(CONV, 5, ""), "");
        assert_int_equal(-1, told());
        say_turn(CONV, 4); /* late */
        assert_int_equal(-1, told());
        say_turn(CONV, 8); /* it was a person's meanwhile, and given back */
        assert_int_equal(8, told());
}

static void an_answer_is_sent_until_the_server_has_spoken(void **state)
{
        (void)state;
        begin();
        say_turn(CONV, 5);
        assert_int_equal(0, act(3, 5));
        json_t *first = find("bot.act");
        char cmid[40];
        snprintf(cmid, sizeof(cmid), "%s", stage_param(first, "cmid"));
        assert_int_equal(5, stage_number(first, "turn"));
        assert_int_equal(DESKBELL_E_EXISTS, act(3, 5));
        json_decref(first);
        come_back();
        answer_turns(asked(CONV, 5, ""), "");
        json_t *again = find("bot.act");
        assert_string_equal(cmid, stage_param(again, "cmid"));
        assert_null(stage_find(&s, "bot.act"));
        stage_refuse(&s, again, "overloaded", false, 2000);
        assert_null(stage_event(&s, EVENT_ACTED));
        assert_null(stage_find(&s, "bot.act"));
        stage_pass(&s, 2500);
        again = find("bot.act");
        assert_string_equal(cmid, stage_param(again, "cmid"));
        stage_answer(&s, again, "{\"seq\":7,\"turn\":6}");
        expect_acted(5, 0, "");
        stage_pass(&s, 1000);
        assert_null(stage_find(&s, "bot.act"));
}

static void a_refusal_is_told_and_final(void **state)
{
        (void)state;
        begin();
        say_turn(CONV, 5);
        assert_int_equal(0, act(3, 5));
        stage_refuse(&s, find("bot.act"), "not_owner", true, -1);
        expect_acted(5, DESKBELL_E_REFUSED, "not_owner");
        come_back();
        answer_turns("", "");
        assert_null(stage_find(&s, "bot.act"));
}

/* Taken by the server, but the answer was lost: the next turn is not mistaken for it. */
static void the_next_turn_waits_for_the_outcome_of_the_one_before(void **state)
{
        (void)state;
        begin();
        say_turn(CONV, 5);
        assert_int_equal(5, told());
        assert_int_equal(0, act(3, 5));
        json_decref(find("bot.act"));
        come_back();
        answer_turns(asked(CONV, 6, ""), "");
        assert_int_equal(-1, told());
        stage_answer(&s, find("bot.act"), "{\"seq\":7,\"turn\":6}");
        expect_acted(5, 0, "");
        answer_turns(asked(CONV, 6, ""), "");
        assert_int_equal(6, told());
}

static void further_pages_are_asked_for_as_turns_are_answered(void **state)
{
        (void)state;
        stage_connect(&s);
        log_in();
        answer_turns(asked(CONV, 5, ""), ",\"more\":true");
        assert_null(stage_find(&s, "bot.turns"));
        assert_int_equal(0, act(3, 5));
        stage_answer(&s, find("bot.act"), "{\"turn\":6}");
        answer_turns(asked(OTHER_CONV, 2, ""), "");
        assert_int_equal(5, told());
        assert_int_equal(2, told());
        assert_null(stage_find(&s, "bot.turns"));
}

static void a_server_that_does_not_know_bots_is_asked_once_a_session(void **state)
{
        (void)state;
        stage_connect(&s);
        log_in();
        stage_refuse(&s, find("bot.turns"), "unknown_method", true, -1);
        stage_pass(&s, 20000);
        assert_null(stage_find(&s, "bot.turns"));
        come_back();
        stage_refuse(&s, find("bot.turns"), "overloaded", false, 1000);
        assert_null(stage_find(&s, "bot.turns"));
        stage_pass(&s, 1500);
        answer_turns("", "");
}

static void who_is_no_bot_hears_nothing(void **state)
{
        (void)state;
        stage_done(&s);
        stage_init(&s, NULL);
        s.settings.is_staff = true;
        stage_open(&s);
        stage_connect(&s);
        log_in();
        assert_null(stage_find(&s, "bot.turns"));
        say_turn(CONV, 5);
        assert_int_equal(-1, told());
        assert_int_equal(DESKBELL_E_STATE, act(3, 5));
        stage_done(&s);
        stage_init(&s, NULL); /* a customer */
        stage_open(&s);
        stage_begin(&s);
        assert_int_equal(DESKBELL_E_STATE, machine_serve_turns(s.machine));
        stage_end(&s);
}

/* ---- the calls ---- */

static void on_turn(deskbell_client *client, const struct deskbell_turn *turn, void *data)
{
        (void)client, (void)turn, (void)data;
}

static deskbell_client *open_bot(const char *token)
{
        struct deskbell_options options = DESKBELL_OPTIONS_INIT;
        struct deskbell_bot bot = DESKBELL_BOT_INIT;
        deskbell_client *client = NULL;

        options.url = "ws://127.0.0.1:9/v1/ws";
        options.app = "app_0000000000009";
        options.agent_token = token;
        assert_int_equal(DESKBELL_OK, deskbell_open(&options, &client));
        assert_int_equal(DESKBELL_E_INVALID, deskbell_bot_start(client, &bot)); /* no on_turn */
        bot.on_turn = on_turn;
        assert_int_equal(DESKBELL_E_INVALID, deskbell_bot_start(NULL, &bot));
        assert_int_equal(DESKBELL_E_INVALID, deskbell_bot_start(client, NULL));
        assert_int_equal(DESKBELL_OK, deskbell_bot_start(client, &bot));
        assert_int_equal(DESKBELL_E_STATE, deskbell_bot_start(client, &bot));
        return client;
}

static int act_with(deskbell_client *client, const struct deskbell_action *actions, size_t count, const char *kept)
{
        struct deskbell_turn turn = {.conversation = CONV, .turn = 5, .seq = 6};
        struct deskbell_act act = DESKBELL_ACT_INIT;

        act.actions = actions;
        act.actions_count = count;
        act.state = kept;
        return deskbell_act(client, &turn, &act);
}

static void what_a_bot_may_not_say_is_refused_at_once(void **state)
{
        deskbell_client *client = open_bot("bot-key");
        struct deskbell_turn turn = {.conversation = CONV, .turn = 5, .seq = 6};
        struct deskbell_choice choices[] = {{"a", "Apples"}, {"", "Pears"}};
        struct deskbell_action say = {DESKBELL_SAY, "Hi", NULL, 0, NULL, NULL}, bad = say;
        struct deskbell_action behind[] = {{DESKBELL_HAND_OFF, NULL, NULL, 0, NULL, NULL}, say}, nine[9];
        struct deskbell_act act = DESKBELL_ACT_INIT;
        char *long_text = malloc(10002);

        (void)state;
        memset(long_text, 'x', 10001);
        long_text[10001] = '\0';
        assert_int_equal(DESKBELL_E_INVALID, deskbell_act(NULL, &turn, &act));
        assert_int_equal(DESKBELL_E_INVALID, deskbell_act(client, NULL, &act));
        assert_int_equal(DESKBELL_E_INVALID, deskbell_act(client, &turn, NULL));
        turn.conversation = "cnv_?";
        assert_int_equal(DESKBELL_E_INVALID, deskbell_act(client, &turn, &act));
        bad.text = "";
        assert_int_equal(DESKBELL_E_TEXT, act_with(client, &bad, 1, NULL));
        bad.text = "\xff";
        assert_int_equal(DESKBELL_E_TEXT, act_with(client, &bad, 1, NULL));
        bad.text = NULL;
        assert_int_equal(DESKBELL_E_INVALID, act_with(client, &bad, 1, NULL));
        bad.text = long_text;
        assert_int_equal(DESKBELL_E_TOO_LONG, act_with(client, &bad, 1, NULL));
        assert_int_equal(DESKBELL_E_TOO_LONG, act_with(client, &say, 1, long_text)); /* as a state */
        assert_int_equal(DESKBELL_E_INVALID, act_with(client, behind, 2, NULL));
        for (int i = 0; i < 9; i++)
                nine[i] = say;
        assert_int_equal(DESKBELL_E_INVALID, act_with(client, nine, 9, NULL));
        bad = (struct deskbell_action){DESKBELL_OFFER, "Which?", choices, 2, NULL, NULL};
        assert_int_equal(DESKBELL_E_INVALID, act_with(client, &bad, 1, NULL)); /* an empty id */
        bad.choices_count = 0;
        assert_int_equal(DESKBELL_E_INVALID, act_with(client, &bad, 1, NULL));
        bad = (struct deskbell_action){(enum deskbell_does)9, "x", NULL, 0, NULL, NULL};
        assert_int_equal(DESKBELL_E_INVALID, act_with(client, &bad, 1, NULL));
        bad = (struct deskbell_action){DESKBELL_HAND_OFF, NULL, NULL, 0, "", NULL};
        assert_int_equal(DESKBELL_E_INVALID, act_with(client, &bad, 1, NULL));
        bad = (struct deskbell_action){DESKBELL_OFFER, "Which?", choices, 1, NULL, NULL};
        assert_int_equal(DESKBELL_OK, act_with(client, &bad, 1, "kept")); /* none of the above left a trace */
        assert_int_equal(DESKBELL_E_EXISTS, act_with(client, &say, 1, NULL));
        free(long_text);
        assert_int_equal(DESKBELL_OK, deskbell_close(client));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(what_waits_is_told_at_the_beginning_of_a_session, set_up, tear_down),
                cmocka_unit_test_setup_teardown(a_turn_is_told_once, set_up, tear_down),
                cmocka_unit_test_setup_teardown(an_answer_is_sent_until_the_server_has_spoken, set_up, tear_down),
                cmocka_unit_test_setup_teardown(a_refusal_is_told_and_final, set_up, tear_down),
                cmocka_unit_test_setup_teardown(the_next_turn_waits_for_the_outcome_of_the_one_before, set_up,
                                                tear_down),
                cmocka_unit_test_setup_teardown(further_pages_are_asked_for_as_turns_are_answered, set_up, tear_down),
                cmocka_unit_test_setup_teardown(a_server_that_does_not_know_bots_is_asked_once_a_session, set_up,
                                                tear_down),
                cmocka_unit_test_setup_teardown(who_is_no_bot_hears_nothing, set_up, tear_down),
                cmocka_unit_test(what_a_bot_may_not_say_is_refused_at_once),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
