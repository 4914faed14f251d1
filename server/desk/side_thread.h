/* SPDX-License-Identifier: Apache-2.0 */
/* Side thread: a thread beside the desk's, with a mailbox and a reading connection of its own: what the password
 * thread, the builder of bots and the bot thread have in common. Set up and ended by the thread that starts and stops
 * the desk. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "ops/mailbox.h"
#include "store/db.h"

struct desk;

struct side_thread { /* zero before it is started */
        struct desk *desk;
        struct db *db;
        struct mailbox in;
        pthread_t thread;
        bool is_running;
        atomic_bool is_stopping; /* what is still waiting may be dropped */
};

/* At most `waiting_max` items wait. `run` is the thread, given `data`; it ends when mailbox_wait says that the mailbox
 * is closed. `what` names it in the log. 0 or a negative db_error; side_thread_done is due either way. */
int side_thread_start(struct side_thread *side, struct desk *desk, size_t waiting_max, const char *what,
                      void *(*run)(void *data), void *data);
/* Closes the mailbox and waits for the end of the thread. False: it did not run. */
bool side_thread_stop(struct side_thread *side);
/* Stopped, and what was left in the mailbox was taken. */
void side_thread_done(struct side_thread *side);
