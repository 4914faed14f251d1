/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers: bot.report and bot.questions, the reads of the operator about a bot. They run on a reader's connection, in
 * its snapshot, or on a store that is not served in the caller's thread. They write the members of the result. 0, or a
 * negative protocol error. */
#pragma once

#include "desk/bot_outcomes.h"
#include "desk/command.h"

struct db;
struct desk;

int bot_report_read(struct desk *desk, struct db *db, struct desk_command *command, struct writer *out,
                    struct fault *fault);
int bot_questions_read(struct desk *desk, struct db *db, struct desk_command *command, struct writer *out,
                       struct fault *fault);

/* Those methods, for the readers. -PROTOCOL_ERR_UNKNOWN_METHOD: it is none of them. */
int bot_numbers_read(struct desk *desk, struct db *db, struct desk_command *command, struct writer *out,
                     struct fault *fault);

/* What a reader needs to know of a bot. -PROTOCOL_ERR_NOT_FOUND: there is none. */
struct bot_looked_up {
        int64_t id, live;
        bool is_built_in;
};
int bot_look_up(struct desk *desk, struct db *db, struct principal_id who, struct bot_looked_up *out);

/* How long it was silent before each of the rows of one bot in a conversation but the first: bot_happened.silent_ms. 0
 * or a negative db_error. */
int bot_find_silences(struct db *db, int64_t conv, struct bot_happened *rows, size_t count);

/* Logs it; -PROTOCOL_ERR_INTERNAL. */
int bot_numbers_failed(struct desk *desk, struct db *db, int rc);

/* bot.learn, before the desk hears of it: the newest version with the questions as examples, built. Any thread with a
 * connection of its own. */
int bot_learn_prepare(struct db *db, struct desk_command *command, struct fault *fault);

/* What the numbers keep of a person's words: of one message, or of all in a conversation, where the bot's state goes
 * too. In a batch. 0 or a negative protocol error. */
int bot_forget_message(struct desk *desk, int64_t conv, int64_t seq);
int bot_forget_conversation(struct desk *desk, int64_t conv);
