/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the bot thread share. Bot thread only. */
#pragma once

#include <jansson.h>

#include "bots/step.h"
#include "desk/bot_thread.h"
#include "desk/desk_private.h"
#include "desk/side_thread.h"

/* bot.act wants one; a turn that the server makes itself is known by its number. */
#define NO_CMID "00000000000000000000000000000001"

/* A question on its way: the bot is a copy. */
struct bot_task {
        struct mailbox_item item; /* first */
        struct bot bot;
        struct bot_question ask;
        char *result; /* of the call that it waited for, JSON; NULL = none came */
        bool is_call; /* a call has ended: `result` */
};

/* What is asked, as the store says it. Owned. */
struct bot_asked {
        int64_t seq;     /* the message; of a call: the one answered last */
        int64_t version; /* of the turn before; 0 = none */
        bool is_in_flow;
        char *state;  /* NULL = none */
        json_t *call; /* the call it waits for: a bot_action; NULL = none */
        struct arena arena;
        int kind;                        /* of the message */
        struct protocol_content content; /* of the message */
        bool has_content;
        uint64_t customer_ext;
        char *external_id, *locale, *name; /* NULL = not known */
        json_t *facts;                     /* of the team (bot_hours.h), and what the app told of the customer */
};

struct loaded_version;

struct bot_thread {
        struct side_thread side;
        struct bot_poster *poster;       /* NULL until somebody has to be asked */
        struct loaded_version *versions; /* newest use first */
        size_t version_count;
        uint64_t blobs; /* desk->bot_blobs when they were loaded */
};

/* bot_read.c; any thread with a connection of its own. 1: asked; 0: there is nothing to ask any more; negative: a
 * db_error, or DB_NOMEM. */
int bot_read(struct db *db, const struct bot_task *task, struct bot_asked *out);
void bot_asked_done(struct bot_asked *asked);

/* bot_built_in.c: one turn of the engine. */
void built_in_run(struct bot_thread *thread, const struct bot_task *task, struct bot_asked *asked);
bool built_in_is_ready(struct bot_thread *thread, const struct bot_task *task, const struct bot_asked *asked);
void built_in_done(struct bot_thread *thread);

/* bot_asked.c: what a bot of others is told. Lent by `task` and `asked`, whose arena is used; any thread. 1, 0: the
 * conversation is gone, or a negative db_error. */
int bot_asked_fill(struct db *db, const struct bot_task *task, struct bot_asked *asked, struct protocol_bot_asked *out);

/* bot_outside.c: the turn of a bot that is a webhook or a program; the call of a built-in one. */
void bot_outside_ask(struct bot_thread *thread, const struct bot_task *task, struct bot_asked *asked);
/* False: it cannot be made. */
bool bot_outside_call(struct bot_thread *thread, const struct bot_task *task, struct bot_asked *asked);
void bot_outside_stop(struct bot_thread *thread); /* after the thread has ended */

/* bot_thread.c: back to the desk; the bot thread or its poster's. `act`: params of bot.act. `why` is static. 0, or -1:
 * it cannot be read, the desk knows. */
int bot_thread_act(struct bot_thread *thread, const struct bot_task *task, int64_t version, const char *version_name,
                   struct span act);
/* The version that has to answer is there and cannot be loaded. */
void bot_thread_unreadable(struct bot_thread *thread, const struct bot_task *task, int64_t version);
/* The bot will say bot.act within the minute. */
void bot_thread_promised(struct bot_thread *thread, const struct bot_task *task);
struct bot_task *bot_task_copy(const struct bot_task *task); /* NULL: no memory */
void bot_thread_failed(struct bot_thread *thread, const struct bot_task *task, const char *why);
void bot_task_free(struct bot_task *task);
