/* SPDX-License-Identifier: Apache-2.0 */
/* The actions of the application: behind the menu, behind keys, and on the session bus, where scripts of the user reach
 * them (`gapplication list-actions org.deskbell.Support`). Main thread. */
#ifndef DESKBELL_GTK_COMMANDS_H
#define DESKBELL_GTK_COMMANDS_H

#include "appearance.h"
#include "window.h"

struct commands {
        GtkApplication *app;
        struct window *window; /* NULL: the actions do nothing */
        struct appearance *appearance;
};

/* Adds all actions and their keys. `commands` outlives the application's run. */
void commands_add(struct commands *commands);

#endif
