/* SPDX-License-Identifier: Apache-2.0 */
/* Frame: see frame.h. Reading walks the message once, checking all of it and keeping where each member stands; only
 * then is anything unescaped. Even a refused message yields its id when there is one, so that the refusal can name it.
 */
#include "protocol/frame.h"

enum { ID_TEXT_MOST = PROTOCOL_REQUEST_ID_BYTES + 2 };

_Static_assert(ID_TEXT_MOST <= REQUEST_ID_BYTES - 1, "an id fits with its quotes");

/* Raw values of the members of the envelope; at NULL = absent. */
struct parts {
        struct span version, id, name, params, result, error, unknown;
};

static int keep_member(void *data, struct span name, struct span raw)
{
        struct parts *parts = data;

        if (span_equal(name, SPAN("jsonrpc")))
                parts->version = raw;
        else if (span_equal(name, SPAN("id")))
                parts->id = raw;
        else if (span_equal(name, SPAN("method")))
                parts->name = raw;
        else if (span_equal(name, SPAN("params")))
                parts->params = raw;
        else if (span_equal(name, SPAN("result")))
                parts->result = raw;
        else if (span_equal(name, SPAN("error")))
                parts->error = raw;
        else if (!parts->unknown.at)
                parts->unknown = name;
        return 0;
}

static int refuse(struct fault *fault, const char *field, const char *expected)
{
        return fault_set(fault, PROTOCOL_ERR_INVALID_REQUEST, field, expected);
}

/* ---- the id ---- */

static bool is_whole_number(struct span raw)
{
        int64_t value;
        struct fault fault = {0};
        struct reader reader;

        if (raw.at[0] != '-' && (raw.at[0] < '0' || raw.at[0] > '9'))
                return false;
        reader_init(&reader, (char *)raw.at, raw.len, READER_STRICT, NULL, &fault);
        if (reader_int(&reader, "", &value) < 0)
                return false;
        return value >= -PROTOCOL_SAFE_INTEGER && value <= PROTOCOL_SAFE_INTEGER;
}

/* Takes an id over as it came. A string counts by its raw bytes. `raw` is a valid JSON value. */
static int take_id(struct span raw, struct request_id *out_id)
{
        bool is_text = raw.len >= 2 && raw.at[0] == '"';

        if (raw.len > ID_TEXT_MOST || (!is_text && !is_whole_number(raw)))
                return -1;
        memcpy(out_id->raw, raw.at, raw.len);
        out_id->len = (uint8_t)raw.len;
        return 0;
}

/* Passes a string without checking it; returns what is behind its closing quote. */
static char *pass_string(char *at, char *end)
{
        for (at++; at < end && *at != '"'; at++) {
                if (*at == '\\' && at + 1 < end)
                        at++;
        }
        return at < end ? at + 1 : end;
}

static char *pass_space(char *at, const char *end)
{
        while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
                at++;
        return at;
}

/* Takes the value that stands at `at`, when it is a text or a number. */
static void take_id_at(char *at, char *end, struct fault *scratch, struct request_id *out_id)
{
        struct reader reader;

        if (at == end || (*at != '"' && *at != '-' && (*at < '0' || *at > '9')))
                return;
        reader_init(&reader, at, (size_t)(end - at), READER_STRICT, NULL, scratch);
        if (reader_skip(&reader) == 0)
                take_id((struct span){at, (size_t)(reader.at - at)}, out_id);
}

/* Looks for the id of a message that was refused before its end. Nothing is believed: what is found is checked. */
static void find_id(char *at, char *end, struct fault *scratch, struct request_id *out_id)
{
        int depth = 0;

        while (at < end) {
                char *start = at;

                if (*at != '"') {
                        depth += (*at == '{' || *at == '[') - (*at == '}' || *at == ']');
                        at++;
                        continue;
                }
                at = pass_string(at, end);
                if (depth != 1 || at - start != 4 || memcmp(start, "\"id\"", 4) != 0)
                        continue;
                at = pass_space(at, end);
                if (at < end && *at == ':') {
                        take_id_at(pass_space(at + 1, end), end, scratch, out_id);
                        return;
                }
        }
}

/* ---- the error of a response ---- */

static int read_text_of(struct reader *reader, struct span *out)
{
        struct reader_text text;
        int rc = reader_text(reader, "a text", &text);

        if (rc == 0)
                *out = text.span;
        return rc;
}

static int read_data_member(struct reader *reader, struct span name, struct protocol_error_body *out)
{
        struct span class = {0};
        int rc;

        if (span_equal(name, SPAN("tag")))
                return read_text_of(reader, &out->tag);
        if (span_equal(name, SPAN("field")))
                return read_text_of(reader, &out->field);
        if (span_equal(name, SPAN("expected")))
                return read_text_of(reader, &out->expected);
        if (span_equal(name, SPAN("retry_after_ms"))) {
                rc = reader_int(reader, "milliseconds", &out->retry_after_ms);
                if (rc == 0 && out->retry_after_ms < 0)
                        out->retry_after_ms = 0;
                return rc;
        }
        if (!span_equal(name, SPAN("class")))
                return reader_skip(reader);
        rc = read_text_of(reader, &class);
        out->permanent = span_equal(class, SPAN("permanent"));
        return rc;
}

static int read_data(struct reader *reader, struct protocol_error_body *out)
{
        struct span name;
        int rc = reader_object(reader, "an object");

        if (rc < 0)
                return rc;
        for (bool first = true; (rc = reader_member(reader, first, &name)) > 0; first = false) {
                rc = read_data_member(reader, name, out);
                if (rc < 0)
                        return rc;
        }
        return rc;
}

static int read_error_member(struct reader *reader, struct span name, struct protocol_error_body *out)
{
        int64_t code;
        int rc;

        if (span_equal(name, SPAN("message")))
                return read_text_of(reader, &out->message);
        if (span_equal(name, SPAN("data")))
                return read_data(reader, out);
        if (!span_equal(name, SPAN("code")))
                return reader_skip(reader);
        rc = reader_int(reader, "a code", &code);
        if (rc == 0 && (code < INT32_MIN || code > INT32_MAX))
                return reader_fail(reader, PROTOCOL_ERR_BAD_REQUEST, "a code");
        out->code = rc == 0 ? (int)code : 0;
        return rc;
}

/* Without data, as from a proxy that speaks JSON-RPC only, the table tells the class by the code. */
static int read_error(struct span raw, struct arena *arena, struct fault *fault, struct protocol_error_body *out)
{
        struct reader reader;
        struct span name;
        int rc;

        reader_init(&reader, (char *)raw.at, raw.len, READER_TOLERANT, arena, fault);
        *out = (struct protocol_error_body){.retry_after_ms = -1};
        rc = reader_object(&reader, "an object");
        for (bool first = true; rc >= 0 && (rc = reader_member(&reader, first, &name)) > 0; first = false)
                rc = read_error_member(&reader, name, out);
        if (rc < 0) {
                fault_at_member(fault, "error", 5);
                return rc;
        }
        if (!out->tag.at) {
                const struct protocol_error_info *info = protocol_error_info(protocol_error_find(out->code));

                out->tag = span_of(info->tag);
                out->permanent = info->permanent;
        }
        return 0;
}

/* ---- reading ---- */

static int read_call(const struct parts *parts, struct fault *fault, struct frame *out)
{
        static char nothing[] = "{}"; /* a reader of it writes nothing */
        struct fault scratch = {0};
        struct reader_text name;
        struct reader reader;

        if (parts->result.at || parts->error.at)
                return refuse(fault, "method", "either a call or a response");
        if (parts->params.at && parts->params.at[0] != '{')
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "params", "an object");
        reader_init(&reader, (char *)parts->name.at, parts->name.len, READER_STRICT, NULL, &scratch);
        if (parts->name.at[0] != '"' || reader_text(&reader, "", &name) < 0)
                return refuse(fault, "method", "the name of a method");
        out->kind = out->id.len ? FRAME_REQUEST : FRAME_NOTIFICATION;
        out->name = name.span;
        out->body = parts->params.at ? parts->params : (struct span){nothing, 2};
        return 0;
}

static int read_response(const struct parts *parts, struct arena *arena, struct fault *fault, struct frame *out)
{
        if (!parts->result.at && !parts->error.at)
                return refuse(fault, "method", "the name of a method");
        if (parts->params.at || (parts->result.at && parts->error.at))
                return refuse(fault, "", "either a result or an error");
        if (!parts->id.at || (!out->id.len && parts->result.at))
                return refuse(fault, "id", "the id of a request");
        if (parts->error.at) {
                out->kind = FRAME_ERROR;
                return read_error(parts->error, arena, fault, &out->error);
        }
        out->kind = FRAME_RESULT;
        out->body = parts->result;
        return 0;
}

/* null is no id of a call, but that of an error whose request could not be read. */
static int read_id(const struct parts *parts, struct fault *fault, struct frame *out)
{
        bool is_null = span_equal(parts->id, SPAN("null"));

        if (!parts->id.at || (is_null && parts->error.at))
                return 0;
        if (is_null || take_id(parts->id, &out->id) < 0)
                return refuse(fault, "id", "a string of at most 32 bytes or a whole number up to 2^53-1");
        return 0;
}

static int read_parts(const struct parts *parts, enum reader_mode mode, struct arena *arena, struct fault *fault,
                      struct frame *out)
{
        int rc = read_id(parts, fault, out);

        if (rc < 0)
                return rc;
        if (!span_equal(parts->version, SPAN("\"2.0\"")))
                return refuse(fault, "jsonrpc", "\"2.0\"");
        if (mode == READER_STRICT && parts->unknown.at) {
                rc = refuse(fault, "", "no such member");
                fault_at_member(fault, parts->unknown.at, parts->unknown.len);
                return rc;
        }
        return parts->name.at ? read_call(parts, fault, out) : read_response(parts, arena, fault, out);
}

/* A message that is no object: an array is a batch; anything else may not even be JSON. */
static int refuse_other(struct reader *reader, const char *first)
{
        int rc;

        if (first < reader->end && *first == '[')
                return reader_fail(reader, PROTOCOL_ERR_INVALID_REQUEST, "one request, not an array of them");
        rc = reader_skip(reader);
        if (rc == 0)
                rc = reader_end(reader);
        return rc < 0 ? rc : reader_fail(reader, PROTOCOL_ERR_INVALID_REQUEST, "a JSON-RPC 2.0 object");
}

int frame_read(char *bytes, size_t len, enum reader_mode mode, struct arena *arena, struct frame *out_frame,
               struct fault *fault)
{
        struct fault unasked = {0};
        struct parts parts = {0};
        struct reader reader;
        char *first = pass_space(bytes, bytes + len);
        int rc;

        if (!fault)
                fault = &unasked;
        memset(out_frame, 0, sizeof(*out_frame));
        reader_init(&reader, bytes, len, mode, arena, fault);
        if (first == bytes + len || *first != '{')
                return refuse_other(&reader, first);
        rc = reader_walk(&reader, keep_member, &parts);
        if (rc == 0)
                rc = reader_end(&reader);
        if (rc < 0) {
                find_id(bytes, bytes + len, &unasked, &out_frame->id);
                return rc;
        }
        return read_parts(&parts, mode, arena, fault, out_frame);
}

/* ---- writing ---- */

static void write_id(struct writer *writer, const struct request_id *id)
{
        bool has_id = id && id->len;

        writer_raw(writer, has_id ? (struct span){id->raw, id->len} : SPAN("null"));
}

void frame_result_begin(struct writer *writer, const struct request_id *id)
{
        writer_raw(writer, SPAN("{\"jsonrpc\":\"2.0\",\"id\":"));
        write_id(writer, id);
        writer_raw(writer, SPAN(",\"result\":"));
}

void frame_call_begin(struct writer *writer, const struct request_id *id, struct span name)
{
        writer_raw(writer, SPAN("{\"jsonrpc\":\"2.0\","));
        if (id && id->len) {
                writer_raw(writer, SPAN("\"id\":"));
                write_id(writer, id);
                writer_char(writer, ',');
        }
        writer_raw(writer, SPAN("\"method\":"));
        writer_string(writer, name);
        writer_raw(writer, SPAN(",\"params\":"));
}

void frame_end(struct writer *writer)
{
        writer_char(writer, '}');
}

static void write_text_member(struct writer *writer, struct span start, const char *text)
{
        if (text[0]) {
                writer_raw(writer, start);
                writer_string(writer, span_of(text));
        }
}

void frame_error(struct writer *writer, const struct request_id *id, enum protocol_error error, int64_t retry_after_ms,
                 const struct fault *fault)
{
        const struct protocol_error_info *info = protocol_error_info(error);

        writer_raw(writer, SPAN("{\"jsonrpc\":\"2.0\",\"id\":"));
        write_id(writer, id);
        writer_raw(writer, SPAN(",\"error\":{\"code\":"));
        writer_int(writer, info->code);
        writer_raw(writer, SPAN(",\"message\":"));
        writer_string(writer, span_of(info->text));
        writer_raw(writer, SPAN(",\"data\":{\"tag\":"));
        writer_string(writer, span_of(info->tag));
        writer_raw(writer, info->permanent ? SPAN(",\"class\":\"permanent\"") : SPAN(",\"class\":\"retry\""));
        if (retry_after_ms >= 0) {
                writer_raw(writer, SPAN(",\"retry_after_ms\":"));
                writer_int(writer, retry_after_ms);
        }
        if (fault) {
                write_text_member(writer, SPAN(",\"field\":"), fault->field);
                write_text_member(writer, SPAN(",\"expected\":"), fault->expected);
        }
        writer_raw(writer, SPAN("}}}"));
}
