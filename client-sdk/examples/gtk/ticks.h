/* SPDX-License-Identifier: Apache-2.0 */
/* The small sign behind a message's time: a clock while it waits, one tick sent, two delivered, two coloured read. */
#ifndef DESKBELL_GTK_TICKS_H
#define DESKBELL_GTK_TICKS_H

#include <gtk/gtk.h>
#include <stdbool.h>

#include "deskbell/deskbell.h"

GtkWidget *ticks_new(void);
/* Hidden for states without a sign. */
void ticks_set(GtkWidget *ticks, enum deskbell_message_state state);

#endif
