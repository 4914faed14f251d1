/* SPDX-License-Identifier: Apache-2.0 */
/* The head is read again from its start each time bytes have come: 8 KiB at most, and no state that could go wrong.
 * Every line that is complete is checked at once, so that nonsense is answered at its first line. */
#include "edge/http.h"
#include "edge/ws.h"

#include <stddef.h>

struct reading {
        const char *at, *end;
        struct http_head *head;
        int count; /* header lines so far */
        bool has_transfer_encoding, has_http2_settings;
};

struct header_kind {
        struct span name;
        size_t offset;                                           /* of a span in struct http_head; stands once */
        int (*read)(struct reading *reading, struct span value); /* instead: 0 or a status */
};

static char lower(char c)
{
        return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

bool http_span_is(struct span a, struct span b)
{
        if (a.len != b.len)
                return false;
        for (size_t i = 0; i < a.len; i++)
                if (lower(a.at[i]) != lower(b.at[i]))
                        return false;
        return true;
}

static bool is_digit(char c)
{
        return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
        return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z');
}

static bool is_token_char(char c)
{
        return is_alnum(c) || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_blank(char c)
{
        return c == ' ' || c == '\t';
}

static struct span trim(struct span text)
{
        while (text.len && is_blank(text.at[0])) {
                text.at++;
                text.len--;
        }
        while (text.len && is_blank(text.at[text.len - 1]))
                text.len--;
        return text;
}

/* Cuts the next comma-separated part off `list`; false at its end. */
static bool next_part(struct span *list, struct span *out_part)
{
        if (!list->at)
                return false;
        const char *comma = memchr(list->at, ',', list->len);
        size_t len = comma ? (size_t)(comma - list->at) : list->len;
        *out_part = trim((struct span){list->at, len});
        if (comma)
                *list = (struct span){comma + 1, list->len - len - 1};
        else
                list->at = NULL;
        return true;
}

bool http_has_token(struct span list, struct span token)
{
        struct span part;
        while (next_part(&list, &part))
                if (http_span_is(part, token))
                        return true;
        return false;
}

static int read_content_length(struct reading *reading, struct span value)
{
        if (reading->head->content_length >= 0 || value.len == 0 || value.len > 15)
                return 400;
        int64_t length = 0;
        for (size_t i = 0; i < value.len; i++) {
                if (!is_digit(value.at[i]))
                        return 400;
                length = length * 10 + (value.at[i] - '0');
        }
        reading->head->content_length = length;
        return 0;
}

static int read_transfer_encoding(struct reading *reading, struct span value)
{
        if (reading->has_transfer_encoding || !http_span_is(value, SPAN("chunked")))
                return 400;
        reading->has_transfer_encoding = true;
        return 0;
}

static int read_connection(struct reading *reading, struct span value)
{
        struct http_head *head = reading->head;
        head->connection_close |= http_has_token(value, SPAN("close"));
        head->connection_upgrade |= http_has_token(value, SPAN("upgrade"));
        return 0;
}

static int read_upgrade(struct reading *reading, struct span value)
{
        struct http_head *head = reading->head;
        head->has_upgrade = true;
        head->upgrade_websocket |= http_has_token(value, SPAN("websocket"));
        struct span part;
        while (next_part(&value, &part))
                if (part.len >= 2 && lower(part.at[0]) == 'h' && part.at[1] == '2')
                        head->upgrade_h2c = true;
        return 0;
}

static int read_http2_settings(struct reading *reading, struct span value)
{
        (void)value;
        reading->has_http2_settings = true;
        return 0;
}

static int read_expect(struct reading *reading, struct span value)
{
        if (reading->head->expects_continue)
                return 400;
        reading->head->expects_continue = true;
        return http_span_is(value, SPAN("100-continue")) ? 0 : 417;
}

#define ONCE(text, field)                                                                                              \
        {                                                                                                              \
                SPAN(text), offsetof(struct http_head, field), NULL                                                    \
        }
#define OTHER(text, reader)                                                                                            \
        {                                                                                                              \
                SPAN(text), 0, reader                                                                                  \
        }

static const struct header_kind *find_kind(struct span name)
{
        static const struct header_kind kinds[] = {
                ONCE("host", host),
                ONCE("origin", origin),
                ONCE("authorization", authorization),
                ONCE("cookie", cookie),
                ONCE("idempotency-key", idempotency_key),
                ONCE("range", range),
                ONCE("if-range", if_range),
                ONCE("if-none-match", if_none_match),
                ONCE("content-type", content_type),
                ONCE("upload-offset", upload_offset),
                ONCE("x-deskbell", deskbell),
                ONCE("sec-websocket-key", ws_key),
                ONCE("sec-websocket-version", ws_version),
                ONCE("sec-websocket-protocol", ws_protocol),
                OTHER("content-length", read_content_length),
                OTHER("transfer-encoding", read_transfer_encoding),
                OTHER("connection", read_connection),
                OTHER("upgrade", read_upgrade),
                OTHER("http2-settings", read_http2_settings),
                OTHER("expect", read_expect),
        };
        for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
                if (http_span_is(name, kinds[i].name))
                        return &kinds[i];
        return NULL;
}

/* The next line without its CRLF. 1, 0 when it is unfinished, or 400 for a bare CR or LF, a NUL or other controls. */
static int next_line(struct reading *reading, struct span *out_line)
{
        const char *at = reading->at;
        while (at < reading->end && ((unsigned char)*at >= 0x20 || *at == '\t') && *at != 0x7f)
                at++;
        if (at == reading->end)
                return 0;
        if (*at != '\r')
                return 400;
        if (at + 1 == reading->end)
                return 0;
        if (at[1] != '\n')
                return 400;
        *out_line = (struct span){reading->at, (size_t)(at - reading->at)};
        reading->at = at + 2;
        return 1;
}

static int read_method(struct span name, struct http_head *head)
{
        static const struct span names[] = {
                [HTTP_GET] = SPAN("GET"),         [HTTP_HEAD] = SPAN("HEAD"),   [HTTP_POST] = SPAN("POST"),
                [HTTP_PUT] = SPAN("PUT"),         [HTTP_PATCH] = SPAN("PATCH"), [HTTP_DELETE] = SPAN("DELETE"),
                [HTTP_OPTIONS] = SPAN("OPTIONS"),
        };
        head->method_name = name;
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
                if (span_equal(name, names[i])) {
                        head->method = (enum http_method)i;
                        return 0;
                }
        }
        for (size_t i = 0; i < name.len; i++)
                if (!is_token_char(name.at[i]))
                        return 400;
        return name.len ? 405 : 400;
}

/* Path: no escapes, no doubled or backward slashes, no dot segments. Query: any printable ASCII. */
static int read_target(struct span target, struct http_head *head)
{
        if (target.len == 0 || target.at[0] != '/')
                return 400;
        const char *mark = memchr(target.at, '?', target.len);
        head->path = (struct span){target.at, mark ? (size_t)(mark - target.at) : target.len};
        if (mark)
                head->query = (struct span){mark + 1, target.len - head->path.len - 1};
        for (size_t i = 0; i < target.len; i++)
                if (target.at[i] <= 0x20 || target.at[i] == 0x7f || strchr("#\"<>", target.at[i]))
                        return 400;
        for (size_t i = 0; i < head->path.len; i++) {
                char c = head->path.at[i], next = i + 1 < head->path.len ? head->path.at[i + 1] : '\0';
                if (c == '%' || c == '\\' || (c == '/' && next == '/') || (c == '.' && next == '.'))
                        return 404;
        }
        return 0;
}

static int read_request_line(struct span line, struct http_head *head)
{
        const char *space = memchr(line.at, ' ', line.len);
        if (!space)
                return 400;
        struct span method = {line.at, (size_t)(space - line.at)};
        struct span rest = {space + 1, line.len - method.len - 1};
        const char *second = memchr(rest.at, ' ', rest.len);
        if (!second)
                return 400;
        struct span target = {rest.at, (size_t)(second - rest.at)};
        struct span version = {second + 1, rest.len - target.len - 1};
        if (!span_equal(version, SPAN("HTTP/1.1")))
                return 400;
        if (target.len > HTTP_TARGET_BYTES)
                return 414;
        int rc = read_method(method, head);
        return rc ? rc : read_target(target, head);
}

static int read_header(struct reading *reading, struct span line)
{
        size_t name_len = 0;
        while (name_len < line.len && is_token_char(line.at[name_len]))
                name_len++;
        if (name_len == 0 || name_len == line.len || line.at[name_len] != ':')
                return 400; /* a folded line, a blank before the colon, no colon */
        if (++reading->count > HTTP_HEADERS)
                return 431;

        struct span name = {line.at, name_len};
        struct span value = trim((struct span){line.at + name_len + 1, line.len - name_len - 1});
        const struct header_kind *kind = find_kind(name);
        if (!kind)
                return 0;
        if (kind->read)
                return kind->read(reading, value);
        struct span *slot = (struct span *)(void *)((char *)reading->head + kind->offset);
        if (slot->at)
                return 400;
        *slot = value;
        return 0;
}

/* The port's digits, or at NULL; false: not a host. */
static bool split_host(struct span host, struct span *out_name)
{
        if (host.len == 0 || host.len > HTTP_HOST_BYTES)
                return false;
        size_t len = 0;
        if (host.at[0] == '[') {
                while (len < host.len && host.at[len] != ']') {
                        if (len && !is_alnum(host.at[len]) && host.at[len] != ':' && host.at[len] != '.')
                                return false;
                        len++;
                }
                if (len == host.len || len < 3)
                        return false;
                len++;
        } else {
                while (len < host.len && (is_alnum(host.at[len]) || strchr("-._", host.at[len])))
                        len++;
        }
        if (len == 0)
                return false;
        *out_name = (struct span){host.at, len};
        if (len == host.len)
                return true;
        if (host.at[len] != ':' || host.len - len - 1 < 1 || host.len - len - 1 > 5)
                return false;
        for (size_t i = len + 1; i < host.len; i++)
                if (!is_digit(host.at[i]))
                        return false;
        return true;
}

static int check_whole(const struct reading *reading)
{
        const struct http_head *head = reading->head;
        struct span name;
        if (!head->host.at || !split_host(head->host, &name))
                return 400;
        if (head->upgrade_h2c || reading->has_http2_settings)
                return 400;
        if (reading->has_transfer_encoding)
                return head->content_length >= 0 ? 400 : 411;
        return 0;
}

/* The lines that are there, up to the empty one. 1 complete, 0 more, else a status. */
static int read_lines(struct reading *reading)
{
        struct span line;
        int rc = next_line(reading, &line);
        if (rc != 1)
                return rc;
        rc = read_request_line(line, reading->head);
        while (rc == 0) {
                rc = next_line(reading, &line);
                if (rc != 1)
                        return rc;
                if (line.len == 0)
                        return 1;
                rc = read_header(reading, line);
        }
        return rc;
}

int http_head_read(const char *bytes, size_t len, struct http_head *out_head)
{
        struct http_head head = {.content_length = -1};
        size_t seen = len < HTTP_HEAD_BYTES ? len : HTTP_HEAD_BYTES;
        struct reading reading = {.at = bytes, .end = bytes + seen, .head = &head};
        int rc = read_lines(&reading);
        if (rc == 0 && seen == HTTP_HEAD_BYTES)
                return reading.at == bytes ? 414 : 431; /* not even the first line ends */
        if (rc != 1)
                return rc;
        rc = check_whole(&reading);
        if (rc)
                return rc;
        head.head_len = (size_t)(reading.at - bytes);
        *out_head = head;
        return 1;
}

int http_gate(const struct http_head *head, struct span subprotocol)
{
        if (head->method != HTTP_GET)
                return 405;
        if (head->query.at)
                return 401; /* what is secret does not travel in an address, and nothing else belongs there */
        if (head->content_length >= 0 || head->expects_continue)
                return 400;
        if (!head->has_upgrade)
                return 426;
        if (!head->upgrade_websocket || !head->connection_upgrade)
                return 400;
        if (!head->ws_version.at || !span_equal(head->ws_version, SPAN("13")))
                return 426;
        if (!ws_key_ok(head->ws_key))
                return 400;
        if (!head->ws_protocol.at || !span_equal(head->ws_protocol, subprotocol))
                return 400;
        return 101;
}

static struct span without_brackets(struct span name)
{
        if (name.len >= 2 && name.at[0] == '[' && name.at[name.len - 1] == ']')
                return (struct span){name.at + 1, name.len - 2};
        return name;
}

bool http_host_is(struct span host, struct span name)
{
        struct span own;
        return split_host(host, &own) && http_span_is(without_brackets(own), without_brackets(name));
}

bool http_etag_matches(struct span if_none_match, struct span etag)
{
        struct span part;
        while (next_part(&if_none_match, &part)) {
                if (part.len > 2 && part.at[0] == 'W' && part.at[1] == '/')
                        part = (struct span){part.at + 2, part.len - 2};
                if (span_equal(part, etag) || span_equal(part, SPAN("*")))
                        return true;
        }
        return false;
}

/* Cuts a line with its CRLF off `lines`. */
static bool cut_line(struct span *lines, struct span *out_line)
{
        const char *feed = lines->len ? memchr(lines->at, '\n', lines->len) : NULL;
        if (!feed || feed == lines->at || feed[-1] != '\r')
                return false;
        size_t len = (size_t)(feed - lines->at) + 1;
        *out_line = (struct span){lines->at, len - 2};
        *lines = (struct span){lines->at + len, lines->len - len};
        return true;
}

bool http_lines_ok(struct span lines)
{
        while (lines.len) {
                struct span line;
                if (!cut_line(&lines, &line))
                        return false;
                size_t name_len = 0;
                while (name_len < line.len && is_token_char(line.at[name_len]))
                        name_len++;
                if (name_len == 0 || name_len == line.len || line.at[name_len] != ':')
                        return false;
                for (size_t i = name_len; i < line.len; i++)
                        if (((unsigned char)line.at[i] < 0x20 && line.at[i] != '\t') || line.at[i] == 0x7f)
                                return false;
        }
        return true;
}

bool http_lines_have(struct span lines, struct span name)
{
        struct span line;
        while (cut_line(&lines, &line))
                if (line.len > name.len && line.at[name.len] == ':' &&
                    http_span_is((struct span){line.at, name.len}, name))
                        return true;
        return false;
}

const char *http_reason(int status)
{
        static const struct {
                int status;
                const char *reason;
        } reasons[] = {
                {200, "OK"},
                {201, "Created"},
                {202, "Accepted"},
                {204, "No Content"},
                {206, "Partial Content"},
                {302, "Found"},
                {303, "See Other"},
                {304, "Not Modified"},
                {307, "Temporary Redirect"},
                {308, "Permanent Redirect"},
                {400, "Bad Request"},
                {401, "Unauthorized"},
                {403, "Forbidden"},
                {404, "Not Found"},
                {405, "Method Not Allowed"},
                {408, "Request Timeout"},
                {409, "Conflict"},
                {410, "Gone"},
                {411, "Length Required"},
                {412, "Precondition Failed"},
                {413, "Content Too Large"},
                {414, "URI Too Long"},
                {415, "Unsupported Media Type"},
                {416, "Range Not Satisfiable"},
                {417, "Expectation Failed"},
                {422, "Unprocessable Content"},
                {426, "Upgrade Required"},
                {429, "Too Many Requests"},
                {431, "Request Header Fields Too Large"},
                {500, "Internal Server Error"},
                {501, "Not Implemented"},
                {503, "Service Unavailable"},
                {507, "Insufficient Storage"},
        };
        for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
                if (reasons[i].status == status)
                        return reasons[i].reason;
        return "Status";
}
