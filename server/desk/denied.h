/* SPDX-License-Identifier: Apache-2.0 */
/* Denied: one line in the log for each refusal that somebody should look at: failed log-ins, what is not the caller's,
 * limits, connections closed for their errors. At most so many a second; how many were left out is said with the next.
 * Any thread. */
#pragma once

#include "protocol/ids.h"
#include "protocol_generated.h"

/* `what`: the method, or a word for what was closed; literal. Only errors of access and limits are said, others are
 * passed over. `who` with role 0: nobody yet. `address`: of the peer, at NULL = not known here. */
void denied_say(const char *what, int error, struct principal_id who, struct span address);
/* The same for a connection that is closed with this code because of `what`. */
void denied_close(const char *what, int close_code, struct principal_id who, struct span address);
