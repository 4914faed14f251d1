/* SPDX-License-Identifier: Apache-2.0 */
/* Frame headers, mask, close bodies, UTF-8 and the accept key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "edge/ws.h"

static int read_header(struct span bytes, bool in_message)
{
        struct ws_header header;
        size_t need;
        return ws_header_read((const uint8_t *)bytes.at, bytes.len, in_message, &header, &need);
}

static void a_header_is_read_in_each_length_and_asks_for_what_is_missing(void **state)
{
        static const struct {
                struct span bytes;
                uint64_t length;
        } rows[] = {
                {SPAN("\x81\x80\1\2\3\4"), 0},
                {SPAN("\x81\xfd\1\2\3\4"), 125},
                {SPAN("\x81\xfe\0\x7e\1\2\3\4"), 126},
                {SPAN("\x81\xfe\xff\xff\1\2\3\4"), 65535},
                {SPAN("\x81\xff\0\0\0\0\0\1\0\0\1\2\3\4"), 65536},
                {SPAN("\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff\1\2\3\4"), INT64_MAX},
        };
        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                struct ws_header header;
                size_t need = 0, len = rows[i].bytes.len;
                const uint8_t *bytes = (const uint8_t *)rows[i].bytes.at;
                for (size_t less = 0; less < len; less++) {
                        assert_int_equal(0, ws_header_read(bytes, less, false, &header, &need));
                        assert_int_equal(less < 2 ? 2 : len, need);
                }
                assert_int_equal(len, ws_header_read(bytes, len, false, &header, &need));
                assert_true(header.payload_len == rows[i].length);
                assert_int_equal(WS_TEXT, header.opcode);
                assert_true(header.is_final);
                assert_memory_equal("\1\2\3\4", header.mask, 4);
        }
}

static void a_frame_that_breaks_the_rules_is_refused_from_its_header(void **state)
{
        static const struct {
                struct span bytes;
                bool in_message;
                int verdict;
        } rows[] = {
                {SPAN("\xc1"), false, -1002}, /* reserved bits: deflate */
                {SPAN("\xa1"), false, -1002},
                {SPAN("\x91"), false, -1002},
                {SPAN("\x83"), false, -1002}, /* reserved opcodes */
                {SPAN("\x8b"), false, -1002},
                {SPAN("\x8f"), false, -1002},
                {SPAN("\x09"), false, -1002}, /* a control frame in pieces */
                {SPAN("\x08"), false, -1002},
                {SPAN("\x89\xfe"), false, -1002}, /* longer than 125 */
                {SPAN("\x88\xff"), false, -1002},
                {SPAN("\x80"), false, -1002}, /* continues nothing */
                {SPAN("\x00"), false, -1002},
                {SPAN("\x81"), true, -1002}, /* a new message inside another */
                {SPAN("\x82"), true, -1002},
                {SPAN("\x81\x05"), false, -1002}, /* not masked */
                {SPAN("\x89\x00"), false, -1002},
                {SPAN("\x81\xfe\x00\x7d"), false, -1002}, /* not the shortest form */
                {SPAN("\x81\xff\0\0\0\0\0\0\xff\xff"), false, -1002},
                {SPAN("\x81\xff\x80\0\0\0\0\0\0\0"), false, -1002}, /* 2^63 */
                {SPAN("\x82"), false, -1003},
                {SPAN("\x02"), false, -1003},
                {SPAN("\x89\x80\1\2\3\4"), true, 6}, /* a ping between fragments */
                {SPAN("\x80\x80\1\2\3\4"), true, 6},
        };
        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
                assert_int_equal(rows[i].verdict, read_header(rows[i].bytes, rows[i].in_message));
}

static void what_the_server_writes_is_the_shortest_form(void **state)
{
        uint8_t out[WS_SERVER_HEADER_BYTES];
        (void)state;
        assert_int_equal(2, ws_header_write(out, WS_TEXT, 125));
        assert_memory_equal("\x81\x7d", out, 2);
        assert_int_equal(4, ws_header_write(out, WS_TEXT, 126));
        assert_memory_equal("\x81\x7e\x00\x7e", out, 4);
        assert_int_equal(4, ws_header_write(out, WS_TEXT, 65535));
        assert_int_equal(10, ws_header_write(out, WS_PONG, 65536));
        assert_memory_equal("\x8a\x7f\0\0\0\0\0\1\0\0", out, 10);
}

static void the_mask_comes_off_at_any_length_and_place(void **state)
{
        uint8_t plain[64], masked[64];
        const uint8_t mask[4] = {0xde, 0xad, 0xbe, 0xef};
        (void)state;
        for (size_t start = 0; start < 9; start++) {
                for (size_t len = 0; start + len <= sizeof(plain); len++) {
                        for (size_t i = 0; i < sizeof(plain); i++) {
                                plain[i] = (uint8_t)(i * 7);
                                masked[i] = i >= start && i < start + len ? plain[i] ^ mask[(i - start) & 3] : plain[i];
                        }
                        ws_unmask(masked + start, len, mask);
                        assert_memory_equal(plain, masked, sizeof(plain));
                }
        }
}

/* The definition, without haste. */
static bool slow_utf8_ok(const uint8_t *bytes, size_t len)
{
        for (size_t i = 0; i < len;) {
                uint32_t lead = bytes[i++], point = lead, more = 0;
                if (lead >= 0xf8 || (lead >= 0x80 && lead < 0xc0))
                        return false;
                if (lead >= 0xc0) {
                        more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
                        point = lead & (0x3fu >> more);
                }
                for (uint32_t j = 0; j < more; j++) {
                        if (i == len || (bytes[i] & 0xc0) != 0x80)
                                return false;
                        point = point << 6 | (bytes[i++] & 0x3f);
                }
                static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
                if (point < least[more] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000))
                        return false;
        }
        return true;
}

static void utf8_is_judged_as_its_definition_does(void **state)
{
        (void)state;
        for (uint32_t word = 0; word < 1u << 24; word += 1) {
                uint8_t bytes[4] = {(uint8_t)(word >> 16), (uint8_t)(word >> 8), (uint8_t)word, 0x80};
                size_t len = bytes[0] >= 0xf0 ? 4 : 3;
                if (ws_utf8_ok(bytes, len) != slow_utf8_ok(bytes, len))
                        fail_msg("%06x", word);
        }
}

static void utf8_that_breaks_off_or_sits_behind_ascii_is_seen(void **state)
{
        (void)state;
        assert_true(ws_utf8_ok((const uint8_t *)"", 0));
        for (size_t lead = 0; lead < 20; lead++) {
                uint8_t text[32];
                memset(text, 'a', sizeof(text));
                memcpy(text + lead, "\xf0\x9f\x98\x80", 4);
                assert_true(ws_utf8_ok(text, lead + 4));
                assert_true(ws_utf8_ok(text, sizeof(text)));
                for (size_t cut = 1; cut < 4; cut++)
                        assert_false(ws_utf8_ok(text, lead + cut));
                text[lead + 3] = 'a';
                assert_false(ws_utf8_ok(text, sizeof(text)));
        }
}

static void a_close_body_is_checked(void **state)
{
        static const struct {
                struct span body;
                int verdict;
        } rows[] = {
                {SPAN(""), WS_CLOSE_EMPTY},
                {SPAN("\x03"), -1002},
                {SPAN("\x03\xe8"), 1000},
                {SPAN("\x03\xe8"
                      "bye"),
                 1000},
                {SPAN("\x03\xe8\xff"), -1002},
                {SPAN("\x03\xe7"), -1002},
                {SPAN("\x03\xec"), -1002},
                {SPAN("\x03\xed"), -1002},
                {SPAN("\x03\xee"), -1002},
                {SPAN("\x03\xf6"), 1014},
                {SPAN("\x03\xf7"), -1002},
                {SPAN("\x0b\xb7"), -1002},
                {SPAN("\x0b\xb8"), 3000},
                {SPAN("\x13\x87"), 4999},
                {SPAN("\x13\x88"), -1002},
                {SPAN("\0\0"), -1002},
                {SPAN("\xff\xff"), -1002},
        };
        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
                assert_int_equal(rows[i].verdict, ws_close_read((const uint8_t *)rows[i].body.at, rows[i].body.len));
}

static void a_key_is_sixteen_bytes_of_canonical_base64(void **state)
{
        (void)state;
        assert_true(ws_key_ok(SPAN("dGhlIHNhbXBsZSBub25jZQ==")));
        assert_true(ws_key_ok(SPAN("AAAAAAAAAAAAAAAAAAAAAA==")));
        assert_false(ws_key_ok(SPAN("AAAAAAAAAAAAAAAAAAAAAB==")));
        assert_false(ws_key_ok(SPAN("AAAAAAAAAAAAAAAAAAAAAAA=")));
        assert_false(ws_key_ok(SPAN("AAAAAAAAAAAAAAAAAAAAAA=")));
        assert_false(ws_key_ok(SPAN("AAAAAAAAAAAAAAAAAAA AA==")));
        assert_false(ws_key_ok(SPAN("AAAAAAAAAAAAAAAAAAA-AA==")));
        assert_false(ws_key_ok(SPAN("")));
        assert_false(ws_key_ok((struct span){NULL, 0}));
}

static void the_accept_key_is_that_of_the_rfc(void **state)
{
        char out[WS_ACCEPT_BYTES];
        (void)state;
        ws_accept(SPAN("dGhlIHNhbXBsZSBub25jZQ=="), out);
        assert_memory_equal("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", out, sizeof(out));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_header_is_read_in_each_length_and_asks_for_what_is_missing),
                cmocka_unit_test(a_frame_that_breaks_the_rules_is_refused_from_its_header),
                cmocka_unit_test(what_the_server_writes_is_the_shortest_form),
                cmocka_unit_test(the_mask_comes_off_at_any_length_and_place),
                cmocka_unit_test(utf8_is_judged_as_its_definition_does),
                cmocka_unit_test(utf8_that_breaks_off_or_sits_behind_ascii_is_seen),
                cmocka_unit_test(a_close_body_is_checked),
                cmocka_unit_test(a_key_is_sixteen_bytes_of_canonical_base64),
                cmocka_unit_test(the_accept_key_is_that_of_the_rfc),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
