/* SPDX-License-Identifier: Apache-2.0 */
/* bot.offline, on a reader's thread: pieces of the live version of the caller's app, for devices that answer questions
 * without a connection. Only of a built-in bot that is on and that the operator lets go to devices. */
#pragma once

#include "desk/command.h"

struct db;
struct desk;

enum { BOT_OFFLINE_PART = 48 * 1024 };

/* Writes the result. 0, or a negative protocol error. `db` is within a snapshot. */
int bot_offline_read(struct desk *desk, struct db *db, const struct desk_command *command, struct writer *out);
