/* SPDX-License-Identifier: Apache-2.0 */
/* Reply: answers to HTTP requests. Each has a length, says whether the connection goes on, and carries the security
 * headers that the handler did not set itself. */
#include "edge/edge_private.h"

#include <stdio.h>
#include <stdlib.h>

#define CSP_DATA "default-src 'none'; frame-ancestors 'none'"
#define CSP_PAGE                                                                                                       \
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' blob:; "          \
        "frame-ancestors 'none'; base-uri 'none'; form-action 'self'; require-trusted-types-for 'script'"

/* Date of this second. */
static const char *date(struct edge *edge)
{
        time_t now = time(NULL);
        if (now != edge->date_second) {
                struct tm utc;
                edge->date_second = now;
                strftime(edge->date, sizeof(edge->date), "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &utc));
        }
        return edge->date;
}

static void queue_text(struct edge_conn *conn, const char *text)
{
        conn_queue(conn, text, strlen(text));
}

static void queue_unless(struct edge_conn *conn, struct span headers, const char *name, const char *value)
{
        if (http_lines_have(headers, span_of(name)))
                return;
        char line[512];
        snprintf(line, sizeof(line), "%s: %s\r\n", name, value);
        queue_text(conn, line);
}

static bool has_no_body(int status)
{
        return status == 204 || status == 304;
}

int reply_head(struct edge_conn *conn, int status, const char *content_type, struct span headers, int64_t length)
{
        char text[256];
        snprintf(text, sizeof(text), "HTTP/1.1 %d %s\r\nDate: %s\r\n", status, http_reason(status), date(conn->edge));
        queue_text(conn, text);
        if (content_type && !has_no_body(status)) {
                queue_text(conn, "Content-Type: ");
                queue_text(conn, content_type);
                queue_text(conn, "\r\n");
        }
        if (!has_no_body(status)) {
                snprintf(text, sizeof(text), "Content-Length: %lld\r\n", (long long)length);
                queue_text(conn, text);
        }
        queue_text(conn, "X-Content-Type-Options: nosniff\r\n");
        queue_unless(conn, headers, "Referrer-Policy", "no-referrer");
        queue_unless(conn, headers, "Cache-Control", "no-store");
        queue_unless(conn, headers, "Content-Security-Policy", CSP_DATA);
        if (conn->is_tls)
                queue_text(conn, "Strict-Transport-Security: max-age=31536000\r\n");
        if (!conn->keep_alive)
                queue_text(conn, "Connection: close\r\n");
        conn_queue(conn, headers.at, headers.len);
        return conn_queue(conn, "\r\n", 2);
}

/* A request that came to something is a proof; so is one that needed no secret. */
static void answered(struct edge_conn *conn, int status)
{
        conn->has_replied = true;
        conn_prove(conn, status < 400);
}

int reply_status(struct edge_conn *conn, int status, struct span headers)
{
        answered(conn, status);
        int rc = reply_head(conn, status, NULL, headers, 0);
        serve_next(conn);
        return rc;
}

/* Long bodies go out of the file itself. */
static void queue_file(struct edge_conn *conn, struct span bytes)
{
        if (bytes.len <= WRITE_BYTES) {
                conn_queue(conn, bytes.at, bytes.len);
                serve_next(conn);
                return;
        }
        struct http_work *work = calloc(1, sizeof(*work));
        if (!work) {
                conn_doom(conn, true);
                return;
        }
        work->rest = bytes;
        conn->work = work;
        conn->state = STATE_PIECES;
        conn->window = 0;
        conn_due_in(conn, &conn->due, RATE_SECONDS);
}

void reply_file(struct edge_conn *conn, const struct statics_entry *entry, bool not_modified)
{
        const struct edge_static *file = &entry->file;
        char headers[1024];
        int len = snprintf(headers, sizeof(headers),
                           "ETag: %s\r\nCache-Control: no-cache\r\nContent-Security-Policy: %s\r\n"
                           "Cross-Origin-Opener-Policy: same-origin\r\n%s",
                           entry->etag, file->csp ? file->csp : CSP_PAGE,
                           file->csp ? "" : "Cross-Origin-Resource-Policy: same-origin\r\n");
        struct span lines = {headers, len < (int)sizeof(headers) ? (size_t)len : 0};
        answered(conn, 200);
        reply_head(conn, not_modified ? 304 : 200, file->content_type, lines, (int64_t)file->bytes.len);
        if (not_modified || conn->is_head_request)
                serve_next(conn);
        else
                queue_file(conn, file->bytes);
}

/* The connection that still owes `ref` an answer, or NULL. */
static struct edge_conn *owing(struct edge *edge, struct edge_ref ref)
{
        struct edge_conn *conn = edge_conn_of(edge, ref);
        if (!conn || conn->phase != PHASE_HTTP || conn->has_replied || conn->is_doomed || conn->state == STATE_HEAD)
                return NULL;
        return conn;
}

int edge_reply(struct edge *edge, struct edge_ref ref, int status, const char *content_type, struct span headers,
               struct span body)
{
        struct edge_conn *conn = owing(edge, ref);
        if (!conn)
                return -1;
        if (conn->state == STATE_BODY)
                conn->keep_alive = false;
        if (!http_lines_ok(headers)) {
                conn->keep_alive = false;
                return reply_status(conn, 500, SPAN(""));
        }
        answered(conn, status);
        int rc = reply_head(conn, status, content_type, headers, (int64_t)body.len);
        if (!conn->is_head_request && !has_no_body(status) && body.len)
                rc = conn_queue(conn, body.at, body.len);
        serve_next(conn);
        return rc;
}

/* The head is all there is, or all that fits. */
static int reply_short(struct edge_conn *conn, int status, const char *content_type, struct span headers,
                       int64_t length)
{
        answered(conn, status);
        int rc = reply_head(conn, status, content_type, headers, length);
        serve_next(conn);
        return rc;
}

int edge_reply_begin(struct edge *edge, struct edge_ref ref, int status, const char *content_type, struct span headers,
                     int64_t length)
{
        struct edge_conn *conn = owing(edge, ref);
        if (!conn || length < 0 || conn->state == STATE_BODY)
                return -1;
        if (!http_lines_ok(headers)) {
                conn->keep_alive = false;
                return reply_status(conn, 500, SPAN(""));
        }
        if (length == 0 || conn->is_head_request)
                return reply_short(conn, status, content_type, headers, length);
        struct http_work *work = calloc(1, sizeof(*work));
        if (!work) {
                conn_doom(conn, true);
                return -1;
        }
        answered(conn, status);
        work->pieces_left = length;
        conn->work = work;
        conn->state = STATE_PIECES;
        conn->window = 0;
        conn_due_in(conn, &conn->due, RATE_SECONDS);
        conn->wants_drained = true;
        return reply_head(conn, status, content_type, headers, length);
}

int edge_reply_piece(struct edge *edge, struct edge_ref ref, struct span bytes)
{
        struct edge_conn *conn = edge_conn_of(edge, ref);
        if (!conn || conn->phase != PHASE_HTTP || conn->state != STATE_PIECES || conn->is_doomed || !conn->work ||
            (int64_t)bytes.len > conn->work->pieces_left)
                return -1;
        if (conn_queue(conn, bytes.at, bytes.len) < 0)
                return -1;
        conn->work->pieces_left -= (int64_t)bytes.len;
        conn->wants_drained = conn->work->pieces_left > 0;
        if (conn->work->pieces_left == 0)
                serve_next(conn);
        return 0;
}

void edge_drop(struct edge *edge, struct edge_ref ref)
{
        struct edge_conn *conn = edge_conn_of(edge, ref);
        if (conn && conn->phase == PHASE_HTTP)
                conn_doom(conn, true);
}
