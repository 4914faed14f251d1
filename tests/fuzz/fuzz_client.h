/* SPDX-License-Identifier: Apache-2.0 */
/* A play of fuzz_client.c: the session machine, and what the application knows of it. What it asks for, and how it is
 * answered, is in fuzz_client_asks.c. */
#pragma once

#include "client-sdk/src/handover.h"
#include "client-sdk/src/machine.h"
#include "fuzz.h"

enum { ASKED_MAX = 128, SENT_MAX = 128 };

struct asked {
        struct request_id id;
        enum protocol_method method;
};

struct sent {
        char cmid[33];
        enum deskbell_message_state state;
        bool has_outcome;
        bool is_answered_here; /* told and not taken back */
};

struct play {
        struct machine_settings settings;
        struct machine *machine;
        deskbell_conversation *conv;
        const char *path; /* NULL = in memory */
        int64_t mono_ms, wall_ms;
        uint64_t dice;
        bool is_open; /* a link */
        struct asked asked[ASKED_MAX];
        size_t asked_count;
        struct sent sent[SENT_MAX];
        size_t sent_count;
        char epoch[17];
        int64_t last[2];
        int histories, searches, calls, acts; /* answers that are owed */
        uint64_t turn_conv;                   /* of the turn told last; 0 = none */
};

void promise(bool kept, const char *what); /* aborts when it is not */
void begin(struct play *play);             /* a turn of the machine */
void end(struct play *play);
struct sent *sent_of(struct play *play, const char *cmid); /* NULL: nothing of ours */

/* ---- what the application asks for ---- */
void asks_start(struct play *play); /* a new machine: nothing is owed */
void asks_step(struct play *play, char what, struct span text, int64_t number);
void asks_event(struct play *play, const struct event *event);
void asks_answer_here(struct play *play); /* the application's table of answers, when it is asked */
void asks_end(struct play *play);         /* before the machine is freed: whoever asked is answered */
