/* SPDX-License-Identifier: Apache-2.0 */
/* Limits of the cache: what goes, what stays, and that what is left is whole. */
#include "stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client-sdk/src/machine_private.h"

enum { ENTRIES = 3000, MAX_BYTES = 1 << 20 };

static struct stage s;
static char folder[64], path[96];

static int set_up(void **state)
{
        (void)state;
        snprintf(path, sizeof(path), "%s/file", stage_folder(folder));
        stage_init(&s, path);
        s.settings.first_page = -1;
        return 0;
}

static int tear_down(void **state)
{
        (void)state;
        stage_done(&s);
        return 0;
}

static char *page(const char *conv, int64_t after, int64_t head)
{
        int64_t last = after + 200 < head ? after + 200 : head;
        char *text = malloc(200 * 640 + 256);
        size_t len = (size_t)sprintf(text, "{\"head\":%lld,\"entries\":[", (long long)head);

        for (int64_t seq = after + 1; seq <= last; seq++)
                len += (size_t)sprintf(text + len,
                                       "%s{\"conv\":\"%s\",\"seq\":%lld,\"ts\":1,\"author\":\"" AGENT
                                       "\",\"kind\":\"text\",\"text\":\"%0400lld\"}",
                                       seq > after + 1 ? "," : "", conv, (long long)seq, (long long)seq);
        sprintf(text + len, "]}");
        return text;
}

static void serve_entries(const char *conv, int64_t head)
{
        json_t *read;

        while ((read = stage_find(&s, "entries.read"))) {
                char *text = page(conv, stage_number(read, "after") < 0 ? 0 : stage_number(read, "after"), head);
                stage_answer(&s, read, "%s", text);
                free(text);
        }
}

/* "main" with all its entries, opened. */
static deskbell_conversation *fill(void)
{
        deskbell_conversation *conv = NULL;

        stage_open(&s);
        stage_begin(&s);
        assert_int_equal(0, machine_conv_open(s.machine, SPAN("main"), &conv));
        stage_end(&s);
        stage_connect(&s);
        stage_log_in(&s, EPOCH, 1, "");
        stage_feed(&s, 1, "{\"conv\":\"" CONV "\",\"rev\":1,\"key\":\"main\",\"head\":3000}");
        json_t *open = stage_find(&s, "conversation.open");
        if (open)
                stage_answer(&s, open, "{\"row\":{\"conv\":\"" CONV "\",\"rev\":1,\"key\":\"main\",\"head\":3000}}");
        serve_entries(CONV, ENTRIES);
        assert_int_equal(ENTRIES, conv->place[0].at.cursor);
        json_array_clear(s.frames);
        stage_drop_events(&s);
        return conv;
}

static void read_upto(deskbell_conversation *conv, int64_t seq)
{
        stage_begin(&s);
        machine_mark_read(s.machine, conv, seq);
        stage_end(&s);
}

static void close_conv(deskbell_conversation *conv)
{
        stage_begin(&s);
        machine_conv_close(s.machine, conv);
        stage_end(&s);
        for (int i = 0; i < 10; i++)
                stage_pass(&s, 1);
}

static int64_t used(void)
{
        stage_begin(&s);
        int64_t bytes = cache_used_bytes(stage_cache(&s));
        stage_end(&s);
        return bytes;
}

static bool next_number(void *data, const struct cached_entry *entry)
{
        int64_t *expected = data;

        assert_int_equal(*expected, entry->number);
        (*expected)++;
        return true;
}

/* The cache has exactly low..cursor. */
static void check_whole(const deskbell_conversation *conv)
{
        int64_t expected = conv->place[0].at.low;

        stage_begin(&s);
        cache_entries(stage_cache(&s), conv->row, 0, 0, INT64_MAX, INT64_MAX, false, next_number, &expected);
        stage_end(&s);
        assert_int_equal(conv->place[0].at.cursor + 1, expected);
}

static void a_conversation_that_is_open_or_unread_is_not_touched(void **state)
{
        (void)state;
        s.settings.cache_max_bytes = MAX_BYTES;
        deskbell_conversation *conv = fill();
        read_upto(conv, 10);
        assert_int_equal(1, conv->place[0].at.low);
        assert_true(used() > MAX_BYTES);
        close_conv(conv);
        assert_int_equal(11, conv->place[0].at.low); /* the rest is unread */
        assert_int_equal(ENTRIES - 10, conv->unread);
        check_whole(conv);
}

static void what_was_read_goes_until_the_file_is_small_again(void **state)
{
        struct stat info;

        (void)state;
        s.settings.cache_max_bytes = MAX_BYTES;
        deskbell_conversation *conv = fill();
        read_upto(conv, ENTRIES);
        close_conv(conv);
        assert_in_range(used(), 0, MAX_BYTES);
        assert_in_range(conv->place[0].at.low, 2, ENTRIES - 49);
        check_whole(conv);
        stage_pass(&s, 100);
        int64_t low = conv->place[0].at.low;
        stage_kill(&s);
        assert_int_equal(0, stat(path, &info));
        assert_in_range(info.st_size, 0, MAX_BYTES); /* the disk has it back */
        stage_open(&s);
        conv = conv_by_key(s.machine, SPAN("main"));
        assert_int_equal(low, conv->place[0].at.low);
        check_whole(conv);
}

static void the_outbox_never_goes(void **state)
{
        (void)state;
        s.settings.cache_max_bytes = MAX_BYTES;
        deskbell_conversation *conv = fill();
        stage_link_closes(&s, 1006);
        struct cmid cmid = stage_send(&s, conv, "still here");
        read_upto(conv, ENTRIES);
        close_conv(conv);
        stage_kill(&s);
        stage_open(&s);
        struct deskbell_status status = DESKBELL_STATUS_INIT;
        machine_status(s.machine, &status);
        assert_int_equal(1, status.queued);
        (void)cmid;
}

static void a_conversation_opened_again_gives_a_dense_snapshot_and_what_follows(void **state)
{
        struct event *event;
        int64_t expected = ENTRIES - 49;

        (void)state;
        s.settings.cache_max_bytes = MAX_BYTES;
        deskbell_conversation *conv = fill();
        read_upto(conv, ENTRIES);
        close_conv(conv);
        stage_drop_events(&s);
        stage_begin(&s);
        assert_int_equal(0, machine_conv_open(s.machine, SPAN("main"), &conv));
        stage_end(&s);
        char *entry = stage_entry(ENTRIES + 1, AGENT, "and on");
        stage_say(&s, "{\"jsonrpc\":\"2.0\",\"method\":\"entry\",\"params\":%s}", entry);
        free(entry);
        while ((event = stage_event(&s, EVENT_ENTRY))) {
                assert_int_equal(expected, event->entry.number);
                assert_int_equal(expected > ENTRIES ? DESKBELL_FOLLOWING : DESKBELL_SNAPSHOT, event->entry.origin);
                expected++;
                event_free(event);
        }
        assert_int_equal(ENTRIES + 2, expected);
}

static void got_page(deskbell_client *client, int error, const struct deskbell_entry *entries, size_t count,
                     int64_t head, int more, void *data)
{
        (void)client, (void)error, (void)entries, (void)count, (void)head, (void)more, (void)data;
}

static void what_went_comes_from_the_server_again(void **state)
{
        struct deskbell_history_options options = DESKBELL_HISTORY_OPTIONS_INIT;

        (void)state;
        s.settings.cache_max_bytes = MAX_BYTES;
        deskbell_conversation *conv = fill();
        read_upto(conv, ENTRIES);
        close_conv(conv);
        options.before = 500;
        stage_begin(&s);
        assert_int_equal(0, machine_history(s.machine, conv, &options, got_page, NULL));
        stage_end(&s);
        json_t *read = stage_find(&s, "entries.read");
        assert_non_null(read);
        assert_int_equal(500, stage_number(read, "before"));
        json_decref(read);
        stage_begin(&s);
        machine_cancel_histories(s.machine, DESKBELL_E_CANCELLED);
        stage_end(&s);
}

static void the_one_opened_longest_ago_goes_first(void **state)
{
        deskbell_conversation *other = NULL;

        (void)state;
        deskbell_conversation *conv = fill(); /* no limit yet */
        read_upto(conv, ENTRIES);
        close_conv(conv);
        stage_pass(&s, 5000);
        stage_say(&s, "{\"jsonrpc\":\"2.0\",\"method\":\"feed\",\"params\":{\"rows\":[{\"conv\":\"" OTHER_CONV
                      "\",\"rev\":2,\"key\":\"other\",\"head\":1500}]}}");
        serve_entries(OTHER_CONV, 1500);
        stage_begin(&s);
        assert_int_equal(0, machine_conv_open(s.machine, SPAN("other"), &other));
        stage_end(&s);
        serve_entries(OTHER_CONV, 1500);
        assert_int_equal(1500, other->place[0].at.cursor);
        read_upto(other, 1500);
        s.machine->set.cache_max_bytes = used() - 500000;
        close_conv(other);
        assert_true(conv->place[0].at.low > 1);
        assert_int_equal(1, other->place[0].at.low);
}

static void a_count_of_entries_is_kept_for_each_conversation(void **state)
{
        (void)state;
        s.settings.cache_max_entries = 100;
        deskbell_conversation *conv = fill();
        read_upto(conv, ENTRIES);
        assert_int_equal(1, conv->place[0].at.low);
        close_conv(conv);
        assert_int_equal(ENTRIES - 99, conv->place[0].at.low);
        check_whole(conv);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        const struct CMUnitTest tests[] = {
                T(a_conversation_that_is_open_or_unread_is_not_touched),
                T(what_was_read_goes_until_the_file_is_small_again),
                T(the_outbox_never_goes),
                T(a_conversation_opened_again_gives_a_dense_snapshot_and_what_follows),
                T(what_went_comes_from_the_server_again),
                T(the_one_opened_longest_ago_goes_first),
                T(a_count_of_entries_is_kept_for_each_conversation),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
