/* SPDX-License-Identifier: Apache-2.0 */
/* Lock: see lock.h. The file is never removed: removing it would let two processes lock two files of one name. */
#include "ops/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "ops/files.h"

__attribute__((format(printf, 2, 3))) static void explain(char **out_why, const char *format, ...)
{
        va_list args;

        if (!out_why)
                return;
        va_start(args, format);
        if (vasprintf(out_why, format, args) < 0)
                *out_why = NULL;
        va_end(args);
}

static long holder_of(int fd)
{
        char text[24];
        ssize_t len = pread(fd, text, sizeof(text) - 1, 0);

        if (len <= 0)
                return 0;
        text[len] = '\0';
        return strtol(text, NULL, 10);
}

static void sign(int fd)
{
        char text[24];
        int len = snprintf(text, sizeof(text), "%ld\n", (long)getpid());

        /* Only for the message: a disk without room for five bytes must not keep the server from starting. */
        if (ftruncate(fd, 0) == 0 && pwrite(fd, text, (size_t)len, 0) != len)
                errno = 0;
}

int lock_take(const char *dir, int *out_fd, char **out_why)
{
        char *path = files_path(dir, "lock");
        if (!path)
                return -ENOMEM;
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        int rc = fd < 0 ? -errno : 0;

        if (fd < 0) {
                explain(out_why, "%s: %s", path, strerror(-rc));
        } else if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
                rc = -errno;
                if (rc == -EWOULDBLOCK)
                        explain(out_why, "%s: in use by the process %ld", dir, holder_of(fd));
                else
                        explain(out_why, "%s: cannot lock: %s", path, strerror(-rc));
                close(fd);
        } else {
                sign(fd);
                *out_fd = fd;
        }
        free(path);
        return rc;
}

void lock_drop(int fd)
{
        if (fd >= 0)
                close(fd);
}
