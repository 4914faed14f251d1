/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of the window, for the files that make it. */
#ifndef DESKBELL_GTK_WINDOW_PRIVATE_H
#define DESKBELL_GTK_WINDOW_PRIVATE_H

#include "banner.h"
#include "composer.h"
#include "scroller.h"
#include "shelf.h"
#include "window.h"

struct window {
        GtkApplication *app;
        GtkWidget *widget, *presence, *subtitle;
        struct talk *talk;
        struct shelf *shelf;
        struct scroller *scroller;
        struct composer *composer;
        struct banner *banner;
        struct row_actions row_actions;
        int64_t wanted; /* message to be shown as soon as its page is here; 0 = none */
        char *typing;   /* who is writing, NULL = nobody */
        enum { TEAM_UNKNOWN, TEAM_HERE, TEAM_AWAY } team;
        guint status_idle;
        bool is_opened;
};

/* What rows and composer ask for: fills `row_actions` and the listener. */
void window_fill_actions(struct window *window);
struct composer_listener window_composer_listener(struct window *window);

/* What can be done with files: fills its part of `row_actions`, accepts files dropped on the window. */
void window_fill_file_actions(struct window *window);
void window_accept_drops(struct window *window);
bool window_send_files(void *data, const GPtrArray *files, const char *text, int64_t reply_to);
void window_choose_files(void *data);

/* The user sees the newest message: it is read. Else counts what is not. */
void window_refresh_unread(struct window *window);
bool window_is_seen(const struct window *window);
/* Tells `status` on the session bus, once a turn of the loop. */
void window_touch_status(struct window *window);

#endif
