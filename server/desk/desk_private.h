/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the desk share. Desk thread only, but for what says otherwise. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "desk/attendance.h"
#include "desk/bots.h"
#include "desk/customers/customers.h"
#include "desk/customers/handlers.h"
#include "desk/denied.h"
#include "desk/desk.h"
#include "desk/directory.h"
#include "desk/feed_row.h"
#include "desk/hours/handlers.h"
#include "desk/hours/hours.h"
#include "desk/http_tokens.h"
#include "desk/jobs.h"
#include "desk/people/handlers.h"
#include "desk/people/people.h"
#include "desk/people/reach.h"
#include "desk/recovery/handlers.h"
#include "desk/recovery/recovery.h"
#include "desk/reports/handlers.h"
#include "desk/reports/reports.h"
#include "desk/routing/handlers.h"
#include "desk/routing/routing.h"
#include "desk/rules/handlers.h"
#include "desk/rules/rules.h"
#include "desk/surveys/handlers.h"
#include "desk/surveys/surveys.h"
#include "desk/tickets/handlers.h"
#include "desk/tickets/tickets.h"
#include "desk/tools/handlers.h"
#include "desk/tools/work.h"
#include "desk/uploads.h"
#include "desk/views/handlers.h"
#include "desk/views/views.h"
#include "desk/webhooks.h"
#include "ops/clock.h"
#include "ops/log.h"
#include "ops/random.h"
#include "store/conversations.h"
#include "store/entries.h"
#include "store/meta.h"

enum {
        SINKS_MAX = 64,
        FEED_EVERY_MS = 100,
        IDLE_MS = 500,
        READ_ONLY_RETRY_MS = 5000,
        READERS_MAX = 16,
};

/* A conversation as the writer knows it: the row, and what happened to it since. */
struct conversation {
        struct conversation_row row; /* first */
        struct conversation *hash_next;
        struct conversation *newer, *older; /* by use */
        struct conversation *changed_next;  /* changed since the last commit */
        struct conversation *marked_next;   /* marks have to be told */
        struct conversation *feed_next;     /* the feed has to say it */
        bool is_changed, is_marked, is_in_feed;
        bool is_publicly_changed;       /* in a way that its customer may know of */
        uint64_t marks_told_ms;         /* monotonic */
        int64_t was_team, was_assignee; /* as the last commit left them */
};

/* What one connection sent last in one conversation, and whether it was accepted (delivery O3). */
struct predecessor {
        int64_t conv;
        struct cmid cmid;
        bool is_accepted;
};

struct desk_session {
        struct edge_ref ref;
        uint8_t device[16];
        uint64_t key_tag;
        struct principal *who;
        bool is_replaced;                         /* told to go because its device opened another one */
        bool is_idle;                             /* an agent's: silent for long */
        struct desk_session *hash_next, *sibling; /* by ref; of the same principal */
        struct predecessor *predecessors;
        uint32_t predecessor_count, predecessor_room;
};

/* How the answer of the running command leaves. Handlers change it from the plain reply. */
struct answer {
        enum note_kind kind;
        int64_t conv, customer; /* NOTE_WATCH: row ids */
        uint64_t conv_ext;
        struct caller caller;
        struct principal_id who;
        int64_t expires_ms;
        uint64_t key_tag;
        int close_code;
        int64_t retry_after_ms; /* of an error; -1 = not told */
        struct reach reach;     /* NOTE_OPENED */
};

struct cache {
        struct conversation **slots;
        size_t slot_count, count;
        struct conversation *newest, *oldest;
};

struct session_table {
        struct desk_session **slots;
        size_t slot_count, count, staff_count;
};

struct reader_thread;
struct indexer;
struct crypto;
struct bot_builder;

struct desk {
        struct desk_settings settings;
        char *data_dir;
        struct log log;
        struct db *db;
        struct directory *directory;
        struct cache cache;
        struct session_table sessions;
        struct attendance attendance;
        struct mailbox in;
        struct mailbox_item *pending; /* taken, not executed yet */
        struct mailbox_list batch;    /* executed, not committed */
        struct mailbox *sinks[SINKS_MAX];
        struct mailbox_list leaving[SINKS_MAX]; /* notes of the running batch */
        uint32_t sink_count;
        struct conversation *changed_first, **changed_last, *marked_first, *feed_first, **feed_last;
        uint32_t changed_count;
        uint64_t feed_due_ms, marks_due_ms, flush_due_ms; /* monotonic; 0 = nothing due */
        struct answer answer;
        int64_t workspace; /* row id */
        uint64_t workspace_ext;
        uint8_t epoch[8];
        int64_t rev, now_ms; /* now_ms: wall time of the running batch */
        _Atomic int64_t committed_rev;
        atomic_bool is_read_only, is_clock_suspect;
        struct jobs jobs;
        struct webhooks webhooks;
        struct uploads uploads;
        struct bots bots;
        struct people *people;
        struct tickets tickets;
        struct customers customers;
        struct work work;
        struct routing *routing; /* who gets them */
        struct hours *hours;     /* schedules and SLA policies */
        struct rules rules;
        struct views *views;
        struct surveys *surveys;   /* what is asked, and the asking */
        struct recovery *recovery; /* cases */
        struct reports *reports;
        struct bot_thread *bot_thread;
        _Atomic uint64_t bot_turns_taken, bot_turns_failed, bot_posts, bot_posts_failed;
        _Atomic int64_t bot_circuits; /* open */
        _Atomic uint64_t bot_blobs;   /* grows when what a version has learned was replaced */
        uint64_t retry_write_ms;      /* monotonic; while read-only */
        bool is_in_transaction, keys_changed, keys_are_stale, names_changed;
        bool is_log_moved;     /* nothing was committed since the last idle checkpoint */
        bool has_ended;        /* after a commit of unknown outcome: nothing is done any more */
        uint64_t sweep_due_ms; /* monotonic */
        int64_t id_ms;         /* of the newest ids */
        uint32_t id_bits, id_step;
        int db_failure; /* first db_error of the running batch */
        struct http_tokens *http_tokens;
        struct crypto *crypto;
        struct bot_builder *bot_builder;
        pthread_mutex_t keyring_lock;
        struct keyring *keyring;
        struct db_backup *backup; /* under way, or NULL */
        _Atomic uint64_t keyring_version, directory_version;
        pthread_t thread;
        atomic_bool is_stopping, is_crowded;
        bool is_running;
        void (*on_fatal)(void *data);
        void *fatal_data;
        struct indexer *indexer;
        struct reader_thread *readers[READERS_MAX];
        uint32_t reader_count;
        _Atomic uint32_t read_turn;
        _Atomic uint64_t batches, commands, messages, duplicates, commit_failures, commit_us;
};

/* The store said `rc`, negative: kept as what failed first. Returns -PROTOCOL_ERR_STORAGE_FULL or _INTERNAL. (In the
 * header so that an analyser of one file sees that it is never 0.) */
static inline int desk_db_failed(struct desk *desk, int rc)
{
        if (desk->db_failure == 0)
                desk->db_failure = rc;
        return rc == DB_FULL || rc == DB_BUSY ? -PROTOCOL_ERR_STORAGE_FULL : -PROTOCOL_ERR_INTERNAL;
}

/* telling.c */
void desk_leave(struct desk *desk, uint32_t thread,
                struct desk_note *note); /* queued until the commit; takes the note */
void desk_broadcast(struct desk *desk, const struct conversation *conversation, bool team, struct edge_frame *frame);
/* An entry as it is written to the wire; borrows from the entry and the directory. */
struct entry_head desk_entry_head(struct desk *desk, const struct conversation *conversation,
                                  const struct entry_row *entry);
void desk_tell_entry(struct desk *desk, const struct conversation *conversation, const struct entry_row *entry);
/* Raises *ts to the time of the newest team entry: it never falls along iseq, and no customer sees it. */
int desk_team_ts(struct desk *desk, const struct conversation *conversation, int64_t *ts);
uint64_t desk_new_id(struct desk *desk);

/* dispatch.c */
void dispatch_command(struct desk *desk, struct desk_command *command, struct writer *out);
/* Answers it with that negative protocol error, whatever it had begun. */
void dispatch_refuse(struct desk *desk, struct desk_command *command, int rc, struct writer *out);
/* Of a session that was opened in a batch that is not kept, or whose answer could not be written. */
void dispatch_forget_opening(struct desk *desk, struct edge_ref ref);
void dispatch_drain(struct desk *desk);
bool dispatch_is_quiet(const struct desk_command *command); /* needs no transaction */

/* batch.c */
void desk_turn(
        struct desk *desk); /* one batch of what is queued, and what is due after it; tests call it without a thread */
void batch_run(struct desk *desk);
void batch_wait(struct desk *desk); /* for commands, or for what is due; moves the log meanwhile */
void batch_drop(struct desk *desk); /* what is queued, was not committed or has not left; nobody is answered */

/* cache.c */
int cache_init(struct cache *cache);
void cache_done(struct cache *cache);
int conversation_find(struct desk *desk, uint64_t ext, struct conversation **out_conversation);
/* One that is in memory; all that have changed in this batch are. NULL: it is not. */
const struct conversation *conversation_peek(const struct desk *desk, uint64_t ext);
int conversation_find_key(struct desk *desk, const struct caller *caller, struct span key, bool *out_made,
                          struct conversation **out_conversation);
void conversation_changed(struct desk *desk, struct conversation *conversation, bool is_public);
int cache_flush(struct desk *desk); /* writes what changed under new revs */
void cache_committed(struct desk *desk);
void cache_rolled_back(struct desk *desk);
/* Takes back a conversation that conversation_find_key has just made. Returns `refusal`, or what the store says. */
int conversation_unmake(struct desk *desk, struct conversation *conversation, int refusal);
/* The conversation if the caller may see it: one path for not yours and unknown. 0 or -PROTOCOL_ERR_NOT_FOUND ... */
int conversation_for(struct desk *desk, const struct caller *caller, uint64_t ext,
                     struct conversation **out_conversation);

/* sessions.c */
int sessions_init(struct session_table *table);
void sessions_done(struct session_table *table);
struct desk_session *sessions_find(struct desk *desk, struct edge_ref ref);
struct desk_session *sessions_add(struct desk *desk, struct edge_ref ref, const uint8_t device[16], uint64_t key_tag,
                                  struct principal *who);
void sessions_remove(struct desk *desk, struct edge_ref ref);
void session_tell_close(struct desk *desk, const struct desk_session *session, int close_code);
void sessions_close_principal(struct desk *desk, struct principal *who, int close_code);
void sessions_close_keys(struct desk *desk, const struct keyring *keyring);
void session_note_sent(struct desk_session *session, int64_t conv, const struct cmid *cmid, bool is_accepted);
const struct predecessor *session_last_sent(const struct desk_session *session, int64_t conv);

/* marks.c */
void marks_commit(struct desk *desk);              /* tells marks that were committed and are due */
void feed_commit(struct desk *desk);               /* tells staff what changed, when it is due */
int64_t desk_next_due_ms(const struct desk *desk); /* ms until something is due; -1 = nothing */

/* messages.c: what a public entry says, copied into `arena`; all absent when it was erased. 0 or a negative protocol
 * error. */
int entry_content(struct desk *desk, const struct conversation *conversation, int64_t seq, struct arena *arena,
                  int *out_kind, struct protocol_content *out_content);

/* messages.c: appends an entry that nobody sent as a command. `entry` says log, author, kind, body and perhaps a cmid;
 * its place and time are filled in. 0, 1 when an entry of that cmid and author is there already, or a negative protocol
 * error (the store failed). */
int entry_add(struct desk *desk, struct conversation *conversation, struct entry_row *entry,
              const struct protocol_content *content, enum principal_role role);

/* Handlers: one per method, in the file of its noun. They write the members of the result object through `out`, or
 * return a negative protocol error with nothing changed. */
#define DESK_HANDLERS(X)                                                                                               \
        X(SESSION_OPEN, session_open)                                                                                  \
        X(CONVERSATION_OPEN, conversation_open)                                                                        \
        X(CONVERSATION_WATCH, conversation_watch)                                                                      \
        X(CONVERSATION_UNWATCH, conversation_unwatch)                                                                  \
        X(CONVERSATION_GIVE, conversation_give)                                                                        \
        X(BOT_ACT, bot_act)                                                                                            \
        X(BOT_TURNS, bot_turns)                                                                                        \
        X(MESSAGE_SEND, message_send)                                                                                  \
        X(MESSAGE_EDIT, message_edit)                                                                                  \
        X(MESSAGE_ERASE, message_erase)                                                                                \
        X(UPLOAD_BEGIN, upload_begin)                                                                                  \
        X(UPLOAD_END, upload_end)                                                                                      \
        X(UPLOAD_CANCEL, upload_cancel)                                                                                \
        X(MARKS, marks_take)                                                                                           \
        X(DEVICE_PUSH, device_push)                                                                                    \
        X(DEVICE_PUSH_REMOVE, device_push_remove)                                                                      \
        X(TYPING, typing_take)                                                                                         \
        X(PRESENCE_SET, presence_set)                                                                                  \
        X(APP_ADD, app_add)                                                                                            \
        X(APP_LIST, app_list)                                                                                          \
        X(KEY_ADD, key_add)                                                                                            \
        X(KEY_LIST, key_list)                                                                                          \
        X(KEY_REMOVE, key_remove)                                                                                      \
        X(LOGIN_PASSWORD, login_password)                                                                              \
        X(LOGIN_ACCEPT_INVITE, login_accept_invite)                                                                    \
        X(LOGIN_TOTP_BEGIN, login_totp_begin)                                                                          \
        X(LOGIN_TOTP_CONFIRM, login_totp_confirm)                                                                      \
        X(LOGIN_SESSIONS, login_sessions)                                                                              \
        X(LOGIN_END, login_end)                                                                                        \
        X(AGENT_INVITE, agent_invite)                                                                                  \
        X(AGENT_LOGINS, agent_logins)                                                                                  \
        X(AGENT_SESSION_END, agent_session_end)                                                                        \
        X(ACCESS_ADD, access_add)                                                                                      \
        X(ACCESS_LIST, access_list)                                                                                    \
        X(ACCESS_REMOVE, access_remove)                                                                                \
        X(AGENT_ADD, agent_add)                                                                                        \
        X(AGENT_LIST, agent_list)                                                                                      \
        X(AGENT_SESSION, agent_session)                                                                                \
        X(AGENT_REVOKE, agent_revoke)                                                                                  \
        X(CUSTOMER_REVOKE, customer_revoke)                                                                            \
        X(WEBHOOK_ADD, webhook_add)                                                                                    \
        X(WEBHOOK_LIST, webhook_list)                                                                                  \
        X(WEBHOOK_REMOVE, webhook_remove)                                                                              \
        X(WEBHOOK_ROTATE, webhook_rotate)                                                                              \
        X(WEBHOOK_RESUME, webhook_resume)                                                                              \
        X(WEBHOOK_TEST, webhook_test)                                                                                  \
        X(WEBHOOK_REPLAY, webhook_replay)                                                                              \
        X(WEBHOOK_DELIVERIES, webhook_deliveries)                                                                      \
        X(BOT_ADD, bot_add)                                                                                            \
        X(BOT_LIST, bot_list)                                                                                          \
        X(BOT_SET, bot_set)                                                                                            \
        X(BOT_REMOVE, bot_remove)                                                                                      \
        X(BOT_DRAFT, bot_draft)                                                                                        \
        X(BOT_VERSIONS, bot_versions)                                                                                  \
        X(BOT_SOURCE, bot_source)                                                                                      \
        X(BOT_PUBLISH, bot_publish)                                                                                    \
        X(BOT_ROLLBACK, bot_rollback)                                                                                  \
        X(BOT_CANARY_END, bot_canary_end)                                                                              \
        X(BOT_QUESTIONS, bot_questions)                                                                                \
        X(BOT_LEARN, bot_learn)                                                                                        \
        X(BOT_SETTLE, bot_settle)                                                                                      \
        X(BOT_REPORT, bot_report)                                                                                      \
        X(CUSTOMER_ERASE, customer_erase)                                                                              \
        X(STORE_BACKUP, store_backup)                                                                                  \
        X(SEARCH_REBUILD, search_rebuild)                                                                              \
        X(SEARCH_SETTLE, search_settle)                                                                                \
        X(STORE_SETTLE, store_settle)                                                                                  \
        X(STORE_STATUS, store_status)

/* Those of the desk's parts, in a list each. */
#define PART_HANDLERS(X)                                                                                               \
        TICKETS_HANDLERS(X)                                                                                            \
        PEOPLE_HANDLERS(X)                                                                                             \
        CUSTOMERS_HANDLERS(X)                                                                                          \
        HOURS_HANDLERS(X)                                                                                              \
        RULES_HANDLERS(X)                                                                                              \
        ROUTING_HANDLERS(X)                                                                                            \
        VIEWS_HANDLERS(X)                                                                                              \
        WORK_HANDLERS(X)                                                                                               \
        SURVEYS_HANDLERS(X)                                                                                            \
        OFFERS_HANDLERS(X)                                                                                             \
        RECOVERY_HANDLERS(X)                                                                                           \
        REPORTS_HANDLERS(X)

#define DECLARE(method, name)                                                                                          \
        int handle_##name(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault);
DESK_HANDLERS(DECLARE)
PART_HANDLERS(DECLARE)
#undef DECLARE

/* admin.c: what the operator's methods share. 0 or a negative protocol error. */
int operator_audit(struct desk *desk, const char *action, const char *prefix, uint64_t ext, struct span detail);
int operator_find_app(struct desk *desk, uint64_t ext, int64_t *out_id); /* row id of an app */

/* access.c: the bot of that name, made when there is none */
int access_find_bot(struct desk *desk, struct span name, int64_t *out_id, uint64_t *out_ext);

/* care.c */
void care_done(struct desk *desk); /* gives up a copy under way */

/* claim.c: a visitor claimed by a user whom nobody knew (fills `row`), or by a known one. 0, or a negative error. */
int claim_become(struct desk *desk, struct opening *opening, struct principal_row *row);
int claim_join(struct desk *desk, struct opening *opening, struct principal_row *user);
/* The team has found that the visitor is `into`; the caller has checked both. */
int claim_merge(struct desk *desk, struct principal_row *visitor, struct principal_row *into);
/* Whether that principal is a claimed visitor, of user `of` (0 = of any). */
bool claim_is_alias(struct desk *desk, int64_t principal, int64_t of);
/* What the caller sent under this cmid as a visitor he has claimed since: 1, or 0 = nothing. */
int claim_find_entry(struct desk *desk, const struct caller *caller, const struct cmid *cmid,
                     struct entry_row *out_stored, uint64_t *out_conv);

/* opening.c: who calls over HTTP, from what the request proved. 0, or a negative protocol error. */
int opening_admit(struct desk *desk, struct desk_command *command);
/* The same without writing anything, on a reader's connection; somebody unknown yet has nothing to read. */
int opening_look(struct db *db, const struct opening *opening, int64_t now_ms, struct caller *out_caller);

/* crypto.c: the thread that hashes passwords */
int crypto_start(struct desk *desk); /* 0 or a negative db_error */
void crypto_stop(struct desk *desk); /* desk_post_login refuses from then on */
void crypto_free(struct desk *desk);

/* readers.c */
int readers_start(struct desk *desk);
void readers_stop(struct desk *desk); /* ends the threads; readers_post refuses from then on */
void readers_free(struct desk *desk); /* when nobody can call readers_post any more */
int readers_post(struct desk *desk, struct desk_command *command); /* any thread; negative errno when full */
