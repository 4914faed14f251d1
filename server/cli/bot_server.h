/* SPDX-License-Identifier: Apache-2.0 */
/* Which bot of the server a command means, and what its files share. Exit codes, printed when not 0. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct console;

enum { BOT_ID = 32 };

/* The option that names a bot. */
#define CLI_BOT(variable)                                                                                              \
        {                                                                                                              \
                .name = "bot", .value = "BOT", .text = &(variable),                                                    \
                .help = "the bot, by id or name; default the only one"                                                 \
        }

/* The bot said, by id or name, or the only one there is. */
int bot_choose(struct console *console, const char *said, char out_bot[BOT_ID]);

/* Opens the store, adds "bot" to `params` (taken) for the bot said, calls. *out_result, when wanted, is the caller's.
 */
int bot_call(const char *dir, const char *said, const char *method, json_t *params, json_t **out_result);

/* Puts a number that was said into `params`. EX_OK, also when nothing was said; EX_USAGE. */
int bot_put_number(json_t *params, const char *member, const char *said, long least, long most);
