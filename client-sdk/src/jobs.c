/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs: making and freeing them. */
#include "jobs.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

struct job *job_new(enum job_kind kind, const char *path)
{
        struct job *job = calloc(1, sizeof(*job));
        if (!job)
                return NULL;

        job->kind = kind;
        job->retry_after_ms = job->told_offset = -1;
        job->path = strdup(path);
        return job->path ? job : job_free(job);
}

struct job *job_free(struct job *job)
{
        if (!job)
                return NULL;
        free(job->path);
        free(job->target);
        OPENSSL_cleanse(job->secret, sizeof(job->secret));
        free(job);
        return NULL;
}
