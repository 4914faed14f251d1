/* SPDX-License-Identifier: Apache-2.0 */
#include "outbound/post.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ops/clock.h"

struct post {
        CURLM *multi;
        CURL *easy;
        struct curl_slist *headers, *resolved;
        const struct egress *egress;
        struct egress_url url;
        char *body;
        void *data;
        size_t received;
        uint64_t sent_ms; /* monotonic; 0 = not connected yet */
        int status;
        bool is_answered; /* all headers of a final answer are there */
        bool is_refused;  /* an address was not public */
        bool keeps_answer;
        uint32_t total_ms; /* 0 = the usual times */
        size_t answer_len, answer_room;
        char *answer;
        char error[CURL_ERROR_SIZE];
};

/* ---- what curl asks ---- */

static curl_socket_t on_open(void *data, curlsocktype purpose, struct curl_sockaddr *address)
{
        struct post *post = data;
        if (purpose == CURLSOCKTYPE_IPCXN && egress_may_connect(post->egress, &post->url, &address->addr))
                return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
        post->is_refused = true;
        return CURL_SOCKET_BAD;
}

/* Also of a connection that is used again: what may be connected to is asked for each request. */
static int on_connected(void *data, char *remote, char *local, int remote_port, int local_port)
{
        struct post *post = data;
        struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
        struct sockaddr_in v4 = {.sin_family = AF_INET};
        const struct sockaddr *address = (const struct sockaddr *)&v6;
        (void)local, (void)local_port, (void)remote_port;
        if (inet_pton(AF_INET, remote, &v4.sin_addr) == 1)
                address = (const struct sockaddr *)&v4;
        else if (inet_pton(AF_INET6, remote, &v6.sin6_addr) != 1)
                return CURL_PREREQFUNC_ABORT;
        post->sent_ms = clock_mono_ms();
        post->is_refused = !egress_may_connect(post->egress, &post->url, address);
        return post->is_refused ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

static bool has_room(struct post *post, size_t more)
{
        post->received += more;
        return post->received <= POST_RECEIVED_BYTES;
}

static size_t on_header(char *bytes, size_t size, size_t count, void *data)
{
        struct post *post = data;
        size_t len = size * count;
        struct span line = {bytes, len};
        if (!has_room(post, len))
                return 0;
        if (len > 12 && memcmp(bytes, "HTTP/", 5) == 0) {
                const char *gap = memchr(line.at, ' ', line.len);
                post->status = 0;
                for (size_t i = gap ? (size_t)(gap - line.at) + 1 : line.len, n = 0; i < line.len && n < 3; i++, n++)
                        if (line.at[i] >= '0' && line.at[i] <= '9')
                                post->status = post->status * 10 + (line.at[i] - '0');
        }
        bool is_blank = len <= 2 && (bytes[0] == '\r' || bytes[0] == '\n');
        if (is_blank && post->status >= 200)
                post->is_answered = true;
        return len;
}

static bool keep(struct post *post, const char *bytes, size_t len)
{
        if (post->answer_len + len > post->answer_room) {
                size_t room = 2 * (post->answer_len + len);
                char *larger = realloc(post->answer, room);
                if (!larger)
                        return false;
                post->answer = larger;
                post->answer_room = room;
        }
        memcpy(post->answer + post->answer_len, bytes, len);
        post->answer_len += len;
        return true;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *data)
{
        struct post *post = data;
        size_t len = size * count, kept = len;
        if (!has_room(post, len))
                return 0;
        if (!post->keeps_answer && kept > POST_ANSWER_BYTES - post->answer_len)
                kept = POST_ANSWER_BYTES - post->answer_len;
        return kept == 0 || keep(post, bytes, kept) ? len : 0;
}

/* ---- one transfer ---- */

static bool add_header(struct post *post, const char *name, struct span value)
{
        char line[512];
        int len = snprintf(line, sizeof line, "%s: %.*s", name, (int)value.len, value.at);
        struct curl_slist *longer = len < (int)sizeof line ? curl_slist_append(post->headers, line) : NULL;
        if (longer)
                post->headers = longer;
        return longer != NULL;
}

static bool add_headers(struct post *post, const struct post_request *request)
{
        return add_header(post, "Content-Type", SPAN("application/json")) &&
               add_header(post, "User-Agent", SPAN("Deskbell/" DESKBELL_VERSION)) &&
               add_header(post, "webhook-id", request->id) &&
               add_header(post, "webhook-timestamp", request->timestamp) &&
               add_header(post, "webhook-signature", request->signatures) &&
               (post->headers = curl_slist_append(post->headers, "Expect:")) != NULL;
}

static bool put_resolved(struct post *post, const char *addresses)
{
        char line[512];
        snprintf(line, sizeof line, "%s:%u:%s", post->url.host, post->url.port, addresses);
        post->resolved = curl_slist_append(NULL, line);
        return post->resolved && curl_easy_setopt(post->easy, CURLOPT_RESOLVE, post->resolved) == CURLE_OK;
}

static bool set_bounds(CURL *easy, uint32_t total_ms)
{
        long connect_ms = total_ms > 0 && total_ms < POST_CONNECT_MS ? (long)total_ms : (long)POST_CONNECT_MS;
        return curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, connect_ms) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, total_ms > 0 ? (long)total_ms : (long)POST_TOTAL_MS) ==
                       CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, 0L) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK;
}

static bool set_callbacks(struct post *post)
{
        CURL *easy = post->easy;
        return curl_easy_setopt(easy, CURLOPT_PRIVATE, post->data) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, post->error) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, post) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_connected) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_PREREQDATA, post) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_HEADERDATA, post) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_WRITEDATA, post) == CURLE_OK;
}

static bool set_request(struct post *post, const struct post_request *request)
{
        CURL *easy = post->easy;
        if (request->ca_path && curl_easy_setopt(easy, CURLOPT_CAINFO, request->ca_path) != CURLE_OK)
                return false;
        if (request->resolved && !put_resolved(post, request->resolved))
                return false;
        return curl_easy_setopt(easy, CURLOPT_URL, request->url) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_POST, 1L) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_POSTFIELDS, post->body) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)request->body.len) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_HTTPHEADER, post->headers) == CURLE_OK;
}

struct post *post_new(CURLM *multi, const struct post_request *request, void *data, const char **out_wrong)
{
        *out_wrong = NULL;
        struct post *post = calloc(1, sizeof *post);
        if (!post)
                return NULL;
        post->egress = request->egress;
        post->data = data;
        post->total_ms = request->total_ms;
        post->keeps_answer = request->keeps_answer;
        *out_wrong = egress_url_read(request->egress, span_of(request->url), &post->url);
        if (*out_wrong)
                return post_free(post);
        post->easy = curl_easy_init();
        post->body = malloc(request->body.len + 1);
        if (post->body)
                memcpy(post->body, request->body.at, request->body.len);
        bool ok = post->easy && post->body && add_headers(post, request) && set_bounds(post->easy, post->total_ms) &&
                  set_callbacks(post) && set_request(post, request) &&
                  curl_multi_add_handle(multi, post->easy) == CURLM_OK;
        if (!ok)
                return post_free(post);
        post->multi = multi;
        return post;
}

struct post *post_free(struct post *post)
{
        if (!post)
                return NULL;
        if (post->multi)
                curl_multi_remove_handle(post->multi, post->easy);
        if (post->easy)
                curl_easy_cleanup(post->easy);
        curl_slist_free_all(post->headers);
        curl_slist_free_all(post->resolved);
        free(post->body);
        free(post->answer);
        free(post);
        return NULL;
}

void *post_data(CURL *easy)
{
        char *data = NULL;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, &data);
        return data;
}

bool post_is_overdue(const struct post *post, uint64_t now_mono_ms)
{
        return post->total_ms == 0 && post->sent_ms != 0 && !post->is_answered &&
               now_mono_ms - post->sent_ms >= POST_ANSWER_MS;
}

/* ---- the verdict ---- */

static void put_printable(struct post_verdict *verdict, const char *bytes, size_t len)
{
        if (len > POST_ANSWER_BYTES)
                len = POST_ANSWER_BYTES;
        for (size_t i = 0; i < len; i++)
                verdict->answer[i] = (char)(bytes[i] >= ' ' && bytes[i] < 0x7f ? bytes[i] : '.');
        verdict->answer[len] = '\0';
}

bool post_answer(const struct post *post, CURLcode code, struct span *out_answer)
{
        if (code != CURLE_OK || !post->is_answered || !post->keeps_answer)
                return false;
        *out_answer = (struct span){post->answer ? post->answer : "", post->answer_len};
        return true;
}

void post_judge(const struct post *post, CURLcode code, bool is_overdue, struct post_verdict *out_verdict)
{
        *out_verdict = (struct post_verdict){.status = post->is_answered ? post->status : 0};
        out_verdict->is_good = post->is_answered && post->status >= 200 && post->status < 300;
        const char *why = NULL;
        if (post->is_answered)
                put_printable(out_verdict, post->answer, post->answer_len);
        else if (is_overdue)
                why = "no answer within 5 s";
        else if (post->is_refused)
                why = "not connected: the address is not public and not allowed";
        else if (code == CURLE_WRITE_ERROR)
                why = "the headers of the answer are too long";
        else
                why = post->error[0] ? post->error : curl_easy_strerror(code);
        if (why)
                put_printable(out_verdict, why, strlen(why));
}
