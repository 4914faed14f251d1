/* SPDX-License-Identifier: Apache-2.0 */
/* Post: one POST, from its headers to its verdict, within fixed bounds: 5 s to connect, 5 s for the answer, 10 s and
 * 64 KiB in all, unless the request says other times; no redirects, no proxy, no decompression, TLS verified; every
 * address is checked where the socket is made, and again before the request is sent. The thread of its `multi` only. */
#pragma once

#include <curl/curl.h>

#include "outbound/egress.h"

struct post;

enum {
        POST_ANSWER_BYTES = 256,
        POST_CONNECT_MS = 5000,
        POST_ANSWER_MS = 5000,
        POST_TOTAL_MS = 10000,
        POST_RECEIVED_BYTES = 64 * 1024,
};

struct post_request {
        const char *url;
        const struct egress *egress;                 /* lives as long as the post */
        const char *ca_path;                         /* NULL = the system's */
        struct span id, timestamp, signatures, body; /* copied */
        const char *resolved; /* for tests: addresses of the host, instead of asking; NULL = ask */
        uint32_t total_ms;    /* from now to the end of the answer; 0 = the usual times */
        bool keeps_answer;    /* all of it, for post_answer */
};

/* Adds the transfer to `multi`; `data` is found again by post_data of its easy handle. NULL: out of memory, or a URL
 * that may not be reached (then *out_wrong says why, a literal). */
struct post *post_new(CURLM *multi, const struct post_request *request, void *data, const char **out_wrong);
struct post *post_free(struct post *post); /* also one under way; NULL is welcome; returns NULL */
void *post_data(CURL *easy);

/* Whether it has waited too long for an answer. */
bool post_is_overdue(const struct post *post, uint64_t now_mono_ms);

struct post_verdict {
        bool is_good;                       /* an answer 2xx came in time */
        int status;                         /* 0 = none */
        char answer[POST_ANSWER_BYTES + 1]; /* its beginning, or what went wrong; printable ASCII */
};
/* keeps_answer: the whole answer, whatever its status, lent until post_free; false: it did not come whole. */
bool post_answer(const struct post *post, CURLcode code, struct span *out_answer);
void post_judge(const struct post *post, CURLcode code, bool is_overdue, struct post_verdict *out_verdict);
