/* SPDX-License-Identifier: Apache-2.0 */
/* Preloaded into the server by the rigs: the n-th fsync or fdatasync of a file whose name contains FAIL_FSYNC_NAME
 * answers EIO, once; all others pass. FAIL_FSYNC_AT is n, counted from 1; the moment of the failure is written to
 * FAIL_FSYNC_REPORT (CLOCK_MONOTONIC, ns). Without FAIL_FSYNC_AT nothing fails. Any thread. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static atomic_long calls;

static bool is_meant(int fd)
{
        char link[64], path[4096];
        snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        ssize_t len = readlink(link, path, sizeof(path) - 1);
        if (len < 0)
                return false;
        path[len] = '\0';
        const char *name = getenv("FAIL_FSYNC_NAME");
        return !name || strstr(path, name) != NULL;
}

static void report(void)
{
        const char *path = getenv("FAIL_FSYNC_REPORT");
        struct timespec now;
        if (!path || clock_gettime(CLOCK_MONOTONIC, &now) != 0)
                return;
        char line[64];
        int len = snprintf(line, sizeof(line), "%lld\n", (long long)now.tv_sec * 1000000000 + now.tv_nsec);
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        if (fd < 0)
                return;
        if (write(fd, line, (size_t)len) != len)
                abort();
        close(fd);
}

static bool fails_now(int fd)
{
        const char *at = getenv("FAIL_FSYNC_AT");
        if (!at || !is_meant(fd))
                return false;
        if (atomic_fetch_add(&calls, 1) + 1 != strtol(at, NULL, 10))
                return false;
        report();
        errno = EIO;
        return true;
}

static int call_next(const char *name, int fd)
{
        union {
                void *object;
                int (*function)(int);
        } next = {.object = dlsym(RTLD_NEXT, name)};
        return next.function(fd);
}

int fsync(int fd)
{
        return fails_now(fd) ? -1 : call_next("fsync", fd);
}

int fdatasync(int fd)
{
        return fails_now(fd) ? -1 : call_next("fdatasync", fd);
}
