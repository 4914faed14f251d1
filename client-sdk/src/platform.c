/* SPDX-License-Identifier: Apache-2.0 */
/* Platform: what both forms have in common. The calls are POSIX's; where Apple's systems lack one or spell it another
 * way, theirs stands beside it. */
#include "platform.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#ifdef __APPLE__
#include <fcntl.h>
#endif

#ifndef MAP_ANONYMOUS
#define MAP_ANONYMOUS MAP_ANON
#endif

/* ---- clocks and waiting ------------------------------------------------------------------------------------------ */

static int64_t read_clock(clockid_t clock)
{
        struct timespec now;

        clock_gettime(clock, &now);
        return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct timespec from_ms(int64_t ms)
{
        if (ms < 0)
                ms = 0;
        return (struct timespec){.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};
}

int64_t platform_wall_ms(void)
{
        return read_clock(CLOCK_REALTIME);
}

#ifdef __APPLE__

int64_t platform_mono_ms(void)
{
        return read_clock(CLOCK_MONOTONIC_RAW); /* theirs without RAW is made of the wall clock */
}

void platform_cond_init(pthread_cond_t *cond)
{
        pthread_cond_init(cond, NULL);
}

static int wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t until_ms)
{
        struct timespec left = from_ms(until_ms - platform_mono_ms());

        return pthread_cond_timedwait_relative_np(cond, lock, &left);
}

#else

int64_t platform_mono_ms(void)
{
        return read_clock(CLOCK_MONOTONIC);
}

void platform_cond_init(pthread_cond_t *cond)
{
        pthread_condattr_t monotonic;

        pthread_condattr_init(&monotonic);
        pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
        pthread_cond_init(cond, &monotonic);
        pthread_condattr_destroy(&monotonic);
}

static int wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t until_ms)
{
        struct timespec until = from_ms(until_ms);

        return pthread_cond_timedwait(cond, lock, &until);
}

#endif

bool platform_cond_wait(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t until_ms)
{
        return wait_until(cond, lock, until_ms) != ETIMEDOUT || platform_mono_ms() < until_ms;
}

/* ---- wakers: eight bytes each time, as an eventfd wants them; a pipe does not mind ------------------------------- */

void platform_waker_wake(const struct platform_waker *waker)
{
        uint64_t one = 1;

        if (waker->end >= 0 && write(waker->end, &one, sizeof(one)) < 0)
                return; /* it is full: readable already */
}

void platform_waker_clear(const struct platform_waker *waker)
{
        char bytes[256];

        if (waker->fd < 0)
                return;
        while (read(waker->fd, bytes, sizeof(bytes)) == sizeof(bytes))
                continue;
}

void platform_waker_close(struct platform_waker *waker)
{
        if (waker->fd >= 0)
                close(waker->fd);
        if (waker->end >= 0 && waker->end != waker->fd)
                close(waker->end);
        *waker = PLATFORM_NO_WAKER;
}

/* ---- descriptors ------------------------------------------------------------------------------------------------- */

ssize_t platform_send(int fd, const void *bytes, size_t len)
{
#ifdef __APPLE__
        return send(fd, bytes, len, 0); /* platform_socket has set SO_NOSIGPIPE */
#else
        return send(fd, bytes, len, MSG_NOSIGNAL);
#endif
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

#ifdef __APPLE__

/* Their fsync leaves it in the drive's cache. File systems without the other call have nothing better. */
int platform_flush(int fd)
{
        return fcntl(fd, F_FULLFSYNC) == -1 ? fsync(fd) : 0;
}

int platform_flush_data(int fd)
{
        return platform_flush(fd);
}

int64_t platform_mtime_ns(const struct stat *info)
{
        return (int64_t)info->st_mtimespec.tv_sec * 1000000000 + info->st_mtimespec.tv_nsec;
}

#else

int platform_flush(int fd)
{
        return fsync(fd);
}

int platform_flush_data(int fd)
{
        return fdatasync(fd);
}

int64_t platform_mtime_ns(const struct stat *info)
{
        return (int64_t)info->st_mtim.tv_sec * 1000000000 + info->st_mtim.tv_nsec;
}

#endif

/* ---- secrets ----------------------------------------------------------------------------------------------------- */

void *platform_secret_new(size_t bytes)
{
        void *secret = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (secret == MAP_FAILED)
                return NULL;

        mlock(secret, bytes);
#ifdef MADV_DONTDUMP
        madvise(secret, bytes, MADV_DONTDUMP);
#endif
        return secret;
}

void platform_secret_free(void *secret, size_t bytes)
{
        OPENSSL_cleanse(secret, bytes);
        munlock(secret, bytes);
        munmap(secret, bytes);
}
