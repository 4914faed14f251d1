/* SPDX-License-Identifier: Apache-2.0 */
/* Bot builder: makes a version of a bot's canonical form: checks it, learns from its examples. That takes seconds, so
 * in a running server it is done on a thread of its own, before the desk hears of the command; on a store that is not
 * served it is done in the caller's thread. */
#pragma once

#include "bots/version.h"
#include "desk/command.h"

struct db;
struct desk;

/* What was made of a bot's canonical form, for the desk to keep. */
struct bot_draft {
        char *source; /* canonical text */
        uint8_t hash[32];
        struct writer blob;
        struct bot_build_report report;
        struct bot_problems *problems; /* warnings: what could be better */
        int64_t base;                  /* bot.learn: row of the version it was made of */
        size_t learned;                /* and the examples that were added */
};

struct bot_draft *bot_draft_free(struct bot_draft *draft); /* NULL is welcome; returns NULL */

/* 0 and *out_draft is the caller's; or a negative protocol error: BAD_REQUEST with `fault` naming the first thing that
 * is wrong with `source`. Any thread. */
int bot_draft_make(struct span source, struct bot_draft **out_draft, struct fault *fault);

/* Whether a method's command carries a draft to the desk, and making it there: looks into the store on `db` (any
 * connection of the calling thread) and sets command->draft. 0, or a negative protocol error. */
bool bot_builder_wants(enum protocol_method method);
int bot_builder_prepare(struct db *db, struct desk_command *command, struct fault *fault);

int bot_builder_start(struct desk *desk); /* 0 or a negative db_error */
/* bot_builder_post refuses from then on; what is being built is finished first, what waits is refused. */
void bot_builder_stop(struct desk *desk);
void bot_builder_free(struct desk *desk);

/* Takes an operator's command on 0: it is prepared and handed to the desk, or its `done` is called with a refusal. Any
 * thread. -PROTOCOL_ERR_OVERLOADED: 4 wait already; -PROTOCOL_ERR_UNAVAILABLE: no thread. */
int bot_builder_post(struct desk *desk, struct desk_command *command);

/* Takes a COMMAND_BOT_LEARNED on 0: the version of its origin is loaded, and learned anew when it cannot be; the
 * command goes to the desk with what became of it, but when the server stops before. Desk thread.
 * -PROTOCOL_ERR_UNAVAILABLE. */
int bot_builder_relearn(struct desk *desk, struct desk_command *command);
