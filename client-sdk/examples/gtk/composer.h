/* SPDX-License-Identifier: Apache-2.0 */
/* Where the user writes: text, what it answers or changes, the send button, and the draft that survives a restart.
 * Enter sends, Shift+Enter is a new line; an Enter that ends an input method's composing never sends. Main thread. */
#ifndef DESKBELL_GTK_COMPOSER_H
#define DESKBELL_GTK_COMPOSER_H

#include <gtk/gtk.h>

#include "item.h"
#include "staging.h"

struct composer;

struct composer_listener {
        void *data;
        /* Text to be sent (number 0), or to replace that of message `number` at `version`. True: it was taken. */
        bool (*send)(void *data, const char *text, int64_t reply_to, int64_t number, int64_t version);
        /* Files (struct staged_file) with a caption, which may be empty. True: they were taken. */
        bool (*send_files)(void *data, const GPtrArray *files, const char *text, int64_t reply_to);
        void (*attach)(void *data); /* the user wants to choose files */
        void (*typing)(void *data);
        void (*edit_last)(void *data); /* Up in an empty composer */
};

/* `draft_path`: file of drafts, made when missing; `key`: which conversation's. */
struct composer *composer_new(const char *draft_path, const char *key, const struct composer_listener *listener);
/* Writes the draft. The widget goes with its window. NULL is welcome; always NULL. */
struct composer *composer_free(struct composer *composer);
GtkWidget *composer_widget(struct composer *composer);

void composer_focus(struct composer *composer);
/* As Enter. */
void composer_send(struct composer *composer);
/* Attaches a local file to what is being written. False: there are too many. */
bool composer_attach(struct composer *composer, const char *path);
void composer_reply(struct composer *composer, ChatItem *item);
/* What was being written comes back when the edit ends. */
void composer_edit(struct composer *composer, ChatItem *item);
/* Neither answers nor changes anything any more. False when it did not. */
bool composer_cancel(struct composer *composer);

#endif
