/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON-RPC envelope: what is a frame, what is refused and how, and that a refusal names the request it answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "protocol/frame.h"

struct reading {
        char *bytes;
        struct arena arena;
        struct frame frame;
        struct fault fault;
};

static int read_text(struct reading *reading, enum reader_mode mode, const char *text)
{
        size_t len = strlen(text);

        memset(reading, 0, sizeof(*reading));
        reading->bytes = malloc(len + 1); /* exact, so that a sanitizer sees a step too far */
        memcpy(reading->bytes, text, len + 1);
        arena_init(&reading->arena, NULL, 0);
        return frame_read(reading->bytes, len, mode, &reading->arena, &reading->frame, &reading->fault);
}

static void done(struct reading *reading)
{
        arena_done(&reading->arena);
        free(reading->bytes);
}

static void is_text(const char *expected, struct span got)
{
        assert_int_equal(strlen(expected), got.len);
        assert_memory_equal(expected, got.at, got.len);
}

static void a_request_has_id_method_and_params(void **state)
{
        struct reading reading;

        (void)state;
        assert_int_equal(
                0, read_text(&reading, READER_STRICT,
                             "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"a.b\",\"params\":{\"x\": [1,\"\\n\"]}}"));
        assert_int_equal(FRAME_REQUEST, reading.frame.kind);
        is_text("a.b", reading.frame.name);
        is_text("{\"x\": [1,\"\\n\"]}", reading.frame.body);
        is_text("7", (struct span){reading.frame.id.raw, reading.frame.id.len});
        done(&reading);
}

static void members_come_in_any_order_with_any_space(void **state)
{
        struct reading reading;

        (void)state;
        assert_int_equal(
                0,
                read_text(
                        &reading, READER_STRICT,
                        "\n{ \"params\" : { } , \"method\" : \"m\\u0065\" ,\t\"id\":\"x\" ,\"jsonrpc\": \"2.0\" }\n"));
        assert_int_equal(FRAME_REQUEST, reading.frame.kind);
        is_text("me", reading.frame.name);
        is_text("{ }", reading.frame.body);
        done(&reading);
}

static void without_an_id_it_is_a_notification_and_without_params_they_are_empty(void **state)
{
        struct reading reading;

        (void)state;
        assert_int_equal(0, read_text(&reading, READER_STRICT, "{\"jsonrpc\":\"2.0\",\"method\":\"typing\"}"));
        assert_int_equal(FRAME_NOTIFICATION, reading.frame.kind);
        assert_int_equal(0, reading.frame.id.len);
        is_text("{}", reading.frame.body);
        done(&reading);
}

static void these_ids_come_back_as_they_were(void **state)
{
        static const char *const ids[] = {"0",
                                          "-1",
                                          "9007199254740991",
                                          "-9007199254740991",
                                          "\"\"",
                                          "\"0123456789abcdef0123456789abcdef\"",
                                          "\"\\n\"",
                                          "\"한\""};

        (void)state;
        for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
                char text[128], expected[128];
                struct reading reading;
                struct writer writer;

                sprintf(text, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"method\":\"m\"}", ids[i]);
                assert_int_equal(0, read_text(&reading, READER_STRICT, text));
                writer_init(&writer, NULL, 0);
                frame_result_begin(&writer, &reading.frame.id);
                writer_raw(&writer, SPAN("{}"));
                frame_end(&writer);
                sprintf(expected, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{}}", ids[i]);
                is_text(expected, (struct span){writer.bytes, writer.len});
                writer_done(&writer);
                done(&reading);
        }
}

static void other_ids_are_refused(void **state)
{
        static const char *const ids[] = {"null",
                                          "true",
                                          "1.5",
                                          "1e3",
                                          "9007199254740992",
                                          "-9007199254740992",
                                          "[]",
                                          "{}",
                                          "{\"id\":1}",
                                          "[1]",
                                          "\"0123456789abcdef0123456789abcdef0\""};

        (void)state;
        for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
                struct reading reading;
                char text[128];

                sprintf(text, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"method\":\"m\"}", ids[i]);
                assert_int_equal(-PROTOCOL_ERR_INVALID_REQUEST, read_text(&reading, READER_STRICT, text));
                assert_string_equal("id", reading.fault.field);
                assert_int_equal(0, reading.frame.id.len);
                done(&reading);
        }
}

static void what_is_no_call_is_refused(void **state)
{
        static const struct {
                const char *text;
                int rc;
                const char *field;
        } cases[] = {
                {"", -PROTOCOL_ERR_PARSE, ""},
                {"   ", -PROTOCOL_ERR_PARSE, ""},
                {"{", -PROTOCOL_ERR_PARSE, ""},
                {"hello", -PROTOCOL_ERR_PARSE, ""},
                {"{\"jsonrpc\":\"2.0\",\"method\":\"m\"}x", -PROTOCOL_ERR_PARSE, ""},
                {"{\"jsonrpc\":\"2.0\",\"method\":\"m\"}{}", -PROTOCOL_ERR_PARSE, ""},
                {"{\"jsonrpc\":\"2.0\",\"method\":\"\xff\"}", -PROTOCOL_ERR_PARSE, ""},
                {"7", -PROTOCOL_ERR_INVALID_REQUEST, ""},
                {"\"x\"", -PROTOCOL_ERR_INVALID_REQUEST, ""},
                {"null", -PROTOCOL_ERR_INVALID_REQUEST, ""},
                {"[]", -PROTOCOL_ERR_INVALID_REQUEST, ""},
                {"[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\"}]", -PROTOCOL_ERR_INVALID_REQUEST, ""},
                {" [1", -PROTOCOL_ERR_INVALID_REQUEST, ""},
                {"{}", -PROTOCOL_ERR_INVALID_REQUEST, "jsonrpc"},
                {"{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"m\"}", -PROTOCOL_ERR_INVALID_REQUEST, "jsonrpc"},
                {"{\"jsonrpc\":2.0,\"id\":1,\"method\":\"m\"}", -PROTOCOL_ERR_INVALID_REQUEST, "jsonrpc"},
                {"{\"jsonrpc\":\"2.0\",\"id\":1}", -PROTOCOL_ERR_INVALID_REQUEST, "method"},
                {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":5}", -PROTOCOL_ERR_INVALID_REQUEST, "method"},
                {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":{\"\\u0061\":1}}", -PROTOCOL_ERR_INVALID_REQUEST, "method"},
                {"{\"jsonrpc\":\"2.0\",\"id\":{\"\\u0061\":1},\"method\":\"m\"}", -PROTOCOL_ERR_INVALID_REQUEST, "id"},
                {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":null}", -PROTOCOL_ERR_INVALID_REQUEST, "method"},
                {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\",\"result\":{}}", -PROTOCOL_ERR_INVALID_REQUEST,
                 "method"},
                {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\",\"auth\":1}", -PROTOCOL_ERR_INVALID_REQUEST, "auth"},
                {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\",\"params\":[]}", -PROTOCOL_ERR_BAD_REQUEST, "params"},
                {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\",\"params\":null}", -PROTOCOL_ERR_BAD_REQUEST,
                 "params"},
                {"{\"jsonrpc\":\"2.0\",\"id\":1,\"id\":2,\"method\":\"m\"}", -PROTOCOL_ERR_BAD_REQUEST, "id"},
                {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\",\"params\":{\"a\":1,\"a\":2}}",
                 -PROTOCOL_ERR_BAD_REQUEST, "a"},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct reading reading;

                if (read_text(&reading, READER_STRICT, cases[i].text) != cases[i].rc ||
                    strcmp(cases[i].field, reading.fault.field) != 0)
                        fail_msg("%s: '%s' expected %s", cases[i].text, reading.fault.field, reading.fault.expected);
                assert_int_equal(-cases[i].rc, reading.fault.code);
                done(&reading);
        }
}

static void a_refusal_knows_the_id_wherever_it_stands(void **state)
{
        static const char *const texts[] = {
                "{\"jsonrpc\":\"2.0\",\"id\":\"me\",\"method\":\"m\",\"params\":{\"a\":1,\"a\":2}}",
                "{\"jsonrpc\":\"2.0\",\"method\":\"m\",\"params\":{\"a\":1,\"a\":2},\"id\":\"me\"}",
                "{\"params\":[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]],\"id\" : \"me\",\"method\":\"m\"}",
                "{\"params\":{\"id\":\"you\",\"x\":\"\\\"id\\\":\\\"you\\\"\",\"a\":\"\\u0000\"},\"id\":\"me\"}",
                "{\"x\":\"id\",\"params\":{\"a\":1,\"a\":2},\"id\"\n:\r\n\t\"me\"}",
                "{\"jsonrpc\":\"3.0\",\"id\":\"me\",\"method\":\"m\"}",
                "{\"jsonrpc\":\"2.0\",\"id\":\"me\",\"method\":\"m\",\"params\":[]}",
                "{\"jsonrpc\":\"2.0\",\"id\":\"me\",\"method\":\"m\"",
        };
        static const char *const none[] = {
                "{\"params\":{\"id\":\"you\",\"id\":1}}",
                "{\"x\":\"id\",\"params\":{\"a\":1,\"a\":2}}",
                "{\"params\":{\"a\":1,\"a\":2},\"id\":{\"id\":1}}",
                "{\"params\":{\"a\":1,\"a\":2},\"id\":\"",
                "{\"params\":{\"a\":1,\"a\":2},\"id\"",
                "{\"params\":{\"a\":1,\"a\":2},\"id\" :\n{\"\\u0061\":1}}",
                "{\"x\":\"id\" \"me\"}",
        };

        (void)state;
        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
                struct reading reading;

                assert_true(read_text(&reading, READER_STRICT, texts[i]) < 0);
                is_text("\"me\"", (struct span){reading.frame.id.raw, reading.frame.id.len});
                done(&reading);
        }
        for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
                struct reading reading;

                assert_true(read_text(&reading, READER_STRICT, none[i]) < 0);
                assert_int_equal(0, reading.frame.id.len);
                done(&reading);
        }
}

static void a_client_ignores_members_it_does_not_know(void **state)
{
        static const char text[] = "{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":{\"ts\":5},\"trace\":{\"a\":[1]}}";
        struct reading reading;

        (void)state;
        assert_int_equal(0, read_text(&reading, READER_TOLERANT, text));
        assert_int_equal(FRAME_RESULT, reading.frame.kind);
        is_text("{\"ts\":5}", reading.frame.body);
        done(&reading);
        assert_int_equal(-PROTOCOL_ERR_INVALID_REQUEST, read_text(&reading, READER_STRICT, text));
        assert_string_equal("trace", reading.fault.field);
        done(&reading);
}

static void a_written_error_reads_back_whole(void **state)
{
        struct fault fault = {
                .code = PROTOCOL_ERR_BAD_REQUEST, .field = "choices[2].label", .expected = "one \"line\""};
        struct request_id id = {1, "9"};
        struct reading reading;
        struct writer writer;

        (void)state;
        for (int error = 1; error < PROTOCOL_ERRORS; error++) {
                const struct protocol_error_info *info = protocol_error_info((enum protocol_error)error);

                writer_init(&writer, NULL, 0);
                frame_error(&writer, &id, (enum protocol_error)error, error % 2 ? 1500 : -1, error % 3 ? &fault : NULL);
                writer_char(&writer, '\0');
                assert_int_equal(0, read_text(&reading, READER_TOLERANT, writer.bytes));
                assert_int_equal(FRAME_ERROR, reading.frame.kind);
                assert_int_equal(info->code, reading.frame.error.code);
                is_text(info->tag, reading.frame.error.tag);
                is_text(info->text, reading.frame.error.message);
                assert_int_equal(info->permanent, reading.frame.error.permanent);
                assert_int_equal(error % 2 ? 1500 : -1, reading.frame.error.retry_after_ms);
                assert_true(!reading.frame.error.field.at == (error % 3 == 0));
                if (error % 3) {
                        is_text("choices[2].label", reading.frame.error.field);
                        is_text("one \"line\"", reading.frame.error.expected);
                }
                done(&reading);
                writer_done(&writer);
        }
}

static void an_error_without_id_is_written_and_read_as_null(void **state)
{
        struct reading reading;
        struct writer writer;

        (void)state;
        writer_init(&writer, NULL, 0);
        frame_error(&writer, NULL, PROTOCOL_ERR_PARSE, -1, NULL);
        writer_char(&writer, '\0');
        assert_string_equal(
                "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32700,\"message\":"
                "\"the bytes are not one JSON value\",\"data\":{\"tag\":\"parse_error\",\"class\":\"permanent\"}}}",
                writer.bytes);
        assert_int_equal(0, read_text(&reading, READER_TOLERANT, writer.bytes));
        assert_int_equal(FRAME_ERROR, reading.frame.kind);
        assert_int_equal(0, reading.frame.id.len);
        done(&reading);
        writer_done(&writer);
}

static void an_error_without_data_takes_its_class_from_the_table(void **state)
{
        struct reading reading;

        (void)state;
        assert_int_equal(0, read_text(&reading, READER_TOLERANT,
                                      "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32601,\"message\":\"no\"}}"));
        assert_true(reading.frame.error.permanent);
        is_text("unknown_method", reading.frame.error.tag);
        done(&reading);
        assert_int_equal(0, read_text(&reading, READER_TOLERANT,
                                      "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":777,\"message\":\"?\"}}"));
        assert_false(reading.frame.error.permanent);
        done(&reading);
}

static void responses_that_make_no_sense_are_refused(void **state)
{
        static const char *const texts[] = {
                "{\"jsonrpc\":\"2.0\",\"result\":{}}",
                "{\"jsonrpc\":\"2.0\",\"id\":null,\"result\":{}}",
                "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{},\"error\":{\"code\":1}}",
                "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{},\"params\":{}}",
                "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":\"no\"}",
                "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":\"1\"}}",
                "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":99999999999}}",
                "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"data\":{\"tag\":[]}}}",
        };

        (void)state;
        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
                struct reading reading;

                assert_true(read_text(&reading, READER_TOLERANT, texts[i]) < 0);
                done(&reading);
        }
}

static void calls_are_written_as_they_are_read(void **state)
{
        struct request_id id = {3, "\"q\""};
        struct reading reading;
        struct writer writer;

        (void)state;
        writer_init(&writer, NULL, 0);
        frame_call_begin(&writer, &id, SPAN("session.open"));
        writer_raw(&writer, SPAN("{\"a\":1}"));
        frame_end(&writer);
        writer_char(&writer, '\0');
        assert_int_equal(0, read_text(&reading, READER_STRICT, writer.bytes));
        assert_int_equal(FRAME_REQUEST, reading.frame.kind);
        is_text("session.open", reading.frame.name);
        is_text("{\"a\":1}", reading.frame.body);
        done(&reading);
        writer.len = 0;
        frame_call_begin(&writer, NULL, SPAN("typing"));
        writer_raw(&writer, SPAN("{}"));
        frame_end(&writer);
        writer_char(&writer, '\0');
        assert_string_equal("{\"jsonrpc\":\"2.0\",\"method\":\"typing\",\"params\":{}}", writer.bytes);
        writer_done(&writer);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_request_has_id_method_and_params),
                cmocka_unit_test(members_come_in_any_order_with_any_space),
                cmocka_unit_test(without_an_id_it_is_a_notification_and_without_params_they_are_empty),
                cmocka_unit_test(these_ids_come_back_as_they_were),
                cmocka_unit_test(other_ids_are_refused),
                cmocka_unit_test(what_is_no_call_is_refused),
                cmocka_unit_test(a_refusal_knows_the_id_wherever_it_stands),
                cmocka_unit_test(a_client_ignores_members_it_does_not_know),
                cmocka_unit_test(a_written_error_reads_back_whole),
                cmocka_unit_test(an_error_without_id_is_written_and_read_as_null),
                cmocka_unit_test(an_error_without_data_takes_its_class_from_the_table),
                cmocka_unit_test(responses_that_make_no_sense_are_refused),
                cmocka_unit_test(calls_are_written_as_they_are_read),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
