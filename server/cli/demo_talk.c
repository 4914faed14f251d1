/* SPDX-License-Identifier: Apache-2.0 */
/* The conversations of the demo, said through the client SDK as an app and an agent's program would: each line waits
 * until the server has it on disk. Threads: the caller's, and one a client whose callbacks only set what is waited for.
 */
#include <deskbell/deskbell.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/cli.h"
#include "cli/demo.h"

enum { WAIT_S = 30, ID_BYTES = 18 };

struct line {
        int customer; /* whose conversation */
        int agent;    /* who speaks: an agent, or -1 = the customer */
        const char *text;
};

static const struct line lines[] = {
        {0, -1, "Hello! My parcel was due on Monday and has not come."},
        {0, 0, "Hello Alice, sorry about that. I am looking it up."},
        {0, 0, "It left the depot this morning. It should be with you **tomorrow before noon**."},
        {0, -1, "Thank you, that was quick!"},
        {1, -1, "Can I change the address of an order that is already paid?"},
        {1, 1, "Yes, as long as it has not been packed. What is the new address?"},
        {2, -1, "The app says my password is wrong. It is not."},
};

struct person {
        deskbell_client *client;
        deskbell_conversation *conversations[DEMO_CUSTOMERS];
};

/* What the callbacks tell. Under the lock. */
struct stage {
        pthread_mutex_t lock;
        pthread_cond_t changed;
        int sent;          /* messages with a final answer */
        char problem[128]; /* "" = none */
        struct person customers[DEMO_CUSTOMERS], agents[DEMO_AGENTS];
        char ids[DEMO_CUSTOMERS][ID_BYTES];
};

static void note_problem(struct stage *stage, const char *what)
{
        pthread_mutex_lock(&stage->lock);
        if (!*stage->problem)
                snprintf(stage->problem, sizeof(stage->problem), "%s", what);
        pthread_cond_broadcast(&stage->changed);
        pthread_mutex_unlock(&stage->lock);
}

static void on_message(deskbell_client *client, const struct deskbell_message *message, void *data)
{
        struct stage *stage = data;

        (void)client;
        if (message->state == DESKBELL_FAILED || message->state == DESKBELL_EXPIRED)
                note_problem(stage, message->tag);
        if (message->state != DESKBELL_SENT || message->is_again)
                return;
        pthread_mutex_lock(&stage->lock);
        stage->sent++;
        pthread_cond_broadcast(&stage->changed);
        pthread_mutex_unlock(&stage->lock);
}

static void on_state(deskbell_client *client, const struct deskbell_state *state, void *data)
{
        (void)client;
        if (state->connection == DESKBELL_STOPPED || state->connection == DESKBELL_NEEDS_TOKEN)
                note_problem(data, state->why);
}

static int join(struct stage *stage, const struct demo *demo, const char *token, bool is_agent, struct person *person)
{
        struct deskbell_options options = DESKBELL_OPTIONS_INIT;

        options.url = demo->url;
        options.app = demo->folder.app;
        options.client_name = "deskbell demo";
        options.on_message = on_message;
        options.on_state = on_state;
        options.data = stage;
        if (is_agent)
                options.agent_token = token;
        else
                options.token = token;
        int rc = deskbell_open(&options, &person->client);
        return rc == DESKBELL_OK ? deskbell_connect(person->client) : rc;
}

static int join_all(struct stage *stage, const struct demo *demo)
{
        int rc = DESKBELL_OK;

        for (int i = 0; rc == DESKBELL_OK && i < DEMO_CUSTOMERS; i++)
                rc = join(stage, demo, demo->customers[i], false, &stage->customers[i]);
        for (int i = 0; rc == DESKBELL_OK && i < DEMO_AGENTS; i++)
                rc = join(stage, demo, demo->agents[i], true, &stage->agents[i]);
        return rc == DESKBELL_OK ? EX_OK : cli_fail(EX_SOFTWARE, "%s", deskbell_error_text(rc));
}

static int wait_sent(struct stage *stage, int wanted)
{
        struct timespec until;
        int rc = 0;

        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += WAIT_S;
        pthread_mutex_lock(&stage->lock);
        while (rc == 0 && stage->sent < wanted && !*stage->problem)
                rc = pthread_cond_timedwait(&stage->changed, &stage->lock, &until);
        if (*stage->problem)
                rc = cli_fail(EX_SOFTWARE, "the demo's conversation was refused: %s", stage->problem);
        else if (rc != 0)
                rc = cli_fail(EX_TEMPFAIL, "the demo's conversation got no answer in %d s", WAIT_S);
        pthread_mutex_unlock(&stage->lock);
        return rc;
}

static deskbell_conversation *conversation_of(struct stage *stage, const struct line *line)
{
        struct person *person = line->agent < 0 ? &stage->customers[line->customer] : &stage->agents[line->agent];
        deskbell_conversation **conversation = &person->conversations[line->customer];

        if (*conversation)
                return *conversation;
        if (line->agent < 0)
                deskbell_conversation_open(person->client, "main", conversation);
        else
                deskbell_conversation_open_id(person->client, stage->ids[line->customer], conversation);
        return *conversation;
}

static int say(struct stage *stage, const struct line *line, int nth)
{
        deskbell_conversation *conversation = conversation_of(stage, line);
        if (!conversation)
                return cli_fail(EX_SOFTWARE, "the demo's conversation cannot be opened");
        int rc = deskbell_send(conversation, line->text, NULL, NULL);
        if (rc != DESKBELL_OK)
                return cli_fail(EX_SOFTWARE, "%s", deskbell_error_text(rc));
        rc = wait_sent(stage, nth);
        if (rc == EX_OK && line->agent < 0)
                deskbell_conversation_id(conversation, stage->ids[line->customer]);
        return rc;
}

int demo_talk(struct demo *demo)
{
        struct stage stage = {.sent = 0};

        pthread_mutex_init(&stage.lock, NULL);
        pthread_cond_init(&stage.changed, NULL);
        int rc = join_all(&stage, demo);
        for (size_t i = 0; rc == EX_OK && i < sizeof(lines) / sizeof(lines[0]); i++)
                rc = say(&stage, &lines[i], (int)i + 1);
        for (int i = 0; i < DEMO_CUSTOMERS; i++)
                snprintf(demo->conversations[i], sizeof(demo->conversations[i]), "%s", stage.ids[i]);
        for (int i = 0; i < DEMO_CUSTOMERS; i++)
                if (stage.customers[i].client)
                        deskbell_close(stage.customers[i].client);
        for (int i = 0; i < DEMO_AGENTS; i++)
                if (stage.agents[i].client)
                        deskbell_close(stage.agents[i].client);
        pthread_cond_destroy(&stage.changed);
        pthread_mutex_destroy(&stage.lock);
        return rc;
}
