/* SPDX-License-Identifier: Apache-2.0 */
/* Reader: strict JSON from a mutable buffer, no tree. Strings are unescaped in place and handed out as spans into the
 * buffer, which has to outlive them. Bounded depth, members and number size; duplicate members of one object, lone
 * surrogates, NUL, bad UTF-8 and anything behind the value are refused. One thread at a time. */
#pragma once

#include "protocol/arena.h"
#include "protocol/ids.h"
#include "protocol/span.h"

enum reader_mode {
        READER_STRICT,   /* params from outside at the server: an unknown member is refused */
        READER_TOLERANT, /* results, events, and what comes back from a store: unknown members and enum values pass */
};

enum { FAULT_PATH_BYTES = 96, FAULT_EXPECTED_BYTES = 96 };

/* Why something was refused: for the `field` and `expected` members of an error. Terminated texts. */
struct fault {
        int code;                            /* enum protocol_error of the error table; 0 = none */
        char field[FAULT_PATH_BYTES];        /* path such as choices[2].label; "" = the whole */
        char expected[FAULT_EXPECTED_BYTES]; /* what would have been right */
};

/* Clears it: a fault may be reused, but must be zero before the first use. */
void fault_clear(struct fault *fault);
/* Fills `fault` unless it is filled already (NULL is welcome); returns -code. Texts are cut to fit. */
int fault_set(struct fault *fault, int code, const char *field, const char *expected);
/* Puts a member's name or an item's number in front of the path, when there is room. */
void fault_at_member(struct fault *fault, const char *name, size_t len);
void fault_at_item(struct fault *fault, size_t index);

struct reader {
        char *at, *end;
        char *start;
        struct arena *arena; /* arrays of the decoded struct */
        enum reader_mode mode;
        int depth;           /* open objects and arrays */
        struct fault *fault; /* first failure is kept */
};

/* `arena` and `fault` outlive the reader; `fault` is cleared. Bytes behind `len` are never touched. `arena` may be NULL
 * when only numbers and texts are read: whoever passes or walks an object gives one, for names with escapes. */
void reader_init(struct reader *reader, char *bytes, size_t len, enum reader_mode mode, struct arena *arena,
                 struct fault *fault);

/* The primitives below are what decoders are made of. Each returns 0 (or what it says) or a negative protocol error
 * with the fault filled: PARSE when the bytes are no JSON, BAD_REQUEST when they are but are not `expected`. */

int reader_fail(struct reader *reader, int code, const char *expected);
/* The value that stands here is of the wrong type: BAD_REQUEST, or PARSE when it is no JSON value at all. */
int reader_mismatch(struct reader *reader, const char *expected);
/* Only white space is left. */
int reader_end(struct reader *reader);
/* Checks one value of any type and passes over it; nothing is changed in the buffer. */
int reader_skip(struct reader *reader);

/* Opens an object; then reader_member until it returns 0 (closed). 1: out_name is set and its value comes next. */
int reader_object(struct reader *reader, const char *expected);
int reader_member(struct reader *reader, bool first, struct span *out_name);
/* The same for an array. */
int reader_array(struct reader *reader, const char *expected);
int reader_item(struct reader *reader, bool first);

/* A string, unescaped in place, with what a caller wants to know of it. */
struct reader_text {
        struct span span;
        size_t points;    /* code points */
        bool has_breaks;  /* tab or newline */
        bool has_control; /* another C0 control */
        bool has_c1;      /* U+0080 to U+009F */
};
int reader_text(struct reader *reader, const char *expected, struct reader_text *out);
/* A whole number within int64, no fraction, no exponent. */
int reader_int(struct reader *reader, const char *expected, int64_t *out);
int reader_bool(struct reader *reader, const char *expected, bool *out);

/* Checks an object whole (as reader_skip does) and shows each member: its name and the raw bytes of its value. `visit`
 * returns 0 or a negative protocol error, which ends the walk. */
typedef int reader_visit(void *data, struct span name, struct span raw);
int reader_walk(struct reader *reader, reader_visit *visit, void *data);
