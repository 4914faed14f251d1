/* SPDX-License-Identifier: Apache-2.0 */
/* Work: what makes an agent fast. Canned replies, macros, bulk actions, drafts, mentions, and who looks at what.
 *
 * Always true: an action of a macro or of a bulk changes a ticket only after everything it does was checked; a draft's
 * version only grows; who looks at a conversation is in memory and goes with the connection.
 * Desk thread only. */
#pragma once

#include "desk/command.h"

struct conversation;
struct desk;
struct entry_row;
struct protocol_content;
struct viewing;

enum {
        CANNED_MAX = 5000,
        CANNED_TEXTS = 20, /* languages of one */
        MACROS_MAX = 500,
        MACRO_ACTIONS = 20,
        VIEWINGS_MAX = 4096, /* of all connections */
        VIEWINGS_OF_CONNECTION = 50,
        VIEWERS_TOLD = 50,
        MENTIONS_TOLD = 100,
};

struct work {
        struct viewing *viewings;
        size_t viewing_count, viewing_room;
};

void work_done(struct desk *desk);

/* ---- what the desk tells ---- */

/* In the transaction of a message of staff: his draft there is gone, and those whom a note names hear of it. 0 or a
 * negative protocol error (the store failed). */
int work_sent(struct desk *desk, struct conversation *conversation, const struct entry_row *entry,
              const struct protocol_content *content);
/* An agent writes: shown with those who look at it. */
void work_types(struct desk *desk, struct conversation *conversation, int64_t agent);
/* The connection is gone. */
void work_connection_gone(struct desk *desk, struct edge_ref ref);
/* What was written in a conversation is erased: drafts too. 0 or a negative protocol error (the store failed). */
int work_erase_conversation(struct desk *desk, int64_t conv);
