/* SPDX-License-Identifier: Apache-2.0 */
/* bot.turns: what waits for a bot of others. On a reader's thread and connection, inside its snapshot. */
#pragma once

#include "desk/desk.h"
#include "store/db.h"

/* Writes the result. 0 or a negative protocol error. */
int bot_turns_read(struct desk *desk, struct db *db, const struct desk_command *command, struct writer *out);
