/* SPDX-License-Identifier: Apache-2.0 */
/* The local side of files: hashing, reading pieces of what is sent, writing what is received. What is sent must be what
 * it was when it was queued, by size and time of change; what is received takes its name only when it is whole. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "transfer.h"

static int64_t mtime_of(const struct stat *info)
{
        return (int64_t)info->st_mtim.tv_sec * 1000000000 + info->st_mtim.tv_nsec;
}

/* Opens a file that is to be sent and looks whether it is the one that was queued. -1 with the outcome set. */
static int open_source(struct job *job)
{
        struct stat info;
        int fd = open(job->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

        if (fd < 0 || fstat(fd, &info) < 0 || !S_ISREG(info.st_mode)) {
                job->outcome = JOB_MISSING;
        } else if (job->size >= 0 && (info.st_size != job->size || mtime_of(&info) != job->mtime_ns)) {
                job->outcome = JOB_CHANGED;
        } else if (info.st_size < 1) {
                job->outcome = JOB_CHANGED;
        } else {
                job->size = info.st_size;
                job->mtime_ns = mtime_of(&info);
                return fd;
        }
        if (fd >= 0)
                close(fd);
        return -1;
}

/* All of the file. False: cannot be read, or has another length. */
static bool hash_all(int fd, int64_t size, const atomic_bool *is_stopping, uint8_t out[32])
{
        enum { CHUNK = 65536 };
        EVP_MD_CTX *hash = EVP_MD_CTX_new();
        char *chunk = malloc(CHUNK);
        int64_t have = 0;
        ssize_t got = hash && chunk && EVP_DigestInit_ex(hash, EVP_sha256(), NULL) == 1 ? 1 : -1;

        while (got > 0 && !*is_stopping) {
                got = pread(fd, chunk, CHUNK, have);
                if (got < 0 && errno == EINTR)
                        got = 1;
                else if (got > 0 && EVP_DigestUpdate(hash, chunk, (size_t)got) == 1)
                        have += got;
        }
        bool is_whole = got == 0 && have == size && EVP_DigestFinal_ex(hash, out, NULL) == 1;
        EVP_MD_CTX_free(hash);
        free(chunk);
        return is_whole;
}

void transfer_hash(struct job *job, const atomic_bool *is_stopping)
{
        struct stat info;
        int fd = open_source(job);
        if (fd < 0)
                return;

        job->outcome = JOB_OK;
        if (!hash_all(fd, job->size, is_stopping, job->sha256))
                job->outcome = JOB_MISSING;
        /* Somebody may have written to it meanwhile. */
        if (fstat(fd, &info) < 0 || info.st_size != job->size || mtime_of(&info) != job->mtime_ns)
                job->outcome = JOB_CHANGED;
        close(fd);
}

int transfer_read(struct job *job, char out[JOB_PIECE_BYTES])
{
        int fd = open_source(job);
        int64_t have = 0;
        ssize_t got = 1;
        if (fd < 0)
                return -1;

        while (have < job->len && (got > 0 || errno == EINTR)) {
                got = pread(fd, out + have, (size_t)(job->len - have), job->offset + have);
                have += got > 0 ? got : 0;
                if (got == 0)
                        break;
        }
        close(fd);
        if (have == job->len)
                return 0;
        job->outcome = got < 0 ? JOB_MISSING : JOB_CHANGED;
        return -1;
}

/* ---- receiving --------------------------------------------------------------------------------------------------- */

int transfer_look(struct job *job)
{
        struct stat info;
        int fd = open(job->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
        int rc = fd < 0 || fstat(fd, &info) < 0 || !S_ISREG(info.st_mode) ? -1 : 0;

        if (rc == 0 && info.st_size > job->size) { /* not a part of this file */
                rc = ftruncate(fd, 0);
                info.st_size = 0;
        }
        if (rc == 0)
                job->offset = info.st_size;
        else
                job->outcome = JOB_DISK;
        if (fd >= 0)
                close(fd);
        return rc;
}

void transfer_append(struct job *job, const char *bytes, size_t len)
{
        int fd = open(job->path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        size_t have = 0;

        while (fd >= 0 && have < len) {
                ssize_t wrote = pwrite(fd, bytes + have, len - have, job->offset + (int64_t)have);
                if (wrote < 0 && errno != EINTR)
                        break;
                have += wrote > 0 ? (size_t)wrote : 0;
        }
        job->outcome = have == len && fd >= 0 ? JOB_OK : JOB_DISK;
        job->offset += (int64_t)have;
        if (fd >= 0)
                close(fd);
}

static bool sync_folder(const char *path)
{
        char *folder = strdup(path), *slash = folder ? strrchr(folder, '/') : NULL;
        int fd = -1;

        if (slash)
                slash[slash == folder] = '\0';
        if (folder)
                fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        free(folder);
        bool is_done = fd >= 0 && fsync(fd) == 0;
        if (fd >= 0)
                close(fd);
        return is_done;
}

void transfer_seal(struct job *job, const atomic_bool *is_stopping)
{
        uint8_t hash[32];
        int fd = open(job->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

        job->outcome = JOB_DISK;
        if (fd < 0)
                return;
        if (!hash_all(fd, job->size, is_stopping, hash) || memcmp(hash, job->sha256, sizeof(hash)) != 0)
                job->outcome = *is_stopping ? JOB_DISK : JOB_CHANGED;
        else if (fsync(fd) == 0 && rename(job->path, job->target) == 0 && sync_folder(job->target))
                job->outcome = JOB_OK;
        close(fd);
        if (job->outcome == JOB_CHANGED)
                unlink(job->path);
}
