/* SPDX-License-Identifier: Apache-2.0 */
/* Cache: the one SQLite file of a user: identity, conversations, received entries and the outbox. Holds a lock against
 * a second process from open to close. One thread at a time.
 *
 * Writing happens between cache_begin and cache_commit only. A write that fails is remembered and makes the commit
 * fail, so that callers look at one place; after a failed commit nothing of the turn is in the file. A durable turn is
 * on disk (fsync) when the commit returns; any other one survives the death of the process. */
#pragma once

#include "protocol/ids.h"
#include "protocol/span.h"

struct cache;

/* From cache_rescue.c. Note owner: whose file this is, in a way that shows damage; after each change of identity.
 * Rescued: how many queued messages were taken from a file set aside at this opening; -1 = none was. Damaged: a page
 * could not be read; the next opening sets the file aside. */
struct cache;
void cache_note_owner(struct cache *cache);
int64_t cache_rescued(const struct cache *cache);
bool cache_is_damaged(const struct cache *cache);

/* Reads or makes the file at `path` (NULL: in memory). 0, or DESKBELL_E_LOCKED, _STORE, _STORE_NEWER, _NOMEM, _KEY. A
 * file that is damaged or not ours is renamed first; *out_set_aside is then its new path (free() it), else NULL.
 * `key` (32 bytes, only for the call; NULL = none): what says something about people or content is sealed under it; a
 * plain file is made a sealed one first. KEY: the file is sealed under another key, or there is none; nothing was done.
 */
int cache_open(const char *path, int64_t wall_ms, struct cache **out_cache, char **out_set_aside);
int cache_open_sealed(const char *path, const uint8_t *key, int64_t wall_ms, struct cache **out_cache,
                      char **out_set_aside);
/* Outside a turn, after damage was met (cache_is_damaged): the file is set aside as at opening, under the lock that is
 * held, and a new one under the same key takes its place with what could be rescued. `fill` adds to it what is known
 * otherwise, before the commit. 0 (*out_set_aside is as above), or DESKBELL_E_STORE, _E_NOMEM: nothing can be read or
 * written until a later call succeeds. STORE also when there is no file, or its key is in it nowhere whole: all is as
 * it was. */
int cache_open_anew(struct cache *cache, int64_t wall_ms, void (*fill)(void *data), void *data, char **out_set_aside);
struct cache *cache_close(struct cache *cache); /* NULL is welcome; always returns NULL */

/* From cache_wipe.c: removes the file and all that stands beside it under its name; 0 or DESKBELL_E_STORE. At close:
 * when it is closed, while its lock is still held; `path` (NULL: in memory, nothing) and out_rc live until then. */
int cache_wipe(const char *path);
void cache_wipe_at_close(struct cache *cache, const char *path, int *out_rc);

/* From cache_key.c. Change: another key of the application's from the commit of this turn on; false when the file is
 * plain. Forget: outside a turn; the old one is overwritten where SQLite kept a copy of it. */
bool cache_is_sealed(const struct cache *cache);
bool cache_key_change(struct cache *cache, const uint8_t *key);
void cache_key_forget(struct cache *cache);

void cache_begin(struct cache *cache, bool durable);
int cache_commit(struct cache *cache); /* 0 or DESKBELL_E_STORE */
void cache_rollback(struct cache *cache);
void cache_fail(struct cache *cache); /* what belongs into this turn could not be made: the commit has to fail */
bool cache_has_failed(const struct cache *cache); /* something of this turn could not be read or written */

/* ---- single values: in a sealed file numbers stay readable, values do not ---- */

/* Copies at most `room` bytes; returns the value's length, 0 when there is none. */
size_t cache_value_get(struct cache *cache, const char *name, void *out, size_t room);
void cache_value_set(struct cache *cache, const char *name, const void *bytes, size_t len);
void cache_value_drop(struct cache *cache, const char *name);
int64_t cache_number_get(struct cache *cache, const char *name); /* 0 when there is none */
void cache_number_set(struct cache *cache, const char *name, int64_t value);

/* ---- conversations ---- */

struct cached_place {
        int64_t low;    /* lowest number in the cache; 0 = nothing was fetched yet */
        int64_t cursor; /* everything from low to here is in the cache */
        int64_t head;   /* highest number the server told */
        int64_t done;   /* manual_ack: what the application is done with */
};

struct cached_conv {
        int64_t row; /* key in the file; 0 = not in it yet */
        uint64_t id; /* 0 = not known */
        struct span key;
        bool is_confirmed; /* the id holds in the present epoch */
        bool has_left;
        struct cached_place place[2]; /* public, team */
        int64_t my_read;
        struct span feed; /* its feed row as JSON; at NULL = none */
};

/* Calls `each` for every conversation; spans live for the call. */
void cache_convs(struct cache *cache, void (*each)(void *data, const struct cached_conv *conv), void *data);
bool cache_conv_get(struct cache *cache, int64_t row, void (*each)(void *data, const struct cached_conv *conv),
                    void *data);
int64_t cache_conv_put(struct cache *cache, const struct cached_conv *conv); /* its row */

/* ---- entries ---- */

struct cached_entry {
        int64_t conv; /* row of the conversation */
        int log;      /* 0 public, 1 team */
        int64_t number;
        int kind;                /* enum protocol_entry_kind */
        int64_t of;              /* edit, erase; else 0 */
        bool counts;             /* counts as unread for this user */
        const struct cmid *cmid; /* NULL = none */
        struct span body;        /* the entry as JSON */
};

void cache_entry_put(struct cache *cache, const struct cached_entry *entry);
/* Entries with low <= number <= high, at most `limit`, in rising order; with `from_end` the last ones. `each` returns
 * false to stop. */
void cache_entries(struct cache *cache, int64_t conv, int log, int64_t low, int64_t high, int64_t limit, bool from_end,
                   bool (*each)(void *data, const struct cached_entry *entry), void *data);
/* Entries of that kind about message `of` with number > above, in rising order. */
void cache_entries_about(struct cache *cache, int64_t conv, int log, int kind, int64_t of, int64_t above,
                         bool (*each)(void *data, const struct cached_entry *entry), void *data);
int64_t cache_entry_find(struct cache *cache, int64_t conv, int log, const struct cmid *cmid); /* number, 0 = none */
int64_t cache_unread(struct cache *cache, int64_t conv, int64_t above); /* public entries that count, number > above */
void cache_entries_wipe(struct cache *cache, int64_t conv);

/* From cache_evict.c. Used: without the pages that are free. By opening: rows of conversations, the one opened longest
 * ago first. Drop: entries with number <= upto. Shrink: gives free pages back to the disk, some at a time. */
int64_t cache_used_bytes(struct cache *cache);
void cache_opened_put(struct cache *cache, int64_t conv, int64_t wall_ms);
void cache_by_opening(struct cache *cache, void (*each)(void *data, int64_t conv), void *data);
void cache_entries_drop(struct cache *cache, int64_t conv, int log, int64_t upto);
void cache_shrink(struct cache *cache);

/* ---- outbox ---- */

struct cached_message {
        int64_t pos; /* order of queueing; given by cache_message_add */
        struct cmid cmid;
        int64_t conv;
        int op; /* enum deskbell_operation */
        int log;
        struct span content; /* send: stored content; edit: {"text":..}; erase: {} */
        uint8_t hash[16];
        bool has_target; /* edit, erase: the message meant is known by its cmid */
        struct cmid target;
        int64_t of, version; /* as it was in `epoch` */
        uint8_t epoch[8];    /* of `of`, and from SENT on of `number` */
        int64_t queued_ms;   /* corrected wall clock: when the time of retrying began */
        int64_t first_ms;    /* and when it was first queued */
        int state;           /* enum deskbell_message_state */
        struct span tag;
        int64_t number, at_seq, ts_ms;
        bool is_duplicate;
        bool is_told; /* the application knows of its final outcome */
};

void cache_message_add(struct cache *cache, struct cached_message *message);
/* Writes state, tag, of, number, at_seq, ts_ms, epoch, is_duplicate, is_told and the two times. */
void cache_message_save(struct cache *cache, const struct cached_message *message);
void cache_message_told(struct cache *cache, int64_t pos);
/* Its content is what was queued, by its hash (from cache_rescue.c). */
bool cache_message_is_whole(const struct cached_message *message);
void cache_message_drop(struct cache *cache, int64_t pos);
/* Drops what re-offering would bring back of a message that was erased: the message itself and its edits. */
void cache_message_erase(struct cache *cache, const struct cmid *cmid);
/* SENT, DELIVERED and READ become SENT without a number, and are to be offered again. */
void cache_messages_offer_again(struct cache *cache);
/* Final ones (SENT, DELIVERED, READ) whose retrying began before `wall_ms`. */
void cache_messages_sweep(struct cache *cache, int64_t before_ms);

enum cached_which { MESSAGES_UNSENT, MESSAGES_UNTOLD, MESSAGES_SHOWN, MESSAGES_UPLOADING };
/* UNSENT: queued, or to be offered again. UNTOLD: final but not told. SHOWN: queued, uploading, failed, expired of one
 * conversation. In the order of queueing; `each` returns false to stop. `conv` 0 = all conversations. */
void cache_messages(struct cache *cache, enum cached_which which, int64_t conv,
                    bool (*each)(void *data, const struct cached_message *message), void *data);
bool cache_message_get(struct cache *cache, const struct cmid *cmid,
                       bool (*each)(void *data, const struct cached_message *message), void *data);
/* The same, in a turn or not: 1 found, 0 not there, DESKBELL_E_STORE it could not be looked up. `each` NULL = none. */
int cache_message_find(struct cache *cache, const struct cmid *cmid,
                       bool (*each)(void *data, const struct cached_message *message), void *data);
/* Own public messages that are SENT or DELIVERED at a number up to `upto` and below state `state`. */
void cache_messages_below(struct cache *cache, int64_t conv, int64_t upto, int state,
                          bool (*each)(void *data, const struct cached_message *message), void *data);
int64_t cache_failed_count(struct cache *cache);
int64_t cache_message_last(struct cache *cache); /* the highest pos there is, 0 = none */

/* ---- files of messages ---- */

/* One local file of a message in the outbox. */
struct cached_upload {
        int64_t pos;      /* of the message */
        int at;           /* which of its files, from 0 */
        struct cmid cmid; /* of upload.begin */
        struct span path;
        bool is_copy; /* ours: to be removed when it is not needed any more */
        bool has_secret;
        uint8_t secret[32]; /* the copy is sealed under this key (seal.h) */
        struct span name, media;
        int64_t size, mtime_ns; /* when it was queued; size -1 = to be looked at */
        bool has_sha256, has_file;
        uint8_t sha256[32];
        uint8_t file[16]; /* the server's id */
        bool is_complete; /* the server has it whole, under that id, as that media, with these measures */
        int width, height;
        int tries;      /* times it was begun again from nothing */
        bool is_paused; /* file 0 only: the message waits */
};

void cache_upload_put(struct cache *cache, const struct cached_upload *upload); /* also over what is there */
void cache_uploads(struct cache *cache, int64_t pos, bool (*each)(void *data, const struct cached_upload *upload),
                   void *data);
void cache_uploads_move(struct cache *cache, int64_t from, int64_t to); /* to another message */
void cache_uploads_drop(struct cache *cache, int64_t pos);
bool cache_upload_knows(struct cache *cache, struct span path); /* some message needs that copy */
int64_t cache_copy_next(struct cache *cache, int64_t after);    /* next message with a copy, by pos; 0 = none */
