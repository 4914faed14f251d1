/* SPDX-License-Identifier: Apache-2.0 */
/* Machine: jobs out and their outcomes in. As frames and events, jobs leave only when the turn's transaction is
 * committed. */
#include "machine_private.h"

void jobs_move(struct job **to, struct job **from)
{
        while (*to)
                to = &(*to)->next;
        *to = *from;
        *from = NULL;
}

void jobs_clear(struct job **jobs)
{
        while (*jobs) {
                struct job *job = *jobs;
                *jobs = job->next;
                job_free(job);
        }
}

void machine_job_push(struct machine *machine, struct job *job)
{
        job->next = NULL;
        jobs_move(&machine->turn_jobs, &job);
}

void machine_job_abort(struct machine *machine, int64_t id)
{
        struct job *job = job_new(JOB_ABORT, "");

        if (job) { /* without memory it ends by itself, and nobody waits for it */
                job->id = id;
                machine_job_push(machine, job);
        }
}

struct job *machine_job_take(struct machine *machine)
{
        struct job *job = machine->ready_jobs;
        if (!job)
                return NULL;

        machine->ready_jobs = job->next;
        job->next = NULL;
        return job;
}

void machine_job_done(struct machine *machine, struct job *job)
{
        if (!uploads_job_done(machine, job))
                fetches_job_done(machine, job);
        job_free(job);
}
