/* SPDX-License-Identifier: Apache-2.0 */
/* Desk: the one writer. Executes queued commands in batches, one transaction each, and answers only after the commit is
 * on disk (delivery A1). Owns the store's writing connection, every head and counter, and the change number. Knows no
 * socket: answers and events leave through mailboxes, one per network thread. */
#pragma once

#include "desk/command.h"
#include "desk/keyring.h"
#include "desk/note.h"

struct desk;

struct desk_settings {
        const char *data_dir;
        uint32_t readers;        /* read threads, 1-16 */
        uint32_t quick_check_mb; /* after an unclean end a store of up to this size is checked first; 0 = none */
        uint32_t retry_days, key_window_days;
        uint32_t in_flight;                               /* told to clients */
        uint32_t heartbeat_ms, dead_ms;                   /* told to clients */
        uint32_t devices_per_customer, devices_per_agent; /* connected at once */
        const char *webhook_ca;           /* PEM, of webhooks and bots; NULL or "" = the system's; borrowed */
        const char *const *webhook_allow; /* hosts and networks beyond the public internet; NULL = none; borrowed */
        struct file_store *files;         /* outlives the desk, which posts to it; NULL = nothing is uploaded here */
        uint32_t attachment_bytes;        /* largest attachment */
        uint32_t attachments_per_day;     /* that a customer may begin; agents and bots ten times as many */
        int64_t attachment_quota_bytes;   /* of all together; 0 = what the disk holds */
        const struct db_driver *driver;   /* NULL = SQLite; tests put a failing one between */
};

/* Opens (or with `create` makes) the store in data_dir, which the caller has locked. 0, or a negative db_error with
 * *out_why malloc'd. */
int desk_open(const struct desk_settings *settings, bool create, struct desk **out_desk, char **out_why);
struct desk *desk_close(struct desk *desk); /* stopped; writes the mark; returns NULL */

/* Runs one method as the operator in the caller's thread; only while the desk's thread does not run. `params` is
 * mutable JSON. `out` gets the whole JSON-RPC response (id 1). 0 when it is a result, 1 when an error. */
int desk_call(struct desk *desk, struct span method, char *params, size_t len, struct writer *out);

/* Somebody in whose name a call is made: an agent, or else a user of an app, whom the desk makes when he is new. */
struct desk_voice {
        uint64_t agent;                           /* outside id; 0 = it is a user */
        uint64_t app;                             /* outside id */
        const char *user, *name, *email, *locale; /* the app's own id of him; the others: NULL = not told */
};

/* As desk_call, in the name of somebody: for whoever owns the folder of a store that is not served. Methods of readers
 * and of the network threads are not known here. */
int desk_call_as(struct desk *desk, const struct desk_voice *voice, struct span method, char *params, size_t len,
                 struct writer *out);
/* Time goes on by `ms` (0 and more) in this process, and the desk does what is due. For a seed: it turned the clock
 * back before the desk was opened. */
void desk_pass(struct desk *desk, int64_t ms);
/* From begin to end commits reach the disk together (db_gather_begin). End: 0, or a negative db_error. */
void desk_gather_begin(struct desk *desk);
int desk_gather_end(struct desk *desk);

/* The same as desk_call for a running desk, from any thread: `done` is called once, on the desk's thread, with the
 * response. 0, or a negative protocol error: then `done` is never called. */
int desk_post_operator(struct desk *desk, struct span method, char *params, size_t len,
                       void (*done)(void *data, struct span response), void *data);

/* Network thread `thread` (counted from 0) receives its notes here. Before desk_start. */
void desk_add_sink(struct desk *desk, uint32_t thread, struct mailbox *notes);

/* Starts the desk's thread and its readers. `on_fatal` is called on the desk's thread when the outcome of a commit is
 * unknown (A2): the process has to close everything with 4013 and exit with 70. */
int desk_start(struct desk *desk, void (*on_fatal)(void *data), void *data);
/* Executes what is queued, then ends all threads. Any thread but the desk's own. */
void desk_stop(struct desk *desk);

/* Takes the command on 0. Any thread. -PROTOCOL_ERR_OVERLOADED: the queue is full, the command stays the caller's. */
int desk_post(struct desk *desk, struct desk_command *command);
/* The same for a method that a reader answers. */
int desk_post_read(struct desk *desk, struct desk_command *command);
/* The same for login.password and login.accept_invite, whose passwords are a matter of the crypto thread; at most 8
 * wait. */
int desk_post_login(struct desk *desk, struct desk_command *command);
/* Every connection is told to leave, behind everything queued before. Any thread. */
void desk_post_drain(struct desk *desk);
bool desk_is_crowded(const struct desk *desk); /* reading from sockets should pause; any thread */

int64_t desk_rev(const struct desk *desk);                      /* last committed change number; any thread */
void desk_epoch(const struct desk *desk, uint8_t out_epoch[8]); /* any thread */
bool desk_is_read_only(const struct desk *desk);                /* no space; any thread */
bool desk_is_clock_suspect(const struct desk *desk);            /* any thread */
struct keyring *desk_keyring(struct desk *desk);                /* a reference to the newest ring; any thread */
struct http_tokens *desk_http_tokens(struct desk *desk);        /* lent as long as the desk; any thread */
uint64_t desk_keyring_version(const struct desk *desk);         /* changes when there is a newer one; any thread */

/* Figures for metrics; any thread. */
struct desk_stats {
        uint64_t batches, commands, messages, duplicates, commit_failures;
        uint64_t commit_us; /* all commits together */
        uint64_t bot_turns, bot_failures, bot_posts, bot_posts_failed;
        int64_t bot_circuits; /* open */
        size_t queued;
};
void desk_stats_read(const struct desk *desk, struct desk_stats *out_stats);
