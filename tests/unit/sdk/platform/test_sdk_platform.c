/* SPDX-License-Identifier: Apache-2.0 */
/* The platform, by the same tests in each of its forms: Linux's, the portable one, and the portable one with a stand-in
 * for what only Apple's systems have (PLATFORM_IS_APPLE). */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "client-sdk/src/platform.h"
#include "deskbell/deskbell.h"
#include "faked.h"

#ifdef PLATFORM_IS_APPLE
enum { IS_APPLE = 1 };
#else
enum { IS_APPLE = 0 };
#endif

enum { LONG_MS = 10000, A_DAY_S = 86400 };

static int forget_faults(void **state)
{
        (void)state;
        memset(&faked, 0, sizeof(faked));
        return 0;
}

static bool is_readable(int fd, int within_ms)
{
        struct pollfd look = {fd, POLLIN, 0};

        return poll(&look, 1, within_ms) == 1;
}

/* ---- wakers ------------------------------------------------------------------------------------------------------ */

struct talk {
        struct platform_waker there, back;
        atomic_int said, heard;
};

enum { WORDS = 20000, AT_ONCE = 7 };

/* Says one after the other, waiting for the answer now and then, so that both a burst and a single wake are seen. */
static void *say(void *data)
{
        struct talk *talk = data;

        for (int i = 1; i <= WORDS; i++) {
                atomic_store(&talk->said, i);
                platform_waker_wake(&talk->there);
                while (i % AT_ONCE == 0 && atomic_load(&talk->heard) < i && is_readable(talk->back.fd, LONG_MS))
                        platform_waker_clear(&talk->back);
        }
        return NULL;
}

static void a_wake_is_never_lost(void **state)
{
        struct talk talk = {0};
        pthread_t thread;
        int heard = 0;

        (void)state;
        assert_true(platform_waker_open(&talk.there) && platform_waker_open(&talk.back));
        assert_int_equal(0, pthread_create(&thread, NULL, say, &talk));
        while (heard < WORDS) {
                assert_true(is_readable(talk.there.fd, LONG_MS));
                platform_waker_clear(&talk.there);
                heard = atomic_load(&talk.said);
                atomic_store(&talk.heard, heard);
                platform_waker_wake(&talk.back);
        }
        pthread_join(thread, NULL);
        platform_waker_close(&talk.there);
        platform_waker_close(&talk.back);
}

static void however_often_it_is_woken_nobody_waits_and_one_look_clears_it(void **state)
{
        struct platform_waker waker;

        (void)state;
        assert_true(platform_waker_open(&waker));
        assert_false(is_readable(waker.fd, 0));
        for (int i = 0; i < 100000; i++) /* more than a pipe holds */
                platform_waker_wake(&waker);
        assert_true(is_readable(waker.fd, 0));
        platform_waker_clear(&waker);
        assert_false(is_readable(waker.fd, 0));
        platform_waker_clear(&waker); /* with nothing in it, it does not wait */
        platform_waker_wake(&waker);
        assert_true(is_readable(waker.fd, 0));
        platform_waker_close(&waker);
}

static int lowest_free_fd(void)
{
        int fd = dup(0);

        close(fd);
        return fd;
}

static void a_closed_waker_leaves_no_descriptor_and_does_nothing(void **state)
{
        struct platform_waker waker;
        int free_fd = lowest_free_fd();

        (void)state;
        assert_true(platform_waker_open(&waker));
        assert_int_not_equal(free_fd, lowest_free_fd());
        platform_waker_close(&waker);
        assert_int_equal(free_fd, lowest_free_fd());
        assert_int_equal(-1, waker.fd);
        platform_waker_wake(&waker);
        platform_waker_clear(&waker);
        platform_waker_close(&waker);
}

static void without_descriptors_there_is_no_waker_and_none_is_kept(void **state)
{
        struct platform_waker waker = {0, 0};
        struct rlimit before, none;
        int free_fd = lowest_free_fd();

        (void)state;
        assert_int_equal(0, getrlimit(RLIMIT_NOFILE, &before));
        for (int room = 0; room < 2; room++) { /* with room for one, a pipe is half made */
                none = before;
                none.rlim_cur = (rlim_t)(free_fd + room);
                assert_int_equal(0, setrlimit(RLIMIT_NOFILE, &none));
                bool is_open = platform_waker_open(&waker);
                assert_int_equal(0, setrlimit(RLIMIT_NOFILE, &before));
                if (is_open)
                        platform_waker_close(&waker);
                assert_true(!is_open || room == 1);
                assert_int_equal(-1, waker.fd);
                assert_int_equal(-1, waker.end);
                assert_int_equal(free_fd, lowest_free_fd());
        }
}

/* ---- descriptors ------------------------------------------------------------------------------------------------- */

static bool survives_exec(int fd)
{
        char command[64];

        snprintf(command, sizeof(command), "test -e /proc/self/fd/%d", fd);
        return system(command) == 0; /* NOLINT(cert-env33-c): a shell is just the thing */
}

static void no_descriptor_goes_to_a_program_that_is_started(void **state)
{
        struct platform_waker waker;
        struct platform_door door;
        int plain = dup(0), moved = dup(0);

        (void)state;
        assert_true(survives_exec(plain)); /* the test sees one that does */
        assert_true(platform_waker_open(&waker));
        assert_true(platform_door_open(&door));
        int fd = platform_socket(AF_INET);
        assert_true(fd >= 0);
        assert_true(platform_move_fd(plain, moved));
        assert_false(survives_exec(waker.fd));
        assert_false(survives_exec(waker.end));
        assert_false(survives_exec(door.fd));
        assert_false(survives_exec(fd));
        assert_false(survives_exec(moved));
        assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
        close(fd);
        close(moved);
        close(door.fd);
        platform_waker_close(&waker);
}

static void a_moved_descriptor_is_the_other_one_and_nothing_is_left(void **state)
{
        int ends[2], free_fd = lowest_free_fd();
        char got[2] = "";

        (void)state;
        assert_int_equal(0, socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
        int to = open("/dev/null", O_RDONLY);
        assert_true(platform_move_fd(ends[0], to));
        assert_int_equal(1, write(ends[1], "x", 1));
        assert_int_equal(1, read(to, got, 1));
        assert_string_equal("x", got);
        close(to);
        assert_int_equal(0, read(ends[1], got, 1)); /* it was the only one */
        close(ends[1]);
        assert_int_equal(free_fd, lowest_free_fd());
}

static void a_move_that_fails_says_why_and_keeps_nothing(void **state)
{
        int free_fd = lowest_free_fd(), from = dup(0);

        (void)state;
        assert_false(platform_move_fd(from, -1));
        assert_int_equal(EBADF, errno);
        assert_int_equal(free_fd, lowest_free_fd());
}

static int connect_to(const struct platform_door *door)
{
        struct sockaddr_in number = {.sin_family = AF_INET, .sin_port = htons((uint16_t)door->port)};
        struct sockaddr_un name = {.sun_family = AF_UNIX};
        size_t len = strlen(door->address);
        int fd = socket(door->port ? AF_INET : AF_UNIX, SOCK_STREAM, 0), rc;

        if (door->port) {
                assert_int_equal(1, inet_pton(AF_INET, door->address, &number.sin_addr));
                rc = connect(fd, (struct sockaddr *)&number, sizeof(number));
        } else {
                assert_memory_equal("+@", door->address, 2);
                memcpy(name.sun_path + 1, door->address + 2, len - 2);
                rc = connect(fd, (struct sockaddr *)&name, (socklen_t)(sizeof(name.sun_family) + len - 1));
        }
        if (rc == 0)
                return fd;
        close(fd);
        return -1;
}

static void a_door_can_be_connected_to_and_is_gone_when_it_is_closed(void **state)
{
        struct platform_door one, other;

        (void)state;
        assert_true(platform_door_open(&one));
        assert_true(platform_door_open(&other));
        assert_true(one.port != other.port || strcmp(one.address, other.address) != 0);
        int first = connect_to(&one), second = connect_to(&other);
        assert_true(first >= 0 && second >= 0);
        close(one.fd);
        close(other.fd);
        assert_int_equal(-1, connect_to(&one));
        close(first);
        close(second);
}

/* A socket of the platform's, whose other end has gone. */
static int socket_to_nobody(void)
{
        struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        struct linger at_once = {1, 0};
        socklen_t len = sizeof(to);
        int door = socket(AF_INET, SOCK_STREAM, 0), fd = platform_socket(AF_INET);

        assert_int_equal(0, bind(door, (struct sockaddr *)&to, sizeof(to)));
        assert_int_equal(0, listen(door, 1));
        assert_int_equal(0, getsockname(door, (struct sockaddr *)&to, &len));
        assert_true(connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0 || errno == EINPROGRESS);
        int peer = accept(door, NULL, NULL);
        assert_true(peer >= 0);
        setsockopt(peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
        close(peer);
        close(door);
        assert_true(is_readable(fd, LONG_MS));
        return fd;
}

/* The default for SIGPIPE is to end the process. */
static void writing_to_who_has_gone_is_an_error_and_no_signal(void **state)
{
        int fd = socket_to_nobody();

        (void)state;
        assert_int_equal(-1, platform_send(fd, "x", 1));
        assert_int_equal(ECONNRESET, errno);
        assert_int_equal(-1, platform_send(fd, "x", 1));
        assert_int_equal(EPIPE, errno);
        close(fd);
}

/* ---- clocks and waits -------------------------------------------------------------------------------------------- */

struct wait {
        pthread_mutex_t lock;
        pthread_cond_t cond;
        bool is_done;
};

static void wait_begin(struct wait *wait)
{
        wait->is_done = false;
        pthread_mutex_init(&wait->lock, NULL);
        platform_cond_init(&wait->cond);
        pthread_mutex_lock(&wait->lock);
}

static void wait_end(struct wait *wait)
{
        pthread_mutex_unlock(&wait->lock);
        pthread_cond_destroy(&wait->cond);
        pthread_mutex_destroy(&wait->lock);
}

static void a_wait_lasts_until_its_time_and_no_longer(void **state)
{
        struct wait wait;

        (void)state;
        wait_begin(&wait);
        for (int ms = 0; ms <= 30; ms += 3) {
                int64_t until = platform_mono_ms() + ms;
                int for_nothing = 0;
                while (platform_cond_wait(&wait.cond, &wait.lock, until))
                        assert_true(++for_nothing < 10); /* it sleeps, it does not go round */
                assert_true(platform_mono_ms() >= until);
                assert_true(platform_mono_ms() < until + LONG_MS);
        }
        assert_false(platform_cond_wait(&wait.cond, &wait.lock, 0)); /* long ago */
        wait_end(&wait);
}

static void a_wait_that_the_system_ends_too_early_is_not_over(void **state)
{
        struct wait wait;

        (void)state;
        wait_begin(&wait);
        int64_t until = platform_mono_ms() + 40;
        faked.early_ends = 3;
        for (int i = 0; i < 3; i++)
                assert_true(platform_cond_wait(&wait.cond, &wait.lock, until));
        while (platform_cond_wait(&wait.cond, &wait.lock, until))
                assert_true(platform_mono_ms() < until + LONG_MS);
        assert_true(platform_mono_ms() >= until);
        wait_end(&wait);
}

static void *set_clock(void *data)
{
        for (int i = 0; !atomic_load((atomic_bool *)data); i++) {
                faked.wall_ahead_s = i % 2 ? A_DAY_S : -A_DAY_S;
                poll(NULL, 0, 1);
        }
        return NULL;
}

static void setting_the_clock_makes_no_wait_longer_or_shorter(void **state)
{
        atomic_bool is_over = false;
        struct wait wait;
        pthread_t thread;

        (void)state;
        wait_begin(&wait);
        assert_int_equal(0, pthread_create(&thread, NULL, set_clock, &is_over));
        for (int i = 0; i < 10; i++) {
                int64_t before = platform_mono_ms();
                while (platform_cond_wait(&wait.cond, &wait.lock, before + 20))
                        assert_true(platform_mono_ms() < before + LONG_MS);
                assert_in_range(platform_mono_ms() - before, 20, LONG_MS);
        }
        atomic_store(&is_over, true);
        pthread_join(thread, NULL);
        wait_end(&wait);
}

static void *signal_wait(void *data)
{
        struct wait *wait = data;

        pthread_mutex_lock(&wait->lock);
        wait->is_done = true;
        pthread_cond_signal(&wait->cond);
        pthread_mutex_unlock(&wait->lock);
        return NULL;
}

static void a_wait_ends_when_it_is_signalled(void **state)
{
        int64_t begun = platform_mono_ms();
        struct wait wait;
        pthread_t thread;

        (void)state;
        wait_begin(&wait);
        assert_int_equal(0, pthread_create(&thread, NULL, signal_wait, &wait));
        while (!wait.is_done)
                assert_true(platform_cond_wait(&wait.cond, &wait.lock, begun + 2 * LONG_MS));
        pthread_mutex_unlock(&wait.lock);
        pthread_join(thread, NULL);
        pthread_mutex_lock(&wait.lock);
        assert_true(platform_mono_ms() < begun + LONG_MS);
        wait_end(&wait);
}

static void one_clock_follows_the_device_and_the_other_does_not(void **state)
{
        int64_t mono = platform_mono_ms(), wall = platform_wall_ms();

        (void)state;
        faked.wall_ahead_s = A_DAY_S;
        assert_in_range(platform_mono_ms() - mono, 0, LONG_MS);
        assert_in_range(platform_wall_ms() - wall, A_DAY_S * 1000, A_DAY_S * 1000 + LONG_MS);
        faked.wall_ahead_s = -A_DAY_S;
        assert_in_range(platform_mono_ms() - mono, 0, LONG_MS);
}

/* ---- randomness and secrets -------------------------------------------------------------------------------------- */

static void randomness_fills_everything(void **state)
{
        unsigned char seen[2][500] = {{0}};
        int zeros = 0;

        (void)state;
        assert_true(platform_random(seen[0], 0));
        assert_int_equal(0, seen[0][0]);
        faked.random_at_once = 3; /* the system gives it in pieces, and is interrupted */
        faked.interrupted = 2;
        for (int i = 0; i < 2; i++)
                assert_true(platform_random(seen[i], sizeof(seen[i]) - 1));
        assert_memory_not_equal(seen[0], seen[1], sizeof(seen[0]));
        for (size_t i = 0; i < sizeof(seen[0]) - 1; i++)
                zeros += seen[0][i] == 0;
        assert_in_range(zeros, 0, 30); /* two are to be expected */
        assert_int_equal(0, seen[0][sizeof(seen[0]) - 1]);
}

static void without_randomness_there_are_zeros_and_it_is_said(void **state)
{
        unsigned char bytes[40];
        const unsigned char zeros[sizeof(bytes)] = {0};

        (void)state;
        memset(bytes, 0x5a, sizeof(bytes));
        faked.has_no_random = true;
        assert_false(platform_random(bytes, sizeof(bytes)));
        assert_memory_equal(zeros, bytes, sizeof(bytes));
}

static void a_client_does_not_open_without_randomness(void **state)
{
        struct deskbell_options options = DESKBELL_OPTIONS_INIT;
        deskbell_client *client = NULL;

        (void)state;
        options.url = "ws://127.0.0.1:9/v1/ws";
        options.app = "app_0000000000009";
        options.token = "secret-token";
        faked.has_no_random = true;
        int refused = deskbell_open(&options, &client);
        faked.has_no_random = false;
        assert_int_equal(DESKBELL_E_NOMEM, refused);
        assert_null(client);
        assert_int_equal(DESKBELL_OK, deskbell_open(&options, &client)); /* it was nothing else */
        assert_int_equal(DESKBELL_OK, deskbell_close(client));
}

static void a_secret_begins_as_zeros_and_is_overwritten_at_its_end(void **state)
{
        unsigned char *secret = platform_secret_new(100), zeros[100] = {0};

        (void)state;
        assert_non_null(secret);
        assert_memory_equal(zeros, secret, sizeof(zeros));
        memset(secret, 0x5a, 100);
        platform_secret_free(secret, 100);
        assert_int_equal(1, faked.overwritten_unmaps);
}

/* ---- files and errors -------------------------------------------------------------------------------------------- */

static void flushing_goes_through_to_the_disk_and_tells_when_it_does_not(void **state)
{
        char path[] = "/tmp/platform-XXXXXX";
        int fd = mkstemp(path);

        (void)state;
        unlink(path);
        assert_int_equal(0, platform_flush(fd));
        assert_int_equal(0, platform_flush_data(fd));
        assert_int_equal(IS_APPLE ? 2 : 0, faked.full_flushes);
        assert_int_equal(IS_APPLE ? 0 : 2, faked.flushes);
        faked.fails_full_flush = true; /* a file system that has no such thing */
        assert_int_equal(0, platform_flush(fd));
        assert_int_equal(IS_APPLE ? 1 : 3, faked.flushes);
        faked.fails_flush = true;
        assert_int_equal(-1, platform_flush(fd));
        assert_int_equal(EIO, errno);
        assert_int_equal(-1, platform_flush_data(fd));
        close(fd);
}

static void the_time_of_a_change_is_exact(void **state)
{
        const struct timespec times[] = {{1, 2}, {1700000000, 123456789}};
        char path[] = "/tmp/platform-XXXXXX";
        int fd = mkstemp(path);
        struct stat info;

        (void)state;
        unlink(path);
        assert_int_equal(0, futimens(fd, times));
        assert_int_equal(0, fstat(fd, &info));
        assert_true(platform_mtime_ns(&info) == INT64_C(1700000000123456789));
        close(fd);
}

static void an_error_has_words_that_fit(void **state)
{
        char room[64], tight[6];

        (void)state;
        assert_ptr_equal(room, platform_error_text(ECONNREFUSED, room, sizeof(room)));
        assert_string_equal("Connection refused", room);
        platform_error_text(ECONNREFUSED, tight, sizeof(tight));
        assert_true(memchr(tight, '\0', sizeof(tight)) && strlen(tight) > 0);
        platform_error_text(98765, room, sizeof(room));
        assert_non_null(strstr(room, "98765"));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup(name, forget_faults)
        const struct CMUnitTest tests[] = {
                T(a_wake_is_never_lost),
                T(however_often_it_is_woken_nobody_waits_and_one_look_clears_it),
                T(a_closed_waker_leaves_no_descriptor_and_does_nothing),
                T(without_descriptors_there_is_no_waker_and_none_is_kept),
                T(no_descriptor_goes_to_a_program_that_is_started),
                T(a_moved_descriptor_is_the_other_one_and_nothing_is_left),
                T(a_move_that_fails_says_why_and_keeps_nothing),
                T(a_door_can_be_connected_to_and_is_gone_when_it_is_closed),
                T(writing_to_who_has_gone_is_an_error_and_no_signal),
                T(a_wait_lasts_until_its_time_and_no_longer),
                T(a_wait_that_the_system_ends_too_early_is_not_over),
                T(setting_the_clock_makes_no_wait_longer_or_shorter),
                T(a_wait_ends_when_it_is_signalled),
                T(one_clock_follows_the_device_and_the_other_does_not),
                T(randomness_fills_everything),
                T(without_randomness_there_are_zeros_and_it_is_said),
                T(a_client_does_not_open_without_randomness),
                T(a_secret_begins_as_zeros_and_is_overwritten_at_its_end),
                T(flushing_goes_through_to_the_disk_and_tells_when_it_does_not),
                T(the_time_of_a_change_is_exact),
                T(an_error_has_words_that_fit),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
