/* SPDX-License-Identifier: Apache-2.0 */
/* Webhooks: who subscribes to what, kept in memory beside its table so that a message which nobody subscribes to costs
 * nothing; and the rows of what is on its way, written in the transaction that accepts the event. The outbound thread
 * reads the rows through a connection of its own and reports what came of each try; the desk writes that down. */
#pragma once

#include "protocol/ids.h"
#include "store/db.h"

struct desk;
struct conversation;
struct entry_row;

enum webhook_event { /* bits; they are stored: never change one */
                     WEBHOOK_MESSAGE_CREATED = 1,
                     WEBHOOK_CONVERSATION_CHANGED = 2,
                     WEBHOOK_PUSH_WANTED = 4,
};

enum outbound_kind { OUTBOUND_WEBHOOK = 1 };
enum outbound_state { OUTBOUND_WAITING = 0, OUTBOUND_DELIVERED = 1, OUTBOUND_DEAD = 2 };
enum webhook_state { WEBHOOK_ACTIVE = 0, WEBHOOK_SUSPENDED = 1 };

struct webhook_target {
        int64_t id, app, bot; /* row ids; app 0 = of all apps; bot 0 = none */
        uint64_t ext;
        unsigned events;
        enum webhook_state state;
        int64_t failures;                          /* in a row */
        int64_t failing_since_ms, paused_until_ms; /* wall; 0 = not */
};

struct webhooks {
        struct webhook_target *targets;
        size_t count;
        unsigned wanted;       /* events of all active targets */
        bool is_changed;       /* in the running batch: something for the outbound thread, or the table itself */
        uint64_t sweep_due_ms; /* monotonic */
        void (*kick)(void *data);
        void *kick_data;
};

/* ---- the desk's thread ---- */

int webhooks_load(struct desk *desk); /* 0 or a negative db_error */
void webhooks_done(struct desk *desk);
void webhooks_committed(struct desk *desk);
void webhooks_rolled_back(struct desk *desk);
int webhooks_sweep(struct desk *desk); /* in a transaction, about once an hour; DB_OK or a db_error */

/* What happened, in the transaction in which it happens. 0, or a negative protocol error after desk_db_failed. */
int outbound_note_message(struct desk *desk, const struct conversation *conversation, const struct entry_row *entry);
/* `what` is one word: "opened", "edited", "erased", ...; seq: the message it is about, 0 = none. */
int outbound_note_changed(struct desk *desk, const struct conversation *conversation, const char *what, int64_t seq);
int outbound_note_test(struct desk *desk, const struct webhook_target *target, uint64_t *out_event);
/* A message was erased, or (seq 0) all of a conversation: what waits about it will only say so. */
int outbound_forget(struct desk *desk, const struct conversation *conversation, int64_t seq);

/* Job: five seconds after a message to the customer. Subject: outside id of the conversation; body: the seq. */
int push_wanted_run(struct desk *desk, int64_t subject, struct span body);

/* ---- the outbound thread ---- */

enum { OUTBOUND_ANSWER_BYTES = 256 };

/* What came of one try. */
struct outbound_result {
        int64_t id, target;                     /* row ids of the event and of the webhook */
        int64_t tries;                          /* with this one */
        enum outbound_state state;              /* WAITING: it failed and is due again */
        int64_t due_ms;                         /* wall; of WAITING */
        int status;                             /* HTTP; 0 = no answer */
        char answer[OUTBOUND_ANSWER_BYTES + 1]; /* printable ASCII */
};

struct desk_command;
int outbound_settle(struct desk *desk, const struct outbound_result *results, size_t count); /* the desk's thread */

/* Hands results to the desk, which writes them once however often they are said. 0 or a negative protocol error. */
int desk_post_outbound(struct desk *desk, const struct outbound_result *results, size_t count);
/* `kick` is called on the desk's thread after a commit that changed something for the outbound thread. Before
 * desk_start. */
void desk_on_outbound(struct desk *desk, void (*kick)(void *data), void *data);
