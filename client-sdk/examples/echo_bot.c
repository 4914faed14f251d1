/* SPDX-License-Identifier: Apache-2.0 */
/* A bot that answers each customer message once, with its own words, and keeps that promise when it is killed at any
 * moment: an entry counts as done (manual_ack) only when its answer is in the outbox, and an answer's id is made from
 * the question's, so that answering a second time is refused with EXISTS. Watches at most 50 conversations at a time.
 * Usage: echo_bot URL APP BOT_KEY FOLDER; SIGTERM or SIGINT ends it. */
#include <deskbell/deskbell.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static void on_conversation(deskbell_client *client, const struct deskbell_conversation_info *info, void *data)
{
        deskbell_conversation *conversation;

        (void)data;
        if (info->unanswered > 0 && *info->id)
                deskbell_conversation_open_id(client, info->id, &conversation);
}

static int answer(const struct deskbell_entry *entry)
{
        struct deskbell_send_options how = DESKBELL_SEND_OPTIONS_INIT;
        char id[33];

        snprintf(id, sizeof(id), "%s", entry->cmid);
        id[31] = id[31] == '0' ? '1' : '0';
        how.cmid = id;
        how.wait_for_disk = 1; /* the question is done with only when its answer is on the disk */
        how.reply_to = entry->number;
        int rc = deskbell_send(entry->conversation, entry->text, &how, NULL);
        return rc == DESKBELL_E_EXISTS ? DESKBELL_OK : rc;
}

static void on_entry(deskbell_client *client, const struct deskbell_entry *entry, void *data)
{
        int is_question = entry->log == DESKBELL_PUBLIC && entry->kind == DESKBELL_KIND_TEXT &&
                          strncmp(entry->author, "usr_", 4) == 0;

        (void)client;
        (void)data;
        if (entry->origin != DESKBELL_FOLLOWING)
                return; /* done with in an earlier run */
        if (is_question) {
                int rc = answer(entry);
                if (rc != DESKBELL_OK) {
                        fprintf(stderr, "echo_bot: %s\n", deskbell_error_text(rc));
                        return; /* not done: it is given again after a restart */
                }
        }
        deskbell_entry_done(entry->conversation, entry->log, entry->number);
}

static void on_state(deskbell_client *client, const struct deskbell_state *state, void *data)
{
        (void)client;
        (void)data;
        if (state->connection == DESKBELL_ONLINE && state->caught_up)
                printf("on duty as %s\n", state->principal);
        else if (state->connection == DESKBELL_STOPPED || state->connection == DESKBELL_NEEDS_TOKEN)
                printf("stopped: %s\n", state->why);
        fflush(stdout);
}

int main(int argc, char **argv)
{
        struct deskbell_options options = DESKBELL_OPTIONS_INIT;
        deskbell_client *client = NULL;
        sigset_t ends;
        int rc, which;

        if (argc != 5) {
                fprintf(stderr, "usage: echo_bot URL APP BOT_KEY FOLDER\n");
                return 1;
        }
        sigemptyset(&ends);
        sigaddset(&ends, SIGTERM);
        sigaddset(&ends, SIGINT);
        sigprocmask(SIG_BLOCK, &ends, NULL); /* before the client's threads begin: they inherit it */
        options.url = argv[1];
        options.app = argv[2];
        options.agent_token = argv[3];
        options.data_dir = argv[4];
        options.manual_ack = 1;
        options.first_page = -1; /* all, from the first: a bot answers what was said before it came */
        options.on_conversation = on_conversation;
        options.on_entry = on_entry;
        options.on_state = on_state;
        rc = deskbell_open(&options, &client);
        if (rc == DESKBELL_OK)
                rc = deskbell_connect(client);
        if (rc != DESKBELL_OK)
                fprintf(stderr, "echo_bot: %s\n", deskbell_error_text(rc));
        else
                sigwait(&ends, &which);
        deskbell_close(client);
        return rc != DESKBELL_OK;
}
