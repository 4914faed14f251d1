/* SPDX-License-Identifier: Apache-2.0 */
/* Hot: the few outputs that leave for every message, written straight into bytes. Same JSON as the generated encoders
 * (a test compares them). Pure. */
#pragma once

#include "protocol/frame.h"
#include "protocol/ids.h"
#include "protocol/writer.h"

struct entry_head {
        uint64_t conv; /* outside id */
        bool team;     /* number is an iseq, at_seq holds */
        int64_t number, at_seq, ts;
        struct principal_id author;
        struct span name;        /* display name of an agent or bot; at NULL = none */
        const struct cmid *cmid; /* NULL = none */
        int kind;                /* enum protocol_entry_kind */
        int64_t version;         /* above 1: written as `edited` */
        struct span content;     /* stored content: a JSON object, spliced in flat */
};

void hot_entry_write(struct writer *writer, const struct entry_head *entry); /* the entry object alone */
void hot_entry_event(struct writer *writer, const struct entry_head *entry); /* the whole notification */
void hot_send_result(struct writer *writer, const struct request_id *id, uint64_t conv_or_0, bool team, int64_t number,
                     int64_t at_seq, int64_t ts, bool dup);
void hot_heartbeat(struct writer *writer, int64_t rev, int64_t now_ms);

/* The stored form of a content (a JSON object, canonical order) and its hash: the first 16 bytes of SHA-256 over the
 * kind's number (one byte) and that form. */
struct protocol_content;
void content_store(struct writer *writer, const struct protocol_content *content);
void content_hash(int kind, struct span stored, uint8_t out_hash[16]);
