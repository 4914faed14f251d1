/* SPDX-License-Identifier: Apache-2.0 */
/* The stand-in of apple_calls.h, made of Linux's calls. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "faked.h"

enum { FULL_FSYNC = 51, NO_SIGPIPE = 0x1022, FDS_MAX = 1024 };

static bool is_quiet[FDS_MAX]; /* SO_NOSIGPIPE was set */

int apple_fcntl(int fd, int command, ...);
ssize_t apple_send(int fd, const void *bytes, size_t len, int flags);
int apple_setsockopt(int fd, int level, int option, const void *value, socklen_t len);
int pthread_cond_timedwait_relative_np(pthread_cond_t *cond, pthread_mutex_t *lock, const struct timespec *left);

int apple_fcntl(int fd, int command, ...)
{
        va_list args;
        int value;

        if (command == FULL_FSYNC) {
                faked.full_flushes++;
                errno = ENOTSUP;
                return faked.fails_full_flush ? -1 : 0;
        }
        va_start(args, command);
        value = va_arg(args, int);
        va_end(args);
        return fcntl(fd, command, value);
}

ssize_t apple_send(int fd, const void *bytes, size_t len, int flags)
{
        return send(fd, bytes, len, flags | (is_quiet[fd] ? MSG_NOSIGNAL : 0));
}

int apple_setsockopt(int fd, int level, int option, const void *value, socklen_t len)
{
        if (level != SOL_SOCKET || option != NO_SIGPIPE)
                return setsockopt(fd, level, option, value, len);
        is_quiet[fd] = *(const int *)value != 0;
        return 0;
}

int pthread_cond_timedwait_relative_np(pthread_cond_t *cond, pthread_mutex_t *lock, const struct timespec *left)
{
        struct timespec until;

        if (faked.early_ends) {
                faked.early_ends--;
                return ETIMEDOUT;
        }
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += left->tv_sec + (until.tv_nsec + left->tv_nsec) / 1000000000;
        until.tv_nsec = (until.tv_nsec + left->tv_nsec) % 1000000000;
        return pthread_cond_clockwait(cond, lock, CLOCK_MONOTONIC, &until);
}
