/* SPDX-License-Identifier: Apache-2.0 */
/* Tickets of a room: what always holds of them, and the usual steps. */
#pragma once

#include "unit/desk/room.h"

/* Memory equals disk for every ticket that is not closed, and nothing else is in memory; at most one that is not closed
 * a conversation; what stands at a ticket fits its status; each change in the log is a row of the table of life, one
 * after the other without a gap. The test fails otherwise. */
void tickets_check(struct room *room);

struct ticket *ticket_in(struct room *room, const char *conv); /* not closed; the test fails when there is none */
/* A method about the newest ticket of that conversation as it is now: `more` goes behind the version. The whole
 * response, the caller's. */
json_t *ticket_ask_for(struct room *room, const struct client *client, const char *conv, const char *method,
                       const char *more);
/* The same, which has to go well. */
void ticket_do(struct room *room, const struct client *client, const char *conv, const char *method, const char *more);
const char *ticket_status_in(struct room *room, const char *conv); /* of the newest, closed ones too */
