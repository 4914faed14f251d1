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

#include "folder.h"
#include "platform.h"
#include "seal.h"
#include "transfer.h"

/* What it takes on the disk. */
static int64_t bytes_on_disk(const struct job *job)
{
        return job->has_secret ? seal_file_size(job->size) : job->size;
}

/* As pread; of a sealed copy what it holds. What is not as it was sealed has its end there. */
static ssize_t read_part(const struct job *job, int fd, void *out, size_t len, int64_t offset)
{
        if (!job->has_secret)
                return pread(fd, out, len, offset);
        if ((int64_t)len > job->size - offset)
                len = offset < job->size ? (size_t)(job->size - offset) : 0;
        errno = 0;
        int rc = seal_file_read(fd, job->secret, 0, job->size, offset, out, len);
        if (rc < 0)
                return rc == SEAL_REFUSED ? 0 : -1;
        return (ssize_t)len;
}

/* Opens a file that is to be sent and looks whether it is the one that was queued. -1 with the outcome set. */
static int open_source(struct job *job)
{
        struct stat info;
        int fd = open(job->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

        if (fd < 0 || fstat(fd, &info) < 0 || !S_ISREG(info.st_mode)) {
                job->outcome = JOB_MISSING;
        } else if (job->size >= 0 &&
                   (info.st_size != bytes_on_disk(job) || platform_mtime_ns(&info) != job->mtime_ns)) {
                job->outcome = JOB_CHANGED;
        } else if (info.st_size < 1) {
                job->outcome = JOB_CHANGED;
        } else {
                job->size = job->has_secret ? job->size : info.st_size;
                job->mtime_ns = platform_mtime_ns(&info);
                return fd;
        }
        if (fd >= 0)
                close(fd);
        return -1;
}

/* All of the file. JOB_MISSING: it cannot be read; JOB_CHANGED: it has another length. */
static enum job_outcome hash_all(const struct job *job, int fd, const atomic_bool *is_stopping, uint8_t out[32])
{
        enum { CHUNK = 65536 };
        EVP_MD_CTX *hash = EVP_MD_CTX_new();
        char *chunk = malloc(CHUNK);
        int64_t have = 0;
        bool has_begun = hash && chunk && EVP_DigestInit_ex(hash, EVP_sha256(), NULL) == 1;
        ssize_t got = has_begun ? 1 : -1;

        while (got > 0 && !*is_stopping) {
                got = read_part(job, fd, chunk, CHUNK, have);
                if (got < 0 && errno == EINTR)
                        got = 1;
                else if (got > 0 && EVP_DigestUpdate(hash, chunk, (size_t)got) == 1)
                        have += got;
        }
        enum job_outcome outcome = JOB_OK;
        if (got != 0)
                outcome = has_begun ? JOB_MISSING : JOB_NO_MEMORY;
        else if (have != job->size)
                outcome = JOB_CHANGED;
        else if (EVP_DigestFinal_ex(hash, out, NULL) != 1)
                outcome = JOB_NO_MEMORY;
        EVP_MD_CTX_free(hash);
        free(chunk);
        return outcome;
}

void transfer_hash(struct job *job, const atomic_bool *is_stopping)
{
        struct stat info;
        int fd = open_source(job);
        if (fd < 0)
                return;

        job->outcome = hash_all(job, fd, is_stopping, job->sha256);
        /* Somebody may have written to it meanwhile. */
        if (fstat(fd, &info) < 0 || info.st_size != bytes_on_disk(job) || platform_mtime_ns(&info) != job->mtime_ns)
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
                got = read_part(job, fd, out + have, (size_t)(job->len - have), job->offset + have);
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

/* The name may not last: it is a part again, for the next fetch. */
static enum job_outcome take_name_back(const struct job *job)
{
        rename(job->target, job->path); /* if this fails too, the whole file is there all the same */
        return JOB_DISK;
}

void transfer_seal(struct job *job, const atomic_bool *is_stopping)
{
        uint8_t hash[32];
        int fd = open(job->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

        job->outcome = JOB_DISK;
        if (fd < 0)
                return;
        enum job_outcome is = hash_all(job, fd, is_stopping, hash);
        if (is == JOB_NO_MEMORY)
                job->outcome = is;
        else if (is == JOB_CHANGED || (is == JOB_OK && memcmp(hash, job->sha256, sizeof(hash)) != 0))
                job->outcome = *is_stopping ? JOB_DISK : JOB_CHANGED;
        else if (is == JOB_OK && platform_flush(fd) == 0 && rename(job->path, job->target) == 0)
                job->outcome = folder_sync_of(job->target) ? JOB_OK : take_name_back(job);
        close(fd);
        if (job->outcome == JOB_CHANGED)
                unlink(job->path);
}
