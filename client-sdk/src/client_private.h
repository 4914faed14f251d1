/* SPDX-License-Identifier: Apache-2.0 */
/* Client, shared between client.c (threads, connection, callbacks) and client_api.c (the public calls). */
#pragma once

#include <pthread.h>

#include "handover.h"
#include "machine.h"
#include "platform.h"
#include "road.h"
#include "transfer.h"

/* One connection of a transport. Belongs to the client until the transport said that it is closed. */
struct deskbell_link {
        struct deskbell_link *next;
        struct deskbell_client *client;
        bool is_open, is_closed, is_flooded; /* inbox lock */
        bool is_paused;                      /* inbox lock: the transport was told to stop reading */
};

enum input_kind { INPUT_OPENED, INPUT_TEXT, INPUT_CLOSED, INPUT_FAILED };

struct input {
        struct input *next;
        struct deskbell_link *link;
        enum input_kind kind;
        int code;
        int64_t retry_after_ms; /* FAILED; its bytes are the reason */
        size_t len;
        char bytes[];
};

struct deskbell_client {
        struct deskbell_options options; /* callbacks, clock and data; its strings are not kept */
        char *url;
        char *store_path;   /* the user's file; NULL = in memory */
        char *visitor_path; /* of the visitor to be claimed; NULL = none */
        struct road *road;
        struct deskbell_transport transport;
        struct deskbell_answers answers; /* size 0 = none */
        char *locale;                    /* for `answers`; NULL = none */
        struct deskbell_bot bot;         /* size 0 = it is none */
        deskbell_event_fn on_event;      /* desk.h; NULL = nobody hears of them */
        void *on_event_data;
        struct transfer *transfer; /* NULL = files cannot be sent or fetched */
        char *copies_dir;          /* of bytes to be sent; NULL = in memory only */
        bool is_sealed;            /* the user's file is, and copies are to be */

        /* `lock` guards the machine, the events and the links; it is never held while a callback runs. */
        pthread_mutex_t lock;
        struct machine *machine;
        struct event_list events;
        struct deskbell_link *links, *current;
        pthread_cond_t turned;       /* with `lock`: the machine had a turn */
        struct platform_waker waker; /* readable while callbacks wait; none = they run on the client's thread */

        /* `inbox_lock` guards what other threads leave for the client's thread. */
        pthread_mutex_t inbox_lock;
        pthread_cond_t inbox_wake;
        struct input *first_input, *last_input;
        size_t input_bytes;
        struct job *done_jobs;
        struct handover handover; /* taken out under both locks, `lock` first */
        bool is_poked, is_stopping;

        pthread_mutex_t own_lock; /* the application's clock and dice are asked by one thread at a time */

        pthread_t thread;
        pthread_mutex_t delivering;   /* callbacks run one at a time */
        _Atomic(pthread_t) deliverer; /* valid while is_delivering */
        _Atomic bool is_delivering;
        _Atomic bool is_muted; /* no callback begins any more */
};

int client_start(struct deskbell_client *client);
void client_stop(struct deskbell_client *client); /* joins the thread, ends the transport, frees links and inputs */
void client_poke(struct deskbell_client *client); /* any thread: the client's thread looks around */

/* A turn of the machine for a public call: locks, and unlocks. */
void client_begin(struct deskbell_client *client, bool touches_outbox);
int client_end(struct deskbell_client *client);

/* ---- client_links.c: under the lock ---- */
void client_obey(struct deskbell_client *client); /* what the machine wishes, and its frames */
void client_close_link(struct deskbell_client *client, int code);
void client_unlink(struct deskbell_client *client, struct deskbell_link *link); /* it is gone; releases it */

/* ---- client_deliver.c ---- */
void client_collect(struct deskbell_client *client); /* under the lock: the machine's events are the client's */
void client_run_callback(struct deskbell_client *client, const struct event *event);
bool client_is_in_callback(struct deskbell_client *client);
int client_deliver(struct deskbell_client *client, size_t max); /* how many ran */

int64_t client_mono_ms(const struct deskbell_client *client);
int64_t client_wall_ms(struct deskbell_client *client);

/* Copies a struct of the caller's, which may be of an older header and shorter: what it lacks is zero. False: its size
 * cannot be. */
bool client_take_struct(void *out, size_t room, const void *in, size_t least);

/* 0, or why the text cannot be sent: DESKBELL_E_TEXT, _TOO_LONG. */
int client_check_text(const char *text);
/* Bounds and form of what was filled in; whether the form asked for it is looked at by handed_send. forms.c. */
int client_check_filled(const struct deskbell_send_options *options);
bool client_is_line(const char *text, size_t max); /* 1 to `max` bytes, no control characters */
bool client_is_id(const char *id);                 /* what a message names things of another by; NULL is none */
bool client_is_utf8(const char *text, size_t *out_points);

/* ---- client_send.c ---- */
struct cmid client_cmid(struct deskbell_client *client);
/* The cmid of the application's, or a new one (NULL). 0 or DESKBELL_E_INVALID. */
int client_take_cmid(struct deskbell_client *client, const char *cmid, struct message_options *out);
/* Takes `handed`. It `waits`: until the message is on disk, after a turn on this thread. 0 (and the cmid) or an error.
 */
int client_hand_over(struct deskbell_client *client, struct handed *handed, bool waits, char *out_cmid);
bool client_waits_with(struct deskbell_client *client, const struct cmid *cmid); /* it was handed over, no more */
/* As client_begin, in a turn that also writes all that was handed over. */
void client_begin_all(struct deskbell_client *client);
/* With the lock, before a turn that touches the outbox if there is any: for machine_take. */
struct handed *client_take_handed(struct deskbell_client *client);
void client_settle(struct deskbell_client *client); /* with the lock, after each turn */

/* ---- client_answers.c ---- */
bool client_answers_are_valid(const struct deskbell_options *options);
int client_open_answers(struct deskbell_client *client, const struct deskbell_options *options); /* 0 or _NOMEM */
void client_answer(struct deskbell_client *client);        /* client's thread: what the machine wants asked */
void client_close_answers(struct deskbell_client *client); /* when that thread has ended, while there is a machine */

/* ---- client_files.c ---- */
void client_job_done(void *data, struct job *job); /* on the thread for files; takes it */
int client_open_files(struct deskbell_client *client, const struct deskbell_options *options);
void client_sweep_copies(struct deskbell_client *client); /* that no message needs, of a process that died */
bool client_sync_copies(struct deskbell_client *client, const struct handed *handed); /* through to the disk */

/* The transport over libwebsockets; the road is used until its `stop`. 0 or DESKBELL_E_NOMEM. */
int transport_lws_new(const struct road *road, struct deskbell_transport *out_transport);
