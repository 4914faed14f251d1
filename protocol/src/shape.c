/* SPDX-License-Identifier: Apache-2.0 */
/* Shape: see shape.h. One small reader and one small writer per type of field, and what strings them together. A member
 * is looked for first where the one before it ended: a peer that writes them in our order costs one comparison each. */
#include "shape.h"

#include "protocol_generated.h"

_Static_assert(sizeof(enum protocol_entry_kind) == sizeof(int), "enums of the protocol are ints in memory");

enum { FIRST_ITEMS = 4 };

/* ---- reading ---- */

static int refuse(struct reader *reader, const struct shape_field *field)
{
        return reader_fail(reader, PROTOCOL_ERR_BAD_REQUEST, field_limit(field)->expected);
}

static int read_int(struct reader *reader, const struct shape_field *field, void *out)
{
        int64_t value;
        int rc = reader_int(reader, field_limit(field)->expected, &value);

        if (rc < 0)
                return rc;
        if (value < field_limit(field)->min || value > field_limit(field)->max)
                return refuse(reader, field);
        memcpy(out, &value, sizeof(value));
        return 0;
}

static int read_bool(struct reader *reader, const struct shape_field *field, void *out)
{
        return reader_bool(reader, field_limit(field)->expected, out);
}

static bool is_one_line(const struct reader_text *text)
{
        bool clean = !text->has_breaks && !text->has_control && !text->has_c1;

        return clean && !memchr(text->span.at, 0x7f, text->span.len);
}

/* A scheme by which a link may be shown, and something behind it; no white space, no control. */
static bool is_url(const struct reader_text *text)
{
        static const struct {
                const char *scheme;
                size_t len;
        } schemes[] = {{"https://", 8}, {"http://", 7}, {"mailto:", 7}};

        if (!is_one_line(text) || memchr(text->span.at, ' ', text->span.len))
                return false;
        for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
                if (text->span.len > schemes[i].len && memcmp(text->span.at, schemes[i].scheme, schemes[i].len) == 0)
                        return true;
        }
        return false;
}

static bool is_allowed(const struct shape_field *field, const struct reader_text *text)
{
        if ((int64_t)text->span.len < field_limit(field)->min || (int64_t)text->span.len > field_limit(field)->max)
                return false;
        if (text->points > field_limit(field)->max_points)
                return false;
        if (field->type == SHAPE_TEXT)
                return !text->has_control;
        return field->type == SHAPE_WORD ? is_one_line(text) : is_url(text);
}

static int read_text(struct reader *reader, const struct shape_field *field, void *out)
{
        struct reader_text text;
        int rc = reader_text(reader, field_limit(field)->expected, &text);

        if (rc < 0)
                return rc;
        if (!is_allowed(field, &text))
                return refuse(reader, field);
        memcpy(out, &text.span, sizeof(text.span));
        return 0;
}

static int hex_read(struct span text, uint8_t *out, size_t count)
{
        if (text.len != 2 * count)
                return -1;
        for (size_t i = 0; i < text.len; i++) {
                char digit = text.at[i];
                uint8_t value;

                if (digit >= '0' && digit <= '9')
                        value = (uint8_t)(digit - '0');
                else if (digit >= 'a' && digit <= 'f')
                        value = (uint8_t)(digit - 'a' + 10);
                else
                        return -1;
                out[i / 2] = (uint8_t)(out[i / 2] << 4 | value);
        }
        return 0;
}

static int enum_read(struct reader *reader, const struct shape_field *field, struct span text, int *out)
{
        for (size_t i = 0; i < field->word_count; i++) {
                const struct shape_word *word = &field->words[i];

                if (word->name_len == text.len && memcmp(word->name, text.at, text.len) == 0) {
                        *out = word->number;
                        return 0;
                }
        }
        *out = 0;
        return reader->mode == READER_TOLERANT ? 0 : -1;
}

/* The types that are a string with a form of its own. */
static int read_form(struct reader *reader, const struct shape_field *field, void *out)
{
        struct reader_text text;
        int rc = reader_text(reader, field_limit(field)->expected, &text);

        if (rc < 0)
                return rc;
        switch (field->type) {
        case SHAPE_ID:
                rc = id_read(text.span, field->prefix, out);
                break;
        case SHAPE_PRINCIPAL:
                rc = principal_read(text.span, out);
                break;
        case SHAPE_CMID:
                rc = cmid_read(text.span, out);
                break;
        case SHAPE_HEX:
                rc = hex_read(text.span, out, (size_t)field_limit(field)->max);
                break;
        default:
                rc = enum_read(reader, field, text.span, out);
                break;
        }
        return rc < 0 ? refuse(reader, field) : 0;
}

static int read_object(struct reader *reader, const struct shape *shape, const char *expected, char *out);

static int read_value(struct reader *reader, const struct shape_field *field, char *out)
{
        switch (field->type) {
        case SHAPE_INT:
                return read_int(reader, field, out);
        case SHAPE_BOOL:
                return read_bool(reader, field, out);
        case SHAPE_TEXT:
        case SHAPE_WORD:
        case SHAPE_URL:
                return read_text(reader, field, out);
        case SHAPE_OBJECT:
                return read_object(reader, field->of, field_limit(field)->expected, out);
        default:
                return read_form(reader, field, out);
        }
}

/* Room for one more item; doubles. What it leaves behind ends with the arena. */
static char *items_grow(struct reader *reader, size_t item_bytes, char *items, size_t count, size_t *room)
{
        size_t wider = *room ? *room * 2 : FIRST_ITEMS;
        char *grown;

        if (count < *room)
                return items;
        grown = arena_take(reader->arena, wider * item_bytes);
        if (!grown)
                return NULL;
        if (count)
                memcpy(grown, items, count * item_bytes);
        *room = wider;
        return grown;
}

static int read_items(struct reader *reader, const struct shape_field *field, char **items, size_t *count)
{
        const struct shape_field *item = field->item;
        size_t room = 0;
        int rc;

        while ((rc = reader_item(reader, *count == 0)) > 0) {
                char *grown;

                if ((int64_t)*count == field_limit(field)->max)
                        return refuse(reader, field);
                grown = items_grow(reader, item->bytes, *items, *count, &room);
                if (!grown)
                        return reader_fail(reader, PROTOCOL_ERR_INTERNAL, "memory");
                *items = grown;
                rc = read_value(reader, item, *items + *count * item->bytes);
                if (rc < 0) {
                        fault_at_item(reader->fault, *count);
                        return rc;
                }
                ++*count;
        }
        return rc;
}

static int read_array(struct reader *reader, const struct shape_field *field, char *base)
{
        char *items = NULL;
        size_t count = 0;
        int rc = reader_array(reader, field_limit(field)->expected);

        if (rc == 0)
                rc = read_items(reader, field, &items, &count);
        if (rc < 0)
                return rc;
        if ((int64_t)count < field_limit(field)->min)
                return refuse(reader, field);
        memcpy(base + field->offset, &items, sizeof(items));
        memcpy(base + field->count_offset, &count, sizeof(count));
        return 0;
}

static int read_field(struct reader *reader, const struct shape_field *field, char *base)
{
        int rc = field->type == SHAPE_ARRAY ? read_array(reader, field, base)
                                            : read_value(reader, field, base + field->offset);

        if (rc < 0) {
                fault_at_member(reader->fault, field->name, field->name_len);
                return rc;
        }
        if (field->optional)
                *(bool *)(base + field->has_offset) = true;
        return 0;
}

/* One shape with what it includes, and which members have been seen. */
struct level {
        const struct shape *shape;
        char *base;
        uint64_t seen;
        size_t next; /* where the next member is looked for first */
};

enum { LEVELS = 4 };

static size_t levels_open(struct level levels[LEVELS], const struct shape *shape, char *base)
{
        size_t count = 0;

        for (; shape && count < LEVELS; shape = shape->include) {
                levels[count++] = (struct level){shape, base, 0, 0};
                base += shape->include_offset;
        }
        return count;
}

/* Index of the field of that name, or shape->count. */
static size_t field_find(const struct level *level, struct span name)
{
        const struct shape *shape = level->shape;

        for (size_t i = 0; i < shape->count; i++) {
                size_t at = level->next + i;
                const struct shape_field *field;

                if (at >= shape->count)
                        at -= shape->count;
                field = &shape->fields[at];
                if (field->name_len == name.len && memcmp(field->name, name.at, name.len) == 0)
                        return at;
        }
        return shape->count;
}

static int read_unknown(struct reader *reader, struct span name)
{
        int rc;

        if (reader->mode == READER_TOLERANT)
                return reader_skip(reader);
        rc = reader_mismatch(reader, "no such member");
        fault_at_member(reader->fault, name.at, name.len);
        return rc;
}

static int read_member(struct reader *reader, struct level *levels, size_t count, struct span name)
{
        for (size_t i = 0; i < count; i++) {
                struct level *level = &levels[i];
                size_t at = field_find(level, name);

                if (at == level->shape->count)
                        continue;
                if (level->seen >> at & 1) {
                        int rc = reader_fail(reader, PROTOCOL_ERR_BAD_REQUEST, "each member once");

                        fault_at_member(reader->fault, name.at, name.len);
                        return rc;
                }
                level->seen |= UINT64_C(1) << at;
                level->next = at + 1;
                return read_field(reader, &level->shape->fields[at], level->base);
        }
        return read_unknown(reader, name);
}

static int check_required(struct reader *reader, const struct level *level)
{
        uint64_t lacking = level->shape->required & ~level->seen;

        if (!lacking)
                return 0;

        const struct shape_field *field = &level->shape->fields[__builtin_ctzll(lacking)];
        int rc = refuse(reader, field);

        fault_at_member(reader->fault, field->name, field->name_len);
        return rc;
}

static int read_object(struct reader *reader, const struct shape *shape, const char *expected, char *out)
{
        struct level levels[LEVELS];
        size_t count = levels_open(levels, shape, out);
        struct span name;
        int rc = reader_object(reader, expected);

        if (rc < 0)
                return rc;
        for (bool first = true; (rc = reader_member(reader, first, &name)) > 0; first = false) {
                rc = read_member(reader, levels, count, name);
                if (rc < 0)
                        return rc;
        }
        for (size_t i = 0; rc == 0 && i < count; i++)
                rc = check_required(reader, &levels[i]);
        return rc;
}

int shape_read(struct reader *reader, const struct shape *shape, void *out)
{
        bool is_whole = reader->depth == 0;
        int rc;

        memset(out, 0, shape->bytes);
        rc = read_object(reader, shape, "an object", out);
        return rc == 0 && is_whole ? reader_end(reader) : rc;
}

/* ---- writing ---- */

const char *shape_word_text(const struct shape_word *words, size_t count, int number)
{
        for (size_t i = 0; i < count; i++) {
                if (words[i].number == number)
                        return words[i].name;
        }
        return "other";
}

static void write_enum(struct writer *writer, const struct shape_field *field, const char *value)
{
        int number;

        memcpy(&number, value, sizeof(number));
        writer_string(writer, span_of(shape_word_text(field->words, field->word_count, number)));
}

static void write_object(struct writer *writer, const struct shape *shape, const char *base);

static void write_value(struct writer *writer, const struct shape_field *field, const char *value)
{
        switch (field->type) {
        case SHAPE_INT:
                writer_int(writer, *(const int64_t *)value);
                break;
        case SHAPE_BOOL:
                writer_bool(writer, *(const bool *)value);
                break;
        case SHAPE_ID:
                writer_id(writer, field->prefix, *(const uint64_t *)value);
                break;
        case SHAPE_PRINCIPAL:
                writer_principal(writer, *(const struct principal_id *)value);
                break;
        case SHAPE_CMID:
                writer_cmid(writer, (const struct cmid *)value);
                break;
        case SHAPE_HEX:
                writer_hex(writer, (const uint8_t *)value, (size_t)field_limit(field)->max);
                break;
        case SHAPE_ENUM:
                write_enum(writer, field, value);
                break;
        case SHAPE_OBJECT:
                write_object(writer, field->of, value);
                break;
        default:
                writer_string(writer, *(const struct span *)value);
                break;
        }
}

static void write_array(struct writer *writer, const struct shape_field *field, const char *base)
{
        const char *items;
        size_t count;

        memcpy(&items, base + field->offset, sizeof(items));
        memcpy(&count, base + field->count_offset, sizeof(count));
        writer_char(writer, '[');
        for (size_t i = 0; i < count; i++) {
                if (i)
                        writer_char(writer, ',');
                write_value(writer, field->item, items + i * field->item->bytes);
        }
        writer_char(writer, ']');
}

/* The members that are there, each behind a comma but the first of the object. Names need no escaping. */
static void write_members(struct writer *writer, const struct shape *shape, const char *base, bool *first)
{
        for (size_t i = 0; i < shape->count; i++) {
                const struct shape_field *field = &shape->fields[i];

                if (field->optional && !*(const bool *)(base + field->has_offset))
                        continue;
                if (!writer_reserve(writer, field->name_len + 4u))
                        return;

                char *out = writer->bytes + writer->len;

                *out = ',';
                out += !*first;
                *out++ = '"';
                memcpy(out, field->name, field->name_len);
                out[field->name_len] = '"';
                out[field->name_len + 1] = ':';
                writer->len += field->name_len + 3u + !*first;
                *first = false;
                if (field->type == SHAPE_ARRAY)
                        write_array(writer, field, base);
                else
                        write_value(writer, field, base + field->offset);
        }
}

static void write_object(struct writer *writer, const struct shape *shape, const char *base)
{
        bool first = true;

        writer_char(writer, '{');
        for (; shape; shape = shape->include) {
                write_members(writer, shape, base, &first);
                base += shape->include_offset;
        }
        writer_char(writer, '}');
}

void shape_write(struct writer *writer, const struct shape *shape, const void *value)
{
        write_object(writer, shape, value);
}

/* ---- rules ---- */

int shape_rule_check(const struct shape *shape, const struct shape_rule *rule, const void *value, struct fault *fault)
{
        for (size_t i = 0; i < shape->count; i++) {
                const struct shape_field *field = &shape->fields[i];
                bool has = *(const bool *)((const char *)value + field->has_offset);

                if (has && !(rule->may >> i & 1))
                        return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, field->name, "not with this kind");
                if (!has && rule->needs >> i & 1)
                        return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, field->name, field_limit(field)->expected);
        }
        return 0;
}
