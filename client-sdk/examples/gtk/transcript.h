/* SPDX-License-Identifier: Apache-2.0 */
/* One conversation as a list: messages in the order of the log, then those that wait in the outbox. Rows of a list view
 * follow it. Edits and erasures change the message they mean and have no row. Main thread. */
#ifndef DESKBELL_GTK_TRANSCRIPT_H
#define DESKBELL_GTK_TRANSCRIPT_H

#include <gio/gio.h>

#include "item.h"

struct transcript;

struct transcript *transcript_new(void);
struct transcript *transcript_free(struct transcript *transcript); /* NULL is welcome; always NULL */
/* Of ChatItem. Borrowed. */
GListModel *transcript_model(struct transcript *transcript);
void transcript_clear(struct transcript *transcript);

/* An entry the SDK gave, in the order it gave them. The item it became or changed, NULL when there is none. Borrowed.
 */
ChatItem *transcript_entry(struct transcript *transcript, const struct deskbell_entry *entry);
/* A page of older entries, in rising order. */
void transcript_page(struct transcript *transcript, const struct deskbell_entry *entries, size_t count);
/* A text this window just queued: shown at once. */
void transcript_written(struct transcript *transcript, const char *cmid, const char *text, int64_t reply_to);
/* What became of a message of this device. */
void transcript_message(struct transcript *transcript, const struct deskbell_message *message);
/* Forgets a message that waits or failed. */
void transcript_forget(struct transcript *transcript, const char *cmid);
void transcript_marks(struct transcript *transcript, const struct deskbell_marks *marks);
/* The user tapped choice `id` of entry `number`, or filled in that form (""); NULL takes it back. */
void transcript_choose(struct transcript *transcript, int64_t number, const char *id);

/* The line "new messages" stands above the first message of others behind `seq`; -1 = nowhere. */
void transcript_divide(struct transcript *transcript, int64_t seq);
bool transcript_is_divided(const struct transcript *transcript);

/* Lowest and highest number known, also of entries without a row; 0 = none. */
int64_t transcript_oldest(const struct transcript *transcript);
int64_t transcript_newest(const struct transcript *transcript);
/* Messages of others behind `seq`. */
unsigned transcript_unread(const struct transcript *transcript, int64_t seq);
/* Borrowed; *out_position may be NULL. NULL when it is not here. */
ChatItem *transcript_find(const struct transcript *transcript, int64_t number, unsigned *out_position);
ChatItem *transcript_find_cmid(const struct transcript *transcript, const char *cmid);
/* The user's last text that can be edited, NULL = none. Borrowed. */
ChatItem *transcript_last_own(const struct transcript *transcript);

#endif
