/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this folder share. Desk thread only. */
#pragma once

#include "desk/desk_private.h"
#include "desk/tickets/tickets.h"

/* tickets.c */
int tickets_put(struct desk *desk, struct ticket *ticket);     /* 0 or DB_NOMEM: then it stays the caller's */
void ticket_changed(struct desk *desk, struct ticket *ticket); /* has to be written */
/* Only what memory knows of it has changed, by a message: views hear of it, and a rollback takes it back. */
void ticket_heard(struct desk *desk, struct ticket *ticket);
void tickets_reschedule_all(struct desk *desk);

/* ticket_time.c */
/* When time moves it next, by what is stored of it; INT64_MAX = never. Pure. */
int64_t ticket_next_ms(const struct ticket_settings *settings, const struct ticket *ticket);
/* Does what is due of that. 0 or a negative protocol error. */
int ticket_run_time(struct desk *desk, struct ticket *ticket);
int ticket_settings_load(struct desk *desk); /* 0 or a negative db_error */

/* ticket_change.c */
struct changed_field {
        const char *name;
        struct span old, now; /* at NULL = nothing */
};
/* Raises the version, writes the entry, and whoever follows the ticket hears of `what`. `word`: the event or field.
 * No fields: no entry. 0 or a negative protocol error (the store failed). */
int ticket_tell(struct desk *desk, struct ticket *ticket, const struct ticket_by *by, const char *word,
                const struct changed_field *fields, size_t count, enum ticket_happening what);

const char *ticket_priority_name(enum ticket_priority priority);
/* Its conversation is readable by whoever its team and assignee are now. 0 or a negative protocol error. */
int ticket_belongs(struct desk *desk, struct ticket *ticket);

/* ticket_move.c */
/* Its status from now on, in memory, with all that goes with it; returns the change to be told. Then ticket_tell, then
 * ticket_moved, which tells the customer when his label has changed, and the parts. */
struct changed_field ticket_move_to(struct desk *desk, struct ticket *ticket, enum ticket_status to);
int ticket_moved(struct desk *desk, struct ticket *ticket);
/* Whether the table has that row. */
static inline bool ticket_may(const struct ticket *ticket, enum ticket_event event)
{
        return ticket_life[ticket->status][event].to != 0;
}
/* ticket_apply for what happens by itself: nothing when the table has no such row. 0 or a negative protocol error. */
int ticket_happens(struct desk *desk, struct ticket *ticket, const struct ticket_by *by, enum ticket_event event);
/* ticket_labels.c */
size_t ticket_language_of(const char *lang); /* index of ticket_languages; English for any other */
/* What the customer reads of that status, in his language; lent until the next call. */
struct span ticket_customer_label(struct desk *desk, enum ticket_status status, const char *lang);

/* ticket_begin.c */
/* A new one of that conversation, with status new, read from nowhere yet. NULL with desk->db_failure set. */
struct ticket *ticket_begin(struct desk *desk, struct conversation *conversation, int64_t split_from);
/* Asks the customer whether it is solved. 0 or a negative protocol error. */
int ticket_ask(struct desk *desk, struct ticket *ticket, int64_t agent);

/* ticket_row.c */
/* For lists; spans are lent by the ticket, the directory and the teams. */
void ticket_brief_fill(struct desk *desk, const struct ticket *ticket, struct protocol_ticket_brief *out_brief);
/* Whole. 0 or a negative protocol error. */
int ticket_row_fill(struct desk *desk, const struct ticket *ticket, struct arena *arena,
                    struct protocol_ticket_row *out_row);
/* The team that the bot named when it last handed over; absent: none. 0 or a negative protocol error. */
int ticket_handoff_team(struct desk *desk, struct conversation *conversation, struct arena *arena,
                        struct span *out_team);
