/* SPDX-License-Identifier: Apache-2.0 */
/* A file that the disk damages while the client runs: it is set aside as at the start, what waits in it goes on in a
 * new one, the server tells the rest again, and the application is given nothing twice. */
#include "stage.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client-sdk/src/machine_private.h"
#include "faults.h"

enum { GIVEN = 3, MOMENTS = 20000 };

static struct stage s;
static deskbell_conversation *conv;
static char folder[64], path[96];

static void begin(bool is_sealed)
{
        if (is_sealed)
                setenv("STAGE_SEALED", "1", 1);
        else
                unsetenv("STAGE_SEALED");
        snprintf(path, sizeof(path), "%s/file", stage_folder(folder));
        stage_init(&s, path);
        stage_open(&s);
        conv = stage_main(&s, GIVEN);
        stage_drop_events(&s);
}

static void end(void)
{
        faults_arm(FAULT_NONE, 0, 0);
        stage_done(&s);
        assert_int_equal(0, stage_folder_remove(folder));
}

/* From outside, as no program should. */
static int64_t in_file(const char *sql)
{
        sqlite3 *db = NULL;
        sqlite3_stmt *statement = NULL;
        int64_t number = 0;

        assert_int_equal(SQLITE_OK, sqlite3_open(path, &db));
        assert_int_equal(SQLITE_OK, sqlite3_prepare_v2(db, sql, -1, &statement, NULL));
        while (sqlite3_step(statement) == SQLITE_ROW)
                number = sqlite3_column_int64(statement, 0);
        assert_int_equal(SQLITE_OK, sqlite3_finalize(statement));
        sqlite3_close(db);
        return number;
}

/* The root of a table is filled with what no page begins with. */
static void ruin_table(const char *name)
{
        char sql[96], bytes[4096];
        FILE *file;

        snprintf(sql, sizeof(sql), "SELECT rootpage FROM sqlite_schema WHERE name = '%s'", name);
        int64_t page = in_file(sql);
        assert_true(page > 1);
        in_file("INSERT OR REPLACE INTO meta(name, value) VALUES('ruined', 1)"); /* others read the pages again */
        in_file("PRAGMA wal_checkpoint(TRUNCATE)");
        memset(bytes, 0x5a, sizeof(bytes));
        file = fopen(path, "r+b");
        assert_non_null(file);
        assert_int_equal(0, fseek(file, (long)(page - 1) * (long)sizeof(bytes), SEEK_SET));
        assert_int_equal(sizeof(bytes), fwrite(bytes, 1, sizeof(bytes), file));
        assert_int_equal(0, fclose(file));
}

static void turn_that_fails(void)
{
        stage_begin(&s);
        cache_fail(stage_cache(&s));
        assert_int_equal(DESKBELL_E_STORE, stage_end(&s));
}

static void expect_set_aside(const char *rescued)
{
        struct event *event;
        bool is_told = false;

        while ((event = stage_event(&s, EVENT_NOTICE))) {
                if (event->notice.notice == DESKBELL_NOTICE_STORE_SET_ASIDE) {
                        assert_false(is_told);
                        is_told = true;
                        assert_int_equal(0, access(event->notice.detail, R_OK));
                }
                if (event->notice.notice == DESKBELL_NOTICE_OUTBOX_RESCUED)
                        assert_string_equal(rescued, event->notice.detail);
                event_free(event);
        }
        assert_true(is_told);
}

static void expect_failed(const struct cmid *cmid)
{
        struct event *event = stage_event(&s, EVENT_MESSAGE);
        char text[33];

        assert_non_null(event);
        cmid_write(text, cmid);
        text[32] = '\0';
        assert_string_equal(text, event->message.cmid);
        assert_int_equal(DESKBELL_FAILED, event->message.state);
        assert_string_equal("damaged", event->message.tag);
        event_free(event);
        assert_null(stage_event(&s, EVENT_MESSAGE));
}

/* With the server's view: `head` entries. What is missing behind GIVEN is read and given, once. */
static void come_back(int head)
{
        char row[256];

        for (int i = 0; i < 3 && s.wish != WISH_OPEN; i++)
                stage_pass(&s, 60000);
        stage_link_opens(&s);
        stage_log_in(&s, EPOCH, 7, "");
        json_t *feed = stage_asked(&s, "feed.read");
        assert_int_equal(0, stage_number(feed, "rev")); /* all of it */
        snprintf(row, sizeof(row), "{\"conv\":\"%s\",\"rev\":7,\"key\":\"main\",\"head\":%d}", CONV, head);
        stage_answer(&s, feed, "{\"rows\":[%s],\"rev\":7}", row);
        json_t *read = stage_find(&s, "entries.read");
        assert_int_equal(head > GIVEN, read != NULL);
        if (!read)
                return;
        assert_int_equal(GIVEN, stage_number(read, "after"));
        char *entries = stage_entries(GIVEN + 1, head);
        stage_answer(&s, read, "%s", entries);
        free(entries);
        for (int64_t number = GIVEN + 1; number <= head; number++) {
                struct event *event = stage_event(&s, EVENT_ENTRY);
                assert_non_null(event);
                assert_int_equal(number, event->entry.number);
                assert_int_equal(DESKBELL_FOLLOWING, event->entry.origin);
                event_free(event);
        }
        assert_null(stage_event(&s, EVENT_ENTRY));
}

static void expect_send(const struct cmid *cmid)
{
        json_t *send = stage_asked(&s, "message.send");
        char text[33];

        cmid_write(text, cmid);
        text[32] = '\0';
        assert_string_equal(text, stage_param(send, "cmid"));
        json_decref(send);
}

static void a_message_changed_by_the_disk_is_told_and_the_others_go_on_in_a_new_file(void **state)
{
        (void)state;
        begin(true);
        struct cmid one = stage_send(&s, conv, "1"), two = stage_send(&s, conv, "2"), three = stage_send(&s, conv, "3");
        struct stat info;

        stage_drop_events(&s);
        json_array_clear(s.frames);
        in_file("UPDATE outbox SET content = zeroblob(length(content)) WHERE pos = 2");
        turn_that_fails();
        expect_set_aside("2");
        assert_int_equal(0, stat(path, &info));
        assert_int_equal(0600, info.st_mode & 0777);
        expect_failed(&two);
        come_back(GIVEN + 2);
        expect_send(&one);
        expect_send(&three);
        assert_null(stage_find(&s, "message.send"));
        stage_kill(&s);
        stage_open(&s); /* it asserts that nothing is set aside now, and that the key is the same */
        stage_connect(&s);
        stage_log_in(&s, EPOCH, 7, "");
        expect_send(&one);
        end();
}

static void on_page(deskbell_client *client, int error, const struct deskbell_entry *entries, size_t count,
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

static void an_entry_changed_by_the_disk_costs_no_message_and_is_given_once(void **state)
{
        struct deskbell_history_options options = DESKBELL_HISTORY_OPTIONS_INIT;

        (void)state;
        begin(true);
        struct cmid one = stage_send(&s, conv, "1");
        json_array_clear(s.frames);
        in_file("UPDATE entry SET body = zeroblob(length(body)) WHERE number = 2");
        stage_begin(&s);
        machine_history(s.machine, conv, &options, on_page, NULL); /* reads it */
        assert_int_equal(DESKBELL_E_STORE, stage_end(&s));
        expect_set_aside("1");
        come_back(GIVEN + 1);
        expect_send(&one);
        stage_begin(&s);
        assert_int_equal(0, machine_history(s.machine, conv, &options, on_page, NULL));
        assert_int_equal(0, stage_end(&s));
        json_decref(stage_asked(&s, "entries.read")); /* what was damaged is the server's to tell */
        stage_link_closes(&s, 1006);
        end();
}

static void who_we_are_is_kept_when_the_file_cannot_say_it_any_more(void **state)
{
        (void)state;
        begin(true);
        uint8_t device[16];
        memcpy(device, s.machine->device, sizeof(device));
        in_file("UPDATE meta SET value = zeroblob(length(value)) WHERE name IN ('device', 'principal', 'epoch')");
        turn_that_fails();
        expect_set_aside("0");
        come_back(GIVEN);
        assert_memory_equal(device, s.machine->device, sizeof(device));
        stage_kill(&s);
        stage_open(&s);
        assert_memory_equal(device, s.machine->device, sizeof(device));
        assert_string_equal(USER, s.machine->me_text);
        end();
}

static void a_page_of_a_plain_file_that_is_ruined_loses_only_what_was_on_it(void **state)
{
        (void)state;
        begin(false);
        struct cmid one = stage_send(&s, conv, "1");
        stage_drop_events(&s);
        json_array_clear(s.frames);
        ruin_table("outbox");
        turn_that_fails();
        expect_set_aside("0");
        expect_failed(&one);
        come_back(GIVEN + 1);
        struct cmid two = stage_send(&s, conv, "2");
        expect_send(&two);
        end();
}

static int unsent_in_the_file(void)
{
        return (int)in_file("SELECT count(*) FROM outbox WHERE state = 1");
}

/* One moment of the replacing fails; the next turn goes on with it. */
static bool replaced_with_a_fault(enum fault_source source, long at)
{
        begin(true);
        struct cmid one = stage_send(&s, conv, "1");
        stage_send(&s, conv, "2");
        stage_drop_events(&s);
        json_array_clear(s.frames);
        in_file("UPDATE outbox SET content = zeroblob(length(content)) WHERE pos = 2");
        stage_begin(&s);
        cache_fail(stage_cache(&s));
        faults_arm(source, at, 1);
        stage_end(&s);
        bool has_failed = faults_seen() >= at;
        faults_arm(FAULT_NONE, 0, 0);
        come_back(GIVEN + 1);
        expect_send(&one);
        assert_null(stage_find(&s, "message.send"));
        assert_int_equal(1, unsent_in_the_file());
        if (source == FAULT_DISK)
                expect_set_aside("1");
        stage_kill(&s);
        end();
        return has_failed;
}

static void whatever_fails_meanwhile_the_next_turn_goes_on_with_it(void **state)
{
        static const enum fault_source sources[] = {FAULT_DISK, FAULT_MEMORY, FAULT_SQLITE_MEMORY};

        (void)state;
        for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
                long at = 1;
                while (replaced_with_a_fault(sources[i], at))
                        at += getenv("SWEEP_ALL") ? 1 : 1 + at / 20;
                assert_in_range(at, 10, MOMENTS);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_message_changed_by_the_disk_is_told_and_the_others_go_on_in_a_new_file),
                cmocka_unit_test(an_entry_changed_by_the_disk_costs_no_message_and_is_given_once),
                cmocka_unit_test(who_we_are_is_kept_when_the_file_cannot_say_it_any_more),
                cmocka_unit_test(a_page_of_a_plain_file_that_is_ruined_loses_only_what_was_on_it),
                cmocka_unit_test(whatever_fails_meanwhile_the_next_turn_goes_on_with_it),
        };

        faults_init();
        return cmocka_run_group_tests(tests, NULL, NULL);
}
