/* SPDX-License-Identifier: Apache-2.0 */
/* The frame codec. Nothing here keeps state between calls. */
#include "edge/ws.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

enum { FINAL = 0x80, RESERVED = 0x70, OPCODE = 0x0f, MASKED = 0x80, LENGTH = 0x7f, LENGTH_16 = 126, LENGTH_64 = 127 };

static bool opcode_exists(uint8_t opcode)
{
        return opcode <= WS_BINARY || (opcode >= WS_CLOSE && opcode <= WS_PONG);
}

static int check_first(uint8_t first, bool in_message)
{
        uint8_t opcode = first & OPCODE;
        if (first & RESERVED || !opcode_exists(opcode))
                return -WS_CLOSE_PROTOCOL;
        if (ws_is_control(opcode))
                return first & FINAL ? 0 : -WS_CLOSE_PROTOCOL;
        if (in_message != (opcode == WS_CONTINUATION))
                return -WS_CLOSE_PROTOCOL;
        return opcode == WS_BINARY ? -WS_CLOSE_NOT_TEXT : 0;
}

static int check_second(uint8_t second, uint8_t opcode)
{
        if (!(second & MASKED))
                return -WS_CLOSE_PROTOCOL;
        return ws_is_control(opcode) && (second & LENGTH) > WS_CONTROL_BYTES ? -WS_CLOSE_PROTOCOL : 0;
}

/* The length has to be written in the shortest form, and in at most 63 bits. */
static int read_length(const uint8_t *bytes, struct ws_header *header)
{
        uint8_t word = bytes[1] & LENGTH;
        uint64_t length = 0;
        int count = word == LENGTH_64 ? 8 : word == LENGTH_16 ? 2 : 0;
        for (int i = 0; i < count; i++)
                length = length << 8 | bytes[2 + i];
        header->payload_len = count ? length : word;
        if ((count == 2 && length < LENGTH_16) || (count == 8 && (length <= 0xffff || length >> 63)))
                return -WS_CLOSE_PROTOCOL;
        return 0;
}

int ws_header_read(const uint8_t *bytes, size_t len, bool in_message, struct ws_header *out_header, size_t *out_need)
{
        *out_need = 2;
        if (len == 0)
                return 0;
        int rc = check_first(bytes[0], in_message);
        if (rc < 0 || len == 1)
                return rc;
        rc = check_second(bytes[1], bytes[0] & OPCODE);
        if (rc < 0)
                return rc;

        uint8_t word = bytes[1] & LENGTH;
        size_t extended = word == LENGTH_64 ? 8 : word == LENGTH_16 ? 2 : 0;
        *out_need = 2 + extended + 4;
        struct ws_header header = {.opcode = bytes[0] & OPCODE, .is_final = bytes[0] & FINAL};
        if (len >= 2 + extended) {
                rc = read_length(bytes, &header);
                if (rc < 0)
                        return rc;
        }
        if (len < *out_need)
                return 0;
        memcpy(header.mask, bytes + 2 + extended, 4);
        header.header_len = (uint8_t)*out_need;
        *out_header = header;
        return header.header_len;
}

size_t ws_header_write(uint8_t *out, uint8_t opcode, size_t payload_len)
{
        out[0] = FINAL | opcode;
        if (payload_len < LENGTH_16) {
                out[1] = (uint8_t)payload_len;
                return 2;
        }
        if (payload_len <= 0xffff) {
                out[1] = LENGTH_16;
                out[2] = (uint8_t)(payload_len >> 8);
                out[3] = (uint8_t)payload_len;
                return 4;
        }
        out[1] = LENGTH_64;
        for (int i = 0; i < 8; i++)
                out[2 + i] = (uint8_t)((uint64_t)payload_len >> (8 * (7 - i)));
        return 10;
}

void ws_unmask(uint8_t *bytes, size_t len, const uint8_t mask[4])
{
        uint64_t wide, word;
        memcpy(&wide, mask, 4);
        memcpy((uint8_t *)&wide + 4, mask, 4);
        size_t i = 0;
        for (; i + 8 <= len; i += 8) {
                memcpy(&word, bytes + i, 8);
                word ^= wide;
                memcpy(bytes + i, &word, 8);
        }
        for (; i < len; i++)
                bytes[i] ^= mask[i & 3];
}

/* Length of the code point at `at`, 0 when it is none. `left` >= 1. */
static size_t code_point(const uint8_t *at, size_t left)
{
        uint8_t lead = at[0], low = 0x80, high = 0xbf;
        size_t len = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
        if (lead < 0xc2 || lead > 0xf4 || left < len)
                return 0;
        if (lead == 0xe0)
                low = 0xa0; /* shorter forms exist */
        else if (lead == 0xed)
                high = 0x9f; /* surrogates */
        else if (lead == 0xf0)
                low = 0x90;
        else if (lead == 0xf4)
                high = 0x8f; /* U+10FFFF is the last */
        if (at[1] < low || at[1] > high)
                return 0;
        for (size_t i = 2; i < len; i++)
                if ((at[i] & 0xc0) != 0x80)
                        return 0;
        return len;
}

bool ws_utf8_ok(const uint8_t *bytes, size_t len)
{
        size_t i = 0;
        while (i < len) {
                uint64_t word;
                while (i + 8 <= len && (memcpy(&word, bytes + i, 8), !(word & 0x8080808080808080u)))
                        i += 8;
                if (i == len)
                        break;
                if (bytes[i] < 0x80) {
                        i++;
                        continue;
                }
                size_t step = code_point(bytes + i, len - i);
                if (!step)
                        return false;
                i += step;
        }
        return true;
}

bool ws_close_code_ok(unsigned code)
{
        if (code >= 3000 && code <= 4999)
                return true;
        return code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006;
}

int ws_close_read(const uint8_t *payload, size_t len)
{
        if (len == 0)
                return WS_CLOSE_EMPTY;
        if (len == 1)
                return -WS_CLOSE_PROTOCOL;
        unsigned code = (unsigned)payload[0] << 8 | payload[1];
        if (!ws_close_code_ok(code) || !ws_utf8_ok(payload + 2, len - 2))
                return -WS_CLOSE_PROTOCOL;
        return (int)code;
}

static bool is_base64(char c)
{
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
}

bool ws_key_ok(struct span key)
{
        if (key.len != WS_KEY_BYTES || key.at[22] != '=' || key.at[23] != '=')
                return false;
        for (int i = 0; i < 22; i++)
                if (!is_base64(key.at[i]))
                        return false;
        return memchr("AQgw", key.at[21], 4) != NULL; /* the last digit carries two bits; the others are zero */
}

void ws_accept(struct span key, char out[WS_ACCEPT_BYTES])
{
        static const char magic[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
        uint8_t joined[WS_KEY_BYTES + sizeof(magic) - 1], digest[SHA_DIGEST_LENGTH], text[WS_ACCEPT_BYTES + 1];
        memcpy(joined, key.at, WS_KEY_BYTES);
        memcpy(joined + WS_KEY_BYTES, magic, sizeof(magic) - 1);
        SHA1(joined, sizeof(joined), digest);
        EVP_EncodeBlock(text, digest, sizeof(digest));
        memcpy(out, text, WS_ACCEPT_BYTES);
}
