/* SPDX-License-Identifier: Apache-2.0 */
/* Bot relearn: what was learned by another program, or is damaged on disk, cannot be loaded. Such a version is learned
 * anew from its source on the builder's thread, and takes its old place: same row, same hash. Until then its turns
 * wait.
 *
 * Always true: a version is learned at most once at a time; what is learned counts from the commit that stores it;
 * every version that was wanted comes to an end, and whoever waits for it is asked again then. Nothing of this is
 * stored: after a crash it begins anew. Desk thread only. */
#pragma once

#include "desk/bots.h"

struct bot_relearning;

/* How the builder has ended with a version. */
enum bot_relearn_outcome {
        BOT_RELEARN_READABLE, /* it can be loaded: nothing to do */
        BOT_RELEARN_LEARNED,  /* the command carries a draft */
        BOT_RELEARN_LOST,     /* nothing can be made of its source */
        BOT_RELEARN_FAILED,   /* no memory, or the store could not be read: another time */
};

int bot_relearn_init(struct desk *desk); /* 0 or DB_NOMEM */
void bot_relearn_done(struct desk *desk);

/* At start, and after a commit that changed bots: looks at the versions that are needed now and have not been looked at
 * yet. Without a builder nothing happens. 0 or a negative db_error. */
int bot_relearn_recover(struct desk *desk);
void bot_relearn_look(struct desk *desk);

/* The bot thread cannot load it. True: the builder is at it, and bot_turns_wake follows. False: nothing can be done. */
bool bot_relearn_want(struct desk *desk, int64_t version);

/* Inside a transaction: the version's blob was replaced. */
void bot_relearn_replaced(struct desk *desk, int64_t version);
/* COMMAND_BOT_LEARNED: what the builder says; in a transaction. */
void bot_relearn_came(struct desk *desk, struct desk_command *command);
/* The same when nothing can be stored: what was learned is lost, and learned again when somebody needs it. */
void bot_relearn_refused(struct desk *desk, const struct desk_command *command);
void bot_relearn_committed(struct desk *desk);
void bot_relearn_rolled_back(struct desk *desk);
