/* SPDX-License-Identifier: Apache-2.0 */
/* The head of a request and the gate in front of a WebSocket. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "edge/http.h"

#define HOST        "Host: desk.example\r\n"
#define HEAD(lines) "GET /x HTTP/1.1\r\n" HOST lines "\r\n"

struct row {
        const char *text;
        int verdict;
};

static int verdict_of(const char *text)
{
        struct http_head head;
        return http_head_read(text, strlen(text), &head);
}

static void check(const struct row *rows, size_t count)
{
        for (size_t i = 0; i < count; i++) {
                int verdict = verdict_of(rows[i].text);
                if (verdict != rows[i].verdict)
                        fail_msg("%s: %d, not %d", rows[i].text, verdict, rows[i].verdict);
        }
}

#define CHECK(rows) check(rows, sizeof(rows) / sizeof(rows[0]))

static void a_plain_request_is_read_with_its_parts(void **state)
{
        static const char text[] = "POST /v1/message.send?a=b%20c HTTP/1.1\r\n" HOST
                                   "authorization:  Bearer abc \r\nContent-Length: 12\r\nX-Other: \xea\xb0\x80\r\n"
                                   "Range: bytes=0-1\r\nX-Deskbell: 1\r\nIdempotency-Key: k\r\n\r\nbody";
        (void)state;
        struct http_head head;
        assert_int_equal(1, http_head_read(text, sizeof(text) - 1, &head));
        assert_int_equal(HTTP_POST, head.method);
        assert_true(span_equal(head.path, SPAN("/v1/message.send")));
        assert_true(span_equal(head.query, SPAN("a=b%20c")));
        assert_true(span_equal(head.host, SPAN("desk.example")));
        assert_true(span_equal(head.authorization, SPAN("Bearer abc")));
        assert_true(span_equal(head.range, SPAN("bytes=0-1")));
        assert_true(span_equal(head.deskbell, SPAN("1")));
        assert_true(span_equal(head.idempotency_key, SPAN("k")));
        assert_int_equal(12, head.content_length);
        assert_int_equal(sizeof(text) - 1 - 4, head.head_len);
        assert_null(head.cookie.at);
}

static void an_unfinished_head_asks_for_more_and_each_prefix_of_a_good_one_does(void **state)
{
        static const char text[] = HEAD("Cookie: a=b\r\nConnection: close\r\n");
        (void)state;
        for (size_t len = 0; len < sizeof(text) - 1; len++) {
                struct http_head head;
                char *exact = malloc(len ? len : 1); /* so that a sanitizer sees a step too far */
                memcpy(exact, text, len);
                assert_int_equal(0, http_head_read(exact, len, &head));
                free(exact);
        }
        assert_int_equal(1, verdict_of(text));
}

static void a_doubtful_request_line_is_refused_at_once(void **state)
{
        static const struct row rows[] = {
                {"GET /x HTTP/1.0\r\n", 400},
                {"GET /x HTTP/2.0\r\n", 400},
                {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400},
                {"GET /x\r\n", 400},
                {"GET  /x HTTP/1.1\r\n", 400},
                {"GET /x HTTP/1.1 \r\n", 400},
                {"GET /x HTTP/1.1\n", 400},
                {"GET /x HTTP/1.1\rX", 400},
                {"\r\nGET /x HTTP/1.1\r\n", 400},
                {"GET http://desk.example/x HTTP/1.1\r\n", 400},
                {"GET * HTTP/1.1\r\n", 400},
                {"GET /a#b HTTP/1.1\r\n", 400},
                {"GET /\xc3\xa9 HTTP/1.1\r\n", 400},
                {"G\x01T /x HTTP/1.1\r\n", 400},
                {"G(T /x HTTP/1.1\r\n", 400},
                {" /x HTTP/1.1\r\n", 400},
                {"\x16\x03\x01\x02", 400},
                {"TRACE /x HTTP/1.1\r\n", 405},
                {"CONNECT a:1 HTTP/1.1\r\n", 405},
                {"get /x HTTP/1.1\r\n", 405},
                {"BREW /x HTTP/1.1\r\n", 405},
        };
        (void)state;
        CHECK(rows);
}

static void tricks_in_the_path_are_not_found(void **state)
{
        static const char *const paths[] = {"/..",    "/../etc/passwd", "/a/../b", "/%2e%2e/", "/a%2fb", "/%00",
                                            "//x",    "/a//b",          "/a\\b",   "/..;/x",   "/a/..",  "/%c0%af",
                                            "/....//"};
        (void)state;
        for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
                char text[128];
                snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\n" HOST "\r\n", paths[i]);
                assert_int_equal(404, verdict_of(text));
        }
}

static void a_host_has_to_be_there_once_and_look_like_one(void **state)
{
        static const struct row rows[] = {
                {"GET /x HTTP/1.1\r\n\r\n", 400},
                {HEAD("Host: desk.example\r\n"), 400},
                {"GET /x HTTP/1.1\r\nHost:\r\n\r\n", 400},
                {"GET /x HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
                {"GET /x HTTP/1.1\r\nHost: a@b\r\n\r\n", 400},
                {"GET /x HTTP/1.1\r\nHost: a:\r\n\r\n", 400},
                {"GET /x HTTP/1.1\r\nHost: a:x\r\n\r\n", 400},
                {"GET /x HTTP/1.1\r\nHost: a:123456\r\n\r\n", 400},
                {"GET /x HTTP/1.1\r\nHost: [::1\r\n\r\n", 400},
                {"GET /x HTTP/1.1\r\nHost: []\r\n\r\n", 400},
                {"GET /x HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
                {"GET /x HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", 1},
                {"GET /x HTTP/1.1\r\nHost: 10.0.0.1:80\r\n\r\n", 1},
        };
        (void)state;
        CHECK(rows);
}

static void doubtful_header_lines_are_refused(void **state)
{
        static const struct row rows[] = {
                {HEAD("A : b\r\n"), 400},
                {HEAD("A\r\n"), 400},
                {HEAD(": b\r\n"), 400},
                {HEAD("A: b\r\n c\r\n"), 400},
                {HEAD("A: b\r\n\tc\r\n"), 400},
                {HEAD("A: b\n"), 400},
                {HEAD("A: b\rc\r\n"), 400},
                {HEAD("A: \x01\r\n"), 400},
                {HEAD("A: \x7f\r\n"), 400},
                {HEAD("A(: b\r\n"), 400},
                {HEAD("Cookie: a\r\nCookie: b\r\n"), 400},
                {HEAD("Origin: a\r\nOrigin: a\r\n"), 400},
                {HEAD("Authorization: a\r\nauthorization: b\r\n"), 400},
                {HEAD("Expect: 200-ok\r\n"), 417},
                {HEAD("Expect: 100-continue\r\n"), 1},
                {HEAD("A:\r\n"), 1},
                {HEAD("A: b\tc\r\n"), 1},
        };
        (void)state;
        CHECK(rows);
        static const char with_nul[] = "GET /x HTTP/1.1\r\n" HOST "A: b\0c\r\n\r\n";
        struct http_head head;
        assert_int_equal(400, http_head_read(with_nul, sizeof(with_nul) - 1, &head));
}

static void a_body_has_one_length_that_nobody_can_read_differently(void **state)
{
        static const struct row rows[] = {
                {HEAD("Content-Length: 1\r\nContent-Length: 1\r\n"), 400},
                {HEAD("Content-Length: 1\r\nContent-Length: 2\r\n"), 400},
                {HEAD("Content-Length: 1, 1\r\n"), 400},
                {HEAD("Content-Length: +1\r\n"), 400},
                {HEAD("Content-Length: -1\r\n"), 400},
                {HEAD("Content-Length: 0x1\r\n"), 400},
                {HEAD("Content-Length: 1 2\r\n"), 400},
                {HEAD("Content-Length:\r\n"), 400},
                {HEAD("Content-Length: 9999999999999999\r\n"), 400},
                {HEAD("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"), 400},
                {HEAD("Transfer-Encoding: chunked\r\nContent-Length: 1\r\n"), 400},
                {HEAD("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400},
                {HEAD("Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n"), 400},
                {HEAD("Transfer-Encoding: identity\r\n"), 400},
                {HEAD("Transfer-Encoding: xchunked\r\n"), 400},
                {HEAD("Transfer-Encoding: gzip, chunked\r\n"), 400},
                {HEAD("Transfer-Encoding:\x0b"
                      "chunked\r\n"),
                 400},
                {HEAD("Transfer-Encoding : chunked\r\n"), 400},
                {HEAD("Transfer-Encoding: chunked\r\n"), 411},
                {HEAD("transfer-encoding: Chunked\r\n"), 411},
                {HEAD("Content-Length: 0\r\n"), 1},
        };
        (void)state;
        CHECK(rows);
}

static void http2_cannot_be_entered(void **state)
{
        static const struct row rows[] = {
                {HEAD("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAA\r\n"), 400},
                {HEAD("Upgrade: h2c\r\n"), 400},
                {HEAD("Upgrade: websocket, H2C\r\n"), 400},
                {HEAD("Upgrade: h2\r\n"), 400},
                {HEAD("HTTP2-Settings: AAA\r\n"), 400},
        };
        (void)state;
        CHECK(rows);
}

static void a_head_is_bounded(void **state)
{
        char text[HTTP_HEAD_BYTES + 4096];
        (void)state;
        size_t len = (size_t)sprintf(text, "GET /x HTTP/1.1\r\n" HOST "A: ");
        memset(text + len, 'a', sizeof(text) - len);
        struct http_head head;
        assert_int_equal(0, http_head_read(text, HTTP_HEAD_BYTES - 1, &head));
        assert_int_equal(431, http_head_read(text, HTTP_HEAD_BYTES, &head));
        memcpy(text + HTTP_HEAD_BYTES - 4, "\r\n\r\n", 4);
        assert_int_equal(1, http_head_read(text, HTTP_HEAD_BYTES, &head));
        memcpy(text + HTTP_HEAD_BYTES - 4, "aaa\r\n\r\n", 7);
        assert_int_equal(431, http_head_read(text, HTTP_HEAD_BYTES + 3, &head));

        len = (size_t)sprintf(text, "GET /");
        memset(text + len, 'a', HTTP_HEAD_BYTES);
        assert_int_equal(414, http_head_read(text, HTTP_HEAD_BYTES, &head));
        len = (size_t)sprintf(text, "GET /");
        memset(text + len, 'a', HTTP_TARGET_BYTES);
        strcpy(text + len + HTTP_TARGET_BYTES, " HTTP/1.1\r\n");
        assert_int_equal(414, verdict_of(text));

        len = (size_t)sprintf(text, "GET /x HTTP/1.1\r\n" HOST);
        for (int i = 0; i < HTTP_HEADERS; i++)
                len += (size_t)sprintf(text + len, "A: b\r\n");
        assert_int_equal(431, verdict_of(text));
}

#define WS_REQUEST(method, target, lines) method " " target " HTTP/1.1\r\n" HOST lines "\r\n"
#define KEY                               "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define VERSION                           "Sec-WebSocket-Version: 13\r\n"
#define UPGRADE                           "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"
#define PROTOCOL                          "Sec-WebSocket-Protocol: deskbell.v1\r\n"

static int gate(const char *text)
{
        struct http_head head;
        int rc = http_head_read(text, strlen(text), &head);
        return rc == 1 ? http_gate(&head, SPAN("deskbell.v1")) : rc;
}

static void the_gate_lets_pass_only_an_exact_handshake(void **state)
{
        static const struct row rows[] = {
                {WS_REQUEST("GET", "/v1/ws", UPGRADE KEY VERSION PROTOCOL), 101},
                {WS_REQUEST("GET", "/v1/ws", "connection: UPGRADE\r\nupgrade: WebSocket\r\n" KEY VERSION PROTOCOL),
                 101},
                {WS_REQUEST("POST", "/v1/ws", UPGRADE KEY VERSION PROTOCOL), 405},
                {WS_REQUEST("GET", "/v1/ws?token=x", UPGRADE KEY VERSION PROTOCOL), 401},
                {WS_REQUEST("GET", "/v1/ws?", UPGRADE KEY VERSION PROTOCOL), 401},
                {WS_REQUEST("GET", "/v1/ws", KEY VERSION PROTOCOL), 426},
                {WS_REQUEST("GET", "/v1/ws", "Upgrade: websocket\r\n" KEY VERSION PROTOCOL), 400},
                {WS_REQUEST("GET", "/v1/ws", "Connection: Upgrade\r\n" KEY VERSION PROTOCOL), 426},
                {WS_REQUEST("GET", "/v1/ws", "Connection: Upgrade\r\nUpgrade: chat\r\n" KEY VERSION PROTOCOL), 400},
                {WS_REQUEST("GET", "/v1/ws", "Connection: xUpgrade\r\nUpgrade: websocket\r\n" KEY VERSION PROTOCOL),
                 400},
                {WS_REQUEST("GET", "/v1/ws", UPGRADE KEY PROTOCOL), 426},
                {WS_REQUEST("GET", "/v1/ws", UPGRADE KEY PROTOCOL "Sec-WebSocket-Version: 8\r\n"), 426},
                {WS_REQUEST("GET", "/v1/ws", UPGRADE KEY PROTOCOL "Sec-WebSocket-Version: 13, 8\r\n"), 426},
                {WS_REQUEST("GET", "/v1/ws", UPGRADE KEY PROTOCOL "Sec-WebSocket-Version: 013\r\n"), 426},
                {WS_REQUEST("GET", "/v1/ws", UPGRADE VERSION PROTOCOL), 400},
                {WS_REQUEST("GET", "/v1/ws", UPGRADE KEY KEY VERSION PROTOCOL), 400},
                {WS_REQUEST("GET", "/v1/ws", UPGRADE VERSION PROTOCOL "Sec-WebSocket-Key: dGhlIHNhbXBsZQ==\r\n"), 400},
                {WS_REQUEST("GET", "/v1/ws",
                            UPGRADE VERSION PROTOCOL "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZR==\r\n"),
                 400},
                {WS_REQUEST("GET", "/v1/ws", UPGRADE KEY VERSION), 400},
                {WS_REQUEST("GET", "/v1/ws", UPGRADE KEY VERSION "Sec-WebSocket-Protocol: deskbell.v2\r\n"), 400},
                {WS_REQUEST("GET", "/v1/ws", UPGRADE KEY VERSION "Sec-WebSocket-Protocol: Deskbell.v1\r\n"), 400},
                {WS_REQUEST("GET", "/v1/ws", UPGRADE KEY VERSION "Sec-WebSocket-Protocol: deskbell.v1, x\r\n"), 400},
                {WS_REQUEST("GET", "/v1/ws", UPGRADE KEY VERSION PROTOCOL PROTOCOL), 400},
                {WS_REQUEST("GET", "/v1/ws", UPGRADE KEY VERSION PROTOCOL "Content-Length: 0\r\n"), 400},
                {WS_REQUEST("GET", "/v1/ws", UPGRADE KEY VERSION PROTOCOL "Transfer-Encoding: chunked\r\n"), 411},
                {WS_REQUEST("GET", "/v1/ws", UPGRADE KEY VERSION PROTOCOL "Expect: 100-continue\r\n"), 400},
        };
        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                int verdict = gate(rows[i].text);
                if (verdict != rows[i].verdict)
                        fail_msg("%s: %d, not %d", rows[i].text, verdict, rows[i].verdict);
        }
}

static void a_host_name_is_compared_without_port_and_case(void **state)
{
        (void)state;
        assert_true(http_host_is(SPAN("Desk.Example:8443"), SPAN("desk.example")));
        assert_true(http_host_is(SPAN("[::1]:80"), SPAN("::1")));
        assert_true(http_host_is(SPAN("[::1]"), SPAN("[::1]")));
        assert_false(http_host_is(SPAN("desk.example.evil"), SPAN("desk.example")));
        assert_false(http_host_is(SPAN("xdesk.example"), SPAN("desk.example")));
        assert_false(http_host_is(SPAN("desk"), SPAN("desk.example")));
}

static void an_etag_is_found_in_a_list(void **state)
{
        (void)state;
        assert_true(http_etag_matches(SPAN("\"a\", W/\"b\""), SPAN("\"b\"")));
        assert_true(http_etag_matches(SPAN("*"), SPAN("\"b\"")));
        assert_false(http_etag_matches(SPAN("\"bb\""), SPAN("\"b\"")));
        assert_false(http_etag_matches(SPAN(""), SPAN("\"b\"")));
}

static void header_lines_of_a_handler_cannot_split_the_answer(void **state)
{
        (void)state;
        assert_true(http_lines_ok(SPAN("")));
        assert_true(http_lines_ok(SPAN("A: b\r\nC-D: \"e\"\r\n")));
        assert_false(http_lines_ok(SPAN("A: b\r\n\r\n")));
        assert_false(http_lines_ok(SPAN("A: b\r\n\r\nforged")));
        assert_false(http_lines_ok(SPAN("A: b\nC: d\r\n")));
        assert_false(http_lines_ok(SPAN("A: b\rC: d\r\n")));
        assert_false(http_lines_ok(SPAN("A: b")));
        assert_false(http_lines_ok(SPAN("A b: c\r\n")));
        assert_false(http_lines_ok(SPAN("A: \0\r\n")));
        assert_true(http_lines_have(SPAN("A: b\r\ncache-control: x\r\n"), SPAN("Cache-Control")));
        assert_false(http_lines_have(SPAN("A: cache-control:\r\n"), SPAN("Cache-Control")));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_plain_request_is_read_with_its_parts),
                cmocka_unit_test(an_unfinished_head_asks_for_more_and_each_prefix_of_a_good_one_does),
                cmocka_unit_test(a_doubtful_request_line_is_refused_at_once),
                cmocka_unit_test(tricks_in_the_path_are_not_found),
                cmocka_unit_test(a_host_has_to_be_there_once_and_look_like_one),
                cmocka_unit_test(doubtful_header_lines_are_refused),
                cmocka_unit_test(a_body_has_one_length_that_nobody_can_read_differently),
                cmocka_unit_test(http2_cannot_be_entered),
                cmocka_unit_test(a_head_is_bounded),
                cmocka_unit_test(the_gate_lets_pass_only_an_exact_handshake),
                cmocka_unit_test(a_host_name_is_compared_without_port_and_case),
                cmocka_unit_test(an_etag_is_found_in_a_list),
                cmocka_unit_test(header_lines_of_a_handler_cannot_split_the_answer),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
