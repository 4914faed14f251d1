/* SPDX-License-Identifier: Apache-2.0 */
/* Wire. The layout of a cmid's 32 digits: 0-11 milliseconds, 12-17 the run (version, variant and 18 random bits), 18-21
 * lane, 22-31 number. */
#include "wire.h"

#include <stdlib.h>

enum { RUN_AT = 12, RUN_DIGITS = 6, LANE_AT = 18, LANE_DIGITS = 4, NUMBER_AT = 22, NUMBER_DIGITS = 10, ID_DIGITS = 10 };

static char run_digits[RUN_DIGITS];

/* Where "cmid" stood in the last entry, counted from the end of its seq. Entries of one run look alike, so it is nearly
 * always there again. */
static size_t cmid_hint;

void wire_set_run(const uint8_t random[10])
{
        struct cmid cmid = cmid_make(0, random);
        char text[CMID_TEXT_BYTES];
        cmid_write(text, &cmid);
        memcpy(run_digits, text + RUN_AT, RUN_DIGITS);
}

static void put_hex(char *out, uint64_t value, size_t digits, char mask)
{
        static const char alphabet[] = "0123456789abcdef";
        for (size_t i = digits; i-- > 0; value >>= 4)
                out[i] = (char)(alphabet[value & 15] ^ mask);
}

static void put_decimal(char *out, uint64_t value, size_t digits, char mask)
{
        for (size_t i = digits; i-- > 0; value /= 10)
                out[i] = (char)(('0' + (char)(value % 10)) ^ mask);
}

static void put_cmid(char *out, const struct wire_key *key)
{
        put_hex(out, key->made_ms, RUN_AT, WIRE_MASK);
        for (size_t i = 0; i < RUN_DIGITS; i++)
                out[RUN_AT + i] = (char)(run_digits[i] ^ WIRE_MASK);
        put_hex(out + LANE_AT, key->lane, LANE_DIGITS, WIRE_MASK);
        put_hex(out + NUMBER_AT, key->number, NUMBER_DIGITS, WIRE_MASK);
}

size_t wire_frame(char *out, struct span json)
{
        size_t head = 2;
        out[0] = (char)0x81;
        if (json.len < 126) {
                out[1] = (char)(0x80 | json.len);
        } else if (json.len < 65536) {
                out[1] = (char)(0x80 | 126);
                out[2] = (char)(json.len >> 8);
                out[3] = (char)json.len;
                head = 4;
        } else {
                out[1] = (char)(0x80 | 127);
                for (int i = 0; i < 8; i++)
                        out[2 + i] = (char)(json.len >> (56 - 8 * i));
                head = 10;
        }
        memset(out + head, WIRE_MASK, 4);
        head += 4;
        for (size_t i = 0; i < json.len; i++)
                out[head + i] = (char)(json.at[i] ^ WIRE_MASK);
        return head + json.len;
}

static void fill_text(char *out, size_t len)
{
        static const char words[] = "thank you for the quick answer it works again on my phone now ";
        for (size_t i = 0; i < len; i++)
                out[i] = words[i % (sizeof(words) - 1)];
        if (len)
                out[len - 1] = 'x';
}

int wire_plan_init(struct wire_plan *plan, size_t text_bytes, bool has_after)
{
        static const char before_id[] = "{\"jsonrpc\":\"2.0\",\"id\":", zeros[] = "00000000000000000000000000000000";
        static const char before_cmid[] = ",\"method\":\"message.send\",\"params\":{\"cmid\":\"";
        static const char before_conv[] = "\",\"conv\":\"", before_after[] = "\",\"after\":\"";
        static const char before_text[] = "\",\"kind\":\"text\",\"text\":\"", end[] = "\"}}";
        char *json = malloc(512 + text_bytes), *at = json;
        char *frame = malloc(512 + text_bytes + WIRE_HEAD_BYTES_MAX);
        if (!json || !frame) {
                free(json);
                free(frame);
                return -1;
        }

        at = (char *)memcpy(at, before_id, sizeof(before_id) - 1) + sizeof(before_id) - 1;
        size_t id_at = (size_t)(at - json);
        at = (char *)memcpy(at, zeros, ID_DIGITS) + ID_DIGITS;
        at = (char *)memcpy(at, before_cmid, sizeof(before_cmid) - 1) + sizeof(before_cmid) - 1;
        size_t cmid_at = (size_t)(at - json);
        at = (char *)memcpy(at, zeros, CMID_TEXT_BYTES) + CMID_TEXT_BYTES;
        at = (char *)memcpy(at, before_conv, sizeof(before_conv) - 1) + sizeof(before_conv) - 1;
        size_t conv_at = (size_t)(at - json), after_at = 0;
        at = (char *)memcpy(at, zeros, ID_TEXT_BYTES) + ID_TEXT_BYTES;
        if (has_after) {
                at = (char *)memcpy(at, before_after, sizeof(before_after) - 1) + sizeof(before_after) - 1;
                after_at = (size_t)(at - json);
                at = (char *)memcpy(at, zeros, CMID_TEXT_BYTES) + CMID_TEXT_BYTES;
        }
        at = (char *)memcpy(at, before_text, sizeof(before_text) - 1) + sizeof(before_text) - 1;
        fill_text(at, text_bytes);
        at += text_bytes;
        at = (char *)memcpy(at, end, sizeof(end) - 1) + sizeof(end) - 1;

        struct span whole = {json, (size_t)(at - json)};
        size_t len = wire_frame(frame, whole), head = len - whole.len;
        *plan = (struct wire_plan){
                frame, len, head + id_at, head + cmid_at, head + conv_at, after_at ? head + after_at : 0};
        free(json);
        return 0;
}

void wire_plan_done(struct wire_plan *plan)
{
        free(plan->frame);
        plan->frame = NULL;
}

void wire_plan_put(const struct wire_plan *plan, char *out, const struct wire_key *key, const struct wire_key *after,
                   const char conv[ID_TEXT_BYTES])
{
        memcpy(out, plan->frame, plan->len);
        put_decimal(out + plan->id_at, WIRE_ID_FIRST + key->number, ID_DIGITS, WIRE_MASK);
        put_cmid(out + plan->cmid_at, key);
        for (size_t i = 0; i < ID_TEXT_BYTES; i++)
                out[plan->conv_at + i] = (char)(conv[i] ^ WIRE_MASK);
        if (plan->after_at)
                put_cmid(out + plan->after_at, after);
}

int64_t wire_split(struct span in, int *out_opcode, struct span *out_payload)
{
        const unsigned char *at = (const unsigned char *)in.at;
        if (in.len < 2)
                return 0;
        if ((at[0] & 0xf0) != 0x80 || (at[1] & 0x80))
                return -1;
        size_t head = 2;
        uint64_t len = at[1];
        if (len >= 126) {
                size_t bytes = len == 126 ? 2 : 8;
                head += bytes;
                if (in.len < head)
                        return 0;
                len = 0;
                for (size_t i = 0; i < bytes; i++)
                        len = len << 8 | at[2 + i];
                if (len > UINT64_C(1) << 30)
                        return -1;
        }
        if (in.len < head + len)
                return 0;
        *out_opcode = at[0] & 0x0f;
        *out_payload = (struct span){in.at + head, (size_t)len};
        return (int64_t)(head + len);
}

static const char *find(struct span in, const char *what)
{
        return memmem(in.at, in.len, what, strlen(what));
}

struct span wire_string(struct span text, const char *member)
{
        const char *at = find(text, member), *end = text.at + text.len;
        if (!at)
                return (struct span){NULL, 0};
        at += strlen(member);
        if (at >= end || *at != '"')
                return (struct span){NULL, 0};
        const char *close = memchr(at + 1, '"', (size_t)(end - at - 1));
        return close ? (struct span){at + 1, (size_t)(close - at - 1)} : (struct span){NULL, 0};
}

static const char *read_int(const char *at, const char *end, int64_t *out)
{
        int64_t value = 0;
        const char *start = at;
        for (; at < end && *at >= '0' && *at <= '9' && at - start < 18; at++)
                value = value * 10 + (*at - '0');
        if (at > start)
                *out = value;
        return at;
}

int64_t wire_int(struct span text, const char *member, int64_t otherwise)
{
        const char *at = find(text, member);
        if (at)
                read_int(at + strlen(member), text.at + text.len, &otherwise);
        return otherwise;
}

static bool read_hex(const char *at, size_t digits, uint64_t *out)
{
        uint64_t value = 0;
        for (size_t i = 0; i < digits; i++) {
                unsigned c = (unsigned char)at[i];
                unsigned digit = c - '0' < 10 ? c - '0' : c - 'a' < 6 ? c - 'a' + 10 : 16;
                if (digit > 15)
                        return false;
                value = value << 4 | digit;
        }
        *out = value;
        return true;
}

static bool begins(const char *at, const char *end, const char *with, size_t len)
{
        return (size_t)(end - at) >= len && memcmp(at, with, len) == 0;
}
#define BEGINS(at, end, literal) begins(at, end, literal, sizeof(literal) - 1)

/* `at` stands behind the seq of an entry, NULL when it has none there. */
static const char *entry_cmid(const struct wire_in *message, const char *at)
{
        static const char member[] = "\"cmid\":\"";
        const char *end = message->text.at + message->text.len;
        if (at && (size_t)(end - at) > cmid_hint && BEGINS(at + cmid_hint, end, "\"cmid\":\""))
                return at + cmid_hint + sizeof(member) - 1;
        const char *found = find(message->text, member);
        if (!found)
                return NULL;
        if (at && found > at)
                cmid_hint = (size_t)(found - at);
        return found + sizeof(member) - 1;
}

static void read_entry(struct wire_in *out)
{
        const char *end = out->text.at + out->text.len, *at = find(out->text, "\"seq\":");
        if (at)
                at = read_int(at + 6, end, &out->seq);
        const char *cmid = entry_cmid(out, at);
        uint64_t lane;
        if (!cmid || end - cmid < CMID_TEXT_BYTES || memcmp(cmid + RUN_AT, run_digits, RUN_DIGITS) != 0 ||
            !read_hex(cmid + LANE_AT, LANE_DIGITS, &lane) || !read_hex(cmid + NUMBER_AT, NUMBER_DIGITS, &out->number))
                return;
        out->lane = (uint16_t)lane;
        out->is_ours = true;
}

static void read_response(struct wire_in *out, const char *at)
{
        const char *end = out->text.at + out->text.len;
        int64_t id = 0;
        at = read_int(at, end, &id);
        out->id = (uint64_t)id;
        if (BEGINS(at, end, ",\"result\":{")) {
                out->kind = WIRE_RESULT;
                at += 11;
                if (BEGINS(at, end, "\"seq\":"))
                        read_int(at + 6, end, &out->seq);
                else if (out->id >= WIRE_ID_FIRST)
                        out->seq = wire_int(out->text, "\"seq\":", 0);
                return;
        }
        out->kind = WIRE_ERROR;
        out->tag = wire_string(out->text, "\"tag\":");
        out->is_retry = span_equal(wire_string(out->text, "\"class\":"), SPAN("retry"));
        out->retry_after_ms = wire_int(out->text, "\"retry_after_ms\":", -1);
}

static void read_notification(struct wire_in *out, struct span method)
{
        if (span_equal(method, SPAN("entry"))) {
                out->kind = WIRE_ENTRY;
                read_entry(out);
        } else if (span_equal(method, SPAN("heartbeat"))) {
                out->kind = WIRE_HEARTBEAT;
        } else if (span_equal(method, SPAN("session.closing"))) {
                out->kind = WIRE_CLOSING;
                out->tag = wire_string(out->text, "\"tag\":");
        }
}

void wire_read(struct span text, struct wire_in *out_message)
{
        const char *end = text.at + text.len;
        *out_message = (struct wire_in){.kind = WIRE_OTHER, .text = text, .retry_after_ms = -1};
        if (BEGINS(text.at, end, "{\"jsonrpc\":\"2.0\",\"id\":"))
                read_response(out_message, text.at + 22);
        else if (BEGINS(text.at, end, "{\"jsonrpc\":\"2.0\",\"method\":\""))
                read_notification(out_message, wire_string(text, "\"method\":"));
}
