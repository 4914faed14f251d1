/* SPDX-License-Identifier: Apache-2.0 */
/* A kiosk without users and without an event loop: a visitor, four looks a second, no callback on another thread. Each
 * line typed is a press on "help" with that text. What is said comes from deskbell_dispatch, how things stand from
 * deskbell_status. The visitor's secret is kept in FOLDER: wipe it when the next person is not to read the last one's
 * conversation. Usage: kiosk URL APP FOLDER */
#include <deskbell/deskbell.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LOOK_MS = 250 };

static void on_entry(deskbell_client *client, const struct deskbell_entry *entry, void *data)
{
        (void)client;
        (void)data;
        printf("%s> %s\n", entry->is_mine ? "you" : "staff", entry->text);
        if (!entry->is_mine)
                deskbell_mark_read(entry->conversation, entry->number);
}

static void show_status(const struct deskbell_status *status)
{
        printf("[%s, %lld waiting]\n", status->is_online ? "connected" : "no connection", (long long)status->queued);
        fflush(stdout);
}

/* Whether a line was typed meanwhile: waits for the next look at the longest. -1: the input has ended. */
static int read_press(char *line, size_t room)
{
        struct pollfd keys = {0, POLLIN, 0};

        if (poll(&keys, 1, LOOK_MS) <= 0)
                return 0;
        ssize_t got = read(0, line, room - 1);
        if (got <= 0)
                return -1;
        line[got] = '\0';
        line[strcspn(line, "\n")] = '\0';
        return *line != '\0';
}

static void look(deskbell_client *client, struct deskbell_status *shown)
{
        struct deskbell_status now = DESKBELL_STATUS_INIT;

        deskbell_dispatch(client, 0);
        deskbell_status(client, &now);
        if (now.is_online != shown->is_online || now.queued != shown->queued)
                show_status(&now);
        *shown = now;
        fflush(stdout);
}

int main(int argc, char **argv)
{
        struct deskbell_options options = DESKBELL_OPTIONS_INIT;
        struct deskbell_status shown = DESKBELL_STATUS_INIT;
        deskbell_conversation *conversation = NULL;
        deskbell_client *client = NULL;
        char line[1024];
        int rc, pressed = 0;

        if (argc != 4) {
                fprintf(stderr, "usage: kiosk URL APP FOLDER\n");
                return 1;
        }
        options.url = argv[1];
        options.app = argv[2];
        options.data_dir = argv[3];
        options.is_visitor = 1;
        options.callbacks_by_dispatch = 1;
        options.on_entry = on_entry;
        rc = deskbell_open(&options, &client);
        if (rc == DESKBELL_OK)
                rc = deskbell_conversation_open(client, "kiosk", &conversation);
        if (rc == DESKBELL_OK)
                rc = deskbell_connect(client);
        while (rc == DESKBELL_OK && pressed >= 0) {
                if (pressed)
                        rc = deskbell_send(conversation, line, NULL, NULL);
                look(client, &shown);
                pressed = read_press(line, sizeof(line));
        }
        if (rc != DESKBELL_OK)
                fprintf(stderr, "kiosk: %s\n", deskbell_error_text(rc));
        deskbell_close(client);
        return rc != DESKBELL_OK;
}
