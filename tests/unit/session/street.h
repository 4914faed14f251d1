/* SPDX-License-Identifier: Apache-2.0 */
/* A network thread's sessions with an edge made of memory and a real desk that runs when the test says so: connections
 * say something, and what they were told is there to be looked at. */
#pragma once

#include <jansson.h>

#include "desk/desk_private.h"
#include "session/net_private.h"
#include "unit/ops/cmocka_all.h"

enum { STREET_CONNS = 128, STREET_TOLD = 1024 };

struct edge_conn {
        uint32_t slot, generation;
        void *user;
        json_t *told[STREET_TOLD]; /* messages, oldest first */
        size_t told_count;
        char closed_tag[32];
        int closed;  /* close code; 0 = open */
        int refused; /* HTTP status; 0 = not */
        bool is_paused, is_slow, is_trusted;
        size_t pending, max_message;
        uint32_t deadline_ms;
        uint64_t heard_ms;
};

struct street {
        char dir[64];
        struct desk *desk;
        struct net *net;
        struct edge_conn conns[STREET_CONNS];
        size_t conn_count;
        char app[32], kid[8];
        unsigned next_id, next_cmid;
};

int street_set_up(void **state);
int street_tear_down(void **state);

struct edge_conn *street_connect(struct street *street); /* its `user` is NULL when it was refused */
void street_say(struct street *street, struct edge_conn *conn, const char *format, ...)
        __attribute__((format(printf, 3, 4)));
void street_hang_up(struct street *street, struct edge_conn *conn);
void street_settle(struct street *street); /* the desk and the readers answer all there is, and sessions hear of it */
void street_second(struct street *street, uint64_t later_ms);       /* what happens once a second, at now + later_ms */
void street_drained(struct street *street, struct edge_conn *conn); /* what it was owed has left */
void street_deadline(struct edge_conn *conn);

/* A request of the next id; the response, borrowed. NULL: no answer. */
const json_t *street_ask(struct street *street, struct edge_conn *conn, const char *method, const char *format, ...)
        __attribute__((format(printf, 4, 5)));
const json_t *street_answer(const struct edge_conn *conn, unsigned id);
const char *street_tag(const json_t *answer);                         /* of an error; "" = a result, "no answer" */
size_t street_count(const struct edge_conn *conn, const char *event); /* how often it was told that */
const json_t *street_event(const struct edge_conn *conn, const char *event, size_t nth); /* params; NULL */
json_int_t street_number(const json_t *object, const char *path);
const char *street_words(const json_t *object, const char *path);

char *street_token(struct street *street, const char *subject, int64_t lifetime_s); /* free it */
struct edge_conn *street_customer(struct street *street, const char *subject, int device);
struct edge_conn *street_agent(struct street *street, const char *name, int device);
char *street_conversation(struct street *street, struct edge_conn *conn, const char *key); /* free it */
const char *street_cmid(struct street *street); /* lent until the fourth call after */
json_t *street_operate(struct street *street, const char *method, const char *format, ...)
        __attribute__((format(printf, 3, 4)));
