/* SPDX-License-Identifier: Apache-2.0 */
/* The thread for files: one job after the other for what is local, while requests are under way. A job is always either
 * waiting, worked on, or behind a request; it is handed back once, or freed. */
#include "transfer.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "platform.h"

enum { OWED_MS = 6000, BODY_BYTES = 4096 /* of an answer to a PUT */ };

/* One request under way. */
struct deskbell_exchange {
        struct deskbell_exchange *next;
        struct transfer *transfer;
        struct job *job; /* the thread's; NULL = nobody wants it any more */
        /* with the lock held */
        bool is_done;
        int status;
        int64_t retry_after_ms, told_offset, range_from, range_total; /* -1 = not told */
        char *body;
        size_t body_len, body_most;
};

struct transfer {
        struct transfer_settings set;
        char *base;
        pthread_t thread;
        pthread_mutex_t lock; /* jobs, exchanges and what they were answered, stop */
        pthread_cond_t wake;
        struct job *first;
        struct deskbell_exchange *exchanges;
        bool is_running, is_woken;
        atomic_bool is_stopping;
};

int transfer_new(const struct transfer_settings *settings, struct transfer **out_transfer)
{
        struct transfer *transfer = calloc(1, sizeof(*transfer));
        if (!transfer)
                return DESKBELL_E_NOMEM;

        transfer->base = strdup(settings->base);
        if (!transfer->base) {
                free(transfer);
                return DESKBELL_E_NOMEM;
        }
        transfer->set = *settings;
        pthread_mutex_init(&transfer->lock, NULL);
        platform_cond_init(&transfer->wake);
        *out_transfer = transfer;
        return 0;
}

/* With the lock held. */
static void wake(struct transfer *transfer)
{
        transfer->is_woken = true;
        if (transfer->set.curl)
                http_curl_wake(transfer->set.curl);
        pthread_cond_broadcast(&transfer->wake);
}

/* ---- answers: any thread ----------------------------------------------------------------------------------------- */

static const char *value_of(const struct deskbell_http_answer *answer, const char *name)
{
        size_t len = strlen(name);

        for (size_t i = 0; i < answer->headers_count; i++) {
                const char *line = answer->headers[i];
                if (strncasecmp(line, name, len) != 0 || line[len] != ':')
                        continue;
                line += len + 1;
                return line + strspn(line, " \t");
        }
        return NULL;
}

static int64_t number_of(const char *text, char **out_end)
{
        *out_end = (char *)text;
        if (!text || *text < '0' || *text > '9')
                return -1;
        errno = 0;
        long long value = strtoll(text, out_end, 10);
        return errno == 0 ? value : -1;
}

/* "bytes 0-99/1000" */
static void read_range(struct deskbell_exchange *exchange, const char *text)
{
        char *end;

        if (!text || strncmp(text, "bytes ", 6) != 0)
                return;
        exchange->range_from = number_of(text + 6, &end);
        const char *slash = strchr(text, '/');
        exchange->range_total = slash ? number_of(slash + 1, &end) : -1;
}

static void read_answer(struct deskbell_exchange *exchange, const struct deskbell_http_answer *answer)
{
        char *end;
        int64_t after_s = number_of(value_of(answer, "retry-after"), &end);

        exchange->status = answer->status;
        exchange->retry_after_ms = after_s >= 0 && after_s <= 86400 ? after_s * 1000 : -1;
        exchange->told_offset = number_of(value_of(answer, "upload-offset"), &end);
        read_range(exchange, value_of(answer, "content-range"));
        if (!answer->body_len)
                return;
        exchange->body = answer->body_len <= exchange->body_most ? malloc(answer->body_len) : NULL;
        if (exchange->body) {
                memcpy(exchange->body, answer->body, answer->body_len);
                exchange->body_len = answer->body_len;
        } else {
                exchange->status = 0;
        }
}

void deskbell_http_done(deskbell_exchange *exchange, const struct deskbell_http_answer *answer)
{
        struct transfer *transfer = exchange->transfer;

        pthread_mutex_lock(&transfer->lock);
        if (answer && answer->status >= 100 && answer->status <= 599)
                read_answer(exchange, answer);
        exchange->is_done = true;
        wake(transfer);
        pthread_mutex_unlock(&transfer->lock);
}

/* ---- requests: the thread ---------------------------------------------------------------------------------------- */

static void hand_back(struct transfer *transfer, struct job *job)
{
        transfer->set.on_done(transfer->set.data, job);
}

static void exchange_remove(struct transfer *transfer, struct deskbell_exchange *exchange)
{
        struct deskbell_exchange **at = &transfer->exchanges;

        pthread_mutex_lock(&transfer->lock);
        while (*at != exchange)
                at = &(*at)->next;
        *at = exchange->next;
        pthread_mutex_unlock(&transfer->lock);
        free(exchange->body);
        free(exchange);
}

static struct deskbell_exchange *exchange_new(struct transfer *transfer, struct job *job, size_t body_most)
{
        struct deskbell_exchange *exchange = calloc(1, sizeof(*exchange));
        if (!exchange)
                return NULL;

        exchange->transfer = transfer;
        exchange->job = job;
        exchange->body_most = body_most;
        exchange->retry_after_ms = exchange->told_offset = exchange->range_from = exchange->range_total = -1;
        pthread_mutex_lock(&transfer->lock);
        exchange->next = transfer->exchanges;
        transfer->exchanges = exchange;
        pthread_mutex_unlock(&transfer->lock);
        return exchange;
}

/* Takes the job. */
static void ask(struct transfer *transfer, struct job *job, struct deskbell_http_request *request)
{
        struct deskbell_exchange *exchange = exchange_new(transfer, job, request->max_answer_bytes);

        if (exchange && transfer->set.http(transfer->set.http_data, request, exchange) == 0)
                return;
        if (exchange)
                exchange_remove(transfer, exchange);
        job->outcome = exchange ? JOB_NO_ANSWER : JOB_NO_MEMORY;
        hand_back(transfer, job);
}

struct lines {
        char url[2304], token[96], place[96];
};

/* False: the address is too long. */
static bool write_lines(const struct transfer *transfer, const struct job *job, struct lines *out)
{
        int len = snprintf(out->url, sizeof(out->url), "%s/%s", transfer->base, job->file);

        snprintf(out->token, sizeof(out->token), "Authorization: Bearer %s", job->token);
        return len > 0 && (size_t)len < sizeof(out->url);
}

static void put_piece(struct transfer *transfer, struct job *job)
{
        struct lines lines;
        const char *headers[] = {lines.token, lines.place, "Content-Type: application/octet-stream"};
        struct deskbell_http_request request = {
                .size = sizeof(request),
                .method = "PUT",
                .url = lines.url,
                .headers = headers,
                .headers_count = 3,
                .body_len = (size_t)job->len,
                .max_answer_bytes = BODY_BYTES,
        };
        char *piece = malloc(JOB_PIECE_BYTES);

        snprintf(lines.place, sizeof(lines.place), "Upload-Offset: %lld", (long long)job->offset);
        if (!piece || !write_lines(transfer, job, &lines)) {
                job->outcome = JOB_NO_MEMORY;
                hand_back(transfer, job);
        } else if (transfer_read(job, piece) < 0) {
                hand_back(transfer, job);
        } else {
                request.body = piece;
                ask(transfer, job, &request);
        }
        free(piece);
}

static void get_piece(struct transfer *transfer, struct job *job)
{
        struct lines lines;
        const char *headers[] = {lines.token, lines.place};
        struct deskbell_http_request request = {
                .size = sizeof(request),
                .method = "GET",
                .url = lines.url,
                .headers = headers,
                .headers_count = 2,
                .max_answer_bytes = JOB_PIECE_BYTES,
        };

        if (transfer_look(job) < 0 || job->offset == job->size) {
                job->status = 206; /* all of it was here already */
                hand_back(transfer, job);
                return;
        }
        int64_t left = job->size - job->offset;
        job->len = left < JOB_PIECE_BYTES ? left : JOB_PIECE_BYTES;
        snprintf(lines.place, sizeof(lines.place), "Range: bytes=%lld-%lld", (long long)job->offset,
                 (long long)(job->offset + job->len - 1));
        if (write_lines(transfer, job, &lines)) {
                ask(transfer, job, &request);
        } else {
                job->outcome = JOB_NO_MEMORY;
                hand_back(transfer, job);
        }
}

/* A piece came, or the whole file of somebody who knows no ranges. */
static void take_piece(struct job *job, const struct deskbell_exchange *exchange)
{
        bool is_piece = exchange->status == 206 && exchange->range_from == job->offset;
        bool is_whole = exchange->status == 200 && job->offset == 0;
        int64_t total = is_whole ? (int64_t)exchange->body_len : exchange->range_total;

        if ((is_piece || is_whole) && total != job->size)
                job->status = 416; /* the server has another file than was told */
        else if ((is_piece || is_whole) && exchange->body_len > 0 && (int64_t)exchange->body_len <= job->len)
                transfer_append(job, exchange->body, exchange->body_len);
        else if (exchange->status == 200 || exchange->status == 206)
                job->outcome = JOB_NO_ANSWER;
}

static void finish(struct transfer *transfer, struct deskbell_exchange *exchange)
{
        struct job *job = exchange->job;

        if (job) {
                job->outcome = exchange->status ? JOB_OK : JOB_NO_ANSWER;
                job->status = exchange->status;
                job->retry_after_ms = exchange->retry_after_ms;
                job->told_offset = exchange->told_offset;
                if (job->kind == JOB_GET && exchange->status)
                        take_piece(job, exchange);
        }
        exchange_remove(transfer, exchange);
        if (job)
                hand_back(transfer, job);
}

static void finish_all(struct transfer *transfer)
{
        for (;;) {
                pthread_mutex_lock(&transfer->lock);
                struct deskbell_exchange *exchange = transfer->exchanges;
                while (exchange && !exchange->is_done)
                        exchange = exchange->next;
                pthread_mutex_unlock(&transfer->lock);
                if (!exchange)
                        return;
                finish(transfer, exchange);
        }
}

static void drop(struct transfer *transfer, struct deskbell_exchange *exchange)
{
        exchange->job = job_free(exchange->job);
        if (transfer->set.http_cancel)
                transfer->set.http_cancel(transfer->set.http_data, exchange);
}

static void abort_job(struct transfer *transfer, int64_t id)
{
        struct deskbell_exchange *next;

        for (struct deskbell_exchange *exchange = transfer->exchanges; exchange; exchange = next) {
                next = exchange->next;
                if (exchange->job && exchange->job->id == id)
                        drop(transfer, exchange);
        }
}

/* Takes the job. */
static void work(struct transfer *transfer, struct job *job)
{
        switch (job->kind) {
        case JOB_PUT:
                put_piece(transfer, job);
                return;
        case JOB_GET:
                get_piece(transfer, job);
                return;
        case JOB_HASH:
                transfer_hash(job, &transfer->is_stopping);
                break;
        case JOB_SEAL:
                transfer_seal(job, &transfer->is_stopping);
                break;
        case JOB_UNLINK:
                unlink(job->path);
                job_free(job);
                return;
        case JOB_ABORT:
                abort_job(transfer, job->id);
                job_free(job);
                return;
        }
        hand_back(transfer, job);
}

/* ---- the thread -------------------------------------------------------------------------------------------------- */

static struct job *take_job(struct transfer *transfer)
{
        pthread_mutex_lock(&transfer->lock);
        struct job *job = transfer->first;
        if (job)
                transfer->first = job->next;
        pthread_mutex_unlock(&transfer->lock);
        if (job)
                job->next = NULL;
        return job;
}

static void wait_for_more(struct transfer *transfer)
{
        pthread_mutex_lock(&transfer->lock);
        bool is_woken = transfer->is_woken;
        while (!transfer->set.curl && !transfer->is_woken)
                pthread_cond_wait(&transfer->wake, &transfer->lock);
        transfer->is_woken = false;
        pthread_mutex_unlock(&transfer->lock);
        if (transfer->set.curl && !is_woken)
                http_curl_wait(transfer->set.curl);
}

static void *run(void *data)
{
        struct transfer *transfer = data;
        struct job *job;
        sigset_t pipe;

        sigemptyset(&pipe);
        sigaddset(&pipe, SIGPIPE);
        pthread_sigmask(SIG_BLOCK, &pipe, NULL);
        while (!transfer->is_stopping) {
                while (!transfer->is_stopping && (job = take_job(transfer)))
                        work(transfer, job);
                finish_all(transfer);
                wait_for_more(transfer);
        }
        for (struct deskbell_exchange *next, *exchange = transfer->exchanges; exchange; exchange = next) {
                next = exchange->next;
                drop(transfer, exchange);
        }
        return NULL;
}

void transfer_post(struct transfer *transfer, struct job *job)
{
        if (!transfer->is_running) {
                if (pthread_create(&transfer->thread, NULL, run, transfer) != 0) {
                        job->outcome = JOB_NO_MEMORY;
                        hand_back(transfer, job);
                        return;
                }
                transfer->is_running = true;
        }
        pthread_mutex_lock(&transfer->lock);
        struct job **at = &transfer->first;
        while (*at)
                at = &(*at)->next;
        *at = job;
        wake(transfer);
        pthread_mutex_unlock(&transfer->lock);
}

void transfer_stop(struct transfer *transfer)
{
        if (!transfer)
                return;
        pthread_mutex_lock(&transfer->lock);
        transfer->is_stopping = true;
        wake(transfer);
        pthread_mutex_unlock(&transfer->lock);
        if (transfer->is_running)
                pthread_join(transfer->thread, NULL);
        transfer->is_running = false;
}

static bool is_owed(const struct transfer *transfer)
{
        for (const struct deskbell_exchange *exchange = transfer->exchanges; exchange; exchange = exchange->next)
                if (!exchange->is_done)
                        return true;
        return false;
}

void transfer_await(struct transfer *transfer)
{
        if (!transfer)
                return;

        int64_t until_ms = platform_mono_ms() + OWED_MS;
        pthread_mutex_lock(&transfer->lock);
        while (is_owed(transfer) && platform_cond_wait(&transfer->wake, &transfer->lock, until_ms))
                continue;
        pthread_mutex_unlock(&transfer->lock);
}

struct transfer *transfer_free(struct transfer *transfer)
{
        struct job *job;
        if (!transfer)
                return NULL;

        while ((job = take_job(transfer))) {
                /* What is not needed any more goes, also when nobody has time. */
                if (job->kind == JOB_UNLINK)
                        unlink(job->path);
                job_free(job);
        }
        while (transfer->exchanges) {
                struct deskbell_exchange *exchange = transfer->exchanges;
                transfer->exchanges = exchange->next;
                job_free(exchange->job);
                free(exchange->body);
                free(exchange);
        }
        http_curl_free(transfer->set.curl);
        pthread_cond_destroy(&transfer->wake);
        pthread_mutex_destroy(&transfer->lock);
        free(transfer->base);
        free(transfer);
        return NULL;
}
