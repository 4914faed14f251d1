/* SPDX-License-Identifier: Apache-2.0 */
/* A customer for the rigs of transports: says each state, log line and entry on a line of its own, and does what it is
 * told line by line: "send TEXT", "file PATH", "fetch PATH" (the last file that was seen), "network", "close".
 *
 *   sdk_road --url URL --app APP --token TOKEN --data FOLDER [--ca FILE] [--pin PIN]... [--proxy URL] [--own]
 *
 * --own: over the transport of examples/own_transport.c. */
#include <deskbell/deskbell.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "own_transport.h"

enum { PINS_MAX = 17 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct deskbell_file last_file;
static char last_id[40];

static void say(const char *what, const char *text)
{
        pthread_mutex_lock(&lock);
        printf("%s %s\n", what, text);
        fflush(stdout);
        pthread_mutex_unlock(&lock);
}

static void on_state(deskbell_client *client, const struct deskbell_state *state, void *data)
{
        static const char *const names[] = {"disconnected", "connecting", "online",  "waiting",
                                            "delayed",      "token",      "stopped", "paused"};
        char line[128];

        (void)client;
        (void)data;
        snprintf(line, sizeof(line), "%s %s %lld", names[state->connection], *state->why ? state->why : "-",
                 (long long)state->retry_in_ms);
        say("state", line);
}

static void on_log(enum deskbell_level level, const char *line, void *data)
{
        (void)level;
        (void)data;
        say("log", line);
}

static void on_entry(deskbell_client *client, const struct deskbell_entry *entry, void *data)
{
        char line[96];

        (void)client;
        (void)data;
        if (entry->files_count) {
                pthread_mutex_lock(&lock);
                last_file = entry->files[0];
                snprintf(last_id, sizeof(last_id), "%s", entry->files[0].id);
                last_file.id = last_id;
                last_file.name = last_file.media = "";
                pthread_mutex_unlock(&lock);
        }
        snprintf(line, sizeof(line), "%zu %.64s", strlen(entry->text), entry->text);
        say("entry", line);
}

static void on_message(deskbell_client *client, const struct deskbell_message *message, void *data)
{
        (void)client;
        (void)data;
        if (message->state == DESKBELL_SENT)
                say("sent", message->text);
        else if (message->state == DESKBELL_FAILED)
                say("failed", message->tag);
}

static void on_fetched(deskbell_client *client, int64_t fetch, int error, const char *path, void *data)
{
        (void)client;
        (void)fetch;
        (void)data;
        say(error ? "unfetched" : "fetched", path);
}

static void send_file(deskbell_conversation *conversation, const char *path)
{
        struct deskbell_file_source source = {path, NULL, 0, NULL, NULL};
        struct deskbell_file_options options = DESKBELL_FILE_OPTIONS_INIT;

        options.files = &source;
        options.files_count = 1;
        if (deskbell_send_file(conversation, &options, NULL) != DESKBELL_OK)
                say("failed", "file");
}

static void fetch(deskbell_client *client, const char *path)
{
        pthread_mutex_lock(&lock);
        struct deskbell_file file = last_file;
        pthread_mutex_unlock(&lock);
        if (deskbell_file_fetch(client, &file, path, NULL, on_fetched, NULL, NULL) != DESKBELL_OK)
                say("unfetched", path);
}

/* False: the end. */
static bool obey(deskbell_client *client, deskbell_conversation *conversation, char *line)
{
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "send ", 5) == 0 && deskbell_send(conversation, line + 5, NULL, NULL) != DESKBELL_OK)
                say("failed", "send");
        else if (strncmp(line, "file ", 5) == 0)
                send_file(conversation, line + 5);
        else if (strncmp(line, "fetch ", 6) == 0)
                fetch(client, line + 6);
        else if (strcmp(line, "network") == 0)
                deskbell_network_changed(client);
        return strcmp(line, "close") != 0;
}

static bool read_arguments(int argc, char **argv, struct deskbell_options *options, const char **pins, bool *out_own)
{
        const struct {
                const char *name, **place;
        } known[] = {
                {"--url", &options->url},       {"--app", &options->app},    {"--token", &options->token},
                {"--data", &options->data_dir}, {"--ca", &options->ca_file}, {"--proxy", &options->proxy},
        };

        for (int i = 1; i < argc; i++) {
                bool is_known = false;
                if (strcmp(argv[i], "--own") == 0) {
                        *out_own = is_known = true;
                } else if (strcmp(argv[i], "--pin") == 0 && i + 1 < argc && options->tls_pins_count < PINS_MAX) {
                        pins[options->tls_pins_count++] = argv[++i];
                        is_known = true;
                }
                for (size_t k = 0; k < sizeof(known) / sizeof(known[0]) && !is_known && i + 1 < argc; k++) {
                        if (strcmp(argv[i], known[k].name) != 0)
                                continue;
                        *known[k].place = argv[++i];
                        is_known = true;
                }
                if (!is_known)
                        return false;
        }
        return true;
}

int main(int argc, char **argv)
{
        struct deskbell_options options = DESKBELL_OPTIONS_INIT;
        struct deskbell_transport transport;
        struct own_transport *own = NULL;
        deskbell_conversation *conversation = NULL;
        deskbell_client *client = NULL;
        const char *pins[PINS_MAX];
        struct timespec before, after;
        bool uses_own = false;
        char line[65536];

        options.tls_pins = pins;
        if (!read_arguments(argc, argv, &options, pins, &uses_own)) {
                fprintf(stderr, "sdk_road: see the top of sdk_road.c\n");
                return 2;
        }
        options.on_state = on_state;
        options.on_log = on_log;
        options.on_entry = on_entry;
        options.on_message = on_message;
        if (uses_own) {
                own = own_transport_new(options.ca_file, &transport);
                options.transport = &transport;
        }
        int rc = uses_own && !own ? DESKBELL_E_NOMEM : deskbell_open(&options, &client);
        if (rc == DESKBELL_OK)
                rc = deskbell_conversation_open(client, "main", &conversation);
        if (rc == DESKBELL_OK)
                rc = deskbell_connect(client);
        if (rc != DESKBELL_OK) {
                say("error", deskbell_error_text(rc));
                deskbell_close(client);
                return 1;
        }
        while (fgets(line, sizeof(line), stdin) && obey(client, conversation, line))
                continue;
        clock_gettime(CLOCK_MONOTONIC, &before);
        deskbell_close(client);
        clock_gettime(CLOCK_MONOTONIC, &after);
        snprintf(line, sizeof(line), "%lld",
                 (long long)(after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000);
        say("closed", line);
        return 0;
}
