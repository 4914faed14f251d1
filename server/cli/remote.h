/* SPDX-License-Identifier: Apache-2.0 */
/* Remote: calls methods of a server over HTTP, as an agent's own machine does. One thread. */
#pragma once

#include <jansson.h>

/* POSTs to URL/v1/METHOD. `url`: http, https, ws or wss, with or without a path. Takes `params`. *out_result is the
 * caller's. EX_OK; EX_NOPERM refused; EX_TEMPFAIL later; EX_UNAVAILABLE no answer; EX_USAGE not a URL. Printed. */
int remote_call(const char *url, const char *method, json_t *params, json_t **out_result);

/* A line without echo from the terminal, or the next line of standard input. Exit code, printed. */
int remote_ask_secret(const char *prompt, char *out, size_t room);
