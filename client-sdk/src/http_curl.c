/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP over libcurl: the requests for files of clients that bring no transport of their own. One thread; certificates
 * are always checked, by the road's trust as the WebSocket's are; no redirects, no cookies, nothing out of the
 * environment; a transfer that stands still for half a minute has failed. A lookup that hangs is left to end by itself.
 */
#include <curl/curl.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "transfer.h"
#include "trust.h"

enum { CONNECT_MS = 20000, STILL_S = 30, STILL_BYTES = 16, HEADERS = 48, HEADER_BYTES = 1024, IDLE_MS = 3600000 };

/* One request. */
struct call {
        struct call *next;
        CURL *easy;
        struct curl_slist *headers;
        deskbell_exchange *exchange;
        char *lines[HEADERS]; /* of the answer */
        size_t lines_count;
        char *body;
        size_t body_len, body_most;
};

struct http_curl {
        CURLM *multi;
        const struct road *road;
        struct trust_verdict verdict; /* on the last certificate */
        struct call *calls;
};

static void init_once(void)
{
        curl_global_init(CURL_GLOBAL_DEFAULT);
}

struct http_curl *http_curl_new(const struct road *road)
{
        static pthread_once_t once = PTHREAD_ONCE_INIT;
        struct http_curl *http = calloc(1, sizeof(*http));
        if (!http)
                return NULL;

        pthread_once(&once, init_once);
        http->road = road;
        http->multi = curl_multi_init();
        return http->multi ? http : http_curl_free(http);
}

static void forget_lines(struct call *call)
{
        while (call->lines_count)
                free(call->lines[--call->lines_count]);
}

static struct call *call_free(struct http_curl *http, struct call *call)
{
        if (call->easy) {
                curl_multi_remove_handle(http->multi, call->easy);
                curl_easy_cleanup(call->easy);
        }
        curl_slist_free_all(call->headers);
        forget_lines(call);
        free(call->body);
        free(call);
        return NULL;
}

struct http_curl *http_curl_free(struct http_curl *http)
{
        if (!http)
                return NULL;
        while (http->calls) {
                struct call *call = http->calls;
                http->calls = call->next;
                call_free(http, call);
        }
        curl_multi_cleanup(http->multi);
        free(http);
        return NULL;
}

/* ---- what curl asks ---------------------------------------------------------------------------------------------- */

static size_t on_header(char *bytes, size_t size, size_t count, void *data)
{
        struct call *call = data;
        size_t len = size * count, kept = len;

        if (len > 5 && memcmp(bytes, "HTTP/", 5) == 0) {
                forget_lines(call); /* of an answer before the answer */
                return len;
        }
        while (kept && (bytes[kept - 1] == '\r' || bytes[kept - 1] == '\n'))
                kept--;
        if (kept && kept <= HEADER_BYTES && call->lines_count < HEADERS) {
                char *line = strndup(bytes, kept);
                if (!line)
                        return 0;
                call->lines[call->lines_count++] = line;
        }
        return len;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *data)
{
        struct call *call = data;
        size_t len = size * count;

        if (call->body_len + len > call->body_most)
                return 0;
        char *body = realloc(call->body, call->body_len + len + 1);
        if (!body)
                return 0;
        memcpy(body + call->body_len, bytes, len);
        call->body = body;
        call->body_len += len;
        return len;
}

/* ---- beginning --------------------------------------------------------------------------------------------------- */

static bool add_headers(struct call *call, const struct deskbell_http_request *request)
{
        for (size_t i = 0; i <= request->headers_count; i++) {
                const char *line = i < request->headers_count ? request->headers[i] : "Expect:";
                struct curl_slist *longer = curl_slist_append(call->headers, line);
                if (!longer)
                        return false;
                call->headers = longer;
        }
        return true;
}

static bool set_bounds(CURL *easy)
{
        return curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long)STILL_S) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, (long)STILL_BYTES) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK;
}

static int on_certificate(X509_STORE_CTX *chain, void *data)
{
        struct http_curl *http = data;

        return trust_verify(http->road->trust, chain, http->road->to.host, &http->verdict);
}

static CURLcode on_context(CURL *easy, void *tls, void *data)
{
        struct http_curl *http = data;

        (void)easy;
        http->verdict = (struct trust_verdict){0};
        if (!trust_set_up(http->road->trust, tls))
                return CURLE_OUT_OF_MEMORY;
        SSL_CTX_set_cert_verify_callback(tls, on_certificate, http);
        return CURLE_OK;
}

/* Roots are the trust's, not libcurl's. An empty proxy or list of exceptions is none, also in the environment. */
static bool set_road(struct http_curl *http, CURL *easy)
{
        const struct road_proxy *proxy = &http->road->proxy;
        char host[ROAD_HOST_BYTES + 16] = "";

        if (http->road->has_proxy)
                snprintf(host, sizeof(host), strchr(proxy->host, ':') ? "http://[%s]:%u" : "http://%s:%u", proxy->host,
                         proxy->port);
        if (http->road->has_proxy && proxy->has_credentials &&
            (curl_easy_setopt(easy, CURLOPT_PROXYUSERNAME, proxy->user) != CURLE_OK ||
             curl_easy_setopt(easy, CURLOPT_PROXYPASSWORD, proxy->password) != CURLE_OK))
                return false;
        return curl_easy_setopt(easy, CURLOPT_PROXY, host) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_NOPROXY, "") == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_PROXYAUTH, (long)CURLAUTH_BASIC) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_HTTPPROXYTUNNEL, http->road->has_proxy ? 1L : 0L) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_CAINFO, NULL) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_CAPATH, NULL) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_context) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, http) == CURLE_OK;
}

static bool set_body(CURL *easy, const struct deskbell_http_request *request)
{
        if (!request->body)
                return true;
        return curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_len) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, request->body) == CURLE_OK;
}

static bool set_up(struct http_curl *http, struct call *call, const struct deskbell_http_request *request)
{
        CURL *easy = call->easy;

        return add_headers(call, request) && set_bounds(easy) && set_road(http, easy) && set_body(easy, request) &&
               curl_easy_setopt(easy, CURLOPT_URL, request->url) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_HTTPHEADER, call->headers) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_HEADERDATA, call) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_WRITEDATA, call) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_PRIVATE, call) == CURLE_OK &&
               curl_multi_add_handle(http->multi, easy) == CURLM_OK;
}

int http_curl_begin(void *data, const struct deskbell_http_request *request, deskbell_exchange *exchange)
{
        struct http_curl *http = data;
        struct call *call = calloc(1, sizeof(*call));
        if (!call)
                return -1;

        call->exchange = exchange;
        call->body_most = request->max_answer_bytes;
        call->easy = curl_easy_init();
        if (!call->easy || !set_up(http, call, request)) {
                call_free(http, call);
                return -1;
        }
        call->next = http->calls;
        http->calls = call;
        return 0;
}

/* ---- ending ------------------------------------------------------------------------------------------------------ */

static void call_remove(struct http_curl *http, struct call *call)
{
        struct call **at = &http->calls;

        while (*at != call)
                at = &(*at)->next;
        *at = call->next;
        call_free(http, call);
}

void http_curl_cancel(void *data, deskbell_exchange *exchange)
{
        struct http_curl *http = data;
        struct call *call = http->calls;

        while (call && call->exchange != exchange)
                call = call->next;
        if (!call)
                return;
        call_remove(http, call);
        deskbell_http_done(exchange, NULL);
}

/* Tagged as the WebSocket's failures are. */
static void tell_failure(const struct http_curl *http, const struct call *call, CURLcode rc)
{
        bool is_refused =
                http->verdict.reason[0] && (rc == CURLE_PEER_FAILED_VERIFICATION || rc == CURLE_SSL_CONNECT_ERROR);
        const char *detail = is_refused ? http->verdict.reason : curl_easy_strerror(rc), *what = "files: network";
        char proxy[48];
        long status = 0;

        curl_easy_getinfo(call->easy, CURLINFO_HTTP_CONNECTCODE, &status);
        if (is_refused)
                what = http->verdict.is_pin ? "files: tls_pin" : "files: tls";
        else if (rc == CURLE_PEER_FAILED_VERIFICATION || rc == CURLE_SSL_CONNECT_ERROR)
                what = "files: tls";
        else if (rc == CURLE_COULDNT_RESOLVE_PROXY || rc == CURLE_PROXY)
                what = "files: proxy";
        if (http->road->has_proxy && status != 0 && (status < 200 || status > 299)) {
                what = status == 407 ? "files: proxy_auth" : "files: proxy";
                snprintf(proxy, sizeof(proxy), "the proxy answered %ld", status);
                detail = proxy;
        }
        road_log(http->road, DESKBELL_LOG_INFO, what, detail);
}

static void ended(struct http_curl *http, struct call *call, CURLcode rc)
{
        struct deskbell_http_answer answer = {
                .size = sizeof(answer),
                .headers = (const char *const *)call->lines,
                .headers_count = call->lines_count,
                .body = call->body,
                .body_len = call->body_len,
        };
        long status = 0;

        curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
        /* A refusal may come while we are still sending; then the connection is lost, but the answer is there. */
        bool is_answered = rc == CURLE_OK || ((rc == CURLE_SEND_ERROR || rc == CURLE_RECV_ERROR) && status >= 400);
        answer.status = is_answered ? (int)status : 0;
        if (!is_answered)
                tell_failure(http, call, rc);
        deskbell_http_done(call->exchange, &answer);
        call_remove(http, call);
}

void http_curl_wait(struct http_curl *http)
{
        CURLMsg *message;
        int running = 0, left = 0;

        curl_multi_perform(http->multi, &running);
        while ((message = curl_multi_info_read(http->multi, &left))) {
                struct call *call = NULL;
                CURLcode rc = message->data.result;

                if (message->msg != CURLMSG_DONE)
                        continue;
                curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&call);
                ended(http, call, rc);
                running = -1;
        }
        if (running >= 0)
                curl_multi_poll(http->multi, NULL, 0, IDLE_MS, NULL);
}

void http_curl_wake(struct http_curl *http)
{
        curl_multi_wakeup(http->multi);
}
