/* SPDX-License-Identifier: Apache-2.0 */
/* Frame: the JSON-RPC 2.0 envelope, both ways. Pure; the buffer is mutable because strings are unescaped in place. */
#pragma once

#include "protocol/reader.h"
#include "protocol/writer.h"
#include "protocol_generated.h"

enum { REQUEST_ID_BYTES = 36 };

/* A request's id as it has to be echoed: the raw JSON (number, or string with its quotes). len 0 = notification. */
struct request_id {
        uint8_t len;
        char raw[REQUEST_ID_BYTES - 1];
};

enum frame_kind { FRAME_REQUEST, FRAME_NOTIFICATION, FRAME_RESULT, FRAME_ERROR };

struct frame {
        enum frame_kind kind;
        struct request_id id;
        struct span name; /* method or event name as it came; requests and notifications */
        struct span body; /* raw JSON of params or result; mutable bytes of the frame; "{}" when params were absent */
        struct protocol_error_body error; /* FRAME_ERROR */
};

/* The error member of a response as a client sees it. Declared in protocol_generated.h:
 * struct protocol_error_body { int code; struct span tag; struct span message; bool permanent;
 *                              int64_t retry_after_ms (-1 absent); struct span field, expected; }; */

/* Splits one message into its envelope; the body is checked as JSON (depth, members, UTF-8) but not decoded. Unknown
 * members of the envelope: refused in strict mode. 0, or a negative protocol error with `fault` filled; where the id
 * could be read, out_frame->id holds it so that the refusal can name it. Arrays (batches) are refused. */
int frame_read(char *bytes, size_t len, enum reader_mode mode, struct arena *arena, struct frame *out_frame,
               struct fault *fault);

/* {"jsonrpc":"2.0","id":..,"result": ... the caller writes the result object, then frame_end. */
void frame_result_begin(struct writer *writer, const struct request_id *id);
/* {"jsonrpc":"2.0","id":..,"method":"name","params": ... then frame_end. id NULL or len 0 = notification. */
void frame_call_begin(struct writer *writer, const struct request_id *id, struct span name);
void frame_end(struct writer *writer);

/* A whole error response. `retry_after_ms` < 0: left out. `fault` may be NULL; its field and expected are told. An id
 * of length 0 is written as null. */
void frame_error(struct writer *writer, const struct request_id *id, enum protocol_error error, int64_t retry_after_ms,
                 const struct fault *fault);
