/* SPDX-License-Identifier: Apache-2.0 */
/* Operator: calls methods of the server as its operator: in this process when no other holds the data folder, else
 * through the control socket of the one that does. The caller cannot tell which. Root acts as the folder's owner
 * between open and close. One thread. Functions that return an exit code have printed why. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

struct operator;

enum operator_mode {
        OPERATOR_USE,    /* a store has to be there */
        OPERATOR_CREATE, /* the folder is there, the store is made */
};

/* EX_OK; EX_NOINPUT no store there; EX_TEMPFAIL somebody holds it and does not answer; EX_UNAVAILABLE, EX_DATAERR it
 * cannot be opened. */
int operator_open(const char *dir, enum operator_mode mode, struct operator** out_operator);
struct operator* operator_close(struct operator* operator); /* NULL is welcome */

bool operator_is_remote(const struct operator* operator); /* a server is running */

/* Takes `params` (an object, or NULL for none). *out_result, when wanted, is the caller's. EX_OK; EX_DATAERR the method
 * refused it for good; EX_TEMPFAIL it may succeed later; EX_UNAVAILABLE the server has gone; EX_SOFTWARE. */
int operator_do(struct operator* operator, const char * method, json_t *params, json_t **out_result);

/* As operator_do in the name of somebody, and time that goes on (desk.h: desk_call_as, desk_pass); only on a store that
 * is not served here or elsewhere. EX_TEMPFAIL, printed: it is. */
struct desk_voice;
int operator_do_as(struct operator* operator, const struct desk_voice * voice, const char *method, json_t *params,
                   json_t **out_result);
void operator_pass(struct operator* operator, int64_t ms);
/* Commits reach the disk together until the end; EX_OK, or EX_IOERR, printed. The same condition. */
void operator_gather_begin(struct operator* operator);
int operator_gather_end(struct operator* operator);

/* One call: open, do, close. */
int operator_call(const char *dir, const char *method, json_t *params, json_t **out_result);
