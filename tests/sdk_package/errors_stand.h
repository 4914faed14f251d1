/* SPDX-License-Identifier: Apache-2.0 */
/* Stand: a client in a fresh folder, with a server of a few lines behind a transport of the test's own, an allocator
 * that can be told to fail and a disk that can be told to be full. Callbacks run in stand_await, on the test's thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "deskbell/deskbell.h"

enum stand_kind { CUSTOMER, STAFF, VISITOR };

struct stand {
        struct deskbell_options options;
        struct deskbell_transport transport;
        char folder[64];
        deskbell_client *client;
        deskbell_conversation *conversation; /* NULL = none opened */
        int sent, failed, uploading, online,
                refused_in_callback; /* told by callbacks; the last: what a call there gave */
        int (*in_callback)(struct stand *stand);
        int64_t seq;   /* of the server */
        char cmid[33]; /* of the last message told */
};

/* Opened, not connected; customers have the conversation "main". */
void stand_begin(struct stand *stand, enum stand_kind kind);
void stand_prepare(struct stand *stand, enum stand_kind kind); /* the options only; the test opens */
void stand_end(struct stand *stand);
void stand_connect(struct stand *stand);                            /* until everything is caught up */
void stand_await(struct stand *stand, const int *count);            /* until it is not 0 */
void stand_send(struct stand *stand, const char *text, int *count); /* until *count tells what became of it */
void stand_upload(struct stand *stand);                             /* a message with files that is UPLOADING */
void stand_fill(struct stand *stand);                               /* the outbox, to its limit */

/* The first allocation number `at` of this thread from now on fails; 0 = none. */
void stand_fail_allocation(long at);
/* What `call` gives when each of its allocations fails in turn: NOMEM as soon as one of them makes it so. */
int stand_without_memory(struct stand *stand, int (*call)(struct stand *stand));
/* What `call` gives while nothing can be written. */
int stand_on_full_disk(struct stand *stand, int (*call)(struct stand *stand));

extern char stand_long_text[40100]; /* too long a text */

#define UNKNOWN "018bcfe568007000800000000000abcd" /* a cmid of nothing */

/* A call as a function of the stand. */
#define CALL(name, ...)                                                                                                \
        static int name(struct stand *stand)                                                                           \
        {                                                                                                              \
                return __VA_ARGS__;                                                                                    \
        }

enum how { CALLED, WITHOUT_MEMORY, ON_FULL_DISK };

/* `call`, after `before`, gives the code of this name. Tables end with a row of zeros. */
struct row {
        const char *function, *code;
        int error;
        void (*before)(struct stand *stand);
        int (*call)(struct stand *stand);
        enum how how;
};

#define ROW(function, code, before, call, how)                                                                         \
        {                                                                                                              \
                "deskbell_" #function, #code, DESKBELL_E_##code, before, call, how                                     \
        }

extern const struct row errors_bot[], errors_desk[], errors_invalid[], errors_files[], errors_surveys[];
