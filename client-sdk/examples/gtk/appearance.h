/* SPDX-License-Identifier: Apache-2.0 */
/* Colours: light or dark as the system says or the user chose, and high contrast. The choice is kept. Main thread. */
#ifndef DESKBELL_GTK_APPEARANCE_H
#define DESKBELL_GTK_APPEARANCE_H

#include <gtk/gtk.h>
#include <stdbool.h>

struct appearance;

/* `path`: file that keeps the choice. Needs a display. */
struct appearance *appearance_new(const char *path);
struct appearance *appearance_free(struct appearance *appearance); /* NULL is welcome; always NULL */

/* "system", "light" or "dark"; anything else is "system". */
void appearance_set_scheme(struct appearance *appearance, const char *scheme);
const char *appearance_scheme(const struct appearance *appearance); /* static */
/* In addition to what the system asks for. */
void appearance_set_contrast(struct appearance *appearance, bool is_high);
bool appearance_contrast(const struct appearance *appearance);

#endif
