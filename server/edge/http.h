/* SPDX-License-Identifier: Apache-2.0 */
/* Http: the head of an HTTP/1.1 request, read strictly, and the gate that stands before a WebSocket. Pure: bytes in,
 * verdict out, no state between calls; what is doubtful is refused. Spans point into the bytes. Any thread. */
#pragma once

#include "protocol/span.h"

enum {
        HTTP_HEAD_BYTES = 8192, /* request line and headers together, with the empty line */
        HTTP_TARGET_BYTES = 2048,
        HTTP_HEADERS = 64, /* lines */
        HTTP_HOST_BYTES = 255,
};

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_PATCH, HTTP_DELETE, HTTP_OPTIONS };

struct http_head {
        enum http_method method;
        struct span method_name, path, query; /* query without its question mark; at NULL = none */
        /* Headers that may stand once; without the blanks around them; at NULL = absent. */
        struct span host, origin, authorization, cookie, idempotency_key, range, if_range, if_none_match, content_type;
        struct span upload_offset, deskbell, ws_key, ws_version, ws_protocol;
        int64_t content_length; /* -1 = absent */
        size_t head_len;
        bool has_upgrade; /* some Upgrade header */
        bool upgrade_websocket, upgrade_h2c;
        bool connection_upgrade, connection_close;
        bool expects_continue;
};

/* 1: complete and lawful, *out_head is filled. 0: more bytes are needed. Else the status that refuses it: 400, 404,
 * 405, 411, 414, 417 or 431; the connection has to be closed behind the answer. What is refused stays refused when
 * bytes are added. */
int http_head_read(const char *bytes, size_t len, struct http_head *out_head);

/* The request is for the WebSocket's path: 101, or the status that refuses it (400, 401, 405, 426). */
int http_gate(const struct http_head *head, struct span subprotocol);

/* Host names without port; `host` is a Host header that http_head_read let pass. A listed name may be a v6 literal with
 * its brackets or without. */
bool http_host_is(struct span host, struct span name);

/* One of the comma-separated tokens of `list`, in any case. */
bool http_has_token(struct span list, struct span token);
bool http_span_is(struct span a, struct span b); /* in any case */

/* If-None-Match names `etag` (with its quotes), or any. */
bool http_etag_matches(struct span if_none_match, struct span etag);

/* Lines "Name: value\r\n" as a handler gives them: no control characters, no empty line, nothing unfinished. */
bool http_lines_ok(struct span lines);
bool http_lines_have(struct span lines, struct span name); /* some line is called `name` */

const char *http_reason(int status); /* never NULL */
