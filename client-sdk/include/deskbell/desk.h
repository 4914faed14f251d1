/* SPDX-License-Identifier: Apache-2.0 */
/* The whole protocol by name, for programs of agents: a console, a terminal, a script. What a ticket, a view or a team
 * can be asked is in docs/protocol.md of the server; here any of its methods is called with JSON and answers with JSON,
 * and the events that the library has no use for itself are handed on as they come.
 *
 *     static void on_tickets(deskbell_client *client, int error, const char *result, void *data)
 *     {
 *             puts(error == DESKBELL_OK ? result : deskbell_error_text(error));
 *     }
 *     ...
 *     deskbell_call(client, "ticket.list", "{\"when\":\"status = open\"}", on_tickets, NULL);
 *
 * Nothing of it is in the client's file. A call is said once: whether one that was CANCELLED was done, the server knows
 * (methods that must not be done twice take an id of the caller's, `cmid`). What was told by events is asked for anew
 * in each session: an event may be lost with the connection.
 *
 * Threads, texts and lifetimes are as in deskbell.h. */
#ifndef DESKBELL_DESK_H
#define DESKBELL_DESK_H

#include <deskbell/deskbell.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What became of a call. Error 0: `result` is the answer, a JSON object. REFUSED: why, as a JSON object with `tag` and
 * `message`, and where the server told it `field`, `expected` and `retry_after_ms`. CANCELLED (the connection went, or
 * the client is being closed) or NOMEM: "". */
typedef void (*deskbell_call_fn)(deskbell_client *client, int error, const char *result, void *data);

/* Calls a method ("ticket.list": 1-64 of a-z, _ and .; not session.*) with `params`, a JSON object of at most 60,000
 * bytes, copied; NULL = {}. Calls are said in the order they were made, at most 16 are under way, others wait their
 * turn; answers may come in another order. `fn` runs exactly once, later, where callbacks run, also when the client is
 * closed meanwhile; never when this returns an error. With `fn` NULL it is said as a notification, at once, and nobody
 * answers: for the few methods that are one ("viewing"). Errors: INVALID, TOO_LONG, NOMEM, OFFLINE. */
DESKBELL_API int deskbell_call(deskbell_client *client, const char *method, const char *params, deskbell_call_fn fn,
                               void *data);

/* An event by its name, with its params as a JSON object. */
typedef void (*deskbell_event_fn)(deskbell_client *client, const char *event, const char *params, void *data);

/* From now on `fn` hears of each event that the library itself does not use, and of `feed`, whose rows say more of a
 * ticket than on_conversation does. Once a client. Errors: INVALID, STATE (done before). */
DESKBELL_API int deskbell_on_event(deskbell_client *client, deskbell_event_fn fn, void *data);

#ifdef __cplusplus
}
#endif

#endif
