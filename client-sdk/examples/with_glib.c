/* SPDX-License-Identifier: Apache-2.0 */
/* In the main loop of GLib (GTK, GNOME): callbacks run where widgets may be touched. Usage: with_glib URL APP TOKEN
 * FOLDER */
#include "talk.h"

#include <glib-unix.h>
#include <stdio.h>

struct app {
        struct talk talk;
        GMainLoop *loop;
};

static gboolean on_deskbell(gint fd, GIOCondition condition, gpointer data)
{
        struct app *app = data;

        (void)fd;
        (void)condition;
        deskbell_dispatch(app->talk.client, 0);
        return G_SOURCE_CONTINUE;
}

static gboolean on_line(GIOChannel *channel, GIOCondition condition, gpointer data)
{
        struct app *app = data;
        gchar *line = NULL;

        (void)condition;
        if (g_io_channel_read_line(channel, &line, NULL, NULL, NULL) == G_IO_STATUS_NORMAL)
                talk_send(&app->talk, line);
        else
                g_main_loop_quit(app->loop);
        g_free(line);
        return G_SOURCE_CONTINUE;
}

int main(int argc, char **argv)
{
        struct app app;

        if (talk_open(&app.talk, argc, argv))
                return 1;
        app.loop = g_main_loop_new(NULL, FALSE);
        GIOChannel *terminal = g_io_channel_unix_new(0);
        guint lines = g_io_add_watch(terminal, G_IO_IN | G_IO_HUP, on_line, &app);
        guint events = g_unix_fd_add(deskbell_fd(app.talk.client), G_IO_IN, on_deskbell, &app);
        g_main_loop_run(app.loop);
        g_source_remove(events); /* before the descriptor is gone */
        g_source_remove(lines);
        talk_close(&app.talk);
        g_io_channel_unref(terminal);
        g_main_loop_unref(app.loop);
        return 0;
}
