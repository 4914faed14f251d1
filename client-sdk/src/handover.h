/* SPDX-License-Identifier: Apache-2.0 */
/* Hand-over: what the application has handed over and the file does not hold yet. A message is made whole and checked
 * on the thread that sends it, gets its room in the outbox, and waits here, behind all handed over before it, for a
 * turn of the machine that writes everything that waits in one transaction (machine_take). Until then nobody is told of
 * it and nothing of it leaves this device.
 *
 * Nothing here takes a lock: the making looks only at what never changes, or is read as one value; a `struct handover`
 * is one thread's at a time. */
#pragma once

#include "machine.h"

enum handed_what { HANDED_MESSAGE, HANDED_FILES, HANDED_RETRY };

/* For whoever waits until a message is in the file; lives as long as he waits. */
struct handed_wait {
        bool is_done;
        int rc; /* 0 or DESKBELL_E_STORE */
};

struct handed {
        struct handed *next;
        enum handed_what what;
        deskbell_conversation *conv;
        struct cached_message row; /* content points into memory of our own. RETRY: as it will be, but for its place */
        struct cmid old;           /* RETRY: of the message as it is in the file */
        bool is_named;             /* the cmid is the application's: it may be there already */
        bool is_rating;            /* an answer to a survey */
        bool is_broken;            /* a copy of bytes cannot be written through: the message cannot be kept */
        struct file_source *files; /* FILES; texts in memory of our own */
        size_t files_count;
        struct handed_wait *wait; /* NULL = nobody waits: a failure is told as an outcome */
};

/* Make a message; what they look at is fit for any thread, but `text` with filled_seq asks the cache for the form, and
 * a rating for the survey: they need the machine's lock. Errors as in deskbell.h, but for those of handover_put. */
int handed_send(deskbell_conversation *conv, const char *text, const struct message_options *options,
                struct handed **out_handed);
int handed_edit(deskbell_conversation *conv, int64_t number, int64_t version, const char *text,
                const struct message_options *options, struct handed **out_handed);
int handed_erase(deskbell_conversation *conv, int64_t number, const struct message_options *options,
                 struct handed **out_handed);
int handed_files(deskbell_conversation *conv, const struct file_source *files, size_t count, const char *text,
                 const struct message_options *options, struct handed **out_handed);
int handed_rating(deskbell_conversation *conv, int64_t number, const struct deskbell_rating *rating,
                  const struct message_options *options, struct handed **out_handed);
/* Reads the cache: with the machine's lock, in a turn or not. */
int handed_retry(struct machine *machine, const struct cmid *cmid, int64_t wall_ms, struct handed **out_handed);
struct handed *handed_free(struct handed *handed); /* NULL is welcome; always returns NULL */

struct handover {
        struct handed *first, *last;
        int64_t count, bytes;               /* waiting here */
        int64_t taken_count, taken_bytes;   /* taken out by a turn that has not ended */
        int64_t stored_count, stored_bytes; /* in the file, when a turn ended last */
        bool is_closed;                     /* nothing is taken any more */
};

/* Takes `handed` when it returns 0. DESKBELL_E_STATE (closed, or that message is being put back already), _EXISTS (the
 * same cmid waits here), _OUTBOX_FULL. Whether the file has a named cmid was looked at by machine_has_message. */
int handover_put(struct handover *handover, struct handed *handed);
struct handed *handover_take(struct handover *handover); /* all, in order; they keep their room until it is settled */
/* The turn has ended: what was taken is in the file, or nowhere. */
void handover_settle(struct handover *handover, const struct machine *machine);
bool handover_has(const struct handover *handover, const struct cmid *cmid);
/* Adds what waits here to what the machine told. */
void handover_status(const struct handover *handover, struct deskbell_status *status);
void handover_clear(struct handover *handover);
