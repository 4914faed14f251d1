/* SPDX-License-Identifier: Apache-2.0 */
/* Files that go with the next message: chosen, dropped or pasted, shown above the text until it is sent. Main thread.
 */
#ifndef DESKBELL_GTK_STAGING_H
#define DESKBELL_GTK_STAGING_H

#include <gtk/gtk.h>
#include <stdbool.h>

struct staging;

struct staged_file {
        char *path, *name; /* path NULL = `bytes` */
        GBytes *bytes;
        GdkTexture *picture; /* of pasted images; NULL = none */
};

enum { STAGING_MAX = 10 };

/* `changed` runs when files come or go. */
struct staging *staging_new(void (*changed)(void *data), void *data);
struct staging *staging_free(struct staging *staging); /* NULL is welcome; always NULL */
GtkWidget *staging_widget(struct staging *staging);

/* False when there are STAGING_MAX already. */
bool staging_add_path(struct staging *staging, const char *path);
bool staging_add_picture(struct staging *staging, GdkTexture *picture);
void staging_clear(struct staging *staging);
/* Of struct staged_file. Borrowed until the next call. */
const GPtrArray *staging_files(const struct staging *staging);

#endif
