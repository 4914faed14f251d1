/* SPDX-License-Identifier: Apache-2.0 */
/* Mailbox: a bounded queue of items that are handed over whole from many threads to one. Items carry their link; the
 * mailbox allocates nothing. Bounded by count and by bytes, both as the pushers say them; taking empties it. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mailbox_item {
        struct mailbox_item *next;
};

/* A chain of items in order; `last->next` is NULL. */
struct mailbox_list {
        struct mailbox_item *first, *last;
        size_t count, bytes;
};

struct mailbox {
        pthread_mutex_t lock;
        pthread_cond_t filled;
        struct mailbox_list held;
        size_t max_items, max_bytes;
        bool is_closed, is_kicked;
        atomic_size_t count; /* a copy of held.count to be read without the lock */
        void (*wake)(void *data);
        void *wake_data;
};

/* `wake` (may be NULL) is called by a pusher, without the lock, each time the mailbox stops being empty. */
void mailbox_init(struct mailbox *mailbox, size_t max_items, size_t max_bytes, void (*wake)(void *data),
                  void *wake_data);
void mailbox_done(struct mailbox *mailbox); /* items still held are the caller's to take first */

/* Takes the item on 0. -ENOBUFS: full; -EPIPE: closed; the item stays the caller's. Any thread. */
int mailbox_push(struct mailbox *mailbox, struct mailbox_item *item, size_t bytes);

/* All of the list or nothing; as above. An empty list is welcome. Any thread. */
int mailbox_push_list(struct mailbox *mailbox, const struct mailbox_list *list);

/* For what must not be lost, such as answers: the bounds do not count. 0, or -EPIPE. Any thread. */
int mailbox_force(struct mailbox *mailbox, struct mailbox_item *item, size_t bytes);

/* Everything held, oldest first; NULL when there is nothing. The one reader's thread. */
struct mailbox_item *mailbox_take(struct mailbox *mailbox);

/* The same, but waits until there is something, somebody kicks or closes, or timeout_ms are over (-1 = for ever). */
struct mailbox_item *mailbox_wait(struct mailbox *mailbox, int64_t timeout_ms);

/* Makes a waiting (or the next) mailbox_wait return at once. Any thread. */
void mailbox_kick(struct mailbox *mailbox);

/* Refuses further items and wakes the reader; what is held can still be taken. Any thread. */
void mailbox_close(struct mailbox *mailbox);

/* How many are held; a hint. Any thread. */
size_t mailbox_count(const struct mailbox *mailbox);

/* Appends to a list of one's own. */
void mailbox_list_add(struct mailbox_list *list, struct mailbox_item *item, size_t bytes);
