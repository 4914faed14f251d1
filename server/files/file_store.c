/* SPDX-License-Identifier: Apache-2.0 */
#include "files/file_store.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "files/file_work.h"

enum { THREADS_MAX = 8, QUEUE_ITEMS = 65536, QUEUE_BYTES = 256 * 1024 * 1024 };

struct worker {
        struct file_thread thread; /* first */
        struct mailbox in;
        pthread_t id;
        bool is_running;
};

struct file_store {
        char *data_dir;
        int64_t reserve_bytes;
        struct worker *workers;
        uint32_t count;
        _Atomic uint64_t claims;
};

struct file_job *file_job_new(enum file_job_kind kind, const uint8_t id[FILE_ID_BYTES], size_t room)
{
        struct file_job *job = malloc(sizeof *job + room);
        if (!job)
                return NULL;
        memset(job, 0, sizeof *job);
        job->kind = kind;
        memcpy(job->id, id, sizeof job->id);
        job->fd = -1;
        job->room = room;
        return job;
}

struct file_job *file_job_free(struct file_job *job)
{
        if (job && job->fd >= 0)
                close(job->fd);
        free(job);
        return NULL;
}

static void *worker_main(void *data)
{
        struct worker *worker = data;
        struct mailbox_item *item;
        while ((item = mailbox_wait(&worker->in, -1)) != NULL) {
                while (item) {
                        struct file_job *job = (struct file_job *)item;
                        item = item->next;
                        job->item.next = NULL;
                        file_work_do(&worker->thread, job);
                        job->done(job);
                }
        }
        file_work_done(&worker->thread);
        return NULL;
}

static int start_worker(struct file_store *store, struct worker *worker)
{
        worker->thread.data_dir = store->data_dir;
        worker->thread.reserve_bytes = store->reserve_bytes;
        worker->thread.log.area = "files";
        mailbox_init(&worker->in, QUEUE_ITEMS, QUEUE_BYTES, NULL, NULL);
        store->count++;
        int rc = pthread_create(&worker->id, NULL, worker_main, worker);
        worker->is_running = rc == 0;
        return -rc;
}

int file_store_start(const struct file_store_options *options, struct file_store **out_store)
{
        if (options->threads < 1 || options->threads > THREADS_MAX)
                return -EINVAL;
        struct file_store *store = calloc(1, sizeof *store);
        if (!store)
                return -ENOMEM;
        store->data_dir = strdup(options->data_dir);
        store->reserve_bytes = options->reserve_bytes;
        store->workers = calloc(options->threads, sizeof *store->workers);
        int rc = store->data_dir && store->workers ? 0 : -ENOMEM;
        while (rc == 0 && store->count < options->threads)
                rc = start_worker(store, &store->workers[store->count]);
        if (rc < 0) {
                file_store_stop(store);
                file_store_free(store);
                return rc;
        }
        *out_store = store;
        return 0;
}

void file_store_stop(struct file_store *store)
{
        for (uint32_t i = 0; i < store->count; i++)
                mailbox_close(&store->workers[i].in);
        for (uint32_t i = 0; i < store->count; i++) {
                if (store->workers[i].is_running)
                        pthread_join(store->workers[i].id, NULL);
                store->workers[i].is_running = false;
        }
}

struct file_store *file_store_free(struct file_store *store)
{
        if (!store)
                return NULL;
        for (uint32_t i = 0; i < store->count; i++)
                mailbox_done(&store->workers[i].in);
        free(store->workers);
        free(store->data_dir);
        free(store);
        return NULL;
}

int file_store_post(struct file_store *store, struct file_job *job)
{
        struct worker *worker = &store->workers[job->id[0] % store->count];
        return mailbox_push(&worker->in, &job->item, sizeof *job + job->room) < 0 ? -PROTOCOL_ERR_OVERLOADED : 0;
}

uint64_t file_store_claim(struct file_store *store)
{
        return atomic_fetch_add_explicit(&store->claims, 1, memory_order_relaxed) + 1;
}

int64_t file_store_free_bytes(const char *data_dir)
{
        struct statvfs facts;
        return statvfs(data_dir, &facts) < 0 ? -errno : (int64_t)facts.f_bavail * (int64_t)facts.f_frsize;
}

const char *file_store_dir(const struct file_store *store)
{
        return store->data_dir;
}

int64_t file_store_reserve(const struct file_store *store)
{
        return store->reserve_bytes;
}

void file_store_stats_read(const struct file_store *store, struct file_store_stats *out_stats)
{
        *out_stats = (struct file_store_stats){0};
        for (uint32_t i = 0; i < store->count; i++) {
                const struct file_thread *thread = &store->workers[i].thread;
                out_stats->bytes_in += atomic_load_explicit(&thread->bytes_in, memory_order_relaxed);
                out_stats->bytes_out += atomic_load_explicit(&thread->bytes_out, memory_order_relaxed);
                out_stats->finished += atomic_load_explicit(&thread->finished, memory_order_relaxed);
                out_stats->removed += atomic_load_explicit(&thread->removed, memory_order_relaxed);
                out_stats->failures += atomic_load_explicit(&thread->failures, memory_order_relaxed);
                out_stats->waiting += mailbox_count(&store->workers[i].in);
        }
}
