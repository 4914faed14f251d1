/* SPDX-License-Identifier: Apache-2.0 */
/* A widget around one other that is never given more than a width: the column of a wide window. Main thread. */
#ifndef DESKBELL_GTK_CLAMP_H
#define DESKBELL_GTK_CLAMP_H

#include <gtk/gtk.h>

enum { CLAMP_COLUMN = 780 };

/* Takes `child`, which stands in the middle, at most `max_width` pixels wide. */
GtkWidget *clamp_new(GtkWidget *child, int max_width);

#endif
