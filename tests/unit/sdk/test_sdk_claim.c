/* SPDX-License-Identifier: Apache-2.0 */
/* Claim: what a visitor of this device had said and queued is the user's after the server has said yes, and only then.
 */
#include "stage.h"

#include <stdio.h>
#include <stdlib.h>

#include "client-sdk/src/machine_private.h"

#define VISITOR "usr_000000000000v"
#define LIMITS                                                                                                         \
        "\"protocol\":1,\"features\":[],\"limits\":{\"in_flight\":16,\"frame_bytes\":65536,\"key_window_days\":90,"    \
        "\"retry_days\":30,\"heartbeat_ms\":25000,\"dead_ms\":35000}}"
#define LOGIN(who) "{\"principal\":\"" who "\",\"epoch\":\"" EPOCH "\",\"rev\":1,\"now\":1," LIMITS

static struct stage s;
static char folder[64], visitor_path[96], user_path[96];

/* A visitor with the secret s3cret, a conversation CONV with one message accepted, and "unsent" in its outbox. */
static struct cmid visitor_file(bool has_conv)
{
        struct cmid cmid;

        stage_init(&s, visitor_path);
        s.settings.token = NULL;
        s.settings.is_visitor = true;
        stage_open(&s);
        stage_connect(&s);
        json_t *open = stage_take(&s, "session.open");
        stage_answer(&s, open,
                     "{\"principal\":\"" VISITOR "\",\"visitor_secret\":\"s3cret\",\"epoch\":\"" EPOCH
                     "\",\"rev\":0,\"now\":1," LIMITS);
        if (has_conv)
                stage_feed(&s, 1,
                           "{\"conv\":\"" CONV "\",\"rev\":1,\"key\":\"main\",\"head\":0,"
                           "\"marks\":{\"customer_recv\":0,\"customer_read\":0,\"staff_recv\":0,\"staff_read\":0}}");
        stage_link_closes(&s, 1006);
        deskbell_conversation *conv;
        stage_begin(&s);
        assert_int_equal(0, machine_conv_open(s.machine, SPAN("main"), &conv));
        stage_end(&s);
        cmid = stage_send(&s, conv, "unsent");
        stage_done(&s);
        return cmid;
}

static void user_opens(void)
{
        char *aside = NULL;

        stage_init(&s, user_path);
        assert_int_equal(0, stage_cache_open(visitor_path, s.wall_ms, &s.settings.visitor, &aside));
        stage_open(&s);
}

static json_t *user_connects(void)
{
        user_opens();
        stage_connect(&s);
        return stage_take(&s, "session.open");
}

static int set_up(void **state)
{
        (void)state;
        stage_folder(folder);
        snprintf(visitor_path, sizeof(visitor_path), "%s/visitor", folder);
        snprintf(user_path, sizeof(user_path), "%s/user", folder);
        return 0;
}

static int tear_down(void **state)
{
        (void)state;
        stage_done(&s);
        return stage_folder_remove(folder);
}

static const char *text_of(json_t *frame)
{
        return json_string_value(json_object_get(json_object_get(frame, "params"), "text"));
}

static void a_claim_says_token_and_secret_at_once(void **state)
{
        (void)state;
        visitor_file(true);
        json_t *open = user_connects();
        assert_string_equal("token-1", stage_param(open, "token"));
        assert_string_equal("s3cret", stage_param(open, "claim"));
        assert_false(machine_has_claimed(s.machine));
        stage_answer(&s, open, LOGIN(VISITOR));
        assert_true(machine_has_claimed(s.machine));
}

static void what_was_queued_is_sent_under_its_cmid_and_key_by_one_who_became_a_user(void **state)
{
        char cmid[33] = {0};

        (void)state;
        struct cmid queued = visitor_file(true);
        stage_answer(&s, user_connects(), LOGIN(VISITOR));
        cmid_write(cmid, &queued);
        json_t *send = stage_find(&s, "message.send");
        assert_non_null(send);
        assert_string_equal("unsent", text_of(send));
        assert_string_equal(cmid, stage_param(send, "cmid"));
        assert_string_equal("main", stage_param(send, "key"));
        json_decref(send);
}

static void what_the_user_wrote_before_he_was_online_goes_behind_what_the_visitor_wrote(void **state)
{
        deskbell_conversation *conv;

        (void)state;
        visitor_file(true);
        user_opens();
        stage_begin(&s);
        assert_int_equal(0, machine_conv_open(s.machine, SPAN("main"), &conv));
        stage_end(&s);
        stage_send(&s, conv, "later");
        stage_connect(&s);
        stage_answer(&s, stage_take(&s, "session.open"), LOGIN(VISITOR));
        const char *const wanted[] = {"unsent", "later"};
        int found = 0;
        for (size_t i = 0; i < json_array_size(s.frames); i++) {
                json_t *frame = json_array_get(s.frames, i);
                if (strcmp("message.send", json_string_value(json_object_get(frame, "method"))) == 0)
                        assert_string_equal(wanted[found++], text_of(frame));
        }
        assert_int_equal(2, found);
}

static void a_known_user_sends_it_where_the_visitor_was_once_the_feed_has_told(void **state)
{
        (void)state;
        visitor_file(true);
        stage_answer(&s, user_connects(), LOGIN(USER));
        assert_null(stage_find(&s, "message.send"));
        stage_feed(&s, 9,
                   "{\"conv\":\"" OTHER_CONV "\",\"rev\":3,\"key\":\"main\",\"head\":0,"
                   "\"marks\":{\"customer_recv\":0,\"customer_read\":0,\"staff_recv\":0,\"staff_read\":0}},"
                   "{\"conv\":\"" CONV "\",\"rev\":9,\"key\":\"visitor:" VISITOR "\",\"head\":0,"
                   "\"marks\":{\"customer_recv\":0,\"customer_read\":0,\"staff_recv\":0,\"staff_read\":0}}");
        json_t *send = stage_find(&s, "message.send");
        assert_non_null(send);
        assert_string_equal(CONV, stage_param(send, "conv"));
        json_decref(send);
        assert_string_equal("visitor:" VISITOR, conv_by_row(s.machine, s.machine->out_first->row.conv)->key);
        deskbell_conversation *own = conv_by_key(s.machine, SPAN("main"));
        assert_non_null(own);
        assert_ptr_not_equal(own, s.machine->out_first->conv);
}

static void an_ack_from_the_visitors_conversation_is_kept_there(void **state)
{
        (void)state;
        visitor_file(false); /* sent, perhaps, and never answered: no id of a conversation is known */
        stage_answer(&s, user_connects(), LOGIN(USER));
        json_t *send = stage_find(&s, "message.send");
        assert_non_null(send);
        assert_string_equal("main", stage_param(send, "key"));
        stage_answer(&s, send, "{\"conv\":\"" CONV "\",\"seq\":1,\"ts\":5,\"dup\":true}");
        stage_feed(&s, 9,
                   "{\"conv\":\"" OTHER_CONV "\",\"rev\":3,\"key\":\"main\",\"head\":0,"
                   "\"marks\":{\"customer_recv\":0,\"customer_read\":0,\"staff_recv\":0,\"staff_read\":0}},"
                   "{\"conv\":\"" CONV "\",\"rev\":9,\"key\":\"visitor:" VISITOR "\",\"head\":1,"
                   "\"marks\":{\"customer_recv\":0,\"customer_read\":0,\"staff_recv\":0,\"staff_read\":0}}");
        uint64_t own = conv_by_key(s.machine, SPAN("main"))->id;
        uint64_t given = conv_by_key(s.machine, SPAN("visitor:" VISITOR))->id;
        char text[ID_TEXT_BYTES + 1] = {0};
        id_write(text, "cnv", own);
        assert_string_equal(OTHER_CONV, text);
        id_write(text, "cnv", given);
        assert_string_equal(CONV, text);
}

static void a_refused_claim_leaves_the_visitor_alone_and_the_user_goes_on_without(void **state)
{
        (void)state;
        visitor_file(true);
        json_t *open = user_connects();
        stage_say(&s,
                  "{\"jsonrpc\":\"2.0\",\"id\":%lld,\"error\":{\"code\":2,\"message\":\"no\",\"data\":{\"tag\":"
                  "\"token_invalid\",\"class\":\"permanent\",\"field\":\"claim\"}}}",
                  (long long)json_integer_value(json_object_get(open, "id")));
        json_decref(open);
        struct event *event = stage_event(&s, EVENT_NOTICE);
        assert_non_null(event);
        assert_int_equal(DESKBELL_NOTICE_CLAIM_REFUSED, event->notice.notice);
        event_free(event);
        stage_pass(&s, 60000);
        stage_link_opens(&s);
        open = stage_take(&s, "session.open");
        assert_string_equal("", stage_param(open, "claim"));
        stage_answer(&s, open, LOGIN(USER));
        assert_null(stage_find(&s, "message.send"));
        assert_false(machine_has_claimed(s.machine));
}

static void a_claim_interrupted_before_the_end_takes_nothing_twice(void **state)
{
        (void)state;
        visitor_file(true);
        stage_answer(&s, user_connects(), LOGIN(VISITOR));
        assert_int_equal(1, s.machine->out_count);
        stage_done(&s); /* the visitor's file is still there */
        stage_answer(&s, user_connects(), LOGIN(VISITOR));
        assert_int_equal(1, s.machine->out_count);
        assert_int_equal(1, s.machine->conv_count);
}

static void what_he_wrote_as_a_visitor_is_the_users_own_and_not_unread(void **state)
{
        (void)state;
        deskbell_conversation *conv;

        stage_init(&s, NULL);
        stage_open(&s);
        conv = stage_main(&s, 0);
        char *entry = stage_entry(1, VISITOR, "earlier");
        stage_say(&s, "{\"jsonrpc\":\"2.0\",\"method\":\"entry\",\"params\":%s}", entry);
        free(entry);
        struct event *event = stage_event(&s, EVENT_ENTRY);
        assert_non_null(event);
        assert_true(event->entry.is_mine);
        event_free(event);
        assert_int_equal(0, conv->unread);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
                TEST(a_claim_says_token_and_secret_at_once),
                TEST(what_was_queued_is_sent_under_its_cmid_and_key_by_one_who_became_a_user),
                TEST(what_the_user_wrote_before_he_was_online_goes_behind_what_the_visitor_wrote),
                TEST(a_known_user_sends_it_where_the_visitor_was_once_the_feed_has_told),
                TEST(an_ack_from_the_visitors_conversation_is_kept_there),
                TEST(a_refused_claim_leaves_the_visitor_alone_and_the_user_goes_on_without),
                TEST(a_claim_interrupted_before_the_end_takes_nothing_twice),
                TEST(what_he_wrote_as_a_visitor_is_the_users_own_and_not_unread),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
