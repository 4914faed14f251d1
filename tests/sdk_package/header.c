/* SPDX-License-Identifier: Apache-2.0 */
/* Compiled alone, as strict C99 and as C++: what an application that includes nothing else can do with the header. */
#include <deskbell/bot.h>
#include <deskbell/desk.h>

static void on_entry(deskbell_client *client, const struct deskbell_entry *entry, void *data)
{
        (void)data;
        if (entry->origin == DESKBELL_FOLLOWING && !entry->is_mine)
                deskbell_mark_read(entry->conversation, entry->number);
        (void)client;
}

static void on_turn(deskbell_client *client, const struct deskbell_turn *turn, void *data)
{
        struct deskbell_act act = DESKBELL_ACT_INIT;
        struct deskbell_choice choices[1] = {{"a", "Apples"}};

        (void)data;
        if (*turn->pressed_id)
                deskbell_act(client, turn, &act);
        else if (*turn->state)
                deskbell_act_say(client, turn, turn->text);
        else if (deskbell_act_offer(client, turn, "Which?", choices, 1) < 0)
                deskbell_act_hand_off(client, turn, 0, 0);
}

int serve(deskbell_client *client);

int serve(deskbell_client *client)
{
        struct deskbell_bot bot = DESKBELL_BOT_INIT;

        bot.on_turn = on_turn;
        return deskbell_bot_start(client, &bot);
}

static void on_answer(deskbell_client *client, int error, const char *result, void *data)
{
        (void)client, (void)error, (void)result, (void)data;
}

static void on_event(deskbell_client *client, const char *event, const char *params, void *data)
{
        (void)event, (void)params, (void)data;
        deskbell_call(client, "ticket.list", "{}", on_answer, 0);
}

int listen_to_all(deskbell_client *client);

int listen_to_all(deskbell_client *client)
{
        return deskbell_on_event(client, on_event, 0);
}

int talk(const char *url, const char *app, const char *token);

int talk(const char *url, const char *app, const char *token)
{
        struct deskbell_options options = DESKBELL_OPTIONS_INIT;
        struct deskbell_send_options how = DESKBELL_SEND_OPTIONS_INIT;
        struct deskbell_history_options which = DESKBELL_HISTORY_OPTIONS_INIT;
        struct deskbell_status status = DESKBELL_STATUS_INIT;
        deskbell_client *client = 0;
        deskbell_conversation *conversation = 0;
        int rc;

        options.url = url;
        options.app = app;
        options.token = token;
        options.on_entry = on_entry;
        rc = deskbell_open(&options, &client);
        if (rc != DESKBELL_OK)
                return rc;
        rc = deskbell_conversation_open(client, 0, &conversation);
        if (rc == DESKBELL_OK)
                rc = deskbell_send(conversation, "Hello", &how, 0);
        if (rc == DESKBELL_OK)
                rc = deskbell_connect(client);
        if (rc == DESKBELL_OK)
                rc = deskbell_history(conversation, &which, 0, 0);
        deskbell_status(client, &status);
        deskbell_close(client);
        return rc;
}
