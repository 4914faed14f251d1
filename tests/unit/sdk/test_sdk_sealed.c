/* SPDX-License-Identifier: Apache-2.0 */
/* The user's file under a key: nothing in it can be read that says something about people or content, whichever table
 * and column it stands in; what is not as it was sealed is damage; and a plain file becomes a sealed one. */
#include "stage.h"

#include <dirent.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client-sdk/src/machine_private.h"
#include "client-sdk/src/seal.h"
#include "sealed_store.h"

static char folder[64], path[96];
static struct cache *cache;
static char *aside;

static int set_up(void **state)
{
        (void)state;
        snprintf(path, sizeof(path), "%s/file", stage_folder(folder));
        cache = NULL;
        aside = NULL;
        return 0;
}

static int tear_down(void **state)
{
        (void)state;
        cache_close(cache);
        free(aside);
        return stage_folder_remove(folder);
}

static int open_with(const uint8_t *key)
{
        cache = cache_close(cache);
        free(aside);
        aside = NULL;
        return cache_open_sealed(path, key, 1, &cache, &aside);
}

/* Filled, sealed and closed. */
static void make_sealed(void)
{
        store_make_plain(path);
        assert_int_equal(0, open_with(store_key));
        cache = cache_close(cache);
}

static bool is_same(const char *bytes, size_t len)
{
        char now[262144];
        int fd = open(path, O_RDONLY);
        ssize_t got = read(fd, now, sizeof(now));

        close(fd);
        return got == (ssize_t)len && memcmp(bytes, now, len) == 0;
}

static size_t read_file(const char *name, char *out, size_t room)
{
        int fd = open(name, O_RDONLY);
        ssize_t got = fd >= 0 ? read(fd, out, room) : -1;

        assert_true(got >= 0 && (size_t)got < room);
        close(fd);
        return (size_t)got;
}

/* Past the library. */
static void run_sql(const char *sql)
{
        sqlite3 *db = NULL;
        char *error = NULL;

        assert_int_equal(SQLITE_OK, sqlite3_open(path, &db));
        if (sqlite3_exec(db, sql, NULL, NULL, &error) != SQLITE_OK)
                fail_msg("%s: %s", sql, error);
        sqlite3_close(db);
}

/* ---- every column ------------------------------------------------------------------------------------------------ */

/* What stays readable: docs/sdk.md names it, so a column that is new here has to be named there. */
static const char *const readable[] = {
        "conv.row",
        "conv.id",
        "conv.confirmed",
        "conv.gone",
        "conv.low0",
        "conv.cursor0",
        "conv.head0",
        "conv.done0",
        "conv.low1",
        "conv.cursor1",
        "conv.head1",
        "conv.done1",
        "conv.my_read",
        "entry.conv",
        "entry.log",
        "entry.number",
        "entry.kind",
        "entry.of",
        "entry.counts",
        "entry.cmid",
        "outbox.pos",
        "outbox.cmid",
        "outbox.conv",
        "outbox.op",
        "outbox.log",
        "outbox.target",
        "outbox.of",
        "outbox.version",
        "outbox.epoch",
        "outbox.queued_ms",
        "outbox.first_ms",
        "outbox.state",
        "outbox.tag",
        "outbox.number",
        "outbox.at_seq",
        "outbox.ts",
        "outbox.dup",
        "outbox.told",
        "recent.conv",
        "recent.opened_ms",
        "upload.pos",
        "upload.at",
        "upload.cmid",
        "upload.copy",
        "upload.size",
        "upload.mtime",
        "upload.file",
        "upload.complete",
        "upload.width",
        "upload.height",
        "upload.tries",
        "upload.paused",
        "meta.name",
        "sqlite_sequence.name",
        "sqlite_sequence.seq",
};
static const char *const sealed[] = {
        "conv.key",    "conv.feed",   "entry.body",   "outbox.content", "outbox.hash",   "meta.value",
        "upload.path", "upload.name", "upload.media", "upload.sha256",  "upload.secret",
};

static bool is_in(const char *const *list, size_t count, const char *name)
{
        for (size_t i = 0; i < count; i++)
                if (strcmp(list[i], name) == 0)
                        return true;
        return false;
}

/* Values that are there, and those of them that are not sealed. Numbers among the single values are readable, and the
 * data key is wrapped. */
static void count_values(sqlite3 *db, const char *table, const char *column, int *out_all, int *out_plain)
{
        sqlite3_stmt *statement = NULL;
        char sql[400];

        snprintf(sql, sizeof(sql),
                 "SELECT count(*), total(typeof(%s) <> 'blob' OR length(%s) < %d OR hex(substr(%s, 1, 1)) NOT IN "
                 "('01', '02')) FROM %s WHERE %s IS NOT NULL%s",
                 column, column, SEAL_EXTRA_BYTES, column, table, column,
                 strcmp(table, "meta") == 0 ? " AND typeof(value) <> 'integer' AND name NOT LIKE 'data_key%'" : "");
        assert_int_equal(SQLITE_OK, sqlite3_prepare_v2(db, sql, -1, &statement, NULL));
        assert_int_equal(SQLITE_ROW, sqlite3_step(statement));
        *out_all = sqlite3_column_int(statement, 0);
        *out_plain = sqlite3_column_int(statement, 1);
        sqlite3_finalize(statement);
}

static int check_columns(sqlite3 *db)
{
        sqlite3_stmt *columns = NULL;
        int found = 0;

        assert_int_equal(SQLITE_OK, sqlite3_prepare_v2(db,
                                                       "SELECT t.name, c.name FROM sqlite_schema t, "
                                                       "pragma_table_info(t.name) c WHERE t.type = 'table'",
                                                       -1, &columns, NULL));
        while (sqlite3_step(columns) == SQLITE_ROW) {
                const char *table = (const char *)sqlite3_column_text(columns, 0);
                const char *column = (const char *)sqlite3_column_text(columns, 1);
                char name[128];
                int all, plain;

                snprintf(name, sizeof(name), "%s.%s", table, column);
                if (is_in(readable, sizeof(readable) / sizeof(readable[0]), name))
                        continue;
                if (!is_in(sealed, sizeof(sealed) / sizeof(sealed[0]), name))
                        fail_msg("%s is neither sealed nor said to be readable", name);
                count_values(db, table, column, &all, &plain);
                if (all == 0 || plain > 0)
                        fail_msg("%s: %d of %d values are not sealed", name, plain, all);
                found++;
        }
        sqlite3_finalize(columns);
        return found;
}

static void every_column_is_sealed_or_said_to_be_readable(void **state)
{
        sqlite3 *db = NULL;

        (void)state;
        store_make_plain(path);
        assert_int_equal(0, open_with(store_key));
        store_check(cache);
        cache = cache_close(cache);
        assert_int_equal(SQLITE_OK, sqlite3_open(path, &db));
        assert_int_equal(sizeof(sealed) / sizeof(sealed[0]), check_columns(db));
        sqlite3_close(db);
}

static void no_word_is_on_the_disk_while_a_sealed_file_is_in_use(void **state)
{
        char wal[112];

        (void)state;
        assert_int_equal(0, open_with(store_key));
        store_fill(cache, path);
        snprintf(wal, sizeof(wal), "%s-wal", path);
        struct stat info;
        assert_int_equal(0, stat(wal, &info));
        assert_true(info.st_size > 4096); /* all of it is in the log still */
        snprintf(wal, sizeof(wal), "%s.files/copy", path);
        assert_int_equal(0, unlink(wal)); /* made by the test */
        assert_int_equal(0, store_leaks(folder));
        cache_key_forget(cache);
        assert_int_equal(0, store_leaks(folder));
        cache = cache_close(cache);
        assert_int_equal(0, store_leaks(folder));
}

/* ---- a whole session --------------------------------------------------------------------------------------------- */

#define FEED_ROW "{\"conv\":\"" CONV "\",\"rev\":2,\"key\":\"" WORD "\",\"head\":3,\"last_preview\":\"a " WORD "\"}"

enum { LAST = 300 };

static void say_all(struct stage *stage)
{
        deskbell_conversation *conv = stage_main(stage, 3);
        char text[256];

        stage_say(stage, "{\"jsonrpc\":\"2.0\",\"method\":\"feed\",\"params\":{\"rows\":[" FEED_ROW "]}}");
        for (int seq = 4; seq <= LAST; seq++) {
                snprintf(text, sizeof(text), "entry %d of the " WORD, seq);
                char *entry = stage_entry(seq, AGENT, text);
                stage_say(stage, "{\"jsonrpc\":\"2.0\",\"method\":\"entry\",\"params\":%s}", entry);
                free(entry);
        }
        stage_send(stage, conv, "sent by the " WORD);
        json_t *send = stage_find(stage, "message.send");
        assert_non_null(send);
        stage_acked(stage, send, LAST + 1);
        stage_begin(stage);
        assert_int_equal(0, machine_set_push(stage->machine, DESKBELL_PUSH_FCM, "token-of-the-" WORD));
        assert_int_equal(0, stage_end(stage));
        stage_link_closes(stage, 1006);
        stage_send(stage, conv, "queued by the " WORD);
}

static bool count_word(void *data, const struct cached_entry *entry)
{
        *(int *)data += memmem(entry->body.at, entry->body.len, WORD, sizeof(WORD) - 1) != NULL;
        return true;
}

static bool count_message_word(void *data, const struct cached_message *message)
{
        *(int *)data += memmem(message->content.at, message->content.len, WORD, sizeof(WORD) - 1) != NULL;
        return true;
}

static void no_word_of_a_session_is_on_the_disk(void **state)
{
        struct stage stage;
        int count = 0;

        (void)state;
        setenv("STAGE_SEALED", "1", 1);
        stage_init(&stage, path);
        stage_open(&stage);
        say_all(&stage);
        assert_int_equal(0, store_leaks(folder));
        stage_kill(&stage);
        assert_int_equal(0, store_leaks(folder));
        stage_open(&stage);
        cache_entries(stage_cache(&stage), 1, 0, 1, 1000, 1000, false, count_word, &count);
        cache_messages(stage_cache(&stage), MESSAGES_UNSENT, 0, count_message_word, &count);
        cache_messages(stage_cache(&stage), MESSAGES_UNTOLD, 0, count_message_word, &count);
        assert_int_equal(LAST - 3 + 2, count); /* the words were there to be found: entries, and two of the outbox */
        stage_done(&stage);
        unsetenv("STAGE_SEALED");
        assert_int_equal(0, store_leaks(folder));
}

/* ---- keys -------------------------------------------------------------------------------------------------------- */

static int files_here(void)
{
        DIR *dir = opendir(folder);
        int count = 0;

        while (readdir(dir))
                count++;
        closedir(dir);
        return count;
}

static void a_sealed_file_opens_under_its_own_key_only_and_nothing_is_done_to_it(void **state)
{
        static char before[262144];

        (void)state;
        make_sealed();
        size_t len = read_file(path, before, sizeof(before));
        int files = files_here();
        assert_int_equal(DESKBELL_E_KEY, open_with(NULL));
        assert_int_equal(DESKBELL_E_KEY, open_with(store_other_key));
        assert_null(aside);
        assert_int_equal(files, files_here());
        assert_true(is_same(before, len));
        assert_int_equal(0, open_with(store_key));
        store_check(cache);
}

static void a_plain_file_stays_plain_without_a_key(void **state)
{
        (void)state;
        store_make_plain(path);
        assert_int_equal(0, open_with(NULL));
        assert_false(cache_is_sealed(cache));
        assert_true(store_leaks(folder) >= 2); /* so that finding nothing elsewhere says something */
        store_check(cache);
}

static void another_key_takes_over_at_once_and_the_old_one_opens_nothing(void **state)
{
        (void)state;
        make_sealed();
        assert_int_equal(0, open_with(store_key));
        cache_begin(cache, true);
        assert_true(cache_key_change(cache, store_other_key));
        assert_int_equal(0, cache_commit(cache));
        cache_key_forget(cache);
        store_check(cache);
        assert_int_equal(DESKBELL_E_KEY, open_with(store_key));
        assert_int_equal(0, open_with(store_other_key));
        store_check(cache);
}

static void a_plain_file_has_no_key_to_change(void **state)
{
        (void)state;
        assert_int_equal(0, open_with(NULL));
        cache_begin(cache, true);
        assert_false(cache_key_change(cache, store_key));
        assert_int_equal(0, cache_commit(cache));
        assert_int_equal(0, open_with(NULL));
}

static void one_of_the_two_places_of_the_key_is_enough(void **state)
{
        (void)state;
        make_sealed();
        run_sql("UPDATE meta SET value = zeroblob(length(value)) WHERE name = 'data_key'");
        assert_int_equal(DESKBELL_E_KEY, open_with(store_other_key));
        assert_int_equal(0, open_with(store_key));
        store_check(cache);
        cache = cache_close(cache);
        run_sql("DELETE FROM meta WHERE name = 'data_key'");
        assert_int_equal(0, open_with(store_key));
        store_check(cache);
}

static void a_file_whose_key_is_damaged_is_set_aside(void **state)
{
        (void)state;
        make_sealed();
        run_sql("UPDATE meta SET value = zeroblob(length(value)) WHERE name LIKE 'data_key%'");
        assert_int_equal(0, open_with(store_key));
        assert_non_null(aside);
        assert_int_equal(0, cache_rescued(cache));
        assert_true(cache_is_sealed(cache));
}

/* ---- what is not as it was sealed -------------------------------------------------------------------------------- */

static bool note(void *data, const struct cached_entry *entry)
{
        (void)entry;
        (*(int *)data)++;
        return true;
}

/* The entries that can be read, and then the file is opened once more. */
static int entries_until_damage(void)
{
        int count = 0;

        assert_int_equal(0, open_with(store_key));
        assert_null(aside);
        cache_entries(cache, 1, 0, 1, 1000, 1000, false, note, &count);
        assert_true(cache_is_damaged(cache));
        assert_int_equal(0, open_with(store_key));
        assert_non_null(aside);
        assert_int_equal(STORE_MESSAGES - 1, cache_rescued(cache)); /* the one that was uploading stays there */
        assert_int_equal(DESKBELL_E_KEY, cache_open(aside, 1, &cache, &aside));
        return count;
}

static void entries_that_were_exchanged_are_damage_and_the_outbox_is_rescued(void **state)
{
        (void)state;
        make_sealed();
        run_sql("CREATE TEMP TABLE t AS SELECT body FROM entry WHERE number = 8;"
                "UPDATE entry SET body = (SELECT body FROM entry WHERE number = 9) WHERE number = 8;"
                "UPDATE entry SET body = (SELECT body FROM t) WHERE number = 9;");
        assert_int_equal(7, entries_until_damage());
}

static void an_entry_of_another_number_is_damage(void **state)
{
        (void)state;
        make_sealed();
        run_sql("UPDATE entry SET number = 1000 WHERE number = 40");
        assert_int_equal(39, entries_until_damage());
}

static void an_entry_that_somebody_wrote_in_plain_is_damage(void **state)
{
        (void)state;
        make_sealed();
        run_sql("UPDATE entry SET body = '{\"text\":\"forged\"}' WHERE number = 12");
        assert_int_equal(11, entries_until_damage());
}

static void a_cut_entry_is_damage(void **state)
{
        (void)state;
        make_sealed();
        run_sql("UPDATE entry SET body = substr(body, 1, 20) WHERE number = 3");
        assert_int_equal(2, entries_until_damage());
}

static void messages_that_do_not_open_are_lost_alone(void **state)
{
        int count = 0;

        (void)state;
        make_sealed();
        run_sql("UPDATE outbox SET content = zeroblob(80) WHERE pos = 2; UPDATE outbox SET conv = 2 WHERE pos = 3;"
                "UPDATE meta SET value = -1 WHERE name = 'is_clean'");
        assert_int_equal(0, open_with(store_key));
        assert_non_null(aside);
        assert_int_equal(STORE_MESSAGES - 3, cache_rescued(cache));
        cache_entries(cache, 1, 0, 1, 1000, 1000, false, note, &count);
        assert_int_equal(0, count); /* the server has them */
}

static void a_view_in_the_file_cannot_open_values(void **state)
{
        (void)state;
        make_sealed();
        run_sql("CREATE TRIGGER t AFTER INSERT ON meta BEGIN INSERT OR REPLACE INTO recent VALUES(1, unseal(NEW.value, "
                "'meta.value', NEW.name)); END");
        assert_int_equal(DESKBELL_E_STORE, open_with(store_key));
        run_sql("DROP TRIGGER t");
        assert_int_equal(0, open_with(store_key));
        store_check(cache);
}

/* ---- from plain to sealed ---------------------------------------------------------------------------------------- */

static void a_plain_file_becomes_a_sealed_one_with_all_it_holds(void **state)
{
        (void)state;
        store_make_plain(path);
        int files = files_here();
        assert_int_equal(0, open_with(store_key));
        assert_null(aside);
        assert_true(cache_is_sealed(cache));
        store_check(cache);
        assert_int_equal(0, store_leaks(folder));
        cache = cache_close(cache);
        assert_int_equal(files, files_here());
        assert_int_equal(0, store_leaks(folder));
}

static void a_plain_file_whose_process_was_killed_does_too(void **state)
{
        char command[300];

        (void)state;
        assert_int_equal(0, open_with(NULL));
        store_fill(cache, path);
        /* As kill -9 leaves it: the file and its log. */
        snprintf(command, sizeof(command), "cd %s && cp file kept && cp file-wal kept-wal", folder);
        assert_int_equal(0, system(command));
        cache = cache_close(cache);
        snprintf(command, sizeof(command), "cd %s && mv kept file && mv kept-wal file-wal", folder);
        assert_int_equal(0, system(command));
        assert_int_equal(0, open_with(store_key));
        store_check(cache);
        assert_int_equal(0, store_leaks(folder));
}

/* What a file that was set aside and sealed whole had been. */
static size_t read_whole_sealed(const char *name, char *out, size_t room)
{
        uint8_t head[SEAL_ASIDE_BYTES], secret[SEAL_KEY_BYTES];
        int64_t size = 0;
        int fd = open(name, O_RDONLY);

        assert_int_equal(sizeof(head), read(fd, head, sizeof(head)));
        assert_true(seal_aside_look(store_key, head, &size, secret));
        assert_true(size > 0 && size <= (int64_t)room);
        assert_int_equal(0, seal_file_read(fd, secret, sizeof(head), size, 0, out, (size_t)size));
        close(fd);
        return (size_t)size;
}

static void a_damaged_plain_file_is_rescued_and_sealed_as_a_whole(void **state)
{
        static char before[262144], after[262144];
        char copy[160];

        (void)state;
        store_make_plain(path);
        run_sql("UPDATE meta SET value = -1 WHERE name = 'is_clean'");
        size_t len = read_file(path, before, sizeof(before));
        assert_int_equal(0, open_with(store_key));
        assert_non_null(aside);
        assert_int_equal(STORE_MESSAGES - 1, cache_rescued(cache));
        assert_int_equal(len, read_whole_sealed(aside, after, sizeof(after)));
        assert_memory_equal(before, after, len);
        snprintf(copy, sizeof(copy), "%s.files/copy", path);
        assert_int_equal(0, unlink(copy));
        assert_int_equal(0, store_leaks(folder));
}

static void files_that_were_set_aside_in_earlier_times_are_sealed_too(void **state)
{
        static char before[262144], after[262144];
        char old[128];

        (void)state;
        store_make_plain(path);
        snprintf(old, sizeof(old), "%s.damaged-5", path);
        assert_int_equal(0, rename(path, old));
        size_t len = read_file(old, before, sizeof(before));
        snprintf(old, sizeof(old), "%s.files/copy", path);
        assert_int_equal(0, unlink(old));
        snprintf(old, sizeof(old), "%s.damaged-5", path);
        for (int i = 0; i < 2; i++) { /* once is enough: what is sealed stays as it is */
                assert_int_equal(0, open_with(store_key));
                assert_int_equal(len, read_whole_sealed(old, after, sizeof(after)));
                assert_memory_equal(before, after, len);
                assert_int_equal(0, store_leaks(folder));
        }
}

static void a_file_that_cannot_be_read_to_its_end_is_set_aside_by_its_sealing(void **state)
{
        char junk[4096];

        (void)state;
        store_make_plain(path);
        memset(junk, 0x5a, sizeof(junk));
        int fd = open(path, O_RDWR);
        off_t size = lseek(fd, 0, SEEK_END), at = 0;
        char page[4096];
        for (off_t i = 2 * 4096; i < size && !at; i += 4096) { /* a page of entries */
                assert_int_equal(sizeof(page), pread(fd, page, sizeof(page), i));
                if (page[0] == 10 && memmem(page, sizeof(page), "33, a " WORD, 8 + sizeof(WORD) - 3))
                        at = i;
        }
        if (at)
                assert_int_equal(sizeof(junk), pwrite(fd, junk, sizeof(junk), at));
        close(fd);
        assert_true(at > 0);
        assert_int_equal(0, open_with(store_key));
        assert_non_null(aside);
        assert_int_equal(STORE_MESSAGES - 1, cache_rescued(cache));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        const struct CMUnitTest tests[] = {
                T(every_column_is_sealed_or_said_to_be_readable),
                T(no_word_is_on_the_disk_while_a_sealed_file_is_in_use),
                T(no_word_of_a_session_is_on_the_disk),
                T(a_sealed_file_opens_under_its_own_key_only_and_nothing_is_done_to_it),
                T(a_plain_file_stays_plain_without_a_key),
                T(another_key_takes_over_at_once_and_the_old_one_opens_nothing),
                T(a_plain_file_has_no_key_to_change),
                T(one_of_the_two_places_of_the_key_is_enough),
                T(a_file_whose_key_is_damaged_is_set_aside),
                T(entries_that_were_exchanged_are_damage_and_the_outbox_is_rescued),
                T(an_entry_of_another_number_is_damage),
                T(an_entry_that_somebody_wrote_in_plain_is_damage),
                T(a_cut_entry_is_damage),
                T(messages_that_do_not_open_are_lost_alone),
                T(a_view_in_the_file_cannot_open_values),
                T(a_plain_file_becomes_a_sealed_one_with_all_it_holds),
                T(a_plain_file_whose_process_was_killed_does_too),
                T(a_damaged_plain_file_is_rescued_and_sealed_as_a_whole),
                T(files_that_were_set_aside_in_earlier_times_are_sealed_too),
                T(a_file_that_cannot_be_read_to_its_end_is_set_aside_by_its_sealing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
