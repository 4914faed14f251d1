/* SPDX-License-Identifier: Apache-2.0 */
/* Rogue: a server that breaks one rule of the protocol at a time. The application is never given an entry that is not
 * the next one, what it was told is not taken back, and the client neither grows nor asks without end: its requests of
 * a whole hour are counted. */
#include "stage.h"

#include <stdio.h>
#include <stdlib.h>

#include "client-sdk/src/machine_private.h"
#include "faults.h"

enum { HOUR_MS = 3600000, STORM = 1800, STEPS_MAX = 60000 };

static struct stage s;
static deskbell_conversation *conv;
static int64_t counter;  /* of answers, for servers that never say the same */
static int64_t log_head; /* of the log, where the server is a good one */

/* Pauses are drawn from all of their range. */
static void scatter(void *data, void *bytes, size_t len)
{
        static uint64_t seed = 88172645463325252ULL;

        (void)data;
        for (size_t i = 0; i < len; i++) {
                seed ^= seed << 13;
                seed ^= seed >> 7;
                seed ^= seed << 17;
                ((uint8_t *)bytes)[i] = (uint8_t)(seed >> 24);
        }
}

static int set_up(void **state)
{
        (void)state;
        counter = 0;
        log_head = 5;
        faults_arm(FAULT_MEMORY, 0, 0);
        stage_init(&s, NULL);
        s.settings.random = scatter;
        stage_open(&s);
        return 0;
}

static int tear_down(void **state)
{
        (void)state;
        stage_done(&s);
        faults_arm(FAULT_NONE, 0, 0);
        return 0;
}

static bool is_online(void)
{
        struct deskbell_status status = DESKBELL_STATUS_INIT;

        machine_status(s.machine, &status);
        return status.is_online;
}

static bool is_caught_up(void)
{
        struct deskbell_status status = DESKBELL_STATUS_INIT;

        machine_status(s.machine, &status);
        return status.is_caught_up;
}

static void expect_no_entry(void)
{
        assert_null(stage_event(&s, EVENT_ENTRY));
}

static void expect_entry(int64_t number)
{
        struct event *event = stage_event(&s, EVENT_ENTRY);

        if (!event)
                fail_msg("entry %lld was not given", (long long)number);
        assert_int_equal(number, event->entry.number);
        event_free(event);
}

static void say_entry(int64_t seq)
{
        char *entry = stage_entry(seq, AGENT, "live");

        stage_say(&s, "{\"jsonrpc\":\"2.0\",\"method\":\"entry\",\"params\":%s}", entry);
        free(entry);
}

static void say_heartbeat(void)
{
        stage_say(&s, "{\"jsonrpc\":\"2.0\",\"method\":\"heartbeat\",\"params\":{\"rev\":1,\"now\":%lld}}",
                  (long long)s.wall_ms);
}

/* ---- entries ------------------------------------------------------------------------------------------------------
 */

static void numbers_that_go_back_without_a_new_epoch_change_nothing(void **state)
{
        (void)state;
        conv = stage_main(&s, 5);
        for (int64_t seq = 1; seq <= 5; seq++)
                say_entry(seq);
        stage_say(&s, "{\"jsonrpc\":\"2.0\",\"method\":\"feed\",\"params\":{\"rows\":[{\"conv\":\"" CONV
                      "\",\"rev\":9,\"key\":\"main\",\"head\":2}]}}");
        expect_no_entry();
        assert_true(stage_is_silent(&s));
        assert_int_equal(5, conv->place[0].at.cursor);
        assert_int_equal(5, conv->place[0].at.head);
        say_entry(6);
        expect_entry(6);
}

static void a_page_with_a_hole_is_taken_up_to_the_hole(void **state)
{
        char *first = stage_entry(6, AGENT, "a"), *third = stage_entry(8, AGENT, "c");

        (void)state;
        conv = stage_main(&s, 5);
        say_entry(8);
        json_t *read = stage_take(&s, "entries.read");
        assert_int_equal(5, stage_number(read, "after"));
        stage_answer(&s, read, "{\"head\":8,\"entries\":[%s,%s]}", first, third);
        expect_entry(6);
        expect_no_entry();
        read = stage_take(&s, "entries.read");
        assert_int_equal(6, stage_number(read, "after"));
        json_decref(read);
        free(first);
        free(third);
}

static void an_entry_that_stands_twice_in_a_page_is_given_once(void **state)
{
        char *six = stage_entry(6, AGENT, "a"), *seven = stage_entry(7, AGENT, "b");

        (void)state;
        conv = stage_main(&s, 5);
        say_entry(7);
        stage_answer(&s, stage_take(&s, "entries.read"), "{\"head\":7,\"entries\":[%s,%s,%s,%s]}", six, six, seven,
                     six);
        expect_entry(6);
        expect_entry(7);
        expect_no_entry();
        say_entry(7);
        expect_no_entry();
        free(six);
        free(seven);
}

static void an_entry_far_beyond_the_head_is_doubted_and_forgotten(void **state)
{
        int asked = 0;

        (void)state;
        conv = stage_main(&s, 5);
        say_entry(INT64_C(9007199254740991));
        for (int i = 0; i < 12 && !is_caught_up(); i++) {
                json_t *read = stage_find(&s, "entries.read");
                if (read) {
                        asked++;
                        stage_answer(&s, read, "{\"head\":5,\"entries\":[]}");
                }
                stage_pass(&s, 10000);
                say_heartbeat();
        }
        expect_no_entry();
        assert_true(is_caught_up());
        assert_int_equal(5, conv->place[0].at.head);
        assert_true(asked <= 6);
        say_entry(6);
        expect_entry(6);
}

static void numbers_that_cannot_be_are_not_taken(void **state)
{
        static const char *const numbers[] = {"-1", "0", "9007199254740993", "1e3", "6.5", "\"6\"", "null"};

        (void)state;
        conv = stage_main(&s, 5);
        for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
                stage_say(&s,
                          "{\"jsonrpc\":\"2.0\",\"method\":\"entry\",\"params\":{\"conv\":\"" CONV
                          "\",\"seq\":%s,\"ts\":1,\"author\":\"" AGENT "\",\"kind\":\"text\",\"text\":\"x\"}}",
                          numbers[i]);
                stage_say(&s,
                          "{\"jsonrpc\":\"2.0\",\"method\":\"feed\",\"params\":{\"rows\":[{\"conv\":\"" CONV
                          "\",\"rev\":2,\"head\":%s}]}}",
                          i == 1 ? "5" : numbers[i]);
        }
        expect_no_entry();
        assert_int_equal(5, conv->place[0].at.head);
        assert_int_equal(0, s.closes);
        say_entry(6);
        expect_entry(6);
}

static void entries_of_others_are_given_to_nobody(void **state)
{
        char *others = stage_entry(6, AGENT, "for others");

        (void)state;
        memcpy(strstr(others, CONV), OTHER_CONV, strlen(CONV));
        conv = stage_main(&s, 5);
        stage_say(&s, "{\"jsonrpc\":\"2.0\",\"method\":\"entry\",\"params\":%s}", others);
        expect_no_entry();
        json_decref(stage_take(&s, "feed.read")); /* whose is it? asked once, however many come */
        stage_say(&s, "{\"jsonrpc\":\"2.0\",\"method\":\"entry\",\"params\":%s}", others);
        assert_true(stage_is_silent(&s));
        assert_int_equal(5, conv->place[0].at.cursor);
        free(others);
}

static void a_first_page_of_another_conversation_does_not_begin_the_cache(void **state)
{
        char *others = stage_entry(40, AGENT, "for others"), *page = stage_entries(1, 5);

        (void)state;
        memcpy(strstr(others, CONV), OTHER_CONV, strlen(CONV));
        stage_begin(&s);
        assert_int_equal(0, machine_conv_open(s.machine, SPAN("main"), &conv));
        stage_end(&s);
        stage_connect(&s);
        stage_log_in(&s, EPOCH, 1, "");
        stage_feed(&s, 1, "{\"conv\":\"" CONV "\",\"rev\":1,\"key\":\"main\",\"head\":5}");
        json_t *open = stage_find(&s, "conversation.open");
        if (open)
                stage_answer(&s, open, "{\"row\":{\"conv\":\"" CONV "\",\"rev\":1,\"key\":\"main\",\"head\":5}}");
        stage_answer(&s, stage_take(&s, "entries.read"), "{\"head\":5,\"entries\":[%s]}", others);
        expect_no_entry();
        assert_int_equal(0, conv->place[0].at.low);
        stage_pass(&s, 5000);
        stage_answer(&s, stage_take(&s, "entries.read"), "%s", page);
        for (int64_t number = 1; number <= 5; number++)
                expect_entry(number);
        free(others);
        free(page);
}

static void note_page(deskbell_client *client, int error, const struct deskbell_entry *entries, size_t count,
                      int64_t head, int more, void *data)
{
        (void)client;
        (void)error;
        (void)entries;
        (void)count;
        (void)head;
        (void)more;
        (void)data;
}

static void a_page_of_history_holds_nothing_that_was_not_asked_for(void **state)
{
        struct deskbell_history_options options = DESKBELL_HISTORY_OPTIONS_INIT;
        char *others = stage_entry(2, AGENT, "for others"), *two = stage_entry(2, AGENT, "b");
        char *three = stage_entry(3, AGENT, "c"), *nine = stage_entry(9, AGENT, "too far");

        (void)state;
        memcpy(strstr(others, CONV), OTHER_CONV, strlen(CONV));
        conv = stage_main(&s, 5);
        options.before = 4;
        options.from_server = 1;
        stage_begin(&s);
        assert_int_equal(0, machine_history(s.machine, conv, &options, note_page, NULL));
        stage_end(&s);
        stage_answer(&s, stage_take(&s, "entries.read"), "{\"head\":5,\"entries\":[%s,%s,%s,%s,%s]}", others, two,
                     three, two, nine);
        struct event *event = stage_event(&s, EVENT_HISTORY);
        assert_non_null(event);
        assert_int_equal(2, event->history.count);
        assert_int_equal(2, event->history.entries[0].number);
        assert_string_equal("b", event->history.entries[0].text);
        assert_int_equal(3, event->history.entries[1].number);
        event_free(event);
        free(others);
        free(two);
        free(three);
        free(nine);
}

/* ---- what is said at the wrong time -------------------------------------------------------------------------------
 */

static void nothing_counts_before_the_session_is_open(void **state)
{
        static const char *const events[] = {
                "\"entry\",\"params\":{\"conv\":\"" CONV "\",\"seq\":1,\"ts\":1,\"author\":\"" AGENT
                "\",\"kind\":\"text\",\"text\":\"x\"}",
                "\"feed\",\"params\":{\"rows\":[{\"conv\":\"" CONV "\",\"rev\":1,\"key\":\"main\",\"head\":7}]}",
                "\"typing\",\"params\":{\"conv\":\"" CONV "\",\"author\":\"" AGENT "\"}",
                "\"presence\",\"params\":{\"team\":\"here\"}",
                "\"heartbeat\",\"params\":{\"rev\":9,\"now\":1}",
                "\"marks\",\"params\":{\"conv\":\"" CONV "\",\"marks\":{\"customer_recv\":1,\"customer_read\":1,"
                "\"staff_recv\":1,\"staff_read\":1}}",
        };

        (void)state;
        stage_begin(&s);
        assert_int_equal(0, machine_conv_open(s.machine, SPAN("main"), &conv));
        stage_end(&s);
        stage_connect(&s);
        stage_drop_events(&s);
        json_t *open = stage_take(&s, "session.open");
        for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
                stage_say(&s, "{\"jsonrpc\":\"2.0\",\"method\":%s}", events[i]);
        assert_true(stage_is_silent(&s));
        assert_int_equal(0, s.events.count);
        assert_int_equal(0, conv->place[0].at.head);
        json_array_append_new(s.frames, open);
        stage_log_in(&s, EPOCH, 1, "");
        assert_true(is_online());
}

static void an_ack_counts_once_and_only_for_what_was_asked(void **state)
{
        (void)state;
        conv = stage_main(&s, 0);
        struct cmid cmid = stage_send(&s, conv, "one");
        json_t *send = stage_take(&s, "message.send");
        json_int_t id = json_integer_value(json_object_get(send, "id"));
        stage_expect_message(&s, &cmid, DESKBELL_QUEUED);
        for (json_int_t other = id + 1; other < id + 40; other++)
                stage_say(&s, "{\"jsonrpc\":\"2.0\",\"id\":%lld,\"result\":{\"seq\":9,\"ts\":1}}", (long long)other);
        stage_say(&s, "{\"jsonrpc\":\"2.0\",\"id\":-%lld,\"result\":{\"seq\":9,\"ts\":1}}", (long long)id);
        assert_null(stage_event(&s, EVENT_MESSAGE));
        stage_acked(&s, send, 1);
        stage_expect_message(&s, &cmid, DESKBELL_SENT);
        stage_say(&s, "{\"jsonrpc\":\"2.0\",\"id\":%lld,\"result\":{\"seq\":2,\"ts\":1}}", (long long)id);
        stage_say(&s,
                  "{\"jsonrpc\":\"2.0\",\"id\":%lld,\"error\":{\"code\":23,\"message\":\"no\",\"data\":{\"tag\":"
                  "\"forbidden\",\"class\":\"permanent\"}}}",
                  (long long)id);
        assert_null(stage_event(&s, EVENT_MESSAGE));
        assert_int_equal(0, s.closes);
}

static void an_answer_to_the_connection_of_before_is_an_answer_to_nothing(void **state)
{
        (void)state;
        conv = stage_main(&s, 0);
        struct cmid cmid = stage_send(&s, conv, "one");
        json_t *send = stage_take(&s, "message.send");
        json_int_t id = json_integer_value(json_object_get(send, "id"));
        json_decref(send);
        stage_expect_message(&s, &cmid, DESKBELL_QUEUED);
        stage_link_closes(&s, 1006);
        stage_pass(&s, 60000);
        stage_link_opens(&s);
        stage_say(&s, "{\"jsonrpc\":\"2.0\",\"id\":%lld,\"result\":{\"seq\":1,\"ts\":1}}", (long long)id);
        assert_null(stage_event(&s, EVENT_MESSAGE));
        stage_log_in(&s, EPOCH, 1, "");
        send = stage_find(&s, "message.send");
        assert_non_null(send);
        json_decref(send);
}

static void a_session_is_opened_once_and_its_epoch_stays(void **state)
{
        (void)state;
        conv = stage_main(&s, 3);
        for (int id = 1; id < 20; id++)
                stage_say(&s,
                          "{\"jsonrpc\":\"2.0\",\"id\":%d,\"result\":{\"principal\":\"" USER "\",\"epoch\":\"" NEW_EPOCH
                          "\",\"rev\":1,\"now\":1,\"protocol\":1,\"features\":[],\"limits\":{\"in_flight\":16,"
                          "\"frame_bytes\":65536,\"key_window_days\":90,\"retry_days\":30,\"heartbeat_ms\":25000,"
                          "\"dead_ms\":35000}}}",
                          id);
        assert_null(stage_event(&s, EVENT_NOTICE));
        assert_string_equal(EPOCH, s.machine->epoch_text);
        assert_int_equal(3, conv->place[0].at.cursor);
}

static void marks_beyond_the_log_do_not_mark_what_comes_as_read(void **state)
{
        struct deskbell_status status = DESKBELL_STATUS_INIT;

        (void)state;
        conv = stage_main(&s, 5);
        stage_say(&s, "{\"jsonrpc\":\"2.0\",\"method\":\"marks\",\"params\":{\"conv\":\"" CONV
                      "\",\"marks\":{\"customer_recv\":9007199254740991,\"customer_read\":9007199254740991,"
                      "\"staff_recv\":9007199254740991,\"staff_read\":9007199254740991}}}");
        assert_int_equal(5, conv->my_read);
        say_entry(6);
        machine_status(s.machine, &status);
        assert_int_equal(1, status.unread);
        stage_pass(&s, 2000);
        json_t *marks = stage_find(&s, "marks"), *mark;
        assert_non_null(marks);
        mark = json_array_get(json_object_get(json_object_get(marks, "params"), "marks"), 0);
        assert_int_equal(6, json_integer_value(json_object_get(mark, "recv")));
        assert_int_equal(5, json_integer_value(json_object_get(mark, "read")));
        json_decref(marks);
}

static void what_is_too_large_or_too_deep_ends_the_connection(void **state)
{
        char *large = malloc(PROTOCOL_SERVER_FRAME_BYTES + 64), deep[2048];

        (void)state;
        conv = stage_main(&s, 1);
        memset(large, ' ', PROTOCOL_SERVER_FRAME_BYTES + 2);
        memcpy(large, "{}", 2);
        large[PROTOCOL_SERVER_FRAME_BYTES + 1] = '\0';
        stage_say(&s, "%s", large);
        assert_int_equal(1, s.closes);
        free(large);
        stage_pass(&s, 60000);
        stage_link_opens(&s);
        stage_log_in(&s, EPOCH, 1, "");
        memset(deep, '[', sizeof(deep));
        deep[sizeof(deep) - 1] = '\0';
        stage_say(&s, "{\"jsonrpc\":\"2.0\",\"method\":\"entry\",\"params\":%s", deep);
        assert_int_equal(2, s.closes);
        expect_no_entry();
}

/* ---- an hour with such a server -----------------------------------------------------------------------------------
 */

static void good_answer(json_t *request)
{
        const char *method = json_string_value(json_object_get(request, "method"));

        if (strcmp(method, "session.open") == 0) {
                json_array_insert(s.frames, 0, request);
                stage_log_in(&s, EPOCH, 1, "");
        } else if (strcmp(method, "feed.read") == 0) {
                stage_answer(&s, json_incref(request),
                             "{\"rows\":[{\"conv\":\"" CONV "\",\"rev\":1,\"key\":\"main\",\"head\":5}],\"rev\":1}");
        } else if (strcmp(method, "conversation.open") == 0) {
                stage_answer(&s, json_incref(request),
                             "{\"row\":{\"conv\":\"" CONV "\",\"rev\":1,\"key\":\"main\",\"head\":5}}");
        } else if (strcmp(method, "entries.read") == 0) {
                char *page = stage_entries(1, log_head);
                stage_answer(&s, json_incref(request), "%s", page);
                free(page);
        } else if (strcmp(method, "message.send") == 0) {
                stage_acked(&s, json_incref(request), ++log_head);
        } else {
                stage_answer(&s, json_incref(request), "{}");
        }
}

struct rogue {
        const char *what;
        const char *method; /* answered by `answer`; NULL = all but session.open */
        void (*answer)(json_t *request);
};

static bool is_for(const struct rogue *rogue, json_t *request)
{
        const char *method = json_string_value(json_object_get(request, "method"));

        return rogue->method ? strcmp(method, rogue->method) == 0 : strcmp(method, "session.open") != 0;
}

/* One step of the hour; how many requests it answered. */
static int step(const struct rogue *rogue, int64_t *heard_ms)
{
        json_t *request = json_incref(json_array_get(s.frames, 0));

        if (s.wish == WISH_OPEN) {
                stage_link_opens(&s);
        } else if (request) {
                json_array_remove(s.frames, 0);
                bool is_asked = json_object_get(request, "id") != NULL;
                if (is_asked && is_for(rogue, request))
                        rogue->answer(request);
                else if (is_asked)
                        good_answer(request);
                json_decref(request);
                return is_asked;
        } else {
                int64_t wait = machine_next_ms(s.machine) - s.mono_ms;
                stage_pass(&s, wait < 1 ? 1 : wait < 20000 ? wait : 20000);
                if (is_online() && s.mono_ms - *heard_ms >= 20000) {
                        *heard_ms = s.mono_ms;
                        say_heartbeat();
                }
        }
        stage_drop_events(&s);
        return 0;
}

static void an_hour_with(const struct rogue *rogue)
{
        int64_t end = s.mono_ms + HOUR_MS, heard_ms = s.mono_ms;
        int asked = 0, steps = 0;
        long held = 0;

        stage_begin(&s);
        assert_int_equal(0, machine_conv_open(s.machine, SPAN("main"), &conv));
        stage_end(&s);
        stage_begin(&s);
        machine_connect(s.machine);
        stage_end(&s);
        stage_send(&s, conv, "written meanwhile");
        for (; s.mono_ms < end; steps++) {
                asked += step(rogue, &heard_ms);
                if (asked > STORM || steps > STEPS_MAX)
                        fail_msg("%s: %d requests in %lld s", rogue->what, asked,
                                 (long long)(HOUR_MS - (end - s.mono_ms)) / 1000);
                if (!held && end - s.mono_ms < HOUR_MS / 2)
                        held = faults_held();
        }
        print_message("%s: %d requests an hour\n", rogue->what, asked);
        if (faults_held() > held + 200)
                fail_msg("%s: %ld blocks of memory after half an hour, %ld after a whole one", rogue->what, held,
                         faults_held());
}

static void more_without_rows(json_t *request)
{
        counter++;
        stage_answer(&s, json_incref(request), "{\"rows\":[],\"rev\":%lld,\"more\":true}", (long long)counter);
}

static void more_of_the_same(json_t *request)
{
        stage_answer(&s, json_incref(request), "{\"rows\":[],\"rev\":1,\"more\":true}");
}

static void more_with_a_row(json_t *request)
{
        counter++;
        stage_answer(&s, json_incref(request),
                     "{\"rows\":[{\"conv\":\"" CONV
                     "\",\"rev\":%lld,\"key\":\"main\",\"head\":5}],\"rev\":%lld,\"more\":true}",
                     (long long)counter, (long long)counter);
}

static void a_head_that_is_never_reached(json_t *request)
{
        counter++;
        stage_answer(&s, json_incref(request), "{\"head\":%lld,\"entries\":[]}", (long long)(1000 + counter));
}

static void a_page_that_is_not_one(json_t *request)
{
        stage_answer(&s, json_incref(request), "{\"entries\":{\"head\":[]}}");
}

static void nothing_of_use(json_t *request)
{
        stage_answer(&s, json_incref(request), "{}");
}

static void an_array_of_thousands(json_t *request)
{
        char *zeros = malloc(10001);

        for (int i = 0; i < 10000; i += 2)
                memcpy(zeros + i, "0,", 2);
        zeros[9999] = '\0';
        stage_answer(&s, json_incref(request), "{\"rows\":[%s],\"entries\":[%s],\"rev\":1,\"head\":1}", zeros, zeros);
        free(zeros);
}

static void again_at_once(json_t *request)
{
        stage_refuse(&s, json_incref(request), "overloaded", false, 0);
}

static void never(json_t *request)
{
        stage_refuse(&s, json_incref(request), "forbidden", true, -1);
}

static void another_conversation(json_t *request)
{
        stage_answer(&s, json_incref(request),
                     "{\"row\":{\"conv\":\"" OTHER_CONV "\",\"rev\":1,\"key\":\"other\",\"head\":0}}");
}

static void the_end(json_t *request)
{
        (void)request;
        stage_say(&s, "{\"jsonrpc\":\"2.0\",\"method\":\"session.closing\",\"params\":{\"tag\":\"drain\",\"retry_after_"
                      "ms\":0}}");
        stage_link_closes(&s, 4012);
}

static void an_ack_without_a_place(json_t *request)
{
        stage_answer(&s, json_incref(request), "{\"ts\":1}");
}

static void an_ack_elsewhere(json_t *request)
{
        counter++;
        stage_answer(&s, json_incref(request), "{\"conv\":\"" OTHER_CONV "\",\"seq\":%lld,\"ts\":1}",
                     (long long)counter);
}

static void no_such_server_makes_a_client_ask_without_end(void **state)
{
        static const struct rogue rogues[] = {
                {"the feed has always more, and no rows", "feed.read", more_without_rows},
                {"the feed has always more, and goes no further", "feed.read", more_of_the_same},
                {"the feed has always more, one row at a time", "feed.read", more_with_a_row},
                {"entries.read knows of more and gives nothing", "entries.read", a_head_that_is_never_reached},
                {"entries.read gives what is no page", "entries.read", a_page_that_is_not_one},
                {"entries.read is to be asked again at once", "entries.read", again_at_once},
                {"feed.read is to be asked again at once", "feed.read", again_at_once},
                {"feed.read is refused for good", "feed.read", never},
                {"conversation.open tells of another one", "conversation.open", another_conversation},
                {"conversation.open is to be asked again at once", "conversation.open", again_at_once},
                {"conversation.open gives nothing", "conversation.open", nothing_of_use},
                {"message.send is to be sent again at once", "message.send", again_at_once},
                {"message.send is accepted without a place", "message.send", an_ack_without_a_place},
                {"message.send is accepted elsewhere", "message.send", an_ack_elsewhere},
                {"session.open is to be asked again at once", "session.open", again_at_once},
                {"session.open is answered by nothing", "session.open", nothing_of_use},
                {"session.open is answered by a drain without a pause", "session.open", the_end},
                {"every answer is empty", NULL, nothing_of_use},
                {"every answer is a refusal for now", NULL, again_at_once},
                {"every answer is a refusal for good", NULL, never},
                {"every answer is an array of thousands", NULL, an_array_of_thousands},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(rogues) / sizeof(rogues[0]); i++) {
                tear_down(NULL);
                set_up(NULL);
                an_hour_with(&rogues[i]);
        }
}

static int said_full;

static void note_fullness(void *data, enum deskbell_level level, const char *line)
{
        (void)data;
        said_full += level == DESKBELL_LOG_WARN && strstr(line, "conversations: others are left out") != NULL;
}

/* The feed names conversations `first` ... `last`, 200 a page. */
static void name_conversations(int first, int last)
{
        enum { PAGE_ROWS = 200, ROW_BYTES = 80 };
        static char rows[PAGE_ROWS * ROW_BYTES];

        while (first <= last) {
                json_t *request = stage_find(&s, "feed.read");
                size_t len = 0;

                for (int i = 0; i < PAGE_ROWS && first <= last; i++, first++)
                        len += (size_t)snprintf(rows + len, sizeof(rows) - len,
                                                "%s{\"conv\":\"cnv_%013d\",\"rev\":%d,\"key\":\"k%d\",\"head\":0}",
                                                i ? "," : "", first, first, first);
                assert_non_null(request);
                stage_answer(&s, request, "{\"rows\":[%s],\"rev\":%d,\"more\":true}", rows, first);
                stage_drop_events(&s);
        }
}

static void note_row(void *data, const struct cached_conv *row)
{
        (void)row;
        ++*(int *)data;
}

static void a_feed_that_names_conversations_without_end_is_kept_up_to_the_bound_and_no_further(void **state)
{
        int kept = 0;

        (void)state;
        stage_kill(&s);
        said_full = 0;
        s.settings.log = note_fullness;
        stage_open(&s);
        stage_connect(&s);
        stage_log_in(&s, EPOCH, 1, "");
        name_conversations(1, CUSTOMER_CONVERSATIONS);
        assert_int_equal(0, said_full);
        name_conversations(CUSTOMER_CONVERSATIONS + 1, CUSTOMER_CONVERSATIONS + 400);
        assert_int_equal(CUSTOMER_CONVERSATIONS, s.machine->conv_count);
        cache_convs(s.machine->cache, note_row, &kept);
        assert_int_equal(CUSTOMER_CONVERSATIONS, kept);
        assert_int_equal(1, said_full); /* and not for each of them */
        assert_true(is_online());
        name_conversations(7, 7); /* those that are known go on as before */
        stage_begin(&s);
        assert_int_equal(0, machine_conv_open(s.machine, SPAN("mine"), &conv)); /* and the user's own are none of its */
        stage_end(&s);
}

static void staff_may_have_a_hundred_times_as_many(void **state)
{
        (void)state;
        stage_kill(&s);
        s.settings.is_staff = true;
        stage_open(&s);
        stage_connect(&s);
        stage_log_in(&s, EPOCH, 1, "");
        name_conversations(1, STAFF_CONVERSATIONS + 200);
        assert_int_equal(STAFF_CONVERSATIONS, s.machine->conv_count);
}

static void a_pause_that_no_server_means_is_cut_to_an_hour(void **state)
{
        (void)state;
        conv = stage_main(&s, 1);
        stage_say(&s, "{\"jsonrpc\":\"2.0\",\"method\":\"session.closing\",\"params\":{\"tag\":\"drain\",\"retry_after_"
                      "ms\":9007199254740991}}");
        stage_link_closes(&s, 4012);
        stage_pass(&s, HOUR_MS + 1000);
        stage_link_opens(&s);
        stage_log_in(&s, EPOCH, 1, "");
        stage_send(&s, conv, "one");
        json_t *send = stage_find(&s, "message.send");
        stage_say(&s,
                  "{\"jsonrpc\":\"2.0\",\"id\":%lld,\"error\":{\"code\":23,\"message\":\"no\",\"data\":{\"tag\":"
                  "\"overloaded\",\"class\":\"retry\",\"retry_after_ms\":9007199254740991}}}",
                  (long long)json_integer_value(json_object_get(send, "id")));
        json_decref(send);
        assert_true(machine_next_ms(s.machine) - s.mono_ms <= HOUR_MS);
        assert_true(conv->hold_until_ms - s.mono_ms <= HOUR_MS);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        const struct CMUnitTest tests[] = {
                T(numbers_that_go_back_without_a_new_epoch_change_nothing),
                T(a_page_with_a_hole_is_taken_up_to_the_hole),
                T(an_entry_that_stands_twice_in_a_page_is_given_once),
                T(an_entry_far_beyond_the_head_is_doubted_and_forgotten),
                T(numbers_that_cannot_be_are_not_taken),
                T(entries_of_others_are_given_to_nobody),
                T(a_first_page_of_another_conversation_does_not_begin_the_cache),
                T(a_page_of_history_holds_nothing_that_was_not_asked_for),
                T(nothing_counts_before_the_session_is_open),
                T(an_ack_counts_once_and_only_for_what_was_asked),
                T(an_answer_to_the_connection_of_before_is_an_answer_to_nothing),
                T(a_session_is_opened_once_and_its_epoch_stays),
                T(marks_beyond_the_log_do_not_mark_what_comes_as_read),
                T(what_is_too_large_or_too_deep_ends_the_connection),
                T(no_such_server_makes_a_client_ask_without_end),
                T(a_feed_that_names_conversations_without_end_is_kept_up_to_the_bound_and_no_further),
                T(staff_may_have_a_hundred_times_as_many),
                T(a_pause_that_no_server_means_is_cut_to_an_hour),
        };

        faults_init();
        return cmocka_run_group_tests(tests, NULL, NULL);
}
