/* SPDX-License-Identifier: Apache-2.0 */
/* deskbell-gtk: a support window for the desktop, made with libdeskbell and GTK 4. Reads the command line, then runs
 * GTK's loop until the window is closed. A second start with the first still running brings that one to the front. */
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <locale.h>
#include <signal.h>
#include <string.h>

#include "commands.h"

enum { EXIT_USAGE = 64, EXIT_CANNOT = 73 };

struct program {
        struct commands commands;
        struct talk_options options;
        char *url, *app, *token, *data_dir, *key, *ca_file;
        gboolean is_visitor;
        int exit_code;
};

static gboolean on_signal(gpointer data)
{
        g_application_quit(G_APPLICATION(data));
        return G_SOURCE_CONTINUE;
}

static gboolean on_close(GtkWindow *window, gpointer data)
{
        struct program *program = data;

        (void)window;
        g_application_quit(G_APPLICATION(program->commands.app));
        return TRUE; /* it goes with the rest, in on_shutdown */
}

static void on_network(GNetworkMonitor *monitor, gboolean is_available, gpointer data)
{
        struct program *program = data;

        (void)monitor;
        (void)is_available;
        if (program->commands.window)
                talk_network_changed(window_talk(program->commands.window));
}

static void on_startup(GApplication *app, gpointer data)
{
        struct program *program = data;
        g_autofree char *look = g_build_filename(program->data_dir, "window.ini", NULL);

        program->commands.app = GTK_APPLICATION(app);
        program->commands.appearance = appearance_new(look);
        commands_add(&program->commands);
        g_unix_signal_add(SIGTERM, on_signal, app);
        g_unix_signal_add(SIGINT, on_signal, app);
        g_signal_connect(g_network_monitor_get_default(), "network-changed", G_CALLBACK(on_network), program);
}

static void on_activate(GApplication *app, gpointer data)
{
        struct program *program = data;
        int error = DESKBELL_OK;

        if (!program->commands.window) {
                program->commands.window = window_new(GTK_APPLICATION(app), &program->options, &error);
                if (!program->commands.window) {
                        g_printerr("deskbell-gtk: %s\n", deskbell_error_text(error));
                        program->exit_code = EXIT_CANNOT;
                        return; /* no window: the application ends */
                }
                g_signal_connect(window_widget(program->commands.window), "close-request", G_CALLBACK(on_close),
                                 program);
        }
        window_present(program->commands.window);
}

static void on_shutdown(GApplication *app, gpointer data)
{
        struct program *program = data;

        (void)app;
        g_signal_handlers_disconnect_by_data(g_network_monitor_get_default(), program);
        program->commands.window = window_free(program->commands.window);
        program->commands.appearance = appearance_free(program->commands.appearance);
}

/* -1: go on; else the exit code. */
static int on_options(GApplication *app, GVariantDict *dict, gpointer data)
{
        struct program *program = data;
        const char *token = program->token ? program->token : g_getenv("DESKBELL_TOKEN");

        (void)app;
        (void)dict;
        if (program->is_visitor)
                token = NULL;
        if (!program->url || !program->app || !program->data_dir || (!token && !program->is_visitor) ||
            (program->token && program->is_visitor)) {
                g_printerr(
                        "deskbell-gtk: --url, --app, --data and one of --token (or DESKBELL_TOKEN) and --visitor are "
                        "needed; see --help\n");
                return EXIT_USAGE;
        }
        if (g_mkdir_with_parents(program->data_dir, 0700) != 0) {
                g_printerr("deskbell-gtk: %s cannot be made\n", program->data_dir);
                return EXIT_CANNOT;
        }
        program->options = (struct talk_options){
                .url = program->url,
                .app = program->app,
                .token = token,
                .data_dir = program->data_dir,
                .key = program->key ? program->key : "main",
                .ca_file = program->ca_file,
        };
        return -1;
}

static void add_options(GApplication *app, struct program *program)
{
        const GOptionEntry entries[] = {
                {"url", 0, 0, G_OPTION_ARG_STRING, &program->url, "Server: wss://HOST or ws://HOST:PORT", "URL"},
                {"app", 0, 0, G_OPTION_ARG_STRING, &program->app, "The app, app_...", "ID"},
                {"token", 0, 0, G_OPTION_ARG_STRING, &program->token, "User token (or in DESKBELL_TOKEN)", "TOKEN"},
                {"visitor", 0, 0, G_OPTION_ARG_NONE, &program->is_visitor, "Without a token", NULL},
                {"data", 0, 0, G_OPTION_ARG_FILENAME, &program->data_dir, "Where messages and drafts are kept", "DIR"},
                {"conversation", 0, 0, G_OPTION_ARG_STRING, &program->key, "Its key; default main", "KEY"},
                {"ca", 0, 0, G_OPTION_ARG_FILENAME, &program->ca_file, "Trusted roots for wss, PEM", "FILE"},
                {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
        };

        g_application_add_main_option_entries(app, entries);
        g_application_set_option_context_summary(app, "A support window: writes to the people who can help, and keeps "
                                                      "what is written until they have it.");
}

int main(int argc, char **argv)
{
        struct program program = {0};
        GtkApplication *app;

        setlocale(LC_ALL, "");
        signal(SIGPIPE, SIG_IGN);
        g_set_application_name("Support");
        app = gtk_application_new("org.deskbell.Support", G_APPLICATION_DEFAULT_FLAGS);
        add_options(G_APPLICATION(app), &program);
        g_signal_connect(app, "handle-local-options", G_CALLBACK(on_options), &program);
        g_signal_connect(app, "startup", G_CALLBACK(on_startup), &program);
        g_signal_connect(app, "activate", G_CALLBACK(on_activate), &program);
        g_signal_connect(app, "shutdown", G_CALLBACK(on_shutdown), &program);
        int code = g_application_run(G_APPLICATION(app), argc, argv);
        g_object_unref(app);
        char *texts[] = {program.url, program.app, program.token, program.data_dir, program.key, program.ca_file};
        for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
                g_free(texts[i]);
        return program.exit_code ? program.exit_code : code;
}
