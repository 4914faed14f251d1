/* SPDX-License-Identifier: Apache-2.0 */
/* Transfer: the thread for files. It takes jobs, does what they want with local files, makes one HTTP request of each
 * piece through the function it was given, and hands every job back with its outcome. It begins with the first job, so
 * that who sends no files has no such thread. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "deskbell/deskbell.h"
#include "jobs.h"
#include "road.h"

struct transfer;
struct http_curl;

struct transfer_settings {
        const char *base; /* "https://host/v1/files"; copied */
        int (*http)(void *data, const struct deskbell_http_request *request, deskbell_exchange *exchange);
        void (*http_cancel)(void *data, deskbell_exchange *exchange); /* NULL = cannot */
        void *http_data;
        struct http_curl *curl; /* the shipped one, which runs on this thread; taken. NULL = the application's */
        void (*on_done)(void *data, struct job *job); /* on the thread; takes the job */
        void *data;
};

int transfer_new(const struct transfer_settings *settings, struct transfer **out_transfer); /* 0 or DESKBELL_E_NOMEM */
void transfer_post(struct transfer *transfer, struct job *job); /* takes it; any thread, but one at a time */
/* Ends the thread; what is under way is dropped. No on_done is running or will run. NULL is welcome. */
void transfer_stop(struct transfer *transfer);
/* Waits for the deskbell_http_done calls that the application's transport owes, at most 6 s. */
void transfer_await(struct transfer *transfer);
struct transfer *transfer_free(struct transfer *transfer); /* after transfer_stop; NULL is welcome; returns NULL */

/* ---- transfer_files.c: local files; each sets job->outcome ---- */
void transfer_hash(struct job *job, const atomic_bool *is_stopping);
int transfer_read(struct job *job, char out[JOB_PIECE_BYTES]); /* PUT: its piece; 0, or -1 with the outcome set */
int transfer_look(struct job *job); /* GET: job->offset from the part that is there; 0, or -1 with the outcome set */
void transfer_append(struct job *job, const char *bytes, size_t len); /* GET: moves job->offset */
void transfer_seal(struct job *job, const atomic_bool *is_stopping);

/* ---- http_curl.c: HTTP over libcurl, the only user of it here; all on one thread but http_curl_wake ---- */
struct http_curl *http_curl_new(const struct road *road); /* used until http_curl_free. NULL: out of memory */
struct http_curl *http_curl_free(struct http_curl *http); /* what is under way is dropped; NULL is welcome */
int http_curl_begin(void *data, const struct deskbell_http_request *request, deskbell_exchange *exchange);
void http_curl_cancel(void *data, deskbell_exchange *exchange);
void http_curl_wait(struct http_curl *http); /* until something has happened or http_curl_wake */
void http_curl_wake(struct http_curl *http); /* any thread */
