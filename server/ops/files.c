/* SPDX-License-Identifier: Apache-2.0 */
/* Files: see files.h. */
#include "ops/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

char *files_path(const char *dir, const char *name)
{
        char *path = NULL;

        return asprintf(&path, "%s/%s", dir, name) < 0 ? NULL : path;
}

int files_sync_dir(const char *dir)
{
        int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        int rc = fsync(fd) < 0 ? -errno : 0;
        close(fd);
        return rc;
}

static int write_all(int fd, struct span bytes)
{
        while (bytes.len > 0) {
                ssize_t wrote = write(fd, bytes.at, bytes.len);
                if (wrote < 0 && errno == EINTR)
                        continue;
                if (wrote < 0)
                        return -errno;
                bytes.at += wrote;
                bytes.len -= (size_t)wrote;
        }
        return 0;
}

static int write_synced(const char *path, struct span bytes)
{
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
                return -errno;
        int rc = write_all(fd, bytes);
        if (rc == 0 && fsync(fd) < 0)
                rc = -errno;
        close(fd);
        return rc;
}

int files_replace(const char *dir, const char *name, struct span bytes)
{
        char *path = files_path(dir, name);
        char *fresh = NULL;
        int rc = -ENOMEM;

        if (path && asprintf(&fresh, "%s.new", path) >= 0) {
                rc = write_synced(fresh, bytes);
                if (rc == 0 && rename(fresh, path) < 0)
                        rc = -errno;
                if (rc < 0)
                        unlink(fresh);
                else
                        rc = files_sync_dir(dir);
                free(fresh);
        }
        free(path);
        return rc;
}

static int read_all(int fd, char *out, size_t room, size_t *out_len)
{
        size_t len = 0;

        for (;;) {
                char spare;
                ssize_t got = read(fd, len < room ? out + len : &spare, len < room ? room - len : 1);
                if (got < 0 && errno == EINTR)
                        continue;
                if (got < 0)
                        return -errno;
                if (got == 0)
                        break;
                if (len == room)
                        return -EFBIG;
                len += (size_t)got;
        }
        *out_len = len;
        return 0;
}

int files_read(const char *dir, const char *name, char *out_bytes, size_t room, size_t *out_len)
{
        char *path = dir ? files_path(dir, name) : strdup(name);
        if (!path)
                return -ENOMEM;
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        int rc = fd < 0 ? -errno : read_all(fd, out_bytes, room, out_len);
        if (fd >= 0)
                close(fd);
        free(path);
        return rc;
}
