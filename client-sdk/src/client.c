/* SPDX-License-Identifier: Apache-2.0 */
/* Client: the thread around the machine. It takes everything that arrived meanwhile as one turn, so that a burst of
 * messages costs one commit, then obeys the machine's wishes, sends its frames, and runs the callbacks with no lock
 * held. */
#include "client_private.h"

#include <stdlib.h>

enum {
        GIVE_AT_ONCE = 256, /* entries given in one turn */
        EVENTS_FULL = 4096, /* with callbacks_by_dispatch: nothing more is taken in until some ran */
        LINK_CLOSE_MS = 6000,
        INPUT_PAUSE_BYTES = 1 << 20,
};

int64_t client_mono_ms(const struct deskbell_client *client)
{
        return client->options.mono_ms ? client->options.mono_ms(client->options.data) : platform_mono_ms();
}

int64_t client_wall_ms(struct deskbell_client *client)
{
        if (!client->options.wall_ms)
                return platform_wall_ms();
        pthread_mutex_lock(&client->own_lock);
        int64_t ms = client->options.wall_ms(client->options.data);
        pthread_mutex_unlock(&client->own_lock);
        return ms;
}

/* ---- turns ------------------------------------------------------------------------------------------------------- */

void client_begin(struct deskbell_client *client, bool touches_outbox)
{
        pthread_mutex_lock(&client->lock);
        machine_begin(client->machine, client_mono_ms(client), client_wall_ms(client), touches_outbox);
}

int client_end(struct deskbell_client *client)
{
        int rc = machine_end(client->machine);

        client_settle(client);
        client_collect(client);
        pthread_mutex_unlock(&client->lock);
        client_poke(client);
        return rc;
}

static void take_input(struct deskbell_client *client, struct input *input)
{
        struct deskbell_link *link = input->link;

        if (link == client->current) {
                if (input->kind == INPUT_OPENED)
                        machine_link_opened(client->machine);
                else if (input->kind == INPUT_TEXT)
                        machine_link_text(client->machine, input->bytes, input->len);
                else if (input->kind == INPUT_FAILED)
                        machine_link_failed(client->machine, input->bytes, input->retry_after_ms);
                else
                        machine_link_closed(client->machine, input->code);
        }
        if (input->kind == INPUT_CLOSED || input->kind == INPUT_FAILED)
                client_unlink(client, link);
        free(input);
}

static void take_jobs(struct deskbell_client *client)
{
        pthread_mutex_lock(&client->inbox_lock);
        struct job *job = client->done_jobs, *next;
        client->done_jobs = NULL;
        pthread_mutex_unlock(&client->inbox_lock);
        for (; job; job = next) {
                next = job->next;
                machine_job_done(client->machine, job);
        }
}

/* A connection that brought more than anybody could read, or whose end was lost for want of memory. */
static void check_link(struct deskbell_client *client)
{
        struct deskbell_link *link = client->current;
        if (!link)
                return;

        pthread_mutex_lock(&client->inbox_lock);
        bool is_flooded = link->is_flooded;
        pthread_mutex_unlock(&client->inbox_lock);
        if (is_flooded) {
                client_close_link(client, 1009);
                machine_link_closed(client->machine, 1009);
        }
}

static bool has_room(struct deskbell_client *client)
{
        pthread_mutex_lock(&client->lock);
        bool has = client->events.count < EVENTS_FULL;
        pthread_mutex_unlock(&client->lock);
        return has;
}

/* True: there is more to give at once. */
static bool turn(struct deskbell_client *client, struct input *inputs)
{
        struct input *next;

        pthread_mutex_lock(&client->lock);
        struct handed *handed = client_take_handed(client);
        machine_begin(client->machine, client_mono_ms(client), client_wall_ms(client), handed != NULL);
        for (struct input *input = inputs; input; input = next) {
                next = input->next;
                take_input(client, input);
        }
        check_link(client);
        take_jobs(client);
        machine_time(client->machine);
        if (machine_wants_to_give(client->machine) && client->events.count < EVENTS_FULL)
                machine_give(client->machine, GIVE_AT_ONCE);
        machine_take(client->machine, handed); /* behind the content of a conversation that was opened before */
        machine_end(client->machine);
        client_settle(client);
        client_obey(client);
        client_collect(client);
        bool has_more = machine_wants_to_give(client->machine);
        pthread_cond_broadcast(&client->turned);
        pthread_mutex_unlock(&client->lock);
        return has_more;
}

static int64_t due_ms(struct deskbell_client *client)
{
        pthread_mutex_lock(&client->lock);
        int64_t due = machine_next_ms(client->machine);
        pthread_mutex_unlock(&client->lock);
        return due;
}

/* With the inbox lock held: until something arrives or `due` comes. With a clock of the application's own only
 * deskbell_tick tells that it was turned. */
static void wait_inbox(struct deskbell_client *client, int64_t due)
{
        if (due == INT64_MAX || client->options.mono_ms) {
                pthread_cond_wait(&client->inbox_wake, &client->inbox_lock);
                return;
        }
        platform_cond_wait(&client->inbox_wake, &client->inbox_lock, due);
}

static struct input *await(struct deskbell_client *client, bool is_hungry, int64_t due, bool *out_stop)
{
        struct input *inputs = NULL;

        pthread_mutex_lock(&client->inbox_lock);
        while (!client->is_poked && !client->is_stopping && !(is_hungry && client->first_input) &&
               due > client_mono_ms(client))
                wait_inbox(client, due);
        client->is_poked = false;
        *out_stop = client->is_stopping;
        if (is_hungry || *out_stop) {
                inputs = client->first_input;
                client->first_input = client->last_input = NULL;
                client->input_bytes = 0;
        }
        pthread_mutex_unlock(&client->inbox_lock);
        return inputs;
}

static void resume_links(struct deskbell_client *client)
{
        pthread_mutex_lock(&client->lock);
        struct deskbell_link *link = client->current;
        if (link) {
                pthread_mutex_lock(&client->inbox_lock);
                bool is_paused = link->is_paused && client->input_bytes < INPUT_PAUSE_BYTES && !link->is_flooded;
                if (is_paused)
                        link->is_paused = false;
                pthread_mutex_unlock(&client->inbox_lock);
                if (is_paused)
                        client->transport.resume(client->transport.data, link);
        }
        pthread_mutex_unlock(&client->lock);
}

static void *run(void *data)
{
        struct deskbell_client *client = data;
        bool has_more = false, is_stopping = false;

        while (!is_stopping) {
                bool is_hungry = has_room(client);
                int64_t due = has_more && is_hungry ? INT64_MIN : due_ms(client);
                struct input *inputs = await(client, is_hungry, due, &is_stopping);

                has_more = turn(client, inputs);
                client_answer(client);
                resume_links(client);
                if (client->waker.fd < 0)
                        client_deliver(client, SIZE_MAX);
        }
        return NULL;
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

int client_start(struct deskbell_client *client)
{
        pthread_mutex_init(&client->lock, NULL);
        pthread_mutex_init(&client->inbox_lock, NULL);
        pthread_mutex_init(&client->delivering, NULL);
        platform_cond_init(&client->inbox_wake);
        platform_cond_init(&client->turned);
        client->waker = PLATFORM_NO_WAKER;
        if (client->options.callbacks_by_dispatch && !platform_waker_open(&client->waker))
                return DESKBELL_E_NOMEM;
        handover_settle(&client->handover, client->machine);
        return pthread_create(&client->thread, NULL, run, client) == 0 ? 0 : DESKBELL_E_NOMEM;
}

/* A last turn. What is owed: some callbacks run exactly once. Nothing else is told any more. */
static void take_leave(struct deskbell_client *client, struct event_list *owed)
{
        struct event *event;

        client_begin_all(client);
        machine_disconnect(client->machine);
        machine_cancel_histories(client->machine, DESKBELL_E_CANCELLED);
        machine_cancel_searches(client->machine, DESKBELL_E_CANCELLED);
        machine_cancel_calls(client->machine);
        machine_cancel_fetches(client->machine);
        machine_end(client->machine);
        client_settle(client);
        client_obey(client);
        client_collect(client);
        while ((event = event_list_pop(&client->events))) {
                if (event_is_owed(event))
                        event_list_push(owed, event);
                else
                        event_free(event);
        }
        pthread_mutex_unlock(&client->lock);
}

/* Whether those callbacks have handed something over; from now on nothing is. */
static bool close_handover(struct deskbell_client *client)
{
        pthread_mutex_lock(&client->inbox_lock);
        client->handover.is_closed = true;
        bool has_more = client->handover.first != NULL;
        pthread_mutex_unlock(&client->inbox_lock);
        return has_more;
}

static void settle(struct deskbell_client *client)
{
        struct event_list owed = {0};
        struct event *event;
        bool has_more = true, is_last = false;

        while (has_more) {
                take_leave(client, &owed);
                while ((event = event_list_pop(&owed))) {
                        client_run_callback(client, event);
                        event_free(event);
                }
                has_more = close_handover(client) && !is_last;
                is_last = true;
        }
}

/* A transport without an end of its own still owes the closing of its connections: it may be about to speak of them. */
static bool are_links_closed(const struct deskbell_client *client)
{
        for (const struct deskbell_link *link = client->links; link; link = link->next)
                if (!link->is_closed)
                        return false;
        return true;
}

static void await_links(struct deskbell_client *client)
{
        int64_t until_ms = platform_mono_ms() + LINK_CLOSE_MS;

        pthread_mutex_lock(&client->inbox_lock);
        while (!are_links_closed(client) && platform_cond_wait(&client->inbox_wake, &client->inbox_lock, until_ms))
                continue;
        pthread_mutex_unlock(&client->inbox_lock);
}

void client_stop(struct deskbell_client *client)
{
        pthread_mutex_lock(&client->inbox_lock);
        client->is_stopping = true;
        pthread_cond_signal(&client->inbox_wake);
        pthread_mutex_unlock(&client->inbox_lock);
        pthread_join(client->thread, NULL);
        settle(client);
        transfer_stop(client->transfer);
        if (client->transport.stop) {
                client->transport.stop(client->transport.data);
        } else {
                await_links(client);
                transfer_await(client->transfer);
        }
        client->transfer = transfer_free(client->transfer);
        take_jobs(client);
        while (client->first_input) {
                struct input *input = client->first_input;
                client->first_input = input->next;
                free(input);
        }
        while (client->links)
                client_unlink(client, client->links);
        handover_clear(&client->handover);
        platform_waker_close(&client->waker);
        pthread_cond_destroy(&client->inbox_wake);
        pthread_cond_destroy(&client->turned);
        pthread_mutex_destroy(&client->inbox_lock);
        pthread_mutex_destroy(&client->lock);
        pthread_mutex_destroy(&client->delivering);
}
