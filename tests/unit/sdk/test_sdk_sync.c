/* SPDX-License-Identifier: Apache-2.0 */
/* Feed and entries: order, gaps, what comes twice, restarts, resets, staff, history. */
#include "stage.h"

#include <stdlib.h>

static struct stage s;
static deskbell_conversation *conv;

static int set_up(void **state)
{
        (void)state;
        stage_init(&s, NULL);
        stage_open(&s);
        return 0;
}

static int tear_down(void **state)
{
        (void)state;
        stage_done(&s);
        return 0;
}

static void say_entry(int64_t seq, const char *text)
{
        char *entry = stage_entry(seq, AGENT, text);

        stage_say(&s, "{\"jsonrpc\":\"2.0\",\"method\":\"entry\",\"params\":%s}", entry);
        free(entry);
}

static void expect_entry(int64_t number, enum deskbell_origin origin)
{
        struct event *event = stage_event(&s, EVENT_ENTRY);

        if (!event)
                fail_msg("entry %lld was not given", (long long)number);
        assert_int_equal(number, event->entry.number);
        assert_int_equal(origin, event->entry.origin);
        event_free(event);
}

static void expect_no_entry(void)
{
        assert_null(stage_event(&s, EVENT_ENTRY));
}

static void reconnect(const char *epoch, const char *more)
{
        stage_link_closes(&s, 1006);
        stage_pass(&s, 60000);
        stage_link_opens(&s);
        stage_log_in(&s, epoch, 1, more);
}

static void the_next_entry_is_given_at_once_and_one_that_comes_twice_only_once(void **state)
{
        (void)state;
        conv = stage_main(&s, 3);
        say_entry(4, "new");
        expect_entry(4, DESKBELL_FOLLOWING);
        say_entry(4, "new");
        say_entry(2, "old");
        expect_no_entry();
}

static void a_gap_is_fetched_and_given_in_order(void **state)
{
        (void)state;
        conv = stage_main(&s, 3);
        say_entry(6, "later");
        expect_no_entry();
        json_t *read = stage_take(&s, "entries.read");
        assert_int_equal(3, stage_number(read, "after"));
        assert_string_equal(CONV, stage_param(read, "conv"));
        char *entries = stage_entries(4, 6);
        stage_answer(&s, read, "%s", entries);
        free(entries);
        expect_entry(4, DESKBELL_FOLLOWING);
        expect_entry(5, DESKBELL_FOLLOWING);
        expect_entry(6, DESKBELL_FOLLOWING);
        expect_no_entry();
        assert_true(stage_find(&s, "entries.read") == NULL);
}

static void while_a_gap_is_fetched_what_comes_live_is_not_given_before_it(void **state)
{
        (void)state;
        conv = stage_main(&s, 1);
        say_entry(3, "x");
        json_t *read = stage_take(&s, "entries.read");
        say_entry(4, "y");
        expect_no_entry();
        char *entries = stage_entries(2, 3);
        stage_answer(&s, read, "%s", entries);
        free(entries);
        expect_entry(2, DESKBELL_FOLLOWING);
        expect_entry(3, DESKBELL_FOLLOWING);
        read = stage_find(&s, "entries.read");
        assert_non_null(read);
        assert_int_equal(3, stage_number(read, "after"));
        json_decref(read);
}

static void a_long_gap_is_read_page_by_page(void **state)
{
        int pages = 0;

        (void)state;
        conv = stage_main(&s, 1);
        say_entry(450, "x");
        for (json_t *read; (read = stage_find(&s, "entries.read")); pages++) {
                int64_t after = stage_number(read, "after"), last = after + 200 > 450 ? 450 : after + 200;
                char *entries = stage_entries(after + 1, last);
                stage_answer(&s, read, "%s", entries);
                free(entries);
        }
        assert_int_equal(3, pages);
        for (int64_t seq = 2; seq <= 450; seq++)
                expect_entry(seq, DESKBELL_FOLLOWING);
}

static void a_server_that_gives_nothing_that_follows_is_not_asked_in_a_loop(void **state)
{
        (void)state;
        conv = stage_main(&s, 3);
        say_entry(9, "x");
        char *entries = stage_entries(8, 9); /* 4 to 7 are kept back */
        stage_answer(&s, stage_take(&s, "entries.read"), "%s", entries);
        free(entries);
        expect_no_entry();
        assert_null(stage_find(&s, "entries.read"));
        stage_pass(&s, 5000);
        json_decref(stage_find(&s, "entries.read"));
}

static void entries_of_another_conversation_in_an_answer_are_not_taken(void **state)
{
        (void)state;
        conv = stage_main(&s, 0);
        say_entry(2, "x");
        stage_answer(&s, stage_take(&s, "entries.read"),
                     "{\"entries\":[{\"conv\":\"" OTHER_CONV "\",\"seq\":1,\"ts\":1,\"author\":\"" AGENT
                     "\",\"kind\":\"text\",\"text\":\"foreign\"}],\"head\":2}");
        expect_no_entry();
}

static void a_lost_push_is_found_by_the_heartbeat(void **state)
{
        (void)state;
        conv = stage_main(&s, 3);
        stage_say(&s, "{\"jsonrpc\":\"2.0\",\"method\":\"heartbeat\",\"params\":{\"rev\":9,\"now\":1}}");
        stage_feed(&s, 9, "{\"conv\":\"" CONV "\",\"rev\":9,\"key\":\"main\",\"head\":4}");
        char *entries = stage_entries(4, 4);
        stage_answer(&s, stage_find(&s, "entries.read"), "%s", entries);
        free(entries);
        expect_entry(4, DESKBELL_FOLLOWING);
}

static void the_feed_is_read_to_its_end_and_its_rev_is_kept(void **state)
{
        (void)state;
        stage_connect(&s);
        stage_log_in(&s, EPOCH, 300, "");
        json_t *feed = stage_take(&s, "feed.read");
        assert_int_equal(0, stage_number(feed, "rev"));
        stage_answer(&s, feed,
                     "{\"rows\":[{\"conv\":\"" CONV
                     "\",\"rev\":100,\"key\":\"a\",\"head\":0}],\"rev\":100,\"more\":true}");
        feed = stage_find(&s, "feed.read");
        assert_int_equal(100, stage_number(feed, "rev"));
        stage_answer(&s, feed, "{\"rows\":[],\"rev\":300}");
        assert_null(stage_find(&s, "feed.read"));
        stage_link_closes(&s, 1006);
        stage_pass(&s, 60000);
        stage_link_opens(&s);
        json_t *open = stage_take(&s, "session.open");
        assert_int_equal(300, stage_number(open, "rev"));
        json_decref(open);
}

static void a_conversation_seen_first_begins_with_its_newest_page(void **state)
{
        (void)state;
        stage_begin(&s);
        assert_int_equal(0, machine_conv_open(s.machine, SPAN("main"), &conv));
        stage_end(&s);
        stage_connect(&s);
        stage_log_in(&s, EPOCH, 1, "");
        stage_feed(&s, 1, "{\"conv\":\"" CONV "\",\"rev\":1,\"key\":\"main\",\"head\":1000}");
        json_t *read = stage_find(&s, "entries.read");
        assert_int_equal(-1, stage_number(read, "after"));
        assert_int_equal(50, stage_number(read, "limit"));
        stage_drop_events(&s);
        char *entries = stage_entries(951, 1000);
        stage_answer(&s, read, "%s", entries);
        free(entries);
        for (int64_t seq = 951; seq <= 1000; seq++)
                expect_entry(seq, DESKBELL_FOLLOWING);
        assert_null(stage_find(&s, "entries.read"));
}

static void what_was_received_is_a_snapshot_after_a_restart_and_is_not_fetched_again(void **state)
{
        char folder[64], path[96];

        (void)state;
        stage_done(&s);
        snprintf(path, sizeof(path), "%s/file", stage_folder(folder));
        stage_init(&s, path);
        stage_open(&s);
        conv = stage_main(&s, 3);
        stage_kill(&s);
        stage_open(&s);
        stage_begin(&s);
        assert_int_equal(0, machine_conv_open(s.machine, SPAN("main"), &conv));
        stage_end(&s);
        for (int64_t seq = 1; seq <= 3; seq++)
                expect_entry(seq, DESKBELL_SNAPSHOT);
        struct event *event = stage_event(&s, EVENT_OPENED);
        assert_int_equal(3, event->opened.seq);
        event_free(event);
        stage_connect(&s);
        stage_log_in(&s, EPOCH, 1, "");
        stage_feed(&s, 1, "");
        assert_null(stage_find(&s, "entries.read"));
        say_entry(4, "after");
        expect_entry(4, DESKBELL_FOLLOWING);
}

static void a_reset_forgets_the_numbers_and_reads_everything_again(void **state)
{
        (void)state;
        conv = stage_main(&s, 5);
        reconnect(NEW_EPOCH, ",\"reset\":\"epoch\"");
        struct event *event = stage_event(&s, EVENT_NOTICE);
        assert_int_equal(DESKBELL_NOTICE_RESET, event->notice.notice);
        event_free(event);
        json_t *feed = stage_find(&s, "feed.read");
        assert_int_equal(0, stage_number(feed, "rev"));
        stage_answer(&s, feed, "{\"rows\":[{\"conv\":\"" CONV "\",\"rev\":2,\"key\":\"main\",\"head\":2}],\"rev\":2}");
        json_t *read = stage_find(&s, "entries.read");
        char *entries = stage_entries(1, 2);
        stage_answer(&s, read, "%s", entries);
        free(entries);
        event = stage_event(&s, EVENT_ENTRY);
        assert_int_equal(1, event->entry.number);
        assert_string_equal(NEW_EPOCH, event->entry.epoch);
        event_free(event);
        expect_entry(2, DESKBELL_FOLLOWING);
        expect_no_entry();
}

static void a_key_that_has_another_id_after_a_reset_keeps_its_handle(void **state)
{
        char id[18] = "";

        (void)state;
        conv = stage_main(&s, 2);
        reconnect(NEW_EPOCH, ",\"reset\":\"epoch\"");
        stage_feed(&s, 2, "");
        json_t *open = stage_find(&s, "conversation.open");
        assert_string_equal("main", stage_param(open, "key"));
        stage_answer(&s, open, "{\"row\":{\"conv\":\"" OTHER_CONV "\",\"rev\":3,\"key\":\"main\",\"head\":0}}");
        id_write(id, "cnv", machine_conv_id(conv));
        id[17] = '\0';
        assert_string_equal(OTHER_CONV, id);
}

static bool cached_text_is(int64_t number, const char *text)
{
        struct deskbell_history_options options = DESKBELL_HISTORY_OPTIONS_INIT;
        bool is_equal;

        options.before = number + 1;
        options.limit = 1;
        stage_begin(&s);
        assert_int_equal(0, machine_history(s.machine, conv, &options, NULL, NULL));
        stage_end(&s);
        struct event *event = stage_event(&s, EVENT_HISTORY);
        assert_int_equal(1, event->history.count);
        is_equal = strcmp(text, event->history.entries[0].text) == 0;
        event_free(event);
        return is_equal;
}

static void an_edit_changes_the_message_in_the_cache_and_an_older_one_does_not(void **state)
{
        (void)state;
        conv = stage_main(&s, 3);
        stage_say(&s, "{\"jsonrpc\":\"2.0\",\"method\":\"entry\",\"params\":{\"conv\":\"" CONV
                      "\",\"seq\":4,\"ts\":9,\"author\":\"" AGENT
                      "\",\"kind\":\"edit\",\"of\":2,\"version\":3,\"text\":\"newest\"}}");
        stage_say(&s, "{\"jsonrpc\":\"2.0\",\"method\":\"entry\",\"params\":{\"conv\":\"" CONV
                      "\",\"seq\":5,\"ts\":9,\"author\":\"" AGENT
                      "\",\"kind\":\"edit\",\"of\":2,\"version\":2,\"text\":\"older\"}}");
        assert_true(cached_text_is(2, "newest"));
        assert_true(cached_text_is(3, "before"));
}

static void an_erasure_leaves_neither_text_nor_edit_nor_what_could_be_offered_again(void **state)
{
        char folder[64], path[96], command[160];

        (void)state;
        stage_done(&s);
        snprintf(path, sizeof(path), "%s/file", stage_folder(folder));
        stage_init(&s, path);
        stage_open(&s);
        conv = stage_main(&s, 0);
        struct cmid cmid = stage_send(&s, conv, "UNSPEAKABLE");
        char text[33];
        cmid_write(text, &cmid);
        text[32] = '\0';
        stage_acked(&s, stage_take(&s, "message.send"), 1);
        stage_say(&s,
                  "{\"jsonrpc\":\"2.0\",\"method\":\"entry\",\"params\":{\"conv\":\"" CONV
                  "\",\"seq\":1,\"ts\":9,\"author\":\"" USER
                  "\",\"kind\":\"text\",\"text\":\"UNSPEAKABLE\",\"cmid\":\"%s\"}}",
                  text);
        stage_say(&s, "{\"jsonrpc\":\"2.0\",\"method\":\"entry\",\"params\":{\"conv\":\"" CONV
                      "\",\"seq\":2,\"ts\":9,\"author\":\"" USER
                      "\",\"kind\":\"edit\",\"of\":1,\"version\":2,\"text\":\"UNSPEAKABLE too\"}}");
        stage_say(&s, "{\"jsonrpc\":\"2.0\",\"method\":\"entry\",\"params\":{\"conv\":\"" CONV
                      "\",\"seq\":3,\"ts\":9,\"author\":\"" USER "\",\"kind\":\"erase\",\"of\":1}}");
        assert_true(cached_text_is(1, ""));
        assert_true(cached_text_is(2, ""));
        reconnect(NEW_EPOCH, ",\"reset\":\"epoch\"");
        assert_null(stage_find(&s, "message.send"));
        stage_kill(&s);
        snprintf(command, sizeof(command), "grep -q UNSPEAKABLE %s",
                 path); /* secure_delete, and the log is in the file */
        assert_int_not_equal(0, system(command));
}

static void an_unknown_kind_is_shown_by_its_fallback_text(void **state)
{
        (void)state;
        conv = stage_main(&s, 0);
        stage_say(&s, "{\"jsonrpc\":\"2.0\",\"method\":\"entry\",\"params\":{\"conv\":\"" CONV
                      "\",\"seq\":1,\"ts\":9,\"author\":\"" AGENT
                      "\",\"kind\":\"hologram\",\"pixels\":[1,2],\"fallback_text\":\"a hologram\"}}");
        struct event *event = stage_event(&s, EVENT_ENTRY);
        assert_non_null(event);
        assert_int_equal(DESKBELL_KIND_OTHER, event->entry.kind);
        assert_string_equal("a hologram", event->entry.text);
        event_free(event);
}

static void choices_cards_and_articles_come_with_their_parts(void **state)
{
        (void)state;
        conv = stage_main(&s, 0);
        stage_say(&s,
                  "{\"jsonrpc\":\"2.0\",\"method\":\"entry\",\"params\":{\"conv\":\"" CONV
                  "\",\"seq\":1,\"ts\":9,\"author\":\"" AGENT
                  "\",\"name\":\"Kim\",\"kind\":\"choices\",\"text\":\"Which?\",\"fallback_text\":\"f\",\"choices\":"
                  "[{\"id\":\"a\",\"label\":\"This\"},{\"id\":\"b\",\"label\":\"That\"}]}}");
        struct event *event = stage_event(&s, EVENT_ENTRY);
        assert_string_equal("Kim", event->entry.name);
        assert_int_equal(2, event->entry.choices_count);
        assert_string_equal("That", event->entry.choices[1].label);
        event_free(event);
        stage_say(&s, "{\"jsonrpc\":\"2.0\",\"method\":\"entry\",\"params\":{\"conv\":\"" CONV
                      "\",\"seq\":2,\"ts\":9,\"author\":\"" AGENT
                      "\",\"kind\":\"article\",\"fallback_text\":\"f\",\"article\":{\"title\":\"T\",\"url\":\"https://"
                      "x.example/\"}}}");
        event = stage_event(&s, EVENT_ENTRY);
        assert_string_equal("T", event->entry.title);
        assert_string_equal("https://x.example/", event->entry.link);
        assert_string_equal("f", event->entry.text);
        event_free(event);
}

static void with_manual_ack_what_is_not_done_is_given_again_after_a_restart(void **state)
{
        char folder[64], path[96];

        (void)state;
        stage_done(&s);
        snprintf(path, sizeof(path), "%s/file", stage_folder(folder));
        stage_init(&s, path);
        s.settings.manual_ack = true;
        stage_open(&s);
        conv = stage_main(&s, 4);
        stage_begin(&s);
        assert_int_equal(0, machine_entry_done(s.machine, conv, 0, 2));
        stage_end(&s);
        stage_kill(&s);
        stage_open(&s);
        stage_begin(&s);
        assert_int_equal(0, machine_conv_open(s.machine, SPAN("main"), &conv));
        stage_end(&s);
        expect_entry(3, DESKBELL_FOLLOWING);
        expect_entry(4, DESKBELL_FOLLOWING);
        expect_no_entry();
}

static void staff_begin(void)
{
        stage_kill(&s);
        s.settings.is_staff = true;
        stage_open(&s);
        stage_begin(&s);
        assert_int_equal(DESKBELL_E_STATE, machine_conv_open(s.machine, SPAN("main"), &conv));
        assert_int_equal(0, machine_conv_open_id(s.machine, 3, &conv));
        stage_end(&s);
        stage_connect(&s);
        stage_log_in(&s, EPOCH, 1, "");
}

static void staff_watch_what_they_opened_and_then_read_both_logs(void **state)
{
        (void)state;
        staff_begin();
        stage_feed(&s, 1,
                   "{\"conv\":\"" CONV "\",\"rev\":1,\"head\":1,\"ihead\":1},{\"conv\":\"" OTHER_CONV
                   "\",\"rev\":1,\"head\":5}");
        assert_null(stage_find(&s, "entries.read"));
        stage_answer(&s, stage_find(&s, "conversation.watch"),
                     "{\"row\":{\"conv\":\"" CONV "\",\"rev\":1,\"head\":1,\"ihead\":1}}");
        char *entries = stage_entries(1, 1);
        stage_answer(&s, stage_find(&s, "entries.read"), "%s", entries);
        free(entries);
        json_t *read = stage_find(&s, "entries.read");
        assert_string_equal("team", stage_param(read, "log"));
        stage_answer(&s, read,
                     "{\"head\":1,\"entries\":[{\"conv\":\"" CONV
                     "\",\"iseq\":1,\"at_seq\":1,\"ts\":1,\"author\":\"" AGENT
                     "\",\"kind\":\"text\",\"text\":\"note\"}]}");
        expect_entry(1, DESKBELL_FOLLOWING);
        struct event *event = stage_event(&s, EVENT_ENTRY);
        assert_int_equal(DESKBELL_TEAM, event->entry.log);
        assert_int_equal(1, event->entry.at_seq);
        event_free(event);
        assert_null(stage_find(&s, "entries.read")); /* the other one was not opened */
}

static void staff_watch_again_after_a_reconnect_and_read_the_gap_afterwards(void **state)
{
        (void)state;
        staff_begin();
        stage_feed(&s, 1, "");
        stage_answer(&s, stage_find(&s, "conversation.watch"),
                     "{\"row\":{\"conv\":\"" CONV "\",\"rev\":1,\"head\":0}}");
        reconnect(EPOCH, "");
        json_t *watch = stage_find(&s, "conversation.watch");
        assert_non_null(watch);
        say_entry(1, "before the answer"); /* not followed yet: the gap is read afterwards */
        expect_no_entry();
        stage_answer(&s, watch, "{\"row\":{\"conv\":\"" CONV "\",\"rev\":2,\"head\":1}}");
        char *entries = stage_entries(1, 1);
        stage_answer(&s, stage_find(&s, "entries.read"), "%s", entries);
        free(entries);
        expect_entry(1, DESKBELL_FOLLOWING);
}

static void what_a_message_read_before_goes_with_its_erasure(void **state)
{
        struct deskbell_history_options options = DESKBELL_HISTORY_OPTIONS_INIT;

        (void)state;
        staff_begin();
        stage_feed(&s, 1, "");
        stage_answer(&s, stage_find(&s, "conversation.watch"),
                     "{\"row\":{\"conv\":\"" CONV "\",\"rev\":1,\"head\":1,\"ihead\":0}}");
        char *entries = stage_entries(1, 1);
        stage_answer(&s, stage_find(&s, "entries.read"), "%s", entries);
        free(entries);
        stage_say(&s, "{\"jsonrpc\":\"2.0\",\"method\":\"entry\",\"params\":{\"conv\":\"" CONV
                      "\",\"iseq\":1,\"at_seq\":1,\"ts\":9,\"author\":\"" AGENT
                      "\",\"kind\":\"revision\",\"of\":1,\"version\":1,\"text\":\"before\"}}");
        stage_say(&s, "{\"jsonrpc\":\"2.0\",\"method\":\"entry\",\"params\":{\"conv\":\"" CONV
                      "\",\"seq\":2,\"ts\":9,\"author\":\"" AGENT "\",\"kind\":\"erase\",\"of\":1}}");
        options.log = DESKBELL_TEAM;
        stage_begin(&s);
        assert_int_equal(0, machine_history(s.machine, conv, &options, NULL, NULL));
        stage_end(&s);
        struct event *event = stage_event(&s, EVENT_HISTORY);
        assert_int_equal(1, event->history.count);
        assert_int_equal(DESKBELL_KIND_REVISION, event->history.entries[0].kind);
        assert_string_equal("", event->history.entries[0].text);
        event_free(event);
}

static void of_an_erased_customer_nothing_stays_in_the_cache(void **state)
{
        (void)state;
        staff_begin();
        stage_feed(&s, 1, "");
        stage_answer(&s, stage_find(&s, "conversation.watch"),
                     "{\"row\":{\"conv\":\"" CONV
                     "\",\"rev\":1,\"head\":2,\"last\":{\"seq\":2,\"ts\":1,\"author\":\"" AGENT
                     "\",\"kind\":\"text\",\"preview\":\"before\"}}}");
        char *entries = stage_entries(1, 2);
        stage_answer(&s, stage_find(&s, "entries.read"), "%s", entries);
        free(entries);
        expect_entry(1, DESKBELL_FOLLOWING);
        expect_entry(2, DESKBELL_FOLLOWING);
        stage_say(&s, "{\"jsonrpc\":\"2.0\",\"method\":\"feed\",\"params\":{\"rows\":[{\"conv\":\"" CONV
                      "\",\"rev\":2,\"head\":2}]}}");
        struct event *event = stage_event(&s, EVENT_NOTICE);
        assert_non_null(event);
        assert_int_equal(DESKBELL_NOTICE_CONVERSATION_ERASED, event->notice.notice);
        event_free(event);
        json_t *read = stage_find(&s, "entries.read");
        assert_non_null(read);
        stage_answer(&s, read,
                     "{\"head\":3,\"entries\":[{\"conv\":\"" CONV
                     "\",\"seq\":1,\"ts\":1,\"author\":\"gone\",\"kind\":\"erased\"},"
                     "{\"conv\":\"" CONV "\",\"seq\":2,\"ts\":1,\"author\":\"gone\",\"kind\":\"erased\"},"
                     "{\"conv\":\"" CONV "\",\"seq\":3,\"ts\":1,\"author\":\"" AGENT
                     "\",\"kind\":\"text\",\"text\":\"x\"}]}");
        expect_entry(3, DESKBELL_FOLLOWING);
        expect_no_entry();
        assert_true(cached_text_is(2, ""));
}

static void a_conversation_the_server_refuses_is_told_and_not_asked_for_again(void **state)
{
        (void)state;
        staff_begin();
        stage_feed(&s, 1, "");
        stage_refuse(&s, stage_find(&s, "conversation.watch"), "not_found", true, -1);
        struct event *event = stage_event(&s, EVENT_NOTICE);
        assert_int_equal(DESKBELL_NOTICE_CONVERSATION_REFUSED, event->notice.notice);
        assert_string_equal("not_found", event->notice.detail);
        event_free(event);
        stage_pass(&s, 20000);
        assert_null(stage_find(&s, "conversation.watch"));
}

static void older_pages_come_from_the_server_once_and_from_the_cache_then(void **state)
{
        struct deskbell_history_options options = DESKBELL_HISTORY_OPTIONS_INIT;

        (void)state;
        stage_begin(&s);
        assert_int_equal(0, machine_conv_open(s.machine, SPAN("main"), &conv));
        stage_end(&s);
        stage_connect(&s);
        stage_log_in(&s, EPOCH, 1, "");
        stage_feed(&s, 1, "{\"conv\":\"" CONV "\",\"rev\":1,\"key\":\"main\",\"head\":100}");
        char *entries = stage_entries(51, 100);
        stage_answer(&s, stage_find(&s, "entries.read"), "%s", entries);
        free(entries);
        json_array_clear(s.frames);
        options.before = 51;
        options.limit = 20;
        for (int i = 0; i < 2; i++) {
                stage_begin(&s);
                assert_int_equal(0, machine_history(s.machine, conv, &options, NULL, NULL));
                stage_end(&s);
                json_t *read = stage_find(&s, "entries.read");
                assert_int_equal(i == 0, read != NULL);
                if (read) {
                        assert_int_equal(51, stage_number(read, "before"));
                        entries = stage_entries(31, 50);
                        stage_answer(&s, read, "%s", entries);
                        free(entries);
                }
                struct event *event = stage_event(&s, EVENT_HISTORY);
                assert_int_equal(0, event->history.error);
                assert_int_equal(20, event->history.count);
                assert_int_equal(31, event->history.entries[0].number);
                event_free(event);
        }
}

static void a_history_asked_for_is_answered_when_the_connection_goes(void **state)
{
        struct deskbell_history_options options = DESKBELL_HISTORY_OPTIONS_INIT;

        (void)state;
        conv = stage_main(&s, 3);
        options.from_server = 1;
        stage_begin(&s);
        assert_int_equal(0, machine_history(s.machine, conv, &options, NULL, NULL));
        stage_end(&s);
        stage_link_closes(&s, 1006);
        struct event *event = stage_event(&s, EVENT_HISTORY);
        assert_int_equal(DESKBELL_E_CANCELLED, event->history.error);
        event_free(event);
        stage_begin(&s);
        assert_int_equal(DESKBELL_E_OFFLINE, machine_history(s.machine, conv, &options, NULL, NULL));
        stage_end(&s);
}

static void an_entry_whose_commit_fails_is_not_given_and_comes_again(void **state)
{
        (void)state;
        conv = stage_main(&s, 3);
        char *entry = stage_entry(4, AGENT, "new"), *text = NULL;
        assert_true(asprintf(&text, "{\"jsonrpc\":\"2.0\",\"method\":\"entry\",\"params\":%s}", entry) > 0);
        stage_begin(&s);
        machine_link_text(s.machine, text, strlen(text));
        cache_fail(stage_cache(&s));
        assert_int_equal(DESKBELL_E_STORE, stage_end(&s));
        free(text);
        free(entry);
        expect_no_entry();
        assert_int_equal(WISH_CLOSE, s.wish);
        stage_pass(&s, 60000);
        stage_link_opens(&s);
        stage_log_in(&s, EPOCH, 1, "");
        stage_feed(&s, 2, "{\"conv\":\"" CONV "\",\"rev\":2,\"key\":\"main\",\"head\":4}");
        char *entries = stage_entries(4, 4);
        stage_answer(&s, stage_find(&s, "entries.read"), "%s", entries);
        free(entries);
        expect_entry(4, DESKBELL_FOLLOWING);
}

static void a_conversation_left_is_told_and_counts_nothing(void **state)
{
        struct event *event;
        bool has_left = false;

        (void)state;
        conv = stage_main(&s, 3);
        stage_say(&s, "{\"jsonrpc\":\"2.0\",\"method\":\"heartbeat\",\"params\":{\"rev\":9,\"now\":1}}");
        stage_feed(&s, 9, "{\"conv\":\"" CONV "\",\"rev\":9,\"left\":true}");
        while ((event = stage_event(&s, EVENT_CONVERSATION))) {
                has_left = event->info.has_left;
                assert_int_equal(0, event->info.unread);
                event_free(event);
        }
        assert_true(has_left);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        const struct CMUnitTest tests[] = {
                T(the_next_entry_is_given_at_once_and_one_that_comes_twice_only_once),
                T(a_gap_is_fetched_and_given_in_order),
                T(while_a_gap_is_fetched_what_comes_live_is_not_given_before_it),
                T(a_long_gap_is_read_page_by_page),
                T(a_server_that_gives_nothing_that_follows_is_not_asked_in_a_loop),
                T(entries_of_another_conversation_in_an_answer_are_not_taken),
                T(a_lost_push_is_found_by_the_heartbeat),
                T(the_feed_is_read_to_its_end_and_its_rev_is_kept),
                T(a_conversation_seen_first_begins_with_its_newest_page),
                T(what_was_received_is_a_snapshot_after_a_restart_and_is_not_fetched_again),
                T(a_reset_forgets_the_numbers_and_reads_everything_again),
                T(a_key_that_has_another_id_after_a_reset_keeps_its_handle),
                T(an_edit_changes_the_message_in_the_cache_and_an_older_one_does_not),
                T(an_erasure_leaves_neither_text_nor_edit_nor_what_could_be_offered_again),
                T(an_unknown_kind_is_shown_by_its_fallback_text),
                T(choices_cards_and_articles_come_with_their_parts),
                T(with_manual_ack_what_is_not_done_is_given_again_after_a_restart),
                T(staff_watch_what_they_opened_and_then_read_both_logs),
                T(staff_watch_again_after_a_reconnect_and_read_the_gap_afterwards),
                T(what_a_message_read_before_goes_with_its_erasure),
                T(of_an_erased_customer_nothing_stays_in_the_cache),
                T(a_conversation_the_server_refuses_is_told_and_not_asked_for_again),
                T(older_pages_come_from_the_server_once_and_from_the_cache_then),
                T(a_history_asked_for_is_answered_when_the_connection_goes),
                T(an_entry_whose_commit_fails_is_not_given_and_comes_again),
                T(a_conversation_left_is_told_and_counts_nothing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
