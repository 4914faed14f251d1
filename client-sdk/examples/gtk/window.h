/* SPDX-License-Identifier: Apache-2.0 */
/* The support window: title, banner, messages, composer, and how they work together. Main thread. */
#ifndef DESKBELL_GTK_WINDOW_H
#define DESKBELL_GTK_WINDOW_H

#include <gtk/gtk.h>

#include "talk.h"

struct window;

/* Opens the conversation and shows the window. `app` keeps it; it ends with talk and window when the user closes it.
 * NULL: *out_error is what deskbell_open said. */
struct window *window_new(GtkApplication *app, const struct talk_options *options, int *out_error);
struct window *window_free(struct window *window); /* NULL is welcome; always NULL */
void window_present(struct window *window);
GtkWindow *window_widget(struct window *window);

struct talk *window_talk(struct window *window);
/* Shows message `number`, fetching older pages until it is there. */
void window_show_message(struct window *window, int64_t number);
/* Attaches a local file to what is being written. */
void window_attach(struct window *window, const char *path);
/* As Enter in the composer. */
void window_send_draft(struct window *window);
void window_to_end(struct window *window);
/* Tells the user why something could not be done; nothing for DESKBELL_OK. */
void window_say_error(struct window *window, int error);

/* a{sv}: what is shown, for programs on the session bus. Floating. */
GVariant *window_status(struct window *window);

#endif
