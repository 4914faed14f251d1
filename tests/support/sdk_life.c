/* SPDX-License-Identifier: Apache-2.0 */
/* An application on a phone: one client, brought to the background and back, reached by notifications, logged out. A
 * command a line on stdin, what happens a line on stdout. Callbacks run on the client's own thread; this one only waits
 * for the next command. Usage: sdk_life URL APP TOKEN DATA_DIR */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "deskbell/deskbell.h"

static void on_state(deskbell_client *client, const struct deskbell_state *state, void *data)
{
        (void)client;
        (void)data;
        printf("state %d %d %s\n", (int)state->connection, state->caught_up, state->why);
}

static void on_entry(deskbell_client *client, const struct deskbell_entry *entry, void *data)
{
        (void)client;
        (void)data;
        printf("entry %lld %s\n", (long long)entry->number, entry->text);
}

static void on_message(deskbell_client *client, const struct deskbell_message *message, void *data)
{
        (void)client;
        (void)data;
        printf("message %d %s\n", (int)message->state, message->text);
}

static void on_push_settled(deskbell_client *client, int is_caught_up, void *data)
{
        (void)client;
        (void)data;
        printf("settled %d\n", is_caught_up);
}

static void received(deskbell_client *client, char *rest)
{
        char *conv = strtok(rest, " "), *seq = strtok(NULL, " ");
        int is_news = -1;
        int rc = deskbell_push_received(client, conv, seq ? strtoll(seq, NULL, 10) : 0, &is_news);

        printf("received %d %d\n", rc, is_news);
}

/* True: the client is no more. */
static int log_out(deskbell_client *client, int discard)
{
        int was_told = -1;
        int rc = deskbell_log_out(client, discard, &was_told);

        printf("logged out %d %d\n", rc, was_told);
        return rc == DESKBELL_OK || rc == DESKBELL_E_STORE;
}

/* True: the client is no more. */
static int obey(deskbell_client *client, deskbell_conversation *conv, char *line)
{
        char *rest = strchr(line, ' ');

        if (rest)
                *rest++ = '\0';
        if (strcmp(line, "send") == 0)
                printf("sent %d\n", deskbell_send(conv, rest ? rest : "", NULL, NULL));
        else if (strcmp(line, "background") == 0)
                printf("background %d\n", deskbell_set_background(client, 1));
        else if (strcmp(line, "foreground") == 0)
                printf("foreground %d\n", deskbell_set_background(client, 0));
        else if (strcmp(line, "push") == 0)
                printf("push %d\n", deskbell_set_push(client, DESKBELL_PUSH_FCM, rest));
        else if (strcmp(line, "received") == 0 && rest)
                received(client, rest);
        else if (strcmp(line, "log-out") == 0)
                return log_out(client, rest && strcmp(rest, "discard") == 0);
        else
                printf("what is %s?\n", line);
        return 0;
}

int main(int argc, char **argv)
{
        struct deskbell_options options = DESKBELL_OPTIONS_INIT;
        deskbell_client *client = NULL;
        deskbell_conversation *conv = NULL;
        char line[8192];
        int has_ended = 0;

        if (argc != 5)
                return 2;
        setvbuf(stdout, NULL, _IOLBF, 0);
        options.url = argv[1];
        options.app = argv[2];
        options.token = argv[3];
        options.data_dir = argv[4];
        options.on_state = on_state;
        options.on_entry = on_entry;
        options.on_message = on_message;
        options.on_push_settled = on_push_settled;
        int rc = deskbell_open(&options, &client);
        if (rc == 0)
                rc = deskbell_conversation_open(client, "main", &conv);
        if (rc == 0)
                rc = deskbell_connect(client);
        printf("open %d\n", rc);
        while (rc == 0 && !has_ended && fgets(line, sizeof(line), stdin)) {
                line[strcspn(line, "\n")] = '\0';
                has_ended = obey(client, conv, line);
        }
        if (!has_ended)
                deskbell_close(client);
        return rc == 0 ? 0 : 1;
}
