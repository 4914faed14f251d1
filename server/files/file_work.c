/* SPDX-License-Identifier: Apache-2.0 */
#include "files/file_work.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ops/files.h"

enum { HASH_PIECE = 256 * 1024 };

static void count(_Atomic uint64_t *figure, uint64_t by)
{
        atomic_fetch_add_explicit(figure, by, memory_order_relaxed);
}

/* The disk has failed, or is full: an error of the protocol. */
static int disk_error(struct file_thread *thread, int error, const char *what)
{
        if (error == ENOSPC || error == EDQUOT)
                return -PROTOCOL_ERR_STORAGE_FULL;
        count(&thread->failures, 1);
        log_error(&thread->log, "a file could not be used", "doing", what, "errno", error);
        return -PROTOCOL_ERR_INTERNAL;
}

/* ---- parts ---- */

static struct part **find_part(struct file_thread *thread, const uint8_t id[FILE_ID_BYTES])
{
        struct part **link = &thread->parts;
        while (*link && memcmp((*link)->id, id, FILE_ID_BYTES) != 0)
                link = &(*link)->next;
        return link;
}

/* On disk, size and all. */
static int settle(struct file_thread *thread, struct part *part)
{
        if (part->unsynced == 0)
                return 0;
        if (fdatasync(part->fd) < 0)
                return disk_error(thread, errno, "flush");
        part->unsynced = 0;
        return 0;
}

static int end_part(struct file_thread *thread, struct part **link)
{
        struct part *part = *link;
        int rc = settle(thread, part);
        *link = part->next;
        close(part->fd);
        free(part);
        return rc;
}

static int end_part_of(struct file_thread *thread, const uint8_t id[FILE_ID_BYTES])
{
        struct part **link = find_part(thread, id);
        return *link ? end_part(thread, link) : 0;
}

static int open_at(char *path, int flags)
{
        int fd = path ? open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;
        int error = path ? errno : ENOMEM;
        free(path);
        return fd >= 0 ? fd : -error;
}

static int64_t size_of(int fd)
{
        struct stat facts;
        return fstat(fd, &facts) < 0 ? -errno : S_ISREG(facts.st_mode) ? (int64_t)facts.st_size : -EINVAL;
}

static bool has_room(const struct file_thread *thread, int64_t bytes)
{
        int64_t free_bytes = file_store_free_bytes(thread->data_dir);
        return free_bytes < 0 || free_bytes >= thread->reserve_bytes + bytes;
}

/* The file to go on with; a whole one can only be asked how long it is. */
static int open_part(struct file_thread *thread, const struct file_job *job, bool *out_is_whole)
{
        *out_is_whole = false;
        int fd = open_at(layout_part(thread->data_dir, job->id), O_RDWR);
        if (fd != -ENOENT)
                return fd;
        fd = open_at(layout_whole(thread->data_dir, job->id), O_RDONLY);
        *out_is_whole = fd >= 0;
        return fd != -ENOENT ? fd : open_at(layout_part(thread->data_dir, job->id), O_RDWR | O_CREAT);
}

static int put_begin(struct file_thread *thread, struct file_job *job)
{
        bool is_whole;
        int rc = end_part_of(thread, job->id);
        if (rc == 0 && !has_room(thread, 0))
                rc = -PROTOCOL_ERR_STORAGE_FULL;
        if (rc < 0)
                return rc;
        int fd = open_part(thread, job, &is_whole);
        if (fd < 0)
                return disk_error(thread, -fd, "open");
        int64_t size = size_of(fd);
        struct part *part = size >= 0 && size == job->offset && !is_whole ? calloc(1, sizeof *part) : NULL;
        if (!part) {
                close(fd);
                if (size < 0)
                        return disk_error(thread, (int)-size, "look");
                bool is_right = size == job->offset;
                job->offset = size;
                return !is_right ? -PROTOCOL_ERR_WRONG_OFFSET : is_whole ? 0 : -PROTOCOL_ERR_INTERNAL;
        }
        memcpy(part->id, job->id, sizeof part->id);
        part->claim = job->claim;
        part->fd = fd;
        part->size = size;
        part->unsynced = 1; /* nothing is known of what lies there: it is flushed before it is told of */
        part->next = thread->parts;
        thread->parts = part;
        return 0;
}

static int append(struct file_thread *thread, struct part *part, const char *bytes, size_t len)
{
        while (len > 0) {
                ssize_t put = pwrite(part->fd, bytes, len, part->size);
                if (put < 0 && errno == EINTR)
                        continue;
                if (put <= 0)
                        return disk_error(thread, put < 0 ? errno : ENOSPC, "write");
                part->size += put;
                part->unsynced += put;
                bytes += put;
                len -= (size_t)put;
                count(&thread->bytes_in, (uint64_t)put);
        }
        return 0;
}

static int put_bytes(struct file_thread *thread, struct file_job *job)
{
        struct part *part = *find_part(thread, job->id);
        if (!part || part->claim != job->claim)
                return -PROTOCOL_ERR_CONFLICT;
        int rc = append(thread, part, job->bytes, job->len);
        if (rc == 0 && part->unsynced >= PROTOCOL_PIECE_BYTES)
                rc = has_room(thread, 0) ? settle(thread, part) : -PROTOCOL_ERR_STORAGE_FULL;
        job->offset = part->size;
        return rc;
}

static int put_end(struct file_thread *thread, struct file_job *job)
{
        struct part **link = find_part(thread, job->id);
        if (*link && (*link)->claim == job->claim) {
                job->offset = (*link)->size;
                return end_part(thread, link);
        }
        int fd = *link ? -ENOENT : open_at(layout_whole(thread->data_dir, job->id), O_RDONLY);
        if (fd < 0)
                return -PROTOCOL_ERR_CONFLICT;
        job->offset = size_of(fd); /* it was whole already: nothing was written */
        close(fd);
        return job->offset < 0 ? -PROTOCOL_ERR_INTERNAL : 0;
}

/* ---- the end of an upload ---- */

/* SHA-256 of the whole file, and the first of its bytes. */
static int sum_file(int fd, uint8_t out_sum[FILE_SUM_BYTES], char *head, size_t *out_head_len)
{
        char *piece = malloc(HASH_PIECE);
        EVP_MD_CTX *context = EVP_MD_CTX_new();
        int rc = piece && context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1 ? 0 : -ENOMEM;
        int64_t at = 0;
        *out_head_len = 0;
        while (rc == 0) {
                ssize_t got = pread(fd, piece, HASH_PIECE, at);
                if (got < 0 && errno == EINTR)
                        continue;
                if (got <= 0) {
                        rc = got < 0 ? -errno : 0;
                        break;
                }
                if (at == 0) {
                        *out_head_len = (size_t)got;
                        memcpy(head, piece, *out_head_len);
                }
                at += got;
                if (EVP_DigestUpdate(context, piece, (size_t)got) != 1)
                        rc = -ENOMEM;
        }
        if (rc == 0 && EVP_DigestFinal_ex(context, out_sum, NULL) != 1)
                rc = -ENOMEM;
        EVP_MD_CTX_free(context);
        free(piece);
        return rc;
}

static int sync_dir_of(char *path)
{
        int rc = path ? files_sync_dir(path) : -ENOMEM;
        free(path);
        return rc;
}

/* From part/ to its place; afterwards a power cut finds it there. */
static int put_in_place(const struct file_thread *thread, const uint8_t id[FILE_ID_BYTES])
{
        char *from = layout_part(thread->data_dir, id), *to = layout_whole(thread->data_dir, id);
        char *folder = layout_whole_folder(thread->data_dir, id), *files = files_path(thread->data_dir, "files");
        int rc = from && to && folder && files ? 0 : -ENOMEM;
        if (rc == 0 && mkdir(folder, 0700) < 0 && errno != EEXIST)
                rc = -errno;
        if (rc == 0)
                rc = files_sync_dir(files);
        if (rc == 0 && rename(from, to) < 0)
                rc = -errno;
        if (rc == 0)
                rc = files_sync_dir(folder);
        if (rc == 0)
                rc = sync_dir_of(layout_part_folder(thread->data_dir));
        free(from);
        free(to);
        free(folder);
        free(files);
        return rc;
}

static void unlink_at(char *path)
{
        if (path)
                unlink(path);
        free(path);
}

/* Looks at the bytes of an upload: 0 when they are what they should be. */
static int examine(struct file_thread *thread, struct file_job *job, int fd)
{
        uint8_t sum[FILE_SUM_BYTES];
        size_t head_len = 0;
        int64_t size = size_of(fd);
        if (size < 0)
                return disk_error(thread, (int)-size, "look");
        job->offset = size;
        if (size < job->size)
                return -PROTOCOL_ERR_INCOMPLETE;
        char *head = malloc(HASH_PIECE);
        int rc = head ? sum_file(fd, sum, head, &head_len) : -ENOMEM;
        if (rc == 0)
                job->facts = media_look((struct span){head, head_len}, (struct span){job->bytes, job->len});
        free(head);
        if (rc < 0)
                return disk_error(thread, -rc, "read");
        return size == job->size && memcmp(sum, job->sha256, sizeof sum) == 0 ? 0 : -PROTOCOL_ERR_WRONG_HASH;
}

static int finish(struct file_thread *thread, struct file_job *job)
{
        int rc = end_part_of(thread, job->id);
        if (rc < 0)
                return rc;
        int fd = open_at(layout_part(thread->data_dir, job->id), O_RDONLY);
        bool is_placed = fd == -ENOENT; /* by an end that nobody heard of */
        if (is_placed)
                fd = open_at(layout_whole(thread->data_dir, job->id), O_RDONLY);
        if (fd == -ENOENT) {
                job->offset = 0;
                return -PROTOCOL_ERR_INCOMPLETE;
        }
        if (fd < 0)
                return disk_error(thread, -fd, "open");
        rc = examine(thread, job, fd);
        if (rc == 0 && fsync(fd) < 0)
                rc = disk_error(thread, errno, "flush");
        close(fd);
        if (rc == -PROTOCOL_ERR_WRONG_HASH) {
                unlink_at(layout_part(thread->data_dir, job->id));
                unlink_at(layout_whole(thread->data_dir, job->id));
        }
        if (rc == 0 && !is_placed && (rc = put_in_place(thread, job->id)) < 0)
                rc = disk_error(thread, -rc, "place");
        if (rc == 0)
                count(&thread->finished, 1);
        return rc;
}

/* ---- the rest ---- */

static int remove_one(struct file_thread *thread, char *path, char *folder)
{
        int rc = path && folder ? 0 : -PROTOCOL_ERR_INTERNAL;
        if (rc == 0 && unlink(path) == 0) {
                count(&thread->removed, 1);
                rc = files_sync_dir(folder) < 0 ? -PROTOCOL_ERR_INTERNAL : 0;
        } else if (rc == 0 && errno != ENOENT) {
                rc = disk_error(thread, errno, "remove");
        }
        free(path);
        free(folder);
        return rc;
}

static int remove_file(struct file_thread *thread, struct file_job *job)
{
        end_part_of(thread, job->id);
        int rc = remove_one(thread, layout_part(thread->data_dir, job->id), layout_part_folder(thread->data_dir));
        int other = remove_one(thread, layout_whole(thread->data_dir, job->id),
                               layout_whole_folder(thread->data_dir, job->id));
        return rc < 0 ? rc : other;
}

static int read_file(struct file_thread *thread, struct file_job *job)
{
        if (job->fd < 0) {
                job->fd = open_at(layout_whole(thread->data_dir, job->id), O_RDONLY);
                if (job->fd < 0) {
                        int error = -job->fd;
                        job->fd = -1;
                        return disk_error(thread, error, "open");
                }
                if (size_of(job->fd) != job->size)
                        return disk_error(thread, EIO, "look");
        }
        for (size_t done = 0; done < job->len;) {
                ssize_t got = pread(job->fd, job->bytes + done, job->len - done, job->offset + (int64_t)done);
                if (got < 0 && errno == EINTR)
                        continue;
                if (got <= 0)
                        return disk_error(thread, got < 0 ? errno : EIO, "read");
                done += (size_t)got;
        }
        count(&thread->bytes_out, job->len);
        return 0;
}

void file_work_do(struct file_thread *thread, struct file_job *job)
{
        static int (*const work[])(struct file_thread *, struct file_job *) = {
                [FILE_PUT_BEGIN] = put_begin, [FILE_PUT_BYTES] = put_bytes, [FILE_PUT_END] = put_end,
                [FILE_FINISH] = finish,       [FILE_REMOVE] = remove_file,  [FILE_READ] = read_file,
        };
        if (job->kind == FILE_CLOSE) {
                if (job->fd >= 0)
                        close(job->fd);
                job->fd = -1;
                job->result = 0;
                return;
        }
        job->result = work[job->kind](thread, job);
}

void file_work_done(struct file_thread *thread)
{
        while (thread->parts)
                end_part(thread, &thread->parts);
}
