/* SPDX-License-Identifier: Apache-2.0 */
#include "files/layout.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ops/files.h"

void file_id_write(char out_text[FILE_ID_TEXT], const uint8_t id[FILE_ID_BYTES])
{
        static const char digits[] = "0123456789abcdef";
        for (size_t i = 0; i < FILE_ID_BYTES; i++) {
                out_text[2 * i] = digits[id[i] >> 4];
                out_text[2 * i + 1] = digits[id[i] & 15];
        }
}

static int digit_of(char c)
{
        return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int file_id_read(struct span text, uint8_t out_id[FILE_ID_BYTES])
{
        uint8_t id[FILE_ID_BYTES];
        if (text.len != FILE_ID_TEXT)
                return -1;
        for (size_t i = 0; i < FILE_ID_BYTES; i++) {
                int high = digit_of(text.at[2 * i]), low = digit_of(text.at[2 * i + 1]);
                if (high < 0 || low < 0)
                        return -1;
                id[i] = (uint8_t)(high << 4 | low);
        }
        memcpy(out_id, id, sizeof id);
        return 0;
}

static char *path_of(const char *data_dir, const char *folder, int folder_len, const uint8_t id[FILE_ID_BYTES])
{
        char name[FILE_ID_TEXT], *path = NULL;
        file_id_write(name, id);
        if (asprintf(&path, "%s/files/%.*s/%.*s", data_dir, folder ? folder_len : 2, folder ? folder : name,
                     FILE_ID_TEXT, name) < 0)
                return NULL;
        return path;
}

char *layout_whole(const char *data_dir, const uint8_t id[FILE_ID_BYTES])
{
        return path_of(data_dir, NULL, 0, id);
}

char *layout_part(const char *data_dir, const uint8_t id[FILE_ID_BYTES])
{
        return path_of(data_dir, "part", 4, id);
}

char *layout_whole_folder(const char *data_dir, const uint8_t id[FILE_ID_BYTES])
{
        char *path = layout_whole(data_dir, id);
        if (path)
                path[strlen(path) - FILE_ID_TEXT - 1] = 0;
        return path;
}

char *layout_part_folder(const char *data_dir)
{
        return files_path(data_dir, "files/part");
}

static int make_folder(const char *dir, const char *name)
{
        char *path = files_path(dir, name);
        if (!path)
                return -ENOMEM;
        int rc = mkdir(path, 0700) == 0 || errno == EEXIST ? 0 : -errno;
        free(path);
        return rc;
}

int layout_make(const char *data_dir)
{
        char *files = files_path(data_dir, "files");
        int rc = files ? make_folder(data_dir, "files") : -ENOMEM;
        if (rc == 0)
                rc = make_folder(data_dir, "files/part");
        if (rc == 0)
                rc = files_sync_dir(files);
        if (rc == 0)
                rc = files_sync_dir(data_dir);
        free(files);
        return rc;
}

/* Size of the file, flushed; -ENOENT when it is not there. */
static int64_t settled_size(char *path)
{
        if (!path)
                return -ENOMEM;
        struct stat facts;
        int64_t size = -ENOENT;
        int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0 || fsync(fd) < 0 || fstat(fd, &facts) < 0)
                size = -errno;
        else
                size = facts.st_size;
        if (fd >= 0)
                close(fd);
        free(path);
        return size;
}

static int64_t size_at(char *path)
{
        struct stat facts;
        int64_t size = !path ? -ENOMEM : lstat(path, &facts) < 0 ? -errno : (int64_t)facts.st_size;
        free(path);
        return size;
}

int64_t layout_offset(const char *data_dir, const uint8_t id[FILE_ID_BYTES])
{
        int64_t size = size_at(layout_part(data_dir, id));
        if (size == -ENOENT)
                size = size_at(layout_whole(data_dir, id));
        return size == -ENOENT ? 0 : size;
}

/* 1: removed, 0: kept, or a negative errno or answer of `keep`. */
static int sweep_part(int folder, const char *name, const char *data_dir,
                      int (*keep)(void *data, const uint8_t id[FILE_ID_BYTES]), void *data)
{
        uint8_t id[FILE_ID_BYTES];
        int wanted = file_id_read(span_of(name), id) == 0 ? keep(data, id) : 0;
        if (wanted < 0)
                return wanted;
        if (wanted == 0)
                return unlinkat(folder, name, 0) == 0 || errno == EISDIR ? 1 : -errno;
        int64_t size = settled_size(layout_part(data_dir, id));
        return size < 0 ? (int)size : 0;
}

int layout_sweep_parts(const char *data_dir, int (*keep)(void *data, const uint8_t id[FILE_ID_BYTES]), void *data)
{
        char *path = layout_part_folder(data_dir);
        DIR *folder = path ? opendir(path) : NULL;
        int rc = folder ? 0 : !path ? -ENOMEM : errno == ENOENT ? 0 : -errno, removed = 0;
        free(path);
        for (struct dirent *entry; rc >= 0 && folder && (entry = readdir(folder)) != NULL;) {
                if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
                        continue;
                rc = sweep_part(dirfd(folder), entry->d_name, data_dir, keep, data);
                removed += rc == 1;
        }
        if (folder)
                closedir(folder);
        return rc < 0 ? rc : removed;
}

static int walk_folder(const char *path, int (*found)(void *data, const uint8_t id[FILE_ID_BYTES], int64_t, int64_t),
                       void *data)
{
        DIR *folder = opendir(path);
        if (!folder)
                return -errno;
        int rc = 0;
        for (struct dirent *entry; rc == 0 && (entry = readdir(folder)) != NULL;) {
                uint8_t id[FILE_ID_BYTES];
                struct stat facts;
                if (file_id_read(span_of(entry->d_name), id) < 0)
                        continue;
                if (fstatat(dirfd(folder), entry->d_name, &facts, AT_SYMLINK_NOFOLLOW) < 0)
                        rc = errno == ENOENT ? 0 : -errno;
                else
                        rc = found(data, id, facts.st_size,
                                   (int64_t)facts.st_mtim.tv_sec * 1000 + facts.st_mtim.tv_nsec / 1000000);
        }
        closedir(folder);
        return rc;
}

int layout_walk(const char *data_dir,
                int (*found)(void *data, const uint8_t id[FILE_ID_BYTES], int64_t size, int64_t changed_ms), void *data)
{
        char *path = files_path(data_dir, "files");
        if (!path)
                return -ENOMEM;
        DIR *folder = opendir(path);
        int rc = folder || errno == ENOENT ? 0 : -errno;
        for (struct dirent *entry; rc == 0 && folder && (entry = readdir(folder)) != NULL;) {
                bool is_ours = strlen(entry->d_name) == 2 && digit_of(entry->d_name[0]) >= 0 &&
                               digit_of(entry->d_name[1]) >= 0;
                char *below = is_ours ? files_path(path, entry->d_name) : NULL;
                if (is_ours)
                        rc = below ? walk_folder(below, found, data) : -ENOMEM;
                free(below);
        }
        if (folder)
                closedir(folder);
        free(path);
        return rc;
}
