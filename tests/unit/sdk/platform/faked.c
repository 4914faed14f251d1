/* SPDX-License-Identifier: Apache-2.0 */
/* The linker sends these calls here (--wrap). */
#include "faked.h"

#include <errno.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

struct faked faked;

int __real_clock_gettime(clockid_t clock, struct timespec *out);
int __wrap_clock_gettime(clockid_t clock, struct timespec *out);
int __real_pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *lock, const struct timespec *until);
int __wrap_pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *lock, const struct timespec *until);
ssize_t __real_getrandom(void *out, size_t len, unsigned int flags);
ssize_t __wrap_getrandom(void *out, size_t len, unsigned int flags);
int __real_RAND_bytes(unsigned char *out, int len);
int __wrap_RAND_bytes(unsigned char *out, int len);
int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);
int __real_munmap(void *at, size_t bytes);
int __wrap_munmap(void *at, size_t bytes);

int __wrap_clock_gettime(clockid_t clock, struct timespec *out)
{
        int rc = __real_clock_gettime(clock, out);

        if (clock == CLOCK_REALTIME)
                out->tv_sec += faked.wall_ahead_s;
        return rc;
}

int __wrap_pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *lock, const struct timespec *until)
{
        if (faked.early_ends) {
                faked.early_ends--;
                return ETIMEDOUT;
        }
        return __real_pthread_cond_timedwait(cond, lock, until);
}

ssize_t __wrap_getrandom(void *out, size_t len, unsigned int flags)
{
        if (faked.interrupted || faked.has_no_random) {
                errno = faked.interrupted ? EINTR : ENOSYS;
                faked.interrupted -= faked.interrupted > 0;
                return -1;
        }
        size_t most = faked.random_at_once ? (size_t)faked.random_at_once : len;
        return __real_getrandom(out, most < len ? most : len, flags);
}

int __wrap_RAND_bytes(unsigned char *out, int len)
{
        return faked.has_no_random ? 0 : __real_RAND_bytes(out, len);
}

static int flush(int fd, int (*real)(int fd))
{
        faked.flushes++;
        errno = EIO;
        return faked.fails_flush ? -1 : real(fd);
}

int __wrap_fsync(int fd)
{
        return flush(fd, __real_fsync);
}

int __wrap_fdatasync(int fd)
{
        return flush(fd, __real_fdatasync);
}

int __wrap_munmap(void *at, size_t bytes)
{
        size_t zeros = 0;

        while (zeros < bytes && ((const char *)at)[zeros] == 0)
                zeros++;
        faked.overwritten_unmaps += zeros == bytes;
        return __real_munmap(at, bytes);
}
