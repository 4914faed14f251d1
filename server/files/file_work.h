/* SPDX-License-Identifier: Apache-2.0 */
/* File work: what a files thread does with each job. One thread, whose `parts` they are. Blocking. */
#pragma once

#include <stdatomic.h>

#include "files/file_store.h"
#include "ops/log.h"

/* An upload that a PUT is writing. */
struct part {
        uint8_t id[FILE_ID_BYTES];
        uint64_t claim;
        int fd;
        int64_t size, unsynced;
        struct part *next;
};

struct file_thread {
        const char *data_dir;
        int64_t reserve_bytes;
        struct log log;
        struct part *parts;
        _Atomic uint64_t bytes_in, bytes_out, finished, removed, failures;
};

void file_work_do(struct file_thread *thread, struct file_job *job); /* sets job->result */
void file_work_done(struct file_thread *thread);                     /* puts on disk and closes what is open */
