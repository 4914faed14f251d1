/* SPDX-License-Identifier: Apache-2.0 */
/* A process that seals a plain file, or takes another key, is killed with SIGKILL before each of its changes to the
 * disk in turn, SQLite's among them. What is left is the one or the other, whole; and once it could run to its end
 * nothing plain is left on the disk. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "client-sdk/src/cache.h"
#include "deskbell/deskbell.h"
#include "folder.h"
#include "sealed_store.h"

/* ---- changes of the disk, of this program and of the libraries it uses ------------------------------------------- */

static long left = -1; /* changes until the end; -1 = never */

static void count(void)
{
        if (left > 0 && --left == 0)
                raise(SIGKILL);
}

#define CHANGE(type, name, number, parameters, ...)                                                                    \
        type name parameters;                                                                                          \
        type name parameters                                                                                           \
        {                                                                                                              \
                count();                                                                                               \
                return (type)syscall(number, __VA_ARGS__);                                                             \
        }

CHANGE(ssize_t, write, SYS_write, (int fd, const void *bytes, size_t len), fd, bytes, len)
CHANGE(ssize_t, pwrite, SYS_pwrite64, (int fd, const void *bytes, size_t len, off_t at), fd, bytes, len, at)
CHANGE(ssize_t, pwrite64, SYS_pwrite64, (int fd, const void *bytes, size_t len, off64_t at), fd, bytes, len, at)
CHANGE(int, fsync, SYS_fsync, (int fd), fd)
CHANGE(int, fdatasync, SYS_fdatasync, (int fd), fd)
CHANGE(int, ftruncate, SYS_ftruncate, (int fd, off_t size), fd, size)
CHANGE(int, ftruncate64, SYS_ftruncate, (int fd, off64_t size), fd, size)
CHANGE(int, unlink, SYS_unlinkat, (const char *path), -100, path, 0)
CHANGE(int, unlinkat, SYS_unlinkat, (int dir, const char *path, int flags), dir, path, flags)
CHANGE(int, rename, SYS_renameat2, (const char *from, const char *to), -100, from, -100, to, 0)
CHANGE(int, link, SYS_linkat, (const char *from, const char *to), -100, from, -100, to, 0)

/* ---- ------------------------------------------------------------------------------------------------------------- */

/* With a sanitizer a fork costs a hundred times as much: every fifth moment, others in each run. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { STEP = 5 };
#else
enum { STEP = 1 };
#endif

static char folder[64], path[96];

static int set_up(void **state)
{
        (void)state;
        snprintf(path, sizeof(path), "%s/file", stage_folder(folder));
        return 0;
}

static int tear_down(void **state)
{
        (void)state;
        return stage_folder_remove(folder);
}

/* A child does it and is killed before its change number `at`; false: it came to its end. */
static bool is_killed(void (*what)(void), long at)
{
        int status = 0;
        pid_t child = fork();

        if (child == 0) {
                left = at;
                what();
                left = -1;
                _exit(0);
        }
        assert_int_equal(child, waitpid(child, &status, 0));
        if (WIFSIGNALED(status)) {
                assert_int_equal(SIGKILL, WTERMSIG(status));
                return true;
        }
        assert_int_equal(0, WEXITSTATUS(status));
        return false;
}

static int open_with(const uint8_t *key, struct cache **out_cache)
{
        char *aside = NULL;
        int rc = cache_open_sealed(path, key, 1, out_cache, &aside);

        assert_null(aside); /* a killed process damages nothing */
        return rc;
}

static void check_with(const uint8_t *key)
{
        struct cache *cache = NULL;

        assert_int_equal(0, open_with(key, &cache));
        store_check(cache);
        cache_close(cache);
}

static void seal_it(void)
{
        struct cache *cache = NULL;
        char *aside = NULL;

        if (cache_open_sealed(path, store_key, 1, &cache, &aside) != 0)
                _exit(1);
        cache_close(cache);
}

static void a_file_is_plain_or_sealed_wherever_its_sealing_ends(void **state)
{
        int plain = 0, sealed = 0, leaking = 0;
        bool was_killed = true;

        (void)state;
        for (long at = 1 + time(NULL) % STEP; was_killed; at += STEP) {
                tear_down(NULL);
                set_up(NULL);
                store_make_plain(path);
                was_killed = is_killed(seal_it, at);
                struct cache *cache = NULL;
                int rc = open_with(NULL, &cache);
                if (rc == 0) {
                        assert_true(was_killed);
                        store_check(cache);
                        plain++;
                } else {
                        assert_int_equal(DESKBELL_E_KEY, rc);
                        leaking += store_leaks(folder) > 0;
                        sealed++;
                }
                cache_close(cache);
                check_with(store_key);
                assert_int_equal(0, store_leaks(folder));
        }
        print_message("%d times it was still plain, %d times sealed, %d of them with something to be overwritten\n",
                      plain, sealed, leaking);
        assert_true(plain > 20 / STEP && sealed > 5 / STEP && leaking > 0);
}

static void change_key(void)
{
        struct cache *cache = NULL;
        char *aside = NULL;

        if (cache_open_sealed(path, store_key, 1, &cache, &aside) != 0)
                _exit(1);
        cache_begin(cache, true);
        cache_key_change(cache, store_other_key);
        if (cache_commit(cache) < 0)
                _exit(2);
        cache_key_forget(cache);
        cache_close(cache);
}

static void exactly_one_of_two_keys_opens_a_file_wherever_the_change_ends(void **state)
{
        int with_old = 0, with_new = 0;
        bool was_killed = true;

        (void)state;
        for (long at = 1 + time(NULL) % STEP; was_killed; at += STEP) {
                struct cache *cache = NULL, *other = NULL;
                tear_down(NULL);
                set_up(NULL);
                store_make_plain(path);
                seal_it();
                was_killed = is_killed(change_key, at);
                int rc = open_with(store_key, &cache);
                cache_close(cache);
                assert_int_equal(rc == 0 ? DESKBELL_E_KEY : 0, open_with(store_other_key, &other));
                cache_close(other);
                check_with(rc == 0 ? store_key : store_other_key);
                with_old += rc == 0;
                with_new += rc != 0;
        }
        print_message("%d times the old key, %d times the new one\n", with_old, with_new);
        assert_true(with_old > 1 && with_new > 1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        const struct CMUnitTest tests[] = {
                T(a_file_is_plain_or_sealed_wherever_its_sealing_ends),
                T(exactly_one_of_two_keys_opens_a_file_wherever_the_change_ends),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
