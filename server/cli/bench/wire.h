/* SPDX-License-Identifier: Apache-2.0 */
/* Wire: the bytes of the load generator. Frames to send are made once, masked, and patched; frames received are not
 * parsed but looked at where the members are known to stand, with a search when they stand elsewhere. Right for what
 * our own server sends in answer to our own texts, and for nothing else. Pure; one thread at a time.
 *
 * Every message of a run carries in the random bits of its cmid who sent it (lane) and the how-manieth it is (number),
 * so that an entry can be told from its cmid alone. The mask is four equal bytes: it costs the server what any mask
 * costs, and a patch need not know where it lands. */
#pragma once

#include "protocol/ids.h"
#include "protocol/span.h"

enum {
        WIRE_MASK = 0x5a,
        WIRE_HEAD_BYTES_MAX = 14,
        WIRE_LANES_MAX = 65536,
};

/* Request ids of messages are WIRE_ID_FIRST + number: always ten digits. Smaller ids are for all other requests. */
#define WIRE_ID_FIRST   UINT64_C(1000000000)
#define WIRE_NUMBER_MAX UINT64_C(8999999999)

struct wire_key {
        uint64_t made_ms; /* wall clock; the time in the cmid */
        uint64_t number;  /* 0..WIRE_NUMBER_MAX */
        uint16_t lane;
};

/* The frame of message.send, with or without `after`. */
struct wire_plan {
        char *frame; /* masked, header included */
        size_t len;
        size_t id_at, cmid_at, conv_at, after_at; /* after_at 0: it has none */
};

/* Fixes the bits that tell the cmids of this run from those of any other; call once before anything is sent. */
void wire_set_run(const uint8_t random[10]);

/* 0, or -1: out of memory. The text has `text_bytes` ASCII letters and spaces, 1..40000. */
int wire_plan_init(struct wire_plan *plan, size_t text_bytes, bool has_after);
void wire_plan_done(struct wire_plan *plan);

/* Writes plan->len bytes. `after` is read only when the plan has it. */
void wire_plan_put(const struct wire_plan *plan, char *out, const struct wire_key *key, const struct wire_key *after,
                   const char conv[ID_TEXT_BYTES]);

/* Writes a masked text frame, at most len + WIRE_HEAD_BYTES_MAX bytes; returns how many. */
size_t wire_frame(char *out, struct span json);

/* One unmasked frame at the start of `in`. Returns the bytes it takes; 0: it is not whole; -1: not a frame that a
 * server may send here (masked, fragmented, reserved bits). */
int64_t wire_split(struct span in, int *out_opcode, struct span *out_payload);

enum wire_kind { WIRE_RESULT, WIRE_ERROR, WIRE_ENTRY, WIRE_HEARTBEAT, WIRE_CLOSING, WIRE_OTHER };

struct wire_in {
        enum wire_kind kind;
        struct span text; /* the whole message */
        uint64_t id;      /* results and errors */
        int64_t seq;      /* entries and results of messages; 0 = none */
        bool is_ours;     /* an entry whose cmid was made by this run: lane and number hold */
        uint16_t lane;
        uint64_t number;
        struct span tag;        /* errors and session.closing */
        bool is_retry;          /* errors: class retry */
        int64_t retry_after_ms; /* errors; -1 = not said */
};

void wire_read(struct span text, struct wire_in *out_message);

/* Value of the first member of that name, at any depth, as a string without quotes; at NULL when there is none.
 * `member` is written with quotes and colon: "\"conv\":". */
struct span wire_string(struct span text, const char *member);
int64_t wire_int(struct span text, const char *member, int64_t otherwise);
