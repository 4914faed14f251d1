/* SPDX-License-Identifier: Apache-2.0 */
/* A customer's conversation for the examples of event loops: prints entries, states and what became of messages. All on
 * one thread. */
#include "talk.h"

#include <stdio.h>
#include <string.h>

static void on_entry(deskbell_client *client, const struct deskbell_entry *entry, void *data)
{
        (void)client;
        (void)data;
        if (entry->kind == DESKBELL_KIND_EDIT || entry->kind == DESKBELL_KIND_ERASE) {
                printf("* message %lld was %s\n", (long long)entry->of,
                       entry->kind == DESKBELL_KIND_EDIT ? "edited" : "erased");
        } else if (*entry->text) {
                printf("%s: %s\n", entry->is_mine ? "me" : *entry->name ? entry->name : "them", entry->text);
                if (!entry->is_mine)
                        deskbell_mark_read(entry->conversation, entry->number);
        }
        fflush(stdout);
}

static void on_message(deskbell_client *client, const struct deskbell_message *message, void *data)
{
        (void)client;
        (void)data;
        if (message->state == DESKBELL_SENT)
                printf("* sent\n");
        else if (message->state == DESKBELL_FAILED)
                printf("* refused: %s\n", message->tag);
        fflush(stdout);
}

static void on_state(deskbell_client *client, const struct deskbell_state *state, void *data)
{
        (void)client;
        (void)data;
        if (state->connection == DESKBELL_ONLINE && state->caught_up)
                printf("* online\n");
        else if (state->connection == DESKBELL_STOPPED || state->connection == DESKBELL_NEEDS_TOKEN)
                printf("* stopped: %s\n", state->why);
        fflush(stdout);
}

int talk_open(struct talk *talk, int argc, char **argv)
{
        struct deskbell_options options = DESKBELL_OPTIONS_INIT;
        int rc;

        memset(talk, 0, sizeof(*talk));
        if (argc != 5) {
                fprintf(stderr, "usage: %s URL APP TOKEN FOLDER\n", argv[0]);
                return 1;
        }
        options.url = argv[1];
        options.app = argv[2];
        options.token = argv[3];
        options.data_dir = argv[4];
        options.callbacks_by_dispatch = 1;
        options.on_entry = on_entry;
        options.on_message = on_message;
        options.on_state = on_state;
        rc = deskbell_open(&options, &talk->client);
        if (rc == DESKBELL_OK)
                rc = deskbell_conversation_open(talk->client, "main", &talk->conversation);
        if (rc == DESKBELL_OK)
                rc = deskbell_connect(talk->client);
        if (rc == DESKBELL_OK)
                return 0;
        fprintf(stderr, "%s: %s\n", argv[0], deskbell_error_text(rc));
        talk_close(talk);
        return 1;
}

void talk_send(struct talk *talk, char *line)
{
        line[strcspn(line, "\r\n")] = '\0';
        if (!*line)
                return;

        int rc = deskbell_send(talk->conversation, line, NULL, NULL);
        if (rc != DESKBELL_OK)
                fprintf(stderr, "not queued: %s\n", deskbell_error_text(rc));
}

void talk_close(struct talk *talk)
{
        deskbell_close(talk->client);
        talk->client = NULL;
}
