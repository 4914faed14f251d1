/* SPDX-License-Identifier: Apache-2.0 */
/* Presence in the client: told once for each change; an agent's own word is said in each session. */
#include "stage.h"

#include <stdlib.h>

static struct stage s;

static int set_up(void **state)
{
        (void)state;
        stage_init(&s, NULL);
        return 0;
}

static int tear_down(void **state)
{
        (void)state;
        stage_done(&s);
        return 0;
}

static void be_agent(void)
{
        s.settings.is_staff = true;
        stage_open(&s);
}

/* The next presence told: 1 here, 0 not, -1 none. */
static int told(enum deskbell_presence_of of)
{
        struct event *event = stage_event(&s, EVENT_PRESENCE);
        if (!event)
                return -1;
        assert_int_equal(of, event->presence.of);
        int is_here = event->presence.is_here;
        event_free(event);
        return is_here;
}

static void say_team(const char *word)
{
        stage_say(&s, "{\"jsonrpc\":\"2.0\",\"method\":\"presence\",\"params\":{\"team\":\"%s\"}}", word);
}

static void say_customer(const char *conv, const char *more)
{
        stage_say(&s,
                  "{\"jsonrpc\":\"2.0\",\"method\":\"presence\",\"params\":{\"conv\":\"%s\",\"customer\":\"" USER
                  "\",%s}}",
                  conv, more);
}

static void the_teams_word_is_told_at_login_and_on_change_only(void **state)
{
        (void)state;
        stage_open(&s);
        stage_connect(&s);
        stage_log_in(&s, EPOCH, 0, ",\"team\":\"away\"");
        assert_int_equal(0, told(DESKBELL_PRESENCE_TEAM));
        say_team("away");
        assert_int_equal(-1, told(DESKBELL_PRESENCE_TEAM));
        say_team("here");
        say_team("here");
        assert_int_equal(1, told(DESKBELL_PRESENCE_TEAM));
        assert_int_equal(-1, told(DESKBELL_PRESENCE_TEAM));
        stage_link_closes(&s, 1006);
        stage_pass(&s, 30000);
        stage_link_opens(&s);
        stage_log_in(&s, EPOCH, 0, ",\"team\":\"here\"");
        assert_int_equal(-1, told(DESKBELL_PRESENCE_TEAM));
        say_customer(CONV, "\"online\":true"); /* not a customer's business */
        assert_int_equal(-1, told(DESKBELL_PRESENCE_CUSTOMER));
}

static deskbell_conversation *watched(const char *presence)
{
        deskbell_conversation *conv = NULL;
        stage_connect(&s);
        stage_log_in(&s, EPOCH, 5, "");
        stage_feed(&s, 5, "");
        stage_begin(&s);
        assert_int_equal(0, machine_conv_open_id(s.machine, 3, &conv));
        stage_end(&s);
        stage_answer(&s, stage_take(&s, "conversation.watch"),
                     "{\"row\":{\"conv\":\"" CONV
                     "\",\"rev\":5,\"key\":\"main\",\"head\":0,\"ihead\":0,\"customer\":\"" USER "\"}%s}",
                     presence);
        return conv;
}

static void an_agent_hears_of_the_customers_whose_conversation_is_open(void **state)
{
        (void)state;
        be_agent();
        deskbell_conversation *conv = watched(",\"presence\":{\"online\":true}");
        struct event *event = stage_event(&s, EVENT_PRESENCE);
        assert_non_null(event);
        assert_int_equal(DESKBELL_PRESENCE_CUSTOMER, event->presence.of);
        assert_ptr_equal(conv, event->presence.conversation);
        assert_string_equal(USER, event->presence.customer);
        assert_true(event->presence.is_here);
        event_free(event);
        say_customer(CONV, "\"online\":true");
        say_customer(OTHER_CONV, "\"online\":false");
        assert_int_equal(-1, told(DESKBELL_PRESENCE_CUSTOMER));
        say_customer(CONV, "\"online\":false,\"last_seen\":1700000040000");
        event = stage_event(&s, EVENT_PRESENCE);
        assert_non_null(event);
        assert_false(event->presence.is_here);
        assert_int_equal(1700000040000, event->presence.last_seen_ms);
        event_free(event);
        say_team("here"); /* not an agent's business */
        assert_int_equal(-1, told(DESKBELL_PRESENCE_TEAM));
        stage_begin(&s);
        machine_conv_close(s.machine, conv);
        stage_end(&s);
        say_customer(CONV, "\"online\":true");
        assert_int_equal(-1, told(DESKBELL_PRESENCE_CUSTOMER));
}

static void set_word(enum deskbell_availability word)
{
        stage_begin(&s);
        assert_int_equal(0, machine_set_presence(s.machine, word));
        stage_end(&s);
}

static void an_agents_word_is_said_in_each_session_until_another_one_is(void **state)
{
        (void)state;
        be_agent();
        set_word(DESKBELL_AWAY); /* before there is a session */
        stage_connect(&s);
        stage_log_in(&s, EPOCH, 5, "");
        json_t *request = stage_find(&s, "presence.set");
        assert_non_null(request);
        assert_string_equal("away", stage_param(request, "state"));
        set_word(DESKBELL_HERE); /* waits for the answer to the first */
        assert_null(stage_find(&s, "presence.set"));
        stage_answer(&s, request, "{}");
        request = stage_find(&s, "presence.set");
        assert_non_null(request);
        assert_string_equal("here", stage_param(request, "state"));
        stage_answer(&s, request, "{}");
        set_word(DESKBELL_HERE);
        assert_null(stage_find(&s, "presence.set"));
        stage_link_closes(&s, 1006);
        stage_pass(&s, 30000);
        stage_link_opens(&s);
        stage_log_in(&s, EPOCH, 5, "");
        request = stage_find(&s, "presence.set");
        assert_non_null(request);
        assert_string_equal("here", stage_param(request, "state"));
        stage_refuse(&s, request, "rate_limited", false, 700);
        assert_null(stage_find(&s, "presence.set"));
        stage_pass(&s, 700);
        request = stage_find(&s, "presence.set");
        assert_non_null(request);
        stage_refuse(&s, request, "unknown_method", true, -1);
        stage_pass(&s, 20000);
        assert_null(stage_find(&s, "presence.set"));
}

static void a_customer_has_no_word(void **state)
{
        (void)state;
        stage_open(&s);
        stage_begin(&s);
        assert_int_equal(DESKBELL_E_STATE, machine_set_presence(s.machine, DESKBELL_HERE));
        stage_end(&s);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        const struct CMUnitTest tests[] = {
                T(the_teams_word_is_told_at_login_and_on_change_only),
                T(an_agent_hears_of_the_customers_whose_conversation_is_open),
                T(an_agents_word_is_said_in_each_session_until_another_one_is),
                T(a_customer_has_no_word),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
