/* SPDX-License-Identifier: Apache-2.0 */
/* The line below the title that says when something is not as it should be: no connection and when the next try comes,
 * a token that is needed, a disk that fails. Hidden while all is well. Main thread. */
#ifndef DESKBELL_GTK_BANNER_H
#define DESKBELL_GTK_BANNER_H

#include <gtk/gtk.h>
#include <stdbool.h>

#include "deskbell/deskbell.h"

struct banner;

struct banner_listener {
        void *data;
        void (*try_now)(void *data);
        void (*set_token)(void *data, const char *token);
};

struct banner *banner_new(const struct banner_listener *listener);
struct banner *banner_free(struct banner *banner); /* NULL is welcome; always NULL */
GtkWidget *banner_widget(struct banner *banner);

void banner_state(struct banner *banner, const struct deskbell_state *state);
/* Something else the user should know: shown for some seconds, then the state again. */
void banner_say(struct banner *banner, const char *text);
/* A word about the connection, for the title. Static. */
const char *banner_word(enum deskbell_connection connection);
/* What is shown, "" = nothing. Borrowed. */
const char *banner_text(const struct banner *banner);

#endif
