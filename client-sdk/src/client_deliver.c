/* SPDX-License-Identifier: Apache-2.0 */
/* Delivering: callbacks, one at a time, with no lock held; and the machine is told which outcomes the application has
 * heard. */
#include "client_private.h"

#include <stdlib.h>

/* Under the lock: what the machine has ready goes to the queue of callbacks. */
void client_collect(struct deskbell_client *client)
{
        bool was_empty = client->events.count == 0;

        event_list_move(&client->events, machine_events(client->machine));
        if (was_empty && client->events.count)
                platform_waker_wake(&client->waker);
}

void client_run_callback(struct deskbell_client *client, const struct event *event)
{
        const struct deskbell_options *on = &client->options;

        switch (event->kind) {
        case EVENT_STATE:
                if (on->on_state)
                        on->on_state(client, &event->state, on->data);
                break;
        case EVENT_ENTRY:
                if (on->on_entry)
                        on->on_entry(client, &event->entry, on->data);
                break;
        case EVENT_MESSAGE:
                if (on->on_message)
                        on->on_message(client, &event->message, on->data);
                break;
        case EVENT_CONVERSATION:
                if (on->on_conversation)
                        on->on_conversation(client, &event->info, on->data);
                break;
        case EVENT_OPENED:
                if (on->on_opened)
                        on->on_opened(client, event->opened.conversation, event->opened.seq, event->opened.iseq,
                                      on->data);
                break;
        case EVENT_TYPING:
                if (on->on_typing)
                        on->on_typing(client, event->typing.conversation, event->typing.author, event->typing.is_typing,
                                      on->data);
                break;
        case EVENT_PRESENCE:
                if (on->on_presence)
                        on->on_presence(client, &event->presence, on->data);
                break;
        case EVENT_UNREAD:
                if (on->on_unread)
                        on->on_unread(client, event->unread, on->data);
                break;
        case EVENT_TOKEN:
                if (on->on_token)
                        on->on_token(client, on->data);
                break;
        case EVENT_NOTICE:
                if (on->on_notice)
                        on->on_notice(client, event->notice.notice, event->notice.conversation, event->notice.detail,
                                      on->data);
                break;
        case EVENT_DEVICE_ANSWER:
                if (on->on_device_answer)
                        on->on_device_answer(client, &event->found, on->data);
                break;
        case EVENT_TURN:
                client->bot.on_turn(client, &event->turn, client->bot.data);
                break;
        case EVENT_ACTED:
                if (client->bot.on_acted)
                        client->bot.on_acted(client, &event->acted, client->bot.data);
                break;
        case EVENT_CALLED:
                event->called.fn(client, event->called.error, event->called.result, event->called.data);
                break;
        case EVENT_TOLD:
                client->on_event(client, event->told.name, event->told.params, client->on_event_data);
                break;
        case EVENT_PUSH:
                if (on->on_push_settled)
                        on->on_push_settled(client, event->is_caught_up, on->data);
                break;
        case EVENT_HISTORY:
                event->history.fn(client, event->history.error, event->history.entries, event->history.count,
                                  event->history.head, event->history.more, event->history.data);
                break;
        case EVENT_PROGRESS:
                if (on->on_progress)
                        on->on_progress(client, &event->progress, on->data);
                break;
        case EVENT_FETCHING:
                event->fetch.progress(client, event->fetch.fetch, event->fetch.received, event->fetch.total,
                                      event->fetch.data);
                break;
        case EVENT_FETCHED:
                event->fetch.done(client, event->fetch.fetch, event->fetch.error, event->fetch.path, event->fetch.data);
                break;
        case EVENT_SEARCH:
                event->search.fn(client, event->search.error, event->search.found, event->search.count,
                                 event->search.next, event->search.is_cut, event->search.data);
                break;
        }
}

bool client_is_in_callback(struct deskbell_client *client)
{
        return client->is_delivering && pthread_equal(client->deliverer, pthread_self());
}

static struct event *take_event(struct deskbell_client *client)
{
        pthread_mutex_lock(&client->lock);
        struct event *event = event_list_pop(&client->events);
        if (event && !client->events.count)
                platform_waker_clear(&client->waker);
        pthread_mutex_unlock(&client->lock);
        return event;
}

enum { TOLD_AT_ONCE = 64 };

/* The application knows of these outcomes: they are not told again after a restart. */
static void note_told(struct deskbell_client *client, const int64_t *told, size_t count)
{
        if (!count)
                return;
        client_begin(client, false);
        for (size_t i = 0; i < count; i++)
                machine_told(client->machine, told[i]);
        client_end(client);
}

int client_deliver(struct deskbell_client *client, size_t max)
{
        int64_t told[TOLD_AT_ONCE];
        size_t told_count = 0, ran = 0;
        struct event *event;

        pthread_mutex_lock(&client->delivering);
        client->deliverer = pthread_self();
        client->is_delivering = true;
        while (ran < max && !client->is_muted && (event = take_event(client))) {
                client_run_callback(client, event);
                ran++;
                if (event->told_pos)
                        told[told_count++] = event->told_pos;
                event_free(event);
                if (told_count == TOLD_AT_ONCE) {
                        note_told(client, told, told_count);
                        told_count = 0;
                }
        }
        note_told(client, told, told_count);
        client->is_delivering = false;
        pthread_mutex_unlock(&client->delivering);
        return (int)ran;
}
