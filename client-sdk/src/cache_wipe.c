/* SPDX-License-Identifier: Apache-2.0 */
/* The user's file: its end. Whatever stands beside it under its name (log, copies, files set aside) goes with it: each
 * file is overwritten, written through, and removed. The lock's file stays: somebody may wait for it. */
#include "cache_private.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "deskbell/deskbell.h"
#include "platform.h"

bool cache_overwrite(int fd)
{
        static char zeros[4096]; /* never written; not const, so that it takes no room in the library's file */
        struct stat info;
        off_t left = fstat(fd, &info) == 0 ? info.st_size : -1;

        if (left < 0)
                return false;
        while (left > 0) {
                ssize_t wrote = write(fd, zeros, left < (off_t)sizeof(zeros) ? (size_t)left : sizeof(zeros));
                if (wrote <= 0)
                        return false;
                left -= wrote;
        }
        return platform_flush_data(fd) == 0 && ftruncate(fd, 0) == 0;
}

/* Overwriting may fail (a disk that is read-only, or broken); the file is removed all the same. */
bool cache_wipe_file(int dir, const char *name)
{
        int fd = openat(dir, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
        bool is_over = fd >= 0 && cache_overwrite(fd);

        if (fd >= 0)
                close(fd);
        return unlinkat(dir, name, 0) == 0 && is_over;
}

static bool is_folder(int dir, const char *name)
{
        struct stat info;

        return fstatat(dir, name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(info.st_mode);
}

static bool wipe_folder(int parent, const char *name)
{
        int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
        struct dirent *entry;
        bool is_ok = dir != NULL;

        while (dir && (entry = readdir(dir)))
                if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
                        is_ok &= cache_wipe_file(dirfd(dir), entry->d_name);
        if (dir)
                closedir(dir);
        else if (fd >= 0)
                close(fd);
        return unlinkat(parent, name, AT_REMOVEDIR) == 0 && is_ok;
}

/* Of the file `base`, but not its lock. */
static bool belongs(const char *name, const char *base)
{
        size_t len = strlen(base);

        return strncmp(name, base, len) == 0 && (name[len] == '\0' || name[len] == '-' || name[len] == '.') &&
               strcmp(name + len, ".lock") != 0;
}

int cache_wipe(const char *path)
{
        const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
        char *folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
        DIR *dir = folder ? opendir(folder) : NULL;
        struct dirent *entry;
        bool is_ok = true;

        free(folder);
        if (!dir)
                return DESKBELL_E_STORE;
        while ((entry = readdir(dir))) {
                if (!belongs(entry->d_name, base))
                        continue;
                is_ok &= is_folder(dirfd(dir), entry->d_name) ? wipe_folder(dirfd(dir), entry->d_name)
                                                              : cache_wipe_file(dirfd(dir), entry->d_name);
        }
        is_ok &= platform_flush(dirfd(dir)) == 0;
        closedir(dir);
        return is_ok ? 0 : DESKBELL_E_STORE;
}

void cache_wipe_at_close(struct cache *cache, const char *path, int *out_rc)
{
        cache->wipe_path = path;
        cache->wipe_rc = out_rc;
}
