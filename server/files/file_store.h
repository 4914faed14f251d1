/* SPDX-License-Identifier: Apache-2.0 */
/* File store: the threads that touch attachments on disk. Whoever wants something of a file posts a job and gets it
 * back through `done`, on the files thread; all jobs of one file run on one thread, in the order they were posted. What
 * has arrived of an upload is on disk, size and all, each time PROTOCOL_PIECE_BYTES have come and when its PUT ends.
 *
 * One PUT at a time: a newer one takes the upload over, and what the older one still writes is refused. 64 MiB of the
 * disk are left for messages: what would take them is refused with PROTOCOL_ERR_STORAGE_FULL. */
#pragma once

#include "files/layout.h"
#include "files/media.h"
#include "ops/mailbox.h"
#include "protocol_generated.h"

struct file_store;

enum file_job_kind {
        FILE_PUT_BEGIN, /* from `offset`; WRONG_OFFSET: *offset becomes the right one. `claim` names the PUT */
        FILE_PUT_BYTES, /* bytes[len] behind what is there; CONFLICT: another PUT has taken over */
        FILE_PUT_END,   /* on disk; *offset becomes what is there */
        FILE_FINISH,    /* `size` bytes of `sha256`, said to be of the type bytes[len]: in its place, for good; `facts`.
                         * INCOMPLETE: *offset becomes what is there. WRONG_HASH: the part is gone */
        FILE_REMOVE,    /* part and whole, whichever is there; 0 when neither is */
        FILE_READ,      /* `len` bytes from `offset` into bytes; fd -1: opened first, and must have `size` bytes */
        FILE_CLOSE,     /* of `fd` */
};

struct file_job {
        struct mailbox_item item; /* first */
        enum file_job_kind kind;
        uint8_t id[FILE_ID_BYTES];
        uint64_t claim;
        int64_t offset, size;
        uint8_t sha256[FILE_SUM_BYTES];
        struct media_facts facts;
        int fd;                             /* FILE_READ, FILE_CLOSE; -1 = none */
        int result;                         /* 0 or a negative protocol error */
        void (*done)(struct file_job *job); /* takes the job; must not block */
        void *owner, *data;                 /* the poster's */
        size_t room, len;
        char bytes[];
};

struct file_job *file_job_new(enum file_job_kind kind, const uint8_t id[FILE_ID_BYTES], size_t room); /* NULL: memory */
struct file_job *file_job_free(struct file_job *job); /* NULL is welcome; closes fd; returns NULL */

struct file_store_options {
        const char *data_dir;  /* copied; its folders are made by layout_make before the first job */
        uint32_t threads;      /* 1 to 8 */
        int64_t reserve_bytes; /* of the disk, left for messages */
};

enum { FILE_STORE_RESERVE = 64 * 1024 * 1024 };

/* 0, or a negative errno. */
int file_store_start(const struct file_store_options *options, struct file_store **out_store);
/* Executes what is queued, then ends the threads; posting is refused from then on. Any thread. */
void file_store_stop(struct file_store *store);
struct file_store *file_store_free(struct file_store *store); /* stopped; NULL is welcome; returns NULL */

/* Takes the job on 0. -PROTOCOL_ERR_OVERLOADED: the queue is full or closed; the job stays the caller's and `done` is
 * never called. Any thread. */
int file_store_post(struct file_store *store, struct file_job *job);

uint64_t file_store_claim(struct file_store *store); /* a new claim; any thread */
int64_t file_store_free_bytes(const char *data_dir); /* of its disk; any thread, blocks for a moment */
const char *file_store_dir(const struct file_store *store);
int64_t file_store_reserve(const struct file_store *store);

struct file_store_stats {
        uint64_t bytes_in, bytes_out, finished, removed, failures; /* failures: of the disk */
        size_t waiting;
};
void file_store_stats_read(const struct file_store *store, struct file_store_stats *out_stats); /* any thread */
