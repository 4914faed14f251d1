/* SPDX-License-Identifier: Apache-2.0 */
/* Ws: the bytes of RFC 6455 at a server: frame headers in, frame headers out, mask, close bodies, UTF-8, the accept
 * key. Pure; no extension is ever negotiated, so the reserved bits are always an error. Any thread. */
#pragma once

#include "protocol/span.h"

enum {
        WS_CONTINUATION = 0,
        WS_TEXT = 1,
        WS_BINARY = 2,
        WS_CLOSE = 8,
        WS_PING = 9,
        WS_PONG = 10,

        WS_CLIENT_HEADER_BYTES = 14, /* at most */
        WS_SERVER_HEADER_BYTES = 10, /* at most */
        WS_CONTROL_BYTES = 125,      /* largest payload of a control frame */
        WS_ACCEPT_BYTES = 28,        /* Sec-WebSocket-Accept, unterminated */
        WS_KEY_BYTES = 24,

        WS_CLOSE_NORMAL = 1000,
        WS_CLOSE_PROTOCOL = 1002,
        WS_CLOSE_NOT_TEXT = 1003,
        WS_CLOSE_EMPTY = 1005, /* never on the wire: a close frame without a code */
        WS_CLOSE_BAD_UTF8 = 1007,
        WS_CLOSE_POLICY = 1008,
        WS_CLOSE_TOO_BIG = 1009,
};

struct ws_header {
        uint8_t opcode;
        bool is_final;
        uint8_t header_len;
        uint8_t mask[4];
        uint64_t payload_len;
};

static inline bool ws_is_control(uint8_t opcode)
{
        return opcode & 8;
}

/* Header of a frame from a client. Its length when it is complete and lawful; 0 when more bytes are needed (*out_need
 * tells how many the header has in all, as far as one can know); -1002 or -1003 as soon as a byte forbids it.
 * `in_message`: a fragmented message is unfinished. */
int ws_header_read(const uint8_t *bytes, size_t len, bool in_message, struct ws_header *out_header, size_t *out_need);

/* Header of an unmasked, final frame: bytes written to `out`, at most WS_SERVER_HEADER_BYTES. */
size_t ws_header_write(uint8_t *out, uint8_t opcode, size_t payload_len);

/* In place; 8 bytes at a time. */
void ws_unmask(uint8_t *bytes, size_t len, const uint8_t mask[4]);

/* Whole and valid: no overlong forms, surrogates, nor anything above U+10FFFF; does not end inside a code point. */
bool ws_utf8_ok(const uint8_t *bytes, size_t len);

/* Body of a close frame: the code to echo, WS_CLOSE_EMPTY when there is none, or -1002. */
int ws_close_read(const uint8_t *payload, size_t len);
bool ws_close_code_ok(unsigned code); /* may stand in a close frame */

/* 24 characters of canonical base64 of 16 bytes. */
bool ws_key_ok(struct span key);
void ws_accept(struct span key, char out[WS_ACCEPT_BYTES]);
