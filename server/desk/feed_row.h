/* SPDX-License-Identifier: Apache-2.0 */
/* The feed row of a conversation as a customer or as staff may see it. Used by the desk and by readers, each with the
 * directory of its own thread. */
#pragma once

#include "desk/directory.h"
#include "protocol_generated.h"
#include "store/conversations.h"

/* Fills `out_row` with spans into `row` and the directory; both have to outlive it. */
void feed_row_fill(struct protocol_feed_row *out_row, const struct conversation_row *row, bool for_staff,
                   struct directory *directory);
