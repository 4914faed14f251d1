/* SPDX-License-Identifier: Apache-2.0 */
/* minimal.c over a transport of its own (own_transport.c). Usage: own_chat URL APP TOKEN FOLDER [CA_FILE] */
#include "own_transport.h"

#include <stdio.h>
#include <string.h>

static void on_entry(deskbell_client *client, const struct deskbell_entry *entry, void *data)
{
        printf("%s: %s\n", entry->is_mine ? "me" : entry->name, entry->text);
        fflush(stdout);
}

static void on_state(deskbell_client *client, const struct deskbell_state *state, void *data)
{
        if (state->connection == DESKBELL_WAITING && *state->why)
                fprintf(stderr, "own_chat: no connection: %s\n", state->why);
}

int main(int argc, char **argv)
{
        struct deskbell_options options = DESKBELL_OPTIONS_INIT;
        struct deskbell_transport transport;
        deskbell_conversation *conversation = NULL;
        deskbell_client *client = NULL;
        char line[4096];

        if (argc < 5 || !own_transport_new(argv[5], &transport)) {
                fprintf(stderr, "usage: %s URL APP TOKEN FOLDER [CA_FILE]\n", argv[0]);
                return 1;
        }
        options.url = argv[1];
        options.app = argv[2];
        options.token = argv[3];
        options.data_dir = argv[4];
        options.transport = &transport;
        options.on_entry = on_entry;
        options.on_state = on_state;
        int rc = deskbell_open(&options, &client);
        if (rc != DESKBELL_OK)
                transport.stop(transport.data);
        if (rc == DESKBELL_OK)
                rc = deskbell_conversation_open(client, "main", &conversation);
        if (rc == DESKBELL_OK)
                rc = deskbell_connect(client);
        while (rc == DESKBELL_OK && fgets(line, sizeof(line), stdin)) {
                line[strcspn(line, "\n")] = '\0';
                rc = deskbell_send(conversation, line, NULL, NULL);
        }
        if (rc != DESKBELL_OK)
                fprintf(stderr, "own_chat: %s\n", deskbell_error_text(rc));
        deskbell_close(client);
        return rc != DESKBELL_OK;
}
