/* SPDX-License-Identifier: Apache-2.0 */
/* A desk without threads on a folder of its own, with a mailbox in place of the network: each step runs when the test
 * says so, and what leaves is there to be looked at. The store is reached through the driver that can be told to fail.
 */
#pragma once

#include <jansson.h>

#include "desk/desk_private.h"
#include "store/db_fault.h"
#include "store/db_private.h"
#include "unit/ops/cmocka_all.h"

enum { ROOM_EVENTS = 4096 };

/* What the desk told a network thread, but for answers. */
struct room_note {
        enum note_kind kind;
        struct edge_ref to;
        int64_t conv, customer, rev;
        int close_code;
        json_t *json; /* of a frame: its params; of a feed row: the row; of presence: {"seen": ms} */
        char method[32];
};

struct room {
        char dir[64], path[96];
        struct desk *desk;
        struct mailbox notes;
        struct room_note told[ROOM_EVENTS];
        size_t told_count;
        json_t *answers; /* by id */
        unsigned next_id, next_slot, next_cmid;
        char app[32]; /* outside id of the first app */
        int64_t app_row;
        struct span behind; /* method of the operator's call behind the next login; at NULL = none */
        char *behind_params;
        size_t behind_len;
        struct db *view; /* what is on disk, read by a connection of its own */
};

/* A connection that has opened its session. */
struct client {
        struct edge_ref ref;
        struct caller caller;
        char id[32]; /* its principal as the wire says it */
};

int room_set_up(void **state);
int room_tear_down(void **state);
void room_open(struct room *room); /* the desk on the folder as it stands */
void room_close(struct room *room);

/* The operator: params as JSON text. Result or error object, owned by the caller. */
json_t *room_operate(struct room *room, const char *method, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

/* Opens a session; the test fails when it is refused. `device` names one of the person's devices. */
struct client room_customer(struct room *room, const char *subject, int device);
struct client room_agent(struct room *room, const char *name, int device);
/* The same with everything said; *out_answer is the whole response. False: refused. */
bool room_enter(struct room *room, const struct opening *opening, int device, const char *more,
                struct client *out_client, json_t **out_answer);
void room_leave(struct room *room, const struct client *client);
/* A call of the operator that the next room_enter puts right behind the login, into the same batch. */
void room_next_batch(struct room *room, struct span method, char *params, size_t len);
void room_ignore(void *data, struct span response); /* for desk_post_operator */
struct opening room_user(const struct room *room, const char *subject);
struct opening room_staff_with(const char *token);

/* Queues a request; its id. Or answers at once with what decoding says. */
unsigned room_queue(struct room *room, const struct client *client, const char *method, const char *format, ...)
        __attribute__((format(printf, 4, 5)));
void room_turn(struct room *room);                   /* runs what is queued, takes what was told */
json_t *room_answer(struct room *room, unsigned id); /* the whole response; NULL: none. Owned by the caller */
/* All of it: the whole response, owned by the caller; NULL when there was none. */
json_t *room_ask(struct room *room, const struct client *client, const char *method, const char *format, ...)
        __attribute__((format(printf, 4, 5)));
void room_notify(struct room *room, const struct client *client, const char *method, const char *format, ...)
        __attribute__((format(printf, 4, 5)));
/* The same for a method of the readers, which have to be started: waits for the answer. */
json_t *room_read(struct room *room, const struct client *client, const char *method, const char *format, ...)
        __attribute__((format(printf, 4, 5)));

void room_flush(struct room *room);  /* what waits for its second is written now */
void room_forget(struct room *room); /* the notes so far */
const struct room_note *room_told(const struct room *room, enum note_kind kind, const char *method, size_t nth);
size_t room_count(const struct room *room, enum note_kind kind, const char *method);

/* Usual steps. The cmid is the next one when `cmid` is NULL. */
const char *room_cmid(struct room *room); /* a new one; lent until the eighth call after */
char *room_conversation(struct room *room, const struct client *client, const char *key); /* id; free it */
json_t *room_send(struct room *room, const struct client *client, const char *conv, const char *cmid, const char *text);
json_t *room_note(struct room *room, const struct client *client, const char *conv, const char *text);

/* What an answer says. Each consumes the response. */
json_int_t take_seq(json_t *answer); /* of a result; the test fails on an error */
void take_error(json_t *answer, const char *tag);
void take_result(json_t *answer);
json_int_t number(const json_t *object, const char *path); /* "result.row.head"; -1: not there */
const char *words(const json_t *object, const char *path); /* NULL: not there */

int64_t room_sql(struct room *room, const char *sql); /* first column of the first row on disk; -1 none */
/* Memory equals disk, heads equal the logs, counts equal a recount, and a deep check of the store finds nothing. */
void room_check(struct room *room);
struct conversation *room_cached(struct room *room, const char *conv);
