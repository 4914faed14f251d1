/* SPDX-License-Identifier: Apache-2.0 */
/* Lock, mark and reserve: the small files of a data folder. */
#include "tests/unit/ops/cmocka_all.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "ops/files.h"
#include "ops/lock.h"
#include "ops/mark.h"
#include "ops/reserve.h"
#include "tests/unit/ops/tmpdir.h"

static int set_up(void **state)
{
        *state = tmpdir_make();
        return *state ? 0 : -1;
}

static int tear_down(void **state)
{
        tmpdir_drop(*state);
        return 0;
}

static mode_t mode_of(const char *dir, const char *name)
{
        struct stat st = {0};
        char *path = files_path(dir, name);

        assert_int_equal(stat(path, &st), 0);
        free(path);
        return st.st_mode & 07777;
}

static void a_second_holder_is_refused_and_told_who_holds_it(void **state)
{
        char *why = NULL, pid[32];
        int first = -1, second = -1;

        assert_int_equal(lock_take(*state, &first, NULL), 0);
        assert_int_equal(lock_take(*state, &second, &why), -EWOULDBLOCK);
        snprintf(pid, sizeof(pid), "process %ld", (long)getpid());
        assert_non_null(strstr(why, pid));
        assert_non_null(strstr(why, *state));
        assert_int_equal(second, -1);
        assert_true(fcntl(first, F_GETFD) & FD_CLOEXEC);
        free(why);
        lock_drop(first);
        assert_int_equal(lock_take(*state, &second, NULL), 0);
        lock_drop(second);
        assert_int_equal(mode_of(*state, "lock"), 0600);
}

static void a_killed_holder_leaves_no_lock_behind(void **state)
{
        int fds[2], fd = -1;
        char byte;
        assert_int_equal(pipe(fds), 0);
        pid_t child = fork();

        if (child == 0) {
                if (lock_take(*state, &fd, NULL) == 0 && write(fds[1], "x", 1) == 1)
                        pause();
                _exit(1);
        }
        assert_int_equal(read(fds[0], &byte, 1), 1);
        assert_int_equal(lock_take(*state, &fd, NULL), -EWOULDBLOCK);
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, NULL, 0), child);
        assert_int_equal(lock_take(*state, &fd, NULL), 0);
        lock_drop(fd);
        close(fds[0]);
        close(fds[1]);
}

static void a_lock_in_a_missing_folder_says_so(void **state)
{
        char *why = NULL;
        int fd = -1;
        (void)state;

        assert_int_equal(lock_take("/nonexistent/folder", &fd, &why), -ENOENT);
        assert_non_null(strstr(why, "/nonexistent/folder"));
        free(why);
}

static void a_mark_is_read_as_it_was_written(void **state)
{
        uint8_t epoch[8] = {0, 1, 0xff, 3, 4, 5, 6, 0x80}, read_epoch[8];
        int64_t rev = 0;

        assert_int_equal(mark_read(*state, read_epoch, &rev), -ENOENT);
        assert_int_equal(mark_write(*state, epoch, 9007199254740991), 0);
        assert_int_equal(mark_write(*state, epoch, 41), 0);
        assert_int_equal(mark_read(*state, read_epoch, &rev), 0);
        assert_memory_equal(epoch, read_epoch, 8);
        assert_int_equal(rev, 41);
        assert_int_equal(mode_of(*state, "mark"), 0600);
        char *fresh = files_path(*state, "mark.new");
        assert_int_equal(access(fresh, F_OK), -1);
        free(fresh);
}

static void what_is_no_mark_is_refused(void **state)
{
        static const char *const wrong[] = {
                "",
                "deskbell mark 1\nepoch 00\nrev 1\n",
                "deskbell mark 1\nepoch 0001ff0304050680\nrev 41",
                "deskbell mark 1\nepoch 0001ff0304050680\nrev +41\n",
                "deskbell mark 1\nepoch 0001ff0304050680\nrev 41\nmore\n",
                "deskbell mark 2\nepoch 0001ff0304050680\nrev 41\n",
                "deskbell mark 1\nepoch 0001FF0304050680\nrev 41\n",
                "deskbell mark 1\nepoch 0001ff0304050680\nrev 99999999999999999999999999\n",
        };
        uint8_t epoch[8];
        int64_t rev = 7;

        for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
                assert_int_equal(files_replace(*state, "mark", span_of(wrong[i])), 0);
                assert_int_equal(mark_read(*state, epoch, &rev), -EBADMSG);
                assert_int_equal(rev, 7);
        }
}

static void a_mark_that_cannot_be_written_leaves_the_old_one(void **state)
{
        uint8_t epoch[8] = {1};
        int64_t rev;
        char *blocked = files_path(*state, "mark.new");

        assert_int_equal(mark_write(*state, epoch, 1), 0);
        assert_int_equal(mkdir(blocked, 0700), 0);
        assert_true(mark_write(*state, epoch, 2) < 0);
        assert_int_equal(mark_read(*state, epoch, &rev), 0);
        assert_int_equal(rev, 1);
        free(blocked);
}

static void the_reserve_takes_real_blocks_and_gives_them_back(void **state)
{
        struct stat st;
        char *path = files_path(*state, "reserve");

        assert_false(reserve_is_held(*state));
        assert_int_equal(reserve_make(*state), 0);
        assert_true(reserve_is_held(*state));
        assert_int_equal(stat(path, &st), 0);
        assert_true((int64_t)st.st_blocks * 512 >= RESERVE_BYTES);
        assert_int_equal(mode_of(*state, "reserve"), 0600);
        assert_int_equal(reserve_make(*state), 0);
        assert_int_equal(reserve_release(*state), 0);
        assert_false(reserve_is_held(*state));
        assert_int_equal(reserve_release(*state), 0);

        /* A file of the right size without blocks keeps nothing back. */
        int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        assert_int_equal(ftruncate(fd, RESERVE_BYTES), 0);
        close(fd);
        assert_false(reserve_is_held(*state));
        free(path);
}

static void a_file_larger_than_the_room_is_not_read_half(void **state)
{
        char bytes[4];
        size_t len = 99;

        assert_int_equal(files_replace(*state, "f", SPAN("12345")), 0);
        assert_int_equal(files_read(*state, "f", bytes, sizeof(bytes), &len), -EFBIG);
        assert_int_equal(len, 99);
        assert_int_equal(files_replace(*state, "f", SPAN("1234")), 0);
        assert_int_equal(files_read(*state, "f", bytes, sizeof(bytes), &len), 0);
        assert_int_equal(len, 4);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(a_second_holder_is_refused_and_told_who_holds_it, set_up, tear_down),
                cmocka_unit_test_setup_teardown(a_killed_holder_leaves_no_lock_behind, set_up, tear_down),
                cmocka_unit_test(a_lock_in_a_missing_folder_says_so),
                cmocka_unit_test_setup_teardown(a_mark_is_read_as_it_was_written, set_up, tear_down),
                cmocka_unit_test_setup_teardown(what_is_no_mark_is_refused, set_up, tear_down),
                cmocka_unit_test_setup_teardown(a_mark_that_cannot_be_written_leaves_the_old_one, set_up, tear_down),
                cmocka_unit_test_setup_teardown(the_reserve_takes_real_blocks_and_gives_them_back, set_up, tear_down),
                cmocka_unit_test_setup_teardown(a_file_larger_than_the_room_is_not_read_half, set_up, tear_down),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
