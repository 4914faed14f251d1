/* SPDX-License-Identifier: Apache-2.0 */
/* Machine: a client's session as a state machine without socket, thread or clock. Bytes, time and calls go in; frames,
 * events and one wish about the connection come out. It keeps what must last in the cache it is given.
 *
 * All input happens inside a turn: machine_begin ... machine_end. What a turn produced comes out only after the turn's
 * transaction is committed: nothing is told to the application or the server that the file does not hold. When the
 * commit fails the turn has not happened: the connection is given up and the state is read again from the file.
 *
 * One thread at a time. */
#pragma once

#include "answers.h"
#include "cache.h"
#include "events.h"
#include "jobs.h"

struct machine;

struct machine_settings {
        uint64_t app;
        bool is_visitor, is_staff;
        bool asks_for_token;                               /* the application can be asked */
        const char *token;                                 /* NULL = none yet */
        const char *locale, *client_name, *client_version; /* locale NULL = none */
        bool manual_ack, with_team_log;
        int64_t first_page, snapshot;               /* -1 = all */
        int64_t cache_max_bytes, cache_max_entries; /* 0 = no limit */
        struct cache *visitor;                      /* file of the visitor that the user claims; NULL = none */
        bool has_answers;                           /* the application has plugged them in (answers.h) */
        char answers_table[ANSWERS_TABLE];          /* what answers, so that another one is known as such */
        deskbell_client *client;
        void (*random)(void *data, void *bytes, size_t len);
        void (*log)(void *data, enum deskbell_level level, const char *line);
        void *data; /* of random and log */
};

/* Takes `cache` and settings->visitor on success. Strings are copied. 0, DESKBELL_E_NOMEM or DESKBELL_E_STORE. */
int machine_new(const struct machine_settings *settings, struct cache *cache, int64_t mono_ms, int64_t wall_ms,
                struct machine **out_machine);
struct machine *machine_free(struct machine *machine);   /* closes the caches; NULL is welcome */
bool machine_has_claimed(const struct machine *machine); /* the visitor's file is not needed any more */

void machine_begin(struct machine *machine, int64_t mono_ms, int64_t wall_ms, bool touches_outbox);
int machine_end(struct machine *machine); /* 0 or DESKBELL_E_STORE */

/* ---- connection in; inside a turn ---- */
void machine_connect(struct machine *machine);
void machine_disconnect(struct machine *machine);
void machine_network_changed(struct machine *machine);
int machine_set_token(struct machine *machine, const char *token);
void machine_set_background(struct machine *machine, bool is_on);
int machine_set_push(struct machine *machine, int service, const char *token); /* token NULL = none any more */
bool machine_is_push_known(const struct machine *machine);                     /* the server knows it; needs no turn */
/* No message is taken any more, notifications are declined. DESKBELL_E_UNSENT: messages wait, and may not be lost. */
int machine_begin_log_out(struct machine *machine, bool discard);
/* The files are sealed under that key from the end of this turn on. 0, DESKBELL_E_STATE (they are plain), _STORE.
 * Forget old: outside a turn, afterwards; what SQLite has kept of the old one goes. */
int machine_change_store_key(struct machine *machine, const uint8_t *key);
void machine_forget_old_key(struct machine *machine);
void machine_wipe_at_close(struct machine *machine, const char *path, int *out_rc); /* as cache_wipe_at_close */
int machine_push_received(struct machine *machine, uint64_t conv_id, int64_t seq, bool *out_is_news);
void machine_link_opened(struct machine *machine);
void machine_link_text(struct machine *machine, char *bytes, size_t len); /* mutable, for the call */
void machine_link_closed(struct machine *machine, int code);
/* As closed, with a reason for deskbell_state; retry_after_ms -1: none was told. */
void machine_link_failed(struct machine *machine, const char *why, int64_t retry_after_ms);
void machine_time(struct machine *machine); /* runs what is due */
void machine_say(struct machine *machine, enum deskbell_notice notice, const char *detail);

/* What became of a job that was taken; taken. One that nobody waits for any more is welcome. */
void machine_job_done(struct machine *machine, struct job *job);

/* ---- out; outside a turn ---- */
struct machine_frame {
        struct machine_frame *next;
        size_t len;
        char bytes[];
};

enum machine_wish { WISH_NOTHING, WISH_OPEN, WISH_CLOSE };

/* What to do with the connection, once: close the one there is (no machine_link_ call of it may follow), or close it
 * and open a new one. Obey it before sending frames. */
enum machine_wish machine_wish(struct machine *machine, int *out_code);
struct machine_frame *machine_frame_take(struct machine *machine); /* free() it; NULL = no more */
struct event_list *machine_events(struct machine *machine);
struct job *machine_job_take(struct machine *machine);  /* job_free() it; NULL = no more */
int64_t machine_next_ms(const struct machine *machine); /* monotonic; INT64_MAX = nothing due */
/* The application has room for more: entries are given a portion at a time. False when nothing waits to be given. */
bool machine_wants_to_give(const struct machine *machine);
void machine_give(struct machine *machine, size_t limit); /* inside a turn */

/* ---- the application's calls; inside a turn; errors as in deskbell.h ---- */
int machine_conv_open(struct machine *machine, struct span key, deskbell_conversation **out_conv);
int machine_conv_open_id(struct machine *machine, uint64_t id, deskbell_conversation **out_conv);
void machine_conv_close(struct machine *machine, deskbell_conversation *conv);
int machine_conversations(struct machine *machine,
                          int (*each)(const struct deskbell_conversation_info *info, void *data),
                          void *data); /* needs no turn */
deskbell_client *machine_conv_client(const deskbell_conversation *conv);
uint64_t machine_conv_id(const deskbell_conversation *conv);

struct message_options {
        bool is_named; /* the cmid is the application's own */
        bool waits;    /* until it is on disk */
        int log;
        int64_t reply_to, pressed_seq;
        const char *pressed_id;
        struct cmid cmid;
        int64_t filled_seq; /* a form that was filled in, 0 = none; its values were checked by client_check_filled */
        const struct deskbell_form_value *filled;
        size_t filled_count;
};

/* What of the answer does not fit the survey, as deskbell_survey_check tells it; NULL: it fits. surveys.c. */
const char *survey_misfit(const struct deskbell_survey *survey, const struct deskbell_rating *rating);

struct cmid machine_cmid(struct machine *machine, int64_t wall_ms); /* needs no turn */
struct handed;
/* Takes the list of what was handed over (handover.h), in its order; what becomes of it shows at the end of the turn,
 * which has to be one that touches the outbox. Once a turn. */
void machine_take(struct machine *machine, struct handed *handed);
/* DESKBELL_E_EXISTS when the file has that message, 0, or DESKBELL_E_STORE; needs no turn. */
int machine_has_message(struct machine *machine, const struct cmid *cmid);
int machine_forget(struct machine *machine, const struct cmid *cmid);
void machine_told(struct machine *machine, int64_t pos);

void machine_mark_read(struct machine *machine, deskbell_conversation *conv, int64_t seq);
void machine_typing(struct machine *machine, deskbell_conversation *conv);
int machine_set_presence(struct machine *machine, enum deskbell_availability word); /* 0 or DESKBELL_E_STATE */
int machine_serve_turns(struct machine *machine);                                   /* 0 or DESKBELL_E_STATE */
/* `params`: of bot.act, copied. */
int machine_act(struct machine *machine, uint64_t conv, int64_t number, struct span params);
int machine_entry_done(struct machine *machine, deskbell_conversation *conv, int log, int64_t number);
int machine_history(struct machine *machine, deskbell_conversation *conv,
                    const struct deskbell_history_options *options, deskbell_history_fn fn, void *data);
void machine_cancel_histories(struct machine *machine, int error); /* before the end: their callbacks run */
void machine_status(struct machine *machine, struct deskbell_status *out_status); /* needs no turn */

/* A local file to be sent. */
struct file_source {
        const char *path, *name, *media;
        bool is_copy; /* ours, to be removed in the end */
        bool has_secret;
        uint8_t secret[32]; /* the copy is sealed under this key */
        int64_t size, mtime_ns;
};

int machine_upload_pause(struct machine *machine, const struct cmid *cmid, bool is_paused);
int machine_upload_cancel(struct machine *machine, const struct cmid *cmid);
bool machine_knows_copy(struct machine *machine, const char *path); /* some message needs that copy; needs no turn */

int machine_fetch(struct machine *machine, const struct deskbell_file *file, const char *path,
                  deskbell_fetch_progress_fn progress, deskbell_fetch_done_fn done, void *data, int64_t *out_fetch);
int machine_fetch_cancel(struct machine *machine, int64_t fetch);
void machine_cancel_fetches(struct machine *machine); /* before the end: their callbacks run */

int machine_search(struct machine *machine, const char *query, const struct deskbell_search_options *options,
                   deskbell_search_fn fn, void *data);
void machine_cancel_searches(struct machine *machine, int error); /* before the end: their callbacks run */

int machine_call(struct machine *machine, const char *method, struct span params, deskbell_call_fn fn, void *data);
void machine_cancel_calls(struct machine *machine); /* before the end: their callbacks run */
int machine_hear_events(struct machine *machine);   /* 0 or DESKBELL_E_STATE */
