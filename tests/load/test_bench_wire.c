/* SPDX-License-Identifier: Apache-2.0 */
/* The load generator's frames, compared with what the protocol's own codec reads and writes: what it patches together
 * has to be what it stands for, and what the server says has to be understood. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>

#include "cli/bench/histogram.h"
#include "cli/bench/wire.h"
#include "protocol/hot.h"

static const uint8_t run_bits[10] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
static const char conv_text[] = "cnv_0123456789abc";

/* The JSON of a masked frame with a two-byte length; json_decref it. */
static json_t *unmasked(const char *frame, size_t len)
{
        assert_int_equal((unsigned char)frame[0], 0x81);
        assert_int_equal((unsigned char)frame[1], 0x80 | 126);
        size_t payload = (size_t)(unsigned char)frame[2] << 8 | (unsigned char)frame[3];
        assert_int_equal(len, payload + 8);
        char *text = malloc(payload);
        assert_non_null(text);
        for (size_t i = 0; i < payload; i++)
                text[i] = (char)(frame[8 + i] ^ frame[4 + i % 4]);
        json_error_t error;
        json_t *json = json_loadb(text, payload, JSON_REJECT_DUPLICATES, &error);
        free(text);
        assert_non_null(json);
        return json;
}

static json_t *sent(const struct wire_key *key, const struct wire_key *after, size_t text_bytes)
{
        struct wire_plan plan;
        assert_int_equal(wire_plan_init(&plan, text_bytes, after != NULL), 0);
        char *frame = malloc(plan.len);
        assert_non_null(frame);
        wire_plan_put(&plan, frame, key, after, conv_text);
        json_t *json = unmasked(frame, plan.len);
        free(frame);
        wire_plan_done(&plan);
        return json;
}

static const char *param(const json_t *request, const char *name)
{
        return json_string_value(json_object_get(json_object_get(request, "params"), name));
}

static void a_patched_frame_is_the_request_it_stands_for(void **state)
{
        (void)state;
        struct wire_key key = {.made_ms = 1790000000123, .number = 41, .lane = 7};
        json_t *request = sent(&key, NULL, 200);
        assert_string_equal(json_string_value(json_object_get(request, "jsonrpc")), "2.0");
        assert_string_equal(json_string_value(json_object_get(request, "method")), "message.send");
        assert_int_equal(json_integer_value(json_object_get(request, "id")), WIRE_ID_FIRST + 41);
        assert_string_equal(param(request, "conv"), conv_text);
        assert_string_equal(param(request, "kind"), "text");
        assert_int_equal(strlen(param(request, "text")), 200);
        assert_null(param(request, "after"));
        assert_int_equal(json_object_size(json_object_get(request, "params")), 4);
        json_decref(request);
}

static void a_cmid_is_a_uuid_of_version_7_with_the_time_it_was_made(void **state)
{
        (void)state;
        struct wire_key key = {.made_ms = 0x0123456789ab, .number = WIRE_NUMBER_MAX, .lane = 65535};
        json_t *request = sent(&key, NULL, 1000);
        struct cmid cmid;
        assert_int_equal(cmid_read(span_of(param(request, "cmid")), &cmid), 0);
        static const uint8_t made[6] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab};
        assert_memory_equal(cmid.bytes, made, 6);
        assert_int_equal(cmid.bytes[6] >> 4, 7);
        assert_int_equal(cmid.bytes[8] >> 6, 2);
        json_decref(request);
}

static void a_frame_names_the_predecessor_by_the_cmid_that_one_had(void **state)
{
        (void)state;
        struct wire_key first = {.made_ms = 1790000000123, .number = 41, .lane = 7};
        struct wire_key second = {.made_ms = 1790000000124, .number = 42, .lane = 7};
        json_t *before = sent(&first, NULL, 200), *request = sent(&second, &first, 200);
        assert_string_equal(param(request, "after"), param(before, "cmid"));
        assert_string_not_equal(param(request, "cmid"), param(before, "cmid"));
        json_decref(before);
        json_decref(request);
}

/* The entry that the server would say for a message of ours. */
static void entry_write(struct writer *writer, const struct wire_key *key, struct span name, int64_t seq)
{
        json_t *request = sent(key, NULL, 200);
        struct cmid cmid;
        assert_int_equal(cmid_read(span_of(param(request, "cmid")), &cmid), 0);
        struct entry_head entry = {.conv = 1,
                                   .number = seq,
                                   .ts = 1790000000456,
                                   .author = {ROLE_AGENT, 99},
                                   .name = name,
                                   .cmid = &cmid,
                                   .kind = PROTOCOL_ENTRY_TEXT,
                                   .version = 1,
                                   .content = SPAN("{\"text\":\"hello\"}")};
        writer_init(writer, NULL, 0);
        hot_entry_event(writer, &entry);
        json_decref(request);
}

static void an_entry_of_the_server_is_told_by_its_cmid(void **state)
{
        (void)state;
        static const char *const names[] = {NULL, "Bench 00001", "A much longer name than before", "B"};
        for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
                struct wire_key key = {.made_ms = 1790000000123, .number = 1000 + i, .lane = (uint16_t)(300 + i)};
                struct writer writer;
                entry_write(&writer, &key, span_of(names[i]), 12345 + (int64_t)i * 100000);
                struct wire_in in;
                wire_read((struct span){writer.bytes, writer.len}, &in);
                assert_int_equal(in.kind, WIRE_ENTRY);
                assert_true(in.is_ours);
                assert_int_equal(in.lane, key.lane);
                assert_int_equal(in.number, key.number);
                assert_int_equal(in.seq, 12345 + (int64_t)i * 100000);
                writer_done(&writer);
        }
}

static void an_entry_of_another_run_is_not_counted_as_ours(void **state)
{
        (void)state;
        static const uint8_t other_bits[10] = {10, 9, 8, 7, 6, 5, 4, 3, 2, 1};
        struct wire_key key = {.made_ms = 1790000000123, .number = 5, .lane = 5};
        struct writer writer;
        entry_write(&writer, &key, span_of(NULL), 1);
        wire_set_run(other_bits);
        struct wire_in in;
        wire_read((struct span){writer.bytes, writer.len}, &in);
        wire_set_run(run_bits);
        assert_int_equal(in.kind, WIRE_ENTRY);
        assert_false(in.is_ours);
        writer_done(&writer);
}

static void an_acknowledgement_tells_request_and_place(void **state)
{
        (void)state;
        struct request_id id = {.len = 10, .raw = "1000000041"};
        struct writer writer;
        writer_init(&writer, NULL, 0);
        hot_send_result(&writer, &id, 0, false, 77, 0, 1790000000456, false);
        struct wire_in in;
        wire_read((struct span){writer.bytes, writer.len}, &in);
        assert_int_equal(in.kind, WIRE_RESULT);
        assert_int_equal(in.id, WIRE_ID_FIRST + 41);
        assert_int_equal(in.seq, 77);
        writer_done(&writer);
}

static void a_refusal_tells_its_class_and_how_long_to_wait(void **state)
{
        (void)state;
        struct request_id id = {.len = 10, .raw = "1000000041"};
        struct writer writer;
        writer_init(&writer, NULL, 0);
        frame_error(&writer, &id, PROTOCOL_ERR_OVERLOADED, 250, NULL);
        struct wire_in in;
        wire_read((struct span){writer.bytes, writer.len}, &in);
        assert_int_equal(in.kind, WIRE_ERROR);
        assert_int_equal(in.id, WIRE_ID_FIRST + 41);
        assert_true(in.is_retry);
        assert_int_equal(in.retry_after_ms, 250);
        assert_true(span_equal(in.tag, SPAN("overloaded")));
        writer_done(&writer);

        writer_init(&writer, NULL, 0);
        frame_error(&writer, &id, PROTOCOL_ERR_NOT_FOUND, -1, NULL);
        wire_read((struct span){writer.bytes, writer.len}, &in);
        assert_false(in.is_retry);
        assert_int_equal(in.retry_after_ms, -1);
        writer_done(&writer);
}

static void a_heartbeat_is_a_heartbeat(void **state)
{
        (void)state;
        struct writer writer;
        writer_init(&writer, NULL, 0);
        hot_heartbeat(&writer, 12, 1790000000456);
        struct wire_in in;
        wire_read((struct span){writer.bytes, writer.len}, &in);
        assert_int_equal(in.kind, WIRE_HEARTBEAT);
        writer_done(&writer);
}

static void a_frame_is_split_only_when_it_is_whole(void **state)
{
        (void)state;
        static const size_t lengths[] = {0, 1, 125, 126, 65535, 65536};
        for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
                size_t len = lengths[i], head = len < 126 ? 2 : len < 65536 ? 4 : 10;
                char *frame = calloc(1, head + len + 1);
                assert_non_null(frame);
                frame[0] = (char)0x81;
                frame[1] = len < 126 ? (char)len : len < 65536 ? 126 : 127;
                for (size_t b = 2; b < head; b++)
                        frame[b] = (char)((uint64_t)len >> 8 * (head - 1 - b));
                int opcode = 0;
                struct span payload = {0};
                assert_int_equal(
                        wire_split((struct span){frame, head + len - (len > 0) - (len == 0)}, &opcode, &payload), 0);
                assert_int_equal(wire_split((struct span){frame, head + len + 1}, &opcode, &payload), head + len);
                assert_int_equal(opcode, 1);
                assert_int_equal(payload.len, len);
                free(frame);
        }
}

static void masked_and_fragmented_frames_are_refused(void **state)
{
        (void)state;
        int opcode;
        struct span payload;
        assert_int_equal(wire_split(SPAN("\x81\x80"), &opcode, &payload), -1);
        assert_int_equal(wire_split(SPAN("\x01\x00"), &opcode, &payload), -1);
        assert_int_equal(wire_split(SPAN("\xc1\x00"), &opcode, &payload), -1);
}

static void a_quantile_is_never_low_and_at_most_a_sixtieth_high(void **state)
{
        (void)state;
        struct histogram *h = calloc(1, sizeof(*h));
        assert_non_null(h);
        assert_int_equal(histogram_quantile(h, 0.5), 0);
        for (uint64_t ns = 1; ns < UINT64_C(100000000000); ns = ns * 9 / 8 + 1) {
                memset(h, 0, sizeof(*h));
                histogram_add(h, ns);
                histogram_add(h, ns * 3);
                uint64_t low = histogram_quantile(h, 0.4);
                assert_true(low >= ns && (double)low <= (double)ns * (1 + 1 / 60.0) + 1);
                assert_int_equal(histogram_quantile(h, 1), ns * 3);
        }
        free(h);
}

static int set_run(void **state)
{
        (void)state;
        wire_set_run(run_bits);
        return 0;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_patched_frame_is_the_request_it_stands_for),
                cmocka_unit_test(a_cmid_is_a_uuid_of_version_7_with_the_time_it_was_made),
                cmocka_unit_test(a_frame_names_the_predecessor_by_the_cmid_that_one_had),
                cmocka_unit_test(an_entry_of_the_server_is_told_by_its_cmid),
                cmocka_unit_test(an_entry_of_another_run_is_not_counted_as_ours),
                cmocka_unit_test(an_acknowledgement_tells_request_and_place),
                cmocka_unit_test(a_refusal_tells_its_class_and_how_long_to_wait),
                cmocka_unit_test(a_heartbeat_is_a_heartbeat),
                cmocka_unit_test(a_frame_is_split_only_when_it_is_whole),
                cmocka_unit_test(masked_and_fragmented_frames_are_refused),
                cmocka_unit_test(a_quantile_is_never_low_and_at_most_a_sixtieth_high),
        };
        return cmocka_run_group_tests(tests, set_run, NULL);
}
