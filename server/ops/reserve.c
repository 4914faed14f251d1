/* SPDX-License-Identifier: Apache-2.0 */
/* Reserve: see reserve.h. Blocks are really allocated; a sparse file would keep nothing. */
#include "ops/reserve.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ops/files.h"

static bool is_whole(const char *path)
{
        struct stat st;

        return stat(path, &st) == 0 && st.st_size == RESERVE_BYTES && (int64_t)st.st_blocks * 512 >= RESERVE_BYTES;
}

static int allocate(const char *path)
{
        int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
                return -errno;
        int rc = -posix_fallocate(fd, 0, RESERVE_BYTES);
        if (rc == 0 && fsync(fd) < 0)
                rc = -errno;
        close(fd);
        if (rc < 0)
                unlink(path);
        return rc;
}

int reserve_make(const char *dir)
{
        char *path = files_path(dir, "reserve");
        if (!path)
                return -ENOMEM;
        int rc = is_whole(path) ? 0 : allocate(path);
        free(path);
        return rc;
}

int reserve_release(const char *dir)
{
        char *path = files_path(dir, "reserve");
        if (!path)
                return -ENOMEM;
        int rc = unlink(path) < 0 && errno != ENOENT ? -errno : 0;
        free(path);
        return rc;
}

bool reserve_is_held(const char *dir)
{
        char *path = files_path(dir, "reserve");
        bool held = path && is_whole(path);

        free(path);
        return held;
}
