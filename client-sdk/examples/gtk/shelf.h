/* SPDX-License-Identifier: Apache-2.0 */
/* Files of messages on this computer: fetched when they are seen or wanted, kept below the data folder under the
 * server's names, shown as pictures. Main thread. */
#ifndef DESKBELL_GTK_SHELF_H
#define DESKBELL_GTK_SHELF_H

#include <gtk/gtk.h>

#include "talk.h"

struct shelf;

/* `talk` outlives it, `folder` is made. */
struct shelf *shelf_new(struct talk *talk, const char *folder);
/* Call before talk_free: fetches that end later find nobody. NULL is welcome; always NULL. */
struct shelf *shelf_free(struct shelf *shelf);

/* The file is in view: a small image is fetched, and its picture made. */
void shelf_want(struct shelf *shelf, ChatItem *item, unsigned index);
/* Copies it to `path`, after fetching it when need be. */
void shelf_save(struct shelf *shelf, ChatItem *item, unsigned index, const char *path);

#endif
