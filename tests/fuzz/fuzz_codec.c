/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target of the codec. The first byte chooses: 'S' and 'T' a frame (strict, tolerant), 'J' any JSON compared with
 * another reader, anything else a struct by number. Promises: no crash; what is read can be written and read again as
 * the same bytes; a refusal has a fault with a terminated path and a code of the table; the other reader agrees. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"
#include "protocol/frame.h"
#include "protocol_shapes.h"

static void promise(bool kept, const char *what)
{
        if (!kept) {
                fprintf(stderr, "broken: %s\n", what);
                abort();
        }
}

static void check_fault(int rc, const struct fault *fault)
{
        if (rc == 0)
                return;
        promise(rc < 0 && -rc < PROTOCOL_ERRORS, "a code of the table");
        promise(fault->code == -rc, "the fault has the code");
        promise(memchr(fault->field, '\0', sizeof(fault->field)) != NULL, "the path ends");
        promise(memchr(fault->expected, '\0', sizeof(fault->expected)) != NULL, "the expectation ends");
        promise(fault->expected[0] != '\0', "there is an expectation");
}

/* Reads `text` (which it spoils) as that shape and writes what came out. */
static int read_and_write(const struct shape *shape, char *text, size_t len, enum reader_mode mode, struct writer *out)
{
        struct fault fault = {0};
        struct arena arena;
        struct reader reader;
        void *value;
        int rc;

        arena_init(&arena, NULL, 0);
        value = arena_take(&arena, shape->bytes);
        promise(value != NULL, "memory");
        reader_init(&reader, text, len, mode, &arena, &fault);
        rc = shape_read(&reader, shape, value);
        check_fault(rc, &fault);
        if (rc == 0)
                shape_write(out, shape, value);
        arena_done(&arena);
        return rc;
}

static void fuzz_shape(const struct shape *shape, char *text, size_t len, enum reader_mode mode)
{
        struct writer first, second;

        writer_init(&first, NULL, 0);
        writer_init(&second, NULL, 0);
        if (read_and_write(shape, text, len, mode, &first) == 0) {
                char *copy = malloc(first.len);

                promise(copy != NULL, "memory");
                memcpy(copy, first.bytes, first.len);
                promise(read_and_write(shape, copy, first.len, READER_TOLERANT, &second) == 0,
                        "what is written can be read");
                promise(first.len == second.len && memcmp(first.bytes, second.bytes, first.len) == 0,
                        "the same bytes again");
                free(copy);
        }
        writer_done(&second);
        writer_done(&first);
}

static const struct shape *shape_of_method(struct span name)
{
        int method = protocol_method_find(name);

        for (size_t i = 0; method >= 0 && i < protocol_shape_count; i++) {
                struct span wanted = span_of(protocol_methods[method].name), got = span_of(protocol_shapes[i]->name);
                char flat[64];

                memcpy(flat, wanted.at, wanted.len);
                for (size_t at = 0; at < wanted.len; at++)
                        flat[at] = flat[at] == '.' ? '_' : flat[at];
                if (span_equal((struct span){flat, wanted.len}, got))
                        return protocol_shapes[i];
        }
        return NULL;
}

static void fuzz_frame(char *text, size_t len, enum reader_mode mode)
{
        struct fault fault = {0};
        struct arena arena;
        struct frame frame;
        int rc;

        arena_init(&arena, NULL, 0);
        rc = frame_read(text, len, mode, &arena, &frame, &fault);
        check_fault(rc, &fault);
        promise(frame.id.len < REQUEST_ID_BYTES, "an id within its bounds");
        if (rc == 0 && (frame.kind == FRAME_REQUEST || frame.kind == FRAME_NOTIFICATION)) {
                const struct shape *shape = shape_of_method(frame.name);

                promise((frame.kind == FRAME_REQUEST) == (frame.id.len > 0), "a request has an id");
                if (shape)
                        fuzz_shape(shape, (char *)frame.body.at, frame.body.len, mode);
        }
        if (rc < 0) { /* the refusal is a frame of its own */
                struct writer writer;

                writer_init(&writer, NULL, 0);
                frame_error(&writer, &frame.id, (enum protocol_error) - rc, -1, &fault);
                promise(!writer.failed, "memory");
                promise(frame_read(writer.bytes, writer.len, READER_TOLERANT, &arena, &frame, NULL) == 0,
                        "a refusal can be read");
                writer_done(&writer);
        }
        arena_done(&arena);
}

static bool is_own_limit(const struct fault *fault)
{
        return strcmp(fault->expected, "less nesting") == 0 ||
               strcmp(fault->expected, "fewer members in one object") == 0 ||
               strcmp(fault->expected, "a shorter number") == 0;
}

static void fuzz_json(char *text, size_t len)
{
        struct fault fault = {0};
        struct reader reader;
        struct arena arena;
        json_error_t error;
        json_t *json;
        int rc;

        if (memchr(text, '\0', len))
                return; /* the other one passes over some of them */
        json = json_loadb(text, len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &error);
        arena_init(&arena, NULL, 0);
        reader_init(&reader, text, len, READER_STRICT, &arena, &fault);
        rc = reader_skip(&reader);
        if (rc == 0)
                rc = reader_end(&reader);
        check_fault(rc, &fault);
        if (rc == 0 && !json)
                promise(json_error_code(&error) == json_error_numeric_overflow, "the other reader accepts too");
        if (rc < 0 && json)
                promise(is_own_limit(&fault), "the other reader refuses too");
        arena_done(&arena);
        json_decref(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        char *text;
        size_t len;

        if (size < 1)
                return 0;
        len = size - 1;
        text = malloc(len ? len : 1);
        promise(text != NULL, "memory");
        memcpy(text, data + 1, len);
        if (data[0] == 'S' || data[0] == 'T')
                fuzz_frame(text, len, data[0] == 'S' ? READER_STRICT : READER_TOLERANT);
        else if (data[0] == 'J')
                fuzz_json(text, len);
        else
                fuzz_shape(protocol_shapes[data[0] % protocol_shape_count], text, len,
                           data[0] & 0x80 ? READER_TOLERANT : READER_STRICT);
        free(text);
        return 0;
}
