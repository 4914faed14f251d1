/* SPDX-License-Identifier: Apache-2.0 */
/* Writer: appends JSON to a growing buffer; raw UTF-8, escapes only what JSON demands. Never fails half-way: after an
 * allocation failure `failed` is set and everything further is ignored. One thread at a time. */
#pragma once

#include "protocol/ids.h"
#include "protocol/span.h"

struct writer {
        char *bytes;
        size_t len, room;
        bool owned;  /* bytes came from malloc; writer_done frees them */
        bool failed; /* out of memory */
};

/* `first` is lent (may be NULL, 0); the writer moves to memory of its own when it is full. */
void writer_init(struct writer *writer, char *first, size_t first_bytes);
void writer_done(struct writer *writer);

/* Room for `bytes` more; false: out of memory, `failed` is set. */
bool writer_reserve(struct writer *writer, size_t bytes);

void writer_raw(struct writer *writer, struct span bytes);
void writer_char(struct writer *writer, char c);
void writer_string(struct writer *writer, struct span text); /* quoted and escaped */
void writer_int(struct writer *writer, int64_t value);
void writer_bool(struct writer *writer, bool value);
void writer_id(struct writer *writer, const char *prefix, uint64_t id);     /* quoted */
void writer_principal(struct writer *writer, struct principal_id who);      /* quoted */
void writer_cmid(struct writer *writer, const struct cmid *cmid);           /* quoted */
void writer_hex(struct writer *writer, const uint8_t *bytes, size_t count); /* quoted */
