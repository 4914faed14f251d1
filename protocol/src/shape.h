/* SPDX-License-Identifier: Apache-2.0 */
/* Shape: what a struct of the protocol looks like on the wire, as tables that the generator writes, and the one decoder
 * and the one encoder that follow them. Private to the protocol and its tests. Pure; any thread. */
#pragma once

#include "protocol/reader.h"
#include "protocol/writer.h"

enum shape_type {
        SHAPE_INT,       /* int64_t */
        SHAPE_BOOL,      /* bool */
        SHAPE_TEXT,      /* struct span: no C0 control but tab and newline */
        SHAPE_WORD,      /* struct span: one line, no control character */
        SHAPE_URL,       /* struct span: http, https or mailto */
        SHAPE_ID,        /* uint64_t */
        SHAPE_PRINCIPAL, /* struct principal_id */
        SHAPE_CMID,      /* struct cmid */
        SHAPE_HEX,       /* uint8_t[max] */
        SHAPE_ENUM,      /* an enum; 0 = other */
        SHAPE_OBJECT,    /* the struct itself */
        SHAPE_ARRAY,     /* pointer and count */
};

struct shape_word {
        const char *name;
        uint32_t name_len;
        int number;
};

struct shape;

/* What a value has to be. One for all fields that want the same. */
struct shape_limit {
        const char *expected; /* for a fault; "" in the client library, which has nobody to tell */
        int64_t min, max;     /* of an int; bytes of a text; items of an array; max = bytes of a hex */
        uint32_t max_points;  /* code points of a text */
};

extern const struct shape_limit protocol_limits[];

/* One for each member of each struct: kept narrow, since every device carries them. */
struct shape_field {
        const char *name;
        union {
                const char *prefix;             /* SHAPE_ID */
                const struct shape *of;         /* SHAPE_OBJECT */
                const struct shape_field *item; /* SHAPE_ARRAY; its offset is 0 */
                const struct shape_word *words; /* SHAPE_ENUM */
        };
        uint16_t limit;                            /* which of protocol_limits */
        uint16_t offset, has_offset, count_offset; /* in the struct */
        uint16_t bytes;                            /* of an item in memory */
        uint8_t word_count, name_len, type;
        bool optional;
};

static inline const struct shape_limit *field_limit(const struct shape_field *field)
{
        return &protocol_limits[field->limit];
}

struct shape {
        const char *name;
        const struct shape_field *fields;
        const struct shape *include; /* its members stand flat on the wire, behind our own */
        uint64_t required;           /* bits of the fields that may not lack */
        uint16_t bytes, include_offset;
        uint8_t count; /* at most 64 */
};

/* Members that a kind of entry needs, and all that it may carry: bits of the shape's fields. */
struct shape_rule {
        uint64_t needs, may;
};

/* Decodes one object; at depth 0 nothing may stand behind it. 0, or a negative protocol error, reader->fault filled. */
int shape_read(struct reader *reader, const struct shape *shape, void *out);
void shape_write(struct writer *writer, const struct shape *shape, const void *value);

/* 0, or -PROTOCOL_ERR_BAD_REQUEST: a member lacks or has no place there. */
int shape_rule_check(const struct shape *shape, const struct shape_rule *rule, const void *value, struct fault *fault);

/* "other" when unknown. */
const char *shape_word_text(const struct shape_word *words, size_t count, int number);
