/* SPDX-License-Identifier: Apache-2.0 */
/* A message in the list: day, line of new messages, avatar, bubble, foot. Rows are made once and bound to whatever item
 * scrolls into view; they follow the item while they show it. Main thread. */
#ifndef DESKBELL_GTK_ROW_H
#define DESKBELL_GTK_ROW_H

#include <gtk/gtk.h>

#include "transcript.h"

/* What the user can do with a message; `data` first. `item` is borrowed. All must be there. */
struct row_actions {
        void *data;
        void (*reply)(void *data, ChatItem *item);
        void (*edit)(void *data, ChatItem *item);
        void (*erase)(void *data, ChatItem *item);
        void (*retry)(void *data, ChatItem *item);
        void (*forget)(void *data, ChatItem *item);
        void (*press)(void *data, ChatItem *item, const struct item_choice *choice);
        char *(*fill)(void *data, ChatItem *item); /* g_free: id of the field that does not fit; NULL = done */
        /* Of a survey: score -1, comment "" and contact -1 = not said. */
        void (*rate)(void *data, ChatItem *item, int score, const char *comment, int contact);
        void (*say)(void *data, ChatItem *item); /* what is filled in to its questions, and the comment */
        void (*jump)(void *data, int64_t number);
        /* Files of a message. want: it is in view, and its picture may be shown. */
        void (*want)(void *data, ChatItem *item, unsigned index);
        void (*look)(void *data, ChatItem *item, unsigned index); /* shows an image large */
        void (*save)(void *data, ChatItem *item, unsigned index);
        void (*pause)(void *data, ChatItem *item); /* or goes on */
        void (*cancel)(void *data, ChatItem *item);
        void (*open)(void *data, const char *link); /* http, https or mailto; else it is not called */
};

/* `transcript` and `actions` outlive the factory. */
GtkListItemFactory *row_factory_new(struct transcript *transcript, const struct row_actions *actions);

/* The menu of the message that has the keyboard in `list`; false = none has. */
bool row_menu_of_focus(GtkWidget *list);

#endif
