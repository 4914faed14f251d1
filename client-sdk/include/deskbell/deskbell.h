/* SPDX-License-Identifier: Apache-2.0 */
/* libdeskbell: support messaging inside an application. This header is the manual.
 *
 * A client keeps one durable file per (app, user): the messages still to be sent (the outbox) and what has been
 * received (the cache). A message handed to deskbell_send is written there a moment later by the client's own thread,
 * so that no thread of the application waits for a disk. When it is told as QUEUED it is on this device's disk, and is
 * sent until the server has answered; it is never lost and never stored twice, whatever happens to the network or to
 * this process.
 *
 *     struct deskbell_options options = DESKBELL_OPTIONS_INIT;
 *     options.url = "wss://support.example.com/v1/ws";
 *     options.app = "app_0000000000000";
 *     options.user = "u-1001";
 *     options.token = token;
 *     options.data_dir = "/home/me/.local/share/example";
 *     options.on_entry = show_entry;
 *     deskbell_client *client = NULL;
 *     if (deskbell_open(&options, &client) == DESKBELL_OK) {
 *             deskbell_conversation *conversation = NULL;
 *             deskbell_conversation_open(client, "main", &conversation);
 *             deskbell_connect(client);
 *             deskbell_send(conversation, "Hello", NULL, NULL);
 *     }
 *
 * Threads. Every function may be called from any thread, also from inside a callback, but for deskbell_close, which
 * says so. Callbacks run one at a time, in order, with no lock held: on the client's own thread, or, with
 * `callbacks_by_dispatch`, on the thread that calls deskbell_dispatch. A callback on the client's own thread should not
 * block: while it does, nothing is received and heartbeats are not answered.
 *
 * Texts are UTF-8 and end with a zero byte. What a callback is given lives until that callback returns. Times are
 * milliseconds since 1970, UTC. Ids are texts as the protocol writes them ("cnv_...", "usr_...").
 *
 * A `struct` that the caller fills starts with its `size`; use its initialiser, so that a program built with an older
 * header keeps working with a newer library. */
#ifndef DESKBELL_DESKBELL_H
#define DESKBELL_DESKBELL_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define DESKBELL_API __attribute__((visibility("default")))
#else
#define DESKBELL_API
#endif

#define DESKBELL_VERSION_MAJOR 0
#define DESKBELL_VERSION_MINOR 1
#define DESKBELL_VERSION_PATCH 0

/* One user of one app on this device. */
typedef struct deskbell_client deskbell_client;

/* A conversation as this client knows it. Belongs to the client, is the same pointer for the same conversation, and
 * lives until deskbell_close. */
typedef struct deskbell_conversation deskbell_conversation;

/* ---- Errors -------------------------------------------------------------------------------------------------- */

/* What functions return: 0, or one of these. A function that fails has changed nothing and leaves its out arguments as
 * they were. */
enum deskbell_error {
        DESKBELL_OK = 0,
        DESKBELL_E_INVALID = -1,       /* an argument is missing, malformed or out of its range */
        DESKBELL_E_NOMEM = -2,         /* out of memory */
        DESKBELL_E_LOCKED = -3,        /* another client, perhaps another process, has this user's file open */
        DESKBELL_E_STORE = -4,         /* this device's disk failed or is full; nothing was stored */
        DESKBELL_E_STORE_NEWER = -5,   /* the file is a newer library's, its tables are unknown; it is left alone */
        DESKBELL_E_OUTBOX_FULL = -6,   /* 500 messages or 50 MiB wait already */
        DESKBELL_E_TOO_LONG = -7,      /* text above 10,000 code points or 40,000 bytes */
        DESKBELL_E_TEXT = -8,          /* not UTF-8, or a control character other than tab and newline, or empty */
        DESKBELL_E_NOT_FOUND = -9,     /* no such message or conversation here */
        DESKBELL_E_EXISTS = -10,       /* that cmid is queued or was sent already; nothing was done */
        DESKBELL_E_STATE = -11,        /* not possible in this state: see the function */
        DESKBELL_E_OFFLINE = -12,      /* needs the server, and there is no session now */
        DESKBELL_E_REFUSED = -13,      /* the server said no; a tag tells why */
        DESKBELL_E_WRONG_THREAD = -14, /* deskbell_close inside a callback */
        DESKBELL_E_TRANSPORT = -15,    /* the transport could not be started */
        DESKBELL_E_CANCELLED = -16,    /* the client is being closed, or the connection went away meanwhile */
        DESKBELL_E_OTHER_USER = -17,   /* the token names another user than this file belongs to */
        DESKBELL_E_DAMAGED = -18,      /* the bytes that came are not those of the file: size or SHA-256 differ */
        DESKBELL_E_UNSENT = -19,       /* messages wait to be sent and would be lost */
        DESKBELL_E_FORM = -20,         /* what was filled in does not fit the form or survey: see deskbell_form_check,
                                        * deskbell_survey_check */
        DESKBELL_E_KEY = -21           /* the file is sealed under another key than store_key, or no key was given */
};

/* One English sentence; static. */
DESKBELL_API const char *deskbell_error_text(int error);

/* "0.1.0"; static. */
DESKBELL_API const char *deskbell_version(void);

/* ---- What callbacks are told --------------------------------------------------------------------------------- */

enum deskbell_connection {
        DESKBELL_DISCONNECTED = 0, /* deskbell_connect was not called, or deskbell_disconnect was */
        DESKBELL_CONNECTING = 1,   /* opening a connection and a session */
        DESKBELL_ONLINE = 2,       /* a session is open */
        DESKBELL_WAITING = 3,      /* no connection; the next try comes in retry_in_ms */
        DESKBELL_DELAYED = 4,      /* as WAITING, because the server asked to come back later */
        DESKBELL_NEEDS_TOKEN = 5,  /* the token was refused or is missing; waits for deskbell_set_token */
        DESKBELL_STOPPED = 6,      /* will not try again by itself; `why` says why; deskbell_connect tries again */
        DESKBELL_PAUSED = 7        /* in the background (deskbell_set_background): connects again in the foreground */
};

struct deskbell_state {
        enum deskbell_connection connection;
        int64_t retry_in_ms; /* WAITING and DELAYED; else 0 */
        /* A tag of the protocol's tables ("replaced", "revoked", "upgrade_required", "token_expired", "drain", ...),
         * "network" when no connection could be made or it was lost, "silent" when the server went silent, "tls" when
         * its certificate was not believed or TLS could not be agreed on, "tls_pin" when no key of its chain is pinned,
         * "proxy" when the proxy could not be reached or refused, "proxy_auth" when it wants other credentials,
         * "handshake" when something else than a WebSocket answered, "other_user", "store", or "". on_log has the
         * details. All of these are tried again, with growing pauses. */
        const char *why;
        int caught_up;         /* ONLINE: everything the server had when asked last is in the cache */
        const char *principal; /* who this client is, "" before the first session */
        const char *name;      /* own display name, "" = none told */
        const char *epoch;     /* 16 hex digits, "" before the first session */
};

enum deskbell_log {
        DESKBELL_PUBLIC = 0, /* what customer and staff see; its numbers are `seq` */
        DESKBELL_TEAM = 1    /* notes, staff only; its numbers are `iseq` */
};

/* What an entry is. Further kinds may come: show what you do not know by its `text`. */
enum deskbell_kind {
        DESKBELL_KIND_OTHER = 0,
        DESKBELL_KIND_TEXT = 1,
        DESKBELL_KIND_ATTACHMENT = 2, /* `files`; `text` is the caption, or a line that names the files */
        DESKBELL_KIND_CHOICES = 3,
        DESKBELL_KIND_CARD = 4,
        DESKBELL_KIND_FORM = 5,
        DESKBELL_KIND_ARTICLE = 6,
        DESKBELL_KIND_SURVEY = 8,     /* the customer is asked how it went: `survey`; `text` is the question */
        DESKBELL_KIND_RATING = 9,     /* his answer to survey `of`: `survey`; `text` says the same in words */
        DESKBELL_KIND_EDIT = 20,      /* the message with number `of` now has version `version` and reads `text` */
        DESKBELL_KIND_ERASE = 21,     /* the message with number `of` is gone */
        DESKBELL_KIND_ERASED = 22,    /* what is left of an erased message */
        DESKBELL_KIND_REVISION = 23,  /* team log: what public message `of` read at `version`, before it was edited */
        DESKBELL_KIND_SURVEY_END = 27 /* survey `of` is no longer asked: `survey` says why */
};

enum deskbell_origin {
        DESKBELL_SNAPSHOT = 0, /* was in the cache when the conversation was opened */
        DESKBELL_FOLLOWING = 1 /* follows what was given before: each number is one more than the last */
};

struct deskbell_choice {
        const char *id;
        const char *label;
};

struct deskbell_form_field {
        const char *id;
        const char *label;
        const char *input; /* "text", "email", "number" or "date" */
        int required;
};

/* What was filled into one field of a form. */
struct deskbell_form_value {
        const char *id;    /* of the field, 1-64 bytes */
        const char *value; /* "" = nothing; at most 1,000 characters */
};

enum deskbell_survey_state {
        DESKBELL_SURVEY_OTHER = 0,
        DESKBELL_SURVEY_WAITING = 1,  /* for an answer */
        DESKBELL_SURVEY_ANSWERED = 2, /* may be changed until is_locked */
        DESKBELL_SURVEY_EXPIRED = 3,  /* its time is over */
        DESKBELL_SURVEY_WITHDRAWN = 4 /* it was taken back: the ticket was opened again */
};

/* A further question of a survey. Ask it when the score is within from_score and to_score. */
struct deskbell_survey_question {
        const char *id;
        const char *kind; /* "choice", "choices" (several), "scale" or "text"; what you do not know: leave it out */
        const char *text;
        const struct deskbell_choice *choices; /* choice, choices: 2-10 */
        size_t choices_count;
        int min, max;             /* scale */
        const char *low, *high;   /* scale: what min and max mean; "" = not said */
        int required;             /* ask once more before it is left out; an answer without it is taken */
        int from_score, to_score; /* 0 and 10 unless it is for some scores only */
};

/* The answer to one further question: one of these three. */
struct deskbell_survey_said {
        const char *question;      /* its id */
        const char *const *chosen; /* choice, choices: ids of what was chosen */
        size_t chosen_count;
        int number;        /* scale; -1 = none */
        const char *words; /* text; "" or NULL = none */
};

/* A survey, and what has become of it. In an entry of kind SURVEY it is whole and says its present state: what is given
 * of an opened conversation is as it is then, and the cache is kept up to date by each RATING and SURVEY_END, on every
 * device. In a RATING it holds what that answer said of survey `of`, and nothing else: show it at the survey, with what
 * it does not say (score -1, said "", no answer to a question, wants_contact -1) left as it was. In a SURVEY_END:
 * `state`. */
struct deskbell_survey {
        const char *offer;  /* "off_...": this asking */
        const char *survey; /* "sur_...": what is asked, in which version */
        int64_t version;
        const char *metric;     /* "csat", "nps" (recommendation) or "ces" (effort) */
        const char *style;      /* how to draw the scale: "stars", "emoji", "numbers" or "thumbs" */
        int min, max;           /* the lowest (0, 1) and the highest score (1-10) */
        const char *low, *high; /* what they mean; "" = not said */
        const struct deskbell_survey_question *questions;
        size_t questions_count; /* 0-5 */
        const char *comment;    /* the question for a comment; "" = no comment is taken */
        const char *contact;    /* the words beside the tick "please contact me"; "" = it is not offered */
        const char *thanks;     /* to show when it was answered; "" = as you like */
        const char *colour;     /* of the brand, "#rrggbb"; "" = yours */
        const char *brand;      /* whose survey it is; "" = not said */
        enum deskbell_survey_state state;
        int64_t until_ms;                           /* answers are taken until then at the latest */
        int score;                                  /* as answered; -1 = none */
        const char *said;                           /* the comment, as answered; "" = none */
        const struct deskbell_survey_said *answers; /* to the further questions, as answered */
        size_t answers_count;
        int wants_contact; /* the tick, as answered; -1 = not said */
        int is_locked;     /* the answer can no longer be changed */
};

/* A file of a message. */
struct deskbell_file {
        const char *id;    /* 32 hex digits; "" = not on the server yet */
        const char *name;  /* as the sender named it: show it, never use it as a path */
        const char *media; /* "image/png"; of a received file what the server found it to be */
        int64_t size;      /* bytes; -1 = not known yet */
        int width, height; /* of an image; 0 = not known */
        uint8_t sha256[32];
};

struct deskbell_entry {
        deskbell_conversation *conversation;
        enum deskbell_origin origin;
        enum deskbell_log log;
        int64_t number;     /* its place: seq, or iseq in the team log; 1 and up, without holes */
        int64_t at_seq;     /* team log: the public head when it was written; else 0 */
        const char *epoch;  /* 16 hex digits; numbers of different epochs do not compare */
        int64_t ts_ms;      /* server's time; for display only */
        const char *author; /* "usr_...", "agt_...", "bot_...", "sys", "gone" */
        const char *name;   /* display name of an agent or bot, "" = none told */
        int is_mine;        /* this user wrote it, on whatever device */
        const char *cmid;   /* the author's id of the message, 32 hex digits, "" = none */
        enum deskbell_kind kind;
        int64_t version;  /* of the content shown; 1 = never edited. EDIT: the version it made */
        int64_t of;       /* EDIT, ERASE, RATING, SURVEY_END: the number of the message in the same log; else 0 */
        int64_t reply_to; /* seq it answers, 0 = none */
        const char *text; /* what to show; the fallback text where the kind has no text of its own; "" = nothing */
        const struct deskbell_choice *choices; /* CHOICES */
        size_t choices_count;
        const struct deskbell_form_field *form; /* FORM */
        size_t form_count;
        const char *title;   /* CARD, ARTICLE; else "" */
        const char *link;    /* CARD, ARTICLE: http, https or mailto; "" = none */
        int64_t pressed_seq; /* TEXT: the choices entry that was tapped, 0 = none */
        const char *pressed_id;
        uint8_t hash[16];                  /* of kind and content, as the delivery contract defines it */
        const struct deskbell_file *files; /* ATTACHMENT: 1-10 of them */
        size_t files_count;
        int64_t filled_seq; /* TEXT: the form entry that was filled in, 0 = none; `text` says the same in words */
        const struct deskbell_form_value *filled;
        size_t filled_count;
        const struct deskbell_survey *survey; /* SURVEY, RATING, SURVEY_END; else NULL */
};

enum deskbell_message_state {
        DESKBELL_QUEUED = 1,    /* in the outbox, on disk; nothing is told of a message before */
        DESKBELL_SENT = 2,      /* on the server's disk, at its place, for good */
        DESKBELL_DELIVERED = 3, /* stored by a device of the other side */
        DESKBELL_READ = 4,      /* read by the other side */
        DESKBELL_FAILED = 5,    /* refused for good: `tag` says why */
        DESKBELL_EXPIRED = 6,   /* no answer for 30 days; it may or may not have arrived */
        DESKBELL_UPLOADING = 7  /* its files are on their way; QUEUED follows when the last one has arrived */
};

enum deskbell_operation { DESKBELL_OP_SEND = 1, DESKBELL_OP_EDIT = 2, DESKBELL_OP_ERASE = 3 };

/* A message, edit or erasure of this device. Exactly one of SENT, FAILED and EXPIRED is told for each; when the process
 * dies before that callback has returned, it is told again after the restart. DELIVERED and READ may follow SENT. It
 * never goes back, but to QUEUED or UPLOADING by deskbell_retry, from QUEUED to UPLOADING when the server has lost its
 * files meanwhile, and from SENT to UPLOADING when a restored server lacks them: they go up again from the paths they
 * were at, and one of SENT, FAILED and EXPIRED is told once more. FAILED follows SENT, with is_again and tag
 * "file_missing", when they were given as bytes. SENT is told again, with is_again, when a restored server stored it at
 * another place. */
struct deskbell_message {
        deskbell_conversation *conversation;
        const char *cmid;
        enum deskbell_operation operation;
        enum deskbell_message_state state;
        int is_again; /* told before, or perhaps told before: the queue's content at deskbell_conversation_open, an
                       * outcome after a restart, or a new place */
        enum deskbell_log log;
        int64_t number;    /* from SENT on: its place; else 0 */
        int64_t at_seq;    /* from SENT on, team log; else 0 */
        int64_t ts_ms;     /* from SENT on: server's time; before: when it was queued */
        const char *epoch; /* from SENT on; else "" */
        int is_duplicate;  /* SENT: the server had it already from an earlier try */
        /* FAILED: a tag of the error table, or "target_unknown", "file_missing" (a local file is gone or cannot be
         * read), "file_changed" (it is not what it was when it was queued), "cancelled", "damaged" (this device's disk
         * has changed its text, or the file it waited in was set aside and it is in that alone), "store" (this device's
         * disk failed before the message was on it: it is nowhere, can neither be retried nor forgotten, and is told
         * once; send it again); else "" */
        const char *tag;
        const char *text; /* SEND, EDIT: its text */
        int64_t of;       /* EDIT, ERASE: number of the message meant; else 0 */
        uint8_t hash[16]; /* SEND: of kind and content; EDIT, ERASE: zero; UPLOADING: not known yet, zero */
        const struct deskbell_file *files; /* of an attachment; else NULL */
        size_t files_count;
        int is_paused;       /* UPLOADING: by deskbell_upload_pause */
        int64_t pressed_seq; /* SEND: the choices entry it answers, 0 = none */
        int64_t filled_seq;  /* SEND: the form entry it answers, 0 = none */
        int64_t rated_seq;   /* SEND: the survey it answers, 0 = none; show it there, not as a message */
};

/* How far a file of an UPLOADING message is. Told for each piece that is on the server's disk. */
struct deskbell_progress {
        deskbell_conversation *conversation;
        const char *cmid;    /* of the message */
        size_t file, files;  /* which one, from 0, of how many */
        int64_t sent, total; /* bytes of this file */
};

/* How far both sides are in the public log. Never fall within an epoch. */
struct deskbell_marks {
        int64_t customer_recv, customer_read;
        int64_t staff_recv, staff_read;
};

enum deskbell_presence_of {
        DESKBELL_PRESENCE_TEAM = 1,    /* to customers: whether somebody of the team is there, never who */
        DESKBELL_PRESENCE_CUSTOMER = 2 /* to agents: the customer of a conversation that is open here */
};

/* Who is there. Told when it is first known and on each change; a hint, which a slow connection may miss. What was told
 * says nothing any more while there is no session. */
struct deskbell_presence {
        enum deskbell_presence_of of;
        int is_here;                         /* TEAM: somebody is; CUSTOMER: a device of his is connected */
        deskbell_conversation *conversation; /* CUSTOMER; else NULL */
        const char *customer;                /* CUSTOMER: "usr_..."; else "" */
        int64_t last_seen_ms;                /* CUSTOMER who is not here: when he was, to the minute; 0 = not known */
};

enum deskbell_availability { DESKBELL_AWAY = 1, DESKBELL_HERE = 2 };

struct deskbell_conversation_info {
        deskbell_conversation *conversation;
        const char *id;            /* "cnv_...", "" while the server has not made it */
        const char *key;           /* "" = not known */
        const char *customer;      /* staff only; else "" */
        const char *customer_name; /* staff only; else "" */
        int has_left;              /* can no longer be seen; the rest is as it was */
        int64_t head;              /* highest seq the server told */
        int64_t ihead;             /* highest iseq (staff); else 0 */
        int64_t rev;               /* change number of the row this was read from */
        struct deskbell_marks marks;
        int64_t unread;           /* customers: entries by others not read */
        int64_t unanswered;       /* staff: customer messages since the last public staff reply */
        int64_t waiting_since_ms; /* staff: time of the oldest of them, 0 = none */
        int64_t last_ts_ms;       /* of the last message, 0 = none */
        const char *last_author;
        const char *last_preview;
};

enum deskbell_notice {
        /* The server's store was restored, or is not the one we knew. All numbers of before are void: forget what is
         * shown; opened conversations are given anew as FOLLOWING, starting with the oldest one fetched. */
        DESKBELL_NOTICE_RESET = 1,
        /* The file of this user was damaged, foreign, or of a newer library. It was renamed to `detail`, and a new one
         * was begun: at the start, or while the client runs, when damage is met then. What was given is not given
         * again (with manual_ack: what the application is done with). OUTBOX_RESCUED follows. */
        DESKBELL_NOTICE_STORE_SET_ASIDE = 2,
        /* This device's disk fails. Nothing that could not be stored was given to the application; it is tried again.
         */
        DESKBELL_NOTICE_STORE_FAILING = 3,
        /* The conversation could not be opened: `detail` is the server's tag. */
        DESKBELL_NOTICE_CONVERSATION_REFUSED = 4,
        /* Staff: what was said in the conversation was erased. Forget what is shown; deskbell_history gives what is
           left. */
        DESKBELL_NOTICE_CONVERSATION_ERASED = 5,
        /* claims_visitor: the server did not let this user have the visitor, or (`detail` is "key") the visitor's file
           is sealed under another key. Its file was left alone; the user goes on without it. */
        DESKBELL_NOTICE_CLAIM_REFUSED = 6,
        /* How many queued messages of the file set aside could be read and wait in the new one, under their old cmids:
         * `detail`, a number. Others, and those whose own files were still being uploaded, are in the renamed file. */
        DESKBELL_NOTICE_OUTBOX_RESCUED = 7
};

enum deskbell_level { DESKBELL_LOG_ERROR = 0, DESKBELL_LOG_WARN = 1, DESKBELL_LOG_INFO = 2, DESKBELL_LOG_DEBUG = 3 };

/* ---- A transport of the application's own -------------------------------------------------------------------- */

/* One WebSocket at a time, as seen by a transport. */
typedef struct deskbell_link deskbell_link;

/* One HTTP request under way, as seen by a transport. */
typedef struct deskbell_exchange deskbell_exchange;

struct deskbell_http_request {
        size_t size;
        const char *method;         /* "PUT" or "GET" */
        const char *url;            /* "https://..." */
        const char *const *headers; /* "Name: value" */
        size_t headers_count;
        const void *body; /* PUT: at most 256 KiB */
        size_t body_len;
        size_t max_answer_bytes; /* a longer body of the answer is a failure */
};

struct deskbell_http_answer {
        size_t size;
        int status;                 /* 200...; 0 = no answer came */
        const char *const *headers; /* "Name: value" */
        size_t headers_count;
        const void *body;
        size_t body_len;
};

/* A table of functions for programs that bring their own WebSocket (NSURLSessionWebSocketTask, OkHttp). The library has
 * one over libwebsockets with a thread of its own and uses it when `transport` is NULL. All functions here are called
 * on the client's own thread and must not wait for the network. The deskbell_link_ functions may be called from any
 * thread, also from inside these. */
struct deskbell_transport {
        size_t size; /* sizeof(struct deskbell_transport) */
        void *data;
        /* Makes a connection to `url` with that subprotocol and the largest message accepted. After 0 the transport
         * owes exactly one deskbell_link_closed (or deskbell_link_failed), whether or not deskbell_link_opened came.
         * Non-zero: failed at once, no call follows. */
        int (*open)(void *data, const char *url, const char *subprotocol, size_t max_message_bytes,
                    deskbell_link *link);
        /* One text message; the bytes are copied. Only between opened and closed. */
        void (*send)(void *data, deskbell_link *link, const char *bytes, size_t len);
        /* Close with that code (1000, or 3000-4999); deskbell_link_closed still comes, within 5 s. */
        void (*close)(void *data, deskbell_link *link, int code);
        /* Go on reading after deskbell_link_text returned 1. */
        void (*resume)(void *data, deskbell_link *link);
        /* Last call: ends all threads; afterwards no deskbell_link_ or deskbell_http_ call is made. Not called when
         * deskbell_open has failed. NULL: deskbell_close waits for the deskbell_link_closed and deskbell_http_done that
         * are owed, at most 6 s. */
        void (*stop)(void *data);
        /* Optional, for attachments: makes one HTTP request. Called on the library's thread for files; must not wait.
         * `request` lives for the call. After 0 the transport owes exactly one deskbell_http_done for `exchange`.
         * Non-zero: failed at once, no call follows. Redirects are not followed; no cookies; certificates are checked
         * as for the WebSocket. NULL: deskbell_send_file and deskbell_file_fetch return STATE. */
        int (*http)(void *data, const struct deskbell_http_request *request, deskbell_exchange *exchange);
        /* Optional: nobody waits for this answer any more; deskbell_http_done is still owed, soon. */
        void (*http_cancel)(void *data, deskbell_exchange *exchange);
};

/* The WebSocket is open: `send` may be called. Once for each `open`, or not at all. */
DESKBELL_API void deskbell_link_opened(deskbell_link *link);
/* One whole text message. 0, or 1: stop reading until `resume`; this message was taken all the same. */
DESKBELL_API int deskbell_link_text(deskbell_link *link, const char *bytes, size_t len);
/* Gone, for whatever reason. `code`: the close code received, 1006 when none came. */
DESKBELL_API void deskbell_link_closed(deskbell_link *link, int code);
/* Instead of deskbell_link_closed, with a reason: `why` is what struct deskbell_state tells, one of "network", "tls",
 * "tls_pin", "proxy", "proxy_auth" and "handshake" (anything else counts as "network"); `detail` goes to on_log, at
 * most 160 bytes, and must hold no secrets (NULL = none); `retry_after_ms` is how long the other side wants to be left
 * alone, at most an hour of it counts; -1 = it did not say. */
DESKBELL_API void deskbell_link_failed(deskbell_link *link, const char *why, const char *detail,
                                       int64_t retry_after_ms);
/* The end of a request: its answer, copied. Any thread. NULL, or status 0: there was none. */
DESKBELL_API void deskbell_http_done(deskbell_exchange *exchange, const struct deskbell_http_answer *answer);

/* ---- Answers without a connection ---------------------------------------------------------------------------- */

/* An answer that this device has found for a text of its own while there was no session. It is not an entry: it has no
 * number, nobody else sees it, and it never leaves this device. The text is sent as ever, and the server's bot or a
 * person answers it; when an entry of theirs stands behind the text in the log, this answer is taken back, in the same
 * transaction, so that nobody reads the same twice. docs/sdk.md says when a device answers and when it does not. */
struct deskbell_device_answer {
        deskbell_conversation *conversation;
        const char *cmid;    /* of the message that it answers; at most one for each */
        const char *text;    /* show it below that message, marked as found on this device; Markdown as entries have */
        const char *rule;    /* what answered: "faq refund.policy" */
        const char *version; /* of the bot that it is from: 64 hex digits */
        int64_t ts_ms;       /* when it was found */
        int is_again;        /* was told before: a conversation is opened that has it */
        int is_taken_back;   /* not to be shown any more */
};

/* What answers: libdeskbell-answers has one (deskbell/answers.h). The library fetches the version that the app's
 * operator lets go to devices and keeps it with the user's file. All functions here are called on the client's own
 * thread, one at a time, with no lock held, and after `load` until deskbell_close returns; by deskbell_close on its
 * caller's thread. Messages wait while they run, callers of other functions do not. */
struct deskbell_answers {
        size_t size; /* sizeof(struct deskbell_answers) */
        void *data;
        /* Names this table, at most 32 bytes count: a version that one could not use is tried again with another. */
        const char *name;
        /* `bytes` as they were published, which may be used for the call only; `version` is what they should be. NULL:
         * they cannot be used; they are fetched once more, then not again. */
        void *(*load)(void *data, const void *bytes, size_t len, const char *version);
        /* 1 and the one sure answer to `text`, lent until the next call with `loaded`; 0: there is none. `locale` as in
         * the options, NULL = none. */
        int (*answer)(void *data, void *loaded, const char *text, const char *locale, const char **out_text,
                      const char **out_rule);
        void (*unload)(void *data, void *loaded);
};

/* ---- Options ------------------------------------------------------------------------------------------------- */

struct deskbell_options {
        size_t size; /* sizeof(struct deskbell_options) */

        /* Where: "ws://HOST:PORT/v1/ws" or "wss://..."; the path may be left out. ws only for what is local or for
         * tests: a token sent over ws can be read by the network. Required unless `transport` is set. */
        const char *url;
        const char *app;      /* "app_..." */
        const char *data_dir; /* folder for this app's files, made when missing (0700); NULL = in memory, for tests */

        /* Who: exactly one of `token` (or `on_token`), `is_visitor` and `agent_token`. */
        const char *token;       /* user token signed by the application's back end; NULL with on_token: ask at once */
        int is_visitor;          /* a visitor without a token; the server gives it a secret, kept in the file */
        const char *agent_token; /* session token of an agent, or a bot's key */
        /* Names the file, at most 128 bytes: the application's own id of the user. NULL: the subject of `token` when
         * that can be read, else "default". A file is bound to the principal of its first session. */
        const char *user;

        const char *locale;         /* BCP 47 tag, at most 35 bytes; NULL = none */
        const char *client_name;    /* for the operator's logs, at most 64 bytes; NULL = "libdeskbell" */
        const char *client_version; /* at most 64 bytes; NULL = this library's */

        int callbacks_by_dispatch; /* callbacks run in deskbell_dispatch instead of on the client's thread */
        /* For programs without a screen: entries are given from a second durable cursor that only deskbell_entry_done
         * moves, and what lies above it is given again, as FOLLOWING, after a restart. */
        int manual_ack;
        /* Entries fetched of a conversation seen for the first time, the newest ones; 1-200, default 50, -1 = all from
         * the first. Older ones come by deskbell_history. */
        int first_page;
        int snapshot; /* entries of the cache given when a conversation is opened; 0-100000, default 50, -1 = all */
        /* Staff: opened conversations also give their team log. Default 1; ignored for customers. */
        int with_team_log;

        const char *ca_file; /* PEM file of trusted roots for wss and files; NULL = the system's */
        const struct deskbell_transport *transport; /* copied; NULL = libwebsockets */

        /* NULL = the system's. `mono_ms` never goes back; `wall_ms` is ms since 1970; `random` fills all bytes. With a
         * clock of your own call deskbell_tick after turning it. */
        int64_t (*mono_ms)(void *data);
        int64_t (*wall_ms)(void *data);
        void (*random)(void *data, void *bytes, size_t len);

        /* ---- callbacks; each may be NULL; `data` is given to all, also to clock and random ---- */
        void *data;
        void (*on_state)(deskbell_client *client, const struct deskbell_state *state, void *data);
        void (*on_entry)(deskbell_client *client, const struct deskbell_entry *entry, void *data);
        void (*on_message)(deskbell_client *client, const struct deskbell_message *message, void *data);
        /* A conversation is new or changed: for lists. */
        void (*on_conversation)(deskbell_client *client, const struct deskbell_conversation_info *info, void *data);
        /* The snapshot of an opened conversation is complete; entries above these numbers follow. */
        void (*on_opened)(deskbell_client *client, deskbell_conversation *conversation, int64_t seq, int64_t iseq,
                          void *data);
        /* Somebody of the other side began (1) or stopped (0) writing. */
        void (*on_typing)(deskbell_client *client, deskbell_conversation *conversation, const char *author,
                          int is_typing, void *data);
        /* Customers: unread entries in all conversations. Staff: conversations with something unanswered. */
        void (*on_unread)(deskbell_client *client, int64_t total, void *data);
        /* A token is needed: call deskbell_set_token, now or later. */
        void (*on_token)(deskbell_client *client, void *data);
        void (*on_notice)(deskbell_client *client, enum deskbell_notice notice, deskbell_conversation *conversation,
                          const char *detail, void *data);
        /* Called on any thread, with a lock held: must not call back into the client. Never told texts, tokens, names.
         */
        void (*on_log)(enum deskbell_level level, const char *line, void *data);

        /* With a user token: whoever used this app here as a visitor (is_visitor, same data_dir and no `user`) is this
         * user. At the first session his conversations and what he had queued become the user's: under "main" and its
         * other keys when the server did not know the user before, else beside the user's own, under keys that begin
         * "visitor:". The visitor's client must be closed (LOCKED otherwise). 1 does no harm where there is no visitor:
         * leave it on, so that a claim that was interrupted is ended. Default 0. */
        int claims_visitor;

        /* A piece of a file is on the server. */
        void (*on_progress)(deskbell_client *client, const struct deskbell_progress *progress, void *data);

        /* Somebody came or went; see struct deskbell_presence. */
        void (*on_presence)(deskbell_client *client, const struct deskbell_presence *presence, void *data);

        /* What deskbell_push_received asked for is over. is_caught_up: everything the server has is in the cache and
         * was given to the other callbacks before this one; 0: it could not be had within 25 s, or the client stopped.
         */
        void (*on_push_settled)(deskbell_client *client, int is_caught_up, void *data);

        /* How large the file may become, in bytes: above it the oldest entries of the conversations that were opened
         * longest ago go; deskbell_history brings them back from the server. What is unread (with manual_ack: not done
         * with), the newest 50 entries of each conversation, conversations that are open and the outbox never go. From
         * 1 MiB on; 0 = 256 MiB, -1 = no limit. */
        int64_t cache_max_bytes;
        /* The same for each conversation that is not open: entries kept of each log, 50-1000000; 0 = no limit. */
        int cache_max_entries_per_conversation;

        /* With the transport over libwebsockets, for wss and for files: besides being signed by a trusted root, one
         * certificate of the server's chain must have one of these public keys. "sha256/" and the base64 of the SHA-256
         * of the SubjectPublicKeyInfo (RFC 7469), at most 16; name a spare key too. NULL and 0 = no pins. */
        const char *const *tls_pins;
        size_t tls_pins_count;
        /* The same: "http://[USER:PASSWORD@]HOST:PORT" of an HTTP proxy that is asked for a way (CONNECT) to the
         * server, for ws as for wss; what is special in user and password as %XX. NULL = none. The environment
         * (http_proxy and the like) is never looked at: give getenv's answer where it should be. */
        const char *proxy;
        /* 32 bytes: what this user's files hold about people and what they say is sealed with AES-256-GCM, under a key
         * that only this one opens; which parts stay readable is listed in docs/sdk.md. NULL and 0 = not sealed. A
         * plain file is made a sealed one by deskbell_open, in one go, and what was plain is overwritten; never the
         * other way. Where a key belongs: the platform's keystore. Random: take it from a good source, not from a
         * password. Read by deskbell_open only, and not kept. */
        const uint8_t *store_key;
        size_t store_key_len;

        /* Customers: answers questions on this device while there is no session; see struct deskbell_device_answer.
         * Copied; its strings and `data` have to live until deskbell_close has returned. NULL = none; ignored for staff
         * and without on_device_answer. */
        const struct deskbell_answers *answers;
        void (*on_device_answer)(deskbell_client *client, const struct deskbell_device_answer *answer, void *data);
};

#define DESKBELL_OPTIONS_INIT                                                                                          \
        {                                                                                                              \
                sizeof(struct deskbell_options), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 50, 50, 1, 0, 0, 0, 0, 0, 0, 0,   \
                        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0                               \
        }

/* ---- Memory -------------------------------------------------------------------------------------------------- */

/* Where the library gets its memory. Each function may be called on any thread; `data` is given to all. */
struct deskbell_allocator {
        size_t size; /* sizeof(struct deskbell_allocator) */
        void *data;
        void *(*malloc)(size_t bytes, void *data); /* never 0 bytes; aligned as the C library's; NULL = there is none */
        void *(*realloc)(void *block, size_t bytes, void *data); /* block is never NULL; NULL leaves it as it was */
        void (*free)(void *block, void *data);                   /* never NULL */
};

/* From now on the library's own memory, of all clients of this process, comes from there. Copied; NULL = malloc of the
 * C library, as at the start. SQLite, OpenSSL, libwebsockets, jansson and libcurl have calls of their own for theirs.
 * Call it while no client is open and no other thread is in the library. Errors: INVALID, STATE while a client is open.
 */
DESKBELL_API int deskbell_set_allocator(const struct deskbell_allocator *allocator);

/* ---- Life ---------------------------------------------------------------------------------------------------- */

/* Opens the user's file and starts the client's thread; no connection yet. Everything in `options` is copied.
 * Errors: INVALID, NOMEM, LOCKED, STORE, STORE_NEWER, KEY: nothing was done. A damaged file is set aside and told by
 * on_notice. */
DESKBELL_API int deskbell_open(const struct deskbell_options *options, deskbell_client **out_client);

/* Ends the connection and the threads and frees everything, also all conversations. What was handed over is written
 * first; should the disk fail then, it is told as FAILED with tag "store" inside this call, on this thread, also of a
 * client that was muted. Queued messages stay in the file. When it returns no callback runs or will run. NULL is
 * welcome. Errors: WRONG_THREAD inside a callback (nothing was done). */
DESKBELL_API int deskbell_close(deskbell_client *client);

/* From now on the user's file opens with `new_key` (32 bytes, read during the call) instead of the store_key it was
 * opened with, and so does a visitor's that waits to be claimed. Only the key that all values are sealed under is
 * sealed anew: cheap, and whole when the process dies in it: then either the old key opens the file or the new one. A
 * copy of the file of before still opens with the old one. Not for a file that is plain: open it with a store_key.
 * Errors: INVALID, STATE (the file is not sealed), STORE: nothing was changed. */
DESKBELL_API int deskbell_change_store_key(deskbell_client *client, const uint8_t *new_key, size_t new_key_len);

/* Writes what was handed over. From then on no callback begins, on whatever thread; one that runs, runs to its end.
 * What was not told is told after the next deskbell_open of this file. For programs that end a client inside one of its
 * callbacks, where deskbell_close cannot be called: mute it there, and close it from another thread or after
 * deskbell_dispatch. What runs exactly once (deskbell_history's `fn`) still runs, in deskbell_close. Cannot be undone.
 * Errors: INVALID. */
DESKBELL_API int deskbell_mute(deskbell_client *client);

/* Connects, and stays connected until deskbell_disconnect, with growing random pauses between tries. Ends STOPPED. Both
 * return at once; on_state tells what comes of it. Errors: INVALID. */
DESKBELL_API int deskbell_connect(deskbell_client *client);
DESKBELL_API int deskbell_disconnect(deskbell_client *client);

/* The device's network changed or came back: tries at once instead of at the end of the pause, and looks whether a
 * connection that seems alive is. Errors: INVALID. */
DESKBELL_API int deskbell_network_changed(deskbell_client *client);

/* Nobody looks at the application (1), or somebody does again (0, as at the start). In the background what is under way
 * is ended, marks and what can be sent are sent, at most 10 s long; then the connection is closed (PAUSED) and the
 * client does not wake up at all: no timer, no socket. What is queued meanwhile stays queued. In the foreground it
 * connects at once, unless the server had asked to come back later (DELAYED). Not kept in the file. A process that is
 * ended in the background loses nothing: what was handed over is on the disk when this returns. Errors: INVALID. */
DESKBELL_API int deskbell_set_background(deskbell_client *client, int is_background);

/* The clock given in the options was turned: due timers run now. */
DESKBELL_API void deskbell_tick(deskbell_client *client);

/* A new token of the same user (or agent): used at once when one was asked for, else at the next connection. Copied. At
 * most 8192 bytes. Errors: INVALID, NOMEM, STATE for a visitor. */
DESKBELL_API int deskbell_set_token(deskbell_client *client, const char *token);

/* Ends this user's use of this device. Tells the server to send no more notifications here (waits for its answer, at
 * most 3 s, when there is a session; out_was_told, which may be NULL, says whether it knows), then closes the client as
 * deskbell_close does and removes everything of this user from the disk: outbox, cache, copies of bytes to be sent,
 * files set aside. Each is overwritten, then removed; a flash memory may keep old blocks all the same. What was fetched
 * to paths of the application's choosing is the application's.
 * Messages that wait to be sent would be lost: with any, UNSENT, unless `discard` is 1. What other threads send
 * meanwhile is refused with STATE. Errors: INVALID, WRONG_THREAD inside a callback, UNSENT: nothing was done, the
 * client lives on. STORE: the client is closed, but something could not be removed. */
DESKBELL_API int deskbell_log_out(deskbell_client *client, int discard, int *out_was_told);

/* With callbacks_by_dispatch: a descriptor that is readable while callbacks wait. Do not read it or close it. -1: not
 * in this mode. */
DESKBELL_API int deskbell_fd(const deskbell_client *client);

/* Runs waiting callbacks on this thread, at most `max` of them (0 = all that wait now). Returns how many ran. Errors:
 * STATE without callbacks_by_dispatch, WRONG_THREAD inside a callback. */
DESKBELL_API int deskbell_dispatch(deskbell_client *client, int max);

/* ---- Notifications ------------------------------------------------------------------------------------------- */

/* A process that is not connected is reached through the platform's notifications. The application gets a token from
 * the platform and hands it to deskbell_set_push; five seconds after a message that no device has received the server
 * tells the application's back end (webhook "push.wanted", with tokens, "conv" and "seq"), which sends the
 * notification; the application hands those two to deskbell_push_received. A process started for a notification does,
 * in this order:
 *
 *     deskbell_open(&options, &client);
 *     deskbell_set_background(client, 1);
 *     deskbell_connect(client);
 *     if (deskbell_push_received(client, conv, seq, &is_news) == DESKBELL_OK && is_news)
 *             ... wait for on_push_settled; on_entry or on_unread have told what came ...
 *     deskbell_close(client);
 */

enum deskbell_push {
        DESKBELL_PUSH_FCM = 1,
        DESKBELL_PUSH_APNS = 2,
        DESKBELL_PUSH_WNS = 3,
        DESKBELL_PUSH_HMS = 4,
        DESKBELL_PUSH_WEBPUSH = 5, /* the token is the subscription as JSON */
        DESKBELL_PUSH_CUSTOM = 6
};

/* Where notifications for this user reach this device: `token` as the platform gave it, 1-4096 bytes of printable
 * ASCII. NULL: nowhere any more (`service` is not looked at). Kept in the file and told to the server, once in each run
 * of the program and after each change, until it has answered; works offline. Call it at each start, and whenever the
 * platform gives another token. Errors: INVALID, STORE, STATE for staff. */
DESKBELL_API int deskbell_set_push(deskbell_client *client, enum deskbell_push service, const char *token);

/* A notification came: it says that entry `seq` (0 = not known) of `conversation` ("cnv_...", NULL = not known) is
 * there. *out_is_news is 0 when the cache has that entry: nothing more happens. 1: the client looks at the server now,
 * connects for that at once (also in the background, and is PAUSED again afterwards), unless the server had asked to
 * come back later, and on_push_settled runs once; when more notifications come meanwhile, once for all of them. Not
 * told any more by a client that is closed. A hint only: what is not there is not shown. Errors: INVALID, STATE when
 * deskbell_connect was not called, or the client is STOPPED. */
DESKBELL_API int deskbell_push_received(deskbell_client *client, const char *conversation, int64_t seq,
                                        int *out_is_news);

/* ---- Conversations ------------------------------------------------------------------------------------------- */

/* Customers: the conversation of that key (1-64 bytes; NULL = "main"), made on the server when it is not there. Works
 * offline. Gives what the cache holds (on_entry SNAPSHOT in rising order, the public log first; on_message for what is
 * queued or failed; on_opened), then what follows. Opening it again gives nothing again. Errors: INVALID, NOMEM, STORE,
 * STATE for staff. */
DESKBELL_API int deskbell_conversation_open(deskbell_client *client, const char *key,
                                            deskbell_conversation **out_conversation);

/* The same by id: for staff, which from now on receive its entries (at most 50 at a time), and for conversations of the
 * list. Errors: INVALID, NOMEM, STORE, STATE for staff that has 50 open. */
DESKBELL_API int deskbell_conversation_open_id(deskbell_client *client, const char *id,
                                               deskbell_conversation **out_conversation);

/* No more entries of it. It may be opened again. Errors: INVALID. */
DESKBELL_API int deskbell_conversation_close(deskbell_conversation *conversation);

/* Calls `each` at once, on this thread, for every conversation known, newest message first. `each` must not call back
 * into the client; non-zero ends the walk and is returned. Errors: INVALID, NOMEM. */
DESKBELL_API int deskbell_conversations(deskbell_client *client,
                                        int (*each)(const struct deskbell_conversation_info *info, void *data),
                                        void *data);

/* The client it belongs to; NULL of NULL. */
DESKBELL_API deskbell_client *deskbell_conversation_client(const deskbell_conversation *conversation);

/* Writes "cnv_...", or "" while the server has not made it and of NULL. */
DESKBELL_API void deskbell_conversation_id(const deskbell_conversation *conversation, char out_id[18]);

/* ---- Sending ------------------------------------------------------------------------------------------------- */

struct deskbell_send_options {
        size_t size;            /* sizeof(struct deskbell_send_options) */
        enum deskbell_log log;  /* TEAM = a note; staff only */
        int64_t reply_to;       /* seq it answers, 0 = none */
        int64_t pressed_seq;    /* a tap on a choice: the entry, 0 = none */
        const char *pressed_id; /* and the choice, 1-64 bytes */
        const char *cmid;       /* 32 hex digits made by deskbell_cmid_new; NULL = made here */
        int64_t filled_seq;     /* customers: a form that was filled in: the entry, 0 = none. Not with pressed_seq */
        const struct deskbell_form_value *filled; /* and its values, 1-20; fields without one may be left out */
        size_t filled_count;
        int wait_for_disk; /* 1 = return when the message is on this device's disk (some ms), or with STORE */
};

#define DESKBELL_SEND_OPTIONS_INIT                                                                                     \
        {                                                                                                              \
                sizeof(struct deskbell_send_options), DESKBELL_PUBLIC, 0, 0, 0, 0, 0, 0, 0, 0                          \
        }

/* A new message id. A program that must know the id before the message can leave makes it first and passes it. "" when
 * `client` is NULL. */
DESKBELL_API void deskbell_cmid_new(deskbell_client *client, char out_cmid[33]);

/* Sends a text, after all others sent before it in this conversation. It is checked and handed over, and the call
 * returns, without waiting for disk or network: this is for the thread that draws. The client's thread writes it to
 * this device's disk, then on_message tells QUEUED; from then on it survives the end of this process, and leaves for
 * the server now or as soon as there is a session. Should the disk fail, FAILED is told instead, with tag "store". A
 * message that was only handed over is lost when the process dies within those ms; deskbell_close, deskbell_mute,
 * deskbell_log_out and deskbell_set_background write it first. To know it on disk when the call returns, set
 * wait_for_disk; it may be used in callbacks too.
 * `options` may be NULL; out_cmid (33 bytes) may be NULL. With filled_seq `text` may be NULL: then it is made here, a
 * line "LABEL: VALUE" for each value. With a cmid of the caller's, or filled_seq, the call looks into the file and may
 * wait while it is written. Errors: INVALID (also: filled_seq is no form), NOMEM, STORE (wait_for_disk, or the file
 * could not be looked into), OUTBOX_FULL, TOO_LONG (also a value), TEXT (also: all values are empty), EXISTS, FORM
 * (only of a form that is in the cache; else the server checks it: FAILED with tag "bad_request"). */
DESKBELL_API int deskbell_send(deskbell_conversation *conversation, const char *text,
                               const struct deskbell_send_options *options, char *out_cmid);

/* Looks whether `values` answer the form of an entry (`form`, `form_count`), as deskbell_send does: each of them for a
 * field of the form and no field twice, something in each field that is required, and in the others nothing or what
 * `input` says: "email" something on both sides of an at sign and no space, "number" digits with at most one sign in
 * front and one point or comma within, "date" YYYY-MM-DD. Pure. *out_id (may be NULL) = the id of the first that does
 * not fit, which lives as long as `form` and `values`. Errors: INVALID, FORM. */
DESKBELL_API int deskbell_form_check(const struct deskbell_form_field *form, size_t form_count,
                                     const struct deskbell_form_value *values, size_t values_count,
                                     const char **out_id);

/* An answer to a survey, or more of one. */
struct deskbell_rating {
        size_t size;      /* sizeof(struct deskbell_rating) */
        int score;        /* within min and max of the survey; -1 = not said */
        const char *said; /* the comment, at most 2,000 characters; NULL or "" = none. The answer cannot be changed
                             after it */
        const struct deskbell_survey_said *answers; /* to further questions, each at most once */
        size_t answers_count;                       /* 0-5 */
        int wants_contact;                          /* 1, 0; -1 = not said */
        const char *cmid;                           /* 32 hex digits made by deskbell_cmid_new; NULL = made here */
        int wait_for_disk;                          /* as of deskbell_send */
};

#define DESKBELL_RATING_INIT                                                                                           \
        {                                                                                                              \
                sizeof(struct deskbell_rating), -1, 0, 0, 0, -1, 0, 0                                                  \
        }

/* Looks whether `rating` answers `survey` (of an entry of kind SURVEY), as deskbell_survey_answer does: something is
 * said; the score is on the scale; a comment and the tick only where they are asked for; answers for questions of the
 * survey, none twice, each of what its kind wants and the survey offers. Pure. *out_field (may be NULL) = the first
 * that does not fit: "score", "said", "contact", the id of a question, or "" when nothing is said; static, or lives as
 * long as `rating`. Errors: INVALID, TOO_LONG, TEXT, FORM. */
DESKBELL_API int deskbell_survey_check(const struct deskbell_survey *survey, const struct deskbell_rating *rating,
                                       const char **out_field);

/* Customers: answers survey `number` of the public log, in the way of deskbell_send: one tap is a rating with a score,
 * and what is said later (a comment, another score) is one more rating, which leaves what it does not say as it was. It
 * works offline, survives the process and counts once, whatever the network does. The server accepts it as an entry of
 * kind RATING, on all devices; on_message tells its outcome, with rated_seq and, as `text`, what clients that know no
 * surveys show, made here. FAILED with tag "locked" when the survey was meanwhile commented, closed, expired or taken
 * back. The call looks into the file and may wait while it is written. out_cmid (33 bytes) may be NULL. Errors: INVALID
 * (also: entry `number` is no survey, or this user is no customer), NOMEM, STORE, OUTBOX_FULL, TOO_LONG (a comment or
 * words), TEXT (not UTF-8, or control characters), EXISTS, FORM and STATE (it is locked, expired or was taken back, as
 * far as this device knows). FORM and STATE only of a survey that is in the cache; else the server checks it. */
DESKBELL_API int deskbell_survey_answer(deskbell_conversation *conversation, int64_t number,
                                        const struct deskbell_rating *rating, char *out_cmid);

/* Sends a new text for an own message that has a place, in the way of deskbell_send. `version` is the one the user saw
 * (entry.version). Another version on the server: FAILED with tag "conflict". cmid and wait_for_disk in `options` as
 * there; its other members are `log` and otherwise unused. Errors: INVALID, NOMEM, STORE, OUTBOX_FULL, TOO_LONG, TEXT,
 * EXISTS, NOT_FOUND when the message is not in the cache. */
DESKBELL_API int deskbell_edit(deskbell_conversation *conversation, int64_t number, int64_t version, const char *text,
                               const struct deskbell_send_options *options, char *out_cmid);

/* Sends the erasure of an own message, in the way of deskbell_edit. Errors: INVALID, NOMEM, STORE, OUTBOX_FULL, EXISTS,
 * NOT_FOUND. */
DESKBELL_API int deskbell_erase(deskbell_conversation *conversation, int64_t number,
                                const struct deskbell_send_options *options, char *out_cmid);

/* Puts a FAILED message back at the end of the queue, under a new cmid; an EXPIRED one under its old cmid. It is handed
 * over as by deskbell_send, but for a look into the file. Should the disk fail, the new cmid is told as FAILED with tag
 * "store", and the old one as what it was, with is_again. out_cmid (33 bytes) may be NULL. Errors: INVALID, NOMEM,
 * NOT_FOUND, STATE when it is neither, or too old, or being put back, OUTBOX_FULL, STORE when the file could not be
 * looked into. */
DESKBELL_API int deskbell_retry(deskbell_client *client, const char *cmid, char *out_cmid);

/* Forgets a FAILED or EXPIRED message. Errors: INVALID, NOMEM, NOT_FOUND, STATE, STORE. */
DESKBELL_API int deskbell_forget(deskbell_client *client, const char *cmid);

/* ---- Files --------------------------------------------------------------------------------------------------- */

/* A file to be sent: a path, or bytes. */
struct deskbell_file_source {
        /* Of a local file that stays as it is until the message is SENT; one that stays longer can heal a server that
         * is restored from a backup within 30 days. NULL = `bytes`. */
        const char *path;
        const void *bytes; /* copied into a file below data_dir, which goes when the message is SENT */
        size_t bytes_len;
        const char *name;  /* shown to the others, 1-255 characters; NULL = the last part of `path`, or "file" */
        const char *media; /* "image/png"; NULL = guessed from the end of the name */
};

struct deskbell_file_options {
        size_t size; /* sizeof(struct deskbell_file_options) */
        const struct deskbell_file_source *files;
        size_t files_count;    /* 1-10 */
        const char *text;      /* caption, as deskbell_send takes it; NULL = none */
        enum deskbell_log log; /* TEAM = in a note; staff only */
        int64_t reply_to;      /* seq it answers, 0 = none */
        const char *cmid;      /* 32 hex digits made by deskbell_cmid_new; NULL = made here */
        int wait_for_disk;     /* as of deskbell_send */
};

#define DESKBELL_FILE_OPTIONS_INIT                                                                                     \
        {                                                                                                              \
                sizeof(struct deskbell_file_options), 0, 0, 0, DESKBELL_PUBLIC, 0, 0, 0                                \
        }

/* Sends a message with files. It is handed over as by deskbell_send; a path is only looked at, bytes are copied into a
 * file, which takes the time that writing them takes (about 1 ms for each MB), but does not wait for the disk. Told as
 * UPLOADING when this is on the disk: the paths with size and time of change, and the copies. Its files go up one after
 * the other, in pieces, and go on where they were after a lost connection or a restart; on_progress tells how far they
 * are. When the last one has arrived the message takes its place at the end of the outbox (QUEUED): texts written
 * meanwhile go first. A file that is gone or not what it was: FAILED with tag "file_missing" or "file_changed".
 * out_cmid (33 bytes) may be NULL. Errors: INVALID, NOMEM, STORE (bytes could not be copied; else as of deskbell_send),
 * OUTBOX_FULL, TOO_LONG, TEXT, EXISTS, NOT_FOUND (no such local file, or it is not a file that can be read), STATE (no
 * `url`, a transport without `http`, or bytes without a data_dir). */
DESKBELL_API int deskbell_send_file(deskbell_conversation *conversation, const struct deskbell_file_options *options,
                                    char *out_cmid);

/* An UPLOADING message waits, also over restarts, until deskbell_upload_resume; others are not held up by it. Doing it
 * twice does nothing. Told as UPLOADING with is_paused. Errors: INVALID, NOT_FOUND, STATE (it is not UPLOADING), STORE.
 */
DESKBELL_API int deskbell_upload_pause(deskbell_client *client, const char *cmid);
DESKBELL_API int deskbell_upload_resume(deskbell_client *client, const char *cmid);

/* Gives up a message with files: told as FAILED with tag "cancelled", and forgotten. Works until the message has left
 * this device. Errors: INVALID, NOT_FOUND, STATE (it has left, or perhaps has, or is not a message with files), STORE.
 */
DESKBELL_API int deskbell_upload_cancel(deskbell_client *client, const char *cmid);

/* `received` of `total` bytes are here. */
typedef void (*deskbell_fetch_progress_fn)(deskbell_client *client, int64_t fetch, int64_t received, int64_t total,
                                           void *data);
/* 0: the whole file is at `path`, and it is what its sender sent. Else nothing is there but perhaps a part, which a new
 * fetch to the same path goes on with: NOT_FOUND (the server has no such file for this user, any more), DAMAGED, STORE
 * (the local disk), REFUSED, CANCELLED, NOMEM. */
typedef void (*deskbell_fetch_done_fn)(deskbell_client *client, int64_t fetch, int error, const char *path, void *data);

/* Fetches a file that an entry told (`id`, `size` and `sha256` of it are used) to `path`. It comes in pieces into
 * PATH.<8 digits of its id>.part, which is checked by size and SHA-256, written through and renamed; a file that was
 * there is replaced. Waits for a session, and goes on after a lost connection; not over a restart, but a new fetch of
 * the same file to the same path goes on with the part. `progress` may be NULL. `done` runs exactly once, later, where
 * callbacks run, also when the client is closed meanwhile (CANCELLED); never when this returns an error. *out_fetch
 * (may be NULL) names it. Errors: INVALID, NOMEM, EXISTS (a fetch to that path is under way), STATE (as
 * deskbell_send_file).
 */
DESKBELL_API int deskbell_file_fetch(deskbell_client *client, const struct deskbell_file *file, const char *path,
                                     deskbell_fetch_progress_fn progress, deskbell_fetch_done_fn done, void *data,
                                     int64_t *out_fetch);

/* Ends a fetch: `done` runs with CANCELLED; the part stays. Errors: INVALID, NOT_FOUND (it has ended). */
DESKBELL_API int deskbell_file_fetch_cancel(deskbell_client *client, int64_t fetch);

/* ---- Reading ------------------------------------------------------------------------------------------------- */

/* The user has read the public log up to `seq`. Only grows; told to the server at most once a second. Errors: INVALID,
 * STORE. */
DESKBELL_API int deskbell_mark_read(deskbell_conversation *conversation, int64_t seq);

/* The user is writing. Call it on each key: it is told at most each 3 s, and only while there is a session. Errors:
 * INVALID. */
DESKBELL_API int deskbell_typing(deskbell_conversation *conversation);

/* Agents: whether customers may count on this agent, for all his devices. Without it an agent counts as here while he
 * is connected and does something at least each 5 minutes. Kept until it is said anew or the client is closed, and told
 * to the server in each session. Errors: INVALID, STATE for anybody but staff. */
DESKBELL_API int deskbell_set_presence(deskbell_client *client, enum deskbell_availability availability);

/* manual_ack: the application is done with all entries of that log up to `number`. What it has sent before is written
 * in the same transaction: an answer is never lost after its question was done with. Errors: INVALID, STATE without
 * manual_ack, STORE. */
DESKBELL_API int deskbell_entry_done(deskbell_conversation *conversation, enum deskbell_log log, int64_t number);

struct deskbell_history_options {
        size_t size; /* sizeof(struct deskbell_history_options) */
        enum deskbell_log log;
        int64_t before;  /* the last ones below this number; 0 = not this way */
        int64_t after;   /* the first ones above this number; -1 = not this way. Neither: the last ones */
        int limit;       /* 1-200 */
        int from_server; /* ask the server even for what is cached; changes nothing in the cache */
};

#define DESKBELL_HISTORY_OPTIONS_INIT                                                                                  \
        {                                                                                                              \
                sizeof(struct deskbell_history_options), DESKBELL_PUBLIC, 0, -1, 50, 0                                 \
        }

/* Error 0 and the entries in rising order (their origin is SNAPSHOT), `head` = the log's highest number, `more` = there
 * are more that way; or an error (OFFLINE, REFUSED, CANCELLED, STORE, NOMEM) with no entries. */
typedef void (*deskbell_history_fn)(deskbell_client *client, int error, const struct deskbell_entry *entries,
                                    size_t count, int64_t head, int more, void *data);

/* A page of a conversation: from the cache where it holds the page, else from the server. `fn` runs exactly once,
 * later, where callbacks run, also when the client is closed meanwhile; never when this returns an error. Errors:
 * INVALID, NOMEM, OFFLINE. */
DESKBELL_API int deskbell_history(deskbell_conversation *conversation, const struct deskbell_history_options *options,
                                  deskbell_history_fn fn, void *data);

struct deskbell_search_options {
        size_t size;        /* sizeof(struct deskbell_search_options) */
        int limit;          /* 1-50 */
        const char *before; /* `next` of the page before; NULL = the first page */
};

#define DESKBELL_SEARCH_OPTIONS_INIT                                                                                   \
        {                                                                                                              \
                sizeof(struct deskbell_search_options), 20, 0                                                          \
        }

/* An entry that was found. */
struct deskbell_found {
        const char *conversation; /* "cnv_...", for deskbell_conversation_open_id */
        const char *customer;     /* staff only; else "" */
        enum deskbell_log log;
        int64_t number; /* its place in that log */
        int64_t ts_ms;
        const char *author;
        const char *kind; /* "text", "attachment", ... */
        /* What it says around the first of the words; the text is one after the other. `hit` is "" when the word cannot
         * be pointed at. */
        const char *before, *hit, *after;
};

/* Error 0 and what was found, newest first; `next` = for the next page, "" on the last one; `is_cut`: the server's time
 * for one search was over, there may be more. Or an error (REFUSED, CANCELLED, NOMEM) with nothing. */
typedef void (*deskbell_search_fn)(deskbell_client *client, int error, const struct deskbell_found *found, size_t count,
                                   const char *next, int is_cut, void *data);

/* Looks for entries that hold all words of `query` (1-200 characters), in everything this user may read: on the server,
 * which finds a new entry about a second after it was accepted. Words of letters are found by their beginning. `fn`
 * runs exactly once, later, where callbacks run, also when the client is closed meanwhile; never when this returns an
 * error. Errors: INVALID, TEXT, NOMEM, OFFLINE. */
DESKBELL_API int deskbell_search(deskbell_client *client, const char *query,
                                 const struct deskbell_search_options *options, deskbell_search_fn fn, void *data);

struct deskbell_status {
        size_t size;    /* sizeof(struct deskbell_status) */
        int64_t queued; /* messages without a final answer, with those that are only handed over */
        int64_t queued_bytes;
        int64_t failed; /* FAILED or EXPIRED and not forgotten */
        int64_t unread; /* as on_unread */
        int is_online;
        int is_caught_up;      /* online, the feed is read to the end and no known entry is missing */
        int callbacks_waiting; /* with callbacks_by_dispatch */
};

#define DESKBELL_STATUS_INIT                                                                                           \
        {                                                                                                              \
                sizeof(struct deskbell_status), 0, 0, 0, 0, 0, 0, 0                                                    \
        }

/* How things stand now; set `size` in *out_status first (DESKBELL_STATUS_INIT). Errors: INVALID. */
DESKBELL_API int deskbell_status(deskbell_client *client, struct deskbell_status *out_status);

#ifdef __cplusplus
}
#endif

#endif
