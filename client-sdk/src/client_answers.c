/* SPDX-License-Identifier: Apache-2.0 */
/* Client: the application's table of answers (struct deskbell_answers). It is called on the client's thread between two
 * turns, with no lock held. */
#include "client_private.h"

#include <stdlib.h>

bool client_answers_are_valid(const struct deskbell_options *options)
{
        const struct deskbell_answers *answers = options->answers;

        return !answers || (answers->size >= offsetof(struct deskbell_answers, unload) + sizeof(answers->unload) &&
                            answers->load && answers->answer && answers->unload);
}

int client_open_answers(struct deskbell_client *client, const struct deskbell_options *options)
{
        if (!options->answers || !options->on_device_answer || options->agent_token)
                return 0;
        client_take_struct(&client->answers, sizeof(client->answers), options->answers,
                           offsetof(struct deskbell_answers, unload) + sizeof(client->answers.unload));
        client->locale = options->locale ? strdup(options->locale) : NULL;
        return client->locale || !options->locale ? 0 : DESKBELL_E_NOMEM;
}

static void load(const struct deskbell_answers *answers, struct answers_task *task)
{
        char version[2 * ANSWERS_VERSION + 1];

        answers_name(version, task->version);
        task->loaded = answers->load(answers->data, task->bytes, task->len, version);
        task->is_unusable = !task->loaded;
}

static void ask(struct deskbell_client *client, struct answers_task *task)
{
        const struct deskbell_answers *answers = &client->answers;
        const char *text = NULL, *rule = NULL;
        size_t points = 0;

        if (!task->loaded)
                load(answers, task);
        if (!task->loaded ||
            answers->answer(answers->data, task->loaded, task->question, client->locale, &text, &rule) != 1)
                return;
        if (!text || !*text || strlen(text) > PROTOCOL_TEXT_BYTES || !client_is_utf8(text, &points))
                return;
        snprintf(task->rule, sizeof(task->rule), "%s", rule && client_is_utf8(rule, &points) ? rule : "");
        task->text = strdup(text);
}

static void work(struct deskbell_client *client, struct answers_task *task)
{
        if (task->old)
                client->answers.unload(client->answers.data, task->old);
        task->old = NULL;
        if (task->question)
                ask(client, task);
}

void client_answer(struct deskbell_client *client)
{
        if (!client->answers.size)
                return;
        pthread_mutex_lock(&client->lock);
        struct answers_task *task = machine_answers_take(client->machine);
        pthread_mutex_unlock(&client->lock);
        if (!task)
                return;
        work(client, task);
        client_begin(client, false);
        machine_answers_done(client->machine, task);
        client_end(client);
}

void client_close_answers(struct deskbell_client *client)
{
        void *loaded;

        while (client->machine && client->answers.size && (loaded = machine_answers_unload(client->machine)))
                client->answers.unload(client->answers.data, loaded);
        free(client->locale);
        client->locale = NULL;
}
