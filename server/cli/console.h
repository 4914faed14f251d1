/* SPDX-License-Identifier: Apache-2.0 */
/* Console: calls methods of the server as its operator: in this process when no other holds the data folder, else
 * through the control socket of the one that does. The caller cannot tell which. Root acts as the folder's owner
 * between open and close. One thread. Functions that return an exit code have printed why. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

struct console;

enum console_mode {
        CONSOLE_USE,    /* a store has to be there */
        CONSOLE_CREATE, /* the folder is there, the store is made */
};

/* EX_OK; EX_NOINPUT no store there; EX_TEMPFAIL somebody holds it and does not answer; EX_UNAVAILABLE, EX_DATAERR it
 * cannot be opened. */
int console_open(const char *dir, enum console_mode mode, struct console **out_console);
struct console *console_close(struct console *console); /* NULL is welcome */

bool console_is_remote(const struct console *console); /* a server is running */

/* Takes `params` (an object, or NULL for none). *out_result, when wanted, is the caller's. EX_OK; EX_DATAERR the method
 * refused it for good; EX_TEMPFAIL it may succeed later; EX_UNAVAILABLE the server has gone; EX_SOFTWARE. */
int console_do(struct console *console, const char *method, json_t *params, json_t **out_result);

/* As console_do in the name of somebody, and time that goes on (desk.h: desk_call_as, desk_pass); only on a store that
 * is not served here or elsewhere. EX_TEMPFAIL, printed: it is. */
struct desk_voice;
int console_do_as(struct console *console, const struct desk_voice *voice, const char *method, json_t *params,
                  json_t **out_result);
void console_pass(struct console *console, int64_t ms);
/* Commits reach the disk together until the end; EX_OK, or EX_IOERR, printed. The same condition. */
void console_gather_begin(struct console *console);
int console_gather_end(struct console *console);

/* One call: open, do, close. */
int console_call(const char *dir, const char *method, json_t *params, json_t **out_result);
