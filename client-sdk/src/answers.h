/* SPDX-License-Identifier: Apache-2.0 */
/* Answers without a connection: the app's version of the bot, fetched piece by piece and kept in the cache, and the
 * answers that this device found with it. The machine says what is to be asked; asking is a call into the application's
 * table (struct deskbell_answers), which is made by the client's thread between two turns, with no lock held: an
 * answers_task goes out of the machine whole and comes back whole.
 *
 * What was found never leaves this device. It stands in the file until an answer of the server stands behind the
 * question. Part of machine_private.h; pure. */
#pragma once

#include <stdbool.h>

#include "protocol/ids.h"
#include "protocol/span.h"

struct machine;

enum {
        ANSWERS_VERSION = 32,       /* bytes of a version's name */
        ANSWERS_TABLE = 33,         /* of a table's name, with its zero */
        ANSWERS_RULE = 128,         /* and of a rule, with its zero */
        ANSWERS_PIECE = 48 * 1024,  /* bytes at most */
        ANSWERS_PIECE_LEAST = 4096, /* but for the last one */
        ANSWERS_SETBACKS = 3,       /* times a session begins the pieces anew */
        ANSWERS_KEPT = 32,          /* found ones in the file; the oldest goes */
        ANSWERS_WAITING = 8,        /* questions that wait to be asked; the oldest goes */
        ANSWERS_AFTER_MS = 2000,    /* without a session, until a question is asked here */
        ANSWERS_PEOPLE_DAYS = 3,    /* after an agent's word nothing is answered here */
};

/* One call into the table: first everything in `old` is freed; then `question`, when it is not NULL, is looked up in
 * `loaded`, which is made of `bytes` when it is NULL. */
struct answers_task {
        void *old; /* NULL = nothing */
        void *loaded;
        uint8_t version[ANSWERS_VERSION];
        char *bytes;
        size_t len;
        char *question;
        struct cmid cmid; /* of the question */

        char *text; /* what was found, malloc'd; NULL = nothing */
        char rule[ANSWERS_RULE];
        bool is_unusable; /* `bytes` are no version that the table understands */
};

/* A question that was sent without a session. */
struct waiting_question {
        struct waiting_question *next;
        struct cmid cmid;
        int64_t due_ms;
        char text[];
};

/* What was found, as it stands in the file: the rule and the text follow, each with a zero. Numbers are as this kind of
 * machine writes them; what another kind left behind names no conversation and goes. */
struct device_answer {
        struct cmid cmid;
        uint8_t version[ANSWERS_VERSION];
        int64_t conv; /* row in the file */
        int64_t ts_ms;
        char texts[];
};

/* A version in the file: in pieces, numbered from 0. Size 0 = there is none. */
struct fetched_version {
        uint8_t name[ANSWERS_VERSION];
        int64_t size, offset, pieces; /* offset: bytes that are there */
};

/* One value in the file, likewise: what makes no sense is as if it were not there, and is fetched again. */
struct answers_record {
        struct fetched_version whole, begun;
        uint8_t bad[ANSWERS_VERSION]; /* the table could not use it */
        int64_t bad_count;            /* so many times; 0 = none */
        int64_t asked_ms;             /* wall; 0 = never */
        char table[ANSWERS_TABLE];    /* whose judgement that is */
};

struct answers {
        struct answers_record at;
        bool is_asked, is_settled; /* of this session */
        int setbacks, failures;
        int64_t hold_until_ms;

        struct waiting_question *waiting;
        struct device_answer *kept[ANSWERS_KEPT];
        void *loaded; /* the application's; of `whole` */
        struct answers_task *task;
        bool is_out; /* a task is being worked on */
};

/* ---- for the client's thread; outside a turn, but for done ---- */
struct answers_task *machine_answers_take(struct machine *machine); /* answers_task_free it; NULL = none */
/* Takes the task, as its user left it, within a turn. */
void machine_answers_done(struct machine *machine, struct answers_task *task);
void *machine_answers_unload(struct machine *machine); /* at the end: what is still to be freed; NULL = nothing */
struct answers_task *answers_task_free(struct answers_task *task); /* not `old` and `loaded`; always returns NULL */

/* As hex digits. */
void answers_name(char out[2 * ANSWERS_VERSION + 1], const uint8_t version[ANSWERS_VERSION]);
