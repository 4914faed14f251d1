/* SPDX-License-Identifier: Apache-2.0 */
/* The smallest useful program: prints what is said, sends each line typed. Usage: minimal URL APP TOKEN FOLDER */
#include <deskbell/deskbell.h>
#include <stdio.h>
#include <string.h>

static void on_entry(deskbell_client *client, const struct deskbell_entry *entry, void *data)
{
        printf("%s: %s\n", entry->is_mine ? "me" : entry->name, entry->text);
        fflush(stdout);
}

int main(int argc, char **argv)
{
        struct deskbell_options options = DESKBELL_OPTIONS_INIT;
        deskbell_conversation *conversation = NULL;
        deskbell_client *client = NULL;
        char line[4096];

        options.url = argc == 5 ? argv[1] : "";
        options.app = argc == 5 ? argv[2] : "";
        options.token = argc == 5 ? argv[3] : "";
        options.data_dir = argc == 5 ? argv[4] : "";
        options.on_entry = on_entry;
        int rc = deskbell_open(&options, &client);
        if (rc == DESKBELL_OK)
                rc = deskbell_conversation_open(client, "main", &conversation);
        if (rc == DESKBELL_OK)
                rc = deskbell_connect(client);
        while (rc == DESKBELL_OK && fgets(line, sizeof(line), stdin)) {
                line[strcspn(line, "\n")] = '\0';
                rc = deskbell_send(conversation, line, NULL, NULL);
        }
        if (rc != DESKBELL_OK)
                fprintf(stderr, "minimal: %s\n", deskbell_error_text(rc));
        deskbell_close(client);
        return rc != DESKBELL_OK;
}
