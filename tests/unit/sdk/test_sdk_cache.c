/* SPDX-License-Identifier: Apache-2.0 */
/* The user's file: locking, damage, foreign and newer files, modes, turns that fail. */
#include "stage.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "protocol/hot.h"
#include "protocol_generated.h"

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
        return 0;
}

static void open_new(void)
{
        assert_int_equal(0, stage_cache_open(path, 1, &cache, &aside));
}

static void write_over(const char *what, const char *bytes, long at, size_t len)
{
        FILE *file = fopen(what, "r+b");

        assert_non_null(file);
        fseek(file, at, SEEK_SET);
        assert_int_equal(len, fwrite(bytes, 1, len, file));
        fclose(file);
}

static bool count_message(void *data, const struct cached_message *message)
{
        (void)message;
        (*(int *)data)++;
        return true;
}

static void put_message(unsigned char first)
{
        struct cached_message message = {.cmid = {.bytes = {first}},
                                         .conv = 1,
                                         .op = DESKBELL_OP_SEND,
                                         .state = DESKBELL_QUEUED,
                                         .content = SPAN("{\"text\":\"x\"}")};

        content_hash(PROTOCOL_ENTRY_TEXT, message.content, message.hash);
        cache_begin(cache, true);
        cache_message_add(cache, &message);
        assert_int_equal(0, cache_commit(cache));
}

static int messages(void)
{
        int count = 0;

        cache_messages(cache, MESSAGES_UNSENT, 0, count_message, &count);
        return count;
}

static void a_second_opener_is_refused_while_the_first_lives(void **state)
{
        struct cache *second = NULL;
        char *second_aside = NULL;
        int status;

        (void)state;
        open_new();
        assert_int_equal(DESKBELL_E_LOCKED, stage_cache_open(path, 1, &second, &second_aside));
        pid_t child = fork();
        if (child == 0)
                _exit(stage_cache_open(path, 1, &second, &second_aside) == DESKBELL_E_LOCKED ? 0 : 1);
        assert_int_equal(child, waitpid(child, &status, 0));
        assert_int_equal(0, WEXITSTATUS(status));
        cache = cache_close(cache);
        open_new();
}

static void the_file_and_its_log_are_for_the_owner_only(void **state)
{
        struct stat info;
        char wal[112];

        (void)state;
        umask(0);
        open_new();
        put_message(1);
        assert_int_equal(0, stat(path, &info));
        assert_int_equal(0600, info.st_mode & 0777);
        snprintf(wal, sizeof(wal), "%s-wal", path);
        assert_int_equal(0, stat(wal, &info));
        assert_int_equal(0600, info.st_mode & 0777);
}

static void a_file_that_is_not_ours_is_set_aside_and_kept(void **state)
{
        char bytes[9] = "";

        (void)state;
        int fd = open(path, O_WRONLY | O_CREAT, 0600);
        assert_int_equal(16, write(fd, "my great novel..", 16));
        close(fd);
        open_new();
        assert_non_null(aside);
        FILE *file = fopen(aside, "rb");
        assert_non_null(file);
        assert_int_equal(8, fread(bytes, 1, 8, file));
        fclose(file);
        if (stage_key())
                assert_string_equal("deskbell", bytes); /* sealed whole: test_sdk_sealed.c */
        else
                assert_string_equal("my great", bytes);
        put_message(1);
        assert_int_equal(1, messages());
}

static void a_database_of_another_program_is_set_aside(void **state)
{
        char command[200];

        (void)state;
        snprintf(command, sizeof(command), "sqlite3 %s 'CREATE TABLE t(x); INSERT INTO t VALUES(1)' 2>/dev/null", path);
        if (system(command) != 0)
                skip();
        open_new();
        assert_non_null(aside);
}

static void a_file_damaged_while_in_use_is_set_aside_at_the_next_opening(void **state)
{
        char junk[4096];
        int status;

        (void)state;
        open_new();
        for (int i = 1; i < 250; i++)
                put_message((unsigned char)i);
        cache = cache_close(cache);
        pid_t child = fork(); /* dies without closing */
        if (child == 0)
                _exit(stage_cache_open(path, 1, &cache, &aside) == 0 ? 0 : 1);
        assert_int_equal(child, waitpid(child, &status, 0));
        assert_int_equal(0, WEXITSTATUS(status));
        memset(junk, 0x5a, sizeof(junk));
        write_over(path, junk, 4 * 4096, sizeof(junk));
        open_new();
        assert_non_null(aside);
        assert_int_equal(0, messages());
        put_message(1);
        assert_int_equal(1, messages());
}

/* Another column than we know. */
static void rename_column(void)
{
        sqlite3 *db = NULL;

        assert_int_equal(SQLITE_OK, sqlite3_open(path, &db));
        assert_int_equal(SQLITE_OK,
                         sqlite3_exec(db, "ALTER TABLE outbox RENAME COLUMN content TO body", NULL, NULL, NULL));
        sqlite3_close(db);
}

static void a_newer_file_whose_outbox_is_known_is_set_aside_and_its_outbox_kept(void **state)
{
        static const char version[4] = {0, 0, 0, 99};
        struct cached_conv conv = {.id = 7, .key = SPAN("main"), .is_confirmed = true};

        (void)state;
        open_new();
        cache_begin(cache, true);
        assert_int_equal(1, cache_conv_put(cache, &conv));
        assert_int_equal(0, cache_commit(cache));
        put_message(1);
        put_message(2);
        cache = cache_close(cache);
        write_over(path, version, 60, 4); /* user_version */
        open_new();
        assert_non_null(aside);
        assert_int_equal(2, cache_rescued(cache));
        assert_int_equal(2, messages());
        assert_int_equal(0, access(aside, F_OK));
}

static void a_file_of_a_newer_library_with_unknown_tables_is_left_alone(void **state)
{
        static const char version[4] = {0, 0, 0, 99};
        struct stat before, after;

        (void)state;
        open_new();
        cache = cache_close(cache);
        rename_column();
        write_over(path, version, 60, 4); /* user_version */
        assert_int_equal(0, stat(path, &before));
        assert_int_equal(DESKBELL_E_STORE_NEWER, stage_cache_open(path, 1, &cache, &aside));
        assert_int_equal(0, stat(path, &after));
        assert_int_equal(before.st_size, after.st_size);
        assert_int_equal(before.st_ino, after.st_ino);
}

static void make_file(const char *tail, const char *bytes)
{
        char whole[200];

        snprintf(whole, sizeof(whole), "%s%s", path, tail);
        int fd = open(whole, O_WRONLY | O_CREAT, 0600);
        assert_true(fd >= 0);
        assert_int_equal(strlen(bytes), write(fd, bytes, strlen(bytes)));
        close(fd);
}

static bool is_there(const char *tail)
{
        char whole[200];

        snprintf(whole, sizeof(whole), "%s%s", path, tail);
        return access(whole, F_OK) == 0;
}

static void a_wiped_file_takes_along_what_stands_beside_it_and_nothing_else(void **state)
{
        static const char *const gone[] = {"", "-wal", "-shm", ".damaged-5", ".damaged-5-wal", ".files", ".files/copy"};
        char files[112], held[16] = "";
        int rc = 1;

        (void)state;
        open_new();
        put_message(1);
        make_file(".damaged-5", "old messages");
        make_file(".damaged-5-wal", "older messages");
        make_file("2", "of another user");
        snprintf(files, sizeof(files), "%s.files", path);
        assert_int_equal(0, mkdir(files, 0700));
        make_file(".files/copy", "a picture");
        snprintf(files, sizeof(files), "%s.damaged-5", path);
        int fd = open(files, O_RDONLY); /* what a file of that name held */
        cache_wipe_at_close(cache, path, &rc);
        cache = cache_close(cache);
        assert_int_equal(0, rc);
        for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++)
                assert_false(is_there(gone[i]));
        assert_true(is_there("2"));
        assert_true(is_there(".lock"));
        assert_int_equal(0, read(fd, held, sizeof(held))); /* overwritten and cut, not only unlinked */
        close(fd);
        open_new();
        assert_int_equal(0, messages());
}

static void what_cannot_be_wiped_is_an_error(void **state)
{
        char files[112];
        int rc = 0;

        (void)state;
        open_new();
        snprintf(files, sizeof(files), "%s.files", path);
        assert_int_equal(0, mkdir(files, 0700));
        snprintf(files, sizeof(files), "%s.files/folder", path);
        assert_int_equal(0, mkdir(files, 0700)); /* nobody of ours makes folders there */
        cache_wipe_at_close(cache, path, &rc);
        cache = cache_close(cache);
        assert_int_equal(DESKBELL_E_STORE, rc);
        assert_false(is_there("-wal"));
        assert_false(is_there(""));
}

static void a_turn_that_failed_leaves_nothing(void **state)
{
        (void)state;
        open_new();
        put_message(1);
        struct cached_message message = {.cmid = {.bytes = {2}}, .conv = 1, .op = 1, .state = 1, .content = SPAN("{}")};
        cache_begin(cache, true);
        cache_message_add(cache, &message);
        cache_message_add(cache, &message); /* the same cmid: refused by the file */
        assert_int_equal(DESKBELL_E_STORE, cache_commit(cache));
        assert_int_equal(1, messages());
        put_message(3);
        assert_int_equal(2, messages());
}

static void a_folder_that_cannot_be_written_is_an_error(void **state)
{
        (void)state;
        assert_int_equal(DESKBELL_E_STORE, stage_cache_open("/proc/self/no-such-folder/file", 1, &cache, &aside));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        const struct CMUnitTest tests[] = {
                T(a_second_opener_is_refused_while_the_first_lives),
                T(the_file_and_its_log_are_for_the_owner_only),
                T(a_file_that_is_not_ours_is_set_aside_and_kept),
                T(a_database_of_another_program_is_set_aside),
                T(a_file_damaged_while_in_use_is_set_aside_at_the_next_opening),
                T(a_newer_file_whose_outbox_is_known_is_set_aside_and_its_outbox_kept),
                T(a_file_of_a_newer_library_with_unknown_tables_is_left_alone),
                T(a_wiped_file_takes_along_what_stands_beside_it_and_nothing_else),
                T(what_cannot_be_wiped_is_an_error),
                T(a_turn_that_failed_leaves_nothing),
                T(a_folder_that_cannot_be_written_is_an_error),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
