/* SPDX-License-Identifier: Apache-2.0 */
/* The list of messages and where in it the user is: it keeps to the end while he is there, keeps its place when older
 * messages are put before it, and shows a button to the end while he is elsewhere. Main thread. */
#ifndef DESKBELL_GTK_SCROLLER_H
#define DESKBELL_GTK_SCROLLER_H

#include "row.h"

struct scroller;

struct scroller_listener {
        void *data;
        void (*near_top)(void *data);                 /* older messages are wanted soon */
        void (*end_reached)(void *data, bool is_end); /* the last message came into view, or went out of it */
        void (*to_end)(void *data);                   /* the button was pressed */
};

/* `transcript` and `actions` outlive it. */
struct scroller *scroller_new(struct transcript *transcript, const struct row_actions *actions,
                              const struct scroller_listener *listener);
struct scroller *scroller_free(struct scroller *scroller); /* NULL is welcome; always NULL */
GtkWidget *scroller_widget(struct scroller *scroller);

bool scroller_is_at_end(const struct scroller *scroller);
void scroller_to_end(struct scroller *scroller);
/* Brings that position of the model into view and marks it for a moment. */
void scroller_show(struct scroller *scroller, unsigned position);
/* Fraction of the list above the view, 0 to 1. */
double scroller_place(const struct scroller *scroller);

void scroller_set_unread(struct scroller *scroller, unsigned count);
void scroller_set_loading(struct scroller *scroller, bool is_loading);
/* A name = that person is writing; NULL = nobody. */
void scroller_set_typing(struct scroller *scroller, const char *name);

#endif
