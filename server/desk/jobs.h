/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs: what has to happen at a later time and must survive a crash: rows of the table `job`, claimed by the desk's
 * thread inside a batch, so that a job's effect and its removal are one transaction. At most 200 a second, oldest
 * first. What destroys waits while the clock is suspect. Desk thread only. */
#pragma once

#include "desk/clock_watch.h"
#include "protocol/span.h"

struct desk;

enum job_kind { /* numbers are stored: never change one */
                JOB_PUSH_WANTED = 1,
                JOB_UPLOAD_SWEEP = 2,
                JOB_FILE_UNLINK = 3,
                JOB_REPORTS_BUILD = 4,
};

/* The work of one job, inside a transaction. 0, or a negative protocol error (desk_db_failed was called where the store
 * failed; the batch is then rolled back and the job stays). */
typedef int job_fn(struct desk *desk, int64_t subject, struct span body);

struct jobs {
        int64_t next_due_ms; /* wall; INT64_MAX = none */
        uint64_t ran_ms;     /* monotonic: of the last run */
        struct clock_watch clock;
        uint64_t looked_ms;
};

/* 0 or a negative db_error. */
int jobs_open(struct desk *desk);
/* In a batch. `body` may be absent (at NULL). 0 or a negative protocol error. */
int jobs_put(struct desk *desk, enum job_kind kind, int64_t subject, int64_t due_ms, struct span body);
/* 1 when such a job waits, 0, or a negative protocol error. In a batch. */
int jobs_has(struct desk *desk, enum job_kind kind, int64_t subject);
/* Whether jobs_run has something to do now. */
bool jobs_are_due(const struct desk *desk);
/* In a batch, in a transaction: runs what is due. */
void jobs_run(struct desk *desk);
void jobs_rolled_back(struct desk *desk);
/* Monotonic ms when jobs_run should be called at the latest; UINT64_MAX = never. */
uint64_t jobs_due_mono_ms(const struct desk *desk);
/* About once a second: compares the clocks. */
void jobs_look_at_clock(struct desk *desk);
