/* SPDX-License-Identifier: Apache-2.0 */
/* Machine, shared between its files: machine.c (turns), machine_frames.c (frames, requests), session.c (connection),
 * login.c, sync.c (feed and entries in), apply.c (an entry), conversations.c (what is known and given to the
 * application), sending.c (outbox), marks.c (marks, typing, unread). */
#pragma once

#include "machine.h"

enum {
        BACKOFF_BASE_MS = 500,
        BACKOFF_CAP_MS = 20000,
        STEADY_MS = 5000,  /* a session that lasts this long ends the growth of the pauses */
        ANSWER_MS = 30000, /* a request unanswered for this long: the connection is sick */
        PROBE_MS = 5000,   /* the same after a network change */
        CONNECT_MS = 20000,
        ENTRY_GRACE_MS = 250,          /* after an ack, until its entry is asked for */
        STUCK_MS = 5000,               /* pause after an answer that does not help; grows while none does */
        RETRY_AFTER_MOST_MS = 3600000, /* a server may ask for so long a pause, and no longer */
        RENEW_AHEAD_MS = 60000,
        SWEEP_EVERY_MS = 3600000,
        READS_IN_FLIGHT = 4,
        REQUESTS_MAX = 64,
        OUTBOX_MESSAGES = 500,
        OUTBOX_BYTES = 50 << 20,
        SEND_WINDOW = 16,
        WATCHES_MAX = PROTOCOL_WATCHED,
        /* So many conversations a server may name; what it names beyond them is left out. A good one lets a customer
         * have PROTOCOL_CONVERSATIONS. */
        CUSTOMER_CONVERSATIONS = 1000,
        STAFF_CONVERSATIONS = 100000,
};

#define DAY_MS INT64_C(86400000)

enum session_state {
        SESSION_IDLE,
        SESSION_WAITING,    /* until retry_at_ms */
        SESSION_CONNECTING, /* a link was asked for */
        SESSION_OPENING,    /* session.open is sent */
        SESSION_OPEN,
        SESSION_NEEDS_TOKEN,
        SESSION_STOPPED,
        SESSION_PAUSED, /* in the background */
};

/* When something that did not help may be asked for again. */
struct pause {
        int64_t until_ms;    /* not before; 0 = at once */
        int failures;        /* in a row */
        bool is_the_servers; /* it asked for it: a new session does not end it */
};

/* What the application was given of a conversation is not in the file: this is how it was when the turn began. */
struct conv_before {
        int64_t turn; /* which changed it; 0 = none did */
        bool is_opened, is_opening;
        int64_t shown_upto;
        int64_t given[2], snapshot_to[2];
};

/* One log of one conversation. low, cursor, head and done are in the cache. */
struct place {
        struct cached_place at;
        int64_t given;       /* highest number given to the application since it was opened */
        int64_t snapshot_to; /* up to here it is given as SNAPSHOT */
        bool is_fetching;
        struct pause pause; /* of entries.read */
};

struct deskbell_conversation {
        struct machine *machine;
        int64_t row;
        uint64_t id;
        char key[PROTOCOL_KEY_BYTES + 1];
        bool is_confirmed; /* id was told in the present epoch */
        bool has_left;
        struct place place[2];
        int64_t my_read;
        struct protocol_feed_row feed; /* its texts are in feed_text */
        char *feed_text;
        bool has_feed;

        /* of this run */
        struct conv_before before;
        bool is_opened;            /* by the application */
        bool is_opening;           /* on_opened is still to come */
        int64_t shown_upto;        /* outbox rows up to here are told as the queue's content when it is opened */
        bool is_watched, is_asked; /* staff: watch answered; watch or open request in flight */
        bool is_refused;           /* the server will not open it in this session */
        struct pause ask;          /* of watch or open */
        bool is_dirty, is_changed; /* to be written; to be told */
        bool is_in_sync_list;
        deskbell_conversation *next_sync, *next_dirty;
        int64_t unread;

        /* marks */
        int64_t told_recv, told_read; /* what the server has from us */
        bool is_mark_dirty, is_mark_urgent;
        int64_t typing_sent_ms; /* 0 = never */

        /* staff: its customer's presence, as told */
        bool has_presence, is_online;
        int64_t last_seen_ms;

        /* what deskbell_edit may ask from any thread: the entries of the cache, as of the last turn */
        struct {
                _Atomic int64_t low, cursor;
        } seen[2];

        /* sending */
        int in_flight;
        bool has_barrier; /* an edit or erasure is in flight */
        bool is_draining; /* after a nack: nothing is sent until all in flight are answered */
        int64_t hold_until_ms;
        int refusals;    /* nacks to retry in a row */
        bool is_blocked; /* within one pass of the pump */
};

/* A message of the outbox that has no final answer in this epoch. */
struct outgoing {
        struct outgoing *next, *prev;
        struct cached_message row; /* content and tag point into memory of our own */
        deskbell_conversation *conv;
        bool is_in_flight;
        bool may_have_left;    /* was transmitted once, or perhaps by an earlier process */
        bool is_offered_again; /* was acknowledged in an earlier epoch */
        bool was_checked;      /* its content is what was queued */
};

enum request_kind {
        REQUEST_SESSION_OPEN = 1,
        REQUEST_RENEW,
        REQUEST_CONV_OPEN,
        REQUEST_WATCH,
        REQUEST_UNWATCH,
        REQUEST_FEED,
        REQUEST_ENTRIES,
        REQUEST_HISTORY,
        REQUEST_SEND,
        REQUEST_PRESENCE,
        REQUEST_UPLOAD_BEGIN,
        REQUEST_UPLOAD_END,
        REQUEST_UPLOAD_CANCEL,
        REQUEST_SEARCH,
        REQUEST_PUSH,
        REQUEST_ANSWERS,
        REQUEST_TURNS,
        REQUEST_ACT,
        REQUEST_CALL,
};

/* Where notifications reach this device, and the looks at the server that they call for. */
struct push {
        int service; /* enum deskbell_push; 0 = none */
        char token[PROTOCOL_PUSH_TOKEN_BYTES + 1];
        bool is_removal;                   /* the server has still to forget the one of before */
        bool is_wanted, is_asked, is_told; /* to be told to the server; under way; told in this run */
        int64_t at_ms;                     /* not before */
        int failures;                      /* in a row */
        unsigned changes, asked_changes;
        bool is_settling; /* on_push_settled is owed */
        int64_t settle_until_ms;
};

struct background {
        bool is_on;
        bool is_closing;     /* only frames of this turn have still to leave */
        int64_t until_ms;    /* what is under way may last so long; 0 = nothing is */
        int64_t retry_at_ms; /* PAUSED: the server asked not to come before; 0 = it did not */
};

struct history {
        struct history *next;
        deskbell_conversation *conv;
        struct deskbell_history_options options;
        struct event *answer; /* made when it was asked for: it is owed, and must not fail */
        bool is_asked;
};

/* One local file of a message that is UPLOADING. The row's texts point into memory of our own. */
struct upload_file {
        struct cached_upload row;
        char *texts;
        bool has_begun; /* the server has told `file` and `offset` since this process began */
        int64_t offset; /* so many bytes are on the server's disk */
        int setbacks;   /* times it had less than before */
};

enum upload_step {
        UPLOAD_NEXT, /* to be looked at */
        UPLOAD_HASHING,
        UPLOAD_BEGINNING,
        UPLOAD_PUTTING,
        UPLOAD_ENDING,
};

/* A message whose files are on their way. */
struct upload {
        struct upload *next;
        struct outgoing *out; /* on no list */
        struct upload_file files[PROTOCOL_ATTACHMENTS];
        size_t count;
        enum upload_step step;
        int64_t serial; /* of the request or job that is under way */
        int64_t hold_until_ms;
        bool is_held_by_server;     /* it asked for the pause */
        int failures;               /* in a row */
        bool is_paused, has_failed; /* failed: no memory for all of it */
};

enum fetch_step { FETCH_NEXT, FETCH_GETTING, FETCH_SEALING };

struct fetch {
        struct fetch *next;
        int64_t id;
        char file[33];
        char *path, *part;
        int64_t size, offset; /* offset -1 = not looked at yet */
        uint8_t sha256[32];
        enum fetch_step step;
        int64_t serial;
        int64_t hold_until_ms;
        bool is_held_by_server;
        int failures, tries;
        deskbell_fetch_progress_fn progress;
        void *data;
        struct event *answer; /* as a history's */
};

struct search {
        struct search *next;
        char *query, *before;
        int limit;
        int64_t asked;        /* id of the request; 0 = not asked yet */
        struct event *answer; /* as a history's */
};

struct request {
        int64_t id; /* 0 = free */
        enum request_kind kind;
        deskbell_conversation *conv;
        int log;
        int64_t asked; /* ENTRIES: after; -1 = the last page. UPLOAD_: the upload's serial */
        struct outgoing *message;
        struct history *history;
        int64_t due_ms; /* answer expected until */
};

/* A bot's (turns.c). */
struct turns {
        bool is_served;           /* the application is a bot */
        bool is_wanted, is_asked; /* bot.turns */
        bool has_more;            /* it did not tell all: asked again when one is answered */
        int64_t at_ms;            /* not before */
        int failures;             /* in a row */
        struct turn *first;
        size_t count;
};

struct typist {
        deskbell_conversation *conv;
        struct principal_id who;
        int64_t until_ms;
};

struct frames {
        struct machine_frame *first, *last;
};

struct machine {
        struct machine_settings set; /* strings are owned */
        struct cache *cache;
        int64_t now_ms, wall_ms;
        int64_t skew_ms; /* server's clock minus ours, as last seen */
        bool is_in_turn;
        int64_t turn;          /* number of this turn */
        bool is_begun;         /* it lives: machine_new has succeeded */
        int64_t anew_at_ms;    /* a damaged file is not replaced before */
        bool is_reload_owed;   /* what is known is not what the file says: it could not be read */
        int64_t tell_again_ms; /* something could not be told for want of memory; 0 = nothing */

        /* out */
        struct frames turn_frames, ready_frames;
        struct event_list turn_events, ready_events;
        enum machine_wish turn_wish, wish;
        int turn_wish_code, wish_code;

        /* identity */
        uint8_t device[16];
        char *token;
        char visitor_secret[65];
        char claim_secret[65];                          /* to be claimed with the next session.open; "" = nothing */
        bool is_claiming, is_claimed, is_claim_refused; /* taken over in this turn; for good; not ours to take */
        struct principal_id me;
        char me_text[ID_TEXT_BYTES + 1];
        char name[801];
        bool has_epoch;
        uint8_t epoch[8];
        char epoch_text[17];
        _Atomic uint64_t seen_epoch; /* its bytes, for any thread */
        int64_t rev;

        /* session */
        enum session_state state;
        const char *why;
        char why_room[40];
        bool is_delayed, has_link;
        int64_t retry_at_ms, deadline_ms, heard_ms, opened_ms, renew_at_ms, closing_after_ms;
        int attempts, token_failures;
        bool wants_renewal, is_token_owed; /* owed: the application is to be asked */
        int64_t limit_in_flight, dead_ms, retry_days, key_window_days;

        /* requests */
        int64_t next_id;
        struct request requests[REQUESTS_MAX];
        int requests_in_flight, reads_in_flight, sends_in_flight;

        /* conversations */
        deskbell_conversation **convs;
        size_t conv_count, conv_room;
        uint32_t *index; /* by id: position + 1 in convs, 0 = empty */
        size_t index_room;
        deskbell_conversation *sync_first, *dirty_first;
        bool has_to_give;
        bool is_fullness_said; /* in this session: the server names too many */

        /* sync */
        bool is_feed_wanted, is_feed_asked;
        struct pause feed_pause;
        int feed_smalls;             /* pages with few rows in a row */
        int64_t reads_hold_until_ms; /* the server wants none of them before */
        struct history *histories;

        /* sending */
        struct outgoing *out_first, *out_last;
        int64_t out_count, out_bytes, failed_count;
        struct handed *taken; /* of this turn */
        struct handed *lost;  /* could not be stored, and is still to be told of */
        int64_t hold_until_ms;
        int64_t sweep_at_ms;

        /* files and search */
        char http_token[65]; /* of the present session; "" = none */
        struct upload *uploads;
        int64_t uploads_hold_until_ms, fetches_hold_until_ms; /* the server wants none of them before */
        int64_t next_serial;
        struct fetch *fetches;
        struct search *searches;
        struct call *calls;
        bool hears_events;
        struct job *turn_jobs, *ready_jobs;

        /* marks */
        int64_t marks_at_ms; /* not before */
        bool has_marks;
        struct typist typists[16];
        int64_t unread_total, unread_told;
        bool was_unread_told;

        /* presence; a word of 0: none */
        enum deskbell_availability team_told, own_word, own_word_said;
        bool is_own_word_asked;
        int64_t own_word_at_ms; /* not before */
        int own_word_failures;  /* in a row */

        /* state as told last */
        enum deskbell_connection told_connection;
        bool told_caught_up, is_state_told, is_state_dirty;
        int64_t told_retry_at_ms;
        char told_why[40];

        struct answers answers;
        struct push push;
        struct turns turns;
        struct background background;
        bool evict_wanted; /* the cache is to be looked at */
        int evict_puts;    /* entries written since it was */
};

/* ---- machine.c ---- */
#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
void machine_log(const struct machine *machine, enum deskbell_level level, const char *format, ...);
int64_t machine_random_below(struct machine *machine, int64_t bound); /* 0 <= x < bound; bound >= 1 */
int64_t machine_true_wall(const struct machine *machine);             /* our clock corrected by what the server said */
/* Takes it. NULL, for want of memory: the turn fails and happens again later. A hint may be lost. */
void machine_push(struct machine *machine, struct event *event);
void machine_push_hint(struct machine *machine, struct event *event);
void machine_tell_later(struct machine *machine); /* what is told at the end of turns could not be told in this one */
struct request *machine_request_begin(struct machine *machine, struct writer *writer, enum request_kind kind,
                                      const char *method); /* NULL: none free */
void machine_frame_end(struct machine *machine, struct writer *writer);
void machine_notify_begin(struct machine *machine, struct writer *writer, const char *method);
bool machine_may_ask(const struct machine *machine); /* room for one more request */
void machine_requests_clear(struct machine *machine);
void machine_set_wish(struct machine *machine, enum machine_wish wish, int code);
void machine_job_push(struct machine *machine, struct job *job); /* takes it */
void jobs_move(struct job **to, struct job **from);
void jobs_clear(struct job **jobs);
void machine_job_abort(struct machine *machine, int64_t id);
void machine_reload(struct machine *machine); /* after a failed commit */
void machine_notice(struct machine *machine, enum deskbell_notice notice, deskbell_conversation *conv,
                    const char *detail);

/* ---- machine_frames.c ---- */
void frames_move(struct frames *to, struct frames *from);
void frames_clear(struct frames *frames);

/* ---- login.c ---- */
int session_load(struct machine *machine);
void session_answered(struct machine *machine, struct reader *reader);
void session_refused(struct machine *machine, const struct protocol_error_body *error);
void session_renewed(struct machine *machine, struct reader *reader);

/* ---- session.c ---- */
void session_give_up(struct machine *machine, const char *why, int64_t after_ms); /* -1: a pause of our own */
void session_set_state(struct machine *machine, enum session_state state, const char *why);
void session_stop(struct machine *machine, const char *why);          /* for good, until the application connects */
void session_token_refused(struct machine *machine, const char *why); /* visitors have none: they stop */
void session_heartbeat(struct machine *machine, int64_t rev, int64_t now_ms);
void session_closing(struct machine *machine, const struct protocol_event_session_closing *event);
void session_time(struct machine *machine);
int64_t session_next_ms(const struct machine *machine);
void session_tell(struct machine *machine);       /* the state, when it is not what was told last */
void session_tell_token(struct machine *machine); /* that a token is needed */

void session_pause(struct machine *machine); /* the connection goes until session_wake */
void session_wake(struct machine *machine);  /* does nothing unless PAUSED */

/* ---- push.c ---- */
void push_load(struct machine *machine);
void push_keep(struct machine *machine);  /* in the file */
void push_doubt(struct machine *machine); /* the server may have forgotten the token */
void push_lost_link(struct machine *machine);
void push_pump(struct machine *machine);
void push_answered(struct machine *machine);
void push_refused(struct machine *machine, const struct protocol_error_body *error);
void push_check(struct machine *machine); /* at the end of a turn */
int64_t push_next_ms(const struct machine *machine);

/* ---- answers.c ---- */
void answers_load(struct machine *machine);  /* at the start, and after a failed commit */
void answers_begin(struct machine *machine); /* a session is open */
void answers_pump(struct machine *machine);
void answers_answered(struct machine *machine, struct reader *reader);
void answers_refused(struct machine *machine, const struct protocol_error_body *error);
void answers_unusable(struct machine *machine, const uint8_t version[ANSWERS_VERSION]); /* the table says */
char *answers_bytes(struct machine *machine, size_t *out_len); /* of the whole version; free() it; NULL: no memory */
int64_t answers_next_ms(const struct machine *machine);
int64_t answers_used_bytes(const struct machine *machine); /* what the versions take in the file */

/* ---- turns.c ---- */
void turns_begin(struct machine *machine); /* a session is open */
void turns_event(struct machine *machine, const struct protocol_bot_asked *asked);
void turns_listed(struct machine *machine, struct reader *reader);
void turns_unlisted(struct machine *machine, const struct protocol_error_body *error);
void turns_acted(struct machine *machine, const struct request *request);
void turns_refused(struct machine *machine, const struct request *request, const struct protocol_error_body *error);
void turns_pump(struct machine *machine);
int64_t turns_next_ms(const struct machine *machine);
void turns_free(struct machine *machine);

/* ---- answers_found.c ---- */
void answers_load_kept(struct machine *machine);
void answers_back(struct machine *machine);   /* a session is open: nothing is asked here */
void answers_unload(struct machine *machine); /* what is loaded is not needed, or of another version */
void answers_sent(struct machine *machine, const struct cached_message *row);
void answers_applied(deskbell_conversation *conv, int64_t number, const struct protocol_entry *entry); /* public log */
void answers_gone(struct machine *machine, const struct cmid *cmid); /* the question is: what was found for it goes */
void answers_tell_shown(deskbell_conversation *conv);                /* as it is opened */
void answers_time(struct machine *machine);
int64_t answers_question_ms(const struct machine *machine); /* when the next question is due */
void answers_free(struct machine *machine);

/* ---- anew.c ---- */

/* What was in memory before it was read again. */
struct anew_before {
        struct outgoing *first;
        struct upload *uploads;
        uint8_t device[16], epoch[8];
        char visitor_secret[65], me_text[ID_TEXT_BYTES + 1];
        struct principal_id me;
        bool has_epoch;
};

/* Outside a turn. Takes the outbox out of memory. */
void anew_remember(struct machine *machine, struct anew_before *out_before);
/* Outside a turn, after a reload: when it met damage the file is replaced, and what is in the new one is loaded.
 * Releases what `before` holds; NULL = nothing is known of it. */
void anew_check(struct machine *machine, struct anew_before *before);

/* ---- background.c ---- */
void background_stay(struct machine *machine, int64_t until_ms); /* not closed before, unless all is done */
void background_check(struct machine *machine);                  /* at the end of a turn */
bool background_sleeps(const struct machine *machine);           /* no timer runs */
int64_t background_next_ms(const struct machine *machine);

/* ---- claim.c ---- */
void claim_load(struct machine *machine);     /* at the start, and after a failed commit */
void claim_accepted(struct machine *machine); /* a session is open: the visitor's conversations and outbox are ours */
bool claim_refused(struct machine *machine, const struct protocol_error_body *error); /* whether that was refused */
void claim_turn_ended(struct machine *machine, bool is_kept);

/* ---- sync.c ---- */
void sync_begin(struct machine *machine); /* a session is open */
void sync_reset(struct machine *machine); /* all numbers are void */
void sync_feed_answered(struct machine *machine, struct reader *reader);
void sync_entries_answered(struct machine *machine, const struct request *request, struct reader *reader);
void sync_refused(struct machine *machine, const struct request *request, const struct protocol_error_body *error);
void sync_conv_answered(struct machine *machine, const struct request *request, struct reader *reader);
void sync_entry(struct machine *machine, const struct protocol_entry *entry); /* live */
void sync_row(struct machine *machine, const struct protocol_feed_row *row);
void sync_want(struct machine *machine, deskbell_conversation *conv); /* look whether something is missing */
void sync_want_feed(struct machine *machine);
void sync_pump(struct machine *machine);
int64_t sync_next_ms(const struct machine *machine);
bool sync_is_caught_up(const struct machine *machine);
bool sync_follows(const struct machine *machine, const deskbell_conversation *conv, int log);
int64_t sync_number(const struct protocol_entry *entry, int log); /* its place in that log, 0 = not of it */

/* ---- apply.c ---- */
/* The entry after the cursor, which moves on: written, given when it can be, counted. */
void sync_apply(struct machine *machine, deskbell_conversation *conv, int log, const struct protocol_entry *entry);
/* Writes an entry of that log; a failure shows at the commit. */
void sync_put(struct machine *machine, deskbell_conversation *conv, int log, int64_t number,
              const struct protocol_entry *entry);

/* ---- evict.c ---- */
void evict_opened(deskbell_conversation *conv); /* or closed */
void evict_check(struct machine *machine);      /* at the end of a turn */
int64_t evict_next_ms(const struct machine *machine);

/* ---- history.c ---- */
void history_pump(struct machine *machine);
void history_answered(struct machine *machine, struct history *history, struct reader *reader);
void history_finish(struct machine *machine, struct history *history, int error);

/* ---- conversations.c ---- */
int conv_load_all(struct machine *machine);
void conv_reload_all(struct machine *machine);
deskbell_conversation *conv_by_id(struct machine *machine, uint64_t id);
deskbell_conversation *conv_by_key(struct machine *machine, struct span key);
deskbell_conversation *conv_by_row(struct machine *machine, int64_t row);
deskbell_conversation *conv_add(struct machine *machine, uint64_t id, struct span key); /* NULL: out of memory */
void conv_set_id(deskbell_conversation *conv, uint64_t id);
int conv_set_feed(deskbell_conversation *conv, const struct protocol_feed_row *row);
void conv_touch(deskbell_conversation *conv, bool is_changed); /* to be written, and told when is_changed */
/* What was given is about to change: a turn that fails takes it back. */
void conv_remember(deskbell_conversation *conv);
void conv_forget_entries(deskbell_conversation *conv);
void conv_forget_numbers(deskbell_conversation *conv); /* a new epoch: places, marks, entries */
void conv_flush(struct machine *machine);              /* writes dirty ones, makes their events */
void conv_need_row(deskbell_conversation *conv);       /* has a row in the file from now on */
void conv_free_all(struct machine *machine);
void conv_give_live(deskbell_conversation *conv, int log, const struct protocol_entry *entry);
void conv_check_opened(deskbell_conversation *conv);
void conv_write(struct machine *machine, deskbell_conversation *conv); /* its row; a failure shows at the commit */
void conv_take_back(deskbell_conversation *conv); /* what a failed turn gave or opened; harmless in any other */

/* ---- outbox.c and sending.c ---- */
void outbox_remove(struct machine *machine, struct outgoing *out); /* from the list; frees it */
int sending_load(struct machine *machine);
void sending_clear(struct machine *machine);
void sending_lost_link(struct machine *machine);
void sending_offer_again(struct machine *machine); /* new epoch */
void sending_answered(struct machine *machine, const struct request *request, struct reader *reader);
void sending_refused(struct machine *machine, const struct request *request, const struct protocol_error_body *error);
void sending_pump(struct machine *machine);
void sending_time(struct machine *machine);
int64_t sending_next_ms(const struct machine *machine);
void sending_tell_untold(struct machine *machine);
void sending_tell_shown(struct machine *machine, deskbell_conversation *conv);
void sending_tell(struct machine *machine, deskbell_conversation *conv, const struct cached_message *row,
                  bool is_again);
void sending_expire(struct machine *machine);
/* Content as it is stored, decoded over a copy in the arena. False: it cannot be read, or no memory. */
/* 0, DESKBELL_E_NOMEM, or DESKBELL_E_DAMAGED: it is not what was stored. */
int sending_read_content(struct span stored, struct arena *arena, struct protocol_content *out);
bool sending_is_for_all(struct span tag); /* a refusal of whatever is asked for, not of this request */

/* Writes the row, under a new place, as QUEUED, and tells it. */
int outbox_append(struct machine *machine, deskbell_conversation *conv, struct cached_message *row);
struct outgoing *outbox_row(const struct cached_message *row); /* a copy on no list; free() it. NULL: out of memory */

/* ---- taking.c ---- */
/* The turn is over, kept or not: what was handed over and not kept is written once more, alone, or told as lost. */
void taking_end(struct machine *machine, bool is_kept);
void taking_free(struct machine *machine);

/* Puts a form that was filled in into `content`, with memory of `arena`, and its text when it has none. Checks it
 * against the form where that is in the cache. INVALID, FORM, TEXT, TOO_LONG, NOMEM. */
int forms_answer(struct machine *machine, deskbell_conversation *conv, const struct message_options *options,
                 struct arena *arena, struct protocol_content *content);

/* ---- surveys.c ---- */
/* Puts an answer to survey `number` into `content`, with memory of `arena`. Checks it against the survey where that is
 * in the cache. INVALID, FORM, STATE, NOMEM. */
int surveys_answer(struct machine *machine, deskbell_conversation *conv, int64_t number,
                   const struct deskbell_rating *rating, struct arena *arena, struct protocol_content *content);

/* ---- uploads.c ---- */
void uploads_pump(struct machine *machine);
int64_t uploads_next_ms(const struct machine *machine);
void uploads_lost_link(struct machine *machine);
void uploads_hurry(struct machine *machine);                           /* the network is back: pauses of our own end */
void uploads_reset(struct machine *machine);                           /* new epoch */
bool uploads_job_done(struct machine *machine, const struct job *job); /* false: it was for no upload */
void uploads_answered(struct machine *machine, const struct request *request, struct reader *reader);
void uploads_refused(struct machine *machine, const struct request *request, const struct protocol_error_body *error);
int64_t machine_pause_ms(struct machine *machine, int *failures, int64_t asked_ms); /* a growing one; asked -1 = not */

/* ---- upload_queue.c ---- */
int uploads_load(struct machine *machine);
void uploads_clear(struct machine *machine);
void uploads_expire(struct machine *machine, int64_t since_ms);
/* Row and files are in the file: takes it up and tells it. */
int uploads_append(struct machine *machine, deskbell_conversation *conv, struct cached_message *row);
void uploads_fail(struct machine *machine, struct upload *upload, enum deskbell_message_state state, struct span tag);
void uploads_promote(struct machine *machine, struct upload *upload);  /* all its files are there */
bool uploads_take_back(struct machine *machine, struct outgoing *out); /* the server lost its files: once more */
void uploads_sent(struct machine *machine, struct outgoing *out); /* but after a restore of the server it may again */
/* A message whose files stand under `files_pos` and never were all on the server: it is UPLOADING again. False: it is
 * not such a message. */
bool uploads_wait_again(struct machine *machine, deskbell_conversation *conv, struct cached_message *row,
                        int64_t files_pos);
size_t uploads_count(const struct machine *machine);

/* ---- upload_rows.c: `pos` is the message's ---- */
bool uploads_tell_files(struct machine *machine, struct event *event, int64_t pos); /* false: out of memory */
bool uploads_has_rows(struct machine *machine, int64_t pos);
void uploads_save_file(struct machine *machine, const struct upload *upload, size_t at);
void uploads_begin_anew(struct machine *machine, struct cached_upload *file); /* under a new key, from zero */
void uploads_remove_copies(struct machine *machine, int64_t pos);             /* from the disk; the rows stay */
void uploads_forget_copies(struct machine *machine, int64_t pos);             /* and the rows go */

/* ---- fetches.c ---- */
void fetches_pump(struct machine *machine);
int64_t fetches_next_ms(const struct machine *machine);
bool fetches_job_done(struct machine *machine, const struct job *job);
void fetches_turn_failed(struct machine *machine);
void fetches_hurry(struct machine *machine);

/* ---- search.c ---- */
void search_pump(struct machine *machine);
void search_answered(struct machine *machine, const struct request *request, struct reader *reader);
void search_refused(struct machine *machine, const struct request *request);

/* ---- calls.c ---- */
void calls_pump(struct machine *machine);
void calls_answered(struct machine *machine, const struct request *request, struct span result);
void calls_refused(struct machine *machine, const struct request *request, const struct protocol_error_body *error);
void calls_event(struct machine *machine, struct span name, struct span params); /* one the machine does not know */

/* ---- presence.c ---- */
void presence_begin(struct machine *machine); /* a session is open */
void presence_team(struct machine *machine, bool is_here);
void presence_customer(deskbell_conversation *conv, struct principal_id customer, bool is_online, int64_t last_seen_ms);
void presence_watched(deskbell_conversation *conv, const struct protocol_conversation_watch_result *result);
void presence_event(struct machine *machine, const struct protocol_event_presence *event);
void presence_answered(struct machine *machine);
void presence_refused(struct machine *machine, const struct protocol_error_body *error);
void presence_pump(struct machine *machine);
int64_t presence_next_ms(const struct machine *machine);

/* ---- marks.c ---- */
void marks_stored(deskbell_conversation *conv); /* the public cursor moved */
void marks_begin(struct machine *machine);      /* a session is open */
void marks_merge(deskbell_conversation *conv, const struct protocol_both_marks *marks);
void marks_progress(deskbell_conversation *conv); /* own messages: delivered, read */
void marks_pump(struct machine *machine);
int64_t marks_next_ms(const struct machine *machine);
void marks_time(struct machine *machine);
void marks_typing(struct machine *machine, const struct protocol_event_typing *event);
void marks_wrote(deskbell_conversation *conv, struct principal_id who); /* he has written: not typing any more */
void marks_count(deskbell_conversation *conv);                          /* unread anew */
bool marks_count_cached(deskbell_conversation *conv); /* the same where the cache can tell; false: it cannot */
void marks_counted(deskbell_conversation *conv, int64_t more);
void marks_tell_unread(struct machine *machine);
