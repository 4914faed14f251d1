/* SPDX-License-Identifier: Apache-2.0 */
/* Client: the thread around the machine. It takes everything that arrived meanwhile as one turn, so that a burst of
 * messages costs one commit, then obeys the machine's wishes, sends its frames, and runs the callbacks with no lock
 * held. */
#include "client_private.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum {
        GIVE_AT_ONCE = 256, /* entries given in one turn */
        EVENTS_FULL = 4096, /* with callbacks_by_dispatch: nothing more is taken in until some ran */
        LINK_CLOSE_S = 6,
        RETRY_AFTER_MOST_MS = 3600000,
        INPUT_PAUSE_BYTES = 1 << 20,
        INPUT_FLOOD_BYTES = 32 << 20, /* a transport that does not pause */
};

static const char subprotocol[] = "deskbell.v1";

int64_t client_mono_ms(const struct deskbell_client *client)
{
        struct timespec now;

        if (client->options.mono_ms)
                return client->options.mono_ms(client->options.data);
        clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t client_wall_ms(struct deskbell_client *client)
{
        struct timespec now;

        if (client->options.wall_ms) {
                pthread_mutex_lock(&client->own_lock);
                int64_t ms = client->options.wall_ms(client->options.data);
                pthread_mutex_unlock(&client->own_lock);
                return ms;
        }
        clock_gettime(CLOCK_REALTIME, &now);
        return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- inbox: any thread ------------------------------------------------------------------------------------------- */

void client_poke(struct deskbell_client *client)
{
        pthread_mutex_lock(&client->inbox_lock);
        client->is_poked = true;
        pthread_cond_signal(&client->inbox_wake);
        pthread_mutex_unlock(&client->inbox_lock);
}

/* With the inbox lock held. */
static void push_input(struct deskbell_client *client, struct input *input)
{
        input->next = NULL;
        if (client->last_input)
                client->last_input->next = input;
        else
                client->first_input = input;
        client->last_input = input;
        client->input_bytes += input->len;
        pthread_cond_signal(&client->inbox_wake);
}

static struct input *input_new(struct deskbell_link *link, enum input_kind kind, const char *bytes, size_t len)
{
        struct input *input = malloc(sizeof(*input) + len);
        if (!input)
                return NULL;

        *input = (struct input){.link = link, .kind = kind, .len = len};
        if (len)
                memcpy(input->bytes, bytes, len);
        return input;
}

void deskbell_link_opened(deskbell_link *link)
{
        struct input *input = input_new(link, INPUT_OPENED, NULL, 0);

        pthread_mutex_lock(&link->client->inbox_lock);
        link->is_open = true;
        if (input)
                push_input(link->client, input); /* without memory: the machine's patience with it ends by itself */
        pthread_mutex_unlock(&link->client->inbox_lock);
}

int deskbell_link_text(deskbell_link *link, const char *bytes, size_t len)
{
        struct deskbell_client *client = link->client;
        struct input *input = len <= PROTOCOL_SERVER_FRAME_BYTES ? input_new(link, INPUT_TEXT, bytes, len) : NULL;

        pthread_mutex_lock(&client->inbox_lock);
        if (!input || client->input_bytes + len > INPUT_FLOOD_BYTES)
                link->is_flooded = true;
        if (link->is_flooded || link->is_closed) {
                free(input);
                client->is_poked = true;
                pthread_cond_signal(&client->inbox_wake);
        } else {
                push_input(client, input);
        }
        bool is_full = client->input_bytes > INPUT_PAUSE_BYTES || link->is_flooded;
        if (is_full)
                link->is_paused = true;
        pthread_mutex_unlock(&client->inbox_lock);
        return is_full;
}

void deskbell_link_closed(deskbell_link *link, int code)
{
        struct deskbell_client *client = link->client;
        struct input *input = input_new(link, INPUT_CLOSED, NULL, 0);

        pthread_mutex_lock(&client->inbox_lock);
        link->is_closed = true;
        if (input) {
                input->code = code;
                push_input(client, input);
        }
        client->is_poked = true;
        pthread_cond_signal(&client->inbox_wake);
        pthread_mutex_unlock(&client->inbox_lock);
}

/* The ones that are told, spelled once. */
static const char *known_reason(const char *why)
{
        static const char *const reasons[] = {"tls", "tls_pin", "proxy", "proxy_auth", "handshake"};

        for (size_t i = 0; why && i < sizeof(reasons) / sizeof(reasons[0]); i++)
                if (strcmp(why, reasons[i]) == 0)
                        return reasons[i];
        return "network";
}

void deskbell_link_failed(deskbell_link *link, const char *why, const char *detail, int64_t retry_after_ms)
{
        struct deskbell_client *client = link->client;
        const char *reason = known_reason(why);
        struct input *input = input_new(link, INPUT_FAILED, reason, strlen(reason) + 1);

        if (detail)
                road_log(client->road, DESKBELL_LOG_INFO, reason, detail);
        pthread_mutex_lock(&client->inbox_lock);
        link->is_closed = true;
        if (input) {
                input->retry_after_ms = retry_after_ms < RETRY_AFTER_MOST_MS ? retry_after_ms : RETRY_AFTER_MOST_MS;
                push_input(client, input);
        }
        client->is_poked = true;
        pthread_cond_signal(&client->inbox_wake);
        pthread_mutex_unlock(&client->inbox_lock);
}

/* ---- links: the client's thread, under the lock ------------------------------------------------------------------ */

static void unlink_link(struct deskbell_client *client, struct deskbell_link *link)
{
        struct deskbell_link **at = &client->links;

        while (*at != link)
                at = &(*at)->next;
        *at = link->next;
        if (client->current == link)
                client->current = NULL;
        free(link);
}

static void close_link(struct deskbell_client *client, int code)
{
        struct deskbell_link *link = client->current;
        if (!link)
                return;

        client->current = NULL;
        pthread_mutex_lock(&client->inbox_lock);
        bool is_closed = link->is_closed;
        pthread_mutex_unlock(&client->inbox_lock);
        if (!is_closed)
                client->transport.close(client->transport.data, link, code);
}

static void open_link(struct deskbell_client *client)
{
        struct deskbell_link *link = calloc(1, sizeof(*link));

        close_link(client, 1000);
        if (link) {
                link->client = client;
                link->next = client->links;
                client->links = link;
                client->current = link;
                if (client->transport.open(client->transport.data, client->url, subprotocol,
                                           PROTOCOL_SERVER_FRAME_BYTES, link) == 0)
                        return;
                unlink_link(client, link);
        }
        machine_begin(client->machine, client_mono_ms(client), client_wall_ms(client), false);
        machine_link_closed(client->machine, 1006);
        machine_end(client->machine);
}

static void obey(struct deskbell_client *client)
{
        struct machine_frame *frame;
        enum machine_wish wish;
        struct job *job;
        int code;

        while ((wish = machine_wish(client->machine, &code)) != WISH_NOTHING) {
                if (wish == WISH_OPEN)
                        open_link(client);
                else
                        close_link(client, code);
        }
        while ((job = machine_job_take(client->machine))) {
                if (client->transfer)
                        transfer_post(client->transfer, job);
                else
                        job_free(job);
        }
        while ((frame = machine_frame_take(client->machine))) {
                if (client->current)
                        client->transport.send(client->transport.data, client->current, frame->bytes, frame->len);
                free(frame);
        }
}

/* ---- events ------------------------------------------------------------------------------------------------------ */

/* Under the lock: what the machine has ready goes to the queue of callbacks. */
static void collect(struct deskbell_client *client)
{
        bool was_empty = client->events.count == 0;
        uint64_t one = 1;

        event_list_move(&client->events, machine_events(client->machine));
        if (was_empty && client->events.count && client->event_fd >= 0 &&
            write(client->event_fd, &one, sizeof(one)) != sizeof(one))
                return; /* cannot be: the counter is far from full */
}

static void run_callback(struct deskbell_client *client, const struct event *event)
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
        uint64_t count;

        pthread_mutex_lock(&client->lock);
        struct event *event = event_list_pop(&client->events);
        if (event && !client->events.count && client->event_fd >= 0 &&
            read(client->event_fd, &count, sizeof(count)) != sizeof(count))
                errno = 0; /* it was not readable: nothing to clear */
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
                run_callback(client, event);
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
        collect(client);
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
                unlink_link(client, link);
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
                close_link(client, 1009);
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
        obey(client);
        collect(client);
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
        struct timespec until = {.tv_sec = due / 1000, .tv_nsec = due % 1000 * 1000000};
        pthread_cond_timedwait(&client->inbox_wake, &client->inbox_lock, &until);
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
                resume_links(client);
                if (client->event_fd < 0)
                        client_deliver(client, SIZE_MAX);
        }
        return NULL;
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

int client_start(struct deskbell_client *client)
{
        pthread_condattr_t monotonic;

        pthread_mutex_init(&client->lock, NULL);
        pthread_mutex_init(&client->inbox_lock, NULL);
        pthread_mutex_init(&client->delivering, NULL);
        pthread_condattr_init(&monotonic);
        pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
        pthread_cond_init(&client->inbox_wake, &monotonic);
        pthread_cond_init(&client->turned, &monotonic);
        pthread_condattr_destroy(&monotonic);
        client->event_fd = -1;
        if (client->options.callbacks_by_dispatch) {
                client->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
                if (client->event_fd < 0)
                        return DESKBELL_E_NOMEM;
        }
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
        machine_cancel_fetches(client->machine);
        machine_end(client->machine);
        client_settle(client);
        obey(client);
        collect(client);
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
                        run_callback(client, event);
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
        struct timespec until;

        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += LINK_CLOSE_S;
        pthread_mutex_lock(&client->inbox_lock);
        while (!are_links_closed(client))
                if (pthread_cond_timedwait(&client->inbox_wake, &client->inbox_lock, &until) == ETIMEDOUT)
                        break;
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
                unlink_link(client, client->links);
        handover_clear(&client->handover);
        if (client->event_fd >= 0)
                close(client->event_fd);
        pthread_cond_destroy(&client->inbox_wake);
        pthread_cond_destroy(&client->turned);
        pthread_mutex_destroy(&client->inbox_lock);
        pthread_mutex_destroy(&client->lock);
        pthread_mutex_destroy(&client->delivering);
}
