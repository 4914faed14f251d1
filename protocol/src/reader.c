/* SPDX-License-Identifier: Apache-2.0 */
/* Reader: see reader.h. Two passes share the scanners: the checking pass (reader_skip, reader_walk) changes nothing and
 * knows every rule of JSON; the decoding pass unescapes in place. `at` never passes `end`. */
#include "protocol/reader.h"

#include "bytes.h"
#include "protocol_generated.h"
#include "utf8.h"

enum { NUMBER_BYTES = 64, INT_DIGITS = 19 };

void reader_init(struct reader *reader, char *bytes, size_t len, enum reader_mode mode, struct arena *arena,
                 struct fault *fault)
{
        *reader = (struct reader){bytes, bytes + len, bytes, arena, mode, 0, fault};
        fault_clear(fault);
}

int reader_fail(struct reader *reader, int code, const char *expected)
{
        return fault_set(reader->fault, code, "", expected);
}

static int no_json(struct reader *reader)
{
        return reader_fail(reader, PROTOCOL_ERR_PARSE, "valid JSON");
}

static inline char *skip_space(char *at, const char *end)
{
        while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
                at++;
        return at;
}

/* The next byte that is no white space, without taking it; '\0' at the end. */
static inline char peek(struct reader *reader)
{
        reader->at = skip_space(reader->at, reader->end);
        return reader->at < reader->end ? *reader->at : '\0';
}

int reader_end(struct reader *reader)
{
        reader->at = skip_space(reader->at, reader->end);
        return reader->at == reader->end ? 0 : no_json(reader);
}

/* ---- strings ---- */

static int hex_digit(char digit)
{
        if (digit >= '0' && digit <= '9')
                return digit - '0';
        if (digit >= 'a' && digit <= 'f')
                return digit - 'a' + 10;
        return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

/* The four digits of a \u escape. Negative: not four digits. */
static int hex_four(const char *at, const char *end)
{
        int value = 0;

        if (end - at < 4)
                return -1;
        for (int i = 0; i < 4; i++) {
                int digit = hex_digit(at[i]);

                if (digit < 0)
                        return -1;
                value = value << 4 | digit;
        }
        return value;
}

/* \uXXXX, or a pair of them. `*at` stands on the 'u' and is moved behind. */
static int unicode_escape(struct reader *reader, char **at, uint32_t *out_point)
{
        int unit = hex_four(*at + 1, reader->end);

        if (unit < 0)
                return no_json(reader);
        if (unit == 0)
                return reader_fail(reader, PROTOCOL_ERR_BAD_REQUEST, "text without U+0000");
        *at += 5;
        *out_point = (uint32_t)unit;
        if (unit < 0xd800 || unit > 0xdfff)
                return 0;

        bool has_second = unit < 0xdc00 && reader->end - *at >= 6 && (*at)[0] == '\\' && (*at)[1] == 'u';
        int second = has_second ? hex_four(*at + 2, reader->end) : -1;

        if (second < 0xdc00 || second > 0xdfff)
                return reader_fail(reader, PROTOCOL_ERR_BAD_REQUEST, "surrogates in pairs");
        *at += 6;
        *out_point = 0x10000 + ((uint32_t)(unit - 0xd800) << 10) + (uint32_t)(second - 0xdc00);
        return 0;
}

/* One escape. `*at` stands on the backslash and is moved behind the escape. */
static int escape(struct reader *reader, char **at, uint32_t *out_point)
{
        static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
        const char *found;

        if (reader->end - *at < 2)
                return no_json(reader);
        ++*at;
        if (**at == 'u')
                return unicode_escape(reader, at, out_point);
        found = **at ? strchr(names, **at) : NULL;
        if (!found)
                return no_json(reader);
        ++*at;
        *out_point = (uint32_t)values[found - names];
        return 0;
}

/* What the two passes over a string share: where it reads and, when decoding, where it writes. */
struct scan {
        char *from, *to;
        size_t tails; /* bytes that continue a code point */
        bool keep;    /* decode in place */
        bool has_escape;
        struct reader_text *text; /* NULL: only check */
};

static inline void scan_move(struct scan *scan, size_t len)
{
        if (scan->keep) {
                if (scan->to != scan->from)
                        memmove(scan->to, scan->from, len);
                scan->to += len;
        }
        scan->from += len;
}

static int scan_escape(struct reader *reader, struct scan *scan)
{
        uint32_t point = 0;
        int rc = escape(reader, &scan->from, &point);

        if (rc < 0)
                return rc;
        scan->has_escape = true;
        if (!scan->keep)
                return 0;

        size_t len = utf8_write(scan->to, point);

        scan->to += len;
        scan->tails += len - 1;
        scan->text->has_breaks |= point == '\t' || point == '\n';
        scan->text->has_control |= point < 0x20 && point != '\t' && point != '\n';
        scan->text->has_c1 |= point >= 0x80 && point < 0xa0;
        return 0;
}

/* A run of code points above 0x7f. */
static int scan_wide(struct reader *reader, struct scan *scan)
{
        char *at = scan->from;

        while (at < reader->end && (unsigned char)*at >= 0x80) {
                size_t len = utf8_length(at, reader->end);

                if (!len)
                        return reader_fail(reader, PROTOCOL_ERR_PARSE, "valid UTF-8");
                scan->tails += len - 1;
                if (scan->text && (unsigned char)at[0] == 0xc2 && (unsigned char)at[1] < 0xa0)
                        scan->text->has_c1 = true;
                at += len;
        }
        scan_move(scan, (size_t)(at - scan->from));
        return 0;
}

/* Reads up to the closing quote and passes it. reader->at stands behind the opening one. */
static int scan_string(struct reader *reader, struct scan *scan)
{
        scan->from = scan->to = reader->at;
        for (;;) {
                const char *clean = bytes_clean_end(scan->from, reader->end, BYTES_HIGHS);
                int rc = 0;

                scan_move(scan, (size_t)(clean - scan->from));
                if (scan->from == reader->end)
                        return no_json(reader);
                if (*scan->from == '"')
                        break;
                if (*scan->from == '\\')
                        rc = scan_escape(reader, scan);
                else if ((unsigned char)*scan->from >= 0x80)
                        rc = scan_wide(reader, scan);
                else
                        rc = reader_fail(reader, PROTOCOL_ERR_PARSE, "controls in texts as escapes");
                if (rc < 0)
                        return rc;
        }
        reader->at = scan->from + 1;
        return 0;
}

/* reader->at stands behind the opening quote. */
static int decode_string(struct reader *reader, struct reader_text *out)
{
        char *start = reader->at;
        struct scan scan = {.keep = true, .text = out};
        int rc;

        *out = (struct reader_text){0};
        rc = scan_string(reader, &scan);
        if (rc < 0)
                return rc;
        out->span = (struct span){start, (size_t)(scan.to - start)};
        out->points = out->span.len - scan.tails;
        return 0;
}

int reader_text(struct reader *reader, const char *expected, struct reader_text *out)
{
        if (peek(reader) != '"')
                return reader_mismatch(reader, expected);
        reader->at++;
        return decode_string(reader, out);
}

/* ---- numbers and words ---- */

static inline char *skip_digits(char *at, const char *end)
{
        while (at < end && *at >= '0' && *at <= '9')
                at++;
        return at;
}

/* End of the integer part, NULL when there is none. */
static char *whole_part(char *at, const char *end)
{
        if (at < end && *at == '-')
                at++;
        if (at == end || *at < '0' || *at > '9')
                return NULL;
        return *at == '0' ? at + 1 : skip_digits(at, end);
}

/* End of the number, NULL when it is none. */
static char *number_end(char *at, const char *end)
{
        char *next = whole_part(at, end);

        if (next && next < end && *next == '.') {
                at = next + 1;
                next = skip_digits(at, end);
                if (next == at)
                        return NULL;
        }
        if (next && next < end && (*next == 'e' || *next == 'E')) {
                at = next + 1;
                if (at < end && (*at == '+' || *at == '-'))
                        at++;
                next = skip_digits(at, end);
                if (next == at)
                        return NULL;
        }
        return next;
}

static int check_number(struct reader *reader)
{
        char *next = number_end(reader->at, reader->end);

        if (!next)
                return no_json(reader);
        if (next - reader->at > NUMBER_BYTES)
                return reader_fail(reader, PROTOCOL_ERR_BAD_REQUEST, "a shorter number");
        reader->at = next;
        return 0;
}

/* Digits of a whole number within int64. */
static bool to_int(const char *at, const char *end, int64_t *out)
{
        bool negative = *at == '-';
        uint64_t value = 0;

        at += negative;
        if (end - at > INT_DIGITS)
                return false;
        for (; at < end; at++)
                value = value * 10 + (uint64_t)(*at - '0'); /* 19 digits stay below 2^64 */
        if (value > (uint64_t)INT64_MAX + negative)
                return false;
        *out = negative ? (int64_t)(0 - value) : (int64_t)value;
        return true;
}

int reader_int(struct reader *reader, const char *expected, int64_t *out)
{
        char first = peek(reader);

        if (first != '-' && (first < '0' || first > '9'))
                return reader_mismatch(reader, expected);

        char *next = whole_part(reader->at, reader->end);

        if (!next)
                return no_json(reader);
        if (next < reader->end && (*next == '.' || *next == 'e' || *next == 'E'))
                return reader_mismatch(reader, expected);
        if (!to_int(reader->at, next, out))
                return reader_fail(reader, PROTOCOL_ERR_BAD_REQUEST, expected);
        reader->at = next;
        return 0;
}

static bool take_word(struct reader *reader, const char *word, size_t len)
{
        if ((size_t)(reader->end - reader->at) < len || memcmp(reader->at, word, len) != 0)
                return false;
        reader->at += len;
        return true;
}

int reader_bool(struct reader *reader, const char *expected, bool *out)
{
        char first = peek(reader);

        if (first == 't' && take_word(reader, "true", 4))
                *out = true;
        else if (first == 'f' && take_word(reader, "false", 5))
                *out = false;
        else
                return reader_mismatch(reader, expected);
        return 0;
}

/* ---- objects and arrays ---- */

static int enter(struct reader *reader)
{
        if (++reader->depth > PROTOCOL_DEPTH)
                return reader_fail(reader, PROTOCOL_ERR_BAD_REQUEST, "less nesting");
        reader->at++;
        return 0;
}

static int leave(struct reader *reader)
{
        reader->depth--;
        reader->at++;
        return 0;
}

/* Whether something comes before `close`: 1; 0: closed; or an error. */
static int another(struct reader *reader, bool first, char close)
{
        char next = peek(reader);

        if (next == close && reader->at < reader->end)
                return leave(reader);
        if (first)
                return 1;
        if (next != ',')
                return no_json(reader);
        reader->at++;
        return 1;
}

int reader_object(struct reader *reader, const char *expected)
{
        return peek(reader) == '{' ? enter(reader) : reader_mismatch(reader, expected);
}

int reader_array(struct reader *reader, const char *expected)
{
        return peek(reader) == '[' ? enter(reader) : reader_mismatch(reader, expected);
}

int reader_item(struct reader *reader, bool first)
{
        return another(reader, first, ']');
}

static int take_colon(struct reader *reader)
{
        if (peek(reader) != ':')
                return no_json(reader);
        reader->at++;
        return 0;
}

int reader_member(struct reader *reader, bool first, struct span *out_name)
{
        struct reader_text name;
        int rc = another(reader, first, '}');

        if (rc <= 0)
                return rc;
        if (peek(reader) != '"')
                return no_json(reader);
        reader->at++;
        rc = decode_string(reader, &name);
        if (rc == 0)
                rc = take_colon(reader);
        if (rc < 0)
                return rc;
        *out_name = name.span;
        return 1;
}

/* ---- the checking pass ---- */

/* Names of one object so far. */
struct names {
        size_t count;
        uint32_t hashes[PROTOCOL_KEYS];
        struct span spans[PROTOCOL_KEYS];
};

static uint32_t hash_of(struct span name)
{
        uint64_t hash = name.len * UINT64_C(0x9e3779b97f4a7c15);
        const char *at = name.at;

        for (size_t left = name.len; left > 0;) {
                size_t part = left < 8 ? left : 8;
                uint64_t word = 0;

                memcpy(&word, at, part);
                hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
                at += part;
                left -= part;
        }
        return (uint32_t)(hash >> 32);
}

static int names_add(struct reader *reader, struct names *names, struct span name)
{
        uint32_t hash = hash_of(name);

        for (size_t i = 0; i < names->count; i++) {
                if (names->hashes[i] == hash && span_equal(names->spans[i], name)) {
                        int rc = reader_fail(reader, PROTOCOL_ERR_BAD_REQUEST, "each member once");

                        fault_at_member(reader->fault, name.at, name.len);
                        return rc;
                }
        }
        if (names->count == PROTOCOL_KEYS)
                return reader_fail(reader, PROTOCOL_ERR_BAD_REQUEST, "fewer members in one object");
        names->hashes[names->count] = hash;
        names->spans[names->count++] = name;
        return 0;
}

/* A name with escapes, decoded into the arena: the buffer stays as it is. */
static int copy_name(struct reader *reader, struct span raw, struct span *out_name)
{
        char *copy = reader->arena ? arena_take(reader->arena, raw.len + 1) : NULL;
        struct reader inner = *reader;
        struct reader_text text;
        int rc;

        if (!copy)
                return reader_fail(reader, PROTOCOL_ERR_INTERNAL, "memory");
        memcpy(copy, raw.at, raw.len);
        copy[raw.len] = '"';
        inner.at = copy;
        inner.end = copy + raw.len + 1;
        rc = decode_string(&inner, &text);
        *out_name = text.span;
        return rc;
}

static int check_name(struct reader *reader, struct names *names, struct span *out_name)
{
        struct scan scan = {.keep = false};
        char *start;
        int rc;

        if (peek(reader) != '"')
                return no_json(reader);
        start = ++reader->at;
        rc = scan_string(reader, &scan);
        if (rc < 0)
                return rc;
        *out_name = (struct span){start, (size_t)(scan.from - start)};
        if (scan.has_escape)
                rc = copy_name(reader, *out_name, out_name);
        if (rc == 0)
                rc = names_add(reader, names, *out_name);
        return rc < 0 ? rc : take_colon(reader);
}

static int check_value(struct reader *reader);

static int check_object(struct reader *reader, reader_visit *visit, void *data)
{
        __attribute__((uninitialized)) struct names names; /* 2.5 KiB: too dear to be cleared for each object */
        int rc = enter(reader);

        names.count = 0;
        if (rc < 0)
                return rc;
        for (bool first = true; (rc = another(reader, first, '}')) > 0; first = false) {
                struct span name = {0};

                rc = check_name(reader, &names, &name);
                if (rc < 0)
                        return rc;
                peek(reader);

                char *raw = reader->at;

                rc = check_value(reader);
                if (rc == 0 && visit)
                        rc = visit(data, name, (struct span){raw, (size_t)(reader->at - raw)});
                if (rc < 0)
                        return rc;
        }
        return rc;
}

static int check_array(struct reader *reader)
{
        int rc = enter(reader);

        if (rc < 0)
                return rc;
        for (bool first = true; (rc = another(reader, first, ']')) > 0; first = false) {
                rc = check_value(reader);
                if (rc < 0)
                        return rc;
        }
        return rc;
}

static int check_string(struct reader *reader)
{
        struct scan scan = {.keep = false};

        reader->at++;
        return scan_string(reader, &scan);
}

static int check_value(struct reader *reader)
{
        switch (peek(reader)) {
        case '{':
                return check_object(reader, NULL, NULL);
        case '[':
                return check_array(reader);
        case '"':
                return check_string(reader);
        case 't':
                return take_word(reader, "true", 4) ? 0 : no_json(reader);
        case 'f':
                return take_word(reader, "false", 5) ? 0 : no_json(reader);
        case 'n':
                return take_word(reader, "null", 4) ? 0 : no_json(reader);
        default:
                return check_number(reader);
        }
}

int reader_skip(struct reader *reader)
{
        return check_value(reader);
}

int reader_walk(struct reader *reader, reader_visit *visit, void *data)
{
        if (peek(reader) != '{')
                return reader_mismatch(reader, "an object");
        return check_object(reader, visit, data);
}

int reader_mismatch(struct reader *reader, const char *expected)
{
        int rc = check_value(reader);

        return rc < 0 ? rc : reader_fail(reader, PROTOCOL_ERR_BAD_REQUEST, expected);
}
