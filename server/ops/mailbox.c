/* SPDX-License-Identifier: Apache-2.0 */
/* Mailbox: see mailbox.h. Always true under the lock: held.first is NULL exactly when held.count is 0. */
#include "ops/mailbox.h"

#include <errno.h>
#include <time.h>

void mailbox_init(struct mailbox *mailbox, size_t max_items, size_t max_bytes, void (*wake)(void *data),
                  void *wake_data)
{
        pthread_condattr_t attr;

        *mailbox =
                (struct mailbox){.max_items = max_items, .max_bytes = max_bytes, .wake = wake, .wake_data = wake_data};
        pthread_mutex_init(&mailbox->lock, NULL);
        pthread_condattr_init(&attr);
        pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
        pthread_cond_init(&mailbox->filled, &attr);
        pthread_condattr_destroy(&attr);
}

void mailbox_done(struct mailbox *mailbox)
{
        pthread_cond_destroy(&mailbox->filled);
        pthread_mutex_destroy(&mailbox->lock);
}

void mailbox_list_add(struct mailbox_list *list, struct mailbox_item *item, size_t bytes)
{
        item->next = NULL;
        if (list->last)
                list->last->next = item;
        else
                list->first = item;
        list->last = item;
        list->count++;
        list->bytes += bytes;
}

static int refusal(const struct mailbox *mailbox, const struct mailbox_list *list, bool bounded)
{
        const struct mailbox_list *held = &mailbox->held;

        if (mailbox->is_closed)
                return -EPIPE;
        if (bounded &&
            (list->count > mailbox->max_items - (held->count < mailbox->max_items ? held->count : mailbox->max_items) ||
             list->bytes > mailbox->max_bytes - (held->bytes < mailbox->max_bytes ? held->bytes : mailbox->max_bytes)))
                return -ENOBUFS;
        return 0;
}

static void append(struct mailbox *mailbox, const struct mailbox_list *list)
{
        struct mailbox_list *held = &mailbox->held;

        if (held->last)
                held->last->next = list->first;
        else
                held->first = list->first;
        held->last = list->last;
        held->count += list->count;
        held->bytes += list->bytes;
        atomic_store_explicit(&mailbox->count, held->count, memory_order_relaxed);
}

static int push(struct mailbox *mailbox, const struct mailbox_list *list, bool bounded)
{
        if (!list->first)
                return 0;
        pthread_mutex_lock(&mailbox->lock);
        int rc = refusal(mailbox, list, bounded);
        bool was_empty = !mailbox->held.first;
        if (rc == 0) {
                append(mailbox, list);
                if (was_empty)
                        pthread_cond_signal(&mailbox->filled);
        }
        pthread_mutex_unlock(&mailbox->lock);

        if (rc == 0 && was_empty && mailbox->wake)
                mailbox->wake(mailbox->wake_data);
        return rc;
}

int mailbox_push(struct mailbox *mailbox, struct mailbox_item *item, size_t bytes)
{
        struct mailbox_list list = {0};

        mailbox_list_add(&list, item, bytes);
        return push(mailbox, &list, true);
}

int mailbox_push_list(struct mailbox *mailbox, const struct mailbox_list *list)
{
        return push(mailbox, list, true);
}

int mailbox_force(struct mailbox *mailbox, struct mailbox_item *item, size_t bytes)
{
        struct mailbox_list list = {0};

        mailbox_list_add(&list, item, bytes);
        return push(mailbox, &list, false);
}

static struct mailbox_item *take_locked(struct mailbox *mailbox)
{
        struct mailbox_item *first = mailbox->held.first;

        mailbox->held = (struct mailbox_list){0};
        mailbox->is_kicked = false;
        atomic_store_explicit(&mailbox->count, 0, memory_order_relaxed);
        return first;
}

struct mailbox_item *mailbox_take(struct mailbox *mailbox)
{
        pthread_mutex_lock(&mailbox->lock);
        struct mailbox_item *first = take_locked(mailbox);
        pthread_mutex_unlock(&mailbox->lock);
        return first;
}

static struct timespec deadline_in(int64_t ms)
{
        struct timespec at;

        clock_gettime(CLOCK_MONOTONIC, &at);
        at.tv_sec += ms / 1000;
        at.tv_nsec += ms % 1000 * 1000000;
        if (at.tv_nsec >= 1000000000) {
                at.tv_sec++;
                at.tv_nsec -= 1000000000;
        }
        return at;
}

struct mailbox_item *mailbox_wait(struct mailbox *mailbox, int64_t timeout_ms)
{
        struct timespec until = deadline_in(timeout_ms > 0 ? timeout_ms : 0);
        int rc = timeout_ms == 0 ? ETIMEDOUT : 0;

        pthread_mutex_lock(&mailbox->lock);
        while (rc == 0 && !mailbox->held.first && !mailbox->is_closed && !mailbox->is_kicked) {
                if (timeout_ms < 0)
                        rc = pthread_cond_wait(&mailbox->filled, &mailbox->lock);
                else
                        rc = pthread_cond_timedwait(&mailbox->filled, &mailbox->lock, &until);
        }
        struct mailbox_item *first = take_locked(mailbox);
        pthread_mutex_unlock(&mailbox->lock);
        return first;
}

void mailbox_kick(struct mailbox *mailbox)
{
        pthread_mutex_lock(&mailbox->lock);
        mailbox->is_kicked = true;
        pthread_cond_signal(&mailbox->filled);
        pthread_mutex_unlock(&mailbox->lock);
}

void mailbox_close(struct mailbox *mailbox)
{
        pthread_mutex_lock(&mailbox->lock);
        mailbox->is_closed = true;
        pthread_cond_signal(&mailbox->filled);
        pthread_mutex_unlock(&mailbox->lock);
}

size_t mailbox_count(const struct mailbox *mailbox)
{
        return atomic_load_explicit(&((struct mailbox *)mailbox)->count, memory_order_relaxed);
}
